"""Pictures are judged by their bytes, before they are decoded."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from newsletter.articles.originals import SUFFIXES, check_picture, fetch_picture, keep_original
from newsletter.errors import ImageError, RemoteError
from newsletter.net.fetch import Fetched, Policy
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.paths import Workspace

from .conftest import picture


@pytest.mark.parametrize("kind", sorted(SUFFIXES))
def test_each_format_is_told_by_its_bytes(kind: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    assert check_picture(picture((64, 40), kind)) == (kind, 64, 40)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_jpegs_are_pictures(mode: str) -> None:
    assert check_picture(picture((9, 7), "JPEG", mode)) == ("JPEG", 9, 7)


def test_a_phone_s_jpeg_with_a_second_picture_is_a_jpeg() -> None:
    """Pillow calls it MPO; the file's ending is jpg all the same."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48))])
    assert check_picture(out.getvalue()) == ("JPEG", 64, 48)


def _png(width: int, height: int) -> bytes:
    """A PNG that says it is huge and holds nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(7072, 7072), (50_000_001, 1), (20_000, 20_000), (60_000, 60_000)])
def test_more_than_fifty_million_pixels_are_refused_before_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match="more than 50 million pixels") as refused:
        check_picture(_png(*size))
    assert "1600 pixels" in str(refused.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_file_that_was_cut_off_is_broken(kind: str) -> None:
    data = picture((400, 300), kind)
    with pytest.raises(ImageError, match="broken or cut off"):
        check_picture(data[: len(data) // 2])


def test_a_large_jpeg_that_was_cut_off_is_noticed_without_decoding_it_whole() -> None:
    out = io.BytesIO()
    Image.new("RGB", (6000, 4000), "red").save(out, "JPEG")
    assert check_picture(out.getvalue()) == ("JPEG", 6000, 4000)
    with pytest.raises(ImageError, match="broken or cut off"):
        check_picture(out.getvalue()[:-2000])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<html>", "a web page"),
        (b"%PDF-1.4", "a PDF"),
        (b"BM" + b"\0" * 60, "not a JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf <?xml version='1.0'?>\n<!-- x --> <svg/>", "SVG"),
        (b"<?xml version='1.0'?><!DOCTYPE svg PUBLIC ''>", "SVG"),
    ],
)
def test_what_mail_cannot_show_is_refused_with_a_fix(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words) as refused:
        check_picture(data)
    assert refused.value.fix


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200), st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]), st.integers(0, 400))
def test_damaged_bytes_are_a_picture_or_an_image_error(noise: bytes, kind: str, place: int) -> None:
    data = picture((16, 16), kind)
    try:
        name, width, height = check_picture(data[:place] + noise + data[place + len(noise) :])
    except ImageError:
        return
    assert name in SUFFIXES
    assert width * height > 0


def test_an_original_is_kept_once_under_its_hash(ws: Workspace) -> None:
    data = picture()
    digest = keep_original(ws, data)
    assert digest == sha256_hex(data)
    place = ws.originals / digest
    assert place.read_bytes() == data
    before = place.stat().st_mtime_ns
    assert keep_original(ws, data) == digest
    assert place.stat().st_mtime_ns == before
    place.write_bytes(data[:10])
    keep_original(ws, data)
    assert place.read_bytes() == data


def test_a_fetched_picture_is_checked_and_kept(ws: Workspace, config: Callable[..., Any]) -> None:
    """A wrong content type does not matter; a wrong status, and what is no picture, do."""
    answers = {"body": picture(), "status": 200}
    policies: list[Policy] = []

    def get(url: str, policy: Policy, *, accept: str) -> Fetched:
        policies.append(policy)
        assert "image/" in accept
        return Fetched(url, answers["status"], "text/plain", answers["body"], {})

    settings = config(allow_hosts=["cms.intern"])
    digest = fetch_picture(ws, settings, "https://x.org/p.jpg", get=get)
    assert (ws.originals / digest).is_file()
    assert policies[0].allow_hosts == ("cms.intern",)
    answers["status"] = 404
    with pytest.raises(RemoteError, match="answered 404"):
        fetch_picture(ws, settings, "https://x.org/p.jpg?token=secret", get=get)
    answers.update(status=200, body=b"<html>")
    with pytest.raises(ImageError):
        fetch_picture(ws, settings, "https://x.org/p.jpg", get=get)
