"""``check``: the findings of an issue as it is now."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.app.desk import Desk
from newsletter.app.fixing import fix_issue
from newsletter.app.issues import changes_at_source
from newsletter.app.logos import edges_of
from newsletter.app.reach import reach
from newsletter.app.render import Rendered, render
from newsletter.app.sponsors import facts_of
from newsletter.articles.dropcap import drop_cap
from newsletter.checks import formats, pages
from newsletter.checks.context import CheckContext
from newsletter.checks.formats import Paint, Report
from newsletter.checks.formats import Role as Role
from newsletter.checks.inbox import inbox_lines
from newsletter.checks.parity import parity_of
from newsletter.checks.run import run_checks
from newsletter.checks.sizes import sizes_of
from newsletter.delivery.guards import MOST_EMBEDDED
from newsletter.errors import NewsletterError
from newsletter.issues.history import past_uses
from newsletter.models import Finding, Issue, Severity
from newsletter.net.probe import Reached
from newsletter.rendering.words import words


@dataclass(frozen=True, slots=True)
class Checked:
    """The report on one issue; ``blocked`` when an unwaived finding weighs at least the threshold."""

    report: Report
    blocked: bool

    @property
    def findings(self) -> Sequence[Finding]:
        """Every finding, worst first."""
        return self.report.findings

    def formatted(self, form: str, *, paint: Paint = formats.unpainted, width: int = formats.WIDTH) -> str:
        """As ``text`` (which alone is coloured and wrapped), ``json``, ``sarif`` or ``github`` annotations."""
        if form == "text":
            return formats.as_text(self.report, paint=paint, width=width)
        writer = {"json": formats.as_json, "sarif": formats.as_sarif, "github": formats.as_github}[form]
        return writer(self.report)


def context_of(
    desk: Desk,
    rendered: Rendered,
    *,
    send_at: datetime | None = None,
    reachability: Mapping[str, Reached] | None = None,
) -> CheckContext:
    """A rendered issue and all that the checks may know of it."""
    config, issue = desk.config, rendered.issue
    return CheckContext(
        issue=issue,
        email=rendered.email,
        config=config,
        provider=config.provider.name,
        provider_local=config.provider.name == "outbox",
        send_at=send_at,
        past_uses=past_uses(desk.workspace, issue),
        known_fields=frozenset(config.audience.attributes),
        readers=_readers(desk, rendered),
        embedded_limit=MOST_EMBEDDED,
        sponsors=facts_of(desk.workspace, issue),
        sponsor_labels=_sponsor_labels(issue, config.publication.language),
        openings={
            article.slug: (offer.now, offer.instead)
            for article in issue.articles()
            if (offer := drop_cap(article.body)) is not None
        },
        changed_at_source=changes_at_source(desk, issue),
        edges=edges_of(rendered.email),
        reachability=reachability,
    )


def _readers(desk: Desk, rendered: Rendered) -> int | None:
    """How many would get it, where that matters; a check makes no database, and a broken one has its own message."""
    inside = any(image.src.startswith("cid:") for image in rendered.email.images)
    if not inside or desk.config.provider.name == "outbox" or not desk.workspace.database.is_file():
        return None
    from newsletter.audience.subscribers import count  # the database's packages, which no other check needs

    with contextlib.suppress(NewsletterError):
        return count(desk.store, status="subscribed")
    return None


def _sponsor_labels(issue: Issue, language: str) -> dict[str, str]:
    return {
        article.slug: words(article.lang or issue.lang or language, html=False)("Advertisement feature")
        for section in issue.sections
        if section.layout == "sponsor"
        for article in section.articles
    }


def findings_of(desk: Desk, rendered: Rendered, *, send_at: datetime | None = None) -> tuple[Finding, ...]:
    """Every finding on a rendered issue, worst first."""
    return run_checks(context_of(desk, rendered, send_at=send_at))


def weighs(findings: Sequence[Finding], threshold: Severity) -> list[Finding]:
    """The findings that are not waived and weigh at least ``threshold``."""
    return [f for f in findings if f.waived is None and f.severity.rank <= threshold.rank]


def check_issue(
    desk: Desk,
    slug: str,
    *,
    threshold: str = "error",
    online: bool = False,
    fix: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Checked:
    """Render and check an issue. ``online`` asks its links whether they answer; ``fix`` makes the certain fixes first.

    ``say`` is told what takes long. Raises IllegalState when ``fix`` meets an approved issue; nothing was changed then.
    """
    answers: Mapping[str, Reached] | None = None

    def look() -> CheckContext:
        return context_of(desk, render(desk, slug), reachability=answers)

    if online:
        answers = reach(look(), say)
    fixes, context = fix_issue(desk, slug, look) if fix else ([], look())
    findings = run_checks(context)
    report = Report(
        slug,
        findings,
        inbox_lines(context),
        parity_of(context),
        fixes,
        None if answers is None else len(answers),
        sizes_of(context.email),
    )
    return Checked(report, bool(weighs(findings, Severity(threshold))))


def explain_check(check_id: str) -> str:
    """Why a check exists, its source, an example that fails and one that passes; raises NotFound."""
    return pages.explain(check_id)
