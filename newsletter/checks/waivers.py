"""Waivers: a finding that an editor accepts needs a reason, and some cannot be accepted."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.registry import INDEX, Example, Problem, all_checks, check
from newsletter.errors import did_you_mean
from newsletter.models import Severity, Waiver


def waivers(context: CheckContext) -> Iterator[tuple[str | None, Waiver]]:
    """Every waiver: (article or None for the issue, waiver)."""
    for waiver in context.issue.waive:
        yield None, waiver
    for article in context.issue.articles():
        for waiver in article.waive:
            yield article.slug, waiver


@check(
    id="waiver-without-reason",
    severity=Severity.WARNING,
    family="waivers",
    why="Whoever reads the issue later must see why the finding was accepted. Without a reason it stays in force.",
    source="newsroom practice",
    failing=Example("`waive: [{id: credit-missing, reason: ''}]`", eg.story(waive=(Waiver("credit-missing", " "),))),
    passing=Example(
        "`waive: [{id: credit-missing, reason: our own phone}]`",
        eg.story(waive=(Waiver("credit-missing", "our own phone"),)),
    ),
)
def waiver_without_reason(context: CheckContext) -> Iterator[Problem]:
    """A blank reason."""
    for article, waiver in waivers(context):
        if not waiver.reason.strip():
            yield Problem(
                f"The waiver of {waiver.id} gives no reason, so the finding stays.", "Write reason:.", article, "waive"
            )


@check(
    id="waiver-unknown",
    severity=Severity.WARNING,
    family="waivers",
    why="A waiver for a check that does not exist waives nothing; most often the id is misspelt.",
    source="the registry of checks",
    failing=Example(
        "`waive: [{id: credit-mising, reason: …}]`", eg.story(waive=(Waiver("credit-mising", "our own phone"),))
    ),
    passing=Example(
        "`waive: [{id: credit-missing, reason: …}]`", eg.story(waive=(Waiver("credit-missing", "our own phone"),))
    ),
)
def waiver_unknown(context: CheckContext) -> Iterator[Problem]:
    """An id that no check has."""
    known = [rule.id for rule in all_checks()]
    for article, waiver in waivers(context):
        if waiver.id not in known:
            yield Problem(
                f"There is no check {waiver.id} to waive.",
                did_you_mean(waiver.id, known) or f"{INDEX} lists them all.",
                article,
                "waive",
            )


@check(
    id="waiver-refused",
    severity=Severity.WARNING,
    family="waivers",
    why="What guards the law or the reader is not an editor's to waive: as an error it stays in force.",
    source="the registry of checks",
    failing=Example(
        "`waive: [{id: unsubscribe-missing, reason: …}]`", eg.issue(waive=(Waiver("unsubscribe-missing", "just once"),))
    ),
    passing=Example("`waive: [{id: credit-missing, reason: …}]`", eg.issue(waive=(Waiver("credit-missing", "ours"),))),
)
def waiver_refused(context: CheckContext) -> Iterator[Problem]:
    """A waiver of a check that cannot be waived."""
    guards = {rule.id for rule in all_checks() if not rule.waivable}
    for article, waiver in waivers(context):
        if waiver.id in guards:
            yield Problem(
                f"The check {waiver.id} cannot be waived while it is an error.",
                "Put right what it says.",
                article,
                "waive",
            )


@check(
    id="waiver-stale",
    severity=Severity.INFO,
    family="waivers",
    why="A waiver that no longer covers anything will one day cover what nobody has looked at.",
    source="newsroom practice",
    failing=Example(
        "`waive: [{id: credit-missing, reason: …}]` in a story with a credit",
        eg.story(waive=(Waiver("credit-missing", "our own phone"),)),
    ),
    passing=Example(
        "`waive: [{id: credit-missing, reason: …}]` in a story without a credit",
        eg.both(eg.picture(credit=None), eg.story(waive=(Waiver("credit-missing", "our own phone"),))),
    ),
)
def waiver_stale(context: CheckContext) -> Iterator[Problem]:
    """A waiver with a reason whose check has found nothing where it holds."""
    rules = {rule.id: rule for rule in all_checks()}
    for article, waiver in waivers(context):
        rule = rules.get(waiver.id)
        if rule is None or not waiver.reason.strip() or rule.family == "waivers" or rule.asleep(context):
            continue
        if not any(check_id == waiver.id and article in (None, owner) for check_id, owner in context.found):
            yield Problem(
                f"The waiver of {waiver.id} covers nothing any more.",
                "Take it out.",
                article,
                "waive",
                phrase=waiver.id,
            )
