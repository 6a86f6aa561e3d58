"""The undo window: what is due waits, and until it is over an approval can be taken back whole."""

from __future__ import annotations

import msgspec
import pytest

from newsletter.delivery import mailings, undo
from newsletter.delivery.run_due import run_due, run_mailing
from newsletter.errors import IllegalState, Interrupted
from newsletter.workspace.settings import Schedule

SLUG = "2026-11-27"
SECOND = 1_000_000


@pytest.fixture
def waiting(bench):
    """A mailing that is due now, with five minutes to think again."""
    bench.readers(3)
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(undo="5m"))
    return bench.scheduled()


def test_what_is_due_waits_for_the_undo_window_and_then_goes(bench, waiting, scripted) -> None:
    """Due at 07:00, the first mail at 07:05, not a second earlier."""
    provider = scripted()
    bench.clock.pass_by(299)
    assert run_due(bench.work(provider)).runs == []
    assert (bench.mailing().state, provider.batches) == ("scheduled", [])
    bench.clock.pass_by(1)
    assert run_due(bench.work(provider)).runs[0].state == "completed"


def test_a_window_begins_when_the_mailing_was_made_if_that_is_later() -> None:
    """Not for the minute in which cron comes, and not for a wrong clock that made it tomorrow."""
    due, hour = 7 * 3600 * SECOND, 3600 * SECOND
    assert undo.window_begins(due, due - hour, due) == due
    assert undo.window_begins(due, due + 30 * SECOND, due + hour) == due
    assert undo.window_begins(due, due + hour, due + hour) == due + hour
    assert undo.window_begins(due, due + 24 * hour, due + hour) == due


def test_until_then_unapprove_stops_it_whole(bench, waiting, scripted) -> None:
    """Nobody got anything, and nothing is due any more."""
    bench.clock.pass_by(200)
    run_due(bench.work(scripted()))
    assert mailings.unapprove(bench.store, SLUG, actor="ada", now=bench.clock.us) is not None
    bench.clock.pass_by(200)
    provider = scripted()
    assert run_due(bench.work(provider)).runs == []
    assert (bench.mailing().state, provider.batches) == ("cancelled", [])


def test_the_window_is_no_lateness(bench, scripted) -> None:
    """A window longer than the lateness does not hold every mailing; lateness counts from its end."""
    bench.readers(1)
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(undo="3h", lateness="1h"))
    bench.scheduled()
    bench.clock.pass_by(3 * 3600)
    assert run_due(bench.work(scripted())).runs[0].state == "completed"
    bench.scheduled(slug="2026-12-04")
    bench.clock.pass_by(4 * 3600 + 1)
    assert run_due(bench.work(scripted())).runs[0].state == "held"


def test_what_an_editor_released_does_not_wait_again(bench, waiting, scripted) -> None:
    """``resume`` of a held mailing is a decision: it goes with the next run."""
    mailings.hold(bench.store, waiting, "guard", "x", bench.clock.us)
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    assert run_due(bench.work(scripted())).runs[0].state == "completed"
    mailing = bench.scheduled(slug="2026-12-04", in_seconds=-10)
    mailings.hold(bench.store, mailing, "guard", "x", bench.clock.us)
    mailings.resume(bench.store, "2026-12-04", actor="ada", now=bench.clock.us)
    assert run_mailing(bench.work(scripted()), bench.mailing("2026-12-04")).state == "completed"
    assert bench.clock.ticks == 0


def test_send_waits_from_the_moment_it_is_called(bench, waiting, scripted) -> None:
    """Also for a mailing that is scheduled for later; a stop in between leaves it scheduled and says how to end it."""
    mailing = bench.scheduled(slug="2026-12-04", in_seconds=3600)
    with pytest.raises(Interrupted, match="before the first mail") as stopped:
        run_mailing(bench.work(scripted(), stop=lambda: bench.clock.ticks > 100), mailing)
    assert "unapprove 2026-12-04" in (stopped.value.fix or "")
    assert bench.mailing("2026-12-04").state == "scheduled"
    at = bench.clock.ticks
    assert run_mailing(bench.work(scripted()), mailing).state == "completed"
    assert bench.clock.ticks - at == pytest.approx(300, abs=0.1)


def test_send_hears_that_the_approval_was_taken_back(bench, waiting, scripted) -> None:
    """Nothing is sent, and the command says why, without waiting for the end of the window."""

    def stop() -> bool:
        if bench.clock.ticks > 10 and bench.mailing().state == "scheduled":
            mailings.unapprove(bench.store, SLUG, actor="ada", now=bench.clock.us)
        return False

    provider = scripted()
    with pytest.raises(IllegalState, match="cancelled"):
        run_mailing(bench.work(provider, stop=stop), waiting)
    assert provider.batches == []
    assert bench.clock.ticks < 20


@pytest.mark.parametrize(
    ("window", "zone", "words"),
    [
        ("0m", "UTC", None),
        ("5m", "UTC", "07:05"),
        ("5m", "Europe/Paris", "08:05"),
        ("20h", "UTC", "2026-11-28 03:00"),
    ],
)
def test_the_end_of_the_window_is_said_in_local_time(bench, window: str, zone: str, words: str | None) -> None:
    """With its day when that is another one."""
    config = msgspec.structs.replace(bench.config, schedule=Schedule(undo=window))
    assert undo.stoppable_until(bench.clock.us, zone, config) == words
