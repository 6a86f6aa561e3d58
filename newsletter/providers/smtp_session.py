"""One SMTP connection, and one transaction on it whose phase is always known.

``smtplib`` opens the connection, says EHLO, secures it and signs in. From there the socket is ours, because
``smtplib`` raises the same ``SMTPServerDisconnected`` for a reset in the middle of the body and for silence after
the final dot, and these two mean opposite things: before the final dot is written no server may take
responsibility for a message (RFC 5321, 4.1.1.4), after it nobody can know (RFC 1047). So the dot is written by
itself, last, and what went wrong is judged by the phase it went wrong in.
"""

from __future__ import annotations

import contextlib
import enum
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from typing import Literal

from newsletter.delivery.ports import Outcome
from newsletter.providers.smtp_replies import Client, Reply, TlsClient, one_line

Security = Literal["starttls", "tls", "none"]

RETRY_AFTER = 60.0
"""Seconds to wait when the server could not be reached at all."""
PATIENCE = 5
"""After the final dot we wait this many times the timeout: giving up there makes a delivery uncertain."""
_GOODBYE = 2.0
_CHUNK = 64 * 1024  # a timeout is for one write, not for ten megabytes on a slow line
_NEEDS_AUTH = frozenset({530, 534, 535, 538})
_SYNTAX = frozenset({500, 502, 503, 504})
_RELAY = re.compile(r"\brelay", re.IGNORECASE)
_ADDRESS = re.compile(r"\S*@\S*")  # a reader may live at relay@…
_TOO_BIG = re.compile(r"\b5\.3\.4\b")
_TOO_FAST = re.compile(r"\brate\b|\blimit|too (?:many|fast|much)|throttl|slow down", re.IGNORECASE)
_A_MAILBOX = re.compile(r"\b4\.2\.\d|mailbox|inbox|quota", re.IGNORECASE)
_NAMED_TIME = re.compile(
    r"(?:\bin|after|wait|for)\s*[:=]?\s*(\d{1,5})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b", re.IGNORECASE
)
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_WAIT = 3600.0


class Phase(enum.StrEnum):
    """How far a transaction has come. Only in DOT may the server have taken the message."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "the body"
    DOT = "the final dot"


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect and as whom. ``timeout`` is in seconds; the repr has no secret."""

    host: str
    port: int
    security: Security
    timeout: float
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """``smtp://host:port``, or ``smtps://`` where TLS comes first."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.security == 'tls' else 'smtp'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Refused:
    """No session: RETRY when the server could not be reached, FAILED when it does not want us.

    ``too_fast``: seconds to wait that the server itself named, because we are too fast for it.
    """

    outcome: Outcome
    detail: str
    too_fast: float | None = None

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait before the next try."""
        return (self.too_fast or RETRY_AFTER) if self.outcome is Outcome.RETRY else None


@dataclass(frozen=True, slots=True)
class Envelope:
    """One transaction: sender and recipient without brackets, and the message with CRLF.

    ``stuffed``: no line starts with a dot, or it was doubled, and the message ends with CRLF. Looking for that in each
    of 85 KB costs more than making them.
    """

    sender: str
    recipient: str
    message: bytes
    smtputf8: bool = False
    stuffed: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How a transaction ended. ``phase`` is where; ``broken`` says that the connection is of no more use.

    ``too_fast`` as in ``Refused``.
    """

    outcome: Outcome
    phase: Phase
    detail: str
    broken: bool = False
    too_fast: float | None = None


def open_session(server: Server) -> Session | Refused:
    """Connect, EHLO, secure and sign in. Never raises for what the network or the server does."""
    client: Client | None = None
    try:
        client = _connected(server)
        if server.security == "starttls":
            client.starttls(context=_tls())
        client.ehlo_or_helo_if_needed()
        if server.username is not None:
            client.login(server.username, server.password or "")
    except (OSError, ValueError, smtplib.SMTPException) as error:
        if client is not None:
            client.close()
        return _why(server, error)
    return Session(server, client)


def _connected(server: Server) -> Client:
    if server.security == "tls":
        return TlsClient(server.host, server.port, ehlo_name(), timeout=server.timeout, context=_tls())
    return Client(server.host, server.port, ehlo_name(), timeout=server.timeout)


def _tls() -> ssl.SSLContext:
    """Certificates and host names are verified; SSL_CERT_FILE adds an authority of one's own."""
    return ssl.create_default_context()


def ehlo_name() -> str:
    """This machine's name where it is a full one, else an address literal (RFC 5321, 4.1.3).

    Not ``socket.getfqdn``, which asks the DNS and may wait for it.
    """
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name) else "[127.0.0.1]"


def _why(server: Server, error: Exception) -> Refused:
    """What failed while opening: an answer of the server's, or no connection at all."""
    at = server.target
    if isinstance(error, smtplib.SMTPAuthenticationError):
        outcome = Outcome.FAILED if error.smtp_code >= 500 else Outcome.RETRY
        return Refused(outcome, f"{at} refuses the user name or password: {_answer(error)}")
    if isinstance(error, smtplib.SMTPResponseException):
        outcome = Outcome.FAILED if error.smtp_code >= 500 else Outcome.RETRY
        return Refused(outcome, f"{at} answers {_answer(error)}", too_fast(error.smtp_code, _answer(error)))
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return Refused(Outcome.RETRY, f"{at} closed the connection: {one_line(str(error))}")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        what = "STARTTLS" if "STARTTLS" in str(error) else "AUTH"
        return Refused(Outcome.FAILED, f"{at} does not offer {what}")
    if isinstance(error, smtplib.SMTPException):
        return Refused(Outcome.FAILED, f"{at} offers no way to sign in that we know")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused(Outcome.RETRY, f"{at} has a certificate that is not trusted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return Refused(Outcome.RETRY, f"{at} does not speak TLS as expected: {error.reason or 'handshake failed'}")
    if isinstance(error, ValueError):  # its own words may hold the password
        return Refused(Outcome.FAILED, f"{at}: the host, the user name or the password cannot be used as it is")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Refused(Outcome.RETRY, f"{at} cannot be reached: {one_line(reason)}")


def _answer(error: smtplib.SMTPResponseException) -> str:
    text = error.smtp_error
    return one_line(f"{error.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}")


class Session:
    """A connection that is signed in. One thread at a time; ``alive`` turns False when it is of no more use."""

    def __init__(self, server: Server, client: Client) -> None:
        assert client.sock is not None
        self._server = server
        self._client = client
        self._sock: socket.socket = client.sock
        # Nagle's algorithm would hold the final dot, a write of its own, until the body is acknowledged: 40 ms.
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = client.replies
        self.extensions = frozenset(client.esmtp_features)
        size = client.esmtp_features.get("size", "")
        self.max_size = int(size) if size.isascii() and size.isdigit() and int(size) else None
        self.transactions = 0
        self.alive = True

    def __repr__(self) -> str:
        return f"<Session {self._server.target} transactions={self.transactions} alive={self.alive}>"

    def stale(self) -> bool:
        """Whether the server has hung up or said something (a 421, an answer too many) that nothing asked it for."""
        return not self.alive or self._replies.heard()

    def transact(self, envelope: Envelope) -> Ending:
        """Hand over one message; never raises for what the network or the server does."""
        if self.max_size is not None and len(envelope.message) > self.max_size:
            size = f"{len(envelope.message):,} bytes; the server takes {self.max_size:,}"
            return Ending(Outcome.FAILED, Phase.MAIL, f"the message has {size}")
        if envelope.smtputf8 and "smtputf8" not in self.extensions:
            return Ending(Outcome.REJECTED, Phase.MAIL, "the address needs SMTPUTF8, which the server does not offer")
        self.transactions += 1
        refused = self._introduce(envelope)
        if refused is not None:
            return refused
        phase = Phase.BODY
        try:
            self._write(envelope.message if envelope.stuffed else dot_stuffed(envelope.message))
            if self.stale():  # it gave up early, or is out of step: the dot was not written, so this is definite
                return self._refused(phase, self._replies.read(self._server.timeout))
            phase = Phase.DOT
            self._write(b".\r\n")
            return self._answered(self._replies.read(self._server.timeout * PATIENCE))
        except OSError as error:
            return self._broke(phase, error)

    def _introduce(self, envelope: Envelope) -> Ending | None:
        """MAIL, RCPT and DATA, in one write where the server offers it (RFC 2920); None when it waits for the body.

        A pipelined DATA is on its way before RCPT is answered. Where it was let through although the one recipient
        was refused, a lone dot ends it (RFC 2920, 3.1): there is nobody whom that mail could go to.
        """
        dialogue = self._dialogue(envelope)
        pipelined = "pipelining" in self.extensions
        phase, refused = Phase.MAIL, None
        try:
            if pipelined:
                self._write("".join(f"{command}\r\n" for _, command, _ in dialogue).encode("utf-8"))
            for phase, command, wanted in dialogue:
                reply = self._replies.read(self._server.timeout) if pipelined else self._command(command)
                if refused is None and reply.code // 100 != wanted:
                    refused = phase, reply
                    if not pipelined or reply.code == 421:  # it hangs up and answers nothing more
                        break
                elif refused is not None and phase is Phase.DATA and reply.code // 100 == wanted:
                    self._end_empty(refused[0])
        except OSError as error:
            if refused is None:
                return self._broke(phase, error)
            self.drop()
        return None if refused is None else self._refused(*refused)

    def _end_empty(self, refused: Phase) -> None:
        if refused is Phase.RCPT:
            self._command(".")
        else:
            self.drop()

    def _dialogue(self, envelope: Envelope) -> tuple[tuple[Phase, str, int], ...]:
        size = f" SIZE={len(envelope.message)}" if "size" in self.extensions else ""
        utf8 = " SMTPUTF8" if envelope.smtputf8 else ""
        return (
            (Phase.MAIL, f"MAIL FROM:<{envelope.sender}>{size}{utf8}", 2),
            (Phase.RCPT, f"RCPT TO:<{envelope.recipient}>", 2),
            (Phase.DATA, "DATA", 3),
        )

    def _refused(self, phase: Phase, reply: Reply) -> Ending:
        """A refusal before the final dot: definite."""
        outcome = judge(phase, reply)
        broken = not self.alive or reply.code == 421 or phase is Phase.BODY or reply.code // 100 not in (4, 5)
        if not broken and phase is not Phase.MAIL:
            broken = not self._reset()
        return self._ended(Ending(outcome, phase, f"{phase}: {reply}", broken, too_fast(reply.code, reply.text)))

    def _answered(self, reply: Reply) -> Ending:
        if reply.code // 100 == 2:
            return Ending(Outcome.ACCEPTED, Phase.DOT, one_line(reply.text) or str(reply.code))
        if reply.code // 100 not in (4, 5):
            return self._ended(Ending(Outcome.UNKNOWN, Phase.DOT, f"after {Phase.DOT}: {reply}", broken=True))
        broken, wait = reply.code == 421, too_fast(reply.code, reply.text)
        return self._ended(Ending(judge(Phase.DOT, reply), Phase.DOT, f"{Phase.DOT}: {reply}", broken, wait))

    def _broke(self, phase: Phase, error: Exception) -> Ending:
        outcome = Outcome.UNKNOWN if phase is Phase.DOT else Outcome.RETRY
        what = "no answer in time" if isinstance(error, TimeoutError) else one_line(str(error)) or "connection lost"
        return self._ended(Ending(outcome, phase, f"after {phase}: {what}", broken=True))

    def _ended(self, ending: Ending) -> Ending:
        if ending.broken:
            self.drop()
        return ending

    def _reset(self) -> bool:
        try:
            return self._command("RSET").code // 100 == 2
        except OSError:
            return False

    def quit(self) -> None:
        """Say goodbye and close; a server that does not answer is not waited for."""
        if self.alive:
            with contextlib.suppress(OSError):
                self._sock.settimeout(_GOODBYE)
                self._sock.sendall(b"QUIT\r\n")
                self._replies.read(_GOODBYE)
        self.drop()

    def drop(self) -> None:
        """Close without a word."""
        self.alive = False
        self._client.close()

    # -- bytes ------------------------------------------------------------------------------------------------

    def _command(self, line: str) -> Reply:
        self._write(line.encode("utf-8") + b"\r\n")
        return self._replies.read(self._server.timeout)

    def _write(self, data: bytes) -> None:
        self._sock.settimeout(self._server.timeout)
        view = memoryview(data)
        for at in range(0, len(view), _CHUNK):
            self._sock.sendall(view[at : at + _CHUNK])


def judge(phase: Phase, reply: Reply) -> Outcome:
    """What a refusal means. 4xx: not now. 5xx: about the recipient in RCPT and after the dot, else about us.

    About us wherever it stands: authentication wanted, relaying refused, the message too big (5.3.4). A server
    that does not relay for us refuses every recipient, and none of them deserves it.
    """
    if reply.code // 100 != 5:
        return Outcome.RETRY
    if reply.code in _NEEDS_AUTH or _TOO_BIG.search(reply.text):
        return Outcome.FAILED
    if phase is Phase.MAIL or (phase is not Phase.RCPT and reply.code in _SYNTAX):
        return Outcome.FAILED
    if phase is Phase.RCPT and _RELAY.search(_ADDRESS.sub("", reply.text)):
        return Outcome.FAILED
    return Outcome.REJECTED


def too_fast(code: int, words: str) -> float | None:
    """Seconds to leave the server alone, when a 421 or 45x says that we are too fast *and* names a time; else None.

    Greylisting and a full mailbox may name a time too, but are about one recipient.
    """
    if code != 421 and code // 10 != 45:
        return None
    said = _ADDRESS.sub("", words)
    named = _NAMED_TIME.search(said)
    if named is None or not _TOO_FAST.search(said) or _A_MAILBOX.search(said):
        return None
    return min(max(int(named[1]) * _UNITS[named[2][0].lower()], 1.0), _LONGEST_WAIT)


def dot_stuffed(message: bytes) -> bytes:
    """The message as DATA carries it (RFC 5321, 4.5.2), ending in CRLF; the final dot is not part of it."""
    if message.startswith(b"."):
        message = b"." + message
    if b"\r\n." in message:
        message = message.replace(b"\r\n.", b"\r\n..")
    return message if message.endswith(b"\r\n") else message + b"\r\n"
