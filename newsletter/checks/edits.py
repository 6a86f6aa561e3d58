"""What a check may offer to put right: a description of the change. ``app`` makes it; nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

BODY = "body"
"""The field of an ``Edit`` that is the text under the front matter: a story's body, or the intro of ``issue.md``."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_CODE = re.compile(r"(?<!`)(`++).+?(?<!`)\1(?!`)")
_TABLE = re.compile(r"\s{0,3}\|")
_INDENTED = re.compile(r"(?: {4}|\t)")
_MARK = re.compile(r"[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]+)*")
_REFERENCE = re.compile(r" {0,3}\[[^\]]+\]:")
_TAG = re.compile(r"<[^<>]*>")
_OPENED = re.compile(r"<[A-Za-z/!]")
_PRE, _PRE_END = re.compile(r"<pre\b", re.IGNORECASE), re.compile(r"</pre\s*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to the file of a story, or to ``issue.md`` where ``article`` is None.

    In ``BODY`` the text ``before`` stands at character ``at`` and becomes ``after``. Any other ``field`` is a dotted
    key of the front matter: its value, on one line, is ``before`` (None: not written) and becomes ``after``.
    """

    article: str | None
    field: str
    before: str | None
    after: str
    at: int = 0


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The running text of a Markdown body, as (place of its first character, piece), line by line.

    Left out is what blanks may mean something in: code, tables, indented blocks, list marks, HTML tags and what is
    preformatted, reference definitions. Where a line may be either, it is left out.
    """
    fence: str | None = None
    tag = pre = False
    at = 0
    for line in text.split("\n"):
        start, at = at, at + len(line) + 1
        mark = _FENCE.match(line)
        if fence is not None:
            # A fence is closed by at least as many of its own signs.
            fence = None if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
        elif pre or tag:
            # A tag that stays open ends with its sign, or with the paragraph.
            tag = tag and ">" not in line and bool(line.strip())
            pre = pre and not _PRE_END.search(line)
        elif _PRE.search(line):
            pre = not _PRE_END.search(line)
        elif not (_TABLE.match(line) or _INDENTED.match(line) or _REFERENCE.match(line) or line.count("|") > 1):
            pieces = list(_outside_code(line, start))
            tag = any(_OPENED.search(piece) for _, piece in pieces)
            yield from () if tag else pieces


def _outside_code(line: str, start: int) -> Iterator[tuple[int, str]]:
    found = _MARK.match(line)
    at = found.end() if found else 0
    for hidden in sorted([*_CODE.finditer(line), *_TAG.finditer(line)], key=lambda match: match.start()):
        if hidden.start() > at:
            yield start + at, line[at : hidden.start()]
        at = max(at, hidden.end())
    if line[at:].strip():
        yield start + at, line[at:].rstrip("\r")
