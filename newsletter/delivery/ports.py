"""What delivery asks of a provider. The consumer owns this protocol; adapters live in ``providers/``.

A provider promises little and exactly: it answers for every recipient of a batch, it never retries by
itself, it raises for what it cannot do, and none of its vendor's exceptions leak out of ``submit``.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from newsletter.message.outgoing import Addressed, Outgoing


class Outcome(enum.StrEnum):
    """What the provider is known to have done with one recipient."""

    ACCEPTED = "accepted"
    """The provider took responsibility: 250 after the final dot, 202."""
    REJECTED = "rejected"
    """A definite, permanent no for this recipient: a 5xx in any phase, a 4xx of an API that names it."""
    RETRY = "retry"
    """A definite "not now": SMTP 4xx, HTTP 429, any failure before the final dot or before the request was written."""
    FAILED = "failed"
    """A definite no that is about us, not this recipient: bad credentials, a refused sender, an unsendable mail."""
    UNKNOWN = "unknown"
    """Silence after the final dot, a timeout or a 5xx after the request was written. Never sent again by itself."""


@dataclass(frozen=True, slots=True)
class Result:
    """One recipient's outcome. ``key`` is ``Addressed.key``; ``retry_after`` is in seconds.

    ``slow_down``: the provider says that *we* are too fast (HTTP 429, a rate refusal of SMTP that names a time): until
    ``retry_after`` is over no process submits anything.
    """

    key: str
    outcome: Outcome
    detail: str = ""
    provider_id: str | None = None
    retry_after: float | None = None
    slow_down: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """One frozen email and the recipients that go out in one submission (at most ``max_batch``)."""

    outgoing: Outgoing
    recipients: tuple[Addressed, ...]


@dataclass(frozen=True, slots=True)
class Wire:
    """The exact bytes that a batch becomes: a MIME message, or an HTTP request body."""

    media_type: str
    body: bytes
    target: str
    """Where it would go: ``smtp://host:port``, ``POST https://…/v3/mail/send``, a folder. No secrets."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do. Delivery plans with it; an unsupported feature raises, never drops.

    ``windows`` batches are handed over per connection: while one is on its way the next lies ready, so that no
    connection waits for the ledger's disk. All of them are in doubt after a crash.
    ``idempotency``: submitting the same key again has no second effect, so a crash is answered by sending again.
    ``local``: nothing leaves this machine, so the guard rails for real readers do not apply.
    """

    name: str
    max_batch: int
    concurrency: int = 1
    windows: int = 1
    max_bytes: int | None = None
    merge: Literal["full", "substitution"] = "full"
    per_recipient_headers: bool = True
    idempotency: bool = False
    smtputf8: bool = False
    keeps_message_id: bool = True
    scheduling: bool = False
    local: bool = False


Kind = Literal[
    "processed", "delivered", "deferred", "bounced", "blocked", "dropped", "complained", "unsubscribed", "opened",
    "clicked",
]  # fmt: skip
"""What happened. ``processed``: the provider took the mail up. ``blocked``: the mailbox's server refused this mail, and
the address is not bad. ``dropped``: the provider itself did not even try."""

Cause = Literal["unknown", "disabled", "full", "sender", "policy", "complained", "unsubscribed", "other"]
"""Why a mail did not arrive. ``sender`` is certainly about us (SPF, DKIM, DMARC, a blocked address of ours), ``policy``
perhaps; ``complained`` and ``unsubscribed``: the reader told the provider so earlier."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a provider later says about one delivery. ``at`` is UTC microseconds; ``key`` our delivery id.

    ``detail`` are the mailbox server's own words; ``code`` is the status by RFC 3463 (``5.1.1``) that the provider
    names besides, empty without one; ``cause`` is set where the provider itself says why.
    """

    key: str
    kind: Kind
    at: int
    detail: str = ""
    code: str = ""
    cause: Cause | None = None
    raw: Mapping[str, object] = field(default_factory=dict)


class EventReader(Protocol):
    """Verifies and reads one webhook call of a provider; needs no secret that could send mail."""

    def __call__(self, raw: bytes, headers: Mapping[str, str]) -> list[Event]:
        """Raises ``NotAuthentic`` when the provider did not sign this, ``BadData`` when it is no list of events."""
        ...


class Provider(Protocol):
    """An adapter to SMTP, SendGrid, … ``submit`` may be called from ``capabilities.concurrency`` threads at once."""

    @property
    def capabilities(self) -> Capabilities:
        """What this provider can do, as configured."""
        ...

    def submit(self, batch: Batch) -> list[Result]:
        """Submit a batch and return exactly one result per recipient, in order; never raise for a remote failure."""
        ...

    def preview(self, batch: Batch) -> list[Wire]:
        """The exact wire form of what ``submit`` would send, without sending it."""
        ...

    def parse_events(self, raw: bytes, headers: Mapping[str, str]) -> list[Event]:
        """Verify and read one webhook call, as ``EventReader`` does."""
        ...

    def check(self) -> Sequence[str]:
        """Look at configuration and account without sending; one sentence per problem, none when all is well."""
        ...

    def close(self) -> None:
        """Close connections; the provider is not used afterwards."""
        ...
