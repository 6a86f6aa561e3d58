"""The warm-up: a provider that does not know us gets few mails on the first day, more on the second, and so on.

Mailbox providers distrust a sender of whom they have never heard and who writes to a hundred thousand people at once.
``[schedule] warm_up`` says how many mails each day allows; after its last day there is no limit. A day counts when a
mail went on it. What goes is counted in the transaction that marks the mails, so neither a restart nor a second process
is faster. Who read most of the earlier mailings goes first: their mail programs are the likeliest to vouch for us.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

from newsletter.delivery import ledger
from newsletter.delivery.domains import blocked_domains, outside
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.schedule import at_wall_time, wall_time, zone_of
from newsletter.store.clock import from_us, to_us
from newsletter.workspace.settings import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection

_DAYS = sql("SELECT day, mails FROM warm_up WHERE name = :name AND mails > 0")
_TAKE = sql(
    "INSERT INTO warm_up (name, day, mails) VALUES (:name, :day, :mails)"
    " ON CONFLICT (name, day) DO UPDATE SET mails = warm_up.mails + excluded.mails"
)
_GIVE_BACK = sql(
    "UPDATE warm_up SET mails = CASE WHEN mails > :mails THEN mails - :mails ELSE 0 END"
    " WHERE name = :name AND day = :day"
)
# Claimed ahead, and put off: whose mail was refused for now keeps the place that was given back for it. A mailing that
# is paused may be resumed before its process has let go of what it claimed; who was put off there has no place.
_KEPT = sql(
    "SELECT count(*) FROM delivery WHERE mailing_id IN (SELECT id FROM mailing WHERE provider = :provider"
    " AND state IN ('sending', 'paused')) AND state = 'claimed'"
    " AND state IN ('pending', 'claimed', 'submitting', 'retry_wait')"
    " UNION ALL SELECT count(*) FROM delivery WHERE mailing_id IN (SELECT id FROM mailing WHERE provider = :provider"
    " AND state = 'sending') AND state = 'retry_wait'"
    " AND state IN ('pending', 'claimed', 'submitting', 'retry_wait')"
)
# Readers who clicked, who opened and who at least got the most of the last ten mailings; then the oldest subscribers.
_ENGAGED = (
    "SELECT d.id FROM delivery d LEFT JOIN (SELECT r.subscriber_id,"
    " count(DISTINCT CASE WHEN e.kind = 'clicked' THEN e.mailing_id END) AS clicked,"
    " count(DISTINCT CASE WHEN e.kind = 'opened' THEN e.mailing_id END) AS opened,"
    " count(DISTINCT CASE WHEN e.kind = 'delivered' THEN e.mailing_id END) AS delivered"
    " FROM event e JOIN delivery r ON r.id = e.delivery_id"
    " WHERE e.mailing_id IN"
    " (SELECT id FROM mailing WHERE id <> :mailing AND planned IS NOT NULL ORDER BY id DESC LIMIT 10)"
    " AND e.kind IN ('clicked', 'opened', 'delivered') GROUP BY r.subscriber_id) s"
    " ON s.subscriber_id = d.subscriber_id WHERE d.mailing_id = :mailing"
    " AND d.state IN ('pending', 'retry_wait') AND d.state IN ('pending', 'claimed', 'submitting', 'retry_wait')"
    "{beyond} ORDER BY coalesce(s.clicked, 0) DESC, coalesce(s.opened, 0) DESC, coalesce(s.delivered, 0) DESC,"
    " d.subscriber_id LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Ramp:
    """``steps`` are mails a day, never fewer than on the day before. ``zone`` says when a day ends.

    ``name`` is whom the mailbox providers get to know: the provider and the domain of the sender.
    """

    provider: str
    name: str
    steps: tuple[int, ...]
    zone: str


def ramp_of(provider: str, config: Config) -> Ramp | None:
    """``[schedule] warm_up`` for a provider; None without one."""
    if not config.schedule.warm_up:
        return None
    domain = config.sender.email.rpartition("@")[2].lower()
    return Ramp(provider, f"{provider}:{domain}", tuple(config.schedule.warm_up), config.publication.timezone)


def steps_left(conn: Connection, ramp: Ramp, now: int) -> list[int]:
    """How many mails may still go today, and on each day after it on which mails go; empty: no limit any more."""
    today = _day(now, ramp.zone)
    days = {str(day): int(mails) for day, mails in conn.execute(_DAYS, {"name": ramp.name})}
    ahead = list(ramp.steps[sum(day < today for day in days) :])
    if ahead:
        ahead[0] = max(0, ahead[0] - days.get(today, 0))
    return ahead


def room(conn: Connection, ramp: Ramp, now: int) -> int | None:
    """How many more may be claimed today, by any process; None: no limit. Inside the transaction that claims them."""
    ahead = steps_left(conn, ramp, now)
    if not ahead:
        return None
    kept: int = sum(conn.execute(_KEPT, {"provider": ramp.provider}).scalars())
    return max(0, ahead[0] - kept)


def take(conn: Connection, ramp: Ramp, mails: int, now: int) -> None:
    """Count mails whose first byte may leave now; as long as the number of days matters."""
    today = _day(now, ramp.zone)
    if sum(str(day) < today for day, _ in conn.execute(_DAYS, {"name": ramp.name})) <= len(ramp.steps):
        conn.execute(_TAKE, {"name": ramp.name, "day": today, "mails": mails})


def give_back(conn: Connection, ramp: Ramp, mails: int, now: int) -> None:
    """So many of them were definitely not taken."""
    conn.execute(_GIVE_BACK, {"name": ramp.name, "day": _day(now, ramp.zone), "mails": mails})


def engaged(conn: Connection, mailing_id: int, limit: int) -> list[int]:
    """The deliveries to come of those who read most, first. The same rows and events give the same order.

    Without the mailbox domains that the mailing waits for.
    """
    beyond, patterns = outside(blocked_domains(conn, mailing_id))
    query = sql(_ENGAGED.format(beyond=beyond))
    return list(conn.execute(query, {"mailing": mailing_id, "limit": limit, **patterns}).scalars())


def rests_until(conn: Connection, ramp: Ramp, mailing: Mailing, now: int) -> int | None:
    """Until when a mailing that began rests (UTC microseconds): what is left of it goes at its own time of day.

    None: it may go now.
    """
    ahead = steps_left(conn, ramp, now)
    today = _day(now, ramp.zone)
    if ahead and room(conn, ramp, now) == 0:
        again = ledger.next_try(conn, mailing.id)
        opens = tomorrow(ramp, mailing, now)
        return opens if again is None else (min(opens, again) if again > now else None)
    days = sum(str(day) < today for day, _ in conn.execute(_DAYS, {"name": ramp.name}))
    begun = _day(mailing.planned_at or now, ramp.zone)
    # The day after the last step is without a limit, but nobody wants a newspaper at midnight.
    if begun < today and days <= len(ramp.steps):
        opens = _at_its_time(mailing, ramp, now, days=0)
        return opens if now < opens else None
    return None


def tomorrow(ramp: Ramp, mailing: Mailing, now: int) -> int:
    """When a mailing for which today is used up goes on (UTC microseconds)."""
    return _at_its_time(mailing, ramp, now, days=1)


def _at_its_time(mailing: Mailing, ramp: Ramp, now: int, *, days: int) -> int:
    zone = zone_of(ramp.zone)
    clock = datetime.fromisoformat(wall_time(mailing.due, ramp.zone)).time()
    day = from_us(now).astimezone(zone).date() + timedelta(days=days)
    return to_us(at_wall_time(datetime.combine(day, clock), zone))


def _day(now: int, zone: str) -> str:
    return from_us(now).astimezone(zone_of(zone)).date().isoformat()
