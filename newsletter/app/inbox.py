"""The inbox as editors look through it: search, filters, pages, and what becomes of a story."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, time
from typing import Any

from newsletter.app.desk import Desk
from newsletter.app.webstory import story_at
from newsletter.articles import derived, inbox, listing, versions
from newsletter.articles.inbox import PLACES, Added
from newsletter.articles.inbox import State as State
from newsletter.articles.listing import Filters, Line
from newsletter.articles.originals import Fetch
from newsletter.articles.plain import escape_braces
from newsletter.articles.story import Story
from newsletter.delivery.schedule import at_wall_time, zone_of
from newsletter.errors import BadData, ConfigurationError
from newsletter.issues.schema import parse_date
from newsletter.issues.uses import Use, Uses, article_keys, uses
from newsletter.models import Article, Provenance
from newsletter.net.fetch import fetch as guarded_fetch
from newsletter.store.clock import from_us, now_us
from newsletter.workspace.config import parse_duration

_SPAN = re.compile(r"(?:\d{1,6}[dhms])+")
MOST_SELECTION = 600
"""The most characters of a selection that are taken for a teaser."""


@dataclass(frozen=True, slots=True)
class InboxQuery:
    """What to show of the inbox; what is None or empty does not matter.

    ``search`` as it is typed; ``since`` is a day (2026-11-20), a span ("7d", "36h") or ``last``: the date of the last
    issue; ``used``: whether some issue has the story. ``after`` is the ``next`` of the page before. With ``doubts``
    each row says what is like it and what its source has changed.
    """

    search: str = ""
    source: str | None = None
    section: str | None = None
    since: str | None = None
    used: bool | None = None
    states: tuple[State, ...] = ("new",)
    limit: int = 100
    after: int | None = None
    doubts: bool = False


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One story of the inbox. ``added`` and ``published`` are dates in the publication's zone.

    ``used_in`` is the slug of the newest issue that has it, ``used`` names all of them, ``issues`` has their slugs, the
    newest first. ``alike`` are warnings of possible duplicates, ``changed`` the fields that its source has changed
    since, both where asked for.
    """

    slug: str
    headline: str
    teaser: str
    added: str
    published: str | None
    state: State
    source: str | None
    section: str | None
    lang: str | None
    priority: int | None
    tags: tuple[str, ...]
    minutes: int
    picture: str | None
    used_in: str | None
    used: tuple[str, ...]
    alike: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()

    def as_row(self) -> dict[str, Any]:
        """For ``--json``; ``picture`` is the SHA-256 of its original."""
        return {
            "slug": self.slug, "headline": self.headline, "teaser": self.teaser, "added": self.added,
            "published": self.published, "state": self.state, "source": self.source, "section": self.section,
            "lang": self.lang, "priority": self.priority, "tags": list(self.tags), "minutes": self.minutes,
            "picture": self.picture, "used_in": self.used_in, "used": list(self.used),
        }  # fmt: skip

    @property
    def marks(self) -> str:
        """What to know of it, in a few words: where it comes from, what it is, who has used it."""
        place = PLACES[self.state] if self.state != "new" else None
        used = f"used in {', '.join(self.used[:3])}" if self.used else None
        return ", ".join(word for word in (self.source, self.section, place, used) if word)


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Some stories, the newest first; with ``next`` there are more. ``counts`` are of the whole inbox, by state."""

    rows: tuple[InboxRow, ...]
    next: int | None
    counts: dict[str, int]

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"articles": [row.as_row() for row in self.rows], "next": self.next, "counts": self.counts}


def list_inbox(desk: Desk, query: InboxQuery | None = None) -> InboxPage:
    """A page of the inbox, with the issues that have used each story, also sent ones.

    Raises NotFound for a source or a section that no story has, BadData for a ``since`` that is no time.
    """
    query = query or InboxQuery()
    used = uses(desk.workspace, alike=query.doubts)
    filters = Filters(
        words=query.search,
        states=query.states,
        source=query.source,
        section=query.section,
        since=since_of(desk, query.since, used) if query.since else None,
        among=used.by_slug if query.used is True else None,
        without=used.by_slug if query.used is False else (),
        before=query.after,
        limit=query.limit,
    )
    found = listing.page(desk.store, filters)
    zone = desk.config.publication.timezone
    rows = tuple(_row(line, used.of(line.slug), zone) for line in found.lines)
    if query.doubts:
        alike = listing.look_alikes(desk.store, found.lines)
        changed = versions.changed_waiting(desk.store, [line.id for line in found.lines])
        rows = tuple(
            dataclasses.replace(row, alike=_alike(line, alike, used), changed=changed.get(line.slug, ()))
            for row, line in zip(rows, found.lines, strict=True)
        )
    return InboxPage(rows, found.next, listing.counts(desk.store))


MOST_NAMED = 3
"""So many stories that are like one are named."""


def _alike(line: Line, others: dict[str, list[tuple[str, str, State]]], used: Uses) -> tuple[str, ...]:
    """What may be the same story as one, in words: in the inbox, and in an issue under another name."""
    found = others.get(line.slug, [])
    said = []
    for word, slug, state in found[:MOST_NAMED]:
        uses_of = used.of(slug)
        said.append(f"the same {word} as {slug}, {f'used in {uses_of[0].words}' if uses_of else PLACES[state]}")
    if len(found) > MOST_NAMED:
        said.append(f"and {len(found) - MOST_NAMED:,} more")
    known = used.alike(line.keys)
    if known and not used.of(line.slug) and known[1].story not in {line.slug, *(slug for _, slug, _ in found)}:
        said.append(f"the same {known[0]} as {known[1].story}, used in {known[1].words}")
    return tuple(said)


def _row(line: Line, used: Sequence[Use], zone: str) -> InboxRow:
    return InboxRow(
        slug=line.slug,
        headline=line.headline,
        teaser=line.teaser,
        added=_day(line.added_at, zone),
        published=_day_stated(line.published, zone) if line.published else None,
        state=line.state,
        source=line.source,
        section=line.section,
        lang=line.lang,
        priority=line.priority,
        tags=line.tags,
        minutes=line.minutes,
        picture=line.original,
        used_in=used[0].issue if used else None,
        used=tuple(dict.fromkeys(use.words for use in used)),
        issues=tuple(dict.fromkeys(use.issue for use in used)),
    )


def _day(moment: datetime, zone: str) -> str:
    return moment.astimezone(zone_of(zone)).date().isoformat()


def _day_stated(moment: datetime, zone: str) -> str:
    """A day without a time is kept as its beginning in UTC: it is that day in every zone."""
    return moment.date().isoformat() if moment.time() == time() else _day(moment, zone)


def since_of(desk: Desk, text: str, used: Uses, *, before: Date | None = None) -> datetime | None:
    """The moment of a ``--since``, see ``InboxQuery``; None for ``last`` when there is no issue yet.

    ``last`` is the beginning of the last issue's day: of those dated before ``before``, else of all up to today.
    """
    zone = zone_of(desk.config.publication.timezone)
    now = from_us(now_us())
    words = text.strip().lower()
    if words == "last":
        today = now.astimezone(zone).date()
        day = next((d for d, _ in used.dates if (d < before if before else d <= today)), None)
    else:
        day = parse_date(words)
        if day is None and _SPAN.fullmatch(words):
            try:
                return now - parse_duration(words, "--since")
            except (ConfigurationError, OverflowError):  # longer ago than there are years
                return None
        if day is None:
            fix = 'write "last", a day such as 2026-11-20, or how long ago: "7d", "36h"'
            raise BadData(f"{text!r} is no time", where="--since", fix=fix)
    try:
        return at_wall_time(datetime(day.year, day.month, day.day), zone) if day else None  # noqa: DTZ001 - wall time
    except OverflowError:  # the first day of the calendar
        return None


def filter_names(desk: Desk) -> tuple[list[str], list[str]]:
    """The sources and the sections that there are, to choose from."""
    return listing.names(desk.store)


def reindex(desk: Desk) -> int:
    """Make the full-text index of the inbox anew; returns how many stories it has."""
    return derived.rebuild(desk.store)


def set_state(desk: Desk, slugs: Sequence[str], state: State) -> list[str]:
    """Dismiss stories, save them for later, or (``new``) bring them back, all or none; what was done, a line each.

    Issues that have picked them keep them. Raises NotFound, and then nothing was changed.
    """
    changed = inbox.set_state(desk.store, slugs, state)
    done = {"new": "back in the inbox", **{name: PLACES[name] for name in ("later", "dismissed")}}[state]
    return [f"{slug}: {done}{'' if slug in changed else ' already'}." for slug in dict.fromkeys(slugs)]


def used_elsewhere(desk: Desk, article: Article) -> list[str]:
    """A note on a story of an issue that has the same headline, link or GUID: a warning, never a refusal."""
    found = uses(desk.workspace, alike=True).alike(article_keys(article))
    return [] if found is None else [f"a story with the same {found[0]} is used in {found[1].words}: {found[1].story}"]


def add(desk: Desk, story: Story, *, source: str | None = None, fetch: Fetch = guarded_fetch) -> Added:
    """Put a story that was read into the inbox, with notes on look-alikes in the inbox and in every issue."""
    return inbox.add_story(
        desk.store,
        desk.workspace,
        desk.config,
        story,
        fetch=fetch,
        source=source,
        elsewhere=lambda article: used_elsewhere(desk, article),
    )


def send_to_inbox(
    desk: Desk, url: str, title: str | None = None, selection: str | None = None, *, fetch: Fetch = guarded_fetch
) -> Added:
    """Fetch the story of a page that an editor has open, and put it into the inbox.

    ``title`` stands in for a headline that the page's reader was not sure of; ``selection``, the words that the editor
    had marked, becomes the teaser. A page whose address the inbox knows is not fetched: it comes back if it was
    dismissed, and is left as it is. Nothing is added for a page that cannot be read: FetchRefused and RemoteError say
    why it could not be had, BadData why there is no story in it.
    """
    url = url.strip()
    if known := inbox.known_link(desk.store, url) if url else None:
        notes = []
        if known.state == "dismissed":
            inbox.set_state(desk.store, [known.slug], "new")
            notes.append("it had been dismissed; it is back in the inbox")
        return Added(known.slug, known.article, True, notes)
    return add(desk, _with_words(story_at(desk, url, fetch=fetch), title, selection), fetch=fetch)


def _with_words(story: Story, title: str | None, selection: str | None) -> Story:
    """A story with the words that came with its address, where the editor chose them or nothing better is known."""
    article = story.article
    provenance = dict(article.provenance)
    texts: dict[str, Any] = {}
    doubted = not provenance.get("headline", Provenance("page")).confirmed
    if doubted and (words := " ".join((title or "").split())):
        texts["headline"], provenance["headline"] = escape_braces(words[:300]), Provenance("page's title", False)
    if words := " ".join((selection or "").split()):
        texts["teaser"], provenance["teaser"] = escape_braces(_cut(words)), Provenance("selection")
    return dataclasses.replace(story, article=dataclasses.replace(article, **texts, provenance=provenance))


def _cut(words: str) -> str:
    """Whole words, and an ellipsis for the rest."""
    if len(words) <= MOST_SELECTION:
        return words
    start = words[:MOST_SELECTION]
    return (start.rpartition(" ")[0] or start) + "…"
