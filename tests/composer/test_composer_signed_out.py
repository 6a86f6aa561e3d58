"""A composer that was started again knows its browsers no more: what is typed meanwhile is kept, then saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.chromium

ISSUE = "2026-11-27"
SECOND = "sea-wall-to-move-inland"


def test_a_restart_in_mid_edit_loses_nothing_and_the_page_goes_on_when_the_browser_has_signed_in(
    root: Path, screens: Callable[..., Any], compose: Callable[..., Any]
) -> None:
    """The page says what it waits for and how that ends; nobody has to type again, reload or press anything in it."""
    file = root / "issues" / ISSUE / f"{SECOND}.md"
    with compose(root) as first:
        page = screens(first).open(f"/issues/{ISSUE}").page
        expect(page.locator("body[data-shown]")).to_be_attached()
        port = int(first.host.partition(":")[2])
    saved, trouble = page.locator("#saved"), page.locator("#trouble")
    page.locator(f'[data-slug="{SECOND}"] .teaser').fill("Typed while it was away")
    expect(saved).to_have_text("The composer has stopped; kept in this window")
    with compose(root, port) as second:
        expect(saved).to_have_text("Not signed in; kept in this window", timeout=15_000)
        expect(trouble).to_contain_text("open the address that newsletter serve shows")
        expect(trouble).to_contain_text("in another tab of this browser")
        assert "Typed while" not in file.read_text(encoding="utf-8")
        page.context.new_page().goto(second.server.entrance)
        expect(saved).to_have_text("Saved", timeout=15_000)
        expect(trouble).to_be_hidden()
        expect(page.locator(".wrong:visible")).to_have_count(0)
        assert "teaser: Typed while it was away" in file.read_text(encoding="utf-8")
        expect(page.frame_locator("#mail").get_by_text("Typed while it was away")).to_be_visible()
        # And the page hears again what others do.
        second.edit(f"{SECOND}.md", "Typed while it was away", "Written on the disk")
        expect(page.frame_locator("#mail").get_by_text("Written on the disk")).to_be_visible()


def test_a_page_in_which_nothing_was_typed_says_that_it_is_signed_out_and_follows_again(
    root: Path, screens: Callable[..., Any], compose: Callable[..., Any]
) -> None:
    """Whoever only reads learns it before the first word is typed in vain."""
    with compose(root) as first:
        page = screens(first).open(f"/issues/{ISSUE}").page
        expect(page.locator("body[data-shown]")).to_be_attached()
        port = int(first.host.partition(":")[2])
    expect(page.locator("#saved")).to_have_text("The composer has stopped")
    with compose(root, port) as second:
        expect(page.locator("#saved")).to_have_text("Not signed in", timeout=15_000)
        expect(page.locator("#trouble")).to_contain_text("not signed in")
        page.context.new_page().goto(second.server.entrance)
        expect(page.locator("#saved")).to_have_text("Saved", timeout=15_000)
        expect(page.locator("#trouble")).to_be_hidden()


def test_the_refusal_says_how_to_sign_in_and_is_not_that_of_a_role(served: Any) -> None:
    """A script must know the two apart: one ends by itself when somebody signs in, the other does not."""
    answer = served.ask("GET", f"/issues/{ISSUE}/state", known=False)
    assert answer.status == 403
    assert answer.json["error"]["kind"] == "signed-out" and "another tab" in answer.json["error"]["fix"]
