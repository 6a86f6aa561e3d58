"""What was found at a source goes into the database: all of it in one transaction, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from newsletter.articles.inbox import put_story
from newsletter.articles.keys import url_key
from newsletter.articles.sources.looking import Found
from newsletter.articles.sources.shelf import set_source
from newsletter.articles.versions import says_other
from newsletter.net.addresses import shown
from newsletter.store.clock import to_us
from newsletter.store.engine import Store
from newsletter.store.tables import article, source, source_item


@dataclass(frozen=True, slots=True)
class Settled:
    """What a refresh of one source did. ``added`` are the slugs that came in; ``notes`` are for the editor.

    ``state`` is ok, same (nothing new was said), failed, gone, or late (not asked, for want of time).
    """

    name: str
    state: str
    added: tuple[str, ...] = ()
    changed: int = 0
    known: int = 0
    reason: str | None = None
    fix: str | None = None
    next_try: int | None = None
    notes: tuple[str, ...] = ()


FEW = 3
"""Stories with the same remark that are still named one by one."""

_ARTICLE_ID = select(article.c.id).where(article.c.slug == bindparam("slug"))


def settle(store: Store, found: Found) -> Settled:
    """Store what one look found. A source that was removed meanwhile gets nothing."""
    if found.state == "late":
        return Settled(found.source.name, "late")
    with store.write() as conn:
        if conn.execute(select(source.c.id).where(source.c.id == found.source.id)).first() is None:
            return Settled(found.source.name, "gone", reason="it was removed while it was asked")
        if found.state in ("failed", "gone"):
            return _failed(conn, found)
        added, known, notes = _new(conn, found)
        changed = _changed(conn, found)
        at = to_us(found.at)
        url, moved = _address(conn, found)
        notes += [moved] if moved and moved != found.source.reason else []
        # What was said of a move stays to be read until the source fails.
        kept = found.source.reason if found.source.failing_since is None and found.source.state == "on" else None
        set_source(
            conn, found.source, reason=moved or kept, failures=0, failing_since=None, told_at=None, checked_at=at,
            succeeded_at=at, next_try_at=to_us(found.next_try or found.at), etag=found.etag,
            last_modified=found.last_modified, body_sha256=found.body_sha256, state="on",
            title=found.title or found.source.title, url=url,
        )  # fmt: skip
    return Settled(
        found.source.name, found.state, tuple(added), changed, known, next_try=to_us(found.next_try or found.at),
        notes=(*found.notes, *notes),
    )  # fmt: skip


def _failed(conn: Connection, found: Found) -> Settled:
    at = to_us(found.at)
    next_try = to_us(found.next_try) if found.next_try else None
    set_source(
        conn, found.source, reason=found.reason, failures=found.source.failures + 1,
        failing_since=found.source.failing_since or at, checked_at=at, next_try_at=next_try or 0,
        state="off" if found.state == "gone" else "on",
    )  # fmt: skip
    return Settled(found.source.name, found.state, reason=found.reason, fix=found.fix, next_try=next_try)


def _new(conn: Connection, found: Found) -> tuple[list[str], int, list[str]]:
    added: list[str] = []
    items: list[dict[str, object]] = []
    known = 0
    notes: dict[str, list[str]] = {}
    # The inbox shows the newest first: what is older goes in earlier.
    for entry in reversed(found.new):
        article_id = None
        if entry.ready is not None:
            put = put_story(conn, entry.ready, source=found.source.name)
            article_id = conn.execute(_ARTICLE_ID, {"slug": put.slug}).scalar_one()
            if put.already:
                known += 1
            else:
                added.append(put.slug)
                for note in put.notes:
                    notes.setdefault(note, []).append(put.slug)
        items.append({
            "source_id": found.source.id, "guid": entry.guid, "url_key": entry.url_key, "seen_at": to_us(found.at),
            "fingerprint": entry.fingerprint, "article_id": article_id,
        })  # fmt: skip
    if items:
        conn.execute(insert(source_item), items)
    return added[::-1], known, _summed(notes)


def _summed(notes: dict[str, list[str]]) -> list[str]:
    """A remark on each story, or one on all when many have it: fifty summaries are one thing to know."""
    lines = []
    for note, slugs in notes.items():
        lines += [f"{len(slugs)} stories: {note}"] if len(slugs) > FEW else [f"{slug}: {note}" for slug in slugs]
    return lines


def _address(conn: Connection, found: Found) -> tuple[str, str | None]:
    """The address that the source has from now on, and what is to be said of a move."""
    source_, there = found.source, found.moved
    if not there:
        return source_.url, None
    day = f"{found.at.day} {found.at:%B %Y}"
    key = url_key(there)
    for row in conn.execute(select(source.c.name, source.c.url).where(source.c.id != source_.id)):
        if url_key(row.url) == key:
            return source_.url, f"it has moved to {shown(there)}, where the source {row.name} is already"
    return there, f"it has moved for good, from {shown(source_.url)} ({day}); its new address was taken over"


def _changed(conn: Connection, found: Found) -> int:
    """Keep what the source says now of stories that it changed; how many of them really say something else."""
    really = 0
    for entry in found.changed:
        values: dict[str, object] = {"fingerprint": entry.fingerprint}
        if entry.document is not None and says_other(conn, entry.known.article_id, entry.document):
            really += 1
            values |= {"document_latest": entry.document, "changed_at": to_us(found.at)}
        conn.execute(update(source_item).where(source_item.c.id == entry.known.id).values(**values))
    return really
