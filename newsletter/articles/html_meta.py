"""What an HTML page says of itself: JSON-LD, meta elements, the canonical link, ``time`` elements."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from newsletter.articles.schema import is_iso_date
from newsletter.workspace.values import LANGUAGE

_ARTICLE_TYPES = re.compile(r"(?:https?://schema\.org/)?(?:\w*Article|\w*BlogPosting|Report)")
_MOST_NODES = 2000


@dataclass(frozen=True, slots=True)
class Claim:
    """A value that a page states, where it states it, and whether that place is made for it."""

    value: str
    source: str
    confirmed: bool = True


@dataclass(slots=True)
class PageFacts:
    """Everything taken from a page's metadata. ``titles`` are in the order of trust; ``fields`` are article fields.

    ``descriptions`` are what the page says it is about, each with its place.
    """

    titles: list[Claim] = field(default_factory=list)
    fields: dict[str, Claim] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    descriptions: list[tuple[str, str]] = field(default_factory=list)
    link: str | None = None
    base: str | None = None
    image: Claim | None = None
    image_alt: str | None = None

    def say(self, name: str, value: object, source: str, *, confirmed: bool = True) -> None:
        """Keep the first value of an article's field."""
        text = words_of(value)
        if text and name not in self.fields:
            self.fields[name] = Claim(text, source, confirmed)


def words_of(value: object) -> str:
    """A value as one line of text: entities resolved also when they were encoded twice, tags taken out."""
    if not isinstance(value, str):
        return ""
    text = value[:20_000]
    for _ in range(3):
        text = html.unescape(text)
    return " ".join(re.sub(r"</?[A-Za-z][^<>]{0,500}>", "", text).split())


def page_facts(page: HtmlElement) -> PageFacts:
    """Read a page's metadata; what is missing or malformed is simply not there."""
    facts = PageFacts()
    meta = read_meta(page)
    story = _structured(page)
    facts.link = web_address(_attribute(page, "link", "rel", "canonical", "href")) or web_address(meta.get("og:url"))
    facts.base = web_address(next((e.get("href") for e in page.iter("base")), None))
    _titles(page, meta, story, facts)
    if facts.link:
        facts.fields["link"] = Claim(facts.link, "canonical link")
    _people(meta, story, facts)
    _published(page, meta, story, facts)
    facts.descriptions = [
        (words, source)
        for value, source in (
            (story.get("description"), "JSON-LD description"),
            (meta.get("og:description"), "og:description"),
            (meta.get("description"), "meta description"),
        )
        if (words := words_of(value))
    ]
    facts.say("section", meta.get("article:section"), "meta article:section")
    facts.tags = tuple(dict.fromkeys(words for tag in meta.all("article:tag") if (words := words_of(tag))))[:20]
    language = (page.get("lang") or "").strip()
    facts.say("lang", language if LANGUAGE.fullmatch(language) else None, "html lang")
    image = meta.get("og:image") or meta.get("og:image:url") or meta.get("twitter:image")
    if image:
        facts.image = Claim(image.strip(), "meta og:image")
        facts.image_alt = words_of(meta.get("og:image:alt")) or None
    return facts


class Meta:
    """The meta elements of a page by lower-case name or property; ``all`` has every value, ``get`` the first."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def all(self, name: str) -> list[str]:
        """Every value of a name that is not empty, in the order of the page."""
        return [value for key, value in self._pairs if key == name and value.strip()]

    def get(self, name: str) -> str | None:
        """The first value of a name, or None."""
        return next(iter(self.all(name)), None)


def read_meta(page: HtmlElement) -> Meta:
    """Collect a page's meta elements."""
    pairs: list[tuple[str, str]] = []
    for element in page.iter("meta"):
        name = (
            element.get("property") or element.get("name") or element.get("itemprop") or element.get("http-equiv") or ""
        )
        if not (element.get("property") or element.get("name")) and _of_a_part(element):
            continue
        # One element may stand for several vocabularies, and Dublin Core is written with a dot or a colon.
        keys = [re.sub(r"^(dc|dcterms):", r"\1.", key) for key in name.lower().split()]
        pairs += [(key, element.get("content") or "") for key in keys]
    return Meta(pairs)


_PART = re.compile(r"/(?:\w*Object|Person|\w*Organization|Comment|Rating|AggregateRating|Offer|Product|Event|Place)$")


def _of_a_part(element: HtmlElement) -> bool:
    """Whether an ``itemprop`` speaks of a video, a picture or a person on the page, and not of the page."""
    thing = next((above for above in element.iterancestors() if above.get("itemscope") is not None), None)
    return thing is not None and _PART.search((thing.get("itemtype") or "").strip()) is not None


def _attribute(page: HtmlElement, tag: str, key: str, value: str, wanted: str) -> str | None:
    for element in page.iter(tag):
        if value in (element.get(key) or "").lower().split():
            return str(element.get(wanted) or "")
    return None


def web_address(value: str | None) -> str | None:
    """An absolute web address without credentials, or None."""
    text = (value or "").strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    fine = parts.scheme in ("https", "http") and parts.netloc and "@" not in parts.netloc
    return text if fine and not re.search(r"\s", text) else None


def _structured(page: HtmlElement) -> dict[str, Any]:
    """The first JSON-LD object that is an article; {} when there is none or it does not parse."""
    for script in page.iter("script"):
        if (script.get("type") or "").split(";")[0].strip().lower() != "application/ld+json":
            continue
        try:
            data = json.loads(script.text_content())
        except (ValueError, RecursionError):
            continue
        for node in walk_nodes([data], ("@graph",)):
            kinds = node.get("@type")
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if any(isinstance(kind, str) and _ARTICLE_TYPES.fullmatch(kind) for kind in kinds):
                return node
    return {}


def walk_nodes(waiting: list[object], inside: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The objects of JSON-LD, breadth first, those in lists and under the keys ``inside`` too; 2,000 at most."""
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        node = waiting.pop(0)
        if isinstance(node, list):
            waiting = node[:_MOST_NODES] + waiting
        elif isinstance(node, dict):
            yield node
            waiting += [node[key] for key in inside if isinstance(node.get(key), dict | list)]


def _titles(page: HtmlElement, meta: Meta, story: dict[str, Any], facts: PageFacts) -> None:
    claims = [
        (words_of(story.get("headline")), "JSON-LD headline", True),
        (words_of(meta.get("og:title")), "meta og:title", True),
        (words_of(next((t.text_content() for t in page.iter("title")), None)), "title", False),
    ]
    facts.titles = [Claim(*claim) for claim in claims if claim[0]]


def _people(meta: Meta, story: dict[str, Any], facts: PageFacts) -> None:
    """The byline: JSON-LD's authors or ``meta author``. An address or a profile's URL is no name."""
    authors = story.get("author")
    names = []
    for author in authors if isinstance(authors, list) else [authors]:
        name = words_of(author.get("name") if isinstance(author, dict) else author)
        if name and _is_name(name):
            names.append(_without_by(name))
    if names:
        names = list(dict.fromkeys(names))
        together = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        facts.say("byline", together, "JSON-LD author")
    for key in ("author", "article:author"):
        name = words_of(meta.get(key))
        if name and _is_name(name):
            facts.say("byline", _without_by(name), f"meta {key}")


def _is_name(name: str) -> bool:
    return len(name) <= 150 and not re.search(r"https?:|www\.|@|/", name)


def _without_by(name: str) -> str:
    return re.sub(r"^by:?\s+", "", name, flags=re.IGNORECASE)


def _published(page: HtmlElement, meta: Meta, story: dict[str, Any], facts: PageFacts) -> None:
    """The date, only where it is machine-readable and meant: meta, JSON-LD, or the one ``time`` of the page."""
    marked = [t for t in page.iter("time") if t.get("itemprop") == "datePublished" or t.get("pubdate") is not None]
    times = {(t.get("datetime") or "").strip() for t in marked or page.iter("time")} - {""}
    for value, source in (
        (meta.get("article:published_time"), "meta article:published_time"),
        (story.get("datePublished"), "JSON-LD datePublished"),
        (meta.get("datepublished"), "meta datePublished"),
        (next(iter(times)) if len(times) == 1 else None, "time datetime"),
    ):
        text = words_of(value)
        if text and is_iso_date(text):
            facts.say("published", text, source)
