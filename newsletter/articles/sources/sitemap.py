"""Sitemaps with Google's news and image namespaces, and indexes of sitemaps. They list pages, not their text."""

from __future__ import annotations

from datetime import datetime

from newsletter.articles.sources import fields
from newsletter.articles.sources.dates import iso_date
from newsletter.articles.sources.item import Feed, Item
from newsletter.articles.sources.markup import MAX_ITEMS, Element, children, words

MOST_CHILDREN = 3
"""Sitemaps of an index that are read: the news is in the newest."""


def read_sitemap(root: Element, *, url: str, now: datetime) -> Feed:
    """The pages of a sitemap; those of a news sitemap alone when it has any, since other pages are no stories."""
    pages = [e for name, e in children(root) if name == "url"][:MAX_ITEMS]
    items = [(_item(page, url=url, now=now), _is_news(page)) for page in pages]
    some_news = any(news for _, news in items)
    names = [words(e) for page in pages for n, e in _within(page) if n == "news:name"]
    return Feed(
        kind="sitemap",
        items=tuple(item for item, news in items if item.url and (news or not some_news)),
        title=fields.title_of(names[0]) if names else "",
        site=fields.absolute("/", url),
    )


def read_index(root: Element, *, url: str) -> Feed:
    """The sitemaps of an index: those with "news" in their address if there are any, the newest first."""
    found = []
    for name, element in children(root):
        said = {n: words(e) for n, e in children(element)}
        address = fields.absolute(said.get("loc"), url) if name == "sitemap" else None
        # A sitemap index must not send us to another site (sitemaps.org, "Sitemap file location").
        if address and fields.host_of(address) == fields.host_of(url):
            found.append((said.get("lastmod", ""), address))
    news = [entry for entry in found if "news" in entry[1].rpartition("/")[2].lower()]
    # Without dates the order of the index stays.
    newest = sorted(news or found, key=lambda entry: entry[0], reverse=True)
    return Feed(kind="sitemap index", children=tuple(address for _, address in newest[:MOST_CHILDREN]))


def _within(page: Element) -> list[tuple[str, Element]]:
    found = []
    for name, child in children(page):
        found.append((name, child))
        for inside, grandchild in children(child):
            found.append((inside, grandchild))
            found += list(children(grandchild))
    return found


def _is_news(page: Element) -> bool:
    return any(name == "news:news" for name, _ in children(page))


def _item(page: Element, *, url: str, now: datetime) -> Item:
    said: dict[str, str] = {}
    for name, element in _within(page):
        said.setdefault(name, words(element))
    link = fields.absolute(said.get("loc"), url)
    picture = fields.picture(said.get("image:loc"), url, caption=said.get("image:caption"))
    keywords = (said.get("news:keywords") or "").split(",")
    return Item(
        title=fields.title_of(said.get("news:title", "")),
        url=link,
        base=link,
        published=iso_date(said.get("news:publication_date"), now=now),
        updated=iso_date(said.get("lastmod"), now=now),
        tags=fields.tags(keywords),
        lang=fields.language(said.get("news:language")),
        picture=picture,
        picture_source="image:image" if picture else "",
    )
