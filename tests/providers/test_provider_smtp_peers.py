"""SMTP against a real server (aiosmtpd): exact bytes, TLS that is verified, signing in, and no secret anywhere."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from newsletter.delivery.ports import Outcome
from newsletter.errors import BadData, ConfigurationError
from newsletter.message.compile import compile_message
from newsletter.providers import smtp_session
from newsletter.providers.registry import create_provider
from newsletter.providers.smtp import SmtpProvider

PASSWORD = "canary-password-91"


class Keeper:
    """Keeps what it gets; 550 for nobody@, 451 for later@."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later"):
            return "451 4.7.1 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return f"250 2.0.0 queued as {len(self.envelopes):04X}"


def sign_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"ada", PASSWORD.encode()), handled=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


class _TlsFirst(Controller):
    def __init__(self, handler: Any, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(handler, ssl_context=context, **options)


@pytest.fixture
def real() -> Iterator[Callable[..., tuple[Keeper, int]]]:
    """Starts aiosmtpd servers."""
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Keeper, int]:
        keeper, port = Keeper(), free_port()
        make = _TlsFirst if "context" in options else Controller
        running.append(make(keeper, hostname="127.0.0.1", port=port, **options))
        running[-1].start()
        return keeper, port

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def provider() -> Iterator[Callable[..., SmtpProvider]]:
    """Makes providers from options as the registry does; closes them."""
    made: list[SmtpProvider] = []

    def make(port: int, **options: Any) -> SmtpProvider:
        given = {"host": "127.0.0.1", "port": port, "security": "none", "timeout": 5.0, "connections": 2, **options}
        found = create_provider("smtp", given)
        assert isinstance(found, SmtpProvider)
        made.append(found)
        return found

    yield make
    for one in made:
        one.close()


def test_the_bytes_that_arrive_are_the_compiled_ones(real: Any, provider: Any, mail: Any) -> None:
    """Dots at the start of lines included; preview shows the same bytes."""
    keeper, port = real()
    batch = mail.batch(1, 2, parts=mail.big(3000))
    smtp = provider(port)
    results = smtp.submit(batch)
    assert [r.outcome for r in results] == [Outcome.ACCEPTED] * 2
    assert [r.provider_id for r in results] == ["2.0.0 queued as 0001", "2.0.0 queued as 0002"]
    compiled = compile_message(batch.outgoing)
    expected = [compiled.splice(addressed) for addressed in batch.recipients]
    assert [e.original_content for e in keeper.envelopes] == expected
    assert [wire.body for wire in smtp.preview(batch)] == expected
    assert {(w.media_type, w.target) for w in smtp.preview(batch)} == {("message/rfc822", f"smtp://127.0.0.1:{port}")}
    assert [e.rcpt_tos for e in keeper.envelopes] == [["reader1@post.example"], ["reader2@post.example"]]
    assert {e.mail_from for e in keeper.envelopes} == {"weekly@lantern.example"}


def test_lines_that_start_with_a_dot_arrive_as_they_were(real: Any, provider: Any, mail: Any) -> None:
    """The compiler writes no such line; whatever hands bytes to a session may."""
    keeper, port = real()
    session = provider(port).take()
    message = b"Subject: dots\r\n\r\n.\r\n..\r\n.a\r\nlast"
    assert session.transact(smtp_session.Envelope("a@b.example", "c@d.example", message)).outcome is Outcome.ACCEPTED
    session.quit()
    assert keeper.envelopes[0].original_content == message + b"\r\n"


def test_each_recipient_has_an_outcome_of_its_own(real: Any, provider: Any, mail: Any) -> None:
    keeper, port = real()
    results = provider(port).submit(mail.batch("nobody@post.example", "later@post.example", "ada@post.example"))
    assert [r.outcome for r in results] == [Outcome.REJECTED, Outcome.RETRY, Outcome.ACCEPTED]
    assert "no such mailbox" in results[0].detail
    assert len(keeper.envelopes) == 1


def test_an_address_beyond_ascii_goes_where_it_is_offered(real: Any, provider: Any, mail: Any) -> None:
    keeper, port = real(enable_SMTPUTF8=True)
    batch = mail.batch(mail.addressed(1, "jürgen@bücher.example"), mail.addressed(2))
    results = provider(port).submit(batch)
    assert [r.outcome for r in results] == [Outcome.ACCEPTED] * 2
    assert keeper.envelopes[0].rcpt_tos == ["jürgen@xn--bcher-kva.example"]
    assert "\r\nTo: jürgen@xn--bcher-kva.example\r\n".encode() in keeper.envelopes[0].original_content
    assert [e.smtp_utf8 for e in keeper.envelopes] == [True, False], "used only where it is needed"


def test_two_threads_at_once(real: Any, provider: Any, mail: Any) -> None:
    keeper, port = real()
    smtp = provider(port)
    threads = [
        threading.Thread(target=smtp.submit, args=(mail.batch(*(mail.addressed(n * 20 + i) for i in range(20))),))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({e.rcpt_tos[0] for e in keeper.envelopes}) == 80
    assert len(keeper.envelopes) == 80


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_is_verified(
    real: Any, provider: Any, mail: Any, authority: Any, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    """Trusted: the mail arrives. Not trusted: nothing leaves, it waits, and the reason is said."""
    context = authority.server_context()
    keeper, port = real(tls_context=context, require_starttls=True) if security == "starttls" else real(context=context)
    refused = provider(port, security=security)
    results = refused.submit(mail.batch(1, 2))
    assert [r.outcome for r in results] == [Outcome.RETRY] * 2
    assert all("certificate that is not trusted" in r.detail and r.retry_after for r in results)
    assert "certificate" in refused.check()[0]
    assert keeper.envelopes == []
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    trusted = provider(port, security=security, host="localhost")
    assert trusted.check() == []
    assert [r.outcome for r in trusted.submit(mail.batch(1, 2))] == [Outcome.ACCEPTED] * 2
    assert len(keeper.envelopes) == 2
    scheme = "smtps" if security == "tls" else "smtp"
    assert trusted.preview(mail.batch(1))[0].target == f"{scheme}://localhost:{port}"


def test_a_certificate_for_another_name_is_refused(
    real: Any, provider: Any, mail: Any, authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    monkeypatch.setattr(socket, "getaddrinfo", _everything_is_here)
    _, port = real(tls_context=authority.server_context())
    (problem,) = provider(port, security="starttls", host="mail.other.example").check()
    assert "certificate" in problem


def _everything_is_here(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def test_a_big_message_over_tls_keeps_its_phases(
    real: Any, provider: Any, mail: Any, authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    keeper, port = real(tls_context=authority.server_context(), require_starttls=True, data_size_limit=10_000_000)
    results = provider(port, security="starttls").submit(mail.batch(1, parts=mail.big(2_000_000)))
    assert [r.outcome for r in results] == [Outcome.ACCEPTED]
    assert len(keeper.envelopes[0].original_content) > 2_600_000


def test_starttls_that_is_not_offered_is_not_done_without(real: Any, provider: Any, mail: Any) -> None:
    keeper, port = real()
    smtp = provider(port, security="starttls")
    assert [r.outcome for r in smtp.submit(mail.batch(1))] == [Outcome.FAILED]
    assert smtp.check() == [f"The mail server smtp://127.0.0.1:{port} does not offer STARTTLS."]
    assert keeper.envelopes == []


def test_a_server_that_speaks_no_tls_is_put_off(peer: Any, provider: Any, mail: Any) -> None:
    server = peer({"greeting": "220 plain"})
    (result,) = provider(server.port, security="tls", timeout=2.0).submit(mail.batch(1))
    assert result.outcome is Outcome.RETRY
    assert "TLS" in result.detail


def test_signing_in(
    real: Any, provider: Any, mail: Any, authority: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any, capsys: Any
) -> None:
    """The right password works; a wrong one fails for everybody at once; neither is shown anywhere."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    caplog.set_level(logging.DEBUG)
    keeper, port = real(
        tls_context=authority.server_context(), require_starttls=True, auth_required=True, authenticator=sign_in
    )
    right = provider(port, security="starttls", username="ada", password=PASSWORD)
    wrong = provider(port, security="starttls", username="ada", password=PASSWORD + "-wrong")
    assert right.check() == []
    assert [r.outcome for r in right.submit(mail.batch(1, 2))] == [Outcome.ACCEPTED] * 2
    refused = wrong.submit(mail.batch(3, 4))
    assert [r.outcome for r in refused] == [Outcome.FAILED] * 2
    assert "refuses the user name or password" in refused[0].detail
    nobody = provider(port, security="starttls").submit(mail.batch(5))
    assert [r.outcome for r in nobody] == [Outcome.FAILED]
    assert len(keeper.envelopes) == 2
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("mail.log"))
    shown = [ours, repr(right), repr(wrong), repr(wrong.server), repr(wrong.check()), repr(refused)]
    shown += [*capsys.readouterr()]
    assert not any(PASSWORD in text for text in shown)


def test_signing_in_where_it_is_not_offered(peer: Any, provider: Any, mail: Any) -> None:
    for ehlo, words in ((("peer", "SIZE"), "does not offer AUTH"), (("peer", "AUTH GSSAPI"), "no way to sign in")):
        smtp = provider(peer(ehlo=ehlo).port, username="ada", password=PASSWORD)
        (result,) = smtp.submit(mail.batch(1))
        assert result.outcome is Outcome.FAILED
        assert words in result.detail


def test_a_sign_in_that_is_put_off_waits(peer: Any, provider: Any, mail: Any) -> None:
    for reply, outcome in (("454 4.7.0 try later", Outcome.RETRY), ("535 5.7.8 no", Outcome.FAILED)):
        server = peer({"AUTH": reply}, ehlo=("peer", "AUTH PLAIN"))
        (result,) = provider(server.port, username="ada", password=PASSWORD).submit(mail.batch(1))
        assert result.outcome is outcome


def test_nobody_listening_is_put_off(provider: Any, mail: Any) -> None:
    results = provider(free_port()).submit(mail.batch(1, 2))
    assert [r.outcome for r in results] == [Outcome.RETRY] * 2
    assert all(r.retry_after == smtp_session.RETRY_AFTER and "refused" in r.detail.lower() for r in results)


def test_an_unknown_host_is_put_off(provider: Any, mail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    (result,) = provider(25, host="mail.nowhere.example").submit(mail.batch(1))
    assert result.outcome is Outcome.RETRY
    assert "Name or service not known" in result.detail


def test_a_host_that_is_none_fails(provider: Any, mail: Any) -> None:
    (result,) = provider(25, host="a" * 70 + ".example").submit(mail.batch(1))
    assert result.outcome is Outcome.FAILED


def test_a_password_in_the_clear_is_a_problem_off_this_machine(
    peer: Any, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = peer({"AUTH": "235 ok"}, ehlo=("peer", "AUTH PLAIN"))
    here = provider(server.port, username="ada", password=PASSWORD)
    assert here.check() == []
    assert provider(server.port, host="localhost", username="ada", password=PASSWORD).check() == []
    monkeypatch.setattr(socket, "getaddrinfo", _everything_is_here)
    (problem,) = provider(server.port, host="mail.far.example", username="ada", password=PASSWORD).check()
    assert "unencrypted" in problem


def test_smtp_has_no_events(provider: Any) -> None:
    with pytest.raises(BadData, match="no events"):
        provider(25).parse_events(b"[]", {})


def test_capabilities_follow_the_connections(provider: Any) -> None:
    found = provider(25, connections=7).capabilities
    assert (found.concurrency, found.idempotency, found.local) == (7, False, False)
    assert found.max_batch * found.windows == 20, "in doubt on one connection after a crash"


@pytest.mark.parametrize("name", ["mx1.lantern.example", "laptop", "bad_name.example"])
def test_the_name_in_ehlo_is_a_full_one_or_a_literal(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    assert smtp_session.ehlo_name() == (name if name == "mx1.lantern.example" else "[127.0.0.1]")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"host": ""}, "needs host"),
        ({"port": 0}, "port is not"),
        ({"port": True}, "port is not"),
        ({"security": "ssl"}, 'one of "starttls", "tls", "none"'),
        ({"timeout": 0}, "timeout is not"),
        ({"connections": 0}, "connections is not"),
        ({"username": "ada"}, "there is no password"),
        ({"password": PASSWORD}, "there is no username"),
        ({"username": "ada", "password": PASSWORD + "ü"}, "beyond ASCII"),
        ({"username": 7}, "username is not a string"),
        ({"bounce_domain": "no domain"}, "not a domain"),
        ({"pasword": "x"}, 'did you mean "password"'),
        ({"colour": "x"}, "known options: host"),
    ],
)
def test_wrong_options_are_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create_provider("smtp", {"host": "mail.lantern.example", **options})
    assert words in str(caught.value)
    assert "provider.smtp." in str(caught.value.where)
    assert PASSWORD not in str(caught.value)


def test_options_have_defaults() -> None:
    smtp = create_provider("smtp", {"host": "mail.lantern.example"})
    assert isinstance(smtp, SmtpProvider)
    assert (smtp.server.port, smtp.server.security, smtp.server.timeout, smtp.connections) == (587, "starttls", 60.0, 4)
