"""The chooser of creatives in a real browser: what is offered, what stands there, what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

ISSUE = "2026-11-27"
STANDING = "bring-last-winters-coat-back"

pytestmark = pytest.mark.chromium


def _creative(served: Any, name: str, runs: str) -> None:
    folder = served.root / "sponsors"
    folder.mkdir(exist_ok=True)
    head = f"sponsor: {name.title()}\nheadline: What {name} sells\nlink: https://ads.example/\nruns: {runs}"
    (folder / f"{name}.md").write_text(f"---\n{head}\n---\nBuy it.\n", encoding="utf-8")


def _open(served: Any, screens: Callable[..., Any], **options: Any) -> Any:
    screen = screens(served, **options)
    screen.open(f"/issues/{ISSUE}")
    expect(screen.page.locator("body[data-shown]")).to_be_attached()
    return screen


@pytest.mark.npm
@pytest.mark.parametrize("width", [1280, 360])
def test_a_creative_is_chosen_by_keys_stands_with_its_bookings_and_can_be_taken_back(
    served: Any, screens: Callable[..., Any], axe: str, width: int
) -> None:
    """Promise: booked creatives come first; the chosen one is in the file, in the mail, and undo takes it out."""
    _creative(served, "chandler", f"[{ISSUE}]")
    _creative(served, "almanac", "[2027-01-08]")
    screen = _open(served, screens, viewport={"width": width, "height": 900}, color_scheme="dark")
    page = screen.page
    page.locator(f'[data-slug="{STANDING}"] [data-do="drop"]').click()
    choice = page.get_by_label("Creative for this place")
    expect(choice).to_be_visible()
    shown = choice.locator("optgroup, option").evaluate_all("all => all.map(e => e.label)")
    assert shown[0] == "Choose a creative …" and shown[1] == "Booked for this issue" and shown[3] == "Not booked for it"
    assert screen.axe(axe, exclude="iframe") == []
    before = (served.issue / "issue.md").read_text(encoding="utf-8")
    choice.focus()
    choice.press("ArrowDown")
    if choice.input_value() != "chandler":
        choice.select_option("chandler")
    text = lambda: (served.issue / "issue.md").read_text(encoding="utf-8")  # noqa: E731 - read again each time
    screen.until(lambda: "sponsor: chandler" in text())
    card = page.locator('[data-slug="chandler"]')
    expect(card.locator(".runs li").first).to_have_text("Chandler · runs 27 November 2026 · not approved yet")
    expect(card.locator(".handle")).to_be_focused()
    expect(page.locator("#live")).to_have_text("put the creative chandler in.")
    for box in card.locator("textarea").all():
        expect(box).to_have_js_property("readOnly", True)
    if width == 360:
        page.get_by_role("button", name="Mail", exact=True).click()
    expect(page.frame_locator("#mail").locator("body")).to_contain_text("What chandler sells")
    assert screen.axe(axe, exclude="iframe") == []
    if width == 360:
        page.get_by_role("button", name="Write", exact=True).click()
    page.get_by_role("button", name="Undo", exact=True).click()
    screen.until(lambda: text() == before)
    expect(choice).to_be_visible()
    assert screen.errors == []


def test_what_another_has_booked_is_refused_in_words_and_the_choice_is_empty_again(
    served: Any, screens: Callable[..., Any]
) -> None:
    """The place is the sponsor's who booked it: both are named, and nothing is written."""
    _creative(served, "chandler", f"[{ISSUE}]")
    _creative(served, "almanac", "[2027-01-08]")
    screen = _open(served, screens)
    page = screen.page
    page.locator(f'[data-slug="{STANDING}"] [data-do="drop"]').click()
    choice = page.get_by_label("Creative for this place")
    expect(choice).to_be_visible()
    before = (served.issue / "issue.md").read_bytes()
    choice.select_option("almanac")
    expect(page.locator("#trouble")).to_contain_text(re.compile("chandler", re.IGNORECASE))
    expect(page.get_by_label("Creative for this place")).to_have_value("")
    assert (served.issue / "issue.md").read_bytes() == before


def test_without_a_creative_the_place_says_how_to_get_one(served: Any, screens: Callable[..., Any]) -> None:
    """And a place that is taken offers nothing."""
    for path in (served.root / "sponsors").glob("*"):
        path.unlink()
    screen = _open(served, screens)
    section = screen.page.locator('.section[data-layout="sponsor"]')
    expect(section.locator("select.creative")).to_have_count(0)
    screen.page.locator(f'[data-slug="{STANDING}"] [data-do="drop"]').click()
    expect(section.locator(".empty")).to_have_text("No creative yet: newsletter sponsor add NAME")
