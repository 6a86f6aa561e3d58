"""Shortening a teaser for its layout: whole sentences where they fit, else whole words and an ellipsis."""

from __future__ import annotations

import re

from newsletter.message.merge import TOKEN

_SENTENCE_END = re.compile(r"[.!?؟۔।…][\"'”’»)]*(?=\s|\Z)|[。！？][」』）]*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sir|Rev|Gen|Col|Lt|Sgt|Capt|No|vs|etc|approx|Jr|Sr|Inc|Ltd|Co|e\.g|i\.e)|\b[A-Z])\.\Z"
)
_TRAILING = " ,;:–—-(/“‘"
_ENOUGH = 0.6
"""Sentences are kept whole when they fill at least this much of the room."""


def first_sentence(text: str) -> str:
    """The first sentence; the whole text when it has no end. "Mr. Smith" and "A. Smith" end no sentence."""
    for end in _sentence_ends(text):
        return text[:end]
    return text


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters: whole sentences when they fill most of the room, else whole words and "…".

    Text without blanks (Chinese, Japanese) is cut between characters. A merge field is one word and never cut.
    """
    if len(text) <= limit:
        return text
    ends = [end for end in _sentence_ends(text) if end <= limit]
    if ends and ends[-1] >= limit * _ENOUGH:
        return text[: ends[-1]]
    cut = text[: limit - 1]
    if not text[limit - 1].isspace():
        blank = cut.rfind(" ")
        cut = cut[:blank] if blank >= limit * _ENOUGH else cut
    for field in TOKEN.finditer(text):
        if field.start() < len(cut) < field.end():
            cut = text[: field.start()]
    return f"{cut.rstrip(_TRAILING)}…"


def _sentence_ends(text: str) -> list[int]:
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return [end for end in ends if not _ABBREVIATION.search(text[max(0, end - 10) : end])]
