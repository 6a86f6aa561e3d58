"""This machine: Python and packages, the browser, the disk, the clock."""

from __future__ import annotations

import platform
import re
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import metadata
from zoneinfo import ZoneInfo

from newsletter import __version__
from newsletter.app.doctor.facts import Facts
from newsletter.app.doctor.probe import Look, Told
from newsletter.app.log import last_run
from newsletter.store.clock import from_us

_SECTION = "This machine"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*>=\s*(?P<version>[0-9][0-9.]*)")

_PER_READER = 1_000
"""Bytes of ledger, index and WAL for one recipient, generously."""
_PER_MAIL = 150_000
"""Bytes of a mail with embedded pictures, for the outbox that keeps every mail on this disk."""
_SPARE = 200 * 1024 * 1024
_SOON = timedelta(days=45)
"""So long before a change of the clocks it is told in full."""
_TOLERANCE = timedelta(minutes=2)


def _python(_: Facts) -> Iterator[Told]:
    yield Told("ok", f"newsletter {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")


def _packages(_: Facts) -> Iterator[Told]:
    """The installed version of each package that we need, against our lower bound."""
    try:
        wanted = [r for r in metadata.requires("newsletter") or () if "extra ==" not in r]
    except metadata.PackageNotFoundError:
        yield Told("unknown", "newsletter runs from a folder that was not installed", "pip install -e .")
        return
    wrong = [problem for requirement in wanted if (problem := _lacks(requirement))]
    if wrong:
        yield Told("error", "; ".join(wrong), "pip install --upgrade newsletter")
    else:
        yield Told("ok", f"{len(wanted)} packages are there, none too old")


def _lacks(requirement: str) -> str | None:
    found = _REQUIREMENT.match(requirement)
    if found is None:
        return None
    try:
        version = metadata.version(found["name"])
    except metadata.PackageNotFoundError:
        return f"{found['name']} is not installed"
    return f"{found['name']} {version} is older than {found['version']}" if _older(version, found["version"]) else None


def _older(version: str, wanted: str) -> bool:
    """By the numbers at the front: 2.0.30 is older than 2.1, and 2.1 is not older than 2.1.0."""
    have, want = ([int(n) for n in re.findall(r"\d+", text)[:4]] for text in (version, wanted))
    size = max(len(have), len(want))
    return have + [0] * (size - len(have)) < want + [0] * (size - len(want))


def _browser(facts: Facts) -> Iterator[Told]:
    path = next((found for name in _BROWSERS if (found := facts.system.find(name))), None)
    yield Told("ok", path or "there is no Chromium; only pictures of mails as clients show them need one")


def _disk(facts: Facts) -> Iterator[Told]:
    """Room for a copy of the database (an upgrade makes one) and for what one mailing writes."""
    place = facts.workspace.state if facts.workspace.state.exists() else facts.workspace.root
    free = shutil.disk_usage(place).free
    health = facts.health
    readers = health.subscribers if health else 0
    needed = (health.size if health else 0) + readers * (_PER_READER if facts.real else _PER_MAIL)
    said = f"{_size(free)} free; a backup and a mailing need about {_size(max(needed, 1024 * 1024))}"
    if free < needed:
        yield Told("error", said, f"make room on the disk of {place}")
    elif free < needed + _SPARE:
        yield Told("warning", said, f"make room on the disk of {place} before it is full")
    else:
        yield Told("ok", said)


def _size(size: int) -> str:
    for unit in ("MB", "GB"):
        if size < 1_000 * 1024 ** (2 if unit == "MB" else 3):
            return f"{size / 1024 ** (2 if unit == 'MB' else 3):.3g} {unit}"
    return f"{size / 1024**4:.3g} TB"


def _clock(facts: Facts) -> Iterator[Told]:
    """A clock that is behind what already happened would hold back what is due, or date mails wrongly."""
    now = from_us(facts.now)
    events = []
    if facts.health is not None and facts.health.newest is not None:
        events.append((from_us(facts.health.newest), "the newest event in the database"))
    ran = last_run(facts.workspace)
    if ran is not None:
        events.append((ran.at.astimezone(UTC), "the last run of run-due"))
    latest = max(events, default=None)
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if latest is not None and latest[0] > now + _TOLERANCE:
        yield Told("error", f"{said}, but {latest[1]} is of {latest[0]:%Y-%m-%d %H:%M:%S} UTC", "set the clock right")
    else:
        yield Told("ok", said)


def _synchronised(facts: Facts) -> Iterator[Told]:
    done = facts.run("timedatectl", "show", "--property=NTPSynchronized", "--value")
    said = done.out.strip() if done is not None and done.code == 0 else ""
    if said == "yes":
        yield Told("ok", "the clock is kept right over the network")
    elif said == "no":
        yield Told("warning", "the clock is not kept right over the network", "timedatectl set-ntp true")
    else:
        yield Told("unknown", "whether the clock is kept right over the network cannot be told from here")


def _zone(facts: Facts) -> Iterator[Told]:
    """The zone that every typed time is in, and the next day on which its clocks change."""
    name = facts.config.publication.timezone
    zone = ZoneInfo(name)
    now = from_us(facts.now).astimezone(zone)
    said = f"{name}, now {now:%H:%M} (UTC{now:%z})"
    change = _next_change(zone, from_us(facts.now))
    if change is None:
        yield Told("ok", f"{said}; its clocks do not change in the next half year")
        return
    last, after = change
    day = f"{after:%A} {after.day} {after:%B %Y}"
    if after - now > _SOON:
        yield Told("ok", f"{said}; its clocks change on {day}")
        return
    forward = (after.utcoffset() or timedelta()) > (last.utcoffset() or timedelta())
    would_be = last + timedelta(minutes=1)  # on the wall: no offset is looked at
    effect = "what falls between is sent right after" if forward else "what comes twice is sent the first time"
    yield Told("ok", f"{said}; on {day} {would_be:%H:%M} becomes {after:%H:%M}: {effect}")


def _next_change(zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime] | None:
    """The last minute before and the first after the next change of offset within 184 days."""
    moment = now.replace(second=0, microsecond=0)
    step = timedelta(days=1)
    for _ in range(184):
        if _offset(zone, moment) != _offset(zone, moment + step):
            break
        moment += step
    else:
        return None
    while step > timedelta(minutes=1):
        half = timedelta(minutes=step // timedelta(minutes=2))
        if _offset(zone, moment) == _offset(zone, moment + half):
            moment += half
            step -= half
        else:
            step = half
    return moment.astimezone(zone), (moment + step).astimezone(zone)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


LOOKS = (
    Look("python", _SECTION, _python),
    Look("packages", _SECTION, _packages),
    Look("browser", _SECTION, _browser),
    Look("disk", _SECTION, _disk),
    Look("clock", _SECTION, _clock),
    Look("clock-sync", _SECTION, _synchronised),
    Look("zone", _SECTION, _zone),
)
