"""The registry of checks: each rule with its reason, its source and two examples that a test runs.

A rule is a function from a ``CheckContext`` to problems. It says what is wrong in a plain sentence, where, and
what to do; how much that weighs, and whether the editor has waived it, is settled by ``run.py``.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from newsletter.checks.context import CheckContext
from newsletter.errors import ConfigurationError, NotFound, did_you_mean
from newsletter.models import Severity

FAMILIES = {
    "message": "What the inbox shows, and merge fields",
    "stories": "Stories",
    "pictures": "Pictures",
    "links": "Links",
    "sponsors": "Sponsors",
    "dates": "Dates",
    "structure": "The HTML itself",
    "head": "What the head tells the clients",
    "frame": "Tables, columns, buttons and pictures on the page",
    "css": "Style sheets and size",
    "accessibility": "For every reader",
    "reading": "How words are set",
    "colours": "Colours",
    "support": "What mail clients support",
    "sending": "What sending asks for",
    "waivers": "Waivers",
}
"""The families in the order of the documents: name and title. Each is a module of this package."""

Change = Callable[[CheckContext], CheckContext]
"""Turns the example issue into one that breaks, or keeps, a rule."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule found. ``severity`` replaces the rule's own; ``phrase`` is looked up in the file for the line."""

    message: str
    fix: str | None = None
    article: str | None = None
    field: str | None = None
    severity: Severity | None = None
    phrase: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A few words for the documents, and the change to the example issue that they describe."""

    text: str
    change: Change


@dataclass(frozen=True, slots=True)
class Rule:
    """One check. ``waivable`` is False for what guards the law or the reader: its errors stay errors."""

    id: str
    severity: Severity
    family: str
    why: str
    source: str
    failing: Example
    passing: Example
    waivable: bool
    run: Callable[[CheckContext], Iterable[Problem]]


_RULES: dict[str, Rule] = {}


def check(
    *,
    id: str,
    severity: Severity,
    family: str,
    why: str,
    source: str,
    failing: Example,
    passing: Example,
    waivable: bool = True,
) -> Callable[[Callable[[CheckContext], Iterable[Problem]]], Callable[[CheckContext], Iterable[Problem]]]:
    """Register the decorated function as a check. Raises ConfigurationError for an id that is taken."""

    def register(run: Callable[[CheckContext], Iterable[Problem]]) -> Callable[[CheckContext], Iterable[Problem]]:
        if id in _RULES:
            raise ConfigurationError(
                f'two checks have the id "{id}"', where=run.__module__, fix="rename or uninstall one of them"
            )
        _RULES[id] = Rule(id, severity, family, why, source, failing, passing, waivable, run)
        return run

    return register


@functools.cache
def _load() -> None:
    """Import every module that registers checks, once: looking for installed packages reads the disk."""
    for family in FAMILIES:
        importlib.import_module(f"newsletter.checks.{family}")
    for entry in importlib.metadata.entry_points(group="newsletter.checks"):
        try:
            entry.load()
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(
                f"the installed checks {entry.name} cannot be loaded: {error}",
                where=entry.value,
                fix="update or uninstall the package that brings them",
            ) from error


def all_checks() -> tuple[Rule, ...]:
    """Every check, ours and those of installed packages (entry points ``newsletter.checks``), by family and id."""
    _load()
    order = list(FAMILIES)
    return tuple(
        sorted(_RULES.values(), key=lambda r: (order.index(r.family) if r.family in order else len(order), r.id))
    )


def find(check_id: str) -> Rule:
    """The check with this id; raises NotFound with the closest one."""
    rules = {rule.id: rule for rule in all_checks()}
    if check_id not in rules:
        raise NotFound(
            f'there is no check "{check_id}"',
            fix=did_you_mean(check_id, rules) or "docs/checks.md lists them all",
        )
    return rules[check_id]


def explain(check_id: str) -> str:
    """Why a check exists, where it comes from, what breaks it and what keeps it; raises NotFound."""
    rule = find(check_id)
    lines = [
        f"{rule.id} ({rule.severity.value}): {rule.why}",
        "",
        f"  Source:  {rule.source}",
        f"  Fails:   {rule.failing.text}",
        f"  Passes:  {rule.passing.text}",
        "",
        f'  Another weight: {rule.id} = "off" under [checks] in newsletter.toml.'
        if rule.waivable
        else "  It guards the law or the reader: as an error it can be neither waived nor turned off.",
    ]
    return "\n".join(lines)


def as_markdown() -> str:
    """docs/checks.md: every check by family."""
    rules = all_checks()
    lines = [
        "# Checks",
        "",
        "`newsletter check SLUG` looks at the finished email and at the files it is made from. Each finding has a",
        "stable id, names its story and field, and says what to do. Errors block an approval; warnings are yours to",
        "judge; notes are for the curious. This page is generated from the checks themselves.",
        "",
        "Another weight for the whole publication goes into `newsletter.toml`:",
        "",
        "```toml",
        "[checks]",
        'credit-missing = "error"',
        'link-insecure = "off"',
        "```",
        "",
        "One finding is waived, with the reason, in the front matter of its story, or of `issue.md` for the whole",
        "issue:",
        "",
        "```yaml",
        "waive:",
        "  - id: credit-missing",
        "    reason: our own reporter's phone",
        "```",
        "",
        "A waived finding stays listed and blocks nothing. What is marked *cannot be waived* guards the law or the",
        "reader.",
    ]
    titles = {**FAMILIES, **{rule.family: rule.family for rule in rules if rule.family not in FAMILIES}}
    for family, title in titles.items():
        lines += ["", f"## {title}"]
        for rule in rules:
            if rule.family == family:
                lines += ["", *_entry(rule)]
    return "\n".join(lines) + "\n"


def _entry(rule: Rule) -> list[str]:
    weight = rule.severity.value if rule.waivable else f"{rule.severity.value}, cannot be waived"
    return [
        f"### {rule.id}",
        "",
        f"*{weight}.* {rule.why}",
        "",
        f"- Fails: {rule.failing.text}",
        f"- Passes: {rule.passing.text}",
        f"- Source: {rule.source}",
    ]
