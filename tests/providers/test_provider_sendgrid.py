"""SendGrid against a strict server on loopback: what is sent, and what every answer and every fault means."""

from __future__ import annotations

import email.message
import http.client
import logging
import socket
import ssl
import threading
import time
from typing import Any

import pytest

from newsletter.delivery.ports import Outcome
from newsletter.errors import BadData, ConfigurationError
from newsletter.providers import sendgrid_http
from newsletter.providers.registry import create_provider
from newsletter.providers.sendgrid import SendgridProvider, quiet_sdk
from newsletter.providers.sendgrid_answers import judge, retry_after

from .conftest import SENDGRID_KEY, outcomes


def test_a_batch_is_one_request_that_the_contract_allows(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    """The bytes on the wire are those of the preview."""
    provider = sendgrid(categories=["weekly"])
    batch = mail.batch(*range(1, 1001), parts=mail.big(200))
    results = provider.submit(batch)
    assert set(outcomes(results)) == {Outcome.ACCEPTED}
    assert {r.provider_id for r in results} == {"mid-1"}
    assert [r.key for r in results] == [a.key for a in batch.recipients]
    (wire,) = provider.preview(batch)
    assert local_sendgrid.requests == [wire.body]
    assert (wire.media_type, wire.target) == ("application/json", f"POST {local_sendgrid.host}/v3/mail/send")
    assert len(local_sendgrid.bodies()[0]["personalizations"]) == 1000


def test_an_address_twice_is_two_requests_of_one_submission(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    results = sendgrid().submit(mail.batch("ada@post.example", "Ada@post.example", "bo@post.example"))
    assert outcomes(results) == [Outcome.ACCEPTED] * 3
    assert [len(body["personalizations"]) for body in local_sendgrid.bodies()] == [2, 1]


def test_the_second_request_waits_when_the_first_is_not_taken(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    local_sendgrid.answers = [local_sendgrid.Answer(500)]
    results = sendgrid().submit(mail.batch("ada@post.example", "ada@post.example"))
    assert outcomes(results) == [Outcome.UNKNOWN, Outcome.RETRY]
    assert len(local_sendgrid.requests) == 1


def test_a_recipient_that_breaks_a_rule_is_rejected_alone(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    batch = mail.batch(mail.addressed(1, "jürgen@post.example"), mail.addressed(2))
    assert outcomes(sendgrid().submit(batch)) == [Outcome.REJECTED, Outcome.ACCEPTED]
    with pytest.raises(BadData, match="would refuse this recipient"):
        sendgrid().preview(batch)


def test_a_request_that_breaks_a_rule_is_not_sent(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    for changes in ({"subject": ""}, {"text": ""}, {"sender_email": "nobody"}, {"list_id": "Café <a.b>"}):
        assert set(outcomes(sendgrid().submit(mail.batch(1, 2, **changes)))) == {Outcome.FAILED}
    assert local_sendgrid.requests == []


STATUS = [
    (200, Outcome.UNKNOWN),
    (400, Outcome.FAILED),
    (401, Outcome.FAILED),
    (403, Outcome.FAILED),
    (404, Outcome.FAILED),
    (405, Outcome.FAILED),
    (408, Outcome.RETRY),
    (413, Outcome.FAILED),
    (415, Outcome.FAILED),
    (418, Outcome.FAILED),
    (429, Outcome.RETRY),
    (307, Outcome.FAILED),
    (500, Outcome.UNKNOWN),
    (502, Outcome.UNKNOWN),
    (503, Outcome.UNKNOWN),
    (504, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("status", "outcome"), STATUS)
def test_a_status_has_its_meaning_for_everybody(
    sendgrid: Any, local_sendgrid: Any, mail: Any, status: int, outcome: Outcome
) -> None:
    """One case per exception of python_http_client, and the codes that it has no class for."""
    local_sendgrid.answers = [local_sendgrid.Answer(status, {"errors": [{"message": "so it is", "field": None}]})]
    results = sendgrid().submit(mail.batch(1, 2))
    assert outcomes(results) == [outcome] * 2
    assert f"{status}" in results[0].detail
    assert "so it is" in results[0].detail


def test_a_wrong_key_fails_for_everybody(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    provider = sendgrid(api_key="SG.another")
    assert outcomes(provider.submit(mail.batch(1, 2))) == [Outcome.FAILED] * 2
    assert provider.check() == ["SendGrid refuses the API key (401)."]


def test_a_400_that_names_recipients_rejects_them_and_puts_off_the_rest(
    sendgrid: Any, local_sendgrid: Any, mail: Any
) -> None:
    errors = [
        {"message": "Does not contain a valid address.", "field": "personalizations.1.to.0.email", "help": None},
        {"message": "again", "field": "personalizations.1.to.0.email"},
        {"message": "too long", "field": "personalizations[2].substitutions"},
    ]
    local_sendgrid.answers = [local_sendgrid.Answer(400, {"errors": errors})]
    results = sendgrid().submit(mail.batch(1, 2, 3, 4))
    assert outcomes(results) == [Outcome.RETRY, Outcome.REJECTED, Outcome.REJECTED, Outcome.RETRY]
    assert "valid address" in results[1].detail
    assert "too long" in results[2].detail


@pytest.mark.parametrize(
    "errors",
    [
        [{"message": "bad from", "field": "from.email"}],
        [{"message": "bad", "field": "personalizations.0.to"}, {"message": "bad from", "field": "from"}],
        [{"message": "who?", "field": "personalizations.9.to"}],
        [{"message": "too many", "field": "personalizations"}],
        [],
        "not a list",
    ],
)
def test_a_400_about_the_mail_fails_for_everybody(sendgrid: Any, local_sendgrid: Any, mail: Any, errors: Any) -> None:
    local_sendgrid.answers = [local_sendgrid.Answer(400, {"errors": errors})]
    assert outcomes(sendgrid().submit(mail.batch(1, 2))) == [Outcome.FAILED] * 2


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[1]", b"\xff\xfe", b'{"errors": [5]}'])
def test_an_answer_that_is_not_json_is_still_an_answer(
    sendgrid: Any, local_sendgrid: Any, mail: Any, body: bytes
) -> None:
    local_sendgrid.answers = [local_sendgrid.Answer(400, body), local_sendgrid.Answer(502, body)]
    assert outcomes(sendgrid().submit(mail.batch(1))) == [Outcome.FAILED]
    assert outcomes(sendgrid().submit(mail.batch(1))) == [Outcome.UNKNOWN]


def test_too_many_requests_wait_as_long_as_sendgrid_says(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    local_sendgrid.answers = [
        local_sendgrid.Answer(429, headers={"Retry-After": "17"}),
        local_sendgrid.Answer(429, headers={"X-RateLimit-Reset": str(int(time.time()) + 30)}),
    ]
    provider = sendgrid()
    assert {r.retry_after for r in provider.submit(mail.batch(1, 2))} == {17.0}
    (result,) = provider.submit(mail.batch(1))
    assert 20 < (result.retry_after or 0) <= 31


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "99999"}, 3600.0),
        ({"Retry-After": "soon"}, 60.0),
        ({"Retry-After": "nan"}, 60.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:17:30 GMT"}, 50.0),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "1010"}, 10.0),
        ({"X-RateLimit-Reset": "900"}, 1.0),
    ],
)
def test_waits_are_read_in_every_form(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, 1000.0) == seconds


@pytest.mark.parametrize("fault", ["close", "reset", "silent", "half"])
def test_a_written_request_without_an_answer_is_unknown(
    sendgrid: Any, local_sendgrid: Any, mail: Any, fault: str
) -> None:
    local_sendgrid.answers = [local_sendgrid.Answer(202, b"", fault=fault)]
    started = time.monotonic()
    results = sendgrid(timeout=0.2 if fault == "silent" else 5.0).submit(mail.batch(1, 2))
    assert outcomes(results) == [Outcome.UNKNOWN] * 2
    assert time.monotonic() - started < 4, "the timeout is ours, the SDK has none"
    assert len(local_sendgrid.requests) == 1


def test_a_refusal_that_breaks_off_is_unknown(sendgrid: Any, local_sendgrid: Any, mail: Any) -> None:
    local_sendgrid.answers = [local_sendgrid.Answer(401, {"errors": []}, fault="half")]
    assert outcomes(sendgrid().submit(mail.batch(1))) == [Outcome.UNKNOWN]


def test_an_answer_that_is_not_http_is_unknown(mail: Any, peer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    server = peer({"greeting": "garbage"})
    provider = SendgridProvider(SENDGRID_KEY, host=f"http://127.0.0.1:{server.port}", timeout=2.0)
    assert outcomes(provider.submit(mail.batch(1))) == [Outcome.UNKNOWN]
    assert provider.check()[0].startswith("Cannot reach")


def test_what_fails_while_connecting_was_not_sent(mail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection, an unknown host, a timeout of connecting: definite, all of them."""
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    provider = SendgridProvider(SENDGRID_KEY, host=f"http://127.0.0.1:{port}", timeout=1.0)
    (result,) = provider.submit(mail.batch(1))
    assert result.outcome is Outcome.RETRY
    assert result.retry_after == 60.0
    assert "refused" in result.detail.lower()

    def fails(error: Exception) -> Any:
        def create(*_: Any, **__: Any) -> Any:
            raise error

        return create

    for error in (TimeoutError("timed out"), OSError(113, "No route to host"), socket.gaierror(-2, "unknown")):
        monkeypatch.setattr(socket, "create_connection", fails(error))
        assert outcomes(provider.submit(mail.batch(1))) == [Outcome.RETRY]


def test_a_certificate_that_is_not_trusted_stops_before_the_request(
    mail: Any, authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setenv("no_proxy", "*")
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(handshake: bool) -> None:
            sock, _ = listening.accept()
            with sock:
                if not handshake:
                    return
                try:
                    with authority.server_context().wrap_socket(sock, server_side=True) as secured:
                        heard.append(secured.recv(10))
                except OSError:
                    pass

        provider = SendgridProvider(SENDGRID_KEY, host=f"https://127.0.0.1:{listening.getsockname()[1]}", timeout=5.0)
        for handshake, words in ((True, "not trusted"), (False, "")):
            thread = threading.Thread(target=serve, args=(handshake,))
            thread.start()
            (result,) = provider.submit(mail.batch(1))
            thread.join(5)
            assert result.outcome is Outcome.RETRY
            assert words in result.detail
    assert heard == []


VENDOR = [
    http.client.RemoteDisconnected("gone"),
    http.client.IncompleteRead(b""),
    http.client.BadStatusLine("x"),
    TimeoutError("timed out"),
    BrokenPipeError(32, "Broken pipe"),
    ConnectionResetError(104, "reset"),
    ConnectionRefusedError(111, "refused"),
    socket.gaierror(-2, "unknown"),
    ssl.SSLError(1, "bad record mac"),
    ssl.SSLCertVerificationError(1, "certificate verify failed"),
]


@pytest.mark.parametrize("error", VENDOR, ids=repr)
@pytest.mark.parametrize(
    ("step", "outcome"), [("connect", Outcome.RETRY), ("request", Outcome.UNKNOWN), ("getresponse", Outcome.UNKNOWN)]
)
def test_every_exception_of_the_libraries_is_translated(
    mail: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, step: str, outcome: Outcome
) -> None:
    """Whatever comes while connecting is definite, and a write that breaks off; nothing else from the first byte on."""

    def fails(*_: Any, **__: Any) -> Any:
        raise error

    broken = ("request", "getresponse") if step == "request" else (step,)
    if step == "request" and isinstance(error, BrokenPipeError | ConnectionResetError | TimeoutError):
        outcome = Outcome.RETRY
    for done in ("connect", "request", "getresponse"):
        monkeypatch.setattr(http.client.HTTPConnection, done, fails if done in broken else lambda *_, **__: None)
        monkeypatch.setattr(http.client.HTTPSConnection, done, fails if done in broken else lambda *_, **__: None)
    provider = SendgridProvider(SENDGRID_KEY)
    assert outcomes(provider.submit(mail.batch(1, 2))) == [outcome] * 2
    assert provider.check()[0].startswith("Cannot reach https://api.sendgrid.com")


def test_every_exception_class_of_the_sdk_is_translated(mail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from python_http_client import exceptions

    headers = email.message.Message()
    for kind in [*exceptions.HTTPError.__subclasses__(), exceptions.HTTPError]:
        code = {cls: status for status, cls in exceptions.err_dict.items()}.get(kind, 599)

        def fails(*_: Any, kind: Any = kind, code: int = code, **__: Any) -> Any:
            raise kind(code, "reason", b"{}", headers)

        monkeypatch.setattr(sendgrid_http, "_exchange", fails)
        (result,) = SendgridProvider(SENDGRID_KEY).submit(mail.batch(1))
        assert result == judge([result.key], code, {}, b"{}")[0]


def test_the_key_and_the_readers_are_in_no_log(
    sendgrid: Any, local_sendgrid: Any, mail: Any, caplog: Any, capsys: Any
) -> None:
    """Not even when somebody opens every log."""
    provider = sendgrid()
    caplog.set_level(logging.DEBUG)
    quiet_sdk()
    for name in ("python_http_client", "python_http_client.client"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    local_sendgrid.answers = [
        local_sendgrid.Answer(),
        local_sendgrid.Answer(401, {"errors": [{"message": "no"}]}),
        local_sendgrid.Answer(500),
    ]
    provider.submit(mail.batch(1))
    client = logging.getLogger("python_http_client.client")
    client.setLevel(logging.DEBUG)
    client.debug("HEADERS: %s", SENDGRID_KEY)
    client.warning("a warning is heard")
    assert caplog.records[-1].getMessage() == "a warning is heard"
    shown = [repr(provider), repr(provider.submit(mail.batch(1))), repr(provider.submit(mail.batch(1)))]
    shown += [record.getMessage() for record in caplog.records] + [*capsys.readouterr()]
    assert not any(SENDGRID_KEY in text or "reader1@" in text for text in shown)


def test_calls_do_not_leak_headers_into_each_other(sendgrid: Any) -> None:
    provider = sendgrid()
    provider._client().request_headers["X-Leak"] = "1"
    assert "X-Leak" not in provider._client().request_headers


def test_check_asks_what_the_key_may_do(sendgrid: Any, local_sendgrid: Any) -> None:
    assert sendgrid().check() == []
    local_sendgrid.scopes = ["stats.read"]
    assert 'permission "Mail Send"' in sendgrid().check()[0]
    local_sendgrid.answers = [
        local_sendgrid.Answer(500),
        local_sendgrid.Answer(200, b"<html>"),
        local_sendgrid.Answer(200, b"[]"),
        local_sendgrid.Answer(200, b"[1]"),
    ]
    assert "answers 500" in sendgrid().check()[0]
    assert "is provider.sendgrid.host right?" in sendgrid().check()[0]
    assert 'permission "Mail Send"' in sendgrid().check()[0]
    assert "is provider.sendgrid.host right?" in sendgrid().check()[0]
    local_sendgrid.scopes = ["mail.send"]
    assert sendgrid(categories=["a", "a"]).check() == ["Categories: one is named twice."]
    assert local_sendgrid.requests == [], "checking sends nothing"


def test_check_names_what_the_account_does_to_every_mail(sendgrid: Any, local_sendgrid: Any) -> None:
    """Tracking is off in each request; a template of the account, a copy to somebody, what we do not know are not."""
    off = {"name": "footer", "enabled": False}
    local_sendgrid.settings = {
        "/v3/mail_settings": local_sendgrid.Answer(
            200, {"result": [{"name": n, "enabled": True} for n in ("template", "bcc", "forward_spam")] + [off]}
        ),
        "/v3/tracking_settings": local_sendgrid.Answer(
            200, {"result": [{"name": n, "enabled": True} for n in ("open", "click", "subscription", "novel")]}
        ),
    }
    assert sendgrid().check() == [], "without the scope nothing is asked"
    assert local_sendgrid.asked == []
    local_sendgrid.scopes = ["mail.send", "mail_settings.read", "tracking_settings.read"]
    template, bcc, novel = sendgrid().check()
    assert "template of the account" in template
    assert "copies every mail" in bcc
    assert "novel" in novel
    local_sendgrid.settings = {
        "/v3/mail_settings": local_sendgrid.Answer(200, b"<html>"),
        "/v3/tracking_settings": local_sendgrid.Answer(200, [1]),
    }
    assert sendgrid().check() == []
    local_sendgrid.settings = {
        "/v3/mail_settings": local_sendgrid.Answer(200, {"result": [None, {"enabled": True}, 5]})
    }
    assert sendgrid().check() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"api_key": ""}, "needs api_key"),
        ({"api_key": SENDGRID_KEY + "\n"}, "blanks or characters"),
        ({"host": "http://api.sendgrid.com"}, "would show the API key"),
        ({"host": "https://api.sendgrid.com/v3"}, "not the address of an API"),
        ({"host": "https://me@api.sendgrid.com"}, "not the address of an API"),
        ({"host": "api.sendgrid.com"}, "not the address of an API"),
        ({"host": "https://[::1"}, "not the address of an API"),
        ({"host": "https://a:99999"}, "not the address of an API"),
        ({"timeout": "30"}, "timeout is not seconds"),
        ({"categories": "weekly"}, "categories is not a list"),
        ({"apikey": SENDGRID_KEY}, 'did you mean "api_key"'),
    ],
)
def test_wrong_options_are_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create_provider("sendgrid", {"api_key": SENDGRID_KEY, **options})
    assert words in str(caught.value)
    assert SENDGRID_KEY not in str(caught.value)


@pytest.mark.parametrize("host", ["https://api.eu.sendgrid.com/", "http://localhost:4010", "http://[::1]:4010"])
def test_hosts_that_keep_the_key_safe_are_fine(host: str) -> None:
    provider = create_provider("sendgrid", {"api_key": SENDGRID_KEY, "host": host})
    assert isinstance(provider, SendgridProvider)
    assert provider.host == host.rstrip("/")
    provider.close()


def test_capabilities_promise_no_more_than_sendgrid_keeps() -> None:
    found = SendgridProvider(SENDGRID_KEY).capabilities
    assert (found.max_batch, found.merge, found.idempotency, found.keeps_message_id) == (
        1000,
        "substitution",
        False,
        False,
    )
    assert (found.concurrency, found.scheduling, found.local, found.smtputf8) == (2, False, False, False)
