"""The preview through mail clients, in Chromium: tabs, what was lost, side by side, and nothing that runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from newsletter.app.clients import CLIENTS

pytestmark = pytest.mark.chromium

DARK = "rgb(20, 20, 20)"


class Screen:
    """A browser's page on a preview; ``errors`` is what its console complained about."""

    def __init__(self, page: Page, served: Any) -> None:
        self.page = page
        self.served = served
        self.errors: list[str] = []
        page.on("console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, query: str = "") -> Screen:
        self.page.goto(f"{self.served.url}{query}")
        expect(self.page.locator("body[data-version]")).to_be_attached(timeout=20_000)
        return self

    @property
    def mail(self) -> FrameLocator:
        return self.page.frame_locator("#mail")

    def tab(self, name: str) -> Any:
        return self.page.get_by_role("tab", name=name, exact=True)

    def selected(self) -> Any:
        return self.page.locator("[role=tab][aria-selected=true]")


@pytest.fixture
def screen(browser: Browser, standing: Any) -> Iterator[Screen]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Screen(context.new_page(), standing)
    context.close()


@pytest.fixture
def own(browser: Browser, served: Any) -> Iterator[Screen]:
    """On a preview whose files a test changes."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Screen(context.new_page(), served)
    context.close()


def test_every_client_is_a_tab_labelled_as_an_approximation(screen: Screen) -> None:
    """With its name, what it is, what is lost, and its own form of the mail in the frame."""
    screen.open()
    titles = ["As written", *(client.title for client in CLIENTS), "Side by side"]
    assert screen.page.get_by_role("tab").all_text_contents() == titles
    expect(screen.page.locator("#caption")).to_be_hidden()
    expect(screen.page.locator("#taken")).to_be_hidden()
    for client in CLIENTS:
        screen.tab(client.title).click()
        expect(screen.page.locator("#client-title")).to_have_text(client.title)
        expect(screen.page.locator("#caption .approximation")).to_have_text("approximation")
        expect(screen.page.locator("#client-about")).to_have_text(client.about)
        expect(screen.page.get_by_role("tabpanel")).to_have_accessible_name(client.title)
        expect(screen.page.locator("#mail")).to_have_attribute("title", f"The mail in {client.title}")
        assert f"client={client.name}" in screen.page.url
    assert screen.errors == []


def test_what_was_lost_stands_beside_it_in_words(screen: Screen) -> None:
    screen.open("?client=gmail")
    expect(screen.page.locator("#taken-list li").filter(has_text="rules for dark screens")).to_have_text(
        re.compile(r"^16 × rules for dark screens prefers-color-scheme$")
    )
    screen.tab("Apple dark").click()
    expect(screen.page.locator("#taken-none")).to_be_visible()
    expect(screen.page.locator("#taken-list li")).to_have_count(0)


def test_the_frame_shows_what_the_client_leaves(screen: Screen) -> None:
    """Outlook's buttons have corners, Gmail's classes a prefix, a dark client a dark page, the text part no picture."""
    screen.open("?client=outlook-word")
    expect(screen.mail.locator("td[bgcolor='#9B1C1C']").first).to_have_css("border-radius", "0px")
    screen.tab("Gmail").click()
    expect(screen.mail.locator("[class*=m_]").first).to_be_attached()
    screen.tab("Apple dark").click()
    expect(screen.mail.locator("body")).to_have_css("background-color", DARK)
    screen.tab("Outlook.com dark").click()
    expect(screen.mail.locator("[data-ogsc]").first).to_be_attached()
    screen.tab("Images off").click()
    expect(screen.mail.locator("[role=img]").first).to_contain_text("ferry")
    screen.tab("Text part").click()
    expect(screen.mail.locator("p").first).to_contain_text("The Estuary Weekly")
    assert screen.mail.locator("img").count() == 0
    screen.tab("As written").click()
    expect(screen.mail.locator("img").first).to_be_attached()
    assert "client" not in screen.page.url
    assert screen.errors == []


def test_switches_offer_only_what_the_client_leaves_open(screen: Screen) -> None:
    """A dark client shows "Dark" and keeps the editor's own choice for later; Outlook for Windows is on no phone."""
    dark, light = (screen.page.get_by_role("radio", name=name, exact=True) for name in ("Dark", "Light"))
    screen.open("?client=gmail-dark")
    expect(dark).to_be_checked()
    expect(dark).to_be_disabled()
    screen.tab("Images off").click()
    expect(light).to_be_checked()
    expect(light).to_be_enabled()
    expect(screen.page.get_by_role("radio", name="No images")).to_be_disabled()
    dark.check()
    expect(screen.mail.locator("body")).to_have_css("background-color", DARK)
    screen.tab("Outlook").click()
    expect(screen.page.get_by_role("radio", name="Phone")).to_be_disabled()
    expect(light).to_be_checked()
    screen.tab("As written").click()
    expect(dark).to_be_checked()
    expect(screen.mail.locator("body")).to_have_css("background-color", DARK)


def test_tabs_are_walked_with_arrows(screen: Screen) -> None:
    """One stop for the Tab key; arrows, Home and End choose at once and go round."""
    screen.open()
    screen.tab("As written").focus()
    for key, name in (
        ("ArrowRight", "Gmail"),
        ("ArrowRight", "Gmail, no styles"),
        ("ArrowLeft", "Gmail"),
        ("Home", "As written"),
        ("ArrowLeft", "Side by side"),
        ("ArrowRight", "As written"),
        ("End", "Side by side"),
    ):
        screen.page.keyboard.press(key)
        expect(screen.tab(name)).to_be_focused()
        expect(screen.selected()).to_have_text([name])
        assert screen.page.locator("[role=tab][tabindex='0']").count() == 1


def test_a_reload_and_a_bookmark_keep_the_client(screen: Screen) -> None:
    screen.open("?client=gmail-no-style&view=phone&scheme=dark")
    screen.page.reload()
    expect(screen.selected()).to_have_text(["Gmail, no styles"])
    expect(screen.page.locator("#mail")).to_have_js_property("clientWidth", 360)
    screen.open("?client=nonsense")
    expect(screen.selected()).to_have_text(["As written"])


def test_side_by_side_shows_all_of_them(screen: Screen) -> None:
    """Each in a frame of its own with its label and its losses; the mail as written stands first without either."""
    screen.open("?client=all")
    looks = screen.page.locator(".look")
    expect(looks).to_have_count(len(CLIENTS) + 1)
    expect(screen.page.locator(".look .approximation")).to_have_count(len(CLIENTS))
    expect(looks.first).to_contain_text("As written")
    for client in CLIENTS:
        look = screen.page.locator(f".look[data-client='{client.name}']")
        expect(look.locator("h2")).to_have_text(f"{client.title} approximation")
        body = look.locator("iframe").content_frame.locator("body")
        expect(body).to_contain_text("The Estuary Weekly")
        expect(look.locator("summary")).to_have_text(re.compile("lost or changed$"))
    outlook = screen.page.locator(".look[data-client='outlook-word']")
    outlook.locator("summary").click()
    expect(outlook.get_by_text("rounded corners")).to_be_visible()
    expect(screen.page.locator("#frame-box")).to_be_hidden()
    screen.page.get_by_role("radio", name="Phone").check()
    expect(screen.page.locator(".look[data-client='gmail'] iframe")).to_have_js_property("clientWidth", 360)
    expect(outlook.locator("iframe")).to_have_js_property("clientWidth", 680)
    assert screen.errors == []


def test_a_save_refreshes_every_look_in_its_place(own: Screen) -> None:
    """Frames keep where the editor has scrolled to, in one client and side by side."""
    own.open("?client=all")
    scroll = "frame => frame.contentWindow.scrollTo(0, 300)"
    place = "frame => frame.contentWindow.scrollY"
    frames = own.page.locator(".look iframe")
    for at in range(frames.count()):
        frames.nth(at).evaluate(scroll)
    own.served.files.edit("issue.md", "Good morning", "Good evening")
    for at in range(frames.count()):
        expect(frames.nth(at).content_frame.get_by_text("Good evening")).to_be_attached()
        assert frames.nth(at).evaluate(place) == 300
    own.tab("Outlook").click()
    expect(own.mail.get_by_text("Good evening")).to_be_visible()
    own.served.files.edit("issue.md", "Good evening", "Good night")
    expect(own.mail.get_by_text("Good night")).to_be_visible()
    assert own.errors == []


def test_images_are_switched_off_in_every_look(screen: Screen) -> None:
    screen.open("?client=all&images=off")
    for name in ("gmail", "outlook-word"):
        frame = screen.page.locator(f".look[data-client='{name}'] iframe").content_frame
        expect(frame.locator("img").first).to_be_attached()
        assert not any(frame.locator("img").evaluate_all("all => all.map(image => image.naturalWidth)"))
    assert all("Content Security Policy" in error for error in screen.errors)


def test_nothing_runs_in_any_look(own: Screen) -> None:
    """A theme that brings a script brings it to no client."""
    own.served.files.write(
        "templates/weekly/email.html.j2",
        '{% extends "base/email.html.j2" %}{% block footer %}{{ super() }}<!--[if mso]><script>top.hacked=1</script>'
        '<![endif]--><script>top.hacked=2</script><img src="/media/none.jpg" onerror="top.hacked=3">{% endblock %}',
    )
    own.served.until(lambda s: s["mail"])
    own.open("?client=all")
    expect(own.page.locator(".look iframe").last.content_frame.locator("body")).to_contain_text("Estuary")
    assert own.page.evaluate("window.hacked === undefined")
    for frame in own.page.locator(".look iframe").all():
        assert "allow-scripts" not in (frame.get_attribute("sandbox") or "")


def test_no_client_pushes_the_page_sideways(browser: Browser, standing: Any) -> None:
    context = browser.new_context()
    screen = Screen(context.new_page(), standing)
    for query in ("?client=outlook-word", "?client=all", "?client=all&view=phone"):
        screen.open(query)
        for width in (360, 720, 900, 901, 1440):
            screen.page.set_viewport_size({"width": width, "height": 700})
            assert screen.page.evaluate("document.documentElement.scrollWidth") <= width, (query, width)
            boxes = screen.page.evaluate(
                "[...document.querySelectorAll('#caption h2, .pane, .look h2, .taken-list li')]"
                ".map(part => part.getBoundingClientRect()).flatMap(box => [box.left, box.right])"
            )
            assert min(boxes) >= 0
            assert max(boxes) <= width
    screen.page.set_viewport_size({"width": 360, "height": 700})
    screen.open("?client=apple-dark")
    tab = screen.tab("Apple dark").bounding_box()
    assert tab and tab["x"] >= 0 and tab["x"] + tab["width"] <= 360
    context.close()


def test_on_a_phone_a_link_leads_to_the_losses(browser: Browser, standing: Any) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 700})
    screen = Screen(context.new_page(), standing).open("?client=outlook-word")
    screen.page.get_by_role("link", name="things lost or changed").click()
    expect(screen.page.locator("#taken-title")).to_be_in_viewport()
    context.close()


@pytest.mark.npm
@pytest.mark.parametrize("system", ["light", "dark"])
def test_axe_finds_nothing_to_object_to_in_any_client(browser: Browser, standing: Any, axe: str, system: Any) -> None:
    context = browser.new_context(color_scheme=system, reduced_motion="reduce", viewport={"width": 1280, "height": 800})
    screen = Screen(context.new_page(), standing)
    for query in ("?client=gmail", "?client=apple-dark", "?client=all", "?client=all&view=phone&scheme=dark"):
        screen.open(query)
        if "all" in query:
            screen.page.locator(".look[data-client='outlook-word'] summary").click()
        screen.page.evaluate(axe)
        found = screen.page.evaluate("axe.run({exclude: [['#mail'], ['.look iframe']]}, {iframes: false})")
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == [], query
    context.close()
