"""The mail on screens that are dark against its will: what Outlook and Gmail make of its colours.

Both repaint in CIELAB what the mail says for a light screen. Outlook lets ``[data-ogsc]`` (words) and ``[data-ogsb]``
(grounds) rules win; Gmail reads neither those nor ``prefers-color-scheme``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from newsletter.checks.page import Page
from newsletter.clients import gmail_dark, outlook_com_dark
from newsletter.clients.colours import Colour, Rgb, parse_colour
from newsletter.clients.recolour import Turn

_OGS = re.compile(r"\[data-ogs[cb]\]\s*")


@lru_cache(maxsize=1024)
def _turned(turn: Turn, rgb: Rgb) -> Rgb:
    return turn(Colour(*rgb)).rgb


@dataclass(frozen=True, slots=True)
class Seen:
    """The colours in which an element's own words are seen."""

    words: Rgb
    ground: Rgb


def outlook(page: Page) -> Mapping[Any, Seen]:
    """Every element in Outlook.com and Outlook's apps on a dark screen; overrides are inherited like other colours."""
    light, paint = page.light, outlook_com_dark.PAINT
    overrides = _overrides(page)
    paper = Seen(_turned(paint.text, (0, 0, 0)), _turned(paint.ground, (255, 255, 255)))
    found: dict[Any, Seen] = {}
    for element in page.elements:
        node = element.node
        style = light.style(node)
        above = found.get(node.getparent(), paper)
        words, ground = overrides.get(node, (None, None))
        if words is None:
            own = "color" in style or element.tag == "a"
            words = _turned(paint.text, light.color(node)) if own else above.words
        if ground is None:
            painted = "background-color" in style
            ground = _turned(paint.ground, light.ground(node)) if painted else above.ground
        found[node] = Seen(words, ground)
    return found


def gmail(page: Page) -> Mapping[Any, Seen]:
    """Every element in Gmail's apps on a dark screen."""
    light, paint = page.light, gmail_dark.PAINT
    nodes = [element.node for element in page.elements]
    return {
        node: Seen(_turned(paint.text, light.color(node)), _turned(paint.ground, light.ground(node))) for node in nodes
    }


def _overrides(page: Page) -> dict[Any, tuple[Rgb | None, Rgb | None]]:
    """What the rules for Outlook's dark mode give each element: (words, ground)."""
    import cssselect2

    matcher = cssselect2.Matcher()
    empty = True
    for name, colour, selector in _outlook_rules(page):
        try:
            compiled = cssselect2.compile_selector_list(selector)
        except (cssselect2.SelectorError, NotImplementedError):
            continue
        for one in compiled:
            if one.pseudo_element is None:
                matcher.add_selector(one, (name, colour))
                empty = False
    if empty or page.root is None:
        return {}
    found: dict[Any, tuple[Rgb | None, Rgb | None]] = {}
    for wrapper in cssselect2.ElementWrapper.from_html_root(page.root).iter_subtree():
        matched = matcher.match(wrapper)
        if matched:
            colours = {name: colour for *_, (name, colour) in matched}
            found[wrapper.etree_element] = (colours.get("color"), colours.get("background-color"))
    return found


def _outlook_rules(page: Page) -> Iterator[tuple[str, Rgb, str]]:
    """(property, colour, selector without Outlook's attribute) of each rule that can win there."""
    for sheet in page.styles:
        for one in sheet.declared:
            if one.important and not one.under and "[data-ogs" in one.selector:
                name = "background-color" if one.name == "background" else one.name
                colour = parse_colour(one.value)
                if name in ("color", "background-color") and colour is not None:
                    yield name, colour.rgb, _OGS.sub("", one.selector)
