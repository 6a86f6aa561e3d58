"""``check``: the findings of an issue as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.app.desk import Desk
from newsletter.app.logos import edges_of
from newsletter.app.render import Rendered, render
from newsletter.app.sponsors import facts_of
from newsletter.checks import formats, registry
from newsletter.checks.context import CheckContext
from newsletter.checks.run import run_checks
from newsletter.checks.sizes import Sizes, sizes_of
from newsletter.issues.history import past_uses
from newsletter.models import Finding, Severity


@dataclass(frozen=True, slots=True)
class Checked:
    """The findings of one issue and what it weighs; ``blocked`` when one that is not waived is at the threshold."""

    issue: str
    findings: Sequence[Finding]
    blocked: bool
    sizes: Sizes

    def formatted(self, form: str) -> str:
        """As ``text``, ``json``, ``sarif`` or ``github`` annotations; the first two say what each story costs."""
        if form == "text":
            return f"{formats.as_text(self.issue, self.findings)}\n\n{self.sizes.as_text()}"
        if form == "json":
            return formats.as_json(self.issue, self.findings, {"sizes": self.sizes.as_data()})
        writer = {"sarif": formats.as_sarif, "github": formats.as_github}[form]
        return writer(self.issue, self.findings)


def findings_of(desk: Desk, rendered: Rendered, *, send_at: datetime | None = None) -> tuple[Finding, ...]:
    """Every finding on a rendered issue, worst first."""
    config = desk.config
    return run_checks(
        CheckContext(
            issue=rendered.issue,
            email=rendered.email,
            config=config,
            provider=config.provider.name,
            provider_local=config.provider.name == "outbox",
            send_at=send_at,
            past_uses=past_uses(desk.workspace, rendered.issue),
            known_fields=frozenset(config.audience.attributes),
            sponsors=facts_of(desk.workspace, rendered.issue),
            edges=edges_of(rendered.email),
        )
    )


def weighs(findings: Sequence[Finding], threshold: Severity) -> list[Finding]:
    """The findings that are not waived and weigh at least ``threshold``."""
    return [f for f in findings if f.waived is None and f.severity.rank <= threshold.rank]


def check_issue(desk: Desk, slug: str, *, threshold: str = "error") -> Checked:
    """Render and check an issue."""
    rendered = render(desk, slug)
    findings = findings_of(desk, rendered)
    return Checked(slug, findings, bool(weighs(findings, Severity(threshold))), sizes_of(rendered.email))


def explain_check(check_id: str) -> str:
    """Why a check exists, its source, an example that fails and one that passes; raises NotFound."""
    return registry.explain(check_id)
