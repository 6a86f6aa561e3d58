"""The finished HTML as the checks read it: parsed once, every element knowing its story."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from newsletter.checks.sheets import Sheet, read_sheet
from newsletter.message.reading import CLOSE, OPEN, marked
from newsletter.models import Span

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from newsletter.clients.cascade import Cascade
    from newsletter.clients.media import Scheme
_UNSEEN = {"head", "style", "script", "title", "noscript"}
_UNREAD = {"style", "script"}
_INLINE = frozenset(
    """a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup
    time tt u var wbr""".split()  # noqa: SIM905 - a list of names reads better unquoted
)
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
# Joiners, soft hyphens and the like: they take a place in the bytes and none on the screen.
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff]")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Element:
    """An element of the page. ``article`` is the slug of the story it belongs to, None outside stories."""

    tag: str
    attributes: dict[str, str]
    article: str | None
    node: Any  # lxml's element; its stubs are not worth a heavy import here

    @property
    def text(self) -> str:
        """All text inside, blanks collapsed."""
        return " ".join("".join(self.node.itertext()).split())


@dataclass(frozen=True, slots=True)
class Run:
    """The visible words that stand directly in an element, without those of its children."""

    element: Element
    text: str


class Page:
    """A parsed page. Broken HTML is repaired as a browser would; the raw text is kept beside it."""

    def __init__(self, html: str, spans: Sequence[Span]) -> None:
        self.html = html
        self._spans = spans

    @cached_property
    def root(self) -> HtmlElement | None:
        """The parsed page; None for an empty one. Comments with a story's slug stand where each story begins."""
        from lxml import etree
        from lxml import html as lxml_html

        marked_html = marked(self.html, self._spans)
        parser = lxml_html.HTMLParser(encoding="utf-8")
        try:
            return lxml_html.document_fromstring(marked_html.encode("utf-8", "replace"), parser=parser)
        except etree.ParserError:  # nothing in it at all
            return None

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """Every element in reading order."""
        if self.root is None:
            return ()
        found: list[Element] = []
        article: str | None = None
        for node in self.root.iter():
            if isinstance(node.tag, str):
                found.append(Element(node.tag, dict(node.attrib.items()), article, node))
            else:
                mark = node.text or ""
                if mark.startswith(OPEN):
                    article = mark.removeprefix(OPEN)
                elif mark == CLOSE:
                    article = None
        return tuple(found)

    def every(self, *tags: str) -> Iterator[Element]:
        """The elements with one of these tags."""
        return (element for element in self.elements if element.tag in tags)

    def first(self, tag: str) -> Element | None:
        """The first element with this tag."""
        return next(self.every(tag), None)

    @cached_property
    def texts(self) -> tuple[tuple[str, str | None], ...]:
        """What the page says, in words and in attributes: (text, article). Style sheets and comments are left out."""
        found: list[tuple[str, str | None]] = []
        for element in self.elements:
            if element.tag in ("style", "script"):
                continue
            found += [(value, element.article) for name, value in element.attributes.items() if name != "style"]
            found.append((element.node.text or "", element.article))
            found += [(child.tail or "", element.article) for child in element.node]
        return tuple(found)

    @cached_property
    def shown(self) -> tuple[Element, ...]:
        """The elements of the body that are not switched off by ``display: none``, on them or around them."""
        unseen: set[Any] = set()
        found = []
        for element in self.elements:
            node = element.node
            hidden = element.tag in _UNSEEN or HIDDEN.search(element.attributes.get("style", ""))
            if hidden or node.getparent() in unseen:
                unseen.add(node)
            else:
                found.append(element)
        return tuple(found)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every piece of visible text with the element it stands in, in reading order."""
        found = []
        for element in self.shown:
            node = element.node
            text = visible_words("".join([node.text or "", *(child.tail or "" for child in node)]))
            if text:
                found.append(Run(element, text))
        return tuple(found)

    @cached_property
    def styles(self) -> tuple[Sheet, ...]:
        """The kept style sheets, without what only Outlook's Word engine reads: that stands in comments."""
        return tuple(read_sheet(element.node.text or "") for element in self.every("style"))

    @cached_property
    def light(self) -> Cascade:
        """Every element's style and colours on a light screen, 600 pixels wide."""
        return self._cascade("light")

    @cached_property
    def dark(self) -> Cascade:
        """The same on a dark screen, in clients that read ``prefers-color-scheme``."""
        return self._cascade("dark")

    def _cascade(self, scheme: Scheme) -> Cascade:
        from lxml import html as lxml_html

        from newsletter.clients.cascade import Cascade

        return Cascade(self.root if self.root is not None else lxml_html.Element("html"), scheme=scheme)

    @cached_property
    def visible(self) -> str:
        """The text a reader sees, without what is hidden (the preheader) and without style sheets."""
        if self.root is None:
            return ""
        return " ".join("".join(_read(self.root, hidden=False)).split())

    @cached_property
    def filtered(self) -> str:
        """The text that a spam filter reads: with the title and with what is hidden, blanks only between blocks."""
        return "" if self.root is None else "".join(_read(self.root, hidden=True))


def _read(node: Any, *, hidden: bool) -> Iterator[str]:
    """The text inside a node, as a reader sees it or, with what is ``hidden``, as a filter does."""
    if isinstance(node.tag, str) and not (
        node.tag in _UNREAD if hidden else node.tag in _UNSEEN or _HIDDEN.search(node.get("style", ""))
    ):
        gap = "" if node.tag in _INLINE else " "
        yield gap + (node.text or "")
        for child in node:
            yield from _read(child, hidden=hidden)
            yield child.tail or ""
        yield gap


def visible_words(text: str) -> str:
    """A text without what has no width, blanks collapsed; empty where nothing is to be seen."""
    return " ".join(_INVISIBLE.sub("", text).split())


def plain(text: str) -> str:
    """Words alone, in lower case: two texts that read the same are equal."""
    return " ".join(_WORD.findall(text.casefold()))


def cut(text: str, limit: int = 60) -> str:
    """A text short enough to stand in a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
