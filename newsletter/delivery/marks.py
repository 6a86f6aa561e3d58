"""How far each mailing has come, counted in the database and, after each commit, in a small file beside it.

``installation.json`` remembers how often sending began and ended. A backup that was taken in between and put back
after a crash is not older than that, and does not know who got mail since: its ledger would send to them again. So
each turn that lets mails out counts one up in its own transaction, and writes the number into
``.newsletter/marks/<mailing>`` before the first byte leaves. A database that has counted less than that was restored.

The number stands in two places: beside the database, and outside the workspace (``witness``), which a folder that is
put back as a whole does not reach. The files are written in place and not synced: they have to outlive the process, and
a machine that loses its power loses the last numbers, which makes them older than the database and says nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sqlalchemy import text as sql

from newsletter.delivery import witness
from newsletter.workspace.files import cannot_write, make_folder
from newsletter.workspace.paths import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection

_COUNT = sql(
    "INSERT INTO meta (key, value) VALUES (:key, '1')"
    " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING value"
)
_READ = sql("SELECT value FROM meta WHERE key = :key")


class Mark:
    """The mark of one mailing, for the process that sends it. Raises ``CannotWrite`` when there can be no file."""

    def __init__(self, ws: Workspace, mailing: str, installation: str) -> None:
        self._key = _key(mailing)
        self._counted = 0
        make_folder(ws.marks)
        inside = ws.marks / mailing
        try:
            self._files = {inside: _open(inside)}
        except OSError as error:
            raise cannot_write(inside, error) from error
        if outside := witness.marks(installation):
            with contextlib.suppress(OSError):
                self._files[outside / mailing] = _open(outside / mailing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            os.close(file)

    def count(self, conn: Connection) -> None:
        """Inside the transaction that lets mails out."""
        self._counted = int(conn.execute(_COUNT, {"key": self._key}).scalar_one())

    def remember(self) -> None:
        """After its commit and before their first byte."""
        # Without it a restored backup may go unnoticed; a mail that is not sent for it would help nobody.
        for file in self._files.values():
            with contextlib.suppress(OSError):
                os.pwrite(file, b"%020d\n" % self._counted, 0)

    def forget(self) -> None:
        """The mailing is over, and ``installation.json`` has counted since."""
        for path in self._files:
            path.unlink(missing_ok=True)


def written(ws: Workspace, installation: str) -> dict[str, int]:
    """What each mark says, by mailing; of a mailing's two the higher number. To be read before the database is."""
    found: dict[str, int] = {}
    for path in _all(ws, installation):
        # A mailing that ends just now takes its marks away.
        with contextlib.suppress(FileNotFoundError):
            found[path.name] = max(found.get(path.name, 0), _number(path.read_bytes()))
    return found


def behind(conn: Connection, marks: Mapping[str, int]) -> bool:
    """Whether the database has counted less than a mark: it was restored, and does not know who got mail since."""
    return any(_counted(conn, mailing) < number for mailing, number in marks.items())


def forget_all(ws: Workspace, installation: str) -> None:
    """An editor has said that this database is the one to go on with."""
    for path in _all(ws, installation):
        path.unlink(missing_ok=True)


def _all(ws: Workspace, installation: str) -> Iterator[Path]:
    outside = witness.folder(installation)
    for folder in (ws.marks, outside / "marks" if outside else None):
        if folder is not None and folder.is_dir():
            yield from sorted(folder.iterdir())


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _counted(conn: Connection, mailing: str) -> int:
    return int(conn.execute(_READ, {"key": _key(mailing)}).scalar_one_or_none() or 0)


def _number(content: bytes) -> int:
    text = content.strip()
    return int(text) if text.isdigit() else 0


def _key(mailing: str) -> str:
    return f"mark:{mailing}"
