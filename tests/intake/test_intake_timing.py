"""When a source is asked again, dates as they are written, and readers that no input breaks."""

from __future__ import annotations

import contextlib
import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.articles.schema import is_iso_date
from newsletter.articles.sources import fields
from newsletter.articles.sources.dates import iso_date
from newsletter.articles.sources.discovery import offers_of
from newsletter.articles.sources.item import Feed, Item
from newsletter.articles.sources.opml import read_opml
from newsletter.articles.sources.reading import read_feed
from newsletter.articles.sources.shelf import identities
from newsletter.articles.sources.stories import fingerprint, is_excerpt, story_of
from newsletter.articles.sources.timing import LONGEST_BREAK, LONGEST_WISH, SHORTEST, after_failure, after_success
from newsletter.errors import BadData
from tests.intake.test_intake_feeds import FEEDS

NOW = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "ttl", "wait"),
    [
        ({}, 0, SHORTEST),
        ({"cache-control": "public, max-age=1800"}, 0, timedelta(minutes=30)),
        ({"cache-control": "max-age=60"}, 0, SHORTEST),
        ({"cache-control": "max-age=31536000"}, 0, LONGEST_WISH),
        ({"cache-control": "no-cache, max-age=3600"}, 0, SHORTEST),
        ({"cache-control": "max-age=nonsense"}, 45, timedelta(minutes=45)),
        ({}, 999999, LONGEST_WISH),
    ],
)
def test_a_source_is_asked_again_as_it_wishes_within_reason(headers: dict[str, str], ttl: int, wait: timedelta) -> None:
    assert after_success(NOW, Feed("RSS", ttl=ttl), headers) == NOW + wait


def test_hours_that_a_source_skips_are_skipped() -> None:
    """Unless it skips all of them."""
    assert after_success(NOW, Feed("RSS", skip_hours=frozenset({12, 13})), {}) == datetime(2026, 11, 26, 14, tzinfo=UTC)
    assert after_success(NOW, Feed("RSS", skip_hours=frozenset(range(24))), {}) == NOW + SHORTEST


def test_breaks_double_up_to_a_day_and_are_spread() -> None:
    waits = [after_failure(NOW, n, {}, chance=0.5) - NOW for n in (1, 2, 3, 4, 8, 1000)]
    assert waits == [timedelta(minutes=m) for m in (15, 30, 60, 120)] + [LONGEST_BREAK] * 2
    assert after_failure(NOW, 1, {}, chance=0) < after_failure(NOW, 1, {}, chance=1)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("3600", timedelta(hours=1)),
        ("Thu, 26 Nov 2026 14:30:00 GMT", timedelta(hours=2)),
        ("Thu, 26 Nov 2020 14:30:00 GMT", timedelta(minutes=15)),
        ("99999999", LONGEST_BREAK),
        ("soon", timedelta(minutes=15)),
        ("5", timedelta(minutes=15)),
    ],
)
def test_retry_after_makes_a_break_longer_and_never_shorter(said: str, wait: timedelta) -> None:
    assert after_failure(NOW, 1, {"retry-after": said}, chance=0.5) - NOW == wait


@given(st.text(max_size=60) | st.from_regex(r"\A\w{3}, \d{1,2} \w{3} \d{2,4} \d\d:\d\d(:\d\d)? [+-]?\w{1,5}\Z"))
@example("9999-12-31T23:59:59-14:00")
@example("Thu, 26 Nov 2026 09:00:00 +9999")
@example("0001-01-01T00:00:00+14:00")
def test_a_date_is_one_that_an_article_may_have_or_none(text: str) -> None:
    """Never an error, never a date that the front matter would refuse, never one in the future."""
    found = iso_date(text, now=NOW)
    if found is not None:
        assert is_iso_date(found)
        assert found[:10] <= "2026-11-29"


@given(st.text(max_size=200))
def test_a_title_is_one_line_that_stays_as_it_is(text: str) -> None:
    """Cleaning a clean title changes nothing, so that the same title is the same the next time."""
    once = fields.title_of(text)
    assert fields.title_of(once) == once or "<" in once
    assert "\n" not in once


HEADS = st.sampled_from(
    [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"<rss><channel>", b"<feed>", b"<urlset>", b"<opml>", b"{", b"["]
)


def told(data: bytes, kind: str) -> None:
    """Read and make stories, or a clear refusal: nothing else may happen."""
    try:
        feed = read_feed(data, url="https://www.example.org/f", content_type=None, now=NOW, kind=kind)
    except BadData as wrong:
        assert wrong.what
        return
    for item, guid, url in identities(feed.items):
        assert guid or url
        assert len(fingerprint(item)) == 64
        is_excerpt(item)
        try:
            story = story_of(item, source="s", kind=feed.kind, lang=feed.lang, section=None, full=None)
        except BadData:
            continue
        assert story.article.headline
        assert (story.article.link or "https://").startswith(("https://", "http://"))


@settings(max_examples=150)
@given(HEADS, st.binary(max_size=300), st.sampled_from(["feed", "wordpress", "ghost"]))
def test_any_bytes_are_a_feed_or_a_clear_refusal(head: bytes, data: bytes, kind: str) -> None:
    told(head + data, kind)


SAMPLES = [path.read_bytes() for path in sorted(FEEDS.iterdir()) if path.stat().st_size < 6000]


@settings(max_examples=200)
@given(st.data())
def test_feeds_that_were_damaged_are_read_or_refused(data: st.DataObject) -> None:
    """Pieces cut out, doubled, exchanged between two feeds, bytes changed."""
    one, other = (data.draw(st.sampled_from(SAMPLES)) for _ in range(2))
    start, end = (data.draw(st.integers(0, len(one))) for _ in range(2))
    put = data.draw(st.sampled_from([b"", b"<", b"&", b"]]>", b"\0", b"<![CDATA[", b"<item>", b'"', other[:200], one]))
    damaged = one[:start] + put + one[end:]
    told(damaged[:20_000], data.draw(st.sampled_from(["feed", "feed", "wordpress", "ghost"])))
    with contextlib.suppress(BadData):
        read_opml(damaged[:20_000], "feeds.opml")
    offers_of(damaged[:20_000].decode("utf-8", "replace"), "https://www.example.org/")


KEYS = [
    "posts", "items", "version", "title", "rendered", "_embedded", "author", "wp:term", "wp:featuredmedia", "content",
    "authors", "tags", "attachments", "url", "id", "image", "html", "date_gmt", "excerpt", "link", "guid", "caption",
]  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=150)
@given(json_values, st.sampled_from(["feed", "wordpress", "ghost"]))
def test_any_json_is_a_list_of_stories_or_a_clear_refusal(value: object, kind: str) -> None:
    """Each key may hold anything."""
    for wrapped in (
        value,
        [value],
        {"items": [value], "version": "https://jsonfeed.org/version/1.1"},
        {"posts": [value]},
    ):
        told(json.dumps(wrapped).encode(), kind)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<rss><channel>" + b"<item>" * 10_000, "more than 256 deep"),
        (b"<feed>" + b"<entry>" * 300, "more than 256 deep"),
        (b"[" * 100_000, "too deep|broken"),
        (b'{"a":' * 100_000, "too deep|broken"),
        (b"<rss>" + b" " * 11_000_000, "larger than 10 MB"),
        (gzip.compress(b" " * 40_000_000, mtime=0), "larger than 10 MB"),
        (gzip.compress(b"<rss/>" * 100, mtime=0)[:-12], "ends too early"),
        (b"\x1f\x8bnot gzip at all", "is broken"),
        (b"<!DOCTYPE rss [" + b"<!ELEMENT a ANY>" * 1000 + b'<!entity x "y">]><rss/>', "declares entities"),
        (b"<!-- a --><?b?><!DOCTYPE rss [ <!ENTITY % x SYSTEM 'http://127.0.0.1/'> %x; ]><rss/>", "declares entities"),
        (b"<!DOCTYPE rss [" + b"<" * 1000, "declares entities"),
    ],
)
def test_attacks_get_a_word_and_no_time(data: bytes, words: str) -> None:
    with pytest.raises(BadData, match=words):
        read_feed(data, url="https://www.example.org/f", now=NOW)


@pytest.mark.parametrize(
    "piece",
    ["<![CDATA[", "<![CDATA[ ]] ", "<!-- ", "<!-- --> ", "<?a ", "<?a?> ", "&", "&amp;amp;", "<", "]", "<item/>",
     "<author>a@a@a@</author>", "<description>The post x appeared first on ", "<!DOCTYPE a [", "&lt;div&gt;&lt;b&gt;"],
)  # fmt: skip
def test_what_is_repeated_without_end_ends(piece: str) -> None:
    """Before and inside a feed; a reader that goes back at every piece would never be done with half a megabyte."""
    flood = (piece * (500_000 // len(piece) + 1)).encode()
    told(flood, "feed")
    told(b"<rss><channel><item><title>A</title><description>" + flood, "feed")


def test_a_sitemap_may_be_a_gzip_file() -> None:
    """Large ones are served so, with no word of it in the headers."""
    data = (FEEDS / "sitemap-news.xml").read_bytes()
    url = "https://www.example.org/sitemap.xml.gz"
    assert read_feed(gzip.compress(data, mtime=0), url=url, now=NOW) == read_feed(data, url=url, now=NOW)


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("en_gb", "en-GB"),
        ("ZH-hans-cn", "zh-Hans-CN"),
        ("ur", "ur"),
        ("es-419", "es-419"),
        ("English", None),
        ("", None),
    ],
)
def test_a_language_is_written_as_the_standard_has_it(said: str, tag: str | None) -> None:
    assert fields.language(said) == tag


def test_what_json_can_say_and_no_file_can_hold_is_replaced() -> None:
    """Half a surrogate pair, a NUL, a control character: in JSON they come in by their numbers."""
    data = rb'{"items":[{"id":"\u0000a\ud800","title":"A\ud800 \u0000b\u001b","content_text":"x\udfff"}]}'
    (item,) = read_feed(data, url="https://www.example.org/f", now=NOW).items
    assert (item.title, item.guid, item.content) == ("A? b", "a?", "<p>x?</p>")


def test_a_story_nested_without_end_is_its_words() -> None:
    """The HTML of one item may be as deep as it likes: the words come in, and a note says so."""
    deep = Item(title="Deep", content="<div>" * 5000 + "The words." + "</div>" * 5000)
    story = story_of(deep, source="s", kind="RSS", lang=None, section=None, full=None)
    assert story.article.body == "The words.\n"
    assert "its HTML could not be read to its end; only the words are here" in story.notes
