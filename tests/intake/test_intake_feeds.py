"""Every feed of the corpus is read as it was last looked at: what it says, and the story that each item becomes.

``--regenerate`` writes the expected files anew: read the difference before it is committed.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.articles.inbox import document_of
from newsletter.articles.sources.item import Feed, Item
from newsletter.articles.sources.reading import read_feed
from newsletter.articles.sources.shelf import identities
from newsletter.articles.sources.stories import is_excerpt, story_of
from newsletter.errors import BadData

FEEDS = Path(__file__).parent / "feeds"
EXPECTED = Path(__file__).parent / "feeds_expected"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
KINDS = {
    "wordpress-rest": "wordpress",
    "wordpress-error": "wordpress",
    "ghost-content": "ghost",
    "ghost-error": "ghost",
}


def read(path: Path) -> Feed:
    return read_feed(
        path.read_bytes(),
        url=f"https://www.example.org/feeds/{path.name}",
        content_type="text/html" if path.suffix == ".html" else "application/xml",
        now=NOW,
        kind=KINDS.get(path.stem, "feed"),
    )


def filled(value: Any) -> Any:
    """What is not empty, as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {f.name: filled(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {k: v for k, v in found.items() if v not in (None, "", (), [], {}, 0)}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [filled(v) for v in value]
    return value


def told(feed: Feed, item: Item) -> dict[str, Any]:
    try:
        story = story_of(item, source="saltford", kind=feed.kind, lang=feed.lang, section=None, full=None)
    except BadData as wrong:
        return {"item": filled(item), "left out": wrong.what}
    return {
        "item": filled(item),
        "excerpt": is_excerpt(item),
        "document": document_of(story).splitlines(),
        "notes": list(story.notes),
    }


def everything(path: Path) -> dict[str, Any]:
    try:
        feed = read(path)
    except BadData as wrong:
        return {"refused": wrong.what, "fix": wrong.fix}
    head = {k: v for k, v in filled(feed).items() if k != "items"}
    return {**head, "items": [told(feed, item) for item in feed.items]}


@pytest.mark.parametrize("path", sorted(FEEDS.iterdir()), ids=lambda path: path.name)
def test_a_feed_is_read_as_it_was_last_looked_at(path: Path, regenerate: bool) -> None:
    """The whole of what a reader makes of it, exactly."""
    expected = EXPECTED / f"{path.name}.json"
    found = json.dumps(everything(path), ensure_ascii=False, indent=1) + "\n"
    if regenerate:
        expected.write_text(found, encoding="utf-8")
    assert expected.exists(), "run this test with --regenerate, and read what it writes"
    assert found == expected.read_text(encoding="utf-8")


def test_every_expected_file_has_its_feed() -> None:
    """A golden that nothing is compared with holds nothing."""
    assert {path.name for path in EXPECTED.iterdir()} == {f"{path.name}.json" for path in FEEDS.iterdir()}


def test_items_are_told_apart_by_what_names_them() -> None:
    """A guid that several items share names none of them; the same item twice is one."""
    listed = identities(read(FEEDS / "duplicate-guids.xml").items)
    assert [(item.title, guid, url) for item, guid, url in listed] == [
        ("One", None, "example.org/1"),
        ("Two", None, "example.org/2"),
        ("Permalink only", "https://www.example.org/p", "example.org/p"),
        ("Not a permalink", "https://www.example.org/q", None),
    ]


def test_many_items_on_one_page_are_many() -> None:
    """By what stands after the #, else by their titles; the same one twice is one."""
    same = [Item(title=title, url=f"https://a.example/{path}") for title, path in
            (("One", "#1"), ("Two", "#2"), ("Two again", "#2"), ("Three", ""), ("Four", ""), ("Four", ""))]  # fmt: skip
    listed = identities(same)
    assert [item.title for item, _, _ in listed] == ["One", "Two", "Two again", "Three", "Four"]
    assert len({(guid, url) for _, guid, url in listed}) == 5
    assert [bool(url) for _, _, url in listed] == [True, False, False, False, False]
    assert listed[0][1:] == (None, "a.example#1")
