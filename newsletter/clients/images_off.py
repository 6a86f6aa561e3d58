"""Any client that does not load pictures: alternative texts in their own styling, on the picture's ground."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from newsletter.clients.declarations import Declaration, ground_of, parse_style, written
from newsletter.clients.pages import drop_each, elements, make, parse, serialise
from newsletter.clients.sheets import Rewriter
from newsletter.clients.taken import Seen, Tally

if TYPE_CHECKING:
    from lxml.etree import _Element

# What a client draws where the picture would be: its box, as wide as it may be, with the words inside.
_BOX = (
    Declaration("display", "inline-block"),
    Declaration("box-sizing", "border-box"),
    Declaration("overflow", "hidden"),
    Declaration("max-width", "100%"),
)
_LEFT_BEHIND = ("height", "max-height", "object-fit", "object-position")
_GROUNDS = "background pictures"


def images_off(html: str) -> Seen:
    """The page without any picture."""
    root = parse(html)
    tally = Tally()
    for element in elements(root):
        if element.tag == "img":
            _stand_in(element, tally)
        elif "style" in element.attrib:
            left, gone = _without_pictures(element.get("style", ""))
            if gone:
                element.set("style", left)
                tally.add(_GROUNDS, gone)
        if "background" in element.attrib:
            del element.attrib["background"]
            tally.add(_GROUNDS)
    drop_each(root, ("svg", "source"), tally, "pictures")
    for style in root.iter("style"):
        style.text = _sheet(style.text or "", tally)
    return Seen(serialise(root), tally.took())


def _stand_in(image: _Element, tally: Tally) -> None:
    """Put a box with the alternative text in a picture's place; it keeps the picture's classes and styles."""
    words = image.get("alt", "").strip()
    tally.add("pictures" if words or "alt" in image.attrib else "pictures without an alternative text")
    own = [one for one in parse_style(image.get("style", "")) if one.name not in _LEFT_BEHIND]
    box = make("span", style=written([*_BOX, *_sizes(image), *own]))
    for name in ("class", "id", "dir", "lang"):
        if name in image.attrib:
            box.set(name, image.get(name, ""))
    if words:
        box.set("role", "img")
        box.set("aria-label", words)
    box.text = words or None
    box.tail = image.tail
    parent = image.getparent()
    if parent is not None:
        parent.replace(image, box)


def _sizes(image: _Element) -> list[Declaration]:
    """Width and proportion from the attributes: clients keep the place free."""
    width, height = (image.get(name, "").strip().removesuffix("px") for name in ("width", "height"))
    sizes = []
    if width.isdecimal() and len(width) < 6:
        sizes.append(Declaration("width", f"{width}px"))
        if height.isdecimal() and len(height) < 6 and int(height) and int(width):
            sizes.append(Declaration("aspect-ratio", f"{width}/{height}"))
    return sizes


@lru_cache(maxsize=4096)
def _without_pictures(style: str) -> tuple[str, int]:
    """A style attribute without background pictures, and how many declarations had one."""
    found = parse_style(style)
    left = [_without_picture(one) for one in found]
    gone = sum(was != now for was, now in zip(found, left, strict=True))
    return (written([one for one in left if one is not None]) if gone else style), gone


@lru_cache(maxsize=4096)
def _without_picture(declaration: Declaration) -> Declaration | None:
    """The declaration, its colour where it loads a picture, or None when nothing is left. Gradients need no loading."""
    loads = "url(" in declaration.value.lower() or "image-set(" in declaration.value.lower()
    if not loads or declaration.name not in ("background", "background-image", "list-style", "list-style-image"):
        return declaration
    colour = ground_of(declaration.value) if declaration.name == "background" else None
    return None if colour is None else Declaration("background-color", colour, declaration.important)


def _sheet(css: str, tally: Tally) -> str:
    if "url(" not in css.lower() and "image-set(" not in css.lower():
        return css

    def declaration(one: Declaration) -> Declaration | None:
        left = _without_picture(one)
        if left != one:
            tally.add(_GROUNDS)
        return left

    return Rewriter(declaration=declaration)(css)
