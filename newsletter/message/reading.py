"""The finished HTML as its reader gets it: words, links and pictures, story by story.

What is hidden (the preheader's copy), what only Outlook's Word engine reads and what draws lines is left out. Merge
fields stand as an author writes them, so that another numbering of the tokens is no change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from newsletter.message.merge import TOKEN, field_as_authored
from newsletter.models import MergeField, Span

OPEN, CLOSE = "story:", "/story"
"""What the comments of ``marked`` say: the first is followed by the story's slug."""

_UNSEEN = frozenset(["head", "style", "script", "title", "noscript", "template"])
_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_BREAKS = _HEADINGS | frozenset(
    """address article aside blockquote br caption center dd div dl dt figcaption figure footer header hr li main ol p
    pre section table tbody td tfoot th thead tr ul""".split()  # noqa: SIM905 - thirty one-word lines say no more
)
_CELLS = frozenset(["td", "th"])
_BETWEEN_CELLS = " | "
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\n\r\f]+")  # str.split() would break at no-break spaces too


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading, a row of a table: words that stand on lines of their own, blanks collapsed."""

    text: str
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Where a link leads, and its words; a link around a picture alone has the picture's alt text in ``picture``."""

    href: str
    text: str
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as the page shows it: ``src`` as in the HTML, CSS pixels as text where they are given."""

    src: str
    alt: str
    width: str = ""
    height: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One story, or (``article`` is None) all that stands around the stories: masthead, intro, titles, footer."""

    article: str | None
    blocks: tuple[Block, ...]
    links: tuple[Link, ...]
    pictures: tuple[Shown, ...]

    @property
    def title(self) -> str:
        """A story's first heading, else its first words, else its slug."""
        headings = [block.text for block in self.blocks if block.heading]
        return next(iter([*headings, *(block.text for block in self.blocks)]), self.article or "")

    @property
    def text(self) -> str:
        """All its words."""
        return "\n".join(block.text for block in self.blocks)


def marked(html: str, spans: Sequence[Span]) -> str:
    """The HTML with a comment at each end of each span: a parser carries them to the right place."""
    out: list[str] = []
    at = 0
    for span in sorted(spans, key=lambda s: s.start):
        if at <= span.start < span.end <= len(html):
            out += [
                html[at : span.start],
                f"<!--{OPEN}{span.article}-->",
                html[span.start : span.end],
                f"<!--{CLOSE}-->",
            ]
            at = span.end
    return "".join([*out, html[at:]])


def read_parts(html: str, spans: Sequence[Span], fields: Sequence[MergeField]) -> tuple[Part, ...]:
    """What stands around the stories, then the stories in reading order. Broken HTML is read as a browser would."""
    from lxml import etree
    from lxml import html as lxml_html

    # Without huge_tree libxml2 leaves out what is nested 256 deep, and what is left out would not be compared.
    parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=True)
    reader = _Reader(fields)
    try:
        root = lxml_html.document_fromstring(marked(html, spans).encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # nothing in it at all
        return (reader.part(None),)
    walk = etree.iterwalk(root, events=("start", "end", "comment"))
    for event, node in walk:
        if event == "comment":
            reader.comment(node)
        elif event == "end":
            reader.end(node)
        elif not reader.start(node):
            walk.skip_subtree()
    reader.end_block()
    return tuple(reader.part(article) for article in reader.drafts)


def as_written(text: str, fields: Sequence[MergeField]) -> str:
    """Every merge token as an author writes the field: ``{{ subscriber.first_name | default("reader") }}``."""
    return _filled(text, {field.token: field_as_authored(field) for field in fields})


def _filled(text: str, names: Mapping[str, str]) -> str:
    return TOKEN.sub(lambda found: names.get(found.group(), found.group()), text)


@dataclass(slots=True)
class _Draft:
    blocks: list[Block] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    pictures: list[Shown] = field(default_factory=list)


@dataclass(slots=True)
class _OpenLink:
    """A link whose end has not come: its place among the links, what it says and shows so far."""

    part: _Draft
    place: int
    words: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)


class _Reader:
    """Takes the tree's events in order. ``drafts`` are by article, in the order of their beginning."""

    def __init__(self, fields: Sequence[MergeField]) -> None:
        self.drafts: dict[str | None, _Draft] = {None: _Draft()}
        self._names = {field.token: field_as_authored(field) for field in fields}
        self._draft = self.drafts[None]
        self._words: list[str] = []
        self._heading = False
        self._links: list[_OpenLink] = []
        self._rows: list[bool] = []  # of the tables that are open: whether their rows are lines of text

    def part(self, article: str | None) -> Part:
        """What was read of one story, or of what stands around the stories."""
        draft = self.drafts[article]
        return Part(article, tuple(draft.blocks), tuple(draft.links), tuple(draft.pictures))

    def start(self, node: Any) -> bool:
        """An element begins; False when a reader does not see it."""
        if _is_unseen(node):
            return False
        if node.tag == "table":
            # Tables that only set the page say so; in the others a row is what one reads.
            self._rows.append(node.get("role") != "presentation")
        if node.tag in _CELLS and self._rows and self._rows[-1]:
            if any(map(str.strip, self._words)):
                self._words.append(_BETWEEN_CELLS)
        elif node.tag in _BREAKS:
            self.end_block()
        if node.tag == "img":
            self._show(node)
        elif _is_link(node):
            self._links.append(_OpenLink(self._draft, len(self._draft.links)))
        self._say(node.text)
        return True

    def end(self, node: Any) -> None:
        """An element ends; the text behind it is its parent's."""
        if not _is_unseen(node):
            if _is_link(node):
                self._end_link(node)
            if node.tag in _BREAKS and not (node.tag in _CELLS and self._rows and self._rows[-1]):
                self._heading = node.tag in _HEADINGS
                self.end_block()
            if node.tag == "table":
                self._rows.pop()
        self._say(node.tail)

    def comment(self, node: Any) -> None:
        """A mark of ours begins or ends a story; any other comment says nothing."""
        text = node.text or ""
        if text.startswith(OPEN) or text == CLOSE:
            self.end_block()
            article = text.removeprefix(OPEN) if text.startswith(OPEN) else None
            self._draft = self.drafts.setdefault(article, _Draft())
        self._say(node.tail)

    def end_block(self) -> None:
        """What was said since the last break is a block, unless nobody can see it."""
        text = self._collapsed(self._words)
        self._words.clear()
        if any(character.isprintable() and character != " " for character in text):
            self._draft.blocks.append(Block(text, self._heading))
        self._heading = False

    def _say(self, text: str | None) -> None:
        if text:
            self._words.append(text)
            for link in self._links:
                link.words.append(text)

    def _show(self, node: Any) -> None:
        alt = self._collapsed([node.get("alt", "")])
        source = _filled(node.get("src", ""), self._names)
        self._draft.pictures.append(Shown(source, alt, node.get("width", ""), node.get("height", "")))
        for link in self._links:
            link.pictures.append(alt)

    def _end_link(self, node: Any) -> None:
        done = self._links.pop()
        text = self._collapsed(done.words)
        picture = done.pictures[0] if done.pictures and not text else None
        href = _filled(node.get("href").strip(), self._names)
        done.part.links.insert(done.place, Link(href, text, picture))

    def _collapsed(self, words: Sequence[str]) -> str:
        return _filled(_BLANKS.sub(" ", "".join(words)).strip(" "), self._names)


def _is_unseen(node: Any) -> bool:
    return node.tag in _UNSEEN or "hidden" in node.attrib or bool(_HIDDEN.search(node.get("style", "")))


def _is_link(node: Any) -> bool:
    return node.tag == "a" and bool(node.get("href"))
