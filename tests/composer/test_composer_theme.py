"""Colours and type: shown and judged before they are saved, saved in the workspace's own theme.toml alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import expect


def own(served: Any) -> Any:
    return served.root / "templates" / "weekly" / "theme.toml"


def expected(served: Any) -> str:
    found = re.search(r'name="expected" value="([0-9a-f]{64})"', served.get("/settings/theme").text)
    assert found is not None
    return found[1]


def save(served: Any, **values: str) -> Any:
    form = {"theme": "weekly", "expected": expected(served), **values}
    return served.form("/settings/theme", urlencode(form), Accept="text/html")


def test_what_is_tried_is_shown_and_judged_and_not_written(served: Any) -> None:
    pale = f"theme=weekly&accent={quote('#eeddcc')}"
    plain = served.get("/settings/theme/mail.html?theme=weekly").text
    mail = served.get(f"/settings/theme/mail.html?{pale}")
    assert "#EEDDCC" in mail.text and "#EEDDCC" not in plain
    assert "default-src 'none'" in mail.headers["content-security-policy"]
    said = served.get(f"/settings/theme/judge?{pale}").json
    assert any(words.startswith("accent on card") for words in said["warnings"]) and said["errors"] == {}
    assert not own(served).exists()
    picture = re.search(r'src="(/settings/theme/media/[^"]+)"', mail.text)
    assert picture is not None and served.get(picture[1]).headers["content-type"].startswith("image/")


@pytest.mark.parametrize("wrong", ["rebeccapurple", "#fedcb", "#12345g", "#abcdef;}body{display:none"])
def test_what_is_no_colour_is_neither_shown_nor_saved(served: Any, wrong: str) -> None:
    """And says so beside its field; the mail goes on with what holds now."""
    query = f"theme=weekly&accent={quote(wrong)}"
    assert "accent" in served.get(f"/settings/theme/judge?{query}").json["errors"]
    assert wrong not in served.get(f"/settings/theme/mail.html?{query}").text.casefold()
    answer = save(served, accent=wrong)
    assert answer.status == 422 and 'data-wrong="accent">' in answer.text
    assert not own(served).exists()


def test_a_save_writes_only_what_differs_and_default_takes_it_out_again(served: Any) -> None:
    assert save(served, accent="#005a9c", ink="#1a1a1a").status == 303
    text = own(served).read_text(encoding="utf-8")
    assert "#005A9C" in text and "ink" not in text
    assert "#005A9C" in served.get("/settings/theme/mail.html?theme=weekly").text
    assert save(served, accent="#005a9c", default="accent").status == 303
    assert "accent" not in own(served).read_text(encoding="utf-8")


def test_a_theme_that_changed_meanwhile_is_not_overwritten(served: Any) -> None:
    before = expected(served)
    assert save(served, accent="#005a9c").status == 303
    answer = save(served, expected=before, page="#ffffff")
    assert answer.status == 409 and "changed since you opened this page" in answer.text
    assert 'name="page" value="#ffffff"' in answer.text and 'name="accent" value="#005a9c"' in answer.text
    assert "page" not in own(served).read_text(encoding="utf-8")


def test_an_unknown_theme_is_a_page_that_says_so(served: Any) -> None:
    answer = served.get("/settings/theme?theme=..%2F..%2Fetc")
    assert answer.status >= 400 and "This did not work" in answer.text
    assert served.get("/settings/theme/media/nothing.png").status == 404


@pytest.mark.chromium
@pytest.mark.npm
@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}}])
def test_in_chromium_a_colour_is_seen_in_the_mail_and_judged_while_it_is_chosen(
    served: Any, screens: Callable[..., Any], axe: str, options: dict[str, Any]
) -> None:
    """No script runs in the mail; the default comes back by a press; only a save writes."""
    screen = screens(served, **options)
    page = screen.open("/settings/theme").page
    expect(page.locator("body[data-shown]")).to_be_attached()
    assert screen.axe(axe) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ink = page.frame_locator("#mail").locator("h1, h2").first
    expect(ink).not_to_have_css("color", "rgb(221, 238, 255)")
    page.get_by_label("ink, light").fill("#ddeeff")
    expect(ink).to_have_css("color", "rgb(221, 238, 255)")
    expect(page.locator("#warnings li").first).to_contain_text("ink on card")
    assert screen.axe(axe) == []
    page.get_by_label("headline", exact=True).fill("Georgia;}")
    expect(page.locator('[data-wrong="headline"]')).to_contain_text("is no font")
    page.get_by_label("headline", exact=True).fill("Palatino,serif")
    expect(page.locator('[data-wrong="headline"]')).to_be_hidden()
    page.get_by_role("button", name="Default for ink").click()
    expect(page.locator("#warnings li")).to_have_count(0)
    expect(page.get_by_label("ink, light")).to_have_value("#1a1a1a")
    assert not own(served).exists()
    page.get_by_role("checkbox", name="Dark").check()
    page.get_by_role("button", name="Save the theme").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved")
    text = own(served).read_text(encoding="utf-8")
    assert "Palatino" in text and "ink" not in text
    assert [e for e in screen.errors if "Blocked script execution" not in e] == []
