"""Tags that do not pair up, in HTML as it is written: a parser would put them right without a word.

Two readers see two pages. Outlook's Word engine reads what stands in ``<!--[if mso]>`` and not what stands in
``<!--[if !mso]><!-->``; everybody else reads it the other way round.
"""

from __future__ import annotations

import re
from collections import Counter

_TOKEN = re.compile(
    r"""<!--.*?(?:-->|\Z) | <!\[.*?\]> | <(?P<raw>style|script|title|textarea|xml)\b[^>]*>.*?</(?P=raw)\s*>
        | <(?P<end>/)?(?P<name>[a-z][\w:.-]*)(?P<rest>(?:"[^"]*"|'[^']*'|[^>"'])*+)>""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_WORD_ONLY = re.compile(r"<!--\[if\s+(?!\s*!)[^\]]*\bmso\b[^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL | re.IGNORECASE)
_NOT_WORD = re.compile(r"<!--\[if\s+!\s*\(?mso\)?\s*\]><!-->(.*?)<!--<!\[endif\]-->", re.DOTALL | re.IGNORECASE)

_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905  # reads as a list
_CLOSE_THEMSELVES = frozenset("p li dt dd option optgroup colgroup thead tbody tfoot html head body".split())  # noqa: SIM905  # as above
"""Elements whose end HTML lets authors leave out. Rows and cells are not among them: Word guesses those wrongly."""


def as_word_reads(html: str) -> str:
    """The HTML with the parts for Outlook's Word engine opened, and those that are kept from it taken out."""
    return _WORD_ONLY.sub(lambda part: part[1], _NOT_WORD.sub("", html))


def word_only(html: str) -> str:
    """Everything that only Outlook's Word engine reads."""
    return "\n".join(_WORD_ONLY.findall(html))


def unpaired(html: str) -> tuple[str, ...]:
    """What does not pair up, as sentences without an end: “<div class="card"> is not closed”; at most ten."""
    open_tags: list[tuple[str, str]] = []
    depth: Counter[str] = Counter()
    told: list[str] = []
    for token in _TOKEN.finditer(html):
        name = (token["name"] or "").lower()
        if not name or name in _VOID or (not token["end"] and token["rest"].endswith("/")):
            continue
        if not token["end"]:
            open_tags.append((name, token[0]))
            depth[name] += 1
        elif depth[name]:
            while open_tags[-1][0] != name:
                depth[open_tags[-1][0]] -= 1
                told += _unclosed(*open_tags.pop())
            open_tags.pop()
            depth[name] -= 1
        else:
            told.append(f"</{name}> closes nothing")
    for left in reversed(open_tags):
        told += _unclosed(*left)
    return tuple(told[:10])


def _unclosed(name: str, tag: str) -> list[str]:
    tag = " ".join(tag.split())
    shown = tag if len(tag) <= 60 else tag[:59].rstrip() + "…"
    return [] if name in _CLOSE_THEMSELVES else [f"{shown} is not closed"]
