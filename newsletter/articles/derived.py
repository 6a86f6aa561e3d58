"""What the inbox's rows say besides the stories' documents, so that no document is read to search, filter or sort."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, select, update

from newsletter.articles.keys import content_key, guid_key, host_of
from newsletter.articles.schema import article_from_document
from newsletter.articles.searching import words_of
from newsletter.articles.teaser import reading_minutes, teaser_of
from newsletter.errors import NewsletterError
from newsletter.models import Article
from newsletter.store import search
from newsletter.store.clock import to_us
from newsletter.store.engine import Store
from newsletter.store.tables import article as rows
from newsletter.store.tables import article_version as versions
from newsletter.workspace.frontmatter import Document

BATCH = 100
"""So many stories are brought up to date in one transaction: a mailing under way waits for no more."""

MOST_PRIORITY = 1_000_000


def columns_of(article: Article, priority: object) -> dict[str, Any]:
    """The derived columns of a row; ``priority`` is a key of the newsroom's own: a whole number, 1 is the highest."""
    return {
        "guid": guid_key(article),
        "section": article.section,
        "lang": article.lang.casefold() if article.lang else None,
        "published": _moment(article.published),
        "priority": _number(priority),
        "tags": "\n".join(tag.casefold() for tag in article.tags),
        "teaser": teaser_of(article),
        "minutes": reading_minutes(article.body),
    }


def _moment(published: str | None) -> int | None:
    """UTC microseconds; a day is its beginning, a time without a zone is UTC."""
    try:
        moment = datetime.fromisoformat((published or "").strip())
        return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _number(value: object) -> int | None:
    if not isinstance(value, str) or not value.strip().isdecimal() or len(value) > 7:
        return None
    return min(int(value), MOST_PRIORITY)


def index(conn: Connection, article_id: int, article: Article) -> None:
    """Put the words of a story into the full-text index, which has none of it."""
    search.put(conn, article_id, words_of(article))


def bring_up_to_date(store: Store) -> int:
    """Derive what is missing: after an upgrade, or after a row was changed by hand; returns how many stories.

    When nothing is missing this costs two counts.
    """
    with store.read() as conn:
        wrong = search.missing(conn)
    if wrong == 0:
        return 0
    if wrong < 0:
        return rebuild(store)
    return _derive_missing(store)


def rebuild(store: Store) -> int:
    """Make the whole index anew; returns how many stories it has. What is searched meanwhile may find less."""
    with store.write() as conn:
        search.clear(conn)
    return _derive_missing(store)


def _derive_missing(store: Store) -> int:
    done = 0
    while True:
        with store.read() as conn:
            batch = search.first_missing(conn, BATCH)
        if not batch:
            return done
        derived = [(row_id, text, *_read(text)) for row_id, text in batch]
        with store.write() as conn:
            for row_id, text, document, article in derived:
                still = conn.execute(select(rows.c.document).where(rows.c.id == row_id)).scalar()
                if still == text and not search.has(conn, row_id):
                    _put(conn, row_id, text, document, article)
        done += len(derived)


def _read(text: str) -> tuple[Document | None, Article | None]:
    """A document that cannot be read (somebody wrote into the database) is in the index without a word."""
    try:
        document = Document.parse(text, "article")
        return document, article_from_document(document, "article")
    except NewsletterError:
        return None, None


def _put(conn: Connection, row_id: int, text: str, document: Document | None, article: Article | None) -> None:
    if document is None or article is None:
        index(conn, row_id, Article("article", ""))
        return
    conn.execute(update(rows).where(rows.c.id == row_id).values(**columns_of(article, document.get("priority"))))
    index(conn, row_id, article)
    _remember_import(conn, row_id, text, article)


def _remember_import(conn: Connection, row_id: int, text: str, article: Article) -> None:
    """What a story was when it came in, where nobody has written it down and nobody has changed it since."""
    row = conn.execute(select(rows).where(rows.c.id == row_id)).one()
    if row.source is None:
        host = host_of(article.origin.url or article.link)
        conn.execute(update(rows).where(rows.c.id == row_id).values(source=host))
    edited = any(known.source == "editor" for known in article.provenance.values())
    there = conn.execute(select(exists().where(versions.c.article_id == row_id))).scalar()
    if not edited and not there and content_key(article) == row.content_key:
        conn.execute(
            insert(versions).values(article_id=row_id, document=text, content_key=row.content_key, seen_at=row.added_at)
        )
