"""Pictures that are broken, huge, mislabelled, or none at all."""

from __future__ import annotations

import io
import resource
import struct
import zlib
from pathlib import Path

import pytest
from badinput_kit import ISSUE, LEAD, Run, process, refused, tree
from PIL import Image

GULLS = "---\nheadline: The gulls are early\nimage: {{file: {}, alt: Gulls}}\n---\nThey came on Monday.\n"


def picture(kind: str, size: tuple[int, int] = (1300, 800)) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing: a decompression bomb's first bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


BROKEN = {
    "cut.jpg": (picture("JPEG")[:20_000], "broken"),
    "half.jpg": (picture("JPEG")[:20_000].rstrip(b"\xff") + b"\xff\xd9", "cut off: its lower part is missing"),
    "cut.png": (picture("PNG")[:50_000], "broken"),
    "page.jpg": (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "a web page, not a picture"),
    "bomb.png": (png_header(60_000, 60_000), "larger than 50 megapixels"),
    "large.png": (png_header(9_000, 6_000), "54 megapixels"),
    "words.jpg": (b"These are words, whatever the name says.", "not a picture"),
    "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg' width='9'/>", "not a picture"),
    "program.gif": (b"MZ" + bytes(300), "not a picture"),
    "empty.jpg": (b"", "not a picture"),
}


def with_picture(folder: Path, name: str, data: bytes | None) -> None:
    story = folder / f"{LEAD}.md"
    text = story.read_text(encoding="utf-8")
    image = f"image: {{file: {name}, alt: The harbour, credit: A. Reyes}}"
    story.write_text(text.replace("---\n", f"---\n{image}\n", 1), encoding="utf-8")
    (folder / "images").mkdir(exist_ok=True)
    if data is not None:
        (folder / "images" / name).write_bytes(data)


@pytest.mark.parametrize("name", BROKEN)
def test_a_picture_that_cannot_be_used_names_story_and_file(run: Run, folder: Path, name: str) -> None:
    """build, check and approve say which picture of which story it is; nothing is frozen, the file is not touched."""
    data, what = BROKEN[name]
    with_picture(folder, name, data)
    before = tree(folder)
    for command in ("build", "check", "approve"):
        refused(run(command, ISSUE, code=65), what, LEAD, name)
    assert tree(folder) == before


def test_a_bomb_is_refused_before_it_is_decoded(folder: Path) -> None:
    """In a process that may not take the memory it would need: 60,000 × 60,000 pixels are 10 GB."""
    with_picture(folder, "bomb.png", png_header(60_000, 60_000))
    small = (1 << 30, 1 << 30)
    answer = process(
        folder.parents[1], "build", ISSUE, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, small)
    )
    assert answer.code == 65
    refused(answer, "50 megapixels")


def test_a_missing_picture_and_one_outside_the_issue_are_named(run: Run, folder: Path) -> None:
    """A picture's name is a plain name in the issue's images folder, and the file has to be there."""
    with_picture(folder, "gone.jpg", None)
    refused(run("build", ISSUE, code=65), LEAD, "gone.jpg", "not there")
    story = folder / f"{LEAD}.md"
    story.write_text(story.read_text(encoding="utf-8").replace("gone.jpg", "../../../newsletter.toml"))
    refused(run("build", ISSUE, code=65), f"{LEAD}.md:2:", "not the plain name")


@pytest.mark.parametrize(("name", "kind"), [("harbour.jpg", "PNG"), ("harbour.png", "JPEG"), ("harbour.gif", "WEBP")])
def test_a_mislabelled_picture_is_taken_for_what_it_is(run: Run, folder: Path, name: str, kind: str) -> None:
    """The bytes count, not the ending: it is in the mail as a JPEG."""
    with_picture(folder, name, picture(kind))
    run("build", ISSUE)
    (file,) = (folder.parents[1] / ".newsletter" / "build" / ISSUE / "media").iterdir()
    assert file.suffix == ".jpg"
    assert file.read_bytes()[:3] == b"\xff\xd8\xff"


@pytest.mark.parametrize("name", BROKEN)
def test_a_story_comes_in_without_its_broken_picture_and_says_so(
    run: Run, folder: Path, tmp_path: Path, name: str
) -> None:
    """The words are not lost with the picture; the issue it is picked into builds."""
    (tmp_path / name).write_bytes(BROKEN[name][0])
    story = tmp_path / "gulls.md"
    story.write_text(
        f"---\nheadline: The gulls are early\nimage: {{file: {name}, alt: Gulls}}\n---\nThey came on Monday.\n"
    )
    added = run("article", "add", str(story), "--issue", ISSUE)
    assert "the picture was left out: " in added.err
    assert list((folder.parents[1] / ".newsletter" / "originals").iterdir()) == []
    assert not (folder / "images").exists() or list((folder / "images").iterdir()) == []
    run("build", ISSUE)


def test_a_mislabelled_picture_of_a_new_story_gets_the_ending_of_what_it_is(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    """A PNG called .jpg is kept as .png."""
    (tmp_path / "gulls.jpg").write_bytes(picture("PNG"))
    story = tmp_path / "gulls.md"
    story.write_text(
        "---\nheadline: The gulls are early\nimage: {file: gulls.jpg, alt: Gulls}\n---\nThey came on Monday.\n"
    )
    run("article", "add", str(story), "--issue", ISSUE)
    assert [file.name for file in (folder / "images").iterdir()] == ["the-gulls-are-early.png"]
    run("build", ISSUE)
