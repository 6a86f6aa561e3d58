"""``next``: what goes when, and what is missing for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from newsletter.app.desk import Desk
from newsletter.app.log import LastRun, last_run
from newsletter.app.mailings import rests
from newsletter.app.recurring import upcoming, who_goes
from newsletter.app.words import plural
from newsletter.delivery import mailings
from newsletter.delivery.approval import load_approval
from newsletter.delivery.approvers import missing, said
from newsletter.delivery.mailings import RELEASED, Mailing
from newsletter.delivery.run_due import STALE_SECONDS
from newsletter.delivery.schedule import how_long, wall_time, zone_of
from newsletter.errors import BadData, IllegalState
from newsletter.issues.summaries import IssueSummary, list_issues
from newsletter.store.clock import from_us, now_us

AHEAD = timedelta(days=14)
_MOST_TIMES = 4
_SLACK = timedelta(minutes=2)
_WAITING = ("scheduled", "planning", "sending")
_STOPPED = ("held", "paused")


@dataclass(frozen=True, slots=True)
class Lack:
    """An issue that is to come and is not on its way: its ``missing`` parts in words, and the next command."""

    issue: str
    date: str
    missing: tuple[str, ...]
    fix: str

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"issue": self.issue, "date": self.date, "missing": list(self.missing), "fix": self.fix}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is ahead at the moment ``now`` (aware), in the publication's ``zone`` (IANA)."""

    now: datetime
    zone: str
    coming: tuple[Mailing, ...]
    stopped: tuple[Mailing, ...]
    lacking: tuple[Lack, ...]
    last_run: LastRun | None
    recurring: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The times of ``[schedule] every`` in words, each with the issues that are approved for it."""
    resting: Mapping[str, str] = field(default_factory=dict)
    """Issues whose mailing is under way and rests: for what and until when, in words."""

    @property
    def cron_trouble(self) -> str | None:
        """Why what is scheduled may not go out by itself; None when cron came lately, or nothing waits for it."""
        if not self.coming and not self.recurring:
            return None
        return cron_trouble(self.last_run, self.now)

    def as_row(self) -> dict[str, Any]:
        """For ``--json``; ``seconds`` is negative for what is overdue."""
        return {
            "now": self.now.isoformat(timespec="seconds"),
            "zone": self.zone,
            "coming": [
                {
                    "issue": m.issue,
                    "state": m.state,
                    "send_at": m.local_time,
                    "zone": m.zone,
                    "utc": m.due.isoformat(),
                    "seconds": int((m.due - self.now).total_seconds()),
                    "rests": self.resting.get(m.issue),
                }
                for m in self.coming
            ],
            "stopped": [{"issue": m.issue, "state": m.state, "reason": m.reason} for m in self.stopped],
            "missing": [lack.as_row() for lack in self.lacking],
            "recurring": [{"at": at, "issues": list(issues)} for at, issues in self.recurring],
            "last_run": self.last_run.at.isoformat(timespec="seconds") if self.last_run else None,
            "cron_trouble": self.cron_trouble,
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        lines = [f"It is {wall_time(self.now, self.zone).replace('T', ' ')} ({self.zone})."]
        lines += [line for m in self.stopped for line in _stopped(m)]
        lines += [f"  {m.issue}  {self._when(m)}" for m in self.coming]
        for at, issues in self.recurring:
            lines.append(f"  every: {at}: {', '.join(issues)}" if issues else f"! every: {at}: nothing is approved")
        for lack in self.lacking:
            lines += [f"! {lack.issue}  {lack.date}: {', '.join(lack.missing)}", f"    {lack.fix}"]
        if not (self.stopped or self.coming or self.lacking or self.recurring):
            lines.append(f"Nothing is scheduled, and no issue is dated within {plural(AHEAD.days, 'day')}.")
        if self.cron_trouble:
            lines.append(f"! {self.cron_trouble}")
        elif self.last_run is not None:
            lines.append(f"newsletter run-due last ran {how_long(self.now - self.last_run.at)} ago.")
        return lines

    def _when(self, mailing: Mailing) -> str:
        if mailing.issue in self.resting:
            return f"{mailing.state}, {self.resting[mailing.issue]}"
        if mailing.state != "scheduled":
            return f"{mailing.state} now: newsletter status {mailing.issue}"
        at = f"{datetime.fromisoformat(mailing.local_time):%a} {mailing.local_time.replace('T', ' ')} ({mailing.zone})"
        left = mailing.due - self.now
        return f"{at}, in {how_long(left)}" if left > timedelta(0) else f"{at}, due for {how_long(-left)}"


def cron_trouble(ran: LastRun | None, now: datetime) -> str | None:
    """Why nothing may go out by itself, from the trace that ``run-due`` left; None when it came lately."""
    if ran is None:
        return "newsletter run-due has never run here: newsletter cron prints what runs it"
    ago = now - ran.at
    if ago < -_SLACK:
        return (
            f"newsletter run-due last ran {how_long(-ago)} from now: a clock is or was wrong; newsletter doctor looks"
        )
    if ago > timedelta(seconds=STALE_SECONDS):
        return f"newsletter run-due last ran {how_long(ago)} ago: cron seems dead; newsletter doctor looks"
    if ran.error:
        return f"newsletter run-due ended with an error: {ran.error}"
    return None


def outlook(desk: Desk) -> Outlook:
    """Look ahead; reads the database if there is one, the issues' folders and run-due's trace, and writes nothing."""
    zone = desk.config.publication.timezone
    now = from_us(now_us())
    there = mailings.all_mailings(desk.store) if desk.workspace.database.exists() else []
    there.sort(key=lambda mailing: (mailing.send_at, mailing.id))
    # Fewer of a daily: each looks through the folders.
    times = upcoming(desk, now, now + AHEAD)[:_MOST_TIMES]
    recurring = [(o.said, tuple(who_goes(desk, o))) for o in times]
    by_rule = {issue for _, issues in recurring for issue in issues}
    return Outlook(
        now=now,
        zone=zone,
        coming=tuple(m for m in there if m.state in _WAITING),
        stopped=tuple(m for m in there if m.state in _STOPPED),
        lacking=tuple(
            lack for lack in _lacking(desk, now.astimezone(zone_of(zone)), there) if lack.issue not in by_rule
        ),
        last_run=last_run(desk.workspace),
        recurring=tuple(recurring),
        resting={m.issue: said for m in there if m.state == "sending" and (said := rests(desk, m))},
    )


def _lacking(desk: Desk, now: datetime, there: list[Mailing]) -> Iterator[Lack]:
    """Issues of the next two weeks that nothing will send, the next one first."""
    on_their_way = {mailing.issue for mailing in there if mailing.state != "cancelled"}
    for summary in reversed(list_issues(desk.workspace)):
        if summary.date is None or summary.slug in on_their_way:
            continue
        if now.date() <= summary.date <= (now + AHEAD).date():
            yield _lack(desk, summary)


def _lack(desk: Desk, summary: IssueSummary) -> Lack:
    slug, date = summary.slug, f"{summary.date:%a %Y-%m-%d}"
    if summary.problem is not None:
        return Lack(slug, date, (f"it cannot be read: {summary.problem}",), f"newsletter check {slug}")
    if summary.approved and (by := _lacking_approvers(desk, slug)):
        return Lack(slug, date, (f"approved by {by} only",), f"newsletter approve {slug} --by NAME")
    if summary.approved:
        return Lack(slug, date, ("approved, but not scheduled",), f"newsletter send {slug}")
    missing = ["not approved"]
    if not summary.stories:
        missing.append("no stories")
    if not summary.subject:
        missing.append("no subject of its own")
    fix = f"newsletter issue pick {slug} ARTICLE…" if not summary.stories else f"newsletter check {slug}"
    return Lack(slug, date, tuple(missing), fix)


def _lacking_approvers(desk: Desk, slug: str) -> str | None:
    """By how many of those who must approve an issue it is approved; None when by all, or when that cannot be read."""
    with contextlib.suppress(BadData, IllegalState):
        approval = load_approval(desk.workspace, slug)
        return said(approval, desk.config) if missing(approval, desk.config) else None
    return None


def _stopped(mailing: Mailing) -> Iterator[str]:
    reason = f": {mailing.reason}" if mailing.reason and mailing.reason != RELEASED else ""
    yield f"! {mailing.issue}  {mailing.state}{reason}"
    yield f"    newsletter resume {mailing.issue}, or newsletter cancel {mailing.issue}"
