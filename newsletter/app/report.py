"""``report``: what became of an issue that was sent, in numbers that an editor can trust.

What nobody told us is unknown, never nought: a provider that reports no events, opens without tracking. Which links
were clicked is not in here, because it is written down nowhere.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from newsletter.app.desk import Desk
from newsletter.app.words import plural
from newsletter.delivery import mailings
from newsletter.delivery.approval import load_approval
from newsletter.delivery.facts import DomainRow, Facts, HourRow, ReasonRow, facts_of, totals_of
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.schedule import zone_of
from newsletter.delivery.status import sum_sentence
from newsletter.errors import BadData, IllegalState, NotFound
from newsletter.providers import registry
from newsletter.store.clock import from_us, now_us

EARLIER: Final = 5
"""How many earlier issues the median is of."""
_BARRED: Final = ("bounced", "blocked", "dropped", "complained")
_KINDS: Final = ("delivered", *_BARRED, "opened", "clicked", "unsubscribed")
_PROVIDERS_WORD: Final = frozenset({"delivered", *_BARRED, "deferred"})
LINKS_CLICKED: Final = "which links were clicked is not recorded"


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a report. ``count`` and ``share`` (0 to 1, of what ``of`` says) are None when they are unknown.

    ``unknown`` then says why. ``median`` is the share in the ``earlier`` issues in which it was known.
    """

    name: str
    count: int | None
    of: str
    share: float | None
    unknown: str | None = None
    median: float | None = None
    earlier: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one issue. Times are UTC microseconds, to be shown in ``zone`` (IANA)."""

    issue: str
    state: str
    provider: str
    zone: str
    planned: int
    started_at: int
    finished_at: int | None
    facts: Facts
    measures: tuple[Measure, ...]
    corrections: tuple[Report, ...] = ()

    @property
    def sentence(self) -> str:
        """``10,000 = 9,981 submitted + 12 excluded + 7 uncertain``."""
        return sum_sentence(self.planned, self.facts.states)

    @property
    def hours(self) -> Sequence[HourRow]:
        """Hour by hour from the first minute on; the last row may be everything later."""
        return self.facts.hours

    @property
    def domains(self) -> Sequence[DomainRow]:
        """The largest mailbox domains, and all others in one row."""
        return self.facts.domains

    @property
    def reasons(self) -> Sequence[ReasonRow]:
        """Why somebody planned did not get it."""
        return self.facts.reasons

    def at(self, us: int) -> datetime:
        """A time of this report on the clock of the publication."""
        return from_us(us).astimezone(zone_of(self.zone))

    def as_row(self) -> dict[str, Any]:
        """For ``--json``; times are ISO 8601 with the offset of ``zone``."""
        return {
            "issue": self.issue,
            "state": self.state,
            "provider": self.provider,
            "zone": self.zone,
            "sentence": self.sentence,
            "planned": self.planned,
            "counts": dict(self.facts.states),
            "started_at": self.at(self.started_at).isoformat(),
            "finished_at": None if self.finished_at is None else self.at(self.finished_at).isoformat(),
            "as_of": self.at(self.facts.as_of).isoformat(timespec="seconds"),
            "measures": [
                _row(m, "name", "count", "of", "share", "unknown", "median", "earlier") for m in self.measures
            ],
            "hours": [
                {"at": None if h.at is None else self.at(h.at).isoformat(), **_row(h, *_HOURLY)} for h in self.hours
            ],
            "domains": [_row(d, "domain", "submitted", "delivered", "refused", "complained") for d in self.domains],
            "other_domains": self.facts.other_domains,
            "reasons": [_row(r, "state", "reason", "count") for r in self.reasons],
            "links": LINKS_CLICKED,
            "corrections": [correction.as_row() for correction in self.corrections],
        }


_HOURLY = ("submitted", "delivered", "refused", "opened", "clicked", "complained", "unsubscribed")


def _row(of: object, *names: str) -> dict[str, Any]:
    return {name: getattr(of, name) for name in names}


def report_issue(desk: Desk, slug: str) -> Report:
    """What became of an issue and of its corrections; raises NotFound, IllegalState for one that was never sent."""
    mailing = mailings.latest(desk.store, slug)
    if mailing is None and not desk.workspace.issue_dir(slug).is_dir():
        raise NotFound(f"there is no issue {slug}", fix="newsletter issue list")
    if mailing is None or mailing.planned is None:
        raise IllegalState(f"{slug} was not sent yet", fix=f"newsletter status {slug}")
    every = mailings.all_mailings(desk.store)
    corrections = [m for m in every if m.planned and m.created_at > mailing.created_at and _corrects(desk, m) == slug]
    report = _report(desk, mailing, _earlier(desk, mailing, every))
    later = tuple(_report(desk, correction, ()) for correction in reversed(corrections))
    return replace(report, corrections=later)


def _report(desk: Desk, mailing: Mailing, earlier: Sequence[Mapping[str, float | None]]) -> Report:
    facts = facts_of(desk.store, mailing, cache=desk.workspace.cache, now=now_us())
    return Report(
        issue=mailing.issue,
        state=mailing.state,
        provider=mailing.provider,
        zone=desk.config.publication.timezone,
        planned=mailing.planned or 0,
        started_at=facts.start,
        finished_at=mailing.finished_at,
        facts=facts,
        measures=tuple(_measures(desk, mailing, facts.states, facts.events, earlier)),
    )


def _measures(
    desk: Desk,
    mailing: Mailing,
    states: Mapping[str, int],
    events: Mapping[str, int],
    earlier: Sequence[Mapping[str, float | None]] = (),
) -> Iterator[Measure]:
    submitted = states.get("submitted", 0)
    silence = _silence(desk, mailing, events)
    for kind in _KINDS:
        count = events.get(kind, 0)
        unknown = None if count else _unknown(desk, kind, silence)
        whole, of = submitted, "submitted"
        if kind in ("opened", "clicked", "unsubscribed") and events.get("delivered"):
            whole, of = events["delivered"], "delivered"
        share = None if unknown or not whole else count / whole
        if kind == "dropped" and not count:
            continue
        before = [found for row in earlier if (found := row.get(kind)) is not None]
        median = statistics.median(before) if before else None
        yield Measure(kind, None if unknown else count, of, share, unknown, median, len(before))


def _silence(desk: Desk, mailing: Mailing, events: Mapping[str, int]) -> str | None:
    """Why no event of the provider can be expected, None when they come."""
    if any(events.get(kind) for kind in _PROVIDERS_WORD):
        return None
    name = mailing.provider
    if name == "outbox":
        return "the outbox reports no events"
    if name == "smtp":
        return "SMTP reports no events; bounces come as mail"
    if name == "sendgrid":
        sendgrid = desk.config.provider.sendgrid
        if sendgrid is None or sendgrid.webhook_key is None:
            return "events are not set up: provider.sendgrid.webhook_key"
    elif name not in registry.names():
        return f"the provider {name} is not here"
    return f"no event of {name} has come yet"


def _unknown(desk: Desk, kind: str, silence: str | None) -> str | None:
    if kind in ("opened", "clicked"):
        return "mails carry no tracking"
    if kind == "unsubscribed":
        # Our own page counts them, whatever the provider does.
        return None if desk.config.site.url else silence
    return silence


def _earlier(desk: Desk, mailing: Mailing, every: Sequence[Mailing]) -> list[Mapping[str, float | None]]:
    """The shares of the issues before, corrections left out."""
    found: list[Mapping[str, float | None]] = []
    for other in every:
        if len(found) == EARLIER:
            break
        before = other.send_at < mailing.send_at and other.state == "completed" and other.issue != mailing.issue
        if before and _corrects(desk, other) is None:
            states, events = totals_of(desk.store, other, cache=desk.workspace.cache)
            found.append({m.name: m.share for m in _measures(desk, other, states, events)})
    return found


def _corrects(desk: Desk, mailing: Mailing) -> str | None:
    """The issue that this one corrects. An approval that is gone or damaged corrects nothing that we know of."""
    try:
        return load_approval(desk.workspace, mailing.issue).facts.corrects
    except (IllegalState, BadData):
        return None


def report_lines(report: Report, *, bars: bool = False, width: int = 24) -> list[str]:
    """For the terminal: aligned columns; ``bars`` of at most ``width`` blocks where somebody looks at them."""
    return list(_lines(report, width if bars else 0))


def _lines(report: Report, width: int) -> Iterator[str]:
    began, ended = report.at(report.started_at), report.finished_at
    until = f" to {report.at(ended):%H:%M}" if ended and report.at(ended).date() == began.date() else ""
    yield f"{report.issue}: {report.state}, {began:%Y-%m-%d %H:%M}{until} ({report.zone}), by {report.provider}"
    yield f"  {report.sentence}"
    yield ""
    yield from _table([_said(measure) for measure in report.measures])
    yield f"  {LINKS_CLICKED}"
    yield from _of_reasons(report.reasons)
    yield from _of_hours(report, width)
    yield from _of_domains(report)
    if now_us() - report.facts.as_of > 60_000_000:
        yield f"Counted at {report.at(report.facts.as_of):%Y-%m-%d %H:%M}."
    for correction in report.corrections:
        yield ""
        yield f"Its correction {correction.issue}: {correction.sentence}"
        yield from _table([_said(measure) for measure in correction.measures])


def _said(measure: Measure) -> list[str]:
    if measure.unknown:
        return [measure.name, "unknown", measure.unknown, _median(measure)]
    share = "" if measure.share is None else f"{percent(measure.share)} of {measure.of}"
    return [measure.name, f"{measure.count:,}", share, _median(measure)]


def _median(measure: Measure) -> str:
    if measure.median is None:
        return ""
    before = "the issue before" if measure.earlier == 1 else f"the {measure.earlier} before, median"
    return f"{before}: {percent(measure.median)}"


def percent(share: float) -> str:
    """``99.7 %``; what is not nothing is never ``0.0 %``, and what is not all never ``100.0 %``."""
    shown = f"{share * 100:.1f} %"
    if share > 0 and shown == "0.0 %":
        return f"{share * 100:.3f} %" if share >= 0.000005 else "under 0.001 %"
    return "over 99.9 %" if share < 1 and shown == "100.0 %" else shown


def _of_reasons(rows: Sequence[ReasonRow]) -> Iterator[str]:
    if rows:
        yield ""
        yield "Not submitted, and why"
        yield from _table([[f"{row.count:,}", row.state, row.reason or "other reasons"] for row in rows], right=(0,))


def _of_hours(report: Report, width: int) -> Iterator[str]:
    kinds = [kind for kind in _HOURLY if any(getattr(row, kind) for row in report.hours)]
    if not kinds:
        return
    yield ""
    yield "Hour by hour"
    most = max((getattr(row, kinds[0]) for row in report.hours), default=0)
    rows = [["from", *kinds]]
    shown = [row for row in report.hours if row.at is None or any(getattr(row, kind) for kind in kinds)]
    for row in shown:
        name = "later" if row.at is None else f"{report.at(row.at):%a %d %b %H:%M}"
        blocks = -(-getattr(row, kinds[0]) * width // most) if most else 0
        rows.append([name, *(f"{getattr(row, kind):,}" for kind in kinds), "█" * blocks])
    yield from _table(rows, right=range(1, len(kinds) + 1))


def _of_domains(report: Report) -> Iterator[str]:
    if not report.domains:
        return
    kinds = [
        k for k in ("submitted", "delivered", "refused", "complained") if any(getattr(r, k) for r in report.domains)
    ]
    yield ""
    yield "By mailbox domain"
    others = plural(report.facts.other_domains, "other")
    rows = [[row.domain or others, *(f"{getattr(row, kind):,}" for kind in kinds)] for row in report.domains]
    yield from _table([["", *kinds], *rows], right=range(1, len(kinds) + 1))


def _table(rows: Sequence[Sequence[str]], right: Sequence[int] = (1,)) -> Iterator[str]:
    count = max(map(len, rows), default=0)
    full = [[*row, *[""] * (count - len(row))] for row in rows]
    widths = [max(len(row[i]) for row in full) for i in range(count)]
    for row in full:
        cells = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        yield ("  " + "  ".join(cells)).rstrip()
