"""A database that is full, locked, restored, copied or replaced under a real sender: nobody gets a mail twice."""

from __future__ import annotations

import contextlib
import random
import resource
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from newsletter.providers.smtp import MAX_BATCH, WINDOWS
from newsletter.store.engine import BUSY_TIMEOUT_MS
from tests.badinput.badinput_kit import ISSUE, Sink, ended, mail_server
from tests.faults.faults_kit import KILLS, SEED, Newsroom, here, ids_in, prove, report, some, until

READERS = 150
CONNECTIONS = 2
IN_FLIGHT = CONNECTIONS * WINDOWS * MAX_BATCH


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[Sink]:
    """Takes six mails and holds until it is told to go on: the sending stays in its middle."""
    with mail_server(tmp_path, hold=6) as server:
        yield server


def backup(database: Path, copy: Path) -> None:
    """As ``sqlite3 newsletter.db ".backup copy"`` does it, whoever writes meanwhile."""
    with contextlib.closing(sqlite3.connect(database)) as here, contextlib.closing(sqlite3.connect(copy)) as there:
        here.backup(there)
        # One file, without the log that belongs to it.
        there.execute("pragma journal_mode = delete")


def restore(room: Newsroom, copy: Path) -> None:
    """Nobody works on it: put the copy in its place."""
    for name in ("-wal", "-shm"):
        Path(f"{room.database}{name}").unlink(missing_ok=True)
    shutil.copy(copy, room.database)


def no_file_above(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.slow
def test_a_disk_that_fills_up_at_random_points_of_a_sending(newsroom: Callable[..., Newsroom], mail_sink: Sink) -> None:
    """The kernel refuses to let the database grow: 73, and what is in doubt is at most what was in flight."""
    room = newsroom("smtp", mail_sink.port, 300, connections=CONNECTIONS)
    dice = random.Random(SEED)
    codes = []
    for _ in range(20 if KILLS > 100 else 3):
        size = room.database.stat().st_size
        answer = room.run(preexec_fn=partial(no_file_above, size + dice.randrange(200_000)))
        codes.append(answer.code)
        assert answer.code in {0, 1, 73}, answer
        assert "Traceback" not in answer.err and "This is a bug" not in answer.err, answer.err
    room.finish()
    took = ids_in(mail_sink.log)
    tally = prove(room, took, at_most_uncertain=codes.count(73) * IN_FLIGHT)
    report(f"disk full, NEWSLETTER_TEST_SEED={SEED}: {codes.count(73)} of {len(codes)} runs, ledger {dict(tally)}")
    assert 73 in codes, "the disk was never full"


@pytest.mark.slow
def test_a_database_that_another_process_locks_for_long_delays_a_sending(
    newsroom: Callable[..., Newsroom], holding: Sink
) -> None:
    """For longer than the store waits: the sender comes again, and its answers are written down all the same."""
    room = newsroom("smtp", holding.port, READERS, connections=CONNECTIONS)
    sending = room.start()
    until(lambda: len(holding.got) == 6)
    with contextlib.closing(sqlite3.connect(room.database, timeout=30, isolation_level=None)) as other:
        other.execute("begin immediate")
        holding.go_on()
        time.sleep(BUSY_TIMEOUT_MS / 1000 + 1.5)
        assert sending.poll() is None
        other.execute("rollback")
    answer = ended(sending)
    assert answer.code == 0, answer.err
    assert prove(room, ids_in(holding.log), at_most_uncertain=0) == {"submitted": READERS}


def test_a_backup_restored_after_a_mailing_sends_nothing_again(
    newsroom: Callable[..., Newsroom], mail_sink: Sink, tmp_path: Path
) -> None:
    """The copy believes that nobody has a mail yet; the installation remembers that there was more."""
    room = newsroom("smtp", mail_sink.port, READERS)
    backup(room.database, tmp_path / "copy.db")
    room.finish()
    restore(room, tmp_path / "copy.db")
    answer = room.run()
    assert answer.code == 1
    assert "a backup was restored" in answer.out
    assert set(ids_in(mail_sink.log).values()) == {1}
    assert room.rows("select state from mailing") == [("held",)]
    assert room.run("send", ISSUE, "--yes").code == 1
    assert len(ids_in(mail_sink.log)) == READERS


@pytest.mark.slow
@pytest.mark.parametrize("end", some(("kill -9", "SIGTERM"), "kill -9"))
def test_a_backup_taken_in_mid_sending_sends_nothing_again(
    newsroom: Callable[..., Newsroom], holding: Sink, tmp_path: Path, end: str
) -> None:
    """More mails went out after it, and then the sender died: what the copy does not know may not go again."""
    room = newsroom("smtp", holding.port, READERS, connections=CONNECTIONS)
    sending = room.start()
    until(lambda: len(holding.got) == 6)
    backup(room.database, tmp_path / "copy.db")
    holding.go_on()
    until(lambda: len(holding.got) > 6 + 2 * IN_FLIGHT)
    sending.send_signal(signal.SIGKILL if end == "kill -9" else signal.SIGTERM)
    ended(sending)
    restore(room, tmp_path / "copy.db")
    answer = room.run()
    assert set(ids_in(holding.log).values()) == {1}, "somebody got it twice"
    assert answer.code == 1
    assert "a backup was restored" in answer.out
    took = len(ids_in(holding.log))
    assert here(room.root, "adopt", "--yes").code == 0
    assert room.run().code == 0
    assert len(ids_in(holding.log)) == took, "nothing goes on by itself"
    assert here(room.root, "resume", ISSUE).code == 0
    assert room.run().code in {0, 1}
    assert len(ids_in(holding.log)) > took, "the editor has said so"


def test_a_copied_workspace_sends_nothing_and_the_first_one_goes_on(
    newsroom: Callable[..., Newsroom], mail_sink: Sink, tmp_path: Path
) -> None:
    """Both are called, as two crons would: one mail for each reader, and the copy says why."""
    room = newsroom("smtp", mail_sink.port, READERS)
    copy = replace(room, root=Path(shutil.copytree(room.root, tmp_path / "copy")))
    first, second = room.start(), copy.start()
    told = ended(second)
    assert ended(first).code == 0
    assert told.code == 1
    assert "copied or moved here" in told.out
    assert copy.ledger.mailing == "held"
    assert prove(room, ids_in(mail_sink.log), at_most_uncertain=0) == {"submitted": READERS}


@pytest.mark.slow
def test_a_database_that_is_replaced_under_a_running_sender_stops_it(
    newsroom: Callable[..., Newsroom], holding: Sink, tmp_path: Path
) -> None:
    """It would write into a file that nobody reads: it stops, and the new file's sender knows what was in flight."""
    room = newsroom("smtp", holding.port, READERS, connections=CONNECTIONS)
    sending = room.start()
    until(lambda: len(holding.got) == 6)
    backup(room.database, tmp_path / "copy.db")
    for name in ("-wal", "-shm"):
        Path(f"{room.database}{name}").unlink()
    (tmp_path / "copy.db").replace(room.database)
    holding.go_on()
    answer = ended(sending)
    assert answer.code == 65
    assert "was moved away or replaced" in answer.err
    assert 6 <= len(ids_in(holding.log)) <= 6 + IN_FLIGHT
    room.finish()
    prove(room, ids_in(holding.log), at_most_uncertain=2 * IN_FLIGHT)
