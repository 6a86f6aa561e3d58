"""Which sources a home page offers: feeds that it names, WordPress's and Ghost's interfaces, or the usual places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import lxml.html
from lxml.etree import ParserError, XMLSyntaxError

from newsletter.articles.html_meta import words_of
from newsletter.articles.sources import cms, fields

FEED_TYPES = {
    "application/rss+xml": "RSS", "application/atom+xml": "Atom", "application/feed+json": "JSON Feed",
    "application/rdf+xml": "RSS", "text/xml": "feed", "application/xml": "feed", "application/json": "JSON Feed",
}  # fmt: skip
USUAL_PLACES = (
    "/feed/", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/rss", "/rss/", "/feed.json", "/sitemap-news.xml",
    "/news-sitemap.xml",
)  # fmt: skip
"""Paths that are asked for when a home page names no feed; the first that is one is taken."""

_COMMENTS = re.compile(r"comment|kommentar|comentario|commento|reactie|replies", re.I)
_MOST = 50


@dataclass(frozen=True, slots=True)
class Offer:
    """A source that a page names. ``label`` is what kind it is, ``comments`` whether readers write it."""

    kind: str
    url: str
    label: str
    title: str = ""
    comments: bool = False

    def words(self) -> str:
        """``RSS  The Pier: Culture  https://…``."""
        title = f"  {self.title}" if self.title else ""
        return f"{self.label}{title}  {self.url}" + ("  (readers' comments)" if self.comments else "")


def offers_of(text: str, url: str) -> list[Offer]:
    """The sources that a page names, in its order, WordPress first and comments last. Never raises."""
    try:
        page = lxml.html.document_fromstring(text[:2_000_000].encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (ParserError, XMLSyntaxError, ValueError, AssertionError):
        return []
    base = fields.absolute(next((e.get("href") for e in page.iter("base")), None), url) or url
    found: dict[str, Offer] = {}
    for link in page.iter("link"):
        offer = _offer(link.get("rel") or "", link.get("type") or "", link.get("href"), link.get("title") or "", base)
        if offer and len(found) < _MOST:
            found.setdefault(offer.url, offer)
    generator = next((e.get("content") or "" for e in page.iter("meta") if e.get("name") == "generator"), "")
    if generator.startswith("Ghost") and (site := fields.absolute("/", base)):
        ghost = cms.ghost_url(site)
        found[ghost] = Offer("ghost", ghost, "Ghost (needs --key)")
    rank = {"wordpress": 0, "feed": 1, "ghost": 2}
    return sorted(found.values(), key=lambda offer: (offer.comments, rank[offer.kind]))


def _offer(relation: str, kind: str, href: str | None, title: str, base: str) -> Offer | None:
    relations = relation.lower().split()
    address = fields.absolute(href, base)
    if address is None:
        return None
    if "https://api.w.org/" in relations:
        return Offer("wordpress", cms.wordpress_url(address), "WordPress")
    kind = kind.partition(";")[0].strip().lower()
    label = FEED_TYPES.get(kind)
    if "alternate" not in relations or label is None:
        return None
    path = urlsplit(address).path.lower()
    # WordPress calls the JSON of each page, and oEmbed's, alternates too; neither is a feed.
    if (kind == "application/json" and "feed" not in path) or "/wp-json/" in path or "oembed" in address:
        return None
    title = words_of(title)
    return Offer("feed", address, label, title, bool(_COMMENTS.search(f"{title} {path}")))


def usual_places(url: str) -> list[str]:
    """The addresses that are worth a try when a page names nothing."""
    return [urljoin(url, place) for place in USUAL_PLACES]
