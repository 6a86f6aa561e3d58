"""The sources and what each of them gave, as rows of the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from newsletter.articles.inbox import url_key
from newsletter.articles.shape import title_key
from newsletter.articles.sources.item import Item
from newsletter.errors import BadData, NotFound, did_you_mean
from newsletter.store.clock import now_us
from newsletter.store.engine import Store
from newsletter.store.tables import source as rows
from newsletter.store.tables import source_item as items
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.slugs import slugify

FIRST = "50"
"""How many stories the first refresh takes unless the editor says otherwise."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it is in the database; times are UTC microseconds. ``key_ref`` says where its key is, if any."""

    id: int
    name: str
    url: str
    kind: str
    title: str
    section: str | None
    full: bool
    first: str
    key_ref: str | None
    state: str
    reason: str | None
    failures: int
    failing_since: int | None
    told_at: int | None
    etag: str | None
    last_modified: str | None
    body_sha256: str | None
    checked_at: int | None
    succeeded_at: int | None
    next_try_at: int
    added_at: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of an item."""

    id: int
    fingerprint: str
    article_id: int | None


class Memory:
    """The items that a source gave before, by guid and by address."""

    def __init__(self, known: Iterable[Row[Any]]) -> None:
        self._by_guid: dict[str, Known] = {}
        self._by_url: dict[str, Known] = {}
        for row in known:
            entry = Known(row.id, row.fingerprint, row.article_id)
            if row.guid is not None:
                self._by_guid[row.guid] = entry
            if row.url_key is not None:
                self._by_url[row.url_key] = entry

    def of(self, guid: str | None, url: str | None) -> Known | None:
        """The item with this guid or this address."""
        return (self._by_guid.get(guid) if guid else None) or (self._by_url.get(url) if url else None)


def _source(row: Row[Any]) -> Source:
    values = {field.name: getattr(row, field.name) for field in fields(Source)}
    return Source(**{**values, "full": bool(row.full)})


def list_sources(store: Store) -> list[Source]:
    """Every source, by name."""
    with store.read() as conn:
        return [_source(row) for row in conn.execute(select(rows).order_by(rows.c.name))]


def get_source(store: Store, name: str) -> Source:
    """One source; raises NotFound with the name that was probably meant."""
    with store.read() as conn:
        row = conn.execute(select(rows).where(rows.c.name == name)).first()
        if row is None:
            known: Iterable[str] = conn.execute(select(rows.c.name)).scalars()
            fix = did_you_mean(name, known) or "`newsletter source list` shows the sources"
            raise NotFound(f'there is no source "{name}"', fix=fix)
        return _source(row)


def find_by_url(store: Store, url: str) -> Source | None:
    """The source at this address: scheme, ``www.`` and a final slash make no difference."""
    key = url_key(url)
    return next((source for source in list_sources(store) if url_key(source.url) == key), None)


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """A name from a title or a host, with the first free number after it."""
    name, number, used = slugify(wanted)[:40].strip("-"), 1, set(taken)
    free = name
    while free in used:
        number += 1
        free = f"{name}-{number}"
    return free


def add_source(conn: Connection, *, name: str, url: str, kind: str, title: str = "", section: str | None = None,
               full: bool = False, first: str = FIRST, key_ref: str | None = None) -> None:  # fmt: skip
    """Remember a source. Raises BadData for a name that is taken."""
    if conn.execute(select(rows.c.id).where(rows.c.name == name)).first():
        raise BadData(f'there is a source "{name}" already', fix="choose another --name")
    conn.execute(
        insert(rows).values(
            name=name, url=url, kind=kind, title=title, section=section, full=int(full), first=first, key_ref=key_ref,
            added_at=now_us(),
        )
    )  # fmt: skip


def remove_source(store: Store, name: str) -> None:
    """Forget a source and what it gave; the stories that came from it stay where they are. Raises NotFound."""
    source = get_source(store, name)
    with store.write() as conn:
        conn.execute(delete(items).where(items.c.source_id == source.id))
        conn.execute(delete(rows).where(rows.c.id == source.id))


def set_source(conn: Connection, source: Source, **values: object) -> None:
    """Write columns of a source."""
    conn.execute(update(rows).where(rows.c.id == source.id).values(**values))


def memory_of(conn: Connection, source: Source) -> Memory:
    """What a source gave before."""
    query = select(items.c.id, items.c.guid, items.c.url_key, items.c.fingerprint, items.c.article_id)
    return Memory(conn.execute(query.where(items.c.source_id == source.id).order_by(items.c.id)))


def counts(store: Store) -> dict[int, tuple[int, int]]:
    """For each source the number of its items that came in, and of those that were changed at the source since."""
    query = select(items.c.source_id, func.count(items.c.article_id), func.count(items.c.changed_at))
    with store.read() as conn:
        return {row[0]: (row[1], row[2]) for row in conn.execute(query.group_by(items.c.source_id))}


def identities(found: Iterable[Item]) -> list[tuple[Item, str | None, str | None]]:
    """Each item with the guid and the address that name it; an item that is there twice is there once.

    A guid that several items with different addresses share names none of them (some systems give every item the
    same), nor does an address that items with different guids share, or without guids different titles (the home
    page). An item with neither is named by its title. The part after # counts: some pages have many items.
    """
    listed = [(item, _guid(item), _address(item)) for item in found]
    addresses: dict[str, set[str | None]] = {}
    guids: dict[str, set[str | None]] = {}
    for item, guid, url in listed:
        if guid:
            addresses.setdefault(guid, set()).add(url)
        if url:
            guids.setdefault(url, set()).add(guid or f"title:{title_key(item.title)}")
    once: dict[tuple[str | None, str | None], tuple[Item, str | None, str | None]] = {}
    for item, guid, url in listed:
        own_guid = guid if guid and len(addresses[guid]) == 1 else None
        own_url = url if url and len(guids[url]) == 1 else None
        if own_guid is None and own_url is None:
            own_guid = f"title:{sha256_hex(title_key(item.title or item.summary[:300]).encode('utf-8', 'replace'))}"
        once.setdefault((own_guid, own_url), (item, own_guid, own_url))
    return list(once.values())


def _address(item: Item) -> str | None:
    key, fragment = url_key(item.url), (item.url or "").partition("#")[2]
    return f"{key}#{fragment}" if key and fragment else key


def _guid(item: Item) -> str | None:
    guid = " ".join((item.guid or "").split())
    return guid if len(guid) <= 500 else f"sha256:{sha256_hex(guid.encode('utf-8', 'replace'))}"
