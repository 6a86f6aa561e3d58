"""Slugs: the short names of issues and articles. They become file names, so little is allowed in them."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from newsletter.errors import BadData

MAX_SLUG = 80
_MAX_MADE = 60

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")

# Names that a folder cannot have on Windows, and names that mean something inside an issue folder.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
_OURS = {"images", "approved", "issue"}
RESERVED = frozenset(_DEVICES | _OURS)

# Latin letters that Unicode does not decompose into a base letter and a mark.
_LATIN = str.maketrans(
    {
        "ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ø": "o", "Ø": "o", "đ": "d", "Đ": "d",
        "ð": "d", "Ð": "d", "þ": "th", "Þ": "th", "ł": "l", "Ł": "l", "ı": "i", "ħ": "h", "Ħ": "h", "ŧ": "t",
        "Ŧ": "t", "ŋ": "ng", "Ŋ": "ng", "ĸ": "k", "ə": "e", "Ə": "e", "ɓ": "b", "ɗ": "d", "ƙ": "k",
    }
)  # fmt: skip
_APOSTROPHES = re.compile("['’‘ʼʹ´`]")


def check_slug(slug: str, kind: str) -> str:
    """Return ``slug`` if it may name an issue or an article; ``kind`` is the word for the message.

    Allowed are a–z, 0–9 and hyphens, at most 80 characters, the first one no hyphen. Raises ``BadData``
    for anything else (``..``, an absolute path, a separator, a reserved name), with a name that would do.
    """
    if slug in RESERVED:
        raise BadData(f"{slug!r} is a reserved name and cannot be the slug of an {kind}", fix=_suggestion(slug))
    if len(slug) > MAX_SLUG:
        raise BadData(
            f"a slug has at most {MAX_SLUG} characters; {slug[:20]!r}… has {len(slug)}", fix=_suggestion(slug)
        )
    if not _SLUG.fullmatch(slug):
        raise BadData(
            f"{slug!r} cannot be the slug of an {kind}: only a–z, 0–9 and hyphens, starting with a letter or digit",
            fix=_suggestion(slug),
        )
    return slug


def _suggestion(slug: str) -> str:
    return f'use for example "{slugify(slug)}"'


def slugify(text: str) -> str:
    """Make a slug of at most 60 characters from a headline: ``Khan's visit`` becomes ``khans-visit``.

    Accents of Latin letters are dropped. A text that is mostly in another script becomes ``story-`` and
    the first 8 hex digits of its SHA-256, the same each time. Never fails; always passes ``check_slug``.
    """
    text = unicodedata.normalize("NFC", text)
    plain = unicodedata.normalize("NFKD", text.translate(_LATIN))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    words = re.findall(r"[a-z0-9]+", _APOSTROPHES.sub("", plain))
    letters = [c for c in plain if c.isalpha()]
    latin = sum(c.isascii() for c in letters)
    if not words or latin * 2 < len(letters):
        return "story-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    slug = _joined(words)
    return f"{slug}-story" if slug in RESERVED else slug


def _joined(words: list[str]) -> str:
    """As many whole words as fit; a single giant word is cut."""
    slug = words[0][:_MAX_MADE]
    for word in words[1:]:
        if len(slug) + 1 + len(word) > _MAX_MADE:
            break
        slug = f"{slug}-{word}"
    return slug
