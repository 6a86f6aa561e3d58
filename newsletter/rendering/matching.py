"""Which elements a selector matches, by an index of the page: the self-check's own count, faster than XPath.

Knows tags, classes, ids, ``[name]`` and ``[name=value]``, and the combinators for descendants and children; for
anything else it asks cssselect.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lxml.etree import _Element

_PART = re.compile(
    r"(?P<tag>[a-zA-Z][a-zA-Z0-9]*)?(?P<rest>(?:[.#][A-Za-z_][\w-]*|\[[a-zA-Z-]+(?:=[A-Za-z0-9_-]+)?\])*)"
)
_SIMPLE = re.compile(r"\.(?P<class>[\w-]+)|#(?P<id>[\w-]+)|\[(?P<name>[a-zA-Z-]+)(?:=(?P<value>[\w-]+))?\]")
_COMBINATOR = re.compile(r"\s*(>)\s*|\s+")


@dataclass(frozen=True, slots=True)
class Compound:
    """``td.row.first[dir=rtl]``: one element's worth of a selector. ``attributes``' value None means any."""

    tag: str
    classes: tuple[str, ...]
    attributes: tuple[tuple[str, str | None], ...]
    child: bool
    """Whether the compound before it must match the parent, rather than any ancestor."""


class Page:
    """The elements of a page by class and by tag, in document order."""

    def __init__(self, root: _Element) -> None:
        self.root = root
        self.by_class: dict[str, list[_Element]] = defaultdict(list)
        self.by_tag: dict[str, list[_Element]] = defaultdict(list)
        self.classes: dict[_Element, frozenset[str]] = {}
        for element in root.iter("*"):
            names = frozenset(element.get("class", "").split())
            self.classes[element] = names
            self.by_tag[element.tag].append(element)
            for name in names:
                self.by_class[name].append(element)

    def matching(self, selector: str) -> Sequence[_Element]:
        """The elements that a selector matches. Raises cssselect's SelectorError for what is no selector."""
        compounds = compounds_of(selector)
        if compounds is None:
            return cast("Sequence[_Element]", _by_xpath(selector)(self.root))
        return [element for element in self._candidates(compounds[-1]) if self._holds(element, compounds)]

    def _candidates(self, last: Compound) -> Sequence[_Element]:
        if last.classes:
            return min((self.by_class.get(name, []) for name in last.classes), key=len)
        return self.by_tag.get(last.tag, []) if last.tag else list(self.classes)

    def _holds(self, element: _Element, compounds: tuple[Compound, ...]) -> bool:
        last = compounds[-1]
        if not self._fits(element, last):
            return False
        if len(compounds) == 1:
            return True
        above = compounds[:-1]
        parent = element.getparent()
        while parent is not None:
            if self._holds(parent, above):
                return True
            if last.child:
                return False
            parent = parent.getparent()
        return False

    def _fits(self, element: _Element, one: Compound) -> bool:
        if one.tag and element.tag != one.tag:
            return False
        if not self.classes[element].issuperset(one.classes):
            return False
        return all(
            element.get(name) is not None if value is None else element.get(name) == value
            for name, value in one.attributes
        )


@lru_cache(maxsize=1024)
def compounds_of(selector: str) -> tuple[Compound, ...] | None:
    """The compounds of a selector, outermost first; None when it says more than this module knows."""
    found: list[Compound] = []
    at = 0
    child = False
    text = selector.strip()
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or part.end() == at:
            return None
        found.append(_compound(part["tag"] or "", part["rest"], child))
        at = part.end()
        if at < len(text):
            combinator = _COMBINATOR.match(text, at)
            if combinator is None or combinator.end() == len(text):
                return None
            child = combinator[1] is not None
            at = combinator.end()
    return tuple(found) or None


def _compound(tag: str, rest: str, child: bool) -> Compound:
    classes: list[str] = []
    attributes: list[tuple[str, str | None]] = []
    for simple in _SIMPLE.finditer(rest):
        if simple["class"]:
            classes.append(simple["class"])
        elif simple["id"]:
            attributes.append(("id", simple["id"]))
        else:
            attributes.append((simple["name"].lower(), simple["value"]))
    return Compound(tag.lower(), tuple(classes), tuple(attributes), child)


@lru_cache(maxsize=256)
def _by_xpath(selector: str) -> Callable[[object], object]:
    from lxml.cssselect import CSSSelector

    return cast("Callable[[object], object]", CSSSelector(selector))
