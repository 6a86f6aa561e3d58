"""Where editors stumbled: choosing many stories, what is wrong out of sight, empty screens, reading in the inbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from newsletter.app.articles import add_article
from newsletter.app.desk import open_desk

pytestmark = pytest.mark.chromium

ISSUE = "2026-11-27"
SECOND = "sea-wall-to-move-inland"


def test_picking_far_down_the_list_keeps_the_place_and_nothing_is_picked_twice(
    served: Any, screens: Callable[..., Any]
) -> None:
    """Five stories of a full inbox are five presses. What the issue has already is not offered to it again."""
    with open_desk(served.root) as opened:
        for number in range(30):
            add_article(opened, None, f"# Council meeting {number}\n\nIt was minuted.\n".encode())
    screen = screens(served).open(f"/issues/{ISSUE}")
    page = screen.page
    expect(page.locator("body[data-shown]")).to_be_attached()
    page.get_by_role("button", name="Pick stories").click()
    picker = page.locator("#picker")
    wanted = picker.get_by_role("button", name="Pick “Council meeting 3”", exact=True)
    wanted.scroll_into_view_if_needed()
    place = picker.evaluate("box => box.scrollTop")
    assert place > 0
    wanted.dblclick()
    expect(wanted).to_have_text("Picked")
    assert picker.evaluate("box => box.scrollTop") == place
    expect(wanted).to_be_focused()
    picker.get_by_role("button", name="Close").click()
    screen.until(lambda: (served.issue / "issue.md").read_text(encoding="utf-8").count("council-meeting-3") == 1)
    expect(page.locator("#trouble")).to_be_hidden()
    page.get_by_role("button", name="Pick stories").click()
    row = picker.locator("li").filter(has_text="Council meeting 3").last
    expect(row).to_contain_text("in this issue")
    expect(row.get_by_role("button")).to_have_count(0)
    assert "council-meeting-3" in served.get("/inbox/picks?issue=another").text  # for another issue it is there
    assert screen.errors == []


def test_what_cannot_be_picked_is_said_where_it_can_be_read(served: Any, screens: Callable[..., Any]) -> None:
    """An error on a page that lies behind a dialog is read by nobody: the dialog gives way to it."""
    page = screens(served).open(f"/issues/{ISSUE}").page
    expect(page.locator("body[data-shown]")).to_be_attached()
    page.get_by_role("button", name="Pick stories").click()
    page.route("**/arrange", lambda route: route.abort())
    page.locator("#picker").get_by_role("button", name="Pick “Herons").click()
    expect(page.locator("#picker")).to_be_hidden()
    expect(page.locator("#trouble")).to_contain_text("does not answer")


@pytest.mark.parametrize("size", [(1280, 800), (360, 740)])
def test_what_is_wrong_with_a_picture_is_seen_where_it_was_chosen(
    served: Any, screens: Callable[..., Any], size: tuple[int, int]
) -> None:
    """The fields of a story are longer than a window; what is wrong stays in sight above them."""
    page = screens(served, viewport={"width": size[0], "height": size[1]}).open(f"/issues/{ISSUE}").page
    expect(page.locator("body[data-shown]")).to_be_attached()
    card = page.locator(f'.story[data-slug="{SECOND}"]')
    card.get_by_role("button", name="All fields").click()
    card.get_by_label("Caption").evaluate("box => box.scrollIntoView({ block: 'center' })")
    card.locator("input[type=file]").set_input_files(
        {"name": "page.jpg", "mimeType": "image/jpeg", "buffer": b"<html>no picture</html>"}
    )
    wrong = card.locator(".wrong")
    expect(wrong).to_contain_text("not a picture")
    expect(wrong).to_be_in_viewport(ratio=1)
    top = page.evaluate("document.querySelector('.bar').getBoundingClientRect().bottom")
    box = wrong.bounding_box()
    assert box and box["y"] >= top  # under the bar, not behind it


def test_an_empty_issue_and_an_empty_inbox_say_what_to_do_next(served: Any, screens: Callable[..., Any]) -> None:
    """In the screens' own words and with a link, not with a command for the terminal."""
    assert served.form("/issues", "date=2026-12-18").status == 303
    for slug in served.inbox():
        assert served.form(f"/inbox/{slug}/dismiss", "").status == 303
    page = screens(served).open("/issues/2026-12-18").page
    expect(page.locator("#mail-trouble")).to_be_visible()
    for what in ("#weight", ".inboxes"):  # of a mail that is not there
        expect(page.locator(what)).to_be_hidden()
    page.get_by_role("button", name="Pick stories").click()
    expect(page.locator("#picker").get_by_role("link", name="Bring in stories")).to_have_attribute("href", "/inbox")
    page.goto(f"{served.url}issues/2026-12-18/send")
    expect(page.locator("main")).to_contain_text("This issue has no stories yet")
    expect(page.locator("main")).not_to_contain_text("newsletter issue pick")
    expect(page.get_by_role("link", name="To the stories")).to_be_visible()


def test_a_story_that_is_read_in_the_inbox_is_picked_there(served: Any, screens: Callable[..., Any]) -> None:
    """Nobody has to go back and find it in the list again; a story without a source has no button to ask it."""
    slug = next(slug for slug in served.inbox() if "herons" in slug)
    page = screens(served).open(f"/inbox/{slug}/story").page
    expect(page.get_by_role("button", name="Ask the source now")).to_have_count(0)
    page.get_by_role("button", name="Pick", exact=True).click()
    expect(page.locator(".notice")).to_contain_text("place 4 of")
    page.get_by_role("link", name=f"To the issue {ISSUE}").click()
    expect(page.locator(f'.story[data-slug="{slug}"]')).to_be_visible()


def test_the_mail_shows_the_story_that_is_written_in(served: Any, screens: Callable[..., Any]) -> None:
    """Nobody scrolls two columns by hand. A story that is in sight already does not move, nor does the page."""
    screen = screens(served, viewport={"width": 1280, "height": 600}).open(f"/issues/{ISSUE}")
    page = screen.page
    expect(page.locator("body[data-shown]")).to_be_attached()
    mail = page.frame_locator("#mail")
    cards = page.locator(".story .headline")
    heading = mail.get_by_role("heading", name=cards.nth(1).input_value())
    mail.locator("body").evaluate("body => { body.ownerDocument.defaultView.scrollTo(0, body.scrollHeight); }")
    expect(heading).not_to_be_in_viewport()
    cards.nth(1).focus()
    expect(heading).to_be_in_viewport()
    place = mail.locator("body").evaluate("body => body.ownerDocument.defaultView.scrollY")
    cards.nth(1).press("Tab")
    cards.nth(1).focus()
    assert mail.locator("body").evaluate("body => body.ownerDocument.defaultView.scrollY") == place
    page.locator("#switches [name=view]").select_option("text")
    expect(page.locator("#text")).to_be_visible()
    cards.nth(0).focus()  # there is no heading in a text
    assert screen.errors == []
