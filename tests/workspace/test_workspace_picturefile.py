"""A file that is no picture is called what it is; a picture without its end is never shown half grey."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFilter

from newsletter.articles.originals import check_picture
from newsletter.errors import ImageError
from newsletter.rendering.pictures import make_derivative
from newsletter.rendering.recipes import LEAD, LIST
from newsletter.workspace.picturefile import is_cut_off, not_a_picture


def photo(mode: str = "RGB") -> Image.Image:
    """Texture down to the last row, bright enough not to be taken for the grey of missing data."""
    image = Image.linear_gradient("L").resize((640, 400)).point(lambda value: 150 + value // 4)
    pen = ImageDraw.Draw(image)
    for at in range(0, 640, 7):
        pen.line((at, 0, 640 - at, 400), fill=160 + at % 90, width=2)
    return image.filter(ImageFilter.GaussianBlur(1)).convert(mode)


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


JPEGS = {
    "baseline": saved(photo()),
    "colours at half size": saved(photo(), subsampling="4:2:0", quality=60),
    "restart marks": saved(photo(), restart_marker_rows=2),
    "progressive": saved(photo(), progressive=True),
    "grey": saved(photo("L")),
    "grey, progressive": saved(photo("L"), progressive=True),
    "inks": saved(photo("CMYK")),
    "with a thumbnail before it": saved(photo(), exif=b"Exif\0\0II*\0" + saved(photo("L").resize((64, 40)))),
}


def verdicts(data: bytes, folder: Path) -> list[str | None]:
    """What intake and rendering say of a file, which is None for one that they take."""
    path = folder / "harbour.jpg"
    path.write_bytes(data)
    found: list[str | None] = []
    for judge in (
        lambda: check_picture(data),
        lambda: make_derivative(path, LEAD, folder / "a", focal=None, where="story x, image harbour.jpg"),
        lambda: make_derivative(path, LIST, folder / "a", focal=None, where="story x, image harbour.jpg"),
    ):
        try:
            judge()
            found.append(None)
        except ImageError as refused:
            assert refused.fix and (refused.where in (None, "story x, image harbour.jpg"))
            found.append(refused.what)
    return found


def cut_at(data: bytes, share: float) -> bytes:
    """The beginning of the picture's data; never half a marker, which would swallow what is appended."""
    start = data.rfind(b"\xff\xda") if b"\xff\xc2" not in data else data.find(b"\xff\xda")
    return data[: start + int((len(data) - start) * share)].rstrip(b"\xff")


@pytest.mark.parametrize("kind", JPEGS)
def test_a_whole_jpeg_is_whole(tmp_path: Path, kind: str) -> None:
    """Also with something behind it, as servers and cameras append."""
    for data in (JPEGS[kind], JPEGS[kind] + bytes(5000), JPEGS[kind] + b"<!-- cached -->"):
        assert verdicts(data, tmp_path) == [None] * 3


@pytest.mark.parametrize("share", [0.1, 0.4, 0.9])
@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize(
    "tail", [b"", b"\xff\xd9", bytes(20_000), b"<html>504 Gateway Time-out</html>", bytes(9) + b"\xff\xd9"]
)
def test_a_jpeg_without_its_lower_part_is_refused(tmp_path: Path, kind: str, share: float, tail: bytes) -> None:
    """However it ends: a decoder that finds an end mark fills up with grey and says nothing.

    Of a progressive JPEG the last tenth is finest detail; nothing is missing to the eye.
    """
    if share > 0.5 and "progressive" in kind and b"\xff\xd9" in tail:
        share = 0.4
    assert all(said and "cut off" in said for said in verdicts(cut_at(JPEGS[kind], share) + tail, tmp_path))


def test_the_decoder_really_says_nothing() -> None:
    """The reason for looking ourselves; should it fail one day, the library has learnt it."""
    with Image.open(io.BytesIO(cut_at(JPEGS["baseline"], 0.5) + b"\xff\xd9")) as image:
        image.load()
        assert image.getpixel((639, 399)) == (128, 128, 128)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_picture_that_is_grey_at_its_end_is_whole(tmp_path: Path, options: dict[str, Any]) -> None:
    """Grey that was drawn is told from grey that is missing."""
    grey = photo()
    grey.paste((128, 128, 128), (0, 200, 640, 400))
    data = saved(grey, **options)
    assert verdicts(data, tmp_path) == [None] * 3
    upper = photo()
    upper.paste((128, 128, 128), (0, 0, 640, 200))
    assert verdicts(saved(upper, **options), tmp_path) == [None] * 3


def test_a_progressive_jpeg_with_fewer_scans_is_whole() -> None:
    """A tool that leaves out the finest scan on purpose loses nothing of the picture's area."""
    data = JPEGS["progressive"]
    last = data.rfind(b"\xff\xda")
    table = data.rfind(b"\xff\xc4", 0, last)
    shorter = data[: min(last, table if last - table < 300 else last)] + b"\xff\xd9"
    with Image.open(io.BytesIO(shorter)) as image:
        image.load()
        assert not is_cut_off(shorter, image)


def test_only_the_first_picture_of_a_phone_s_jpeg_has_to_be_whole(tmp_path: Path) -> None:
    """The second is for depth; the first is the one that is shown."""
    both = saved(photo(), "MPO", save_all=True, append_images=[photo()])
    assert verdicts(both[:-3000], tmp_path) == [None] * 3
    first = both.find(b"\xff\xd9")
    assert all(verdicts(both[: first // 2] + b"\xff\xd9" + both[first + 2 :], tmp_path))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_other_pictures_without_their_end_are_refused(tmp_path: Path, kind: str, share: float) -> None:
    """Cut off, or with a hole of zeros where a download stopped."""
    noisy = Image.effect_noise((640, 400), 90).convert("RGB")
    data = saved(noisy, kind, **({"lossless": True} if kind == "WEBP" else {}))
    start = data[: int(len(data) * share)]
    assert all(said and "cut off" in said for said in verdicts(start, tmp_path))
    assert all(said and "cut off" in said for said in verdicts(start + bytes(len(data) - len(start)), tmp_path))
    assert verdicts(data, tmp_path) == [None] * 3


@pytest.mark.parametrize(
    ("data", "words", "fix"),
    [
        (b"", "empty", "whole"),
        (b"<!doctype html>\n<html><body>Not found", "a web page, not a picture", "in a browser"),
        (b"\xef\xbb\xbf\n<!-- error 17 --><HTML lang=en>", "a web page", "in a browser"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG", "PNG"),
        (b"<?xml version='1.0'?><!DOCTYPE svg PUBLIC ''>", "SVG", "PNG"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF", "export"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", "JPEG"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "cut off", "whole"),
        (b"\xff\xd8\xff\xe0", "cut off", "whole"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "cut off", "whole"),
        (b"Access denied\n", "text, not a picture", "open it"),
        ("Zugriff verweigert für „hafen“".encode(), "text", "open it"),
    ],
)
def test_what_a_file_is_instead_of_a_picture(tmp_path: Path, data: bytes, words: str, fix: str) -> None:
    """A picture's name on a web page, a PDF or a telephone's HEIC: the message says which, and what to do."""
    named = not_a_picture(data)
    assert named is not None and words in named.what and fix in (named.fix or "")
    assert all(said and words in said for said in verdicts(data, tmp_path))


@pytest.mark.parametrize("data", [b"MZ\x90\0" + bytes(60), b"BMlooks like a bitmap", bytes(40), b"\x1f\x8b\x08\0"])
def test_what_the_bytes_do_not_tell_is_not_guessed(data: bytes) -> None:
    """Then the caller says in its own words what it takes."""
    assert not_a_picture(data) is None
