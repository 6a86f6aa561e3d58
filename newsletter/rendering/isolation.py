"""A reader's value inside a line: a name of the other direction must leave the order of the words around it alone.

What the value is shows only when the mail goes out, so every merge field of a reader's gets its place. In HTML that is
an element whose direction is its content's own (HTML Living Standard, 3.2.6.4: ``dir=auto`` isolates), and behind it
an invisible mark for engines that do not isolate, Word's above all. In text it is a mark on either side (UAX #9, 2.6):
mail programs know marks everywhere, and isolates not. Attributes and addresses get nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from newsletter.message.merge import TOKEN
from newsletter.rendering.shown import Direction
from newsletter.rendering.words import MARK, direction_of

if TYPE_CHECKING:
    from lxml.etree import _Element

_WORD = re.compile(r"\S+")
_ADDRESS = re.compile(r"[/@=]")
_HIDDEN = re.compile(r"display:\s*none")


def in_page(page: _Element, tokens: Collection[str]) -> None:
    """Isolate ``tokens`` wherever they stand in the words of the body."""
    body = page.find("body")
    if body is None or not tokens:
        return
    for element in list(body.iter("*")):
        if element.tag == "style" or _HIDDEN.search(element.get("style", "")):
            continue  # the inbox line is no HTML
        text = element.text or ""
        if any(token in tokens for token in TOKEN.findall(text)):
            element.text = None
            _insert(element, 0, text, tokens, _direction_at(element))
        for child in list(element):
            tail = child.tail or ""
            if any(token in tokens for token in TOKEN.findall(tail)):
                child.tail = None
                _insert(element, element.index(child) + 1, tail, tokens, _direction_at(element))


def _insert(parent: _Element, at: int, text: str, tokens: Collection[str], around: Direction) -> None:
    """Put ``text`` before the child number ``at``, each of its tokens in an element of its own."""
    pieces = re.split(f"({TOKEN.pattern})", text)
    before: list[str] = []

    def flush() -> None:
        words = "".join(before)
        if at == 0:
            parent.text = words
        else:
            parent[at - 1].tail = words
        before.clear()

    for piece in pieces:
        if piece not in tokens:
            before.append(piece)
            continue
        flush()
        span = parent.makeelement("span", {"dir": "auto"})
        span.text = piece
        parent.insert(at, span)
        at += 1
        before.append(MARK[around])
    flush()


def _direction_at(element: _Element) -> Direction:
    for one in (element, *element.iterancestors()):
        if (own := one.get("dir")) in ("ltr", "rtl"):
            return "rtl" if own == "rtl" else "ltr"
    return "ltr"


def in_text(text: str, tokens: Collection[str], around: Direction) -> str:
    """The text part with marks around ``tokens``; a line with letters of its own has its own direction."""
    if not any(token in tokens for token in TOKEN.findall(text)):
        return text
    return "\n".join(in_line(line, tokens, direction_of(line) or around) for line in text.split("\n"))


def in_line(line: str, tokens: Collection[str], around: Direction) -> str:
    """One line with marks around ``tokens``, but not in words that may be addresses."""

    def word(found: re.Match[str]) -> str:
        if _ADDRESS.search(found.group()):
            return found.group()
        return TOKEN.sub(
            lambda one: f"{MARK[around]}{one.group()}{MARK[around]}" if one.group() in tokens else one.group(),
            found.group(),
        )

    return _WORD.sub(word, line)
