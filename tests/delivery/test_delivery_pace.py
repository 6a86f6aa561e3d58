"""Rates: kept by all processes together, over restarts, and a mailing spread over its time."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from newsletter.delivery import mailings, throttle
from newsletter.delivery.pace import Pace, spread_rate
from newsletter.delivery.run_due import run_due
from newsletter.delivery.throttle import Limit
from newsletter.errors import Interrupted
from newsletter.workspace.settings import Provider as ProviderSettings
from newsletter.workspace.settings import Schedule

SLUG = "2026-11-27"
SECOND = 1_000_000


def configure(bench, *, rate: str = "0", spread: str = "0m") -> None:
    bench.config = msgspec.structs.replace(
        bench.config, provider=ProviderSettings(name="scripted", rate=rate), schedule=Schedule(spread=spread)
    )


def test_a_mailing_is_spread_evenly_over_its_time(bench, scripted) -> None:
    """60 readers over ten minutes: one every ten seconds, none in a hurry."""
    bench.readers(60)
    bench.scheduled()
    configure(bench, spread="10m", rate="50/s")
    at: list[float] = []
    provider = scripted(before=lambda _batch: at.append(bench.clock.ticks))
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 60}
    assert {len(batch.recipients) for batch in provider.batches} == {1}
    assert [b - a for a, b in pairwise(at)] == pytest.approx([10.0] * 59, abs=1.1)
    assert at[-1] == pytest.approx(590, abs=3)


def test_those_who_are_excluded_take_no_time(bench, scripted) -> None:
    """The time is for whoever gets it: half the list unsubscribed, the rest still takes all of it."""
    bench.readers(20)
    with bench.store.write() as conn:
        conn.exec_driver_sql("update subscriber set status = 'unsubscribed' where id % 2 = 0")
    bench.scheduled()
    configure(bench, spread="10m")
    assert run_due(bench.work(scripted())).runs[0].counts == {"submitted": 10, "excluded": 10}
    assert bench.clock.ticks == pytest.approx(540, abs=3)


def test_pausing_a_spread_mailing_spares_most_readers(bench, scripted) -> None:
    """Paused after a tenth of the time, nine tenths have not got it."""
    bench.readers(60)
    bench.scheduled()
    configure(bench, spread="10m")
    provider = scripted(
        before=lambda _batch: mailings.pause(bench.store, SLUG, actor="ada", now=1) if bench.clock.ticks > 60 else None
    )
    run_due(bench.work(provider))
    assert bench.mailing().state == "paused"
    assert bench.states()["submitted"] <= 8


def test_the_lower_of_rate_and_spread_counts(bench) -> None:
    """A provider that is slower than the spread decides."""
    configure(bench, spread="10m")
    assert spread_rate(1200, bench.config) == 2.0
    assert (Pace(rate=1.0, spread=2.0).slowest, Pace(spread=2.0).slowest, Pace().slowest) == (1.0, 2.0, 0.0)
    assert [limit.name for limit in Pace(rate=1.0, spread=2.0).limits("smtp", "ab")] == ["provider:smtp", "mailing:ab"]
    assert Pace().limits("smtp", "ab") == ()


def test_a_restart_does_not_begin_the_rate_anew(bench, scripted) -> None:
    """Stopped and started again after every window, 20 mails at 2/s take as long as in one go."""
    bench.readers(20)
    bench.scheduled()
    configure(bench, rate="2/s")
    provider = scripted(max_batch=20)
    for _ in range(30):
        seen = len(provider.batches)
        report = run_due(bench.work(provider, stop=lambda seen=seen: len(provider.batches) > seen))
        if report.error is None:
            break
        assert isinstance(report.error, Interrupted)
    assert bench.states() == {"submitted": 20}
    assert bench.clock.ticks == pytest.approx(9.5, abs=1)


def test_two_mailings_share_the_rate_of_their_provider(bench, scripted) -> None:
    """One after the other through one provider: together no faster than one."""
    bench.readers(10)
    bench.scheduled()
    bench.scheduled(slug="2026-12-04", in_seconds=-1)
    configure(bench, rate="2/s")
    run_due(bench.work(scripted()))
    assert bench.clock.ticks == pytest.approx(9.5, abs=1)


def test_two_processes_that_take_turns_never_exceed_the_rate(bench) -> None:
    """Each looks and takes in a transaction of its own; ten seconds see 50, and one window more."""
    limits = (Limit("provider:x", 5.0),)
    granted: list[float] = []
    for step in range(4000):
        with bench.store.write() as conn:
            if throttle.free_at(conn, limits, bench.clock.us) <= bench.clock.us:
                throttle.take(conn, limits, 1 + step % 5, bench.clock.us)
                granted += [bench.clock.ticks] * (1 + step % 5)
        bench.clock.pass_by(0.01)
    most = max(sum(start <= at < start + 10 for at in granted) for start in granted)
    assert 50 - 5 <= most <= 50 + 5 + 2
    assert len(granted) == pytest.approx(200, abs=6)


def test_a_clock_that_was_wrong_once_does_not_stop_the_mail(bench) -> None:
    """What lies further ahead than one window can is not believed."""
    limits = (Limit("provider:x", 5.0),)
    with bench.store.write() as conn:
        throttle.take(conn, limits, 5, bench.clock.us + 10**6 * SECOND)
        assert throttle.free_at(conn, limits, bench.clock.us) == bench.clock.us + SECOND
        assert throttle.free_at(conn, (Limit("provider:x", 0.1),), bench.clock.us) == bench.clock.us + 10 * SECOND


def test_what_nobody_uses_is_forgotten(bench) -> None:
    """A row a mailing would be for ever."""
    with bench.store.write() as conn:
        throttle.take(conn, (Limit("mailing:x", 5.0),), 1, bench.clock.us)
        throttle.tidy(conn, bench.clock.us + 3600 * SECOND)
        assert conn.exec_driver_sql("select name from throttle").all() == [("mailing:x",)]
        throttle.tidy(conn, bench.clock.us + 25 * 3600 * SECOND)
        assert conn.exec_driver_sql("select name from throttle").all() == []
