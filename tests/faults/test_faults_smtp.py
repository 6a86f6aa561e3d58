"""A mail server that breaks in every phase and in every way, under a real `run-due`: who has a mail and who has not.

One mailing meets all the faults: every third reader's transaction meets the next one, and on its next try none. What
the ledger says in the end is held against what the server took, reader by reader.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from newsletter.delivery.ports import Outcome
from newsletter.providers.smtp_session import Envelope, Phase, Server, Session, open_session
from tests.faults.faults_kit import Newsroom, prove, report
from tests.faults.faults_sinks import Act, Fault, Line, MailServer

TIMEOUT = 1.0


def says(line: bytes) -> Act:
    """Answer that instead of what is usual."""

    def act(client: Line, _server: MailServer, _key: str) -> bool:
        client.say(line + b"\r\n")
        if line.startswith(b"421"):
            client.hang_up()
        return False

    return act


def does(how: Callable[[Line], None], *, first: bytes = b"") -> Act:
    """Break off in this way, after saying ``first``."""

    def act(client: Line, _server: MailServer, _key: str) -> bool:
        if first:
            client.say(first)
        how(client)
        return False

    return act


def too(line: bytes) -> Act:
    """Say something that nobody asked for, and then what is usual."""

    def act(client: Line, _server: MailServer, _key: str) -> bool:
        client.say(line + b"\r\n")
        return True

    return act


def split(line: bytes) -> Act:
    """The usual answer, each byte in a packet of its own."""

    def act(client: Line, _server: MailServer, _key: str) -> bool:
        client.split(line + b"\r\n")
        return False

    return act


def drip(line: Line) -> None:
    line.drip(b"250-still thinking\r\n")


GARBAGE = b"\x00\xff\x16\x03 <html>"

# The second 354 is a packet of its own: it may come when the whole of a small mail, dot and all, is written.
LATE = ("submitted", "uncertain")

BEFORE_THE_BODY = [
    Fault(f"{name} at {phase}", phase, act, LATE if (name, phase) == ("answers twice", "DATA") else ("submitted",))
    for phase in ("MAIL", "RCPT", "DATA")
    for name, act in {
        "reset": does(Line.reset),
        "close": does(Line.hang_up),
        "half an answer": does(Line.hang_up, first=b"250 o"),
        "421": says(b"421 4.3.2 going down"),
        "4xx": says(b"451 4.3.0 not now"),
        "garbage": says(GARBAGE),
        "answers twice": too(b"354 go on" if phase == "DATA" else b"250 ok"),
        "silence": does(Line.silence),
        "drip": does(drip),
    }.items()
]
REFUSED = [
    # One reader whose sender is refused is no reason to believe that all are: it is tried again.
    Fault("5xx at MAIL", "MAIL", says(b"550 5.7.1 not you"), ("submitted",)),
    Fault("5xx at RCPT", "RCPT", says(b"550 5.1.1 nobody here"), ("rejected",)),
    Fault("5xx at DATA", "DATA", says(b"554 5.6.0 no"), ("rejected",)),
    Fault("5xx at the dot", "dot", says(b"554 5.6.0 looks like spam"), ("rejected",)),
]
IN_THE_BODY = [
    # The whole of a small mail, dot and all, may be written before the end of the connection is seen.
    Fault("reset in the body", "body", does(Line.reset), ("submitted", "uncertain")),
    Fault("close after 354", "body", does(Line.hang_up), ("submitted", "uncertain")),
    Fault("421 in the body", "body", says(b"421 4.3.2 going down"), ("submitted", "uncertain")),
]
AT_THE_DOT = [
    Fault("4xx at the dot", "dot", says(b"451 4.3.0 not now")),
    Fault("421 at the dot", "dot", says(b"421 4.3.2 going down")),
    Fault("split answer at the dot", "dot", split(b"250-2.0.0 ta\r\n250 ken"), took=True),
    *(
        Fault(f"{name}, {'taken' if took else 'not taken'}", "dot", act, ("uncertain",), took)
        for took in (True, False)
        for name, act in {
            "reset at the dot": does(Line.reset),
            "close at the dot": does(Line.hang_up),
            "half an answer at the dot": does(Line.hang_up, first=b"250 2."),
            "garbage at the dot": says(GARBAGE),
            "354 at the dot": says(b"354 go on"),
        }.items()
    ),
    Fault("silence at the dot, taken", "dot", does(Line.silence), ("uncertain",), took=True),
    Fault("drip at the dot, not taken", "dot", does(drip), ("uncertain",)),
]
AFTER_THE_ANSWER = [
    Fault("reset after the answer", "after", does(Line.reset), ("submitted", "uncertain"), took=False),
    Fault("close after the answer", "after", does(Line.hang_up)),
    Fault("answers twice at the dot", "after", too(b"250 2.0.0 taken")),
    Fault("421 after the answer", "after", says(b"421 4.4.2 idle for too long")),
]
FAULTS = [*BEFORE_THE_BODY, *REFUSED, *IN_THE_BODY, *AT_THE_DOT, *AFTER_THE_ANSWER]


@contextlib.contextmanager
def serving(*faults: Fault, **options: object) -> Iterator[MailServer]:
    server = MailServer(*faults, **options)  # type: ignore[arg-type]  # the options are the caller's
    try:
        yield server
    finally:
        server.close()


@pytest.mark.slow
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "one by one"])
def test_every_fault_in_every_phase_ends_as_it_must(newsroom: Callable[..., Newsroom], pipelining: bool) -> None:
    """Definite before the final dot, in doubt after it, and the readers in between each have one mail."""
    # What takes as long as a timeout takes is shown once.
    faults = [fault for fault in FAULTS if pipelining or not fault.name.startswith(("silence", "drip"))]
    with serving(*faults, every=3, pipelining=pipelining) as server:
        room = newsroom("smtp", server.port, 3 * len(faults) + 9, connections=4, timeout=TIMEOUT)
        config = room.root / "newsletter.toml"
        config.write_text(config.read_text() + 'bounce_domain = "bounces.breakwater.test"\n')
        room.finish(calls=30)
        assert server.faults == [], "some faults met nobody"
        doubted = sum("uncertain" in fault.ends for fault in faults)
        tally = prove(room, server.took, at_most_uncertain=doubted)
        states = room.ledger.states
        wrong = {fault.name: states[key] for key, fault in server.met.items() if states[key] not in fault.ends}
        assert wrong == {}
        assert {state for key, state in states.items() if key not in server.met} == {"submitted"}
    report(f"SMTP, {len(faults)} faults: {len(states)} readers, {len(server.took)} mails, ledger {dict(tally)}")


def test_pipelined_answers_that_come_byte_by_byte_are_whole_answers(newsroom: Callable[..., Newsroom]) -> None:
    """However a network cuts them up, each reader has one mail and nobody is in doubt."""
    with serving(split=True) as server:
        room = newsroom("smtp", server.port, 40)
        assert room.finish() == 1
        assert prove(room, server.took, at_most_uncertain=0) == {"submitted": 40}


def greets(*words: bytes, then: Callable[[Line], None] = Line.hang_up) -> Callable[[Line], None]:
    """Say the first of ``words``, another after each command, and break off."""

    def opening(line: Line) -> None:
        for number, said in enumerate(words):
            if number:
                line.until(b"\r\n")
            line.say(said)
        then(line)

    return opening


HELLO = b"220 sink ready\r\n"
OFFERS = b"250-sink\r\n250-SIZE 0\r\n250 STARTTLS\r\n"
OPENINGS = [
    Line.hang_up,
    Line.reset,
    Line.silence,
    lambda line: line.drip(b"220-thinking\r\n"),
    greets(GARBAGE + b"\r\n"),
    greets(b"421 4.3.2 come later\r\n"),
    greets(HELLO, then=lambda line: line.drip(b"250-thinking\r\n")),
    greets(HELLO, b"250-sink\r\n"),
    greets(HELLO, b"421 4.3.2 come later\r\n"),
    greets(HELLO, GARBAGE + b"\r\n", GARBAGE + b"\r\n"),
]


@pytest.mark.slow
def test_a_server_that_breaks_before_the_first_mail_costs_time_and_no_mail(newsroom: Callable[..., Newsroom]) -> None:
    """Silent, dripping, talking nonsense, going away in greeting or EHLO: it is left, and everybody has one mail."""
    with serving(opening=tuple(OPENINGS)) as server:
        room = newsroom("smtp", server.port, 60, connections=4, timeout=TIMEOUT)
        calls = room.finish()
        assert server.connections > len(OPENINGS)
        assert calls > 1
        assert prove(room, server.took, at_most_uncertain=0) == {"submitted": 60}


def deceive(line: Line) -> None:
    """Words of plain text behind the answer to STARTTLS, as somebody in between would put them (CVE-2011-0411)."""
    greets(HELLO, OFFERS, b"220 go on\r\n250-sink\r\n250 SIZE 0\r\n", then=Line.silence)(line)


STARTTLS = [
    greets(HELLO, OFFERS, b"454 4.7.0 not now\r\n"),
    greets(HELLO, OFFERS, b"220 go on\r\n"),
    greets(HELLO, OFFERS, b"220 go on\r\n", then=Line.silence),
    greets(HELLO, OFFERS, b"220 go on\r\n" + GARBAGE + b"\r\n"),
    greets(HELLO, OFFERS, GARBAGE + b"\r\n"),
    greets(HELLO, OFFERS, b"220 go on\r\n", then=lambda line: line.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 9000)),
    deceive,
]


@pytest.mark.slow
def test_starttls_that_breaks_sends_nothing_in_the_clear(newsroom: Callable[..., Newsroom]) -> None:
    """Refused, broken off, silent, nonsense, dripping, injected: not one MAIL, and where none is offered it pauses."""
    with serving(opening=tuple(STARTTLS)) as server:
        room = newsroom("smtp", server.port, 40, connections=4, timeout=TIMEOUT, security="starttls")
        for _ in range(8):
            answer = room.run()
            assert "Traceback" not in answer.err
            if room.ledger.mailing == "paused":
                break
            assert set(room.ledger.tally) <= {"pending", "retry_wait"}
            room.time_passes()
        ledger = room.ledger
        assert "STARTTLS" in ledger.reason
        assert server.connections > len(STARTTLS)
        assert set(server.commands) == {"EHLO"}
        assert server.took == {}
        assert set(ledger.tally) <= {"pending", "retry_wait"}


def test_a_server_that_stops_reading_in_mid_body_is_left_and_the_mail_is_not_in_doubt() -> None:
    """Half open: no socket holds the mail, so its dot was not written."""
    deaf = Fault("deaf", "body", does(Line.deaf))
    with serving(deaf, every=1) as server:
        session = open_session(Server("127.0.0.1", server.port, "none", TIMEOUT))
        assert isinstance(session, Session)
        message = b"Message-ID: <" + b"1" * 32 + b"@x>\r\n\r\n" + b"A line of words.\r\n" * 700_000
        ending = session.transact(Envelope("bounce+" + "1" * 32 + "@breakwater.test", "r@readers.test", message))
        assert (ending.outcome, ending.phase, session.alive) == (Outcome.RETRY, Phase.BODY, False)
        server.stopping.set()
    assert server.took == {}
