"""Everything that a page says of itself, gathered once: meta elements, JSON-LD, marked elements, its headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from newsletter.articles.html_meta import Meta, read_meta, words_of
from newsletter.articles.page_address import is_home, joined, site_of, without_counters
from newsletter.articles.page_linked import Linked, read_linked
from newsletter.articles.page_words import marks_of
from newsletter.articles.shape import title_key

ELSEWHERE = re.compile(
    r"(?<![a-z])(?:related|recirc\w*|recommend\w*|sidebar|widget(?!_)|comments?|commentlist|respond|disqus|trending|most-?read"
    r"|popular|promo|teasers?|cards?|footer|nav|menu|breadcrumbs?|more-?(?:stories|news|from)|latest|also-?read|read-?more"
    r"|newsletter|river|feed|carousel|next-?up|up-?next)(?![a-z])",
    re.I,
)
"""Class and id words of what belongs to other stories, or to nobody."""

SEPARATORS = re.compile(r"\s(?:[|–—·•:»›«/-]|--|::)\s|\s?[|»›]\s?")
"""What stands between a headline and the name of the site."""

_OUTSIDE = frozenset({"aside", "nav", "footer", "form", "template", "noscript"})


@dataclass(slots=True)
class Evidence:
    """A page as its readers look at it. ``link`` is its canonical address, ``base`` what its addresses are joined to.

    ``headings`` are its ``h1`` with their words, those with the site's name apart; ``sites`` names of the publication.
    ``header`` is what ``page_header`` found; whoever takes elements out of the page sets it to None.
    """

    page: HtmlElement
    url: str
    base: str
    link: str
    link_source: str
    meta: Meta
    linked: Linked
    sites: list[str]
    title: str
    headings: list[tuple[HtmlElement, str]]
    header: list[HtmlElement] | None = None


def gather(page: HtmlElement, url: str) -> Evidence:
    """Read a page that was fetched from ``url``."""
    meta = read_meta(page)
    href = next((e.get("href") for e in page.iter("base") if e.get("href")), None)
    base = joined(url, href) or url if href else url
    canonical = joined(base, next((e.get("href") or "" for e in page.iter("link") if _canonical(e)), ""))
    link, source = _link(url, [(canonical, "canonical link"), (joined(base, meta.get("og:url") or ""), "og:url")])
    title = words_of(next((t.text_content() for t in page.iter("title") if not _in_drawing(t)), None))
    headings = [(h1, words) for h1 in page.iter("h1") if (words := heading_words(h1)) and not outside(h1)]
    shown = [words for _, words in headings]
    shown += [words_of(meta.get(name)) for name in ("og:title", "twitter:title")]
    linked = read_linked(page, {url, link, canonical} - {""}, [words for words in (title, *shown) if words])
    sites = _sites(meta, linked, url, title, [words for _, words in headings])
    keys = {title_key(site) for site in sites}
    headings = [(h1, words) for h1, words in headings if title_key(words) not in keys and not _is_logo(h1)]
    if not headings:
        headings = _lower_headings(page, [title, *shown])
    return Evidence(page, url, base, link, source, meta, linked, sites, title, headings)


def heading_words(heading: HtmlElement) -> str:
    """A heading's words; of words that only screen readers hear, a permalink sign and a line break's gap, none."""
    parts: list[str] = []
    for element in heading.iter():
        if not isinstance(element.tag, str):
            continue
        hidden = re.search(r"(?<![a-z])(?:sr-only|screen-reader|visually-?hidden|headerlink|anchor)", marks_of(element))
        parts.append(" " if element.tag == "br" else "")
        if not hidden and element.tag not in ("script", "style"):
            parts.append(element.text or "")
        if element is not heading:
            parts.append(element.tail or "")
    return words_of("".join(parts)).strip(" ¶#")


def outside(element: HtmlElement, *, linked: bool = False) -> bool:
    """Whether an element belongs to other stories, comments or the site; with ``linked`` also inside a link to one."""
    above: HtmlElement | None = element
    while above is not None and above.tag not in ("body", "html"):
        if above.tag in ("article", "main") and next(above.iter("h1"), None) is not None:
            return False  # the story itself, whatever stands around it is called
        if above.tag in _OUTSIDE or (linked and above.tag == "a" and above is not element):
            return True
        if above.tag not in ("article", "main") and ELSEWHERE.search(marks_of(above)) and not _is_trunk(above):
            return True
        above = above.getparent()
    return False


def _is_trunk(element: HtmlElement) -> bool:
    """Whether an element holds most of the page's paragraphs: then "right-sidebar" says how the page is laid out."""
    few = next(islice(element.iter("p"), 2, None), None) is None
    if few or _OF_READERS.search(marks_of(element)):
        return False
    inside = _words_in(element)
    return inside >= _LEAST_TRUNK and 2 * inside > _words_in(element.getroottree().getroot())


def _words_in(element: HtmlElement) -> int:
    return sum(len(p.text_content()) for p in islice(element.iter("p"), _MOST_PARAGRAPHS))


_OF_READERS = re.compile(r"comment|respond|disqus|related|recommend", re.I)
_LEAST_TRUNK = 300  # signs
_MOST_PARAGRAPHS = 500


def around(element: HtmlElement, levels: int = 5) -> Iterator[HtmlElement]:
    """The elements around a headline, the nearest first, that can be a story's header; never the whole body."""
    for above in list(element.iterancestors())[:levels]:
        if above.tag in ("body", "html"):
            return
        yield above
        if above.tag in ("article", "main"):
            return


def _lower_headings(page: HtmlElement, titles: list[str]) -> list[tuple[HtmlElement, str]]:
    """Without an ``h1``: an ``h2`` or ``h3`` that is one of the page's titles, or a part of one."""
    pieces = {title_key(piece) for title in titles for piece in (title, *SEPARATORS.split(title))}
    found = [(h, heading_words(h)) for h in page.iter("h2", "h3")]
    return [(h, words) for h, words in found if len(words) > 8 and title_key(words) in pieces and not outside(h)][:1]


def _canonical(element: HtmlElement) -> bool:
    return "canonical" in (element.get("rel") or "").lower().split()


def _in_drawing(element: HtmlElement) -> bool:
    return next(element.iterancestors("svg"), None) is not None


def _is_logo(heading: HtmlElement) -> bool:
    marks = marks_of(heading).lower()
    return re.search(r"(?<![a-z])(?:logo|site-?(?:title|name)|masthead|brand)(?![a-z])", marks) is not None


def _link(url: str, claims: list[tuple[str, str]]) -> tuple[str, str]:
    """The page's own address: what it claims, on the same site, and not a front page for a story."""
    for claim, source in claims:
        if claim and site_of(claim) == site_of(url) and (not is_home(claim) or is_home(url)):
            return claim.split("#")[0], source
    return without_counters(url), "the address"


def _sites(meta: Meta, linked: Linked, url: str, title: str, shown: list[str]) -> list[str]:
    names = [
        words_of(meta.get(key)) for key in ("og:site_name", "application-name", "apple-mobile-web-app-title", "cre")
    ]
    names += [words_of((meta.get("twitter:site") or "").lstrip("@")), *linked.sites]
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    label = site_of(url).split(".")[0]
    bare = re.sub(r"[^a-z0-9]", "", label)
    pieces = SEPARATORS.split(title)
    if len(pieces) > 1:
        # A heading that is the last part of the title is the name of the site, as on every page of it.
        last = title_key(pieces[-1])
        names += [pieces[-1].strip() for heading in shown[:1] if title_key(heading) == last]
    for piece in pieces:
        # A part of the title that is the host's name, "The Quay Post" at quaypost.example, is the site's.
        folded = re.sub(r"[^a-z0-9]", "", piece.lower().removeprefix("the "))
        if bare and len(folded) > 3 and (folded in (bare, re.sub(r"[^a-z0-9]", "", host)) or bare == "the" + folded):
            names.append(piece.strip())
    names += [host, label]
    return list(dict.fromkeys(name for name in names if name))
