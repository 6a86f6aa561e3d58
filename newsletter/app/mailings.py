"""Looking at mailings and steering them: status, pause, resume, cancel, reconcile, adopt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.app.desk import Desk
from newsletter.app.words import clock_time, plural, withdrawn_line
from newsletter.delivery import breaker, installation, mailings, reconcile
from newsletter.delivery import status as states
from newsletter.delivery.canary import Canary
from newsletter.delivery.gate import rest_of
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.reconcile import Uncertain
from newsletter.delivery.schedule import wall_time
from newsletter.delivery.status import Status
from newsletter.delivery.undo import stoppable_until, undo_window, window_begins
from newsletter.errors import UsageProblem
from newsletter.store.clock import from_us, now_us

_TOLD = (
    "delivered", "bounced", "blocked", "dropped", "deferred", "complained", "unsubscribed", "opened", "clicked",
)  # fmt: skip
"""The kinds of events in the order in which an editor asks for them."""


@dataclass(frozen=True, slots=True)
class IssueStatus:
    """What happened to one issue, as the command line tells it."""

    status: Status
    provider: str
    stoppable_until: str | None = None
    """Local time until which a scheduled mailing can be stopped whole; None without ``[schedule] undo``."""
    rests: str | None = None
    """For what a mailing that is under way rests, and until when; None while it goes."""
    required: int = 1
    """How many people must approve an issue."""
    publication_zone: str = "UTC"
    away: str | None = None
    """That the provider is away, since when, and when it is asked again; None while all is well."""

    @property
    def issue(self) -> str:
        """The issue's slug."""
        return self.status.issue

    @property
    def state(self) -> str:
        """draft, approved, or the state of its mailing."""
        return self.status.state

    @property
    def when(self) -> str:
        """Local time to send at, or an empty string."""
        return (self.status.local_time or "").replace("T", " ")

    @property
    def sentence(self) -> str:
        """``10,000 = 9,981 submitted + 12 excluded + 7 uncertain``, or what it waits for."""
        lacking = self.required - len(self.status.approvers)
        if self.status.state == "approved" and self.status.approvers and lacking > 0:
            return f"{self.approved_by}; somebody else approves it too: newsletter approve {self.issue} --by NAME"
        return self.status.sentence

    @property
    def approved_by(self) -> str:
        """``approved by Ada and Ben (2 of 2)``."""
        names = " and ".join(self.status.approvers)
        of = f" ({len(self.status.approvers)} of {self.required})" if self.required > 1 else ""
        return f"approved by {names}{of}"

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        now = self.status
        return {
            "issue": now.issue,
            "state": now.state,
            "reason": now.reason,
            "approver": now.approver,
            "approvers": list(now.approvers),
            "approvals_required": self.required,
            "send_at": now.local_time,
            "zone": now.zone,
            "stoppable_until": self.stoppable_until,
            "provider_away": self.away,
            "provider": now.provider,
            "planned": now.planned,
            "counts": dict(now.counts or {}),
            "closes": now.closes if now.planned is not None else None,
            "reasons": [{"state": s, "reason": r, "count": n} for s, r, n in now.reasons],
            "events": dict(now.events or {}),
            "rests": self.rests,
            "canary": _canary_row(now.canary),
            "warning": now.warning,
            "paused_domains": [{"domain": d, "reason": r} for d, r in (now.domains or {}).items()],
            "edits": list(now.edits),
            "tampered": list(now.tampered),
            "tests": [{"number": t.number, "code": t.code, "to": [r.address for r in t.receipts]} for t in now.tests],
            "changed_since_test": now.changed_since,
            "retracted": [
                {"article": r.article, "at": from_us(r.at).isoformat(), "by": r.actor, "reason": r.reason}
                for r in now.retracted
            ],
            "sentence": self.sentence,
        }

    def lines(self) -> list[str]:
        """For the terminal: the sentence first, then what is worth knowing."""
        now = self.status
        lines = [f"{now.issue}: {now.state}", f"  {self.sentence}"]
        if self.rests:
            lines.append(f"  {self.rests}")
        if now.reason and now.state not in {"held", "completed"}:
            lines.append(f"  because: {now.why}")
        if now.local_time and now.state not in {"approved", "scheduled"}:
            lines.append(f"  send time: {self.when} ({now.zone})")
        if self.stoppable_until:
            lines.append(f"  can be stopped until {self.stoppable_until}: newsletter unapprove {now.issue}")
        if self.away:
            lines.append(f"  {self.away}")
        if now.approvers:
            lines.append(f"  {self.approved_by}")
        if now.canary is not None and now.canary.readers:
            verdict = f": {now.canary.verdict}" if now.canary.verdict else ""
            lines.append(f"  canary of {plural(now.canary.readers, 'reader')}{verdict}")
        if now.warning:
            lines.append(f"  warning: {now.warning}")
        lines += [f"  {count:,} {state}: {reason}" for state, reason, count in now.reasons if reason]
        if told := [f"{now.events[kind]:,} {kind}" for kind in _TOLD if now.events and kind in now.events]:
            lines.append(f"  the provider says: {', '.join(told)}")
        lines += [f"  {domain} waits: {reason}" for domain, reason in (now.domains or {}).items()]
        if now.next_try_at is not None and not self.rests:
            lines.append(f"  next try at {clock_time(now.next_try_at, self.publication_zone, seconds=True)}")
        lines += [f"  {name} was edited after the approval; the edit is not sent" for name in now.edits]
        lines += [f"  {problem}; nothing is sent until this is put right" for problem in now.tampered]
        lines += [f"  {withdrawn_line(found, self.publication_zone)}" for found in now.retracted]
        for test in now.tests:
            lines.append(f"  test {test.number} · {test.code} went to {', '.join(r.address for r in test.receipts)}")
        if now.changed_since is not None:
            seen = f"newsletter diff {now.issue} test-{now.changed_since}"
            lines.append(f"  changed since test {now.changed_since}: {seen}")
        if now.counts and now.counts.get("uncertain"):
            lines.append(f"  Settle the uncertain: newsletter reconcile {now.issue}")
        if now.state in {"held", "paused"}:
            lines.append(f"  Go on with: newsletter resume {now.issue}")
        return lines


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was settled by the editor's word and what is still open."""

    issue: str
    settled: int
    uncertain: Sequence[Uncertain]

    @property
    def open_rows(self) -> int:
        """How many deliveries nobody can know about yet."""
        return len(self.uncertain)

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issue": self.issue,
            "settled": self.settled,
            "uncertain": [
                {"address": u.address, "key": u.key, "detail": u.detail, "at": from_us(u.at).isoformat()}
                for u in self.uncertain
            ],
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        lines = [f"Settled {plural(self.settled, 'delivery', 'deliveries')}."] if self.settled else []
        if not self.uncertain:
            return [*lines, f"{self.issue}: nothing is uncertain."]
        lines.append(f"{plural(self.open_rows, 'delivery is', 'deliveries are')} uncertain:")
        lines += [f"  {u.address}  {from_us(u.at):%Y-%m-%d %H:%M:%S} UTC  {u.detail}" for u in self.uncertain]
        lines.append("Look into the provider's log for these times, then say what became of each:")
        lines.append(f"  newsletter reconcile {self.issue} --went-out ADDRESS    it arrived (or: all)")
        lines.append(f"  newsletter reconcile {self.issue} --send-again ADDRESS  it did not (or: all)")
        return lines


def issue_status(desk: Desk, slug: str) -> IssueStatus:
    """Everything about one issue; raises NotFound when there is neither a folder nor a mailing."""
    return _issue_status(desk, states.status(desk.store, desk.workspace, slug))


def all_statuses(desk: Desk) -> list[IssueStatus]:
    """The newest mailing of every issue, the latest first."""
    return [_issue_status(desk, status) for status in states.all_statuses(desk.store)]


def _issue_status(desk: Desk, status: Status) -> IssueStatus:
    return IssueStatus(
        status,
        desk.config.provider.name,
        stoppable_until=_stoppable(desk, status),
        rests=rests(desk, mailings.latest(desk.store, status.issue)) if status.state == "sending" else None,
        required=desk.config.schedule.approvals_required,
        publication_zone=desk.config.publication.timezone,
        away=_away(desk, status),
    )


def rests(desk: Desk, mailing: Mailing | None) -> str | None:
    """For what a mailing that is under way rests and until when, in words; None while it goes."""
    if mailing is None:
        return None
    with desk.store.read() as conn:
        rest = rest_of(conn, mailing, desk.config, now_us())
    return None if rest is None else rest.said(mailing.zone)


def _canary_row(canary: Canary | None) -> dict[str, Any] | None:
    if canary is None or not canary.readers:
        return None
    until = from_us(canary.until).isoformat(timespec="seconds") if canary.until is not None else None
    return {"state": canary.state, "readers": canary.readers, "until": until, "verdict": canary.verdict}


def _stoppable(desk: Desk, status: Status) -> str | None:
    """Nothing for what waited already: a mailing that an editor released goes with the next ``run-due``."""
    if status.state != "scheduled" or status.send_at is None or status.zone is None:
        return None
    now = now_us()
    begins = window_begins(status.send_at, status.created_at or 0, now)
    return stoppable_until(begins, status.zone, desk.config) if now < begins + undo_window(desk.config) else None


def _away(desk: Desk, status: Status) -> str | None:
    if status.provider is None or status.zone is None or status.state not in {"scheduled", "planning", "sending"}:
        return None
    with desk.store.read() as conn:
        found = breaker.read(conn, status.provider)
    if found is None:
        return None
    since, until = (wall_time(from_us(at), status.zone)[11:] for at in (found.since, found.open_until))
    return f"{status.provider} has put us off since {since} ({found.reason}); it is asked again at {until}"


def pause_mailing(desk: Desk, slug: str) -> str:
    """Pause; mails in flight finish."""
    mailings.pause(desk.store, slug, actor=desk.actor, now=now_us())
    return f"{slug}: paused. Mails in flight finish; go on with newsletter resume {slug}."


def resume_mailing(desk: Desk, slug: str) -> str:
    """Let a paused or held mailing go on."""
    mailing = mailings.resume(desk.store, slug, actor=desk.actor, now=now_us())
    return f"{slug}: {mailing.state}. The next newsletter run-due takes it up."


def cancel_mailing(desk: Desk, slug: str) -> str:
    """End a mailing for whoever has not got it."""
    ended = mailings.cancel(desk.store, slug, actor=desk.actor, now=now_us())
    in_flight = f", {ended.in_flight:,} in flight" if ended.in_flight else ""
    return f"{slug}: cancelled. {ended.submitted:,} submitted{in_flight}, {ended.cancelled:,} will not get it."


def reconcile_mailing(desk: Desk, slug: str, *, went_out: Sequence[str], again: Sequence[str]) -> Reconciled:
    """List the uncertain deliveries of an issue, after settling those that the editor names ("all": every one)."""
    both = set(went_out) & set(again)
    if both or ("all" in went_out and again) or ("all" in again and went_out):
        raise UsageProblem(
            "the same deliveries cannot both have gone out and go again", fix="name each address for one of the two"
        )
    words: tuple[tuple[reconcile.Word, Sequence[str]], ...] = (("went_out", went_out), ("send_again", again))
    settled = 0
    for word, addresses in words:
        if addresses:
            chosen = None if "all" in addresses else addresses
            settled += reconcile.settle(desk.store, slug, word, chosen, actor=desk.actor, now=now_us()).settled
    return Reconciled(slug, settled, reconcile.list_uncertain(desk.store, slug))


def adopt_installation(desk: Desk) -> str:
    """Make this copy of the workspace the one that may send."""
    adopted = installation.adopt(desk.workspace, desk.store, actor=desk.actor, now=now_us())
    stopped = ""
    if adopted.stopped:
        stopped = (
            f" The database was restored from a backup: {plural(adopted.stopped, 'mailing waits', 'mailings wait')}"
            " for you to look what went out since."
        )
    return f"This installation ({adopted.installation.id[:8]}) sends from now on.{stopped}"
