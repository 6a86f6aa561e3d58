"""The warm-up: so many mails a day, those who read most first, and never faster."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from newsletter.delivery import ledger, mailings, warm_up
from newsletter.delivery.gate import Rest, rest_of
from newsletter.delivery.ports import Outcome
from newsletter.delivery.run_due import run_due, run_mailing
from newsletter.delivery.warm_up import ramp_of
from newsletter.workspace.settings import Schedule

SLUG = "2026-11-27"
DAY = 24 * 3600
SECOND = 1_000_000


def configure(bench: Any, **schedule: object) -> None:
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(**schedule))


@pytest.fixture
def warming(bench):
    """Sixty readers and an allowance of 10, then 20 mails."""
    bench.readers(60)
    bench.scheduled()
    configure(bench, warm_up=[10, 20])


def minutes(bench: Any, provider: Any, hours: float) -> list[int]:
    """``run-due`` every ten minutes; in which of the ten minutes how many mails went."""
    went = []
    for _ in range(int(hours * 6)):
        before = len(provider.addresses)
        report = run_due(bench.work(provider))
        assert report.error is None
        went.append(len(provider.addresses) - before)
        bench.clock.pass_by(600)
    return went


def test_each_day_allows_more_and_the_rest_goes_at_the_same_time_of_day(bench, warming, scripted) -> None:
    """10 on Friday at 07:00, 20 on Saturday at 07:00, the rest on Sunday at 07:00; nobody lost, nobody twice."""
    provider = scripted(max_batch=4)
    went = minutes(bench, provider, 72)
    assert [(place, count) for place, count in enumerate(went) if count] == [(0, 10), (144, 20), (288, 30)]
    assert bench.mailing().state == "completed"
    assert bench.states() == {"submitted": 60}
    assert len(set(provider.addresses)) == len(provider.addresses)
    assert bench.rows("select count(*) from attempt") == [(3,)], "nothing is begun on a day that is used up"
    assert bench.rows("select day, mails from warm_up order by day") == [
        ("2026-11-27", 10), ("2026-11-28", 20), ("2026-11-29", 30),
    ]  # fmt: skip


def test_a_mailing_that_rests_says_until_when(bench, warming, scripted) -> None:
    run = run_due(bench.work(scripted())).runs[0]
    assert (run.state, run.counts) == ("sending", {"submitted": 10, "pending": 50})
    assert run.rests == "the warm-up allows no more today; next try on Sat 2026-11-28 at 07:00"
    assert (
        Rest(int(datetime(2026, 11, 27, 18, tzinfo=UTC).timestamp()) * SECOND, "warm-up")
        .said("Pacific/Auckland")
        .endswith("next try on Sat 2026-11-28 at 07:00")
    ), "the weekday is that of the zone"
    assert not run.needs_editor
    configure(bench, warm_up=[10, 20], lateness="1m")
    bench.clock.pass_by(DAY)
    assert run_due(bench.work(scripted())).runs[0].counts == {"submitted": 30, "pending": 30}, "that is no lateness"


def test_who_read_most_goes_first(bench, scripted) -> None:
    """Those who clicked, those who opened, those who got the last one; then the oldest subscribers."""
    bench.readers(30)
    bench.scheduled()
    run_due(bench.work(scripted()))
    told = {"clicked": [25], "opened": [20, 25, 28], "delivered": [28, 11, 12, 25, 20]}
    with bench.store.write() as conn:
        for kind, numbers in told.items():
            for number in numbers:
                conn.exec_driver_sql(
                    "insert into event (delivery_id, kind, at, mailing_id, received_at)"
                    f" select id, '{kind}', 1, mailing_id, 1 from delivery where address = 'reader{number}@mail.test'"
                )
    bench.scheduled(slug="2026-12-04")
    configure(bench, warm_up=[7, 50])
    provider = scripted(max_batch=1)
    run_due(bench.work(provider))
    assert provider.addresses == [f"reader{n}@mail.test" for n in (25, 20, 28, 11, 12, 0, 1)]
    with bench.store.read() as conn:
        mailing = bench.mailing("2026-12-04").id
        assert warm_up.engaged(conn, mailing, 99) == warm_up.engaged(conn, mailing, 99)


def test_restarts_do_not_make_it_faster(bench, warming, scripted) -> None:
    """Stopped after every window, all day long: ten."""
    provider = scripted(max_batch=2)
    for _ in range(30):
        seen = len(provider.batches)
        run_due(bench.work(provider, stop=lambda seen=seen: len(provider.batches) > seen))
        bench.clock.pass_by(60)
    assert len(provider.addresses) == len(set(provider.addresses)) == 10


def test_a_killed_process_costs_places_and_gives_none(bench, warming, scripted) -> None:
    """What was marked and never heard of again counts: it may have gone."""
    bench.work(scripted())
    broken = scripted(lambda _a, _n: RuntimeError("killed"), max_batch=4)
    with pytest.raises(RuntimeError):
        run_mailing(bench.work(broken), bench.mailing())
    assert bench.states()["uncertain"] == 4
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    provider = scripted(max_batch=4)
    run_due(bench.work(provider))
    assert len(provider.addresses) == 6


def test_two_mailings_at_once_share_the_day(bench, warming, scripted) -> None:
    """Two senders in two threads, through one provider: ten mails between them."""
    bench.scheduled(slug="2026-12-04")
    provider = scripted(max_batch=1)
    runs = [
        threading.Thread(target=lambda slug=slug: run_mailing(bench.work(provider), bench.mailing(slug)))
        for slug in (SLUG, "2026-12-04")
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(provider.addresses) == 10
    assert bench.rows("select mails from warm_up") == [(10,)]


def test_who_is_put_off_keeps_a_place(bench, warming, scripted) -> None:
    """Three are greylisted: their places are kept for them and given to nobody else, today."""
    put_off = {"reader0@mail.test", "reader4@mail.test", "reader8@mail.test"}
    provider = scripted(lambda a, n: Outcome.RETRY if a in put_off and n == 0 else Outcome.ACCEPTED)
    run = run_due(bench.work(provider)).runs[0]
    assert run.counts == {"submitted": 7, "retry_wait": 3, "pending": 50}
    bench.clock.pass_by(61)
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 10, "pending": 50}
    assert Counter(provider.addresses).most_common(1)[0][1] == 2
    assert len(set(provider.addresses)) == 10


def test_seeds_and_canary_are_of_the_first_day(bench, warming, scripted) -> None:
    """The canary is a share of those who go today, and all of them together are the day's ten."""
    configure(bench, warm_up=[10, 50], canary=4, seeds=["reader59@mail.test"])
    provider = scripted(max_batch=1)
    run = run_due(bench.work(provider)).runs[0]
    assert (run.counts, run.rests) == ({"submitted": 5, "pending": 55}, "waiting for the canary until 07:10")
    assert provider.addresses[0] == "reader59@mail.test"
    assert set(provider.addresses[1:]) <= {f"reader{n}@mail.test" for n in range(9)}
    configure(bench, warm_up=[10, 50], seeds=["reader59@mail.test"])
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 10, "pending": 50}
    bench.clock.pass_by(DAY)
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 60}


def test_the_next_issue_finds_the_provider_warmer(bench, warming, scripted) -> None:
    """Days on which mails went count, whatever mailing they were of; another provider begins anew."""
    run_due(bench.work(scripted()))
    mailings.cancel(bench.store, SLUG, actor="ada", now=bench.clock.us)
    bench.clock.pass_by(7 * DAY)
    bench.scheduled(slug="2026-12-04")
    provider = scripted()
    run_due(bench.work(provider))
    assert len(provider.addresses) == 20
    with bench.store.read() as conn:
        other = ramp_of("smtp", bench.config)
        assert other is not None
        assert warm_up.steps_left(conn, other, bench.clock.us) == [10, 20]


def test_send_does_on_the_next_morning_what_an_editor_says(bench, warming, scripted) -> None:
    """``send`` before 07:00 goes at once, within the day's number; ``run-due`` waits for 07:00."""
    provider = scripted()
    run_due(bench.work(provider))
    bench.clock.pass_by(DAY - 3600)
    assert run_due(bench.work(provider)).runs == []
    assert run_mailing(bench.work(provider), bench.mailing()).counts == {"submitted": 30, "pending": 30}


def test_rows_in_dead_hands_are_looked_after_though_it_rests(bench, warming, scripted) -> None:
    """A process that was killed on a day that is used up: the next run-due settles what it left."""
    run_due(bench.work(scripted()))
    mailing = bench.mailing()
    with bench.store.write() as conn:
        attempt = ledger.begin_attempt(conn, mailing.id, pid=1, host="x", now=bench.clock.us)
        conn.exec_driver_sql(
            f"update delivery set state = 'submitting', attempt_id = {attempt} where address = 'reader50@mail.test'"
        )
    with bench.store.read() as conn:
        assert rest_of(conn, mailing, bench.config, bench.clock.us) is None
    run_due(bench.work(scripted()))
    assert bench.states()["uncertain"] == 1
    with bench.store.read() as conn:
        assert rest_of(conn, mailing, bench.config, bench.clock.us) is not None


def test_a_day_is_the_publications(bench, warming, scripted) -> None:
    """Ten before midnight in Colombo, twenty after it, whatever the day is in Greenwich."""
    publication = msgspec.structs.replace(bench.config.publication, timezone="Asia/Colombo")
    bench.config = msgspec.structs.replace(bench.config, publication=publication)
    with bench.store.write() as conn:
        ramp = ramp_of("scripted", bench.config)
        assert ramp is not None
        evening = int(datetime(2026, 11, 27, 18, 29, tzinfo=UTC).timestamp()) * SECOND
        warm_up.take(conn, ramp, 10, evening)
        assert warm_up.steps_left(conn, ramp, evening) == [0, 20]
        assert warm_up.steps_left(conn, ramp, evening + 60 * SECOND) == [20]
        warm_up.take(conn, ramp, 1, evening + DAY * SECOND)
        assert warm_up.steps_left(conn, ramp, evening + 2 * DAY * SECOND) == []


def test_places_of_those_who_left_go_to_others_the_same_day(bench, warming, scripted, monkeypatch) -> None:
    """The ten oldest unsubscribe after planning: ten others go today."""
    monkeypatch.setattr("newsletter.delivery.gate._SLACK", 0)
    run_due(bench.work(scripted(), stop=lambda: bench.mailing().state == "sending"))
    with bench.store.write() as conn:
        conn.exec_driver_sql("update subscriber set status = 'unsubscribed' where id <= 10")
    provider = scripted()
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 10, "excluded": 10, "pending": 40}
    assert provider.addresses[0] == "reader10@mail.test"


def test_a_domain_that_refuses_us_does_not_take_the_day(bench, warming, scripted) -> None:
    """The mailing waits with it and goes on with everybody else, also when its readers would be the first."""
    run_due(bench.work(scripted(), stop=lambda: bench.mailing().state == "sending"))
    with bench.store.write() as conn:
        conn.exec_driver_sql("update delivery set address = replace(address, 'mail.test', 'no.test') where id <= 30")
        conn.exec_driver_sql(
            "insert into mailbox_domain (mailing_id, domain, paused_at, reason) values (1, 'no.test', 1, 'it refuses')"
        )
    provider = scripted()
    run = run_due(bench.work(provider)).runs[0]
    assert (run.state, run.counts) == ("sending", {"submitted": 10, "pending": 50})
    assert not any("no.test" in address for address in provider.addresses)
