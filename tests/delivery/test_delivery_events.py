"""What providers say later: recorded once, evidence for the uncertain, and what follows for readers and domains."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from newsletter.audience import subscribers
from newsletter.delivery import domains, evidence, ledger, mailings
from newsletter.delivery.addressing import addresser
from newsletter.delivery.approval import outgoing_from_approval
from newsletter.delivery.events import Applied, apply_events, counts
from newsletter.delivery.plan import plan
from newsletter.delivery.ports import Event, Outcome
from newsletter.delivery.run_due import run_due
from newsletter.delivery.sender import Sender
from newsletter.delivery.status import status
from newsletter.errors import Busy
from newsletter.store.tables import subscriber

SECOND = 1_000_000
SLUG = "2026-11-27"


class Told:
    """A sent mailing and a provider's later words about it."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench

    def key(self, address: str) -> str:
        return str(self.bench.rows(f"select public_id from delivery where address = '{address}'")[0][0])

    def event(self, address: str, kind: str, *, after: float = 60, **more: Any) -> Event:
        return Event(self.key(address), kind, self.bench.clock.us + int(after * SECOND), **more)  # type: ignore[arg-type]  # words of the tests

    def apply(self, *events: Event) -> Applied:
        return apply_events(
            self.bench.store, events, provider="sendgrid", keys=self.bench.keys, now=self.bench.clock.us + 90 * SECOND
        )

    def state(self, address: str) -> tuple[str, str | None]:
        (row,) = self.bench.rows(f"select state, reason from delivery where address = '{address}'")
        return row

    def suppressed(self) -> list[tuple[str, str]]:
        return self.bench.rows("select reason, source from suppression order by id")


@pytest.fixture
def told(bench) -> Told:
    return Told(bench)


@pytest.fixture
def sent(bench, scripted) -> Callable[..., None]:
    """Send an issue to ``count`` readers through a provider that answers as it is told."""

    def send(count: int = 4, answer: Any = lambda _a, _n: Outcome.ACCEPTED) -> None:
        bench.readers(count)
        bench.scheduled()
        report = run_due(bench.work(scripted(answer)))
        assert report.error is None

    return send


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


# -- domains ---------------------------------------------------------------------------------------------------------


def at_domains(bench: Any, count: int, *names: str) -> None:
    """Readers at several domains, in turns."""
    bench.readers(count)
    with bench.store.write() as conn:
        for number in range(count):
            address = f"reader{number}@{names[number % len(names)]}"
            conn.exec_driver_sql(
                "update subscriber set address = ?, address_key = ? where address = ?",
                (address, address, f"reader{number}@mail.test"),
            )


def test_a_domain_that_refuses_us_waits_and_the_others_do_not(bench, told, scripted) -> None:
    """In the middle of a mailing: what was not claimed for it stays pending, the mailing pauses when only it is left,
    ``resume`` tries it again, and nobody gets it twice."""
    at_domains(bench, 20, "good.test", "strict.test")
    bench.scheduled()
    refusal = "550 5.7.26 unauthenticated sender reader1@strict.test"

    def refuse(batch: Any) -> None:
        if not bench.rows("select 1 from event"):
            assert told.apply(told.event("reader1@strict.test", "blocked", detail=refusal)).paused == [
                "strict.test: it refuses this sender: 550 5.7.26 unauthenticated sender …@strict.test"
            ]

    provider = scripted(before=refuse, max_batch=1)
    report = run_due(bench.work(provider))
    assert report.needs_editor
    assert bench.mailing().state == "paused"
    assert "strict.test: it refuses this sender" in str(bench.mailing().reason)
    assert {a for a in provider.addresses if a.endswith("@good.test")} == {
        f"reader{n}@good.test" for n in range(0, 20, 2)
    }
    sent_there = [a for a in provider.addresses if a.endswith("@strict.test")]
    assert len(sent_there) < 5, "only what was claimed ahead"
    assert bench.states()["pending"] == 10 - len(sent_there)
    assert told.suppressed() == []
    now = status(bench.store, bench.ws, SLUG)
    assert now.domains == {"strict.test": "it refuses this sender: 550 5.7.26 unauthenticated sender …@strict.test"}
    assert now.events == {"blocked": 1}
    (audit,) = bench.rows("select detail from audit where action = 'pause domain'")
    assert "strict.test" in str(audit[0])

    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    run_due(bench.work(provider))
    assert bench.mailing().state == "completed"
    assert bench.states() == {"submitted": 20}
    assert sorted(provider.addresses) == sorted(set(provider.addresses))
    assert status(bench.store, bench.ws, SLUG).domains == {}


def test_a_mailing_does_not_pause_for_a_domain_while_others_wait_for_another_try(bench, told, scripted) -> None:
    """A paused mailing is not taken up by cron: those who are only put off would wait with it."""
    at_domains(bench, 4, "good.test", "strict.test")
    mailing = bench.scheduled()
    with bench.store.write() as conn:
        domains.hear(conn, mailing.id, "strict.test", domains.News(sender="no"), bench.clock.us)
    once = scripted(lambda a, n: Outcome.RETRY if a == "reader0@good.test" and n == 0 else Outcome.ACCEPTED)
    run_due(bench.work(once))
    assert (bench.mailing().state, bench.states()) == ("sending", {"submitted": 1, "retry_wait": 1, "pending": 2})
    bench.clock.pass_by(120)
    run_due(bench.work(once))
    assert (bench.mailing().state, bench.states()) == ("paused", {"submitted": 2, "pending": 2})
    assert {address.partition("@")[2] for address in once.addresses} == {"good.test"}


def test_a_paused_domain_is_heard_of_while_the_mailing_goes_on(bench, told, sent) -> None:
    """``status`` needs the editor already then."""
    sent(3)
    with bench.store.write() as conn:
        domains.hear(conn, bench.mailing().id, "mail.test", domains.News(sender="550 5.7.26"), bench.clock.us)
        conn.exec_driver_sql("update mailing set state = 'sending'")
    assert status(bench.store, bench.ws, SLUG).needs_editor


def test_one_refusal_by_policy_stops_nothing_and_many_do(bench, told, sent) -> None:
    sent(12)
    for number in range(4):
        assert told.apply(told.event(f"reader{number}@mail.test", "bounced", detail="550 5.7.1 spam")).paused == []
    applied = told.apply(told.event("reader4@mail.test", "blocked", detail="550 5.7.1 spam"))
    assert applied.paused == ["mail.test: it refused 5 mails by its policy, 0 arrived"]
    assert told.apply(told.event("reader5@mail.test", "blocked", detail="550 5.7.1 spam")).paused == [], "said once"


def test_a_domain_whose_mailboxes_are_all_unknown_at_once_is_in_quarantine(bench, told, sent) -> None:
    """A provider's bad night: those it condemned in this mailing are taken back, further ones are not condemned, and
    what was suppressed for another reason or in another mailing stays."""
    sent(30)
    subscribers.suppress(bench.store, "reader29@mail.test", "asked by letter", "by hand", bench.keys)
    unknown = "550 5.1.1 no such user"
    for number in range(19):
        told.apply(told.event(f"reader{number}@mail.test", "bounced", detail=unknown))
    told.apply(told.event("reader28@mail.test", "complained"))
    assert len(told.suppressed()) == 21
    applied = told.apply(told.event("reader19@mail.test", "bounced", detail=unknown))
    assert applied.paused == ["mail.test: 20 mailboxes there are suddenly unknown, 0 mails arrived"]
    assert sorted(reason for reason, _ in told.suppressed()) == ["asked by letter", "complained"]
    assert told.apply(told.event("reader20@mail.test", "bounced", detail=unknown)).suppressed == 0
    assert told.apply(told.event("reader21@mail.test", "bounced", detail="550 5.2.1 disabled")).suppressed == 1


def test_a_few_unknown_mailboxes_among_many_that_arrive_are_what_they_are(bench, told, sent) -> None:
    sent(60)
    told.apply(*(told.event(f"reader{n}@mail.test", "delivered") for n in range(30)))
    applied = told.apply(*(told.event(f"reader{n}@mail.test", "bounced", detail="550 5.1.1") for n in range(30, 55)))
    assert (applied.paused, applied.suppressed) == ([], 25)


def test_evidence_alone_heeds_nobody_it_was_not_asked_about(bench, told, sent) -> None:
    sent(2, lambda _a, _n: Outcome.UNKNOWN)
    with bench.store.write() as conn:
        assert evidence.heed_all(conn, bench.mailing().id, bench.clock.us) == 0
        assert evidence.heed(conn, [], bench.clock.us) == 0
    assert bench.states() == {"uncertain": 2}


def test_the_sender_of_a_whole_mailing_to_a_paused_domain_claims_nothing(bench, told, scripted) -> None:
    """The claim itself honours it, whatever the sender believes."""
    at_domains(bench, 4, "strict.test", "sub.strict.test", "notstrict.test")
    mailing = bench.scheduled()
    with bench.store.write() as conn:
        mailings.step(conn, mailing.id, ("scheduled",), "planning")
    plan(bench.store, mailing, keys=bench.keys, now=bench.clock.us)
    with bench.store.write() as conn:
        domains.hear(conn, mailing.id, "strict.test", domains.News(sender="no"), bench.clock.us)
        assert domains.blocked_domains(conn, mailing.id) == {"strict.test"}
        attempt = ledger.begin_attempt(conn, mailing.id, pid=1, host="x", now=bench.clock.us)
        claimed = ledger.claim(conn, mailing.id, attempt, 10, keys=bench.keys, now=bench.clock.us)
        assert sorted(row.address for row in claimed) == ["reader1@sub.strict.test", "reader2@notstrict.test"]


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
