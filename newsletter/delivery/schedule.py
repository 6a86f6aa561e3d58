"""When an issue goes out: local wall time and a time zone become one moment. Pure: the clock is an argument.

Two days a year a wall clock lies. A time that the clock skips in spring means the next minute that exists; a
time that it shows twice in autumn means the first of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.errors import ConfigurationError, UsageProblem

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FORMS = 'write "now", "07:00", "Fri 07:00" or "2026-11-27 07:00"'
_CLOCK = r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})"
_TIME = re.compile(_CLOCK)
_DAY = re.compile(rf"(?P<day>[a-z]+)\.?,?\s+{_CLOCK}")
_DATE = re.compile(
    rf"(?P<date>\d{{4}}-\d{{2}}-\d{{2}})(?:\s+|t){_CLOCK}(?::00(?:\.0+)?)?(?P<offset>z|[+-]\d{{2}}:?\d{{2}})?"
)


@dataclass(frozen=True, slots=True)
class SendAt:
    """A moment to send at: ``utc`` (aware), and the wall time it has in ``zone`` (``2026-11-27T07:00``)."""

    utc: datetime
    local: str
    zone: str

    @property
    def written(self) -> str:
        """``local`` as ``approval.json`` keeps it: with its offset where it is the second of two, see the module."""
        if read_wall_time(self.local, self.zone) == self.utc.replace(second=0, microsecond=0):
            return self.local
        return self.utc.astimezone(zone_of(self.zone)).isoformat(timespec="minutes")


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone; raises ``ConfigurationError`` naming ``publication.timezone``."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigurationError(
            f'there is no time zone "{name}"', where="publication.timezone", fix='use a name such as "Europe/London"'
        ) from error


def parse_send_at(text: str, zone: str, now: datetime) -> SendAt:
    """Read what an editor writes after ``--send-at``; ``now`` is aware, ``zone`` an IANA name.

    ``now``; ``07:00`` and ``Fri 07:00``: the next time the clock shows that; ``2026-11-27 07:00`` (or with a
    ``T``): that very time, which must lie ahead. Raises ``UsageProblem`` with what to write instead.
    """
    place = zone_of(zone)
    words = text.strip().lower()
    if words == "now":
        return _send_at(now.astimezone(UTC), place)
    if found := _TIME.fullmatch(words):
        return _next(_clock(found, text), None, place, now)
    if found := _DAY.fullmatch(words):
        return _next(_clock(found, text), _weekday(found["day"], text), place, now)
    if found := _DATE.fullmatch(words):
        return _exact(found, text, place, now)
    raise UsageProblem(f'"{text}" is not a time to send at', where="--send-at", fix=_FORMS)


def at_wall_time(wall: datetime, zone: ZoneInfo) -> datetime:
    """The UTC moment of a naive wall time: the next existing minute if skipped, the first if repeated."""
    while True:
        moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == wall:
            return moment
        wall += timedelta(minutes=1)


def read_wall_time(local: str, zone: str) -> datetime:
    """The UTC moment of ``approval.json``'s ``send_at`` and ``zone``; raises ``ConfigurationError``."""
    wall = datetime.fromisoformat(local)
    return at_wall_time(wall, zone_of(zone)) if wall.tzinfo is None else wall.astimezone(UTC)


def send_at_of(local: str, zone: str) -> SendAt:
    """The same with its wall time."""
    return _send_at(read_wall_time(local, zone), zone_of(zone))


def wall_time(moment: datetime, zone: str) -> str:
    """The wall time (``2026-11-27T07:00``) that clocks in ``zone`` show at a moment."""
    return moment.astimezone(zone_of(zone)).replace(tzinfo=None).isoformat(timespec="minutes")


def how_long(span: timedelta) -> str:
    """``3 h 12 min``, ``2 days 4 h``, ``45 s``: a span in words, its two largest units; a negative one is ``0 s``."""
    seconds = max(0, int(span.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min" if minutes else f"{seconds} s"


def _send_at(moment: datetime, zone: ZoneInfo) -> SendAt:
    local = moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")
    return SendAt(utc=moment, local=local, zone=zone.key)


def _next(clock: time, weekday: int | None, zone: ZoneInfo, now: datetime) -> SendAt:
    for day in _days_from(now.astimezone(zone)):
        if weekday is not None and day.weekday() != weekday:
            continue
        moment = at_wall_time(datetime.combine(day, clock), zone)
        if moment > now:
            return _send_at(moment, zone)
    raise AssertionError("the days do not end")


def _days_from(start: datetime) -> Iterator[datetime]:
    day = start.replace(tzinfo=None)
    while True:
        yield day
        day += timedelta(days=1)


def _exact(found: re.Match[str], text: str, zone: ZoneInfo, now: datetime) -> SendAt:
    try:
        day = datetime.strptime(found["date"], "%Y-%m-%d")  # noqa: DTZ007 - a wall time has no zone of its own
    except ValueError as error:
        raise UsageProblem(f'"{text}": there is no such day', where="--send-at", fix=_FORMS) from error
    wall = datetime.combine(day, _clock(found, text))
    try:
        moment = _with_offset(wall, found["offset"]) if found["offset"] else at_wall_time(wall, zone)
        at = _send_at(moment, zone)
    except ValueError as error:
        raise UsageProblem(f'"{text}": no clock is that far from UTC', where="--send-at", fix=_FORMS) from error
    except OverflowError as error:
        raise UsageProblem(f'"{text}" lies where the calendar ends', where="--send-at", fix=_FORMS) from error
    if moment <= now:
        ago = how_long(now - moment)
        raise UsageProblem(
            f'"{text}" is past: that was {ago} ago in {zone.key}', where="--send-at", fix='a later time, or "now"'
        )
    return at


def _with_offset(wall: datetime, offset: str) -> datetime:
    return datetime.fromisoformat(f"{wall.isoformat()}{offset.replace('z', '+00:00')}").astimezone(UTC)


def _clock(found: re.Match[str], text: str) -> time:
    hour, minute = int(found["hour"]), int(found["minute"])
    if hour > 23 or minute > 59:
        raise UsageProblem(f'"{text}": there is no such time of day', where="--send-at", fix=_FORMS)
    return time(hour, minute)


def _weekday(name: str, text: str) -> int:
    for number, day in enumerate(_DAYS):
        if len(name) >= 3 and day.startswith(name):
            return number
    raise UsageProblem(f'"{text}": "{name}" is no day of the week', where="--send-at", fix=_FORMS)
