"""Copying a story from the inbox into an issue folder: its text and its original picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.articles.schema import article_from_document
from newsletter.errors import BadData
from newsletter.issues.folder import IMAGES, name_of
from newsletter.workspace.files import write_atomic
from newsletter.workspace.frontmatter import Document, read_bytes
from newsletter.workspace.paths import Workspace

if TYPE_CHECKING:
    from newsletter.issues.editing import Picked

# The first bytes of the formats that a picture may have; a web server's word for it is not to be trusted.
_FORMATS = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
)


def extension_of(data: bytes) -> str | None:
    """The extension that the bytes of a picture call for, or None when they are no picture that we know."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "avif"
    return next((extension for start, extension in _FORMATS if data.startswith(start)), None)


@dataclass(frozen=True, slots=True)
class Copy:
    """What is to be written into the issue's folder: nothing is, before every story of a pick has been looked at."""

    files: tuple[tuple[Path, bytes], ...]
    notes: tuple[str, ...]

    def write(self) -> None:
        """Write the files, each whole or not at all; raises ``CannotWrite``."""
        for path, data in self.files:
            write_atomic(path, data)


def prepare_copy(ws: Workspace, issue: str, item: Picked, *, folder: Path | None = None) -> Copy:
    """The files of a story: its picture, and its text with ``image.file`` set; ``folder`` is an issue's being made.

    A story file that is there already is an editor's: it stays as it is, and so does its picture. Raises
    ``BadData`` for a text that is no article and for a picture that is gone.
    """
    named = ws.issue_dir(issue)
    folder = folder or named
    path = folder / f"{item.slug}.md"
    name = name_of(ws, named / path.name)
    if path.exists():
        same = read_bytes(path) == item.text.encode("utf-8")
        return Copy((), () if same else (f"{name} was in the folder already and is used as it is",))
    doc = Document.parse(item.text, name)
    article_from_document(doc, item.slug, path)
    files: list[tuple[Path, bytes]] = []
    if item.original is not None:
        data = read_bytes(item.original)
        wanted = item.image_name or f"{item.slug}.{extension_of(data) or 'img'}"
        picture = free_name(folder / IMAGES, wanted, data)
        files.append((folder / IMAGES / picture, data))
        doc = naming_picture(doc, picture)
    return Copy((*files, (path, doc.text.encode("utf-8"))), ())


def put_picture(ws: Workspace, issue: str, slug: str, original: Path) -> str:
    """Copy a picture into an issue's ``images`` for a story that is in it; returns its name there."""
    data = read_bytes(original)
    images = ws.issue_dir(issue) / IMAGES
    name = free_name(images, f"{slug}.{extension_of(data) or 'img'}", data)
    write_atomic(images / name, data)
    return name


def naming_picture(doc: Document, file: str) -> Document:
    """The story with ``image.file`` set, also where the picture stood as one word."""
    if isinstance(doc.get("image"), str):
        return doc.set(("image",), {"file": file, "url": doc.get("image")})
    return doc.set(("image", "file"), file)


def free_name(images: Path, wanted: str, data: bytes) -> str:
    """``wanted``, or that name with a number, which no other picture in the folder has. Raises ``BadData``."""
    if wanted.startswith(".") or {"/", "\\", "\0"} & set(wanted):
        raise BadData(f"{wanted!r} is not the plain name of a picture", fix="name it without folders")
    stem, dot, extension = wanted.partition(".")
    name, number = wanted, 1
    while (images / name).exists() and read_bytes(images / name) != data:
        number += 1
        name = f"{stem}-{number}{dot}{extension}"
    return name
