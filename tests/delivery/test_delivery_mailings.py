"""The states of a mailing, who may change them when, and planning."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.delivery import ledger, mailings
from newsletter.delivery.outcomes import Change
from newsletter.delivery.plan import HAD_IT, foresee, plan
from newsletter.delivery.run_due import run_due
from newsletter.delivery.schedule import SendAt
from newsletter.errors import GuardRefused, IllegalState, NewsletterError

SLUG = "2026-11-27"


def to_planning(bench) -> mailings.Mailing:
    mailing = bench.mailing()
    with bench.store.write() as conn:
        assert mailings.step(conn, mailing.id, ("scheduled",), "planning")
    return mailing


def audit(bench) -> list[str]:
    return [str(action) for (action,) in bench.rows("select action from audit order by id")]


def test_an_issue_has_one_mailing(bench) -> None:
    """Scheduling twice gives the same one; that is how sending twice is impossible."""
    first = bench.scheduled()
    again, new = mailings.schedule(
        bench.store, issue=SLUG, digest="sha256:other", provider="x", actor="eve", now=1,
        send_at=SendAt(first.due, "x", "UTC"),
    )  # fmt: skip
    assert (again, new) == (first, False)
    assert (first.due, first.date) == (again.due, again.date)
    assert audit(bench) == ["schedule"]


def test_planning_freezes_everybody_with_their_reason(bench) -> None:
    """Attributes and address as they are now; who is excluded counts as planned."""
    bench.readers(2500)
    with bench.store.write() as conn:
        conn.exec_driver_sql("update subscriber set status = 'unsubscribed' where id % 5 = 0")
    bench.scheduled()
    mailing = to_planning(bench)
    asked: list[int] = []
    planned = plan(bench.store, mailing, keys=bench.keys, now=1_234_567_890, accept=asked.append)
    assert planned is not None
    assert (planned.total, planned.pending, planned.excluded) == (2500, 2000, {"unsubscribed": 500})
    assert asked == [2000]
    assert bench.states() == {"pending": 2000, "excluded": 500}
    after = bench.mailing()
    assert (after.state, after.planned, after.date_header, after.planned_at) == (
        "sending", 2500, 1_234_000_000, 1_234_567_890,
    )  # fmt: skip
    with bench.store.write() as conn:
        conn.exec_driver_sql("update subscriber set attributes = '{}', address = 'new@mail.test' where id = 1")
    assert bench.rows("select address, attributes from delivery where subscriber_id = 1") == [
        ("reader0@mail.test", json.dumps({"first_name": "N0"}))
    ]
    assert foresee(bench.store, bench.keys, SLUG) == planned


def test_a_crash_while_planning_leaves_nothing_and_it_is_planned_again(bench) -> None:
    """One transaction."""
    bench.readers(30)
    bench.scheduled()
    mailing = to_planning(bench)

    def crash(_pending: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan(bench.store, mailing, keys=bench.keys, now=1, accept=crash)
    assert bench.states() == {}
    assert bench.mailing().state == "planning"
    assert plan(bench.store, mailing, keys=bench.keys, now=1)
    assert bench.states() == {"pending": 30}


def test_a_mailing_that_was_taken_back_is_not_planned(bench) -> None:
    """Unapproved between being found due and being planned."""
    bench.readers(3)
    bench.scheduled()
    mailing = to_planning(bench)
    assert mailings.unapprove(bench.store, SLUG, actor="ada", now=1) is not None
    assert plan(bench.store, mailing, keys=bench.keys, now=1) is None
    assert bench.rows("select count(*) from delivery") == [(0,)]


@pytest.mark.parametrize(("count", "words"), [(0, "the audience is empty"), (2, "2 unsubscribed")])
def test_nobody_to_send_to_is_refused(bench, count: int, words: str) -> None:
    """A mailing to nobody is a mistake, not a success."""
    bench.readers(count)
    with bench.store.write() as conn:
        conn.exec_driver_sql("update subscriber set status = 'unsubscribed'")
    bench.scheduled()
    with pytest.raises(GuardRefused, match=words):
        plan(bench.store, to_planning(bench), keys=bench.keys, now=1)


def test_whoever_had_the_issue_does_not_get_it_from_a_second_mailing(bench, scripted) -> None:
    """Cancelled half-way, approved again: only those who are left."""
    bench.readers(9)
    bench.scheduled()
    provider = scripted(before=lambda b: len(provider.batches) == 1 and mailings.cancel(
        bench.store, SLUG, actor="ada", now=1))  # fmt: skip
    run_due(bench.work(provider))
    assert bench.states() == {"submitted": 6, "cancelled": 3}
    from newsletter.delivery.approval import remove_approval

    mailings.unapprove(bench.store, SLUG, actor="ada", now=2)
    remove_approval(bench.ws, SLUG)
    foreseen = foresee(bench.store, bench.keys, SLUG)
    assert (foreseen.pending, foreseen.excluded) == (3, {HAD_IT: 6}), "what is shown before is what is sent"
    bench.scheduled()
    run_due(bench.work(provider))
    assert bench.states() == {"submitted": 3, "excluded": 6}
    assert bench.rows(f"select count(*) from delivery where reason = '{HAD_IT}'") == [(6,)]
    assert len(provider.addresses) == len(set(provider.addresses)) == 9


def test_unapproving_stops_it_before_the_first_mail(bench) -> None:
    """ "Stopped, 0 submitted", in each state up to the first byte."""
    bench.readers(3)
    assert mailings.unapprove(bench.store, SLUG, actor="ada", now=1) is None
    bench.scheduled()
    plan(bench.store, to_planning(bench), keys=bench.keys, now=1)
    assert mailings.unapprove(bench.store, SLUG, actor="ada", now=1) is not None
    assert bench.states() == {"cancelled": 3}
    assert mailings.live(bench.store, SLUG) is None
    assert mailings.latest(bench.store, SLUG) is not None


@pytest.mark.parametrize("state", ["submitting", "submitted", "rejected", "failed", "uncertain"])
def test_unapproving_is_refused_from_the_first_byte_on(bench, state: str) -> None:
    """With the number, and the way to stop the rest."""
    bench.readers(3)
    bench.scheduled()
    plan(bench.store, to_planning(bench), keys=bench.keys, now=1)
    with bench.store.write() as conn:
        conn.exec_driver_sql("update delivery set state = ? where subscriber_id = 1", (state,))
    with pytest.raises(IllegalState, match=f"{int(state == 'submitted')} submitted") as refused:
        mailings.unapprove(bench.store, SLUG, actor="ada", now=1)
    assert "newsletter cancel" in (refused.value.fix or "")
    assert bench.mailing().state == "sending"


def test_a_sent_issue_is_not_unapproved_paused_or_cancelled(bench, scripted) -> None:
    """It is over."""
    bench.readers(2)
    bench.scheduled()
    run_due(bench.work(scripted()))
    with pytest.raises(IllegalState, match="is sent: 2 submitted"):
        mailings.unapprove(bench.store, SLUG, actor="ada", now=1)
    for act in (mailings.cancel, mailings.pause, mailings.resume):
        with pytest.raises(IllegalState, match="completed"):
            act(bench.store, SLUG, actor="ada", now=1)


def test_pause_and_resume(bench) -> None:
    """Pausing twice is fine; what is only scheduled is unapproved instead; what is not there cannot be paused."""
    with pytest.raises(IllegalState, match="no mailing"):
        mailings.pause(bench.store, SLUG, actor="ada", now=1)
    bench.readers(2)
    bench.scheduled()
    with pytest.raises(IllegalState) as refused:
        mailings.pause(bench.store, SLUG, actor="ada", now=1)
    assert "unapprove" in (refused.value.fix or "")
    plan(bench.store, to_planning(bench), keys=bench.keys, now=1)
    assert mailings.pause(bench.store, SLUG, actor="ada", now=1).state == "paused"
    assert mailings.pause(bench.store, SLUG, actor="ada", now=1).reason == "paused by ada"
    assert mailings.resume(bench.store, SLUG, actor="ada", now=1).state == "sending"
    mailings.pause_for(bench.store, bench.mailing(), "because", 1)
    mailings.pause_for(bench.store, bench.mailing(), "again", 1)
    assert bench.mailing().reason == "because"
    assert not mailings.hold(bench.store, bench.mailing(), "late", "x", 1)


def test_cancelling_tells_what_was_and_will_not_be(bench) -> None:
    """Numbers for the editor, in flight included."""
    bench.readers(4)
    bench.scheduled()
    plan(bench.store, to_planning(bench), keys=bench.keys, now=1)
    with bench.store.write() as conn:
        conn.exec_driver_sql("update delivery set state = 'submitted' where subscriber_id = 1")
        conn.exec_driver_sql("update delivery set state = 'submitting' where subscriber_id = 2")
    assert mailings.cancel(bench.store, SLUG, actor="ada", now=1) == mailings.Ended(1, 2, 1)


ACTS = ("pause", "resume", "cancel", "unapprove", "plan", "claim", "mark", "accept", "die", "retry", "finish")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(ACTS), max_size=25))
def test_whatever_happens_in_whatever_order_nobody_is_lost_and_nobody_goes_twice(bench, acts: list[str]) -> None:
    """Editors and senders in any order: every row in one state, the sum is the plan, a settled row stays settled."""
    with bench.store.write() as conn:
        for table in ("delivery", "attempt", "mailing", "audit", "subscriber"):
            conn.exec_driver_sql(f"delete from {table}")
    bench.readers(5)
    from newsletter.delivery.approval import remove_approval

    remove_approval(bench.ws, SLUG)
    mailing = bench.scheduled()
    attempt, held, marked = 0, [], []
    settled: dict[object, object] = {}
    sent: list[int] = []
    for act in acts:
        try:
            if act in ("pause", "resume", "cancel", "unapprove"):
                getattr(mailings, act)(bench.store, SLUG, actor="ada", now=1)
            elif act == "plan":
                with bench.store.write() as conn:
                    mailings.step(conn, mailing.id, ("scheduled",), "planning")
                plan(bench.store, mailing, keys=bench.keys, now=1)
            else:
                with bench.store.write() as conn:
                    if not attempt or act == "die":
                        attempt = ledger.begin_attempt(conn, mailing.id, pid=1, host="h", now=1)
                        ledger.recover(conn, mailing.id, attempt, idempotent=False, now=1)
                        held, marked = [], []
                    state = mailings.beat(conn, mailing.id, 1)
                    if act == "claim" and state == "sending":
                        held += ledger.claim(conn, mailing.id, attempt, 2, keys=bench.keys, now=1)
                    elif act == "mark" and state == "sending" and held:
                        ledger.mark_submitting(conn, [held[0].id], attempt, 1)
                        row = held.pop(0)
                        marked.append(row)
                    elif act in ("accept", "retry") and marked:
                        row = marked.pop(0)
                        if act == "accept":
                            sent.append(row.id)
                        to = ("submitted", None) if act == "accept" else ("retry_wait", 0)
                        change = Change(row.id, to[0], None, 1, next_try_at=to[1])
                        ledger.record(conn, [change], attempt, 1, cancelled=state == "cancelled")
                        ledger.promote(conn, mailing.id, 1)
                    elif act == "finish":
                        from newsletter.delivery.windows import complete

                        complete(conn, mailing, 1)
        except NewsletterError:
            held = []
        now = dict(bench.rows("select id, state from delivery"))
        planned = bench.rows("select planned from mailing where state <> 'x'")[0][0]
        assert len(now) == (planned or 0)
        for row, state in settled.items():
            assert now[row] == state, "what is settled stays settled"
        settled = {row: state for row, state in now.items() if state in ledger.SETTLED}
    assert len(sent) == len(set(sent)), "nobody twice"
