"""Dates that a page states for machines, as ISO 8601; what is ambiguous, impossible or in the future is no date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_ISO = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ]\s?(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?"
    r"\s?(Z|[A-Z]{3,4}|[+-]\d\d?(?::?\d\d)?)?)?",
    re.I,
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?(Z|[+-]\d\d:?\d\d)?)?")
_SLASHES = re.compile(r"(\d{4})/(\d\d?)/(\d\d?)()()()()")
_DOTS = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_FIRST = re.compile(r"(?:[A-Za-z]{3,9},? )?([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\b")
_DAY_FIRST = re.compile(r"(?:[A-Za-z]{3,9},? )?(\d{1,2})(?:st|nd|rd|th)? ([A-Za-z]{3,9})\.?,? (\d{4})\b")
_NAME = r"[^\W\d_]{3,11}"
_TOLD = re.compile(
    r"(?<!\d)(?:(?P<year>(?:19|20)\d\d)(?:-|/|\.|\s?年\s?)(?P<number>\d\d?)(?:-|/|\.|\s?月\s?)(?P<last>\d\d?)(?!\d)"
    r"|(?P<first>\d\d?)\. ?(?P<second>\d\d?)\. ?(?P<dotted>(?:19|20)\d\d)(?!\d)"
    r"|(?P<one>\d\d?)/(?P<two>\d\d?)/(?P<slashed>(?:19|20)\d\d)(?!\d)"
    rf"|(?P<day>\d\d?)(?:st|nd|rd|th|er|º|ª|\.)?[ -](?:de |of )?(?P<month>{_NAME})\.?,?"
    r"[ -](?:de |del )?(?P<of>(?:19|20)\d\d)(?!\d)"
    rf"|(?<![^\W\d_])(?P<name>{_NAME})\.? (?P<date>\d\d?)(?:st|nd|rd|th)?,? (?P<then>(?:19|20)\d\d)(?!\d))",
    re.I,
)
_CHANGED = re.compile(
    r"updated|modified|changed|edited|revised|corrected|aktualisiert|geändert|mis à jour|modifié|actualizad|aggiornat"
    r"|atualizad|bijgewerkt|uppdaterad|opdateret|更新",
    re.I,
)
_BEGUN = re.compile(
    r"published|posted|created|first|originally|veröffentlicht|erstellt|publié|publicad|pubblicat|gepubliceerd"
    r"|publicerad|offentliggjort|发布|發布|公開",
    re.I,
)
_MONTH_NAMES = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jänner janvier janv enero ene gennaio gen janeiro januari",
            "feb february februar février févr fév febrero febbraio fevereiro fev februari",
            "mar march märz mär mars marzo março maart mrt marts",
            "apr april avril avr abril abr aprile",
            "may mai mayo maggio mag maio mei maj",
            "jun june juni juin junio giugno giu junho",
            "jul july juli juillet juil julio luglio lug julho",
            "aug august août aout agosto ago augustus augusti",
            "sep sept september septembre septiembre settembre set setembro",
            "oct october okt oktober octobre octubre ottobre ott outubro out",
            "nov november novembre noviembre novembro",
            "dec december dez dezember décembre déc diciembre dic dicembre dezembro",
        ),
        1,
    )
    for name in names.split()
}
_CLOCK = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d?) (\d\d:\d\d:\d\d) (?:([A-Z]{3,4}) )?(\d{4})")
"""A date as ``date`` and Java print it."""
_HOURS = {
    "UTC": "Z", "GMT": "Z", "EST": "-05:00", "EDT": "-04:00", "CDT": "-05:00", "MST": "-07:00", "MDT": "-06:00",
    "PST": "-08:00", "PDT": "-07:00", "CET": "+01:00", "CEST": "+02:00", "EET": "+02:00", "EEST": "+03:00",
}  # fmt: skip
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
    if found := _CLOCK.fullmatch(text):
        month = _MONTHS.index(found[1].lower()) + 1 if found[1].lower() in _MONTHS else 0
        zone = _HOURS.get(found[4]) if found[4] else None
        return _fine(_in_zone(_moment(found[5], month, found[2], *found[3].split(":")), zone), now, exact=True)
    for pattern, month_at, day_at in ((_MONTH_FIRST, 1, 2), (_DAY_FIRST, 2, 1)):
        if (found := pattern.match(text)) and found[month_at][:3].lower() in _MONTHS:
            month = _MONTHS.index(found[month_at][:3].lower()) + 1
            return _fine(_moment(found[3], month, found[day_at]), now, exact=False)
    return None


def told_date(words: str, now: datetime | None = None) -> str | None:
    """The one day that a line names with its year, in the languages that newsrooms here write, as YYYY-MM-DD.

    None for several days, for one after a word such as "updated", and for 3/4/2026, which is two days.
    """
    text, now = " ".join(words.split())[:300], now or datetime.now(UTC)
    found: list[tuple[str, bool]] = []
    end = 0
    for match in _TOLD.finditer(text):
        before, end = text[end : match.start()], match.end()
        try:
            day = _told_day(match)
            date = _fine(day, now, exact=False) if day else None
        except ValueError:
            continue
        if date is None:
            continue
        if not _CHANGED.search(before) or _BEGUN.search(before):
            found.append((date, _BEGUN.search(before) is not None))
    days = {date for date, first in found if first} or {date for date, _ in found}
    return days.pop() if len(days) == 1 else None


def _told_day(found: re.Match[str]) -> datetime | None:
    if found["year"]:
        return _moment(found["year"], found["number"], found["last"])
    if found["dotted"]:
        return _moment(found["dotted"], found["second"], found["first"])
    if found["slashed"]:
        one, two = int(found["one"]), int(found["two"])
        if one != two and max(one, two) <= 12:
            return None
        return _moment(found["slashed"], min(one, two) if max(one, two) > 12 else one, max(one, two))
    month = _MONTH_NAMES.get((found["month"] or found["name"]).casefold())
    return _moment(found["of"] or found["then"], month, found["day"] or found["date"]) if month else None


def _moment(*parts: str | int | None) -> datetime:
    year, month, day, hour, minute, second = (*(int(part or 0) for part in parts), 0, 0, 0)[:6]
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the page states no zone; one that it states is added


def _in_zone(moment: datetime, zone: str | None) -> datetime:
    if not zone:
        return moment
    if zone[0] not in "+-":
        zone = "Z" if zone.upper() == "Z" else _HOURS.get(zone.upper())
        if not zone:
            return moment  # the letters may stand for several zones
        if zone == "Z":
            return moment.replace(tzinfo=UTC)
    digits = zone[1:].replace(":", "")
    digits = f"0{digits}" if len(digits) in (1, 3) else digits  # "-500" is five hours
    digits = digits.ljust(4, "0")
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
