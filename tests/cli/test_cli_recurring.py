"""``[schedule] every``: minute by minute with a clock of our own, the real command, the real outbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Run = Callable[..., Any]
FRIDAY = "2026-11-27"


class Clock:
    """What the program's clock shows; ``at`` sets it (UTC)."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def at(self, text: str) -> None:
        self.moment = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def time_ns(self) -> int:
        return int(self.moment.timestamp() * 1_000_000) * 1_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("newsletter.store.clock.time", SimpleNamespace(time_ns=clock.time_ns))
    clock.at("2026-11-26 12:00")
    return clock


def configure(weekly: Path, *lines: str) -> None:
    file = weekly / "newsletter.toml"
    kept = file.read_text(encoding="utf-8").replace("[schedule]", "[schedule]\n" + "\n".join(lines))
    if "[schedule]" not in kept:
        kept += "\n[schedule]\n" + "\n".join(lines) + "\n"
    file.write_text(kept, encoding="utf-8")


def state(run: Run, slug: str) -> str:
    return str(run("status", slug, "--json").json["state"])


def minutes(run: Run, clock: Clock, start: str, count: int, *, step: int = 1) -> None:
    clock.at(start)
    for _ in range(count):
        run("run-due", code=None)
        clock.moment += timedelta(minutes=step)


@pytest.fixture
def friday(weekly: Path, issue: str, readers: int, clock: Clock) -> str:
    """An issue of Friday 27 November 2026, a rule for it, and Thursday noon on the clock."""
    configure(weekly, 'every = "Fri 07:00"')
    assert issue == FRIDAY
    return issue


def test_the_approved_issue_goes_at_the_time_and_once(run: Run, friday: str, readers: int, clock: Clock) -> None:
    """Not a minute before; the minutes after do nothing; approve said so, and next does."""
    said = run("approve", friday).out
    assert "It goes out on Fri 2026-11-27 07:00 (Europe/London), by [schedule] every" in said
    assert f"every: Fri 2026-11-27 07:00 (Europe/London): {friday}" in run("next").out
    minutes(run, clock, "2026-11-27 06:57", 3)
    assert state(run, friday) == "approved"
    minutes(run, clock, "2026-11-27 07:00", 3)
    status = run("status", friday, "--json").json
    assert (status["state"], status["counts"], status["send_at"]) == (
        "completed", {"submitted": readers}, "2026-11-27T07:00"
    )  # fmt: skip


def test_what_is_not_approved_never_goes_and_editors_hear_it_before(
    run: Run, weekly: Path, friday: str, clock: Clock
) -> None:
    """One mail three hours before, none when it is approved; approved too late it waits for an editor."""
    file = weekly / "newsletter.toml"
    file.write_text(file.read_text(encoding="utf-8") + '\n[alerts]\nto = ["desk@breakwater.test"]\n', encoding="utf-8")
    run("approve", friday)
    outbox = weekly / ".newsletter" / "outbox" / "new"
    minutes(run, clock, "2026-11-27 04:05", 1)
    assert not list(outbox.glob("*"))
    run("unapprove", friday)
    minutes(run, clock, "2026-11-27 03:58", 2)
    assert not list(outbox.glob("*"))
    minutes(run, clock, "2026-11-27 04:00", 20, step=10)
    (mail,) = outbox.glob("*")
    text = mail.read_text(encoding="utf-8")
    assert "[ALERT]" in text
    assert f"newsletter approve {friday}" in text
    assert state(run, friday) == "draft"
    clock.at("2026-11-27 07:10")
    run("approve", friday)
    minutes(run, clock, "2026-11-27 07:11", 3)
    assert state(run, friday) == "approved"


def test_london_at_half_past_one_on_the_day_with_two_of_them(
    run: Run, weekly: Path, readers: int, clock: Clock
) -> None:
    """On 25 October 2026 it fires once, at the first 01:30, and not again an hour later."""
    configure(weekly, 'every = ["Sun 01:30", "Fri 07:00"]')
    clock.at("2026-10-24 12:00")
    run("issue", "new", "sunday", "--date", "2026-10-25")
    story = weekly.parent / "tide.md"
    story.write_text("---\nheadline: The tide\nlink: https://breakwater.test/tide\n---\nIt came.\n", encoding="utf-8")
    run("article", "add", str(story), "--issue", "sunday")
    run("approve", "sunday")
    minutes(run, clock, "2026-10-25 00:29", 1)
    assert state(run, "sunday") == "approved"
    minutes(run, clock, "2026-10-25 00:30", 1)
    assert state(run, "sunday") == "completed"
    minutes(run, clock, "2026-10-25 01:29", 3)
    assert len(list((weekly / ".newsletter" / "outbox" / "new").glob("*"))) == readers


def test_after_downtime_only_the_newest_is_offered_and_held(run: Run, weekly: Path, friday: str, clock: Clock) -> None:
    """Thursday's and Friday's were missed: Friday's is held as late, Thursday's is noted as missed and stays."""
    text = (weekly / "newsletter.toml").read_text(encoding="utf-8")
    (weekly / "newsletter.toml").write_text(
        text.replace('"Fri 07:00"', '"07:00"').replace('lateness = "2h"', 'lateness = "0m"'), encoding="utf-8"
    )
    run("issue", "duplicate", friday, "thursday", "--date", "2026-11-26")
    clock.at("2026-11-25 12:00")
    run("approve", "thursday")
    run("approve", friday)
    minutes(run, clock, "2026-11-27 12:00", 2)
    held = run("status", friday, "--json").json
    assert held["state"] == "held"
    assert held["reason"].startswith("late: it was due 5 h ago, at 2026-11-27 07:00")
    assert state(run, "thursday") == "approved"
    assert "missed" in [event["action"] for event in run("audit", "thursday", "--json").json["events"]]
    run("resume", friday)
    minutes(run, clock, "2026-11-27 12:10", 2)
    assert state(run, friday) == "completed"
    assert state(run, "thursday") == "approved"


def test_two_approved_issues_of_one_day_are_not_guessed_between(run: Run, friday: str, clock: Clock) -> None:
    """Neither goes; with one of them taken back, the other does."""
    run("issue", "duplicate", friday, "other", "--date", FRIDAY)
    run("approve", friday)
    run("approve", "other")
    minutes(run, clock, "2026-11-27 07:00", 2)
    assert (state(run, friday), state(run, "other")) == ("approved", "approved")
    run("unapprove", "other")
    run("run-due")
    assert (state(run, friday), state(run, "other")) == ("completed", "draft")


def test_what_an_editor_cancelled_stays_cancelled(run: Run, weekly: Path, friday: str, clock: Clock) -> None:
    """A later rule of the same day does not overrule a person; approved anew, it goes."""
    file = weekly / "newsletter.toml"
    rules = '["Fri 07:00", "Fri 13:00", "Fri 15:00"]'
    file.write_text(file.read_text(encoding="utf-8").replace('"Fri 07:00"', rules), encoding="utf-8")
    run("approve", friday)
    minutes(run, clock, "2026-11-27 10:00", 1)
    assert state(run, friday) == "held"
    run("cancel", friday, "--yes")
    minutes(run, clock, "2026-11-27 12:59", 3)
    assert state(run, friday) == "cancelled"
    run("unapprove", friday)
    run("approve", friday)
    minutes(run, clock, "2026-11-27 14:59", 3)
    assert state(run, friday) == "completed"


def test_an_issue_with_a_time_of_its_own_keeps_it(run: Run, friday: str, clock: Clock) -> None:
    """--send-at is the editor's word, later than the rule's."""
    run("approve", friday, "--send-at", "2026-11-27 09:00")
    minutes(run, clock, "2026-11-27 06:59", 4)
    assert run("status", friday, "--json").json["send_at"] == "2026-11-27T09:00"
    assert state(run, friday) == "scheduled"


def test_a_wrong_rule_is_refused_when_it_is_written(run: Run, weekly: Path) -> None:
    """Not on Friday at seven."""
    configure(weekly, 'every = ["Fri 07:00", "Fryday 07:00"]')
    assert "schedule.every" in run("next", code=78).err


def test_a_correction_goes_by_no_rule_and_stands_in_no_ones_way(
    run: Run, weekly: Path, friday: str, readers: int, clock: Clock
) -> None:
    """Friday's issue goes at seven; the correction of Thursday's, approved and dated Friday, waits for an editor."""
    run("issue", "duplicate", friday, "thursday", "--date", "2026-11-26")
    run("approve", "thursday", "--send-at", "now")
    run("run-due")
    clock.at("2026-11-27 06:00")
    run("issue", "correct", "thursday")
    file = weekly / "issues" / "thursday-correction" / "issue.md"
    story = next((weekly / "issues" / "thursday").glob("the-tide*.md"))
    (file.parent / story.name).write_bytes(story.read_bytes())
    file.write_text(file.read_text(encoding="utf-8").replace("articles: []", f"articles: [{story.stem}]"), "utf-8")
    assert "by [schedule] every" not in run("approve", "thursday-correction").out
    run("approve", friday)
    minutes(run, clock, "2026-11-27 06:59", 3)
    assert state(run, friday) == "completed"
    assert state(run, "thursday-correction") == "approved"


def test_a_new_rule_leaves_the_issues_before_it_alone(
    run: Run, weekly: Path, issue: str, readers: int, clock: Clock
) -> None:
    """Last Friday's issue was approved and kept back: a rule that is written on Tuesday neither sends nor holds it."""
    run("approve", issue)
    minutes(run, clock, "2026-12-01 09:00", 1)
    configure(weekly, 'every = "Fri 07:00"')
    minutes(run, clock, "2026-12-01 09:01", 3)
    assert state(run, issue) == "approved"
    run("issue", "duplicate", issue, "2026-12-04")
    run("approve", "2026-12-04")
    minutes(run, clock, "2026-12-04 06:59", 3)
    assert (state(run, issue), state(run, "2026-12-04")) == ("approved", "completed")


def test_a_rule_that_comes_back_begins_anew(run: Run, weekly: Path, friday: str, clock: Clock) -> None:
    """Taken away on Thursday, written again on Saturday: Friday's issue is not picked up late."""
    run("run-due")
    file = weekly / "newsletter.toml"
    with_rule = file.read_text(encoding="utf-8")
    run("approve", friday)
    file.write_text(with_rule.replace('every = "Fri 07:00"', ""), encoding="utf-8")
    minutes(run, clock, "2026-11-26 18:00", 1)
    file.write_text(with_rule, encoding="utf-8")
    minutes(run, clock, "2026-11-28 09:00", 3)
    assert state(run, friday) == "approved"


def test_what_approve_promised_is_kept_through_downtime_from_the_first_minute_on(
    run: Run, friday: str, clock: Clock
) -> None:
    """run-due has never run with the rule; an hour after the time is within the lateness."""
    assert "by [schedule] every" in run("approve", friday).out
    minutes(run, clock, "2026-11-27 08:00", 1)
    assert state(run, friday) == "completed"


def test_a_rule_that_was_first_seen_by_a_clock_in_the_future_still_counts(run: Run, friday: str, clock: Clock) -> None:
    """The wrong clock is put right, and Friday's issue goes on Friday."""
    minutes(run, clock, "2031-01-01 00:00", 1)
    minutes(run, clock, "2026-11-26 13:00", 1)
    run("approve", friday)
    minutes(run, clock, "2026-11-27 06:59", 3)
    assert state(run, friday) == "completed"


def test_what_is_approved_anew_within_the_second_goes(run: Run, friday: str, readers: int, clock: Clock) -> None:
    """An approval knows its second only: that it came after the cancelling is known all the same."""
    run("approve", friday, "--send-at", "2026-11-27 12:00")
    clock.moment += timedelta(minutes=1, milliseconds=300)
    run("unapprove", friday)
    clock.moment += timedelta(milliseconds=400)
    assert "by [schedule] every" in run("approve", friday).out
    assert f"every: Fri 2026-11-27 07:00 (Europe/London): {friday}" in run("next").out
    minutes(run, clock, "2026-11-27 06:59", 3)
    assert state(run, friday) == "completed"


def test_what_is_approved_anew_after_the_clock_was_put_back_goes(
    run: Run, friday: str, readers: int, clock: Clock
) -> None:
    """Taken back by a clock that was an hour ahead, approved by the right one: promised, and kept."""
    run("approve", friday, "--send-at", "2026-11-27 12:00")
    clock.at("2026-11-26 13:30")
    run("unapprove", friday)
    clock.at("2026-11-26 12:30")
    assert "by [schedule] every" in run("approve", friday).out
    minutes(run, clock, "2026-11-27 06:59", 3)
    assert state(run, friday) == "completed"


def test_a_time_that_a_clock_in_the_future_called_over_is_open_again(
    run: Run, friday: str, readers: int, clock: Clock
) -> None:
    """For some minutes it was Saturday: nothing was approved for Friday, and that was noted. Then it is Thursday."""
    minutes(run, clock, "2026-11-26 12:00", 1)
    minutes(run, clock, "2026-11-28 09:00", 2)
    clock.at("2026-11-26 12:30")
    assert "by [schedule] every" in run("approve", friday).out
    minutes(run, clock, "2026-11-27 06:59", 3)
    assert state(run, friday) == "completed"


def test_a_rule_is_said_as_the_clocks_will_show_it(run: Run, weekly: Path, clock: Clock) -> None:
    """London has no 01:30 on 28 March 2027: what is promised is 02:00, when the mail will go."""
    configure(weekly, 'every = "Sun 01:30"')
    clock.at("2027-03-27 12:00")
    assert "every: Sun 2027-03-28 02:00 (Europe/London): nothing is approved" in run("next").out


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_no_bug(run: Run, friday: str, weekly: Path, clock: Clock, day: str) -> None:
    """A mistyped year: it can be approved, and no rule sends it."""
    run("issue", "duplicate", friday, "typo", "--date", day)
    assert "It goes out" not in run("approve", "typo").out


@pytest.mark.parametrize(
    ("zone", "day", "wall", "moment"),
    [
        ("America/New_York", "2027-03-14", "02:30", "2027-03-14 07:00"),
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01 05:30"),
        ("Asia/Karachi", "2026-11-01", "01:30", "2026-10-31 20:30"),
        ("Australia/Lord_Howe", "2026-10-04", "02:10", "2026-10-03 15:30"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04 14:45"),
    ],
)
def test_minute_by_minute_a_rule_goes_once_where_the_clocks_change(
    run: Run, weekly: Path, readers: int, clock: Clock, zone: str, day: str, wall: str, moment: str
) -> None:
    """A skipped time at the next minute that exists, a repeated one at its first: the real command, ten hours long."""
    configure(weekly, f'every = "{wall}"')
    file = weekly / "newsletter.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("Europe/London", zone), encoding="utf-8")
    assert zone in file.read_text(encoding="utf-8")
    due = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    clock.moment = due - timedelta(hours=30)
    run("issue", "new", "day", "--date", day)
    story = weekly.parent / "tide.md"
    story.write_text("---\nheadline: The tide\nlink: https://breakwater.test/tide\n---\nIt came.\n", encoding="utf-8")
    run("article", "add", str(story), "--issue", "day")
    run("approve", "day")
    minutes(run, clock, f"{due - timedelta(hours=1):%Y-%m-%d %H:%M}", 5, step=11)
    minutes(run, clock, f"{due - timedelta(minutes=1):%Y-%m-%d %H:%M}", 1)
    assert state(run, "day") == "approved"
    minutes(run, clock, moment, 1)
    assert state(run, "day") == "completed"
    minutes(run, clock, f"{due + timedelta(minutes=28):%Y-%m-%d %H:%M}", 6, step=15)
    assert len(list((weekly / ".newsletter" / "outbox" / "new").glob("*"))) == readers
