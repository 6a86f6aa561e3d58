"""What the mail asks of clients that some readers' clients do not do, weighed by how many readers those are.

``[audience] clients`` says who reads with what; newsletter/clients/facts.py says what each client does. A finding is
one feature, however often it is used: told for each use, one page gave 1,246. What is decoration, what a media query
chooses, and what the page has something else for is not told as a loss (``used.py`` says how that is seen).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.features import SEEN, WITH, Loss
from newsletter.checks.registry import Change, Example, Problem, check
from newsletter.checks.used_styles import Use
from newsletter.clients import facts
from newsletter.models import Severity
from newsletter.workspace.settings import CLIENT_SHARES

MANY = 3.0
"""Per cent of the readers from which on a loss is a warning; below it is a note."""

SOME = 2.0
"""Per cent of the readers below which nothing is said: no mail suits every client of one reader in fifty."""

DECORATION = 10.0
"""Per cent of the readers from which on it is worth knowing that a decoration is not seen."""

NAMED = 4
"""How many clients a finding names; one more is named rather than counted."""

_SOURCE = "caniemail.com; [audience] clients in newsletter.toml"
_FIRST_WORDS = re.compile(r"^(?:(?:Partial(?:ly)?(?: support)?|Buggy|Not supported)[.:,]?\s+)+(?=\S)")


@dataclass(frozen=True, slots=True)
class _Loser:
    """A family that loses a use: its share in per cent of the readers, and what its tests say."""

    family: str
    share: float
    platform: str
    note: str


def _shares(context: CheckContext) -> Mapping[str, float]:
    """Per cent of the readers by client family; the configured numbers need not make 100."""
    given = context.config.audience.clients
    whole = sum(given.values())
    return {family: share * 100 / whole for family, share in given.items() if share > 0}


def _losers(use: Use, shares: Mapping[str, float]) -> dict[str, _Loser]:
    """The families that lose a use: those that know nothing of it, or whose partial support ends before it."""
    lost = {}
    for family, support in facts.support(use.feature).items():
        if family not in shares or family in use.spared or support.level not in ("n", "a"):
            continue
        notes = support.notes if support.level == "n" else _matching(support.notes, use.limit)
        if support.level == "n" or notes:
            lost[family] = _Loser(family, shares[family], support.platform, " ".join(notes))
    return lost


def _matching(notes: Iterable[str], limit: str | None) -> tuple[str, ...]:
    return tuple(note for note in notes if limit and re.search(limit, note))


@dataclass(slots=True)
class _Lost:
    """One feature that is lost: its first use that somebody loses, how many there are, and who loses them."""

    use: Use
    times: int
    losers: dict[str, _Loser]

    @property
    def share(self) -> float:
        """Per cent of the readers."""
        return sum(loser.share for loser in self.losers.values())


def _lost(context: CheckContext, *losses: Loss) -> list[_Lost]:
    """What is lost of these kinds, one entry a feature, in the order of the page."""
    shares = _shares(context)
    found: dict[str, _Lost] = {}
    known: dict[tuple[str, str | None, frozenset[str]], dict[str, _Loser]] = {}
    for use in context.uses:
        if use.loss not in losses or (use.cured and use.loss is not Loss.BREAKS):
            continue
        asked = (use.feature, use.limit, use.spared)
        if asked not in known:
            known[asked] = _losers(use, shares)
        if known[asked]:
            entry = found.setdefault(use.feature, _Lost(use, 0, {}))
            entry.times += 1
            entry.losers.update(known[asked])
    features = {*found, *_told_by_others(context, losses)}
    return [entry for entry in found.values() if not features & set(WITH.get(entry.use.feature, ()))]


def _told_by_others(context: CheckContext, losses: Iterable[Loss]) -> set[str]:
    """Features that another rule of this family tells: a part of them (align-items of flex) is no news."""
    return {use.feature for use in context.uses if use.loss in (Loss.LAYOUT, Loss.GRADIENT) and use.loss not in losses}


def _problem(context: CheckContext, entry: _Lost, fix: str) -> Problem | None:
    """The finding of a feature; None where hardly anybody loses it."""
    if entry.share < SOME:
        return None
    times = f" ({entry.times} times)" if entry.times > 1 else ""
    readers, words = _readers(entry), _seen(entry)
    return Problem(
        f"{readers[0].upper()}{readers[1:]} of your readers do not get “{entry.use.shown}”{times}: {_named(entry)}. "
        f"{words}{' ' if words else ''}({_tested(entry)}{_whose(context)}.)",
        fix,
        entry.use.article,
        severity=None if entry.share >= MANY else Severity.INFO,
    )


def _readers(entry: _Lost) -> str:
    """``about 6 %``; ``up to`` where only some platforms of a family lose it."""
    part = any(loser.platform for loser in entry.losers.values())
    return f"{'up to' if part else 'about'} {_per_cent(entry.share)}"


def _per_cent(share: float) -> str:
    return f"{share:.0f}\u00a0%" if share >= 1 else "less than 1\u00a0%"


def _named(entry: _Lost) -> str:
    """The families, the largest first, with the platforms where not all of a family do so."""
    named = [
        f"{facts.families()[loser.family].title}{f' ({loser.platform})' if loser.platform else ''} "
        f"{_per_cent(loser.share)}"
        for loser in _largest_first(entry)
    ]
    more = len(named) - NAMED
    return ", ".join(named) if more < 2 else f"{', '.join(named[:NAMED])} and {more} more"


def _largest_first(entry: _Lost) -> list[_Loser]:
    return sorted(entry.losers.values(), key=lambda loser: (-loser.share, loser.family))


def _seen(entry: _Lost) -> str:
    """What the reader has instead: in our words, else in those of the tests for the largest family that has some."""
    if words := SEEN.get(entry.use.feature):
        return words
    note = next((_FIRST_WORDS.sub("", loser.note) for loser in _largest_first(entry) if loser.note), "")
    return f"{note[0].upper()}{note[1:].rstrip('.')}." if note else ""


def _tested(entry: _Lost) -> str:
    return f"caniemail.com on {facts.title(entry.use.feature)}, tested {facts.tested(entry.use.feature)}"


def _whose(context: CheckContext) -> str:
    """Says so when the newsroom has not entered its own shares."""
    return "; usual shares, not your own" if context.config.audience.clients == CLIENT_SHARES else ""


def _told(context: CheckContext, fix: str, *losses: Loss) -> Iterator[Problem]:
    for entry in _lost(context, *losses):
        problem = _problem(context, entry, fix)
        if problem is not None:
            yield problem


def _styled(style: str) -> Change:
    """The example story with a style on its first paragraph."""
    return eg.html("<p>After eight months", f'<p style="{style}">After eight months')


@check(
    id="client-support",
    severity=Severity.WARNING,
    family="support",
    why="Some of your readers' mail clients leave this out, and the page has nothing that stands in for it.",
    source=_SOURCE,
    failing=Example("`position:absolute` in a story", _styled("position:absolute;top:0")),
    passing=Example("the same paragraph in the flow of the page", eg.as_it_is),
)
def client_support(context: CheckContext) -> Iterator[Problem]:
    """Order, pictures or words that clients of many readers lose."""
    fix = "Leave it out, or set the same with a table, an attribute or plain words."
    yield from _told(context, fix, Loss.LOST, Loss.BREAKS)


@check(
    id="layout-without-table",
    severity=Severity.WARNING,
    family="support",
    why="Outlook for Windows draws with Word, which knows columns only as cells of a table.",
    source=_SOURCE,
    failing=Example("`display:flex` alone", _styled("display:flex")),
    passing=Example(
        "`<!--[if mso]><table …><tr><td><![endif]-->` before it",
        eg.both(
            _styled("display:flex"),
            eg.html(
                '<p style="display:flex">',
                '<!--[if mso]><table role="presentation"><tr><td><![endif]--><p '
                'style="display:flex"><!--[if mso]></td></tr></table><![endif]-->',
            ),
        ),
    ),
)
def layout_without_table(context: CheckContext) -> Iterator[Problem]:
    """Flex or grid where no conditional comment gives Word a table."""
    fix = "Set columns with a table, or give Word one: <!--[if mso]><table …><tr><td><![endif]--> around them."
    yield from _told(context, fix, Loss.LAYOUT)


@check(
    id="value-without-fallback",
    severity=Severity.WARNING,
    family="support",
    why="A client that does not know var(), calc() or rem drops the declaration, and with it the width or colour.",
    source=_SOURCE,
    failing=Example("`width:calc(100% - 20px)`", _styled("width:calc(100% - 20px)")),
    passing=Example("`width:95%;width:calc(100% - 20px)`", _styled("width:95%;width:calc(100% - 20px)")),
)
def value_without_fallback(context: CheckContext) -> Iterator[Problem]:
    """A newer value with no plain one before it."""
    yield from _told(context, "Write the property with a plain value first: width:95%;width:calc(…).", Loss.VALUE)


@check(
    id="gradient-without-colour",
    severity=Severity.WARNING,
    family="support",
    why="Where the gradient is not drawn, white text stands on a white page.",
    source=_SOURCE,
    failing=Example(
        "`background-image:linear-gradient(#14324a,#0b1c2a)`",
        _styled("background-image:linear-gradient(#14324a,#0b1c2a)"),
    ),
    passing=Example(
        "`background-color:#14324a` beside it",
        _styled("background-color:#14324a;background-image:linear-gradient(#14324a,#0b1c2a)"),
    ),
)
def gradient_without_colour(context: CheckContext) -> Iterator[Problem]:
    """A gradient with no plain colour behind it."""
    yield from _told(context, "Add background-color, or bgcolor on the cell.", Loss.GRADIENT)


@check(
    id="decoration-unseen",
    severity=Severity.INFO,
    family="support",
    why="The mail is complete without it; it only helps to know who sees it plainer.",
    source=_SOURCE,
    failing=Example("`box-shadow`, with a third of the readers in Gmail", _styled("box-shadow:0 1px 2px #999999")),
    passing=Example("`border`", _styled("border:1px solid #999999")),
)
def decoration_unseen(context: CheckContext) -> Iterator[Problem]:
    """All decoration that at least a tenth of the readers does not see, in one note."""
    entries = [entry for entry in _lost(context, Loss.LOOK) if entry.share >= DECORATION]
    if entries:
        each = [f"{e.use.shown} ({_readers(e)}: {_named(e)}; {_tested(e)})" for e in entries]
        yield Problem(
            f"Part of your readers see the mail without {', and without '.join(each)}{_whose(context)}.",
            "Nothing needs to be done if the mail is as it should be without.",
        )
