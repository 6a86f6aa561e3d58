"""The database opens, migrates and fails as the design says."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from newsletter.errors import BadData, Busy, CannotWrite
from newsletter.store import engine as engine_module
from newsletter.store.engine import Store, open_store, revision_of
from newsletter.store.tables import meta, subscriber


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state" / "newsletter.db"


def put(store: Store, key: str, value: str = "") -> None:
    with store.write() as connection:
        connection.execute(insert(meta).values(key=key, value=value))


def keys(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(meta.c.key).order_by(meta.c.key)).scalars())


def test_a_write_block_commits_on_a_clean_exit_and_takes_all_back_on_an_exception(database: Path) -> None:
    """Nothing is half-written."""
    with open_store(database) as store:
        put(store, "kept")
        with pytest.raises(KeyboardInterrupt), store.write() as connection:
            connection.execute(insert(meta).values(key="lost", value=""))
            raise KeyboardInterrupt
        assert keys(store) == ["kept"]
    with open_store(database) as again:
        assert keys(again) == ["kept"]


def test_each_connection_is_wal_fully_synchronous_patient_and_checks_foreign_keys(database: Path) -> None:
    """A commit survives a power cut, and two processes wait for one another."""
    with open_store(database) as store, store.read() as one, store.read() as two:
        for connection in (one, two):
            pragmas = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
            ]
            assert pragmas == ["wal", 2, 5000, 1]


def test_read_is_one_snapshot_while_another_connection_commits(database: Path) -> None:
    """A long listing does not see half of somebody's change, and does not hold the writer up."""
    with open_store(database) as store, store.read() as connection:
        count = select(func.count()).select_from(meta)
        assert connection.execute(count).scalar() == 0
        put(store, "new")
        assert connection.execute(count).scalar() == 0
        assert keys(store) == ["new"]


def test_a_statement_that_writes_is_refused_in_a_read_block(database: Path) -> None:
    """It would be rolled back in silence otherwise; the connection writes again afterwards."""
    with open_store(database) as store:
        with pytest.raises(CannotWrite), store.read() as connection:
            connection.execute(insert(meta).values(key="lost", value=""))
        put(store, "kept")
        assert keys(store) == ["kept"]


def test_write_takes_the_lock_at_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writers that read first can never both go on: the second waits at the door, then says Busy."""
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_MS", 50)
    with open_store(database) as store, open_store(database) as other, store.write() as connection:
        connection.execute(select(meta)).all()
        with pytest.raises(Busy) as caught, other.write():
            raise AssertionError("two writers at once")
        assert "newsletter.db" in str(caught.value)
        assert caught.value.fix


def test_threads_write_each_with_its_own_connection(database: Path) -> None:
    """No update is lost and no error is raised when four threads add at once."""
    with open_store(database) as store:
        put(store, "n", "0")
        failures: list[BaseException] = []

        def add() -> None:
            try:
                for _ in range(25):
                    with store.write() as connection:
                        n = int(connection.execute(select(meta.c.value)).scalar_one())
                        connection.execute(meta.update().values(value=str(n + 1)))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        with store.read() as connection:
            assert connection.execute(select(meta.c.value)).scalar_one() == "100"


def test_only_this_account_may_read_the_database(database: Path) -> None:
    """Addresses are personal data: 0600 files in a 0700 folder, whatever the umask."""
    before = os.umask(0)
    try:
        with open_store(database) as store:
            put(store, "x")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()}
    finally:
        os.umask(before)
    assert set(modes) >= {"newsletter.db", "newsletter.db-wal", "newsletter.db-shm"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700


def _open_and_add(database: str, name: str, barrier: multiprocessing.synchronize.Barrier) -> None:  # type: ignore[name-defined]  # the submodule is not in the stubs' __all__
    barrier.wait()
    with open_store(Path(database)) as store:
        put(store, name)


def test_processes_that_open_a_fresh_database_at_once_all_succeed(database: Path) -> None:
    """cron and an editor may both be first."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    workers = [context.Process(target=_open_and_add, args=(str(database), f"p{n}", barrier)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with open_store(database) as store:
        assert keys(store) == ["p0", "p1", "p2"]


def test_opening_an_up_to_date_database_does_not_import_alembic(database: Path) -> None:
    """Every command opens the database; only the first one pays for migrations."""
    open_store(database).close()
    code = (
        "import sys; from pathlib import Path; from newsletter.store.engine import open_store\n"
        f"open_store(Path({str(database)!r})).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_full_disk_is_cannot_write_and_nothing_is_kept(database: Path) -> None:
    """SQLITE_FULL, provoked with SQLite's own page limit."""
    with open_store(database) as store:
        put(store, "kept")
        with pytest.raises(CannotWrite) as caught, store.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
            for n in range(1000):
                connection.execute(insert(meta).values(key=f"big{n}", value="x" * 4000))
        assert "full" in caught.value.what
        assert keys(store) == ["kept"]


_FILL = """
import resource, sys
from pathlib import Path
from newsletter.errors import CannotWrite
from newsletter.store.engine import open_store
from newsletter.store.tables import meta
store = open_store(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
try:
    with store.write() as connection:
        for n in range(1000):
            connection.execute(meta.insert().values(key=f"k{n}", value="x" * 4000))
except CannotWrite as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_a_file_that_the_system_will_not_let_grow_is_cannot_write(database: Path) -> None:
    """A real refusal by the kernel in the middle of a transaction; the database is whole afterwards."""
    open_store(database).close()
    done = subprocess.run([sys.executable, "-c", _FILL, str(database)], capture_output=True, text=True)
    assert done.returncode == 73, done.stderr
    assert "Fix:" in done.stdout
    with open_store(database) as store:
        assert keys(store) == []
        with store.read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_a_folder_that_cannot_be_made_is_cannot_write(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(CannotWrite) as caught:
        open_store(tmp_path / "state" / "newsletter.db")
    assert caught.value.fix


def test_a_folder_in_the_place_of_the_database_is_cannot_write(tmp_path: Path) -> None:
    """SQLite cannot open it."""
    (tmp_path / "newsletter.db").mkdir()
    with pytest.raises(CannotWrite):
        open_store(tmp_path / "newsletter.db")


def test_a_file_that_is_no_database_is_bad_data_with_a_fix(database: Path) -> None:
    """Somebody saved something else under the name."""
    database.parent.mkdir()
    database.write_bytes(b"Dear diary, " * 500)
    with pytest.raises(BadData) as caught:
        open_store(database)
    assert "backup" in (caught.value.fix or "")
    assert database.read_bytes().startswith(b"Dear diary")


def test_a_damaged_database_is_bad_data(database: Path) -> None:
    """Pages overwritten in the middle of the file."""
    with open_store(database) as store:
        put(store, "x", "y" * 50_000)
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(BadData), open_store(database) as store:
        keys(store)


def test_a_locked_database_is_busy_when_it_is_opened(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program holds the whole file, as a backup tool may."""
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_MS", 50)
    database.parent.mkdir()
    with sqlite3.connect(database, isolation_level=None) as raw:
        raw.execute("create table alembic_version (version_num text)")
        raw.execute("begin exclusive")
        with pytest.raises(Busy):
            open_store(database)


def test_a_broken_constraint_is_left_to_the_caller(database: Path) -> None:
    """It says nothing about the disk; callers decide what a duplicate means. So is a mistake in using the driver."""
    with open_store(database) as store:
        with pytest.raises(sqlite3.ProgrammingError), store.read():
            raise sqlite3.ProgrammingError("ours")
        put(store, "x")
        with pytest.raises(IntegrityError):
            put(store, "x")
        with pytest.raises(IntegrityError), store.write() as connection:
            connection.execute(text("insert into consent values (1, 99, 'imported', '', '', 0)"))
        assert keys(store) == ["x"]


def test_opening_is_fast(database: Path) -> None:
    """Making it takes well under a second, opening it again milliseconds (the bound is for slow machines)."""
    open_store(database).close()
    start = time.perf_counter()
    with open_store(database) as store, store.read() as connection:
        connection.execute(select(subscriber.c.id)).all()
    assert time.perf_counter() - start < 0.5
    assert revision_of(database) == engine_module.HEAD


def test_a_path_with_odd_characters_works(tmp_path: Path) -> None:
    """Blanks, per cent signs, question marks and accents are only characters."""
    with open_store(tmp_path / "a %d é?b#c" / "newsletter.db") as store:
        put(store, "x")
        assert keys(store) == ["x"]
        assert store.url.startswith("sqlite:///")


def test_a_database_that_is_moved_away_or_replaced_is_not_written_into(tmp_path: Path) -> None:
    """Its open file has no name any more: an unsubscription or a ledger would be written where nobody looks."""
    path = tmp_path / "newsletter.db"
    with open_store(path) as store:
        with store.write() as conn:
            conn.exec_driver_sql("insert into meta (key, value) values ('a', '1')")
        path.rename(tmp_path / "elsewhere.db")
        for _ in range(2):
            with pytest.raises(BadData, match="moved away or replaced"), store.write():
                pass
            path.write_bytes((tmp_path / "elsewhere.db").read_bytes())
        path.unlink()
        (tmp_path / "elsewhere.db").rename(path)
        with store.write() as conn:
            conn.exec_driver_sql("insert into meta (key, value) values ('b', '1')")
