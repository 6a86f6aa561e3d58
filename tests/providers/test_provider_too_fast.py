"""A provider that says "too fast" and names a time is heard, by SMTP and SendGrid; nothing else is taken for it."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.delivery.ports import Outcome
from newsletter.providers.sendgrid_answers import judge
from newsletter.providers.smtp import create
from newsletter.providers.smtp_session import too_fast


@pytest.mark.parametrize(
    ("code", "words", "seconds"),
    [
        (451, "4.7.1 Rate limit exceeded, please try again in 120 seconds", 120),
        (421, "4.7.0 Too many messages from your address, retry after 5 minutes", 300),
        (450, "4.7.1 You are sending too fast; wait 30s", 30),
        (452, "4.5.3 throttled, come back in 1 hour", 3600),
        (451, "4.7.1 rate limited, try again in 9000 seconds", 3600),
        (451, "4.7.1 Rate limit exceeded, try again later", None),
        (451, "4.7.1 Greylisted, please try again in 300 seconds", None),
        (452, "4.2.2 mailbox over its limit, try again in 1 hour", None),
        (421, "4.3.2 shutting down, back in 10 minutes", None),
        (550, "5.7.1 Rate limit exceeded, wait 60 seconds", None),
        (450, "4.7.1 <rate-limit@after60s.test>: not now", None),
    ],
)
def test_only_a_rate_that_names_a_time_counts(code: int, words: str, seconds: float | None) -> None:
    assert too_fast(code, words) == seconds


@pytest.fixture
def smtp() -> Any:
    made: list[Any] = []

    def make(port: int) -> Any:
        made.append(create({"host": "127.0.0.1", "port": port, "security": "none", "connections": 1, "timeout": 2.0}))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


@pytest.mark.parametrize("phase", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize("code", [421, 451])
def test_smtp_stops_the_batch_and_passes_the_time_on(peer: Any, smtp: Any, mail: Any, phase: str, code: int) -> None:
    """One mail goes, the second is told to wait: the third is not even tried, and no new connection either."""
    later = f"{code} 4.7.1 Rate limit exceeded, try again in 90 seconds"
    server = peer({phase: ["354 go" if phase == "DATA" else "250 ok", later]})
    results = smtp(server.port).submit(mail.batch(1, 2, 3))
    assert [r.outcome for r in results] == [Outcome.ACCEPTED, Outcome.RETRY, Outcome.RETRY]
    assert [(r.slow_down, r.retry_after) for r in results] == [(False, None), (True, 90.0), (True, 90.0)]
    assert len(server.connections) == 1
    assert sum(command.startswith("MAIL") for command in server.commands) == 2


def test_smtp_is_told_so_at_the_door(peer: Any, smtp: Any, mail: Any) -> None:
    server = peer({"greeting": "421 4.7.0 too many connections, try again in 2 minutes"})
    results = smtp(server.port).submit(mail.batch(1, 2))
    assert [(r.outcome, r.slow_down, r.retry_after) for r in results] == [(Outcome.RETRY, True, 120.0)] * 2


def test_greylisting_holds_nobody_else(peer: Any, smtp: Any, mail: Any) -> None:
    server = peer({"RCPT": ["450 4.7.1 greylisted, try again in 300 seconds", "250 ok"]})
    results = smtp(server.port).submit(mail.batch(1, 2))
    assert [(r.outcome, r.slow_down) for r in results] == [(Outcome.RETRY, False), (Outcome.ACCEPTED, False)]


def test_sendgrid_says_it_with_429_alone() -> None:
    """408 is about one request; 429 is about all of us."""
    assert [r.slow_down for r in judge(["a", "b"], 429, {"Retry-After": "17"}, b"")] == [True, True]
    assert [r.slow_down for r in judge(["a"], 408, {"Retry-After": "17"}, b"")] == [False]
