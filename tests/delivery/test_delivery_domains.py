"""A mailbox domain that refuses us, or whose mailboxes are all unknown at once: the mailing goes on without it."""

from __future__ import annotations

from typing import Any

from newsletter.audience import subscribers
from newsletter.delivery import domains, ledger, mailings
from newsletter.delivery.plan import plan
from newsletter.delivery.ports import Outcome
from newsletter.delivery.run_due import run_due
from newsletter.delivery.status import status

SECOND = 1_000_000
SLUG = "2026-11-27"


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
