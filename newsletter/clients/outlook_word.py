"""Outlook for Windows, the classic one, whose pages Word sets.

Source: caniemail.com (tests of 2019–2025, "Outlook (Windows)"); conditional comments are evaluated in
``conditional.py``, Word's own properties as far as CSS can say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from newsletter.clients.cascade import folded
from newsletter.clients.colours import parse_colour
from newsletter.clients.conditional import resolve
from newsletter.clients.declarations import Declaration, parse_style, written
from newsletter.clients.pages import (
    drop,
    drop_comments,
    drop_each,
    drop_handlers,
    parse,
    serialise,
    set_or_drop,
    unwrap,
    unwrap_each,
)
from newsletter.clients.properties import WINDOWS_FONTS, WORD_DROPS
from newsletter.clients.sheets import Rewriter, Tokens, attribute_selectors, combinators, pseudos, text_of
from newsletter.clients.taken import Seen, Tally, named

if TYPE_CHECKING:
    from lxml.etree import _Element


_CELLS = ("td", "th")
_NO_SIZE = ("body", "span", "div", "p", "img", "a", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li")
_NO_MARGIN = ("span", "body", "a", "img", "b", "strong", "i", "em")
_CORNERS = re.compile(r"border-(?:top|bottom|start|end)-(?:left|right|start|end)-radius")
_FUNCTIONS = re.compile(r"\b(?:calc|var|clamp|min|max|light-dark|env|(?:repeating-)?[a-z]+-gradient)\(")
_UNITS = re.compile(r"[0-9](rem|ch|vw|vh|vmin|vmax)\b")
_PIXELS = re.compile(r"(\d+(?:\.\d+)?)(px|pt)")
_BORDER = 8

_BLOCKS = ("v:roundrect", "v:rect", "v:shape", "v:oval")
_FORMS = ("form", "input", "button", "select", "textarea")
_MEDIA = ("script", "iframe", "object", "embed", "svg", "video", "audio", "canvas", "template")


def outlook_word(html: str) -> Seen:
    """The page as Word sets it, with its style sheets folded into the elements: Word reads them in its own way."""
    tally = Tally()
    html, others = resolve(html)
    if others:
        tally.add("parts for everybody but Outlook (<!--[if !mso]>)", others)
    root = parse(html)
    _elements(root, tally)
    sheet = "\n".join(_sheets(root, tally))
    read_before: dict[tuple[int, str], tuple[str, tuple[str, ...]]] = {}
    folds = list(folded(root, sheet))
    for element, declarations in folds:
        # The same tuple on the same kind of element comes to the same; ``folds`` keeps them all alive.
        key = (id(declarations), str(element.tag))
        if key not in read_before:
            read_before[key] = _style(declarations, str(element.tag))
        style, whys = read_before[key]
        tally.add_all(whys)
        set_or_drop(element, "style", ";".join(filter(None, [element.get("data-word", ""), style])))
        _attributes(element, tally)
    return Seen(serialise(root), tally.took())


def _elements(root: _Element, tally: Tally) -> None:
    drop_comments(root)
    for noscript in list(root.iter("noscript")):
        unwrap(noscript)
    drop_each(root, ("xml", "w:anchorlock", "o:officedocumentsettings"), Tally(), "")
    drop_each(root, _MEDIA, tally, "<*>")
    unwrap_each(root, _FORMS, tally, "<*>")
    unwrap_each(root, ("picture", "source"), tally, "<*>")
    drop_handlers(root)
    for element in root.iter("*"):
        own = parse_style(element.get("style", ""))
        if any(one.important for one in own):
            element.set("style", written([one for one in own if not one.important]))
            tally.add("styles of an element marked !important", sum(one.important for one in own))
    for shape in list(root.iter(*_BLOCKS)):
        _shape(shape)
    for inner in list(root.iter("v:textbox", "v:fill", "v:stroke", "v:imagedata", "o:p")):
        unwrap(inner)


def _shape(shape: _Element) -> None:
    """A VML box as a box: its size, its filling, its words."""
    filling = next(iter(shape.iter("v:fill")), None)
    colour = shape.get("fillcolor") or (filling.get("color") if filling is not None else None)
    size = [one for one in (shape.get("style") or "").split(";") if one.split(":")[0].strip() in ("width", "height")]
    style = ["display:inline-block", *size]
    if colour and parse_colour(colour) and shape.get("filled", "t")[:1] != "f":
        style.append(f"background-color:{colour}")
    shape.tag = "span"
    href = shape.get("href")
    for name in list(shape.attrib):
        del shape.attrib[name]
    shape.set("data-word", ";".join(style))
    if href:
        shape.tag = "a"
        shape.set("href", href)


# ---- style sheets -----------------------------------------------------------------------------------------------


def _sheets(root: _Element, tally: Tally) -> Iterator[str]:
    """What Word reads of each style sheet; the elements are taken out."""

    def at_rule(keyword: str, prelude: str, rules: int) -> str | None:
        if keyword == "media":
            dark = "prefers-color-scheme" in prelude
            what = "dark screens (prefers-color-scheme)" if dark else "phones and other screens (@media)"
            tally.add(f"rules for {what}", rules)
        elif keyword not in ("font-face", "import", "page", "list", "charset"):
            tally.add(f"@{keyword}", rules)
        return None

    def selectors(parts: Sequence[Tokens]) -> str | None:
        for part in parts:
            if attribute_selectors(part):
                tally.add("rules that ask for attributes ([…])")
            elif set(pseudos(part)) - {"link"}:
                tally.add(f"rules for states and places (:{pseudos(part)[0]})")
            elif combinators(part):
                tally.add("rules for neighbours and children (+ > ~ *)")
            else:
                continue
            return None
        return ",".join(_first_of_chain(part) for part in parts)

    def declaration(one: Declaration) -> Declaration | None:
        if one.tight:
            tally.add("!important without a blank before it")
        return None if one.tight else one

    rewrite = Rewriter(at_rule, selectors, declaration)
    for style in list(root.iter("style")):
        yield rewrite(style.text or "")
        drop(style)


def _first_of_chain(part: Tokens) -> str:
    """Of ``.one.two`` Word reads ``.one``."""
    out: list[str] = []
    classes = 0
    skipping = False
    for token in part:
        if token.type == "whitespace":
            classes = 0
        if token.type == "literal" and token.value == ".":
            classes += 1
            skipping = classes > 1
            if skipping:
                continue
        elif skipping and token.type == "ident":
            skipping = False
            continue
        out.append(text_of([token]) or " ")
    return "".join(out)


# ---- elements ---------------------------------------------------------------------------------------------------


def _style(declarations: Sequence[Declaration], tag: str) -> tuple[str, tuple[str, ...]]:
    """The style attribute that Word reads, and the reasons for what is gone."""
    found = [read(declaration, tag) for declaration in declarations]
    style = written([one for left, _ in found for one in left])
    return style, tuple(why for _, why in found if why)


def _attributes(element: _Element, tally: Tally) -> None:
    # What the style sheets asked for is in the elements by now; Word shows what HTML hides.
    for name in ("class", "hidden", "data-word"):
        if name in element.attrib:
            del element.attrib[name]
    if "background" in element.attrib and element.tag != "body":
        del element.attrib["background"]
        tally.add(named("background-image"))
    if element.tag == "img":
        for name in ("srcset", "sizes", "loading"):
            set_or_drop(element, name, "")
        if element.get("width", "").strip().endswith("%"):
            del element.attrib["width"]
            tally.add("widths of pictures in per cent")


@lru_cache(maxsize=16384)
def read(declaration: Declaration, tag: str) -> tuple[tuple[Declaration, ...], str | None]:
    """What Word makes of a declaration on an element: what stands for it, and why something is gone."""
    name, value = declaration.name, declaration.value
    if name.startswith("mso-"):
        return _own(declaration, tag), None
    why = _refused(name, value.lower(), tag)
    if why is not None:
        return (), why
    if name == "font-family":
        font = _font(value)
        return (Declaration(name, font),), None if font == value else "fonts that Windows does not have (font-family)"
    if name.startswith("margin") and "auto" in value.lower().split():
        straight = " ".join("0" if word == "auto" else word for word in value.lower().split())
        return (Declaration(name, straight),), named("margin", " that centre")
    if name == "font-weight" and value.isdecimal():
        return (Declaration(name, "bold" if int(value) >= 600 else "normal"),), None
    if name.startswith("border") and "width" not in name:
        thin = _PIXELS.sub(_thin, value)
        return (Declaration(name, thin),), None if thin == value else f"borders thicker than {_BORDER} pixels (border)"
    if name.startswith("-"):
        return (), None
    return (declaration,), None


def _refused(name: str, value: str, tag: str) -> str | None:
    """Why Word passes over a declaration, or None when it reads it; nothing ("") where nobody will miss it."""
    if name in WORD_DROPS and value in ("none", "normal"):
        return ""  # nothing is gone
    if name in WORD_DROPS or _CORNERS.fullmatch(name):
        return named("border-radius" if name.endswith("radius") else name)
    if name.startswith("--") or _FUNCTIONS.search(value):
        return "computed values and variables (calc, var)"
    if name.startswith("padding") and tag not in _CELLS:
        return named("padding", " but for table cells")
    if name.startswith("margin") and (tag in _NO_MARGIN or value.startswith("-") or " -" in value):
        return named("margin", " of words, pictures and the page" if tag in _NO_MARGIN else " below zero")
    if name in ("width", "height") and tag in _NO_SIZE:
        return named(name, " of boxes, paragraphs and pictures in styles")
    if name == "max-width" and tag != "table":
        return named(name, " of anything but tables")
    if name == "display" and (value != "none" or tag == "img"):
        return named(name)
    if _UNITS.search(value):
        return "measures by screen or root (rem, vw)"
    colour = parse_colour(value) if "color" in name else None
    if colour is not None and (0 < colour.alpha < 1 or ("/" in value)):
        return "colours that let the background through (rgba)"
    return None


def _own(declaration: Declaration, tag: str) -> tuple[Declaration, ...]:
    """Word's own properties, as far as CSS can say the same."""
    name, value = declaration.name, declaration.value
    if name == "mso-hide" and value.lower() == "all":
        return (Declaration("display", "none"),)
    if name == "mso-text-raise":
        return (Declaration("vertical-align", value),)
    if name == "mso-padding-alt" and tag in _CELLS:
        return (Declaration("padding", value),)
    if name == "mso-font-width" and value.endswith("%") and value[:-1].isdecimal():
        return (Declaration("letter-spacing", f"{int(value[:-1]) / 100 - 1:g}em"),)
    return ()


def _font(value: str) -> str:
    """Word takes the first font if Windows has it, and Times New Roman if not: the rest of the list is not read."""
    first = value.split(",")[0].strip().strip("\"'")
    return value if first.lower() in WINDOWS_FONTS else "'Times New Roman'"


def _thin(found: re.Match[str]) -> str:
    most = _BORDER if found[2] == "px" else _BORDER * 0.75
    return f"{most:g}{found[2]}" if float(found[1]) > most else found[0]
