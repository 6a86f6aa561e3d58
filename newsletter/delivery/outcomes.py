"""What a provider's answer means for a row of the ledger. Pure: the clock and the dice are arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from newsletter.delivery.ports import Outcome, Result

_SECOND = 1_000_000

LONGEST = 6 * 3600.0
"""Seconds: no delivery waits longer for its next try. What lies further ahead was written by a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a definite "not now" is tried again, and for how long. Times are in seconds.

    The defaults wait 1, 4, 16 and 64 minutes (each ± 20 %), which outlasts the usual greylisting of 5 to 60
    minutes. While whole windows are put off, the provider itself is away: nobody's tries are counted for
    ``patience``, and the sender waits ``hold``, then twice that, up to ``hold_most``, before it asks again.
    """

    tries: int = 5
    first: float = 60.0
    factor: float = 4.0
    most: float = 2 * 3600.0
    jitter: float = 0.2
    hold: float = 5.0
    hold_most: float = 300.0
    patience: float = 24 * 3600.0

    def wait(self, tries: int, dice: Callable[[], float]) -> float:
        """Seconds until the next try after ``tries`` of them; ``dice`` gives 0…1."""
        base = min(self.first * self.factor ** (tries - 1), self.most)
        return base * (1 - self.jitter + 2 * self.jitter * dice())

    def hold_for(self, windows: int) -> float:
        """Seconds to leave the provider alone after ``windows`` whole windows in a row were put off."""
        return float(min(self.hold * 2 ** min(windows - 1, 30), self.hold_most))


@dataclass(frozen=True, slots=True)
class Change:
    """The new state of one delivery. ``next_try_at`` is UTC microseconds."""

    id: int
    state: str
    reason: str | None
    tries: int
    next_try_at: int | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """One submitted batch: delivery row and tries by the key that the provider knows it by, in order."""

    rows: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one window's answers come to.

    ``refused`` is set when the provider refused the whole window for a reason that is ours (a wrong password, a
    refused sender): going on would only burn the list. ``put_off``: the whole window was told "not now".
    ``reached``: somebody got a definite answer of their own. ``away``: nobody did, in the provider's ``words``.
    ``slow_down``: seconds for which the provider wants nothing from anybody here.
    """

    changes: tuple[Change, ...]
    accepted: int = 0
    refused: str | None = None
    put_off: bool = False
    reached: bool = False
    away: bool = False
    words: str = ""
    retry_after: float = 0.0
    slow_down: float = 0.0


def judge(
    window: Window,
    results: Sequence[Result],
    *,
    policy: RetryPolicy,
    idempotent: bool,
    patient: bool,
    now: int,
    dice: Callable[[], float],
    alone: bool = True,
) -> Verdict:
    """Turn the answers for one window into changes of the ledger.

    A recipient without an answer is uncertain: silence is never taken for a no. ``patient``: the mailing is
    young enough that a whole window put off does not count against its recipients. ``alone``: if this window has one
    recipient, its "not now" is taken for that recipient's own and says nothing about the provider.
    """
    answers = {result.key: result for result in results}
    silent = [
        answers.get(key) or Result(key, Outcome.UNKNOWN, "the provider did not answer for this recipient")
        for key in window.rows
    ]
    kinds = {answer.outcome for answer in silent}
    refused = kinds == {Outcome.FAILED}
    telling = len(silent) > 1 or not alone
    put_off = kinds == {Outcome.RETRY} and telling
    spared = put_off and patient
    changes = []
    for answer in silent:
        row, tries = window.rows[answer.key]
        if refused:
            changes.append(Change(row, "pending", None, tries))
        else:
            changes.append(_change(answer, row, tries, policy, idempotent, spared, now, dice))
    return Verdict(
        changes=tuple(changes),
        accepted=sum(answer.outcome is Outcome.ACCEPTED for answer in silent),
        refused=(silent[0].detail or "the provider refused it") if refused else None,
        put_off=put_off,
        reached=bool(kinds & {Outcome.ACCEPTED, Outcome.REJECTED}),
        away=kinds <= {Outcome.RETRY, Outcome.UNKNOWN} and telling,
        words=silent[0].detail if silent else "",
        retry_after=max((answer.retry_after or 0.0 for answer in silent), default=0.0) if put_off else 0.0,
        slow_down=max((answer.retry_after or 0.0 for answer in silent if answer.slow_down), default=0.0),
    )


def unanswered(window: Window, detail: str) -> tuple[Change, ...]:
    """What is left of a window whose submission broke: nobody can know, so every row is uncertain."""
    return tuple(Change(row, "uncertain", detail, tries) for row, tries in window.rows.values())


def _change(
    answer: Result,
    row: int,
    tries: int,
    policy: RetryPolicy,
    idempotent: bool,
    spared: bool,
    now: int,
    dice: Callable[[], float],
) -> Change:
    detail = answer.detail or None
    match answer.outcome:
        case Outcome.ACCEPTED:
            return Change(row, "submitted", None, tries + 1, provider_id=answer.provider_id)
        case Outcome.REJECTED:
            return Change(row, "rejected", detail or "rejected", tries + 1, provider_id=answer.provider_id)
        case Outcome.UNKNOWN if not idempotent:
            return Change(row, "uncertain", detail or "no answer", tries + 1, provider_id=answer.provider_id)
        case _:
            return _again(answer, row, tries if spared else tries + 1, policy, now, dice)


def _again(answer: Result, row: int, tries: int, policy: RetryPolicy, now: int, dice: Callable[[], float]) -> Change:
    """Try later, or give up. An unknown outcome is tried again only where the provider honours our key."""
    if tries >= policy.tries:
        if answer.outcome is Outcome.UNKNOWN:
            return Change(row, "uncertain", f"no answer in {tries} tries: {answer.detail}", tries)
        return Change(row, "failed", f"gave up after {tries} tries: {answer.detail}", tries)
    wait = min(max(policy.wait(max(tries, 1), dice), answer.retry_after or 0.0), LONGEST)
    return Change(row, "retry_wait", answer.detail or "not now", tries, next_try_at=now + int(wait * _SECOND))
