"""What stands between a story's headline and its text: the place where pages show who wrote it, and when.

Where exactly differs from system to system: in a header, in a box of its own, in the element of the text. So the
header is told by the order of the page: from the headline until the text has begun.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.articles.page_evidence import Evidence, around, outside
from newsletter.articles.page_words import marks_of

_RAIL = re.compile(r"(?<![a-z])(?:left-?)?rail(?![a-z])", re.I)
_PROSE = 80  # signs; a shorter line is a label, a name, a date
_BEGUN = 600
"""Signs of prose after which a text has begun: more than a standfirst, less than three paragraphs."""
_MOST = 400  # elements
_SHORT_BOX = 25  # words
_NO_PROSE = frozenset({"script", "style", "noscript", "template", "figcaption", "svg", "option", "button"})
BYLINE = re.compile(
    r"(?<![a-z])(?:by-?_?lines?|authors?|author-?_?names?|writers?|contributors?|p-author|kolumnist|autor|auteur)(?![a-z])",
    re.I,
)
FACTS = re.compile(
    r"(?<![a-z])(?:info|meta|meta-?data|details|submitted|credits?|by-?_?lines?|date-?line)(?![a-z])", re.I
)
"""Class and id words of the facts about a story, in its header."""


def header_of(evidence: Evidence) -> list[HtmlElement]:
    """The elements of a story's header in the order of the page: those beside the headline, it, then those below it.

    Nothing where the page has no headline. What belongs to other stories is left out. It is looked for once for as long
    as the page stays as it is: ``evidence.header`` keeps it.
    """
    if evidence.header is None:
        evidence.header = list(_header(evidence))
    return evidence.header


def _header(evidence: Evidence) -> Iterator[HtmlElement]:
    if not evidence.headings:
        return
    heading = evidence.headings[0][0]
    above = list(around(heading, 4))
    before = [
        element
        for element in (above[-1].iter() if above else ())
        if isinstance(element.tag, str) and element not in above
    ]
    for element in before[:_MOST]:
        if element is heading:
            break
        if not outside(element):
            yield element
    yield heading
    read = 0
    own = next(heading.iterancestors("header"), None)
    for count, element in enumerate(_after(heading)):
        if count > _MOST or read > _BEGUN:
            return
        if not isinstance(element.tag, str) or element.tag in _NO_PROSE:
            continue
        texts = [element.text or "", *(child.tail or "" for child in element)]
        longest = max(len(text.strip()) for text in texts)
        if longest >= _PROSE or element.tag == "p":
            size = len(element.text_content().strip())
            read += size if size >= _PROSE else 0
        if not _elsewhere(element, own):
            yield element


def _after(heading: HtmlElement) -> Iterator[HtmlElement]:
    """The elements of the page behind one, in their order."""
    element: HtmlElement | None = heading
    while element is not None and element.tag not in ("body", "html"):
        for beside in element.itersiblings():
            if isinstance(beside.tag, str):
                yield from beside.iter()
        element = element.getparent()


def _elsewhere(element: HtmlElement, own: HtmlElement | None) -> bool:
    """Whether an element belongs to something else.

    What stands in the headline's ``own`` header does not, nor a short box of facts below or beside it.
    """
    if not outside(element) or (own is not None and any(above is own for above in element.iterancestors())):
        return False
    side = element if element.tag in ("aside", "footer") else next(element.iterancestors("aside", "footer"), None)
    if side is None or len(side.text_content().split()) > _SHORT_BOX:
        return True
    if not FACTS.search(marks_of(side)) and not _RAIL.search(marks_of(side)):
        return True
    parent = side.getparent()
    return parent is None or outside(parent)


def marks_in(element: HtmlElement) -> str:
    """The words that say what an element of a header is."""
    return marks_of(element, "data-testid", "data-component")


def zone_of(evidence: Evidence) -> HtmlElement | None:
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
