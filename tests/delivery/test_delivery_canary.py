"""The canary: a share of the readers goes first, the others wait durably, and events alone judge it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from newsletter.delivery import canary, mailings, reputation
from newsletter.delivery.events import Applied, apply_events
from newsletter.delivery.gate import rest_of
from newsletter.delivery.plan import plan
from newsletter.delivery.ports import Event, Outcome
from newsletter.delivery.reputation import Thresholds
from newsletter.delivery.run_due import run_due, run_mailing
from newsletter.errors import Interrupted
from newsletter.workspace.settings import Provider as ProviderSettings
from newsletter.workspace.settings import Schedule

SLUG = "2026-11-27"
SECOND = 1_000_000
WAIT = 600


def configure(bench: Any, **schedule: object) -> None:
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(**schedule))


@pytest.fixture
def mixed(bench):
    """100 readers: 60 at big.test, 30 at other.test, 10 at small.test; and a canary of 20."""
    bench.readers(100)
    with bench.store.write() as conn:
        for low, high, domain in ((1, 60, "big.test"), (61, 90, "other.test"), (91, 100, "small.test")):
            conn.exec_driver_sql(
                f"update subscriber set address = replace(address, '@mail.test', '@{domain}'),"
                f" address_key = replace(address_key, '@mail.test', '@{domain}') where id between {low} and {high}"
            )
    bench.scheduled()
    configure(bench, canary="20%")


def tell(bench: Any, kind: str, addresses: list[str], **more: Any) -> Applied:
    """The provider reports one kind of event for these readers, by the path that its webhook calls take."""
    keys = dict(bench.rows("select address, public_id from delivery"))
    events = [Event(keys[address], kind, bench.clock.us, **more) for address in addresses]  # type: ignore[arg-type]  # words of the tests
    return apply_events(bench.store, events, provider="scripted", keys=bench.keys, now=bench.clock.us)


def state(bench: Any) -> canary.Canary | None:
    with bench.store.read() as conn:
        return canary.read(conn, bench.mailing().id)


def test_the_canary_goes_first_mixed_over_domains_and_the_others_wait(bench, mixed, scripted) -> None:
    """20 of 100, 12 + 6 + 2 as the domains have readers; nobody else; and the process ends instead of waiting."""
    provider = scripted()
    run = run_due(bench.work(provider)).runs[0]
    assert (run.state, run.counts) == ("sending", {"submitted": 20, "pending": 80})
    domains = Counter(address.partition("@")[2] for address in provider.addresses)
    assert domains == {"big.test": 12, "other.test": 6, "small.test": 2}
    assert bench.clock.slept == []
    assert run.rests == "waiting for the canary until 07:10"
    assert run.next_try_at == bench.clock.us + WAIT * SECOND
    assert not run.needs_editor
    assert bench.rows("select count(*) from attempt where ended_at is null") == [(0,)]


def test_run_due_passes_it_over_until_its_time_and_then_goes_on_by_itself(bench, mixed, scripted) -> None:
    """Every minute nothing is done, not even an attempt is noted; after ten minutes everybody else gets it, once."""
    provider = scripted()
    run_due(bench.work(provider))
    tell(bench, "delivered", provider.addresses)
    for _ in range(9):
        bench.clock.pass_by(60)
        assert run_due(bench.work(provider)).runs == []
    assert bench.rows("select count(*) from attempt") == [(1,)]
    bench.clock.pass_by(60)
    run = run_due(bench.work(provider)).runs[0]
    assert (run.state, run.counts) == ("completed", {"submitted": 100})
    assert len(set(provider.addresses)) == len(provider.addresses) == 100
    assert "went well: of 20 mails 20 arrived" in (state(bench).verdict or "")
    assert mailings.live(bench.store, SLUG).planned == 100


def test_the_same_frozen_rows_give_the_same_canary(bench, mixed) -> None:
    """A process that dies before it is written down chooses the same readers again; another mailing has others."""
    with bench.store.write() as conn:
        mailings.step(conn, bench.mailing().id, ("scheduled",), "planning")
    plan(bench.store, bench.mailing(), keys=bench.keys, now=bench.clock.us)
    with bench.store.read() as conn:
        first = canary.choose(conn, bench.mailing().id, 20, but=())
        assert canary.choose(conn, bench.mailing().id, 20, but=()) == first
        assert len(set(first)) == 20
        assert not set(canary.choose(conn, bench.mailing().id, 20, but=first)) & set(first)
        ids = [number for (number,) in bench.rows("select id from delivery")]
        assert set(canary.choose(conn, bench.mailing().id, 5, but=(), only=ids[:9])) <= set(ids[:9])


def test_without_a_word_of_the_provider_it_is_not_judged(bench, mixed, scripted) -> None:
    """Paused with what to do; resumed, the rest goes without judging; nobody twice."""
    provider = scripted()
    run_due(bench.work(provider))
    bench.clock.pass_by(WAIT)
    run = run_due(bench.work(provider)).runs[0]
    assert (run.state, run.counts, run.needs_editor) == ("paused", {"submitted": 20, "pending": 80}, True)
    assert "cannot be judged: the provider reported nothing about the 20 mails" in (run.reason or "")
    assert "schedule.canary must be 0" in (run.reason or "")
    assert run_due(bench.work(provider)).runs == []
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 100}
    assert len(set(provider.addresses)) == 100


def test_too_few_words_are_not_enough(bench, mixed, scripted) -> None:
    """Nine of 20 are known, the others deferred: nobody knows, so nobody judges."""
    provider = scripted()
    run_due(bench.work(provider))
    tell(bench, "delivered", provider.addresses[:9])
    tell(bench, "deferred", provider.addresses[9:])
    bench.clock.pass_by(WAIT)
    run = run_due(bench.work(provider)).runs[0]
    assert run.state == "paused"
    assert "of 20 mails only 9 are known" in (run.reason or "")


def test_complaints_stop_it_and_a_resume_is_not_stopped_by_the_same(bench, mixed, scripted) -> None:
    """Three of 20 at once, as events come; what an editor saw does not pause it again."""
    provider = scripted()
    run_due(bench.work(provider))
    tell(bench, "delivered", provider.addresses)
    assert tell(bench, "complained", provider.addresses[:2]).stopped == [], "two are chance"
    applied = tell(bench, "complained", provider.addresses[2:3])
    assert len(applied.stopped) == 1
    assert bench.mailing().state == "paused"
    assert "3 complaints of spam, 15.00% of 20 mails that arrived" in (bench.mailing().reason or "")
    bench.clock.pass_by(WAIT)
    assert run_due(bench.work(provider)).runs == []
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    run = run_due(bench.work(provider)).runs[0]
    assert run.state == "completed", run.reason
    assert len(set(provider.addresses)) == 100


def test_what_came_back_stops_it(bench, mixed, scripted) -> None:
    """Five of 20 unknown: the list is in trouble, and 80 others are spared."""
    provider = scripted()
    run_due(bench.work(provider))
    tell(bench, "bounced", provider.addresses[:5], code="5.1.1", detail="550 5.1.1 no such user")
    tell(bench, "delivered", provider.addresses[5:])
    bench.clock.pass_by(WAIT)
    run = run_due(bench.work(provider)).runs[0]
    assert run.state == "paused"
    assert "5 of 20 mails came back, 25.0%; 10 % is too many" in (run.reason or "")


@pytest.mark.parametrize(
    ("numbers", "pauses", "warns"),
    [
        ((1000, 1000, 0, 1000, 2), False, False),  # two complaints are chance, at 0.2 %
        ((1000, 1000, 0, 1000, 3), True, False),  # 0.3 %
        ((1001, 1001, 0, 1001, 3), False, True),  # just below
        ((3000, 3000, 0, 3000, 3), False, True),  # 0.1 %
        ((3001, 3001, 0, 3001, 3), False, False),
        ((20, 20, 0, 20, 1), False, False),  # 5 %, of one
        ((50, 45, 5, 50, 0), True, False),  # 10 % came back
        ((40, 36, 4, 40, 0), False, False),  # 10 %, but four
        ((51, 46, 5, 51, 0), False, False),
        ((20, 9, 0, 9, 0), True, False),
        ((20, 10, 0, 10, 0), False, False),  # half of them known
        ((0, 0, 0, 0, 0), True, False),
    ],
)
def test_the_thresholds_are_where_they_are_said_to_be(numbers, pauses: bool, warns: bool) -> None:
    verdict = canary.weigh_up(*numbers, Thresholds(), of=20)
    assert (verdict.pause is not None, verdict.warn is not None) == (pauses, warns)
    never = canary.weigh_up(*numbers, Thresholds(0.0, 0.0, 0.0), of=20)
    assert never.warn is None
    assert never.pause is None or "cannot be judged" in never.pause


def test_seeds_go_before_the_canary_and_are_none_of_it(bench, mixed, scripted) -> None:
    configure(bench, canary="20%", seeds=["reader1@big.test"])
    before: list[set[str]] = []
    provider = scripted(before=lambda batch: before.append({r.address for r in batch.recipients}), concurrency=3)
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 21, "pending": 79}
    assert before[0] == {"reader1@big.test"}
    assert state(bench).readers == 20


def test_who_is_put_off_or_left_does_not_hold_the_canary(bench, mixed, scripted) -> None:
    """One is greylisted and comes later, one unsubscribed: the wait begins, and the sum closes."""
    provider = scripted(lambda a, n: Outcome.RETRY if n == 0 and a == provider.addresses[0] else Outcome.ACCEPTED)
    with bench.store.write() as conn:
        conn.exec_driver_sql("update subscriber set status = 'unsubscribed' where id > 95")
    assert run_due(bench.work(provider)).runs[0].counts["retry_wait"] == 1
    assert state(bench).state == "waiting"
    tell(bench, "delivered", [a for (a,) in bench.rows("select address from delivery where state = 'submitted'")])
    bench.clock.pass_by(WAIT)
    run = run_due(bench.work(provider)).runs[0]
    assert (run.state, run.counts) == ("completed", {"submitted": 95, "excluded": 5})
    assert provider.addresses.count(provider.addresses[0]) == 2


def test_a_small_audience_has_none(bench, scripted) -> None:
    """A canary of everybody would only be a delay."""
    bench.readers(20)
    bench.scheduled()
    configure(bench, canary="50%")
    assert run_due(bench.work(scripted())).runs[0].counts == {"submitted": 20}
    configure(bench, canary=20)
    assert state(bench).readers == 0


def test_a_number_and_limits_of_domains(bench, mixed, scripted) -> None:
    """Exactly that many, and the limit of a domain holds within the canary too."""
    configure(bench, canary=10)
    settings = ProviderSettings(name="scripted", per_domain={"big.test": "1/s"})
    bench.config = msgspec.structs.replace(bench.config, provider=settings)
    provider = scripted()
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 10, "pending": 90}
    assert bench.clock.ticks >= 4, "six at big.test, one a second"


def test_paused_by_hand_it_goes_on_where_it_was(bench, mixed, scripted) -> None:
    """A pause in the waiting time, resumed after it: judged then, not skipped."""
    provider = scripted()
    run_due(bench.work(provider))
    mailings.pause(bench.store, SLUG, actor="ada", now=bench.clock.us)
    bench.clock.pass_by(2 * WAIT)
    assert run_due(bench.work(provider)).runs == []
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    assert "cannot be judged" in (run_due(bench.work(provider)).runs[0].reason or "")


def test_switched_off_while_it_waits(bench, mixed, scripted) -> None:
    """The remedy that the message names works at once."""
    provider = scripted()
    run_due(bench.work(provider))
    configure(bench)
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 100}
    assert state(bench).verdict == "it was switched off"


def test_send_waits_without_the_lock_and_goes_on(bench, mixed, scripted) -> None:
    """On a terminal: the same minutes pass, in seconds, and another process could take over at any time."""
    provider = scripted()
    free = []

    def sleep(seconds: float) -> None:
        bench.clock.sleep(seconds)
        if len(free) < 3:
            with bench.store.read() as conn:
                free.append(rest_of(conn, bench.mailing(), bench.config, bench.clock.us) is not None)
            assert run_due(bench.work(provider)).error is None, "no lock that would be complained of"
            tell(bench, "delivered", provider.addresses)

    work = bench.work(provider)
    work = replace(work, timing=replace(work.timing, sleep=sleep))
    run = run_mailing(work, bench.mailing())
    assert (run.state, run.counts) == ("completed", {"submitted": 100})
    assert free == [True, True, True]
    assert max(bench.clock.slept) <= 1.0
    assert sum(bench.clock.slept) == pytest.approx(WAIT)
    assert len(set(provider.addresses)) == len(provider.addresses)


def test_send_that_waited_says_what_a_faster_cron_did(bench, mixed, scripted) -> None:
    """The mailing is completed by another process in the second in which both woke."""
    provider = scripted()
    ends = bench.clock.us + WAIT * SECOND

    def sleep(seconds: float) -> None:
        bench.clock.sleep(seconds)
        if bench.clock.us >= ends:
            tell(bench, "delivered", provider.addresses)
            assert run_due(bench.work(provider)).runs[0].state == "completed"

    work = bench.work(provider)
    run = run_mailing(replace(work, timing=replace(work.timing, sleep=sleep)), bench.mailing())
    assert (run.state, run.counts) == ("completed", {"submitted": 100})
    assert len(set(provider.addresses)) == len(provider.addresses)


def test_send_hears_a_stop_and_a_pause_while_it_waits(bench, mixed, scripted) -> None:
    provider = scripted()
    with pytest.raises(Interrupted, match="waiting for the canary until 07:10"):
        run_mailing(bench.work(provider, stop=lambda: bench.clock.ticks > 5), bench.mailing())
    assert bench.states() == {"submitted": 20, "pending": 80}
    assert state(bench).state == "waiting"


def test_a_mailing_warns_once_and_pauses_in_the_transaction_of_the_event(bench, scripted) -> None:
    """Without a canary: 3 of 2,900 is a warning, told once; from 0.3 % on the mailing stops in the middle."""
    bench.readers(40)
    mailing = bench.scheduled()
    provider = scripted(max_batch=10)
    stopped = run_due(bench.work(provider, stop=lambda: len(provider.batches) >= 2))
    assert isinstance(stopped.error, Interrupted)
    with bench.store.write() as conn:
        reputation.hear(conn, {mailing.id: (2900, 0)})
    got = provider.addresses
    assert tell(bench, "complained", got[:2]).warned == []
    assert len(tell(bench, "complained", got[2:3]).warned) == 1
    assert tell(bench, "complained", got[3:4]).warned == []
    assert bench.mailing().state == "sending"
    assert tell(bench, "complained", got[:4]).recorded == 0, "a replay is no second complaint"
    bench.clock.pass_by(1)
    assert tell(bench, "complained", got[:4]).stopped == [], "nor is a second word about the same mail"
    with bench.store.read() as conn:
        assert reputation.read(conn, mailing.id).complained == 4
    assert tell(bench, "complained", got[4:9]).stopped != []
    assert bench.mailing().state == "paused"
    assert run_due(bench.work(provider)).runs == []
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    assert tell(bench, "complained", got[9:12]).stopped == [], "counted from the resume on, against all that arrived"
    run = run_due(bench.work(provider)).runs[0]
    assert run.state == "completed"
    assert "complaints of spam" in (run.warning or "")
    assert [row[0] for row in bench.rows("select action from audit where action in ('warn', 'pause', 'resume')")] == [
        "warn", "pause", "resume",
    ]  # fmt: skip


def test_complaints_during_another_pause_count_when_it_is_resumed(bench, scripted) -> None:
    """Nobody saw them: paused by hand, resumed, and stopped before the next mail."""
    bench.readers(40)
    bench.scheduled()
    provider = scripted(max_batch=10)
    run_due(bench.work(provider, stop=lambda: len(provider.batches) >= 2))
    mailings.pause(bench.store, SLUG, actor="ada", now=bench.clock.us)
    got = list(provider.addresses)
    tell(bench, "delivered", got)
    assert tell(bench, "complained", got[:5]).stopped == []
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    run = run_due(bench.work(provider)).runs[0]
    assert (run.state, provider.addresses) == ("paused", got)
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    assert run_due(bench.work(provider)).runs[0].state == "completed"


def test_complaints_without_arrivals_are_a_share_of_what_was_submitted(bench, scripted) -> None:
    """A provider that reports complaints and nothing else is not divided by nought."""
    bench.readers(30)
    bench.scheduled()
    run_due(bench.work(scripted()))
    applied = tell(bench, "complained", [f"reader{n}@mail.test" for n in range(3)])
    assert len(applied.warned) == 1, "it is completed: nothing to pause, but worth a word"
    assert "10.00% of 30 mails that were submitted" in applied.warned[0]


def test_a_wrong_clock_does_not_let_a_canary_wait_for_ever(bench, mixed, scripted) -> None:
    """A time that no waiting time can have made is not believed; the mailing is judged instead of forgotten."""
    provider = scripted()
    bench.clock.us += 400 * 24 * 3600 * SECOND
    configure(bench, canary="20%", lateness="0m")
    run_due(bench.work(provider))
    bench.clock.us -= 400 * 24 * 3600 * SECOND
    assert "cannot be judged" in (run_due(bench.work(provider)).runs[0].reason or "")
