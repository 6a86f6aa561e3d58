"""``newsletter next``: what goes when, and what is missing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

Run = Callable[..., Any]
NOW = datetime(2026, 3, 20, 23, 58, tzinfo=UTC)
"""What the program's clock shows: a Friday of winter time in London, and the clocks change within two weeks."""


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(time_ns=lambda: int(NOW.timestamp()) * 1_000_000_000)
    monkeypatch.setattr("newsletter.store.clock.time", clock)


def slug_in(days: int) -> str:
    return (NOW.date() + timedelta(days=days)).isoformat()


def execute(weekly: Path, statement: str) -> None:
    with closing(sqlite3.connect(weekly / ".newsletter" / "newsletter.db")) as raw, raw:
        raw.execute(statement)


def test_nothing_ahead_says_so_and_makes_no_database(run: Run, weekly: Path) -> None:
    """On a fresh workspace, too."""
    assert "Nothing is scheduled, and no issue is dated within 14 days." in run("next").out
    assert not (weekly / ".newsletter" / "newsletter.db").exists()
    assert run("next", "--json").json["coming"] == []


def test_what_is_scheduled_has_its_zone_and_what_is_left(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """And without a run of run-due it says what would run it."""
    day = slug_in(3)
    run("approve", issue, "--send-at", f"{day} 07:00")
    said = run("next").out
    assert f"{issue}  " in said
    assert f"{day} 07:00 (Europe/London), in " in said
    assert "run-due has never run here" in said
    row = run("next", "--json").json
    (coming,) = row["coming"]
    due = datetime.fromisoformat(f"{day}T07:00").replace(tzinfo=ZoneInfo("Europe/London"))
    assert datetime.fromisoformat(coming["utc"]) == due
    assert coming["seconds"] == (due - NOW).total_seconds()
    run("run-due")
    assert run("next", "--json").json["cron_trouble"] is None
    assert "last ran" in run("next").out


def test_a_cron_that_stopped_coming_is_noticed(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """An old trace while a mailing waits; nobody is alarmed when nothing does."""
    trace = weekly / ".newsletter" / "logs" / "last-run.json"
    run("run-due")
    old = json.loads(trace.read_text())
    old["at"] = (NOW - timedelta(hours=2)).isoformat()
    trace.write_text(json.dumps(old))
    assert "seems dead" not in run("next").out
    run("approve", issue, "--send-at", f"{slug_in(3)} 07:00")
    assert "last ran 2 h ago: cron seems dead" in run("next").out
    old["at"] = (NOW + timedelta(hours=2)).isoformat()
    trace.write_text(json.dumps(old))
    assert "last ran 2 h from now: a clock is or was wrong" in run("next").out


def test_what_is_held_or_paused_comes_first_with_its_reason(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """And the two ways on."""
    run("approve", issue, "--send-at", "now")
    execute(weekly, "update mailing set send_at = send_at - 4 * 3600000000")
    run("run-due", code=1)
    said = run("next").out.splitlines()
    assert said[1].startswith(f"! {issue}  held: late: it was due 4 h ago")
    assert said[2].strip() == f"newsletter resume {issue}, or newsletter cancel {issue}"


def test_an_issue_of_the_next_two_weeks_that_is_not_approved_lacks_something(
    run: Run, weekly: Path, issue: str
) -> None:
    """Today and the fourteenth day count, yesterday and the fifteenth do not; each with what it lacks."""
    for days in (-1, 14, 15):
        run("issue", "new", f"day-{days + 1}", "--date", slug_in(days))
    run("issue", "duplicate", issue, "evening", "--date", slug_in(0))
    rows = {row["issue"]: row["missing"] for row in run("next", "--json").json["missing"]}
    assert rows == {
        "evening": ["not approved", "no subject of its own"],
        "day-15": ["not approved", "no stories", "no subject of its own"],
    }
    run("approve", "evening")
    assert "approved, but not scheduled" in run("next").out


def test_what_was_sent_lacks_nothing(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """A completed issue is behind us, whatever its date."""
    run("approve", issue, "--send-at", "now")
    run("run-due")
    row = run("next", "--json").json
    assert (row["coming"], row["stopped"], row["missing"]) == ([], [], [])
