"""The inbox: nothing comes in twice, pictures come along, fields are set with care."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from newsletter.articles import inbox
from newsletter.articles.inbox import Added, add_story, content_key, set_body, set_field, set_state, url_key
from newsletter.articles.listing import Filters, page
from newsletter.articles.reading import read_story
from newsletter.errors import BadData, NotFound
from newsletter.models import Article, Provenance
from newsletter.store.engine import Store
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.frontmatter import Document
from newsletter.workspace.paths import Workspace

from .conftest import EXPORT, picture, read


def listed(store: Store, *states: inbox.State) -> list[str]:
    """The slugs of the stories in these states, newest first; without any, of those that are new."""
    return [line.slug for line in page(store, Filters(states=states or ("new",))).lines]


@pytest.fixture
def add(store: Store, ws: Workspace, config: Callable[..., Any]) -> Callable[..., Added]:
    """Add a text without fetching anything."""

    def go(text: str, name: str = "story.txt", folder: Path = Path("/nowhere"), **images: Any) -> Added:
        return add_story(store, ws, config(**{"fetch": False, **images}), read(text, name, folder))

    return go


@pytest.fixture
def pictures() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A picture server on loopback: its address and what it serves by path."""
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", files
    server.shutdown()
    server.server_close()


def test_a_story_comes_in_as_the_file_that_it_would_become(store: Store, add: Any) -> None:
    added = add(EXPORT)
    assert (added.slug, added.already) == ("the-towns-ferries-are-back", False)
    item = inbox.get(store, added.slug)
    assert item.article == added.article
    assert (item.slug, item.state, item.original, item.image_name) == (added.slug, "new", None, None)
    assert item.added == item.added_at.date().isoformat()
    document = Document.parse(item.document, "x.md")
    assert list(document.data) == ["headline", "agency", "image", "origin", "provenance"]
    assert document.body == item.article.body
    assert item.article.origin.imported is not None
    assert item.article.origin.imported.endswith("Z")
    assert item.article.provenance["agency"] == Provenance("line of its own")


def test_unknown_front_matter_is_kept(store: Store, add: Any) -> None:
    slug = add("---\nheadline: Pier opens\ndesk: harbour\nnumbers: [1, 2]\n---\nIt opened.\n", "a.md").slug
    data = Document.parse(inbox.get(store, slug).document, "x.md").data
    assert (data["desk"], data["numbers"]) == ("harbour", ["1", "2"])


def test_the_same_story_twice_adds_nothing_and_names_its_slug(store: Store, add: Any) -> None:
    """However it is wrapped: blanks, kinds of quotes in the headline, text or Markdown."""
    first = add("Pier’s open\n\nIt *opened*  today.")
    for again in ("Pier's open\n\nIt *opened* today.\n", "PIER'S OPEN\n\nIt *opened* today."):
        added = add(again)
        assert (added.slug, added.already) == (first.slug, True)
        assert added.article.headline == first.article.headline
    assert add("# Pier's open\n\nIt \\*opened\\* today.\n", "a.md").already
    assert len(listed(store)) == 1


def test_another_text_under_the_same_headline_is_noted_and_gets_its_own_slug(store: Store, add: Any) -> None:
    slugs = [add(f"Pier opens\n\nIt opened, part {n}.").slug for n in range(3)]
    assert slugs == ["pier-opens", "pier-opens-2", "pier-opens-3"]
    added = add("Pier opens!\n\nAnother one.")
    assert added.slug == "pier-opens-4"
    places = ", ".join(f"{slug} (in the inbox)" for slug in slugs)
    assert added.notes == [f"another story has the same headline: {places}"]
    assert len(listed(store)) == 4


def test_the_same_link_is_noted(add: Any) -> None:
    page = '<link rel="canonical" href="{}"><h1>{}</h1><p>It opened.</p>'
    add(page.format("https://www.g.example/pier/?utm_source=x#top", "Pier opens"), "a.html")
    added = add(page.format("http://G.example/pier", "Harbour news"), "a.html")
    assert added.notes == ["another story has the same link: pier-opens (in the inbox)"]


@pytest.mark.parametrize(
    ("link", "key"),
    [
        (None, None),
        ("", None),
        ("https://www.X.org/a/?b=2&a=1&utm_medium=m&fbclid=f#x", "x.org/a?a=1&b=2"),
        ("http://x.org", "x.org"),
        ("http://[x", "http://[x"),
    ],
)
def test_links_are_compared_without_tracking(link: str | None, key: str | None) -> None:
    assert url_key(link) == key


def test_the_content_key_is_of_the_words() -> None:
    one = Article("a", "Pier opens", "It **opened** today.\n")
    assert content_key(one) == content_key(Article("b", "pier opens.", "It opened\n\ntoday."))
    assert content_key(one) != content_key(Article("a", "Pier opens", "It opened yesterday.\n"))


def test_a_dismissed_story_comes_back_when_it_is_added_again(store: Store, add: Any) -> None:
    slug = add("Pier opens\n\nIt opened.").slug
    set_state(store, [slug], "dismissed")
    assert listed(store) == []
    (found,) = listed(store, "new", "dismissed")
    item = inbox.get(store, found)
    assert (item.slug, item.state) == (slug, "dismissed")
    added = add("Pier opens\n\nIt opened.")
    assert added.already
    assert added.notes == [f"it had been dismissed; it is back in the inbox, as {slug}"]
    assert listed(store) == [slug]


def test_the_newest_story_is_listed_first(store: Store, add: Any) -> None:
    for name in ("One", "Two", "Three"):
        add(f"{name}\n\nIt opened, {name}.")
    assert listed(store) == ["three", "two", "one"]


def test_the_picture_is_fetched_and_named_by_what_it_is(
    store: Store, ws: Workspace, add: Any, pictures: tuple[str, dict[str, bytes]]
) -> None:
    """Its real format counts, not the ending of its address."""
    base, files = pictures
    files["/p.jpg?a=1&b=0%2C5"] = picture(kind="PNG")
    added = add(
        f"Pier opens\n\nIt opened.\n\n![A pier]({base}/p.jpg?a=1&b=0%2C5)", fetch=True, allow_hosts=["127.0.0.1"]
    )
    assert added.notes == []
    item = inbox.get(store, added.slug)
    assert item.image_name == "pier-opens.png"
    assert item.original == sha256_hex(files["/p.jpg?a=1&b=0%2C5"])
    assert (ws.originals / item.original).is_file()
    assert item.article.image is not None
    assert item.article.image.url == f"{base}/p.jpg?a=1&b=0%2C5"
    assert item.article.image.alt == "A pier"


def test_a_picture_that_cannot_be_had_stays_where_it_is_and_one_note_says_why(
    add: Any, pictures: tuple[str, dict[str, bytes]]
) -> None:
    base, files = pictures
    files["/page"] = b"<html>"
    text = "{}\n\nIt opened, {}.\n\n![A pier]({})"
    cases = [
        (f"{base}/gone.jpg", {"allow_hosts": ["127.0.0.1"]}, "the server answered 404"),
        (f"{base}/page", {"allow_hosts": ["127.0.0.1"]}, "this is a web page"),
        ("http://127.0.0.1/p.jpg", {}, "private or reserved network"),
        ("http://nowhere.invalid/p.jpg", {}, "does not resolve"),
        (f"{base}/p.jpg", {"fetch": False}, "fetch is off"),
    ]
    for number, (url, images, words) in enumerate(cases):
        added = add(text.format(f"Pier {number} opens", number, url), **{"fetch": True, **images})
        (note,) = added.notes
        assert note.startswith("the picture stays where it is: ")
        assert words in note
        assert "\n" not in note
        assert added.article.image is not None
        assert (added.article.image.url, added.article.image.file) == (url, None)


def test_a_picture_beside_the_story_is_kept_also_without_fetching(
    store: Store, ws: Workspace, add: Any, tmp_path: Path
) -> None:
    (tmp_path / "p.png").write_bytes(picture(kind="PNG"))
    added = add("# Pier opens\n\n![A pier](p.png)\n\nIt opened.", "a.md", tmp_path)
    item = inbox.get(store, added.slug)
    assert item.image_name == "pier-opens.png"
    assert (ws.originals / str(item.original)).read_bytes() == picture_bytes(tmp_path)
    assert item.article.image is not None
    assert (item.article.image.url, item.article.image.alt) == (None, "A pier")


def picture_bytes(folder: Path) -> bytes:
    return (folder / "p.png").read_bytes()


def test_a_broken_picture_beside_the_story_is_left_out_with_a_note(add: Any, tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"no picture")
    added = add("# Pier opens\n\n![A pier](p.png)\n\nIt opened.", "a.md", tmp_path)
    assert added.notes[0].startswith("the picture was left out: this is text, not a picture")
    assert added.article.image is None
    assert "image" not in added.article.provenance


def test_a_picture_file_that_is_too_large_or_gone_is_left_out(
    store: Store, ws: Workspace, config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.png").write_bytes(picture(kind="PNG"))
    for number, size in enumerate((10, 10**9)):
        text = f"# Pier opens\n\n![A](p.png)\n\nIt opened {number}.".encode()
        story = read_story(tmp_path / "a.md", text)
        monkeypatch.setattr(inbox, "MAX_PICTURE", size)
        if size > 10:
            (tmp_path / "p.png").unlink()
        added = add_story(store, ws, config(), story)
        assert added.notes[0].startswith("the picture was left out: ")
        assert added.article.image is None


def test_two_processes_adding_the_same_story_add_it_once(store: Store, ws: Workspace, config: Any) -> None:
    """While one fetches the picture the other is quicker; the slower one finds the story there."""
    story = read(EXPORT)
    inner: list[Added] = []

    def fetch(*_: object, **__: object) -> Any:
        inner.append(add_story(store, ws, config(fetch=False), story))
        raise BadData("no picture")

    outer = add_story(store, ws, config(), story, fetch=fetch)
    assert not inner[0].already
    assert (outer.already, outer.slug) == (True, inner[0].slug)
    assert len(listed(store)) == 1


def test_setting_fields_changes_the_document_and_what_is_compared(store: Store, add: Any) -> None:
    slug = add(EXPORT).slug
    item = set_field(
        store, slug, {"headline": "Ferries: back again", "image.alt": "The new pier", "link": "https://x.org/f"}
    )
    assert item.slug == slug
    again = inbox.get(store, slug)
    assert again == item
    assert again.article.headline == "Ferries: back again"
    assert again.article.image is not None
    assert again.article.image.alt == "The new pier"
    assert again.article.provenance["headline"] == Provenance("editor")
    assert again.article.body == read(EXPORT).article.body
    assert add(EXPORT).already, "what came in is still known by what it was"
    assert add("Ferries: back again\n\nOther.").notes == [f"another story has the same headline: {slug} (in the inbox)"]


def test_a_wrong_value_among_several_changes_nothing(store: Store, add: Any) -> None:
    slug = add(EXPORT).slug
    before = inbox.get(store, slug)
    with pytest.raises(BadData, match="no date"):
        set_field(store, slug, {"kicker": "Harbour", "published": "soon"})
    assert inbox.get(store, slug) == before


def test_another_picture_address_forgets_the_kept_picture(store: Store, add: Any, tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(picture(kind="PNG"))
    slug = add("# Pier opens\n\n![A pier](p.png)\n\nIt opened.", "a.md", tmp_path).slug
    item = set_field(store, slug, {"image.url": "https://x.org/other.jpg"})
    assert (item.original, item.image_name) == (None, None)
    assert item.article.image is not None
    assert item.article.image.url == "https://x.org/other.jpg"


def test_the_body_can_be_set_and_the_source_is_still_known(store: Store, add: Any) -> None:
    """As when an editor takes the offered fix of a drop cap."""
    added = add(EXPORT)
    body = added.article.body.replace("HARBOUR ferries", "Harbour ferries")
    before = Document.parse(inbox.get(store, added.slug).document, "x.md").data
    item = set_body(store, added.slug, body)
    assert item.article.body == body
    assert Document.parse(item.document, "x.md").data == before
    assert add(EXPORT).already
    for wrong, words in (("  \n", "no text"), ("x" * 300_000, "larger than 256 KB")):
        with pytest.raises(BadData, match=words):
            set_body(store, added.slug, wrong)
    assert inbox.get(store, added.slug).article.body == body


def test_an_unknown_slug_says_which_was_meant(store: Store, add: Any) -> None:
    slug = add("Pier opens\n\nIt opened.").slug
    for act in (inbox.get, lambda s, n: set_state(s, [n], "later"), lambda s, n: set_field(s, n, {"kicker": "x"})):
        with pytest.raises(NotFound, match=f'did you mean "{slug}"'):
            act(store, "pier-open")
    with pytest.raises(NotFound, match="article list"):
        inbox.get(store, "zzz")
