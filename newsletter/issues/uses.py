"""Which issue has which story, for every issue there ever was: read once, then only what changed is read again.

What each file said is kept in ``.newsletter/cache/uses.json`` by path, size and time of change, so that five hundred
issues cost a look at their files and no more. The cache may be deleted at any time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date as Date
from os import DirEntry, scandir
from pathlib import Path

import msgspec

from newsletter.articles.keys import guid_key, url_key
from newsletter.articles.schema import article_from_document
from newsletter.articles.shape import title_key
from newsletter.errors import NewsletterError
from newsletter.issues.folder import ISSUE_FILE
from newsletter.issues.schema import issue_keys, parse_date
from newsletter.models import Article
from newsletter.workspace.files import write_atomic
from newsletter.workspace.frontmatter import Document
from newsletter.workspace.paths import Workspace

_VERSION = 1


class _Known(msgspec.Struct, array_like=True):
    """What a file said: an issue its date, its number and its stories; a story what it is compared by."""

    size: int
    mtime: int
    date: str = ""
    number: str = ""
    corrects: bool = False
    slugs: list[str] = []
    keys: list[str] = []


class _Cache(msgspec.Struct):
    version: int = _VERSION
    files: dict[str, _Known] = {}


@dataclass(frozen=True, slots=True)
class Use:
    """An issue that has a story, under which ``story`` slug there; ``words`` name it as editors do."""

    issue: str
    number: str
    date: Date
    story: str

    @property
    def words(self) -> str:
        """``issue 41``, or the slug of an issue without a number."""
        return f"issue {self.number}" if self.number else f"issue {self.issue}"


@dataclass(frozen=True, slots=True)
class Uses:
    """Who has what: by slug, and by what stories are compared by (headline, link, GUID). Newest issue first."""

    by_slug: dict[str, list[Use]]
    by_key: dict[str, list[Use]]
    dates: tuple[tuple[Date, str], ...]
    """Every issue that is no correction: (date, slug), newest first."""

    def of(self, slug: str) -> list[Use]:
        """The issues that have a story."""
        return self.by_slug.get(slug, [])

    def alike(self, keys: tuple[str | None, str | None, str | None]) -> tuple[str, Use] | None:
        """A story that some issue has and that has the same headline, link or GUID; with the word for what is same."""
        for word, key in zip(("headline", "link", "GUID"), keys, strict=True):
            if key is not None and (found := self.by_key.get(f"{word}:{key}")):
                return word, found[0]
        return None


def article_keys(article: Article) -> tuple[str | None, str | None, str | None]:
    """What a story is compared by: headline, link, GUID."""
    return title_key(article.headline), url_key(article.link or article.origin.url), guid_key(article)


def uses(ws: Workspace) -> Uses:
    """Look through every issue's folder. Issues that cannot be read are passed over: they have their own message."""
    place = ws.cache / "uses.json"
    before = _load(place)
    now: dict[str, _Known] = {}
    found: list[tuple[Date, str, str, list[str]]] = []
    for folder in _folders(ws):
        files = {entry.name: entry for entry in _entries(folder) if entry.name.endswith(".md")}
        if ISSUE_FILE not in files:
            continue
        issue = _known(files[ISSUE_FILE], f"{folder.name}/{ISSUE_FILE}", before, now)
        date = parse_date(issue.date)
        if date is None:
            continue
        found.append((date, folder.name, "" if issue.corrects else issue.number, issue.slugs))
        for slug in issue.slugs:
            if f"{slug}.md" in files:
                _known(files[f"{slug}.md"], f"{folder.name}/{slug}.md", before, now)
    if now != before:
        _store(place, now)
    return _gathered(found, now)


def _gathered(found: list[tuple[Date, str, str, list[str]]], known: dict[str, _Known]) -> Uses:
    by_slug: dict[str, list[Use]] = {}
    by_key: dict[str, list[Use]] = {}
    dates = []
    for date, issue, number, slugs in sorted(found, key=lambda one: (one[0], one[1]), reverse=True):
        if not known[f"{issue}/{ISSUE_FILE}"].corrects:
            dates.append((date, issue))
        for slug in dict.fromkeys(slugs):
            use = Use(issue, number, date, slug)
            by_slug.setdefault(slug, []).append(use)
            story = known.get(f"{issue}/{slug}.md")
            for key in story.keys if story else ():
                by_key.setdefault(key, []).append(use)
    return Uses(by_slug, by_key, tuple(dates))


def _folders(ws: Workspace) -> list[DirEntry[str]]:
    try:
        with scandir(ws.issues) as there:
            return sorted((e for e in there if e.name[0] != "." and e.is_dir()), key=lambda entry: entry.name)
    except OSError:
        return []


def _entries(folder: DirEntry[str]) -> Iterator[DirEntry[str]]:
    with contextlib.suppress(OSError), scandir(folder.path) as there:
        yield from there


def _known(entry: DirEntry[str], name: str, before: dict[str, _Known], now: dict[str, _Known]) -> _Known:
    """What a file says: remembered, if it is the file that was read before."""
    try:
        status = entry.stat()
    except OSError:
        return _Known(0, 0)
    known = before.get(name)
    if known is None or (known.size, known.mtime) != (status.st_size, status.st_mtime_ns):
        read = _read_issue if entry.name == ISSUE_FILE else _read_story
        known = _Known(status.st_size, status.st_mtime_ns)
        with contextlib.suppress(NewsletterError):
            read(Path(entry.path), known)
    now[name] = known
    return known


def _read_issue(path: Path, known: _Known) -> None:
    keys = issue_keys(Document.read(path))
    known.date, known.number, known.corrects = keys.date, keys.number or "", keys.corrects is not None
    known.slugs = [slug for section in keys.sections if section.sponsor is None for slug in section.slugs]


def _read_story(path: Path, known: _Known) -> None:
    keys = article_keys(article_from_document(Document.read(path), path.stem, path))
    known.keys = [f"{word}:{key}" for word, key in zip(("headline", "link", "GUID"), keys, strict=True) if key]


def _load(place: Path) -> dict[str, _Known]:
    try:
        cache = msgspec.json.decode(place.read_bytes(), type=_Cache)
    except (OSError, msgspec.MsgspecError):
        return {}
    return cache.files if cache.version == _VERSION else {}


def _store(place: Path, files: dict[str, _Known]) -> None:
    """Best effort: on a disk that is full or not ours the next look takes as long as this one."""
    with contextlib.suppress(NewsletterError):
        write_atomic(place, msgspec.json.encode(_Cache(files=files)), durable=False)
