"""Days are those of the publication's zone, wherever the machine stands and whatever its own clocks show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from newsletter.app.words import day_time
from newsletter.store.clock import to_us

Run = Callable[..., Any]


@pytest.fixture
def thursday(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is Thursday noon in London, and Friday in Auckland and in Tokyo it is evening."""
    moment = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
    monkeypatch.setattr(
        "newsletter.store.clock.time", SimpleNamespace(time_ns=lambda: int(moment.timestamp()) * 1_000_000_000)
    )


def move(weekly: Path, zone: str) -> None:
    """The publication to another zone."""
    file = weekly / "newsletter.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("Europe/London", zone), encoding="utf-8")
    assert zone in file.read_text(encoding="utf-8")


def test_a_mailing_ended_on_the_publications_day(
    run: Run, weekly: Path, issue: str, readers: int, thursday: None
) -> None:
    move(weekly, "Pacific/Auckland")
    run("approve", issue, "--send-at", "2026-11-28 07:00")
    run("cancel", issue, "--yes")
    assert "cancelled on 2026-11-27, 0 submitted" in run("status", issue).out


def test_since_the_first_day_of_the_calendar_is_since_ever(run: Run, weekly: Path, issue: str) -> None:
    """East of Greenwich it began before UTC did."""
    move(weekly, "Asia/Tokyo")
    everything = run("article", "list", "--json").json
    assert run("article", "list", "--json", "--since", "0001-01-01").json == everything


def test_a_story_is_listed_under_the_day_that_it_states(run: Run, weekly: Path, tmp_path: Path) -> None:
    """A day is that day also west of Greenwich; a time is the day that it is in the zone."""
    move(weekly, "America/Los_Angeles")
    for slug, stated in (("day", "2026-11-26"), ("moment", "2026-11-26T04:30:00Z")):
        file = tmp_path / f"{slug}.md"
        file.write_text(f"---\nheadline: A {slug}\npublished: {stated}\n---\nIt came.\n", encoding="utf-8")
        run("article", "add", str(file))
    rows = run("article", "list", "--json").json["articles"]
    assert {row["headline"]: row["published"] for row in rows} == {"A day": "2026-11-26", "A moment": "2026-11-25"}


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-26T11:30Z", "at 00:30"),
        ("2026-11-26T10:30Z", "on Thursday 26 November at 23:30"),
        ("2025-12-31T00:00Z", "on Wednesday 31 December 2025 at 13:00"),
    ],
)
def test_a_time_of_another_day_is_said_with_its_day(at: str, said: str) -> None:
    """The day changes where the publication is: in Auckland, 13 hours before Greenwich."""
    now = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
    assert day_time(to_us(datetime.fromisoformat(at)), "Pacific/Auckland", now) == said
