"""What an address led to, when it is no story: a feed, a document, a login, a page of links, nothing at all."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from newsletter.articles.page_address import is_home
from newsletter.articles.page_evidence import Evidence
from newsletter.articles.page_words import ACCEPT, COOKIES, GONE, LOGIN, PAYWALL, ROBOT, SCRIPTED, marks, marks_of
from newsletter.errors import BadData

_SAVE = "Open it in a browser; if the story is there, save the page and add the file: newsletter article add STORY.html"
_FEED = re.compile(
    r"\s{0,200}(?:<\?xml[^>]{0,200}>\s{0,200})?"
    r"(?:<!--.{0,2000}?-->\s{0,200}|<\?xml-stylesheet[^>]{0,300}>\s{0,200}){0,5}<(?:rss|feed|rdf:RDF|(?:\w+:)?opml)\b",
    re.I | re.S,
)
_MAGIC = (
    (b"%PDF-", "a PDF"), (b"PK\x03\x04", "a ZIP, Word or OpenDocument file"), (b"\xd0\xcf\x11\xe0", "an old Word file"),
    (b"{\\rtf", "an RTF file"), (b"\xff\xd8\xff", "a picture"), (b"\x89PNG", "a picture"), (b"GIF8", "a picture"),
    (b"RIFF", "a picture or a sound"), (b"\x1f\x8b", "a compressed file"), (b"ID3", "a sound"), (b"OggS", "a sound"),
    (b"\x00\x00\x00\x18ftyp", "a video"), (b"\x00\x00\x00\x1cftyp", "a video"), (b"\x00\x00\x00\x20ftyp", "a video"),
)  # fmt: skip
_TYPES = (
    ("application/pdf", "a PDF"), ("image/", "a picture"), ("video/", "a video"), ("audio/", "a sound"),
    ("application/zip", "a ZIP file"), ("application/msword", "a Word file"), ("font/", "a font"),
    ("application/octet-stream", "a file to download"), ("text/css", "a style sheet"), ("text/calendar", "a calendar"),
    ("application/javascript", "a script"), ("text/javascript", "a script"), ("text/csv", "a table of data"),
    ("application/vnd.", "an office document"),
)  # fmt: skip
_LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|auth|sso|account/login|accounts/login|users/sign_in|wp-login\.php|oauth2?|idp)(?:/|$|\?)",
    re.I,
)
_PAYWALL_CLASS = marks("pay-?wall subscriber-?only premium-?(?:content|wall) reg-?wall gate(?:d|way)?-?content")


def refuse_other_files(data: bytes, content_type: str | None, where: str) -> None:
    """Raise BadData for bytes that are no page; ``data`` is the beginning, at least."""
    kind = (content_type or "").split(";")[0].strip().lower()
    for beginning, name in _MAGIC:
        if data.startswith(beginning):
            raise BadData(f"this is {name}, not a web page", where=where, fix="Add the address of the story's page.")
    start = data[:512].lstrip()
    if not start.startswith(b"<"):
        for prefix, name in _TYPES:
            if kind.startswith(prefix):
                raise BadData(
                    f"this is {name}, not a web page", where=where, fix="Add the address of the story's page."
                )
    if kind in ("application/json", "application/ld+json", "application/feed+json", "text/json") or start[:1] in (
        b"{",
        b"[",
    ):
        _refuse_json(data, where)


def _refuse_json(data: bytes, where: str) -> None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(found, dict) and "jsonfeed.org" in str(found.get("version")):
        raise _feed(where)
    if isinstance(found, dict | list):
        raise BadData("this is JSON, data for programs, not a web page", where=where,
                      fix="Add the address of the story's page.")  # fmt: skip


def refuse_feed(text: str, where: str) -> None:
    """Raise BadData for RSS, Atom, RDF and OPML, whatever the server calls them."""
    if _FEED.match(text[:8000].lstrip("\ufeff")):
        raise _feed(where)


def _feed(where: str) -> BadData:
    return BadData("this is a feed, not a story", where=where, fix=f"Follow it: newsletter source add {where}")


@dataclass(frozen=True, slots=True)
class Marks:
    """What a page has before it is stripped: a field for a password, a mount for a script, a paywall, "Accept"."""

    password: bool
    shell: bool
    paywall: bool
    asks: bool


def marks_on(page: HtmlElement) -> Marks:
    """Look at a whole page."""
    walls = any(_PAYWALL_CLASS.search(marks_of(e)) for e in page.iter("div", "section", "aside"))
    asks = any(ACCEPT.search(button.text_content()[:100]) for button in page.iter("button"))
    return Marks(_has_password(page), _is_shell(page), walls, asks)


def refuse_walls(evidence: Evidence, marks: Marks, text: str, page_words: int, where: str) -> None:
    """Raise BadData when what is left of a page is no story. ``text`` is what was taken for one.

    ``page_words`` is how many words the whole page shows.
    """
    page = evidence.page
    words = _count(text)
    head = " ".join([evidence.title, *(heading for _, heading in evidence.headings)])
    if words >= 40 and _says_story(evidence):
        return  # short news is news; walls do not call themselves an article
    shown = " ".join(page.text_content().split())[:20_000] if words < 250 else ""
    if (words < 120 and GONE.search(head)) or (words < 60 and page_words < 150 and GONE.search(shown[:600])):
        raise BadData("the page says that there is no such story", where=where, fix="Check the address in a browser.")
    if words < 150 and (ROBOT.search(head) or (page_words < 120 and ROBOT.search(shown))):
        raise BadData("the site asks for proof that no program is reading it", where=where, fix=_SAVE)
    if (
        words < 150
        and (marks.password or _LOGIN_PATH.search(evidence.url))
        and (LOGIN.search(head) or page_words < 250)
    ):
        raise BadData("this looks like a login page, not like a story", where=where, fix=_SAVE)
    if words < 40 and page_words < 200 and LOGIN.search(head):
        raise BadData("this looks like a login page, not like a story", where=where, fix=_SAVE)
    asked = len(COOKIES.findall(shown)) >= 3 and (marks.asks or ACCEPT.search(shown) is not None)
    if asked and ((words < 250 and COOKIES.search(head)) or words < 80):
        raise BadData("this looks like a question about cookies, not like a story", where=where, fix=_SAVE)
    if page_words < 60 and (SCRIPTED.search(shown) or marks.shell):
        raise BadData("the page has no text of its own: a script would write it", where=where, fix=_SAVE)


def _has_password(page: HtmlElement) -> bool:
    return any((e.get("type") or "").lower() == "password" for e in page.iter("input"))


def _is_shell(page: HtmlElement) -> bool:
    scripts = sum(1 for script in page.iter("script") if script.get("src"))
    mounts = any(
        (e.get("id") or "") in ("root", "app", "__next", "__nuxt", "main-app", "svelte", "gatsby-focus-wrapper")
        for e in page.iter("div")
    )
    return scripts > 0 and mounts


def _says_story(evidence: Evidence) -> bool:
    """Whether a page calls itself an article: by its type, by JSON-LD about it, by a time of publication."""
    meta = evidence.meta
    kind = (meta.get("og:type") or "").strip().lower()
    return kind == "article" or bool(evidence.linked.story) or meta.get("article:published_time") is not None


def is_list(evidence: Evidence, text: str, links: Sequence[HtmlElement]) -> bool:
    """Whether a page leads to stories instead of being one. ``links`` are those of its main part."""
    claims = _says_story(evidence)
    long_links = [len(" ".join(a.text_content().split())) for a in links]
    heads = sum(length > 25 for length in long_links)
    linked = sum(long_links)
    if is_home(evidence.url) and not evidence.linked.story and (heads >= 5 or _count(text) < 120):
        return True
    if claims:
        return False
    lists = {"CollectionPage", "SearchResultsPage", "ItemList"} & evidence.linked.kinds
    return heads >= 8 and (linked > 0.5 * max(1, len(text)) or bool(lists))


def refuse_empty(where: str) -> BadData:
    """The error for a page in which no story's text was found."""
    return BadData("no text of a story was found on the page", where=where, fix=_SAVE)


def refuse_list(where: str) -> BadData:
    """The error for a page of links."""
    return BadData(
        "this is a page of links to stories, not a story",
        where=where,
        fix=f"Open a story and add its own address, or follow the whole site: newsletter source add {where}",
    )


def wall_note(evidence: Evidence, marks: Marks, text: str, shown: str) -> str | None:
    """A note when a page shows only the beginning of its story."""
    story = evidence.linked.story
    free = story.get("isAccessibleForFree")
    closed = free is False or str(free).strip().lower() == "false"
    words, told = _count(text), _stated_length(evidence)
    if told > 1.6 * words + 60:
        return f"the page says that the story has {told} words, and shows {words}: the rest may be for subscribers"
    if words < 400 and (closed or marks.paywall or PAYWALL.search(shown)):
        return "the page may show only the beginning: the rest is for subscribers"
    return None


def _stated_length(evidence: Evidence) -> int:
    story = evidence.linked.story
    body = story.get("articleBody")
    if isinstance(body, str) and body.strip():
        return _count(body)
    said = str(story.get("wordCount") or "")
    return int(said) if said.isdecimal() and len(said) < 7 else 0


def _count(text: str) -> int:
    """Words; a sign of a script without blanks counts half a word."""
    signs = len(re.findall(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]", text))
    return len(re.findall(r"\w+", re.sub(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]", " ", text))) + signs // 2


count_words = _count
