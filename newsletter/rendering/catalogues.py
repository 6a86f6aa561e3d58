"""Which translation of the interface's words a language has: its own, its parent's (fr-CA → fr), else English.

``locale/<language>/newsletter.po`` is what translators edit; the ``.mo`` beside it is what is read here, because the
standard library does that in a millisecond and parsing a ``.po`` takes twenty. ``./dev goldens`` compiles them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from types import MappingProxyType

LOCALE = Path(__file__).with_name("locale")
SOURCE = "en"

SCRIPTS: Mapping[str, str] = MappingProxyType(
    {
        "en": "latn",
        "fr": "latn",
        "de": "latn",
        "es": "latn",
        "ur": "arab",
        "hi": "deva",
        "gu": "gujr",
        "bn": "beng",
    }
)
"""The languages that have a catalogue, each with the script that it is written in."""


def language_of(lang: str) -> str:
    """The catalogue for a BCP 47 tag: "fr-CA" → "fr"; English for a language, or a script of it, that has none."""
    language, *rest = lang.lower().replace("_", "-").split("-")
    script = next((part for part in rest if len(part) == 4 and part.isalpha()), None)
    if language not in SCRIPTS or (script or SCRIPTS[language]) != SCRIPTS[language]:
        return SOURCE
    return language


@lru_cache(maxsize=16)
def catalogue(language: str) -> NullTranslations:
    """The compiled catalogue of one of ``SCRIPTS``, read once. What it lacks stays English."""
    with (LOCALE / language / "newsletter.mo").open("rb") as file:
        return GNUTranslations(file)
