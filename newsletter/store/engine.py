"""Opening the database, and the only two ways to use it: ``read`` and ``write``."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from newsletter.errors import BadData
from newsletter.store.faults import translate

HEAD = "0008"
"""The revision that this code is written for. A test holds it equal to the newest file in ``migrations/versions``."""

BUSY_TIMEOUT_MS = 5_000
CACHE_KIB = 8_192
"""Pages in memory per connection: four times SQLite's default, because random ids touch an index all over."""

_MODE = "newsletter_mode"


class Store:
    """An open database. Use it from as many threads as you like: each block gets a connection of its own."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.url = f"sqlite:///{database}"
        self.engine = make_engine(database)
        self._file = _identity(database)

    def _check_in_place(self) -> None:
        """An open file stays open when another takes its name: what is written into it now is seen by nobody."""
        if self._file is not None and _identity(self.database) != self._file:
            raise BadData(
                "the database was moved away or replaced while this was working with it",
                where=str(self.database),
                fix="end every newsletter process before a database is put in its place, then newsletter status",
            )

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot, from the first statement on; it neither waits for a writer nor holds one up.

        A statement that writes is refused, for it would be lost. Raises ``Busy``, ``BadData``, ``CannotWrite``.
        """
        with faults_of(self.database), self.engine.connect() as connection:
            # Leaving the connection rolls back.
            yield connection.execution_options(**{_MODE: "read"})

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: the write lock is taken at once, a clean exit commits durably, an exception takes all back.

        Raises ``Busy`` when another writer keeps the lock for more than ``BUSY_TIMEOUT_MS``, ``BadData`` when the
        file is not at its place any more, else as ``read``.
        """
        self._check_in_place()
        with faults_of(self.database), self.engine.connect() as connection:
            connection.execution_options(**{_MODE: "write"})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close every connection; the store is not used afterwards."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_store(database: Path) -> Store:
    """Open the database, and make it or bring it up to date when it is not.

    An older database is first copied to ``<name>.before-<revision>``. Raises ``CannotWrite``, ``Busy``,
    ``BadData`` (damaged, or not ours) and ``ConfigurationError`` (written by a newer version).
    """
    with faults_of(database):
        if revision_of(database) != HEAD:
            # Alembic costs more to import than everything else here, and nearly every start finds nothing to do.
            from newsletter.store.migrate import bring_up_to_date

            bring_up_to_date(database, HEAD)
    return Store(database)


def revision_of(database: Path) -> str | None:
    """The Alembic revision that is stored in a database; None when there is no file, or none is stored in it."""
    if not database.is_file():
        return None
    with contextlib.closing(sqlite3.connect(database, timeout=BUSY_TIMEOUT_MS / 1000)) as raw:
        try:
            row = raw.execute("select version_num from alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return None
    return None if row is None else str(row[0])


def _identity(database: Path) -> tuple[int, int] | None:
    try:
        found = database.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def make_engine(database: Path, *, foreign_keys: bool = True) -> Engine:
    """An engine whose connections are WAL, fully synchronous, and begin transactions when and as we say."""
    engine = create_engine(
        URL.create("sqlite", database=str(database)),
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False, "isolation_level": None},
        pool_size=8,
        max_overflow=-1,
    )

    @event.listens_for(engine, "connect")
    def _configure(raw: Any, _record: Any) -> None:
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        # Each commit survives a power cut: a row must be `submitting` on the disk before its first byte leaves.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # The driver would begin by itself, only before a write and never IMMEDIATE: two writers could then
        # both read first and fail at the commit.
        mode = connection.get_execution_options().get(_MODE)
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if mode == 'read' else 'OFF'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if mode == "write" else "BEGIN")

    return engine


@contextlib.contextmanager
def faults_of(database: Path) -> Iterator[None]:
    """Turn what SQLite says about this file into our errors; see ``faults.translate``."""
    try:
        yield
    except (sqlite3.Error, DBAPIError) as error:
        ours = translate(error, database)
        if ours is None:
            raise
        raise ours from error
