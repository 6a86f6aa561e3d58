"""Authored Markdown becomes one clean tree, from which both the HTML and the text part are made.

tokens for merge fields → bounds (guard.py) → Python-Markdown → nh3 → tree. A merge field is one plain word by then and
survives every step; authored text is never a template.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from markupsafe import Markup

from newsletter.errors import BadData, MergeFieldError
from newsletter.message.merge import RESERVED, TOKEN
from newsletter.rendering import guard
from newsletter.rendering.links import NONE, LinkParameters, with_parameters

if TYPE_CHECKING:
    from lxml.html import HtmlElement

EXTENSIONS = ("tables", "sane_lists")
_MARKDOWN_OPTIONS = {"tables": {"use_align_attribute": True}}
SCHEMES = frozenset(["http", "https", "mailto", "tel"])
TAGS = frozenset(
    """p br hr h1 h2 h3 h4 h5 h6 strong em b i u s del ins sub sup small code pre blockquote q cite abbr mark
    ul ol li a img table thead tbody tr th td figure figcaption""".split()  # noqa: SIM905  # forty one-word lines
)
_WITH_CONTENT = {
    "script",
    "style",
    "title",
    "template",
    "noscript",
    "iframe",
    "object",
    "svg",
    "math",
    "textarea",
    "select",
}
_ATTRIBUTES = {
    "*": {"lang", "dir"},
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "th": {"align", "colspan", "rowspan"},
    "td": {"align", "colspan", "rowspan"},
    "abbr": {"title"},
}
IMAGE_CLASS = "image"
"""The class of a picture inside a body; themes cap its width with it."""

_HEADINGS = {"h1": "h4", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*(?=:)")


@dataclass(frozen=True, slots=True)
class Body:
    """A body as HTML, and the remote pictures in it. ``tree`` is what the text part is made from: do not change it."""

    html: Markup
    tree: HtmlElement
    remote_images: tuple[str, ...]


def check_size(text: str, where: str | None) -> None:
    """Raise BadData for a body over ``guard.MAX_BODY``."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > guard.MAX_BODY:
        what = f"the text has {size:,} bytes; at most {guard.MAX_BODY:,} fit into a mail"
        raise BadData(what, where=where, fix="shorten it, or link to the full story")


@lru_cache(maxsize=256)
def body_of(
    tokenised: str, link_tokens: frozenset[str] = frozenset(), parameters: LinkParameters = NONE
) -> Body | None:
    """Set cleaned, tokenised Markdown; None when there is nothing to show.

    ``link_tokens`` are the tokens of our own links: only they may stand for a whole address. Headings start at h4,
    under the story's own h3. Pictures must be https. Raises MergeFieldError for an address that starts with a
    reader's attribute: a reader's value must not decide where a link leads.
    """
    from lxml import html as lxml_html

    html = guard.hide_braces(_sanitised(_markdown(tokenised), link_tokens))
    if set(TOKEN.findall(html)) - set(TOKEN.findall(tokenised)):
        # Entities or comments inside the word would smuggle a token past the tokeniser.
        raise MergeFieldError("a word that stands for a merge field is written in pieces", fix="write it differently")
    root = lxml_html.fragment_fromstring(html, create_parent="div")
    images = _settle(root, parameters)
    if not (root.text or "").strip() and not len(root):
        return None
    return Body(Markup(_inner(root)), root, images)  # noqa: S704  # nh3 made it, and we closed it


def _markdown(text: str) -> str:
    import markdown

    # A fresh instance each time: one that is used twice carries references and counters over.
    parts = [
        markdown.Markdown(extensions=list(EXTENSIONS), extension_configs=_MARKDOWN_OPTIONS).convert(chunk)
        for chunk in guard.chunks(guard.bounded(text))
    ]
    return guard.show_specials("\n".join(parts))


def _sanitised(html: str, link_tokens: frozenset[str]) -> str:
    import nh3

    refused: list[str] = []

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name not in ("href", "src"):
            return value
        address = value.strip()
        if (token := TOKEN.match(address)) and tag == "a":
            if token.group() not in link_tokens:
                refused.append(address)
            return address if token.group() == address else None
        scheme = _SCHEME.match(address)
        if scheme is None:
            return None
        allowed = ("https",) if tag == "img" else SCHEMES
        return address if scheme.group().lower() in allowed else None

    clean = nh3.clean(
        html,
        tags=set(TAGS),
        clean_content_tags=_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        url_schemes=set(SCHEMES),
        link_rel=None,
    )
    if refused:
        raise MergeFieldError(
            "a link's address starts with a reader's attribute",
            fix=f"start it with https://…, or use one of {', '.join(RESERVED)}",
        )
    return clean


def _settle(root: HtmlElement, parameters: LinkParameters) -> tuple[str, ...]:
    """Headings under the story's, pictures capped, links and pictures without an address
    reduced to their words, empty paragraphs gone."""
    images: OrderedDict[str, None] = OrderedDict()
    for element in list(root.iterdescendants()):
        tag = cast(str, element.tag)
        if tag in _HEADINGS:
            element.tag = _HEADINGS[tag]
        elif tag == "a" and not element.get("href"):
            element.drop_tag()
        elif tag == "a":
            element.set("href", with_parameters(element.get("href"), parameters))
        elif tag == "img":
            source = element.get("src")
            if source:
                images[source] = None
                element.set("class", IMAGE_CLASS)
                element.set("alt", element.get("alt", ""))
            else:
                element.tail = element.get("alt", "") + (element.tail or "")
                element.drop_tree()
    for paragraph in root.findall(".//p"):
        if not len(paragraph) and not (paragraph.text or "").strip():
            paragraph.drop_tree()
    return tuple(images)


def _inner(root: HtmlElement) -> str:
    from lxml import etree
    from markupsafe import escape

    children = [str(etree.tostring(child, method="html", encoding="unicode")) for child in root]
    return str(escape(root.text or "")).strip() + "".join(children).strip()
