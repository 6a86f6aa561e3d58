"""The contact sheet of ``newsletter shots`` in Chromium: readable at every width, fine by axe, and nothing runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser

from newsletter.clients.contact_sheet import Looks, Shot, contact_sheet
from newsletter.clients.taken import Taken

pytestmark = pytest.mark.chromium

HOSTILE = '</title><script>window.hacked=1</script><img src=x onerror="window.hacked=2">"'


@pytest.fixture
def sheet(tmp_path: Path) -> str:
    """One client of each kind; hostile words wherever an editor's words go."""
    for name in ("a", "b"):
        Image.new("RGB", (600, 3000), "#884400").save(tmp_path / f"{name}.png")
    shots = [Shot("a.png", 600, 3000, "light"), Shot("b.png", 360, 3000, "dark", cut=True)]
    took = (Taken(f"rules {HOSTILE} (prefers-color-scheme)", 16), Taken("everything else"))
    looks = [
        Looks("written", "As written", "The mail before any client changes it.", shots, kind="written"),
        Looks("gmail", "Gmail", HOSTILE, shots, took),
        Looks("apple-dark", "Apple dark", "Apple Mail.", shots[1:]),
        Looks("gmail-dark", "Gmail dark", "Gmail’s apps.", shots[1:], took, "forced"),
    ]
    path = tmp_path / "index.html"
    path.write_text(contact_sheet("2026-11-27", HOSTILE, HOSTILE, looks, made="Made today."), encoding="utf-8")
    return path.as_uri()


def test_words_stay_words_and_pictures_load(chromium: Browser, sheet: str) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 12_000}, offline=True)
    tab = context.new_page()
    errors: list[str] = []
    tab.on("console", lambda said: errors.append(said.text))
    tab.goto(sheet)
    assert tab.evaluate("window.hacked === undefined")
    assert tab.locator("h1").text_content() == HOSTILE
    assert tab.locator("img").evaluate_all("all => all.every(image => image.complete && image.naturalWidth)")
    assert tab.locator("#gmail .took li").all_text_contents()[0].startswith("16 × rules </title>")
    assert "cut at 3,000 pixels" in (tab.locator("#gmail figcaption").last.text_content() or "")
    assert "in colours that the client forces" in (tab.locator("#gmail-dark h2").text_content() or "")
    assert "in the mail’s own dark colours" in (tab.locator("#apple-dark h2").text_content() or "")
    assert errors == []
    context.close()


def test_it_fits_every_width(chromium: Browser, sheet: str) -> None:
    context = chromium.new_context()
    tab = context.new_page()
    for width in (320, 360, 720, 861, 1280, 1920):
        tab.set_viewport_size({"width": width, "height": 800})
        tab.goto(sheet)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@pytest.mark.npm
@pytest.mark.parametrize("system", ["light", "dark"])
def test_axe_finds_nothing_to_object_to(chromium: Browser, sheet: str, axe: str, system: Any) -> None:
    context = chromium.new_context(color_scheme=system, bypass_csp=True)
    tab = context.new_page()
    tab.goto(sheet)
    tab.evaluate(axe)
    found = tab.evaluate("axe.run()")
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
    context.close()
