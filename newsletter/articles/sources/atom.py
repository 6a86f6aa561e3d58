"""Atom 1.0 (RFC 4287), and 0.3 where it is the same."""

from __future__ import annotations

import html
from datetime import datetime

from newsletter.articles.sources import fields
from newsletter.articles.sources.dates import iso_date
from newsletter.articles.sources.item import Feed, Item
from newsletter.articles.sources.markup import MAX_ITEMS, Element, children, inner, words, xml_base, xml_lang
from newsletter.models import Picture

_FEED = "atom:"


def read_atom(root: Element, *, url: str, now: datetime) -> Feed:
    """The entries of an Atom feed in its own order. Never raises."""
    entries = (
        [root] if _local(root) == "entry" else [e for name, e in children(root) if name in ("atom:entry", "entry")]
    )
    return Feed(
        kind="Atom",
        items=tuple(_item(entry, url=url, now=now) for entry in entries[:MAX_ITEMS]),
        title=_plain(_child(root, "title")),
        site=_link(root, xml_base(root) or url),
        lang=fields.language(xml_lang(root)),
    )


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _all(parent: Element, *wanted: str) -> list[Element]:
    return [e for name, e in children(parent) if name.removeprefix(_FEED) in wanted]


def _child(parent: Element, *wanted: str) -> Element | None:
    return next((e for name in wanted for e in _all(parent, name) if words(e) or len(e)), None)


def _item(entry: Element, *, url: str, now: datetime) -> Item:
    base = xml_base(entry) or url
    link = _link(entry, base)
    content, summary = _child(entry, "content"), _child(entry, "summary")
    if content is not None and content.get("src"):
        content = None  # the content is elsewhere: another address, perhaps another kind of file
    picture, source = _picture(entry, base)
    groups = _all(entry, "media:group")
    source_feed = next(iter(_all(entry, "source")), None)
    authors = _all(entry, "author") or (_all(source_feed, "author") if source_feed is not None else [])
    return Item(
        title=_plain(_child(entry, "title")),
        guid=words(_child(entry, "id")) or None,
        url=link,
        base=(xml_base(content) if content is not None else None) or xml_base(entry) or link or url,
        content=_html(content),
        summary=_html(summary)
        or html.escape(next((words(e) for g in groups for e in _all(g, "media:description")), "")),
        published=iso_date(words(_child(entry, "published", "issued", "created")), now=now),
        updated=iso_date(words(_child(entry, "updated", "modified")), now=now),
        authors=fields.names([
            *(words(name) for author in authors for name in _all(author, "name")),
            *(words(e) for e in _all(entry, "dc:creator")),
        ]),
        tags=fields.tags([
            *(e.get("label") or e.get("term") or words(e) for e in _all(entry, "category")),
            *(words(e) for e in _all(entry, "dc:subject")),
        ]),
        lang=fields.language(xml_lang(content) if content is not None else None, xml_lang(entry)),
        picture=picture,
        picture_source=source,
    )  # fmt: skip


def _kind(element: Element) -> str:
    return (element.get("type") or "text").strip().lower()


def _html(element: Element | None) -> str:
    """A text construct as HTML: ``text`` is escaped, ``html`` is what it says, ``xhtml`` is its elements."""
    if element is None:
        return ""
    kind = _kind(element)
    if kind in ("html", "text/html") or element.get("mode") == "escaped":
        return inner(element)
    if kind in ("xhtml", "application/xhtml+xml") or any(isinstance(e.tag, str) for e in element):
        return inner(element)
    if kind in ("text", "text/plain"):
        return html.escape(words(element), quote=False)
    return ""  # a picture, a recording


def _plain(element: Element | None) -> str:
    if element is None:
        return ""
    return fields.title_of(words(element))


def _link(parent: Element, base: str) -> str | None:
    """The page of a feed or an entry: ``alternate``, preferring HTML; else a link without a relation of its own."""
    found: list[tuple[int, int, str | None]] = []
    for element in _all(parent, "link"):
        relation = (element.get("rel") or "alternate").rpartition("/")[2].lower()
        if relation == "alternate":
            kind = (element.get("type") or "").lower()
            found.append((0 if "html" in kind else 1 if not kind else 2, len(found), element.get("href")))
    return next(
        (
            address
            for _, _, href in sorted(found, key=lambda entry: entry[:2])
            if (address := fields.absolute(href, base))
        ),
        None,
    )


def _picture(entry: Element, base: str) -> tuple[Picture | None, str]:
    within = [entry, *_all(entry, "media:group")]
    candidates: list[tuple[str | None, Element, str]] = []
    for parent in within:
        for e in _all(parent, "media:content"):
            if fields.is_image(e.get("url"), e.get("type"), e.get("medium"), sized=bool(e.get("width"))):
                candidates.append((e.get("url"), e, "media:content"))
            candidates += [(t.get("url"), t, "media:thumbnail") for t in _all(e, "media:thumbnail")]
    candidates += [(e.get("url"), e, "media:thumbnail") for parent in within for e in _all(parent, "media:thumbnail")]
    for e in _all(entry, "link"):
        if e.get("rel") == "enclosure" and fields.is_image(e.get("href"), e.get("type")):
            candidates.append((e.get("href"), e, "enclosure"))
    for address, element, source in candidates:
        caption = next((words(e) for e in _all(element, "media:description")), None)
        credit = next((words(e) for e in _all(element, "media:credit")), None)
        picture = fields.picture(address, base, alt=element.get("alt"), caption=caption, credit=credit)
        if picture is not None:
            return picture, source
    return None, ""
