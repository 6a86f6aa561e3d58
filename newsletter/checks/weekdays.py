"""Weekdays and dates in English sentences, and the day they mean.

Newspapers write “Wednesday (23)”, “on Wednesday 23 February” or “tomorrow”, and mean a day near the day of
writing. Only English is read; other languages are left alone rather than misread.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ENDINGS = {
    "jan": "uary", "feb": "ruary", "mar": "ch", "apr": "il", "may": "", "jun": "e", "jul": "y", "aug": "ust",
    "sep": "t(?:ember)?", "oct": "ober", "nov": "ember", "dec": "ember",
}  # fmt: skip
MONTHS = tuple(_ENDINGS)

_WEEKDAY = "(?P<weekday>" + "|".join(WEEKDAYS) + ")"
_MONTH = "(?P<{}>" + "|".join(f"{name}(?:{ending})?" for name, ending in _ENDINGS.items()) + ")"
_DAY = r"(?P<{}>\d{{1,2}})(?:st|nd|rd|th)?"
_DATED = re.compile(
    rf"\b{_WEEKDAY}"
    rf"(?:\s?\({_DAY.format('bracketed')}\)"
    rf"|,?\s(?:the\s)?{_DAY.format('day')}\s(?:of\s)?{_MONTH.format('month')}\b\.?"
    rf"|,?\s{_MONTH.format('month_first')}\.?\s{_DAY.format('day_second')}\b)"
    r"(?:,?\s(?P<year>\d{4}))?",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"\b(?P<word>yesterday|today|tonight|tomorrow)\b(?![’']s\b)", re.IGNORECASE)
_BARE = re.compile(
    rf"\b(?P<lead>on|this|next|last)\s{_WEEKDAY}\b(?!\s?\(|,?\s(?:the\s)?\d|,?\s{_MONTH.format('m')}\b)", re.IGNORECASE
)
_OFFSET = {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1}

_SENTENCE_END = re.compile(r"[.!?][”\"’)]*\s|\n\s*\n")
_AROUND = 300
"""Characters to either side of a day that its sentence is looked for in."""
_FUTURE = re.compile(
    r"\b(?:will|to be|won[’']t|shall|is to|are to|is due|are due|is set to|are set to|plans? to|going to|expected to|"
    r"scheduled|is coming|are coming|upcoming|next)\b|[’']ll\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:was|were|had|did|said|told|met|held|won|lost|died|began|came|went|made|took|gave|found|left|saw|got|ran|"
    r"wrote|spoke|fell|rose|led|hit|sent|kept|brought|bought|sold|paid|put|set off|\w{2,}ed)\b",
    re.IGNORECASE,
)


MOST = 60
"""Days of one text that are looked at: a story of nothing but days is no story."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A day that a text names. ``day`` is None where weekday and number never meet near the issue.

    ``tense``: whether its sentence looks forward, looks back, or does not say.
    """

    words: str
    kind: Literal["dated", "relative", "bare"]
    day: date | None
    tense: Literal["future", "past", "open"]


def mentions(text: str, near: date, written: date | None) -> Iterator[Mention]:
    """Every day that ``text`` names.

    ``near`` is the issue's date: a day of the month is looked for in its neighbourhood. ``written`` is the day the
    story was published, where it is known: only then do “tomorrow” and “on Monday” mean a day. At most ``MOST``.
    """
    return itertools.islice(_mentions(text, near, written), MOST)


def _mentions(text: str, near: date, written: date | None) -> Iterator[Mention]:
    for found in _DATED.finditer(text):
        yield Mention(_words(found), "dated", _resolved(found, near), _tense(text, found))
    for found in _RELATIVE.finditer(text):
        offset = timedelta(days=_OFFSET[found["word"].lower()])
        yield Mention(_words(found), "relative", written + offset if written else None, _tense(text, found))
    for found in _BARE.finditer(text):
        if written:
            yield Mention(_words(found), "bare", _bare(found, written, _tense(text, found)), _tense(text, found))


def _words(found: re.Match[str]) -> str:
    return " ".join(found.group().split())


def _resolved(found: re.Match[str], near: date) -> date | None:
    number = int(found["bracketed"] or found["day"] or found["day_second"])
    weekday = WEEKDAYS.index(found["weekday"].lower())
    written_month = found["month"] or found["month_first"]
    if written_month:
        month = MONTHS.index(written_month.lower()[:3]) + 1
        years = [int(found["year"])] if found["year"] else [near.year - 1, near.year, near.year + 1]
        candidates = [(year, month) for year in years]
    else:
        first = near.year * 12 + near.month - 1
        candidates = [divmod(n, 12) for n in range(first - 2, first + 3)]
        candidates = [(year, month + 1) for year, month in candidates]
    days = []
    for year, month in candidates:
        try:
            day = date(year, month, number)
        except ValueError:
            continue
        if day.weekday() == weekday:
            days.append(day)
    return min(days, key=lambda day: abs((day - near).days), default=None)


def _bare(found: re.Match[str], written: date, tense: str) -> date:
    """“on Monday” is the last one in a report, the next one in an announcement; never more than a week away."""
    ahead = (WEEKDAYS.index(found["weekday"].lower()) - written.weekday()) % 7
    back = found["lead"].lower() == "last" or (found["lead"].lower() == "on" and tense == "past")
    return written + timedelta(days=ahead - 7 if back and ahead else ahead)


def _tense(text: str, found: re.Match[str]) -> Literal["future", "past", "open"]:
    first, last = max(0, found.start() - _AROUND), found.end() + _AROUND
    starts = [end.end() for end in _SENTENCE_END.finditer(text, first, found.start())]
    end = _SENTENCE_END.search(text, found.end(), last)
    sentence = text[starts[-1] if starts else first : end.start() if end else last]
    if _FUTURE.search(sentence):
        return "future"
    return "past" if _PAST.search(sentence) else "open"
