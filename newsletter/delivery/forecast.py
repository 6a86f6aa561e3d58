"""How long a mailing will take at least, and what decides it. Nothing is asked and nothing is written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from newsletter.delivery.lanes import OTHERS, domain_limit, domain_rates
from newsletter.delivery.pace import Pace, spread_rate
from newsletter.delivery.plan import Planned
from newsletter.delivery.ports import Capabilities
from newsletter.workspace.config import parse_duration, parse_rate
from newsletter.workspace.settings import Config
from newsletter.workspace.values import canary_size

_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """``seconds`` is the least a mailing takes once it begins (0: nothing slows it down), and ``because`` of what.

    ``batches`` is how many requests it is at least. ``canary`` is how many readers go first (0: none), and
    ``canary_wait`` the seconds that the others wait for them, which are in ``seconds``. ``days`` are the mails of each
    day of the warm-up; empty: all may go on the first.
    """

    batches: int
    seconds: float = 0.0
    because: str | None = None
    canary: int = 0
    canary_wait: float = 0.0
    days: tuple[int, ...] = ()


def forecast(planned: Planned, config: Config, capabilities: Capabilities, ahead: Sequence[int] = ()) -> Forecast:
    """From ``foresee`` and the settings; ``ahead`` are the mails that the warm-up allows today and on later days."""
    pace = Pace(rate=parse_rate(config.provider.rate, "provider.rate"), spread=spread_rate(planned.pending, config))
    batches = math.ceil(planned.pending / pace.window(capabilities.max_batch))
    seconds, because = max(_slow(planned, pace, domain_rates(config)), default=(0.0, None))
    days = _days(planned.pending, ahead)
    seeds = len(config.schedule.seeds)
    canary = canary_size(config.schedule.canary, max(0, (days[0] if days else planned.pending) - seeds))
    wait = parse_duration(config.schedule.canary_wait, "schedule.canary_wait") / timedelta(seconds=1) if canary else 0.0
    if len(days) > 1:
        seconds, because = max(seconds, (len(days) - 1) * _DAY), "the warm-up (schedule.warm_up)"
    elif wait:
        seconds, because = seconds + wait, f"{because}, and the others wait for the canary" if because else "the canary"
    return Forecast(batches, seconds, because, canary, wait, days)


def _days(readers: int, ahead: Sequence[int]) -> tuple[int, ...]:
    """How many go on each day; a day that is used up already is one with none. Empty when today is enough for all."""
    days: list[int] = []
    for allowed in ahead:
        if readers <= 0:
            break
        days.append(min(allowed, readers))
        readers -= days[-1]
    else:
        if ahead and readers > 0:
            days.append(readers)
    return tuple(days) if len(days) > 1 else ()


def _slow(planned: Planned, pace: Pace, rates: Mapping[str, float]) -> Iterator[tuple[float, str]]:
    """(seconds, what takes them) for each limit."""
    if pace.rate:
        yield planned.pending / pace.rate, f"at {pace.rate:g} a second"
    if pace.spread:
        yield planned.pending / pace.spread, "spread evenly (schedule.spread)"
    for domain, count in planned.domains.items():
        if limit := domain_limit(domain, rates):
            which = "" if domain in rates else f", the limit of {OTHERS}"
            yield count / limit.rate, f"{domain}: {count:,} at {limit.rate:g} a second{which}"
