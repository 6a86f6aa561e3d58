"""Writing the text part of an issue by hand: ``email.txt`` is made, confirmed and dropped under the issue's lock."""

from __future__ import annotations

from newsletter.errors import NotFound
from newsletter.issues.editing import conflict, locked
from newsletter.issues.folder import name_of
from newsletter.issues.textfile import BOM, MEMORY_FILE, bytes_of, text_from_bytes
from newsletter.models import TEXT_FILE
from newsletter.workspace.files import cannot_write, line_ends_as, sha256_hex, write_atomic
from newsletter.workspace.paths import Workspace


def save_text(
    ws: Workspace, slug: str, text: str | bytes, *, expected: str | None, memory: bytes | None = None
) -> str:
    """Write ``email.txt`` if it still is what was read; returns its new SHA-256.

    ``expected`` is the SHA-256 (hex) of the bytes that the edit began with, "" where there was no file; None takes
    whatever is there. A ``str`` gets the line ends and the byte order mark of the file that is there. ``memory`` is
    written into ``text.json``. Raises BadData for what is no text, Conflict, IllegalState when the issue is approved,
    CannotWrite; then nothing is written.
    """
    path = ws.issue_dir(slug) / TEXT_FILE
    with locked(ws, slug):
        there = _require(ws, slug, expected)
        data = text if isinstance(text, bytes) else _like(there, text)
        text_from_bytes(data, name_of(ws, path))
        # In this order: cut short, an own text that is right is called stale, and never the other way round.
        write_atomic(path, data)
        if memory is not None:
            write_atomic(path.with_name(MEMORY_FILE), memory)
    return sha256_hex(data)


def confirm_text(ws: Workspace, slug: str, memory: bytes, *, expected: str | None) -> None:
    """Remember that the own text is right for what is generated now; raises NotFound, Conflict, IllegalState."""
    with locked(ws, slug):
        if _require(ws, slug, expected) is None:
            raise missing(ws, slug)
        write_atomic(ws.issue_dir(slug) / MEMORY_FILE, memory)


def droppable_text(ws: Workspace, slug: str) -> str:
    """The SHA-256 (hex) of the own text that ``drop_text`` would take away; raises NotFound, IllegalState as that does."""
    with locked(ws, slug):
        there = bytes_of(ws.issue_dir(slug))
    if there is None:
        raise missing(ws, slug)
    return sha256_hex(there)


def drop_text(ws: Workspace, slug: str, *, expected: str | None) -> None:
    """Take the own text away: the text part is generated again. Raises NotFound, Conflict, IllegalState."""
    with locked(ws, slug):
        if _require(ws, slug, expected) is None:
            raise missing(ws, slug)
        for name in (TEXT_FILE, MEMORY_FILE):
            path = ws.issue_dir(slug) / name
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise cannot_write(path, error) from error


def missing(ws: Workspace, slug: str) -> NotFound:
    """What is said where an own text is needed and there is none."""
    where = name_of(ws, ws.issue_dir(slug) / TEXT_FILE)
    return NotFound(
        "the text part of this issue is generated", where=where, fix=f"newsletter issue text {slug} --write"
    )


def _require(ws: Workspace, slug: str, expected: str | None) -> bytes | None:
    """The bytes that are there; raises Conflict when they are not what was expected."""
    there = bytes_of(ws.issue_dir(slug))
    if expected is not None and expected != (sha256_hex(there) if there is not None else ""):
        raise conflict(ws, ws.issue_dir(slug) / TEXT_FILE)
    return there


def _like(there: bytes | None, text: str) -> bytes:
    before = (there or b"").decode("utf-8", "replace")
    mark = BOM if before.startswith(BOM) else ""
    return f"{mark}{line_ends_as(before, text)}".encode("utf-8", "surrogatepass")
