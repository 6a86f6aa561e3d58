"""The mail as one chosen reader gets it: a few readers are offered by what is typed, to those who may see readers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from newsletter.app.desk import open_desk
from newsletter.audience import subscribers

ISSUE = "2026-11-27"
READER = "zoë+weekly@readers.test"


def _people(served: Any, count: int) -> None:
    with open_desk(served.root) as desk:
        for n in range(count):
            subscribers.add(desk.store, f"rider{n:02}@ferry.test", {"first_name": f"Rider {n}"}, "test", desk.keys)


def test_at_most_twenty_are_offered_and_none_for_nothing(served: Any) -> None:
    """The audience is never in an answer as a whole, what is typed never in an address; who has left is not offered."""
    _people(served, 30)

    def offered(typed: str) -> list[str]:
        answer = served.form("/audience/names", urlencode({"q": typed}))
        assert answer.status == 200
        return re.findall(r'data-value="([^"]+)"', answer.text)

    assert offered("") == offered("  ") == []
    assert len(offered("ferry")) == 20
    assert offered("rider07") == ["rider07@ferry.test"]
    assert offered("Rider 29") == ["rider29@ferry.test"]
    assert offered("nobody") == []
    assert served.get("/audience/names?q=ferry").status == 404
    with open_desk(served.root) as desk:
        reader = next(r for r in subscribers.list_subscribers(desk.store, search="rider07", limit=1))
    left = served.form(f"/audience/{reader.public_id}/unsubscribe", "sure=yes")
    assert left.status == 303 and offered("rider07") == []


def test_what_a_readers_name_says_is_never_markup(served: Any) -> None:
    with open_desk(served.root) as desk:
        subscribers.add(desk.store, "bo@ferry.test", {"first_name": '<b onclick="x">'}, "test", desk.keys)
    assert "&lt;b onclick" in served.form("/audience/names", "q=bo%40").text


@pytest.mark.chromium
@pytest.mark.npm
def test_a_reader_is_chosen_by_keys_from_what_is_offered(served: Any, screens: Callable[..., Any], axe: str) -> None:
    """Promise: type a part, go down, Enter: the mail has that reader's name. The page holds nobody before."""
    _people(served, 30)
    screen = screens(served)
    screen.open(f"/issues/{ISSUE}")
    page = screen.page
    expect(page.locator("body[data-shown]")).to_be_attached()
    assert "@ferry.test" not in page.content()
    box = page.get_by_label("As reader")
    options = page.get_by_role("option").and_(page.locator("#readers li"))
    box.press_sequentially("ferry")
    expect(options).to_have_count(20)
    assert screen.axe(axe) == []
    box.press("Escape")
    expect(options).to_have_count(0)
    box.fill("zo")
    expect(options).to_have_text([f"{READER} Zoë"])
    box.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "reader-1")
    box.press("Enter")
    expect(box).to_have_value(READER)
    expect(page.locator("#readers")).to_be_hidden()
    mail = page.frame_locator("#mail").locator("body")
    expect(mail).to_contain_text("Good morning Zoë")
    box.fill("rider0")
    options.nth(3).click()
    expect(mail).to_contain_text("Good morning Rider 3")
    box.fill("rider1")
    expect(options).to_have_count(10)
    box.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    box.press("Tab")
    expect(page.locator("#readers")).to_be_hidden()
    assert screen.axe(axe) == []
    assert [error for error in screen.errors if "404" not in error] == []
