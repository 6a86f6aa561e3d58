"""Refreshing: nothing comes in twice, what changed is remembered, a source that fails holds up no other."""

from __future__ import annotations

import dataclasses
import email.utils
import gzip
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from newsletter.app.desk import Desk
from newsletter.app.failing import failing_sources
from newsletter.app.inbox import list_inbox
from newsletter.app.refreshing import refresh_sources
from newsletter.app.sources import Wanted, add_source, list_sources, remove_source, show_source
from newsletter.articles import inbox
from newsletter.articles.sources import looking, settling, shelf
from newsletter.articles.sources.item import Feed, Item
from newsletter.articles.sources.settling import Settled
from newsletter.errors import FetchGaveUp, FetchRefused, Interrupted, NotFound
from newsletter.models import Picture
from newsletter.net.fetch import Policy
from newsletter.net.polite import Gate
from newsletter.store.clock import from_us, now_us
from newsletter.store.tables import source_item
from newsletter.workspace.files import file_lock
from tests.articles.conftest import picture
from tests.intake.conftest import Site, item, rss
from tests.net.net_servers import say


def stories(desk: Desk) -> list[str]:
    return [row.headline for row in list_inbox(desk).rows]


def refresh(desk: Desk, name: str = "the-pier") -> Settled:
    (settled,) = refresh_sources(desk, [name]).sources
    return settled


@pytest.fixture
def pier(desk: Desk, site: Site) -> Site:
    """A source with two stories, both in the inbox."""
    site.routes["/feed"] = rss(item(1), item(2))
    before = stories(desk)
    added = add_source(desk, site.url("/feed"), Wanted())
    assert added.refreshed is not None
    assert added.refreshed.added == ["story-2", "story-1"]
    assert stories(desk)[: -len(before) or None] == ["Story 2", "Story 1"]
    return site


def test_the_same_item_again_adds_nothing(desk: Desk, pier: Site) -> None:
    """By its guid with another address and other words, or by its address with another guid."""
    before = stories(desk)
    pier.routes["/feed"] = rss(
        item(1, "Other words.").replace("/s/1", "/moved/1"), item(2, "More words.").replace(">g2<", ">new-guid<")
    )
    settled = refresh(desk)
    assert (settled.added, settled.changed) == ((), 2)
    assert stories(desk) == before


def test_a_new_item_comes_in_once(desk: Desk, pier: Site) -> None:
    pier.routes["/feed"] = rss(item(3), item(1), item(2))
    assert refresh(desk).added == ("story-3",)
    pier.routes["/feed"] = rss(item(3), item(1), item(2), head="<ttl>5</ttl>")
    assert refresh(desk).added == ()


def test_a_dismissed_story_does_not_come_back(desk: Desk, pier: Site) -> None:
    """Neither at its own source nor by another one that has the same words."""
    inbox.set_state(desk.store, ["story-1"], "dismissed")
    pier.routes["/feed"] = rss(item(1, "Changed."), item(2))
    refresh(desk)
    pier.routes["/copy"] = rss(item(1))
    copy = add_source(desk, pier.url("/copy"), Wanted(name="copy"))
    assert copy.refreshed is not None
    assert (copy.refreshed.sources[0].added, copy.refreshed.sources[0].known) == ((), 1)
    assert inbox.get(desk.store, "story-1").state == "dismissed"


def test_a_look_alike_of_another_source_comes_in_with_a_note(desk: Desk, pier: Site) -> None:
    pier.routes["/other"] = rss(item(1, "Quite another text."))
    other = add_source(desk, pier.url("/other"), Wanted(name="other"))
    assert other.refreshed is not None
    (settled,) = other.refreshed.sources
    assert settled.added == ("story-1-2",)
    assert "story-1-2: another story has the same headline: story-1 (in the inbox)" in settled.notes


def test_what_the_source_changed_is_remembered_and_the_story_stays(desk: Desk, pier: Site) -> None:
    """The inbox keeps what came in; the newest version waits beside it for an editor to look at."""
    pier.routes["/feed"] = rss(item(1, "The words were corrected."), item(2))
    assert refresh(desk).changed == 1
    assert "Words of story 1." in inbox.get(desk.store, "story-1").document
    with desk.store.read() as conn:
        rows = {row.guid: row for row in conn.execute(select(source_item))}
    assert "The words were corrected." in rows["g1"].document_latest
    assert rows["g1"].changed_at is not None
    assert rows["g2"].document_latest is None
    assert show_source(desk, "the-pier").changed == 1
    pier.routes["/feed"] = rss(item(1, "The <b>words</b>  were corrected."), item(2), head="<ttl>9</ttl>")
    assert refresh(desk).changed == 0  # markup and blanks are no change


def test_the_first_refresh_takes_the_newest(desk: Desk, site: Site) -> None:
    """By date, whatever their order; the others are remembered and never come in."""
    site.routes["/feed"] = rss(*(item(n) for n in range(1, 11)))
    added = add_source(desk, site.url("/feed"), Wanted(first="3"))
    assert added.refreshed is not None
    assert added.refreshed.added == ["story-10", "story-9", "story-8"]
    assert any("7 older stories were left out" in note for note in added.refreshed.sources[0].notes)
    site.routes["/feed"] = rss(*(item(n) for n in range(1, 12)))
    assert refresh(desk).added == ("story-11",)


def test_a_span_of_time_is_another_way_to_say_how_much(desk: Desk, site: Site) -> None:
    old = item(1).replace("Nov 2026", "Nov 2020")
    site.routes["/feed"] = rss(item(2).replace("Nov 2026", "Nov 2019"), old, "<item><title>Undated</title></item>")
    added = add_source(desk, site.url("/feed"), Wanted(first="7d"))
    assert added.refreshed is not None
    assert added.refreshed.added == ["undated"]


def test_nothing_is_asked_for_twice_when_nothing_changed(desk: Desk, site: Site) -> None:
    """The validators of the last answer are given back, and 304 is all there is to say."""

    def answer(handler: Any) -> None:
        same = handler.headers.get("If-None-Match") == '"v1"'
        say(
            handler,
            b"" if same else rss(item(1)),
            304 if same else 200,
            etag='"v1"',
            last_modified="Thu, 26 Nov 2026 08:00:00 GMT",
        )

    site.routes["/feed"] = answer
    add_source(desk, site.url("/feed"), Wanted())
    assert refresh(desk).state == "same"
    headers = site.headers("/feed")
    assert headers["If-None-Match"] == '"v1"'
    assert headers["If-Modified-Since"] == "Thu, 26 Nov 2026 08:00:00 GMT"
    assert show_source(desk, "the-pier").state.startswith("fine; asked ")


def test_who_asks_says_who_he_is(desk: Desk, pier: Site) -> None:
    """Whoever runs the other server can write to the newsroom."""
    agent = pier.headers("/feed")["User-Agent"]
    contact = desk.config.site.url or f"mailto:{desk.config.sender.email}"
    assert agent.startswith("newsletter/") and f"(+{contact})" in agent


def test_an_excerpt_is_completed_from_its_page_where_the_source_is_full(desk: Desk, site: Site) -> None:
    page = (
        b"<html lang=en><head><title>Story 1</title></head><body><article><h1>Story 1</h1><p>Words of story 1.</p><p>"
        + (b"And all the rest of it, as the page has it. " * 5)
        + b'</p><p>The <a href="/more">timetable</a> says on which days they leave.</p></article></body></html>'
    )
    wall = b"<html><body><h1>Story 3</h1><p>Sign in.</p></body></html>"
    site.routes |= {
        "/feed": rss(item(1), item(2), item(3)),
        "/s/1": (200, page, {"content_type": "text/html"}),
        "/s/3": (200, wall, {"content_type": "text/html"}),
    }
    added = add_source(desk, site.url("/feed"), Wanted(full=True))
    assert added.refreshed is not None
    whole = inbox.get(desk.store, "story-1").article
    assert "And all the rest of it" in whole.body
    assert f"]({site.url('/more')})" in whole.body
    assert whole.link == site.url("/s/1")
    assert inbox.get(desk.store, "story-3").article.body == "Words of story 3.\n"  # a page that says less is a wall
    short = inbox.get(desk.store, "story-2").article
    assert short.body == "Words of story 2.\n"
    assert not short.provenance["body"].confirmed
    notes = added.refreshed.sources[0].notes
    assert "story-2: the source gives only a summary of it" in notes
    assert any("story-2: its page could not be had: 404 Not Found" in note for note in notes)


def test_a_page_that_is_away_for_now_is_waited_for(desk: Desk, site: Site) -> None:
    """A fresh story whose page answers 503 comes in whole at the next refresh; an old one does not wait."""
    fresh = now_us() // 1_000_000 - 600
    date = email.utils.formatdate(fresh, usegmt=True)
    new = f"<item><title>Fresh</title><link>/fresh</link><pubDate>{date}</pubDate>"
    new += "<description>Short.</description></item>"
    site.routes |= {"/feed": rss(new, item(1).replace("Nov 2026", "Nov 2025")), "/fresh": 503, "/s/1": 503}
    added = add_source(desk, site.url("/feed"), Wanted(full=True))
    assert added.refreshed is not None and added.refreshed.added == ["story-1"]
    page = b"<html><body><article><h1>Fresh</h1><p>Short.</p><p>And the rest of it.</p></article></body></html>"
    site.routes["/fresh"] = (200, page, {"content_type": "text/html"})
    assert refresh(desk).added == ("fresh",)
    assert "And the rest of it." in inbox.get(desk.store, "fresh").article.body


def test_the_picture_comes_along(desk: Desk, site: Site) -> None:
    site.routes |= {
        "/feed": rss(item(1, more='<enclosure url="/p.jpg" type="image/jpeg"/>')),
        "/p.jpg": picture(),
    }
    add_source(desk, site.url("/feed"), Wanted())
    found = inbox.get(desk.store, "story-1")
    assert found.image_name == "story-1.jpg"
    assert found.original is not None


def test_a_source_that_fails_is_a_state_in_words(desk: Desk, pier: Site) -> None:
    """And it is asked again ever more rarely; what came in before stays."""
    pier.routes["/feed"] = 404
    settled = refresh(desk)
    assert (settled.state, settled.reason) == ("failed", "404 Not Found")
    (row,) = list_sources(desk)
    assert row.state.startswith("404 Not Found since ")
    assert "; next try " in row.state
    first = row.source.next_try_at - now_us()
    for _ in range(4):
        refresh(desk)
    (row,) = list_sources(desk)
    assert row.source.failures == 5
    assert row.source.next_try_at - now_us() > 4 * first
    pier.routes["/feed"] = rss(item(1), item(2), item(3))
    assert refresh(desk).added == ("story-3",)
    (row,) = list_sources(desk)
    assert (row.source.failures, row.source.reason, row.source.failing_since) == (0, None, None)


def test_gone_is_switched_off(desk: Desk, pier: Site) -> None:
    pier.routes["/feed"] = 410
    assert refresh(desk).state == "gone"
    (row,) = list_sources(desk)
    assert row.state.startswith("switched off since ")
    report = refresh_sources(desk)
    assert (report.sources, report.not_due) == ([], 0)


def test_a_source_asks_for_patience(desk: Desk, pier: Site) -> None:
    """429 with Retry-After is a failure that names its own end."""
    pier.routes["/feed"] = (429, b"", {"retry_after": "7200"})
    refresh(desk)
    (row,) = list_sources(desk)
    assert row.source.next_try_at - now_us() >= 7_190 * 1_000_000


def test_what_is_not_due_is_not_asked(desk: Desk, pier: Site) -> None:
    asked = len(pier.asked)
    report = refresh_sources(desk)
    assert (report.sources, report.not_due, len(pier.asked)) == ([], 1, asked)
    with desk.store.write() as conn:
        shelf.set_source(conn, shelf.get_source(desk.store, "the-pier"), next_try_at=now_us() - 1)
    assert [one.name for one in refresh_sources(desk).sources] == ["the-pier"]


def test_a_source_that_was_asked_by_a_clock_in_the_future_is_asked_again(desk: Desk, pier: Site) -> None:
    """A clock that was a year ahead for a minute does not leave a source alone for a year."""
    year = 365 * 86_400 * 1_000_000
    with desk.store.write() as conn:
        source = shelf.get_source(desk.store, "the-pier")
        shelf.set_source(conn, source, checked_at=now_us() + year, next_try_at=now_us() + year)
    assert [one.name for one in refresh_sources(desk).sources] == ["the-pier"]
    assert refresh_sources(desk).not_due == 1


def test_one_bad_source_holds_up_no_other(desk: Desk, pier: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bombs, drips, refusals and floods each get a word of their own; the good one comes in."""
    monkeypatch.setattr(looking, "EACH", 0.5)

    def drip(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"<")
            time.sleep(0.02)

    laughs = b'<!DOCTYPE x [<!ENTITY a "b">]><rss version="2.0"><channel>&a;</channel></rss>'
    bad = {
        "laughs": (laughs, "it declares entities of its own"),
        "bomb": ((200, gzip.compress(b" " * 40_000_000), {"content_encoding": "gzip"}), "larger than 10,240 KB"),
        "flood": (b"<rss>" + b" " * 20_000_000, "larger than 10,240 KB"),
        "deep": (b"<rss><channel>" + b"<item>" * 10_000, "more than 256 deep"),
        "drip": (drip, "no complete answer within 0.5 s"),
        "inside": ((302, b"", {"location": "http://169.254.169.254/latest"}), "private or reserved network"),
        "brotli": ((200, b"x", {"content_encoding": "br"}), "content encoding 'br'"),
        "file": ((302, b"", {"location": "file:///etc/passwd"}), "file: addresses are not fetched"),
        "login": (b"<html><title>Sign in</title><input type=password></html>", "a page that asks to sign in"),
        "empty": (b"", "the answer is empty"),
        "broken": (500, "500 Internal Server Error"),
    }
    with desk.store.write() as conn:
        for name, (route, _) in bad.items():
            pier.routes[f"/{name}"] = route  # type: ignore[assignment]
            shelf.add_source(conn, name=name, url=pier.url(f"/{name}"), kind="feed")
    pier.routes["/feed"] = rss(item(3))
    report = refresh_sources(desk, [*bad, "the-pier"])
    found = {one.name: one for one in report.sources}
    assert found["the-pier"].added == ("story-3",)
    for name, (_, words) in bad.items():
        assert found[name].state == "failed"
        assert words in str(found[name].reason), name


def test_a_name_that_leads_inside_is_refused(desk: Desk) -> None:
    with desk.store.write() as conn:
        shelf.add_source(conn, name="inside", url="http://127.1/feed", kind="feed")
        shelf.add_source(conn, name="port", url="https://example.org:22/feed", kind="feed")
    found = {one.name: str(one.reason) for one in refresh_sources(desk).sources}
    assert "private or reserved network" in found["inside"]
    assert "port 22 is not fetched from" in found["port"]


def test_a_strangers_feed_leads_nowhere_inside(desk: Desk, pier: Site) -> None:
    """Only a source that is itself named in allow_hosts may name pages and pictures of such hosts."""
    own = shelf.get_source(desk.store, "the-pier")
    stranger = dataclasses.replace(own, url="https://stranger.example/feed")
    assert "127.0.0.1" in looking._for_source(desk.config, own).images.allow_hosts
    look = looking.Look(
        stranger, shelf.Memory(()), ws=desk.workspace, config=desk.config, gate=Gate(deadline=5), now=from_us(now_us())
    )
    asked = len(pier.asked)
    inside = Item(title="Inside", url=pier.url("/s/1"), summary="Short.", picture=Picture(url=pier.url("/p.jpg")))
    with pytest.raises(FetchRefused):
        look._gate.fetch(pier.url("/s/1"), look._policy)
    look._take(Feed("RSS", items=(inside,)))
    (new,) = look._found.new
    assert new.ready is not None and new.ready.original is None
    assert len(pier.asked) == asked


def test_two_refreshes_do_not_meet(desk: Desk, pier: Site) -> None:
    """The second one does nothing, and that is no failure."""
    asked = len(pier.asked)
    with file_lock(desk.workspace.locks / "sources.lock"):
        assert refresh_sources(desk, ["the-pier"]).busy
    assert len(pier.asked) == asked


def test_what_time_leaves_over_follows_at_the_next(desk: Desk, pier: Site) -> None:
    """A refresh that has no time asks nothing and changes no state."""
    before = shelf.get_source(desk.store, "the-pier")
    report = refresh_sources(desk, ["the-pier"], deadline=0)
    assert [one.state for one in report.sources] == ["late"]
    assert shelf.get_source(desk.store, "the-pier") == before


def test_pages_beyond_the_limit_follow_at_the_next(desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed that did not change meanwhile is read again for what is still to come."""
    monkeypatch.setattr(looking, "PAGES", 2)
    site.routes["/feed"] = (200, rss(*(item(n) for n in range(1, 5))), {"etag": '"same"'})
    added = add_source(desk, site.url("/feed"), Wanted(full=True))
    assert added.refreshed is not None
    assert len(added.refreshed.added) == 2
    assert "2 more stories follow at the next refresh" in added.refreshed.sources[0].notes
    assert len(refresh(desk).added) == 2
    assert refresh(desk).state == "same"


def test_a_fault_while_storing_leaves_nothing_half(desk: Desk, pier: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stories and the state of a source are one transaction."""
    before, state = stories(desk), shelf.get_source(desk.store, "the-pier")
    pier.routes["/feed"] = rss(item(3), item(4))
    monkeypatch.setattr(settling, "_changed", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        refresh(desk)
    assert (stories(desk), shelf.get_source(desk.store, "the-pier")) == (before, state)
    monkeypatch.undo()
    assert refresh(desk).added == ("story-4", "story-3")


def test_a_refresh_that_is_told_to_stop_stops(desk: Desk, pier: Site) -> None:
    """SIGTERM: nothing half, and the next one goes on."""
    pier.routes["/feed"] = rss(item(3))
    before = shelf.get_source(desk.store, "the-pier")
    with pytest.raises(Interrupted):
        refresh_sources(desk, ["the-pier"], stop=lambda: True)
    assert shelf.get_source(desk.store, "the-pier") == before
    assert refresh(desk).added == ("story-3",)


def test_what_many_stories_have_in_common_is_said_once(desk: Desk, site: Site) -> None:
    site.routes["/feed"] = rss(*(item(n) for n in range(1, 6)))
    added = add_source(desk, site.url("/feed"), Wanted())
    assert added.refreshed is not None
    assert added.refreshed.sources[0].notes == ("5 stories: the source gives only a summary of it",)


def test_a_source_that_is_removed_leaves_its_stories(desk: Desk, pier: Site) -> None:
    remove_source(desk, "the-pier")
    assert {"Story 1", "Story 2"} <= set(stories(desk))
    with pytest.raises(NotFound):
        show_source(desk, "the-pier")


def test_days_of_failure_are_told_once(desk: Desk, pier: Site) -> None:
    """A hiccup is no news; after three days an editor hears of it, and then again only after it was well."""
    pier.routes["/feed"] = 503
    assert refresh_sources(desk, ["the-pier"]).alerts == []
    long_ago = now_us() - int(timedelta(days=4).total_seconds() * 1_000_000)
    with desk.store.write() as conn:
        shelf.set_source(conn, shelf.get_source(desk.store, "the-pier"), failing_since=long_ago)
    assert refresh_sources(desk, ["the-pier"]).alerts == [
        "source the-pier: failing for 4 days: 503 Service Unavailable"
    ]
    assert refresh_sources(desk, ["the-pier"]).alerts == []
    (cause,) = failing_sources(desk)
    assert (cause.kind, cause.sentence) == ("source", "source the-pier: failing for 4 days: 503 Service Unavailable")
    pier.routes["/feed"] = rss(item(1))
    refresh(desk)
    assert failing_sources(desk) == []


def test_a_host_gets_two_requests_at_a_time_and_a_pause(site: Site) -> None:
    """Whoever asks, and however many: all go through one gate."""

    def slow(handler: Any) -> None:
        time.sleep(0.1)
        say(handler, b"x")

    site.routes["/"] = slow
    gate, policy = Gate(deadline=20, pause=0), Policy(allow_hosts=("127.0.0.1", "localhost"))
    threads = [threading.Thread(target=gate.fetch, args=(site.url(), policy)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (site.server.busiest, len(site.asked)) == (2, 6)
    hurried = Gate(deadline=5, pause=60)
    hurried.fetch(site.url(), policy)
    with pytest.raises(FetchGaveUp, match="no time was left"):
        hurried.fetch(site.url(), policy)
    assert hurried.fetch(site.url(host="localhost"), policy).ok


def test_several_hosts_are_asked_at_once(desk: Desk, new_site: Callable[[], Site]) -> None:
    """A slow host holds up no other: the answers of two overlap."""
    meeting = threading.Barrier(2, timeout=10)

    def meet(handler: Any) -> None:
        meeting.wait()
        say(handler, rss(item(1)))

    one, two = new_site(), new_site()
    one.routes["/feed"] = two.routes["/feed"] = meet
    with desk.store.write() as conn:
        shelf.add_source(conn, name="one", url=one.url("/feed"), kind="feed")
        shelf.add_source(conn, name="two", url=two.url("/feed", host="localhost"), kind="feed")
    assert {settled.state for settled in refresh_sources(desk).sources} == {"ok"}
