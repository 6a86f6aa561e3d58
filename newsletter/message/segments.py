"""The words of a text in any script.

A word is what a reader takes for one: letters with their vowel signs and joiners (so that no Hindi or Urdu word is
torn), a number with its separators, one character of a script that sets no blanks (Chinese, Japanese, Thai …). This
follows the word boundaries of UAX #29 where they can be had without a dictionary.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_APOSTROPHES_AND_HYPHENS = frozenset("'’-‐‑")
_SEPARATORS = frozenset(".,:٫٬")
_ZWJ = "\u200d"
# Scripts that put no blank between words: each character is one, as UAX #29 does without a dictionary.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip


def split_words(text: str) -> list[str]:
    """The words, signs and blanks of a text; joined, they are the text."""
    found: list[str] = []
    at = 0
    while at < len(text):
        end = _end_of(text, at)
        found.append(text[at:end])
        at = end
    return found


def _end_of(text: str, at: int) -> int:
    """Where the word, the sign or the stretch of blanks that begins at ``at`` ends."""
    kind = _kind(text[at])
    end = at + 1
    while end < len(text) and (step := _step(text, at, end, kind)):
        end += step
    return end


def _step(text: str, at: int, end: int, kind: str) -> int:
    """How many characters from ``end`` on still belong to what began at ``at``."""
    following = _kind(text[end])
    if following == "mark" or (kind == following and kind in ("word", "blank")):
        return 1
    if kind == "word":
        return 2 if _is_inside(text, end) else 0
    if kind == "flag":
        return int(following == "flag" and end == at + 1)
    return int(kind == following == "sign" and text[end - 1] == _ZWJ)  # one emoji made of several


def _is_inside(text: str, at: int) -> bool:
    """Whether a sign stands inside a word ("don’t", "re-open") or a number ("2,306")."""
    if at + 1 >= len(text):
        return False
    before, sign, after = text[at - 1], text[at], text[at + 1]
    if sign in _APOSTROPHES_AND_HYPHENS:
        return _kind(after) == "word"
    return sign in _SEPARATORS and before.isnumeric() and after.isnumeric()


@lru_cache(maxsize=8192)
def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return "blank"
    if category[0] == "M" or category == "Cf" or "\U0001f3fb" <= character <= "\U0001f3ff":
        return "mark"
    if "\U0001f1e6" <= character <= "\U0001f1ff":
        return "flag"
    if any(first <= ord(character) <= last for first, last in _UNSPACED):
        return "sign"
    return "word" if category[0] in "LN" or category == "Pc" else "sign"
