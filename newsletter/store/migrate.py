"""Making the database and bringing an older one up to date. Imported only when there is something to do."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from newsletter.errors import BadData, Busy, CannotWrite, ConfigurationError
from newsletter.store.engine import make_engine, revision_of

MIGRATIONS = Path(__file__).with_name("migrations")
VERSIONS = MIGRATIONS / "versions"
LOCK_SECONDS = 60.0


def bring_up_to_date(database: Path, head: str) -> None:
    """Make ``database`` or upgrade it to ``head``, all or nothing, while no other process does the same.

    Raises ``CannotWrite``, ``Busy``, ``BadData`` when the file is somebody else's, ``ConfigurationError`` when its
    revision is not known here. Errors of sqlite3 are left to the caller.
    """
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _lock(database.with_name(f"{database.name}.lock")):
            revision = revision_of(database)
            if revision == head:
                return
            if revision is None:
                _refuse_a_stranger(database)
                _make_private(database)
            else:
                _refuse_the_future(database, revision)
                _back_up(database, head)
            _upgrade(database, head)
    except OSError as error:
        raise CannotWrite(
            f"cannot make the database: {error.strerror}",
            where=str(error.filename or database),
            fix="check the disk, and that this account owns the folder",
        ) from error


def script_directory() -> ScriptDirectory:
    """The migrations as Alembic sees them."""
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    # ConfigParser reads % as the start of an interpolation.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(VERSIONS).replace("%", "%%"))
    return config


def _upgrade(database: Path, head: str) -> None:
    # Without foreign keys: SQLite alters a table by copying and dropping it (sqlite.org/lang_altertable.html).
    engine = make_engine(database, foreign_keys=False)
    try:
        with engine.connect() as connection, connection.begin():
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, head)
            broken = connection.execute(text("PRAGMA foreign_key_check")).first()
            if broken is not None:
                raise BadData(
                    f"the upgrade would leave rows of {broken[0]} without what they belong to; nothing was changed",
                    where=str(database),
                    fix="keep using the former version, and report this",
                )
    finally:
        engine.dispose()


def _refuse_a_stranger(database: Path) -> None:
    if not database.is_file():
        return
    with contextlib.closing(sqlite3.connect(database)) as raw:
        table = raw.execute("select name from sqlite_master where type = 'table'").fetchone()
    if table is not None:
        raise BadData(
            f"this is not a newsletter database (it has a table {table[0]!r} and no revision)",
            where=str(database),
            fix="move the file away; a new one is made",
        )


def _make_private(database: Path) -> None:
    """An empty file for this account only. SQLite gives its -wal and -shm files the same permissions."""
    os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database.chmod(0o600)


def _refuse_the_future(database: Path, revision: str) -> None:
    known = {script.revision for script in script_directory().walk_revisions()}
    if revision not in known:
        raise ConfigurationError(
            f"the database was written by a newer version of newsletter (revision {revision})",
            where=str(database),
            fix=f"install that version again, or put back the copy it made: {database.name}.before-{revision}",
        )


def _back_up(database: Path, head: str) -> None:
    backup = database.with_name(f"{database.name}.before-{head}")
    temporary = backup.with_name(f"{backup.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        # VACUUM INTO accepts an empty file, and keeps its permissions.
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as raw:
            raw.execute("VACUUM INTO ?", (str(temporary),))
        for path, flags in ((temporary, os.O_RDWR), (temporary.parent, os.O_RDONLY)):
            descriptor = os.open(path, flags)
            os.fsync(descriptor)
            os.close(descriptor)
            if path is temporary:
                temporary.rename(backup)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold ``path`` while the block runs. The store may not use the workspace's lock: it stands below it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            if time.monotonic() >= deadline:
                raise Busy(
                    "another process is making or upgrading the database",
                    where=str(path),
                    fix="wait for it to end, then again",
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)
