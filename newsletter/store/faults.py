"""What SQLite says when it fails, in the words of our error tree."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from newsletter.errors import BadData, Busy, CannotWrite, NewsletterError

_DISK = "make room on the disk, check that it is mounted for writing and that this account owns the folder; then again"


def translate(error: BaseException, database: Path) -> NewsletterError | None:
    """Our error for an error of sqlite3, bare or wrapped by SQLAlchemy; None when it is not about the file.

    A full or read-only disk and a file that cannot be opened are ``CannotWrite``, a lock held for longer than
    the busy timeout is ``Busy``, a damaged file is ``BadData``. Broken constraints and wrong SQL are not
    translated: they are for the caller. Codes: https://sqlite.org/rescode.html (the low byte is the primary one).
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    if not isinstance(cause, sqlite3.Error) or code is None:
        return None
    where = str(database)
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return CannotWrite("the disk is full; nothing of this step was kept", where=where, fix="make room, then again")
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM):
        return CannotWrite(f"cannot write the database: {cause}", where=where, fix=_DISK)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy("another process is writing to the database", where=where, fix="wait for it to end, then again")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return BadData(
            f"the database is damaged: {cause}",
            where=where,
            fix=f"move it away and put a backup in its place (an upgrade leaves {database.name}.before-…)",
        )
    return None
