"""A provider that says "too fast" is heard by every process, at once, and for as long as it said."""

from __future__ import annotations

from newsletter.delivery import throttle
from newsletter.delivery.ports import Outcome, Result
from newsletter.delivery.run_due import run_due, run_mailing

SLUG = "2026-11-27"
OTHER = "2026-12-04"
SECOND = 1_000_000


def test_another_sender_that_is_under_way_stops_within_its_turn(bench, scripted) -> None:
    """Two mailings through one provider: one is told to wait 90 seconds, and neither submits anything until then."""
    bench.readers(12)
    bench.scheduled()
    bench.scheduled(slug=OTHER)
    refused_at: list[float] = []
    went: list[float] = []
    # The second mailing goes inside the first one's submission: it is a sender of its own, with its own state.
    slow = scripted(lambda _a, _n: Result("", Outcome.RETRY, "429", retry_after=90.0, slow_down=True), max_batch=3)

    def answer(_address: str, _count: int) -> Outcome:
        went.append(bench.clock.ticks)
        return Outcome.ACCEPTED

    def before(_batch: object) -> None:
        if not refused_at:
            refused_at.append(bench.clock.ticks)
            assert run_mailing(bench.work(slow), bench.mailing(OTHER)).state == "sending"

    provider = scripted(answer, before=before, max_batch=3)
    run = run_mailing(bench.work(provider, wait=900.0), bench.mailing())
    assert run.counts == {"submitted": 12}
    assert len(slow.batches) == 1
    later = [at for at in went if at > refused_at[0]]
    assert len(later) == 9, "the window that was on its way, and no other before the time was over"
    assert min(later) >= refused_at[0] + 90


def test_the_next_process_waits_too_and_no_longer(bench, scripted) -> None:
    """Cron's next minute submits nothing, with or without a rate; after the time it goes on."""
    bench.readers(9)
    bench.scheduled()
    answers = [Result("", Outcome.RETRY, "429", retry_after=150.0, slow_down=True)]
    provider = scripted(lambda _a, _n: answers[0] if len(provider.batches) == 1 else Outcome.ACCEPTED)
    run_due(bench.work(provider))
    assert len(provider.batches) == 1
    for _ in range(2):
        bench.clock.pass_by(60)
        run_due(bench.work(provider))
        assert len(provider.batches) == 1
    bench.clock.pass_by(60)
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 9}


def test_the_longer_wait_counts_and_a_wrong_clock_does_not(bench) -> None:
    now = bench.clock.us
    with bench.store.write() as conn:
        throttle.push(conn, "smtp", 300, now)
        throttle.push(conn, "smtp", 20, now)
        assert throttle.pushed(conn, "smtp", now + 100 * SECOND) == 200
        assert throttle.pushed(conn, "smtp", now + 301 * SECOND) == 0
        assert throttle.pushed(conn, "sendgrid", now) == 0
        throttle.push(conn, "smtp", 1e9, now)
        assert throttle.pushed(conn, "smtp", now) == throttle.MOST_PUSHED
        assert throttle.pushed(conn, "smtp", now - 3600 * SECOND) == 0, "nobody is told to wait longer than that"
        throttle.tidy(conn, now + 3 * 24 * 3600 * SECOND)
        assert conn.exec_driver_sql("select count(*) from throttle").scalar_one() == 0
