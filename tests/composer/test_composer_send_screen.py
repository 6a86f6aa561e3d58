"""The Send screen in Chromium: from a draft to the last mail, by its buttons."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from newsletter.app.approve import approve_issue
from newsletter.app.desk import open_desk
from newsletter.app.send import run_due
from newsletter.audience import subscribers

pytestmark = pytest.mark.chromium

ISSUE = "2026-11-27"
SEND = f"/issues/{ISSUE}/send"
SHOTS = os.environ.get("COMPOSER_SHOTS", "")
"""A folder for pictures of every state, for whoever wants to look at them."""
LATER = date.today() + timedelta(days=30)


class SendScreen:
    """A browser on the Send screen of the sample issue."""

    def __init__(self, screen: Any) -> None:
        self.screen = screen
        self.served = screen.served
        self.page: Page = screen.page

    def open(self) -> SendScreen:
        self.screen.open(SEND)
        return self

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def approve(self, *, when: str = "at") -> None:
        if when == "at":
            self.page.get_by_label("Date").fill(LATER.isoformat())
            self.page.get_by_label("Time", exact=True).fill("06:30")
        else:
            self.page.get_by_label("as soon as possible").check()
        self.press("Approve …")

    def sql(self, statement: str) -> None:
        with open_desk(self.served.root) as desk, desk.store.write() as conn:
            conn.exec_driver_sql(statement)

    def run_due(self) -> None:
        with open_desk(self.served.root) as desk:
            run_due(desk)

    def dialog(self) -> Any:
        return self.page.get_by_role("dialog")


@pytest.fixture
def send(served: Any, screens: Callable[..., Any]) -> Iterator[SendScreen]:
    found = SendScreen(screens(served))
    yield found.open()
    told = ("status of 400", "status of 423", "status of 409")
    assert [error for error in found.screen.errors if not any(words in error for words in told)] == []


def test_a_test_to_oneself_takes_one_press_and_the_result_is_in_words(send: SendScreen) -> None:
    send.press("Send the test")
    expect(send.page.get_by_role("status").first).to_contain_text("Test 1 is sent.")
    expect(send.page.locator(".notice")).to_contain_text("[TEST 1 · ")
    expect(send.page.locator(".notice")).to_contain_text("desk@estuary.example: accepted")
    expect(send.page.locator(".points")).to_contain_text("went to desk@estuary.example")


def test_the_dialog_names_number_moment_zone_and_provider_and_no_is_no(send: SendScreen) -> None:
    """Nothing is approved before the second button; Escape and “Not now” change nothing."""
    send.approve()
    dialog = send.dialog()
    for words in ("1 reader", f"{LATER:%A} {LATER.day} {LATER:%B %Y}, 06:30 Europe/London, in ", "outbox"):
        expect(dialog).to_contain_text(words)
    expect(send.page.get_by_role("button", name="Not now")).to_be_focused()
    send.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    send.press("Approve …")
    send.press("Not now")
    assert not (send.served.issue / "approved").exists()
    send.press("Approve …")
    send.press("Approve")
    expect(send.page.locator(".going h2")).to_have_text("Scheduled")
    expect(send.page.locator("#at")).to_contain_text("06:30 Europe/London, in ")
    expect(send.page.locator("#count")).to_have_text("1 reader")


def test_nothing_can_be_approved_while_the_readers_are_counted(send: SendScreen) -> None:
    """The number is never 0 because nobody has looked yet."""
    held: list[Route] = []
    send.page.route("**/send/audience", lambda route: held.append(route))
    send.open()
    expect(send.page.locator("#moment")).to_contain_text("Europe/London")
    expect(send.page.locator("#count")).to_have_text("counting …")
    expect(send.page.locator("#approve-button")).to_be_disabled()
    while not held:
        send.page.wait_for_timeout(20)
    held[0].continue_()
    expect(send.page.locator("#count")).to_have_text("1 reader")
    expect(send.page.locator("#approve-button")).to_be_enabled()


def test_a_double_click_approves_once(send: SendScreen) -> None:
    send.approve()
    posts: list[str] = []
    send.page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    send.page.locator("#confirm-yes").dblclick()
    expect(send.page.locator(".going h2")).to_have_text("Scheduled")
    assert len(posts) == 1


@pytest.mark.parametrize(
    ("month", "clock", "words"),
    [
        (3, "01:30", "The clocks skip 01:30 on that day: it goes at 02:00"),
        (10, "01:30", "The clocks show 01:30 twice"),
        (None, "07:00", "is past"),
    ],
)
def test_a_time_that_the_clock_skips_or_shows_twice_is_explained(
    send: SendScreen, last_sunday: Callable[[int], str], month: int | None, clock: str, words: str
) -> None:
    send.page.get_by_label("Date").fill(last_sunday(month) if month else "2020-01-01")
    send.page.get_by_label("Time", exact=True).fill(clock)
    expect(send.page.locator("#moment")).to_contain_text(words)
    button = send.page.locator("#approve-button")
    expect(button).to_be_disabled() if "past" in words else expect(button).to_be_enabled()
    assert send.screen.errors == []


def test_stop_the_presses_and_the_issue_can_be_edited_again(send: SendScreen) -> None:
    send.approve()
    send.press("Approve")
    expect(send.page.locator(".going h2")).to_have_text("Scheduled")
    send.screen.open(f"/issues/{ISSUE}")
    expect(send.page.locator("#approved")).to_be_visible()
    expect(send.page.locator('[data-field="headline"]').first).to_have_js_property("readOnly", True)
    send.page.locator("#approved a").click()
    send.press("Stop the presses")
    send.page.locator("#confirm-yes").click()
    expect(send.page.locator(".notice")).to_contain_text("stopped, 0 submitted")
    expect(send.page.locator("#approve-button")).to_be_enabled()
    send.screen.open(f"/issues/{ISSUE}")
    expect(send.page.locator('[data-field="headline"]').first).to_have_js_property("readOnly", False)


def test_the_page_follows_what_goes_out_and_pause_resume_and_reconcile_work(send: SendScreen) -> None:
    """What another process does is on the page a moment later, without a reload by hand."""
    with open_desk(send.served.root) as desk:
        for number in range(40):
            subscribers.add(desk.store, f"r{number}@readers.test", {}, "test", desk.keys)
    send.open()
    send.approve(when="now")
    expect(send.dialog()).to_contain_text("41 readers")
    expect(send.dialog()).to_contain_text("as soon as possible")
    send.page.locator("#confirm-yes").click()
    expect(send.page.locator(".going h2")).to_have_text("Scheduled")
    send.run_due()
    expect(send.page.locator(".going h2")).to_have_text("Sent")
    expect(send.page.locator("#sentence")).to_have_text("41 = 41 submitted")
    send.sql("UPDATE mailing SET state = 'sending', finished_at = NULL")
    send.sql("UPDATE delivery SET state = 'pending' WHERE id % 2 = 0")
    expect(send.page.locator(".going h2")).to_have_text("Going out")
    send.sql("UPDATE delivery SET state = 'submitted' WHERE id % 4 = 0")
    expect(send.page.locator("#sentence")).to_have_text(re.compile("31 submitted|30 submitted"))
    expect(send.page.locator("#pace")).to_contain_text("left")
    send.press("Pause")
    expect(send.dialog()).to_contain_text("Mails that are on their way are finished")
    send.page.locator("#confirm-yes").click()
    expect(send.page.locator(".going h2")).to_have_text("Paused")
    send.press("Resume")
    send.page.locator("#confirm-yes").click()
    expect(send.page.locator(".notice")).to_contain_text("sending")
    send.sql("UPDATE delivery SET state = 'uncertain', reason = 'connection lost' WHERE state = 'pending'")
    expect(send.page.locator("#uncertain-title")).to_contain_text("deliveries are uncertain")
    send.press("They arrived")
    expect(send.dialog()).to_contain_text(re.compile("Count 1[01] deliveries as submitted"))
    send.page.locator("#confirm-yes").click()
    expect(send.page.locator(".notice")).to_contain_text("counted as submitted")


def test_what_changed_elsewhere_is_said_and_what_is_filled_in_stays(send: SendScreen) -> None:
    """A colleague approves while the form is open: it stays as it is, and cannot approve a second time."""
    send.page.get_by_label("Note").fill("half a thought")
    with open_desk(send.served.root) as desk:
        approve_issue(desk, ISSUE, send_at=f"{LATER} 07:00")
    expect(send.page.locator("#changed")).to_be_visible()
    expect(send.page.get_by_label("Note")).to_have_value("half a thought")
    send.approve()
    send.page.locator("#confirm-yes").click()
    expect(send.page.get_by_role("alert")).to_contain_text("is approved already")


STATES = {
    "errors": None,
    "ready": None,
    "scheduled": "UPDATE mailing SET state = 'scheduled'",
    "sending": "UPDATE mailing SET state = 'sending'",
    "paused": "UPDATE mailing SET state = 'paused', reason = 'bounces: 12 % of the last 200 came back'",
    "held": "UPDATE mailing SET state = 'held', reason = 'late: 3 h after its time'",
    "uncertain": "UPDATE delivery SET state = 'uncertain', reason = 'the connection broke after the mail' WHERE id < 4",
    "completed": "UPDATE mailing SET state = 'completed'",
    "cancelled": "UPDATE mailing SET state = 'cancelled'",
}


@pytest.mark.parametrize("state", STATES)
def test_no_screen_has_an_axe_violation_or_runs_over_its_edge(
    served: Any, screens: Callable[..., Any], axe: str, state: str
) -> None:
    """Light and dark, on a phone, and at 200 % (a window of half the width in CSS pixels)."""
    ready = SendScreen(screens(served))
    if state == "errors":
        served.edit("passengers-buy-the-last-ferry.md", "headline: ", "headline: For *|FNAME|*, ")
    elif STATES[state]:
        with open_desk(served.root) as desk:
            for number in range(40):
                subscribers.add(desk.store, f"r{number}@readers.test", {}, "test", desk.keys)
        ready.open()
        ready.approve(when="at" if state == "scheduled" else "now")
        ready.press("Approve")
        expect(ready.page.locator(".going h2")).to_be_visible()
        if state not in ("scheduled", "held"):
            ready.run_due()
        if state in ("sending", "paused", "cancelled"):
            ready.sql("UPDATE delivery SET state = 'pending' WHERE id > 17")
        ready.sql(STATES[state])
    if state == "held":
        expect(ready.open().page.locator("#sentence")).to_have_text("3 h after its time")
    for name, options in {
        "light": {},
        "dark": {"color_scheme": "dark"},
        "phone": {"viewport": {"width": 390, "height": 844}},
        "zoom": {"viewport": {"width": 640, "height": 400}},
    }.items():
        seen = SendScreen(screens(served, **options)).open()
        expect(seen.page.locator("h1")).to_be_visible()
        if seen.page.locator("#count").count():
            expect(seen.page.locator("#count")).to_contain_text("reader")
        assert seen.screen.axe(axe) == []
        wide = seen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name}: {wide} px too wide"
        if SHOTS:
            seen.page.screenshot(path=f"{SHOTS}/{state}-{name}.png", full_page=True)
        if state == "ready":
            seen.approve()
            assert seen.screen.axe(axe) == []
            if SHOTS:
                seen.page.screenshot(path=f"{SHOTS}/dialog-{name}.png")
        assert seen.screen.errors == []
