"""A look at a database that changes nothing: no upgrade, no repair, no file that was not there."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from newsletter.store.engine import HEAD, faults_of, revision_of

_NEWEST = """
    SELECT max(at) FROM (
        SELECT max(at) AS at FROM audit
        UNION ALL SELECT max(at) FROM test_send
        UNION ALL SELECT max(started_at) FROM attempt
        UNION ALL SELECT max(ended_at) FROM attempt
        UNION ALL SELECT max(max(created_at, coalesce(heartbeat, 0), coalesce(finished_at, 0))) FROM mailing
    )
"""
_WAITING = """
    SELECT issue, state, send_at, heartbeat FROM mailing
    WHERE state IN ('scheduled', 'planning', 'sending') ORDER BY send_at
"""
_UNINDEXED = "SELECT (SELECT count(*) FROM article) - (SELECT count(*) FROM article_search_docsize)"
_STEPS = 20_000
"""SQLite's virtual machine looks at the clock after so many instructions."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mailing that `run-due` has to do with: scheduled, planning or sending. Times are UTC microseconds."""

    issue: str
    state: str
    send_at: int
    heartbeat: int | None


@dataclass(frozen=True, slots=True)
class Health:
    """What the look found. ``size`` is in bytes, the WAL's included; ``newest`` is the time of the newest event.

    ``damage`` are the first complaints of SQLite's own check; ``checked`` is False when it did not end in time.
    ``subscribers``, ``newest``, ``waiting`` and ``stories`` of the inbox, with how many of them the full-text index
    lacks (``unindexed``; negative: it knows strangers), are only looked for in a database of this version.
    """

    revision: str | None
    journal: str
    size: int
    damage: tuple[str, ...] = ()
    checked: bool = True
    subscribers: int = 0
    newest: int | None = None
    waiting: tuple[Waiting, ...] = ()
    stories: int = 0
    unindexed: int = 0

    @property
    def current(self) -> bool:
        """Whether the tables are those that this version works with."""
        return self.revision == HEAD


def examine(database: Path, *, seconds: float) -> Health:
    """Look into a database for at most about ``seconds``. Raises ``CannotWrite``, ``Busy``, ``BadData`` (damaged)."""
    with faults_of(database):
        revision = revision_of(database)
        with contextlib.closing(_open(database)) as raw:
            journal = str(raw.execute("PRAGMA journal_mode").fetchone()[0])
            damage, checked = _check(raw, seconds)
            if revision != HEAD:
                return Health(revision, journal, _size(database), damage, checked)
            return Health(
                revision=revision,
                journal=journal,
                size=_size(database),
                damage=damage,
                checked=checked,
                subscribers=int(raw.execute("SELECT count(*) FROM subscriber").fetchone()[0]),
                newest=raw.execute(_NEWEST).fetchone()[0],
                waiting=tuple(Waiting(*row) for row in raw.execute(_WAITING)),
                stories=int(raw.execute("SELECT count(*) FROM article").fetchone()[0]),
                unindexed=int(raw.execute(_UNINDEXED).fetchone()[0]),
            )


def _open(database: Path) -> sqlite3.Connection:
    # Never made, if it is not there; quoted, because ? and # mean something in a URI. A read-only connection would
    # leave the WAL's files behind.
    raw = sqlite3.connect(f"file:{quote(str(database))}?mode=rw", uri=True, timeout=1.0)
    raw.execute("PRAGMA query_only = ON")
    return raw


def _check(raw: sqlite3.Connection, seconds: float) -> tuple[tuple[str, ...], bool]:
    end = time.monotonic() + seconds
    raw.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
    try:
        said = [str(row[0]) for row in raw.execute("PRAGMA quick_check(5)")]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return (), False
    finally:
        raw.set_progress_handler(None, 0)
    return tuple(line for line in said if line != "ok"), True


def _size(database: Path) -> int:
    size = 0
    for suffix in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            size += database.with_name(database.name + suffix).stat().st_size
    return size
