"""How fast a mailing goes: the provider's rate, and its own spread over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from newsletter.delivery import ledger
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.outcomes import RetryPolicy
from newsletter.delivery.throttle import Limit
from newsletter.workspace.config import parse_duration, parse_rate
from newsletter.workspace.settings import Config

if TYPE_CHECKING:
    from newsletter.store.engine import Store

_USUAL = RetryPolicy()


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how patiently. ``rate`` is mails per second through the provider, ``spread`` of this mailing alone;
    0 = no limit.

    ``wait`` is how many seconds a sender with nothing but later retries in its hands waits for the next of them;
    ``run-due`` does not wait (0): it comes again in a minute.
    """

    rate: float = 0.0
    spread: float = 0.0
    wait: float = 0.0
    retries: RetryPolicy = _USUAL

    @property
    def slowest(self) -> float:
        """The lower of the rates, mails per second; 0 = no limit."""
        return min((rate for rate in (self.rate, self.spread) if rate), default=0.0)

    def window(self, max_batch: int) -> int:
        """Mails in a window: one batch; with a rate at most a second's worth, so that a slow rate is an even one."""
        most = max(1, max_batch)
        return min(most, max(1, int(self.slowest))) if self.slowest else most

    def limits(self, provider: str, mailing: str) -> tuple[Limit, ...]:
        """What is to be kept when ``mailing`` (a public id) goes through ``provider``."""
        both = ((f"provider:{provider}", self.rate), (f"mailing:{mailing}", self.spread))
        return tuple(Limit(name, rate) for name, rate in both if rate)


def pace_of(store: Store, mailing: Mailing, config: Config, *, wait: float) -> Pace:
    """What ``newsletter.toml`` says about a planned mailing: its recipients over ``spread``, the provider's rate."""
    with store.read() as conn:
        excluded = ledger.counts(conn, mailing.id).get("excluded", 0)
    recipients = (mailing.planned or 0) - excluded
    return Pace(parse_rate(config.provider.rate, "provider.rate"), spread_rate(recipients, config), wait)


def spread_rate(recipients: int, config: Config) -> float:
    """Mails per second that spread ``recipients`` evenly over ``[schedule] spread``; 0 without one."""
    over = parse_duration(config.schedule.spread, "schedule.spread") / timedelta(seconds=1)
    return recipients / over if over else 0.0
