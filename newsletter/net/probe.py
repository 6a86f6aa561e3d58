"""Whether an address on the web answers: asked politely, through the guards of ``fetch``, and never read.

First HEAD; where that is answered with an error, or not at all, GET for the first byte, because many servers answer
HEAD wrongly. One request at a time to a host, with a pause in between; several hosts at once; one deadline over all.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.errors import FetchGaveUp, FetchRefused, RemoteError
from newsletter.net.fetch import Fetched, Policy, Request, ask

AT_ONCE = 8
"""Hosts that are asked at the same time."""
PAUSE = 0.3
"""Seconds between two requests to the same host."""
DEADLINE = 60.0
"""Seconds for all addresses together; what was not asked by then is not known."""
EACH = 10.0
"""Seconds for one address, with its redirects."""

UNSURE = frozenset({401, 402, 403, 405, 406, 407, 408, 418, 425, 429, 451, 503, 999})
"""Answers of servers that turn programs away, or ask them to wait: a browser may well be let in."""

_HEAD = Request("HEAD", read=False)
_GET = Request("GET", headers=(("Range", "bytes=0-0"),), read=False)


@dataclass(frozen=True, slots=True)
class Reached:
    """What became of one address.

    ``status`` is the last answer's (None: there was none, and ``problem`` says why, in a few words). ``final`` is where
    the redirects led. ``refused``: our own guards did not let it be asked.
    """

    url: str
    status: int | None = None
    final: str = ""
    content_type: str = ""
    problem: str = ""
    refused: bool = False

    @property
    def ok(self) -> bool:
        """Whether something was there: 2xx, or the part that was asked for."""
        return self.status is not None and (200 <= self.status < 300 or self.status == 416)

    @property
    def unsure(self) -> bool:
        """Whether the answer says nothing about what a reader's browser would get."""
        return self.refused or self.status in UNSURE


def probe(url: str, policy: Policy) -> Reached:
    """Ask for one address; never raises for what the other side does."""
    end = time.monotonic() + policy.deadline
    head = _asked(url, dataclasses.replace(policy, deadline=policy.deadline / 2), _HEAD)
    # 200 to HEAD without a type may be anything; a picture must say what it is.
    if head.refused or (head.ok and head.content_type):
        return head
    return _asked(url, dataclasses.replace(policy, deadline=max(0.1, end - time.monotonic())), _GET)


def _asked(url: str, policy: Policy, request: Request) -> Reached:
    try:
        found: Fetched = ask(url, policy, request)
    except FetchGaveUp as failed:
        return Reached(url, problem=failed.what)
    except FetchRefused as refused:
        return Reached(url, problem=refused.what, refused=True)
    except RemoteError as failed:
        return Reached(url, problem=failed.what)
    return Reached(url, found.status, found.url, found.content_type)


def probe_all(
    urls: Iterable[str],
    policy: Policy,
    *,
    at_once: int = AT_ONCE,
    pause: float = PAUSE,
    deadline: float = DEADLINE,
) -> dict[str, Reached]:
    """Ask for every address once. Those that the deadline leaves over are not in the answer."""
    hosts: dict[str, list[str]] = {}
    for url in dict.fromkeys(urls):
        hosts.setdefault(_host(url), []).append(url)
    found: dict[str, Reached] = {}
    end = time.monotonic() + deadline
    stopped = threading.Event()

    def of_one_host(addresses: list[str]) -> None:
        for number, url in enumerate(addresses):
            if stopped.wait(pause if number else 0):
                return
            left = end - time.monotonic()
            if left <= 0:
                return
            answer = probe(url, dataclasses.replace(policy, deadline=min(policy.deadline, left)))
            # Cut short by our own end, silence says nothing about the other side.
            if answer.status is not None or answer.refused or time.monotonic() < end:
                found[url] = answer

    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="newsletter-probe") as pool:
        try:
            for asked in [pool.submit(of_one_host, addresses) for addresses in hosts.values()]:
                asked.result()
        finally:
            # On Ctrl-C the requests in flight end by their own deadline, and no other begins.
            stopped.set()
    return found


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
