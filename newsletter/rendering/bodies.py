"""Authored Markdown becomes one clean tree, from which both the HTML and the text part are made.

tokens for merge fields → bounds (guard.py) → Python-Markdown → nh3 → bounds (nesting.py) → tree (settling.py). A merge
field is one plain word by then and survives every step; authored text is never a template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from newsletter.errors import BadData, MergeFieldError
from newsletter.message.merge import RESERVED, TOKEN
from newsletter.rendering import guard, nesting
from newsletter.rendering.links import NONE, LinkParameters
from newsletter.rendering.recipes import TEXT
from newsletter.rendering.settling import settle, words_only

if TYPE_CHECKING:
    from lxml.html import HtmlElement

EXTENSIONS = ("tables", "sane_lists")
_MARKDOWN_OPTIONS = {"tables": {"use_align_attribute": True}}
SCHEMES = frozenset(["http", "https", "mailto", "tel"])
TAGS = frozenset(
    """p br hr h1 h2 h3 h4 h5 h6 strong em b i u s del ins sub sup small code pre blockquote q cite abbr mark
    ul ol li a img table caption thead tbody tr th td figure figcaption""".split()  # noqa: SIM905  # forty one-word lines
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
_NO_BLOCK = "\u2060"  # before a line, it keeps Markdown from seeing a list or a heading in it

_LINK = nesting.OWN + "a"
_TAGS_OF_NH3 = nesting.own_names(TAGS)
_ATTRIBUTES_OF_NH3 = {(_LINK if tag == "a" else tag): names for tag, names in _ATTRIBUTES.items()}

UNDER_A_STORY = 4
"""The level of a body's highest heading under a story's own h3; one less in a section that has no title."""

MAX_HTML = 4 * 1024 * 1024
"""Characters of HTML that one body may become; guard.py and nesting.py keep even hostile ones below it."""

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*(?=:)")
_VALUES = {
    "dir": re.compile(r"ltr|rtl|auto"),
    "lang": re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,8}"),
    "align": re.compile(r"left|right|center"),
    "start": re.compile(r"[0-9]{1,6}"),
    "colspan": re.compile(r"[1-9][0-9]?"),
    "rowspan": re.compile(r"[1-9][0-9]?"),
}
"""What attributes may say; with anything else they go."""


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
    tokenised: str,
    link_tokens: frozenset[str] = frozenset(),
    parameters: LinkParameters = NONE,
    inline: bool = False,
    room: int = TEXT.shown_width,
    top: int = UNDER_A_STORY,
) -> Body | None:
    """Set cleaned, tokenised Markdown; None when there is nothing to show.

    ``link_tokens`` are the tokens of our own links: only they may stand for a whole address. Headings start at level
    ``top``. Pictures must be https. Raises MergeFieldError for an address that starts with a
    reader's attribute: a reader's value must not decide where a link leads, and BadData for what grows too large.
    ``inline`` takes the text as one line: what begins like a list or a heading does not become one. ``room`` is the
    width of the column in CSS pixels.
    """
    if inline:
        tokenised = _NO_BLOCK + " ".join(tokenised.split())
    html = guard.hide_braces(_sanitised(_markdown(tokenised), link_tokens))
    if len(html) > MAX_HTML:
        raise BadData(
            f"the text becomes {len(html):,} characters of HTML; at most {MAX_HTML:,} fit into a mail",
            fix="shorten it, or link to the full story",
        )
    root = _tree(html)
    # Entities, comments or tags inside the word would smuggle a token past the tokeniser, into HTML or into text.
    if {*TOKEN.findall(html), *TOKEN.findall(root.text_content())} - set(TOKEN.findall(tokenised)):
        raise MergeFieldError("a word that stands for a merge field is written in pieces", fix="write it differently")
    if inline:
        words_only(root)
        root.text = (root.text or "").replace(_NO_BLOCK, "", 1)
    images = settle(root, parameters, room, top)
    if not (root.text or "").strip() and not len(root):
        return None
    return Body(Markup(_inner(root)), root, images)  # noqa: S704  # nh3 made it, and we closed it


def _tree(html: str) -> HtmlElement:
    """The HTML in one div. libxml2 stops reading at its limits without a word, so it is asked whether it did."""
    from lxml import html as lxml_html

    parser = lxml_html.HTMLParser(huge_tree=True)
    root = lxml_html.fragment_fromstring(html, create_parent="div", parser=parser)
    if any(entry.level_name == "FATAL" for entry in parser.error_log):
        raise BadData("the text cannot be set as HTML", fix="take out what is not plain Markdown")
    return root


def _markdown(text: str) -> str:
    import markdown

    # A fresh instance each time: one that is used twice carries references and counters over.
    parts = [
        markdown.Markdown(extensions=list(EXTENSIONS), extension_configs=_MARKDOWN_OPTIONS).convert(chunk)
        for chunk in guard.chunks(guard.apart(guard.bounded(text)))
    ]
    html = "\n".join(parts).replace(f"<p>{guard.SEAM}</p>", "").replace(guard.SEAM, "")
    return guard.show_specials(html)


def _sanitised(html: str, link_tokens: frozenset[str]) -> str:
    import nh3

    refused: list[str] = []

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name not in ("href", "src"):
            allowed = _VALUES.get(name)
            return value if allowed is None or allowed.fullmatch(value) else None
        address = value.strip()
        if (token := TOKEN.match(address)) and tag == _LINK:
            if token.group() not in link_tokens:
                refused.append(address)
            return address if token.group() == address else None
        scheme = _SCHEME.match(address)
        if scheme is None:
            return None
        schemes = ("https",) if tag == "img" else SCHEMES
        return address if scheme.group().lower() in schemes else None

    clean = nh3.clean(
        guard.before_nh3(nesting.renamed(html)),
        tags=set(_TAGS_OF_NH3),
        clean_content_tags=_WITH_CONTENT,
        attributes=_ATTRIBUTES_OF_NH3,
        attribute_filter=attribute,
        url_schemes=set(SCHEMES),
        link_rel=None,
    )
    if refused:
        raise MergeFieldError(
            "a link's address starts with a reader's attribute",
            fix=f"start it with https://…, or use one of {', '.join(RESERVED)}",
        )
    return nesting.flat(guard.after_nh3(clean))


def _inner(root: HtmlElement) -> str:
    from lxml import etree
    from markupsafe import escape

    for element in root.iter():
        if not len(element) and not element.text and element.tag not in nesting.VOID:
            element.text = ""  # libxml2 writes no end tag for an empty li that has not even that
    children = [str(etree.tostring(child, method="html", encoding="unicode")) for child in root]
    return (str(escape(root.text or "")) + "".join(children)).strip()
