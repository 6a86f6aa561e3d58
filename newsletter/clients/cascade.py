"""The cascade of a finished page: what each element's style is after all rules, and the colours that are seen.

Follows CSS Cascade 4 as far as mail goes: rules by importance, specificity and order, the style attribute, the
attributes that stand for styles (``bgcolor``, ``<font color>``), what a browser gives elements by itself, media
queries, inheritance of text. Not followed: variables, layers, ``:hover`` and whatever needs a layout, so an
element that is moved over another by its position keeps the ground that it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import cssselect2
import tinycss2

from newsletter.clients.colours import TRANSPARENT, Colour, Rgb, over, parse_attribute, parse_colour
from newsletter.clients.declarations import Declaration, declarations_of, longhands, parse_style
from newsletter.clients.media import Scheme, Screen, holds

if TYPE_CHECKING:
    from lxml.etree import _Element

Style = Mapping[str, str]
Pairs = tuple[tuple[str, str], ...]
"""(property, value) in their order; a rule has two, without and with ``!important``."""

_NOTHING: Style = MappingProxyType({})
_NO_PAIRS: tuple[Pairs, Pairs] = ((), ())
_HEADS = {"h1": "2em", "h2": "1.5em", "h3": "1.17em", "h4": "1em", "h5": "0.83em", "h6": "0.67em"}
_TYPED = "typed"
"""What browsers say of a typewriter's letters: 13 pixels for 16, unless a size above is given in pixels."""
_BROWSER: Mapping[str, Style] = {
    **{tag: {"font-size": size, "font-weight": "bold"} for tag, size in _HEADS.items()},
    **{tag: {"font-weight": "bold"} for tag in ("b", "strong", "th")},
    **{tag: {"font-size": "smaller"} for tag in ("small", "sub", "sup")},
    **{tag: {"font-size": _TYPED} for tag in ("code", "kbd", "pre", "samp", "tt")},
    **{tag: {"display": "none"} for tag in ("head", "script", "style", "template", "title", "noscript")},
    "big": {"font-size": "larger"},
    "mark": {"background-color": "#ff0", "color": "#000"},
}
_SIZES = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0, "xx-large": 32.0,
    "xxx-large": 48.0,
}  # fmt: skip
_FONT_SIZES = ("10px", "13px", "16px", "18px", "24px", "32px", "48px")
_UNITS = {"pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54}

# What Chromium paints where nothing else is said: canvas, text, link.
_PAPER: Mapping[Scheme, tuple[Rgb, Colour, Colour]] = {
    "light": ((255, 255, 255), Colour(0, 0, 0), Colour(0, 0, 238)),
    "dark": ((18, 18, 18), Colour(255, 255, 255), Colour(158, 158, 255)),
}


@dataclass(frozen=True, slots=True)
class Text:
    """How an element's own text is set: ``size`` in CSS pixels, ``weight`` 1 … 1000.

    ``fixed``: the size has been given in pixels, or is a typewriter's already, so that these do not shrink it.
    """

    colour: Colour
    ground: Rgb
    size: float
    weight: int
    shown: bool
    pictured: bool
    fixed: bool = False


class Cascade:
    """Every element's style on one screen. Made once per page, in one walk; asking afterwards costs nothing.

    ``root`` is the ``html`` element, or any other to look at by itself; ``width`` is in CSS pixels. The style sheets
    are the ``<style>`` elements below it. Raises nothing: what a browser would pass over is passed over.
    """

    def __init__(self, root: _Element, *, scheme: Scheme = "light", width: int = 600) -> None:
        self.screen = Screen(width, scheme)
        self._styles: dict[_Element, Style] = {}
        self._texts: dict[_Element, Text] = {}
        matcher = _matcher(tuple(_sheets(root, self.screen)), self.screen)
        for wrapper in cssselect2.ElementWrapper.from_html_root(root).iter_subtree():
            # Asked for from the top down, so that a deep page is no deep recursion.
            _ = wrapper.ancestors
            element = wrapper.etree_element
            matched = matcher.match(wrapper) if matcher else ()
            self._styles[element] = _cascaded(element, matched)
        paper: Scheme = "dark" if scheme == "dark" and self._knows_dark(root) else "light"
        self._canvas, ink, self._link = _PAPER[paper]
        self._start = Text(ink, self._canvas, 16.0, 400, shown=True, pictured=False)
        for element in self._styles:
            parent = element.getparent()
            above = self._start if parent is None else self._texts.get(parent, self._start)
            self._texts[element] = self._text(element, above)

    def style(self, element: _Element) -> Style:
        """The declared values that won, by property; ``background`` and ``font`` as the properties they set.

        Nothing is inherited here, and an element of another page has no style.
        """
        return self._styles.get(element, _NOTHING)

    def text(self, element: _Element) -> Text:
        """How the element's own text is set, everything inherited."""
        return self._texts.get(element, self._start)

    def color(self, element: _Element) -> Rgb:
        """The colour in which its text is seen, with the ground shining through where it is not opaque."""
        text = self.text(element)
        return over(text.colour, text.ground)

    def ground(self, element: _Element) -> Rgb:
        """The colour below its text: the backgrounds of it and of what it stands in, one over the other.

        A background picture is not looked into; ``pictured`` says that there is one.
        """
        return self.text(element).ground

    def size(self, element: _Element) -> float:
        """The size of its text in CSS pixels."""
        return self.text(element).size

    def weight(self, element: _Element) -> int:
        """The weight of its text: 400 is normal, 700 is bold."""
        return self.text(element).weight

    def shown(self, element: _Element) -> bool:
        """Whether it is displayed at all; text in the colour of its ground is displayed."""
        return self.text(element).shown

    def pictured(self, element: _Element) -> bool:
        """Whether a background picture or gradient lies below its text and above the ground."""
        return self.text(element).pictured

    def _knows_dark(self, root: _Element) -> bool:
        metas = (
            meta.get("content", "") for meta in root.iter("meta") if meta.get("name", "").lower() == "color-scheme"
        )
        said = [self.style(root).get("color-scheme", ""), *metas]
        return any("dark" in words.lower().split() for words in said)

    def _text(self, element: _Element, above: Text) -> Text:
        style = self._styles[element]
        if not style and element.tag != "a":
            return above
        colour = self._colour(element, style, above)
        ground, pictured = above.ground, above.pictured
        if "background-color" in style:
            own = _value(style["background-color"], colour, TRANSPARENT)
            ground, pictured = over(own, ground), pictured and own.alpha < 1
        if style.get("background-image", "none").lower() not in ("none", "initial", "unset"):
            pictured = True
        shown = above.shown and style.get("display") != "none" and style.get("visibility") not in ("hidden", "collapse")
        said = style.get("font-size", "").lower()
        size, fixed = _size(said, above.size), above.fixed
        if said == _TYPED:
            size, fixed = above.size if fixed else above.size * 13 / 16, True
        elif said.endswith(("px", *_UNITS)):
            fixed = True
        elif said in _SIZES or said == "initial":
            fixed = False
        return Text(colour, ground, size, _weight(style.get("font-weight"), above.weight), shown, pictured, fixed)

    def _colour(self, element: _Element, style: Style, above: Text) -> Colour:
        said = style.get("color", "")
        if said.lower() == "initial":
            return self._start.colour
        by_itself = self._link if element.tag == "a" and element.get("href") is not None else above.colour
        return _value(said, above.colour, by_itself if not said else above.colour)


def _value(said: str, current: Colour, otherwise: Colour) -> Colour:
    return current if said.lower() == "currentcolor" else parse_colour(said) or otherwise


def _size(said: str | None, above: float) -> float:
    """A font size in pixels, from one that may depend on the size above."""
    word = (said or "").lower()
    if word in _SIZES:
        return _SIZES[word]
    if word in ("smaller", "larger"):
        return above / 1.2 if word == "smaller" else above * 1.2
    if word == "initial":
        return 16.0
    token = tinycss2.parse_one_component_value(word)
    factors = {"px": 1.0, "em": above, "rem": 16.0, "ex": above / 2, "ch": above / 2, "%": above / 100, **_UNITS}
    if token.type in ("dimension", "percentage"):
        factor = factors.get("%" if token.type == "percentage" else token.lower_unit)
        return above if factor is None or token.value < 0 else float(token.value) * factor
    return 0.0 if word == "0" else above


def _weight(said: str | None, above: int) -> int:
    words = {"normal": 400, "initial": 400, "bold": 700}
    word = (said or "").lower()
    if word == "bolder":
        return 400 if above < 350 else 700 if above < 550 else 900
    if word == "lighter":
        return 100 if above < 550 else 400 if above < 750 else 700
    return words.get(word) or (int(word) if word.isdecimal() and len(word) < 5 else above)


def folded(root: _Element, css: str) -> Iterator[tuple[_Element, tuple[Declaration, ...]]]:
    """What a style sheet and the style attribute declare for each element, in the order in which they win.

    For clients that do not read style sheets as browsers do, so that a page can be shown as they read it. Elements
    for which the same is declared get the same tuple.
    """
    matcher = _matcher((css,), Screen())
    known: dict[tuple[object, ...], tuple[Declaration, ...]] = {}
    for wrapper in cssselect2.ElementWrapper.from_html_root(root).iter_subtree():
        _ = wrapper.ancestors
        element = wrapper.etree_element
        matched = matcher.match(wrapper) if matcher else ()
        inline = element.get("style", "")
        key = (inline, *(found[1] for found in matched))  # a selector's own number
        if key not in known:
            known[key] = _folded(matched, inline)
        yield element, known[key]


def _folded(matched: Sequence[tuple[Any, ...]], inline: str) -> tuple[Declaration, ...]:
    style: dict[str, str] = {}
    for pairs in _in_order(matched, _inline(inline)):
        for name, value in pairs:
            # A shorthand that comes later must stand later, or it would be undone.
            style.pop(name, None)
            style[name] = value
    return tuple(Declaration(name, value) for name, value in style.items())


# ---- rules ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rule:
    """Compiled selectors and what they set; ``media`` are the conditions around it, all of which must hold."""

    selectors: tuple[Any, ...]
    pairs: tuple[Pairs, Pairs]
    media: tuple[str, ...]


def _sheets(root: _Element, screen: Screen) -> Iterator[str]:
    for style in root.iter("style"):
        if style.get("type", "text/css").strip().lower() in ("", "text/css") and holds(style.get("media", ""), screen):
            yield style.text or ""


@lru_cache(maxsize=32)
def _matcher(sheets: Sequence[str], screen: Screen) -> cssselect2.Matcher | None:
    """The rules that hold on a screen; None when there is none."""
    matcher = cssselect2.Matcher()
    found = [rule for css in sheets for rule in _rules(css) if all(holds(media, screen) for media in rule.media)]
    for rule in found:
        for selector in rule.selectors:
            if selector.pseudo_element is None:
                matcher.add_selector(selector, rule)
    return matcher if found else None


@lru_cache(maxsize=64)
def _rules(css: str) -> tuple[_Rule, ...]:
    return tuple(_read(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), ()))


def _read(nodes: Sequence[Any], media: tuple[str, ...]) -> Iterator[_Rule]:
    for node in nodes:
        if node.type == "at-rule" and node.content is not None:
            if node.lower_at_keyword in ("media", "supports", "layer"):
                inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
                yield from _read(inner, _conditions(node, media))
        elif node.type == "qualified-rule":
            try:
                selectors = tuple(cssselect2.compile_selector_list(node.prelude))
            except (cssselect2.SelectorError, NotImplementedError):
                continue  # one wrong selector takes the whole rule with it, as in a browser
            content = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
            yield _Rule(selectors, _sorted(declarations_of(content)), media)


def _conditions(node: Any, media: tuple[str, ...]) -> tuple[str, ...]:
    prelude = tinycss2.serialize(node.prelude).strip()
    if node.lower_at_keyword == "media":
        return (*media, prelude)
    unsupported = node.lower_at_keyword == "supports" and prelude.lower().startswith("not")
    return (*media, "not all") if unsupported else media


def _sorted(declarations: Sequence[Declaration]) -> tuple[Pairs, Pairs]:
    """The (property, value) pairs without and with ``!important``, in their order."""
    pairs: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    for declaration in declarations:
        for one in longhands(declaration):
            pairs[one.important].append((one.name, one.value))
    return tuple(pairs[0]), tuple(pairs[1])


@lru_cache(maxsize=4096)
def _inline(style: str) -> tuple[Pairs, Pairs]:
    return _sorted(parse_style(style))


def _cascaded(element: _Element, matched: Sequence[tuple[Any, ...]]) -> Style:
    """One element's declared values; ``matched`` are (…, rule) from the weakest to the strongest."""
    style: dict[str, str] = dict(_BROWSER.get(element.tag, _NOTHING))
    if element.attrib:
        _from_attributes(element, style)
    inline = _inline(element.get("style", "")) if "style" in element.attrib else _NO_PAIRS
    for pairs in _in_order(matched, inline):
        style.update(pairs)
    return style


def _in_order(matched: Sequence[tuple[Any, ...]], inline: tuple[Pairs, Pairs]) -> Iterator[Pairs]:
    for important in (0, 1):
        for found in matched:
            yield found[-1].pairs[important]
        yield inline[important]


def _from_attributes(element: _Element, style: dict[str, str]) -> None:
    """The attributes that stand for styles; every rule of the page is stronger."""
    ground = element.get("bgcolor")
    if ground and parse_attribute(ground):
        style["background-color"] = ground.strip() if parse_colour(ground) else f"#{ground.strip()}"
    if element.get("background"):
        style["background-image"] = f"url({element.get('background')})"
    if element.get("hidden") is not None:
        style["display"] = "none"
    colour = element.get("color") if element.tag == "font" else element.get("text") if element.tag == "body" else None
    if colour and parse_attribute(colour):
        style["color"] = colour.strip() if parse_colour(colour) else f"#{colour.strip()}"
    size = element.get("size", "") if element.tag == "font" else ""
    if size.strip().isdecimal():
        style["font-size"] = _FONT_SIZES[min(max(int(size), 1), 7) - 1]
