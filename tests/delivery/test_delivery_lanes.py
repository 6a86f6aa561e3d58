"""Limits per mailbox domain: kept by all, and nobody elsewhere waits for them."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import pytest

from newsletter.delivery import ledger, mailings
from newsletter.delivery.lanes import Lanes
from newsletter.delivery.plan import plan
from newsletter.delivery.ports import Outcome
from newsletter.delivery.run_due import run_due
from newsletter.errors import Interrupted
from newsletter.workspace.settings import Provider as ProviderSettings

SLUG = "2026-11-27"


@pytest.fixture
def mixed(bench):
    """40 readers: the first 20 at big.test, then 10 each at two others, as an import by domain leaves them."""
    bench.readers(40)
    with bench.store.write() as conn:
        for low, high, domain in ((1, 20, "big.test"), (21, 30, "other.test"), (31, 40, "third.test")):
            conn.exec_driver_sql(
                f"update subscriber set address = replace(address, '@mail.test', '@{domain}'),"
                f" address_key = replace(address_key, '@mail.test', '@{domain}') where id between {low} and {high}"
            )
    bench.scheduled()


@pytest.fixture
def limited(bench, scripted):
    """A provider that notes when each domain got a mail; ``configure(rates)``."""
    at = defaultdict(list)

    def note(batch) -> None:
        for recipient in batch.recipients:
            at[recipient.address.partition("@")[2]].append(bench.clock.ticks)

    def make(rates: dict[str, str], rate: str = "0", **kw):
        settings = ProviderSettings(name="scripted", per_domain=rates, rate=rate)
        bench.config = msgspec.structs.replace(bench.config, provider=settings)
        return scripted(before=note, max_batch=5, **kw), at

    return make


def most_in(times: list[float], seconds: float) -> int:
    return max(sum(start <= at < start + seconds for at in times) for start in times)


def test_a_limited_domain_goes_slowly_and_the_others_do_not_wait(bench, mixed, limited) -> None:
    """big.test is first in the list and may have one a second: the others are through before it has had three."""
    provider, at = limited({"big.test": "1/s"})
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 40}
    assert len(set(provider.addresses)) == len(provider.addresses) == 40
    assert max(at["other.test"] + at["third.test"]) < 2
    assert at["big.test"][-1] == pytest.approx(19, abs=1.5)
    assert most_in(at["big.test"], 5.0) <= 5 + 2


def test_each_domain_that_is_not_named_has_the_limit_of_the_star(bench, mixed, limited) -> None:
    """Each for itself, and "0" frees a named one."""
    provider, at = limited({"*": "30/m", "big.test": "0"})
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 40}
    assert max(at["big.test"]) == 0
    for domain in ("other.test", "third.test"):
        assert at[domain][-1] == pytest.approx(18, abs=2.5)
        assert most_in(at[domain], 10.0) <= 5 + 2


def test_the_limit_holds_over_restarts_and_together_with_the_rate(bench, mixed, limited) -> None:
    """Stopped after every window, with a rate of the provider besides: still one a second for big.test."""
    provider, at = limited({"big.test": "1/s"}, rate="10/s")
    for _ in range(60):
        seen = len(provider.batches)
        report = run_due(bench.work(provider, stop=lambda seen=seen: len(provider.batches) > seen))
        if report.error is None:
            break
        assert isinstance(report.error, Interrupted)
    assert bench.states() == {"submitted": 40}
    assert len(set(provider.addresses)) == len(provider.addresses) == 40
    assert most_in(at["big.test"], 5.0) <= 5 + 2
    assert bench.clock.ticks < 24


def test_retries_and_those_who_left_are_found_in_their_lanes(bench, mixed, limited) -> None:
    """One is put off and comes again, one unsubscribes while waiting: the sum closes, nobody twice."""
    left = []

    def answer(address: str, count: int) -> Outcome:
        if not left and address.endswith("@other.test"):
            with bench.store.write() as conn:
                conn.exec_driver_sql("update subscriber set status = 'unsubscribed' where id = 20")
            left.append(address)
        return Outcome.RETRY if (address, count) == ("reader3@big.test", 0) else Outcome.ACCEPTED

    provider, _ = limited({"big.test": "1/s"}, answer=answer)
    run = run_due(bench.work(provider, wait=300.0)).runs[0]
    assert run.counts == {"submitted": 39, "excluded": 1}
    assert provider.addresses.count("reader3@big.test") == 2
    assert len(set(provider.addresses)) == 39


def test_a_limited_mailing_does_not_spin_while_it_waits(bench, mixed, limited) -> None:
    """A mail a minute: it sleeps in between, and hears a pause."""
    provider, at = limited({"big.test": "1/m"})
    report = run_due(bench.work(provider, stop=lambda: bench.clock.ticks > 130))
    assert isinstance(report.error, Interrupted)
    assert len(at["big.test"]) == 3
    assert min(bench.clock.slept) > 0.1
    assert bench.states() == {"submitted": 23, "pending": 17}


def test_retries_do_not_send_the_reading_back_to_the_start(bench, mixed, limited) -> None:
    """Rows that come back are read after the end of the list, not instead of it."""
    lanes = Lanes(bench.mailing().id, {"big.test": 1.0})
    taken: list[str] = []
    with bench.store.write() as conn:
        mailing = bench.mailing()
        assert mailings.step(conn, mailing.id, ("scheduled",), "planning")
    assert plan(bench.store, bench.mailing(), keys=bench.keys, now=bench.clock.us)
    with bench.store.write() as conn:
        attempt = ledger.begin_attempt(conn, mailing.id, pid=1, host="x", now=bench.clock.us)
    for _ in range(60):
        with bench.store.write() as conn:
            lanes.again()
            rows = lanes.claim(conn, attempt, 2, keys=bench.keys, now=bench.clock.us, unsendable=lambda _a: None)
            taken += [row.address for row in rows]
        bench.clock.pass_by(0.1)
        if sum("big" not in address for address in taken) == 20:
            break
    assert sum("big" not in address for address in taken) == 20
    assert len(set(taken)) == len(taken)
    assert sum("big" in address for address in taken) <= 9
