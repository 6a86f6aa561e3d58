"""An address that an author wrote as it is becomes a link to itself.

Most mail programs would make it one, in a blue of their own that no dark screen expects. Some are told not to
(``format-detection`` keeps Apple from linking dates), and there it would be dead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from newsletter.message.merge import TOKEN

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_ADDRESS = re.compile(
    r"(?<![\w@/])https?://(?:[\w-]+\.)+[\w-]{2,}(?::\d+)?(?:[/?#][^\s<>\"“”«»\ue000-\uf8ff]*)?", re.IGNORECASE
)
_AFTER = ".,;:!?…'’*_"
"""Signs at the end of an address that belong to the sentence."""
_AS_WRITTEN = ("a", "code", "pre")


def link_addresses(root: HtmlElement) -> None:
    """Change the tree in place. Not in code, nor where a merge field stands in the address."""
    for element in list(root.iter()):
        if element.tag in _AS_WRITTEN or next(element.iterancestors(*_AS_WRITTEN), None) is not None:
            continue
        for child in list(element):
            if "://" in (child.tail or ""):
                text, child.tail = child.tail or "", None
                child.tail = _links(element, element.index(child) + 1, text)
        if "://" in (element.text or ""):
            text, element.text = element.text or "", None
            element.text = _links(element, 0, text)


def _links(parent: HtmlElement, at: int, text: str) -> str:
    """Put the links of ``text``, each with what follows it, before the child number ``at``; return what is before."""
    before, last = text, 0
    links: list[HtmlElement] = []
    for found in _ADDRESS.finditer(text):
        address = _trimmed(found.group())
        if TOKEN.search(address):
            continue
        link = parent.makeelement("a", {"href": address})
        link.text = address
        if links:
            links[-1].tail = text[last : found.start()]
        else:
            before = text[: found.start()]
        last = found.start() + len(address)
        links.append(link)
    if links:
        links[-1].tail = text[last:]
        parent[at:at] = links
    return before


def _trimmed(address: str) -> str:
    """Without the full stop behind it, and without a bracket that was opened before it."""
    address = address.rstrip(_AFTER)
    at_end = len(address) - len(address.rstrip(")"))
    over = min(at_end, address.count(")") - address.count("("))
    return (address[:-over] if over > 0 else address).rstrip(_AFTER)
