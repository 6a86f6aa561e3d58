"""Which copy of a workspace may send. Two copies have two ledgers, and each would send to everybody.

``.newsletter/installation.json`` says which installation this is, on which machine and in which folder, and how
often it began to send (the ledger's epoch). It lies outside the database on purpose: a database restored from
a backup has a lower epoch than this file remembers, and a copied folder lies on another path or machine. One
that was taken while a mailing was going out is known by that mailing's mark (``marks``), and a folder that was put
back as a whole by what is noted outside of it (``witness``).
"""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import text as sql

from newsletter.delivery import marks, witness
from newsletter.delivery.mailings import write_audit
from newsletter.errors import BadData, GuardRefused
from newsletter.store.ids import new_public_id
from newsletter.workspace.config import set_config_value
from newsletter.workspace.files import write_atomic
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store

_KEY = "ledger_epoch"
_CONFIG_KEY = "sender_installation"
_ADOPT = "when no other copy sends any more: newsletter adopt, then newsletter resume SLUG"

_READ = sql("SELECT value FROM meta WHERE key = :key")
_WRITE = sql(
    "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_STOP_UNFINISHED = sql("UPDATE mailing SET state = 'paused', reason = :reason WHERE state = 'sending'")
_HOLD_WAITING = sql("UPDATE mailing SET state = 'held', reason = :reason WHERE state IN ('scheduled', 'planning')")


@dataclass(frozen=True, slots=True)
class Installation:
    """What ``installation.json`` says. ``machine`` is a hash: the file names no host."""

    id: str
    machine: str
    path: str
    ledger_epoch: int


@dataclass(frozen=True, slots=True)
class Adopted:
    """The installation that may send now, and how many mailings wait for an editor because the ledger went back."""

    installation: Installation
    stopped: int


def read_installation(ws: Workspace) -> Installation | None:
    """The file, or None when this copy never was one; raises ``BadData`` for a damaged one."""
    try:
        raw = ws.installation_file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadData(f"cannot read it: {error.strerror}", where=str(ws.installation_file)) from error
    try:
        return msgspec.json.decode(raw, type=Installation)
    except msgspec.DecodeError as error:
        raise BadData(f"this is no installation: {error}", where=str(ws.installation_file), fix=_ADOPT) from error


def guard(ws: Workspace, config: Config, store: Store) -> Installation:
    """The installation, if this copy is the one that may send; raises ``GuardRefused`` with what differs."""
    here = read_installation(ws)
    named = config.sender_installation
    if named is None:
        raise GuardRefused("no installation is named to send for this publication", where="newsletter.toml", fix=_ADOPT)
    if here is None or here.id != named:
        raise GuardRefused(
            "another installation of this workspace is the one that sends",
            where=f"newsletter.toml: {_CONFIG_KEY}",
            fix=_ADOPT,
        )
    if here.machine != machine():
        raise GuardRefused("this workspace was copied from another machine", where=str(ws.root), fix=_ADOPT)
    if here.path != _path(ws):
        raise GuardRefused(f"this workspace was copied or moved here from {here.path}", where=str(ws.root), fix=_ADOPT)
    remembered = _remembered(ws, here)
    with store.read() as conn:
        older = remembered.newer_than(conn)
    if older:
        raise GuardRefused(
            "the database is older than this installation remembers: a backup was restored,"
            " and it may not know who got mail since",
            where=str(ws.database),
            fix=_ADOPT,
        )
    return here


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What the files say of how far the ledger has come.

    They are read before the database is looked at, and they say nothing that was not committed before: while another
    mailing goes out, its marks move on, and a look at the database from before them would seem to be of a backup.
    """

    epoch: int
    retired: bool
    marks: Mapping[str, int]

    def newer_than(self, conn: Connection) -> bool:
        """Whether the database of ``conn``, whose first look at it this is, went back in time."""
        return self.retired or _epoch(conn) < self.epoch or marks.behind(conn, self.marks)


def _remembered(ws: Workspace, here: Installation | None) -> _Remembered:
    """Of a damaged installation only the marks can tell."""
    if here is None:
        return _Remembered(0, False, marks.written(ws, ""))
    epoch = max(here.ledger_epoch, witness.epoch(here.id))
    return _Remembered(epoch, witness.is_retired(here.id), marks.written(ws, here.id))


def advance(ws: Workspace, store: Store, here: Installation) -> Installation:
    """Count a sending attempt: first in the database, then in the file. A crash between the two is harmless.

    Where an editor adopted the folder meanwhile, the file is another installation's and stays as it is.
    """
    with store.write() as conn:
        epoch = max(_epoch(conn), here.ledger_epoch) + 1
        conn.execute(_WRITE, {"key": _KEY, "value": str(epoch)})
    after = Installation(here.id, here.machine, here.path, epoch)
    known = read_installation(ws)
    if known is None or known.id == here.id:
        _save(ws, after)
    return after


def claim_if_first(ws: Workspace, config: Config, store: Store, *, actor: str, now: int) -> Installation | None:
    """Make this installation the sender if the publication never had one; None when it has.

    The first approval with a provider that reaches readers calls this.
    """
    if config.sender_installation is not None:
        return None
    return adopt(ws, store, actor=actor, now=now).installation


def adopt(ws: Workspace, store: Store, *, actor: str, now: int) -> Adopted:
    """Make this copy the one that sends, under a new id, so that the copy that sent before is refused.

    If the database went back in time, nothing goes on by itself: what was sending is paused and what waits is
    held, for an editor who knows what went out since the backup.
    """
    try:
        before = read_installation(ws)
    except BadData:
        before = None
    remembered = _remembered(ws, before)
    with store.write() as conn:
        epoch = _epoch(conn)
        stopped = 0
        if remembered.newer_than(conn):
            reason = "installation: the ledger was restored from a backup; look what went out since, then resume"
            stopped += conn.execute(_STOP_UNFINISHED, {"reason": reason}).rowcount
            stopped += conn.execute(_HOLD_WAITING, {"reason": reason}).rowcount
        epoch = max(epoch, remembered.epoch) + 1
        conn.execute(_WRITE, {"key": _KEY, "value": str(epoch)})
        after = Installation(new_public_id(), machine(), _path(ws), epoch)
        write_audit(conn, actor, "adopt", None, {"installation": after.id, "stopped": stopped}, now)
    _save(ws, after)
    marks.forget_all(ws, after.id)
    if before is not None and before.path == after.path:
        witness.retire(before.id)
    set_config_value(ws, _CONFIG_KEY, after.id)
    return Adopted(after, stopped)


def machine() -> str:
    """This machine as a hash: systemd's ``/etc/machine-id``, else the host's name."""
    try:
        name = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        name = ""
    return hashlib.sha256(f"newsletter:{name or socket.gethostname()}".encode()).hexdigest()[:32]


def _path(ws: Workspace) -> str:
    return str(ws.root.resolve())


def _epoch(conn: Connection) -> int:
    value = conn.execute(_READ, {"key": _KEY}).scalar_one_or_none()
    return int(value) if value is not None else 0


def _save(ws: Workspace, installation: Installation) -> None:
    ws.ensure_state()
    content = {
        "id": installation.id,
        "machine": installation.machine,
        "path": installation.path,
        "ledger_epoch": installation.ledger_epoch,
    }
    write_atomic(ws.installation_file, json.dumps(content, indent=2) + "\n", mode=0o600)
    witness.note(installation.id, installation.ledger_epoch)
