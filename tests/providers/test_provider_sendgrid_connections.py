"""SendGrid's connections: they stay open, several are used at once, and a broken one costs nobody else."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from newsletter.delivery.ports import Outcome
from newsletter.providers import sendgrid_http
from newsletter.providers.sendgrid import SendgridProvider

from .conftest import SENDGRID_KEY, outcomes


def test_one_connection_carries_many_requests(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    provider = sendgrid()
    for number in range(5):
        assert outcomes(provider.submit(mail.batch(number))) == [Outcome.ACCEPTED]
    provider.check()
    assert local_sendgrid.connections == 1


def test_an_idle_connection_that_the_server_closed_is_replaced_before_anything_is_written(
    sendgrid: Any, local_sendgrid: Any, mail: Any
) -> None:
    """Writing into it would leave a thousand readers uncertain."""
    provider = sendgrid()
    local_sendgrid.answers = [local_sendgrid.Answer(hang_up=True)]
    assert outcomes(provider.submit(mail.batch(1))) == [Outcome.ACCEPTED]
    ((_, connection),) = provider._open._idle
    while not sendgrid_http._heard(connection):
        time.sleep(0.005)
    assert outcomes(provider.submit(mail.batch(2))) == [Outcome.ACCEPTED]
    assert local_sendgrid.connections == 2
    assert len(local_sendgrid.requests) == 2


def test_a_connection_that_was_idle_for_long_is_not_trusted(
    sendgrid: Any, local_sendgrid: Any, mail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sendgrid_http, "IDLE", 0.0)
    provider = sendgrid()
    provider.submit(mail.batch(1))
    provider.submit(mail.batch(2))
    assert local_sendgrid.connections == 2


def test_a_broken_exchange_costs_its_connection_and_no_other(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    provider = sendgrid()
    local_sendgrid.answers = [local_sendgrid.Answer(), local_sendgrid.Answer(fault="reset")]
    assert outcomes(provider.submit(mail.batch(1))) == [Outcome.ACCEPTED]
    assert outcomes(provider.submit(mail.batch(2))) == [Outcome.UNKNOWN]
    assert outcomes(provider.submit(mail.batch(3))) == [Outcome.ACCEPTED]
    assert local_sendgrid.connections == 2


def test_several_requests_are_in_flight(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    """As many as there are connections, from as many threads."""
    provider = sendgrid(connections=3)
    assert provider.capabilities.concurrency == 3
    local_sendgrid.together = threading.Barrier(3)
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda number: provider.submit(mail.batch(number)), range(3)))
    assert [outcomes(result) for result in results] == [[Outcome.ACCEPTED]] * 3


def test_a_closed_provider_keeps_no_connection(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    provider = sendgrid()
    provider.submit(mail.batch(1))
    provider.close()
    assert provider._open._idle == []


def test_a_proxy_of_the_environment_is_used(mail: Any, peer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """CONNECT goes to the proxy; what it refuses is a failure to connect."""
    proxy = peer({"greeting": "HTTP/1.1 403 Forbidden\r\n\r"})
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    (result,) = SendgridProvider(SENDGRID_KEY, timeout=2.0).submit(mail.batch(1))
    assert result.outcome is Outcome.RETRY
    assert "cannot connect" in result.detail


def test_the_bytes_of_a_request_are_its_body(mail: Any) -> None:
    """Joined from pieces, they are the JSON of the whole."""
    from newsletter.providers.sendgrid_request import plan_requests

    for request in plan_requests(mail.batch(1, 2, 3)).requests:
        assert json.loads(request.encoded()) == request.body
