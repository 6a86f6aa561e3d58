"""``approve`` and ``unapprove``: from an issue that can be edited to bytes that cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.app import corrections
from newsletter.app.check import findings_of, weighs
from newsletter.app.desk import Desk
from newsletter.app.outgoing import PREVIEW_ID, issue_facts
from newsletter.app.providers import canary_unjudged, require_provider
from newsletter.app.publish import publish_media
from newsletter.app.recurring import goes_by_itself
from newsletter.app.render import render
from newsletter.app.words import plural, when
from newsletter.audience.subscribers import find
from newsletter.delivery import approval as approvals
from newsletter.delivery import approvers, begun, installation, mailings, testsend
from newsletter.delivery.approval import outgoing_from_email
from newsletter.delivery.guards import lateness
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.schedule import SendAt, parse_send_at, send_at_of
from newsletter.delivery.testsend import TestSent
from newsletter.delivery.undo import made_late, stoppable_until, window_begins
from newsletter.errors import BadData, Conflict, FindingsRemain, GuardRefused, IllegalState, NewsletterError, NotFound
from newsletter.issues.folder import load_issue
from newsletter.models import Finding, Severity
from newsletter.store.clock import from_us, now_us


@dataclass(frozen=True, slots=True)
class Approved:
    """What was frozen, and when it goes out. ``warnings`` are the findings that the approver accepts by this.

    ``test`` is the last test that arrived, of this email or of an earlier one. ``recurs`` is when ``[schedule] every``
    sends it, in words.
    """

    approval: approvals.Approval
    mailing: Mailing | None
    warnings: Sequence[Finding]
    remote_images: Sequence[str]
    test: TestSent | None = None
    stoppable_until: str | None = None
    """Local time until which the due mailing waits and can be stopped whole; None without ``[schedule] undo``."""
    recurs: str | None = None
    approvers: tuple[str, ...] = ()
    required: int = 1
    """How many different people must approve it; until they have, nothing is scheduled."""
    unjudged: str | None = None
    """Why its canary could not be judged; None where it can be, and without one."""
    late: str | None = None
    """How late it is, in words, when that is too late to go by itself: the last approval came after the time."""

    @property
    def lacking(self) -> int:
        """How many more people must approve it."""
        return max(0, self.required - len(self.approvers))

    @property
    def untested(self) -> str | None:
        """Why nobody has seen these very bytes in a mail program, None when somebody has. A warning, no more."""
        slug = self.approval.issue
        if self.test is None:
            return f"never sent as a test: newsletter test {slug} shows it in your own mail program"
        if self.test.digest != self.approval.digest:
            return f"changed since test {self.test.number}: newsletter diff {slug} test-{self.test.number} shows how"
        return None

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issue": self.approval.issue,
            "digest": self.approval.digest,
            "approver": self.approval.approver,
            "approvers": list(self.approvers),
            "approvals_required": self.required,
            "send_at": self.mailing.local_time if self.mailing else None,
            "zone": self.approval.zone,
            "stoppable_until": self.stoppable_until,
            "warnings": [finding.id for finding in self.warnings],
            "remote_images": list(self.remote_images),
            "goes_by_itself": self.recurs,
            "canary_unjudged": self.unjudged,
            "tested": self.untested is None,
            "last_test": self.test.number if self.test else None,
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        slug = self.approval.issue
        lines = [f"Approved {slug} by {self._by}: {self.approval.digest[:19]}…"]
        if (first := self.approval.facts.corrects) is not None:
            lines.append(f"  a correction: only those who got {first} get it")
        if self.warnings:
            lines.append(f"  with {plural(len(self.warnings), 'warning')}: {', '.join(_ids(self.warnings))}")
        if self.remote_images:
            lines.append(
                f"  {plural(len(self.remote_images), 'picture')} on other servers can still change: "
                + ", ".join(self.remote_images)
            )
        if self.untested:
            lines.append(f"  {self.untested}")
        if self.unjudged:
            lines.append(f"  {self.unjudged}")
        if self.lacking:
            more = plural(self.lacking, "other person", "other people")
            lines.append(f"Nothing is scheduled before {more} approved it too: newsletter approve {slug} --by NAME")
            return [*lines, f"Take it back: newsletter unapprove {slug}"]
        if self.mailing is None and self.recurs:
            lines.append(f"It goes out on {self.recurs}, by [schedule] every and newsletter run-due (cron).")
            return [*lines, f"Sooner: newsletter send {slug}. Not at all: newsletter unapprove {slug}"]
        if self.mailing is None:
            return [*lines, f"Nothing is scheduled. Send it with: newsletter send {slug}"]
        lines.append(self._when(self.mailing))
        until = f"   (can be stopped until {self.stoppable_until})" if self.stoppable_until else ""
        lines.append(f"Stop the presses: newsletter unapprove {slug}{until}")
        return lines

    @property
    def _by(self) -> str:
        names = " and ".join(self.approvers) or self.approval.approver
        return f"{names} ({len(self.approvers)} of {self.required})" if self.required > 1 else names

    def _when(self, mailing: Mailing) -> str:
        if self.late:
            return f"It does not go out by itself: {self.late}. All the same: newsletter send {mailing.issue}"
        if made_late(mailing.send_at, mailing.created_at):
            return f"It was due {when(mailing)}, and goes out now, by newsletter run-due (cron)."
        return f"It goes out {when(mailing)}, by newsletter run-due (cron)."


def _ids(findings: Sequence[Finding]) -> list[str]:
    return sorted({finding.id for finding in findings})


def approve_issue(
    desk: Desk,
    slug: str,
    *,
    send_at: str | None,
    approver: str | None = None,
    note: str | None = None,
    seen: str | None = None,
) -> Approved:
    """Render, check and freeze an issue; with ``send_at``, schedule its mailing: both or, on an error, neither.

    ``seen`` is the digest of what the approver looked at: Conflict when something else would be frozen.
    Where ``[schedule] approvals_required`` asks for more people, the first one freezes and the last one schedules: at
    the time that the first one said, or another.

    Raises FindingsRemain when a check finds an error, IllegalState when it is approved or was sent already,
    UsageProblem for a time that cannot be read or has passed, ConfigurationError for a provider that is not there.
    """
    now = now_us()
    config = desk.config
    zone = config.publication.timezone
    at = parse_send_at(send_at, zone, from_us(now)) if send_at is not None else None
    if _waits_for_others(desk, slug):
        if seen is not None and seen != approvals.load_approval(desk.workspace, slug).digest:
            raise _changed(slug)
        return _approve_too(desk, slug, at, approver or desk.actor, note, now)
    _refuse_second_approval(desk, slug)
    require_provider(desk)
    _refuse_strange_seeds(desk)
    rendered = render(desk, slug)
    findings = findings_of(desk, rendered, send_at=at.utc if at else None)
    _refuse_errors(slug, findings)
    if rendered.issue.corrects is not None:
        corrections.require_sent(desk, rendered.issue.corrects, slug)
    facts = issue_facts(config, rendered.issue)
    if (
        seen is not None
        and seen != outgoing_from_email(rendered.email, facts, mailing=PREVIEW_ID, date=from_us(now)).digest
    ):
        raise _changed(slug)
    if config.provider.name != "outbox":
        installation.claim_if_first(desk.workspace, config, desk.store, actor=desk.actor, now=now)
    publish_media(desk, rendered.email, approved=True)
    test = testsend.last_arrived(desk.store, slug)
    approval = approvals.freeze(
        desk.workspace,
        rendered.email,
        facts,
        approver=approver or desk.actor,
        now=from_us(now),
        zone=zone,
        send_at=at.written if at else None,
        note=note,
    )
    try:
        _note(desk, approval, now)
        mailing = schedule(desk, approval, at, now) if at and not approvers.missing(approval, config) else None
    except NewsletterError:
        # Half of what was asked for would look like all of it.
        approvals.remove_approval(desk.workspace, slug)
        raise
    recurs = None if at or rendered.issue.corrects else goes_by_itself(desk, slug, rendered.issue.date, from_us(now))
    warnings = weighs(findings, Severity.WARNING)
    return _approved(desk, approval, mailing, warnings, rendered.email.remote_images, test, recurs)


def _changed(slug: str) -> Conflict:
    return Conflict(f"{slug} was changed since you looked at it", fix="look at it again, then approve it")


def _approved(
    desk: Desk,
    approval: approvals.Approval,
    mailing: Mailing | None,
    warnings: Sequence[Finding],
    remote_images: Sequence[str],
    test: TestSent | None,
    recurs: str | None,
) -> Approved:
    return Approved(
        approval,
        mailing,
        warnings,
        remote_images,
        test,
        _stoppable(desk, mailing) if mailing else None,
        recurs,
        tuple(there.name for there in approvers.approvers(approval)),
        desk.config.schedule.approvals_required,
        canary_unjudged(desk.config),
        lateness(mailing, desk.config, now_us()) if mailing else None,
    )


def _stoppable(desk: Desk, mailing: Mailing) -> str | None:
    return stoppable_until(window_begins(mailing.send_at, mailing.created_at, now_us()), mailing.zone, desk.config)


def _waits_for_others(desk: Desk, slug: str) -> bool:
    """Whether it is frozen and not enough people have approved it."""
    live = mailings.live(desk.store, slug)
    if desk.config.schedule.approvals_required < 2 or (live is not None and live.state not in {"scheduled", "held"}):
        return False
    try:
        return bool(approvers.missing(approvals.load_approval(desk.workspace, slug), desk.config))
    except (NotFound, IllegalState):
        return False


def _approve_too(desk: Desk, slug: str, at: SendAt | None, name: str, note: str | None, now: int) -> Approved:
    """One more person's word for what is frozen; with the last one it is scheduled, if a time was said.

    A mailing that is there already, from when fewer people had to approve, keeps its time.
    """
    if at is not None and mailings.live(desk.store, slug) is not None:
        raise IllegalState(f"{slug} has its time already", fix=f"newsletter approve {slug} without --send-at")
    moment = from_us(now)
    written = at.written if at else None
    approval, before = approvers.add(desk.workspace, slug, approver=name, note=note, now=moment, send_at=written)
    try:
        _note(desk, approval, now)
        if approval.send_at is not None and at is None:
            at = send_at_of(approval.send_at, approval.zone)
        mailing = mailings.live(desk.store, slug)
        if mailing is None and at is not None and not approvers.missing(approval, desk.config):
            mailing = schedule(desk, approval, at, now)
    except NewsletterError:
        approvers.take_back(approval, before)
        raise
    day = load_issue(desk.workspace, slug).date
    recurs = None if at or approval.facts.corrects else goes_by_itself(desk, slug, day, moment)
    return _approved(desk, approval, mailing, (), (), testsend.last_arrived(desk.store, slug), recurs)


def _note(desk: Desk, approval: approvals.Approval, now: int) -> None:
    """The audit log outlives an approval that is taken back."""
    names = approvers.approvers(approval)
    required = desk.config.schedule.approvals_required
    detail = {"digest": approval.digest, "note": names[-1].note, "send_at": approval.send_at, "at_desk": desk.actor}
    if required > 1:
        detail["approvals"] = f"{len(names)} of {required}"
    with desk.store.write() as conn:
        mailings.write_audit(conn, names[-1].name, "approve", approval.issue, detail, now)


def schedule(desk: Desk, approval: approvals.Approval, at: SendAt, now: int) -> Mailing:
    """Make the mailing of an approval, under the provider that is configured."""
    mailing, _new = mailings.schedule(
        desk.store,
        issue=approval.issue,
        digest=approval.digest,
        provider=desk.config.provider.name,
        send_at=at,
        actor=desk.actor,
        now=now,
    )
    return mailing


def _refuse_second_approval(desk: Desk, slug: str) -> None:
    live = mailings.live(desk.store, slug)
    if live is not None and live.state == "completed":
        raise IllegalState(f"{slug} was sent already", fix=f"newsletter status {slug}")
    if (desk.workspace.issue_dir(slug) / "approved").exists():
        raise IllegalState(
            f"{slug} is approved already", fix=f"to change or reschedule it: newsletter unapprove {slug}"
        )


def _refuse_strange_seeds(desk: Desk) -> None:
    """Seeds are readers like all others, in the ledger and once."""
    for seed in desk.config.schedule.seeds:
        try:
            there = find(desk.store, seed).status == "subscribed"
        except (NotFound, BadData):
            there = False
        if not there:
            raise GuardRefused(
                f"{seed} is to get every mailing first, but is not subscribed",
                where="newsletter.toml: schedule.seeds",
                fix="subscribe that address (newsletter audience import FILE), or take it out of schedule.seeds",
            )


def _refuse_errors(slug: str, findings: Sequence[Finding]) -> None:
    errors = weighs(findings, Severity.ERROR)
    if errors:
        listed = "\n".join(f"    {f.id}: {f.message}" for f in errors)
        raise FindingsRemain(
            f"{slug} has {plural(len(errors), 'error')} and cannot be approved:\n{listed}",
            fix=f"put it right; newsletter check {slug} shows where",
        )


def unapprove_issue(desk: Desk, slug: str) -> str:
    """Take the approval back, also a damaged one; raises IllegalState with the number submitted when it is too late."""
    frozen = desk.workspace.issue_dir(slug) / "approved"
    if not frozen.exists() and mailings.live(desk.store, slug) is None:
        approvals.load_approval(desk.workspace, slug)  # says what is missing
    if mailings.live(desk.store, slug) is None and (gone := begun.unknown(desk.store, desk.workspace, slug)):
        raise IllegalState(
            f"{gone}; it cannot be unapproved", fix="restore the newest database, or write the next issue"
        )
    with approvers.changing(desk.workspace, slug):
        mailings.unapprove(desk.store, slug, actor=desk.actor, now=now_us())
        approvals.remove_approval(desk.workspace, slug)
    return f"{slug}: stopped, 0 submitted. It can be edited again."
