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
from newsletter.checks.edits import Edit
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
    "text": "The text part",
    "waivers": "Waivers",
}
"""The families in the order of the documents: name and title. Each is a module of this package."""

_MORE = ("inbox", "wording", "leftovers", "addresses", "display", "reach", "sender")
"""Modules with further checks of these families: a file that one cannot read in one sitting is two files."""

INDEX = "docs/checks/README.md"
"""Where all checks are listed."""

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


Run = Callable[[CheckContext], Iterable[Problem]]
Fixer = Callable[[CheckContext, Problem], Iterable[Edit]]
"""The edits that put a problem right, where that is certain; none where it is not."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One check. ``waivable`` is False for what guards the law or the reader: its errors stay errors.

    ``needs`` names the part of the context without which the check has nothing to look at and is left out:
    ``reachability`` or ``send_at``. ``fixer`` is what ``--fix`` asks.
    """

    id: str
    severity: Severity
    family: str
    why: str
    source: str
    failing: Example
    passing: Example
    waivable: bool
    run: Run
    needs: str | None = None
    fixer: Fixer | None = None

    def asleep(self, context: CheckContext) -> bool:
        """Whether what it looks at is not known this time."""
        return self.needs is not None and getattr(context, self.needs) is None

    @property
    def ours(self) -> bool:
        """Whether the check comes with this product, not with an installed package."""
        return self.run.__module__.startswith(f"{__package__}.")


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
    needs: str | None = None,
    fixer: Fixer | None = None,
) -> Callable[[Run], Run]:
    """Register the decorated function as a check. Raises ConfigurationError for an id that is taken."""

    def register(run: Run) -> Run:
        if id in _RULES:
            raise ConfigurationError(
                f'two checks have the id "{id}"', where=run.__module__, fix="rename or uninstall one of them"
            )
        _RULES[id] = Rule(id, severity, family, why, source, failing, passing, waivable, run, needs, fixer)
        return run

    return register


@functools.cache
def _load() -> None:
    """Import every module that registers checks, once: looking for installed packages reads the disk."""
    for family in (*FAMILIES, *_MORE):
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
            fix=did_you_mean(check_id, rules) or f"{INDEX} lists them all",
        )
    return rules[check_id]
