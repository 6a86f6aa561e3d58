"""The inbox screen: stories come in as text, by address and by the bookmarklet; nothing enters an issue by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from newsletter.app.desk import open_desk
from newsletter.app.inbox import send_to_inbox

ISSUE = "2026-11-27"
PAGE = """<!doctype html><html lang="en"><head><title>Otters at the weir</title>
<meta property="og:title" content="Otters return to the weir"></head><body><article><h1>Otters return to the weir</h1>
<p>Four young otters were seen on Tuesday below the weir, and again on Wednesday, by the keeper and by bakers.</p>
<p>Nobody had seen one there since the mill was closed, in the summer of the drought.</p></article></body></html>"""


@pytest.fixture
def site(web: Callable[..., str]) -> str:
    """A web server with one story."""
    kind = "text/html; charset=utf-8"
    return web(lambda path: (200, kind, PAGE) if path == "/otters" else (404, kind, "<p>gone</p>"))


def slugs(served: Any, query: str = "") -> list[str]:
    found: list[str] = served.inbox(query)
    return found


def test_a_pasted_text_comes_in_once(served: Any) -> None:
    before = (served.issue / "issue.md").read_bytes()
    form = "story=" + quote("# The tide clock is right again\n\nIt was wrong for nine years.")
    first = served.deed("/inbox", form)
    assert first.status == 200 and "Now in the inbox: The tide clock is right again" in first.text
    assert "in the inbox already" in served.deed("/inbox", form).text
    assert len(slugs(served, "tide CLOCK")) == 1
    assert (served.issue / "issue.md").read_bytes() == before


def test_an_address_is_fetched_through_the_guard(served: Any, site: str) -> None:
    """A private address is refused unless the newsroom allows that host; what is not there says so."""
    refused = served.deed("/inbox", f"story={quote(site)}/otters")
    assert refused.status == 502 and 'role="alert"' in refused.text and slugs(served, "otters") == []
    served.allow_loopback()
    added = served.deed("/inbox", f"story={quote(site)}/otters&words={quote('Four young otters')}")
    assert added.status == 200 and "Otters return to the weir" in added.text
    (slug,) = slugs(served, "otters")
    missing = served.deed("/inbox", f"story={quote(site)}/nothing")
    assert missing.status == 502 and "404" in missing.text
    with open_desk(served.root) as desk:
        again = send_to_inbox(desk, f"{site}/otters", None, None)
        assert (again.slug, again.already) == (slug, True)
        assert again.article.link == f"{site}/otters" and again.article.teaser == "Four young otters"


def test_a_story_is_picked_into_an_issue_and_another_dismissed(served: Any) -> None:
    bakery, herons = sorted(slugs(served))[::-1]
    picked = served.deed(f"/inbox/{herons}/pick", f"issue={ISSUE}")
    assert picked.status == 200 and f'href="/issues/{ISSUE}"' in picked.text
    assert herons in (served.issue / "issue.md").read_text(encoding="utf-8")
    assert served.deed(f"/inbox/{herons}/pick", f"issue={ISSUE}").status == 422
    assert served.deed(f"/inbox/{bakery}/dismiss", "").status == 200
    assert slugs(served) == [herons]
    assert served.deed("/inbox/nobody/dismiss", "").status == 404
    assert served.deed(f"/inbox/{bakery}/pick", "issue=..%2Fx").status in (404, 422)


@pytest.mark.parametrize("story", ["", "   ", "%00", "x" * 9])
def test_what_is_no_story_is_said_with_a_way_out(served: Any, story: str) -> None:
    before = slugs(served)
    answer = served.deed("/inbox", f"story={story}")
    assert answer.status in (200, 400, 422)
    assert answer.status == 200 or ('role="alert"' in answer.text and slugs(served) == before)


def test_the_bookmarklets_page_does_nothing_by_itself_and_comes_through_the_strict_cookie(served: Any) -> None:
    """From another site the cookie does not come along; from a page of ours that goes on there it does."""
    before = slugs(served)
    address = f"/inbox/clip?url={quote('https://news.example/a?b=1&c=2', safe='')}&title={quote('<b>A & B</b>')}"
    first = served.get(address, Cookie=None, Sec_Fetch_Site="cross-site", Accept="text/html")
    assert first.status == 200 and 'http-equiv="refresh"' in first.text and "Estuary" not in first.text
    assert served.get(address, Cookie=None, Sec_Fetch_Site="same-origin", Accept="text/html").status == 403
    page = served.get(address, Sec_Fetch_Site="same-origin", Accept="text/html")
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in page.text and "https://news.example/a?b=1&amp;c=2" in page.text
    assert served.get("/inbox/clip?url=javascript:alert(1)", Accept="text/html").status == 400
    assert served.get("/inbox", Cookie=None, Sec_Fetch_Site="cross-site", Accept="text/html").status == 403
    assert slugs(served) == before


@pytest.mark.chromium
@pytest.mark.npm
def test_the_screen_in_chromium_and_the_bookmarklet_from_another_site(
    served: Any, screens: Callable[..., Any], axe: str, site: str
) -> None:
    """A press on the story's page, a press on ours, and the story waits in the inbox."""
    served.allow_loopback()
    screen = screens(served, viewport={"width": 360, "height": 800})
    screen.open("/inbox")
    expect(screen.page.locator(".waiting li")).to_have_count(2)
    screen.page.get_by_text("From any web page").click()
    assert screen.axe(axe) == []
    assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    code = screen.page.get_by_role("link", name="To the inbox").get_attribute("href")
    # Another site, not another port of ours: the cookie must not come along.
    screen.page.goto(f"{site.replace('127.0.0.1', 'localhost')}/otters")
    with screen.page.context.expect_page() as opened:
        screen.page.evaluate(code.removeprefix("javascript:"))
    clip = opened.value
    expect(clip.get_by_role("heading", name="Bring in this story?")).to_be_visible()
    assert "otters" not in " ".join(slugs(served))
    clip.evaluate(axe)
    assert clip.evaluate("axe.run(document)")["violations"] == []
    clip.get_by_role("button", name="Bring it in").click()
    # That name is not among the allowed hosts: the guard's answer is shown, and the address is kept for another try.
    expect(clip.get_by_role("alert")).to_be_visible()
    clip.get_by_label("Bring in a story").fill(f"{site}/otters")
    clip.get_by_role("button", name="Bring it in").click()
    expect(clip.get_by_role("status")).to_contain_text("Otters return to the weir")
    expect(clip.locator(".waiting li")).to_have_count(3)
