"""Adding sources: by a feed's address, a home page's, a CMS's, a list of feeds; and how the commands say it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from newsletter.app.desk import Desk
from newsletter.app.refreshing import refresh_sources
from newsletter.app.sources import Wanted, add_source, import_sources, list_sources
from newsletter.articles import inbox
from newsletter.articles.sources import shelf
from newsletter.articles.sources.discovery import offers_of
from newsletter.cli.boundary import guarded
from newsletter.cli.group import newsletter
from newsletter.errors import BadData, ConfigurationError, NeedsEditor, NotFound, RemoteError, UsageProblem
from tests.intake.conftest import Site, item, rss
from tests.net.net_servers import say

HOME = """<!doctype html><html><head><title>Pier</title>
<link rel="alternate" type="application/rss+xml" title="The Pier &amp;raquo; Comments" href="/comments/feed/">
<link rel="alternate" type="application/atom+xml; charset=utf-8" title="All news" href="feed.atom">
<link rel="alternate" type="application/feed+json" title="JSON" href="/feed.json">
<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/2">
<link rel="alternate" type="application/json+oembed" href="/wp-json/oembed/1.0/embed">
<link rel="alternate" hreflang="de" href="/de/"><link rel="stylesheet" type="text/css" href="x.css">
<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
{more}</head><body>Hello</body></html>"""


def test_a_page_offers_what_it_names_and_comments_last() -> None:
    """WordPress's interface first; what only calls itself an alternate is no source."""
    more = '<link rel="https://api.w.org/" href="https://pier.example/wp-json/">'
    found = offers_of(HOME.format(more=more), "https://pier.example/en/")
    assert [(o.kind, o.url, o.label, o.title, o.comments) for o in found] == [
        ("wordpress", "https://pier.example/wp-json/wp/v2/posts", "WordPress", "", False),
        ("feed", "https://pier.example/en/feed.atom", "Atom", "All news", False),
        ("feed", "https://pier.example/feed.json", "JSON Feed", "JSON", False),
        ("feed", "https://pier.example/comments/feed/", "RSS", "The Pier » Comments", True),
    ]
    assert offers_of("", "https://pier.example/") == []
    based = "<base href='https://other.example/x/'><link rel=alternate type=application/rss+xml href=f>"
    assert offers_of(based, "https://a.example/")[0].url == "https://other.example/x/f"


def test_of_several_sources_the_editor_takes_one(desk: Desk, site: Site) -> None:
    """They are listed with their numbers; none is taken silently."""
    site.routes |= {"/": HOME.format(more="").encode(), "/feed.atom": rss(item(1)), "/comments/feed/": rss(item(2))}
    with pytest.raises(NeedsEditor) as several:
        add_source(desk, site.url(), Wanted())
    assert "offers 3 sources" in several.value.what
    assert f"3  RSS  The Pier » Comments  {site.url('/comments/feed/')}  (readers' comments)" in several.value.what
    assert "--feed 1" in str(several.value.fix)
    assert list_sources(desk) == []
    with pytest.raises(NeedsEditor):
        add_source(desk, site.url(), Wanted(feed="9"))
    assert add_source(desk, site.url(), Wanted(feed="1")).source.url == site.url("/feed.atom")
    assert add_source(desk, site.url(), Wanted(feed=site.url("/feed.atom"))).already


def test_comments_are_never_taken_without_a_word(desk: Desk, site: Site) -> None:
    """Also where they are all that a page names."""
    site.routes["/"] = (
        b'<html><head><link rel="alternate" type="application/rss+xml" title="Kommentare" href="/c"></html>'
    )
    site.routes["/c"] = rss(item(1))
    with pytest.raises(NeedsEditor, match="readers' comments"):
        add_source(desk, site.url(), Wanted())
    assert add_source(desk, site.url(), Wanted(feed="1")).source.url == site.url("/c")


def test_a_page_that_names_one_feed_is_that_feed(desk: Desk, site: Site) -> None:
    """Without a scheme https is meant; the name comes from the title."""
    site.routes["/"] = b'<html><head><link rel="alternate" type="application/rss+xml" href="/f"></head></html>'
    site.routes["/f"] = rss(item(1))
    added = add_source(desk, site.url(), Wanted(section="Nearby"))
    assert (added.source.name, added.source.title, added.source.section) == ("the-pier", "The Pier", "Nearby")
    assert inbox.get(desk.store, "story-1").article.section == "Nearby"
    with pytest.raises(RemoteError, match=r"(?i)ssl|broke off|no connection"):
        add_source(desk, site.url().removeprefix("http://"), Wanted())


def test_the_usual_places_are_the_last_resort(desk: Desk, site: Site) -> None:
    site.routes |= {"/": b"<html><body>No feed here</body></html>", "/rss.xml": rss(item(1))}
    assert add_source(desk, site.url(), Wanted()).source.url == site.url("/rss.xml")
    site.routes.pop("/rss.xml")
    with pytest.raises(NotFound, match="names no feed, and none is at the usual places"):
        add_source(desk, site.url("/?other"), Wanted())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (404, "the server answered 404"),
        (b"plain words", "this is no feed"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><rss/>', "declares entities"),
        (b"<html><title>Log in</title></html>", "asks to sign in"),
    ],
)
def test_what_is_no_source_is_refused_with_a_word(desk: Desk, site: Site, body: Any, words: str) -> None:
    site.routes["/x"] = body
    with pytest.raises((RemoteError, BadData), match=words):
        add_source(desk, site.url("/x"), Wanted())
    assert list_sources(desk) == []


def wordpress(number: int) -> dict[str, Any]:
    return {
        "id": number, "date_gmt": f"2026-10-{1 + number % 28:02d}T08:00:00", "link": f"https://pier.example/{number}/",
        "guid": {"rendered": f"https://pier.example/?p={number}"}, "title": {"rendered": f"Wave {number}"},
        "content": {"rendered": f"<p>The whole text of wave {number}.</p>"}, "excerpt": {"rendered": ""},
    }  # fmt: skip


def test_wordpress_is_read_page_by_page_as_far_as_is_wanted(desk: Desk, site: Site) -> None:
    """Fifty at a time, with pictures and authors; the next refresh asks for the first page alone."""
    everything = [wordpress(n) for n in range(130, 0, -1)]

    def posts(handler: Any) -> None:
        asked = parse_qs(urlsplit(handler.path).query)
        page, size = int(asked["page"][0]), int(asked["per_page"][0])
        mine = everything[(page - 1) * size : page * size]
        body = mine or {"code": "rest_post_invalid_page_number", "message": "Too far."}
        say(handler, json.dumps(body).encode(), 200 if mine else 400)

    site.routes["/wp-json/wp/v2/posts"] = posts
    added = add_source(desk, site.url("/wp-json/"), Wanted(name="pier", first="70"))
    assert added.source.kind == "wordpress"
    assert added.refreshed is not None
    assert len(added.refreshed.added) == 70
    assert all("_embed=1" in path for path in site.asked)
    assert len(site.asked) == 2
    everything.insert(0, wordpress(131))
    assert refresh_sources(desk, ["pier"]).added == ["wave-131"]
    assert len(site.asked) == 3


def test_ghost_gets_its_key_from_the_environment_and_nobody_sees_it(
    desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database holds where the key is; no message holds the key."""
    post = {"uuid": "u1", "title": "Slow boat", "html": "<p>Nine hours.</p>", "url": "https://g.example/slow/"}

    def posts(handler: Any) -> None:
        key = parse_qs(urlsplit(handler.path).query).get("key", [""])[0]
        good = key == "k3y-of-glass"
        body = {"posts": [post]} if good else {"errors": [{"message": "Unknown key"}]}
        say(handler, json.dumps(body).encode(), 200 if good else 401)

    site.routes["/ghost/api/content/posts/"] = posts
    with pytest.raises(ConfigurationError, match="GHOST_KEY is not set"):
        add_source(desk, site.url(), Wanted(name="ghost", key="env=GHOST_KEY"))
    with pytest.raises(UsageProblem) as refused:
        add_source(desk, site.url(), Wanted(name="ghost", key="k3y-of-glass"))
    assert "glass" not in str(refused.value)
    monkeypatch.setenv("GHOST_KEY", "k3y-of-glass")
    added = add_source(desk, site.url(), Wanted(name="ghost", key="env=GHOST_KEY"))
    assert added.refreshed is not None and added.refreshed.added == ["slow-boat"]
    assert (added.source.url, added.source.key_ref) == (site.url("/ghost/api/content/posts/"), "env=GHOST_KEY")
    assert "include=tags,authors" in site.asked[-1] and "formats=html" in site.asked[-1]
    monkeypatch.setenv("GHOST_KEY", "wr0ng-glass")
    (settled,) = refresh_sources(desk, ["ghost"]).sources
    assert settled.reason == "401 Unauthorized"
    assert "glass" not in str(settled) + desk.workspace.database.read_bytes().decode("latin-1")


def test_a_page_made_by_ghost_says_what_is_missing(desk: Desk, site: Site) -> None:
    site.routes["/"] = b'<html><head><meta name="generator" content="Ghost 5.80"></head></html>'
    with pytest.raises(NeedsEditor, match="needs --key"):
        add_source(desk, site.url(), Wanted())
    with pytest.raises(UsageProblem, match="needs a key"):
        add_source(desk, site.url(), Wanted(feed="1"))


def test_a_news_sitemap_fetches_the_pages_that_it_lists(desk: Desk, site: Site) -> None:
    """An index leads to the newest of its sitemaps; what a sitemap says of a story stands before what the page says."""
    news = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    date, title = "<news:publication_date>2026-11-26</news:publication_date>", "<news:title>As listed</news:title>"
    said = f"<news:news>{date}{title}</news:news>"
    site.routes |= {
        "/sitemap.xml": f"<sitemapindex><sitemap><loc>{site.url('/news.xml')}</loc></sitemap></sitemapindex>".encode(),
        "/news.xml": f"<urlset {news}><url><loc>{site.url('/a')}</loc>{said}</url></urlset>".encode(),
        "/a": b"<html><body><article><h1>As on the page</h1><p>All of the words.</p></article></body></html>",
    }
    site.routes["/a"] = (200, site.routes["/a"], {"content_type": "text/html; charset=utf-8"})  # type: ignore[dict-item]
    added = add_source(desk, site.url("/sitemap.xml"), Wanted(name="map"))
    assert added.refreshed is not None and added.refreshed.added == ["as-listed"]
    article = inbox.get(desk.store, "as-listed").article
    assert (article.headline, article.published, article.body) == ("As listed", "2026-11-26", "All of the words.\n")
    site.routes["/news.xml"] = f"<urlset {news}><url><loc>{site.url('/b')}</loc></url></urlset>".encode()
    site.routes["/b"] = (
        200,
        b"<html><body><h1>Untitled there</h1><p>Words.</p></body></html>",
        {"content_type": "text/html"},
    )
    assert refresh_sources(desk, ["map"]).added == ["untitled-there"]


OPML = """<?xml version="1.0" encoding="UTF-8"?><opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Loose" type="rss" xmlUrl="https://a.example/feed"/>
<outline text="Harbours"><outline title="North &amp;amp; South" text="x" XMLURL="https://b.example/rss.xml"/>
<outline text="Deep"><outline text="Gulls" xmlUrl="feed://c.example/gulls"/></outline></outline>
<outline text="Again" xmlUrl="https://www.a.example/feed/"/><outline text="Nowhere" xmlUrl="javascript:alert(1)"/>
</body></opml>"""


def test_a_list_of_feeds_adds_all_of_them(desk: Desk, tmp_path: Path) -> None:
    """A folder's name is the section; nothing is asked for yet; a second time adds nothing."""
    file = tmp_path / "feeds.opml"
    file.write_text(OPML, encoding="utf-8")
    imported = import_sources(desk, file, Wanted())
    assert imported.added == ("loose", "north-south", "gulls")
    assert imported.already == 1
    assert imported.notes == ("1 of its addresses lead nowhere and were left out",)
    assert [(r.source.name, r.source.url, r.source.section, r.state) for r in list_sources(desk)] == [
        ("gulls", "http://c.example/gulls", "Deep", "not asked yet"),
        ("loose", "https://a.example/feed", None, "not asked yet"),
        ("north-south", "https://b.example/rss.xml", "Harbours", "not asked yet"),
    ]
    again = import_sources(desk, file, Wanted())
    assert (again.added, again.already) == ((), 4)
    for text, words in (("<opml><body/></opml>", "no feed is listed"), ("<rss/>", "no OPML"), ("hello", "no feed")):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(BadData, match=words):
            import_sources(desk, file, Wanted())
    with pytest.raises(NotFound):
        import_sources(desk, tmp_path / "none.opml", Wanted())


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(first="lots"), "no duration"),
        (Wanted(first="10000"), "at most 9999"),
        (Wanted(name="No Name"), "cannot be the slug"),
        (Wanted(key="file="), "says where the key is"),
    ],
)
def test_wishes_that_cannot_be_are_refused_before_anything_is_asked(desk: Desk, wanted: Wanted, words: str) -> None:
    with pytest.raises((BadData, UsageProblem, ConfigurationError), match=words):
        add_source(desk, "https://nowhere.example/", wanted)


def run(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = guarded(newsletter, ["-C", str(root), "source", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_commands_say_what_they_did(
    root: Path, site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    site.routes["/feed"] = rss(item(1), item(2))
    assert run(capsys, root, "list")[1].startswith("There is no source.")
    code, out, _ = run(capsys, root, "add", site.url("/feed"), "--name", "pier")
    assert (code, out.splitlines()[0], out.splitlines()[-1]) == (0, "pier  The Pier", "2 new stories from 1 source.")
    assert run(capsys, root, "add", site.url("/feed"))[1] == "pier  is a source already; nothing was added.\n"
    assert "pier  2 stories  fine; asked" in run(capsys, root, "list")[1]
    code, out, _ = run(capsys, root, "list", "--json")
    listed = json.loads(out)
    assert listed["schema"] == "newsletter/source-list/1"
    assert (listed["sources"][0]["name"], listed["sources"][0]["stories"]) == ("pier", 2)
    assert "address       http://127.0.0.1" in run(capsys, root, "show", "pier")[1]
    assert json.loads(run(capsys, root, "show", "pier", "--json")[1])["kind"] == "feed"
    file = tmp_path / "feeds.opml"
    file.write_text(OPML, encoding="utf-8")
    assert run(capsys, root, "add", str(file))[1].startswith("3 sources added, 1 there already.")
    assert json.loads(run(capsys, root, "add", str(file), "--json")[1])["already"] == 4
    assert run(capsys, root, "set", "pier")[0] == 2
    assert run(capsys, root, "set", "pier", "--name", "loose")[0] == 65
    said = run(capsys, root, "set", "pier", "--name", "quay", "--section", "Near", "--full")
    assert said == (0, "quay: changed.\n", "")
    shown = json.loads(run(capsys, root, "show", "quay", "--json")[1])
    assert (shown["section"], shown["full"], shown["stories"]) == ("Near", True, 2)
    run(capsys, root, "set", "quay", "--name", "pier", "--section", "", "--no-full")
    shown = json.loads(run(capsys, root, "show", "pier", "--json")[1])
    assert (shown["section"], shown["full"]) == (None, False)
    assert run(capsys, root, "remove", "pier")[1] == "pier: removed.\n"
    code, _, err = run(capsys, root, "remove", "loos")
    assert (code, 'did you mean "loose"?' in err) == (65, True)


def test_cron_hears_nothing_unless_an_editor_must(
    desk: Desk, root: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not of new stories, nor of one failure; of days of failure once. Who names a source hears all of it."""
    site.routes["/feed"] = rss(item(1))
    add_source(desk, site.url("/feed"), Wanted(name="pier"))
    source = shelf.get_source(desk.store, "pier")

    def due(**more: Any) -> None:
        with desk.store.write() as conn:
            shelf.set_source(conn, source, next_try_at=0, **more)

    due()
    site.routes["/feed"] = rss(item(1), item(2))
    assert run(capsys, root, "refresh") == (0, "", "")
    site.routes["/feed"] = 500
    due()
    assert run(capsys, root, "refresh") == (0, "", "")
    due(failing_since=1)
    code, out, err = run(capsys, root, "refresh")
    assert (code, out) == (0, "")
    assert err.startswith("source pier: failing for ")
    due()
    assert run(capsys, root, "refresh") == (0, "", "")
    code, out, _ = run(capsys, root, "refresh", "pier")
    assert (code, out.splitlines()) == (
        69,
        ["pier: 500 Internal Server Error", "0 new stories from 1 source; 1 failed."],
    )
    code, out, _ = run(capsys, root, "refresh", "pier", "--json")
    assert (code, json.loads(out)["sources"][0]["state"]) == (69, "failed")
    assert run(capsys, root, "refresh", "nobody")[0] == 65
