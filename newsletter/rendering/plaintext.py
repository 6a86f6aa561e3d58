"""The text part of a body, from the same tree as its HTML: paragraphs at 72 columns, links as words (address)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lxml.html import HtmlElement

WIDTH = 72
"""Columns of a line; an address or a merge field is longer rather than broken."""

_BLOCKS = frozenset(
    """p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre table hr figure figcaption div""".split()  # noqa: SIM905  # as in HTML
)
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_BREAK = "\x0b"
_MAX_BLANK_LINES = re.compile(r"\n{4,}")


def plain_text(tree: HtmlElement, width: int = WIDTH) -> str:
    """The text of a body's tree; "" when there is none."""
    return "\n".join(_blocks(tree, width)).strip("\n")


def tidy(text: str, width: int = WIDTH) -> str:
    """A whole text part: long lines wrapped under their own indentation or mark, no blanks at line ends, at most two
    empty lines in a row. Lines of four or more blanks are taken as set by hand."""
    lines: list[str] = []
    for line in text.splitlines():
        line = line.rstrip()
        if _columns(line) <= width or line.startswith("    "):
            lines.append(line)
            continue
        mark = re.match(r"[ >]*(?:[-*•] |[0-9]{1,3}\. )?", line)
        first = mark.group() if mark else ""
        rest = re.sub(r"[^> ]", " ", first)
        lines.extend(wrap(line[len(first) :], width, first, rest))
    return _MAX_BLANK_LINES.sub("\n\n\n", "\n".join(lines)).strip("\n") + "\n"


def wrap(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of at most ``width`` columns, broken at blanks and between wide (East Asian) characters only.

    ``first`` stands before the first line, ``rest`` before the others. Every ``\\v`` in ``text`` is a line break.
    """
    prefix, following = first, first if rest is None else rest
    lines: list[str] = []
    for piece in text.split(_BREAK):
        line, used, empty = prefix, _columns(prefix), True
        for word, glued in _words(piece):
            size = _columns(word)
            gap = 0 if empty or glued else 1
            if not empty and used + gap + size > width:
                lines.append(line.rstrip())
                line, used, gap = following, _columns(following), 0
            line += " " * gap + word
            used += gap + size
            empty = False
        lines.append(line.rstrip())
        prefix = following
    return lines


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """Words and whether each belongs right behind the one before: wide characters are a word each."""
    for word in filter(None, _BLANKS.split(text)):  # str.split() would break at French no-break spaces too
        if word.isascii() or not any(map(_is_wide, word)):
            yield word, False
            continue
        run = ""
        glued = False
        for character in word:
            if _is_wide(character) and run and _is_opening(character) is False:
                yield run, glued
                run, glued = "", True
            run += character
        yield run, glued


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


def _is_opening(character: str) -> bool:
    """Closing punctuation never starts a line."""
    return character in "、。，．！？：；」』）】》〉〕｝…"


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(one) else 2 if _is_wide(one) else 1 for one in text)


def _blocks(element: HtmlElement, width: int) -> Iterator[str]:
    """The lines of an element's blocks, an empty line between two; text between blocks is a paragraph of its own."""
    inline: list[str] = [element.text or ""]
    several = False

    def paragraph() -> Iterator[str]:
        nonlocal several
        words = _collapse("".join(inline))
        inline.clear()
        if words:
            if several:
                yield ""
            several = True
            yield from wrap(words, width)

    for child in element:
        if child.tag in _BLOCKS:
            yield from paragraph()
            lines = list(_block(child, width))
            if lines:
                if several:
                    yield ""
                several = True
                yield from lines
        else:
            inline.append(_inline(child))
        inline.append(child.tail or "")
    yield from paragraph()


def _block(element: HtmlElement, width: int) -> Iterator[str]:
    tag = cast(str, element.tag)
    if tag in ("ul", "ol"):
        yield from _list(element, width)
    elif tag == "blockquote":
        yield from (f"> {line}".rstrip() for line in _blocks(element, width - 2))
    elif tag == "pre":
        yield from (f"    {line}".rstrip() for line in element.text_content().strip("\n").split("\n"))
    elif tag == "table":
        yield from _table(element, width)
    elif tag == "hr":
        yield "* * *"
    else:
        yield from _blocks(element, width)


def _list(element: HtmlElement, width: int) -> Iterator[str]:
    start = element.get("start", "1")
    number = int(start) if start.isdigit() and len(start) < 9 else 1
    spread = any(child.find("p") is not None for child in element)
    for count, child in enumerate(child for child in element if child.tag == "li"):
        mark = f"{number + count}. " if element.tag == "ol" else "- "
        if count and spread:
            yield ""
        lines = [line for line in _blocks(child, width - len(mark)) if spread or line]
        yield mark + (lines[0] if lines else "")
        yield from ((" " * len(mark) + line).rstrip() for line in lines[1:])


def _table(element: HtmlElement, width: int) -> Iterator[str]:
    """Aligned columns where they fit, else each row as lines of "heading: cell"."""
    rows = [[_collapse(_inner(cell)) for cell in row if cell.tag in ("td", "th")] for row in element.iter("tr")]
    rows = [row for row in rows if any(row)]
    if not rows:
        return
    count = max(len(row) for row in rows)
    rows = [row + [""] * (count - len(row)) for row in rows]
    widths = [max(_columns(row[at]) for row in rows) for at in range(count)]
    headed = element.find(".//th") is not None
    if sum(widths) + 2 * (count - 1) <= width:
        for number, row in enumerate(rows):
            cells = [cell + " " * (size - _columns(cell)) for cell, size in zip(row, widths, strict=True)]
            yield "  ".join(cells).rstrip()
            if headed and number == 0 and len(rows) > 1:
                yield "  ".join("-" * max(size, 1) for size in widths)
        return
    heads = rows[0] if headed and len(rows) > 1 else [""] * count
    for number, row in enumerate(rows[1:] if headed and len(rows) > 1 else rows):
        if number:
            yield ""
        for head, cell in zip(heads, row, strict=True):
            if cell:
                yield from wrap(f"{head}: {cell}" if head else cell, width, "", "  ")


def _inner(element: HtmlElement) -> str:
    parts = [element.text or ""]
    for child in element:
        parts.append(_inline(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _inline(element: HtmlElement) -> str:
    tag = element.tag
    if tag == "br":
        return _BREAK
    if tag == "img":
        alt = element.get("alt", "")
        return f"[{alt}]" if alt else ""
    words = _inner(element)
    if tag == "a":
        return _link(words, element.get("href", ""))
    if tag == "q":
        return f"“{words}”"
    return f" {words} " if tag in _BLOCKS else words


def _link(words: str, address: str) -> str:
    shown = _collapse(words)
    if not address or shown in (address, address.removeprefix("mailto:"), address.removeprefix("tel:")):
        return words
    return f"{words.rstrip()} ({address.removeprefix('mailto:')})" if shown else address


def _collapse(text: str) -> str:
    return _BREAK.join(part.strip() for part in _BLANKS.sub(" ", text).split(_BREAK)).strip(f" {_BREAK}")
