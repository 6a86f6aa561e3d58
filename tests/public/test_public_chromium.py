"""The public pages in Chromium: without JavaScript, on a phone and a desk, light and dark, in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.rendering.catalogues import SCRIPTS
from tests.public.kit import Served, serve

pytestmark = pytest.mark.chromium

COPY = "/v/2026-11-27"
LANGUAGES = sorted(SCRIPTS)


class Tab:
    """A page without JavaScript; ``errors`` is what the browser complained about, ``hosts`` whom it asked."""

    def __init__(self, page: Page, site: Served) -> None:
        self.page = page
        self.site = site
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.hosts.add(re.sub(r"^(https?://[^/]+).*", r"\1", request.url)))

    def open(self, path: str) -> Tab:
        self.page.goto(self.site.url.rstrip("/") + path)
        return self


@pytest.fixture(params=[(360, "light"), (360, "dark"), (1000, "light"), (1000, "dark")], ids=str)
def tab(request: pytest.FixtureRequest, browser: Browser, site: Served) -> Iterator[Tab]:
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme=scheme, java_script_enabled=False
    )
    yield Tab(context.new_page(), site)
    context.close()


def test_leaving_and_coming_back_without_javascript(tab: Tab, request: pytest.FixtureRequest) -> None:
    """The link in the mail, the button, the way back, the settings: plain forms, and nobody else is asked anything."""
    reader = tab.site.reader(f"chromium{abs(hash(request.node.name))}@readers.test")
    page = tab.open(reader.unsubscribe).page
    expect(page.get_by_role("heading", level=1)).to_have_text("Unsubscribe from The Estuary Weekly?")
    assert tab.site.status(reader) == "subscribed"
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    assert tab.site.status(reader) == "unsubscribed"
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    page.get_by_role("button", name="Subscribe again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed")
    assert tab.site.status(reader) == "subscribed"
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    assert tab.site.status(reader) == "unsubscribed"
    assert tab.errors == []
    assert tab.hosts == {tab.site.url.rstrip("/")}


def test_a_button_is_big_enough_for_a_thumb_and_nothing_sticks_out(tab: Tab) -> None:
    """48 px high; no page scrolls sideways."""
    reader = tab.site.reader(f"a-very-long-name-of-a-reader-{'x' * 30}@a-long-domain-name-of-a-paper.readers.test")
    for path in (reader.unsubscribe, reader.preferences, "/u/x", "/u/copy", "/nothing", COPY):
        page = tab.open(path).page
        width = page.viewport_size["width"] if page.viewport_size else 0
        assert page.locator("html").evaluate("html => html.scrollWidth") <= width, path
        for button in page.get_by_role("button").all():
            box = button.bounding_box()
            assert box and box["height"] >= 48
            assert width > 480 or box["width"] == width - 40
    assert [error for error in tab.errors if "404" not in error] == []


def test_dark_is_dark_and_light_is_light(browser: Browser, site: Served) -> None:
    """The theme's own colours, in the style sheet that the policy allows: without it everything would be white."""
    colours = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
        page = context.new_page()
        page.goto(f"{site.url}u/x")
        colours[scheme] = [
            page.locator(where).evaluate("it => getComputedStyle(it).backgroundColor") for where in ("body", "main")
        ]
        context.close()
    assert colours == {
        "light": ["rgb(244, 241, 234)", "rgb(255, 255, 255)"],
        "dark": ["rgb(20, 20, 20)", "rgb(30, 30, 30)"],
    }


def test_the_web_copy_shows_its_pictures_and_runs_no_script(browser: Browser, site: Served) -> None:
    """JavaScript is on here, and the policy still runs none."""
    context = browser.new_context(viewport={"width": 700, "height": 900})
    tab = Tab(context.new_page(), site).open(COPY)
    pictures = tab.page.locator("img")
    expect(pictures.first).not_to_have_js_property("naturalWidth", 0)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        expect(picture).not_to_have_js_property("naturalWidth", 0)
    assert tab.hosts == {site.url.rstrip("/")}
    assert tab.errors == []
    tab.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'x=1'}))")
    assert any("Content Security Policy" in error or "content security policy" in error for error in tab.errors)
    tab.page.get_by_role("link", name="Unsubscribe").click()
    expect(tab.page.get_by_text("the same for everybody")).to_be_visible()
    context.close()


@pytest.mark.npm
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_to_object_to(browser: Browser, workspace: Path, axe: str, language: str) -> None:
    """Every page in every language; in the dark in one of each direction, for colours do not depend on words."""
    config = workspace / "newsletter.toml"
    config.write_text(config.read_text().replace('language = "en-GB"', f'language = "{language}"'))
    with serve(workspace) as site:
        stays, goes, barred = (site.reader(f"{name}@readers.test") for name in ("stays", "goes", "barred"))
        site.one_click(goes.unsubscribe)
        bar(workspace, barred.address)
        for scheme in ("light", "dark") if language in ("en", "ur") else ("light",):
            context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
            page = context.new_page()
            for path in (
                stays.unsubscribe, stays.preferences, goes.unsubscribe, barred.preferences, "/u/x", "/u/test",
                "/u/copy", "/nothing",
            ):  # fmt: skip
                page.goto(site.url.rstrip("/") + path)
                assert page.locator("html").get_attribute("lang") == language
                assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ur" else "ltr")
                assert violations(page, axe) == [], path
            context.close()


def violations(page: Page, axe: str) -> list[Any]:
    page.evaluate(axe)
    found = page.evaluate("axe.run()")
    return [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]]


def bar(root: Path, address: str) -> None:
    from newsletter.app.desk import open_desk
    from newsletter.audience import subscribers

    with open_desk(root) as desk:
        subscribers.suppress(desk.store, address, "complained", "test", desk.keys)
