"""Conditional comments as Outlook for Windows reads them: ``<!--[if gte mso 9]> … <![endif]-->``.

The language is Internet Explorer's: a feature with an optional version, ``lt lte gt gte``, ``!``, ``&``, ``|`` and
parentheses. Outlook 2016 and everything after it call themselves ``mso 16``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence

_FEATURES = {"mso": 16.0, "vml": 1.0, "true": 1.0}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
_WORD = re.compile(r"\s*([A-Za-z]+|[0-9]+(?:\.[0-9]+)?|[!&|()])")
_OPEN = r"<!--\[if\s(?P<hidden>[^\]>]*)\]>(?P<bare><!-->|\s*-->)?|<!\[if\s(?P<plain>[^\]>]*)\]>"
_CLOSE = r"(?P<close>(?:<!--\s*)?<!\[endif\](?:--)?>)"
_MARK = re.compile(f"{_OPEN}|{_CLOSE}", re.IGNORECASE)


def condition_holds(condition: str) -> bool:
    """Whether Outlook for Windows takes ``gte mso 9``; what it cannot read does not hold."""
    words = []
    at = 0
    condition = condition.strip()
    while at < len(condition):
        found = _WORD.match(condition, at)
        if found is None:
            return False
        words.append(found[1].lower())
        at = found.end()
    reader = _Reader(words)
    try:
        held = reader.any_of()
    except (IndexError, ValueError, RecursionError):
        return False
    return held and not reader.left


class _Reader:
    """A condition read word by word; IndexError and ValueError say that it is none."""

    def __init__(self, words: Sequence[str]) -> None:
        self.left = list(words)

    def any_of(self) -> bool:
        held = self.all_of()
        while self.left[:1] == ["|"]:
            self.left.pop(0)
            held = self.all_of() or held
        return held

    def all_of(self) -> bool:
        held = self.one()
        while self.left[:1] == ["&"]:
            self.left.pop(0)
            held = self.one() and held
        return held

    def one(self) -> bool:
        word = self.left.pop(0)
        if word == "!":
            return not self.one()
        if word == "(":
            held = self.any_of()
            if self.left.pop(0) != ")":
                raise ValueError(word)
            return held
        compare = _COMPARE.get(word)
        feature = self.left.pop(0) if compare else word
        if not feature.isalpha() or feature in _COMPARE:
            raise ValueError(feature)
        ours = _FEATURES.get(feature)
        version = self.left.pop(0) if self.left and self.left[0][0].isdigit() else None
        if compare and version is None:
            raise ValueError(feature)
        if ours is None or version is None:
            return ours is not None
        return compare(ours, float(version)) if compare else int(ours) == int(float(version))


def resolve(html: str) -> tuple[str, int]:
    """The page as Outlook for Windows reads it, and how many parts for others it leaves out.

    A comment that is never closed stays a comment.
    """
    out: list[str] = []
    left_out = at = 0
    stack: list[bool] = []
    for mark in _MARK.finditer(html):
        shown = all(stack)
        if mark["close"]:
            if not stack:
                continue
            out.append(html[at : mark.start()] if shown else "")
            stack.pop()
        else:
            out.append(html[at : mark.start()] if shown else "")
            condition = mark["plain"] if mark["hidden"] is None else mark["hidden"]
            held = condition_holds(condition)
            left_out += shown and not held
            stack.append(held)
        at = mark.end()
    if stack:
        return html, 0
    out.append(html[at:])
    return "".join(out), left_out
