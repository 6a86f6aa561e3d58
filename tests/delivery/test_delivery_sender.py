"""The sender: windows, records, retries, rates, pauses, and what breaks under it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from newsletter.delivery import ledger, mailings
from newsletter.delivery.addressing import addresser, attribute_values
from newsletter.delivery.approval import outgoing_from_approval
from newsletter.delivery.domains import outside
from newsletter.delivery.outcomes import RetryPolicy
from newsletter.delivery.pace import Pace
from newsletter.delivery.plan import plan
from newsletter.delivery.ports import Outcome, Result
from newsletter.delivery.sender import Sender, Sent
from newsletter.errors import BadData, Busy, CannotWrite, IllegalState, Interrupted
from newsletter.store.engine import Store

SECOND = 1_000_000


@pytest.fixture
def planned(bench) -> Callable[..., Any]:
    """Schedule and plan a mailing to ``count`` readers."""

    def make(count: int = 10):
        bench.readers(count)
        mailing = bench.scheduled()
        with bench.store.write() as conn:
            assert mailings.step(conn, mailing.id, ("scheduled",), "planning")
        assert plan(bench.store, mailing, keys=bench.keys, now=bench.clock.us)
        return bench.mailing()

    return make


@pytest.fixture
def sender(bench) -> Callable[..., Sender]:
    def make(provider, **changes: object) -> Sender:
        mailing = bench.mailing()
        approval = bench.approval
        values = {
            "store": bench.store,
            "mailing": mailing,
            "provider": provider,
            "outgoing": outgoing_from_approval(approval, mailing=mailing.public_id, date=mailing.date),
            "write_to": addresser(issue=mailing.issue, site_url=approval.facts.site_url, keys=bench.keys),
            "keys": bench.keys,
            "timing": bench.clock.timing,
            **changes,
        }
        return Sender(**values)

    return make


def test_everybody_gets_it_once_and_the_sum_closes(bench, planned, sender, scripted) -> None:
    """The simplest sending: all accepted, the mailing complete, every row with its provider id."""
    planned(10)
    provider = scripted()
    seen: list[tuple[int, int]] = []
    sent = sender(provider, progress=lambda done, total: seen.append((done, total))).run()
    assert sorted(provider.addresses) == sorted(f"reader{n}@mail.test" for n in range(10))
    assert (sent.state, sent.counts) == ("completed", {"submitted": 10})
    assert [len(batch.recipients) for batch in provider.batches] == [3, 3, 3, 1]
    assert bench.rows("select count(*) from delivery where provider_id is null or tries <> 1") == [(0,)]
    assert bench.rows("select count(*) from attempt where ended_at is null") == [(0,)]
    assert seen[-1] == (10, 10)
    assert bench.mailing().finished_at == bench.clock.us


def test_rows_are_submitting_on_disk_before_the_provider_sees_them(bench, planned, sender, scripted) -> None:
    """From another connection, while the provider holds the window: all of it is ``submitting``, durably."""
    planned(5)
    held: list[dict[str, int]] = []

    def look(batch) -> None:
        keys = ",".join(f"'{r.key}'" for r in batch.recipients)
        held.extend(dict([row]) for row in bench.rows(  # type: ignore[arg-type]  # pairs of (state, count)
            f"select state, count(*) from delivery where public_id in ({keys}) group by state"))  # fmt: skip

    provider = scripted(before=look)
    sender(provider).run()
    assert held == [{"submitting": 3}, {"submitting": 2}]


def test_outcomes_are_recorded_with_their_reasons(bench, planned, sender, scripted) -> None:
    """Rejected and uncertain are final for the sender; the mailing completes with them in the sum."""
    planned(4)
    told = {"reader0@mail.test": Outcome.REJECTED, "reader1@mail.test": Outcome.UNKNOWN, "reader2@mail.test": None}
    sent = sender(scripted(lambda a, _n: told.get(a, Outcome.ACCEPTED))).run()
    assert sent.counts == {"submitted": 1, "rejected": 1, "uncertain": 2}
    assert sent.state == "completed"
    with bench.store.read() as conn:
        assert ledger.reasons(conn, bench.mailing().id) == [
            ("rejected", "said rejected", 1),
            ("uncertain", "said unknown", 1),
            ("uncertain", "the provider did not answer for this recipient", 1),
        ]


def test_a_retry_waits_its_time_and_then_goes_with_the_same_key(bench, planned, sender, scripted) -> None:
    """Within the wait that ``send`` allows: one sleep of a minute, then accepted; same key, same bytes."""
    planned(2)
    provider = scripted(lambda a, n: Outcome.RETRY if a == "reader0@mail.test" and n == 0 else Outcome.ACCEPTED)
    sent = sender(provider, pace=Pace(wait=600)).run()
    assert sent.counts == {"submitted": 2}
    assert sum(bench.clock.slept) == pytest.approx(60, abs=2)
    first, again = provider.batches[0].recipients[0], provider.batches[1].recipients[0]
    assert first == again


def test_run_due_does_not_wait_for_retries(bench, planned, sender, scripted) -> None:
    """It says when to come again and leaves the mailing sending."""
    planned(2)
    sent = sender(scripted(lambda a, _n: Outcome.RETRY if a == "reader0@mail.test" else Outcome.ACCEPTED)).run()
    assert (sent.state, sent.counts) == ("sending", {"submitted": 1, "retry_wait": 1})
    assert sent.next_try_at == bench.clock.us + 60 * SECOND
    assert bench.clock.slept == []


def test_retries_end(bench, planned, sender, scripted) -> None:
    """After five tries it is given up, with the last reason; the mailing completes."""
    planned(1)
    provider = scripted(lambda _a, _n: Outcome.RETRY)
    sent = sender(provider, pace=Pace(wait=100, retries=RetryPolicy(first=2, factor=2))).run()
    assert sent.counts == {"failed": 1}
    assert len(provider.batches) == 5
    assert bench.rows("select reason from delivery") == [("gave up after 5 tries: said retry",)]


def test_a_provider_that_is_away_is_left_alone_and_nobody_fails(bench, planned, sender, scripted) -> None:
    """Whole windows put off: the sender holds longer each time instead of running through the list."""
    planned(9)
    up_at = 600.0
    provider = scripted(lambda _a, _n: Outcome.RETRY if bench.clock.ticks < up_at else Outcome.ACCEPTED)
    sent = sender(provider, pace=Pace(wait=7200)).run()
    assert sent.counts == {"submitted": 9}
    before = [b for b in provider.batches if b.recipients]
    assert len(before) < 25, "it did not hammer"
    assert bench.clock.ticks < 1300, "and it came back soon after"


def test_run_due_gives_the_claimed_rows_back_when_the_provider_is_away(bench, planned, sender, scripted) -> None:
    """Nothing stays claimed by a process that is gone."""
    planned(9)
    provider = scripted(lambda _a, _n: Outcome.RETRY)
    sent = sender(provider).run()
    assert sent.counts == {"pending": 6, "retry_wait": 3}
    assert bench.rows("select max(tries) from delivery") == [(0,)]


def test_a_refused_batch_pauses_the_mailing_and_burns_nobody(bench, planned, sender, scripted) -> None:
    """A wrong password: everybody is pending again, and the reason is there for the editor."""
    planned(9)
    sent = sender(scripted(lambda _a, _n: Outcome.FAILED)).run()
    assert (sent.state, sent.counts) == ("paused", {"pending": 9})
    assert bench.mailing().reason == "the provider refused a whole batch: said failed"
    mailings.resume(bench.store, bench.mailing().issue, actor="ada", now=bench.clock.us)
    assert sender(scripted()).run().counts == {"submitted": 9}


def test_an_exception_of_the_provider_is_uncertain_never_guessed(bench, planned, sender, scripted) -> None:
    """Its window is uncertain, the others are recorded, the mailing is paused and the exception comes up."""
    planned(9)
    provider = scripted(lambda a, _n: ValueError("adapter bug") if a == "reader3@mail.test" else Outcome.ACCEPTED)
    with pytest.raises(ValueError, match="adapter bug"):
        sender(provider).run()
    assert bench.states() == {"submitted": 3, "uncertain": 3, "pending": 3}
    assert bench.mailing().state == "paused"
    assert "ValueError: adapter bug" in (bench.mailing().reason or "")
    assert bench.rows("select count(*) from attempt where ended_at is null") == [(0,)]


def test_a_stop_finishes_what_is_in_flight_and_leaves_the_rest_pending(bench, planned, sender, scripted) -> None:
    """SIGTERM: exit 75, no row in anybody's hands, and the next call goes on."""
    planned(9)
    provider = scripted()
    with pytest.raises(Interrupted):
        sender(provider, stop=lambda: len(provider.batches) >= 2).run()
    assert bench.states() == {"submitted": 6, "pending": 3}
    assert bench.mailing().state == "sending"
    assert sender(provider).run().counts == {"submitted": 9}
    assert len(provider.addresses) == len(set(provider.addresses)) == 9


def test_a_stop_after_the_last_mail_is_no_interruption(bench, planned, sender, scripted) -> None:
    """Done is done."""
    planned(2)
    provider = scripted()
    assert sender(provider, stop=lambda: bool(provider.batches)).run().state == "completed"


@pytest.mark.parametrize(
    ("act", "state", "left"), [("pause", "paused", "pending"), ("cancel", "cancelled", "cancelled")]
)
def test_pause_and_cancel_are_heard_between_windows(bench, planned, sender, scripted, act, state, left) -> None:
    """What is in flight is recorded; the rest is pending, or cancelled."""
    planned(12)

    def act_on_second(batch) -> None:
        if batch.recipients[0].address == "reader3@mail.test":
            getattr(mailings, act)(bench.store, bench.mailing().issue, actor="ada", now=bench.clock.us)

    sent = sender(scripted(before=act_on_second)).run()
    assert (sent.state, sent.counts) == (state, {"submitted": 6, left: 6})


def test_a_retry_in_a_cancelled_mailing_is_cancelled(bench, planned, sender, scripted) -> None:
    """Nothing waits for another try that will never be."""
    planned(3)

    def cancel(_batch) -> None:
        mailings.cancel(bench.store, bench.mailing().issue, actor="ada", now=bench.clock.us)

    told = {"reader0@mail.test": Outcome.RETRY, "reader1@mail.test": Outcome.UNKNOWN}
    provider = scripted(lambda a, _n: told.get(a, Outcome.ACCEPTED), before=cancel, idempotency=True)
    assert sender(provider).run().counts == {"submitted": 1, "cancelled": 1, "uncertain": 1}


def test_whoever_left_since_planning_is_excluded_at_claim(bench, planned, sender, scripted) -> None:
    """Unsubscribed is effective before the next claim."""
    planned(4)
    with bench.store.write() as conn:
        conn.exec_driver_sql("update subscriber set status = 'unsubscribed' where address <> 'reader3@mail.test'")
    provider = scripted()
    sent = sender(provider).run()
    assert provider.addresses == ["reader3@mail.test"]
    assert (sent.state, sent.counts) == ("completed", {"submitted": 1, "excluded": 3})


def test_an_address_that_the_wire_cannot_carry_is_excluded_with_the_reason(bench, planned, sender, scripted) -> None:
    """SMTPUTF8 is asked for only where the local part needs it."""
    planned(3)
    with bench.store.write() as conn:
        conn.exec_driver_sql("update delivery set address = 'jürgen@mail.test' where address = 'reader0@mail.test'")
        conn.exec_driver_sql("update delivery set address = 'a@bücher.test' where address = 'reader1@mail.test'")
    sent = sender(scripted()).run()
    assert sent.counts == {"submitted": 2, "excluded": 1}
    assert bench.rows("select reason from delivery where state = 'excluded'") == [
        ("the address needs SMTPUTF8, which scripted does not have",)
    ]


def test_merge_values_and_links_reach_the_provider(bench, scripted, sender) -> None:
    """Attributes as frozen, links signed for the subscriber, one-click headers; without a site none of them."""
    bench.readers(1)
    mailing = bench.scheduled(site="https://estuary.test")
    with bench.store.write() as conn:
        mailings.step(conn, mailing.id, ("scheduled",), "planning")
    plan(bench.store, mailing, keys=bench.keys, now=bench.clock.us)
    provider = scripted()
    sender(provider).run()
    (reader,) = provider.batches[0].recipients
    (public_id,) = bench.rows("select public_id from subscriber")[0]
    assert reader.values["first_name"] == "N0"
    assert f"v1.unsubscribe.{public_id}." in reader.values["unsubscribe_url"]
    assert reader.values["web_url"] == "https://estuary.test/v/2026-11-27"
    assert dict(reader.headers)["List-Unsubscribe"] == f"<{reader.values['unsubscribe_url']}>"
    assert "List-Unsubscribe-Post" in dict(reader.headers)


@pytest.mark.parametrize("damaged", ["[1]", "{", ""])
def test_damaged_attributes_are_said(damaged: str) -> None:
    """Nobody gets somebody's defaults because a row is broken."""
    with pytest.raises(BadData):
        attribute_values(damaged)


def test_a_rate_is_kept_and_spread_evenly(bench, planned, sender, scripted) -> None:
    """2/s for 20 readers takes about 10 s in windows of at most a second's worth."""
    planned(20)
    provider = scripted(max_batch=20)
    sender(provider, pace=Pace(rate=2.0)).run()
    assert bench.clock.ticks == pytest.approx(9.5, abs=1)
    assert {len(batch.recipients) for batch in provider.batches} == {2}


def test_windows_run_side_by_side_but_never_more_than_the_provider_says(bench, planned, sender, scripted) -> None:
    """With two connections two windows are in flight, never three."""
    planned(24)
    gate = threading.Barrier(2, timeout=5)
    now, most = [0], [0]

    def together(_batch) -> None:
        now[0] += 1
        most[0] = max(most[0], now[0])
        gate.wait()
        now[0] -= 1

    sent = sender(scripted(before=together, concurrency=2)).run()
    assert sent.counts == {"submitted": 24}
    assert most == [2]


def test_a_dead_attempt_is_recovered(bench, planned, sender, scripted) -> None:
    """Claims go back; what was on its way is uncertain, and goes again only under our key."""
    mailing = planned(6)

    def die() -> None:
        with bench.store.write() as conn:
            dead = ledger.begin_attempt(conn, mailing.id, pid=1, host="gone", now=bench.clock.us)
            rows = ledger.claim(conn, mailing.id, dead, 4, keys=bench.keys, now=bench.clock.us)
            ledger.mark_submitting(conn, [row.id for row in rows[:2]], dead, bench.clock.us)

    die()
    sent = sender(scripted()).run()
    assert (sent.recovered.released, sent.recovered.uncertain) == (2, 2)
    assert sent.counts == {"submitted": 4, "uncertain": 2}
    assert bench.rows("select distinct reason from delivery where state = 'uncertain'") == [
        (ledger.UNKNOWN_AFTER_CRASH,)
    ]


def test_a_dead_attempt_goes_again_where_the_provider_honours_our_key(bench, planned, sender, scripted) -> None:
    """Same key, so the second submission has no second effect."""
    mailing = planned(3)
    with bench.store.write() as conn:
        dead = ledger.begin_attempt(conn, mailing.id, pid=1, host="gone", now=bench.clock.us)
        rows = ledger.claim(conn, mailing.id, dead, 2, keys=bench.keys, now=bench.clock.us)
        ledger.mark_submitting(conn, [row.id for row in rows], dead, bench.clock.us)
    sent = sender(scripted(idempotency=True)).run()
    assert (sent.recovered.released, sent.counts) == (2, {"submitted": 3})


class Failing:
    """A store whose next write transactions fail at their end, as a full disk or a long writer makes them."""

    def __init__(self, store: Store, errors: list[BaseException | None]) -> None:
        self._store = store
        self._errors = errors

    def read(self):
        return self._store.read()

    def write(self):
        error = self._errors.pop(0) if self._errors else None
        if error is None:
            return self._store.write()
        return self._failing(error)

    def _failing(self, error: BaseException):
        from contextlib import contextmanager

        @contextmanager
        def broken():
            with self._store.write() as conn:
                yield conn
                raise error

        return broken()


def test_a_disk_that_is_full_for_a_moment_loses_no_result(bench, planned, sender, scripted) -> None:
    """The answers that could not be written are written on the way out; the error comes up."""
    planned(3)
    provider = scripted()
    # begin, first turn (claim), second (mark), third (record): full, then room again for the drain.
    store = Failing(bench.store, [None, None, None, CannotWrite("full"), CannotWrite("full"), None])
    with pytest.raises(CannotWrite):
        sender(provider, store=store).run()
    assert bench.states() == {"submitted": 3}
    assert sender(provider).run().state == "completed"
    assert len(provider.addresses) == 3


def test_a_disk_that_stays_full_leaves_rows_that_are_uncertain_next_time(bench, planned, sender, scripted) -> None:
    """What cannot be written down is not forgotten: it is ``submitting``, and nobody sends it again."""
    planned(6)
    provider = scripted()
    store = Failing(bench.store, [None, None, None, *[CannotWrite("full")] * 10])
    with pytest.raises(CannotWrite):
        sender(provider, store=store).run()
    assert bench.states() == {"submitting": 3, "claimed": 3} or bench.states() == {"submitting": 3, "pending": 3}
    sent = sender(provider).run()
    assert sent.counts == {"submitted": 3, "uncertain": 3}
    assert len(provider.addresses) == 6


def test_a_database_that_is_busy_is_asked_again(bench, planned, sender, scripted) -> None:
    """Another writer (an import, another mailing's plan) delays the sender and nothing else."""
    planned(6)
    store = Failing(bench.store, [None, Busy("busy"), None, Busy("busy"), None, Busy("busy"), None])
    assert sender(scripted(), store=store).run().counts == {"submitted": 6}


def test_a_database_that_stays_busy_is_reported(bench, planned, sender, scripted) -> None:
    """But not for ever."""
    planned(3)
    store = Failing(bench.store, [None, *[Busy("busy")] * 40])
    with pytest.raises(Busy):
        sender(scripted(), store=store).run()
    assert bench.states() == {"pending": 3}


def test_a_ledger_that_changed_underneath_stops_the_sender(bench, planned, sender, scripted) -> None:
    """Somebody else's hand in our rows: nothing more is sent on what we believed."""
    planned(6)

    def meddle(_batch) -> None:
        with bench.store.write() as conn:
            conn.exec_driver_sql("update delivery set state = 'pending' where state = 'submitting'")

    with pytest.raises(IllegalState, match="another process"):
        sender(scripted(before=meddle)).run()


def test_rows_that_are_not_ours_any_more_are_not_submitted(bench, planned) -> None:
    """Marking is conditional on the claim."""
    mailing = planned(2)
    with pytest.raises(IllegalState), bench.store.write() as conn:
        attempt = ledger.begin_attempt(conn, mailing.id, pid=1, host="h", now=1)
        rows = ledger.claim(conn, mailing.id, attempt, 2, keys=bench.keys, now=1)
        conn.exec_driver_sql("update delivery set state = 'cancelled'")
        ledger.mark_submitting(conn, [row.id for row in rows], attempt, 1)


def test_a_sum_that_does_not_close_is_refused(bench, planned, sender, scripted) -> None:
    """A mailing is never complete because "no rows are left"."""
    planned(3)
    with bench.store.write() as conn:
        conn.exec_driver_sql("delete from delivery where address = 'reader0@mail.test'")
    with pytest.raises(IllegalState, match="does not close"):
        sender(scripted()).run()
    assert bench.mailing().state == "sending"


def test_a_wall_clock_that_jumps_changes_nothing(bench, planned, sender, scripted) -> None:
    """Back by a day and forth by a day in mid-sending: everybody once, the sum closes."""
    planned(12)
    jumps = iter([-86400, 2 * 86400, -86400, 0, 0, 0])

    def jump(_batch) -> None:
        bench.clock.us += next(jumps) * SECOND

    provider = scripted(before=jump)
    assert sender(provider, pace=Pace(wait=60)).run().counts == {"submitted": 12}
    assert len(provider.addresses) == 12


def test_a_retry_that_is_due_goes_before_the_list_ends(bench, planned, sender, scripted) -> None:
    """A slow list does not starve those who wait."""
    planned(24)
    provider = scripted(
        lambda a, n: Outcome.RETRY if a == "reader0@mail.test" and n == 0 else Outcome.ACCEPTED,
        before=lambda _b: bench.clock.pass_by(30),
    )
    assert sender(provider).run().counts == {"submitted": 24}
    assert provider.addresses.index("reader0@mail.test", 1) < len(provider.addresses) - 1


def test_retry_after_of_one_recipient_is_honoured(bench, planned, sender, scripted) -> None:
    """The provider's own word beats our schedule when it is longer."""
    planned(1)
    slow = Result("", Outcome.RETRY, "429", retry_after=900.0)
    sent: Sent = sender(scripted(lambda _a, _n: slow)).run()
    assert sent.next_try_at == bench.clock.us + 900 * SECOND


def test_every_hot_statement_uses_an_index(bench, planned) -> None:
    """At a million rows a full scan per window would be the end of it."""
    mailing = planned(5)
    values = {"mailing": mailing.id, "limit": 5, "now": 1, "never": 9, "attempt": 1, "state": "pending",
              "was": "claimed", "reason": None}  # fmt: skip
    beyond, patterns = outside({"mail.test", "example.org"})
    hot = [s.text for s in (ledger._PENDING, ledger._RELEASE, ledger._PROMOTE, ledger._NEXT_TRY, ledger._RECOVER)]
    for statement in (*hot, ledger._PENDING_BUT.format(beyond=beyond)):
        with bench.store.read() as conn:
            plan_rows = conn.execute(text(f"EXPLAIN QUERY PLAN {statement}"), {**values, **patterns}).all()
        described = " ".join(str(row[-1]) for row in plan_rows)
        assert "ix_delivery_open" in described, described
        assert "TEMP B-TREE" not in described, "sorting all pending rows for each window is quadratic"


def test_retry_policy_is_the_callers(bench, planned, sender, scripted) -> None:
    """A shorter policy for a shorter life."""
    planned(1)
    sent = sender(scripted(lambda _a, _n: Outcome.RETRY), pace=Pace(retries=RetryPolicy(tries=1))).run()
    assert sent.counts == {"failed": 1}
