"""What a source says: its items as they are, whatever the format; nothing of a parser's own gets further."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.models import Picture


@dataclass(frozen=True, slots=True)
class Item:
    """A story as its source gives it. ``content`` and ``summary`` are HTML that nobody has cleaned yet.

    ``url`` is absolute; ``base`` is what relative addresses in the HTML are relative to. ``published`` and ``updated``
    are ISO 8601, and None where the source says nothing that can be understood. ``picture_source`` is the element that
    the picture was found in.
    """

    title: str = ""
    guid: str | None = None
    url: str | None = None
    base: str | None = None
    content: str = ""
    summary: str = ""
    published: str | None = None
    updated: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    lang: str | None = None
    picture: Picture | None = None
    picture_source: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """One answer of a source: ``kind`` is RSS, Atom, JSON Feed, sitemap, sitemap index, WordPress or Ghost.

    ``ttl`` is in minutes; ``skip_hours`` are hours of the day in UTC in which it asks not to be asked; ``children`` are
    the sitemaps of an index, newest first; ``notes`` say what was wrong with it.
    """

    kind: str
    items: tuple[Item, ...] = ()
    title: str = ""
    site: str | None = None
    lang: str | None = None
    ttl: int = 0
    skip_hours: frozenset[int] = frozenset()
    children: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
