"""What happened to an issue, in one sentence whose sum closes, and what an editor should know besides."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from newsletter.delivery import begun, canary, domains, events, ledger, mailings, reputation, testsend
from newsletter.delivery.approval import Approval, edits_since, load_approval, problems, source_hashes
from newsletter.delivery.approvers import approvers
from newsletter.delivery.canary import Canary
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.retractions import Retraction, retractions_of
from newsletter.delivery.schedule import wall_time
from newsletter.delivery.testsend import TestSent
from newsletter.delivery.versions import load_test
from newsletter.errors import BadData, IllegalState
from newsletter.store.clock import from_us
from newsletter.workspace.paths import Workspace

if TYPE_CHECKING:
    from newsletter.store.engine import Store

_ORDER = (
    "submitted", "rejected", "failed", "excluded", "cancelled", "uncertain",
    "pending", "claimed", "submitting", "retry_wait",
)  # fmt: skip
_WORDS = {"claimed": "pending", "submitting": "in flight", "retry_wait": "waiting for another try"}


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an issue's mailing. Times are UTC microseconds; ``local_time`` is wall time in ``zone``.

    ``state`` is a mailing's, or ``approved`` (no mailing yet), or ``draft``. ``reasons`` are (state, reason, how
    many). ``events`` are what providers said later: of how many deliveries, by kind. ``domains`` are the mailbox
    domains that it waits for, with the reason. ``edits`` are hand edits since the approval, which are not sent;
    ``tampered`` are approved files that changed, which stop the sending. ``changed_since`` is the number of the last
    test that arrived, when the issue's files, or what was approved, are not what it sent. ``retracted`` are stories
    that were taken off the web copy. ``canary`` is how far that is, and ``warning`` what its readers' complaints
    threaten it with.
    """

    issue: str
    state: str
    reason: str | None = None
    approved: bool = False
    approver: str | None = None
    approvers: tuple[str, ...] = ()
    send_at: int | None = None
    local_time: str | None = None
    zone: str | None = None
    provider: str | None = None
    planned: int | None = None
    counts: dict[str, int] | None = None
    reasons: tuple[tuple[str, str, int], ...] = ()
    edits: tuple[str, ...] = ()
    tampered: tuple[str, ...] = ()
    tests: tuple[TestSent, ...] = ()
    changed_since: int | None = None
    heartbeat: int | None = None
    created_at: int | None = None
    finished_at: int | None = None
    next_try_at: int | None = None
    events: dict[str, int] | None = None
    domains: dict[str, str] | None = None
    canary: Canary | None = None
    warning: str | None = None
    retracted: tuple[Retraction, ...] = ()

    @property
    def closes(self) -> bool:
        """Whether everybody planned has ended in exactly one settled state."""
        return ledger.closes(self.counts or {}, self.planned)

    @property
    def why(self) -> str | None:
        """The reason for people: without the kind of hold, which is for programs."""
        kind, colon, words = (self.reason or "").partition(": ")
        return words if colon and kind in mailings.HOLDS else self.reason

    @property
    def sentence(self) -> str:
        """``10,000 = 9,981 submitted + 12 excluded + 7 uncertain``; before planning, what it waits for."""
        if self.planned is None:
            return _before(self)
        return sum_sentence(self.planned, self.counts or {})

    @property
    def needs_editor(self) -> bool:
        """Held, paused, changed on the disk, with domains that refuse us or deliveries that failed or are uncertain."""
        tally = self.counts or {}
        waits = self.state == "sending" and self.domains
        stopped = self.state in {"held", "paused"} or self.tampered or waits
        return bool(stopped or tally.get("failed") or tally.get("uncertain"))


def sum_sentence(planned: int, counts: dict[str, int]) -> str:
    """The closing sum; states nobody is in are left out, and a sum that does not close says so."""
    words: dict[str, int] = {}
    for state in _ORDER:
        if counts.get(state):
            word = _WORDS.get(state, state)
            words[word] = words.get(word, 0) + counts[state]
    terms = " + ".join(f"{count:,} {word}" for word, count in words.items()) or "0"
    total = sum(counts.values())
    return f"{planned:,} = {terms}" if total == planned else f"{planned:,} planned, but {total:,} found: {terms}"


def status(store: Store, ws: Workspace, issue: str) -> Status:
    """Everything about one issue; raises ``NotFound`` when there is neither a folder nor a mailing."""
    mailing = mailings.latest(store, issue)
    approval, damage = _approval(ws, issue, needed=mailing is None)
    edits = tuple(edits_since(approval)) if approval else ()
    tampered = tuple(problems(approval)) if approval else damage
    if said := begun.unknown(store, ws, issue):
        tampered = (*tampered, said)
    retracted = tuple(retractions_of(store, issue).values())
    tests = tuple(testsend.last_tests(store, issue))
    over = mailing is not None and mailing.state in {"completed", "cancelled"}
    changed_since = None if over else _changed_since(store, ws, issue, approval)
    if mailing is None:
        return Status(
            issue,
            "approved" if approval or damage else "draft",
            approved=approval is not None,
            approver=approval.approver if approval else None,
            approvers=_names(approval),
            local_time=approval.send_at if approval else None,
            zone=approval.zone if approval else None,
            edits=edits,
            tampered=tampered,
            tests=tests,
            changed_since=changed_since,
            retracted=retracted,
        )
    with store.read() as conn:
        told = events.counts(conn, mailing.id)
        waiting = domains.paused(conn, mailing.id)
        bird = canary.read(conn, mailing.id)
        warning = reputation.read(conn, mailing.id).warning
    found = _of_mailing(store, mailing, approval, edits, tampered, tests)
    return replace(
        found,
        events=told,
        domains=waiting,
        changed_since=changed_since,
        retracted=retracted,
        canary=bird,
        warning=warning,
    )


def all_statuses(store: Store) -> list[Status]:
    """The newest mailing of every issue, the latest first, without a look at the files and the events."""
    return [_of_mailing(store, mailing, None, (), (), ()) for mailing in mailings.all_mailings(store)]


def _of_mailing(
    store: Store,
    mailing: Mailing,
    approval: Approval | None,
    edits: tuple[str, ...],
    tampered: tuple[str, ...],
    tests: tuple[TestSent, ...],
) -> Status:
    with store.read() as conn:
        counts = ledger.counts(conn, mailing.id)
        reasons = tuple(ledger.reasons(conn, mailing.id))
        later = ledger.next_try(conn, mailing.id)
    return Status(
        issue=mailing.issue,
        state=mailing.state,
        reason=mailing.reason if mailing.reason != mailings.RELEASED else None,
        approved=approval is not None,
        approver=approval.approver if approval else None,
        approvers=_names(approval),
        send_at=mailing.send_at,
        local_time=mailing.local_time,
        zone=mailing.zone,
        provider=mailing.provider,
        planned=mailing.planned,
        counts=counts,
        reasons=reasons,
        edits=edits,
        tampered=tampered,
        tests=tests,
        heartbeat=mailing.heartbeat,
        created_at=mailing.created_at,
        finished_at=mailing.finished_at,
        next_try_at=later,
    )


def _names(approval: Approval | None) -> tuple[str, ...]:
    if approval is None:
        return ()
    try:
        return tuple(there.name for there in approvers(approval))
    except BadData:  # the guard before sending says so
        return (approval.approver,)


def _approval(ws: Workspace, issue: str, *, needed: bool) -> tuple[Approval | None, tuple[str, ...]]:
    """The approval, or none and what is wrong with it. ``needed``: an unknown issue is an error."""
    try:
        return load_approval(ws, issue), ()
    except IllegalState:
        return None, ()
    except BadData as damaged:
        if needed and not ws.issue_dir(issue).is_dir():
            raise
        return None, (damaged.what,)


def _changed_since(store: Store, ws: Workspace, issue: str, approval: Approval | None) -> int | None:
    """The number of the last test when something else would go out now. Files are compared, nothing is rendered."""
    test = testsend.last_arrived(store, issue)
    if test is None:
        return None
    if approval is not None:
        return test.number if approval.digest != test.digest else None
    folder = ws.issue_dir(issue)
    with contextlib.suppress(BadData):
        if folder.is_dir() and load_test(ws, issue, test.digest).sources != source_hashes(folder):
            return test.number
    return None


def _before(status: Status) -> str:
    when = f"{status.local_time.replace('T', ' ')} ({status.zone})" if status.local_time else None
    match status.state:
        case "draft":
            return "not approved"
        case "approved":
            return f"approved for {when}, not scheduled" if when else "approved; newsletter send sends it"
        case "scheduled":
            return f"scheduled for {when}"
        case "planning":
            return "its audience is being frozen"
        case "held":
            return f"held: {status.reason}"
    ended = f" on {wall_time(from_us(status.finished_at), status.zone or 'UTC')[:10]}" if status.finished_at else ""
    return f"{status.state}{ended}, 0 submitted"
