"""Peers on loopback: a scripted SMTP server with exact faults, aiosmtpd, and a strict SendGrid."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import ipaddress
import json
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery.ports import Batch, Outcome
from newsletter.message.headers import recipient_headers
from newsletter.message.outgoing import Addressed, Outgoing, Part
from newsletter.models import MergeField
from newsletter.providers.registry import create_provider
from newsletter.providers.sendgrid import SendgridProvider

MAILING = "9" * 32
CONTRACT = Path(__file__).parents[3] / "shared" / "contracts" / "sendgrid-mail-send.openapi.json"


def an_outgoing() -> Outgoing:
    return Outgoing(
        mailing=MAILING,
        issue="2026-03-06",
        digest="sha256:" + "ab" * 32,
        date=datetime.datetime(2026, 3, 6, 7, 0, tzinfo=datetime.UTC),
        sender_name="The Lantern Weekly",
        sender_email="weekly@lantern.example",
        subject="nlf0001q, the harbour bridge opens",
        html='<p>Dear nlf0002q,</p><p>The ferry café closes.</p><a href="nlf0003q">Stop</a>',
        text="Dear nlf0004q,\n\n.a line that starts with a dot\n\nThe ferry café closes.\nnlf0005q\n",
        lang="en",
        list_id="The Lantern Weekly <the-lantern-weekly.lantern.example>",
        reply_to="desk@lantern.example",
        feedback_id="2026-03-06:99999999:lantern:lantern",
        fields=(
            MergeField("nlf0001q", "first_name", "Reader", "subject"),
            MergeField("nlf0002q", "first_name", "reader", "html"),
            MergeField("nlf0003q", "unsubscribe_url", "", "html"),
            MergeField("nlf0004q", "first_name", "reader", "text"),
            MergeField("nlf0005q", "unsubscribe_url", "", "text"),
        ),
    )


def an_addressed(number: int, address: str | None = None, **values: str) -> Addressed:
    url = f"https://lantern.example/u/v1.unsubscribe.{number:032x}.k1.abc"
    return Addressed(
        key=f"{number:032x}",
        address=address or f"reader{number}@post.example",
        values={"first_name": f"Zoë {number}", "unsubscribe_url": url, **values},
        headers=recipient_headers(url),
    )


class Mail:
    """Makes batches of a sample mail."""

    outgoing = staticmethod(an_outgoing)
    addressed = staticmethod(an_addressed)

    @staticmethod
    def batch(*recipients: Addressed | str | int, **changes: Any) -> Batch:
        people = [
            one if isinstance(one, Addressed) else an_addressed(n, one) if isinstance(one, str) else an_addressed(one)
            for n, one in enumerate(recipients or (1,), 1)
        ]
        return Batch(replace(an_outgoing(), **changes), tuple(people))

    @staticmethod
    def big(size: int) -> tuple[Part, ...]:
        """A picture of ``size`` bytes: a body that fits into no socket buffer."""
        return (Part("big@lantern", "image/jpeg", "big.jpg", b"\xff" * size),)


@pytest.fixture
def mail() -> type[Mail]:
    return Mail


# -- a scripted SMTP server ----------------------------------------------------------------------------------------

CLOSE, RESET, SILENT = "close", "reset", "silent"
_USUAL = {
    "greeting": "220 peer ready",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go on",
    "dot": "250 2.0.0 Ok: queued as ABC123",
    "RSET": "250 2.0.0 ok",
    "QUIT": "221 bye",
}


class _Gone(Exception):
    pass


@dataclass
class Connection:
    """What one connection of the peer saw."""

    commands: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)


class Peer:
    """Speaks SMTP by script. ``scripts`` is one table per connection (the last repeats): what to do in a phase.

    A phase is greeting, EHLO, MAIL, RCPT, DATA, body, dot, RSET, QUIT, idle (after a message was taken). An action
    is a reply, ``close``, ``reset``, ``silent``, or a list of those, one per use (then as usual). After a refused MAIL
    or RCPT it answers 503 to what follows, as servers do; a ``lenient`` one lets DATA through and refuses the dot.
    """

    def __init__(
        self, *scripts: Mapping[str, Any], ehlo: tuple[str, ...] = ("peer", "SIZE 0"), lenient: bool = False
    ) -> None:
        self.lenient = lenient
        self.scripts = [dict(script) for script in scripts] or [{}]
        self.ehlo = ehlo
        self.connections: list[Connection] = []
        self.stop = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.05)
        self.port = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def commands(self) -> list[str]:
        return [command for connection in self.connections for command in connection.commands]

    @property
    def messages(self) -> list[bytes]:
        return [message for connection in self.connections for message in connection.messages]

    def close(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(5)
        self._listening.close()

    def _accept(self) -> None:
        while not self.stop.is_set():
            try:
                sock, _ = self._listening.accept()
            except TimeoutError:
                continue
            number = len(self.connections)
            self.connections.append(Connection())
            script = {k: list(v) if isinstance(v, list) else v for k, v in self._script(number).items()}
            thread = threading.Thread(target=self._serve, args=(sock, self.connections[number], script))
            self._threads.append(thread)
            thread.start()

    def _script(self, number: int) -> dict[str, Any]:
        return self.scripts[min(number, len(self.scripts) - 1)]

    def _serve(self, sock: socket.socket, seen: Connection, script: dict[str, Any]) -> None:
        with sock, contextlib.suppress(_Gone, OSError):
            sock.settimeout(0.05)
            self._do(sock, script, "greeting")
            buffer = bytearray()
            refused = False
            while True:
                line = self._until(sock, buffer, b"\r\n").decode()
                seen.commands.append(line)
                verb = line.split(" ")[0].split(":")[0].upper()
                if verb == "EHLO" and "EHLO" not in script:
                    lines = [f"250-{word}" for word in self.ehlo]
                    lines[-1] = lines[-1].replace("-", " ", 1)
                    sock.sendall("\r\n".join(lines).encode() + b"\r\n")
                    continue
                if refused and (verb == "RCPT" or (verb == "DATA" and not self.lenient)):
                    sock.sendall(b"503 5.5.1 nobody to send to\r\n")
                    continue
                reply = self._do(sock, script, verb)
                refused = (refused or verb in ("MAIL", "RCPT")) and verb != "RSET" and not reply.startswith("250")
                if verb == "QUIT":
                    return
                if verb == "DATA" and reply.startswith("354") and refused:
                    assert self._until(sock, buffer, b"\r\n") == b"."
                    sock.sendall(b"554 5.5.1 no valid recipients\r\n")
                    seen.commands.append(".")
                elif verb == "DATA" and reply.startswith("354"):
                    if "body" in script:
                        self._until(sock, buffer, b"\r\n")
                        self._do(sock, script, "body")
                    message = self._until(sock, buffer, b"\r\n.\r\n")
                    self._do(sock, script, "dot", lambda m=message: seen.messages.append(m + b"\r\n"))
                    if "idle" in script:
                        self._do(sock, script, "idle")

    def _until(self, sock: socket.socket, buffer: bytearray, end: bytes) -> bytes:
        start = 0
        while (at := buffer.find(end, start)) < 0:
            start = max(0, len(buffer) - len(end))
            if self.stop.is_set():
                raise _Gone
            try:
                data = sock.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise _Gone
            buffer += data
        found = bytes(buffer[:at])
        del buffer[: at + len(end)]
        return found

    def _do(
        self, sock: socket.socket, script: dict[str, Any], phase: str, taken: Callable[[], None] = lambda: None
    ) -> str:
        action = script.get(phase, _USUAL.get(phase, "502 what?"))
        if isinstance(action, list):
            action = action.pop(0) if action else _USUAL[phase]
        if action == SILENT:
            self.stop.wait(5)
            raise _Gone
        if action == RESET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if action in (RESET, CLOSE):
            raise _Gone
        if action.startswith("250"):
            taken()  # before the answer: the test looks right after it
        sock.sendall(action.encode() + b"\r\n")
        if action.startswith("421"):
            raise _Gone
        return str(action)


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    """Starts scripted SMTP servers."""
    peers: list[Peer] = []

    def start(*scripts: Mapping[str, Any], **options: Any) -> Peer:
        peers.append(Peer(*scripts, **options))
        return peers[-1]

    yield start
    for one in peers:
        one.close()


# -- a certificate authority ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Authority:
    """A self-made CA and a certificate it gave to 127.0.0.1 and localhost."""

    ca: Path
    cert: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = tmp_path_factory.mktemp("ca")
    now = datetime.datetime.now(datetime.UTC)

    def signed(name: str, issuer: str, key: Any, signer: Any, *extensions: Any) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))],
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    of_authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    extensions = ((constraints, True), (usage, True), (identifier, False))
    (folder / "ca.pem").write_bytes(signed("Test CA", "Test CA", ca_key, ca_key, *extensions))
    (folder / "cert.pem").write_bytes(signed("peer", "Test CA", key, ca_key, (names, False), (of_authority, False)))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Authority(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")


# -- a strict SendGrid ---------------------------------------------------------------------------------------------


@dataclass
class Answer:
    """What the local SendGrid says: a status, headers and a body; or ``fault`` instead (close, reset, silent, half).

    ``hang_up``: it answers, and then closes the connection without having said so.
    """

    status: int = 202
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None
    hang_up: bool = False


class LocalSendGrid:
    """Takes what the API takes. A request that breaks the contract or our rules is a failure of the test."""

    Answer = Answer

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.problems: list[str] = []
        self.scopes: list[str] = ["mail.send"]
        self.settings: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.answers: list[Answer] = []
        self.connections = 0
        self.together: threading.Barrier | None = None
        self.stop = threading.Event()
        outer = self

        class Handler(_Handler):
            sendgrid = outer

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.block_on_close = False  # a client may keep its connection for longer than the test
        self.host = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self.stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(raw) for raw in self.requests]


KEY = "SG.canary-key-that-must-not-leak"


class _Handler(http.server.BaseHTTPRequestHandler):
    sendgrid: LocalSendGrid
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.sendgrid.connections += 1

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self._say(Answer(401, {"errors": [{"message": "authorization required"}]}))
        elif self.sendgrid.answers:
            self._say(self.sendgrid.answers.pop(0))
        elif self.path != "/v3/scopes":
            self.sendgrid.asked.append(self.path)
            self._say(self.sendgrid.settings.get(self.path, Answer(404)))
        else:
            self._say(Answer(200, {"scopes": self.sendgrid.scopes}))

    def do_POST(self) -> None:
        from newsletter.providers.sendgrid_rules import validate

        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.sendgrid.together is not None:
            self.sendgrid.together.wait(5)
        answer = self.sendgrid.answers.pop(0) if self.sendgrid.answers else Answer(headers={"X-Message-Id": "mid-1"})
        if self.path != "/v3/mail/send" or self.headers["Content-Type"] != "application/json":
            self.sendgrid.problems.append(f"wrong call: {self.path} {self.headers['Content-Type']}")
        if self.headers["Authorization"] != f"Bearer {KEY}":
            answer = Answer(401, {"errors": [{"message": "authorization required", "field": None}]})
        self.sendgrid.requests.append(raw)
        body = json.loads(raw)
        self.sendgrid.problems += contract_problems(body) + validate(body)
        self._say(answer)

    def _say(self, answer: Answer) -> None:
        if answer.fault == SILENT:
            self.sendgrid.stop.wait(5)
        if answer.fault == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if answer.fault in (SILENT, CLOSE, RESET):
            self.close_connection = True
            self.connection.close()
            return
        raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw) + (10 if answer.fault == "half" else 0)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(raw)
        self.close_connection = answer.hang_up or answer.fault == "half"


_schema: list[Any] = []


def contract_problems(body: Any) -> list[str]:
    """What the published contract has against a request body; nothing where the contract is absent."""
    if not CONTRACT.exists():
        return []
    if not _schema:
        import jsonschema

        document = json.loads(CONTRACT.read_text(encoding="utf-8"))
        wanted = document["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["schema"]
        _schema.append(jsonschema.Draft202012Validator({**wanted, "components": document["components"]}))
    return [f"contract: {error.json_path}: {error.message[:200]}" for error in _schema[0].iter_errors(body)]


@pytest.fixture
def local_sendgrid(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalSendGrid]:
    """A SendGrid on loopback; the test fails when any request broke a rule."""
    monkeypatch.setenv("no_proxy", "*")
    server = LocalSendGrid()
    yield server
    server.close()
    assert server.problems == []


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    """A test that opens the log wide leaves it as it was."""
    names = (None, "python_http_client", "python_http_client.client")
    before = {name: (logging.getLogger(name).level, list(logging.getLogger(name).filters)) for name in names}
    yield
    for name, (level, filters) in before.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).filters[:] = filters


SENDGRID_KEY = "SG.canary-key-that-must-not-leak"


@pytest.fixture
def sendgrid(local_sendgrid: Any) -> Iterator[Callable[..., SendgridProvider]]:
    made: list[SendgridProvider] = []

    def make(**options: Any) -> SendgridProvider:
        given = {"api_key": SENDGRID_KEY, "host": local_sendgrid.host, "timeout": 5.0, **options}
        found = create_provider("sendgrid", given)
        assert isinstance(found, SendgridProvider)
        made.append(found)
        return found

    yield make
    for provider in made:
        provider.close()


def outcomes(results: Any) -> list[Outcome]:
    return [result.outcome for result in results]
