"""What somebody saves while an issue is being approved is in what is frozen, or is said not to be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.app import approve
from newsletter.app.demo import create_demo
from newsletter.app.desk import Desk, open_desk
from newsletter.app.issues import list_issues
from newsletter.app.mailings import issue_status
from newsletter.delivery import mailings
from newsletter.errors import Conflict
from newsletter.issues.editing import duplicate

SLUG = "2026-12-04"
STORY = "sea-wall-to-move-inland"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    root = create_demo(tmp_path / "ws").root
    with open_desk(root) as opened:
        duplicate(opened.workspace, "2026-11-27", SLUG)
        assert any(row.slug == SLUG for row in list_issues(opened))
        yield opened


@pytest.fixture
def saved_during(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Another editor saves a story right after a step of the approval."""

    def during(step: str) -> None:
        really = getattr(approve, step)

        def then(*args: Any, **more: Any) -> Any:
            found = really(*args, **more)
            path = desk.workspace.issue_dir(SLUG) / f"{STORY}.md"
            path.write_text(path.read_text(encoding="utf-8") + "\nOne more sentence.\n", encoding="utf-8")
            return found

        monkeypatch.setattr(approve, step, then)

    return during


def test_a_story_that_is_saved_while_the_issue_is_rendered_is_a_conflict(
    desk: Desk, saved_during: Callable[[str], None]
) -> None:
    """Whether it is in the email nobody can say; nothing is frozen."""
    saved_during("render")
    with pytest.raises(Conflict, match="changed"):
        approve.approve_issue(desk, SLUG, send_at=None)
    assert not (desk.workspace.issue_dir(SLUG) / "approved").exists()


def test_a_story_that_is_saved_a_moment_later_is_said_not_to_be_sent(
    desk: Desk, saved_during: Callable[[str], None]
) -> None:
    """As every edit after the approval: it is not in the frozen bytes."""
    saved_during("publish_media")
    approved = approve.approve_issue(desk, SLUG, send_at=None)
    assert "One more sentence." not in (approved.approval.folder / "email.html").read_text(encoding="utf-8")
    assert f"{STORY}.md was edited after the approval; the edit is not sent" in "\n".join(
        issue_status(desk, SLUG).lines()
    )


def test_who_unapproves_while_it_is_approved_stops_all_of_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the freezing and the scheduling: never a mailing that is scheduled and has no approval."""
    freeze, said = approve.approvals.freeze, []

    def other_editor() -> None:
        with open_desk(desk.workspace.root) as other:
            said.append(approve.unapprove_issue(other, SLUG))

    taking_back = threading.Thread(target=other_editor)

    def then(*args: Any, **more: Any) -> Any:
        frozen = freeze(*args, **more)
        taking_back.start()
        taking_back.join(0.5)
        return frozen

    monkeypatch.setattr(approve.approvals, "freeze", then)
    approve.approve_issue(desk, SLUG, send_at="2099-12-04 07:00")
    taking_back.join(10)
    assert said and not (desk.workspace.issue_dir(SLUG) / "approved").exists()
    assert mailings.live(desk.store, SLUG) is None
