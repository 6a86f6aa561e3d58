"""SMTP: any mail server that takes mail for the whole list, over a few connections that stay open.

What is promised: every failure before the final dot of a message is known to be one, and is either tried later
(4xx, a lost connection) or final (5xx). Silence after the final dot is *uncertain* and never sent again by
itself: whether the server took the message cannot be known from here (RFC 1047). 5xx answers about us (sender,
password, relaying, size) are FAILED and pause the mailing instead of burning the list.

An authority of one's own for the server's certificate comes from the environment: ``SSL_CERT_FILE``.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Mapping, Sequence
from typing import cast

from newsletter.delivery.ports import Batch, Capabilities, Event, Outcome, Provider, Result, Wire
from newsletter.errors import BadData, ConfigurationError
from newsletter.message.compile import CompiledMessage
from newsletter.message.dkim import Signer, make_signer
from newsletter.message.headers import ascii_address, ascii_domain, verp
from newsletter.message.outgoing import Addressed, Outgoing
from newsletter.providers.mime import Compiler, envelope_address, mime_of, needs_smtputf8
from newsletter.providers.options import Options
from newsletter.providers.smtp_session import (
    Ending,
    Envelope,
    Phase,
    Refused,
    Security,
    Server,
    Session,
    open_session,
)

MAX_BATCH = 10
WINDOWS = 2
"""A crash leaves at most MAX_BATCH × WINDOWS = 20 deliveries per connection in doubt."""
MAX_TRANSACTIONS = 100
"""Messages on one connection; many servers hang up at some number, and 100 is the usual one."""
_OPTIONS = ("host", "port", "security", "username", "password", "connections", "timeout", "bounce_domain", "dkim")


def create(options: Mapping[str, object]) -> Provider:
    """Options: those of ``[provider.smtp]``, the password as a plain string.

    ``dkim`` is a list of tables with ``domain``, ``selector`` and ``key`` (PEM): each is one signature.
    """
    checked = Options("smtp", options, _OPTIONS)
    server = Server(
        host=checked.required("host", 'name the mail server: host = "smtp.example.org"'),
        port=checked.whole("port", 587, 1, 65535),
        security=cast("Security", checked.choice("security", ("starttls", "tls", "none"), "starttls")),
        timeout=checked.seconds("timeout", 60.0),
        username=checked.text("username"),
        password=checked.text("password"),
    )
    for key, value in (("username", server.username), ("password", server.password)):
        if value is not None and not value.isascii():
            raise ConfigurationError(
                f"the {key} has characters beyond ASCII, which cannot be sent to a mail server",
                where=checked.where(key),
                fix="choose another one",
            )
    if (server.username is None) != (server.password is None):
        missing = "password" if server.password is None else "username"
        raise ConfigurationError(
            f"signing in takes a username and a password, and there is no {missing}",
            where=checked.where(missing),
            fix=f"add {missing}, or remove the other",
        )
    signers = [
        make_signer(table["domain"], table["selector"], table["key"], where=checked.where("dkim"))
        for table in checked.tables("dkim")
    ]
    return SmtpProvider(server, checked.whole("connections", 4, 1, 100), checked.text("bounce_domain"), signers)


class SmtpProvider:
    """A pool of at most ``connections`` sessions. ``submit`` may be called from any number of threads."""

    def __init__(
        self, server: Server, connections: int = 4, bounce_domain: str | None = None, signers: Sequence[Signer] = ()
    ) -> None:
        self.server = server
        self.connections = connections
        self.bounce_domain = _checked_domain(bounce_domain)
        self._compiler = Compiler(signers)
        self._places = threading.BoundedSemaphore(connections)
        self._lock = threading.Lock()
        self._idle: list[Session] = []
        self._closed = False

    def __repr__(self) -> str:
        return f"SmtpProvider({self.server!r}, connections={self.connections})"

    @property
    def capabilities(self) -> Capabilities:
        """``smtputf8``: where the server offers it; where it does not, such an address is rejected by name."""
        return Capabilities(
            name="smtp", max_batch=MAX_BATCH, concurrency=self.connections, windows=WINDOWS, smtputf8=True
        )

    def submit(self, batch: Batch) -> list[Result]:
        """Hand over each message in a transaction of its own; waits for a free connection."""
        try:
            compiled = self._compiler.compiled(batch.outgoing)
            sender = ascii_address(batch.outgoing.sender_email)
        except BadData as error:
            return [Result(a.key, Outcome.FAILED, error.what) for a in batch.recipients]
        with self._places:
            return _Run(self, compiled, sender).all(batch.recipients)

    def take(self) -> Session | Refused:
        """An idle session that is still good, the last used first, or a new one. For ``submit``."""
        while True:
            with self._lock:
                session = self._idle.pop() if self._idle else None
            if session is None:
                return open_session(self.server)
            if not session.stale():
                return session
            session.drop()

    def give_back(self, session: Session) -> None:
        """Keep a session for the next batch, unless it is spent."""
        with self._lock:
            if session.alive and session.transactions < MAX_TRANSACTIONS and not self._closed:
                self._idle.append(session)
                return
        session.quit()

    def envelope(self, compiled: CompiledMessage, addressed: Addressed, sender: str) -> Envelope:
        """The transaction of one recipient; BadData when there can be none."""
        return Envelope(
            sender=verp(addressed.key, self.bounce_domain) if self.bounce_domain else sender,
            recipient=envelope_address(addressed.address),
            message=mime_of(compiled, addressed),
            smtputf8=needs_smtputf8(addressed.address),
            stuffed=True,  # compile_message writes no line that starts with a dot
        )

    def preview(self, batch: Batch) -> list[Wire]:
        """Each message as DATA would carry it, before dot-stuffing."""
        outgoing: Outgoing = batch.outgoing
        compiled = self._compiler.compiled(outgoing)
        return [Wire("message/rfc822", mime_of(compiled, a), self.server.target) for a in batch.recipients]

    def parse_events(self, raw: bytes, headers: Mapping[str, str]) -> list[Event]:  # noqa: ARG002 - the protocol's
        """SMTP reports nothing by HTTP: always BadData."""
        raise BadData("SMTP has no events", fix="bounces of SMTP come as mail to the bounce domain")

    def check(self) -> list[str]:
        """Connect, EHLO, secure, sign in, QUIT."""
        problems = []
        if self.server.security == "none" and self.server.username and not _on_this_machine(self.server.host):
            problems.append('The password would travel unencrypted: set security = "starttls" or "tls".')
        session = open_session(self.server)
        if isinstance(session, Refused):
            return [*problems, f"The mail server {session.detail}."]
        session.quit()
        return problems

    def close(self) -> None:
        """Say QUIT on every idle connection; a session in use is closed when its batch ends."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for session in idle:
            session.quit()


class _Run:
    """One batch on one connection at a time, with a new connection where the old one breaks."""

    def __init__(self, provider: SmtpProvider, compiled: CompiledMessage, sender: str) -> None:
        self._provider = provider
        self._compiled = compiled
        self._sender = sender
        self._session: Session | None = None
        self._breaks = 0  # in a row, without a message accepted in between
        self._stop: Refused | None = None

    def all(self, recipients: tuple[Addressed, ...]) -> list[Result]:
        try:
            return [self._one(addressed) for addressed in recipients]
        finally:
            if self._session is not None:
                self._provider.give_back(self._session)

    def _one(self, addressed: Addressed) -> Result:
        if self._stop is not None:
            return _put_off(addressed, self._stop)
        try:
            envelope = self._provider.envelope(self._compiled, addressed, self._sender)
        except BadData as error:
            return Result(addressed.key, Outcome.REJECTED, error.what)
        session = self._ready()
        if isinstance(session, Refused):
            self._stop = session
            return _put_off(addressed, session)
        used = session.transactions > 0
        ending = session.transact(envelope)
        if used and ending.broken and ending.phase is Phase.MAIL and ending.too_fast is None:
            # An idle connection that died unnoticed. Nothing of this message has left: a new one may try.
            session = self._ready()
            ending = session.transact(envelope) if isinstance(session, Session) else ending
        self._count(ending)
        if ending.outcome is Outcome.ACCEPTED:
            return Result(addressed.key, Outcome.ACCEPTED, provider_id=ending.detail)
        slow = ending.too_fast is not None
        if slow:  # the rest of the batch would only be told the same
            self._stop = Refused(Outcome.RETRY, f"not tried: {ending.detail}", ending.too_fast)
        return Result(addressed.key, ending.outcome, ending.detail, retry_after=ending.too_fast, slow_down=slow)

    def _ready(self) -> Session | Refused:
        if self._session is not None:
            if self._session.stale():
                # Hung up after its answer, or out of step: its next words would be taken for answers to ours.
                self._session.drop()
            elif self._session.transactions < MAX_TRANSACTIONS:
                return self._session
            else:
                self._session.quit()
            self._session = None
        taken = self._provider.take()
        if isinstance(taken, Session):
            self._session = taken
        return taken

    def _count(self, ending: Ending) -> None:
        """After two breaks in a row the server is left alone: what is left of the batch waits."""
        if not ending.broken:
            self._breaks = 0
            return
        self._breaks += 1
        if self._breaks >= 2:
            self._stop = Refused(Outcome.RETRY, f"not tried: the connection broke twice ({ending.detail})")


def _put_off(addressed: Addressed, refused: Refused) -> Result:
    slow = refused.too_fast is not None
    return Result(addressed.key, refused.outcome, refused.detail, retry_after=refused.retry_after, slow_down=slow)


def _checked_domain(domain: str | None) -> str | None:
    if domain is None:
        return None
    try:
        return ascii_domain(domain)
    except BadData as error:
        raise ConfigurationError(
            error.what, where="newsletter.toml: provider.smtp.bounce_domain", fix=error.fix
        ) from error


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
