"""The bytes of a source's answer: tell what they are by their content, and hand them to their reader."""

from __future__ import annotations

import dataclasses
import re
import zlib
from datetime import datetime

from newsletter.articles.sources import cms
from newsletter.articles.sources.atom import read_atom
from newsletter.articles.sources.item import Feed
from newsletter.articles.sources.jsonfeed import an_object, load, read_json_feed
from newsletter.articles.sources.markup import Element, after_misc, is_cut_off, name_of, parse, to_text
from newsletter.articles.sources.rss import read_rss
from newsletter.articles.sources.sitemap import read_index, read_sitemap
from newsletter.errors import BadData
from newsletter.net.addresses import shown

MAX_FEED = 10 * 1024 * 1024
"""The most bytes that an answer may have, decoded."""

_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.I)
_SIGN_IN = re.compile(
    r"<input[^>]{0,300}type\s*=\s*[\"']?password|<title[^>]{0,100}>[^<]{0,80}(?:log ?in|sign ?in|anmelden|connexion)",
    re.I,
)  # fmt: skip
_A_FEED = "give the address of a feed, or of a home page that names its feeds"


class NotAFeed(BadData):
    """A page of a website, which may name feeds; ``text`` is its HTML."""

    def __init__(self, text: str, where: str) -> None:
        sign_in = _SIGN_IN.search(text[:200_000])
        what = "a page that asks to sign in came instead of a feed" if sign_in else "a web page came instead of a feed"
        super().__init__(what, where=where, fix=_A_FEED)
        self.text = text


def read_feed(
    data: bytes, *, url: str, content_type: str | None = None, now: datetime, kind: str = "feed"
) -> Feed:  # fmt: skip
    """What a source answered, whatever it calls itself; ``kind`` is feed, wordpress or ghost. ``now`` is aware.

    Raises BadData with a word on what came instead: nothing, a web page (``NotAFeed``), a sign-in, a binary file,
    declared entities, more than 10 MB, something nested too deeply. Nothing else is ever raised.
    """
    where = shown(url)
    if len(data) > MAX_FEED:
        raise _too_large(where)
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, where)
    if not data.strip(b" \t\r\n\0"):
        raise BadData("the answer is empty", where=where, fix="try again later")
    text, note = to_text(data, content_type, where)
    feed = _read(text.lstrip("\ufeff \t\r\n"), url=url, where=where, now=now, kind=kind)
    return dataclasses.replace(feed, notes=(*feed.notes, *([note] if note else [])))


def _too_large(where: str) -> BadData:
    return BadData("it is larger than 10 MB", where=where, fix="give a feed of the newest stories")


def _unpacked(data: bytes, where: str) -> bytes:
    """What is in a gzip file, as large sitemaps are served; never more than ``MAX_FEED`` of it in memory."""
    engine = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = engine.decompress(data, MAX_FEED + 1)
    except zlib.error as wrong:
        raise BadData("this is a compressed file that is broken", where=where, fix="try again later") from wrong
    if len(found) > MAX_FEED:
        raise _too_large(where)
    if not engine.eof:
        raise BadData("this is a compressed file that ends too early", where=where, fix="try again later")
    return found


def _read(text: str, *, url: str, where: str, now: datetime, kind: str) -> Feed:
    if text[:1] in "{[":
        return _json(text, url=url, where=where, now=now, kind=kind)
    if _PAGE.match(text, after_misc(text)):
        raise NotAFeed(text, where)
    if kind != "feed":
        raise BadData("its answer is no JSON", where=where, fix="look at the address in a browser")
    root, notes = parse(text, url, where)
    feed = _xml(root, text, url=url, where=where, now=now)
    if notes and is_cut_off(root, text):
        # The last item may be half of itself; it will be whole the next time.
        notes = ["it was cut off: its last story was left out"]
        feed = dataclasses.replace(feed, items=feed.items[:-1])
    return dataclasses.replace(feed, notes=tuple(notes))


def _json(text: str, *, url: str, where: str, now: datetime, kind: str) -> Feed:
    data = load(text, where)
    try:
        if kind == "wordpress":
            return cms.read_wordpress(data, url=url, now=now)
        if kind == "ghost":
            return cms.read_ghost(data, url=url, now=now)
    except BadData as wrong:
        raise BadData(wrong.what, where=where, fix=wrong.fix) from wrong
    content = an_object(data)
    if "jsonfeed.org/version" in str(content.get("version", "")) or isinstance(content.get("items"), list):
        return read_json_feed(content, url=url, now=now)
    raise BadData("this is JSON, but no JSON Feed", where=where, fix=_A_FEED)


def _xml(root: Element, text: str, *, url: str, where: str, now: datetime) -> Feed:
    local = name_of(root).rpartition(":")[2].lower()
    if local in ("rss", "rdf", "channel"):
        return read_rss(root, url=url, now=now)
    if local in ("feed", "entry"):
        return read_atom(root, url=url, now=now)
    if local == "urlset":
        return read_sitemap(root, url=url, now=now)
    if local == "sitemapindex":
        return read_index(root, url=url)
    if local in ("html", "body", "div", "p", "script", "meta", "head"):
        raise NotAFeed(text, where)
    if local == "opml":
        raise BadData(
            "this is a list of feeds (OPML), no feed", where=where, fix="save it, and add the file: it adds all of them"
        )
    raise BadData("this XML is neither a feed nor a sitemap", where=where, fix=_A_FEED)
