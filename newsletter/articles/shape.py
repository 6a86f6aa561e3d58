"""What one line of a story can be: a picture, an agency's credit, a byline, a headline.

Only what is explicit counts. A byline begins with "By", a credit stands in brackets or after a dash, a date is never
taken from a line: an invented byline or date is worse than a missing one (trafilatura made up a date on 121 of 123
pages that had none).
"""

from __future__ import annotations

import re
import unicodedata

from newsletter.models import Picture

AGENCIES = frozenset(
    {
        "agence france-presse", "ansa", "associated press", "belga", "bernama", "bloomberg", "bloomberg news",
        "canadian press", "deutsche presse-agentur", "dpa", "interfax", "jiji", "kyodo", "kyodo news", "lusa",
        "pa media", "press association", "press trust of india", "reuters", "ritzau", "tass", "the associated press",
        "the canadian press", "thomson reuters", "thomson reuters foundation", "xinhua", "yonhap",
    }
)  # fmt: skip
"""News agencies whose names are not just capitals, in lower case."""

_NO_AGENCY = frozenset({"END", "ENDS", "MORE", "TBC", "TBA", "TK", "ADVT", "AD", "PHOTO", "VIDEO", "FILE", "UPDATED"})
_CREDIT = re.compile(r"\((?P<bracket>[^()]{2,60})\)\.?|(?:[–—]|-{1,3})\s?(?P<dash>[^()]{2,60}?)\.?")
_BETWEEN = re.compile(r"\s*(?:/|,|&|;|\+|\band\b)\s*")
_TARGET = re.compile(r"<(?P<angle>[^<>\n]+)>|(?P<bare>\S+)")
_TITLE = re.compile(r"""\s+(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')$""")
_BYLINE = re.compile(r"(?:(?:words|text|story|report|written)\s+)?by:?\s+(?P<name>\S.{1,98})", re.IGNORECASE)
_SMALL_WORDS = frozenset(
    {
        "&", "al", "and", "bin", "da", "das", "de", "del", "della", "den", "der", "di", "dos", "du", "el", "ibn", "in",
        "la", "le", "of", "ter", "the", "van", "von",
    }
)  # fmt: skip
_MAX_IMAGE_LINE = 4000
_FULL_STOPS = ".:;,。।۔．"
_QUOTES = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})
CUT_OFF = re.compile(r"(?:…|\.{3}|[\[(]\s?(?:…|\.{3})\s?[\])])$")
"""How a description ends that a system has cut: with an ellipsis, perhaps in brackets."""

_SENTENCE_END = re.compile(r"[.!?…:;。！？।॥۔؟][\"'”’»)\]]*$")


def title_key(text: str) -> str:
    """A headline for comparison: case, kinds of quotes and dashes, blanks and final marks make no difference."""
    folded = unicodedata.normalize("NFKC", text.translate(_QUOTES)).casefold()
    return " ".join(folded.split()).strip(" .!?\"'")


def image_line(line: str) -> Picture | None:
    """A line that is one Markdown image and nothing else; ``url`` holds its target, also when that is a local path."""
    if len(line) > _MAX_IMAGE_LINE:
        return None
    middle = line.find("](")
    if not (line.startswith("![") and line.endswith(")")) or middle < 0 or line.find("](", middle + 1) > 0:
        return None
    target, caption = line[middle + 2 : -1].strip(), None
    if title := _TITLE.search(target):
        caption = title["double"] or title["single"] or None
        target = target[: title.start()]
    found = _TARGET.fullmatch(target)
    url = (found["angle"] or found["bare"]) if found else target
    if not url or (found is None and "://" in url):
        return None
    alt = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", line[2:middle])
    # "&amp;" is how Markdown writes an ampersand; nothing else in an address is touched.
    return Picture(url=url.replace("&amp;", "&"), alt=" ".join(alt.split()) or None, caption=caption)


def agency_line(line: str, *, dashes: bool = True) -> str | None:
    """The agency when a line is nothing but its credit: ``(PTI)``, ``(AFP, Reuters)``, ``– Reuters``."""
    found = _CREDIT.fullmatch(line)
    if found is None or (found["bracket"] is None and not dashes):
        return None
    inside = (found["bracket"] or found["dash"]).strip()
    names = [name for name in _BETWEEN.split(inside) if name]
    return inside if names and all(_is_agency(name) for name in names) else None


def _is_agency(name: str) -> bool:
    if name.casefold() in AGENCIES:
        return True
    return name.isascii() and name.isalpha() and name.isupper() and 2 <= len(name) <= 6 and name not in _NO_AGENCY


def byline_line(line: str) -> str | None:
    """The name when a line is an explicit byline, ``By Ada Lovelace``; in capitals too, also with a place."""
    found = _BYLINE.fullmatch(line)
    if found is None or _SENTENCE_END.search(line):
        return None
    name = found["name"].strip()
    words = name.replace(",", " ").split()
    capital = [word for word in words if word[:1].isupper() or not word[:1].isascii()]
    rest = [word for word in words if word not in capital]
    return name if len(capital) >= 2 and all(word in _SMALL_WORDS for word in rest) and len(words) <= 14 else None


def headline_line(line: str) -> bool:
    """Whether a line can be a headline: letters, at most 150 characters, no full stop at its end."""
    bare = line.rstrip("\"'”’»)]")
    if not bare or len(line) > 150 or bare[-1] in _FULL_STOPS or not any(c.isalpha() for c in bare):
        return False
    return image_line(line) is None and agency_line(line) is None and byline_line(line) is None


def ends_a_sentence(line: str) -> bool:
    """Whether a line ends as sentences end, closing quotes and brackets included."""
    return _SENTENCE_END.search(line) is not None
