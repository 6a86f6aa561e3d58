"""The heartbeat: a monitor elsewhere hears that ``run-due`` began, and how it ended; its silence is the alarm."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    from newsletter.net.fetch import Policy

SECONDS = 10.0
_BUG = 70


@dataclass(slots=True)
class Beat:
    """What the end of the run will say: DESIGN's exit code."""

    exit_code: int = _BUG


@contextlib.contextmanager
def beating(url: str | None) -> Iterator[Beat]:
    """Ask for ``url/start``, and after the block for ``url/<exit code>``; nothing without a URL.

    The start does not hold the block up, and neither of the two can make it fail.
    """
    beat = Beat()
    if not url:
        yield beat
        return
    start = threading.Thread(target=ping, args=(f"{url.rstrip('/')}/start",), daemon=True)
    start.start()
    try:
        yield beat
    except NewsletterError as error:
        beat.exit_code = error.exit_code
        raise
    finally:
        # In this order, or the monitor would think that the run goes on.
        start.join(SECONDS)
        ping(f"{url.rstrip('/')}/{beat.exit_code}")


def ping(url: str) -> bool:
    """Ask for a URL that ``newsletter.toml`` names; whether it answered 2xx. Never raises."""
    from newsletter.net.fetch import Request, ask

    with contextlib.suppress(Exception):  # whatever it is, it is about the monitor and not about the mails
        return ask(url, own_policy(url), Request(read=False)).ok
    return False


def own_policy(url: str) -> Policy:
    """The monitor's own host may be on the newsroom's network, since the configuration names it; no other host may."""
    from newsletter.net.fetch import Policy

    host = urlsplit(url).hostname or ""
    return Policy(allow_hosts=(host,), deadline=SECONDS, max_bytes=64 * 1024, max_redirects=3)
