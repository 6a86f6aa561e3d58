"""Which readers an editor means: words of their address or name, how they stand, which issue they got."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import ColumnElement, exists, literal, or_, select

from newsletter.store.matching import contains
from newsletter.store.tables import delivery, mailing, subscriber

GOT = ("submitted", "submitting", "uncertain")
"""The states of deliveries that a reader has, or may have."""


def conditions(search: str | None, status: str | None, got: str | None) -> Iterator[ColumnElement[bool]]:
    """What a row of ``subscriber`` must fulfil.

    Each word of ``search`` stands in the address, or begins a word of one of the reader's attributes; upper and lower
    case are one. ``status`` is the column's; ``got`` the slug of an issue.
    """
    for word in (search or "").split():
        yield or_(contains(subscriber.c.address_key, word.casefold()), *_in_attributes(word))
    if status:
        yield subscriber.c.status == status
    if got is not None:
        yield exists(
            select(literal(1))
            .select_from(delivery)
            .join(mailing, mailing.c.id == delivery.c.mailing_id)
            .where(delivery.c.subscriber_id == subscriber.c.id, delivery.c.state.in_(GOT), mailing.c.issue == got)
        )


def _in_attributes(word: str) -> Iterator[ColumnElement[bool]]:
    """Attributes are one JSON text: a value begins after ``:"``, its next word after a blank.

    SQLite folds the case of ASCII alone, so a word with other letters is looked for as names are written, too.
    """
    spellings = [word] if word.isascii() else dict.fromkeys((word, word.capitalize(), word.lower(), word.upper()))
    for spelling in spellings:
        inside = json.dumps(spelling, ensure_ascii=False)[1:-1]
        for before in (':"', " "):
            yield contains(subscriber.c.attributes, before + inside)
