"""Exporting the audience as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from sqlalchemy import Connection, select

from newsletter.audience.attributes import from_json, guard_cell
from newsletter.audience.membership import suppressed_keys
from newsletter.errors import CannotWrite
from newsletter.store.clock import from_us
from newsletter.store.tables import subscriber

if TYPE_CHECKING:
    from newsletter.store.engine import Store
    from newsletter.workspace.keys import Keys

_CHUNK = 1_000
_FIXED = ("email", "status", "added_at")


def export_csv(store: Store, stream: TextIO, keys: Keys | None = None) -> int:
    """Write every reader that is not erased, and return how many: ``email, status, added_at`` and all attributes.

    With ``keys``, the status of a suppressed reader says ``suppressed``, so that no other tool mails them either.
    Cells that a spreadsheet would run as a formula are guarded; ``import_csv`` takes the guard back. Memory is flat:
    the audience is read twice, first for the names of its attributes. Raises ``CannotWrite``.
    """
    with store.read() as connection:
        names = sorted({name for _, _, _, _, text in _rows(connection, None) for name in from_json(text)})
        writer = csv.writer(stream, lineterminator="\n")
        count = 0
        try:
            writer.writerow([guard_cell(name) for name in (*_FIXED, *names)])
            for address, status, added_at, _, text in _rows(connection, keys):
                values = from_json(text)
                cells = (address, status, added_at, *(values.get(name, "") for name in names))
                writer.writerow([guard_cell(cell) for cell in cells])
                count += 1
            stream.flush()
        except BrokenPipeError:
            # The reader of a pipe went away (`| head`): nothing is wrong with the disk.
            raise
        except OSError as error:
            raise CannotWrite(
                f"cannot write the export: {error.strerror}",
                where=str(getattr(stream, "name", "export")),
                fix="make room, or write elsewhere",
            ) from error
    return count


def _rows(connection: Connection, keys: Keys | None) -> Iterator[tuple[str, str, str, str, str]]:
    columns = (
        subscriber.c.id,
        subscriber.c.address,
        subscriber.c.status,
        subscriber.c.created_at,
        subscriber.c.address_key,
        subscriber.c.attributes,
    )
    last = -1
    while True:
        rows = connection.execute(
            select(*columns).where(subscriber.c.id > last).order_by(subscriber.c.id).limit(_CHUNK)
        ).all()
        if not rows:
            return
        suppressed = {} if keys is None else suppressed_keys(connection, [row[4] for row in rows], keys)
        for _, address, status, created_at, key, text in rows:
            if status != "erased":
                shown = "suppressed" if status == "subscribed" and key in suppressed else status
                yield address, shown, from_us(created_at).isoformat(timespec="seconds"), key, text
        last = rows[-1][0]
