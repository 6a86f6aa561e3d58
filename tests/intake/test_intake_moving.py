"""A feed that moves for good is followed, and a story that was changed on its page alone is noticed where it can be."""

from __future__ import annotations

import html

import pytest

from newsletter.app.desk import Desk
from newsletter.app.refresh import refresh as refresh_stories
from newsletter.app.refreshing import refresh_sources
from newsletter.app.sources import Wanted, add_source, list_sources, show_source
from newsletter.articles import inbox
from newsletter.articles.sources import shelf
from newsletter.articles.sources.item import Item
from newsletter.articles.sources.settling import Settled
from newsletter.articles.sources.stories import fingerprint
from newsletter.articles.versions import changed
from newsletter.store.tables import source_item
from tests.intake.conftest import Site, item, rss


def refresh(desk: Desk, name: str = "the-pier") -> Settled:
    (settled,) = refresh_sources(desk, [name]).sources
    return settled


def address(desk: Desk, name: str = "the-pier") -> str:
    return shelf.get_source(desk.store, name).url


@pytest.fixture
def pier(desk: Desk, site: Site) -> Site:
    site.routes["/feed"] = rss(item(1))
    add_source(desk, site.url("/feed"), Wanted())
    return site


def to(status: int, location: str) -> tuple[int, bytes, dict[str, str]]:
    return status, b"", {"location": location}


@pytest.mark.parametrize("status", [301, 308])
def test_a_feed_that_moved_for_good_is_asked_at_its_new_address(desk: Desk, pier: Site, status: int) -> None:
    """RFC 9110, 15.4.2: and the source says so, until it fails; nothing comes in twice."""
    pier.routes |= {"/feed": to(status, "/new"), "/new": rss(item(1), item(2))}
    settled = refresh(desk)
    assert settled.added == ("story-2",)
    (note,) = [note for note in settled.notes if "moved" in note]
    assert note.startswith(f"it has moved for good, from {pier.url('/feed')} (")
    assert note.endswith("); its new address was taken over")
    assert address(desk) == pier.url("/new")
    (row,) = list_sources(desk)
    assert row.state.startswith("fine; asked ")
    assert row.state.endswith(note)
    asked = len(pier.asked)
    assert refresh(desk).notes == ()
    assert pier.asked[asked:] == ["/new"]
    assert list_sources(desk)[0].state.endswith(note)
    pier.routes["/new"] = 404
    refresh(desk)
    assert "404 Not Found" in list_sources(desk)[0].state
    pier.routes["/new"] = rss(item(1), item(2))
    refresh(desk)
    assert "moved" not in list_sources(desk)[0].state


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_feed_that_is_elsewhere_for_now_keeps_its_address(desk: Desk, pier: Site, status: int) -> None:
    pier.routes |= {"/feed": to(status, "/new"), "/new": rss(item(1), item(2))}
    settled = refresh(desk)
    assert settled.added == ("story-2",)
    assert not any("moved" in note for note in settled.notes)
    assert address(desk) == pier.url("/feed")


def test_of_a_way_of_several_steps_the_lasting_beginning_counts(desk: Desk, pier: Site) -> None:
    """What a temporary redirect leads to may be somewhere else tomorrow, whatever comes behind it."""
    pier.routes |= {
        "/feed": to(301, "/a"), "/a": to(308, "/b"), "/b": to(302, "/c"), "/c": to(301, "/d"), "/d": rss(item(1)),
    }  # fmt: skip
    refresh(desk)
    assert address(desk) == pier.url("/b")


@pytest.mark.parametrize(
    "there",
    [
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "/sign-in",  # no feed
        "/away",
    ],
)
def test_an_address_that_is_refused_or_no_feed_is_not_taken_over(desk: Desk, pier: Site, there: str) -> None:
    page = b"<html><body><form><input type=password></form><h1>Sign in</h1></body></html>"
    pier.routes |= {"/sign-in": (200, page, {"content_type": "text/html"}), "/away": 503, "/feed": to(301, there)}
    assert refresh(desk).state == "failed"
    assert address(desk) == pier.url("/feed")


def test_two_sources_do_not_become_one(desk: Desk, pier: Site) -> None:
    """The second address is a source already: the editor decides which of them stays, and is told once."""
    pier.routes["/other"] = rss(item(7))
    add_source(desk, pier.url("/other"), Wanted(name="other"))
    pier.routes["/feed"] = to(301, "/other")
    assert refresh(desk).notes == (f"it has moved to {pier.url('/other')}, where the source other is already",)
    assert refresh(desk).notes == ()
    assert address(desk) == pier.url("/feed")
    assert "where the source other is already" in show_source(desk, "the-pier").state


def test_a_move_is_learned_also_when_nothing_is_new(desk: Desk, pier: Site) -> None:
    """304, or the same bytes, at the new address."""
    pier.routes |= {"/new": rss(item(1)), "/feed": to(301, "/new")}
    assert refresh(desk).state == "same"
    assert address(desk) == pier.url("/new")


def test_a_feed_that_is_gone_says_so_and_rests(desk: Desk, pier: Site) -> None:
    """410 (RFC 9110, 15.5.11): it is not asked any more, until an editor asks."""
    pier.routes["/feed"] = 410
    settled = refresh(desk)
    assert (settled.state, settled.reason) == ("gone", "410: the server says that it is gone for good")
    assert list_sources(desk)[0].state.endswith("gone for good")
    asked = len(pier.asked)
    refresh_sources(desk)
    assert len(pier.asked) == asked


def atom(updated: str, summary: str = "Short words of it.") -> bytes:
    text = html.escape(summary)
    return f"""<feed xmlns="http://www.w3.org/2005/Atom"><title>The Pier</title><entry><id>urn:lamp</id>
        <title>The lamp is back</title><link href="/lamp"/><published>2026-11-18T08:00:00Z</published>
        <updated>{updated}</updated><summary>{text}</summary></entry></feed>""".encode()


def lamp(
    text: str, standfirst: str = "Two clerks, one ladder, and no complaints."
) -> tuple[int, bytes, dict[str, str]]:
    page = f"""<html lang="en"><head><title>The lamp is back</title><meta name="description" content="{standfirst}">
        </head><body><article><h1>The lamp is back</h1><p>The harbour office has a new lamp, and nobody has complained.
        </p><p>{text} It can be seen from the bar, and two clerks have been given hats for it.</p></article></body>
        </html>"""
    return 200, page.encode(), {"content_type": "text/html"}


@pytest.fixture
def full(desk: Desk, site: Site) -> Site:
    """A source of summaries with one story, read from its page."""
    site.routes |= {"/feed": atom("2026-11-18T08:00:00Z"), "/lamp": lamp("It hangs low.")}
    added = add_source(desk, site.url("/feed"), Wanted(full=True))
    assert added.refreshed is not None and added.refreshed.added == ["the-lamp-is-back"]
    assert "It hangs low." in inbox.get(desk.store, "the-lamp-is-back").article.body
    return site


def test_a_page_is_read_again_when_its_feed_gives_a_later_time(desk: Desk, full: Site) -> None:
    """The source's word is enough, and nothing else: no page is asked again just to see."""
    full.routes["/lamp"] = lamp("It hangs high.")
    full.routes["/feed"] = atom("2026-11-18T08:00:00Z", "Short  words of it.")  # the same, spaced otherwise
    asked = full.asked.count("/lamp")
    assert refresh(desk).changed == 0
    assert full.asked.count("/lamp") == asked
    full.routes["/feed"] = atom("2026-11-19T08:00:00Z")
    assert refresh(desk).changed == 1
    story = inbox.get(desk.store, "the-lamp-is-back").article
    assert "It hangs low." in story.body
    assert changed(desk.store, [story]) == {"the-lamp-is-back": ("body",)}


def test_a_later_time_without_another_word_is_no_change(desk: Desk, full: Site) -> None:
    """Many systems touch a page for every comment."""
    full.routes["/feed"] = atom("2026-11-19T08:00:00Z")
    assert refresh(desk).changed == 0
    assert show_source(desk, "the-pier").changed == 0
    assert changed(desk.store, [inbox.get(desk.store, "the-lamp-is-back").article]) == {}


def test_what_was_remembered_before_times_were_is_not_asked_again(desk: Desk, full: Site) -> None:
    """A workspace with thousands of stories does not ask for all their pages after an upgrade."""
    with desk.store.write() as conn:
        old = fingerprint(Item(title="The lamp is back", summary="Short words of it."))
        conn.execute(source_item.update().values(fingerprint=old))
    asked = full.asked.count("/lamp")
    full.routes["/feed"] = atom("2026-11-19T08:00:00Z", "Short words of  it.")
    assert refresh(desk).changed == 0
    assert full.asked.count("/lamp") == asked
    full.routes |= {"/feed": atom("2026-11-20T08:00:00Z"), "/lamp": lamp("It hangs high.")}
    assert refresh(desk).changed == 1


def test_article_refresh_looks_at_the_page_of_a_story_that_came_from_it(desk: Desk, full: Site) -> None:
    """Its feed has only a summary and cannot tell; headline and what else the feed says stay the feed's."""
    full.routes["/lamp"] = lamp("It hangs high.", "Two clerks, two ladders.")
    (story,) = refresh_stories(desk, ["the-lamp-is-back"]).stories
    assert {c.name: c.change for c in story.changes} == {"body": "changed", "standfirst": "changed"}
    assert "its feed gives only a summary" in story.source
    taken = refresh_stories(desk, ["the-lamp-is-back"], take=["all"]).stories[0].taken
    assert set(taken) == {"body", "standfirst"}
    article = inbox.get(desk.store, "the-lamp-is-back").article
    assert "It hangs high." in article.body
    assert article.standfirst == "Two clerks, two ladders."
    assert refresh_stories(desk, ["the-lamp-is-back"]).stories[0].changes == ()


def test_article_refresh_says_when_the_page_is_away(desk: Desk, full: Site) -> None:
    full.routes["/lamp"] = 404
    done = refresh_stories(desk, ["the-lamp-is-back"])
    assert done.stories == []
    assert "there is no such page" in str(done.problems[0][1])
