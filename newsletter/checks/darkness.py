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
from newsletter.clients.colours import Rgb, from_lab, parse_colour, to_lab

_OGS = re.compile(r"\[data-ogs[cb]\]\s*")


@lru_cache(maxsize=1024)
def in_outlook(rgb: Rgb) -> Rgb:
    """Lightness is turned round and kept above a fifth: white becomes L 21, black 100 (measured in Outlook.com)."""
    lightness, a, b = to_lab(rgb)
    return from_lab(((100 - lightness) * 0.78753 + 21.247, a, b))


@lru_cache(maxsize=1024)
def ground_in_gmail(rgb: Rgb) -> Rgb:
    """Light grounds are mirrored, dark ones stay (measured in Gmail's apps): white becomes L 12.5."""
    lightness, a, b = to_lab(rgb)
    return from_lab((50 - (lightness - 50) * 0.75, a * 0.8, b * 0.8)) if lightness >= 50 else rgb


@lru_cache(maxsize=1024)
def words_in_gmail(rgb: Rgb) -> Rgb:
    """Dark words are mirrored, light ones stay: black becomes L 87.5."""
    lightness, a, b = to_lab(rgb)
    return from_lab((50 + (50 - lightness) * 0.75, a * 0.8, b * 0.8)) if lightness < 50 else rgb


@dataclass(frozen=True, slots=True)
class Seen:
    """The colours in which an element's own words are seen."""

    words: Rgb
    ground: Rgb


def outlook(page: Page) -> Mapping[Any, Seen]:
    """Every element in Outlook.com and Outlook's apps on a dark screen; overrides are inherited like other colours."""
    light = page.light
    overrides = _overrides(page)
    found: dict[Any, Seen] = {}
    for element in page.elements:
        node = element.node
        style = light.style(node)
        above = found.get(node.getparent()) or Seen(in_outlook((0, 0, 0)), in_outlook((255, 255, 255)))
        words, ground = overrides.get(node, (None, None))
        if words is None:
            own = "color" in style or element.tag == "a"
            words = in_outlook(light.color(node)) if own else above.words
        if ground is None:
            ground = in_outlook(light.ground(node)) if "background-color" in style else above.ground
        found[node] = Seen(words, ground)
    return found


def gmail(page: Page) -> Mapping[Any, Seen]:
    """Every element in Gmail's apps on a dark screen."""
    light = page.light
    return {
        element.node: Seen(words_in_gmail(light.color(element.node)), ground_in_gmail(light.ground(element.node)))
        for element in page.elements
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
