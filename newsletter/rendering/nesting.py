"""HTML that cannot grow or sink: what Markdown wrote, made ready for nh3, and what nh3 wrote, made flat enough.

nh3 reads HTML as browsers do, and browsers open a ``<b>`` that nobody closed again in every paragraph that follows:
400 of them and 5,000 paragraphs are two million elements. Under another name an element is closed with the paragraph
it stands in, so these get one on the way in and lose it on the way out. And libxml2 stops reading, without a word, at
elements 256 deep inside each other; so nothing is deeper than ``MAX_NESTED``.
"""

from __future__ import annotations

import re

MAX_NESTED = 32
"""Elements inside each other; those deeper are taken out around their words, and parts of tables and lists with their
whole."""

OWN = "nlx-"
"""What stands before the name of an element that browsers would open again."""

_REOPENED = ("a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
"""HTML Living Standard, 13.2.4.3: the formatting elements."""

_START = re.compile(rf"<(/?)({'|'.join(_REOPENED)})(?=[\s/>])", re.IGNORECASE)
_OWN = re.compile(rf"(?<=<){OWN}|(?<=</){OWN}|(?<=&lt;){OWN}|(?<=&lt;/){OWN}")
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:\s[^\s="<>]+="[^"]*")*)>')
VOID = frozenset(["br", "hr", "img"])
"""The elements of a body that have no end tag."""

_PARTS = frozenset(["caption", "thead", "tbody", "tr", "th", "td", "li", "figcaption"])
_INLINE = frozenset((*_REOPENED, "abbr", "cite", "del", "ins", "mark", "q", "sub", "sup"))


def renamed(html: str) -> str:
    """HTML in which no element is one that browsers open again by themselves."""
    return _START.sub(rf"<\1{OWN}\2", html)


def own_names(names: frozenset[str]) -> frozenset[str]:
    """The same names as they are called between ``renamed`` and ``flat``."""
    return frozenset(OWN + name if name in _REOPENED else name for name in names)


def flat(html: str) -> str:
    """nh3's HTML under its real names: no element deeper than ``MAX_NESTED``, no link inside a link. Linear time."""
    open_: list[bool] = []  # whether each open element stays
    depth = links = 0

    def tag(found: re.Match[str]) -> str:
        nonlocal depth, links
        closing, name, attributes = found.groups()
        if name in VOID:
            return found.group()
        if closing:
            stays = open_.pop() if open_ else False
            depth -= stays
            links -= stays and name == "a"
        else:
            fits = (not open_ or open_[-1]) if name in _PARTS else depth < MAX_NESTED
            stays = fits and not (name == "a" and links)
            open_.append(stays)
            depth += stays
            links += stays and name == "a"
        if stays:
            return f"<{closing}{name}{attributes}>"
        return "" if name in _INLINE else "\n"

    return _TAG.sub(tag, _OWN.sub("", html))
