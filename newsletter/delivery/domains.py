"""How a mailing fares with each mailbox domain, and the domains that it waits for.

Where a domain's servers refuse us, going on would only collect refusals and spoil our name there; where every mailbox
of a domain is suddenly unknown, the domain is broken and not its readers (large providers have had such nights). The
mailing goes on with everybody else; when only they are left it pauses, and ``newsletter resume`` tries them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

if TYPE_CHECKING:
    from sqlalchemy import Connection

FEW_REFUSALS = 5
"""Refusals by policy that may be single readers' own filters; from here on their share decides."""
REFUSED_SHARE = 0.05
FEW_UNKNOWN = 20
"""Unknown mailboxes of one domain in one mailing that an old list may have; from here on their share decides."""
UNKNOWN_SHARE = 0.5

_COUNT = sql(
    "INSERT INTO mailbox_domain (mailing_id, domain, delivered, refused, unknown)"
    " VALUES (:mailing, :domain, :delivered, :refused, :unknown) ON CONFLICT (mailing_id, domain) DO UPDATE SET"
    " delivered = mailbox_domain.delivered + excluded.delivered, refused = mailbox_domain.refused + excluded.refused,"
    " unknown = mailbox_domain.unknown + excluded.unknown RETURNING delivered, refused, unknown, paused_at"
)
_PAUSE = sql(
    "UPDATE mailbox_domain SET paused_at = :now, reason = :reason"
    " WHERE mailing_id = :mailing AND domain = :domain AND paused_at IS NULL"
)
_PAUSED = sql(
    "SELECT domain, reason FROM mailbox_domain WHERE mailing_id = :mailing AND paused_at IS NOT NULL ORDER BY domain"
)
# From nought, so that what made it wait does not make it wait again at the next word.
_LIFT = sql(
    "UPDATE mailbox_domain SET paused_at = NULL, reason = NULL, delivered = 0, refused = 0, unknown = 0"
    " WHERE mailing_id = :mailing AND paused_at IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class News:
    """What one webhook call says about a domain: how many mails arrived, were refused by policy, had no mailbox.

    ``sender`` is a refusal that is certainly about us, in the server's words.
    """

    delivered: int = 0
    refused: int = 0
    unknown: int = 0
    sender: str | None = None

    def __add__(self, other: News) -> News:
        return News(
            self.delivered + other.delivered,
            self.refused + other.refused,
            self.unknown + other.unknown,
            self.sender or other.sender,
        )


def why_wait(delivered: int, refused: int, unknown: int, sender: str | None) -> str | None:
    """Why a mailing should wait with a domain, in words; None while all is well. Counts are since the last resume."""
    if sender:
        return f"it refuses this sender: {sender}"
    if refused >= FEW_REFUSALS and refused >= REFUSED_SHARE * (delivered + refused):
        return f"it refused {refused:,} mails by its policy, {delivered:,} arrived"
    if unknown >= FEW_UNKNOWN and unknown >= UNKNOWN_SHARE * (delivered + unknown):
        return f"{unknown:,} mailboxes there are suddenly unknown, {delivered:,} mails arrived"
    return None


def hear(conn: Connection, mailing_id: int, domain: str, news: News, now: int) -> str | None:
    """Add the news up; the reason, if the domain is paused by this, else None. Inside a write transaction."""
    values = {"mailing": mailing_id, "domain": domain}
    counts = {"delivered": news.delivered, "refused": news.refused, "unknown": news.unknown}
    delivered, refused, unknown, paused_at = conn.execute(_COUNT, {**values, **counts}).one()
    reason = None if paused_at is not None else why_wait(delivered, refused, unknown, news.sender)
    if reason is not None:
        conn.execute(_PAUSE, {**values, "now": now, "reason": reason})
    return reason


def paused(conn: Connection, mailing_id: int) -> dict[str, str]:
    """The domains that this mailing waits for, with the reason."""
    return {str(domain): str(reason) for domain, reason in conn.execute(_PAUSED, {"mailing": mailing_id})}


def blocked_domains(conn: Connection, mailing_id: int) -> frozenset[str]:
    """The domains whose mailboxes nothing may be claimed for now."""
    return frozenset(paused(conn, mailing_id))


def lift(conn: Connection, mailing_id: int) -> list[str]:
    """Try all of them again, as the editor says; which they were."""
    were = list(paused(conn, mailing_id))
    if were:
        conn.execute(_LIFT, {"mailing": mailing_id})
    return were


def domain_of(address: str) -> str:
    """The mailbox domain of an address as it is kept: lower-case A-labels."""
    return address.rpartition("@")[2].lower()


def outside(domains: Iterable[str]) -> tuple[str, dict[str, str]]:
    """A condition on ``d.address`` that leaves these domains out, and its parameters; empty without any."""
    parameters = {f"domain{n}": f"%@{plain(domain)}" for n, domain in enumerate(sorted(domains))}
    return "".join(f" AND d.address NOT LIKE :{name} ESCAPE '!'" for name in parameters), parameters


def plain(domain: str) -> str:
    """A domain inside a LIKE pattern whose escape is ``!``."""
    return domain.replace("!", "!!").replace("%", "!%").replace("_", "!_")
