"""How long a mailing will take at least, and what decides it. Nothing is asked and nothing is written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from newsletter.delivery.lanes import OTHERS, domain_limit, domain_rates
from newsletter.delivery.pace import Pace, spread_rate
from newsletter.delivery.plan import Planned
from newsletter.delivery.ports import Capabilities
from newsletter.workspace.config import parse_rate
from newsletter.workspace.settings import Config


@dataclass(frozen=True, slots=True)
class Forecast:
    """``seconds`` is the least a mailing takes once it begins (0: nothing slows it down), and ``because`` of what.

    ``batches`` is how many requests it is at least.
    """

    batches: int
    seconds: float = 0.0
    because: str | None = None


def forecast(planned: Planned, config: Config, capabilities: Capabilities) -> Forecast:
    """From ``foresee`` and the settings."""
    pace = Pace(rate=parse_rate(config.provider.rate, "provider.rate"), spread=spread_rate(planned.pending, config))
    batches = math.ceil(planned.pending / pace.window(capabilities.max_batch))
    seconds, because = max(_slow(planned, pace, domain_rates(config)), default=(0.0, None))
    return Forecast(batches, seconds, because)


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
