"""A fault in any phase of SMTP has one meaning, and it depends on whether the final dot was written."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from newsletter.delivery.ports import Outcome, Result
from newsletter.providers import smtp_session
from newsletter.providers.smtp import MAX_TRANSACTIONS, SmtpProvider
from newsletter.providers.smtp_session import Envelope, Phase, Reply, Server, dot_stuffed, judge

BIG = 12_000_000  # no socket buffer holds it


@pytest.fixture(params=["one by one", "pipelined"])
def peer(peer: Callable[..., Any], request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Every fault in both ways of speaking: the envelope answered line by line, and written at once (RFC 2920)."""
    offers = ("peer", "SIZE 0", *(["PIPELINING"] if request.param == "pipelined" else []))
    return lambda *scripts, **options: peer(*scripts, **{"ehlo": offers, **options})


@pytest.fixture
def smtp() -> Any:
    """Makes providers for a port; closes them."""
    made: list[SmtpProvider] = []

    def make(port: int, *, timeout: float = 2.0, connections: int = 1, **more: Any) -> SmtpProvider:
        server = Server("127.0.0.1", port, "none", timeout, more.pop("username", None), more.pop("password", None))
        made.append(SmtpProvider(server, connections, **more))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def only(results: list[Result]) -> Result:
    (result,) = results
    return result


REFUSALS = [
    ("MAIL", "450 4.3.2 busy", Outcome.RETRY),
    ("MAIL", "550 5.7.1 sender not welcome", Outcome.FAILED),
    ("MAIL", "530 5.7.0 authentication required", Outcome.FAILED),
    ("MAIL", "552 5.3.4 too big", Outcome.FAILED),
    ("MAIL", "421 4.3.0 going down", Outcome.RETRY),
    ("RCPT", "450 4.2.1 greylisted", Outcome.RETRY),
    ("RCPT", "550 5.1.1 no such mailbox", Outcome.REJECTED),
    ("RCPT", "552 5.2.2 mailbox full", Outcome.REJECTED),
    ("RCPT", "554 5.7.1 Relay access denied", Outcome.FAILED),
    ("RCPT", "550 5.1.1 <relay@relay.post.example>: no such mailbox", Outcome.REJECTED),
    ("RCPT", "530 5.7.0 authentication required", Outcome.FAILED),
    ("RCPT", "421 4.7.0 too many", Outcome.RETRY),
    ("DATA", "451 4.3.0 later", Outcome.RETRY),
    ("DATA", "554 5.5.1 no", Outcome.REJECTED),
    ("DATA", "503 bad sequence", Outcome.FAILED),
    ("DATA", "250 strange", Outcome.RETRY),
    ("DATA", "421 bye", Outcome.RETRY),
    ("dot", "451 4.3.0 disk full", Outcome.RETRY),
    ("dot", "550 5.7.1 looks like spam", Outcome.REJECTED),
    ("dot", "552 5.3.4 too big", Outcome.FAILED),
    ("dot", "421 4.3.0 not taken", Outcome.RETRY),
    ("dot", "354 what?", Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("phase", "reply", "outcome"), REFUSALS)
def test_an_answer_in_a_phase_has_its_meaning(
    peer: Callable[..., Any], smtp: Any, mail: Any, phase: str, reply: str, outcome: Outcome
) -> None:
    server = peer({phase: reply})
    result = only(smtp(server.port).submit(mail.batch(1)))
    assert result.outcome is outcome
    assert reply.partition(" ")[2] in result.detail
    assert result.key == f"{1:032x}"
    assert server.messages == []


BREAKS = [
    (phase, action, Outcome.RETRY)
    for phase in ("MAIL", "RCPT", "DATA")
    for action in ("close", "reset", "silent", "this is not SMTP")
] + [("dot", action, Outcome.UNKNOWN) for action in ("close", "reset", "silent", "this is not SMTP")]


@pytest.mark.parametrize(("phase", "action", "outcome"), BREAKS)
def test_a_lost_connection_is_definite_before_the_dot_and_unknown_after_it(
    peer: Callable[..., Any],
    smtp: Any,
    mail: Any,
    monkeypatch: pytest.MonkeyPatch,
    phase: str,
    action: str,
    outcome: Outcome,
) -> None:
    monkeypatch.setattr(smtp_session, "PATIENCE", 1)
    server = peer({phase: action})
    result = only(smtp(server.port, timeout=0.5 if action == "silent" else 30.0).submit(mail.batch(1)))
    assert result.outcome is outcome
    if phase == "dot":
        assert result.detail.startswith("after the final dot: ")
    elif action == "reset":  # which throws away answers that were not read yet
        assert result.detail.startswith(("after MAIL: ", "after RCPT: ", "after DATA: "))
    else:
        assert result.detail.startswith(f"after {phase}: ")


@pytest.mark.parametrize("action", ["close", "reset", "silent"])
def test_a_connection_lost_in_mid_body_is_definite(peer: Callable[..., Any], smtp: Any, mail: Any, action: str) -> None:
    server = peer({"body": action})
    batch = mail.batch(1, parts=mail.big(BIG))
    result = only(smtp(server.port, timeout=0.5 if action == "silent" else 30.0).submit(batch))
    assert result.outcome is Outcome.RETRY
    assert result.detail.startswith("after the body: ")


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [("452 4.3.1 full", Outcome.RETRY), ("554 5.6.0 no", Outcome.REJECTED), ("421 x", Outcome.RETRY)],
)
def test_an_answer_before_the_dot_is_heard_and_the_dot_is_not_written(
    peer: Callable[..., Any], smtp: Any, mail: Any, reply: str, outcome: Outcome
) -> None:
    server = peer({"body": reply})
    batch = mail.batch(1, parts=mail.big(BIG))
    result = only(smtp(server.port).submit(batch))
    assert result.outcome is outcome
    assert "the body: " in result.detail, "heard before the dot, not after it"
    assert server.messages == []


def test_the_final_dot_is_a_write_of_its_own(mail: Any, smtp: Any, peer: Callable[..., Any]) -> None:
    """The peer sees the whole body, and nothing of the dot, before the dot is written."""
    server = peer()
    written: list[bytes] = []
    original = smtp_session.Session._write

    def spy(self: Any, data: bytes) -> None:
        written.append(data)
        original(self, data)

    smtp_session.Session._write = spy  # type: ignore[method-assign]  # watches, changes nothing
    try:
        only(smtp(server.port).submit(mail.batch(1)))
    finally:
        smtp_session.Session._write = original  # type: ignore[method-assign]  # put back
    assert written[-1] == b".\r\n"
    assert written[-2].endswith(b"--\r\n")
    assert not written[-2].endswith(b"\r\n.\r\n")


def test_the_final_dot_does_not_wait_for_the_body_to_be_acknowledged(peer: Callable[..., Any], smtp: Any) -> None:
    session = smtp(peer().port).take()
    assert session._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert repr(session).startswith("<Session smtp://127.0.0.1:")
    session.quit()


def test_a_slow_server_is_waited_for_longer_after_the_dot(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    """An answer after more than the timeout, but within five of them, is still an answer."""
    server = peer()
    original = server._do

    def slow(sock: Any, script: Any, phase: str, *taken: Any) -> str:
        if phase == "dot":
            time.sleep(0.9)
        return str(original(sock, script, phase, *taken))

    server._do = slow
    assert only(smtp(server.port, timeout=0.6).submit(mail.batch(1))).outcome is Outcome.ACCEPTED


def test_an_accepted_message_keeps_the_servers_words(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer({"dot": "250-2.0.0 Ok:\r\n250 queued as 4BCD"})
    result = only(smtp(server.port).submit(mail.batch(1)))
    assert result == Result(f"{1:032x}", Outcome.ACCEPTED, provider_id="2.0.0 Ok: queued as 4BCD")


def test_one_refused_recipient_does_not_spoil_the_batch(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer({"RCPT": ["250 ok", "550 no such mailbox", "450 later"]})
    provider = smtp(server.port)
    outcomes = [r.outcome for r in provider.submit(mail.batch(1, 2, 3, 4))]
    assert outcomes == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.RETRY, Outcome.ACCEPTED]
    assert len(server.connections) == 1, "a refusal costs no connection"
    assert server.commands.count("RSET") == 2


def test_a_failed_reset_costs_the_connection(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    for fault in ("close", "550 no"):
        server = peer({"RCPT": ["550 no"], "RSET": fault}, {})
        outcomes = [r.outcome for r in smtp(server.port).submit(mail.batch(1, 2))]
        assert outcomes == [Outcome.REJECTED, Outcome.ACCEPTED]
        assert len(server.connections) == 2


def test_a_connection_is_used_again_for_the_next_batch(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer()
    provider = smtp(server.port)
    provider.submit(mail.batch(1, 2))
    provider.submit(mail.batch(3))
    assert len(server.connections) == 1
    assert len(server.messages) == 3
    provider.close()
    assert server.commands[-1] == "QUIT"


@pytest.mark.parametrize("action", ["close", "reset", "421 4.4.2 idle too long"])
def test_an_idle_connection_that_the_server_dropped_is_replaced(
    peer: Callable[..., Any], smtp: Any, mail: Any, action: str
) -> None:
    server = peer({"idle": action}, {})
    provider = smtp(server.port)
    assert only(provider.submit(mail.batch(1))).outcome is Outcome.ACCEPTED
    until(lambda: provider._idle[0].stale())
    assert only(provider.submit(mail.batch(2))).outcome is Outcome.ACCEPTED
    assert len(server.connections) == 2
    assert len(server.messages) == 2


def test_all_idle_connections_that_the_server_dropped_are_replaced(
    peer: Callable[..., Any], smtp: Any, mail: Any
) -> None:
    """As after a restart of the mail server: the next mail does not stumble over one dead connection after another."""
    server = peer({"idle": "close"}, {"idle": "close"}, {"idle": "close"}, {})
    provider = smtp(server.port, connections=3)
    sessions = [provider.take() for _ in range(3)]
    envelope = Envelope("weekly@lantern.example", "ada@post.example", b"Subject: a\r\n\r\na\r\n")
    assert [session.transact(envelope).outcome for session in sessions] == [Outcome.ACCEPTED] * 3
    for session in sessions:
        provider.give_back(session)
    until(lambda: all(session.stale() for session in sessions))
    assert only(provider.submit(mail.batch(1))).outcome is Outcome.ACCEPTED


def test_a_connection_that_dies_at_the_next_mail_is_replaced(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer({"MAIL": ["250 ok", "421 4.7.0 too many messages"]}, {})
    outcomes = [r.outcome for r in smtp(server.port).submit(mail.batch(1, 2, 3))]
    assert outcomes == [Outcome.ACCEPTED] * 3
    assert len(server.connections) == 2


def test_a_server_that_keeps_breaking_is_left_alone(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer({"RCPT": "421 4.7.0 slow down"})
    results = smtp(server.port).submit(mail.batch(*range(1, 11)))
    assert {r.outcome for r in results} == {Outcome.RETRY}
    assert len(server.connections) == 2
    assert results[-1].detail.startswith("not tried: ")


def test_a_server_that_goes_away_in_mid_batch_leaves_the_rest_for_later(
    peer: Callable[..., Any], smtp: Any, mail: Any
) -> None:
    server = peer({"MAIL": ["250 ok", "close"]}, {"greeting": "554 5.3.2 no service"})
    results = smtp(server.port).submit(mail.batch(1, 2, 3))
    assert [r.outcome for r in results] == [Outcome.ACCEPTED, Outcome.RETRY, Outcome.FAILED]


def test_a_connection_carries_a_hundred_messages_and_no_more(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer()
    provider = smtp(server.port)
    for start in range(0, MAX_TRANSACTIONS + 20, 20):
        provider.submit(mail.batch(*range(start, start + 20)))
    assert [len(c.messages) for c in server.connections] == [MAX_TRANSACTIONS, 20]
    assert server.connections[0].commands[-1] == "QUIT"


def test_the_limit_holds_within_a_batch_too(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer()
    provider = smtp(server.port)
    provider.submit(mail.batch(*range(MAX_TRANSACTIONS + 1)))
    assert [len(c.messages) for c in server.connections] == [MAX_TRANSACTIONS, 1]


OPENING = [
    ({"greeting": "554 5.7.1 blocked"}, Outcome.FAILED, "answers 554"),
    ({"greeting": "421 4.3.2 busy"}, Outcome.RETRY, "answers 421"),
    ({"greeting": "close"}, Outcome.RETRY, "closed the connection"),
    ({"greeting": "silent"}, Outcome.RETRY, ""),
    ({"EHLO": "421 4.3.2 busy"}, Outcome.RETRY, ""),
    ({"EHLO": "550 no", "HELO": "550 5.7.1 go away"}, Outcome.FAILED, "550"),
]


@pytest.mark.parametrize(("script", "outcome", "words"), OPENING)
def test_a_connection_that_does_not_open_answers_for_everybody(
    peer: Callable[..., Any], smtp: Any, mail: Any, script: dict[str, str], outcome: Outcome, words: str
) -> None:
    server = peer(script)
    provider = smtp(server.port, timeout=0.5 if "silent" in script.values() else 30.0)
    results = provider.submit(mail.batch(1, 2, 3))
    assert [r.outcome for r in results] == [outcome] * 3
    assert all(words in r.detail for r in results)
    assert all((r.retry_after is not None) == (outcome is Outcome.RETRY) for r in results)
    (problem,) = provider.check()
    assert problem.endswith(".")


def test_a_server_without_ehlo_is_greeted_the_old_way(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer({"EHLO": "502 what?", "HELO": "250 peer"})
    assert only(smtp(server.port).submit(mail.batch(1))).outcome is Outcome.ACCEPTED
    assert not any("SIZE" in command for command in server.commands)


def test_a_message_over_the_announced_size_is_not_even_begun(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer(ehlo=("peer", "SIZE 500"))
    result = only(smtp(server.port).submit(mail.batch(1)))
    assert result.outcome is Outcome.FAILED
    assert "the server takes 500" in result.detail
    assert not any(command.startswith("MAIL") for command in server.commands)


def test_the_envelope_sender_is_plain_or_names_the_delivery(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer(ehlo=("peer", "8BITMIME"))
    smtp(server.port).submit(mail.batch(1))
    assert "MAIL FROM:<weekly@lantern.example>" in server.commands
    smtp(server.port, bounce_domain="bounces.lantern.example").submit(mail.batch(2))
    assert f"MAIL FROM:<bounce+{1:032x}@bounces.lantern.example>" not in server.commands
    assert f"MAIL FROM:<bounce+{2:032x}@bounces.lantern.example>" in server.commands


def test_an_address_that_cannot_be_written_is_rejected_alone(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer()
    bad = [mail.addressed(1, "no address"), mail.addressed(2, "a\r\nRCPT TO:<b@c.example>@post.example")]
    bad.append(mail.addressed(3, "jürgen>\u2028@post.example"))
    results = smtp(server.port).submit(mail.batch(*bad, mail.addressed(4)))
    assert [r.outcome for r in results] == [Outcome.REJECTED] * 3 + [Outcome.ACCEPTED]
    assert len(server.messages) == 1


def test_a_mail_that_cannot_be_compiled_fails_for_everybody(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer()
    results = smtp(server.port).submit(mail.batch(1, 2, sender_email="nobody"))
    assert {r.outcome for r in results} == {Outcome.FAILED}
    assert server.connections == []


def test_an_address_beyond_ascii_needs_a_server_that_offers_it(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer(ehlo=("peer", "SIZE"))
    results = smtp(server.port).submit(mail.batch(mail.addressed(1, "jürgen@post.example"), mail.addressed(2)))
    assert [r.outcome for r in results] == [Outcome.REJECTED, Outcome.ACCEPTED]
    assert "SMTPUTF8" in results[0].detail


def test_two_threads_use_two_connections(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer()
    provider = smtp(server.port, connections=2)
    gate = threading.Barrier(2)
    original = server._do

    def together(sock: Any, script: Any, phase: str, *taken: Any) -> str:
        if phase == "MAIL":
            gate.wait(5)
        return str(original(sock, script, phase, *taken))

    server._do = together
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda n=n: outcomes.extend(r.outcome for r in provider.submit(mail.batch(n, n + 1))))
        for n in (1, 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert outcomes == [Outcome.ACCEPTED] * 4
    assert len(server.connections) == 2


def test_more_threads_than_connections_wait_for_one(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer()
    provider = smtp(server.port, connections=2)
    results: list[Result] = []
    lock = threading.Lock()

    def send(number: int) -> None:
        found = provider.submit(mail.batch(*range(number, number + 5)))
        with lock:
            results.extend(found)

    threads = [threading.Thread(target=send, args=(n * 10,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert {r.outcome for r in results} == {Outcome.ACCEPTED}
    assert len(server.messages) == 30
    assert len(server.connections) <= 2


def test_a_closed_provider_keeps_no_connection(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer()
    provider = smtp(server.port)
    provider.close()
    provider.submit(mail.batch(1))
    assert server.commands[-1] == "QUIT"


@pytest.mark.parametrize("action", ["silent", "close", "reset"])
def test_saying_goodbye_never_raises(
    peer: Callable[..., Any], smtp: Any, mail: Any, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_session, "_GOODBYE", 0.1)
    server = peer({"QUIT": action})
    provider = smtp(server.port)
    provider.submit(mail.batch(1))
    provider.close()
    provider.close()


def test_a_byte_now_and_then_is_not_an_answer(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    server = peer()
    original = server._do

    def dripping(sock: Any, script: Any, phase: str, *taken: Any) -> str:
        if phase == "MAIL":
            while not server.stop.wait(0.05):
                sock.sendall(b"2")
        return str(original(sock, script, phase, *taken))

    server._do = dripping
    result = only(smtp(server.port, timeout=0.5).submit(mail.batch(1)))
    assert result == Result(f"{1:032x}", Outcome.RETRY, "after MAIL: no answer in time")


@pytest.mark.parametrize("line", ["250-", "250 " + "x" * 9000])
def test_an_endless_answer_is_not_listened_to(peer: Callable[..., Any], smtp: Any, mail: Any, line: str) -> None:
    server = peer({"MAIL": "\r\n".join([line] * 300)})
    result = only(smtp(server.port).submit(mail.batch(1)))
    assert result.outcome is Outcome.RETRY
    assert "not SMTP" in result.detail


def test_dots_are_stuffed_and_the_end_is_a_line_end() -> None:
    assert dot_stuffed(b".a\r\n.\r\nb.\r\n..c") == b"..a\r\n..\r\nb.\r\n...c\r\n"
    assert dot_stuffed(b"a\r\n") == b"a\r\n"


def test_what_a_refusal_means_is_one_table() -> None:
    assert judge(Phase.BODY, Reply(554, "")) is Outcome.REJECTED
    assert judge(Phase.RCPT, Reply(503, "")) is Outcome.REJECTED
    assert judge(Phase.DOT, Reply(554, "no relay")) is Outcome.REJECTED


PIPELINING = ("peer", "PIPELINING", "SIZE 0")


def test_a_pipelined_envelope_is_one_write(peer: Callable[..., Any], smtp: Any, mail: Any, monkeypatch: Any) -> None:
    """MAIL, RCPT and DATA leave together where the server says PIPELINING, and only there."""
    written: list[bytes] = []
    write = smtp_session.Session._write

    def spy(self: Any, data: bytes) -> None:
        written.append(bytes(data))
        write(self, data)

    monkeypatch.setattr(smtp_session.Session, "_write", spy)
    assert only(smtp(peer(ehlo=PIPELINING).port).submit(mail.batch(1))).outcome is Outcome.ACCEPTED
    envelope, _body, dot = written
    assert envelope.count(b"\r\n") == 3
    assert envelope.startswith(b"MAIL FROM:<") and envelope.endswith(b"\r\nDATA\r\n")
    assert dot == b".\r\n"


def test_a_data_let_through_for_nobody_is_ended_by_a_lone_dot(peer: Callable[..., Any], smtp: Any, mail: Any) -> None:
    """RFC 2920, 3.1: the recipient is refused, nothing was sent, and the connection goes on with the next reader."""
    server = peer({"RCPT": ["550 5.1.1 no such mailbox"]}, ehlo=PIPELINING, lenient=True)
    refused, taken = smtp(server.port).submit(mail.batch(1, 2))
    assert (refused.outcome, taken.outcome) == (Outcome.REJECTED, Outcome.ACCEPTED)
    assert "no such mailbox" in refused.detail
    assert len(server.connections) == 1
    assert len(server.messages) == 1
    assert "." in server.commands


def test_a_data_let_through_after_a_refused_sender_costs_the_connection(
    peer: Callable[..., Any], smtp: Any, mail: Any
) -> None:
    """Such a server is not to be trusted with a dot: hanging up is the certain way to send nothing."""
    server = peer({"MAIL": ["450 4.3.2 busy"]}, {}, ehlo=PIPELINING, lenient=True)
    put_off, taken = smtp(server.port).submit(mail.batch(1, 2))
    assert put_off.outcome is Outcome.RETRY
    assert taken.outcome is Outcome.ACCEPTED
    assert len(server.messages) == 1
