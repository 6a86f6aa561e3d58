"""The composer's screen in Chromium: what is typed is in the file and in the mail, whatever else happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from newsletter.app.approve import approve_issue
from newsletter.app.desk import open_desk
from newsletter.web.composer.pages import STATIC
from newsletter.web.preview import STATIC as SHARED

pytestmark = pytest.mark.chromium

ISSUE = "2026-11-27"
LEAD = "passengers-buy-the-last-ferry"
SECOND = "sea-wall-to-move-inland"
THIRD = "sixth-formers-map-the-potholes"


class Desk:
    """The composer's screen on the sample issue."""

    def __init__(self, screen: Any) -> None:
        self.screen = screen
        self.served = screen.served
        self.page: Page = screen.page

    def open(self) -> Desk:
        self.screen.open(f"/issues/{ISSUE}")
        expect(self.page.locator("body[data-ready]")).to_be_attached()
        return self

    def card(self, slug: str) -> Locator:
        return self.page.locator(f'.story[data-slug="{slug}"]')

    def field(self, slug: str, name: str) -> Locator:
        return self.card(slug).locator(f'[data-field="{name}"]')

    @property
    def mail(self) -> Any:
        return self.page.frame_locator("#mail")

    def saved(self) -> None:
        expect(self.page.locator("#saved")).to_have_text("Saved")

    def file(self, name: str) -> str:
        return (self.served.issue / f"{name}.md").read_text(encoding="utf-8")

    def until(self, condition: Callable[[], Any]) -> None:
        self.screen.until(condition)

    def order(self) -> list[list[str]]:
        script = "all => all.map(s => [...s.querySelectorAll('.story')].map(c => c.dataset.slug))"
        found: list[list[str]] = self.page.locator(".section").evaluate_all(script)
        return found


@pytest.fixture
def desk(served: Any, screens: Callable[..., Any]) -> Iterator[Desk]:
    found = Desk(screens(served))
    yield found.open()
    # Chromium itself reports every answer that is an error; those here are part of the conversation.
    # So is that the tests' own look into the mail's frame, in which no script runs.
    told = ("status of 409", "status of 422", "status of 423", "ERR_FAILED", "Blocked script execution")
    unexpected = [error for error in found.screen.errors if not any(words in error for words in told)]
    assert unexpected == []


def test_what_is_typed_is_in_the_file_and_in_the_mail_and_caret_and_place_stay(desk: Desk) -> None:
    """Nobody presses a button: the preview shows text that is a moment old, at the place that the editor looks at."""
    expect(desk.mail.locator("img").first).not_to_have_js_property("naturalWidth", 0)
    headline = desk.field(SECOND, "headline")
    headline.click()
    desk.page.evaluate("document.getElementById('mail').contentWindow.scrollTo(0, 600)")
    desk.page.keyboard.press("Control+End")
    desk.page.keyboard.type(" at last")
    expect(desk.mail.get_by_text("inland at last")).to_be_visible()
    desk.saved()
    assert "inland at last" in desk.file(SECOND)
    assert desk.page.evaluate("document.getElementById('mail').contentWindow.scrollY") == 600
    expect(headline).to_be_focused()
    desk.page.keyboard.type("!")
    desk.page.keyboard.press("Control+Home")
    desk.page.keyboard.type("Well: ")
    expect(desk.mail.get_by_text("Well: The sea wall")).to_be_visible()
    expect(headline).to_have_value(re.compile("^Well: The sea wall .* at last!$"))


def test_edits_of_two_stories_and_the_issue_at_once_are_all_kept(desk: Desk) -> None:
    """The queue is one for each file: nothing typed into one story is lost to another's save."""
    for number in range(5):
        desk.field(LEAD, "teaser").fill(f"First {number}")
        desk.field(SECOND, "teaser").fill(f"Second {number}")
        desk.field(SECOND, "kicker").fill(f"Coast {number}")
        desk.page.locator('#issue [data-field="subject"]').fill(f"Subject {number}")
    desk.saved()
    assert "teaser: First 4" in desk.file(LEAD)
    assert "teaser: Second 4" in desk.file(SECOND) and "kicker: Coast 4" in desk.file(SECOND)
    assert "subject: Subject 4" in desk.file("issue")


@pytest.mark.parametrize("arrives", [True, False])
def test_a_reload_in_mid_word_loses_nothing(desk: Desk, arrives: bool) -> None:
    """Also where the last save did not reach the file before the page went away."""
    box = desk.field(SECOND, "teaser")
    box.fill("Written before")
    desk.saved()
    box.press("Control+End")
    if not arrives:
        desk.page.route("**/stories/*", lambda route: route.abort())
    desk.page.keyboard.insert_text(" and cut in mid-wo")
    if not arrives:
        expect(desk.page.locator("#saved")).to_have_text("No connection; kept in this window")
        desk.page.unroute("**/stories/*")
    desk.open()
    expect(desk.field(SECOND, "teaser")).to_have_value("Written before and cut in mid-wo")
    desk.until(lambda: "cut in mid-wo" in desk.file(SECOND))


@pytest.mark.parametrize("mine", [True, False])
@pytest.mark.npm
def test_a_stale_save_shows_both_texts_and_the_editor_chooses(desk: Desk, mine: bool, axe: str) -> None:
    """The other text came from another program while this window could not hear of it."""
    desk.page.route("**/news", lambda route: route.abort())
    desk.open()
    desk.served.edit(f"{SECOND}.md", "headline: The sea wall", "headline: The old sea wall")
    desk.field(SECOND, "headline").fill("The new sea wall moves")
    dialog = desk.page.locator("#conflict")
    expect(dialog).to_be_visible()
    expect(dialog.locator("mark.gone").first).to_contain_text("old")
    expect(dialog.locator("mark.come").first).to_contain_text("new")
    assert "The old sea wall" in desk.file(SECOND)
    desk.page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    assert desk.screen.axe(axe, exclude="#mail") == []
    dialog.get_by_role("button", name="Keep mine" if mine else "Take theirs").click()
    expect(dialog).to_be_hidden()
    wanted = "The new sea wall moves" if mine else "The old sea wall"
    desk.until(lambda: wanted in desk.file(SECOND))
    expect(desk.field(SECOND, "headline")).to_have_value(re.compile(wanted))


def test_a_save_on_the_disk_is_shown_at_once_and_takes_nothing_that_is_being_typed(desk: Desk) -> None:
    desk.field(LEAD, "teaser").click()
    desk.served.edit(f"{SECOND}.md", "headline: The sea wall", "headline: The disk's sea wall")
    expect(desk.field(SECOND, "headline")).to_have_value(re.compile("The disk's sea wall"))
    expect(desk.mail.get_by_text("The disk's sea wall")).to_be_visible()
    expect(desk.field(LEAD, "teaser")).to_be_focused()
    good = desk.file("issue")
    desk.served.edit("issue.md", "subject: ", "subject: a: b: ")
    expect(desk.page.locator("#trouble")).to_contain_text("issue.md:2")
    expect(desk.page.locator("#mail-trouble")).to_contain_text("issue.md:2")
    (desk.served.issue / "issue.md").write_text(good, encoding="utf-8")
    expect(desk.page.locator("#trouble")).to_be_hidden()
    expect(desk.page.locator("#mail-trouble")).to_be_hidden()


def test_undo_and_redo_cover_typing_moving_and_dropping(desk: Desk) -> None:
    before, order, text = desk.file("issue"), desk.order(), desk.file(SECOND)
    desk.field(SECOND, "headline").fill("Another headline")
    desk.saved()
    desk.field(SECOND, "headline").press("Alt+ArrowDown")
    desk.until(lambda: desk.order() != order)
    moved = desk.order()
    desk.card(THIRD).get_by_role("button", name="Drop").click()
    expect(desk.card(THIRD)).to_have_count(0)
    expect(desk.page.locator("#spare")).to_contain_text("pothole in town")

    desk.page.get_by_role("button", name="Undo").click()
    desk.until(lambda: desk.order() == moved)
    desk.page.keyboard.press("Control+z")
    desk.until(lambda: desk.order() == order)
    assert desk.file("issue") == before
    desk.page.keyboard.press("Control+z")
    desk.until(lambda: desk.file(SECOND) == text)
    expect(desk.field(SECOND, "headline")).to_have_value(re.compile("The sea wall"))
    expect(desk.page.get_by_role("button", name="Undo")).to_be_disabled()

    for _ in range(3):
        desk.page.get_by_role("button", name="Redo").click()
        desk.page.wait_for_timeout(150)
    expect(desk.card(THIRD)).to_have_count(0)
    expect(desk.field(SECOND, "headline")).to_have_value("Another headline")
    assert "headline: Another headline" in desk.file(SECOND)


def test_keys_and_buttons_move_a_story_say_so_and_keep_the_focus(desk: Desk) -> None:
    live = desk.page.locator("#live")
    handle = desk.card(SECOND).locator(".handle")
    handle.focus()
    desk.page.keyboard.press("Alt+ArrowUp")
    expect(live).to_contain_text("is place 2 of 2 in the lead")
    assert desk.order()[0] == [LEAD, SECOND]
    expect(handle).to_be_focused()
    desk.page.keyboard.press("Alt+ArrowUp")
    expect(live).to_contain_text("is place 1 of 2 in the lead")
    desk.page.keyboard.press("Alt+ArrowUp")
    expect(live).to_contain_text("It is the first already.")
    desk.card(SECOND).get_by_role("button", name="down").click()
    expect(live).to_contain_text("is place 2 of 2 in the lead")
    expect(desk.card(SECOND).locator('[data-do="down"]')).to_be_focused()
    desk.page.locator(".section-head .handle").nth(1).focus()
    desk.page.keyboard.press("Alt+ArrowUp")
    expect(live).to_contain_text("the section Also this week is number 1")
    assert desk.served.state()["sections"][0]["title"] == "Also this week"


def test_a_story_is_dragged_by_its_handle_and_escape_lets_go(desk: Desk) -> None:
    def middle(of: Locator) -> tuple[float, float]:
        box = of.bounding_box()
        assert box
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    desk.page.set_viewport_size({"width": 1280, "height": 2400})
    order = desk.order()
    for kept in (False, True):
        desk.page.mouse.move(*middle(desk.card(LEAD).locator(".handle")))
        desk.page.mouse.down()
        x, y = middle(desk.card(THIRD))
        desk.page.mouse.move(x, y - 40, steps=6)
        desk.page.mouse.move(x, y - 30, steps=3)
        expect(desk.page.locator(".marker")).to_be_visible()
        if not kept:
            desk.page.keyboard.press("Escape")
            expect(desk.page.locator("#live")).to_contain_text("stays where it was")
            expect(desk.page.locator(".marker")).to_have_count(0)
        desk.page.mouse.up()
        if not kept:
            assert desk.order() == order
    desk.until(lambda: desk.order()[1][:3] == [SECOND, LEAD, THIRD])
    assert [s["slug"] for s in desk.served.state()["sections"][1]["stories"]][:3] == [SECOND, LEAD, THIRD]


def test_stories_are_picked_from_the_inbox_and_sections_come_and_go(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Pick stories").click()
    picker = desk.page.locator("#picker")
    expect(picker.locator("li")).to_have_count(2)
    picker.get_by_label("Search the inbox").fill("GASWORKS")
    expect(picker.locator("li")).to_have_count(1)
    picker.get_by_label("Into").select_option(label="Weekend, 4 stories")
    picker.get_by_role("button", name="Pick “Herons").click()
    expect(picker.get_by_role("button", name="Pick “Herons")).to_have_text("Picked")
    picker.get_by_role("button", name="Close").click()
    assert len(desk.order()[3]) == 5
    expect(desk.mail.get_by_text("Herons nest on the gasworks")).to_be_visible()
    desk.page.get_by_label("Layout of the new section").select_option("brief")
    desk.page.get_by_role("button", name="Add a section").click()
    title = desk.page.locator(".section-title").last
    expect(title).to_be_focused()
    title.fill("Stop press")
    title.press("Tab")
    desk.until(lambda: "title: Stop press" in desk.file("issue"))
    desk.page.get_by_role("button", name="Remove the section Stop press").click()
    desk.until(lambda: "Stop press" not in desk.file("issue"))


def test_a_new_issue_asks_for_its_first_story_and_then_shows_the_mail(desk: Desk) -> None:
    assert desk.served.form("/issues", "date=2026-12-18").status == 303
    desk.screen.open("/issues/2026-12-18")
    expect(desk.page.locator("#mail-trouble")).to_have_text("Pick the first story, and the mail stands here.")
    expect(desk.page.locator("#frame-box")).to_be_hidden()
    desk.page.get_by_role("button", name="Pick stories").click()
    desk.page.locator("#picker li").filter(has_text="bakery").get_by_role("button").click()
    desk.page.locator("#picker").get_by_role("button", name="Close").click()
    expect(desk.mail.get_by_role("heading", name="The bakery opens at four").first).to_be_visible()
    expect(desk.page.locator("#mail-trouble")).to_be_hidden()
    subject = desk.page.locator('#issue [data-field="subject"]')
    expect(subject).to_have_attribute("placeholder", "The bakery opens at four")
    desk.page.get_by_role("button", name="Undo").click()
    expect(desk.page.locator(".story")).to_have_count(0)


def test_everything_of_a_story_can_be_written_and_what_cannot_be_saved_is_said_and_kept(desk: Desk) -> None:
    desk.card(SECOND).get_by_role("button", name="All fields").click()
    desk.card(SECOND).get_by_role("textbox", name=re.compile("^Story")).fill(
        "The wall moves.\n\n> Mud remembers.\n> — A keeper\n"
    )
    desk.card(SECOND).get_by_label("Byline").fill("By Ada Marsh")
    link = desk.card(SECOND).get_by_label("Link", exact=True)
    link.fill("https:/")
    expect(desk.card(SECOND).locator(".wrong")).to_contain_text("no web address")
    expect(desk.page.locator("#saved")).to_have_text("Not saved yet")
    expect(link).to_have_value("https:/")
    link.fill("https://estuary.example/wall")
    desk.saved()
    expect(desk.card(SECOND).locator(".wrong")).to_be_hidden()
    text = desk.file(SECOND)
    assert "byline: By Ada Marsh" in text and "link: https://estuary.example/wall" in text
    assert text.endswith("> Mud remembers.\n> — A keeper\n")


def test_what_is_typed_while_the_composer_is_away_is_kept_and_saved_when_it_is_back(desk: Desk) -> None:
    desk.page.route("**/stories/*", lambda route: route.abort())
    desk.field(SECOND, "teaser").fill("Typed on a train")
    expect(desk.page.locator("#saved")).to_have_text("No connection; kept in this window")
    assert "Typed on a train" not in desk.file(SECOND)
    desk.page.unroute("**/stories/*")
    desk.saved()
    assert "teaser: Typed on a train" in desk.file(SECOND)


def test_an_approved_issue_can_be_read_and_nothing_else(served: Any, screens: Callable[..., Any]) -> None:
    with open_desk(served.root) as opened:
        approve_issue(opened, ISSUE, send_at=None)
    desk = Desk(screens(served)).open()
    expect(desk.page.locator("#approved")).to_be_visible()
    expect(desk.field(SECOND, "headline")).not_to_be_editable()
    expect(desk.page.locator("#add-section")).to_be_hidden()
    before = desk.file("issue")
    desk.field(SECOND, "headline").press("Alt+ArrowDown")
    expect(desk.page.locator("#trouble")).to_contain_text("is approved")
    assert desk.file("issue") == before


def test_the_mail_is_seen_through_a_client_on_a_phone_in_the_dark_without_images_as_text_and_as_a_reader(
    desk: Desk,
) -> None:
    switches = desk.page.locator("#switches")
    ground = desk.mail.locator("body")
    expect(desk.page.locator("body[data-shown]")).to_be_attached()  # no newer mail is on its way
    light = ground.evaluate("body => getComputedStyle(body).backgroundColor")
    switches.get_by_role("checkbox", name="Dark").check()
    desk.until(lambda: ground.evaluate("body => getComputedStyle(body).backgroundColor") != light)
    switches.get_by_role("checkbox", name="Dark").uncheck()
    switches.get_by_role("checkbox", name="Images").uncheck()
    expect(desk.mail.locator("img").first).to_have_js_property("naturalWidth", 0)
    switches.get_by_role("checkbox", name="Images").check()
    switches.get_by_label("Width", exact=False).select_option("phone")
    assert desk.page.locator("#mail").evaluate("frame => frame.clientWidth") <= 362  # at once, without a new mail
    switches.get_by_label("Seen in").select_option("gmail")
    expect(desk.page.locator("#approximation")).to_contain_text("lost or changed")
    switches.get_by_label("Seen in").select_option("")
    switches.get_by_label("Width", exact=False).select_option("text")
    expect(desk.page.locator("#text")).to_contain_text(re.compile("Good morning .?reader.?,"))
    switches.get_by_label("As reader").fill("zoë+weekly@readers.test")
    switches.get_by_label("As reader").press("Tab")
    expect(desk.page.locator("#text")).to_contain_text(re.compile("Good morning .?Zoë.?,"))
    switches.get_by_label("As reader").fill("nobody@readers.test")
    switches.get_by_label("As reader").press("Tab")
    expect(desk.page.locator("#mail-trouble")).to_contain_text("nobody@readers.test")
    desk.screen.errors.clear()  # the pictures that the policy of “no images” refused


def test_findings_lead_to_their_field_are_put_right_and_waived(desk: Desk) -> None:
    path = desk.served.issue / f"{SECOND}.md"
    path.write_text(path.read_text(encoding="utf-8") + "\nIt moves.  Slowly.\n", encoding="utf-8")
    lead = desk.served.issue / f"{LEAD}.md"
    lead.write_text(lead.read_text(encoding="utf-8") + "\nIt moves.  Slowly.\n", encoding="utf-8")
    desk.page.get_by_role("button", name=re.compile("^Checks")).click()
    item = desk.page.locator(f'#findings [data-about="{SECOND}"]')
    expect(item).to_have_count(1)
    item.locator(".place").click()
    expect(desk.field(SECOND, "text")).to_be_focused()
    item.get_by_role("button", name="Put it right").click()
    expect(item).to_have_count(0)
    assert "It moves. Slowly." in path.read_text(encoding="utf-8")
    other = desk.page.locator(f'#findings [data-about="{LEAD}"]')
    other.get_by_role("button", name=re.compile("^Waive:")).click()
    other.get_by_label("Why is it accepted?").fill("a quotation")
    other.get_by_role("button", name="Waive", exact=True).click()
    expect(other).to_contain_text("Waived")
    assert "reason: a quotation" in lead.read_text(encoding="utf-8")
    desk.page.keyboard.press("Control+z")
    desk.until(lambda: "a quotation" not in lead.read_text(encoding="utf-8"))


def test_nothing_that_a_story_brings_is_run_or_loaded(desk: Desk) -> None:
    evil = '<script>parent.hacked=1</script><img src=x onerror="parent.hacked=1">{{ 7*7 }}'
    desk.field(SECOND, "headline").fill(evil)
    desk.card(SECOND).get_by_role("button", name="All fields").click()
    desk.card(SECOND).get_by_role("textbox", name=re.compile("^Story")).fill(evil.replace("{{ 7*7 }}", "") + "\n\nOn.")
    desk.page.wait_for_timeout(600)
    assert desk.page.evaluate("window.hacked") is None
    assert desk.field(SECOND, "headline").input_value() == evil
    desk.screen.errors.clear()


@pytest.mark.npm
@pytest.mark.parametrize(
    ("width", "scheme"), [(360, "dark"), (640, "light"), (1280, "light"), (1280, "dark"), (3840, "light")]
)
def test_axe_objects_to_nothing_in_any_state_and_nothing_is_wider_than_the_window(
    served: Any, screens: Callable[..., Any], axe: str, width: int, scheme: str
) -> None:
    """Writing, opened, broken, picking, checks; from 360 px to 4K, and 1280 at 200 % (640)."""
    served.edit(f"{SECOND}.md", "headline: ", f"headline: {'Donaudampfschifffahrts' * 6} قومی خبریں ")
    desk = Desk(screens(served, viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"))
    desk.open()
    page = desk.page
    expect(page.locator("body[data-shown]")).to_be_attached()  # the mail that stays there when a story breaks
    (served.issue / f"{THIRD}.md").write_text("---\nheadline: a: b\n---\n", encoding="utf-8")

    def look(state: str) -> None:
        assert desk.screen.axe(axe, exclude="#mail") == [], state
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state

    expect(desk.card(THIRD).locator(".wrong")).to_be_visible()
    desk.card(SECOND).get_by_role("button", name="All fields").click()
    page.locator(".extras summary").click()
    page.locator(".inboxes summary").click()
    look("writing")
    page.get_by_role("button", name="Pick stories").click()
    expect(page.locator("#picker li").first).to_be_visible()
    look("picking")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Mail", exact=True).click()
    look("mail")
    page.get_by_role("button", name=re.compile("^Checks")).click()
    look("checks")
    assert [error for error in desk.screen.errors if "409" not in error] == []


def test_the_scripts_are_our_own_and_light() -> None:
    """At most 80 KB in all, no import but our own, no string that becomes code or markup."""
    scripts = [*STATIC.glob("*.js"), SHARED / "frame.js"]
    assert 0 < sum(path.stat().st_size for path in scripts) <= 80 * 1024
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        for found in re.findall(r'from "([^"]+)"', text):
            assert found.startswith(("./", "/static/mail/")) and (STATIC / found).name, path.name
        if path.name != "frame.js":
            assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc", text), (
                path.name
            )
    for path in Path(STATIC.parent, "templates").glob("*.j2"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! type=\"module\" src=)", text), path.name
