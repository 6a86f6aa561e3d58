"""JSON-LD on a page: which of its objects is this story, and what it says of the site.

Pages carry objects of other stories (lists, recommendations) and of themselves with somebody else's headline. An
article object is believed when its address is this page's, or its headline agrees with what the page shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml.html import HtmlElement

from newsletter.articles.html_meta import walk_nodes, words_of
from newsletter.articles.page_address import same_page
from newsletter.articles.shape import title_key

Node = Mapping[str, Any]

_STORY = re.compile(
    r"(?:https?://schema\.org/)?(?:\w*Article|BlogPosting|LiveBlogPosting|SocialMediaPosting|Report|PodcastEpisode"
    r"|ReviewNewsArticle|CriticReview)"
)
_SITE = re.compile(r"(?:https?://schema\.org/)?(?:WebSite|Organization|NewsMediaOrganization|Corporation|Blog)")
_INSIDE = ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item", "about", "publisher", "isPartOf")
_MOST_NODES = 2000
_MOST_BYTES = 1_000_000
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_WRAPPED = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/)|(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/|;)\s*$"
)


@dataclass(slots=True)
class Linked:
    """What JSON-LD says: ``story`` is {} where no object is about this page; ``other`` that there was one of another.

    ``sites`` are names of the publication, ``boilerplate`` descriptions of it, ``logos`` addresses of its pictures.
    """

    story: Node = field(default_factory=dict)
    other: bool = False
    sites: list[str] = field(default_factory=list)
    boilerplate: list[str] = field(default_factory=list)
    logos: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    by_id: dict[str, Node] = field(default_factory=dict)

    def nodes(self, value: object) -> list[Node]:
        """The objects that a value is, holds or refers to by ``@id``; a bare text is an object with that name."""
        found: list[Node] = []
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one.strip():
                found.append({"name": one})
            elif isinstance(one, dict):
                known = self.by_id.get(str(one.get("@id"))) if len(one) <= 2 else None
                found.append(known or one)
        return found[:50]

    def texts(self, value: object, key: str = "name") -> list[str]:
        """The texts of a value: itself, or the ``key`` of its objects."""
        return [words for node in self.nodes(value) if (words := words_of(node.get(key)))]


def read_linked(page: HtmlElement, urls: Iterable[str], titles: Iterable[str]) -> Linked:
    """Read all JSON-LD of a page. ``urls`` are the page's own addresses, ``titles`` what it shows as its title."""
    linked = Linked()
    stories: list[Node] = []
    for node in _nodes(page):
        kinds = {kind for kind in _listed(node.get("@type")) if isinstance(kind, str)}
        linked.kinds |= {kind.rpartition("/")[2] for kind in kinds}
        if isinstance(node.get("@id"), str) and len(node) > 2:
            linked.by_id.setdefault(node["@id"], node)
        if any(_STORY.fullmatch(kind) for kind in kinds):
            stories.append(node)
        elif any(_SITE.fullmatch(kind) for kind in kinds):
            _site(node, linked)
    story, linked.other = _choose(stories, list(urls), list(titles))
    linked.story = story or {}
    for publisher in linked.nodes(linked.story.get("publisher")):
        _site(publisher, linked)
    return linked


def _site(node: Node, linked: Linked) -> None:
    for key in ("name", "alternateName"):
        linked.sites += linked.texts(node.get(key))
    if description := words_of(node.get("description")):
        linked.boilerplate.append(description)
    linked.logos += addresses(node.get("logo")) + addresses(node.get("image"))


def addresses(value: object) -> list[str]:
    """The addresses of pictures in a value: texts, or objects with ``url`` or ``contentUrl``."""
    found = []
    for one in _listed(value):
        if isinstance(one, str):
            found.append(one.strip())
        elif isinstance(one, dict):
            found += addresses(one.get("url") or one.get("contentUrl"))
        if len(found) > 50:
            break
    return [address for address in found if address]


def _listed(value: object) -> list[Any]:
    return value[:_MOST_NODES] if isinstance(value, list) else [value]


def _nodes(page: HtmlElement) -> Iterator[Node]:
    """Every object of every script, breadth first, with those inside graphs and lists."""
    loaded = (_loaded(script) for script in page.iter("script"))
    return walk_nodes([data for data in loaded if data is not None], _INSIDE)


def _loaded(script: HtmlElement) -> object:
    if (script.get("type") or "").split(";")[0].strip().lower() != "application/ld+json":
        return None
    text = _WRAPPED.sub("", (script.text or "")[:_MOST_BYTES]).strip()
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", text)):
        try:
            return json.loads(attempt, strict=False)  # line breaks inside texts are common
        except (ValueError, RecursionError):
            continue
    return None


def _choose(stories: list[Node], urls: list[str], titles: list[str]) -> tuple[Node | None, bool]:
    """The object about this page, and whether there were only objects about others."""
    best, best_marks = None, 0
    for node in stories:
        own = [node.get("url"), node.get("@id"), node.get("mainEntityOfPage")]
        own += [part.get("@id") or part.get("url") for part in own if isinstance(part, dict)]
        addressed = any(isinstance(a, str) and same_page(a, url) for a in own for url in urls)
        heads = [words_of(node.get(key)) for key in ("headline", "alternativeHeadline", "name")]
        agreed = any(alike(head, title) for head in heads if head for title in titles)
        marks = 2 * agreed + addressed + bool(agreed or addressed)
        if not marks and not any(heads) and len(stories) == 1:
            marks = 1  # an object without a headline contradicts nothing
        if not marks and not titles and len(stories) == 1:
            marks = 1
        if marks > best_marks:
            best, best_marks = node, marks
    return best, best is None and bool(stories)


def alike(one: str, other: str) -> bool:
    """Whether two titles speak of the same: half of the words (or of the pairs of signs) of the shorter one."""
    first, second = _pieces(one), _pieces(other)
    least = min(len(first), len(second))
    return least > 0 and len(first & second) >= max(1, (least + 1) // 2)


def _pieces(text: str) -> set[str]:
    key = title_key(text)
    words = {word for word in re.findall(r"\w+", key) if len(word) > 2}
    if len(words) >= 2 and all(ord(c) < 0x2E80 for c in key):
        return words
    signs = re.sub(r"\W", "", key)
    return {signs[n : n + 2] for n in range(len(signs) - 1)} or {signs} - {""}
