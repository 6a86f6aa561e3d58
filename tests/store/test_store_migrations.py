"""Migrations make exactly the tables of tables.py, and an upgrade never loses data."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from newsletter.errors import BadData, Busy, CannotWrite, ConfigurationError
from newsletter.store import engine as engine_module
from newsletter.store import migrate
from newsletter.store.engine import HEAD, open_store, revision_of
from newsletter.store.search import SEARCH
from newsletter.store.tables import metadata

SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "test2", "{head}", None, None


def upgrade() -> None:
    with op.batch_alter_table("subscriber") as batch:
        batch.add_column(sa.Column("nickname", sa.Text(), nullable=True))
        batch.alter_column("address", nullable=True)
    {more}
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "newsletter.db"


def statements(database: Path) -> dict[str, list[str]]:
    """Every table and index by name: its columns in order, then its constraints, whose order means nothing."""
    with closing(sqlite3.connect(database)) as raw:
        rows = raw.execute("select name, sql from sqlite_master where sql is not null and name not like 'alembic%'")
        shapes = {}
        for name, sql in rows:
            # A table that took another's place is written with its name in quotes.
            sql = " ".join(sql.split()).removesuffix(" )").replace(f'"{name}"', name)
            columns, *constraints = sql.split(", CONSTRAINT ")
            shapes[name] = [columns, *sorted(constraints)]
        return shapes


def not_of_the_index(name: str | None, kind: str, _parents: object) -> bool:
    """The full-text index is no table that Alembic knows; its statements are compared with the others."""
    return not (kind == "table" and (name or "").startswith(SEARCH))


def test_the_migrations_make_what_tables_py_says(database: Path, tmp_path: Path) -> None:
    """Same statements, so same names, checks, partial indexes and all; and Alembic finds no difference."""
    options = {"compare_type": True, "compare_server_default": True, "include_name": not_of_the_index}
    with open_store(database) as store, store.read() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    direct = create_engine(f"sqlite:///{tmp_path / 'direct.db'}")
    metadata.create_all(direct)
    direct.dispose()
    assert statements(database) == statements(tmp_path / "direct.db")


def test_head_is_the_newest_migration() -> None:
    """The constant spares every start an import of Alembic; it must not lie."""
    assert migrate.script_directory().get_heads() == [HEAD]


def older(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str = "") -> None:
    """A filled database of today, and then a code that knows one more migration."""
    with open_store(database) as store, store.write() as connection:
        connection.exec_driver_sql(
            "insert into subscriber values (1, 'p', 'a@example.org', 'a@example.org', 'subscribed', '{}', 0, 0)"
        )
        connection.exec_driver_sql("insert into consent values (1, 1, 'imported', 'b', 's', 0)")
    versions = tmp_path / "versions"
    shutil.copytree(migrate.VERSIONS, versions)
    (versions / "test2.py").write_text(SECOND.format(head=HEAD, more=more))
    monkeypatch.setattr(migrate, "VERSIONS", versions)
    monkeypatch.setattr(engine_module, "HEAD", "test2")


def test_an_older_database_is_copied_and_then_upgraded(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is whole, private and of the old revision; rows that others point to survive the table's rebuild."""
    older(database, tmp_path, monkeypatch)
    with open_store(database) as store, store.read() as connection:
        assert connection.exec_driver_sql("select address, nickname from subscriber").all() == [("a@example.org", None)]
        assert connection.exec_driver_sql("select subscriber_id from consent").all() == [(1,)]
    backup = tmp_path / "newsletter.db.before-test2"
    assert revision_of(backup) == HEAD
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with closing(sqlite3.connect(backup)) as raw:
        assert raw.execute("select address from subscriber").fetchall() == [("a@example.org",)]
    assert not list(tmp_path.glob("*.tmp"))


def test_an_upgrade_that_fails_changes_nothing(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole upgrade is one transaction, also its DDL."""
    older(database, tmp_path, monkeypatch, more='op.execute("insert into meta values (1)")')
    before = statements(database)
    with pytest.raises(Exception, match="meta"):
        open_store(database)
    assert statements(database) == before
    assert revision_of(database) == HEAD


def test_an_upgrade_that_leaves_rows_without_their_parent_is_refused(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Foreign keys are off while tables are rebuilt, so they are checked before the commit."""
    older(database, tmp_path, monkeypatch, more='op.execute("delete from subscriber")')
    with pytest.raises(BadData, match="consent"):
        open_store(database)
    assert revision_of(database) == HEAD


def test_a_database_from_the_future_is_refused_with_the_way_out(database: Path) -> None:
    """Older code must not touch what it does not understand."""
    with open_store(database) as store, store.write() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(ConfigurationError) as caught:
        open_store(database)
    assert "9999" in caught.value.what
    assert "newsletter.db.before-9999" in (caught.value.fix or "")


def test_somebody_elses_database_is_refused(database: Path) -> None:
    """A SQLite file with other tables is not filled up with ours."""
    with closing(sqlite3.connect(database)) as raw:
        raw.execute("create table recipes (id integer)")
    with pytest.raises(BadData, match="recipes"):
        open_store(database)


def test_an_empty_file_becomes_the_database(database: Path) -> None:
    """What a kill between making the file and filling it leaves behind is no obstacle."""
    database.touch()
    open_store(database).close()
    assert revision_of(database) == HEAD


def test_the_second_of_two_openers_finds_the_work_done(database: Path) -> None:
    """It looks again once it has the lock."""
    open_store(database).close()
    migrate.bring_up_to_date(database, HEAD)
    assert not list(database.parent.glob("*.before-*"))


def test_waiting_for_another_upgrade_ends_in_busy(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs while it upgrades does not hang everybody else for ever."""
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.05)
    with migrate._lock(tmp := database.with_name("newsletter.db.lock")), pytest.raises(Busy) as caught:
        open_store(database)
    assert caught.value.where == str(tmp)


def test_a_backup_that_cannot_be_written_stops_the_upgrade(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No copy, no upgrade."""
    older(database, tmp_path, monkeypatch)
    (tmp_path / "newsletter.db.before-test2").mkdir()
    with pytest.raises(CannotWrite):
        open_store(database)
    assert revision_of(database) == HEAD


def test_a_file_system_that_cannot_lock_is_cannot_write(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """flock answers ENOLCK on some network file systems; that is no lock that somebody holds."""

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(migrate.fcntl, "flock", refuse)
    with pytest.raises(CannotWrite, match="No locks"):
        open_store(database)
