"""The day that is offered for a new issue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from newsletter.app import issues
from newsletter.app.desk import Desk, open_desk
from newsletter.app.issues import IssueRow, day_for_new
from newsletter.store.clock import to_us
from newsletter.workspace.create import init_workspace


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    root = init_workspace(tmp_path / "ws", name="Pier", sender="a@pier.test", address="1 Mole").root
    file = root / "newsletter.toml"
    text = file.read_text(encoding="utf-8")
    assert 'timezone = "Europe/London"' in text
    file.write_text(text.replace("Europe/London", "Pacific/Auckland"), encoding="utf-8")
    with open_desk(root) as opened:
        yield opened


def row(day: date | None) -> IssueRow:
    return IssueRow(str(day), "draft", 0, "", None, day)


@pytest.mark.parametrize(
    ("days", "offered"),
    [
        ([], date(2026, 11, 28)),
        ([None], date(2026, 11, 28)),
        ([date(2026, 11, 20), date(2026, 11, 27), None], date(2026, 12, 4)),
        ([date(2022, 2, 25)], date(2026, 11, 28)),
        ([date(2026, 11, 27), date(9999, 12, 31)], date(2026, 11, 28)),
    ],
)
def test_a_week_after_the_latest_issue_but_never_a_day_that_is_past(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, days: list[date | None], offered: date
) -> None:
    """Today is the publication's: in Auckland it is Saturday when it is Friday noon in UTC."""
    monkeypatch.setattr(issues, "now_us", lambda: to_us(datetime(2026, 11, 27, 12, tzinfo=UTC)))
    assert day_for_new(desk, [row(day) for day in days]) == offered
