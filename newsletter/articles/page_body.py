"""Where on a page the story's text is: the element that holds it, and what inside it is not the story.

Two kinds of evidence are weighed against each other: what a content management system marks as the body (its class
or ``itemprop``), and where the running text is. A marked element is believed when it holds most of the running text;
else the smallest element that does.
"""

from __future__ import annotations

import re
from collections import defaultdict

from lxml.html import HtmlElement

from newsletter.articles.page_clutter import link_share
from newsletter.articles.page_words import marks_of

_BODY = re.compile(
    r"(?<![a-z0-9])(?:(?:entry|post|article|story|news|single|td-post|gh|blog-?item|page|node|detail|artikel|text|body|main|main-text|content)"
    r"[-_]{0,2}(?:content|body|text|copy|main-?text|inner-?content|body-?content|body-?text|description|full-?text|inhalt)"
    r"|article-?body|story-?body-?text|story-?text|post-?content|e-content|body-?copy|rich-?text(?:-body)?"
    r"|field-{1,2}(?:name|type)?-?-?body|text-formatted|wysiwyg|mw-parser-output|available-content|body-description"
    r"|articletext|copy|sqs-layout|content__article-body|paragraphs|article-paragraphs|prose)(?![a-z0-9])",
    re.I,
)
_BLOCK = ("p", "pre", "blockquote", "li", "td", "dd", "div", "section", "h2", "h3", "center", "font", "span")
_INLINE_PARENT = frozenset({"p", "pre", "li", "blockquote", "td", "dd"})
_MARKED_SHARE = 0.7
"""The share of the page's best running text that a marked element must hold to be believed."""


def body_root(page: HtmlElement) -> HtmlElement:
    """The element that holds the story's text; the body of the page where nothing stands out.

    The page has no scripts, forms or navigation any more.
    """
    body = next(page.iter("body"), page)
    weight = _weights(body)
    if not weight:
        return body
    dense = _densest(body, weight)
    goal = _held(dense, weight)
    best, best_marks = dense, 0.0
    for element in body.iter("div", "section", "article", "main", "td", "span"):
        rank = priority(element)
        if not rank:
            continue
        held = _held(element, weight)
        if held < _MARKED_SHARE * goal:
            continue
        # Of marked elements the better marked one counts, of equals the inner one: less of the page around it.
        marks = rank + 0.001 * len(list(element.iterancestors()))
        if marks > best_marks:
            best, best_marks = element, marks
    return _split_body(best, weight)


def priority(element: HtmlElement) -> float:
    """How clearly an element is marked as a story: 4 by ``itemprop``, 3 by class, 2 as ``article``, 1 as ``main``."""
    if "articleBody" in (element.get("itemprop") or ""):
        return 4
    if _BODY.search(marks_of(element)) and element.tag not in (
        "article",
        "main",
    ):
        return 3
    if element.tag == "article":
        return 2
    return 1 if element.tag == "main" or element.get("role") == "main" else 0


def _split_body(root: HtmlElement, weight: dict[HtmlElement, float]) -> HtmlElement:
    """The parent of a body that is cut into several pieces of the same class, by advertisements for example."""
    parent = root.getparent()
    if parent is None or parent.tag in ("body", "html") or not root.get("class"):
        return root
    twins = [e for e in parent if e is not root and e.tag == root.tag and e.get("class") == root.get("class")]
    more = sum(_held(twin, weight) for twin in twins)
    return parent if more > 0.15 * _held(root, weight) else root


def _weights(body: HtmlElement) -> dict[HtmlElement, float]:
    """How much running text each paragraph-like element itself holds: its characters outside links, if it is prose."""
    weight: dict[HtmlElement, float] = {}
    for element in body.iter(*_BLOCK):
        own = (element.text or "") + "".join(child.tail or "" for child in element)
        if element.tag in _INLINE_PARENT:
            own += "".join(
                child.text_content()
                for child in element
                if child.tag not in ("a", "ul", "ol", "p", "div", "table", "li")
            )
        elif element.tag == "span":
            continue
        length = len(" ".join(own.split()))
        if length < 25:
            continue
        prose = length if length > 80 or re.search(r"[.!?…:;,。！？，、।۔؟]", own) else length * 0.3
        if element.tag in ("li", "td") and length < 120:
            prose *= 0.4
        weight[element] = prose
    return weight


def _held(element: HtmlElement, weight: dict[HtmlElement, float]) -> float:
    return sum(weight[inner] for inner in element.iter() if inner in weight)


def _densest(body: HtmlElement, weight: dict[HtmlElement, float]) -> HtmlElement:
    """The element with the most running text close below it; its parent when the text is spread over its children."""
    score: dict[HtmlElement, float] = defaultdict(float)
    for element, value in weight.items():
        share = 1.0
        for above in list(element.iterancestors())[:4]:
            score[above] += value * share
            share *= 0.62
    best = max(score, key=lambda e: score[e] * (1 - link_share(e)) * _liking(e), default=body)
    total = sum(weight.values())
    parent = best.getparent()
    while (
        parent is not None
        and parent.tag not in ("body", "html")
        and _held(best, weight) < 0.5 * total
        and _held(parent, weight) > 1.6 * _held(best, weight)
    ):
        best, parent = parent, parent.getparent()
    return best


def _liking(element: HtmlElement) -> float:
    marks = marks_of(element)
    if re.search(r"comment|respond|disqus|footer|sidebar|related|cookie|consent", marks, re.I):
        return 0.2
    return 1.2 if element.tag in ("article", "main") or _BODY.search(marks) else 1.0
