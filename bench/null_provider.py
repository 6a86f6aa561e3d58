"""A provider that accepts everything and does nothing: what is left is the cost of the ledger itself."""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.delivery.ports import Batch, Capabilities, Event, Outcome, Result, Wire
from newsletter.message.compile import CompiledMessage, compile_message


class NullProvider:
    """Splices every mail, as a real one would, and throws it away."""

    capabilities = Capabilities(name="outbox", max_batch=500, concurrency=1, local=True)

    def __init__(self) -> None:
        self.mails = 0
        self.bytes = 0
        self._compiled: CompiledMessage | None = None

    def submit(self, batch: Batch) -> list[Result]:
        if self._compiled is None:
            self._compiled = compile_message(batch.outgoing)
        for recipient in batch.recipients:
            self.bytes += len(self._compiled.splice(recipient))
        self.mails += len(batch.recipients)
        return [Result(recipient.key, Outcome.ACCEPTED) for recipient in batch.recipients]

    def preview(self, batch: Batch) -> list[Wire]:
        return []

    def parse_events(self, raw: bytes, headers: Mapping[str, str]) -> list[Event]:
        return []

    def check(self) -> list[str]:
        return []

    def close(self) -> None:
        return
