"""``run-due`` against clocks that lie: changes of the clocks, downtime, steps, and a crash between any two commits."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from newsletter.delivery import ledger, mailings
from newsletter.delivery.ports import Outcome
from newsletter.delivery.run_due import run_due
from newsletter.delivery.schedule import parse_send_at
from newsletter.store.clock import from_us, to_us
from newsletter.store.engine import Store, open_store

MINUTE = 60
READERS = 7


def scheduled_at(bench, wall: str, zone: str, *, now: str) -> None:
    """Approve the issue on a day before, for a wall time."""
    bench.clock.us = to_us(datetime.fromisoformat(now).replace(tzinfo=UTC))
    approval = bench.approve()
    at = parse_send_at(wall, zone, from_us(bench.clock.us))
    mailings.schedule(
        bench.store, issue=approval.issue, digest=approval.digest, provider="scripted", send_at=at, actor="ada",
        now=bench.clock.us,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "wall", "moment"),
    [
        # An ordinary day, a time that is skipped, and one that comes twice.
        ("Europe/London", "2026-07-03 07:00", "2026-07-03 06:00"),
        ("Europe/London", "2026-03-29 01:30", "2026-03-29 01:00"),
        ("Europe/London", "2026-10-25 01:30", "2026-10-25 00:30"),
        ("America/New_York", "2026-07-03 07:00", "2026-07-03 11:00"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30"),
        ("Asia/Karachi", "2026-03-29 01:30", "2026-03-28 20:30"),
        ("Asia/Karachi", "2026-10-25 01:30", "2026-10-24 20:30"),
        ("Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-03 15:30"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),
    ],
)
def test_minute_by_minute_it_goes_at_its_moment_and_once(bench, scripted, zone: str, wall: str, moment: str) -> None:
    """Cron comes every minute from two hours before to three hours after: one mailing, in the one right minute."""
    bench.readers(1)
    due = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    scheduled_at(bench, wall, zone, now="2026-01-02 00:00")
    provider = scripted()
    bench.clock.us = to_us(due - timedelta(hours=2))
    sent_at = []
    while from_us(bench.clock.us) < due + timedelta(hours=3):
        run_due(bench.work(provider))
        if len(provider.addresses) > len(sent_at):
            sent_at.append(from_us(bench.clock.us))
        # A minute's step is fine near the moment; the rest of the time only tells that nothing happens.
        near = abs(from_us(bench.clock.us) - due) < timedelta(minutes=3)
        bench.clock.pass_by(MINUTE if near else MINUTE * 10)
    assert sent_at == [due]


@pytest.mark.parametrize(("down", "state"), [(119, "completed"), (121, "held"), (3 * 24 * 60, "held")])
def test_downtime_within_the_window_is_caught_up_and_beyond_it_is_held(bench, scripted, down: int, state: str) -> None:
    """A machine that was off from before the moment until so many minutes after it."""
    bench.readers(2)
    scheduled_at(bench, "2026-11-27 07:00", "Europe/London", now="2026-11-26 12:00")
    bench.clock.us = to_us(datetime(2026, 11, 27, 7, 0, tzinfo=UTC)) + down * MINUTE * 1_000_000
    provider = scripted()
    for _ in range(3):
        run_due(bench.work(provider))
        bench.clock.pass_by(MINUTE)
    assert bench.mailing().state == state
    assert len(provider.addresses) == (2 if state == "completed" else 0)


def test_a_clock_that_steps_back_sends_nothing_again(bench, scripted) -> None:
    """Sent at seven; the clock falls back to five and passes seven once more."""
    bench.readers(2)
    scheduled_at(bench, "2026-11-27 07:00", "UTC", now="2026-11-26 12:00")
    provider = scripted()
    bench.clock.us = to_us(datetime(2026, 11, 27, 7, 0, tzinfo=UTC))
    run_due(bench.work(provider))
    bench.clock.us -= 2 * 3600 * 1_000_000
    for _ in range(5):
        run_due(bench.work(provider))
        bench.clock.pass_by(3600)
    assert Counter(provider.addresses).most_common(1)[0][1] == 1
    assert bench.states() == {"submitted": 2}


@pytest.mark.parametrize(
    ("first", "then"), [(48, -48), (48, 0), (-48, 48), (-48, 0), (1, -1), (1, 0), (-1, 1), (-1, 0)]
)
def test_a_clock_that_steps_twice_in_mid_mailing_neither_doubles_nor_keeps_anybody_for_days(
    bench, scripted, first: int, then: int
) -> None:
    """Hours back or forth while some wait for their next try: three hours later everybody has one mail."""
    bench.readers(9)
    scheduled_at(bench, "2026-11-27 07:00", "UTC", now="2026-11-27 06:59")
    bench.clock.pass_by(MINUTE)
    steps = [first, then]

    def answer(address: str, count: int) -> Outcome:
        return Outcome.RETRY if count == 0 and int(address[6]) % 3 == 0 else Outcome.ACCEPTED

    def step(_batch) -> None:
        if steps and len(provider.batches) in (1, 3):
            bench.clock.us += steps.pop(0) * 3600 * 1_000_000

    provider = scripted(answer, before=step)
    for _ in range(36):
        run_due(bench.work(provider))
        bench.clock.pass_by(5 * MINUTE)
    assert steps == []
    assert bench.states() == {"submitted": 9}
    assert bench.mailing().state == "completed"
    assert max(Counter(provider.addresses).values()) == 2


def test_a_clock_that_steps_forth_and_back_sends_early_at_worst_and_never_twice(bench, scripted) -> None:
    """A wrong clock an hour ahead, put right in the middle of a mailing: the rest goes out all the same."""
    bench.readers(4)
    scheduled_at(bench, "2026-11-27 07:00", "UTC", now="2026-11-27 06:30")
    bench.clock.pass_by(3600)  # the clock is wrong: 07:30

    def answer(_address: str, count: int) -> Outcome:
        return Outcome.ACCEPTED if len(provider.batches) == 1 or count else Outcome.RETRY

    provider = scripted(answer)
    run_due(bench.work(provider))
    assert bench.states().get("retry_wait") == 1
    bench.clock.us -= 3600 * 1_000_000  # it is put right
    for _ in range(3 * 60):
        run_due(bench.work(provider))
        bench.clock.pass_by(MINUTE)
    assert bench.states() == {"submitted": 4}
    assert bench.mailing().state == "completed"


@pytest.mark.parametrize("batch", [1, 3], ids=["readers put off", "provider away"])
def test_a_run_that_ended_under_a_clock_two_days_ahead_keeps_nobody_for_two_days(bench, scripted, batch: int) -> None:
    """Its readers wait for their next try, or its provider is left alone, until the day after tomorrow: not so long."""
    bench.readers(3)
    scheduled_at(bench, "2026-11-27 07:00", "UTC", now="2026-11-27 06:59")
    bench.clock.pass_by(MINUTE)
    steps = [48]

    def step(_batch) -> None:
        if steps:
            bench.clock.us += steps.pop() * 3600 * 1_000_000

    def answer(_address: str, count: int) -> Outcome:
        return Outcome.RETRY if count == 0 else Outcome.ACCEPTED

    provider = scripted(answer, before=step, max_batch=batch)
    run_due(bench.work(provider))
    assert bench.states() != {"submitted": 3}
    bench.clock.us -= 48 * 3600 * 1_000_000
    for _ in range(36):
        run_due(bench.work(provider))
        bench.clock.pass_by(5 * MINUTE)
    assert bench.states() == {"submitted": 3}


class Appending:
    """Writes each acceptance to a file before it answers, as a mail server does: it survives the sender."""

    def __init__(self, log: Path, provider) -> None:
        self._log, self._provider = log, provider
        self.capabilities = provider.capabilities

    def submit(self, batch):
        with self._log.open("a") as log:
            log.writelines(f"{recipient.address}\n" for recipient in batch.recipients)
        return self._provider.submit(batch)

    def close(self) -> None:
        self._provider.close()


def dying(store: Store, point: int, *, before: bool) -> Store:
    """A store at whose ``point``-th commit the process is gone, just before it or just after it."""
    commits = 0
    write = store.write

    @contextlib.contextmanager
    def counted() -> Iterator[object]:
        nonlocal commits
        with write() as conn:
            yield conn
        if not before and commits == point:
            os._exit(9)

    @event.listens_for(store.engine, "commit")
    def _commit(_conn: object) -> None:
        nonlocal commits
        commits += 1
        if before and commits == point:
            os._exit(9)

    store.write = counted  # type: ignore[method-assign]  # the process under test dies by it
    return store


def run_and_die(bench, log: Path, scripted, point: int, *, before: bool) -> int:
    """Run ``run-due`` in a process of its own that dies there without a word; its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with open_store(bench.ws.database) as store:
                work = bench.work(Appending(log, scripted()))
                report = run_due(replace(work, store=dying(store, point, before=before)))
                code = 0 if report.error is None else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_crash_between_any_two_commits_sends_to_nobody_twice(bench, scripted, tmp_path: Path, before: bool) -> None:
    """The process dies at its first commit, at its second, and so on to the last; the next run always ends it."""
    bench.readers(READERS)
    crashes = 0
    for point in range(1, 60):
        slug = f"2026-12-{point:02}"
        log = tmp_path / f"accepted-{point}"
        log.touch()
        bench.scheduled(slug=slug)
        bench.store.close()  # a connection must not be shared with the child
        code = run_and_die(bench, log, scripted, point, before=before)
        assert code in (0, 9)
        crashes += code == 9
        run_due(bench.work(Appending(log, scripted())))
        got = Counter(log.read_text().split())
        mailing = bench.mailing(slug)
        with bench.store.read() as conn:
            tally = ledger.counts(conn, mailing.id)
        assert mailing.state == "completed", point
        assert [address for address, count in got.items() if count > 1] == [], f"twice after commit {point}"
        assert ledger.closes(tally, READERS)
        assert len(got) + tally.get("uncertain", 0) >= READERS, f"somebody was lost at commit {point}"
        assert len(got) >= tally.get("submitted", 0)
        if code == 0:
            break
    assert code == 0, "the last point lies beyond the last commit"
    assert crashes >= 5
