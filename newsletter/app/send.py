"""``send`` and ``run-due``: from an approval to a sum that closes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from newsletter.app.alerts import tell
from newsletter.app.approve import schedule
from newsletter.app.desk import Desk
from newsletter.app.failing import failing_sources
from newsletter.app.heartbeat import beating
from newsletter.app.log import RunLog, mark_run
from newsletter.app.preflight import preflight
from newsletter.app.providers import make_provider
from newsletter.app.recurring import reminders, schedule_recurring
from newsletter.app.words import plural, when
from newsletter.delivery import mailings
from newsletter.delivery.approval import load_approval
from newsletter.delivery.causes import Cause
from newsletter.delivery.forecast import Forecast, forecast
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.plan import Planned, foresee
from newsletter.delivery.run_due import MailingRun, RunReport, Work, run_mailing
from newsletter.delivery.run_due import run_due as _run_due
from newsletter.delivery.schedule import parse_send_at
from newsletter.delivery.status import sum_sentence
from newsletter.delivery.undo import undo_window
from newsletter.errors import NewsletterError
from newsletter.store.clock import from_us, now_us

_RETRY_WAIT = 15 * 60.0
"""Seconds that ``send`` stays for deliveries the provider has put off; ``run-due`` comes again by itself."""


@dataclass(frozen=True, slots=True)
class SendPreview:
    """What ``send`` would do. ``question`` is what to ask first, None when there is nothing to decide."""

    issue: str
    provider: str
    planned: Planned
    forecast: Forecast
    undo_seconds: float = 0.0
    seeds: int = 0
    preflight: bool = False
    sent_already: bool = False
    question: str | None = None

    @property
    def undo_line(self) -> str | None:
        """How long it can still be stopped whole, in words; None without ``[schedule] undo``."""
        if not self.undo_seconds or self.sent_already:
            return None
        return f"it waits {_minutes(self.undo_seconds)} first; until then newsletter unapprove stops it whole."

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issue": self.issue,
            "provider": self.provider,
            "readers": self.planned.total,
            "recipients": self.planned.pending,
            "excluded": dict(self.planned.excluded),
            "batches": self.forecast.batches,
            "seconds_at_least": round(self.forecast.seconds, 3) or None,
            "because": self.forecast.because,
            "undo_seconds": self.undo_seconds,
            "seeds": self.seeds,
            "preflight": self.preflight,
            "sent_already": self.sent_already,
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        if self.sent_already:
            return [f"{self.issue} was sent already. newsletter status {self.issue} says how it went."]
        lines = [
            f"{self.issue} would go to {plural(self.planned.pending, 'reader')} through {self.provider}, "
            f"in {plural(self.forecast.batches, 'batch', 'batches')}."
        ]
        lines += [f"  excluded: {count:,} {reason}" for reason, count in sorted(self.planned.excluded.items())]
        if self.undo_line:
            lines.append(f"  {self.undo_line}")
        if self.preflight:
            lines.append("  before the first mail, pictures, web copy and unsubscribe page are asked for.")
        if self.seeds:
            lines.append(f"  {plural(self.seeds, 'seed')} first; nobody else until each of them was accepted.")
        if self.forecast.seconds:
            lines.append(f"  it takes at least {_minutes(self.forecast.seconds)}: {self.forecast.because}.")
        return lines


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What sending one issue came to."""

    issue: str
    state: str
    sentence: str
    reason: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    needs_editor: bool = False
    already: bool = False

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"issue": self.issue, "state": self.state, "counts": self.counts, "reason": self.reason,
                "sent_already": self.already}  # fmt: skip

    def lines(self) -> list[str]:
        """For the terminal."""
        if self.already:
            return [f"{self.issue} was sent already: {self.sentence}. Nobody gets it twice."]
        lines = [f"{self.issue} {self.state}: {self.sentence}"]
        if self.reason:
            lines.append(f"  {self.reason}")
        if self.counts.get("uncertain"):
            lines.append(f"  Settle the uncertain: newsletter reconcile {self.issue}")
        if self.state in {"paused", "held"}:
            lines.append(f"  Go on with: newsletter resume {self.issue}")
        return lines


@dataclass(frozen=True, slots=True)
class DueReport:
    """What one ``run-due`` did. Nothing due: no line at all, since cron mails every line to somebody."""

    runs: list[SendOutcome]
    error: NewsletterError | None
    needs_editor: bool

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"runs": [run.as_row() for run in self.runs], "error": str(self.error) if self.error else None}

    def lines(self) -> list[str]:
        """For the terminal or cron's mail."""
        return [line for run in self.runs for line in run.lines()]


def plan_preview(desk: Desk, slug: str) -> SendPreview:
    """Who would get an approved issue; raises IllegalState when it is not approved."""
    approval = load_approval(desk.workspace, slug)
    live = mailings.live(desk.store, slug)
    planned = foresee(desk.store, desk.keys, corrects=approval.facts.corrects)
    provider = make_provider(desk)
    try:
        capabilities = provider.capabilities
    finally:
        provider.close()
    question = None
    if live is not None and live.state == "scheduled" and live.send_at > now_us():
        question = f"{slug} is scheduled {when(live)}. Send it now instead?"
    elif not capabilities.local and (live is None or live.state == "scheduled"):
        question = f"Send {slug} to {plural(planned.pending, 'reader')} through {capabilities.name} now?"
    waits = live is None or (live.state == "scheduled" and live.reason != mailings.RELEASED)
    return SendPreview(
        issue=slug,
        provider=capabilities.name,
        planned=planned,
        forecast=forecast(planned, desk.config, capabilities),
        undo_seconds=undo_window(desk.config) / 1_000_000 if waits else 0.0,
        seeds=len(desk.config.schedule.seeds),
        preflight=desk.config.schedule.preflight and not capabilities.local,
        sent_already=live is not None and live.state == "completed",
        question=question,
    )


def send_issue(
    desk: Desk,
    slug: str,
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> SendOutcome:
    """Send an approved issue now and stay until its sum closes, or only an editor can go on.

    Raises GuardRefused, IllegalState (held or paused: resume it first), Busy, Interrupted.
    """
    approval = load_approval(desk.workspace, slug)
    now = now_us()
    mailing = mailings.live(desk.store, slug) or schedule(
        desk, approval, parse_send_at("now", approval.zone, from_us(now)), now
    )
    if mailing.state == "completed":
        return _outcome(_as_run(desk, mailing), already=True)
    run = run_mailing(_work(desk, stop=stop, progress=progress, wait=_RETRY_WAIT), mailing)
    _log(RunLog(desk, "send"), run)
    return _outcome(run)


def run_due(desk: Desk, *, stop: Callable[[], bool] = lambda: False) -> DueReport:
    """Send every mailing that is due; what another process is sending is left to it. Leaves a trace of having run.

    Then tells whom ``[alerts]`` names, if an editor must act. No alert and no heartbeat ever changes what is sent.
    """
    mark_run(desk.workspace)
    try:
        with beating(desk.config.alerts.heartbeat) as beat:
            undecided, failed = _recurring(desk)
            report = _due(desk, stop)
            report = replace(report, error=report.error or failed)
            if not stop():
                tell(desk, lambda: [*undecided, *reminders(desk), *failing_sources(desk)])
            beat.exit_code = report.error.exit_code if report.error is not None else int(report.needs_editor)
    except NewsletterError as error:
        mark_run(desk.workspace, error)
        raise
    if report.error is not None:
        mark_run(desk.workspace, report.error)
    return report


def _recurring(desk: Desk) -> tuple[list[Cause], NewsletterError | None]:
    """What the rules ask for; trouble with it holds back nothing that is scheduled already."""
    try:
        return schedule_recurring(desk), None
    except NewsletterError as error:
        return [], error


def _due(desk: Desk, stop: Callable[[], bool]) -> DueReport:
    if not desk.workspace.database.exists():
        return DueReport([], None, False)
    report: RunReport = _run_due(_work(desk, stop=stop))
    log = RunLog(desk, "run-due")
    for run in report.runs:
        _log(log, run)
    if report.error is not None:
        log.write("error", kind=type(report.error).__name__, what=report.error.what)
    return DueReport([_outcome(run) for run in report.runs], report.error, report.needs_editor)


def _log(log: RunLog, run: MailingRun) -> None:
    recovered = {"released": run.recovered.released, "uncertain": run.recovered.uncertain}
    log.write("mailing", issue=run.issue, state=run.state, counts=run.counts, reason=run.reason, recovered=recovered)


def _work(
    desk: Desk,
    *,
    stop: Callable[[], bool],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    wait: float = 0.0,
) -> Work:
    return Work(
        store=desk.store,
        workspace=desk.workspace,
        config=desk.config,
        keys=desk.keys,
        provider=lambda: make_provider(desk),
        stop=stop,
        progress=progress,
        wait=wait,
        preflight=partial(preflight, desk),
    )


def _as_run(desk: Desk, mailing: Mailing) -> MailingRun:
    from newsletter.delivery.status import status

    now = status(desk.store, desk.workspace, mailing.issue)
    return MailingRun(mailing.issue, now.state, now.reason, dict(now.counts or {}))


def _outcome(run: MailingRun, *, already: bool = False) -> SendOutcome:
    return SendOutcome(
        issue=run.issue,
        state=run.state,
        sentence=sum_sentence(sum(run.counts.values()), run.counts) if run.counts else "0 submitted",
        reason=run.reason,
        counts=dict(run.counts),
        needs_editor=run.needs_editor and not already,
        already=already,
    )


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return plural(math.ceil(seconds), "second")
    minutes = math.ceil(seconds / 60)
    return plural(minutes, "minute") if minutes < 90 else f"{minutes / 60:.1f} hours"
