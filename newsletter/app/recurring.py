"""``[schedule] every``: the approved issue of the day goes out by itself; what is not approved never does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from datetime import date as Date

from newsletter.app.desk import Desk
from newsletter.delivery import mailings
from newsletter.delivery.approval import Approval, load_approval
from newsletter.delivery.approvers import missing
from newsletter.delivery.causes import Cause
from newsletter.delivery.recurring import (
    Occurrence,
    begin,
    occurrences,
    reopen,
    schedule_occurrence,
    settle,
    settled,
    waits_for,
)
from newsletter.errors import BadData, IllegalState
from newsletter.issues.folder import issues_dated
from newsletter.store.clock import from_us, now_us, to_us
from newsletter.workspace.config import parse_duration
from newsletter.workspace.values import rules_of

_BACK = timedelta(days=7)
_USUAL_LATENESS = timedelta(hours=2)


def schedule_recurring(desk: Desk) -> list[Cause]:
    """Schedule what the rules ask for by now. Of several times that were missed only the newest is offered, held.

    Returns what an editor must decide: two approved issues for one time.
    """
    if not desk.workspace.database.exists():
        return []
    now = now_us()
    since = begin(desk.store, rules_of(desk.config), desk.config.publication.timezone, now)
    if not since:
        return []
    # "0m" lets a late mailing go; here it would send last week's issue on the day that a rule is written.
    lateness = parse_duration(desk.config.schedule.lateness, "schedule.lateness") or _USUAL_LATENESS
    provider = desk.config.provider.name
    undecided, offered = [], False
    for occurrence in _open(desk, since, from_us(now)):
        late = from_us(now) - occurrence.utc > lateness
        ready = _ready(desk, occurrence)
        if ready and not (late and offered):
            if len(ready) == 1:
                schedule_occurrence(desk.store, occurrence, ready[0], provider=provider, lateness=lateness, now=now)
            else:
                undecided.append(_ambiguous(occurrence, ready))
        elif late:
            missed = ready[0].issue if ready else None
            settle(desk.store, occurrence, "missed" if ready else "nothing", issue=missed, now=now)
        offered = offered or bool(ready)
    return undecided


def _open(desk: Desk, since: Mapping[str, datetime], now: datetime) -> list[Occurrence]:
    """The times of the last week that nothing was done about yet, the newest first; what lies before one that was
    dealt with is over, and so is what lies before the rule was there (``since``)."""
    found = []
    for rule, begun in since.items():
        past = list(occurrences(rule, desk.config.publication.timezone, max(now - _BACK, begun), now))
        for occurrence in reversed(past):
            if settled(desk.store, occurrence):
                break
            found.append(occurrence)
    return sorted(found, key=lambda occurrence: occurrence.utc, reverse=True)


def goes_by_itself(desk: Desk, slug: str, day: Date, now: datetime) -> str | None:
    """When a rule sends an issue of that day that is approved now, in words; None when none does.

    From now on the rules count, also before ``run-due`` has seen them: this was promised.
    """
    begin(desk.store, rules_of(desk.config), desk.config.publication.timezone, to_us(now))
    occurrence = time_of(desk, day, now)
    if occurrence is None:
        return None
    reopen(desk.store, occurrence, slug)
    return occurrence.said


def time_of(desk: Desk, day: Date, now: datetime) -> Occurrence | None:
    """The next time at which a rule sends an issue of that day."""
    if not timedelta(3) < day - Date.min < Date.max - Date.min - timedelta(3):
        return None  # the calendar ends there, in some zones sooner
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    near = upcoming(desk, max(now, noon - timedelta(days=2)), noon + timedelta(days=2))
    return next((occurrence for occurrence in near if occurrence.day == day), None)


def reminders(desk: Desk) -> list[Cause]:
    """Times that come within ``[schedule] remind`` and for which nothing is approved."""
    ahead = parse_duration(desk.config.schedule.remind, "schedule.remind")
    now = from_us(now_us())
    return [
        Cause(
            f"remind:{occurrence.key}",
            "unapproved",
            None,
            occurrence.local,
            f"nothing is approved for {occurrence.said}, and nothing will go out",
            _what_to_do(desk, occurrence),
        )
        for occurrence in upcoming(desk, now, now + ahead)
        if not who_goes(desk, occurrence)
    ]


def upcoming(desk: Desk, after: datetime, until: datetime) -> list[Occurrence]:
    """The times of all rules between two moments, in order."""
    zone = desk.config.publication.timezone
    found = [o for rule in rules_of(desk.config) for o in occurrences(rule, zone, after, until)]
    return sorted(found, key=lambda occurrence: occurrence.utc)


def who_goes(desk: Desk, occurrence: Occurrence) -> list[str]:
    """The issues of that day that are approved for it, or have a mailing already."""
    slugs = issues_dated(desk.workspace, occurrence.day)
    if not slugs or not desk.workspace.database.exists():
        return []
    approved = {approval.issue for approval in _ready(desk, occurrence)}
    return [slug for slug in slugs if slug in approved or mailings.live(desk.store, slug) is not None]


def _ready(desk: Desk, occurrence: Occurrence) -> list[Approval]:
    """The approvals that the rule may schedule for this time."""
    found = []
    for slug in issues_dated(desk.workspace, occurrence.day):
        try:
            approval = load_approval(desk.workspace, slug)
        except (IllegalState, BadData):
            continue  # not approved, or damaged: status and the mailing's own guard say so
        if missing(approval, desk.config):
            continue
        if waits_for(desk.store, approval, occurrence.utc):
            found.append(approval)
    return found


def _ambiguous(occurrence: Occurrence, ready: list[Approval]) -> Cause:
    slugs = ", ".join(approval.issue for approval in ready)
    return Cause(
        f"every:{occurrence.key}",
        "undecided",
        None,
        slugs,
        f"{slugs} are all approved for {occurrence.said}; none of them went out",
        f"newsletter send {ready[0].issue}, or newsletter unapprove the others",
    )


def _what_to_do(desk: Desk, occurrence: Occurrence) -> str:
    slugs = issues_dated(desk.workspace, occurrence.day)
    return f"newsletter approve {slugs[0]}" if slugs else f"newsletter issue new {occurrence.day}"
