"""Requests and answers that break off in the middle, or never end: what is definite and what is not."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

import pytest

from newsletter.delivery.ports import Outcome
from newsletter.providers.sendgrid import SendgridProvider

KEY = "SG.canary-key-that-must-not-leak"


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (b"", Outcome.RETRY, "broke off while the request was written"),
        (b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n", Outcome.FAILED, "SendGrid answers 413"),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", Outcome.RETRY, "broke off while"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", Outcome.RETRY, "broke off while"),
        (None, Outcome.RETRY, "no answer in time"),
    ],
    ids=["hangs up", "refuses early", "takes half of it", "is away", "reads no more"],
)
def test_half_a_request_was_taken_by_nobody(
    mail: Any, monkeypatch: pytest.MonkeyPatch, answer: bytes | None, outcome: Outcome, words: str
) -> None:
    """A request that no socket buffer holds breaks off in the middle: that is definite, and nobody is in doubt."""
    monkeypatch.setenv("no_proxy", "*")
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def break_off() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                if answer is None:
                    done.wait(30)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=break_off)
        thread.start()
        provider = SendgridProvider(KEY, host=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=1.0)
        results = provider.submit(mail.batch(1, 2, html="<p>nlf0002q nlf0003q</p>" + "A line of words. " * 1_500_000))
        done.set()
        thread.join(30)
    provider.close()
    assert {result.outcome for result in results} == {outcome}
    assert all(words in result.detail for result in results)


def test_an_answer_that_drips_is_no_answer(mail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The timeout is for the whole of it: a byte now and then does not keep a sender for ever."""
    monkeypatch.setenv("no_proxy", "*")
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(100_000)
                connection.sendall(b"HTTP/1.1 202 Accepted\r\nX-Words: ")
                while not gone.wait(0.05):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        provider = SendgridProvider(KEY, host=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=0.5)
        (result,) = provider.submit(mail.batch(1))
        gone.set()
        thread.join(30)
    provider.close()
    assert (result.outcome, result.detail) == (Outcome.UNKNOWN, f"no answer from {provider.host}: no answer in time")
