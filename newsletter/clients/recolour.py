"""Putting other colours into a page, as clients do that force dark on a mail: grounds, texts and lines apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import tinycss2

from newsletter.clients.colours import Colour, Lab, as_css, from_lab, parse_attribute, parse_colour, to_lab
from newsletter.clients.declarations import Declaration, parse_style, written
from newsletter.clients.pages import head_of, make

if TYPE_CHECKING:
    from lxml.etree import _Element

Turn = Callable[[Colour], Colour]

_TEXTS = ("color", "-webkit-text-fill-color")
_GROUNDS = ("background", "background-color", "background-image")


@dataclass(frozen=True, slots=True)
class Paint:
    """How colours turn: of grounds, of texts, and of borders (None leaves them)."""

    ground: Turn
    text: Turn
    line: Turn | None = None

    def declaration(self, declaration: Declaration) -> Declaration:
        """The declaration in its new colours, or itself when it has none."""
        turn = self._turn(declaration.name)
        if turn is None:
            return declaration
        tokens = tinycss2.parse_component_value_list(declaration.value)
        return replace(declaration, value=_turned(tokens, turn))

    def attribute(self, name: str, value: str) -> str | None:
        """The value of a ``bgcolor`` or ``color`` attribute in its new colour, or None when it does not change."""
        colour = parse_attribute(value)
        turned = colour and (self.ground if name == "bgcolor" else self.text)(colour)
        return None if turned is None or turned == colour else as_css(turned)

    def _turn(self, name: str) -> Turn | None:
        if name in _TEXTS:
            return self.text
        if name in _GROUNDS:
            return self.ground
        return self.line if name.startswith(("border", "outline")) else None


def turn_lab(change: Callable[[Lab], Lab]) -> Turn:
    """A change of CIELAB as a change of colours; what is transparent stays, and so does how much shines through."""

    def turn(colour: Colour) -> Colour:
        return colour if not colour.alpha else Colour(*from_lab(change(to_lab(colour.rgb))), colour.alpha)

    return turn


def _turned(tokens: Sequence[Any], turn: Turn) -> str:
    parts: list[str] = []
    for token in tokens:
        text = str(token.serialize())
        if token.type in ("ident", "hash", "function"):
            colour = parse_colour(text)
            if colour is not None:
                turned = turn(colour)
                text = text if turned == colour else as_css(turned)
            elif token.type == "function" and token.lower_name.endswith("gradient"):
                text = f"{token.name}({_turned(token.arguments, turn)})"
        parts.append(text)
    return "".join(parts)


# ---- pages ------------------------------------------------------------------------------------------------------

BEFORE = ("color", "background", "@color", "@bgcolor")
"""What ``paint`` may change: two properties of the style attribute and two attributes (``@``)."""


def paint(element: _Element, how: Paint) -> dict[str, str]:
    """Give an element its new colours; the ones before, by what has changed (``BEFORE``)."""
    before: dict[str, str] = {}
    style = element.get("style")
    if style:
        painted, before = _painted(style, how)
        element.set("style", painted)
        before = dict(before)
    for name in ("bgcolor", "color"):
        value = element.get(name, "")
        turned = how.attribute(name, value) if value and (name == "bgcolor" or element.tag == "font") else None
        if turned is not None:
            element.set(name, turned)
            before[f"@{name}"] = value
    return before


@lru_cache(maxsize=4096)
def _painted(style: str, how: Paint) -> tuple[str, dict[str, str]]:
    """A style attribute in new colours, and the declared text and ground before. Nobody may change the mapping."""
    old = parse_style(style)
    new = [how.declaration(one) for one in old]
    before = {}
    for was, now in zip(old, new, strict=True):
        if was.value != now.value:
            before["background" if was.name in _GROUNDS else "color" if was.name in _TEXTS else was.name] = was.value
    return (written(new) if before else style), before


def paint_paper(root: _Element, how: Paint) -> None:
    """The page's own ground, text and links in the new colours, for elements that say nothing."""
    ground, ink, link = how.ground(Colour(255, 255, 255)), how.text(Colour(0, 0, 0)), how.text(Colour(0, 0, 238))
    style = make("style")
    style.text = (
        f":where(html){{background:{as_css(ground)};color:{as_css(ink)}}}:where(a[href]){{color:{as_css(link)}}}"
    )
    head_of(root).insert(0, style)
