"""What sources say now: asked on loopback, compared three ways, taken over on purpose; and pages sent to the inbox."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Column, Integer, MetaData, Table, Text

from newsletter.app.articles import add_article, set_article
from newsletter.app.check import check_issue
from newsletter.app.desk import Desk, open_desk
from newsletter.app.inbox import list_inbox, send_to_inbox, set_state
from newsletter.app.issues import new_issue, pick_articles, show_issue
from newsletter.app.refresh import Refreshed, refresh
from newsletter.app.refresh_text import as_text
from newsletter.articles import inbox, versions
from newsletter.articles.reading import read_story
from newsletter.articles.versions import record
from newsletter.errors import BadData, Conflict, FetchRefused, IllegalState, NotFound, RemoteError
from newsletter.issues.folder import load_issue
from newsletter.net.fetch import fetch
from newsletter.workspace.create import init_workspace
from newsletter.workspace.frontmatter import Document

PAGE = """<html><head><link rel="canonical" href="{url}"><meta property="og:image" content="{image}"></head>
<body><article><h1>{headline}</h1><p class="byline">By Ada Reyes</p><p>{body}</p><p>A second paragraph stays.</p>
</article></body></html>"""
ISSUE = "2026-11-27"


class Site:
    """A news site on loopback: pages by path, and how often each was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = ""

    def page(self, path: str, headline: str, body: str, image: str = "/p.jpg") -> str:
        url = f"{self.url}{path}"
        page = PAGE.format(url=url, headline=headline, body=body, image=f"{self.url}{image}")
        self.files[path] = page.encode()
        return url


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            body = served.files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    for number, name in enumerate(("/p.jpg", "/q.jpg")):
        out = BytesIO()
        Image.new("RGB", (64, 40), (200, 30 + number * 90, 60)).save(out, "JPEG")
        served.files[name] = out.getvalue()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    root = init_workspace(tmp_path / "ws", name="Pier", sender="a@pier.test", address="1 Mole").root
    config = root / "newsletter.toml"
    text = config.read_text()
    allow = 'allow_hosts = ["127.0.0.1"]\n'
    config.write_text(
        text.replace("[images]\n", f"[images]\n{allow}", 1) if "[images]" in text else f"{text}\n[images]\n{allow}"
    )
    with open_desk(root) as opened:
        yield opened


@pytest.fixture
def picked(desk: Desk, site: Site) -> str:
    """A story of the site, in the inbox and in an issue."""
    slug = send_to_inbox(desk, site.page("/ferry", "The ferry is back", "It sails on Monday at seven.")).slug
    new_issue(desk, ISSUE)
    pick_articles(desk, ISSUE, [slug])
    return slug


def states(done: Refreshed) -> dict[str, str]:
    return {change.name: change.change for story in done.stories for change in story.changes}


def issue_file(desk: Desk, slug: str) -> Path:
    return desk.workspace.issue_dir(ISSUE) / f"{slug}.md"


def test_a_page_that_did_not_change_shows_nothing(desk: Desk, picked: str) -> None:
    """Also with the picture's file and the provenance that came with importing and picking."""
    for issue in (None, ISSUE):
        done = refresh(desk, [picked], issue=issue)
        assert states(done) == {}
        assert not done.different
        assert "as its source says" in "\n".join(as_text(done, colour=False))


def test_a_change_is_shown_word_by_word_and_taken_over(desk: Desk, site: Site, picked: str) -> None:
    """Looking changes no byte; --take all brings the issue's copy to what the source says; the inbox keeps its own."""
    site.page("/ferry", "The ferry is back", "It sails on Tuesday at seven.")
    before = issue_file(desk, picked).read_bytes()
    done = refresh(desk, issue=ISSUE)
    assert states(done) == {"body": "changed"}
    assert done.different
    text = "\n".join(as_text(done, colour=False))
    assert "It sails on [-Monday-]{+Tuesday+} at seven." in text
    assert "A second paragraph" not in text
    assert f"newsletter article refresh {picked} --issue {ISSUE} --take all" in text
    assert issue_file(desk, picked).read_bytes() == before
    taken = refresh(desk, [picked], issue=ISSUE, take=["all"])
    assert taken.stories[0].taken == ("body",)
    assert not taken.different
    assert "Tuesday at seven" in issue_file(desk, picked).read_text()
    assert states(refresh(desk, [picked], issue=ISSUE)) == {}
    assert "Monday at seven" in inbox.get(desk.store, picked).article.body
    assert states(refresh(desk, [picked])) == {"body": "changed"}
    refresh(desk, [picked], take=["body"])
    assert "Tuesday at seven" in inbox.get(desk.store, picked).article.body


def test_what_both_changed_is_taken_only_by_its_name(desk: Desk, site: Site, picked: str) -> None:
    """The editor's headline survives `all`, and goes when it is named."""
    file = issue_file(desk, picked)
    file.write_text(file.read_text().replace("The ferry is back", "Our ferry is back"))
    site.page("/ferry", "The ferry is late", "It sails on Tuesday at seven.")
    done = refresh(desk, [picked], issue=ISSUE, take=["all"])
    assert states(done) == {"headline": "conflict", "body": "changed"}
    assert done.different
    assert "headline: Our ferry is back" in file.read_text()
    assert "Tuesday" in file.read_text()
    text = "\n".join(as_text(refresh(desk, [picked], issue=ISSUE), colour=False))
    assert "The ferry is [-back-]{+late+}" in text
    assert "[-The-]{+Our+} ferry is back" in text
    assert "--take headline" in text
    assert "--take all" not in text
    refresh(desk, [picked], issue=ISSUE, take=["headline"])
    assert "headline: The ferry is late" in file.read_text()


def test_what_is_kept_is_settled_until_the_source_says_something_else(desk: Desk, site: Site, picked: str) -> None:
    """One field is taken, the other kept: nothing is open, the file says so, and the next change opens it again."""
    site.page("/ferry", "The ferry is late", "It sails on Tuesday at seven.")
    (story,) = refresh(desk, [picked], issue=ISSUE, take=["body"], keep=["all"]).stories
    assert (story.taken, story.kept, story.open) == (("body",), ("headline",), ())
    assert load_issue(desk.workspace, ISSUE).sections[0].articles[0].origin.kept.keys() == {"headline"}
    again = refresh(desk, [picked], issue=ISSUE)
    assert states(again) == {"headline": "kept"} and not again.different
    assert "you kept yours" in "\n".join(as_text(again, colour=False))
    assert show_issue(desk, ISSUE).as_row()["changed_at_source"] == {}
    assert show_issue(desk, ISSUE).state == "draft"
    site.page("/ferry", "The ferry is cancelled", "It sails on Tuesday at seven.")
    assert states(refresh(desk, [picked], issue=ISSUE)) == {"headline": "changed"}
    refresh(desk, [picked], issue=ISSUE, take=["headline"])
    assert not load_issue(desk.workspace, ISSUE).sections[0].articles[0].origin.kept
    assert "kept" not in issue_file(desk, picked).read_text()


def test_what_is_kept_for_one_story_is_offered_for_its_other_copy(desk: Desk, site: Site, picked: str) -> None:
    """The issue's copy has decided; the inbox's, for another issue, has not."""
    site.page("/ferry", "The ferry is late", "It sails on Monday at seven.")
    refresh(desk, [picked], issue=ISSUE, keep=["headline"])
    assert show_issue(desk, ISSUE).as_row()["changed_at_source"] == {}
    assert refresh(desk, [picked]).different


def test_what_only_the_editor_changed_is_no_change_of_the_source(desk: Desk, picked: str) -> None:
    set_article(desk, picked, {"kicker": "Transport", "headline": "Ours"})
    done = refresh(desk, [picked], take=["all"])
    assert states(done) == {"headline": "edited", "kicker": "edited"}
    assert not done.different
    assert done.stories[0].taken == ()
    assert inbox.get(desk.store, picked).article.headline == "Ours"


def test_another_picture_comes_along(desk: Desk, site: Site, picked: str) -> None:
    """Into the issue's images under a name of its own; for the inbox among the originals; a gone one stays away."""
    site.page("/ferry", "The ferry is back", "It sails on Monday at seven.", "/q.jpg")
    refresh(desk, [picked], issue=ISSUE, take=["image.url"])
    article = next(load_issue(desk.workspace, ISSUE).articles())
    assert article.image is not None
    assert article.image.file == f"{picked}-2.jpg"
    image = desk.workspace.issue_dir(ISSUE) / "images" / str(article.image.file)
    assert image.read_bytes() == site.files["/q.jpg"]
    refresh(desk, [picked], take=["all"])
    item = inbox.get(desk.store, picked)
    assert item.original is not None
    assert (desk.workspace.originals / item.original).read_bytes() == site.files["/q.jpg"]
    assert item.image_name == f"{picked}.jpg"
    site.page("/ferry", "The ferry is back", "It sails on Monday at seven.", "/gone.jpg")
    (story,) = refresh(desk, [picked], take=["all"]).stories
    assert story.notes == ("the picture stays where it is: the server answered 404",)
    item = inbox.get(desk.store, picked)
    assert item.original is None
    assert item.article.image is not None
    assert (item.article.image.file, item.article.image.url) == (None, f"{site.url}/gone.jpg")


def test_a_file_is_a_source_too(desk: Desk, tmp_path: Path) -> None:
    """A corrected export; a story without an address says how to name one."""
    file = tmp_path / "pier.txt"
    file.write_text("Pier opens\n\nIt opened on Monday, the council said.\n")
    slug = add_article(desk, file).slug
    done = refresh(desk, [slug])
    assert done.stories == []
    assert "--from FILE" in str(done.problems[0][1])
    file.write_text("Pier opens\n\nIt opened on Tuesday, the council said.\n")
    assert states(refresh(desk, [slug], file=file)) == {"body": "changed"}
    with pytest.raises(NotFound):
        refresh(desk, [slug], file=tmp_path / "nothing.txt")


def test_a_source_that_is_away_hides_no_other(desk: Desk, site: Site, picked: str) -> None:
    """Each problem by its story; the others are compared."""
    other = send_to_inbox(desk, site.page("/tide", "The tide tables", "They were right all along.")).slug
    pick_articles(desk, ISSUE, [other])
    del site.files["/ferry"]
    done = refresh(desk, issue=ISSUE)
    assert [story.slug for story in done.stories] == [other]
    ((slug, error),) = done.problems
    assert (slug, type(error)) == (picked, RemoteError)
    assert "404" in "\n".join(as_text(done, colour=False))


def test_the_wrong_names_are_refused_before_anything_is_asked(desk: Desk, site: Site, picked: str) -> None:
    """No story, unknown fields, names into several stories, an unknown slug with the nearest."""
    site.asked.clear()
    other = send_to_inbox(desk, site.page("/tide", "The tide tables", "They were right all along.")).slug
    site.asked.clear()
    for slugs, issue, take, words in (
        ([], None, [], "no story"),
        ([picked], None, ["headlin"], "did you mean"),
        ([picked, other], None, ["headline"], "one story"),
        ([picked + "x"], ISSUE, [], "did you mean"),
        ([picked + "x"], None, [], "did you mean"),
    ):
        with pytest.raises(BadData, match=words):
            refresh(desk, slugs, issue=issue, take=take)
        with pytest.raises(BadData, match=words):
            refresh(desk, slugs, issue=issue, keep=take)
    with pytest.raises(BadData, match="headline: taken and kept at once"):
        refresh(desk, [picked], take=["headline"], keep=["headline", "body"])
    assert site.asked == []


def test_an_approved_issue_takes_nothing_over(desk: Desk, site: Site, picked: str) -> None:
    """It can be looked at; --take is refused before the source is asked."""
    approved = desk.workspace.issue_dir(ISSUE) / "approved"
    approved.mkdir()
    (approved / "approval.json").write_text("{}")
    site.page("/ferry", "The ferry is late", "It sails on Monday at seven.")
    assert states(refresh(desk, issue=ISSUE)) == {"headline": "changed"}
    before = issue_file(desk, picked).read_bytes()
    with pytest.raises(IllegalState, match="approved"):
        refresh(desk, issue=ISSUE, take=["all"])
    assert issue_file(desk, picked).read_bytes() == before


def test_a_file_that_changes_meanwhile_is_not_overwritten(desk: Desk, site: Site, picked: str) -> None:
    """Somebody saves while the source answers: Conflict, and their words stay; in the inbox too."""
    site.page("/ferry", "The ferry is late", "It sails on Monday at seven.")
    file = issue_file(desk, picked)

    def slowly(*args: Any, **known: Any) -> Any:
        file.write_text(file.read_text().replace("It sails", "She sails"))
        return fetch(*args, **known)

    with pytest.raises(Conflict):
        refresh(desk, [picked], issue=ISSUE, take=["all"], fetch=slowly)
    assert "She sails" in file.read_text()
    assert "late" not in file.read_text()
    item = inbox.get(desk.store, picked)
    inbox.set_body(desk.store, picked, "Meanwhile.\n")
    with pytest.raises(Conflict):
        inbox.set_document(
            desk.store, picked, Document.parse(item.document, "x"), expected=item.document, original=None
        )
    assert inbox.get(desk.store, picked).article.body == "Meanwhile.\n"


def test_only_what_was_looked_at_is_taken_over(desk: Desk, site: Site, picked: str) -> None:
    """The source changes again between looking and taking, or the story does: Conflict, and nothing is written."""
    site.page("/ferry", "The ferry is late", "It sails on Monday at seven.")
    look = refresh(desk, [picked], issue=ISSUE).stories[0]
    row = look.as_row()
    (change,) = row["changes"]
    assert change["source_runs"] == [("same", "The ferry is "), ("old", "back"), ("new", "late")]
    assert change["your_runs"] == [("same", "The ferry is back")]
    before = issue_file(desk, picked).read_text()
    site.page("/ferry", "The ferry is gone", "It sails on Monday at seven.")
    with pytest.raises(Conflict, match="since you looked"):
        refresh(desk, [picked], issue=ISSUE, take=["all"], seen=row["seen"])
    site.page("/ferry", "The ferry is late", "It sails on Monday at seven.")
    issue_file(desk, picked).write_text(before.replace("sails", "steams"))
    with pytest.raises(Conflict, match="since you looked"):
        refresh(desk, [picked], issue=ISSUE, take=["all"], seen=row["seen"])
    issue_file(desk, picked).write_text(before)
    assert refresh(desk, [picked], issue=ISSUE, take=["all"], seen=row["seen"]).stories[0].taken == ("headline",)


def test_show_and_check_know_what_was_seen_and_ask_no_source(desk: Desk, site: Site, picked: str) -> None:
    """Only after the change was seen; gone again once it is taken over."""
    site.page("/ferry", "The ferry is late", "It sails on Monday at seven.")

    def found() -> list[str]:
        return [f.article or "" for f in check_issue(desk, ISSUE).report.findings if f.id == "story-changed-at-source"]

    assert found() == []
    refresh(desk, [picked])
    site.asked.clear()
    assert found() == [picked]
    shown = show_issue(desk, ISSUE)
    assert shown.as_row()["changed_at_source"] == {picked: ["headline"]}
    assert f"! {picked}: its source has changed headline" in shown.lines()
    assert site.asked == []
    refresh(desk, [picked], issue=ISSUE, take=["all"])
    assert found() == []
    assert show_issue(desk, ISSUE).as_row()["changed_at_source"] == {}


def test_a_story_of_a_feed_is_compared_with_what_its_feed_said(desk: Desk, site: Site) -> None:
    """Its page has other words than its feed: it is not asked."""
    text = "---\nheadline: {}\norigin: {{guid: tag-1, url: '{}'}}\n---\nFrom the feed.\n"
    url = site.page("/feed", "Another headline", "The whole page.")
    slug = add_article(desk, None, text.format("The feed's", url).encode()).slug
    assert states(refresh(desk, [slug])) == {}
    assert record(desk.store, slug, read_story(Path("a.md"), text.format("The feed's new", url).encode()))
    assert not record(desk.store, slug, read_story(Path("a.md"), text.format("The feed's new", url).encode()))
    assert not record(desk.store, "nothing", read_story(Path("a.md"), text.format("x", url).encode()))
    assert states(refresh(desk, [slug])) == {"headline": "changed"}
    assert site.asked == []


def test_what_a_feed_has_written_down_is_its_newest_word(
    desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest document of a source's item, where that was changed since the story came in."""
    items = Table(
        "feed_item",
        MetaData(),
        Column("article_id", Integer),
        Column("document_latest", Text),
        Column("changed_at", Integer),
    )
    monkeypatch.setattr(versions, "_ITEMS", items)
    text = "---\nheadline: {}\norigin: {{guid: tag-1, url: 'https://x.example/1'}}\n---\nFrom the feed.\n"
    slug = add_article(desk, None, text.format("The feed's").encode()).slug
    new_issue(desk, ISSUE)
    pick_articles(desk, ISSUE, [slug])
    with desk.store.write() as conn:
        items.create(conn)
        conn.execute(items.insert().values(article_id=1, document_latest=None, changed_at=None))
    assert show_issue(desk, ISSUE).changed == {}
    with desk.store.write() as conn:
        conn.execute(items.update().values(document_latest=text.format("The feed's new"), changed_at=5))
    assert show_issue(desk, ISSUE).changed == {slug: ("headline",)}
    assert states(refresh(desk, [slug], issue=ISSUE, take=["all"])) == {"headline": "changed"}
    assert show_issue(desk, ISSUE).changed == {}
    assert site.asked == []


def test_a_story_that_never_was_in_the_inbox_has_no_known_import(desk: Desk, site: Site, picked: str) -> None:
    """Written by hand into the issue, or of a lost database: any difference may be the editor's."""
    url = site.page("/tide", "The tide tables", "They were right all along.")
    file = desk.workspace.issue_dir(ISSUE) / "tide.md"
    file.write_text(f"---\nheadline: Tide tables\norigin: {{url: '{url}'}}\n---\nThey were right all along.\n")
    issue = desk.workspace.issue_dir(ISSUE) / "issue.md"
    issue.write_text(issue.read_text().replace(f"[{picked}]", f"[{picked}, tide]"))
    done = refresh(desk, ["tide"], issue=ISSUE, take=["all"])
    assert states(done)["headline"] == "conflict"
    assert done.stories[0].taken == ()
    assert "is not known" in "\n".join(as_text(done, colour=False))
    assert "headline: Tide tables" in file.read_text()


# -- pages that are sent to the inbox


def test_a_page_is_sent_to_the_inbox_once(desk: Desk, site: Site) -> None:
    """Its story with picture and link; a second time it is not even fetched; a dismissed one comes back."""
    url = site.page("/ferry", "The ferry is back", "It sails on Monday at seven.")
    sent = send_to_inbox(desk, url, title="The ferry | Harbour News", selection="It sails  on Monday")
    assert (sent.slug, sent.already) == ("the-ferry-is-back", False)
    article = inbox.get(desk.store, sent.slug).article
    assert (article.link, article.origin.url) == (url, url)
    assert (article.headline, article.teaser) == ("The ferry is back", "It sails on Monday")
    assert article.provenance["teaser"].source == "selection"
    (row,) = list_inbox(desk).rows
    assert (row.source, row.picture is not None) == (url.split("/")[2], True)
    site.asked.clear()
    again = send_to_inbox(desk, f"{url}/?utm_source=letter#top")
    assert (again.slug, again.already, again.notes) == (sent.slug, True, [])
    set_state(desk, [sent.slug], "dismissed")
    back = send_to_inbox(desk, url)
    assert (back.already, back.notes) == (True, ["it had been dismissed; it is back in the inbox"])
    assert list_inbox(desk).counts == {"new": 1, "later": 0, "dismissed": 0}
    assert site.asked == []


def test_a_title_helps_only_where_the_headline_was_a_guess(desk: Desk, site: Site) -> None:
    """Text without a heading; merge fields in what comes from outside are words, not fields."""
    site.files["/plain"] = b"<p>It sails on Monday at seven, the harbour office said in a long sentence.</p>"
    sent = send_to_inbox(
        desk, f"{site.url}/plain", title=" The  ferry {{ x }} ", selection="{{ subscriber.city }} " * 60
    )
    article = inbox.get(desk.store, sent.slug).article
    assert article.headline == "The ferry \\{{ x \\}}"
    assert not article.provenance["headline"].confirmed
    assert article.teaser is not None
    assert article.teaser.startswith("\\{{ subscriber.city \\}} \\{{")
    assert article.teaser.endswith("…")


@pytest.mark.parametrize(
    ("path", "data", "error", "words"),
    [
        ("/gone", None, RemoteError, "404"),
        ("/empty", b"", BadData, "empty"),
        ("/pdf", b"%PDF-1.7 x", BadData, "a PDF"),
        ("/none", b"<html><body></body></html>", BadData, "no text|empty|headline"),
    ],
)
def test_a_page_that_holds_no_story_adds_nothing(
    desk: Desk, site: Site, path: str, data: bytes | None, error: type[Exception], words: str
) -> None:
    """A clear error with the address, and an inbox as before."""
    if data is not None:
        site.files[path] = data
    with pytest.raises(error, match=words) as caught:
        send_to_inbox(desk, site.url + path, title="A title")
    assert "127.0.0.1" in str(caught.value)
    assert list_inbox(desk).rows == ()


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x", "file:///etc/passwd", "javascript:alert(1)", "", "nonsense", "http://[::1]:9/"]
)
def test_addresses_that_lead_elsewhere_are_refused(desk: Desk, url: str) -> None:
    """The guarded fetch decides: no private network, no other scheme."""
    with pytest.raises((FetchRefused, RemoteError, BadData)):
        send_to_inbox(desk, url)
    assert list_inbox(desk).rows == ()
