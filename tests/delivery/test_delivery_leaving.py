"""Readers who leave while their mail is claimed and waits for its turn: they do not get it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec
import pytest

from newsletter.delivery.ports import Outcome, Result
from newsletter.delivery.run_due import run_due, run_mailing
from newsletter.workspace.settings import Provider, Schedule


def slowly(bench) -> None:
    """A mail every ten seconds: what is claimed ahead waits longer than a reader needs to press a button."""
    bench.config = msgspec.structs.replace(bench.config, provider=Provider(name="scripted", rate="6/m"))


def leave(bench, *numbers: int) -> Callable[[object], None]:
    """These readers unsubscribe as soon as the first window is on its way; the next one is claimed by then."""

    def now(_batch: object) -> None:
        with bench.store.write() as conn:
            for number in numbers:
                key = f"reader{number}@mail.test"
                conn.exec_driver_sql(f"update subscriber set status = 'unsubscribed' where address_key = '{key}'")

    return now


def of(*numbers: int) -> list[str]:
    return [f"reader{number}@mail.test" for number in numbers]


def test_while_a_mail_waits_for_a_slow_rate(bench, scripted) -> None:
    slowly(bench)
    bench.readers(5)
    bench.scheduled()
    provider = scripted(before=leave(bench, 1, 2))
    run = run_mailing(bench.work(provider), bench.mailing())
    assert provider.addresses == of(0, 3, 4)
    assert (run.state, run.counts) == ("completed", {"submitted": 3, "excluded": 2})
    assert bench.rows("select distinct reason from delivery where state = 'excluded'") == [("unsubscribed",)]


@pytest.mark.parametrize("gone", [(0, 4), (0, 3, 4, 5)], ids=["some of a window", "all of a window"])
def test_while_the_provider_wants_to_be_left_alone(bench, scripted, gone: tuple[int, ...]) -> None:
    """Ten minutes by its Retry-After, with the next window in hand."""
    bench.readers(9)
    bench.scheduled()
    not_now = Result("", Outcome.RETRY, "429", retry_after=600.0, slow_down=True)
    provider = scripted(
        lambda _address, _count: not_now if len(provider.batches) == 1 else Outcome.ACCEPTED, before=leave(bench, *gone)
    )
    run = run_mailing(bench.work(provider, wait=900.0), bench.mailing())
    assert all(batch.recipients for batch in provider.batches), "nobody is handed over"
    assert not {recipient.address for batch in provider.batches[1:] for recipient in batch.recipients} & {*of(*gone)}
    assert (run.state, run.counts) == ("completed", {"submitted": 9 - len(gone), "excluded": len(gone)})


def test_a_seed_that_leaves_holds_nobody_up(bench, scripted) -> None:
    slowly(bench)
    bench.readers(4)
    bench.scheduled()
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(seeds=of(2, 3)))
    provider = scripted(before=leave(bench, 3))
    run = run_mailing(bench.work(provider), bench.mailing())
    assert provider.addresses == of(2, 0, 1)
    assert (run.state, run.counts) == ("completed", {"submitted": 3, "excluded": 1})


def test_the_last_of_a_canary_that_leaves_does_not_keep_it_going(bench, scripted) -> None:
    """The others wait for what is said of those who got it."""
    slowly(bench)
    bench.readers(8)
    bench.scheduled()
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(canary=2, canary_wait="30m"))
    provider = scripted(before=leave(bench, *range(8)))
    run = run_due(bench.work(provider)).runs[0]
    assert len(provider.addresses) == 1
    assert bench.rows("select state from canary") == [("waiting",)]
    assert (run.state, run.counts) == ("sending", {"submitted": 1, "excluded": 1, "pending": 6})


def test_the_last_of_a_warm_up_s_day_that_leaves_ends_it(bench, scripted) -> None:
    """Nobody is left to take the place: the mailing ends, and does not look for somebody for ever."""
    bench.readers(2)
    bench.scheduled()
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(warm_up=[1, 5]))
    provider = scripted()
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 1, "pending": 1}
    leave(bench, 0, 1)(None)
    bench.clock.pass_by(24 * 3600)
    looks = itertools.count()
    report = run_due(bench.work(provider, stop=lambda: next(looks) > 1_000))
    assert report.error is None
    assert (report.runs[0].state, report.runs[0].counts) == ("completed", {"submitted": 1, "excluded": 1})
    assert next(looks) < 100, "by itself, not because it was stopped"
