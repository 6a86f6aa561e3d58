"""The report of a sent issue as a page: one sentence, the measures, plots that are drawn by templates, their tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.app.desk import open_desk
from newsletter.app.report import LINKS_CLICKED, Report, percent, report_issue
from newsletter.app.words import plural
from newsletter.errors import NewsletterError
from newsletter.web.composer.answers import status_of
from newsletter.web.composer.pages import Pages

KINDS: Final = ("submitted", "delivered", "refused", "opened", "clicked", "complained", "unsubscribed")
_DOMAIN_KINDS: Final = ("submitted", "delivered", "refused", "complained")
_WIDTH: Final = 720.0
_HEIGHT: Final = 84.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in the units of the plot's view box. ``label`` says what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    """One kind over time. ``words`` says in a sentence what is seen."""

    kind: str
    most: int
    words: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class DomainBar:
    """The mailboxes of one domain: shares of the plot's width, 0 to 100, that were delivered, refused, neither."""

    name: str
    submitted: int
    delivered: float
    refused: float
    rest: float


def hours_shown(report: Report) -> list[Any]:
    """The hours up to the last in which something happened."""
    rows = list(report.hours)
    while rows and not any(getattr(rows[-1], kind) for kind in KINDS):
        rows.pop()
    return rows


def hour_name(report: Report, row: Any) -> str:
    """When an hour began, on the clock of the publication."""
    return "later" if row.at is None else f"{report.at(row.at):%a %d %b %H:%M}"


def plots(report: Report) -> list[Plot]:
    """A plot for each kind that happened at all, with the same hours below each other."""
    rows = hours_shown(report)
    found = []
    for kind in KINDS:
        counts = [getattr(row, kind) for row in rows]
        most = max(counts, default=0)
        if not most:
            continue
        step = _WIDTH / max(len(rows), 12)
        gap = min(4.0, step / 4)
        bars = []
        for number, (row, count) in enumerate(zip(rows, counts, strict=True)):
            # What is not nothing can be seen.
            height = max(1.5, count / most * _HEIGHT) if count else 0.0
            label = f"{hour_name(report, row)}: {count:,}"
            bars.append(
                Bar(round(number * step, 2), round(_HEIGHT - height, 2), round(step - gap, 2), round(height, 2), label)
            )
        top = hour_name(report, rows[counts.index(most)])
        words = f"{kind}: {sum(counts):,} in all, most in one hour {most:,} ({top})"
        found.append(Plot(kind, most, words, bars))
    return found


def domain_bars(report: Report) -> list[DomainBar]:
    """A bar for each domain, as long as its share of the largest one."""
    # A bounce was submitted before; what the provider did not take never was.
    wholes = [max(row.submitted, row.delivered + row.refused) for row in report.domains]
    most = max(wholes, default=0)
    if not most:
        return []
    found = []
    for row, whole in zip(report.domains, wholes, strict=True):
        rest = whole - row.delivered - row.refused
        shares = (round(count * 100.0 / most, 3) for count in (row.delivered, row.refused, rest))
        found.append(DomainBar(row.domain or plural(report.facts.other_domains, "other"), row.submitted, *shares))
    return found


class ReportScreen:
    """The endpoint of the screen."""

    def __init__(self, root: Path, pages: Pages) -> None:
        self._root = root
        self._pages = pages

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [Route("/issues/{slug}/report", self.show)]

    async def show(self, request: Request) -> Response:
        """The page."""
        return await run_in_threadpool(self._page, request)

    def _page(self, request: Request) -> Response:
        try:
            with open_desk(self._root) as desk:
                report = report_issue(desk, request.path_params["slug"])
        except NewsletterError as error:
            return self._pages.problem(request, status_of(error), what=error.what, where=None, fix=error.fix)
        rows = hours_shown(report)
        return self._pages.page(
            request,
            "report.html.j2",
            report=report,
            percent=percent,
            links=LINKS_CLICKED,
            plots=plots(report),
            hours=[(hour_name(report, row), row) for row in rows],
            hour_kinds=[kind for kind in KINDS if any(getattr(row, kind) for row in rows)],
            domains=domain_bars(report),
            domain_kinds=[k for k in _DOMAIN_KINDS if any(getattr(row, k) for row in report.domains)],
            width=_WIDTH,
            height=_HEIGHT,
        )
