"""A look at a database that changes nothing."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import insert

from newsletter.errors import BadData, CannotWrite
from newsletter.store.engine import HEAD, open_store
from newsletter.store.health import Waiting, examine
from newsletter.store.tables import attempt, audit, mailing, subscriber, test_send


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "odd # name?.db"
    open_store(path).close()
    return path


def add_readers(database: Path, count: int) -> None:
    rows = [
        {
            "public_id": f"{n:032x}", "address": f"r{n}@mail.test", "address_key": f"r{n}@mail.test",
            "status": "subscribed", "created_at": 1, "updated_at": 1,
        }
        for n in range(count)
    ]  # fmt: skip
    with open_store(database) as store, store.write() as conn:
        conn.execute(insert(subscriber), rows)


def add_mailing(database: Path, issue: str, state: str, **times: int) -> None:
    row = {
        "public_id": hashlib.md5(issue.encode()).hexdigest(), "issue": issue, "digest": "d", "state": state,
        "provider": "outbox", "send_at": 50, "local_time": "x", "zone": "UTC", "created_at": 10, **times,
    }  # fmt: skip
    with open_store(database) as store, store.write() as conn:
        conn.execute(insert(mailing).values(row))


def test_a_sound_database(database: Path) -> None:
    """Of this version, whole, in WAL, with its readers counted; nothing has happened yet."""
    add_readers(database, 3)
    health = examine(database, seconds=10)
    assert (health.revision, health.current, health.journal) == (HEAD, True, "wal")
    assert (health.damage, health.checked, health.subscribers, health.newest, health.waiting) == ((), True, 3, None, ())
    assert health.size >= database.stat().st_size


def test_looking_changes_nothing(database: Path) -> None:
    """Not a byte of the file, and no upgrade of an old one."""
    with sqlite3.connect(database) as raw:
        raw.execute("update alembic_version set version_num = '0000'")
        raw.commit()
        raw.execute("pragma wal_checkpoint(truncate)")
    raw.close()
    before = database.read_bytes()
    health = examine(database, seconds=10)
    assert (health.revision, health.current, health.subscribers) == ("0000", False, 0)
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.glob(f"{database.name}*")] == [database.name, f"{database.name}.lock"]


def test_the_newest_event_is_of_any_table(database: Path) -> None:
    """Whatever was written last: an audit line, a test, an attempt, a heartbeat."""
    assert examine(database, seconds=10).newest is None
    add_mailing(database, "a", "completed", heartbeat=200, finished_at=150)
    assert examine(database, seconds=10).newest == 200
    later = (
        insert(audit).values(at=300, actor="ada", action="x"),
        insert(test_send).values(
            issue="a", number=1, code="c", address="x", outcome="accepted", detail="", digest="d", at=400
        ),
        insert(attempt).values(mailing_id=1, pid=1, host="h", started_at=500),
        insert(attempt).values(mailing_id=1, pid=1, host="h", started_at=500, ended_at=600),
    )
    for expected, statement in zip((300, 400, 500, 600), later, strict=True):
        with open_store(database) as store, store.write() as conn:
            conn.execute(statement)
        assert examine(database, seconds=10).newest == expected


def test_what_waits_for_run_due(database: Path) -> None:
    """Scheduled, planning and sending; what is held, paused or over waits for nobody or for an editor."""
    for issue, state in (("a", "sending"), ("b", "scheduled"), ("c", "held"), ("d", "paused"), ("e", "completed")):
        add_mailing(database, issue, state, send_at=60 if issue == "a" else 50, heartbeat=7 if issue == "a" else None)
    assert examine(database, seconds=10).waiting == (
        Waiting("b", "scheduled", 50, None),
        Waiting("a", "sending", 60, 7),
    )


def test_damage_is_found_and_named(database: Path) -> None:
    """A page in the middle that was overwritten."""
    add_readers(database, 2_000)
    with sqlite3.connect(database) as raw:
        raw.execute("pragma wal_checkpoint(truncate)")
    raw.close()
    data = bytearray(database.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = b"\xff" * 4096
    database.write_bytes(data)
    try:
        found = examine(database, seconds=10).damage
    except BadData as damaged:
        found = (damaged.what,)
    assert found


def test_a_file_that_is_none_and_one_that_cannot_be_opened(tmp_path: Path) -> None:
    """As errors of our tree, never sqlite3's."""
    text = tmp_path / "text.db"
    text.write_bytes(b"This is a letter and no database at all. " * 40)
    with pytest.raises(BadData, match="damaged"):
        examine(text, seconds=10)
    with pytest.raises(CannotWrite):
        examine(tmp_path / "missing.db", seconds=10)
    empty = tmp_path / "empty.db"
    empty.touch()
    assert (examine(empty, seconds=10).revision, examine(empty, seconds=10).current) == (None, False)


def test_a_check_that_takes_too_long_is_given_up(database: Path) -> None:
    """The rest of the look goes on."""
    add_readers(database, 5_000)
    health = examine(database, seconds=-1)
    assert (health.checked, health.damage, health.subscribers) == (False, (), 5_000)
