"""What was taken off the web copies: stories of issues, and the pictures that only they showed.

One row in ``meta`` for each story and each picture, written in one transaction with the audit log. The frozen files are
never touched: they stay the proof of what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select
from sqlalchemy import text as sql

from newsletter.delivery import mailings
from newsletter.store.tables import meta

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store

_STORY: Final = "retracted:"
_PICTURE: Final = "withdrawn:"
_WRITE = sql(
    "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_WITHDRAWN = sql("SELECT 1 FROM meta WHERE key = :key")


@dataclass(frozen=True, slots=True)
class Retraction:
    """A story that was taken off the web copy of an issue: when (UTC microseconds), by whom and why."""

    issue: str
    article: str
    at: int
    actor: str
    reason: str | None = None


def retract(store: Store, found: Retraction, pictures: Collection[str]) -> None:
    """Note a retraction and the ``pictures`` (names of hosted files) that nobody may ask for any more.

    Twice is fine: the later reason counts.
    """
    with store.write() as conn:
        conn.execute(_WRITE, {"key": _name(found.issue, found.article), "value": json.dumps(asdict(found))})
        for name in pictures:
            conn.execute(_WRITE, {"key": _PICTURE + name, "value": found.issue})
        detail = {"article": found.article, "reason": found.reason, "pictures": sorted(pictures)}
        mailings.write_audit(conn, found.actor, "retract", found.issue, detail, found.at)


def restore(store: Store, issue: str, article: str, pictures: Collection[str], *, actor: str, now: int) -> bool:
    """Take a retraction back, and let its ``pictures`` be asked for again; False when there was none."""
    with store.write() as conn:
        gone = conn.execute(delete(meta).where(meta.c.key == _name(issue, article)))
        if not gone.rowcount:
            return False
        _show(conn, pictures)
        detail = {"article": article, "pictures": sorted(pictures)}
        mailings.write_audit(conn, actor, "restore", issue, detail, now)
    return True


def show_again(store: Store, pictures: Collection[str]) -> None:
    """Let pictures be asked for again: an editor approved an issue that shows them."""
    if withdrawn_among(store, pictures):
        with store.write() as conn:
            _show(conn, pictures)


def retractions_of(store: Store, issue: str) -> dict[str, Retraction]:
    """The stories that were taken off an issue's web copy, by their slug."""
    prefix = _name(issue, "")
    with store.read() as conn:
        values = conn.execute(select(meta.c.value).where(meta.c.key.startswith(prefix, autoescape=True))).scalars()
        found = [Retraction(**json.loads(value)) for value in values]
    return {retraction.article: retraction for retraction in sorted(found, key=lambda retraction: retraction.at)}


def withdrawn(store: Store, picture: str) -> bool:
    """Whether a hosted picture was taken away; one look-up by key."""
    with store.read() as conn:
        return conn.execute(_WITHDRAWN, {"key": _PICTURE + picture}).first() is not None


def withdrawn_among(store: Store, pictures: Collection[str]) -> frozenset[str]:
    """Those of some hosted pictures that were taken away."""
    with store.read() as conn:
        keys = conn.execute(select(meta.c.key).where(meta.c.key.startswith(_PICTURE, autoescape=True))).scalars()
        return frozenset(key.removeprefix(_PICTURE) for key in keys) & frozenset(pictures)


def _show(conn: Connection, pictures: Collection[str]) -> None:
    conn.execute(delete(meta).where(meta.c.key.in_([_PICTURE + name for name in pictures])))


def _name(issue: str, article: str) -> str:
    return f"{_STORY}{issue}:{article}"
