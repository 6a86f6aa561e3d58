"""SendGrid's API breaking in every way, under a real `run-due`: who has a mail, who has not, and who is in doubt."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.badinput.badinput_kit import ISSUE
from tests.faults.faults_kit import Newsroom, here, prove, some
from tests.faults.faults_sinks import Line, Reply, SendGridServer, errors, http

READERS = 8
TIMEOUT = 1.0


@contextlib.contextmanager
def serving(*replies: Reply | None, **options: Any) -> Iterator[SendGridServer]:
    server = SendGridServer(*replies, **options)
    try:
        yield server
    finally:
        server.close()


def says(data: bytes, *, took: bool = False, then: Callable[[Line], None] | None = None) -> Reply:
    """Answer with these bytes, and perhaps break off; the mails were taken before, or were not."""

    def reply(line: Line, server: SendGridServer, keys: list[str]) -> bool:
        if took:
            server.take(keys)
        line.say(data)
        if then is not None:
            then(line)
        return False

    return reply


def drips(line: Line) -> None:
    line.drip(b"X-Thinking: yes\r\n")


def byte_by_byte(line: Line, server: SendGridServer, keys: list[str]) -> bool:
    server.take(keys)
    line.split(http("202 Accepted", b"", "X-Message-Id: m"))
    return False


def by_name(line: Line, server: SendGridServer, keys: list[str]) -> bool:
    """One reader of the request is refused by name, so all of it is."""
    line.say(http("400 Bad Request", errors(("Does not contain a valid address.", "personalizations.2.to.0.email"))))
    return False


OK = "HTTP/1.1 202 Accepted\r\n"

IN_DOUBT = {
    "silent after taking it": says(b"", took=True, then=Line.silence),
    "silent without taking it": says(b"", then=Line.silence),
    "reset after taking it": says(b"", took=True, then=Line.reset),
    "reset without taking it": says(b"", then=Line.reset),
    "closed after taking it": says(b"", took=True, then=Line.hang_up),
    "reset in the answer": says(OK.encode()[:12], took=True, then=Line.reset),
    "half an answer": says(OK.encode()[:11], took=True, then=Line.hang_up),
    "a body cut off": says(OK.encode() + b"Content-Length: 50\r\n\r\n{", took=True, then=Line.hang_up),
    "dripping headers": says(OK.encode(), took=True, then=drips),
    "dripping body": says(OK.encode() + b"Content-Length: 9000\r\n\r\n", took=True, then=drips),
    "no HTTP": says(b"SSH-2.0-OpenSSH_9.6\r\n", then=Line.hang_up),
    "500": says(http("500 Internal Server Error", b"{}")),
    "500 after taking it": says(http("500 Internal Server Error", b"<html>"), took=True),
    "502": says(http("502 Bad Gateway", b"<html>nginx</html>")),
    "503": says(http("503 Service Unavailable", b"", "Retry-After: 5")),
}
TAKEN = {
    "202 cut off behind its first line": says(OK.encode() + b"Content-Le", took=True, then=Line.hang_up),
    "202 with garbage": says(http("202 Accepted", b"\x00\xff<html>"), took=True),
    "202 byte by byte": byte_by_byte,
    "202 and hung up": says(http("202 Accepted", b""), took=True, then=Line.hang_up),
}
REFUSED = {
    "401": says(http("401 Unauthorized", errors(("The provided authorization grant is invalid", None)))),
    "403": says(http("403 Forbidden", errors(("The from address does not match a verified Sender", "from")))),
    "413": says(http("413 Payload Too Large", errors(("payload too large", None)))),
}


STAND = (
    "silent after taking it",
    "reset without taking it",
    "a body cut off",
    "dripping headers",
    "500 after taking it",
)


@pytest.mark.parametrize("name", some(IN_DOUBT, *STAND))
def test_a_request_that_was_written_and_not_answered_is_in_doubt_and_never_goes_again(
    newsroom: Callable[..., Newsroom], name: str
) -> None:
    """Taken or not: nobody here can know, so its readers are uncertain, and the request was made once."""
    with serving(IN_DOUBT[name]) as server:
        room = newsroom("sendgrid", server.port, READERS, timeout=TIMEOUT)
        assert room.finish() == 1
        assert prove(room, server.took, at_most_uncertain=READERS) == {"uncertain": READERS}
        assert len(server.requests) == 1
        assert len(server.took) in {0, READERS}


@pytest.mark.parametrize("name", some(TAKEN, "202 with garbage"))
def test_202_is_a_yes_whatever_comes_with_it(newsroom: Callable[..., Newsroom], name: str) -> None:
    with serving(TAKEN[name]) as server:
        room = newsroom("sendgrid", server.port, READERS, timeout=TIMEOUT)
        assert room.finish() == 1
        assert prove(room, server.took, at_most_uncertain=0) == {"submitted": READERS}


@pytest.mark.parametrize("name", some(REFUSED, "401"))
def test_a_refusal_of_us_in_mid_mailing_pauses_it_and_the_rest_goes_out_when_it_resumes(
    newsroom: Callable[..., Newsroom], name: str
) -> None:
    """The first request is taken and the second refused: those readers are pending, and nobody is burnt."""
    with serving(None, REFUSED[name]) as server:
        room = newsroom("sendgrid", server.port, 3 * READERS, rate=f"{READERS}/s", connections=1)
        answer = room.run()
        ledger = room.ledger
        assert (answer.code, ledger.mailing) == (1, "paused"), answer
        assert name in ledger.reason
        assert ledger.tally == {"submitted": READERS, "pending": 2 * READERS}
        assert here(room.root, "resume", ISSUE).code == 0
        room.configure(rate="0")
        room.finish()
        assert prove(room, server.took, at_most_uncertain=0) == {"submitted": 3 * READERS}


STORMS = {"with a time": True, "without one": False}


@pytest.mark.parametrize("name", some(STORMS, "with a time"))
def test_a_storm_of_429_costs_time_and_nobody_a_mail(newsroom: Callable[..., Newsroom], name: str) -> None:
    """Four in a row; nobody is asked again before the time that SendGrid names, or a minute."""
    reset = (f"X-RateLimit-Reset: {int(time.time()) + 30}",) if STORMS[name] else ()
    storm = says(http("429 Too Many Requests", errors(("too many requests", None)), *reset))
    with serving(*[storm] * 4) as server:
        room = newsroom("sendgrid", server.port, READERS)
        before = time.time()
        assert room.run().code == 0
        ((earliest,),) = room.rows("select min(next_try_at) from delivery where state = 'retry_wait'")
        assert int(str(earliest)) / 1e6 - before > (20 if reset else 55)
        assert len(server.requests) == 1
        assert room.run().code == 0
        assert len(server.requests) == 1, "it was asked again before its time"
        room.time_passes()
        room.finish()
        assert len(server.requests) > 4
        assert prove(room, server.took, at_most_uncertain=0) == {"submitted": READERS}


def test_one_bad_recipient_is_rejected_and_the_others_go_without(newsroom: Callable[..., Newsroom]) -> None:
    """A 400 that names somebody refuses the whole request; on the next try it is one reader shorter."""
    with serving(by_name) as server:
        room = newsroom("sendgrid", server.port, READERS)
        room.finish()
        assert prove(room, server.took, at_most_uncertain=0) == {"submitted": READERS - 1, "rejected": 1}
        assert [len(keys) for keys in server.requests] == [READERS, READERS - 1]
        assert room.ledger.of("rejected") == {server.requests[0][2]}


ENDS = {"closed": Line.hang_up, "reset": Line.reset, "silent": Line.silence}


@pytest.mark.parametrize("name", some(ENDS, "reset"))
def test_a_connection_that_ends_before_the_request_was_read(newsroom: Callable[..., Newsroom], name: str) -> None:
    """All of it was written, so it is in doubt; or it was not, and goes again. Never both."""
    with serving(early={0: ENDS[name]}) as server:
        room = newsroom("sendgrid", server.port, READERS, timeout=TIMEOUT, connections=1)
        room.finish()
        tally = prove(room, server.took, at_most_uncertain=READERS)
        assert len(server.took) == tally["submitted"]
        assert len(server.requests) <= 1


def test_a_kept_connection_that_the_server_closed_between_two_requests_is_not_used(
    newsroom: Callable[..., Newsroom],
) -> None:
    """It hangs up after each answer, without a word: three requests, three connections, nobody in doubt."""
    bye = says(http("202 Accepted"), took=True, then=Line.hang_up)
    with serving(bye, bye, bye) as server:
        room = newsroom("sendgrid", server.port, 3 * READERS, rate=f"{READERS}/s", connections=1)
        assert room.finish() == 1
        assert prove(room, server.took, at_most_uncertain=0) == {"submitted": 3 * READERS}
        assert (server.connections, len(server.requests)) == (3, 3)
