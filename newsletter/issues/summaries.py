"""A line about each issue; read again only where a file changed, also by the next process."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from datetime import date as Date
from hashlib import blake2b
from pathlib import Path

import msgspec

from newsletter import __version__
from newsletter.errors import NewsletterError
from newsletter.issues.folder import is_approved, issue_slugs, load_issue, read_issue_file
from newsletter.issues.schema import issue_keys, parse_date
from newsletter.models import TEXT_FILE
from newsletter.workspace.files import write_atomic
from newsletter.workspace.paths import Workspace

_VERSION = f"{__version__}/2"  # the second number counts the changes of what is kept


@dataclass(frozen=True, slots=True)
class IssueSummary:
    """One line of the list of issues. What cannot be read is None or 0, and ``problem`` says why.

    ``subject`` is what the editor wrote; ``stories`` counts the articles in all sections. ``sponsors`` names those of
    ``sponsors/`` that stand in it, in their order.
    """

    slug: str
    date: Date | None = None
    number: str | None = None
    subject: str | None = None
    stories: int = 0
    sponsors: tuple[str, ...] = ()
    approved: bool = False
    problem: str | None = None


class _Known(msgspec.Struct, array_like=True):
    """What an issue's folder looked like, and the line that was made of it."""

    state: str
    summary: IssueSummary


class _Cache(msgspec.Struct):
    """``state`` is the sponsors' folder's; ``version`` is the program's, since it words the problems."""

    version: str = _VERSION
    state: str = ""
    issues: dict[str, _Known] = {}


_CACHES: dict[Path, _Cache] = {}
_RACY_NS = 50_000_000
"""A file that was written so short a time ago may be written again without looking any different."""


def list_issues(ws: Workspace) -> list[IssueSummary]:
    """Every issue, newest first. A broken one is listed with its problem; this never fails because of it.

    An issue is read again only when one of its files, or a sponsor's, is another than when it was last read; that is
    kept in ``.newsletter/cache/``, which may be deleted at any time.
    """
    place = ws.cache / "summaries.json"
    before = _CACHES.get(ws.root) or _load(place)
    sponsors, settled = _state_of(ws.sponsors)
    now = _Cache(state=sponsors)
    found = []
    for slug in issue_slugs(ws):
        state, quiet = _state_of(ws.issues / slug)
        known = before.issues.get(slug)
        if known is None or (known.state, before.state) != (state, sponsors):
            known = _Known(state, _summary(ws, slug))
        found.append(known.summary)
        if quiet and settled:
            now.issues[slug] = known
    if now != before:
        with contextlib.suppress(NewsletterError):  # on a disk that is not ours the next look takes as long as this
            write_atomic(place, msgspec.json.encode(now), durable=False)
    _CACHES[ws.root] = now
    return sorted(found, key=lambda s: (s.date or Date.min, s.slug), reverse=True)


def _load(place: Path) -> _Cache:
    try:
        cache = msgspec.json.decode(place.read_bytes(), type=_Cache)
    except (OSError, msgspec.MsgspecError):
        return _Cache()
    return cache if cache.version == _VERSION else _Cache()


def _state_of(folder: Path) -> tuple[str, bool]:
    """What tells that a text file in the folder was written, from name, inode, size and time of each.

    And whether all were written long enough ago for that to be told.
    """
    began = time.time_ns()
    try:
        with os.scandir(folder) as entries:
            read = (".md", "approved", TEXT_FILE)
            found = [(entry.name, entry.stat()) for entry in entries if entry.name.endswith(read)]
    except OSError:
        return "", True
    state = sorted((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in found)
    quiet = all(began - changed > _RACY_NS for *_, changed in state)
    return blake2b(repr(state).encode(), digest_size=16).hexdigest(), quiet


def _summary(ws: Workspace, slug: str) -> IssueSummary:
    problem: str | None = None
    sponsors: tuple[str, ...] = ()
    try:
        issue = load_issue(ws, slug)
        stories = (article for section in issue.sections for article in section.articles)
        sponsors = tuple(story.slug for story in stories if story.path and story.path.parent == ws.sponsors)
    except NewsletterError as error:
        problem = f"{error.where}: {error.what}" if error.where else error.what
    try:
        keys = issue_keys(read_issue_file(ws, slug)[0])
        approved = is_approved(ws, slug)
    except NewsletterError:
        return IssueSummary(slug, problem=problem)
    return IssueSummary(
        slug=slug,
        date=parse_date(keys.date),
        number=keys.number,
        subject=keys.subject,
        stories=sum(len(section.slugs) for section in keys.sections),
        sponsors=sponsors,
        approved=approved,
        problem=problem,
    )
