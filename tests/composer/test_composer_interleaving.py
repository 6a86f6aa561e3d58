"""What an editor presses while an answer is still on its way: each order of events is forced by holding a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

ISSUE = "2026-11-27"
LEAD = "passengers-buy-the-last-ferry"
SECOND = "sea-wall-to-move-inland"

pytestmark = pytest.mark.chromium


class Held:
    """Requests to addresses that end in ``end``, kept back until they are let go."""

    def __init__(self, page: Page, end: str) -> None:
        self._routes: list[Route] = []
        self.seen = 0
        self._open = False
        page.route(re.compile(rf"/{end}$"), self._take)

    def _take(self, route: Route) -> None:
        self.seen += 1
        if self._open:
            route.continue_()
        else:
            self._routes.append(route)

    def let_go(self) -> None:
        """Let go of what is held and of all that comes."""
        self._open = True
        for route in self._routes:
            route.continue_()


class Desk:
    """The composer's screen on the sample issue."""

    def __init__(self, screen: Any) -> None:
        self.screen, self.served = screen, screen.served
        self.page: Page = screen.page
        screen.open(f"/issues/{ISSUE}")
        expect(self.page.locator("body[data-shown]")).to_be_attached()

    def text(self, name: str = "issue") -> str:
        found: str = (self.served.issue / f"{name}.md").read_text(encoding="utf-8")
        return found

    def titles(self) -> list[str]:
        return re.findall(r"^  - (?:title: (.+)|layout: lead|layout: sponsor)$", self.text(), re.MULTILINE)

    def until(self, condition: Callable[[], Any]) -> None:
        self.screen.until(condition)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def hold(self, end: str) -> Held:
        return Held(self.page, end)

    def box(self, slug: str, field: str) -> Any:
        return self.page.locator(f'.story[data-slug="{slug}"] [data-field="{field}"]')


@pytest.fixture
def desk(served: Any, screens: Callable[..., Any]) -> Desk:
    return Desk(screens(served))


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (1000, 560)])
def test_undo_is_not_pulled_away_under_the_pointer_when_the_page_scrolls(desk: Desk, size: tuple[int, int]) -> None:
    """A press that began on Undo ends on it, though what was done before it scrolls the page meanwhile."""
    page = desk.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    before = desk.text()
    desk.press("Section Also this week down")
    desk.until(lambda: desk.text() != before)
    expect(page.locator("#live")).to_contain_text("is number 3")
    page.evaluate("scrollTo(0, 0)")
    undo = page.get_by_role("button", name="Undo", exact=True).bounding_box()
    assert undo
    page.mouse.move(undo["x"] + undo["width"] / 2, undo["y"] + undo["height"] / 2)
    page.mouse.down()
    page.evaluate("scrollTo(0, 1500)")
    page.mouse.up()
    desk.until(lambda: desk.text() == before)
    assert page.get_by_role("button", name="Undo", exact=True).bounding_box() == undo


def test_a_section_is_removed_that_was_meant_though_another_step_is_on_its_way(desk: Desk) -> None:
    """Places are counted once the page shows what was done before: never the neighbour that stands there meanwhile."""
    before = desk.text()
    assert desk.titles() == ["", "Also this week", "", "Weekend", "In brief", "The long view"]
    held = desk.hold("arrange")
    desk.press("Section Also this week down")
    desk.press("Remove the section Also this week")
    desk.until(lambda: held.seen == 1)
    held.let_go()
    desk.until(lambda: held.seen == 2 and "Also this week" not in desk.text())
    assert desk.titles() == ["", "", "Weekend", "In brief", "The long view"]
    expect(desk.page.locator("#live")).to_contain_text("removed the section Also this week, with its 3 stories")
    desk.press("Undo")
    desk.press("Undo")
    desk.until(lambda: desk.text() == before)


def test_a_story_that_is_moved_fast_goes_as_far_as_it_was_sent(desk: Desk) -> None:
    """Two presses before the first is answered are two places."""
    held = desk.hold("arrange")
    desk.press("“The sea wall at Lowmarsh will move a quarter of a mile inland” down")
    desk.press("“The sea wall at Lowmarsh will move a quarter of a mile inland” down")
    held.let_go()
    line = "articles: [sixth-formers-map-the-potholes, library-opens-on-sundays, sea-wall-to-move-inland]"
    desk.until(lambda: line in desk.text())


def test_what_is_pressed_twice_removes_once(desk: Desk) -> None:
    """The second press meant the section that is gone."""
    held = desk.hold("arrange")
    desk.press("Remove the section Weekend")
    desk.press("Remove the section Weekend")
    held.let_go()
    desk.until(lambda: "Weekend" not in desk.text())
    expect(desk.page.locator(".section")).to_have_count(5)
    desk.page.wait_for_timeout(200)
    assert held.seen == 1 and desk.titles() == ["", "Also this week", "", "In brief", "The long view"]


def test_what_is_typed_while_it_is_taken_back_is_no_conflict(desk: Desk) -> None:
    """A save waits for the restoring of its file: the editor's newest words stand, and nobody is asked to choose."""
    before = desk.text(LEAD)
    box = desk.box(LEAD, "headline")
    box.fill("A first thought")
    desk.until(lambda: "A first thought" in desk.text(LEAD))
    expect(desk.page.locator("#saved")).to_have_text("Saved")
    held = desk.hold("restore")
    desk.press("Undo")
    desk.until(lambda: held.seen == 1)
    box.fill("A second thought")
    desk.page.wait_for_timeout(100)
    held.let_go()
    desk.until(lambda: "A second thought" in desk.text(LEAD))
    expect(desk.page.locator("#saved")).to_have_text("Saved")
    assert not desk.page.locator("#conflict").is_visible()
    desk.press("Undo")
    desk.until(lambda: desk.text(LEAD) == before)
    assert desk.screen.errors == []


def test_what_is_done_elsewhere_while_something_is_taken_back_can_be_taken_back_too(desk: Desk) -> None:
    """An edit of another story that is saved in the middle of an undo stays in the list."""
    first, second = desk.text(LEAD), desk.text(SECOND)
    desk.box(LEAD, "headline").fill("A first thought")
    desk.until(lambda: "A first thought" in desk.text(LEAD))
    expect(desk.page.locator("#saved")).to_have_text("Saved")
    held = desk.hold("restore")
    desk.press("Undo")
    desk.until(lambda: held.seen == 1)
    desk.box(SECOND, "headline").fill("Another story")
    desk.until(lambda: "Another story" in desk.text(SECOND))
    held.let_go()
    desk.until(lambda: desk.text(LEAD) == first)
    desk.press("Undo")
    desk.until(lambda: desk.text(SECOND) == second)


@pytest.mark.parametrize("status", [503, 507])
def test_an_undo_that_is_refused_for_a_moment_can_be_pressed_again(desk: Desk, status: int) -> None:
    """Only a file that somebody else has changed ends the list: a full disk or a busy machine does not."""
    before = desk.text(LEAD)
    desk.box(LEAD, "headline").fill("A first thought")
    desk.until(lambda: "A first thought" in desk.text(LEAD))
    expect(desk.page.locator("#saved")).to_have_text("Saved")
    said = json.dumps({"error": {"what": "the disk is full", "where": None, "fix": "make room"}})
    address = re.compile("/restore$")
    desk.page.route(address, lambda route: route.fulfill(status=status, body=said, content_type="application/json"))
    desk.press("Undo")
    expect(desk.page.locator("#trouble .what")).to_have_text("the disk is full")
    desk.page.unroute(address)
    desk.press("Undo")
    desk.until(lambda: desk.text(LEAD) == before)


def test_an_undo_without_an_answer_says_so_in_words(desk: Desk) -> None:
    """No browser's own words, and the entry stays."""
    before = desk.text(LEAD)
    desk.box(LEAD, "headline").fill("A first thought")
    desk.until(lambda: "A first thought" in desk.text(LEAD))
    expect(desk.page.locator("#saved")).to_have_text("Saved")
    desk.page.route(re.compile("/restore$"), lambda route: route.abort())
    desk.press("Undo")
    expect(desk.page.locator("#live")).to_have_text("The composer does not answer")
    desk.page.unroute(re.compile("/restore$"))
    desk.press("Undo")
    desk.until(lambda: desk.text(LEAD) == before)


def test_a_title_that_is_being_typed_stays_when_the_files_are_read_again(desk: Desk) -> None:
    """The words of a section's title are saved when the box is left; another hand's save of another file keeps them."""
    title = desk.page.locator(".section-title").nth(1)
    title.click()
    title.press("End")
    title.press_sequentially(", and")
    with desk.page.expect_response(re.compile("/state$")):
        desk.served.edit(f"{SECOND}.md", "The sea wall", "Our sea wall")
    expect(desk.box(SECOND, "headline")).to_have_value(re.compile("^Our sea wall"))
    expect(title).to_have_value("Also this week, and")
    title.press("Tab")
    desk.until(lambda: "title: Also this week, and" in desk.text())


def test_a_waiver_right_after_typing_is_no_conflict(desk: Desk) -> None:
    """The waiver goes into the file as it is once the words are saved."""
    page = desk.page
    desk.served.edit(f"{LEAD}.md", "\n---\n", "\n---\nIt moves.  Slowly.\n\n")
    page.get_by_role("button", name=re.compile("^Checks")).click()
    found = page.locator(f'#findings [data-about="{LEAD}"]')
    found.get_by_role("button", name=re.compile("^Waive:")).click()
    found.get_by_label("Why is it accepted?").fill("a quotation")
    held = desk.hold(f"stories/{LEAD}")
    desk.box(LEAD, "headline").fill("Written a moment before")
    desk.until(lambda: held.seen == 1)
    found.get_by_role("button", name="Waive", exact=True).click()
    page.wait_for_timeout(100)
    held.let_go()
    desk.until(lambda: "a quotation" in desk.text(LEAD))
    assert "Written a moment before" in desk.text(LEAD)
    assert page.locator("#trouble").is_hidden()
