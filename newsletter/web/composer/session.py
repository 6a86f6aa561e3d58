"""Who may use the composer: whoever opened an address that this process printed, in the browser that opened it.

Keys and sessions live in this process alone and are never written down: a restart ends them all.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from typing import Final

MOST_SESSIONS: Final = 32
"""More browsers than an editor has; the oldest is forgotten."""


class Sessions:
    """One-time keys, and the sessions that they were changed for. ``told`` hears each new key; safe in threads."""

    def __init__(self, told: Callable[[str], None] | None = None) -> None:
        self._lock = threading.Lock()
        self._open: list[str] = []
        self._told = told
        self.key = secrets.token_urlsafe(24)

    def enter(self, key: str) -> str | None:
        """A session for a key, which then is used up and replaced; None for any other."""
        with self._lock:
            if not _same(key, self.key):
                return None
            self.key = secrets.token_urlsafe(24)
            session = secrets.token_urlsafe(32)
            self._open = [*self._open[-(MOST_SESSIONS - 1) :], session]
        if self._told is not None:
            self._told(self.key)
        return session

    def knows(self, session: str | None) -> bool:
        """Whether a cookie's value is a session of ours."""
        with self._lock:
            known = list(self._open)
        return session is not None and any([_same(session, each) for each in known])  # noqa: C419 - each, so that time tells nothing


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())
