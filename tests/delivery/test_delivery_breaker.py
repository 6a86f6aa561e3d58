"""The circuit breaker: a provider that is away is left alone by every process, and asked by one recipient."""

from __future__ import annotations

import msgspec
import pytest

from newsletter.delivery import breaker
from newsletter.delivery.ports import Outcome, Result
from newsletter.delivery.run_due import run_due
from newsletter.workspace.settings import Schedule

SLUG = "2026-11-27"
SECOND = 1_000_000


@pytest.fixture
def away(bench, scripted):
    """A provider with connections side by side that is away until ``bench.up_at`` (seconds of the clock)."""
    bench.up_at = float("inf")

    def answer(_address: str, _count: int):
        return Outcome.RETRY if bench.clock.ticks < bench.up_at else Outcome.ACCEPTED

    return scripted(answer, max_batch=3)


def known(bench):
    with bench.store.read() as conn:
        return breaker.read(conn, "scripted")


def every_minute(bench, provider, minutes: int) -> list[list[int]]:
    """What cron does; the sizes of the batches of each minute."""
    sizes = []
    for _ in range(minutes):
        before = len(provider.batches)
        run_due(bench.work(provider))
        sizes.append([len(batch.recipients) for batch in provider.batches[before:]])
        bench.clock.pass_by(60)
    return sizes


def test_cron_does_not_hammer_and_a_single_recipient_asks_whether_it_is_back(bench, away) -> None:
    """Three whole windows put off, then longer and longer pauses with one recipient each; then everybody."""
    bench.readers(40)
    bench.scheduled()
    down = every_minute(bench, away, 30)
    assert down[:3] == [[3], [3], [3]]
    assert all(sizes in ([], [1]) for sizes in down[3:]), down
    assert sum(map(sum, down[3:])) < 12
    assert bench.rows("select max(tries) from delivery") == [(0,)], "nobody's tries were counted"
    bench.up_at = bench.clock.ticks
    up = every_minute(bench, away, 10)
    first = next(sizes for sizes in up if sizes)
    assert first[0] == 1, "half open: a trial first"
    assert 3 in first[1:], "then whole windows, in the same run"
    assert bench.states() == {"submitted": 40}
    assert known(bench) is None
    got = [r.address for b in away.batches for r in b.recipients]
    assert len(set(got)) == 40


def test_the_breaker_is_shared_by_mailings_and_survives_restarts(bench, away) -> None:
    """Another mailing through the same provider does not begin anew while it is open."""
    bench.readers(20)
    bench.scheduled()
    every_minute(bench, away, 4)
    state = known(bench)
    assert state is not None
    assert state.open
    before = len(away.batches)
    bench.clock.us = state.open_until - 2 * SECOND
    bench.scheduled(slug="2026-12-04", in_seconds=-1)
    run = run_due(bench.work(away)).runs
    assert [(r.issue, r.state) for r in run] == [("2026-12-04", "sending")]  # the first has nothing to do till then
    assert len(away.batches) == before
    assert bench.states("2026-12-04") == {"pending": 20}


def test_send_waits_for_the_provider_and_goes_on(bench, away) -> None:
    """``newsletter send`` has the patience: trials, then everybody, each once."""
    bench.readers(12)
    bench.scheduled()
    bench.up_at = 200.0
    run = run_due(bench.work(away, wait=900.0)).runs[0]
    assert run.counts == {"submitted": 12}
    accepted_by = [len(b.recipients) for b in away.batches]
    assert accepted_by.count(1) >= 2
    assert bench.clock.ticks < 700


def test_what_was_claimed_ahead_goes_back_while_it_is_open(bench, scripted) -> None:
    """Nothing stays in the hands of a process that waits."""
    bench.readers(30)
    bench.scheduled()
    seen: list[dict[str, int]] = []

    def look(batch) -> None:
        if len(batch.recipients) == 1:
            seen.append(bench.states())

    provider = scripted(lambda _a, _n: Outcome.RETRY, before=look, max_batch=3, concurrency=2, windows=2)
    run_due(bench.work(provider, wait=100.0))
    assert seen
    assert all(tally.get("submitting") == 1 and "claimed" not in tally for tally in seen)


def test_one_recipient_after_the_other_put_off_is_the_provider_too(bench, scripted) -> None:
    """Windows of one, as a spread makes them: after a few different ones the provider is left alone."""
    bench.readers(30)
    bench.scheduled()
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(spread="30s"))
    provider = scripted(lambda _a, _n: Outcome.RETRY)
    every_minute(bench, provider, 60)
    assert bench.states().keys() <= {"pending", "retry_wait"}, "nobody failed in an hour without a provider"
    assert len(provider.batches) < 30


def test_one_greylisting_server_is_not_the_provider(bench, scripted) -> None:
    """A single reader put off among others that are reached holds nobody."""
    bench.readers(10)
    bench.scheduled()
    provider = scripted(lambda a, _n: Outcome.RETRY if a == "reader4@mail.test" else Outcome.ACCEPTED, max_batch=1)
    run_due(bench.work(provider))
    assert bench.states() == {"submitted": 9, "retry_wait": 1}
    assert known(bench) is None


def test_silence_opens_it_too_and_burns_few(bench, scripted) -> None:
    """A provider that takes requests and never answers: those few are uncertain, the rest waits."""
    bench.readers(60)
    bench.scheduled()
    provider = scripted(lambda _a, _n: Outcome.UNKNOWN, max_batch=3)
    every_minute(bench, provider, 30)
    tally = bench.states()
    assert tally["uncertain"] < 25
    assert tally["pending"] > 35


def test_a_definite_no_for_the_trial_closes_it(bench, scripted) -> None:
    """The provider answers about the recipient, so it is there."""
    bench.readers(9)
    bench.scheduled()
    with bench.store.write() as conn:
        breaker.trip(
            conn, "scripted", 5, open_until=bench.clock.us - 1, reason="away", now=bench.clock.us - 60 * SECOND
        )
    answers = {"reader0@mail.test": Result("", Outcome.REJECTED, "no such mailbox")}
    provider = scripted(lambda a, _n: answers.get(a, Outcome.ACCEPTED))
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 8, "rejected": 1}
    assert [len(b.recipients) for b in provider.batches] == [1, 3, 3, 2]


def test_a_wrong_clock_does_not_keep_it_open(bench, scripted) -> None:
    """A time further away than the longest hold is not believed."""
    bench.readers(3)
    bench.scheduled()
    with bench.store.write() as conn:
        breaker.trip(conn, "scripted", 5, open_until=bench.clock.us * 2, reason="away", now=bench.clock.us)
    assert run_due(bench.work(scripted(), wait=310.0)).runs[0].state == "completed"
