"""``article refresh``: what a story's source says now, against what was imported and what the editor made of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsletter.app.articles import read_file
from newsletter.app.desk import Desk
from newsletter.app.webstory import story_at
from newsletter.app.words import runs_between
from newsletter.articles import inbox, versions
from newsletter.articles.merging import (
    FIELDS,
    FieldChange,
    chosen,
    declined,
    kept,
    taken_over,
    three_way,
    value_of,
)
from newsletter.articles.originals import SUFFIXES, Fetch, check_picture, get_picture, keep_original
from newsletter.articles.schema import article_from_document
from newsletter.articles.sources.stories import is_from_page, with_page
from newsletter.articles.story import Story
from newsletter.errors import BadData, Conflict, NewsletterError, NotFound, RemoteError, did_you_mean
from newsletter.issues import editing
from newsletter.issues.copying import put_picture
from newsletter.issues.folder import load_issue, name_of
from newsletter.models import Article
from newsletter.net.addresses import shown
from newsletter.net.fetch import fetch as guarded_fetch
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.frontmatter import Document, read_bytes


@dataclass(frozen=True, slots=True)
class Compared:
    """A story, of the inbox or of an ``issue``, against its ``source`` (an address, a file, or what is known of it).

    ``sha256`` is of the story's text as it was compared, or as it was written with what was decided; ``take`` refuses
    when it is another one by then. ``known``: somebody has written down what was imported. ``file`` is the source where
    that is a file. ``taken`` are the fields that were taken over, with ``notes``; ``kept`` those in which the source's
    words were declined.
    """

    slug: str
    issue: str | None
    source: str
    sha256: str
    known: bool
    changes: tuple[FieldChange, ...]
    now: Article
    file: str | None = None
    taken: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[FieldChange, ...]:
        """What the source has changed, and nobody has decided about."""
        return tuple(c for c in self.changes if c.open and c.name not in (*self.taken, *self.kept))

    @property
    def seen(self) -> str:
        """A digest of what was compared, both sides of it: what is taken over by it is what somebody looked at."""
        sides = [self.sha256, *(f"{name}\0{value_of(self.now, name)}" for name in FIELDS)]
        return sha256_hex("\0".join(sides).encode("utf-8", "surrogatepass"))

    def as_row(self) -> dict[str, Any]:
        """For ``--json``; ``runs`` are (``same``, ``old`` or ``new``, text), from the imported words on."""
        return {
            "slug": self.slug,
            "issue": self.issue,
            "source": self.source,
            "import_known": self.known,
            "seen": self.seen,
            "changes": [
                {
                    "field": c.name,
                    "change": c.change,
                    "imported": c.imported,
                    "now": c.now,
                    "yours": c.mine,
                    "source_runs": runs_between(c.imported, c.now),
                    "your_runs": runs_between(c.imported, c.mine),
                }
                for c in self.changes
            ],
            "taken": list(self.taken),
            "kept": list(self.kept),
            "notes": list(self.notes),
        }


@dataclass(slots=True)
class Refreshed:
    """Every story that was looked at; ``problems`` are those of which nothing could be had, as (slug, why)."""

    stories: list[Compared] = field(default_factory=list)
    problems: list[tuple[str, NewsletterError]] = field(default_factory=list)

    @property
    def different(self) -> bool:
        """Whether some source has changed what nobody has decided about."""
        return any(story.open for story in self.stories)

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "stories": [story.as_row() for story in self.stories],
            "problems": [{"slug": slug, "problem": str(error)} for slug, error in self.problems],
        }


def refresh(
    desk: Desk,
    slugs: Sequence[str] = (),
    *,
    issue: str | None = None,
    file: Path | None = None,
    take: Collection[str] = (),
    keep: Collection[str] = (),
    seen: str | None = None,
    expected: str | None = None,
    ask: bool = True,
    fetch: Fetch = guarded_fetch,
) -> Refreshed:
    """Compare stories of the inbox, or of an ``issue`` (all of them when none is named), with their sources.

    ``file`` is the source of the one story that is named. ``take`` are fields to take over, or ``all``: every field
    that only the source has changed. What an editor changed is taken over only by its name, and names need one story.
    ``keep`` are fields in which the source's words are declined, or ``all`` that are open and not taken: they are not
    offered again before the source says something else.
    ``seen`` is ``Compared.seen`` of the look before, ``expected`` the SHA-256 of the file in the issue as an editor saw
    it: nothing else is decided then. Without ``ask`` no source is
    asked: what each said last is known from before, or a problem. Raises NotFound, BadData (wrong
    names, one field for both), IllegalState for decisions about an approved issue, Conflict when the story or its
    source is another than was seen, or the file changes meanwhile.
    """
    chosen((), take)
    declined((), keep, ())
    if both := (set(take) & set(keep)):
        raise BadData(f"{', '.join(sorted(both))}: taken and kept at once", where="--keep", fix="decide for one")
    if (take or keep) and issue is not None:
        editing.refuse_approved(desk.workspace, issue)
    targets = _targets(desk, slugs, issue)
    if len(targets) != 1 and (file is not None or (set(take) | set(keep)) - {"all"}):
        what = "one file is the source of one story" if file else "fields are named for one story"
        where = "--from" if file else "--take" if set(take) - {"all"} else "--keep"
        raise BadData(what, where=where, fix="name the story; all goes for several")
    if expected is not None and issue is not None and any(target.sha256 != expected for target in targets):
        raise editing.conflict(desk.workspace, desk.workspace.issue_dir(issue) / f"{slugs[0]}.md")
    given = None if file is None else (str(file), read_file(file))
    done = Refreshed()
    for target in targets:
        try:
            compared = _compare(desk, target, given, fetch if ask else None)
        except (RemoteError, BadData) as error:
            done.problems.append((target.article.slug, error))
            continue
        if (take or keep) and seen is not None and seen != compared.seen:
            raise Conflict(
                "the story or its source has changed since you looked; nothing was changed",
                where=compared.slug,
                fix="look at the differences as they are now, then decide",
            )
        done.stories.append(_decide(desk, target, compared, take, keep, fetch))
    return done


@dataclass(frozen=True, slots=True)
class _Target:
    """A story as it is now: its file in an issue, or its row in the inbox."""

    article: Article
    document: Document
    issue: str | None
    original: str | None = None

    @property
    def sha256(self) -> str:
        return sha256_hex(self.document.text.encode())


def _targets(desk: Desk, slugs: Sequence[str], issue: str | None) -> list[_Target]:
    if issue is None:
        if not slugs:
            raise BadData("no story is named", fix="name stories of the inbox, or an issue: --issue SLUG")
        found = []
        for slug in dict.fromkeys(slugs):
            item = inbox.get(desk.store, slug)
            document = Document.parse(item.document, f"{slug}.md")
            found.append(_Target(item.article, document, None, item.original))
        return found
    loaded = load_issue(desk.workspace, issue)
    folder = desk.workspace.issue_dir(issue)
    picked = {a.slug: a for a in loaded.articles() if a.path is not None and a.path.parent == folder}
    for slug in slugs:
        if slug not in picked:
            hint = did_you_mean(slug, picked) or f"newsletter issue show {issue}"
            raise NotFound(f"{slug!r} is not in the issue {issue}", where=f"issues/{issue}", fix=hint)
    targets = []
    for slug in dict.fromkeys(slugs or picked):
        path = folder / f"{slug}.md"
        document = Document.decode(read_bytes(path), name_of(desk.workspace, path))
        # The story of these very bytes: what was read for the whole issue may be older.
        targets.append(_Target(article_from_document(document, slug, path), document, issue))
    return targets


def _compare(desk: Desk, target: _Target, given: tuple[str, Story] | None, fetch: Fetch | None) -> Compared:
    article = target.article
    inbox_slug, known = versions.known_of(desk.store, article)
    story: Story | None = None
    if given is not None:
        source, story = given
    elif fetch is not None and article.origin.url and known and is_from_page(known[-1]):
        source = f"{shown(article.origin.url)} (its feed gives only a summary)"
        read = story_at(desk, article.origin.url, fetch=fetch)
        story = dataclasses.replace(read, article=with_page(known[-1], read.article))
    elif article.origin.guid and known:
        # It came from a feed, whose words are not those of its page; what the feed said last is written down.
        source = "what its feed said last"
    elif fetch is None:
        if not known:
            raise BadData("it is not known what the source said", where=article.slug, fix="ask the source")
        source = f"what {shown(article.origin.url)} said last" if article.origin.url else "what its source said last"
    elif article.origin.url:
        source = shown(article.origin.url)
        story = story_at(desk, article.origin.url, fetch=fetch)
    else:
        fix = f"name it: newsletter article refresh {article.slug} --from FILE"
        raise BadData("it is not known where the story came from", where=article.slug, fix=fix)
    now = story.article if story else known[-1]
    if story is not None and inbox_slug is not None:
        versions.record(desk.store, inbox_slug, story)
    changes = three_way(known, now, article)
    file = given[0] if given else None
    return Compared(article.slug, target.issue, source, target.sha256, bool(known), changes, now, file)


def _decide(
    desk: Desk, target: _Target, compared: Compared, take: Collection[str], keep: Collection[str], fetch: Fetch
) -> Compared:
    names = chosen(compared.changes, take)
    mine = declined(compared.changes, keep, names)
    if not names and not mine:
        return compared
    document = kept(taken_over(target.document, compared.now, names), compared.now, mine)
    notes: list[str] = []
    original = target.original
    if "image.url" in names:
        original = _new_picture(desk, compared.now, notes, fetch)
        document = _with_file(desk, target, document, original)
    slug = target.article.slug
    if target.issue is None:
        inbox.set_document(desk.store, slug, document, expected=target.document.text, original=original)
        written = sha256_hex(document.text.encode())
    else:
        written = editing.save(desk.workspace, target.issue, document, expected=target.sha256, article=slug)
    return dataclasses.replace(compared, sha256=written, taken=tuple(names), kept=tuple(mine), notes=tuple(notes))


def _new_picture(desk: Desk, now: Article, notes: list[str], fetch: Fetch) -> str | None:
    """The SHA-256 of the picture that the source has now, kept; None when it cannot be had, which is noted."""
    if now.image is None or not now.image.url:
        return None
    if not desk.config.images.fetch:
        notes.append("the picture stays where it is: fetch is off under [images] in newsletter.toml")
        return None
    try:
        return keep_original(desk.workspace, get_picture(desk.config, now.image.url, get=fetch))
    except NewsletterError as wrong:
        notes.append(f"the picture stays where it is: {wrong.what}")
        return None


def _with_file(desk: Desk, target: _Target, document: Document, original: str | None) -> Document:
    if original is None:
        return document
    place = desk.workspace.originals / original
    slug = target.article.slug
    if target.issue is not None:
        return document.set(("image", "file"), put_picture(desk.workspace, target.issue, slug, place))
    return document.set(("image", "file"), f"{slug}.{SUFFIXES[check_picture(read_bytes(place))[0]]}")
