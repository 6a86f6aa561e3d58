"""After inlining: did every rule reach every element it matches, and did the right one win?

Counted apart from the inliner: matches come from matching.py, specificity from cssselect, before anything is inlined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from newsletter.errors import RenderError, ThemeError
from newsletter.rendering.css import Rule, split_declarations
from newsletter.rendering.matching import Page

if TYPE_CHECKING:
    from lxml.etree import _Element

Pairs = tuple[tuple[str, str], ...]
"""(property, value) in the inliner's own spelling of values, in the order of the rule."""


@dataclass(frozen=True, slots=True)
class _Selector:
    text: str
    pairs: Pairs
    important: frozenset[str]
    line: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What one element should end up with: the selectors that match it, weakest first, and its own style before."""

    element: _Element
    selectors: list[int]
    own: str


class Expected:
    """What inlining has to achieve on one page."""

    def __init__(self, selectors: tuple[_Selector, ...], wanted: list[_Wanted], file: str) -> None:
        self._selectors = selectors
        self._wanted = wanted
        self._file = file

    def settle(self) -> int:
        """Check every element's style and put it into the order of the cascade; return how many were checked.

        The order matters because the inliner leaves a property at the place where it was set first: a ``padding``
        that a later rule sets again would stand before, and lose to, a ``padding-top`` from between the two.
        Raises RenderError for a declaration that is missing or has another value than the cascade gives it.
        """
        known: dict[tuple[tuple[int, ...], str, str], str] = {}
        for one in self._wanted:
            after = one.element.get("style", "")
            key = (tuple(one.selectors), one.own, after)
            if key not in known:
                known[key] = self._settled(one, after)
            one.element.set("style", known[key])
        return len(self._wanted)

    def _settled(self, one: _Wanted, after: str) -> str:
        landed = dict(split_declarations(after))
        cascade = self._cascade(one)
        for name, (value, selector) in cascade.items():
            if selector is not None and landed.get(name) != value:
                raise self._refusal(one, name, value, landed.get(name), selector)
        ordered = {name: landed.pop(name) for name in cascade if name in landed}
        return ";".join(f"{name}:{value}" for name, value in (ordered | landed).items())

    def _cascade(self, one: _Wanted) -> Mapping[str, tuple[str, _Selector | None]]:
        """Property → (value, the selector that has the last word), weakest first; None for the element's own style."""
        cascade: dict[str, tuple[str, _Selector | None]] = {}
        matching = [self._selectors[number] for number in one.selectors]
        for important in (False, True):
            for selector in matching:
                for name, value in selector.pairs:
                    if (name in selector.important) is important:
                        cascade.pop(name, None)
                        cascade[name] = (value, selector)
        for name, value in split_declarations(one.own):
            cascade.pop(name, None)
            cascade[name] = (value, None)
        return {name: won for name, won in cascade.items() if won[0].lower() != "unset"}

    def _refusal(self, one: _Wanted, name: str, value: str, got: str | None, selector: _Selector) -> RenderError:
        element = f"<{one.element.tag} class={one.element.get('class', '')!r}>"
        where = f"{self._file}:{selector.line}"
        if got is None:
            what = f"{name}: {value} of {selector.text} did not reach {element}"
            return RenderError(what, where=where, fix="simplify the selector, or write the style into the template")
        what = f"{name}: {value} of {selector.text} lost to {name}: {got} on {element}, against the cascade"
        return RenderError(what, where=where, fix="give the two selectors the same number of classes")


def expect(page: _Element, rules: tuple[Rule, ...], pairs: tuple[Pairs, ...], file: str) -> Expected:
    """Match every selector against the page before it is inlined. ``pairs`` belong to ``rules``, one to one."""
    selectors = _compiled(rules, pairs, file)
    wanted: dict[_Element, _Wanted] = {}
    index = Page(page)
    for number, selector in enumerate(selectors):
        for element in index.matching(selector.text):
            if element not in wanted:
                wanted[element] = _Wanted(element, [], element.get("style", ""))
            wanted[element].selectors.append(number)
    return Expected(selectors, list(wanted.values()), file)


@lru_cache(maxsize=32)
def _compiled(rules: tuple[Rule, ...], pairs: tuple[Pairs, ...], file: str) -> tuple[_Selector, ...]:
    """In the order of the cascade: by specificity, then by place in the sheet."""
    from cssselect import SelectorError, parse

    found: list[tuple[tuple[int, int, int], _Selector]] = []
    for rule, values in zip(rules, pairs, strict=True):
        important = frozenset(name for name, value in rule.declarations if value.endswith("!important"))
        for text in rule.selectors:
            try:
                (parsed,) = parse(text)
                one = _Selector(text, values, important, rule.line)
            except SelectorError as error:
                where = f"{file}:{rule.line}"
                raise ThemeError(f"{text} is no selector: {error}", where=where, fix="correct the selector") from error
            found.append((parsed.specificity(), one))
    return tuple(one for _, one in sorted(found, key=lambda pair: pair[0]))
