"""RSS 0.9x, 1.0 (RDF) and 2.0, with the modules that newsrooms use: content, dc, media, itunes, atom, feedburner."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime

from newsletter.articles.sources import fields
from newsletter.articles.sources.dates import iso_date
from newsletter.articles.sources.item import Feed, Item
from newsletter.articles.sources.markup import (
    MAX_ITEMS,
    Element,
    children,
    inner,
    name_of,
    words,
    xml_base,
    xml_lang,
)
from newsletter.models import Picture

Named = defaultdict[str, list[Element]]


def read_rss(root: Element, *, url: str, now: datetime) -> Feed:
    """The items of an RSS feed in its own order. Never raises: what an item lacks, it lacks."""
    channel = next((e for name, e in children(root) if name == "channel"), root)
    facts = _named(channel)
    site = fields.absolute(_first(facts, "link"), url)
    lang = fields.language(_first(facts, "language"), _first(facts, "dc:language"), xml_lang(channel))
    # In RSS 0.9 and 1.0 the items stand beside the channel, in others in it; some write both.
    elements = [e for name, e in children(channel) if name == "item"]
    elements += [e for name, e in children(root) if name == "item"] if channel is not root else []
    return Feed(
        kind="RSS",
        items=tuple(_item(e, url=url, site=site, now=now) for e in elements[:MAX_ITEMS]),
        title=fields.title_of(_first(facts, "title")),
        site=site,
        lang=lang,
        ttl=_number(_first(facts, "ttl")),
        skip_hours=frozenset(_number(words(hour)) % 24 for e in facts["skipHours"] for _, hour in children(e)),
    )


def _named(parent: Element) -> Named:
    """The children by name; what ``media:group`` and ``media:content`` hold counts as the item's own."""
    found: Named = defaultdict(list)
    for name, child in children(parent):
        found[name].append(child)
        if name == "media:group":
            for inside, grandchild in children(child):
                found[inside].append(grandchild)
    return found


def _first(found: Named, *names: str) -> str:
    return next((text for name in names for element in found[name] if (text := words(element))), "")


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,6}", text.strip()) else 0


def _item(element: Element, *, url: str, site: str | None, now: datetime) -> Item:
    found = _named(element)
    declared = xml_base(element)
    # A feed that another host serves (FeedBurner) has links that are relative to the site, not to that host.
    own = url if not site or fields.host_of(site) == fields.host_of(url) else site
    guid, permalink = _guid(found)
    link = _link(found, permalink, declared or own)
    base = declared or link or own
    picture, source = _picture(found, base)
    return Item(
        title=fields.title_of(_first(found, "title", "media:title", "itunes:title", "dc:title")),
        guid=guid,
        url=link,
        base=base,
        content=next((inner(e) for e in found["content:encoded"] if words(e)), _xhtml(found)),
        summary=next(
            (text for name in ("description", "itunes:summary", "media:description", "dc:description")
             for e in found[name] if (text := inner(e))), ""
        ),
        published=iso_date(
            _first(found, "pubDate", "dc:date", "dcterms:created", "dcterms:issued", "atom:published"), now=now
        ),
        updated=iso_date(_first(found, "atom:updated", "dcterms:modified"), now=now),
        authors=fields.names(words(e) for name in ("dc:creator", "author", "itunes:author") for e in found[name]),
        tags=fields.tags(words(e) for name in ("category", "dc:subject", "media:category") for e in found[name]),
        lang=fields.language(_first(found, "dc:language"), xml_lang(element)),
        picture=picture,
        picture_source=source,
    )  # fmt: skip


def _xhtml(found: Named) -> str:
    return next((inner(e) for name in ("xhtml:body", "xhtml:div") for e in found[name]), "")


def _guid(found: Named) -> tuple[str | None, str | None]:
    """The guid, and the same when it is a permalink: in RSS 2.0 that is what it is unless the feed says no."""
    for element in found["guid"]:
        if text := words(element):
            is_link = (element.get("isPermaLink") or "true").strip().lower() != "false"
            return text, text if is_link and re.match(r"https?://", text) else None
    return None, None


def _link(found: Named, permalink: str | None, base: str) -> str | None:
    """FeedBurner's original link, the link, an Atom link in RSS, the guid that is a link."""
    said = [*(words(e) for e in found["feedburner:origLink"]), *(words(e) for e in found["link"])]
    said += [e.get("href") for e in found["atom:link"] if (e.get("rel") or "alternate") == "alternate"]
    return next((address for text in [*said, permalink] if (address := fields.absolute(text, base))), None)


def _shows(content: Element) -> bool:
    sized = bool(content.get("width"))
    return fields.is_image(content.get("url"), content.get("type"), content.get("medium"), sized=sized)


def _picture(found: Named, base: str | None) -> tuple[Picture | None, str]:
    """media:content, media:thumbnail, enclosure, itunes:image, in this order; the widest of those with a width."""
    contents = [e for e in found["media:content"] if _shows(e)]
    contents.sort(key=lambda e: -min(2000, _number(e.get("width") or "")))
    candidates = [(e, e.get("url"), "media:content") for e in contents]
    for content in found["media:content"]:
        candidates += [
            (e, e.get("url"), "media:thumbnail") for name, e in children(content) if name == "media:thumbnail"
        ]
    candidates += [(e, e.get("url"), "media:thumbnail") for e in found["media:thumbnail"]]
    candidates += [
        (e, e.get("url"), "enclosure") for e in found["enclosure"] if fields.is_image(e.get("url"), e.get("type"))
    ]
    candidates += [(e, e.get("href") or e.get("url"), "itunes:image") for e in found["itunes:image"]]
    for element, address, source in candidates:
        said = {name_of(e): words(e) for e in element if isinstance(e.tag, str)}
        about = {**{n: _first(found, n) for n in ("media:title", "media:description", "media:credit")}, **said}
        picture = fields.picture(
            address,
            base,
            alt=element.get("alt"),
            caption=about.get("media:description"),
            credit=about.get("media:credit"),
        )
        if picture is not None:
            return picture, source
    return None, ""
