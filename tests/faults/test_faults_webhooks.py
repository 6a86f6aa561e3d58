"""Calls of the event webhook, forged, stale, repeated, out of order and all at once, against a mailing in doubt."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.faults_kit import Newsroom, here, prove
from tests.faults.faults_sinks import Line, SendGridServer
from tests.public.kit import Served, serve
from tests.webhooks import Signer

READERS = 30
PATH = "/events/sendgrid"


def lost_after_taking(line: Line, server: SendGridServer, keys: list[str]) -> bool:
    server.take(keys)
    line.reset()
    return False


def said(key: str, kind: str, at: int, **more: str) -> dict[str, Any]:
    return {"delivery": key, "event": kind, "timestamp": at, **more}


def post(site: Served, raw: bytes, headers: dict[str, str]) -> int:
    return site.ask(PATH, method="POST", body=raw, headers=headers).status


@pytest.mark.slow
def test_no_call_however_it_comes_changes_a_sum_or_counts_twice(newsroom: Callable[..., Newsroom]) -> None:
    """Forged ones say nothing; the true one settles the doubt once, from six callers at a time and in any order."""
    server, signer = SendGridServer(lost_after_taking), Signer()
    try:
        room = newsroom("sendgrid", server.port, READERS)
        room.finish()
    finally:
        server.close()
    config = room.root / "newsletter.toml"
    config.write_text(f'{config.read_text()}webhook_key = "{signer.public}"\n')
    keys = sorted(room.ledger.states)
    assert prove(room, server.took, at_most_uncertain=READERS) == {"uncertain": READERS}
    now = int(time.time())
    # The bounce and the delivery come before the news that it was taken.
    true = [
        *(said(key, "bounce", now + 5, type="blocked", reason="450 4.2.1 try later") for key in keys[:5]),
        *(said(key, "delivered", now + 3) for key in keys[5:]),
        *(said(key, "processed", now) for key in keys),
        *(said(f"{n:032x}", "delivered", now) for n in range(50)),
    ]
    raw = json.dumps(true).encode()
    with serve(room.root) as site:
        good = signer.headers(raw)
        stale = signer.headers(raw, time.time() - 26 * 3600)
        other = json.dumps(list(reversed(true))).encode()
        for body, headers in (
            (raw, {}),
            (raw, Signer().headers(raw)),
            (other, good),
            (raw + b"\n", good),
            (raw, stale),
        ):
            assert post(site, body, headers) == 403
        huge = b"[" + b" " * (6 << 20) + b"]"
        with contextlib.suppress(OSError):  # it may hang up before the end of it was written
            assert post(site, huge, signer.headers(huge)) == 413
        assert room.ledger.tally == {"uncertain": READERS}
        assert room.rows("select count(*) from event") == [(0,)]

        with ThreadPoolExecutor(6) as pool:
            calls = [(raw, good), (other, signer.headers(other))] * 3
            codes = list(pool.map(lambda call: post(site, *call), calls))
        assert set(codes) <= {204, 503}
        assert 204 in codes
        for body, headers in ((raw, good), (other, signer.headers(other))):
            assert post(site, body, headers) == 204
    assert prove(room, server.took, at_most_uncertain=0) == {"submitted": READERS}
    assert room.rows("select kind, count(*), count(distinct delivery_id) from event group by kind order by kind") == [
        ("blocked", 5, 5),
        ("delivered", READERS - 5, READERS - 5),
    ]
    told = here(room.root, "status", "2026-11-27", "--json").json
    assert told["events"] == {"blocked": 5, "delivered": READERS - 5}
