"""Who did what to an issue when, and the proof that what was submitted is what was approved.

Nothing here is believed because it was written down once: the frozen files are hashed again, the digest is computed
again from what they are now, and that digest is compared with every place that noted one.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from newsletter.delivery import ledger, mailings, testsend
from newsletter.delivery.approval import Approval, digest_now, load_approval, problems
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.status import sum_sentence
from newsletter.errors import BadData, IllegalState, NotFound
from newsletter.store.clock import to_us
from newsletter.store.tables import attempt, delivery, test_send
from newsletter.store.tables import audit as audit_table
from newsletter.store.tables import mailing as mailing_table
from newsletter.workspace.paths import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store

_TESTS = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: when (UTC microseconds), who did it, and the facts that were noted."""

    at: int
    actor: str
    action: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Noted:
    """A row of the audit log: its id, the issue that it is about (None: no one in particular), and what happened."""

    id: int
    where: str | None
    event: Event


@dataclass(frozen=True, slots=True)
class Proof:
    """One comparison. ``holds`` is None for what is told but decides nothing, such as a test of an earlier text."""

    holds: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class History:
    """Everything about an issue, in the order of time. ``digest`` is that of the frozen files as they are now."""

    issue: str
    state: str
    digest: str | None
    events: tuple[Event, ...]
    proofs: tuple[Proof, ...]
    submitted: int

    @property
    def proved(self) -> bool:
        """Whether no comparison failed."""
        return all(proof.holds is not False for proof in self.proofs)


def history(store: Store, ws: Workspace, issue: str) -> History:
    """Replay an issue; raises ``NotFound`` when there is neither a folder nor a trace of it."""
    mailing = mailings.latest(store, issue)
    with store.read() as conn:
        rows = _noted(conn, issue)
        events = [*rows, *_attempts(conn, issue), *_deliveries(conn, mailing)]
        counts = ledger.counts(conn, mailing.id) if mailing else {}
    tests = testsend.last_tests(store, issue, _TESTS)
    if not events and not ws.issue_dir(issue).is_dir():
        raise NotFound(f"there is no issue {issue}", fix="newsletter issue list")
    approval, damage = _approval(ws, issue)
    if approval is not None and not any(event.action == "approve" for event in rows):
        events.append(_approved(approval))
    live = mailing if mailing is not None and mailing.state != "cancelled" else None
    # A mailing that was taken back before a mail left says nothing about what is approved now.
    # One that was stopped half-way does, until something else is approved in its place.
    begun = bool(counts.get("submitted") or counts.get("uncertain"))
    concerned = live or (mailing if mailing and begun and not _replaced(rows, mailing) else None)
    digest = digest_now(approval) if approval else None
    proofs = [
        *_frozen(approval, digest, damage, needed=concerned is not None),
        *_matching(rows, concerned, digest),
        *_tested(tests, digest),
        *_sum(concerned, counts),
    ]
    state = live.state if live else ("approved" if approval else mailing.state if mailing else "draft")
    events.sort(key=lambda event: event.at)
    return History(issue, state, digest, tuple(events), tuple(proofs), counts.get("submitted", 0))


def noted(store: Store, *, limit: int, before: int | None = None) -> list[Noted]:
    """The last ``limit`` rows of the audit log, of all issues and of none, the oldest first."""
    table = audit_table
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    with store.read() as conn:
        rows = conn.execute(query).mappings().all()
    return [
        Noted(row["id"], row["issue"], Event(row["at"], row["actor"], row["action"], json.loads(row["detail"])))
        for row in reversed(rows)
    ]


def note_submitting(store: Store, mailing: Mailing, digest: str, now: int) -> None:
    """Note the digest of the bytes that a sender has in its hands, once for each mailing and digest."""
    with store.read() as conn:
        noted = any(
            event.action == "submit" and event.detail == {"mailing": mailing.public_id, "digest": digest}
            for event in _noted(conn, mailing.issue)
        )
    if not noted:
        with store.write() as conn:
            detail = {"mailing": mailing.public_id, "digest": digest}
            mailings.write_audit(conn, "sender", "submit", mailing.issue, detail, now)


def _replaced(rows: list[Event], mailing: Mailing) -> bool:
    return any(event.action == "approve" and event.at > (mailing.finished_at or 0) for event in rows)


def _noted(conn: Connection, issue: str) -> list[Event]:
    """The audit log's rows of an issue, but for those of tests: their own table says more."""
    table, tests = audit_table, test_send
    rows = conn.execute(select(table).where(table.c.issue == issue).order_by(table.c.id)).mappings()
    found = [Event(row["at"], row["actor"], row["action"], json.loads(row["detail"])) for row in rows]
    tested = conn.execute(select(tests.c.number, tests.c.digest).where(tests.c.issue == issue))
    digests = {row.number: row.digest for row in tested}
    return [
        Event(event.at, event.actor, event.action, {**event.detail, "digest": digests.get(event.detail.get("number"))})
        if event.action == "test"
        else event
        for event in found
    ]


def _attempts(conn: Connection, issue: str) -> Iterator[Event]:
    """Processes that worked on the issue's mailings; one without an end was killed, or works still."""
    ids = select(mailing_table.c.id).where(mailing_table.c.issue == issue)
    for row in conn.execute(select(attempt).where(attempt.c.mailing_id.in_(ids))).mappings():
        yield Event(row["started_at"], "sender", "attempt", {"pid": row["pid"], "ended": row["ended_at"] is not None})


def _deliveries(conn: Connection, mailing: Mailing | None) -> Iterator[Event]:
    """The first and the last mail that the provider took."""
    if mailing is None:
        return
    at = delivery.c.updated_at
    query = select(func.min(at), func.max(at)).where(
        delivery.c.mailing_id == mailing.id, delivery.c.state == "submitted"
    )
    first, last = conn.execute(query).one()
    if first is not None:
        yield Event(first, mailing.provider, "first-submitted", {})
        yield Event(last, mailing.provider, "last-submitted", {})


def _approval(ws: Workspace, issue: str) -> tuple[Approval | None, str | None]:
    try:
        return load_approval(ws, issue), None
    except IllegalState:
        return None, None
    except BadData as damaged:
        return None, damaged.what


def _approved(approval: Approval) -> Event:
    """An approval that is older than the audit log's rows about approvals."""
    at = 0
    with contextlib.suppress(ValueError):
        at = to_us(datetime.fromisoformat(approval.approved_at))
    return Event(at, approval.approver, "approve", {"digest": approval.digest, "note": approval.note})


def _frozen(approval: Approval | None, digest: str | None, damage: str | None, *, needed: bool) -> Iterator[Proof]:
    if approval is None:
        if damage is not None or needed:
            yield Proof(False, damage or "the approved files are gone: nothing can be compared with them")
        return
    wrong = problems(approval)
    for problem in wrong:
        yield Proof(False, problem)
    if digest != approval.digest:
        yield Proof(False, f"the frozen files have the digest {digest}, approval.json says {approval.digest}")
    elif not wrong:
        yield Proof(True, f"the {len(approval.files)} frozen files are those of approval.json")


def _matching(rows: list[Event], mailing: Mailing | None, digest: str | None) -> Iterator[Proof]:
    """The digest that each place noted, against the one that the files have now."""
    approved = [event for event in rows if event.action == "approve"]
    if approved and digest is not None:
        yield _same("the audit log: approved by " + approved[-1].actor, approved[-1].detail.get("digest"), digest)
    if mailing is not None:
        yield _same("the mailing", mailing.digest, digest)
    for event in (event for event in rows if event.action == "submit"):
        noted = event.detail.get("digest")
        if mailing is not None and event.detail.get("mailing") == mailing.public_id:
            yield _same("the bytes that the sender submitted", noted, digest)
            continue
        who = [e.actor for e in approved if e.detail.get("digest") == noted and e.at <= event.at]
        yield Proof(bool(who), f"an earlier mailing submitted {noted}, approved by {who[-1] if who else 'nobody'}")


def _same(what: str, noted: object, digest: str | None) -> Proof:
    if noted == digest:
        return Proof(True, f"{what}: the same digest")
    return Proof(False, f"{what}: another digest, {noted}")


def _tested(tests: list[testsend.TestSent], digest: str | None) -> Iterator[Proof]:
    """Tests decide nothing: an issue may be approved untested, and its approver was told so."""
    arrived = [test for test in tests if test.arrived]
    if digest is None:
        return
    same = [test.number for test in arrived if test.digest == digest]
    if same:
        yield Proof(True, f"test {same[0]}: the same digest")
    elif arrived:
        yield Proof(None, f"test {arrived[0].number}, the last one, was of an earlier text")
    else:
        yield Proof(None, "it was never sent as a test")


def _sum(mailing: Mailing | None, counts: dict[str, int]) -> Iterator[Proof]:
    if mailing is None or mailing.planned is None:
        return
    sentence = sum_sentence(mailing.planned, counts)
    total = sum(counts.values())
    if total != mailing.planned:
        yield Proof(False, f"the sum does not close: {sentence}")
    elif ledger.closes(counts, mailing.planned):
        yield Proof(True, f"the sum closes: {sentence}")
    else:
        over = mailing.state in {"completed", "cancelled"}
        yield Proof(False if over else None, f"the sum is open{'' if over else ' while it is under way'}: {sentence}")
