"""``test``: a few addresses get the issue as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.app.desk import Desk
from newsletter.app.diff import version_now
from newsletter.app.outgoing import PREVIEW_ID, issue_facts, reader_values
from newsletter.app.providers import make_provider
from newsletter.app.publish import publish_media
from newsletter.app.render import Rendered, render
from newsletter.audience.addresses import normalise
from newsletter.delivery import testsend
from newsletter.delivery.approval import outgoing_from_email, source_hashes
from newsletter.delivery.testsend import TestSent
from newsletter.delivery.versions import MOST_KEPT, forget_tests, keep_test
from newsletter.store.clock import from_us, now_us


@dataclass(frozen=True, slots=True)
class SentTest:
    """A test that went out, and through what."""

    sent: TestSent
    provider: str
    where: str | None

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issue": self.sent.issue,
            "number": self.sent.number,
            "code": self.sent.code,
            "subject": self.sent.subject,
            "provider": self.provider,
            "receivers": [{"address": r.address, "outcome": r.outcome, "detail": r.detail} for r in self.sent.receipts],
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        lines = [f"{self.sent.subject}"]
        lines += [f"  {receipt.address}: {receipt.outcome}" for receipt in self.sent.receipts]
        if self.where:
            lines.append(f"  into {self.where}: the provider is {self.provider}, nothing left this machine.")
        return lines


def send_test(
    desk: Desk, slug: str, receivers: Sequence[str], *, reader: str | None = None, exact: bool = False
) -> SentTest:
    """Send the issue as it is now to ``receivers`` (default ``[test] to``), outside the ledger; keep what it sends.

    ``reader`` lends the merge values. Raises UsageProblem without a receiver, RemoteError naming each one that
    the provider did not take.
    """
    addresses = [normalise(address)[0] for address in (receivers or desk.config.test.to)]
    rendered = render(desk, slug)
    facts = issue_facts(desk.config, rendered.issue)
    outgoing = outgoing_from_email(rendered.email, facts, mailing=PREVIEW_ID, date=from_us(now_us()))
    publish_media(desk, rendered.email)
    values = reader_values(desk, slug, reader)
    provider = make_provider(desk)
    try:
        _keep(desk, rendered, outgoing.digest)
        sent = testsend.send_test(
            desk.store,
            provider,
            outgoing,
            addresses,
            values=values,
            site_url=desk.config.site.url,
            actor=desk.actor,
            now=now_us,
            exact=exact,
        )
        local = provider.capabilities.local
    finally:
        provider.close()
    name = desk.config.provider.name
    return SentTest(sent, name, desk.config.provider.outbox.path if local and name == "outbox" else None)


def _keep(desk: Desk, rendered: Rendered, digest: str) -> None:
    """Before anything leaves, so that ``diff`` can show what changed since for every test that somebody got."""
    slug = rendered.issue.slug
    wanted = [digest, *testsend.tested_digests(desk.store, slug, MOST_KEPT - 1)]
    sources = source_hashes(desk.workspace.issue_dir(slug))
    keep_test(desk.workspace, slug, digest, version_now(desk, rendered), sources)
    forget_tests(desk.workspace, slug, wanted)
