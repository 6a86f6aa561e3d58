"""What the composer promises an editor, as a table: each promise with the tests that prove it, and those that only
stand here. A promise without a test, or with one that is gone, fails."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Page, expect

from newsletter.app.approve import approve_issue
from newsletter.app.articles import add_article
from newsletter.app.desk import open_desk
from newsletter.app.preview import wire_form

ISSUE = "2026-11-27"
AT = f"/issues/{ISSUE}"
LEAD = "passengers-buy-the-last-ferry"
SECOND = "sea-wall-to-move-inland"
READER = "zoë+weekly@readers.test"
HERE = Path(__file__).parent

PROMISES: dict[str, tuple[str, ...]] = {
    "an edit is seen at once, place and focus stay": (
        "test_what_is_typed_is_in_the_file_and_in_the_mail_and_caret_and_place_stay",
    ),
    "the preview never needs a save": ("test_what_is_typed_is_in_the_file_and_in_the_mail_and_caret_and_place_stay",),
    "a reload in mid-word loses nothing that is a second old": (
        "test_a_reload_in_mid_word_loses_nothing",
        "test_what_is_typed_while_the_composer_is_away_is_kept_and_saved_when_it_is_back",
    ),
    "a stale save is answered by a choice": (
        "test_a_stale_save_shows_both_texts_and_the_editor_chooses",
        "test_a_stale_save_is_409_and_writes_nothing",
    ),
    "undo and redo cover edits, moves, removals and pictures": (
        "test_undo_and_redo_cover_typing_moving_and_dropping",
        "test_undo_covers_sections_that_are_added_set_moved_and_removed",
        "test_a_picture_dropped_on_a_story_is_in_the_mail_and_undo_takes_it_back",
    ),
    "what is dragged also goes by keys and buttons, is announced, and Escape lets go": (
        "test_a_story_is_dragged_by_its_handle_and_escape_lets_go",
        "test_keys_and_buttons_move_a_story_say_so_and_keep_the_focus",
        "test_dragging_keys_and_buttons_come_to_the_same",
        "test_the_focal_point_is_dragged_by_mouse_and_keys_is_announced_and_escape_lets_go",
        "test_the_focal_point_is_moved_by_a_finger",
    ),
    "nothing from the inbox enters an issue by itself": ("test_what_comes_into_the_inbox_enters_no_issue_by_itself",),
    "what a source changes never takes the place of an editor's words by itself": (
        "test_a_change_at_the_source_is_shown_and_taken_over_field_by_field",
        "test_in_an_issue_a_change_is_taken_as_one_change_of_the_file_unless_somebody_wrote_since",
        "test_a_changed_story_in_the_composer_is_compared_taken_over_and_taken_back",
    ),
    "the inbox works by keyboard and without a script": ("test_the_inbox_by_keyboard_and_without_a_script",),
    "an issue is made of blocks, each box one field of a file": (
        "test_every_box_is_one_field_and_nothing_is_a_canvas",
    ),
    "the mail is seen as one reader gets it": (
        "test_the_mail_is_seen_through_a_client_on_a_phone_in_the_dark_without_images_as_text_and_as_a_reader",
        "test_the_preview_shows_what_is_sent",
    ),
    "the size is shown beside the words": ("test_size_and_inbox_lines_follow_the_words_and_the_body_cannot_leak",),
    "the inbox line is shown, and the body cannot leak into it": (
        "test_size_and_inbox_lines_follow_the_words_and_the_body_cannot_leak",
    ),
    "preview and sent mail come from one renderer": (
        "test_the_preview_shows_what_is_sent",
        "test_a_cut_on_the_screen_shows_what_the_mails_picture_shows",
    ),
    "a test to oneself takes a press or two": ("test_a_test_to_oneself_takes_one_press_and_the_result_is_in_words",),
    "what is confirmed names the counted readers and the moment with its zone": (
        "test_the_dialog_names_number_moment_zone_and_provider_and_no_is_no",
        "test_nothing_can_be_approved_while_the_readers_are_counted",
    ),
    "a double click or a retry sends once": (
        "test_a_double_click_approves_once",
        "test_two_presses_at_once_approve_once_and_get_one_answer",
        "test_a_test_mail_that_is_asked_for_twice_goes_once",
    ),
    "an approved issue is read-only until the presses are stopped": (
        "test_an_approved_issue_can_be_read_and_nothing_else",
        "test_stop_the_presses_and_the_issue_can_be_edited_again",
    ),
    "the text part can be read, and written by oneself": (
        "test_the_mail_is_seen_through_a_client_on_a_phone_in_the_dark_without_images_as_text_and_as_a_reader",
        "test_the_text_part_is_written_by_oneself_with_the_keyboard_saved_and_taken_back",
        "test_an_own_text_that_stories_have_left_behind_says_what_changed_until_it_is_said_to_be_right",
        "test_two_hands_on_the_text_part_are_a_choice_and_an_approved_one_is_only_read",
        "test_the_text_part_is_written_typed_confirmed_and_generated_again",
    ),
    "no screen has an axe violation, at 360 px and at 200 %, light and dark": (
        "test_every_screen_is_free_of_axe_violations_complaints_and_sideways_scrolling",
        "test_axe_objects_to_nothing_in_any_state_and_nothing_is_wider_than_the_window",
    ),
    "a strict policy, and a console without complaints": (
        "test_every_answer_has_a_strict_policy",
        "test_every_screen_is_free_of_axe_violations_complaints_and_sideways_scrolling",
        "test_the_scripts_are_our_own_and_light",
    ),
    "a foreign Host and a post from elsewhere are refused": (
        "test_a_foreign_host_is_refused_also_with_a_session",
        "test_a_post_that_no_page_of_ours_made_changes_nothing",
    ),
}


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_has_its_tests(promise: str) -> None:
    """The table is true: every test that it names is there."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)\(", source, re.MULTILINE))
    assert PROMISES[promise] and not set(PROMISES[promise]) - there


class Desk:
    """The composer's screen on the sample issue."""

    def __init__(self, screen: Any) -> None:
        self.screen, self.served = screen, screen.served
        self.page: Page = screen.page
        screen.open(AT)
        expect(self.page.locator("body[data-shown]")).to_be_attached()

    def order(self) -> list[list[str]]:
        script = "all => all.map(s => [...s.querySelectorAll('.story')].map(c => c.dataset.slug))"
        found: list[list[str]] = self.page.locator(".section").evaluate_all(script)
        return found

    def issue(self) -> str:
        found: str = (self.served.issue / "issue.md").read_text(encoding="utf-8")
        return found

    def until(self, condition: Callable[[], Any]) -> None:
        self.screen.until(condition)


@pytest.fixture
def desk(served: Any, screens: Callable[..., Any]) -> Desk:
    return Desk(screens(served))


@pytest.mark.chromium
def test_undo_covers_sections_that_are_added_set_moved_and_removed(desk: Desk) -> None:
    """Promise: undo and redo cover edits, moves and removals. The file comes back byte for byte."""
    texts = [desk.issue()]

    def changed() -> None:
        desk.until(lambda: desk.issue() != texts[-1])
        texts.append(desk.issue())

    desk.page.get_by_role("button", name="Add a section").click()
    changed()
    title = desk.page.locator(".section-title").last
    expect(title).to_be_focused()
    title.fill("Stop press")
    title.press("Tab")
    changed()
    desk.page.get_by_role("button", name="Section Stop press up").click()
    changed()
    desk.page.get_by_role("button", name="Remove the section Also this week").click()
    changed()
    undo, redo = (desk.page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    for text in reversed(texts[:-1]):
        undo.click()
        desk.until(lambda text=text: desk.issue() == text)  # type: ignore[misc]  # the default binds it
    expect(undo).to_be_disabled()
    for text in texts[1:]:
        redo.click()
        desk.until(lambda text=text: desk.issue() == text)  # type: ignore[misc]  # the default binds it


@pytest.mark.chromium
def test_dragging_keys_and_buttons_come_to_the_same(desk: Desk) -> None:
    """Promise: every drag has keys and a button that do the same to the file, and say the same."""
    before = desk.issue()
    card = desk.page.locator(f'.story[data-slug="{SECOND}"]')
    desk.page.set_viewport_size({"width": 1280, "height": 2400})
    made, said = [], []

    def drag() -> None:
        handle, lead = card.locator(".handle").bounding_box(), desk.page.locator(f'[data-slug="{LEAD}"]').bounding_box()
        assert handle and lead
        desk.page.mouse.move(handle["x"] + 8, handle["y"] + 8)
        desk.page.mouse.down()
        desk.page.mouse.move(lead["x"] + 8, lead["y"] + lead["height"] - 4, steps=6)
        desk.page.mouse.move(lead["x"] + 8, lead["y"] + lead["height"] - 3, steps=2)
        desk.page.mouse.up()

    for act in (
        drag,
        lambda: card.locator(".handle").press("Alt+ArrowUp"),
        lambda: card.locator('[data-do="up"]').click(),
    ):
        act()
        desk.until(lambda: desk.issue() != before)
        made.append(desk.issue())
        expect(desk.page.locator("#live")).to_have_text(re.compile("^“The sea wall.* is place 2 of 2 in the lead"))
        said.append(desk.page.locator("#live").text_content())
        desk.page.get_by_role("button", name="Undo").click()
        desk.until(lambda: desk.issue() == before)
        expect(desk.page.locator("#live")).to_contain_text("Taken back")
    assert len(set(made)) == 1 and len(set(said)) == 1


@pytest.mark.chromium
def test_what_comes_into_the_inbox_enters_no_issue_by_itself(desk: Desk) -> None:
    """Promise: new inbox items never enter an issue by themselves, also while it is open and newer than all others."""
    before, order = desk.issue(), desk.order()
    with open_desk(desk.served.root) as opened:
        add_article(opened, None, b"# Seals on the slipway\n\nFour of them came in with the tide.\n")
    desk.page.locator(f'.story[data-slug="{SECOND}"] [data-field="teaser"]').fill("Mud, then the sea")
    expect(desk.page.locator("#saved")).to_have_text("Saved")
    expect(desk.page.frame_locator("#mail").get_by_text("Mud, then the sea").first).to_be_visible()
    assert desk.issue() == before and desk.order() == order
    assert "slipway" not in desk.served.get(f"{AT}/mail.html").text
    desk.page.get_by_role("button", name="Pick stories").click()
    expect(desk.page.locator("#picker li").filter(has_text="Seals on the slipway")).to_have_count(1)


@pytest.mark.chromium
def test_every_box_is_one_field_and_nothing_is_a_canvas(desk: Desk) -> None:
    """Promise: structured blocks, no free canvas. What is pasted as rich text arrives as words."""
    assert desk.page.locator("[contenteditable], canvas, object, embed").count() == 0
    desk.page.locator(f'.story[data-slug="{SECOND}"] [data-do="more"]').click()
    boxes = desk.page.locator("#write textarea, #write input:not([type=search]), #write select")
    named = boxes.evaluate_all(
        "all => all.filter(b => b.dataset.field || b.dataset.section || b.closest('.add, .picture, .empty')).length"
    )
    assert named == boxes.count() > 20


@pytest.mark.chromium
def test_size_and_inbox_lines_follow_the_words_and_the_body_cannot_leak(desk: Desk) -> None:
    """Promise: the size meter and the line as inboxes cut it; a short preheader is followed by nothing of the body."""
    desk.page.locator('#issue [data-field="preheader"]').fill("Short")
    desk.page.locator(".inboxes summary").click()
    line = desk.page.locator("#inboxes li bdi").first
    expect(line).to_contain_text("Short")
    shown = desk.page.locator("#inboxes li bdi").all_text_contents()
    assert len(shown) > 3 and all(text.rstrip().endswith("Short") for text in shown)
    page = desk.served.get(f"{AT}/mail.html").text
    after = page.partition("Short")[2]
    hidden = re.split(r"</(?:div|span)>", after, maxsplit=1)[0]
    assert len(re.findall(r"&#847;|&#8199;|&zwnj;|\u034f|\u2007|\u200c|&nbsp;|&#xad;|&#173;|&#160;", hidden)) > 90
    words = desk.page.locator("#size-words")
    before = words.text_content()
    desk.page.locator(f'.story[data-slug="{SECOND}"] [data-field="headline"]').fill("A wall of words " * 200)
    expect(words).not_to_have_text(before or "")
    assert float(desk.page.locator("#size").evaluate("meter => meter.value")) > 0
    expect(words).to_contain_text("left before Gmail clips")


class OwnText:
    """The text part on the composer's screen."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.page = desk, desk.page
        self.file = desk.served.issue / "email.txt"
        desk.page.locator('[name="view"]').select_option("text")
        self.box = desk.page.locator("#own textarea")
        self.generated = desk.page.get_by_role("button", name="Write the text yourself")
        self.stale = desk.page.locator("#stale")

    def write(self) -> None:
        self.generated.focus()
        self.page.keyboard.press("Enter")
        expect(self.box).to_be_focused()

    def says(self, text: str) -> None:
        self.desk.until(lambda: self.file.exists() and self.file.read_text(encoding="utf-8") == text)


@pytest.mark.chromium
def test_the_text_part_is_written_by_oneself_with_the_keyboard_saved_and_taken_back(desk: Desk) -> None:
    """Promise: plain text viewable and overridable. It begins with the generated words, is saved while it is typed, is
    what a reader gets, and undo goes back to the generated text and forward again."""
    own = OwnText(desk)
    generated = desk.served.get(f"{AT}/mail.txt").text
    expect(own.box).to_be_hidden()
    own.write()
    expect(own.box).to_have_accessible_name(re.compile("^The text part"))
    assert own.box.evaluate("box => [box.selectionStart, getComputedStyle(box).fontFamily.includes('mono')]") == [
        0,
        True,
    ]
    assert "{{ unsubscribe_url }}" in own.box.input_value()
    assert desk.served.get(f"{AT}/mail.txt").text == generated
    made = own.file.read_text(encoding="utf-8")
    own.page.keyboard.type("In my own words, {{ subscriber.first_name }}!\n")
    own.says(f"In my own words, {{{{ subscriber.first_name }}}}!\n{made}")
    expect(own.page.locator("#saved")).to_have_text("Saved")
    own.page.locator('[name="as"]').fill(READER)
    own.page.locator('[name="as"]').press("Enter")
    expect(own.page.locator("#text")).to_contain_text("In my own words, \u200eZoë\u200e!")
    expect(own.box).to_be_hidden()
    own.page.locator('[name="as"]').fill("")
    own.page.locator('[name="as"]').press("Enter")
    own.page.reload()
    own.page.locator('[name="view"]').select_option("text")
    expect(own.box).to_have_value(re.compile("^In my own words"))

    own.page.get_by_role("button", name="Use the generated text again").click()
    expect(own.generated).to_be_focused()
    expect(own.page.locator("#text")).not_to_contain_text("In my own words")
    assert not own.file.exists()
    own.page.get_by_role("button", name="Undo").click()
    own.says(f"In my own words, {{{{ subscriber.first_name }}}}!\n{made}")
    expect(own.box).to_be_focused()
    expect(own.stale).to_be_hidden()
    own.page.get_by_role("button", name="Redo").click()
    desk.until(lambda: not own.file.exists())
    assert desk.screen.errors == []


@pytest.mark.chromium
@pytest.mark.npm
def test_an_own_text_that_stories_have_left_behind_says_what_changed_until_it_is_said_to_be_right(
    desk: Desk, axe: str
) -> None:
    """Promise: an own text never goes stale unseen. The note names the story and its words, so do the checks, whose
    finding leads to the text; a malformed field is told with file and line. No axe violation, also on a phone."""
    own = OwnText(desk)
    own.write()
    expect(own.stale).to_be_hidden()
    desk.page.locator(f'.story[data-slug="{SECOND}"] [data-field="headline"]').fill(
        "The sea wall moves a third of a mile"
    )
    expect(own.stale).to_contain_text("The sea wall moves a third of a mile (changed)")
    expect(own.stale.locator("mark.come").first).to_be_visible()
    for width, scheme in ((1280, "light"), (360, "dark")):
        desk.page.set_viewport_size({"width": width, "height": 800})
        desk.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the words it knows
        if width == 360:
            desk.page.get_by_role("button", name="Mail", exact=True).click()
        expect(own.box).to_be_visible()
        assert desk.screen.axe(axe, exclude="#mail") == []
        assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    desk.page.set_viewport_size({"width": 1280, "height": 800})
    desk.page.get_by_role("button", name=re.compile("^Checks")).click()
    finding = desk.page.locator("#findings li").filter(has_text="has changed since the text part was written")
    finding.get_by_role("button", name=re.compile("^Go there")).click()
    expect(own.box).to_be_focused()
    own.page.get_by_role("button", name="It is still right").click()
    expect(own.stale).to_be_hidden()
    expect(own.page.locator("#live")).to_contain_text("right for the stories as they are")
    own.box.press("Control+Home")
    own.page.keyboard.type("{{ subscriber.shoe }}\n")
    expect(own.page.locator("#mail-trouble")).to_contain_text("email.txt:1")


@pytest.mark.chromium
def test_two_hands_on_the_text_part_are_a_choice_and_an_approved_one_is_only_read(desk: Desk) -> None:
    """Promise: a stale save is answered by a choice, of the text part too; a line break alone is a difference. What is
    approved can be read and not edited."""
    desk.page.route("**/news", lambda route: route.abort())
    desk.screen.open(AT)
    expect(desk.page.locator("body[data-shown]")).to_be_attached()
    own = OwnText(desk)
    own.write()
    other = own.file.read_text(encoding="utf-8").replace("The Estuary Weekly\n", "The Estuary Weekly\n\n", 1)
    own.file.write_text(other, encoding="utf-8")
    own.page.keyboard.type("\n")
    expect(own.page.locator("#conflict")).to_be_visible()
    expect(own.page.locator("#conflict-file")).to_have_text("email.txt")
    own.page.get_by_role("button", name="Take theirs").click()
    expect(own.box).to_have_value(other)
    assert own.file.read_text(encoding="utf-8") == other
    with open_desk(desk.served.root) as opened:
        approve_issue(opened, ISSUE, send_at=None)
    desk.page.unroute("**/news")
    own.page.reload()
    own.page.locator('[name="view"]').select_option("text")
    expect(own.box).to_have_value(other)
    expect(own.box).not_to_be_editable()
    for name in ("Use the generated text again", "It is still right", "Write the text yourself"):
        expect(own.page.get_by_role("button", name=name)).to_be_hidden()
    expect(own.page.locator("#saved")).to_have_text("Approved")


def test_the_preview_shows_what_is_sent(served: Any) -> None:
    """Promise: preview, test, send and archive use one renderer: the mail on the screen is the provider's, byte by byte
    but for the addresses of its pictures and what is said only on screens."""
    with open_desk(served.root) as desk:
        wires = wire_form(desk, ISSUE, reader=READER)
    sent = email.message_from_bytes(wires[0].body, policy=email.policy.SMTP)
    text, html = (sent.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]  # there
    shown = served.get(f"{AT}/mail.txt?as=zo%C3%AB%2Bweekly@readers.test").text

    def bare(words: str) -> str:
        return re.sub(r"https?://\S+", "URL", words).replace("\r\n", "\n").strip()

    assert bare(text) == bare(shown)
    page = served.get(f"{AT}/mail.html?as=zo%C3%AB%2Bweekly@readers.test").text

    def body(words: str) -> str:
        found = words[words.index("<body") :]
        return re.sub(r'(src|href|background)="[^"]*"', r'\1=""', found).replace("\r\n", "\n").strip()

    assert body(html) == body(page)


def _screens_of(screen: Any) -> list[str]:
    """Every page that a link leads to, from the first one on."""
    root = screen.served.url
    todo, known = ["/"], ["/"]
    while todo:
        screen.open(todo.pop())
        for link in screen.page.locator("a[href]").evaluate_all("all => all.map(a => a.getAttribute('href'))"):
            address = urlsplit(urljoin(screen.page.url, link))
            path = address.path + (f"?{address.query}" if address.query else "")
            if f"{address.scheme}://{address.netloc}/" == root and not address.fragment and path not in known:
                known.append(path)
                todo.append(path)
    return known


@pytest.mark.chromium
@pytest.mark.npm
def test_every_screen_is_free_of_axe_violations_complaints_and_sideways_scrolling(
    served: Any, screens: Callable[..., Any], axe: str
) -> None:
    """Promise: no axe violation on any screen that a link leads to, light and dark, 360 px wide and at 200 % (640 px);
    a strict policy on each, and no complaint in the console."""
    with open_desk(served.root) as opened:
        approve_issue(opened, ISSUE, send_at=None)
    assert served.form("/issues", "date=2026-12-18").status == 303
    first = screens(served)
    paths = _screens_of(first)
    # A page to which no link leads is a screen all the same; the mail itself is judged elsewhere.
    for route in served.server.composer.routes:
        path = re.sub(r"\{(\w+)\}", lambda found: {"slug": ISSUE, "article": SECOND}.get(found[1], "x"), route.path)
        if "GET" in (route.methods or ()) and path not in paths and not path.endswith(("/news", "/mail.html")):
            answer = served.get(path, Accept="text/html")
            # Parts of pages are judged in the pages that show them.
            paths += [path] if answer.status == 200 and answer.body.startswith(b"<!doctype html>") else []
    assert {"/", "/inbox", AT, "/issues/2026-12-18"} <= set(paths)
    for width, scheme in ((360, "dark"), (640, "light")):
        screen = screens(served, viewport={"width": width, "height": 800}, color_scheme=scheme)
        for path in [*paths, "/nowhere"]:
            screen.open(path)
            if path.startswith("/issues/") and screen.page.locator("body.compose").count():
                expect(screen.page.locator("body[data-ready]")).to_be_attached()
            assert screen.axe(axe, exclude="#mail") == [], (path, scheme)
            assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
        told = ("status of 404", "Blocked script execution")
        assert [error for error in screen.errors if not any(words in error for words in told)] == []
    for path in paths:
        policy = served.get(path, Accept="text/html").headers.get("content-security-policy", "")
        assert "default-src 'none'" in policy and "unsafe" not in policy, path
