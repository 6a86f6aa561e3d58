"""The full-text index of the inbox: everything about it that only SQLite knows (FTS5) is in this file.

The words come folded and split (``articles/words.py``), so the tokenizer has nothing left to decide: letters, digits
and combining marks make words, everything else parts them. A story has its row in the index exactly as long as that
row speaks of its document: whoever changes a document takes the row out (a trigger does), and whoever knows the
words puts it in again in the same transaction. So a story without a row is all that can be wrong, and it is counted.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    DDL,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    bindparam,
    column,
    event,
    func,
    select,
    table,
    text,
)

from newsletter.store.tables import article

SEARCH = "article_search"
"""The name of the index; SQLite keeps tables of its own under names that begin so."""

CREATE = (
    f"CREATE VIRTUAL TABLE {SEARCH} USING fts5(headline, standfirst, byline, body, "
    "tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'\", prefix='2 3')",
    f"CREATE TRIGGER {SEARCH}_changed AFTER UPDATE OF document ON article "  # noqa: S608 - a constant
    f"BEGIN DELETE FROM {SEARCH} WHERE rowid = old.id; END",
    f"CREATE TRIGGER {SEARCH}_deleted AFTER DELETE ON article BEGIN DELETE FROM {SEARCH} WHERE rowid = old.id; END",  # noqa: S608 - a constant
)
"""Its statements; prefixes of two and three letters have lists of their own, longer ones are few words each."""

for _statement in CREATE:
    event.listen(article, "after_create", DDL(_statement).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]  # not typed there

_index = table(SEARCH, column("rowid", Integer))
_sizes = table(f"{SEARCH}_docsize", column("id", Integer))


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one story, folded, with blanks between."""

    headline: str
    standfirst: str
    byline: str
    body: str


@dataclass(frozen=True, slots=True)
class Term:
    """What a story must contain: these words in this order; the last one may be the beginning of a longer word."""

    words: tuple[str, ...]
    prefix: bool = False


def put(conn: Connection, article_id: int, words: Words) -> None:
    """Put a story into the index; it must not be in it."""
    conn.execute(
        text(f"INSERT INTO {SEARCH} (rowid, headline, standfirst, byline, body) VALUES (:id, :h, :s, :by, :b)"),  # noqa: S608 - a constant
        {"id": article_id, "h": words.headline, "s": words.standfirst, "by": words.byline, "b": words.body},
    )


def containing(query: Select[Any], terms: Sequence[Term]) -> Select[Any]:
    """A query of ``article`` that gives only stories with all these terms, the newest first.

    In this order the index gives stories one by one, and a limit ends the search.
    """
    if not terms:
        return query.order_by(article.c.id.desc())
    wanted = " AND ".join(_quoted(term) for term in terms)
    return (
        query.join(_index, _index.c.rowid == article.c.id)
        .where(text(f"{SEARCH} MATCH :wanted").bindparams(wanted=wanted))
        .order_by(_index.c.rowid.desc())
    )


def _quoted(term: Term) -> str:
    """In quotes nothing is an operator; ``Words`` hold no quotes, but nobody else's promise is needed."""
    phrase = " ".join(term.words).replace('"', " ")
    return f'"{phrase}"' + ("*" if term.prefix else "")


def among(item: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """Whether a column is one of many values, of which a statement could not have so many parameters."""
    each = func.json_each(bindparam(None, json.dumps(sorted(values)), Text, unique=True)).table_valued("value")
    return item.in_(select(each.c.value))


def missing(conn: Connection) -> int:
    """How many stories are not in the index; negative when it knows stories that are not there."""
    stories = conn.execute(select(func.count()).select_from(article)).scalar_one()
    return int(stories) - int(conn.execute(select(func.count()).select_from(_sizes)).scalar_one())


def first_missing(conn: Connection, count: int) -> list[tuple[int, str]]:
    """(id, document) of some stories that are not in the index, the newest first."""
    known = select(_sizes.c.id).where(_sizes.c.id == article.c.id).exists()
    query = select(article.c.id, article.c.document).where(~known).order_by(article.c.id.desc()).limit(count)
    return [(int(row.id), str(row.document)) for row in conn.execute(query)]


def has(conn: Connection, article_id: int) -> bool:
    """Whether a story is in the index."""
    return conn.execute(select(_sizes.c.id).where(_sizes.c.id == article_id)).first() is not None


def clear(conn: Connection) -> None:
    """Make the index anew, with nothing in it; each story is missing then."""
    conn.execute(text(f"DROP TABLE IF EXISTS {SEARCH}"))
    conn.execute(text(CREATE[0]))
