"""Dates that a page states for machines, as ISO 8601; what is ambiguous, impossible or in the future is no date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_ISO = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ]\s?(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?\s?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.I,
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?(Z|[+-]\d\d:?\d\d)?)?")
_SLASHES = re.compile(r"(\d{4})/(\d\d?)/(\d\d?)()()()()")
_DOTS = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_FIRST = re.compile(r"(?:[A-Za-z]{3,9},? )?([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\b")
_DAY_FIRST = re.compile(r"(?:[A-Za-z]{3,9},? )?(\d{1,2})(?:st|nd|rd|th)? ([A-Za-z]{3,9})\.?,? (\d{4})\b")
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")
_OLDEST = 1990  # nothing was on the web before; 1970 is a clock that nobody set
_TOMORROW = timedelta(days=1)


def stated_date(value: object, now: datetime | None = None) -> str | None:
    """A date or a time as ISO 8601, as exact as it was stated; None for anything else.

    ``now`` (aware) is what decides that a date lies in the future: more than a day ahead is an error of the page.
    """
    text = " ".join(str(value).split()) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not 4 < len(text) <= 60:
        return None
    try:
        return _checked(text, now or datetime.now(UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _checked(text: str, now: datetime) -> str | None:
    if _EPOCH.fullmatch(text):
        moment = datetime.fromtimestamp(int(text[:10]), UTC)
        return _fine(moment, now, exact=True)
    for pattern in (_ISO, _COMPACT, _SLASHES):
        if found := pattern.fullmatch(text):
            year, month, day, hour, minute, second, zone = found.groups()
            moment = _moment(year, month, day, hour, minute, second)
            return _fine(_in_zone(moment, zone), now, exact=bool(hour))
    if found := _DOTS.fullmatch(text):
        return _fine(_moment(found[3], found[2], found[1]), now, exact=False)
    if re.match(r"[A-Za-z]{3}, \d", text) and ":" in text:
        return _fine(parsedate_to_datetime(text), now, exact=True)
    for pattern, month_at, day_at in ((_MONTH_FIRST, 1, 2), (_DAY_FIRST, 2, 1)):
        if (found := pattern.match(text)) and found[month_at][:3].lower() in _MONTHS:
            month = _MONTHS.index(found[month_at][:3].lower()) + 1
            return _fine(_moment(found[3], month, found[day_at]), now, exact=False)
    return None


def _moment(*parts: str | int | None) -> datetime:
    year, month, day, hour, minute, second = (*(int(part or 0) for part in parts), 0, 0, 0)[:6]
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the page states no zone; one that it states is added


def _in_zone(moment: datetime, zone: str | None) -> datetime:
    if not zone:
        return moment
    if zone[0] not in "+-":
        return moment.replace(tzinfo=UTC)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return datetime.fromisoformat(f"{moment.isoformat()}{zone[0]}{digits[:2]}:{digits[2:]}")


def _fine(moment: datetime, now: datetime, *, exact: bool) -> str | None:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment.year < _OLDEST or aware > now + _TOMORROW:
        return None
    if not exact:
        return moment.date().isoformat()
    text = moment.isoformat(timespec="seconds")
    return text.replace("+00:00", "Z")


def same_day(one: str, other: str) -> bool:
    """Whether two ISO dates are at most a day apart: zones move a date by one."""
    days = [datetime.fromisoformat(text[:10]) for text in (one, other)]
    return abs(days[0] - days[1]) <= _TOMORROW
