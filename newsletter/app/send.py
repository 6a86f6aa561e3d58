"""``send`` and ``run-due``: from an approval to a sum that closes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Protocol

from newsletter.app.alerts import tell
from newsletter.app.approve import schedule
from newsletter.app.desk import Desk
from newsletter.app.failing import failing_sources
from newsletter.app.heartbeat import beating
from newsletter.app.log import Journal, RunLog, last_run, mark_run
from newsletter.app.preflight import preflight
from newsletter.app.providers import canary_unjudged, make_provider
from newsletter.app.recurring import reminders, schedule_recurring
from newsletter.app.words import clock_time, plural, when
from newsletter.delivery import mailings
from newsletter.delivery.approval import load_approval
from newsletter.delivery.approvers import missing, require_all, said
from newsletter.delivery.causes import Cause
from newsletter.delivery.forecast import Forecast, forecast
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.plan import Planned, foresee
from newsletter.delivery.run_due import MailingRun, RunReport, Work, run_mailing
from newsletter.delivery.run_due import run_due as _run_due
from newsletter.delivery.schedule import parse_send_at
from newsletter.delivery.status import sum_sentence
from newsletter.delivery.undo import undo_window
from newsletter.delivery.warm_up import ramp_of, steps_left
from newsletter.delivery.watch import Waiting, Watch, Why
from newsletter.errors import NewsletterError
from newsletter.store.clock import from_us, now_us, to_us

_RETRY_WAIT = 15 * 60.0
"""Seconds that ``send`` stays for deliveries the provider has put off; ``run-due`` comes again by itself."""
_WAITS: Final[Mapping[Why, str]] = MappingProxyType(
    {
        "undo": "can still be stopped whole (newsletter unapprove)",
        "rate": "waits for the rate",
        "domain": "waits for the limit of a mailbox domain",
        "provider": "the provider is away; it is left alone",
        "retry": "waits to try again what was put off",
        "canary": "waits for what the provider says of the canary",
    }
)


class Shown(Protocol):
    """Who shows a sending on a terminal: ``(done, total)``, and what it waits for in words."""

    def __call__(self, done: int, total: int) -> None:
        """So many of all are settled."""

    def wait(self, words: str, *, pause: bool) -> None:
        """Nothing goes out just now; not a ``pause`` where that is the pace that was asked for."""


class _Unseen:
    def __call__(self, done: int, total: int) -> None:
        pass

    def wait(self, words: str, *, pause: bool) -> None:
        pass


UNSEEN: Shown = _Unseen()


class _Watching(Watch):
    """Tells the log and the terminal, in the publication's local time."""

    def __init__(self, desk: Desk, journal: Journal, shown: Shown) -> None:
        self._zone = desk.config.publication.timezone
        self._journal = journal
        self._shown = shown
        self._issue = ""
        self.took: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Since the last mailing began."""
        return self._journal.seconds

    def begin(self, issue: str, planned: int) -> None:
        self._issue = issue
        self._journal.begin(issue, planned)

    def progress(self, done: int, total: int) -> None:
        self._journal.progress(done, total)
        self._shown(done, total)
        self.took[self._issue] = self._journal.seconds

    def waiting(self, waiting: Waiting) -> None:
        self._journal.waiting(waiting)
        until = "" if waiting.until is None else f" until {clock_time(waiting.until, self._zone, seconds=True)}"
        self._shown.wait(f"{_WAITS[waiting.why]}{until}", pause=waiting.why not in {"rate", "domain"})


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
    unjudged: str | None = None
    lacks: str | None = None
    """By how many of those who must approve it it is approved; None when by all."""

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
            "canary": self.forecast.canary,
            "canary_wait_seconds": self.forecast.canary_wait,
            "canary_unjudged": self.unjudged,
            "warm_up_days": list(self.forecast.days),
            "approvals_lacking": self.lacks,
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
        if self.forecast.canary:
            size, wait = plural(self.forecast.canary, "reader"), _minutes(self.forecast.canary_wait)
            lines.append(f"  a canary of {size} first; everybody else {wait} later, if it goes well.")
        if self.unjudged:
            lines.append(f"  {self.unjudged}.")
        if self.forecast.days:
            days = ", then ".join(f"{count:,}" for count in self.forecast.days)
            lines.append(f"  the warm-up spreads it over {plural(len(self.forecast.days), 'day')}: {days}.")
        if self.lacks:
            lines.append(f"  it is approved by {self.lacks}: nothing goes before the others have approved it too.")
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
    rests: str | None = None
    warning: str | None = None
    next_try: str | None = None
    """Local time at which those that were put off are tried again; None when nobody is."""

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"issue": self.issue, "state": self.state, "counts": self.counts, "reason": self.reason,
                "rests": self.rests, "warning": self.warning, "sent_already": self.already,
                "next_try": self.next_try}  # fmt: skip

    def lines(self) -> list[str]:
        """For the terminal."""
        if self.already:
            return [f"{self.issue} was sent already: {self.sentence}. Nobody gets it twice."]
        lines = [f"{self.issue} {self.state}: {self.sentence}"]
        if self.reason:
            lines.append(f"  {self.reason}")
        if self.rests:
            lines.append(f"  {self.rests}; newsletter run-due goes on by itself")
        elif self.next_try:
            lines.append(f"  the next try is at {self.next_try}, by newsletter run-due")
        if self.warning and self.warning != self.reason:
            lines.append(f"  {self.warning}")
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
    lacks = said(approval, desk.config) if missing(approval, desk.config) else None
    return _preview(desk, slug, approval.facts.corrects, mailings.live(desk.store, slug), lacks)


def draft_preview(desk: Desk, slug: str, corrects: str | None) -> SendPreview:
    """Who would get an issue if it were approved as it is; ``corrects`` is the issue that it corrects."""
    return _preview(desk, slug, corrects, None, None)


def _preview(desk: Desk, slug: str, corrects: str | None, live: Mailing | None, lacks: str | None) -> SendPreview:
    planned = foresee(desk.store, desk.keys, slug, corrects=corrects)
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
    with desk.store.read() as conn:
        ramp = ramp_of(capabilities.name, desk.config)
        ahead = steps_left(conn, ramp, now_us()) if ramp is not None else []
    waits = live is None or (live.state == "scheduled" and not live.released)
    return SendPreview(
        issue=slug,
        provider=capabilities.name,
        planned=planned,
        forecast=forecast(planned, desk.config, capabilities, ahead),
        undo_seconds=undo_window(desk.config) / 1_000_000 if waits else 0.0,
        seeds=len(desk.config.schedule.seeds),
        preflight=desk.config.schedule.preflight and not capabilities.local,
        sent_already=live is not None and live.state == "completed",
        question=question,
        unjudged=canary_unjudged(desk.config),
        lacks=lacks,
    )


def send_issue(
    desk: Desk,
    slug: str,
    *,
    stop: Callable[[], bool] = lambda: False,
    shown: Shown = UNSEEN,
) -> SendOutcome:
    """Send an approved issue now and stay until its sum closes, or only an editor can go on.

    What its warm-up leaves for tomorrow is left to ``run_due``.

    Raises GuardRefused, IllegalState (held or paused: resume it first), Busy, Interrupted.
    """
    approval = load_approval(desk.workspace, slug)
    require_all(approval, desk.config)
    now = now_us()
    mailing = mailings.live(desk.store, slug) or schedule(
        desk, approval, parse_send_at("now", approval.zone, from_us(now)), now
    )
    if mailing.state == "completed":
        return _outcome(_as_run(desk, mailing), mailing.zone, already=True)
    log = RunLog(desk, "send")
    watching = _Watching(desk, Journal(log), shown)
    run = run_mailing(_work(desk, stop=stop, watch=watching, wait=_RETRY_WAIT), mailing)
    _log(log, run, watching.seconds)
    return _outcome(run, mailing.zone)


def run_due(desk: Desk, *, stop: Callable[[], bool] = lambda: False, shown: Shown = UNSEEN) -> DueReport:
    """Send every mailing that is due; what another process is sending is left to it. Leaves a trace of having run.

    Then tells whom ``[alerts]`` names, if an editor must act. No alert and no heartbeat ever changes what is sent.
    """
    before = last_run(desk.workspace)
    mark_run(desk.workspace)
    try:
        with beating(desk.config.alerts.heartbeat) as beat:
            undecided, failed = _recurring(desk)
            report = _due(desk, stop, shown, to_us(before.well) if before and before.well else 0)
            report = replace(report, error=report.error or failed)
            if not stop():
                tell(desk, lambda: [*undecided, *reminders(desk), *failing_sources(desk)])
            beat.exit_code = report.error.exit_code if report.error is not None else int(report.needs_editor)
    except NewsletterError as error:
        mark_run(desk.workspace, error)
        raise
    mark_run(desk.workspace, report.error, well=report.error is None)
    return report


def _recurring(desk: Desk) -> tuple[list[Cause], NewsletterError | None]:
    """What the rules ask for; trouble with it holds back nothing that is scheduled already."""
    try:
        return schedule_recurring(desk), None
    except NewsletterError as error:
        return [], error


def _due(desk: Desk, stop: Callable[[], bool], shown: Shown, last: int) -> DueReport:
    if not desk.workspace.database.exists():
        return DueReport([], None, False)
    log = RunLog(desk, "run-due")
    watching = _Watching(desk, Journal(log), shown)
    report: RunReport = _run_due(replace(_work(desk, stop=stop, watch=watching), last_run=last))
    for run in report.runs:
        _log(log, run, watching.took.get(run.issue))
    if report.error is not None:
        log.write("error", kind=type(report.error).__name__, what=report.error.what)
    zone = desk.config.publication.timezone
    return DueReport([_outcome(run, zone) for run in report.runs], report.error, report.needs_editor)


def _log(log: RunLog, run: MailingRun, seconds: float | None) -> None:
    recovered = {"released": run.recovered.released, "uncertain": run.recovered.uncertain}
    more = {name: value for name, value in (("rests", run.rests), ("warning", run.warning)) if value is not None}
    log.write("mailing", issue=run.issue, state=run.state, counts=run.counts, reason=run.reason, recovered=recovered,
              next_try_at=None if run.next_try_at is None else from_us(run.next_try_at).isoformat(timespec="seconds"),
              seconds=None if seconds is None else round(seconds, 1), **more)  # fmt: skip


def _work(
    desk: Desk,
    *,
    stop: Callable[[], bool],
    watch: Watch,
    wait: float = 0.0,
) -> Work:
    return Work(
        store=desk.store,
        workspace=desk.workspace,
        config=desk.config,
        keys=desk.keys,
        provider=lambda: make_provider(desk),
        stop=stop,
        watch=watch,
        wait=wait,
        preflight=partial(preflight, desk),
    )


def _as_run(desk: Desk, mailing: Mailing) -> MailingRun:
    from newsletter.delivery.status import status

    now = status(desk.store, desk.workspace, mailing.issue)
    return MailingRun(mailing.issue, now.state, now.reason, dict(now.counts or {}))


def _outcome(run: MailingRun, zone: str, *, already: bool = False) -> SendOutcome:
    return SendOutcome(
        issue=run.issue,
        state=run.state,
        sentence=sum_sentence(sum(run.counts.values()), run.counts) if run.counts else "0 submitted",
        reason=run.reason,
        counts=dict(run.counts),
        needs_editor=run.needs_editor and not already,
        already=already,
        rests=run.rests,
        warning=run.warning,
        next_try=clock_time(run.next_try_at, zone) if run.next_try_at is not None and run.state == "sending" else None,
    )


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return plural(math.ceil(seconds), "second")
    minutes = math.ceil(seconds / 60)
    if minutes >= 36 * 60:
        return plural(math.ceil(minutes / 1440), "day")
    return plural(minutes, "minute") if minutes < 90 else f"{minutes / 60:.1f} hours"
