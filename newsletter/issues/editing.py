"""Changing issues: new, pick, drop, move, duplicate, save. Every change is whole or not at all.

Each edit holds the issue's lock, reads ``issue.md``, splices the one node that changes and renames a new file
over the old one. If the file changed in between (an editor's own text editor takes no locks), nothing is written.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from pathlib import Path
from types import MappingProxyType

from newsletter.errors import BadData, Conflict, IllegalState, NotFound, did_you_mean
from newsletter.issues.copying import prepare_copy
from newsletter.issues.folder import IMAGES, ISSUE_FILE, is_approved, issue_exists, name_of, read_issue_file
from newsletter.issues.places import Place, automatic_section, find_section, place_of, places
from newsletter.issues.schema import issue_keys, parse_date
from newsletter.issues.textfile import MEMORY_FILE
from newsletter.models import TEXT_FILE, Layout
from newsletter.workspace.files import cannot_write, file_lock, make_folder, sha256_hex, write_atomic
from newsletter.workspace.frontmatter import Document, read_bytes
from newsletter.workspace.paths import Workspace
from newsletter.workspace.slugs import check_slug

LOCK_SECONDS = 5.0

_SKELETON = """\
---
# subject: the line in the inbox. Until you write it, the lead story's headline stands here.
# preheader: the grey words after it. Until you write them, the lead story's teaser.
date: {date}
# number: the number of the issue, as it stands in the masthead
# Layouts of sections: lead, list, grid, brief, sponsor, text. A title may be left out.
sections:
  - layout: lead
    articles: []
  - title: Also this week
    layout: list
    articles: []
---
"""


_CORRECTION = """\
---
subject: ""
# preheader: the grey words after it. Until you write them, the lead story's teaser.
date: {date}
# Only those who got this issue get the correction.
corrects: ""
# What was wrong, and what is right: one or two sentences.
correction: ""
sections:
  - layout: lead
    articles: []
---
"""


@dataclass(frozen=True, slots=True)
class Picked:
    """A story on its way into an issue: the ``text`` of its file and its picture.

    ``original`` is the picture's file as it was fetched; ``image_name`` its name in the issue's ``images/``
    (default: the slug with the extension that the bytes call for).
    """

    slug: str
    text: str
    original: Path | None = None
    image_name: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done to ``issue.md``, a note each, and the SHA-256 of what was written: not of what stands there since."""

    notes: list[str]
    sha256: str


@dataclass(frozen=True, slots=True)
class NewSection:
    """A section of an issue that is to be made, with its stories."""

    layout: Layout
    title: str = ""
    items: tuple[Picked, ...] = ()

    @property
    def keys(self) -> dict[str, object]:
        """As it stands in ``issue.md``."""
        title = {"title": self.title} if self.title else {}
        return {**title, "layout": self.layout, "articles": [item.slug for item in self.items]}


def new_issue(
    ws: Workspace,
    slug: str,
    *,
    date: Date | str | None = None,
    theme: str | None = None,
    sections: Sequence[NewSection] = (),
) -> Path:
    """Make an issue with a lead and a list to fill, or with these sections and their stories; returns its folder.

    The date is that of the slug when the slug is one (``2022-02-25``); otherwise it must be given, and is never
    guessed. Raises ``BadData`` for a slug that cannot be or exists, and for a missing date; then nothing was made.
    """
    folder = ws.issue_dir(slug)
    day = issue_day(slug, date)
    refuse_existing(ws, slug)
    doc = Document.parse(_SKELETON.format(date=day.isoformat()), name_of(ws, folder / ISSUE_FILE))
    if theme is not None:
        doc = doc.set(("theme",), theme)
    if sections:
        doc = doc.set(("sections",), [section.keys for section in sections])
    with _new_folder(ws, folder) as made:
        for section in sections:
            for item in section.items:
                prepare_copy(ws, slug, item, folder=made).write()
        write_atomic(made / ISSUE_FILE, doc.text)
    return folder


def new_correction(ws: Workspace, slug: str, new_slug: str, *, subject: str, date: Date) -> Path:
    """Make an issue that corrects the issue ``slug``, with a text to be written; returns its folder.

    Raises ``BadData`` for a slug that cannot be or exists.
    """
    folder = ws.issue_dir(new_slug)
    refuse_existing(ws, new_slug)
    doc = Document.parse(_CORRECTION.format(date=date.isoformat()), name_of(ws, folder / ISSUE_FILE))
    doc = doc.set(("subject",), subject).set(("corrects",), slug)
    with _new_folder(ws, folder) as made:
        write_atomic(made / ISSUE_FILE, doc.text)
    return folder


def duplicate(ws: Workspace, slug: str, new_slug: str, *, date: Date | str | None = None) -> Path:
    """Copy an issue's folder without its approval; returns the new folder.

    The copy has its own date (see ``new_issue``), and neither number nor correction: no two issues have the same. Its
    text part is generated: an editor's own text is of the stories and the day that it was written for.
    """
    doc, _ = read_issue_file(ws, slug)
    folder = ws.issue_dir(new_slug)
    day = issue_day(new_slug, date)
    refuse_existing(ws, new_slug)
    doc = doc.set(("date",), day)
    for own in ("number", "correction"):
        if doc.get(own) is not None:
            doc = doc.delete((own,))
    with _new_folder(ws, folder) as made:
        left = shutil.ignore_patterns("approved", ".*", TEXT_FILE, MEMORY_FILE)
        shutil.copytree(ws.issue_dir(slug), made, ignore=left, dirs_exist_ok=True)
        write_atomic(made / ISSUE_FILE, doc.text)
    return folder


def pick(
    ws: Workspace,
    issue_slug: str,
    items: Sequence[Picked],
    *,
    section: str | int | None = None,
    at: int | None = None,
    expected: str | None = None,
) -> Changed:
    """Put stories into an issue; returns a note for each. The issue gets its own copies of text and picture.

    Without ``section`` a story goes into the first empty lead, else the first list, else a new list. ``at``
    counts from 1; several stories stand in the order given. ``section`` may be its index, from 0. A story file that is in the folder already (it was
    dropped, or written by hand) is kept as it is. Raises ``BadData`` when a story is in the issue already.
    """
    for item in items:
        check_slug(item.slug, "article")
    with _edited(ws, issue_slug, expected) as edit:
        notes: list[str] = []
        for offset, item in enumerate(items):
            index, made = find_section(edit.doc, section), None
            if index is None:
                index, made = automatic_section(edit.doc)
            notes += _pick_one(edit, item, index, made, None if at is None else at + offset)
        copies = [prepare_copy(ws, issue_slug, item) for item in items]
        for copy in copies:
            copy.write()
            notes += copy.notes
        return Changed(notes, edit.write())


def _pick_one(
    edit: _Edit, item: Picked, index: int, new_section: dict[str, object] | None, at: int | None
) -> list[str]:
    _refuse_picked(edit, item.slug)
    if new_section is not None:
        edit.doc = edit.doc.insert(("sections",), index, new_section)
    count = len(places(edit.doc)[index])
    position = _position(edit.doc, index, count, at)
    edit.doc = _with_article(edit.doc, index, position, item.slug)
    place = place_of(edit.doc, item.slug)
    assert place is not None
    return [f"{item.slug}: {place.words}"]


def _refuse_picked(edit: _Edit, slug: str) -> None:
    present = place_of(edit.doc, slug)
    if present is not None:
        raise BadData(
            f"{slug} is in the issue already: {present.words}",
            where=edit.doc.where("sections", present.section, "articles", present.index),
            fix=f"newsletter issue move {edit.slug} {slug} --to N",
        )


def pick_sponsor(
    ws: Workspace, issue_slug: str, name: str, *, section: str | int | None = None, expected: str | None = None
) -> Changed:
    """Give a sponsor a section of an issue; returns notes.

    Without ``section`` it is the first empty sponsor section, else a new one at the end. Raises ``BadData`` when
    the sponsor is in the issue already, and when the section is not an empty one for sponsors.
    """
    with _edited(ws, issue_slug, expected) as edit:
        _refuse_picked(edit, name)
        sections = issue_keys(edit.doc).sections
        free = [n for n, keys in enumerate(sections) if keys.layout == "sponsor" and not keys.slugs]
        index = find_section(edit.doc, section)
        if index is None:
            index = free[0] if free else len(sections)
        elif index not in free:
            where = edit.doc.where("sections", index)
            raise BadData(
                f"{section!r} is no empty sponsor section", where=where, fix="choose another, or leave it out"
            )
        if index == len(sections):
            edit.doc = edit.doc.insert(("sections",), index, {"layout": "sponsor", "sponsor": name})
        else:
            edit.doc = edit.doc.set(("sections", index, "sponsor"), name)
        place = _require(edit.doc, edit.slug, name)
        return Changed([f"{name}: {place.words}"], edit.write())


def _position(doc: Document, section: int, count: int, at: int | None) -> int:
    """The index from 0 of place ``at`` (from 1; None is the end) among ``count`` articles."""
    if at is None:
        return count
    if not 1 <= at <= count + 1:
        fix = f"choose 1 to {count + 1}" if count else "choose 1"
        raise BadData(f"the section has no place {at}", where=doc.where("sections", section), fix=fix)
    return at - 1


def _with_article(doc: Document, section: int, position: int, slug: str) -> Document:
    path = ("sections", section, "articles")
    if doc.get("sections", section, "sponsor") is not None:
        where = doc.where("sections", section, "sponsor")
        raise BadData("the section is a sponsor's", where=where, fix="choose another section")
    if isinstance(doc.get(*path), str):
        doc = doc.set(path, [doc.get(*path)])
    return doc.insert(path, position, slug)


def drop(ws: Workspace, issue_slug: str, article: str, *, expected: str | None = None) -> list[str]:
    """Take a story out of an issue, wherever it stands; returns notes.

    Its file and its picture stay in the folder, so that what an editor wrote is never lost; picking it again
    brings it back as it was. Raises ``NotFound`` when it is not in the issue.
    """
    with _edited(ws, issue_slug, expected) as edit:
        edit.doc = dropped(edit.doc, issue_slug, article)
        edit.write()
    path = ws.issue_dir(issue_slug) / f"{article}.md"
    notes = [f"{article} is out of {issue_slug}"]
    if path.exists():
        notes.append(f"{name_of(ws, path)} stays in the folder; delete it if you do not need it")
    return notes


def dropped(doc: Document, issue_slug: str, article: str) -> Document:
    """``issue.md`` without a story, wherever it stands; raises ``NotFound`` when it is not in the issue."""
    _require(doc, issue_slug, article)
    while place := place_of(doc, article):
        doc = _without(doc, place)
    return doc


def move(
    ws: Workspace,
    issue_slug: str,
    article: str,
    *,
    section: str | int | None = None,
    to: int,
    expected: str | None = None,
) -> list[str]:
    """Put a story of an issue at place ``to`` (from 1) of its section, or of another one; returns notes.

    ``section`` is a title, a layout, or an index from 0.

    Raises ``NotFound`` for an unknown story or section and ``BadData`` for a place that is not there.
    """
    with _edited(ws, issue_slug, expected) as edit:
        edit.doc = moved(edit.doc, issue_slug, article, section=section, to=to)
        edit.write()
        place = place_of(edit.doc, article)
    assert place is not None
    return [f"{article}: {place.words}"]


def moved(doc: Document, issue_slug: str, article: str, *, section: str | int | None, to: int) -> Document:
    """``issue.md`` with a story at another place; see ``move`` for what it takes and raises."""
    place = _require(doc, issue_slug, article)
    if doc.get("sections", place.section, "sponsor") is not None:
        where = doc.where("sections", place.section, "sponsor")
        raise BadData("a sponsor moves with its section", where=where, fix="move the section in the file")
    target = find_section(doc, section)
    if target is None:
        target = place.section
    without = _without(doc, place)
    position = _position(doc, target, len(places(without)[target]), to)
    return _with_article(without, target, position, article)


def _without(doc: Document, place: Place) -> Document:
    path = ("sections", place.section, "articles")
    sponsor = ("sections", place.section, "sponsor")
    if doc.get(*sponsor) is not None:
        return doc.delete(sponsor)
    if isinstance(doc.get(*path), str):
        return doc.set(path, [])
    return doc.delete((*path, place.index))


def _require(doc: Document, issue_slug: str, article: str) -> Place:
    place = place_of(doc, article)
    if place is None:
        picked = [slug for section in places(doc) for slug in section]
        hint = did_you_mean(article, picked) or f"newsletter issue show {issue_slug}"
        raise NotFound(f"{article!r} is not in the issue {issue_slug}", where=doc.file, fix=hint)
    return place


def rewrite(
    ws: Workspace, slug: str, change: Callable[[Document], Document], *, expected: str | None = None
) -> str:
    """Make one ``change`` to ``issue.md``; returns the new SHA-256.

    Raises what ``change`` raises, ``Conflict`` when the file is not what was ``expected`` (its SHA-256), and
    ``FrontMatterError`` when the changed file could not be read any more; then nothing is written.
    """
    with _edited(ws, slug, expected) as edit:
        edit.doc = change(edit.doc)
        issue_keys(edit.doc)
        return edit.write()


def save(
    ws: Workspace,
    slug: str,
    document: Document,
    *,
    expected: str,
    article: str | None = None,
    pictures: Mapping[str, bytes] = MappingProxyType({}),
) -> str:
    """Write ``issue.md``, or the file of one ``article``, if it still is what was read; returns the new SHA-256.

    ``pictures`` are written into the issue's ``images/`` before it, by their names.
    ``expected`` is the SHA-256 (hex) of the bytes that the edit began with. Raises ``Conflict`` when the file
    has changed, ``IllegalState`` when the issue is approved, ``CannotWrite``; then nothing is written.
    """
    name = ISSUE_FILE if article is None else f"{check_slug(article, 'article')}.md"
    path = ws.issue_dir(slug) / name
    with locked(ws, slug):
        _require_unchanged(ws, path, expected)
        data = document.text.encode("utf-8")
        for picture, content in pictures.items():
            make_folder(ws.issue_dir(slug) / IMAGES)
            write_atomic(ws.issue_dir(slug) / IMAGES / picture, content)
        write_atomic(path, data)
    return sha256_hex(data)


class _Edit:
    """``issue.md`` under the lock: change ``doc``, then ``write`` it."""

    def __init__(self, ws: Workspace, slug: str, expected: str | None) -> None:
        self._ws = ws
        self._path = ws.issue_dir(slug) / ISSUE_FILE
        self.slug = slug
        self.doc, self._read = read_issue_file(ws, slug)
        if expected is not None and expected != self._read:
            raise conflict(ws, self._path)
        issue_keys(self.doc)  # what is broken is said before it is edited

    def write(self) -> str:
        """Write the changed document, unless somebody else has meanwhile; returns its SHA-256."""
        _require_unchanged(self._ws, self._path, self._read)
        data = self.doc.text.encode("utf-8")
        write_atomic(self._path, data)
        return sha256_hex(data)


@contextlib.contextmanager
def _edited(ws: Workspace, slug: str, expected: str | None) -> Iterator[_Edit]:
    if not issue_exists(ws, slug):
        read_issue_file(ws, slug)  # says what is missing
    with locked(ws, slug):
        yield _Edit(ws, slug, expected)


@contextlib.contextmanager
def locked(ws: Workspace, slug: str) -> Iterator[None]:
    """Hold the issue's lock while one of its files is changed; raises ``IllegalState`` when it is approved."""
    with file_lock(ws.locks / f"issue-{check_slug(slug, 'issue')}.lock", timeout=LOCK_SECONDS):
        refuse_approved(ws, slug)
        yield


def refuse_approved(ws: Workspace, slug: str) -> None:
    """Raise ``IllegalState`` when the issue is approved: what is frozen is not edited."""
    if is_approved(ws, slug):
        fix = f"newsletter unapprove {slug}"
        raise IllegalState(f"{slug} is approved and cannot be edited", where=f"issues/{slug}", fix=fix)


def _require_unchanged(ws: Workspace, path: Path, expected: str) -> None:
    if not path.exists() or sha256_hex(read_bytes(path)) != expected:
        raise conflict(ws, path)


def conflict(ws: Workspace, path: Path) -> Conflict:
    """What is said where a file is not what the edit began with."""
    fix = "look at the file as it is now, then make the change again"
    return Conflict("somebody else changed the file meanwhile; nothing was written", where=name_of(ws, path), fix=fix)


def issue_day(slug: str, date: Date | str | None) -> Date:
    """The date of a new issue: the one that is given, else the slug's; raises ``BadData`` when there is none."""
    day = date if isinstance(date, Date) else parse_date(date if date is not None else slug)
    if day is None:
        what = f"{date!r} is no date" if date is not None else f"the date of {slug!r} is not known"
        raise BadData(what, where="--date", fix=f"newsletter issue new {slug} --date 2026-11-27")
    return day


def refuse_existing(ws: Workspace, slug: str) -> None:
    """Raise ``BadData`` when there is an issue, or any folder, of that name."""
    folder = ws.issue_dir(slug)
    if folder.exists():
        fix = f"edit it, or choose another name: newsletter issue show {slug}"
        raise BadData("there is an issue of that name already", where=name_of(ws, folder), fix=fix)


@contextlib.contextmanager
def _new_folder(ws: Workspace, folder: Path) -> Iterator[Path]:
    """A folder to fill that gets its name only when it is complete."""
    making = ws.issues / f".making-{folder.name}"
    with file_lock(ws.locks / f"issue-{folder.name}.lock", timeout=LOCK_SECONDS):
        try:
            shutil.rmtree(making, ignore_errors=True)
            make_folder(making)
            yield making
            making.rename(folder)
        except OSError as error:
            raise cannot_write(folder, error) from error
        finally:
            shutil.rmtree(making, ignore_errors=True)
