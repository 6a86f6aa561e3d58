"""What providers say later: recorded once, evidence for the uncertain, and what follows for readers."""

from __future__ import annotations

import random
from typing import Any

import pytest

from newsletter.audience import subscribers
from newsletter.delivery import evidence, ledger, mailings
from newsletter.delivery.addressing import addresser
from newsletter.delivery.approval import outgoing_from_approval
from newsletter.delivery.events import counts
from newsletter.delivery.plan import plan
from newsletter.delivery.ports import Event, Outcome
from newsletter.delivery.run_due import run_due
from newsletter.delivery.sender import Sender
from newsletter.errors import Busy
from newsletter.store.tables import subscriber

SECOND = 1_000_000
SLUG = "2026-11-27"


def test_an_event_is_recorded_once_however_often_it_is_told(bench, told, sent) -> None:
    sent()
    one = told.event("reader0@mail.test", "delivered")
    assert told.apply(one).recorded == 1
    again = told.apply(one, one)
    assert (again.recorded, again.repeated) == (0, 2)
    later = told.event("reader0@mail.test", "delivered", after=61)
    assert told.apply(later).recorded == 1
    with bench.store.read() as conn:
        assert counts(conn, bench.mailing().id) == {"delivered": 1}, "of how many deliveries, not how many words"


def test_events_of_other_mails_are_counted_and_forgotten(bench, told, sent) -> None:
    sent()
    applied = told.apply(Event("0" * 32, "bounced", bench.clock.us, "550 5.1.1"))
    assert (applied.foreign, applied.recorded, applied.suppressed) == (1, 0, 0)
    assert bench.rows("select count(*) from event") == [(0,)]


@pytest.mark.parametrize("kind", ["processed", "delivered", "deferred", "bounced", "blocked", "complained", "opened"])
def test_whoever_speaks_of_a_mail_must_have_got_it(bench, told, sent, kind: str) -> None:
    """An uncertain delivery is submitted by any word about it; the sum closes as before and the log says why."""
    sent(4, lambda a, _n: Outcome.UNKNOWN if a == "reader1@mail.test" else Outcome.ACCEPTED)
    assert bench.states() == {"submitted": 3, "uncertain": 1}
    assert told.apply(told.event("reader1@mail.test", kind)).settled == 1
    assert told.state("reader1@mail.test") == ("submitted", f"event: {kind}")
    assert bench.states() == {"submitted": 4}
    (audit,) = bench.rows("select actor, detail from audit where action = 'reconcile'")
    assert audit[0] == "sendgrid" and told.key("reader1@mail.test") in str(audit[1])
    assert told.apply(told.event("reader1@mail.test", kind)).settled == 0


def test_what_the_provider_dropped_was_not_sent(bench, told, sent) -> None:
    """Rejected, with the provider's reason; a submitted one stays what it is, and the drop is counted."""
    sent(2, lambda a, _n: Outcome.UNKNOWN if a == "reader1@mail.test" else Outcome.ACCEPTED)
    told.apply(
        told.event("reader1@mail.test", "dropped", detail="Bounced Address"),
        told.event("reader0@mail.test", "dropped", detail="Bounced Address"),
    )
    assert told.state("reader1@mail.test") == ("rejected", "event: dropped: Bounced Address")
    assert told.state("reader0@mail.test") == ("submitted", None)
    assert told.suppressed() == [], "SendGrid's own list is no proof of a bad mailbox"
    assert bench.states() == {"submitted": 1, "rejected": 1}


def test_processed_is_evidence_and_nothing_else(bench, told, sent) -> None:
    """A million of them a mailing would be a million rows that say nothing new."""
    sent(2)
    assert told.apply(told.event("reader0@mail.test", "processed")).recorded == 0
    assert bench.rows("select count(*) from event") == [(0,)]


def test_evidence_that_comes_before_the_doubt_settles_it(bench, told, scripted) -> None:
    """The usual order of things: SendGrid took the mail and tells so, while our request waits for its time-out."""
    bench.readers(3)
    bench.scheduled()

    def tell(batch: Any) -> None:
        applied = told.apply(
            told.event("reader0@mail.test", "processed"),
            told.event("reader1@mail.test", "dropped", detail="Invalid"),
        )
        assert applied.settled == 0, "a process has them in its hands: nothing is taken from it"
        assert bench.states()["submitting"] == 3

    report = run_due(bench.work(scripted(lambda _a, _n: Outcome.UNKNOWN, before=tell)))
    assert report.error is None
    assert told.state("reader0@mail.test") == ("submitted", "event: processed")
    assert told.state("reader1@mail.test") == ("rejected", "event: dropped: Invalid")
    assert told.state("reader2@mail.test")[0] == "uncertain"
    assert bench.mailing().state == "completed"


def test_evidence_settles_what_a_dead_process_left(bench, told, scripted) -> None:
    """Killed with three mails on their way: two of them are known from events when the next process looks."""
    bench.readers(3)
    mailing = bench.scheduled()
    with bench.store.write() as conn:
        mailings.step(conn, mailing.id, ("scheduled",), "planning")
    plan(bench.store, mailing, keys=bench.keys, now=bench.clock.us)
    with bench.store.write() as conn:
        attempt = ledger.begin_attempt(conn, mailing.id, pid=1, host="x", now=bench.clock.us)
        rows = ledger.claim(conn, mailing.id, attempt, 3, keys=bench.keys, now=bench.clock.us)
        ledger.mark_submitting(conn, [row.id for row in rows], attempt, bench.clock.us)
    told.apply(told.event("reader0@mail.test", "processed"), told.event("reader1@mail.test", "delivered"))
    assert bench.states() == {"submitting": 3}
    run_due(bench.work(scripted()))
    assert bench.states() == {"submitted": 2, "uncertain": 1}
    assert bench.mailing().state == "completed"


def test_evidence_settles_what_a_cancelled_mailing_left(bench, told, scripted) -> None:
    """The same where nobody sends any more."""
    bench.readers(2)
    mailing = bench.scheduled()
    with bench.store.write() as conn:
        mailings.step(conn, mailing.id, ("scheduled",), "planning")
    plan(bench.store, mailing, keys=bench.keys, now=bench.clock.us)
    with bench.store.write() as conn:
        attempt = ledger.begin_attempt(conn, mailing.id, pid=1, host="x", now=bench.clock.us)
        rows = ledger.claim(conn, mailing.id, attempt, 1, keys=bench.keys, now=bench.clock.us)
        ledger.mark_submitting(conn, [row.id for row in rows], attempt, bench.clock.us)
    mailings.cancel(bench.store, SLUG, actor="ada", now=bench.clock.us)
    told.apply(told.event("reader0@mail.test", "delivered"))
    run_due(bench.work(scripted()))
    assert bench.states() == {"submitted": 1, "cancelled": 1}


def test_a_restored_backup_does_not_send_again_what_an_event_proves(bench, told, scripted) -> None:
    """The rows are pending in the old database; their events show that they went out after the backup was made."""
    bench.readers(3)
    mailing = bench.scheduled()
    with bench.store.write() as conn:
        mailings.step(conn, mailing.id, ("scheduled",), "planning")
    plan(bench.store, mailing, keys=bench.keys, now=bench.clock.us)
    assert told.apply(told.event("reader0@mail.test", "delivered")).settled == 1
    provider = scripted()
    run_due(bench.work(provider))
    assert sorted(provider.addresses) == ["reader1@mail.test", "reader2@mail.test"]
    assert bench.states() == {"submitted": 3}


def test_an_unknown_mailbox_is_suppressed_and_a_refusal_of_us_is_not(bench, told, sent) -> None:
    """The table of docs/providers.md, on real rows: only two of these readers lose their place."""
    sent(9)
    words = {
        0: ("bounced", "550 5.1.1 no such user"),
        1: ("bounced", "550 5.2.1 account is disabled"),
        2: ("blocked", "550 5.1.1 no such user"),
        3: ("bounced", "552 5.2.2 mailbox full"),
        4: ("bounced", "550 5.7.1 rejected as spam"),
        5: ("bounced", "554 5.3.0 our disk is broken"),
        6: ("deferred", "451 4.7.1 greylisted"),
        7: ("dropped", "Bounced Address"),
        8: ("bounced", "421 timeout"),
    }
    applied = told.apply(*(told.event(f"reader{n}@mail.test", k, detail=d) for n, (k, d) in words.items()))
    assert applied.suppressed == 2
    source = f"sendgrid event, mailing {bench.mailing().public_id}"
    assert told.suppressed() == [("unknown mailbox (5.1.1)", source), ("disabled mailbox (5.2.1)", source)]
    assert applied.paused == []


def test_a_complaint_suppresses_and_unsubscribes(bench, told, sent) -> None:
    sent()
    applied = told.apply(told.event("reader0@mail.test", "complained"))
    assert (applied.suppressed, applied.unsubscribed) == (1, 1)
    reader, log = subscribers.show(bench.store, "reader0@mail.test")
    assert reader.status == "unsubscribed"
    assert (log[-1].event, log[-1].basis) == ("unsubscribed", "a complaint of spam")
    assert told.suppressed()[0][0] == "complained"


@pytest.mark.parametrize(("cause", "suppressed"), [("complained", 1), ("unsubscribed", 0)])
def test_a_drop_for_what_the_reader_told_the_provider_earlier_counts(bench, told, sent, cause, suppressed) -> None:
    sent()
    applied = told.apply(told.event("reader0@mail.test", "dropped", cause=cause))
    assert (applied.suppressed, applied.unsubscribed) == (suppressed, 1)
    assert subscribers.find(bench.store, "reader0@mail.test").status == "unsubscribed"


def test_word_of_an_unsubscription_that_comes_late_does_not_undo_a_later_subscription(bench, told, sent) -> None:
    """A webhook may be hours behind; what the reader said last counts."""
    sent(2)
    late = told.event("reader0@mail.test", "unsubscribed", after=-3600)
    with bench.store.write() as conn:
        conn.exec_driver_sql(
            "insert into consent (subscriber_id, event, basis, source, at) select id, 'subscribed', 'b', 's', ?"
            " from subscriber where address = 'reader0@mail.test'",
            (bench.clock.us - 1800 * SECOND,),
        )
    assert told.apply(late, told.event("reader1@mail.test", "unsubscribed")).unsubscribed == 1
    assert subscribers.find(bench.store, "reader0@mail.test").status == "subscribed"
    assert subscribers.find(bench.store, "reader1@mail.test").status == "unsubscribed"


def test_no_event_keeps_an_address_or_what_somebody_clicked(bench, told, sent) -> None:
    """A server quotes the address it refuses; erasing a reader must not have to look for it here."""
    sent()
    told.apply(
        told.event("reader0@mail.test", "bounced", detail="550 5.1.1 <reader0@mail.test>: unknown"),
        told.event("reader1@mail.test", "clicked", detail="https://estuary.test/story?id=5"),
        told.event("reader2@mail.test", "opened", detail="Mozilla/5.0"),
    )
    assert bench.rows("select kind, detail from event order by kind") == [
        ("bounced", "550 5.1.1 <…@mail.test>: unknown"),
        ("clicked", ""),
        ("opened", ""),
    ]


def test_events_of_an_erased_reader_are_counted_and_bring_nobody_back(bench, told, sent) -> None:
    sent()
    key = told.key("reader0@mail.test")
    subscribers.erase(bench.store, "reader0@mail.test", bench.keys)
    before = told.suppressed()
    applied = told.apply(
        Event(key, "bounced", bench.clock.us, "550 5.1.1"), Event(key, "complained", bench.clock.us),
        Event(key, "unsubscribed", bench.clock.us),
    )  # fmt: skip
    assert (applied.recorded, applied.suppressed, applied.unsubscribed) == (3, 0, 0)
    assert told.suppressed() == before


def test_order_does_not_matter(bench, told, sent) -> None:
    """Every order of the same events, in any number of calls, ends in the same place."""
    sent(6, lambda a, _n: Outcome.UNKNOWN if a in ("reader0@mail.test", "reader1@mail.test") else Outcome.ACCEPTED)
    words = [
        told.event("reader0@mail.test", "processed"),
        told.event("reader0@mail.test", "delivered", after=61),
        told.event("reader0@mail.test", "unsubscribed", after=80),
        told.event("reader1@mail.test", "dropped", detail="Invalid"),
        told.event("reader2@mail.test", "delivered"),
        told.event("reader2@mail.test", "complained", after=70),
        told.event("reader3@mail.test", "bounced", detail="550 5.1.1 unknown"),
        told.event("reader4@mail.test", "blocked", detail="550 5.7.1 no"),
    ]
    ends = set()
    for seed in range(8):
        dice = random.Random(seed)
        dice.shuffle(words)
        reset(bench)
        left = list(words)
        while left:
            size = 1 + dice.randrange(3)
            told.apply(*left[:size], *dice.sample(words, dice.randrange(2)))
            left = left[size:]
        told.apply(*words)
        ends.add(snapshot(bench))
    assert len(ends) == 1


def reset(bench: Any) -> None:
    with bench.store.write() as conn:
        for table in ("event", "mailbox_domain", "suppression", "consent"):
            conn.exec_driver_sql(f"delete from {table}")
        conn.execute(subscriber.update().values(status="subscribed"))
        conn.exec_driver_sql(
            "update delivery set state = 'uncertain', reason = null"
            " where address in ('reader0@mail.test', 'reader1@mail.test')"
        )


def snapshot(bench: Any) -> str:
    return str(
        [
            bench.rows("select address, state from delivery order by id"),
            bench.rows("select address, status from subscriber order by id"),
            sorted(bench.rows("select reason from suppression")),
            sorted(bench.rows("select delivery_id, kind, at from event where kind <> 'processed'")),
            bench.rows("select domain, delivered, refused, unknown from mailbox_domain"),
        ]
    )


def test_a_busy_database_takes_none_of_a_call(bench, told, sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing: what breaks in the middle leaves no half of a call behind."""
    sent()
    events = [told.event("reader0@mail.test", "delivered"), told.event("reader1@mail.test", "complained")]

    def fail(*_: object, **__: object) -> bool:
        raise Busy("the database is taken")

    monkeypatch.setattr("newsletter.delivery.events.suppress_key", fail)
    with pytest.raises(Busy):
        told.apply(*events)
    assert bench.rows("select count(*) from event") == [(0,)]
    assert subscribers.find(bench.store, "reader1@mail.test").status == "subscribed"
    monkeypatch.undo()
    assert told.apply(*events).recorded == 2


def test_thousands_of_events_in_one_call(bench, told, sent) -> None:
    """More keys than one statement takes parameters."""
    sent(1200)
    keys = [str(key) for (key,) in bench.rows("select public_id from delivery")]
    events = [Event(key, "delivered", bench.clock.us + n) for n, key in enumerate(keys)]
    assert told.apply(*events).recorded == 1200
    assert told.apply(*events).repeated == 1200
    with bench.store.read() as conn:
        assert counts(conn, bench.mailing().id) == {"delivered": 1200}


def test_evidence_alone_heeds_nobody_it_was_not_asked_about(bench, told, sent) -> None:
    sent(2, lambda _a, _n: Outcome.UNKNOWN)
    with bench.store.write() as conn:
        assert evidence.heed_all(conn, bench.mailing().id, bench.clock.us) == 0
        assert evidence.heed(conn, [], bench.clock.us) == 0
    assert bench.states() == {"uncertain": 2}


def test_a_provider_that_breaks_off_is_settled_by_its_events_as_well(bench, told, scripted) -> None:
    """An exception makes the window uncertain; what was told of it before settles it in the same transaction."""
    bench.readers(2)
    mailing = bench.scheduled()
    with bench.store.write() as conn:
        mailings.step(conn, mailing.id, ("scheduled",), "planning")
    plan(bench.store, mailing, keys=bench.keys, now=bench.clock.us)
    mailing = bench.mailing()
    provider = scripted(
        lambda _a, _n: RuntimeError("broke"),
        before=lambda _b: told.apply(told.event("reader0@mail.test", "delivered")),
    )
    sender = Sender(
        store=bench.store,
        mailing=mailing,
        provider=provider,
        outgoing=outgoing_from_approval(bench.approval, mailing=mailing.public_id, date=mailing.date),
        write_to=addresser(issue=SLUG, site_url=None, keys=bench.keys),
        keys=bench.keys,
        timing=bench.clock.timing,
    )
    with pytest.raises(RuntimeError):
        sender.run()
    assert bench.states() == {"submitted": 1, "uncertain": 1}
