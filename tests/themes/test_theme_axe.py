"""axe-core has nothing to object to in any theme, to the left and to the right, light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.themes.conftest import rendered
from tests.themes.test_theme_goldens import THEMES

pytestmark = [pytest.mark.chromium, pytest.mark.npm, pytest.mark.slow]

# A mail is read inside a client's page, whose landmarks these two rules ask for; a second <main> would be wrong there.
NOT_OURS = {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}}


def violations(browser: Browser, axe: str, page: Path, *, dark: bool, width: int = 700) -> list[tuple[str, list[str]]]:
    """(rule, the elements) of each; at least twenty rules must have found something to judge."""
    context = browser.new_context(
        color_scheme="dark" if dark else "light", viewport={"width": width, "height": 900}, offline=True
    )
    tab = context.new_page()
    tab.goto(page.as_uri())
    tab.evaluate(axe)
    found = tab.evaluate("rules => axe.run(document, {rules})", NOT_OURS)
    context.close()
    assert len(found["passes"]) >= 20
    return [(v["id"], [node["html"] for node in v["nodes"]]) for v in found["violations"]]


@pytest.mark.parametrize("language", ["english", "urdu", "urdu-mixed"])
@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing(browser: Browser, axe: str, theme: str, language: str, tmp_path: Path) -> None:
    """Names, roles, languages, contrast, order of headings: no violation, on a phone by day and a desk by night."""
    page = rendered(language, theme, tmp_path / "ws").write(tmp_path)
    assert violations(browser, axe, page, dark=False, width=360) == []
    assert violations(browser, axe, page, dark=True, width=700) == []


def test_axe_would_find_it(browser: Browser, axe: str, sample: Any, tmp_path: Path) -> None:
    """Grey on grey in the dark, a picture without alt text and a headline out of order are each found."""
    page = sample.write(tmp_path)
    html = page.read_text(encoding="utf-8")
    broken = html.replace('alt="A small two-decked', 'data-alt="').replace("#A8A299", "#3A3A3A").replace("<h1", "<h6")
    page.write_text(broken.replace("</h1>", "</h6>"), encoding="utf-8")
    found = {rule for rule, _ in violations(browser, axe, page, dark=True)}
    assert {"image-alt", "color-contrast", "page-has-heading-one"} <= found
