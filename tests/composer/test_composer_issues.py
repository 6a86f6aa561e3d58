"""The issues screen: what there is, what is wrong with it, and how the next issue begins."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from newsletter.app.approve import approve_issue
from newsletter.app.desk import open_desk
from newsletter.issues import summaries
from newsletter.workspace.create import init_workspace

ISSUE = "2026-11-27"


def test_a_broken_issue_is_listed_with_what_is_wrong_and_hides_no_other(served: Any) -> None:
    bad = served.root / "issues" / "2026-12-04"
    bad.mkdir()
    (bad / "issue.md").write_text("---\nsubject: a: b\ndate: 2026-12-04\n---\n", encoding="utf-8")
    page = served.get("/", Accept="text/html")
    assert page.status == 200
    assert "issues/2026-12-04/issue.md:2" in page.text and "cannot be read" in page.text
    assert "The ferry is ours" in page.text


def test_a_new_issue_and_a_copy_are_folders_and_the_browser_goes_there(served: Any) -> None:
    made = served.form("/issues", "date=2026-12-11&slug=")
    assert (made.status, made.headers["location"]) == (303, "/issues/2026-12-11")
    copied = served.form("/issues", f"date=2026-12-18&slug=jubilee&of={ISSUE}")
    assert (copied.status, copied.headers["location"]) == (303, "/issues/jubilee")
    text = (served.root / "issues" / "jubilee" / "issue.md").read_text(encoding="utf-8")
    assert "date: 2026-12-18" in text and "passengers-buy-the-last-ferry" in text


@pytest.mark.parametrize("form", [f"date={ISSUE}", "date=2026-12-18&slug=..%2Fx", "date=tomorrow", "slug=x", ""])
def test_what_cannot_be_made_is_said_on_the_page_and_nothing_is_made(served: Any, form: str) -> None:
    before = sorted(path.name for path in (served.root / "issues").iterdir())
    answer = served.form("/issues", form, Accept="text/html")
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert sorted(path.name for path in (served.root / "issues").iterdir()) == before


def test_an_approved_issue_is_shown_with_its_time_and_zone(served: Any) -> None:
    when = f"{date.today() + timedelta(days=30)}T07:00"
    with open_desk(served.root) as desk:
        approve_issue(desk, ISSUE, send_at=when)
    page = served.get("/", Accept="text/html").text
    assert "scheduled" in page and "07:00" in page and "(Europe/London)" in page


def test_an_issue_is_read_again_only_when_a_file_of_it_was_written(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five hundred issues are listed without opening one, and what is written anywhere is seen at once."""
    for n in range(40):
        shutil.copytree(served.issue, served.root / "issues" / f"2025-{n // 28 + 1:02d}-{n % 28 + 1:02d}")
    import time

    time.sleep(0.06)  # what was written just now is never trusted
    with open_desk(served.root) as desk:
        summaries.list_issues(desk.workspace)
        read: list[str] = []
        summary = summaries._summary
        monkeypatch.setattr(summaries, "_summary", lambda ws, slug: read.append(slug) or summary(ws, slug))
        summaries.list_issues(desk.workspace)
        assert read == []
        story = served.root / "issues" / "2025-01-03" / "curlews-after-dark.md"
        story.write_text("no front matter at all", encoding="utf-8")
        listed = {s.slug: s for s in summaries.list_issues(desk.workspace)}
        assert read == ["2025-01-03"]
        assert "curlews-after-dark.md" in (listed["2025-01-03"].problem or "")


def test_of_many_issues_the_newest_are_listed_and_the_rest_on_request(served: Any) -> None:
    for n in range(100):
        folder_ = served.root / "issues" / f"i-{n}"
        folder_.mkdir()
        (folder_ / "issue.md").write_text(f"---\ndate: 2025-{n % 12 + 1:02d}-01\n---\n", encoding="utf-8")
    page = served.get("/", Accept="text/html").text
    assert page.count('class="issue"') == 60 and "41 more drafts" in page and "The ferry is ours" in page
    assert served.get("/?all=1", Accept="text/html").text.count('class="issue"') == 101


@pytest.mark.chromium
def test_an_empty_workspace_shows_the_three_things_to_do_and_makes_the_first_issue(
    tmp_path: Path, compose: Callable[..., Any], screens: Callable[..., Any], axe: str
) -> None:
    init_workspace(tmp_path / "new", name="The Lantern", sender=None, address=None)
    for made in (tmp_path / "new" / "issues").glob("*/issue.md"):
        shutil.rmtree(made.parent)
    with compose(tmp_path / "new") as served:
        screen = screens(served)
        expect(screen.page.locator(".steps li")).to_have_count(3)
        assert screen.axe(axe) == []
        screen.page.get_by_label("Date", exact=True).fill("2027-01-08")
        screen.page.get_by_role("button", name="Make the issue").click()
        screen.page.wait_for_url("**/issues/2027-01-08")
        assert (tmp_path / "new" / "issues" / "2027-01-08" / "issue.md").exists()


@pytest.mark.chromium
@pytest.mark.npm
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 640, 1280, 3840])
def test_axe_objects_to_nothing_and_nothing_is_wider_than_the_window(
    served: Any, screens: Callable[..., Any], axe: str, width: int, scheme: str
) -> None:
    """From 360 px to 4K, and 640 is what 1280 becomes at 200 %."""
    bad = served.root / "issues" / "2026-12-04"
    bad.mkdir()
    (bad / "issue.md").write_text(f"---\nsubject: {'a' * 90}: b\ndate: 2026-12-04\n---\n", encoding="utf-8")
    long = served.root / "issues" / ("a-very-long-name-" * 4 + "x")
    shutil.copytree(served.issue, long)
    screen = screens(served, viewport={"width": width, "height": 800}, color_scheme=scheme)
    screen.page.get_by_text("New issue").click()
    screen.page.get_by_text("Duplicate").first.click()
    assert screen.axe(axe) == []
    assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert screen.errors == []
