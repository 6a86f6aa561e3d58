"""Which issue has which story, for every issue there ever was: read once, then only what changed is read again.

What each file said is kept in ``.newsletter/cache/`` by path, size and time of change, so that five hundred issues cost
a look at their files and no more; a process that looks again has it in its memory. The cache may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date as Date
from os import scandir
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

_VERSION = 2
_WORDS = re.compile(r"\w+")
Keys = tuple[str | None, str | None, str | None]
"""What a story is compared by: headline, link, GUID."""


class _Known(msgspec.Struct, array_like=True, gc=False):
    """What a file said: an issue its date, its number and its stories; a story what it is compared by.

    Without cycles, so that thousands of them are no work for the garbage collector.
    """

    size: int
    mtime: int
    date: str = ""
    number: str = ""
    corrects: bool = False
    slugs: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


class _Cache(msgspec.Struct):
    version: int = _VERSION
    files: dict[str, _Known] = {}


_IN_MEMORY: dict[Path, dict[str, _Known]] = {}


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
    """Who has what: by slug, and by what stories are compared by (only with ``alike``). Newest issue first."""

    by_slug: dict[str, list[Use]]
    by_key: dict[str, list[Use]]
    dates: tuple[tuple[Date, str], ...]
    """Every issue that is no correction: (date, slug), newest first."""

    def of(self, slug: str) -> list[Use]:
        """The issues that have a story."""
        return self.by_slug.get(slug, [])

    def alike(self, keys: Keys) -> tuple[str, Use] | None:
        """A story that some issue has and that has the same headline, link or GUID; with the word for what is same."""
        for key in _names(keys):
            if found := self.by_key.get(key):
                return key.partition(":")[0], found[0]
        return None

    def all_alike(self, keys: Keys) -> list[Use]:
        """Every use of a story that has the same headline, link or GUID."""
        return [use for key in _names(keys) for use in self.by_key.get(key, [])]


def article_keys(article: Article) -> Keys:
    """What a story is compared by."""
    return title_key(article.headline), url_key(article.link or article.origin.url), guid_key(article)


def _names(keys: Keys) -> Iterator[str]:
    """``headline:…``, ``link:…``, ``GUID:…`` for what there is; a headline by its words alone, where it has words."""
    headline, link, guid = keys
    if headline:
        yield f"headline:{' '.join(_WORDS.findall(headline)) or headline}"
    if link:
        yield f"link:{link}"
    if guid:
        yield f"GUID:{guid}"


def uses(ws: Workspace, *, alike: bool = False) -> Uses:
    """Look through every issue; only with ``alike`` through their stories too, for what they are compared by.

    Issues that cannot be read are passed over: they have their own message.
    """
    issues = _Files(ws, "uses-issues.json")
    stories = _Files(ws, "uses-stories.json") if alike else None
    found: list[tuple[Date, str, _Known]] = []
    for name in _folders(ws):
        folder = f"{ws.issues}/{name}"
        issue = issues.known(name, f"{folder}/{ISSUE_FILE}", _read_issue)
        date = parse_date(issue.date) if issue else None
        if issue is None or date is None:
            continue
        found.append((date, name, issue))
        for slug in issue.slugs if stories else ():
            assert stories is not None
            stories.known(f"{name}/{slug}", f"{folder}/{slug}.md", _read_story)
    issues.keep()
    if stories:
        stories.keep()
    return _gathered(found, stories.now if stories else {})


def _gathered(found: list[tuple[Date, str, _Known]], stories: dict[str, _Known]) -> Uses:
    by_slug: dict[str, list[Use]] = {}
    by_key: dict[str, list[Use]] = {}
    for date, name, issue in sorted(found, key=lambda one: one[:2], reverse=True):
        for slug in dict.fromkeys(issue.slugs):
            use = Use(name, "" if issue.corrects else issue.number, date, slug)
            by_slug.setdefault(slug, []).append(use)
            story = stories.get(f"{name}/{slug}")
            for key in story.keys if story else ():
                by_key.setdefault(key, []).append(use)
    dates = sorted(((date, name) for date, name, issue in found if not issue.corrects), reverse=True)
    return Uses(by_slug, by_key, tuple(dates))


def _folders(ws: Workspace) -> list[str]:
    try:
        with scandir(ws.issues) as there:
            return sorted(entry.name for entry in there if entry.name[0] != "." and entry.is_dir())
    except OSError:
        return []


class _Files:
    """What some files said when they were last read, by name; ``now`` are those that are still there."""

    def __init__(self, ws: Workspace, cache: str) -> None:
        self._place = ws.cache / cache
        self._before = _IN_MEMORY.get(self._place) or _load(self._place)
        self.now: dict[str, _Known] = {}

    def known(self, name: str, path: str, read: Callable[[Path, _Known], None]) -> _Known | None:
        """What a file says, read again only if it is not the file that was read before; None when there is none."""
        try:
            status = os.stat(path)  # noqa: PTH116 - thousands of them, and this is twice as fast
        except OSError:
            return None
        known = self._before.get(name)
        if known is None or (known.size, known.mtime) != (status.st_size, status.st_mtime_ns):
            known = _Known(status.st_size, status.st_mtime_ns)
            with contextlib.suppress(NewsletterError):
                read(Path(path), known)
        self.now[name] = known
        return known

    def keep(self) -> None:
        """Best effort: on a disk that is full or not ours the next look takes as long as this one."""
        _IN_MEMORY[self._place] = self.now
        if self.now != self._before:
            with contextlib.suppress(NewsletterError):
                write_atomic(self._place, msgspec.json.encode(_Cache(files=self.now)), durable=False)


def _read_issue(path: Path, known: _Known) -> None:
    keys = issue_keys(Document.read(path))
    known.date, known.number, known.corrects = keys.date, keys.number or "", keys.corrects is not None
    known.slugs = tuple(slug for section in keys.sections if section.sponsor is None for slug in section.slugs)


def _read_story(path: Path, known: _Known) -> None:
    known.keys = tuple(_names(article_keys(article_from_document(Document.read(path), path.stem, path))))


def _load(place: Path) -> dict[str, _Known]:
    try:
        cache = msgspec.json.decode(place.read_bytes(), type=_Cache)
    except (OSError, msgspec.MsgspecError):
        return {}
    return cache.files if cache.version == _VERSION else {}
