"""A finished page as a tree and back; it takes whatever it is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from newsletter.clients.taken import Tally

if TYPE_CHECKING:
    from lxml.etree import _Element

_EMPTY = b"<html><head></head><body></body></html>"


def parse(html: str) -> _Element:
    """The ``html`` element of a page, with a head and a body; an empty page for what is none."""
    from lxml import etree

    raw = html.replace("\0", "\ufffd").encode("utf-8", "replace")
    root = None
    for source in (raw, b"<body><p>" + raw, _EMPTY):
        parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True)
        root = etree.fromstring(source, parser) if source.strip() else None
        if root is not None and root.tag == "html":
            break
    assert root is not None  # the last source is ours
    if root.find("head") is None:
        root.insert(0, etree.Element("head"))
    if root.find("body") is None:
        etree.SubElement(root, "body")
    return root


def head_of(root: _Element) -> _Element:
    """The head of a page from ``parse``."""
    head = root.find("head")
    assert head is not None
    return head


def body_of(root: _Element) -> _Element:
    """The body of a page from ``parse``."""
    body = root.find("body")
    assert body is not None
    return body


def serialise(root: _Element) -> str:
    """The page as HTML in UTF-8. Its doctype is HTML5's: no client shows mail in a browser's quirks mode."""
    from lxml import etree

    head = head_of(root)
    for meta in [meta for meta in head.iter("meta") if _names_charset(meta)]:
        drop(meta)
    head.insert(0, make("meta", charset="utf-8"))
    return str(etree.tostring(root, method="html", encoding="unicode", doctype="<!DOCTYPE html>"))


def _names_charset(meta: _Element) -> bool:
    return "charset" in meta.attrib or meta.get("http-equiv", "").lower() == "content-type"


def elements(root: _Element) -> Iterator[_Element]:
    """Every element, no comments; the tree may be changed meanwhile."""
    return iter(list(root.iter("*")))


def make(tag: str, **attributes: str) -> _Element:
    """A new element."""
    from lxml import etree

    return etree.Element(tag, {name.replace("_", "-"): value for name, value in attributes.items()})


def drop(node: _Element) -> None:
    """Take a node out with all it holds and keep the text after it."""
    parent = node.getparent()
    if parent is None:
        return
    _append_text(node, node.tail or "")
    node.tail = None
    parent.remove(node)


def unwrap(node: _Element) -> None:
    """Take a node out and leave what it holds in its place."""
    parent = node.getparent()
    if parent is None:
        return
    _append_text(node, node.text or "")
    at = parent.index(node)
    children = list(node)
    for offset, child in enumerate(children):
        parent.insert(at + offset, child)
    drop(node)


def _append_text(node: _Element, text: str) -> None:
    """Put text before a node."""
    previous, parent = node.getprevious(), node.getparent()
    if previous is not None:
        previous.tail = (previous.tail or "") + text
    elif parent is not None:
        parent.text = (parent.text or "") + text


def drop_comments(root: _Element) -> None:
    """Take out every comment."""
    from lxml import etree

    for comment in list(root.iter(etree.Comment)):
        drop(comment)


def drop_each(root: _Element, tags: Sequence[str], tally: Tally, what: str) -> None:
    """Take out elements with all they hold, and count them."""
    for node in list(root.iter(*tags)):
        drop(node)
        tally.add(what.replace("*", str(node.tag)))


def unwrap_each(root: _Element, tags: Sequence[str], tally: Tally, what: str) -> None:
    """Leave what elements hold in their places, and count them."""
    for node in list(root.iter(*tags)):
        unwrap(node)
        tally.add(what.replace("*", str(node.tag)))


def drop_handlers(root: _Element) -> None:
    """Take out what would run: no client lets a mail do that, so nobody misses it."""
    for node in root.iter("*"):
        for name in [name for name in node.attrib if str(name).lower().startswith("on")]:
            del node.attrib[name]


def set_or_drop(node: _Element, name: str, value: str) -> None:
    """Set an attribute, or take it away when nothing is left of it."""
    if value:
        node.set(name, value)
    elif name in node.attrib:
        del node.attrib[name]
