"""Pages that are broken, huge or hostile: a story, or BadData with a fix; nothing else, and nothing unsafe."""

from __future__ import annotations

import codecs
import random
import re
from pathlib import Path

import lxml.html
import markdown
import nh3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.articles.page import MAX_PAGE, read_page
from newsletter.articles.story import MAX_BODY, Story
from newsletter.errors import BadData

PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))
URL = "https://quay.example/story"
WORDS = "The harbour office has a new lamp, and nobody has complained about it since the first of the month. "


def page(body: str, head: str = "") -> bytes:
    return f"<!doctype html><html><head><title>The lamp</title>{head}</head><body>{body}</body></html>".encode()


def refused(data: bytes, kind: str | None = "text/html", url: str = URL) -> BadData:
    with pytest.raises(BadData) as caught:
        read_page(data, url=url, content_type=kind)
    assert caught.value.fix
    assert caught.value.where
    return caught.value


def is_safe(story: Story) -> None:
    """Rendered as a mail renders it, the body has no tag or address that sanitising would take."""
    body = story.article.body
    assert 0 < len(body.encode()) <= MAX_BODY
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", body)
    assert not re.search(r"\{\{|\{%|\{#", re.sub(r"\\(?:\{\{|\}\}|\{%|\{#)", "", body))
    html = markdown.markdown(body, extensions=["tables", "sane_lists"])
    root = lxml.html.fragment_fromstring(html, create_parent="div")
    for element in root.iter():
        assert element.tag not in ("script", "style", "iframe", "object", "form", "svg")
        assert not [name for name in element.attrib if name.lower().startswith("on")]
        for name in ("href", "src"):
            assert re.match(r"(?:https?|mailto|tel):", element.get(name) or "https:")
    assert nh3.clean(html)
    for value in (story.article.headline, story.article.byline or "", story.article.standfirst or ""):
        assert "\n" not in value
        assert not re.search(r"(?<!\\)(?:\{\{|\{%)", value)


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"%PDF-1.7 ...", "application/pdf", "a PDF"),
        (b"%PDF-1.7 ...", "text/html", "a PDF"),
        (b"\xff\xd8\xff\xe0 JFIF", "image/jpeg", "a picture"),
        (b"\x89PNG\r\n\x1a\n", None, "a picture"),
        (b"PK\x03\x04rest", "text/html", "ZIP"),
        (b'{"headline": "x"}', "application/json", "JSON"),
        (b'[{"headline": "x"}]', "text/html", "JSON"),
        (b'{"version": "https://jsonfeed.org/version/1.1", "items": []}', "application/json", "a feed"),
        (b"<rss version='2.0'></rss>", "application/rss+xml", "a feed"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- made by hand -->\n<feed xmlns='x'></feed>", "text/html", "a feed"),
        (b"<opml version='2.0'></opml>", "text/xml", "a feed"),
        (b"body { color: red }", "text/css", "a style sheet"),
        (b"", "text/html", "no text"),
        (b" \n\t ", None, "no text"),
        (b"<!-- nothing -->", "text/html", "no text"),
        (b"<html></html>", "text/html", "no text"),
        (page("<h1>The lamp</h1>"), "text/html", "no text"),
        (page("<img src=a.jpg>"), "text/html", "no text"),
    ],
)
def test_what_is_no_page_is_named(data: bytes, kind: str | None, words: str) -> None:
    assert words in refused(data, kind).what


@pytest.mark.parametrize(
    "title",
    [
        "404 seats for the night ferry",
        "Voters register in the rain",
        "Consent law passes by one vote",
        "Cookies for the clerks",
    ],
)
@pytest.mark.parametrize("form", ["", "<form><input type=password></form>"])
def test_short_news_about_walls_is_no_wall(title: str, form: str) -> None:
    """Sixty words under such a headline are a story, also where the site has a login in its corner."""
    head = '<meta property="og:type" content="article">'
    story = read_page(page(f"{form}<article><h1>{title}</h1><p>{WORDS * 3}</p></article>", head), url=URL)
    assert story.article.headline == title


def test_a_login_that_greets_with_many_words_is_a_login() -> None:
    login = page(f"<h1>Welcome back</h1><p>{WORDS * 3}</p><form><input type=password></form>")
    assert "login page" in refused(login).what
    assert (
        "login page" in refused(page(f"<h1>Welcome back</h1><p>{WORDS * 3}</p>"), url="https://q.io/sso/login?n=1").what
    )


def test_a_feed_is_sent_to_where_feeds_are_followed() -> None:
    assert refused(b"<rss/>").fix == f"Follow it: newsletter source add {URL}"


def test_a_plain_text_file_on_the_web_is_read_as_one() -> None:
    story = read_page(
        b"The lamp is back\n\nIt burns.\n", url="https://quay.example/lamp.txt", content_type="text/plain"
    )
    assert (story.article.headline, story.article.body) == ("The lamp is back", "It burns.\n")


def test_more_than_the_cap_is_refused_at_once() -> None:
    assert "larger than 8 MB" in refused(page(f"<p>{WORDS}</p>" * (MAX_PAGE // 100))).what


HUGE = {
    "eight megabytes of markup": page("<article><h1>The lamp</h1>" + f"<p>{WORDS * 4}</p>" * 400 + "<i></i>" * 900_000),
    "one paragraph of a megabyte": page("<h1>The lamp</h1><p>" + WORDS * 10_000),
    "ten thousand links": page(
        f"<article><h1>The lamp</h1><p>{WORDS * 3}</p>" + '<a href="/x">Something about a lamp, again</a> ' * 10_000
    ),
    "ten thousand paragraphs": page("<article><h1>The lamp</h1>" + "<p>Word of a lamp.</p>" * 10_000),
    "ten thousand pictures": page(f"<article><h1>The lamp</h1><p>{WORDS * 3}</p>" + "<img src=/a.jpg>" * 10_000),
    "deep": page("<div>" * 1_900 + f"<p>{WORDS * 3}</p>"),
    "deeper than can be read": page("<div>" * 9_000 + f"<p>{WORDS}</p>"),
    "a table of ten thousand cells": page("<h1>The lamp</h1><table>" + "<tr><td>1<td>2<td>3</tr>" * 3_500),
    "brackets": page(f"<h1>The lamp</h1><p>{'[' * 50_000}</p><p>{WORDS}</p>"),
    "dots and blanks": page(
        f"<h1>The lamp</h1><figure><img src=/a.jpg><figcaption>{'. ' * 50_000}</figcaption></figure><p>{WORDS * 3}</p>"
    ),
    "a class of a megabyte": page(f"<h1>The lamp</h1><div class='{'related-' * 120_000}'><p>{WORDS * 3}</p></div>"),
    "a title of a megabyte": page(f"<p>{WORDS * 3}</p>", f"<title>{'lamp | ' * 150_000}</title>"),
    "nested data": page(f"<p>{WORDS * 3}</p>", f'<script type="application/ld+json">{"[" * 200_000}</script>'),
    "a list of many stories": page(
        f"<h1>The lamp</h1><p>{WORDS * 3}</p>",
        '<script type="application/ld+json">['
        + ",".join(f'{{"@type":"Article","headline":"Another {n}"}}' for n in range(20_000))
        + "]</script>",
    ),
    "nothing but entities": page("<h1>The lamp</h1><p>" + "&amp;amp;lt;" * 50_000),
}


@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", sorted(HUGE))
def test_no_page_keeps_the_program_busy(name: str) -> None:
    """A few seconds at the very most; the limit is for machines that have something else to do."""
    try:
        is_safe(read_page(HUGE[name], url=URL, content_type="text/html"))
    except BadData as wrong:
        assert wrong.fix


@pytest.mark.parametrize(
    "html",
    [
        "<p onclick=alert(1)>WORDS</p>",
        "<p>WORDS</p><script>document.write('<p>bad</p>')</script>",
        "<p>WORDS <a href='javascript:alert(1)'>here</a> <a href='data:text/html,x'>there</a> <a href='vbs:x'>x</a>",
        "<p>WORDS</p><img src='x' onerror='alert(1)'><img src='javascript:alert(1)'>",
        "<p>WORDS {{ subscriber.email }} {% include 'x' %} {# y #}</p>",
        "<p>WORDS</p><p>&lt;script&gt;alert(1)&lt;/script&gt; [x](javascript:alert(1)) ![y](data:z)</p>",
        "<p>WORDS</p><svg><script>alert(1)</script></svg><math><mi xlink:href='javascript:x'>z</mi></math>",
        "<p>WORDS</p><style>p{background:url(javascript:x)}</style><iframe src='https://www.youtube.com/embed/<x>'></iframe>",
        "<p>WORDS</p><a href='https://user:pass@evil.example/'>x</a>",
        "<p>WORDS</p><img data-src='a&#1;b.jpg' src='x&#11;'><a href='/&#1;x'>y</a>",
    ],
)
def test_nothing_that_acts_comes_through(html: str) -> None:
    story = read_page(page(f"<article><h1>The lamp</h1>{html.replace('WORDS', WORDS * 2)}</article>"), url=URL)
    is_safe(story)
    assert "alert(1)" not in story.article.body.replace("\\", "") or "&lt;script" in story.article.body
    assert "user:pass" not in story.article.body


PIECES = [
    "<p>",
    "</p>",
    "<div class='article-body'>",
    "</div>",
    "<article>",
    "</article>",
    "<h1>",
    "</h1>",
    "<h2>",
    "<ul><li>",
    "</ul>",
    "<table><tr><td>",
    "</table>",
    "<img src='/a.jpg'>",
    "<img data-src=b srcset='c 1x, d 2x'>",
    "<a href='/x'>",
    "<a href='#fn'>1</a>",
    "</a>",
    "<figure>",
    "<figcaption>",
    "</figure>",
    "<noscript><img src=n.jpg></noscript>",
    "<blockquote>",
    "<time datetime='2026-11-20'>",
    "<span class='byline'>By Ada Reyes</span>",
    "<meta property='og:title' content='",
    "'>",
    "<script type='application/ld+json'>",
    '{"@type":"Article","headline":',
    "</script>",
    "<title>",
    "</title>",
    "<pre>",
    "<code>",
    "<link rel=canonical href='//'>",
    "<base href='http://[::1'>",
    "<form>",
    "<input type=password>",
    "<iframe src='//youtu.be/x'>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&amp;",
    "&#0;",
    "&#x110000;",
    "{{",
    "}}",
    "\x00",
    "😀",
    "Ã©",
    "â€™",
    "© Getty",
    "Advertisement",
    "Read more:",
    "12 November 2026",
    WORDS,
    WORDS * 3,
    "\u202e",
    "\ufeff",
    "<svg><title>x</title></svg>",
]


def attempt(data: bytes, url: str = URL, kind: str | None = None) -> None:
    try:
        story = read_page(data, url=url, content_type=kind)
    except BadData as wrong:
        assert wrong.where is not None
        return
    is_safe(story)


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=40),
    st.sampled_from(["utf-8", "cp1252", "utf-16", "shift_jis", "big5"]),
    st.sampled_from(
        [None, "text/html", "text/html; charset=big5", "text/html; charset=nonsense", "application/json", "\x00"]
    ),
)
def test_any_soup_of_markup_is_a_story_or_refused_in_words(pieces: list[str], encoding: str, kind: str | None) -> None:
    attempt("".join(pieces).encode(encoding, "replace"), kind=kind)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PAGES), st.randoms(use_true_random=False))
def test_a_page_with_damaged_bytes_is_a_story_or_refused_in_words(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 12)):
        place = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randrange(200)]
            case 2:
                data[place:place] = data[: chance.randrange(300)]
            case _:
                data[place:place] = chance.choice([b"<", b">", b"</div>", b"\0", b"'", codecs.BOM_UTF8, b"<p>"])
        data = data or bytearray(b"<")
    attempt(bytes(data))


@settings(max_examples=100)
@given(st.binary(max_size=400), st.text(max_size=60))
def test_any_bytes_from_any_address(data: bytes, tail: str) -> None:
    attempt(data, url=f"https://quay.example/{tail}")
    attempt(page(f"<h1>The lamp</h1><p>{WORDS}</p>") + data, url=f"https://quay.example/?{tail}")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_that_was_cut_off_anywhere_is_a_story_or_refused_in_words(path: Path) -> None:
    data = path.read_bytes()
    for part in range(1, 12):
        attempt(data[: len(data) * part // 12])
