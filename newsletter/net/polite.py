"""Asking many hosts at once and each of them gently: at most two requests in flight to a host, a pause between them.

All the network of a refresh goes through one ``Gate``, whoever asks: feeds, pages, pictures.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from urllib.parse import urlsplit

from newsletter.errors import FetchGaveUp
from newsletter.net.addresses import shown
from newsletter.net.fetch import Fetched, Policy, Request, ask

PER_HOST = 2
"""Requests in flight to one host."""
PAUSE = 0.2
"""Seconds between the beginnings of two requests to one host."""


class Gate:
    """``fetch`` for many threads, with one end for all: ``deadline`` is in seconds from now.

    A redirect to another host counts for the host that was asked. ``user_agent`` says who asks.
    """

    def __init__(
        self, *, deadline: float, user_agent: str | None = None, per_host: int = PER_HOST, pause: float = PAUSE
    ) -> None:
        self._end = time.monotonic() + deadline
        self._agent = (("User-Agent", user_agent),) if user_agent else ()
        self._per_host = per_host
        self._pause = pause
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let no request begin any more; those in flight end by their own deadline."""
        self._stopped.set()

    def is_over(self) -> bool:
        """Whether nothing is asked for any more."""
        return self._stopped.is_set() or time.monotonic() >= self._end

    def fetch(
        self, url: str, policy: Policy, *, accept: str = "*/*", headers: tuple[tuple[str, str], ...] = ()
    ) -> Fetched:
        """GET a URL when its host has room. Raises as ``net.fetch.fetch`` does, and FetchGaveUp when time is up."""
        host = self._host(url)
        if not host.room.acquire(timeout=max(0.0, self._end - time.monotonic())):
            raise self._late(url)
        try:
            self._wait(host, url)
            left = self._end - time.monotonic()
            if left <= 0:
                raise self._late(url)
            policy = dataclasses.replace(policy, deadline=min(policy.deadline, left))
            return ask(url, policy, Request(accept=accept, headers=(*self._agent, *headers)))
        finally:
            host.room.release()

    def _wait(self, host: _Host, url: str) -> None:
        with self._lock:
            now = time.monotonic()
            start = max(now, host.free_at)
            host.free_at = start + self._pause
        if start >= self._end or self._stopped.wait(start - now):
            raise self._late(url)

    def _host(self, url: str) -> _Host:
        try:
            name = (urlsplit(url).hostname or "").lower()
        except ValueError:
            name = ""
        with self._lock:
            return self._hosts.setdefault(name, _Host(self._per_host))

    @staticmethod
    def _late(url: str) -> FetchGaveUp:
        return FetchGaveUp("no time was left to ask for it", where=shown(url), fix="The next refresh goes on.")


class _Host:
    def __init__(self, room: int) -> None:
        self.room = threading.Semaphore(room)
        self.free_at = 0.0
