"""The inbox in full: looking, what becomes of stories, a proposed issue, what a source changed, the sources."""

from __future__ import annotations

import contextlib
import dataclasses
import html
import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import expect

from newsletter.app.approve import approve_issue
from newsletter.app.articles import add_article
from newsletter.app.desk import open_desk
from newsletter.app.inbox import InboxQuery, list_inbox
from newsletter.app.issues import pick_articles
from newsletter.articles import inbox, versions
from newsletter.articles.sources import shelf
from newsletter.articles.story import Story
from newsletter.errors import Busy
from newsletter.workspace.create import init_workspace
from newsletter.workspace.files import file_lock

from .conftest import until

ISSUE = "2026-11-27"
HERONS, BAKERY = "herons-nest-on-the-gasworks", "the-bakery-opens-at-four"
AT = f"/issues/{ISSUE}/stories/{HERONS}"


def page(served: Any, query: str = "") -> str:
    return str(served.get(f"/inbox{query}", Accept="text/html").text)


def listed(text: str) -> list[str]:
    return re.findall(r'<li id="s-([^"]+)"', text)


def add(served: Any, text: str) -> str:
    with open_desk(served.root) as desk:
        return add_article(desk, None, text.encode()).slug


def act(served: Any, path: str, query: str = "", **form: str) -> Any:
    return served.deed(f"/inbox/{path}{query}", urlencode(form))


def states(served: Any) -> dict[str, str]:
    every = InboxQuery(states=("new", "later", "dismissed"))
    with open_desk(served.root) as desk:
        return {row.slug: row.state for row in list_inbox(desk, every).rows}


def change_at_source(served: Any, **fields: str) -> None:
    """The source of the story about herons says something else now."""
    with open_desk(served.root) as desk:
        article = inbox.get(desk.store, HERONS).article
        assert versions.record(desk.store, HERONS, Story(dataclasses.replace(article, **fields)))  # type: ignore[arg-type]


# ---- looking ---------------------------------------------------------------------------------------------------------


def test_filters_stand_in_the_address_and_narrow_what_is_listed(served: Any) -> None:
    slug = add(served, "---\nheadline: The tide clock\ncategory: Harbour\n---\nIt was wrong for nine years.\n")
    with open_desk(served.root) as desk:
        row = list_inbox(desk, InboxQuery(search="tide clock")).rows[0]
        pick_articles(desk, ISSUE, [HERONS])
    assert set(listed(page(served))) == {HERONS, BAKERY, slug}
    assert listed(page(served, "?q=tide")) == [slug]
    assert set(listed(page(served, "?used=no"))) == {BAKERY, slug}
    used = page(served, "?used=yes&since=7d")
    assert listed(used) == [HERONS] and f'used in <a href="/issues/{ISSUE}">issue 48</a>' in used
    assert listed(page(served, "?from=2999-01-01")) == [] and "No story is like this" in page(served, "?q=zebra")
    if row.section:
        assert listed(page(served, f"?section={quote(row.section)}")) == [slug]
    for query in ("?source=nowhere", "?section=nothing", "?from=yesterday"):
        answer = served.get(f"/inbox{query}", Accept="text/html")
        assert answer.status in (404, 422) and 'role="alert"' in answer.text, query
        assert "New <span" in answer.text, "the counts are true all the same"


def test_a_hundred_are_listed_at_once_and_the_older_ones_keep_the_filter(served: Any) -> None:
    with open_desk(served.root) as desk:
        for number in range(101):
            add_article(desk, None, f"# Tide number {number}\n\nWords of tide {number}.".encode())
    first = page(served, "?q=tide")
    assert len(listed(first)) == 100
    (older,) = re.findall(r'href="(/inbox\?[^"]*after=[^"]*)"', first)
    rest = served.get(html.unescape(older), Accept="text/html").text
    assert "q=tide" in older and len(listed(rest)) == 1 and not set(listed(rest)) & set(listed(first))
    assert listed(page(served, "?after=-5")) == listed(page(served, "?after=x"))


def test_each_view_has_its_stories_and_their_number(served: Any) -> None:
    assert act(served, f"{HERONS}/later").status == 200 and act(served, f"{BAKERY}/dismiss").status == 200
    for view, slug in (("new", None), ("later", HERONS), ("dismissed", BAKERY)):
        text = page(served, f"?view={view}")
        assert listed(text) == ([slug] if slug else [])
        assert re.findall(r'class="count">(\d+)</span></a>', text) == ["0", "1", "1"]
    assert listed(page(served, "?view=nonsense")) == []
    with open_desk(served.root) as desk:
        assert list_inbox(desk).counts == {"new": 0, "later": 1, "dismissed": 1}


# ---- what becomes of stories -----------------------------------------------------------------------------------------


def test_several_are_moved_at_once_all_or_none_and_one_button_takes_it_back(served: Any) -> None:
    both = {f"s.{HERONS}": "on", f"s.{BAKERY}": "on"}
    moved = act(served, "several", "?view=new&used=no", do="dismiss", **both)
    assert set(states(served).values()) == {"dismissed"} and "2 stories: dismissed" in moved.text
    assert 'action="/inbox/several?view=new&amp;used=no"' in moved.text, "what was looked for stays"
    assert moved.text.count('type="hidden" name="s.') == 2 and 'value="back">Take it back' in moved.text
    assert act(served, "several", do="back", **both).status == 200
    assert set(states(served).values()) == {"new"}
    assert act(served, "several", do="later", **both, **{"s.nobody": "on"}).status == 404
    assert set(states(served).values()) == {"new"}
    for form in ({"do": "later"}, {"do": "burn", **both}, both):
        answer = act(served, "several", **form)
        assert answer.status == 400 and 'role="alert"' in answer.text
    assert set(states(served).values()) == {"new"}


def test_several_are_picked_into_an_issue_in_one_step(served: Any) -> None:
    picked = act(served, "several", do="pick", issue=ISSUE, **{f"s.{HERONS}": "on", f"s.{BAKERY}": "on"})
    assert picked.status == 200
    text = (served.issue / "issue.md").read_text(encoding="utf-8")
    assert HERONS in text and BAKERY in text
    assert "“Herons nest on the gasworks”: " in picked.text and f'<p dir="auto">{HERONS}' not in picked.text


def test_one_story_is_told_by_its_headline(served: Any) -> None:
    """An editor knows a story by what it says, not by the name of a file."""
    assert "“Herons nest on the gasworks”: dismissed;" in act(served, f"{HERONS}/dismiss").text
    act(served, "several", do="back", **{f"s.{HERONS}": "on"})
    assert "“Herons nest on the gasworks”: " in act(served, f"{HERONS}/pick", issue=ISSUE).text


def test_a_possible_duplicate_is_a_warning_and_blocks_nothing(served: Any) -> None:
    twin = add(served, "# Herons nest on the gasworks\n\nThe same headline on other words.")
    text = page(served)
    assert f"Perhaps twice: the same headline as {HERONS}, in the inbox" in text
    assert act(served, f"{HERONS}/pick", issue=ISSUE).status == 200
    assert f"the same headline as {HERONS}, used in issue 48" in page(served)
    assert act(served, f"{twin}/pick", issue=ISSUE).status == 200


# ---- a whole issue ---------------------------------------------------------------------------------------------------


def test_an_issue_is_proposed_from_the_inbox_and_an_empty_inbox_makes_none(served: Any) -> None:
    assert re.search(r'name="date" required value="20\d\d-\d\d-\d\d"', page(served))
    assert 'formaction="/inbox/draft"' in served.get("/", Accept="text/html").text
    made = act(served, "draft", date="2026-12-04", slug="", all="yes")
    assert (made.status, made.headers["location"]) == (303, "/issues/2026-12-04")
    assert HERONS in (served.root / "issues" / "2026-12-04" / "issue.md").read_text(encoding="utf-8")
    again = act(served, "draft", date="2026-12-04", all="yes")
    assert again.status == 422 and 'role="alert"' in again.text
    for slug in (HERONS, BAKERY):
        act(served, f"{slug}/dismiss")
    nothing = act(served, "draft", date="2026-12-11", all="yes")
    assert nothing.status == 404 and "no story in the inbox is for a new issue; nothing was made" in nothing.text
    assert not (served.root / "issues" / "2026-12-11").exists()


# ---- what a source changed -------------------------------------------------------------------------------------------


def test_a_change_at_the_source_is_shown_and_taken_over_field_by_field(served: Any) -> None:
    """The editor's own words stay unless they are given up by name; what was not seen is not taken."""
    with open_desk(served.root) as desk:
        inbox.set_field(desk.store, HERONS, {"headline": "Our herons"})
    assert "Changed at its source" not in page(served)
    change_at_source(served, headline="Herons leave the gasworks", teaser="Thirteen pairs.")
    assert "Changed at its source</a>: headline, teaser" in page(served)
    shown = served.get(f"/inbox/{HERONS}/story", Accept="text/html").text
    assert "changed at the source, and by you" in shown and re.search(r'name="f.headline" value="mine" checked', shown)
    assert re.search(r'name="f.teaser" value="theirs" checked', shown)
    (seen,) = re.findall(r'name="seen" value="(\w+)"', shown)
    assert act(served, f"{HERONS}/take", seen="0" * 64, **{"f.teaser": "theirs"}).status == 409
    taken = act(served, f"{HERONS}/take", seen=seen, **{"f.teaser": "theirs", "f.headline": "mine"})
    assert taken.status == 200 and "Taken over: Teaser." in taken.text and "Yours is kept: Headline." in taken.text
    with open_desk(served.root) as desk:
        article = inbox.get(desk.store, HERONS).article
    assert (article.headline, article.teaser) == ("Our herons", "Thirteen pairs.")
    assert "Changed at its source" not in page(served)


def test_what_was_declined_is_not_offered_again_before_the_source_says_something_else(served: Any) -> None:
    """Keeping one's own words is a decision: the mark goes from inbox and issue, and the next change shows."""
    change_at_source(served, teaser="Thirteen pairs.")
    (seen,) = re.findall(r'name="seen" value="(\w+)"', served.get(f"/inbox/{HERONS}/story", Accept="text/html").text)
    kept = act(served, f"{HERONS}/take", seen=seen, **{"f.teaser": "mine"})
    assert kept.status == 200 and "Yours is kept: Teaser." in kept.text and "you kept yours" in kept.text
    assert "Changed at its source" not in page(served)
    assert act(served, f"{HERONS}/pick", issue=ISSUE).status == 200
    assert served.state()["changed"] == {}
    change_at_source(served, teaser="Fourteen pairs.")
    assert served.state()["changed"] == {HERONS: ["teaser"]}


def test_in_an_issue_a_change_is_taken_as_one_change_of_the_file_unless_somebody_wrote_since(served: Any) -> None:
    assert act(served, f"{HERONS}/pick", issue=ISSUE).status == 200
    change_at_source(served, teaser="Thirteen pairs.")
    assert served.state()["changed"] == {HERONS: ["teaser"]}
    piece = served.get(f"{AT}/source", Accept="text/html").text
    (seen,) = re.findall(r'name="seen" value="(\w+)"', piece)
    sha256 = served.story(HERONS)["sha256"]
    before = (served.issue / f"{HERONS}.md").read_bytes()
    ask = {"expected": sha256, "seen": seen, "take": ["teaser"]}
    for wrong, status in (
        ({"expected": "0" * 64}, 409),
        ({"seen": "x"}, 409),
        ({"take": ["x"]}, 422),
    ):
        assert served.send("POST", f"{AT}/source", {**ask, **wrong}).status == status, wrong
    assert (served.issue / f"{HERONS}.md").read_bytes() == before
    (change,) = served.send("POST", f"{AT}/source", ask).json["files"]
    assert served.story(HERONS)["fields"]["teaser"] == "Thirteen pairs." and served.state()["changed"] == {}
    back = {"article": HERONS, "to": change["was"], "expected": change["now"]}
    assert served.send("POST", f"/issues/{ISSUE}/restore", back).status == 200
    assert (served.issue / f"{HERONS}.md").read_bytes() == before


def test_an_approved_issue_takes_nothing_over(served: Any) -> None:
    assert act(served, f"{HERONS}/pick", issue=ISSUE).status == 200
    change_at_source(served, teaser="Thirteen pairs.")
    with open_desk(served.root) as desk:
        approve_issue(desk, ISSUE, send_at=None)
    piece = served.get(f"{AT}/source", Accept="text/html").text
    assert "Thirteen pairs." in piece and "Take over" not in piece and "radio" not in piece
    ask = {"expected": served.story(HERONS)["sha256"], "seen": "x", "take": ["teaser"]}
    assert served.send("POST", f"{AT}/source", ask).status == 423


def test_what_is_saved_for_later_can_be_picked_and_what_is_dismissed_cannot(served: Any) -> None:
    assert act(served, f"{HERONS}/later").status == 200 and act(served, f"{BAKERY}/dismiss").status == 200
    assert served.inbox() == [HERONS] and "saved for later" in served.get("/inbox/picks").text


def test_a_story_without_a_source_has_no_button_to_ask_it_and_says_so_when_asked(served: Any) -> None:
    shown = served.get(f"/inbox/{HERONS}/story", Accept="text/html")
    assert shown.status == 200 and "At its source" not in shown.text and "/ask" not in shown.text
    asked = act(served, f"{HERONS}/ask")
    assert asked.status == 200 and "it is not known where the story came from" in asked.text
    assert served.get("/inbox/nobody/story", Accept="text/html").status == 404
    assert served.get(f"{AT}/source", Accept="text/html").status == 404


# ---- the sources -----------------------------------------------------------------------------------------------------

FEED = """<rss version="2.0"><channel><title>The Pier</title>
<item><title>The pier is painted</title><link>{url}/1</link><guid isPermaLink="false">p1</guid>
<description>Words about the pier, and who painted it.</description></item></channel></rss>"""
HOME = (
    '<html><head><link rel="alternate" type="application/rss+xml" title="{0}" href="/feed"></head><body>x</body></html>'
)
TWO = '<html><head><link rel="alternate" type="application/rss+xml" title="News" href="/feed">\
<link rel="alternate" type="application/rss+xml" title="Sport" href="/sport"></head><body>x</body></html>'


@pytest.fixture
def site(web: Callable[..., str]) -> Iterator[str]:
    """A newsroom's server: a feed, a home page that names it, one that names two, and nothing else."""
    release = threading.Event()

    def answer(path: str) -> tuple[int, str, str]:
        if path == "/slow":
            release.wait(20)
        body = {"/feed": FEED.format(url=address), "/": HOME.format("The Pier"), "/two": TWO}.get(path)
        return 200 if body else 404, "application/rss+xml" if path == "/feed" else "text/html", body or "gone"

    address = web(answer)
    yield address
    release.set()


def test_a_source_is_added_by_its_home_page_and_refreshed_and_how_it_fares_is_said(served: Any, site: str) -> None:
    refused = act(served, "sources/add", url=site)
    assert refused.status in (422, 502) and 'role="alert"' in refused.text
    served.allow_loopback()
    added = act(served, "sources/add", url=site, section="Harbour")
    assert added.status == 200, added.text
    assert "The Pier is a source now." in added.text and "1 new story" in added.text
    assert "last success:" in added.text and "fine; asked" in added.text and "1 story" in added.text
    assert "is a source already" in act(served, "sources/add", url=f"{site}/feed").text
    again = act(served, "sources/refresh")
    assert again.status == 200 and "0 new stories from 1 source." in again.text
    assert act(served, "sources/refresh", name="nobody").status == 404
    text = page(served, "?source=the-pier")
    assert len(listed(text)) == 1 and "The pier is painted" in text and '>Sources <span class="count">1<' in text


def test_a_page_that_offers_several_asks_which_and_a_source_that_is_away_says_why(served: Any, site: str) -> None:
    served.allow_loopback()
    several = act(served, "sources/add", url=f"{site}/two")
    assert several.status == 422 and "offers 2 sources" in several.text and 'name="feed"' in several.text
    assert "1 new story" in act(served, "sources/add", url=f"{site}/two", feed="1").text
    path = served.root / "newsletter.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('["127.0.0.1"]', "[]"), encoding="utf-8")
    failed = act(served, "sources/refresh", name="the-pier")
    assert failed.status == 200 and "1 failed" in failed.text and "next try" in failed.text
    assert "1 failing" in page(served)
    odd = act(served, "sources/add", url="<script>x</script>", section='"><img src=x>')
    assert 'role="alert"' in odd.text and "<script>x" not in odd.text and "<img" not in odd.text


def test_a_composer_that_is_stopped_does_not_wait_for_a_slow_source(
    root: Path, compose: Callable[[Path], Any], site: str
) -> None:
    """Ctrl-C in the middle of a refresh ends it at once, and what was stored stays."""
    with open_desk(root) as desk, desk.store.write() as conn:
        shelf.add_source(conn, name="slow", url=f"{site}/slow", kind="feed")
    with compose(root) as served:
        served.allow_loopback()
        served.signed_in()
        pressing = threading.Thread(target=_press, args=(served,))
        pressing.start()
        lock = root / ".newsletter" / "locks" / "sources.lock"
        until(lock.exists)
        time.sleep(0.5)
        with pytest.raises(Busy), file_lock(lock):
            pytest.fail("no refresh is at work")
    with file_lock(lock, timeout=5):
        pass
    pressing.join(20)


def _press(served: Any) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        act(served, "sources/refresh", name="slow")


# ---- in a browser ----------------------------------------------------------------------------------------------------


@pytest.mark.chromium
@pytest.mark.npm
def test_the_inbox_by_keyboard_and_without_a_script(served: Any, screens: Callable[..., Any], axe: str) -> None:
    """Tick, save for later, take it back; filter and come back: all of it with scripts switched off."""
    screen = screens(served, java_script_enabled=False)
    screen.open("/inbox")
    page = screen.page
    assert page.get_by_role("button", name="Save for later").is_hidden()
    page.get_by_label("Tick Herons").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save for later").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("saved for later")
    assert states(served)[HERONS] == "later"
    page.get_by_role("button", name="Take it back").press("Enter")
    assert states(served)[HERONS] == "new"
    page.get_by_role("button", name="Dismiss: The bakery").press("Enter")
    assert states(served)[BAKERY] == "dismissed" and page.url.endswith(f"#s-{HERONS}")
    page.get_by_role("searchbox").fill("herons")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=herons**")
    page.get_by_role("link", name="Dismissed").click()
    expect(page.locator(".waiting li")).to_contain_text("bakery")
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("herons")
    page.go_back()  # to where a button was pressed: nothing is posted again
    expect(page.get_by_role("status")).to_contain_text("dismissed")
    full = screens(served, viewport={"width": 360, "height": 800}, color_scheme="dark")
    full.open("/inbox?used=no")
    full.page.get_by_label("Tick Herons").check()
    full.page.get_by_text("Propose an issue").click()
    assert full.axe(axe) == [] and full.errors == []
    assert full.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.chromium
@pytest.mark.npm
def test_a_changed_story_in_the_composer_is_compared_taken_over_and_taken_back(
    served: Any, screens: Callable[..., Any], axe: str
) -> None:
    assert act(served, f"{HERONS}/pick", issue=ISSUE).status == 200
    served.edit(f"{HERONS}.md", "headline: Herons nest", "headline: Our herons nest")
    change_at_source(served, headline="Herons leave", teaser="<img src=x onerror=window.ran=1> Thirteen pairs.")
    file = served.issue / f"{HERONS}.md"
    screen = screens(served)
    screen.open(f"/issues/{ISSUE}")
    page = screen.page
    page.get_by_role("button", name="Changed at its source: headline, teaser").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Thirteen pairs.")).to_be_visible()
    assert screen.axe(axe, exclude="#mail") == []
    assert dialog.get_by_role("group", name="Headline").get_by_label("Keep yours").is_checked()
    dialog.get_by_role("button", name="Save these choices").click()
    expect(dialog).to_be_hidden()
    screen.until(lambda: "Thirteen pairs" in file.read_text(encoding="utf-8"))
    assert "Our herons nest" in file.read_text(encoding="utf-8")
    expect(page.get_by_role("button", name="Changed at its source")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    screen.until(lambda: "Thirteen pairs" not in file.read_text(encoding="utf-8"))
    assert page.evaluate("window.ran") is None
    # What another hand wrote since is not overwritten: the editor looks again.
    page.get_by_role("button", name="Changed at its source: headline, teaser").click()
    expect(dialog.get_by_text("Thirteen pairs.")).to_be_visible()
    page.route("**/news", lambda route: route.abort())
    served.edit(f"{HERONS}.md", "Our herons", "Your herons")
    dialog.get_by_role("button", name="Save these choices").click()
    expect(page.locator(f'[data-slug="{HERONS}"] .wrong')).to_contain_text("changed elsewhere")
    assert "Thirteen pairs" not in file.read_text(encoding="utf-8")
    # What is approved can still be compared, and nothing of it taken over.
    with open_desk(served.root) as opened:
        approve_issue(opened, ISSUE, send_at=None)
    page.reload()
    page.get_by_role("button", name="Changed at its source: headline, teaser").click()
    expect(dialog.get_by_text("Thirteen pairs.")).to_be_visible()
    assert dialog.get_by_role("radio").count() == 0 and dialog.get_by_text("Save these choices").count() == 0
    assert [error for error in screen.errors if "409" not in error and "ERR_FAILED" not in error] == []


@pytest.mark.chromium
@pytest.mark.npm
def test_the_empty_inbox_and_a_hostile_story_are_calm_pages(
    compose: Callable[..., Any], served: Any, screens: Callable[..., Any], axe: str, tmp_path: Any
) -> None:
    hostile = "</p><script>window.ran=1</script><img src=x onerror=window.ran=2> javascript:window.ran=3"
    slug = add(served, f"# Words {hostile}\n\nWords {hostile}\n")
    change_at_source(served, headline=f"A {hostile}", body=f"{hostile}\n")
    screen = screens(served)
    for path in ("/inbox", f"/inbox/{slug}/story", f"/inbox/{HERONS}/story"):
        screen.open(path)
        assert "window.ran=3" in screen.page.locator("main").inner_text(), path
        assert screen.page.evaluate("window.ran") is None and screen.axe(axe) == [], path
    assert screen.errors == []
    empty = init_workspace(tmp_path / "empty", name="The Lantern", sender=None, address=None)
    with compose(empty.root) as bare:
        screen = screens(bare)
        for path in ("/inbox", "/inbox?view=later", "/inbox/sources"):
            screen.open(path)
            assert screen.axe(axe) == [], path
        assert screen.errors == []
