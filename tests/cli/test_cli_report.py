"""``newsletter report``: what is known, what is not, and never the one for the other."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.report import percent

Run = Callable[..., Any]


def execute(weekly: Path, *statements: str) -> None:
    with closing(sqlite3.connect(weekly / ".newsletter" / "newsletter.db")) as raw, raw:
        for statement in statements:
            raw.execute(statement)


@pytest.fixture
def sent(run: Run, weekly: Path, issue: str, readers: int) -> str:
    run("audience", "suppress", "cy@readers.test", "--reason", "by letter")
    run("approve", issue, "--send-at", "now")
    run("run-due")
    return issue


def measure(row: Any, name: str) -> Any:
    return next(m for m in row["measures"] if m["name"] == name)


def test_what_nobody_told_us_is_unknown_and_never_nought(run: Run, sent: str) -> None:
    """The outbox reports no events: no share of delivered, opened or bounced mails is invented."""
    said = run("report", sent).out
    assert "3 = 2 submitted + 1 excluded" in said
    assert "suppressed: by letter" in said
    assert "the outbox reports no events" in said
    assert " %" not in said
    assert "█" not in said, "bars are for a terminal"
    assert "@" not in said
    row = run("report", sent, "--json").json
    assert row["schema"] == "newsletter/report/1"
    for name in ("delivered", "bounced", "complained", "opened", "clicked"):
        found = measure(row, name)
        assert (found["count"], found["share"]) == (None, None), name
        assert found["unknown"]
    assert row["hours"][0]["submitted"] == 2
    assert row["domains"] == [{"domain": "readers.test", "submitted": 2, "delivered": 0, "refused": 0, "complained": 0}]


def test_once_the_provider_has_spoken_its_noughts_are_noughts(run: Run, weekly: Path, sent: str) -> None:
    """Delivered was told, so no bounce is 0; opens stay unknown, for mails carry no tracking."""
    execute(
        weekly, "insert into event select id, 'delivered', updated_at, mailing_id, null, '', 0 from delivery limit 1"
    )
    row = run("report", sent, "--json").json
    assert (measure(row, "delivered")["count"], measure(row, "delivered")["share"]) == (1, 0.5)
    assert (measure(row, "bounced")["count"], measure(row, "bounced")["unknown"]) == (0, None)
    assert measure(row, "opened")["unknown"] == "mails carry no tracking"
    assert "50.0 % of submitted" in run("report", sent).out


def test_it_is_compared_with_the_issues_before_and_its_correction_is_told(run: Run, weekly: Path, sent: str) -> None:
    """The median is of earlier issues alone; a correction stands below, and is no earlier issue itself."""
    execute(
        weekly,
        "insert into event select id, 'delivered', updated_at, mailing_id, null, '', 0 from delivery where id < 3",
    )
    run("issue", "correct", sent)
    folder = weekly / "issues" / f"{sent}-correction"
    text = (folder / "issue.md").read_text(encoding="utf-8")
    (folder / "issue.md").write_text(text.replace("correction:", "correction: The tide was early. #"), encoding="utf-8")
    run("issue", "pick", f"{sent}-correction", "the-tide-tables-were-right")
    run("approve", f"{sent}-correction", "--send-at", "now")
    run("run-due")
    row = run("report", sent, "--json").json
    assert [c["issue"] for c in row["corrections"]] == [f"{sent}-correction"]
    assert f"Its correction {sent}-correction: 3 = 2 submitted" in run("report", sent).out
    execute(
        weekly,
        "insert into event select id, 'delivered', updated_at, mailing_id, null, '', 0 from delivery"
        " where mailing_id = 2 and state = 'submitted' limit 1",
    )
    run("issue", "duplicate", sent, "2026-12-04")
    run("approve", "2026-12-04", "--send-at", "now")
    run("run-due")
    found = measure(run("report", "2026-12-04", "--json").json, "delivered")
    assert (found["median"], found["earlier"], found["count"]) == (1.0, 1, None)
    assert "the issue before: 100.0 %" in run("report", "2026-12-04").out


def test_what_was_not_sent_has_no_report(run: Run, issue: str) -> None:
    """And an unknown issue is not an empty report."""
    run("report", issue, code=1)
    run("report", "2020-01-01", code=65)


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0.0 %"), (0.0001, "0.010 %"), (1e-7, "under 0.001 %"), (0.99999, "over 99.9 %"), (1.0, "100.0 %")],
)
def test_a_few_are_not_shown_as_none_nor_nearly_all_as_all(share: float, shown: str) -> None:
    assert percent(share) == shown
