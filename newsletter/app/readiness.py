"""What an editor looks at before an issue is approved, and while it goes out; the composer's Send screen in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from newsletter.app.check import context_of, weighs
from newsletter.app.desk import Desk
from newsletter.app.log import last_run
from newsletter.app.mailings import IssueStatus, issue_status
from newsletter.app.next import cron_trouble
from newsletter.app.outgoing import PREVIEW_ID, issue_facts
from newsletter.app.providers import make_provider
from newsletter.app.recurring import time_of
from newsletter.app.render import Rendered, render
from newsletter.app.send import SendPreview, draft_preview, plan_preview
from newsletter.app.words import day_time, plural
from newsletter.checks.run import run_checks
from newsletter.clients.gmail import CLIP
from newsletter.delivery import testsend
from newsletter.delivery.approval import load_approval, outgoing_from_email
from newsletter.delivery.schedule import at_wall_time, how_long, parse_send_at, zone_of
from newsletter.errors import ConfigurationError, IllegalState, NewsletterError, UsageProblem
from newsletter.models import Severity
from newsletter.store.clock import from_us, now_us

_OWN_BUTTONS: Final = ("Go on with: ", "Settle the uncertain: ", "can be stopped until ", "send time: ")
"""Lines of ``status`` that lead to a command: where there are buttons they are not needed."""


@dataclass(frozen=True, slots=True)
class Point:
    """A line of the checklist. ``state`` is ok, warning, error (approving is refused) or note; ``about`` what it is on.

    ``more`` are findings, each as (message, article or "").
    """

    about: str
    state: str
    words: str
    more: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Readiness:
    """An issue that is not approved. ``seen`` is the digest that approving it now would give, None if it has none.

    ``day`` and ``clock`` are the time to suggest (see ``suggested``), ``by_itself`` is when ``[schedule] every`` would
    send it, in words.
    """

    subject: str
    points: Sequence[Point]
    seen: str | None
    day: str
    clock: str
    by_itself: str | None

    @property
    def blocked(self) -> bool:
        """Whether ``approve`` would refuse it."""
        return any(point.state == "error" for point in self.points)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time to send at. ``words`` as in ``Friday 4 December 2026, 07:00 Europe/London, in 7 days``.

    ``explained`` says what becomes of a time that the clock skips or shows twice.
    """

    words: str
    explained: str | None = None

    def as_row(self) -> dict[str, Any]:
        """For JSON."""
        return {"words": self.words, "explained": self.explained}


@dataclass(frozen=True, slots=True)
class Going:
    """An issue that is approved, or was sent. ``told`` is what else ``status`` says; ``at`` when it goes, in words.

    ``key`` changes when a page has to look anew; ``done`` of ``total`` deliveries are settled.
    """

    status: IssueStatus
    at: str | None
    told: Sequence[str]
    trouble: str | None
    done: int
    total: int
    uncertain: int
    begun: bool
    subject: str | None = None
    digest: str | None = None
    """Of what is frozen."""

    @property
    def lacking(self) -> int:
        """How many more people must approve what is frozen."""
        now = self.status.status
        waits = now.approvers and now.state in {"approved", "scheduled", "held"}
        return max(0, self.status.required - len(now.approvers)) if waits else 0

    @property
    def key(self) -> str:
        """What a page of this is good for."""
        now = self.status.status
        return f"{now.state} {now.approved} {self.begun} {self.uncertain} {self.total} {self.lacking}"


def look(desk: Desk, slug: str) -> Readiness:
    """Render and check an issue and say what stands between it and its readers. Raises what rendering raises."""
    rendered = render(desk, slug)
    digest: str | None = None
    try:
        facts = issue_facts(desk.config, rendered.issue)
        digest = outgoing_from_email(
            rendered.email, facts, mailing=PREVIEW_ID, date=datetime(2000, 1, 1, tzinfo=UTC)
        ).digest
        sender = Point("Sender", "ok", f"{facts.sender_name} <{facts.sender_email}>")
    except ConfigurationError as error:
        sender = Point("Sender", "error", error.what)
    points = [_checks(desk, rendered), _test(desk, slug, digest), sender, _provider(desk), _size(rendered)]
    points += [*_approvals(desk), *_cron(desk)]
    day = rendered.issue.date
    now = from_us(now_us())
    ruled = None if rendered.issue.corrects else time_of(desk, day, now)
    at = suggested(day, now, desk.config.publication.timezone)
    return Readiness(
        rendered.email.subject, points, digest, f"{at:%Y-%m-%d}", f"{at:%H:%M}", ruled.said if ruled else None
    )


MORNING: Final = time(7)
"""When a newsletter is suggested to go out, on the publication's clocks."""


def suggested(day: date, now: datetime, zone: str) -> datetime:
    """The morning to suggest, as a local time: an issue's own ``day``, or the next one where that is past."""
    there = now.astimezone(zone_of(zone)).replace(tzinfo=None)
    today = datetime.combine(there, MORNING)
    return max(datetime.combine(day, MORNING), today if there < today else today + timedelta(days=1))


def _checks(desk: Desk, rendered: Rendered) -> Point:
    findings = run_checks(context_of(desk, rendered))
    count = Counter(finding.severity for finding in findings if finding.waived is None)
    errors = weighs(findings, Severity.ERROR)
    named = ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
    words = ", ".join(plural(count[severity], name) for severity, name in named if count[severity])
    if errors:
        more = tuple((finding.message, finding.article or "") for finding in errors)
        return Point("Checks", "error", f"{words}: it cannot be approved before the errors are put right", more)
    state = "warning" if count[Severity.WARNING] else "ok"
    return Point("Checks", state, f"no errors, {words}" if words else "nothing to object to")


def _test(desk: Desk, slug: str, digest: str | None) -> Point:
    test = testsend.last_arrived(desk.store, slug)
    if test is None:
        return Point("Test mail", "warning", "none yet: nobody has seen it in a mail program")
    name = f"test {test.number} · {test.code}"
    if test.digest != digest:
        return Point("Test mail", "warning", f"the issue was changed since {name}")
    to = ", ".join(receipt.address for receipt in test.receipts if receipt.accepted)
    when = day_time(test.at, desk.config.publication.timezone, from_us(now_us()))
    return Point("Test mail", "ok", f"{name} went to {to} {when}; nothing was changed since")


def _provider(desk: Desk) -> Point:
    name = desk.config.provider.name
    try:
        provider = make_provider(desk)
    except NewsletterError as error:
        return Point("Provider", "error", error.what)
    try:
        local = provider.capabilities.local
    finally:
        provider.close()
    if local and name == "outbox":
        where = desk.config.provider.outbox.path
        return Point("Provider", "note", f"outbox: the mails go into {where}, and nothing leaves this machine")
    return Point("Provider", "ok", name)


def _size(rendered: Rendered) -> Point:
    size, room = rendered.email.size, CLIP - rendered.email.size
    words = f"{size / 1024:.1f} KB"
    if room < 0:
        return Point("Size", "warning", f"{words}: Gmail clips it")
    return Point("Size", "ok", f"{words}; Gmail clips at {CLIP // 1024} KB")


def _approvals(desk: Desk) -> list[Point]:
    required = desk.config.schedule.approvals_required
    if required < 2:
        return []
    return [Point("Approvals", "note", f"{required} different people approve it; the last one schedules it")]


def _cron(desk: Desk) -> list[Point]:
    ran, now = last_run(desk.workspace), from_us(now_us())
    trouble = cron_trouble(ran, now)
    if trouble or ran is None:
        return [Point("Cron", "warning", trouble or "")]
    return [Point("Cron", "ok", f"newsletter run-due last ran {how_long(now - ran.at)} ago")]


def audience_preview(desk: Desk, slug: str) -> SendPreview:
    """Who would get an issue, approved or not, as ``send --dry-run`` counts them."""
    try:
        return plan_preview(desk, slug)
    except IllegalState:
        return draft_preview(desk, slug, issue_facts(desk.config, render(desk, slug).issue).corrects)


def moment(desk: Desk, day: str, clock: str) -> Moment:
    """A date and a time of day on the publication's clocks, in words. Raises UsageProblem for what is past or none."""
    zone, now = desk.config.publication.timezone, from_us(now_us())
    asked = f"{day.strip()} {clock.strip()[:5]}"
    at = parse_send_at(asked, zone, now)
    wall = datetime.fromisoformat(at.local)
    try:
        typed = datetime.fromisoformat(asked)
    except ValueError as error:  # "Fri 07:00", which no date field sends
        raise UsageProblem(f'"{asked}" is not a date and a time', fix="choose a date and a time") from error
    explained = None
    if wall != typed:
        explained = (
            f"The clocks skip {typed:%H:%M} on that day: it goes at {wall:%H:%M}, the next minute that there is."
        )
    elif typed.replace(tzinfo=zone_of(zone), fold=1).astimezone(UTC) != at_wall_time(typed, zone_of(zone)):
        explained = f"The clocks show {typed:%H:%M} twice on that day: it goes the first time."
    return Moment(f"{_said(wall, zone)}, in {how_long(at.utc - now)}", explained)


def _said(wall: datetime, zone: str) -> str:
    return f"{wall:%A} {wall.day} {wall:%B %Y}, {wall:%H:%M} {zone}"


def going(desk: Desk, slug: str) -> Going:
    """What becomes of an issue now. Raises NotFound."""
    status = issue_status(desk, slug)
    now = status.status
    counts = now.counts or {}
    at = None
    if now.local_time and now.zone:
        at = _said(datetime.fromisoformat(now.local_time), now.zone)
        if now.state == "scheduled" and now.send_at is not None:
            left = from_us(now.send_at) - from_us(now_us())
            at += f", in {how_long(left)}" if left > timedelta(0) else f", due for {how_long(-left)}"
    told = [line.strip() for line in status.lines()[2:]]
    waits = now.state in {"scheduled", "planning", "sending"}
    planned = now.planned or 0
    unsettled = sum(counts.get(state, 0) for state in ("pending", "claimed", "submitting", "retry_wait"))
    begun = any(counts.get(state) for state in ("submitting", "submitted", "rejected", "failed", "uncertain"))
    return Going(
        status,
        at,
        [line for line in told if not line.startswith(_OWN_BUTTONS)],
        cron_trouble(last_run(desk.workspace), from_us(now_us())) if waits else None,
        max(0, planned - unsettled),
        planned,
        counts.get("uncertain", 0),
        begun,
        *_frozen(desk, slug),
    )


def _frozen(desk: Desk, slug: str) -> tuple[str | None, str | None]:
    """The subject and the digest of what is approved."""
    try:
        approval = load_approval(desk.workspace, slug)
    except NewsletterError:
        return None, None
    return approval.subject, approval.digest


def stories_of(desk: Desk, slug: str) -> list[tuple[str, bool]]:
    """The stories of an approved issue, each with whether it was retracted; none while it is not approved."""
    try:
        approval = load_approval(desk.workspace, slug)
    except NewsletterError:
        return []
    gone = {found.article for found in issue_status(desk, slug).status.retracted}
    names = dict.fromkeys(span.article for span in approval.spans if span.article)
    return [(name, name in gone) for name in names]
