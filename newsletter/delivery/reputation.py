"""How readers take a mailing: complaints of spam per mail that arrived, and what follows from them.

Mailbox providers judge a sender by that share. Google's rules for senders ask to keep it below 0.1 % and never to
reach 0.3 %; whoever does is filtered for everybody. So a mailing pauses by itself at 0.3 %, and editors are told at
0.1 %. What an editor saw when resuming is excused: only complaints after it count, against all that arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

from newsletter.workspace.config import parse_share
from newsletter.workspace.settings import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection

FEW_COMPLAINTS = 3
"""So many complaints are chance, whatever their share: one among 20 readers is no 5 %.

A good list has a complaint in 5,000 mails. Among the first 1,000 of such a list, where three complaints would be the
0.3 %, two or more come up once in 57 mailings and three or more once in 870 (Poisson, mean 0.2): below three, chance
would pause a good mailing every year. A list with a complaint in 100 mails has three among 500 in seven of eight cases.
"""

_ADD = sql(
    "INSERT INTO reputation (mailing_id, delivered, complained) VALUES (:mailing, :delivered, :complained)"
    " ON CONFLICT (mailing_id) DO UPDATE SET delivered = reputation.delivered + excluded.delivered,"
    " complained = reputation.complained + excluded.complained"
)
_READ = sql(
    "SELECT delivered, complained, excused, warned_at, warning, paused_at FROM reputation WHERE mailing_id = :mailing"
)
_SUBMITTED = sql("SELECT count(*) FROM delivery WHERE mailing_id = :mailing AND state = 'submitted'")
_WARN = sql(
    "INSERT INTO reputation (mailing_id, warned_at, warning) VALUES (:mailing, :now, :warning)"
    " ON CONFLICT (mailing_id) DO UPDATE SET warned_at = excluded.warned_at, warning = excluded.warning"
)
_STOPPED = sql(
    "INSERT INTO reputation (mailing_id, paused_at) VALUES (:mailing, :now)"
    " ON CONFLICT (mailing_id) DO UPDATE SET paused_at = excluded.paused_at"
)
_EXCUSE = sql(
    "UPDATE reputation SET excused = complained, paused_at = NULL WHERE mailing_id = :mailing AND paused_at IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares of 1 from which something happens; 0: never."""

    complaints_warn: float = 0.001
    complaints_pause: float = 0.003
    bounces_pause: float = 0.10


@dataclass(frozen=True, slots=True)
class Reputation:
    """Of how many deliveries of a mailing it was told; times are UTC microseconds. ``warning`` is what was said."""

    delivered: int = 0
    complained: int = 0
    excused: int = 0
    warned_at: int | None = None
    warning: str | None = None
    paused_at: int | None = None


@dataclass(frozen=True, slots=True)
class Complaints:
    """What a number of complaints means: why to pause, or of what to warn, in words; both None while all is well."""

    pause: str | None = None
    warn: str | None = None


def thresholds_of(config: Config) -> Thresholds:
    """``[schedule] complaints_warn``, ``complaints_pause`` and ``bounces_pause``."""
    names = ("complaints_warn", "complaints_pause", "bounces_pause")
    return Thresholds(**{name: parse_share(getattr(config.schedule, name), f"schedule.{name}") for name in names})


def weigh(complained: int, arrived: int, limits: Thresholds, *, of: str = "mails that arrived") -> Complaints:
    """What ``complained`` among ``arrived`` means; ``of`` names what they are a share of."""
    if complained < FEW_COMPLAINTS or not arrived:
        return Complaints()
    share = complained / arrived
    said = f"{complained:,} complaints of spam, {min(share, 1.0):.2%} of {arrived:,} {of}"
    if limits.complaints_pause and share >= limits.complaints_pause:
        return Complaints(pause=f"{said}; {percent(limits.complaints_pause)} is too many")
    if limits.complaints_warn and share >= limits.complaints_warn:
        return Complaints(warn=f"{said}; from {percent(limits.complaints_warn)} on mailbox providers take it ill")
    return Complaints()


def percent(share: float) -> str:
    """``0.3 %``, ``10 %``."""
    return f"{share * 100:g} %"


def hear(conn: Connection, news: Mapping[int, tuple[int, int]]) -> None:
    """Add up, by mailing: of how many more deliveries it is told that they arrived, and that readers complained.

    In the transaction that records the events.
    """
    for mailing_id, (delivered, complained) in news.items():
        if delivered or complained:
            conn.execute(_ADD, {"mailing": mailing_id, "delivered": delivered, "complained": complained})


def read(conn: Connection, mailing_id: int) -> Reputation:
    """How a mailing is taken so far."""
    row = conn.execute(_READ, {"mailing": mailing_id}).one_or_none()
    return Reputation() if row is None else Reputation(*row)


def look(conn: Connection, mailing_id: int, limits: Thresholds) -> Complaints:
    """What the complaints since the last resume mean.

    A provider may tell of complaints and not of arrivals; then they are a share of what was submitted.
    """
    found = read(conn, mailing_id)
    complained = found.complained - found.excused
    if complained < FEW_COMPLAINTS:
        return Complaints()
    if found.delivered:
        return weigh(complained, found.delivered, limits)
    submitted = int(conn.execute(_SUBMITTED, {"mailing": mailing_id}).scalar_one())
    return weigh(complained, submitted, limits, of="mails that were submitted")


def warn(conn: Connection, mailing_id: int, warning: str, now: int) -> bool:
    """Keep a warning, once for each mailing; whether it is the first."""
    if read(conn, mailing_id).warned_at is not None:
        return False
    conn.execute(_WARN, {"mailing": mailing_id, "warning": warning, "now": now})
    return True


def note_paused(conn: Connection, mailing_id: int, now: int) -> None:
    """The mailing pauses for its complaints: whoever resumes it has seen them."""
    conn.execute(_STOPPED, {"mailing": mailing_id, "now": now})


def excuse(conn: Connection, mailing_id: int) -> None:
    """An editor resumes a mailing that paused for its complaints: it does not pause again on the same ones."""
    conn.execute(_EXCUSE, {"mailing": mailing_id})
