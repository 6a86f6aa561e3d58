"""How stories are typed: openings set for print, and blanks that came in twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.edits import BODY, Edit, prose
from newsletter.checks.page import cut
from newsletter.checks.registry import Example, Problem, check
from newsletter.models import Severity

# The words around the blanks belong to the change: a line of "  → " alone tells an editor nothing.
_DOUBLED = re.compile(r"(?<!\S)\S++(?: {2,}\S++)+")
_DROP_CAP = eg.both(
    eg.story(body="PRIME movers of the harbour met on the quay."),
    eg.given(openings=MappingProxyType({eg.FERRY.slug: ("PRIME movers", "Prime movers")})),
)


def _lowered(context: CheckContext, problem: Problem) -> Iterator[Edit]:
    for article in context.issue.articles():
        if article.slug == problem.article and article.slug in context.openings:
            now, instead = context.openings[article.slug]
            at = article.body.find(now)
            if at >= 0:
                yield Edit(article.slug, BODY, now, instead, at)
            return


@check(
    id="drop-cap-opening",
    severity=Severity.WARNING,
    family="stories",
    why="A first word in capitals is how a printed page sets a drop cap. In a mail there is none, and it shouts.",
    source="newsroom practice; story files exported for print",
    failing=Example("`PRIME movers of the harbour met on the quay.`", _DROP_CAP),
    passing=Example(
        "`Prime movers of the harbour met on the quay.`",
        eg.story(body="Prime movers of the harbour met on the quay."),
    ),
    fixer=_lowered,
)
def drop_cap_opening(context: CheckContext) -> Iterator[Problem]:
    """A body that begins in capitals, and goes on without."""
    for article in context.issue.articles():
        if article.slug in context.openings:
            now, instead = context.openings[article.slug]
            yield Problem(
                f"The story opens in capitals, as in print: “{cut(now)}”.",
                f"Write “{cut(instead)}”.",
                article.slug,
                BODY,
                phrase=now,
            )


def _single(context: CheckContext, problem: Problem) -> Iterator[Edit]:
    for slug, text in _texts(context):
        if slug == problem.article:
            for at, words in _doubled(text):
                yield Edit(slug, BODY, words, re.sub(" {2,}", " ", words), at)
            return


@check(
    id="double-space",
    severity=Severity.INFO,
    family="stories",
    why="Two blanks after a full stop are typewriter habit. HTML hides them; diffs, exports and some clients do not.",
    source="every modern style guide",
    failing=Example("`… runs again.  Nobody was late.`", eg.story(body="The boat runs again.  Nobody was late.")),
    passing=Example("`… runs again. Nobody was late.`", eg.story(body="The boat runs again. Nobody was late.")),
    fixer=_single,
)
def double_space(context: CheckContext) -> Iterator[Problem]:
    """Two blanks between words of a story or of the intro; said once for each text."""
    for slug, text in _texts(context):
        found = list(_doubled(text))
        if found:
            times = "once" if len(found) == 1 else f"{len(found)} times"
            yield Problem(
                f"Two blanks stand between words, {times}: “{cut(found[0][1].replace('  ', '␣␣'))}”.",
                "Keep one.",
                slug,
                BODY if slug else "intro",
                phrase=found[0][1],
            )


def _texts(context: CheckContext) -> Iterator[tuple[str | None, str]]:
    """The bodies of an issue: (article or None for the intro, text). A story that stands twice is read once."""
    yield None, context.issue.intro
    bodies = {article.slug: article.body for article in context.issue.articles()}
    yield from bodies.items()


def _doubled(text: str) -> Iterator[tuple[int, str]]:
    for at, piece in prose(text):
        # A line that ends in two blanks breaks there in Markdown: nothing follows them, so nothing is found.
        for match in _DOUBLED.finditer(piece):
            yield at + match.start(), match.group()
