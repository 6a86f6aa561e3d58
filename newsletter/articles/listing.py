"""Looking through the inbox: search, filters, pages. No document is read for it, however many stories there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from newsletter.articles.derived import bring_up_to_date
from newsletter.articles.inbox import PLACES, State
from newsletter.articles.searching import terms_of
from newsletter.errors import NotFound, did_you_mean
from newsletter.store import search
from newsletter.store.clock import from_us, to_us
from newsletter.store.engine import Store
from newsletter.store.tables import article as rows

MOST = 500
"""The most stories of one page."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; what is None or empty does not matter.

    ``words`` as an editor types them; ``source`` and ``section`` by name, upper and lower case alike; ``since`` an
    aware time; ``among`` and ``without`` are slugs. ``before`` is the ``next`` of the page before.
    """

    words: str = ""
    states: tuple[State, ...] = ("new",)
    source: str | None = None
    section: str | None = None
    since: datetime | None = None
    among: Collection[str] | None = None
    without: Collection[str] = ()
    before: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A story in the inbox, without its text. Times are aware UTC; ``priority`` 1 is the highest, None is none.

    ``keys`` are what it is compared by: headline, link, GUID. ``original`` is the SHA-256 of its picture.
    """

    id: int
    slug: str
    headline: str
    teaser: str
    state: State
    added_at: datetime
    source: str | None
    section: str | None
    lang: str | None
    published: datetime | None
    priority: int | None
    tags: tuple[str, ...]
    minutes: int
    original: str | None
    keys: tuple[str | None, str | None, str | None]

    @property
    def moment(self) -> datetime:
        """When it appeared, else when it came in."""
        return self.published or self.added_at


@dataclass(frozen=True, slots=True)
class Page:
    """Some stories, the newest first; with ``next`` there are more."""

    lines: tuple[Line, ...]
    next: int | None = None


_LISTED = (
    rows.c.id, rows.c.slug, rows.c.headline, rows.c.teaser, rows.c.state, rows.c.added_at, rows.c.source,
    rows.c.section, rows.c.lang, rows.c.published, rows.c.priority, rows.c.tags, rows.c.minutes, rows.c.original,
    rows.c.title_key, rows.c.url_key, rows.c.guid,
)  # fmt: skip


def page(store: Store, filters: Filters) -> Page:
    """A page of the inbox, the newest first. Raises NotFound for a source or a section that no story has.

    No text that is searched for raises an error; one without a word in it finds what the other filters leave.
    """
    bring_up_to_date(store)
    limit = max(1, min(filters.limit, MOST))
    with store.read() as conn:
        # First which, then what they say: sorting carries ids alone.
        query = select(rows.c.id).where(*_conditions(conn, filters))
        query = search.containing(query, terms_of(filters.words)).limit(limit + 1)
        ids = conn.execute(query).scalars().all()
        listed = select(*_LISTED).where(rows.c.id.in_(ids)).order_by(rows.c.id.desc())
        found = conn.execute(listed).all()
    lines = tuple(_line(row) for row in found[:limit])
    return Page(lines, lines[-1].id if len(found) > limit else None)


def _conditions(conn: Connection, filters: Filters) -> Iterable[ColumnElement[bool]]:
    if set(filters.states) != set(PLACES):
        yield rows.c.state.in_(filters.states)
    if filters.source:
        yield rows.c.source.in_(_named(conn, rows.c.source, filters.source, "source"))
    if filters.section:
        yield rows.c.section.in_(_named(conn, rows.c.section, filters.section, "section"))
    if filters.since is not None:
        yield rows.c.added_at >= to_us(filters.since)
    if filters.among is not None:
        yield search.among(rows.c.slug, filters.among)
    if filters.without:
        yield ~search.among(rows.c.slug, filters.without)
    if filters.before is not None:
        yield rows.c.id < filters.before


def _named(conn: Connection, column: ColumnElement[Any], name: str, word: str) -> list[str]:
    """Every spelling of a name that differs in upper and lower case alone."""
    known = _distinct(conn, column)
    wanted = name.strip().casefold()
    found = [value for value in known if value.strip().casefold() == wanted]
    if not found:
        choices = f"the {word}s are {', '.join(known[:12])}" if known else f"no story has a {word}"
        raise NotFound(f"no story in the inbox has the {word} {name!r}", fix=did_you_mean(name, known) or choices)
    return found


def _distinct(conn: Connection, column: ColumnElement[Any]) -> list[str]:
    """The values of an indexed column, each found by one step in the index: there are few, and many stories."""
    values: list[str] = []
    following = conn.execute(select(func.min(column))).scalar()
    while following is not None:
        values.append(str(following))
        following = conn.execute(select(func.min(column)).where(column > following)).scalar()
    return values


def names(store: Store) -> tuple[list[str], list[str]]:
    """The sources and the sections that stories in the inbox have, each in order."""
    bring_up_to_date(store)
    with store.read() as conn:
        return _distinct(conn, rows.c.source), _distinct(conn, rows.c.section)


def counts(store: Store) -> dict[str, int]:
    """How many stories are in each state."""
    with store.read() as conn:
        found = conn.execute(select(rows.c.state, func.count()).group_by(rows.c.state)).all()
    return dict.fromkeys(PLACES, 0) | {row[0]: int(row[1]) for row in found}


def candidates(store: Store, since: datetime | None) -> list[Line]:
    """Every story that is new or saved for later and came in since then, the newest first."""
    bring_up_to_date(store)
    query = select(*_LISTED).where(rows.c.state.in_(("new", "later"))).order_by(rows.c.id.desc())
    if since is not None:
        query = query.where(rows.c.added_at >= to_us(since))
    with store.read() as conn:
        found = conn.execute(query).all()
    return [_line(row) for row in found]


MOST_ALIKE = 2_000
"""So many other stories are looked at for what is the same; a headline that more than that have says nothing."""


def look_alikes(store: Store, lines: Iterable[Line]) -> dict[str, list[tuple[str, str, State]]]:
    """Other stories with the same headline, link or GUID, for each slug that has some: (what is the same, slug, state).

    ``lines`` are those of a page: each kind is one question to an index.
    """
    lines = list(lines)
    found: dict[str, list[tuple[str, str, State]]] = {}
    for place, (word, column) in enumerate(
        (("headline", rows.c.title_key), ("link", rows.c.url_key), ("GUID", rows.c.guid))
    ):
        wanted: dict[str, list[str]] = {}
        for line in lines:
            if key := line.keys[place]:
                wanted.setdefault(key, []).append(line.slug)
        query = select(column.label("key"), rows.c.slug, rows.c.state).where(column.in_(wanted)).limit(MOST_ALIKE)
        with store.read() as conn:
            others = conn.execute(query).all() if wanted else []
        for other in others:
            for slug in wanted[other.key]:
                known = found.setdefault(slug, []) if slug != other.slug else None
                if known is not None and other.slug not in (entry[1] for entry in known):
                    known.append((word, other.slug, other.state))
    return found


def _line(row: Any) -> Line:
    return Line(
        id=row.id,
        slug=row.slug,
        headline=row.headline,
        teaser=row.teaser,
        state=row.state,
        added_at=from_us(row.added_at),
        source=row.source,
        section=row.section,
        lang=row.lang,
        published=None if row.published is None else from_us(row.published),
        priority=row.priority,
        tags=tuple(row.tags.split("\n")) if row.tags else (),
        minutes=row.minutes,
        original=row.original,
        keys=(row.title_key, row.url_key, row.guid),
    )
