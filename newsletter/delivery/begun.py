"""That a mailing to real readers has begun, noted beside the approval: a ledger from a backup does not know it.

The ledger holds what was sent and is the truth, as long as it is the newest one. Where it was restored from a backup,
an issue that went out since looks as if it had never gone. ``approved/sent.json`` outlives that, and travels with a
clone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from newsletter.delivery.mailings import Mailing
from newsletter.errors import BadData, GuardRefused
from newsletter.store.clock import from_us
from newsletter.store.tables import mailing as mailing_table
from newsletter.workspace.files import write_atomic
from newsletter.workspace.paths import Workspace

if TYPE_CHECKING:
    from newsletter.store.engine import Store

SCHEMA: Final = "newsletter/sent/1"
_FILE: Final = "sent.json"


@dataclass(frozen=True, slots=True)
class Begun:
    """What ``sent.json`` says: the mailing's public id, and when it began (ISO 8601, UTC)."""

    mailing: str
    at: str


def note(ws: Workspace, mailing: Mailing, now: int) -> None:
    """Note, durably and before its first mail, that a mailing has begun; raises CannotWrite, and then nothing left."""
    file = ws.issue_dir(mailing.issue) / "approved" / _FILE
    found = _read(ws, mailing.issue)
    if found is None or found.mailing != mailing.public_id:
        content = {"schema": SCHEMA, "mailing": mailing.public_id, "began": from_us(now).isoformat(timespec="seconds")}
        write_atomic(file, json.dumps(content) + "\n")


def unknown(store: Store, ws: Workspace, issue: str) -> str | None:
    """That the issue went out by another ledger than this one, in words; None when this one knows of it, or it did not.

    A ledger from between the approval and the sending has the mailing, and does not know that it began. A file that
    cannot be read is taken for the worst.
    """
    try:
        found = _read(ws, issue)
    except BadData as damaged:
        return damaged.what
    if found is None:
        return None
    with store.read() as conn:
        planned = select(mailing_table.c.planned_at).where(mailing_table.c.public_id == found.mailing)
        known = conn.execute(planned).first()
    if known is not None:
        # It is planned before it is noted.
        return (
            None
            if known.planned_at is not None
            else f"{issue} began to go out on {found.at}, which this database does not know"
        )
    return f"{issue} began to go out on {found.at}, by a mailing that this database does not know"


def guard(store: Store, ws: Workspace, issue: str) -> None:
    """Refuse what would send an issue a second time; raises GuardRefused."""
    said = unknown(store, ws, issue)
    if said is not None:
        raise GuardRefused(
            f"{said}: a backup was restored, or another installation sent it",
            where=str(ws.issue_dir(issue) / "approved" / _FILE),
            fix="look into the provider's log who got it; only if nobody did, delete that file,"
            f" then newsletter resume {issue}",
        )


def _read(ws: Workspace, issue: str) -> Begun | None:
    file = ws.issue_dir(issue) / "approved" / _FILE
    try:
        content = json.loads(file.read_bytes())
        return Begun(str(content["mailing"]), str(content["began"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadData(f"{issue} may have gone out: its {_FILE} cannot be read", where=str(file)) from error
