"""The interface's own words, dates, numbers and directions in the language of an issue or of one story."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date as Date
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from newsletter.message.merge import TOKEN
from newsletter.rendering.catalogues import catalogue, language_of
from newsletter.rendering.shown import Direction

if TYPE_CHECKING:
    from babel import Locale

_NAMED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")

_RTL_LANGUAGES = frozenset(
    ["ar", "arc", "azb", "bal", "bqi", "ckb", "dv", "fa", "glk", "he", "iw", "khw", "ks", "lrc", "mzn", "nqo"]
).union(["pnb", "ps", "sd", "syr", "ug", "ur", "yi"])
_RTL_SCRIPTS = frozenset(["adlm", "arab", "aran", "hebr", "mand", "mend", "nkoo", "rohg", "samr", "syrc", "thaa"])

_ZEROS = {"arab": "٠", "arabext": "۰", "beng": "০", "deva": "०", "mymr": "၀", "nkoo": "߀", "olck": "᱐", "tibt": "༠"}
"""The zero of the numbering systems that are some language's default in CLDR; nine digits follow each."""

MARK: Mapping[Direction, str] = MappingProxyType({"ltr": "\u200e", "rtl": "\u200f"})
"""The invisible mark of each direction, LRM and RLM."""

_ELEMENT = Markup('<span lang="{}" dir="{}">{}</span>')

_ADDRESS = re.compile(r"\S*(?:://|@)\S*")


def direction(lang: str) -> Direction:
    """The writing direction of a BCP 47 language tag: its script subtag decides, else its language."""
    parts = lang.lower().replace("_", "-").split("-")
    script = next((part for part in parts[1:] if len(part) == 4 and part.isalpha()), None)
    if script is not None:
        return "rtl" if script in _RTL_SCRIPTS else "ltr"
    return "rtl" if parts[0] in _RTL_LANGUAGES else "ltr"


class Words:
    """``t`` of the templates: ``t(text, **values)`` says ``text`` in one language, for HTML or for the text part.

    English is the key and what is said where a language has no catalogue.
    """

    def __init__(self, lang: str, *, html: bool) -> None:
        self.lang = lang
        self.dir = direction(lang)
        self.html = html
        language = language_of(lang)
        self._catalogue = catalogue(language)
        self._spoken = language
        self._along = direction(language)
        # English words for a language without a catalogue take English numbers.
        self._numbers = lang if language_of(lang) == lang.lower().replace("_", "-").split("-")[0] else language

    def __call__(self, text: str, /, **values: object) -> str:
        """The words for ``text`` with ``{name}`` filled in from ``values``.

        A whole number is written as the language does and chooses the plural form. A value that is Markup keeps its
        HTML; then the words are escaped. A name without a value stays as it is, which shows at once. English words in
        a page that runs the other way (Arabic, Hebrew: no catalogue) are an element with their own ``dir``.
        """
        said = self._said(text, [value for value in values.values() if type(value) is int])
        shown = {name: self._shown(value) for name, value in values.items()}
        against = self.html and self._along != self.dir
        if not against and not any(hasattr(value, "__html__") for value in shown.values()):
            return _fill(said, shown)
        safe = {name: str(escape(value)) for name, value in shown.items()}
        filled = Markup(_fill(str(escape(said)), safe))  # noqa: S704  # words and values are escaped one line above
        return _ELEMENT.format(self._spoken, self._along, filled) if against else filled

    def isolate(self, value: str) -> str:
        """Data inside a line of this language, so that a name of the other direction leaves the line's order alone.

        In HTML an element with its own ``dir``; in text invisible marks, but never beside an address, where mail
        programs would take them for a part of the link. Most data needs neither and comes back as it is.
        """
        return self._within(value, self.dir)

    def _within(self, value: str, around: Direction) -> str:
        own = direction_of(value)
        if own is None or (own == around and not _has(value, _other(own))):
            return value
        mark = MARK[around]
        if self.html:
            # The mark is for engines that know dir but not isolation (Word's): a number after the name stays put.
            return Markup('<span dir="{}">{}</span>{}').format(own, value, mark)
        if _ADDRESS.fullmatch(value):
            return value
        ends = MARK[own] if own != around else ""
        return f"{mark}{ends}{value}{ends}{mark}"

    def alone(self, value: str) -> str:
        """Data that is a line of its own: as ``isolate`` in HTML; in text, mail programs find its direction."""
        return self.isolate(value) if self.html else value

    def digits(self, text: str) -> str:
        """A number that an editor wrote, with the digits of this language."""
        return digits(text, self._numbers)

    def _said(self, text: str, numbers: list[int]) -> str:
        if len(numbers) == 1:
            # "" for a message without plural forms, except at 1: there gettext has the same answer.
            said = self._catalogue.ngettext(text, "", numbers[0])
            if said and numbers[0] != 1:
                return said
        return self._catalogue.gettext(text)

    def _shown(self, value: object) -> str:
        if type(value) is int:
            return number(value, self._numbers)
        return self._within(value if isinstance(value, str) else str(value), self._along)


@lru_cache(maxsize=64)
def words(lang: str, *, html: bool) -> Words:
    """The words of a language: of its catalogue, of its parent's (fr-CA → fr), else English."""
    return Words(lang, html=html)


def _fill(said: str, values: dict[str, str]) -> str:
    return _NAMED.sub(lambda found: values.get(found[1], found[0]), said)


def _letters(value: str) -> str:
    """What a value says, without its markup and without merge fields, which are Latin only until they are filled."""
    return TOKEN.sub(" ", value.striptags() if isinstance(value, Markup) else value)


def direction_of(value: str) -> Direction | None:
    """The direction of the first letter that has one (UAX #9, rule P2)."""
    for letter in _letters(value):
        kind = unicodedata.bidirectional(letter)
        if kind in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return None


def _has(value: str, wanted: Direction) -> bool:
    kinds = ("L",) if wanted == "ltr" else ("R", "AL")
    return not value.isascii() and any(unicodedata.bidirectional(letter) in kinds for letter in _letters(value))


def _other(one: Direction) -> Direction:
    return "ltr" if one == "rtl" else "rtl"


@lru_cache(maxsize=64)
def _locale(lang: str) -> Locale | None:
    """The nearest locale that Babel has data for, or None."""
    from babel import Locale, UnknownLocaleError

    parts = lang.replace("_", "-").split("-")
    while parts:
        try:
            return Locale.parse("-".join(parts), sep="-")
        except (UnknownLocaleError, ValueError):
            parts.pop()
    return None


def digits(text: str, lang: str) -> str:
    """The same text with the digits that CLDR has as the language's default: ০১২ in Bengali, 012 in Hindi and Urdu."""
    locale = _locale(lang)
    zero = _ZEROS.get(locale.default_numbering_system) if locale else None
    if zero is None:
        return text
    return text.translate({ord("0") + value: chr(ord(zero) + value) for value in range(10)})


def number(value: int, lang: str) -> str:
    """A whole number with the language's own grouping and digits: 12,34,567 in Hindi; plain where Babel knows none."""
    from babel.numbers import format_decimal

    locale = _locale(lang)
    return digits(format_decimal(value, locale=locale), lang) if locale else str(value)


def long_date(day: Date, lang: str) -> str:
    """A date with its weekday, as newspapers of that language write it; ISO 8601 where Babel knows no such language.

    English outside North America takes no comma: "Friday 27 November 2026".
    """
    from babel.dates import format_date

    locale = _locale(lang)
    if locale is None:
        return day.isoformat()
    written = format_date(day, "full", locale=locale)
    if locale.language == "en" and locale.territory not in (None, "US", "CA"):
        written = written.replace(",", "", 1)
    return digits(written, lang)


def plain_date(day: Date, lang: str) -> str:
    """A date without its weekday: "26 November 2026"; ISO 8601 where Babel knows no such language."""
    from babel.dates import format_date

    locale = _locale(lang)
    return day.isoformat() if locale is None else digits(format_date(day, "long", locale=locale), lang)
