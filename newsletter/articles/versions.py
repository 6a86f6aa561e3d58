"""What the source of a story has said so far: as it was imported, and each time that it was seen changed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from newsletter.articles.inbox import document_of
from newsletter.articles.keys import content_key, guid_key, url_key
from newsletter.articles.merging import three_way
from newsletter.articles.schema import article_from_document
from newsletter.articles.story import Story
from newsletter.errors import NewsletterError
from newsletter.models import Article
from newsletter.store.clock import from_us, now_us
from newsletter.store.engine import Store
from newsletter.store.tables import article as rows
from newsletter.store.tables import article_version as versions
from newsletter.store.tables import metadata
from newsletter.workspace.frontmatter import Document

_ITEMS = metadata.tables.get("source_item")
"""What feeds said, where there are feeds: ``document_latest`` of an ``article_id``, if it was changed since it came."""


def record(store: Store, slug: str, story: Story) -> bool:
    """Remember what the source of a story says now; says whether that is another thing than it said last.

    For a story of the inbox, by its slug. A slug that is not there is no error: there is nothing to remember.
    """
    text = document_of(story)
    with store.write() as conn:
        row_id = conn.execute(select(rows.c.id).where(rows.c.slug == slug)).scalar()
        if row_id is None:
            return False
        known = _versions(conn, row_id)
        if known and not three_way([known[-1]], story.article, known[-1]):
            return False
        key = content_key(story.article)
        conn.execute(insert(versions).values(article_id=row_id, document=text, content_key=key, seen_at=now_us()))
    return True


def says_other(conn: Connection, row_id: int | None, document: str) -> bool:
    """Whether a story as its source has it now differs from what the source said last; True where nothing is known."""
    known = _versions(conn, row_id) if row_id is not None else []
    if not known:
        return True
    now = article_from_document(Document.parse(document, "version"), "version")
    return bool(three_way([known[-1]], now, known[-1]))


def known_of(store: Store, article: Article) -> tuple[str | None, list[Article]]:
    """The slug that a story has in the inbox, and what its source has said, the import first.

    A picked story is found by its origin: when it was imported, its GUID or its address; its slug alone proves
    nothing. (None, []) for a story that never was in the inbox.
    """
    with store.read() as conn:
        row = _row_of(conn, article)
        return (row.slug, _versions(conn, row.id)) if row else (None, [])


def changed(store: Store, articles: Sequence[Article]) -> dict[str, tuple[str, ...]]:
    """The fields of each story that its source is known to have changed, and about which nobody has decided."""
    twice = select(versions.c.article_id).group_by(versions.c.article_id).having(func.count() > 1)
    found: dict[str, tuple[str, ...]] = {}
    with store.read() as conn:
        several = set(conn.execute(twice).scalars())
        if _ITEMS is not None:
            said_more = select(_ITEMS.c.article_id).where(_ITEMS.c.document_latest.is_not(None))
            several |= set(conn.execute(said_more).scalars()) - {None}
        for article in articles if several else ():
            row = _row_of(conn, article)
            if row is None or row.id not in several:
                continue
            known = _versions(conn, row.id)
            names = [c.name for c in three_way(known, known[-1], article) if c.open]
            if names:
                found[article.slug] = tuple(names)
    return found


def changed_waiting(store: Store, ids: Sequence[int]) -> dict[str, tuple[str, ...]]:
    """The same for stories of the inbox, by their rows' ids; only documents of those that changed are read."""
    twice = select(versions.c.article_id).where(versions.c.article_id.in_(ids)).group_by(versions.c.article_id)
    found: dict[str, tuple[str, ...]] = {}
    with store.read() as conn:
        several = set(conn.execute(twice.having(func.count() > 1)).scalars())
        if _ITEMS is not None:
            said_more = select(_ITEMS.c.article_id).where(
                _ITEMS.c.article_id.in_(ids), _ITEMS.c.document_latest.is_not(None)
            )
            several |= set(conn.execute(said_more).scalars())
        query = select(rows.c.id, rows.c.slug, rows.c.document).where(rows.c.id.in_(several))
        for row in conn.execute(query).all() if several else ():
            known = _versions(conn, row.id)
            with contextlib.suppress(NewsletterError):  # a row that was changed by hand
                mine = article_from_document(Document.parse(row.document, f"{row.slug}.md"), row.slug)
                names = tuple(c.name for c in three_way(known, known[-1], mine) if c.open)
                if names:
                    found[row.slug] = names
    return found


def _row_of(conn: Connection, article: Article) -> Row[Any] | None:
    origin = article.origin
    same_slug = conn.execute(select(rows).where(rows.c.slug == article.slug)).first()
    if same_slug is not None and origin.imported == from_us(same_slug.added_at).strftime("%Y-%m-%dT%H:%M:%SZ"):
        return same_slug
    for column, key in ((rows.c.guid, guid_key(article)), (rows.c.url_key, url_key(origin.url))):
        if key is not None:
            row = conn.execute(select(rows).where(column == key).order_by(rows.c.id.desc())).first()
            if row is not None:
                return row
    return None


def _versions(conn: Connection, row_id: int) -> list[Article]:
    query = select(versions.c.seen_at, versions.c.document).where(versions.c.article_id == row_id)
    said = [(at, text) for at, text in conn.execute(query.order_by(versions.c.id))]
    if _ITEMS is not None:
        latest = select(_ITEMS.c.changed_at, _ITEMS.c.document_latest).where(_ITEMS.c.article_id == row_id)
        said += [(at or 0, text) for at, text in conn.execute(latest) if text is not None]
        said[1:] = sorted(said[1:], key=lambda one: one[0])  # the import stays the first, whatever the clock said
    known = []
    for _, text in said:
        with contextlib.suppress(NewsletterError):  # a row that was changed by hand
            known.append(article_from_document(Document.parse(text, "version"), "version"))
    return known
