"""The text part of a body, from the same tree as its HTML: paragraphs at 72 columns, links as words (address)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from newsletter.rendering.settling import BY_CLASS

if TYPE_CHECKING:
    from lxml.html import HtmlElement

WIDTH = 72
"""Columns of a line; an address or a merge field is longer rather than broken."""

_BLOCKS = frozenset(
    """p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre table hr figure figcaption div""".split()  # noqa: SIM905  # as in HTML
)
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_BREAK = "\x0b"
_NARROWEST = 24
"""Columns of a quotation or list; in one that is deeper inside others its text starts where theirs does."""
_RULE = re.compile(r"^-{10,}$", re.MULTILINE)
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


def beyond_latin1(text: str) -> str:
    """The text with at least one character beyond Latin-1: some providers choose the character set from the letters,
    and a value that comes in later may need UTF-8. Its last rule becomes one of dashes, or a dash stands at its end."""
    if any(character > "\u00ff" for character in text):
        return text
    rules = list(_RULE.finditer(text))
    if not rules:
        return f"{text}\n—\n"
    start, end = rules[-1].span()
    return f"{text[:start]}{'—' * ((end - start) // 2)}{text[end:]}"


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
                if several and BY_CLASS not in child.get("class", ""):
                    yield ""
                several = True
                yield from lines
        else:
            inline.append(_inline(child))
        inline.append(child.tail or "")
    yield from paragraph()


def _block(element: HtmlElement, width: int) -> Iterator[str]:
    tag = cast(str, element.tag)
    if width <= _NARROWEST and tag in ("ul", "ol", "li", "blockquote"):
        yield from _blocks(element, width)
    elif tag in ("ul", "ol"):
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
    """The caption, then aligned columns where they fit, else each row as lines of "heading: cell"."""
    rows: list[list[HtmlElement]] = []
    for part in element:
        if part.tag == "caption" and (caption := _collapse(_inner(part))):
            yield from [*wrap(caption, width), ""]
        # Only its own rows: those of a table in a cell are that cell's words.
        own = [part] if part.tag == "tr" else [row for row in part if row.tag == "tr"]
        rows += [[cell for cell in row if cell.tag in ("td", "th")] for row in own]
    table = [[_collapse(_inner(cell)) for cell in row] for row in rows]
    rows = [row for row, words in zip(rows, table, strict=True) if any(words)]
    table = [words for words in table if any(words)]
    if not table:
        return
    count = max(len(words) for words in table)
    headed = len(rows) > 1 and all(cell.tag == "th" for cell in rows[0])
    widths = [max(_columns(words[at]) if at < len(words) else 0 for words in table) for at in range(count)]
    if sum(widths) + 2 * (count - 1) <= width and not any(_BREAK in words for row in table for words in row):
        for number, (row, words) in enumerate(zip(rows, table, strict=True)):
            yield "  ".join(map(_padded, words, row, widths)).rstrip()
            if headed and number == 0:
                yield "  ".join("-" * max(size, 1) for size in widths)
        return
    heads = table[0] if headed else []
    for number, words in enumerate(table[1:] if headed else table):
        if number:
            yield ""
        for at, cell in enumerate(words):
            if cell:
                head = heads[at] if at < len(heads) else ""
                yield from wrap(f"{head}: {cell}" if head else cell, width, "", "  ")


def _padded(words: str, cell: HtmlElement, size: int) -> str:
    room = size - _columns(words)
    left = {"right": room, "center": room // 2}.get(cell.get("align", ""), 0)
    return " " * left + words + " " * (room - left)


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
