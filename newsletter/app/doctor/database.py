"""The database: whole, of this version, and that of the installation that may send."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.app.doctor.facts import DATABASE_SECONDS, Facts
from newsletter.app.doctor.probe import Look, Told
from newsletter.app.words import plural
from newsletter.delivery import installation
from newsletter.errors import GuardRefused
from newsletter.store.engine import HEAD, Store

_SECTION = "Database"


def _database(facts: Facts) -> Iterator[Told]:
    database = facts.workspace.database
    health = facts.health
    if facts.health_error is not None:
        yield Told("error", facts.health_error.what, facts.health_error.fix)
        return
    if health is None:
        yield Told("ok", "there is no database yet; the first command that needs one makes it")
        return
    if health.damage:
        yield Told(
            "error",
            f"the database is damaged: {health.damage[0]}",
            f"stop cron, keep a copy of {database}, and put back the latest backup",
        )
    elif not health.checked:
        yield Told("unknown", f"the check of the database did not end within {DATABASE_SECONDS:g} s", "run it at night")
    elif health.revision is None:
        yield Told("error", "this is not a database of newsletter", f"move {database} away; a new one is made")
    elif health.current:
        yield Told("ok", f"whole, {health.subscribers:,} readers, {health.size / 1024**2:.1f} MB")


def _migrations(facts: Facts) -> Iterator[Told]:
    health = facts.health
    if health is None or health.revision is None:
        return
    if health.current:
        yield Told("ok", "its tables are those of this version")
    elif health.revision < HEAD:
        yield Told(
            "warning", "its tables are of an older version", "the next command upgrades it, and keeps a copy first"
        )
    else:
        yield Told("error", "it was written by a newer version of newsletter", "install that version again")
    if health.journal != "wal":
        yield Told(
            "warning",
            f"its journal is {health.journal}, not WAL: readers and writers wait for each other",
            "the next command that opens it sets it right; on a network drive move the workspace to a local disk",
        )


def _inbox(facts: Facts) -> Iterator[Told]:
    """Whether a search of the inbox finds what is in it."""
    health = facts.health
    if health is None or not health.current:
        return
    if health.unindexed > 0:
        missing = plural(health.unindexed, "story", "stories")
        yield Told(
            "warning", f"{missing} of the inbox cannot be found yet", "the next newsletter article list mends it"
        )
    elif health.unindexed < 0:
        yield Told("warning", "the search finds stories that are not in the inbox", "newsletter article reindex")
    else:
        yield Told("ok", f"{plural(health.stories, 'story', 'stories')} in the inbox, each of them in the search")


def _installation(facts: Facts) -> Iterator[Told]:
    """Whether this copy of the workspace is the one that may send."""
    if not facts.real:
        yield Told("ok", "the outbox reaches nobody, so any copy of the workspace may write into it")
        return
    if facts.config.sender_installation is None:
        yield Told("ok", "no installation is named yet; the first approval names this one")
        return
    if facts.health is None or not facts.health.current or facts.health.journal != "wal":
        yield Told("unknown", "which installation this is cannot be told without a database of this version")
        return
    try:
        with Store(facts.workspace.database) as store:
            here = installation.guard(facts.workspace, facts.config, store)
    except GuardRefused as refused:
        yield Told("error", refused.what, refused.fix)
    else:
        yield Told("ok", f"this is the installation that may send ({here.id[:8]})")


LOOKS = (
    Look("database", _SECTION, _database),
    Look("migrations", _SECTION, _migrations),
    Look("inbox", _SECTION, _inbox),
    Look("installation", _SECTION, _installation),
)
