"""Dates as sources write them, as ISO 8601. What cannot be understood is unknown: a wrong date is worse than none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = (
    "jan|january|janvier|janv|januar|jänner|enero|ene|gennaio|gen|janeiro|januari",
    "feb|february|février|févr|fév|fevrier|februar|febrero|febbraio|fevereiro|fev|februari",
    "mar|march|mars|märz|maerz|marzo|março|maart|mrt",
    "apr|april|avril|avr|abril|abr|aprile",
    "may|mai|mayo|maggio|mag|maio|mei",
    "jun|june|juin|juni|junio|giugno|giu|junho",
    "jul|july|juillet|juil|juli|julio|luglio|lug|julho",
    "aug|august|août|aout|agosto|ago|augustus",
    "sep|sept|september|septembre|septiembre|settembre|set|setembro",
    "oct|october|octobre|oktober|okt|octubre|ottobre|ott|outubro|out",
    "nov|november|novembre|noviembre|novembro",
    "dec|december|décembre|déc|decembre|dezember|dez|diciembre|dicembre|dic|dezembro",
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split("|")}

# RFC 822 knows the American ones; BST is British Summer Time to those who write it (feedparser reads it as UTC).
# IST, CST in Asia and AST mean several zones: the time then stays without one.
_ZONES = {
    "gmt": 0, "utc": 0, "ut": 0, "z": 0, "wet": 0, "bst": 1, "west": 1, "cet": 1, "met": 1, "mez": 1, "cest": 2,
    "mest": 2, "mesz": 2, "eet": 2, "sast": 2, "eest": 3, "msk": 3, "jst": 9, "kst": 9, "aest": 10, "aedt": 11,
    "nzst": 12, "nzdt": 13, "edt": -4, "est": -5, "cdt": -5, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
}  # fmt: skip

_TIME = (
    r"(?:[,\s]+(?:(?:at|à|um|a)\s+)?(?P<h>\d{1,2})[:h.](?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,]\d{1,9})?)?"
    r"(?:\s*(?P<half>[apAP])\.?[mM]\b\.?)?"
    r"(?:\s*(?P<zone>[+-]\d{1,2}:?\d{2}|[A-Za-z]{1,5}(?![A-Za-z])))?(?:\s*\([^()]{0,40}\))?)?"
)
_NAME = r"(?P<m>[^\W\d_]{3,12})\.?"
_SHAPES = (
    re.compile(rf"(?:[^\W\d_]{{2,12}}[.,]{{0,2}}\s+)?(?P<d>\d{{1,2}})\.?[\s-]+(?:de\s+)?{_NAME}[\s-]+(?:de\s+)?(?P<y>\d{{2,4}}){_TIME}"),
    re.compile(rf"(?:[^\W\d_]{{2,12}}[.,]{{0,2}}\s+)?{_NAME}\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}}){_TIME}"),
    re.compile(rf"(?:[^\W\d_]{{2,12}}[.,]{{0,2}}\s+)?(?P<y>\d{{4}})[-/](?P<mn>\d{{1,2}})[-/](?P<d>\d{{1,2}})(?:T(?=\d))?{_TIME}"),
)  # fmt: skip
_AHEAD = timedelta(days=2)
_EARLIEST = 1900


def iso_date(text: str | None, *, now: datetime, utc: bool = False) -> str | None:
    """A date as ISO 8601 with its own offset; None when it is missing, not to be understood, or in the future.

    ``utc``: a time without a zone is UTC (WordPress's ``date_gmt``). More than two days ahead of ``now`` (a slip of
    the keyboard, a machine without a clock) counts as unknown. A time in a zone that means several is kept without.
    """
    text = " ".join((text or "").split())
    if not 6 <= len(text) <= 80:
        return None
    found = _iso(text) or _in_words(text)
    if found is None or found[0].year < _EARLIEST:
        return None
    moment, day_only = found
    if utc and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if as_moment(moment) > now + _AHEAD:
        return None
    if day_only:
        return moment.date().isoformat()
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def as_moment(moment: datetime) -> datetime:
    """An aware time for comparing: one without a zone is taken for UTC."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:  # the last day of the year 9999
        return datetime.max.replace(tzinfo=UTC)


def _iso(text: str) -> tuple[datetime, bool] | None:
    if not re.match(r"\d{4}-?\d\d", text) or re.fullmatch(r"\d{6,10}", text):
        return None
    try:
        return datetime.fromisoformat(text), len(text) <= 10
    except ValueError:
        return None


def _in_words(text: str) -> tuple[datetime, bool] | None:
    for shape in _SHAPES:
        found = shape.fullmatch(text)
        if found is None:
            continue
        parts = found.groupdict()
        month = int(parts["mn"]) if parts.get("mn") else _MONTH.get(str(parts["m"]).casefold(), 0)
        year = int(parts["y"])
        if len(parts["y"]) == 2:  # RFC 2822 §4.3
            year += 2000 if year < 50 else 1900
        hour = int(parts["h"] or 0)
        if parts["half"]:
            hour = hour % 12 + (12 if parts["half"] in "pP" else 0)
        try:
            moment = datetime(year, month, int(parts["d"]), hour, int(parts["mi"] or 0), min(59, int(parts["s"] or 0)))  # noqa: DTZ001 - the zone comes next
            return moment.replace(tzinfo=_zone(parts["zone"])), parts["h"] is None
        except ValueError:
            return None
    return None


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text[0] in "+-":
        digits = text[1:].replace(":", "").zfill(4)
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return timezone(-offset if text[0] == "-" else offset)
    hours = _ZONES.get(text.casefold())
    return None if hours is None else timezone(timedelta(hours=hours))
