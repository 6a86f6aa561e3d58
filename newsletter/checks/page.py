"""The finished HTML as the checks read it: parsed once, every element knowing its story."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from newsletter.message.reading import CLOSE, OPEN, marked
from newsletter.models import Span

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_UNSEEN = {"head", "style", "script", "title", "noscript"}
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_URL = re.compile(r"(?:https?|mailto|tel):\S+", re.IGNORECASE)
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


class Page:
    """A parsed page. Broken HTML is repaired as a browser would; the raw text is kept beside it."""

    def __init__(self, html: str, spans: Sequence[Span]) -> None:
        self.html = html
        self._spans = spans

    @cached_property
    def _root(self) -> HtmlElement | None:
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
        if self._root is None:
            return ()
        found: list[Element] = []
        article: str | None = None
        for node in self._root.iter():
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
    def visible(self) -> str:
        """The text a reader sees, without what is hidden (the preheader) and without style sheets."""
        if self._root is None:
            return ""
        return " ".join(" ".join(_seen(self._root)).split())


def _seen(node: Any) -> Iterator[str]:
    hidden = not isinstance(node.tag, str) or node.tag in _UNSEEN or _HIDDEN.search(node.get("style", ""))
    if not hidden:
        yield node.text or ""
        for child in node:
            yield from _seen(child)
            yield child.tail or ""


def plain(text: str) -> str:
    """Words alone, in lower case: two texts that read the same are equal."""
    return " ".join(_WORD.findall(text.casefold()))


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, addresses left out."""
    return _WORD.findall(_URL.sub(" ", text).casefold())


def cut(text: str, limit: int = 60) -> str:
    """A text short enough to stand in a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
