"""Who approved an issue: ``[schedule] approvals_required`` different people, over the same frozen bytes.

The first of them freezes the email. Those who follow add their names to ``approval.json``, outside the digest, each
with the digest that they saw: a name beside another digest counts for nothing.
"""

from __future__ import annotations

import json
import unicodedata
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from newsletter.delivery.approval import Approval, edits_since, load_approval, verify
from newsletter.errors import BadData, GuardRefused, IllegalState
from newsletter.workspace.files import file_lock, write_atomic
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config

_FILE = "approval.json"
_KEY = "also_approved"
_LOCK_SECONDS = 5.0


class _Signature(msgspec.Struct, frozen=True):
    approver: str
    approved_at: str
    digest: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Approver:
    """One person's word for an issue. ``approved_at`` is ISO 8601 UTC."""

    name: str
    approved_at: str
    note: str | None = None


def approvers(approval: Approval) -> tuple[Approver, ...]:
    """Everybody who approved these bytes, the first one first. Raises ``BadData`` for a damaged list."""
    found = [Approver(approval.approver, approval.approved_at, approval.note)]
    try:
        others = msgspec.convert(approval.content.get(_KEY, []), list[_Signature])
    except msgspec.ValidationError as error:
        raise BadData(
            f"the list of who else approved it is damaged: {error}",
            where=str(approval.folder / _FILE),
            fix=f"newsletter unapprove {approval.issue}, then approve it again",
        ) from error
    names = {_same(approval.approver)}
    for other in others:
        if other.digest == approval.digest and _same(other.approver) not in names:
            names.add(_same(other.approver))
            found.append(Approver(other.approver, other.approved_at, other.note))
    return tuple(found)


def missing(approval: Approval, config: Config) -> int:
    """How many more people must approve it before it may go out."""
    return max(0, config.schedule.approvals_required - len(approvers(approval)))


def said(approval: Approval, config: Config) -> str:
    """``1 of 2 (Ada)``: how many of those who must approve it have."""
    names = [approver.name for approver in approvers(approval)]
    return f"{len(names)} of {config.schedule.approvals_required} ({', '.join(names)})"


def require_all(approval: Approval, config: Config) -> None:
    """Refuse to send what not enough people have approved."""
    if missing(approval, config):
        raise GuardRefused(
            f"{approval.issue} is approved by {said(approval, config)}",
            where="newsletter.toml: schedule.approvals_required",
            fix=f"somebody else approves it too: newsletter approve {approval.issue} --by NAME",
        )


def add(
    ws: Workspace, slug: str, *, approver: str, note: str | None, now: datetime, send_at: str | None = None
) -> tuple[Approval, bytes]:
    """Add a name to a frozen approval; the approval as it is then, and ``approval.json`` as it was.

    ``send_at``: another local time than the first one said, None keeps it. Raises ``IllegalState`` for a name that is
    there, ``GuardRefused`` when the frozen bytes were changed, ``IllegalState`` when the issue was edited since: what
    somebody sees there is not what they would approve.
    """
    with changing(ws, slug):
        approval = load_approval(ws, slug)
        verify(approval)
        if any(_same(approver) == _same(there.name) for there in approvers(approval)):
            raise IllegalState(
                f"{slug} is approved by {approver} already; it takes somebody else",
                fix=f"newsletter approve {slug} --by NAME",
            )
        if edited := edits_since(approval):
            raise IllegalState(
                f"{', '.join(edited)} was edited after {approval.approver} approved {slug}: the edit is not frozen",
                fix=f"newsletter unapprove {slug}, then approve it anew",
            )
        before = (approval.folder / _FILE).read_bytes()
        record = json.loads(before)
        stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        signature = {"approver": approver, "approved_at": stamp, "digest": approval.digest, "note": note}
        record[_KEY] = [*record.get(_KEY, []), signature]
        if send_at is not None:
            record["send_at"] = send_at
        write_atomic(approval.folder / _FILE, (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode())
        return load_approval(ws, slug), before


def changing(ws: Workspace, slug: str) -> AbstractContextManager[None]:
    """The lock of whoever adds a name to an approval or takes the approval away. Raises ``Busy``."""
    return file_lock(ws.locks / f"approve-{slug}.lock", timeout=_LOCK_SECONDS)


def take_back(approval: Approval, before: bytes) -> None:
    """Put ``approval.json`` back as it was before ``add``."""
    write_atomic(approval.folder / _FILE, before)


def _same(name: str) -> str:
    """One person however they write their name: case, spaces and the forms of Unicode do not make two of them."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
