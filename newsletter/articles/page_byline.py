"""Who wrote a story, by the best evidence that its page has, and an agency that stands in the author's place.

What the page states for machines comes first, then what its header shows in an element that is made for names. A name
in the running text is nobody's byline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.articles.html_meta import Claim, words_of
from newsletter.articles.page_body import priority
from newsletter.articles.page_evidence import Evidence, outside
from newsletter.articles.page_header import BYLINE, FACTS, header_of, marks_in, zone_of
from newsletter.articles.page_names import People, people
from newsletter.articles.shape import title_key

_META_AUTHORS = ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator",
                 "citation_author", "byl", "cxenseparse:author", "article:author_name")  # fmt: skip
_NOT_BYLINE = re.compile(
    r"(?<![a-z])(?:bio|about|box|comments?|avatar|image|photo|social|follow|more|credit)(?![a-z])", re.I
)
_ABOUT = re.compile(r"(?<![a-z])(?:bio|biography|about|description|role|job-?title)(?![a-z])", re.I)


def byline_of(evidence: Evidence) -> tuple[Claim | None, str | None]:
    """The byline, and an agency that stands in its place or beside it."""
    agency: str | None = None
    elements = list(_byline_elements(evidence))
    for texts, source, sure, strict in _author_claims(evidence, elements):
        found = people(texts, sites=evidence.sites, strict=strict)
        agency = agency or found.agency
        if found.names and not (source.startswith("meta ") and _contradicted(found, elements, evidence)):
            if not sure:
                sure = any(_names_agree(found, people(other, sites=evidence.sites)) for other, _, told, _ in
                           _author_claims(evidence, []) if told)  # fmt: skip
            found, source = _as_shown(found, source, elements, evidence)
            return Claim(found.byline(evidence.page.get("lang") or "en"), source, sure), agency
    return _author_box(evidence), agency


def _contradicted(found: People, elements: list[tuple[HtmlElement | str, str]], evidence: Evidence) -> bool:
    """Whether another ``meta`` names somebody else, and the header shows that one: the first is the house's name."""
    shown = _shown(elements, evidence)
    if not shown.names or {title_key(n) for n in shown.names} & {title_key(n) for n in found.names}:
        return False
    others = [people([words_of(v) for v in evidence.meta.all(name)], sites=evidence.sites) for name in _META_AUTHORS]
    return any(other.names and _names_agree(other, shown) for other in others)


def _shown(elements: list[tuple[HtmlElement | str, str]], evidence: Evidence) -> People:
    """Everybody whom the header shows."""
    return people([_element_words(element) for element, _ in elements], sites=evidence.sites, strict=True)


_CREDITS = 4
"""So many names may be all who worked on a story, models and make-up too."""


def _as_shown(
    found: People, source: str, elements: list[tuple[HtmlElement | str, str]], evidence: Evidence
) -> tuple[People, str]:
    """The names that readers see, where the page tells machines many more: those are its credits."""
    if len(found.names) < _CREDITS:
        return found, source
    shown = _shown(elements, evidence)
    if shown.names and len(shown.names) < len(found.names) and _names_agree(shown, found):
        return shown, f"byline element, {source}"
    return found, source


_PROFILE = re.compile(
    r"/(?:authors?|editors|contributors?|staff|people|reporters?|writers?|columnists?|profiles?|journalists?|users?|autore?n?|auteurs?|autor(?:es)?)/[^/?#]{3,}",
    re.I,
)
_BOX = re.compile(r"(?<![a-z])authors?-?_?(?:info|box|bio|card|about|details|profile)?(?:-?_?box)?(?![a-z])", re.I)


def _author_box(evidence: Evidence) -> Claim | None:
    """The one person whom the page marks as an author anywhere, or to whose profile a box about the author links.

    Only asked where nothing else says who wrote the story.
    """
    names: dict[str, str] = {}
    asked = 0
    for element in evidence.page.iter("a", "span", "div", "p"):
        marked = "author" in (element.get("rel") or "").split() or "author" in (element.get("itemprop") or "").split()
        if not marked and not _leads_to_profile(element):
            continue
        asked += 1
        if asked > _MOST_ASKED:
            return None  # so many names are a list of people
        if outside(element) or _of_a_picture(element) or len(element.text_content()) >= _LONG_LINE:
            continue
        for name in people([_element_words(element)], sites=evidence.sites, strict=True).names:
            names.setdefault(title_key(name), name)
    if len(names) != 1:
        return None
    return Claim(next(iter(names.values())), "author named on the page", confirmed=False)


_MOST_ASKED = 60


def _leads_to_profile(link: HtmlElement) -> bool:
    """Whether a link in a box about the author leads to a person's page."""
    return _is_profile(link) and any(_BOX.search(marks_in(above)) for above in list(link.iterancestors())[:4])


def _is_profile(link: HtmlElement) -> bool:
    return link.tag == "a" and _PROFILE.search(link.get("href") or "") is not None


def _in_a_sentence(link: HtmlElement) -> bool:
    paragraph = next(link.iterancestors("p", "li"), None)
    return paragraph is not None and paragraph.text_content().strip() != link.text_content().strip()


_LAST_FIRST = frozenset({"dc.creator", "dcterms.creator", "citation_author"})


def _first_name_first(name: str) -> str:
    """A name as libraries write it, "Reyes, Ada", in its order."""
    found = re.fullmatch(r"([^\W\d_][\w’'-]+), ([^\W\d_][\w’'.-]*(?: [^\W\d_][\w.]*)?)", name)
    return f"{found[2]} {found[1]}" if found else name


def _names_agree(one: People, other: People) -> bool:
    return {title_key(n) for n in one.names} <= {title_key(n) for n in other.names}


def _author_claims(
    evidence: Evidence, elements: list[tuple[HtmlElement | str, str]]
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
        told = [words_of(value) for value in meta.all(name)]
        yield [_first_name_first(text) for text in told] if name in _LAST_FIRST else told, f"meta {name}", True, False
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


def _byline_elements(evidence: Evidence) -> Iterator[tuple[HtmlElement | str, str]]:
    """Elements marked as byline in the header and near the headline with how they are marked, in that order."""
    seen: set[HtmlElement] = set()
    for element in header_of(evidence):
        seen.add(element)
        kind = _byline_kind(element)
        if not kind and (text := _said_in(element)):
            yield text, "byline element"
        if not kind and _is_profile(element) and not _of_a_picture(element) and not _in_a_sentence(element):
            yield element, "byline element"
        if kind and not (_in_body(element) and len(element.text_content()) > _SHORT_LINE and not _says_by(element)):
            yield element, kind
    zone = zone_of(evidence)
    for element in [] if zone is None else zone.iter():
        if not isinstance(element.tag, str) or element in seen or len(seen) > _MOST_ELEMENTS:
            continue
        kind = _byline_kind(element)
        if kind == "byline element" and _in_body(element) and not _says_by(element):
            continue  # in the text a class such as "author" is often about somebody else
        if kind and not outside(element):
            seen.add(element)
            yield element, kind


_SHORT_LINE = 60  # signs
_MOST_ELEMENTS = 1000


def _byline_kind(element: HtmlElement) -> str:
    """How an element is marked as a byline; "" where it is not, is too long for one, or is about a picture."""
    props = (element.get("itemprop") or "").split()
    marks = marks_in(element)
    if "author" in props or "creator" in props:
        kind = "itemprop author"
    elif "author" in (element.get("rel") or "").split():
        kind = "rel author"
    elif BYLINE.search(marks) and not _NOT_BYLINE.search(marks):
        kind = "byline element"
    else:
        return ""
    if element.tag in _NO_BYLINE or not 0 < len(element.text_content().strip()) < 400 or _of_a_picture(element):
        return ""
    inner = [e for e in element.iterdescendants() if isinstance(e.tag, str)] if kind == "byline element" else []
    return "" if any(_ABOUT.search(marks_in(e)) for e in inner) else kind


def _of_a_picture(element: HtmlElement) -> bool:
    """Whether an element is a part of a picture or a film on the page: its author is not the story's."""
    if next(element.iterancestors("figure", "picture", "video"), None) is not None:
        return True
    thing = next((above for above in element.iterancestors() if above.get("itemscope") is not None), None)
    return thing is not None and re.search(r"/\w*Object$", (thing.get("itemtype") or "").strip()) is not None


def _said_in(element: HtmlElement) -> str:
    """A line of the header that is "By Ada Reyes" alone, or stands as "by … / 20 November" among its facts."""
    if next(element.iterdescendants("p", "article", "section"), None) is not None or _of_a_picture(element):
        return ""
    whole = _element_words(element) if len(element.text_content()) < _LONG_LINE else ""
    about = [marks_in(e) for e in (element, *list(element.iterancestors())[:2])]
    if element.tag in _LINES and _BY_ALONE.fullmatch(whole) and not any(_ABOUT.search(marks) for marks in about):
        return whole
    if not FACTS.search(marks_in(element)):
        return ""
    for text in (whole, element.text or "", *(child.tail or "" for child in element)):
        words = " ".join(text.split())
        if len(words) < _LONG_LINE and _BY.match(words):
            return words
    return ""


def _says_by(element: HtmlElement) -> bool:
    return _BY.match(_element_words(element)) is not None


_BY = re.compile(r"(?:(?:posted|written|published) )?(?:by|von|par|por)\b", re.I)
_BY_ALONE = re.compile(r"(?:by|von|par|por)\s+[^\d.!?:]{4,60}", re.I)
_LINES = frozenset({"p", "div", "span", "h2", "h3", "h4", "h5", "a"})
_LONG_LINE = 120  # signs


_NO_BYLINE = frozenset({"meta", "link", "img", "svg", "script", "style", "article", "body"})


def _in_body(element: HtmlElement) -> bool:
    return any(priority(above) >= 3 for above in element.iterancestors())


def _texts(element: HtmlElement) -> Iterator[str]:
    """The pieces of text in an element, in their order, without times and what is no text."""
    if (element.text or "").strip():
        yield element.text
    for inner in element:
        if isinstance(inner.tag, str) and inner.tag not in _NO_TEXT:
            yield from _texts(inner)
        if (inner.tail or "").strip():
            yield inner.tail


_NO_TEXT = frozenset({"time", "script", "style", "svg", "button"})


def _element_words(element: HtmlElement | str) -> str:
    """The name in a byline element: its own ``name``, else its words, blocks and links told apart by commas."""
    if isinstance(element, str):
        return element
    marked = [e for e in element.iter() if isinstance(e.tag, str) and "name" in (e.get("itemprop") or "").split()]
    if marked:
        return ", ".join(words_of(e.get("content") or e.text_content()) for e in marked)
    joined = ""
    for text in (" ".join(t.split()) for t in _texts(element)):
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
