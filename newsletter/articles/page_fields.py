"""The fields of a story on a page, each by the best evidence: byline, date, section, tags, language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from lxml.html import HtmlElement

from newsletter.articles.html_meta import Claim, words_of
from newsletter.articles.page_body import priority
from newsletter.articles.page_dates import same_day, stated_date
from newsletter.articles.page_evidence import Evidence, around, outside
from newsletter.articles.page_names import People, people
from newsletter.articles.page_words import marks_of
from newsletter.articles.shape import title_key
from newsletter.workspace.values import LANGUAGE

_META_AUTHORS = ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator",
                 "citation_author", "byl", "cxenseparse:author", "article:author_name")  # fmt: skip
_META_DATES = (
    "article:published_time", "og:article:published_time", "article:published", "datepublished", "parsely-pub-date",
    "sailthru.date", "pubdate", "publishdate", "publish_date", "publish-date", "publication_date", "dc.date.issued",
    "dcterms.issued", "dcterms.created", "dc.date", "dc.date.created", "dcterms.date", "citation_publication_date",
    "citation_date", "cxenseparse:recs:publishtime", "bt:pubdate", "rnews:datepublished", "article.published",
    "originalpublicationdate", "date", "displaydate", "ptime",
)  # fmt: skip
_BYLINE = re.compile(
    r"(?<![a-z])(?:by-?_?lines?|authors?|author-?_?names?|writers?|contributors?|p-author|kolumnist|autor|auteur)(?![a-z])",
    re.I,
)
_NOT_BYLINE = re.compile(
    r"(?<![a-z])(?:bio|about|box|comments?|avatar|image|photo|social|follow|more|credit)(?![a-z])", re.I
)
_PUBLISHED = re.compile(
    r"publish|pubdate|entry-date|posted|created|dt-published|date-?time|timestamp|(?<![a-z])date", re.I
)
_CHANGED = re.compile(r"updated|modified|changed|dt-updated", re.I)


def byline_of(evidence: Evidence) -> tuple[Claim | None, str | None]:
    """The byline, and an agency that stands in its place or beside it."""
    agency: str | None = None
    elements = list(_byline_elements(evidence))
    for texts, source, sure, strict in _author_claims(evidence, elements):
        found = people(texts, sites=evidence.sites, strict=strict)
        agency = agency or found.agency
        if found.names:
            if not sure:
                sure = any(_names_agree(found, people(other, sites=evidence.sites)) for other, _, told, _ in
                           _author_claims(evidence, []) if told)  # fmt: skip
            return Claim(found.byline(evidence.page.get("lang") or "en"), source, sure), agency
    return None, agency


def _names_agree(one: People, other: People) -> bool:
    return {title_key(n) for n in one.names} <= {title_key(n) for n in other.names}


def _author_claims(
    evidence: Evidence, elements: list[tuple[HtmlElement, str]]
) -> Iterator[tuple[list[str], str, bool, bool]]:
    """Texts with names, where they stand, whether that place is made for them, and whether to be strict."""
    linked, meta = evidence.linked, evidence.meta
    for key in ("author", "creator"):
        nodes = linked.nodes(linked.story.get(key))
        persons = [node for node in nodes if "Organization" not in str(node.get("@type"))]
        yield [words_of(node.get("name")) for node in persons], f"JSON-LD {key}", True, False
        others = [node for node in nodes if node not in persons]
        # What calls itself an organisation is an agency at most.
        yield [words for node in others if len(words := words_of(node.get("name"))) <= 6], f"JSON-LD {key}", True, True
    for name in _META_AUTHORS:
        yield [words_of(value) for value in meta.all(name)], f"meta {name}", True, False
    for number in ("1", "2"):
        if re.fullmatch(
            r"written by|author|by|verfasst von|écrit par|escrito por",
            (meta.get(f"twitter:label{number}") or "").strip(),
            re.I,
        ):
            yield [words_of(meta.get(f"twitter:data{number}"))], f"twitter:data{number}", True, False
    for source, sure in (("itemprop author", True), ("rel author", True), ("byline element", False)):
        texts = [_element_words(element) for element, kind in elements if kind == source]
        if source == "byline element":
            yield from (([text], source, sure, True) for text in texts)
        else:
            yield texts, source, sure, True


def _byline_elements(evidence: Evidence) -> Iterator[tuple[HtmlElement, str]]:
    """Elements marked as byline near the headline with how they are marked, those that are made for it first."""
    zone = _zone(evidence)
    if zone is None:
        return
    found = 0
    for element in zone.iter():
        if not isinstance(element.tag, str) or element.tag in _NO_BYLINE:
            continue
        props = (element.get("itemprop") or "").split()
        if "author" in props or "creator" in props:
            kind = "itemprop author"
        elif "author" in (element.get("rel") or "").split():
            kind = "rel author"
        elif _BYLINE.search(marks := _marks(element)) and not _NOT_BYLINE.search(marks):
            kind = "byline element"
        else:
            continue
        words = element.text_content().strip()
        if kind == "byline element" and _in_body(element) and not re.match(r"(?:by|von|par|por)\b", words, re.I):
            continue  # in the text a class such as "author" is often about somebody else
        if 0 < len(words) < 400 and not outside(element):
            yield element, kind
            found += 1
        if found == 20:
            return


_NO_BYLINE = frozenset({"meta", "link", "img", "svg", "script", "style", "article", "body"})


def _in_body(element: HtmlElement) -> bool:
    return any(priority(above) >= 3 for above in element.iterancestors())


def _element_words(element: HtmlElement) -> str:
    """The name in a byline element: its own ``name``, else its words, blocks and links told apart by commas."""
    for inner in element.iter():
        if "name" in (inner.get("itemprop") or "").split() and isinstance(inner.tag, str):
            return words_of(inner.get("content") or inner.text_content())
    texts = []
    for inner in element.iter():
        if inner.tag in ("time", "script", "style", "svg", "button") or not isinstance(inner.tag, str):
            continue
        if inner.text and inner.text.strip():
            texts.append(inner.text)
        if inner is not element and inner.tail and inner.tail.strip():
            texts.append(inner.tail)
    joined = ""
    for text in (" ".join(t.split()) for t in texts):
        glue = (
            ""
            if not joined
            else " "
            if re.search(r"(?:\bby|von|par|por|:|,|and|und|&)$", joined, re.I)
            or re.match(r"(?:,|and\b|und\b|&|et\b|y\b)", text)
            else ", "
        )
        joined += glue + text
    return words_of(joined)


def _marks(element: HtmlElement) -> str:
    return marks_of(element, "data-testid", "data-component")


def _zone(evidence: Evidence) -> HtmlElement | None:
    """The part of the page that is the story with its header: around the headline, else its only ``article``."""
    for heading, _ in evidence.headings[:2]:
        outer = None
        for above in around(heading, 6):
            outer = above
        if outer is not None:
            return outer
    articles = list(evidence.page.iter("article"))
    if len(articles) == 1:
        return articles[0]
    return next((e for e in evidence.page.iter() if "articleBody" in (e.get("itemprop") or "")), None)


def ahead_of(evidence: Evidence, now: datetime | None = None) -> str | None:
    """A date that the page states and that lies in the future, for the editor to know."""
    far = datetime(9999, 1, 1, tzinfo=UTC)
    for value, _ in _dates(evidence):
        if stated_date(value, now) is None and (date := stated_date(value, far)):
            return date
    return None


def date_of(evidence: Evidence, now: datetime | None = None) -> Claim | None:
    """When the story was published: what the page states for machines, never what its words say."""
    found = [(stated_date(value, now), source) for value, source in _dates(evidence)]
    stated = [(date, source) for date, source in found if date]
    if stated:
        first, source = stated[0]
        # The same day, told more exactly, is the better date; another day is a contradiction.
        exact = next((d for d, _ in stated if len(d) > 10 and same_day(d, first)), first)
        agree = all(same_day(first, other) for other, _ in stated)
        return Claim(exact if len(first) == 10 else first, source, agree)
    return _time_element(evidence, now)


def _dates(evidence: Evidence) -> Iterator[tuple[object, str]]:
    story, meta = evidence.linked.story, evidence.meta
    for key in ("datePublished", "dateCreated", "uploadDate"):
        value = story.get(key)
        yield (value[0] if isinstance(value, list) and value else value), f"JSON-LD {key}"
    for name in _META_DATES:
        yield meta.get(name), f"meta {name}"
    for element in evidence.page.iter():
        if "datePublished" in (element.get("itemprop") or "").split() and not outside(element, linked=True):
            value = element.get("datetime") or element.get("content") or element.get("title")
            yield value or " ".join(element.text_content().split()), "itemprop datePublished"
            break


def _time_element(evidence: Evidence, now: datetime | None) -> Claim | None:
    """A ``time`` that is the story's: marked as its publication, or the only one around the headline."""
    zone = _zone(evidence)
    marked: list[str] = []
    plain: list[str] = []
    for element in [] if zone is None else list(zone.iter("time", "abbr", "span")):
        marks = _marks(element)
        value = (
            element.get("datetime") if element.tag == "time" else element.get("title") if "published" in marks else None
        )
        date = stated_date((value or "").strip(), now)
        if date is None or outside(element, linked=True):
            continue
        told = f"{marks} {element.get('itemprop') or ''} {_marks(element.getparent())}"
        if element.get("pubdate") is not None or (_PUBLISHED.search(told) and not _CHANGED.search(marks)):
            marked.append(date)
        elif not _CHANGED.search(told):
            plain.append(date)
    for dates in (marked, plain):
        if dates and all(same_day(dates[0], other) for other in dates):
            return Claim(dates[0], "time datetime")
    if marked and evidence.headings:
        return Claim(marked[0], "time datetime", confirmed=False)
    return None


def section_of(evidence: Evidence) -> Claim | None:
    """The section: meta, JSON-LD."""
    linked, meta = evidence.linked, evidence.meta
    found = [(meta.get(name), f"meta {name}") for name in ("article:section", "parsely-section", "og:article:section")]
    found.insert(1, (next(iter(linked.texts(linked.story.get("articleSection"))), None), "JSON-LD articleSection"))
    for value, source in found:
        words = words_of(value)
        if words and len(words) <= 60:
            return Claim(words, source)
    return None


def tags_of(evidence: Evidence) -> tuple[str, ...]:
    """At most twenty tags: of the first place that has any."""
    linked, meta = evidence.linked, evidence.meta
    places: Iterable[list[str]] = (
        meta.all("article:tag"),
        linked.texts(linked.story.get("keywords")),
        [meta.get("news_keywords") or ""],
        [meta.get("parsely-tags") or ""],
        [meta.get("sailthru.tags") or ""],
    )
    for place in places:
        words = [w for text in place for part in text.split(",") if (w := words_of(part)) and len(w) <= 60]
        if words:
            return tuple(dict.fromkeys(words))[:20]
    return ()


_SCRIPTS = {
    "ar fa ur ps sd ckb ug yi": re.compile(r"[\u0600-\u06ff\u0590-\u05ff]"),
    "hi mr ne sa": re.compile(r"[\u0900-\u097f]"),
    "gu": re.compile(r"[\u0a80-\u0aff]"),
    "zh yue ja ko": re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"),
}


def language_of(evidence: Evidence, text: str) -> Claim | None:
    """The language that the page states, unless its letters say that it cannot be."""
    story, meta = evidence.linked.story, evidence.meta
    for value, source in (
        (evidence.page.get("lang") or evidence.page.get("{http://www.w3.org/XML/1998/namespace}lang"), "html lang"),
        (next(iter(evidence.linked.texts(story.get("inLanguage"))), None), "JSON-LD inLanguage"),
        (meta.get("og:locale"), "og:locale"),
        (meta.get("content-language"), "meta content-language"),
    ):
        code = (value or "").strip().split(",")[0].replace("_", "-")
        if code and LANGUAGE.fullmatch(code) and _can_be(code, text):
            return Claim(code, source)
    return None


def _can_be(code: str, text: str) -> bool:
    letters = re.sub(r"[\W\d_]+", "", text[:3000])
    for codes, script in _SCRIPTS.items():
        if len(letters) > 40 and len(script.findall(letters)) > 0.6 * len(letters):
            return code.split("-")[0].lower() in codes.split()
    return True
