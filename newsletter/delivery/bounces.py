"""Why a mail did not arrive, from the mailbox server's own status. Pure.

"A hard bounce means a bad address" is wrong where it hurts most: when a server refuses *us* (SPF, DKIM, DMARC, a
blocked IP), it says 5xx to every address there, and suppressing them would throw away good readers by the thousand.
Only an unknown or a disabled mailbox says something about the reader. The codes are those of RFC 3463 and its registry
(https://www.iana.org/assignments/smtp-enhanced-status-codes), and Microsoft's own of the 5.7.5xx and 5.7.6xx ranges.
"""

from __future__ import annotations

import re
from typing import Final

from newsletter.delivery.ports import Cause, Event

_CODE: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)")

# 5.1.10 is a recipient that Microsoft does not find; by RFC 7505 a domain that takes no mail. Neither gets any.
_UNKNOWN: Final = frozenset({"5.1.1", "5.1.6", "5.1.10"})
_DISABLED: Final = "5.2.1"
_FULL: Final = frozenset({"5.2.2", "4.2.2"})
# DKIM (20–22), SPF (23, 24), reverse DNS (25), several of them (26), a sender without MX (27), ARC (29).
_SENDER: Final = frozenset({*(f"5.7.{n}" for n in (20, 21, 22, 23, 24, 25, 26, 27, 29))})
# Microsoft: banned senders, no reverse DNS, DMARC, required authentication; low reputation; 606–649 a banned IP.
_MICROSOFT: Final = frozenset(
    {*(f"5.7.{n}" for n in (503, 508, 509, 511, 515, 708, 750)), *(f"5.7.{n}" for n in range(606, 650))}
)

_ABOUT_US: Final = re.compile(
    r"\b(?:spf|dkim|dmarc|spamhaus|ptr)\b|unauthenticated|not authenticated|banned sending ip|block ?list|blacklist"
    r"|(?:low|poor|bad) reputation|reverse dns",
    re.IGNORECASE,
)
# Gmail says 5.2.1 of a mailbox that is disabled, and of one that gets too much mail at the moment.
_TOO_FAST: Final = re.compile(r"too quickly|at a rate|rate limit", re.IGNORECASE)


def code_of(event: Event) -> str:
    """The mailbox server's code (``5.1.1``) of a mail that did not arrive; empty without one.

    It stands in the server's own words (``550 5.1.1 …``, ``550-5.7.26 …``); what a provider makes of them is often a
    mere 5.0.0, and second choice.
    """
    found = _CODE.search(event.detail) or _CODE.fullmatch(event.code)
    return found[1] if found else ""


def cause_of(event: Event) -> Cause:
    """Why a mail bounced, was blocked or was dropped.

    The mailbox server's code weighs more than the provider's opinion of it, and a code about the sender most of all.
    """
    code = code_of(event)
    if code in _SENDER or code in _MICROSOFT:
        return "sender"
    if code.startswith("5.7."):
        return "sender" if _ABOUT_US.search(event.detail) else "policy"
    if code in _UNKNOWN:
        return "unknown"
    if code == _DISABLED:
        return "full" if _TOO_FAST.search(event.detail) else "disabled"
    if code in _FULL:
        return "full"
    return event.cause or "other"
