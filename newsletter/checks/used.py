"""Which features of HTML and CSS a finished mail really uses, where, and whether something else stands in for them.

A mail is built so that it holds without the newest features. What that rests on is read here, never assumed:

* kept style sheets only add to inlined styles, and a media query only chooses: a use there is no loss of substance;
* in a style, an earlier declaration of the same property with a plain value stays where the later one is not known;
* an attribute of HTML (``bgcolor``, ``align``, ``width`` …) says the same to Word;
* conditional comments are for Outlook for Windows: what stands beside them, or is hidden from it, is taken care of.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from newsletter.checks import features as table
from newsletter.checks.features import Loss
from newsletter.checks.used_sheets import of_style_sheet
from newsletter.checks.used_styles import Use, Written, cured, declared, use_of

if TYPE_CHECKING:
    from newsletter.checks.page import Element, Page

WORD = "outlook-windows"
"""The family that reads conditional comments."""

_HIDES = re.compile(r"mso-hide\s*:\s*all", re.IGNORECASE)
_MSO_BLOCK = re.compile(r"\[if\s[^\]]*\bmso\b", re.IGNORECASE)
_MSO_TAG = re.compile(r"<(/?)(?:table|tr|td|[vw]:\w+)\b", re.IGNORECASE)
_NOT_MSO = re.compile(r"\[if\s+!mso\b", re.IGNORECASE)
_MSO_END = re.compile(r"\s*<!\[endif\]", re.IGNORECASE)
_ENDING = re.compile(r"\.([a-z]{2,4})(?:[?#]|$)", re.IGNORECASE)
_DATA = re.compile(r"data:image/([a-z0-9.+-]+)", re.IGNORECASE)


def uses(page: Page, pictures: Mapping[str, str]) -> tuple[Use, ...]:
    """Every use in a page, in reading order; ``pictures`` has the media type of each picture that travels along."""
    if not page.elements:
        return ()
    return tuple(_walk(page, pictures))


def _walk(page: Page, pictures: Mapping[str, str]) -> Iterator[Use]:
    if page.html.lstrip()[:14].lower().startswith("<!doctype html"):
        yield Use("html-doctype", Loss.FINE, "<!DOCTYPE html>")
    elements = iter(page.elements)
    hidden_from_word = ghost = False
    for node in page.elements[0].node.iter():
        if isinstance(node.tag, str):
            element = next(elements)
            found = of_style_sheet(node.text or "") if node.tag == "style" else _of_element(element, pictures)
            spared = frozenset({WORD}) if hidden_from_word or ghost or _has_ghost(node) else frozenset()
            ghost = False
            for use in found:
                yield dataclasses.replace(use, article=element.article, spared=spared)
            continue
        text = node.text or ""
        if _MSO_END.match(text):
            hidden_from_word = False
        elif _NOT_MSO.match(text):
            hidden_from_word = True
        elif _opens_for_word(text):
            ghost = not (node.tail or "").strip()  # what directly follows stands in Word's own table
        yield Use("html-comments", Loss.FINE, "<!-- -->")


def _has_ghost(node: Any) -> bool:
    """A conditional comment for Word among the children: it lays them out itself."""
    return any(not isinstance(child.tag, str) and _opens_for_word(child.text or "") for child in node)


def _opens_for_word(comment: str) -> bool:
    """A conditional comment that ends inside a table, a cell or a shape of its own."""
    tags: list[str] = _MSO_TAG.findall(comment) if _MSO_BLOCK.match(comment) else []
    return bool(tags) and not tags[-1]


def _of_element(element: Element, pictures: Mapping[str, str]) -> Iterator[Use]:
    tag, attributes = element.tag, element.attributes
    yield from _of_tag(element)
    for name, value in attributes.items():
        if name in table.ATTRIBUTES:
            yield use_of(table.ATTRIBUTES[name], f"<{tag} {name}>")
        elif name == "href":
            yield from _of_link(value)
        elif name in ("usemap", "sizes"):
            yield use_of("html-image-maps" if name == "usemap" else "html-srcset", name)
    if tag == "img":
        yield from _of_picture(attributes.get("src", ""), pictures)
    style = attributes.get("style")
    if style and not (hidden := _HIDES.search(style)):
        yield from _on(element, declared(style))
    elif style and hidden:
        yield use_of("css-display-none", "display:none")


def _of_tag(element: Element) -> Iterator[Use]:
    tag, attributes = element.tag, element.attributes
    if tag == "input":
        kind = attributes.get("type", "text").lower()
        yield Use(table.INPUTS.get(kind, "html-input-text"), Loss.FINE, f"<input type={kind}>")
    elif tag == "button":
        kind = attributes.get("type", "submit").lower()
        yield use_of("html-button-reset" if kind == "reset" else "html-button-submit", "<button>")
    elif tag == "meta" and attributes.get("name", "").lower() == "color-scheme":
        yield use_of("html-meta-color-scheme", "<meta name=color-scheme>")
    elif tag in table.ELEMENTS:
        found = use_of(table.ELEMENTS[tag], f"<{tag}>")
        yield dataclasses.replace(found, cured=tag == "ruby" and element.node.find(".//rp") is not None)
        if tag in ("ol", "ul") and "reversed" in attributes:
            yield Use("html-lists", Loss.LOST, "<ol reversed>", limit="`reversed`")
        elif tag == "ol" and any(child.get("value") for child in element.node):
            yield Use("html-lists", Loss.LOST, "<li value>", limit="`value` attribute")


def _of_link(href: str) -> Iterator[Use]:
    if href.startswith("#") and len(href) > 1:
        yield use_of("html-anchor-links", f"href={href}")
    elif href[:7].lower() == "mailto:":
        yield Use("html-mailto-links", Loss.FINE, "mailto:")
        if "bcc=" in href.lower():
            yield Use("html-mailto-links", Loss.LOST, "bcc in a mailto: link", limit="`bcc`")


def _of_picture(source: str, pictures: Mapping[str, str]) -> Iterator[Use]:
    """Pictures that travel along are picture-format's finding; here it is those that stay elsewhere."""
    if source in pictures:
        feature = table.PICTURES.get(pictures[source].removeprefix("image/"))
        if feature:
            yield Use(feature, Loss.FINE, pictures[source])
    elif inside := _DATA.match(source):
        yield Use("image-base64", Loss.FINE, f"data:image/{inside[1]}")
    elif (ending := _ENDING.search(source)) and ending[1].lower() in table.PICTURES:
        yield use_of(table.PICTURES[ending[1].lower()], f"a picture in .{ending[1].lower()}")


def _on(element: Element, written: Sequence[Written]) -> Iterator[Use]:
    """The uses of a style, on the element that has it."""
    for one in written:
        use = one.use
        if use.feature == "css-display-none" and (inside := _hidden_in_vain(element)):
            use = dataclasses.replace(use, loss=Loss.LOST, limit=inside)
        if any(name in element.attributes or name == f"<{element.tag}>" for name in one.stands_in):
            use = cured(use)
        yield use


def _hidden_in_vain(element: Element) -> str:
    """Word shows a picture, or a table within, of what is hidden by ``display:none`` without ``mso-hide:all``."""
    if element.tag == "img":
        return "`<img>` element"
    return "nested `<table>`" if element.node.find(".//table") is not None else ""
