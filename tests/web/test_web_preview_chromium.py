"""The preview page in Chromium: it refreshes in place, shows what is wrong, and runs nothing that a story brings."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

pytestmark = pytest.mark.chromium

STORY = "curlews-after-dark.md"
READER = quote("zoë+weekly@readers.test")


class Screen:
    """A browser's page on a preview; ``errors`` is what its console complained about."""

    def __init__(self, page: Page, served: Any) -> None:
        self.page = page
        self.served = served
        self.errors: list[str] = []
        self.loaded: list[str] = []
        page.on("console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("response", lambda answer: self.loaded.append(answer.url))

    def open(self, query: str = "") -> Screen:
        self.page.goto(f"{self.served.url}{query}")
        expect(self.page.locator("body[data-version]")).to_be_attached(timeout=20_000)
        self.page.evaluate("document.body.dataset.loaded = 'once'")
        return self

    @property
    def mail(self) -> FrameLocator:
        return self.page.frame_locator("#mail")

    def scroll(self, place: int) -> None:
        self.page.evaluate("place => document.getElementById('mail').contentWindow.scrollTo(0, place)", place)

    def expect_scrolled(self, place: int) -> None:
        deadline = time.monotonic() + 5
        while (found := self.page.evaluate("document.getElementById('mail').contentWindow.scrollY")) != place:
            assert time.monotonic() < deadline, found
            self.page.wait_for_timeout(20)

    def was_not_reloaded(self) -> bool:
        return bool(self.page.evaluate("document.body.dataset.loaded === 'once'"))

    def background(self) -> str:
        return str(self.mail.locator("body").evaluate("body => getComputedStyle(body).backgroundColor"))


@pytest.fixture
def screen(browser: Browser, served: Any) -> Iterator[Screen]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Screen(context.new_page(), served)
    context.close()


def test_every_kind_of_save_refreshes_the_page_in_place(screen: Screen) -> None:
    """Issue, story, theme and configuration; without a reload, at the same place, with no picture asked for twice."""
    files = screen.served.files
    screen.open()
    expect(screen.mail.locator("img").first).not_to_have_js_property("naturalWidth", 0)
    screen.scroll(700)
    pictures = [url for url in screen.loaded if "/media/" in url]
    saved = time.perf_counter()
    files.edit("issue.md", "The ferry is ours", "The ferry is yours")
    expect(screen.page.locator("#subject")).to_contain_text("The ferry is yours")
    expect(screen.page.locator("#subject-full")).to_contain_text("The ferry is yours")
    print(f"\nsave to refreshed page: {(time.perf_counter() - saved) * 1000:.0f} ms")
    expect(screen.page).to_have_title(re.compile("The ferry is yours"))
    files.edit(STORY, "headline: ", "headline: Once more, ", rename=True)
    expect(screen.mail.get_by_text("Once more, ")).to_be_visible()
    files.edit("newsletter.toml", 'name = "The Estuary Weekly"', 'name = "The Estuary Daily"', rename=True)
    expect(screen.page.locator("#sender")).to_have_text("The Estuary Daily")
    files.write("templates/weekly/theme.toml", 'api = 1\nextends = "base"\n[tokens]\naccent = "#123456"\n')
    expect(screen.mail.locator("[style*='#123456']").first).to_be_attached()
    assert screen.was_not_reloaded()
    screen.expect_scrolled(700)
    assert [url for url in screen.loaded if "/media/" in url] == pictures
    assert screen.errors == []


def test_a_broken_file_is_shown_with_its_place_and_the_last_mail_dimmed_until_it_is_mended(screen: Screen) -> None:
    files = screen.served.files
    screen.open()
    error = screen.page.locator("#error")
    expect(error).to_be_hidden()

    good = files.path("issue.md").read_text()
    files.write("issue.md", good.replace("subject:", "subject: a: b:"))
    expect(error).to_be_visible()
    expect(screen.page.locator("#error-where")).to_have_text("issues/2026-11-27/issue.md:2")
    expect(screen.page.locator("#error-lines .hit")).to_contain_text("subject: a: b:")
    expect(screen.page.locator("#error-fix")).to_contain_text("quotes")
    expect(error).to_contain_text("the last mail that could be built")
    expect(screen.mail.get_by_text("Good morning reader")).to_be_visible()
    expect(screen.page.locator("iframe")).to_have_css("opacity", "0.4")
    files.write("issue.md", good)
    expect(error).to_be_hidden()
    expect(screen.page.locator("iframe")).to_have_css("opacity", "1")

    files.write("templates/weekly/email.html.j2", '{% extends "base/email.html.j2" %}\n{{ nope.nope }}\n{{ oh no }}\n')
    expect(screen.page.locator("#error-where")).to_have_text("templates/weekly/email.html.j2:3")
    expect(screen.page.locator("#error-lines .hit")).to_contain_text("{{ oh no }}")
    shutil.rmtree(files.root / "templates" / "weekly")
    expect(error).to_be_hidden()
    assert screen.was_not_reloaded()
    assert screen.errors == []


def test_broken_from_the_start_it_shows_the_error_alone_and_comes_up(browser: Browser, files: Any, serve: Any) -> None:
    good = files.path("issue.md").read_text()
    files.write("issue.md", good.replace("subject:", "subject: a: b:"))
    with serve(files) as served:
        context = browser.new_context()
        screen = Screen(context.new_page(), served).open()
        expect(screen.page.locator("#error")).to_be_visible()
        expect(screen.page.locator("#error")).not_to_contain_text("last mail")
        for part in ("#frame-box", "#about", "#inbox", "#waiting"):
            expect(screen.page.locator(part)).to_be_hidden()
        files.write("issue.md", good)
        expect(screen.mail.get_by_text("Good morning reader")).to_be_visible()
        expect(screen.page.locator("#error")).to_be_hidden()
        assert screen.errors == []
        context.close()


def test_a_readers_copy_and_one_who_is_not_there(screen: Screen) -> None:
    screen.open(f"?as={READER}")
    expect(screen.mail.get_by_text("Good morning Zoë <b>")).to_be_visible()
    field = screen.page.get_by_label("As reader")
    expect(field).to_have_value("zoë+weekly@readers.test")
    field.fill("nobody@readers.test")
    field.press("Enter")
    expect(screen.page.locator("#error")).to_contain_text("nobody@readers.test is not in the audience")
    expect(screen.mail.get_by_text("Good morning reader")).to_be_visible()
    expect(screen.page.locator("iframe")).to_have_css("opacity", "1")
    assert "as=nobody%40readers.test" in screen.page.url
    field.fill("")
    field.press("Enter")
    expect(screen.page.locator("#error")).to_be_hidden()
    assert screen.errors == []


def test_widths_colours_text_and_images_are_switched_and_kept_over_a_reload(screen: Screen) -> None:
    screen.open()
    mail = screen.page.locator("#mail")
    wide = mail.bounding_box()
    assert wide
    assert wide["width"] >= 700
    light = screen.background()
    screen.page.get_by_role("radio", name="Phone", exact=True).check()
    expect(mail).to_have_js_property("clientWidth", 360)
    screen.page.get_by_role("radio", name="Dark", exact=True).check()
    expect(screen.page.locator("#frame-box[data-scheme=dark]")).to_be_attached()
    expect(screen.mail.locator("body")).to_have_css("background-color", "rgb(20, 20, 20)")
    assert light != "rgb(20, 20, 20)"
    screen.page.reload()
    expect(mail).to_have_js_property("clientWidth", 360)
    expect(screen.mail.locator("body")).to_have_css("background-color", "rgb(20, 20, 20)")
    screen.page.get_by_role("radio", name="Text", exact=True).check()
    text = screen.page.locator("#text")
    expect(text).to_be_visible()
    expect(text).to_contain_text("Good morning \u200ereader")
    expect(mail).to_be_hidden()
    expect(screen.page.get_by_role("radio", name="Dark", exact=True)).to_be_disabled()
    screen.served.files.edit("issue.md", "Good morning", "Good evening")
    expect(text).to_contain_text("Good evening")
    screen.page.get_by_role("radio", name="Desktop", exact=True).check()
    expect(screen.mail.get_by_text("Good evening reader")).to_be_visible()
    assert screen.errors == []


@pytest.mark.parametrize("system", ["dark", "light"])
def test_the_switch_decides_and_not_the_system(browser: Browser, standing: Any, system: Any) -> None:
    context = browser.new_context(color_scheme=system)
    screen = Screen(context.new_page(), standing)
    for scheme, colour in (("light", "rgb(244, 241, 234)"), ("dark", "rgb(20, 20, 20)")):
        screen.open(f"?scheme={scheme}")
        expect(screen.mail.locator("body")).to_have_css("background-color", colour)
        root = screen.mail.locator("html")
        assert root.evaluate("html => getComputedStyle(html).colorScheme") == scheme
    context.close()


def test_without_images_none_is_loaded_and_the_place_is_kept(screen: Screen) -> None:
    """The frame's own policy says it, so nothing a theme does gets past it; Chromium notes each one it stopped."""
    screen.served.files.edit(STORY, "\n---\n", "\n---\n![far](https://pictures.example.invalid/a.jpg)\n\n")
    screen.open("?images=off")
    expect(screen.mail.locator("img").first).to_be_attached()
    sizes = screen.mail.locator("img").evaluate_all("all => all.map(image => image.naturalWidth)")
    assert sizes
    assert not any(sizes)
    assert not [url for url in screen.loaded if "/media/" in url or "example.invalid" in url]
    assert all("Content Security Policy" in error for error in screen.errors)
    screen.scroll(500)
    screen.page.get_by_role("radio", name="Images", exact=True).check()
    expect(screen.mail.locator("img").first).not_to_have_js_property("naturalWidth", 0)
    screen.expect_scrolled(500)


HOSTILE = """

<script>parent.hacked = 1; window.hacked = 1</script>
<img src=x onerror="parent.hacked=2">
<svg onload="parent.hacked=3"><script>parent.hacked=4</script></svg>
<a href="javascript:parent.hacked=5">press me</a> [me too](javascript:parent.hacked=6)
</style><style>body{display:none}</style><iframe srcdoc="<script>top.hacked=7</script>"></iframe>
<meta http-equiv="refresh" content="0;url=https://evil.example.invalid/"><base href="https://evil.example.invalid/">
<form action="https://evil.example.invalid/"><input autofocus onfocus="parent.hacked=8"></form>
<p style="background:url(https://evil.example.invalid/a.png)">styled</p>
Unharmed words.
"""


def test_what_a_story_brings_never_runs(screen: Screen) -> None:
    """Neither in the first document nor in what later replaces its content; the theme itself may bring it."""
    files = screen.served.files
    for file in (STORY, "issue.md"):
        files.write(file, files.path(file).read_text() + HOSTILE)
    files.edit("issue.md", "subject: ", 'subject: "</title><script>hacked=9</script>" # ')
    files.write("templates/weekly/email.html.j2", _hostile_theme(files))
    screen.served.until(lambda s: s["mail"] and "<script>" in s["mail"]["subject"])
    screen.open()
    for turn in range(2):
        expect(screen.mail.get_by_text("Unharmed words.").first).to_be_visible()
        expect(screen.page.locator("#subject")).to_have_text("</title><script>hacked=9</script>")
        assert screen.page.evaluate("window.hacked === undefined")
        for link in screen.mail.get_by_text("theme link").all():
            link.click(no_wait_after=True)
        assert screen.page.evaluate("window.hacked === undefined")
        assert not [url for url in screen.loaded if "evil.example" in url]
        if not turn:
            files.edit("issue.md", "Unharmed words.", "Unharmed words. Again.")
            expect(screen.mail.get_by_text("Unharmed words. Again.")).to_be_visible()
    assert len(screen.page.context.pages) == 1
    # Both the sandbox and the policy forbid scripts; either alone would have held above.
    assert "allow-scripts" not in (screen.page.locator("#mail").get_attribute("sandbox") or "")


def _hostile_theme(files: Any) -> str:
    """A theme is trusted to make mail, not to run in the editor's browser."""
    return (
        '{% extends "base/email.html.j2" %}{% block footer %}{{ super() }}'
        '<script>parent.hacked=10</script><img src="/media/none.jpg" onerror="parent.hacked=11">'
        '<a href="javascript:parent.hacked=12">theme link</a>{% endblock %}'
    )


def test_a_link_in_the_mail_opens_beside_it(screen: Screen) -> None:
    screen.open()
    screen.page.context.route(
        re.compile("^https://"), lambda route: route.fulfill(body="elsewhere", content_type="text/plain")
    )
    with screen.page.context.expect_page() as opened:
        screen.mail.get_by_text("Read online").first.click()
    opened.value.wait_for_load_state()
    assert opened.value.url.startswith("https://estuary.example/")
    assert opened.value.evaluate("window.opener === null")
    expect(screen.mail.get_by_text("Good morning reader")).to_be_visible()


def test_findings_are_listed_worst_first_and_counted(screen: Screen) -> None:
    screen.open()
    expect(screen.page.locator("#count")).to_have_text("none")
    story = screen.served.files.path(STORY).read_text()
    screen.served.files.write(STORY, story.replace("  alt:", "  noalt:").replace("  credit:", "  nocredit:"))
    expect(screen.page.locator("#count")).to_have_text(re.compile("^1 error, [12] warnings?$"))
    first = screen.page.locator("#findings li").first
    expect(first).to_contain_text("Error")
    expect(first).to_contain_text("curlews-after-dark · image.alt")


def test_a_restarted_preview_is_found_again(browser: Browser, files: Any, serve: Any) -> None:
    context = browser.new_context()
    with serve(files) as first:
        screen = Screen(context.new_page(), first).open()
        expect(screen.page.locator("#live")).to_have_text("This page follows every save.")
    expect(screen.page.locator("#live")).to_contain_text("has stopped")
    context.close()


def test_nothing_is_cut_off_at_any_width(browser: Browser, standing: Any) -> None:
    """720 is a laptop's screen at 200 % zoom."""
    context = browser.new_context()
    screen = Screen(context.new_page(), standing)
    for query in ("", "?view=text", "?as=nobody@readers.test"):
        screen.open(query)
        for width in (360, 390, 720, 900, 901, 1440):
            screen.page.set_viewport_size({"width": width, "height": 700})
            ends = screen.page.evaluate(
                "[...document.querySelectorAll('fieldset span, #reader, .side h2, .error p, .error h2')]"
                ".map(part => part.getBoundingClientRect()).flatMap(box => [box.left, box.right])"
            )
            assert min(ends) >= 0
            assert max(ends) <= width
            assert screen.page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_every_switch_is_reached_and_seen_by_keyboard(screen: Screen) -> None:
    screen.open()
    for name in ("view", "scheme", "images", "as"):
        screen.page.keyboard.press("Tab")
        focused = screen.page.evaluate(
            "[document.activeElement.name, getComputedStyle(document.activeElement.type === 'radio' ?"
            " document.activeElement.nextElementSibling : document.activeElement).outlineStyle]"
        )
        assert focused == [name, "solid"]
    screen.page.keyboard.press("Tab")
    assert screen.page.evaluate("document.activeElement.id") == "tab-written"
    screen.page.keyboard.press("Tab")
    assert screen.page.evaluate("document.activeElement.id") == "mail"


@pytest.mark.parametrize("system", ["light", "dark"])
def test_axe_finds_nothing_to_object_to(browser: Browser, files: Any, serve: Any, axe: str, system: Any) -> None:
    """The page as it is, the text view, a reader who is not there, many findings, an error."""
    story = files.path(STORY).read_text()
    files.write(STORY, story.replace("  alt:", "  noalt:").replace("  credit:", "  nocredit:"))
    with serve(files) as served:
        context = browser.new_context(color_scheme=system, reduced_motion="reduce")
        screen = Screen(context.new_page(), served)
        for query in ("", "?view=text", "?as=nobody@readers.test", "?view=phone&scheme=dark", "broken"):
            if query == "broken":
                files.edit("issue.md", "subject:", "subject: a: b:")
                served.until(lambda s: s["error"])
                screen.open()
            else:
                screen.open(query)
            screen.page.evaluate(axe)
            found = screen.page.evaluate("axe.run({exclude: [['#mail']]}, {iframes: false})")
            assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == [], query
        context.close()
