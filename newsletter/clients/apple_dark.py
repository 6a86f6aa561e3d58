"""Apple Mail on a dark screen: the mail's own dark rules, as they were written. It takes nothing away."""

from __future__ import annotations

from newsletter.clients.taken import Seen


def apple_dark(html: str) -> Seen:
    """The page as it is; whoever shows it lets ``prefers-color-scheme: dark`` hold."""
    return Seen(html)
