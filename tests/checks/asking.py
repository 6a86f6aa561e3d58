"""What the tests of single checks ask the example issue."""

from __future__ import annotations

from newsletter.checks import examples as eg
from newsletter.checks.run import run_checks
from newsletter.models import Finding


def found(check_id: str, *changes: eg.Change) -> list[Finding]:
    """The findings of one check on the example issue after some changes."""
    return [finding for finding in run_checks(eg.both(*changes)(eg.example())) if finding.id == check_id]


def before_library(html: str) -> eg.Change:
    """Put HTML at the beginning of the second story."""
    return eg.html("<h2>", f"{html}<h2>")
