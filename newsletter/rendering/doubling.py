"""Which standfirst stands above a story, so that nobody reads a sentence twice, or half of one.

Many a page describes itself by its first sentence. In a list that is a good standfirst; above the text that begins
with it, it is a mistake that readers see. An imported description that was cut off gives way to the story's own words.
"""

from __future__ import annotations

import re
import unicodedata

_CUT = re.compile(r"\s*[\[(]?\s?(?:…|\.{3})\s?[\])]?$")
_BEFORE = 30
"""Letters that may stand before the sentence: a place, an agency, a date."""


def standfirst_for(standfirst: str, *, body: str | None, instead: str = "", guess: bool = False) -> str:
    """The standfirst as it is shown, or "".

    ``body`` is the plain text that is shown below it, None where none is. ``guess`` says that the standfirst was
    imported and that nobody has confirmed it: then one that was cut goes where there is a text, or something
    ``instead``.
    """
    if body is not None and says_first(body, standfirst):
        return ""
    cut = guess and _CUT.search(standfirst) is not None
    return "" if cut and (body or instead not in ("", standfirst)) else standfirst


def says_first(body: str, words: str) -> bool:
    """Whether a text begins with these words; spaces, marks, capitals and a cut end make no difference."""
    start = _letters(_CUT.sub("", words))
    if _CUT.search(words):
        start = start[:-12] if len(start) > 60 else start  # the last word may be half of one
    # Only as much of the text as can matter: it may be long.
    return bool(start) and 0 <= _letters(body[: 4 * len(words) + 400]).find(start) <= _BEFORE


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()
