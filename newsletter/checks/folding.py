"""A fault of the theme shows in every story it sets: it is one finding, which names them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from newsletter.checks.context import CheckContext
from newsletter.checks.registry import Problem

FRAME = "the frame"
_NAMED = 2


Run = Callable[[CheckContext], Iterable[Problem]]


def told_once(run: Run) -> Run:
    """Decorates a check whose problems are faults of the theme: those with the same remedy are one finding."""

    @functools.wraps(run)
    def once(context: CheckContext) -> Iterator[Problem]:
        return folded(run(context))

    return once


def folded(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Each fault once: the first problem, with where else it is. What an editor wrote (``field``) stays apart."""
    groups: dict[Hashable, list[Problem]] = {}
    for number, problem in enumerate(problems):
        groups.setdefault(number if problem.field else (problem.fix, problem.severity), []).append(problem)
    for group in groups.values():
        owners = list(dict.fromkeys(problem.article for problem in group))
        if len(owners) == 1:
            yield group[0]
        else:
            first = group[0]
            yield dataclasses.replace(first, message=f"{first.message} {places(owners)}", article=None)


def places(owners: Sequence[str | None]) -> str:
    """Where a fault is, as a sentence; None is the frame."""
    named = [owner or FRAME for owner in owners[:_NAMED]]
    more = len(owners) - len(named)
    last = f"{more} more" if more else named.pop()
    return f"It is in {', '.join(named)} and {last}."
