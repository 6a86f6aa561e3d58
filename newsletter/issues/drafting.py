"""Which stories a drafted issue takes, by the rules of ``[draft]``, and why. Pure: nothing is read and nothing made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.articles.inbox import PLACES
from newsletter.articles.listing import Line
from newsletter.issues.uses import Uses
from newsletter.workspace.settings import Draft, DraftSection


@dataclass(frozen=True, slots=True)
class Choice:
    """A story and why it was taken or left out, in words that follow "because" or a colon."""

    line: Line
    why: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A section of the rules, with the stories that it takes, in order."""

    rule: DraftSection
    taken: tuple[Choice, ...]

    @property
    def name(self) -> str:
        """Its title, or the name of its layout."""
        return self.rule.title or self.rule.layout


@dataclass(slots=True)
class Proposal:
    """The sections in the order of the rules, and what was left out, newest first."""

    sections: list[Filled]
    left: list[Choice] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many stories are taken."""
        return sum(len(section.taken) for section in self.sections)


def propose(
    lines: Sequence[Line], rules: Draft, used: Uses, *, language: str, now: datetime, age: timedelta = timedelta(0)
) -> Proposal:
    """Fill the sections with stories that no issue has and that are not saved for later.

    The top story goes first: a story with the tag of ``rules.top``, then the lowest ``priority``, then the newest. A
    lead is filled before all other sections, a section with ``from`` before one without; among equals the first in
    the file. ``language`` is that of stories that name none; ``age`` 0 means any. Deterministic.
    """
    proposal = Proposal([])
    fit: list[Line] = []
    seen: dict[tuple[int, str], Line] = {}
    for line in sorted(lines, key=_newest):
        why = _unfit(line, rules, used, language, now, age) or _twice(line, seen)
        if why is None:
            fit.append(line)
        else:
            proposal.left.append(Choice(line, why))
    fit.sort(key=lambda line: _rank(line, rules))
    filled = _fill(fit, rules)
    proposal.sections = [Filled(rule, tuple(filled[place])) for place, rule in enumerate(rules.section)]
    taken = {choice.line.id for choices in filled.values() for choice in choices}
    full = len(taken) >= rules.most
    for line in fit:
        if line.id not in taken:
            fits = any(_fits(line, rule) is not None for rule in rules.section)
            why = "no section of the draft takes it"
            if fits:
                why = f"the draft has its {rules.most} stories" if full else "the sections that it fits are full"
            proposal.left.append(Choice(line, why))
    proposal.left.sort(key=lambda choice: _newest(choice.line))
    return proposal


def _newest(line: Line) -> tuple[float, int]:
    return -line.moment.timestamp(), -line.id


def _rank(line: Line, rules: Draft) -> tuple[int, float, float, int]:
    top = 0 if rules.top.casefold() in line.tags else 1
    return (top, float("inf") if line.priority is None else line.priority, *_newest(line))


def _unfit(line: Line, rules: Draft, used: Uses, language: str, now: datetime, age: timedelta) -> str | None:
    """Why a story is not for this draft at all."""
    if line.state != "new":
        return PLACES[line.state]
    if by := used.of(line.slug):
        return f"used in {by[0].words}"
    if alike := used.alike(line.keys):
        return f"a story with the same {alike[0]} is used in {alike[1].words}"
    spoken = line.lang or language.casefold()
    if rules.languages and not any(_speaks(spoken, wanted.casefold()) for wanted in rules.languages):
        return f"its language is {spoken}"
    if age and now - line.moment > age:
        return f"older than {rules.age}"
    return None


def _speaks(spoken: str, wanted: str) -> bool:
    """``en`` is spoken in ``en-gb``; ``en-gb`` is not spoken in ``en-us``, nor in ``en``."""
    return spoken == wanted or spoken.startswith(f"{wanted}-")


def _twice(line: Line, seen: dict[tuple[int, str], Line]) -> str | None:
    """The same story from another source, or an older form of it."""
    keys = [(kind, key) for kind, key in enumerate(line.keys) if key is not None]
    known = next((seen[key] for key in keys if key in seen), None)
    for key in keys:
        seen.setdefault(key, known or line)
    return f"it looks like {known.slug}" if known else None


def _fill(fit: Iterable[Line], rules: Draft) -> dict[int, list[Choice]]:
    """The stories of each section, by its place in the rules."""
    filled: dict[int, list[Choice]] = {place: [] for place in range(len(rules.section))}
    left, room = list(fit), rules.most
    for place in sorted(filled, key=lambda n: (rules.section[n].layout != "lead", not rules.section[n].from_, n)):
        rule = rules.section[place]
        most = min(room, rule.most or (1 if rule.layout == "lead" else room))
        order = sorted(left, key=_newest) if rule.order == "newest" else left
        for line in order:
            if len(filled[place]) == most:
                break
            why = _fits(line, rule)
            if why is not None:
                filled[place].append(Choice(line, ", ".join(w for w in (_standing(line, rules), why) if w)))
        taken = {choice.line.id for choice in filled[place]}
        left = [line for line in left if line.id not in taken]
        room -= len(taken)
    return filled


def _fits(line: Line, rule: DraftSection) -> str | None:
    """Which of a section's words a story has; empty where every story fits, None when it does not."""
    if not rule.from_:
        return ""
    has = {
        **dict.fromkeys(line.tags, "its tag"),
        (line.source or "").strip().casefold(): "from",
        (line.section or "").strip().casefold(): "its section",
    }
    has.pop("", None)
    for word in rule.from_:
        if kind := has.get(word.strip().casefold()):
            return f"{kind} {word.strip()}"
    return None


def _standing(line: Line, rules: Draft) -> str:
    """Why a story stands before others."""
    if rules.top.casefold() in line.tags:
        return f"its tag {rules.top}"
    return f"priority {line.priority}" if line.priority is not None else "newest"
