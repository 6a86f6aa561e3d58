"""Reading the text part that an editor wrote: ``email.txt``, and ``text.json`` beside it.

``email.txt`` is what is sent, line for line; without it the text part is generated. ``text.json`` remembers what the
generated text was when somebody last said that the own text is right: it is ours, and never sent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from newsletter.errors import BadData, NotFound
from newsletter.models import TEXT_FILE, TextPiece
from newsletter.workspace.frontmatter import MAX_BYTES, read_bytes

MEMORY_FILE = "text.json"
SCHEMA = "newsletter/text/1"
BOM = "\ufeff"


class _Piece(msgspec.Struct, frozen=True):
    article: str | None
    lines: list[str]


class _Memory(msgspec.Struct, frozen=True):
    schema: str
    of: list[_Piece]


def bytes_of(folder: Path, name: str = TEXT_FILE) -> bytes | None:
    """The bytes of ``email.txt``, or of ``text.json``, in an issue's folder; None where there is none."""
    try:
        return read_bytes(folder / name)
    except NotFound:
        return None


def load_text(folder: Path) -> tuple[str | None, tuple[TextPiece, ...] | None]:
    """The own text without byte order mark and with ``\\n`` at its line ends, and what it was confirmed for.

    Both are None where there is no ``email.txt``. Raises BadData with file, line and fix for what is no text.
    """
    data = bytes_of(folder)
    if data is None:
        return None, None
    return text_from_bytes(data, f"issues/{folder.name}/{TEXT_FILE}"), remembered(bytes_of(folder, MEMORY_FILE))


def text_from_bytes(data: bytes, file: str) -> str:
    """The words of ``email.txt``; raises BadData: it must be UTF-8 without NUL, of at most 256 KB."""
    if len(data) > MAX_BYTES:
        raise BadData("the text is larger than 256 KB", where=file, fix="shorten it")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadData("this is not UTF-8", where=f"{file}:{line}", fix="save the file as UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        fix = "save the file as UTF-8"
        raise BadData("a NUL character is not allowed: this is no text file", where=f"{file}:{line}", fix=fix)
    return text.removeprefix(BOM).replace("\r\n", "\n").replace("\r", "\n")


def remembered(data: bytes | None) -> tuple[TextPiece, ...] | None:
    """What ``text.json`` says; None where nobody has confirmed the text, or the file says nothing we know."""
    try:
        memory = msgspec.json.decode(data or b"", type=_Memory)
    except msgspec.MsgspecError:
        return None
    if memory.schema != SCHEMA:
        return None
    return tuple(TextPiece(piece.article, "\n".join(piece.lines)) for piece in memory.of)


def memory_of(pieces: Sequence[TextPiece]) -> bytes:
    """``text.json`` for these pieces: a line of text is a line of the file, for whoever compares two of them."""
    of = [{"article": piece.article, "lines": piece.text.strip("\n").split("\n")} for piece in pieces]
    return (json.dumps({"schema": SCHEMA, "of": of}, ensure_ascii=False, indent=1) + "\n").encode()
