"""The MIME bytes of a batch, for the providers that hand over whole messages."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

from newsletter.errors import BadData
from newsletter.message.compile import CompiledMessage, compile_message
from newsletter.message.dkim import Signer
from newsletter.message.headers import ascii_address, ascii_domain
from newsletter.message.outgoing import Addressed, Outgoing

# RFC 6531, 3.3: UTF-8 is added to the characters of an atom; nothing that could end the address or the line.
_UTF8_LOCAL = re.compile(r"[^\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff()<>\[\]:;@\\,\"]{1,64}")


class Compiler:
    """Compiles an ``Outgoing`` once, with its signers, and keeps it for the batches that follow. Thread-safe."""

    def __init__(self, signers: Sequence[Signer] = ()) -> None:
        self._signers = tuple(signers)
        self._lock = threading.Lock()
        self._last: CompiledMessage | None = None

    def compiled(self, outgoing: Outgoing) -> CompiledMessage:
        """The compiled form; raises BadData for what cannot be mailed."""
        with self._lock:
            # By identity: comparing two mails of equal size would cost as much as compiling one.
            if self._last is None or self._last.outgoing is not outgoing:
                self._last = compile_message(outgoing, self._signers)
            return self._last


def needs_smtputf8(address: str) -> bool:
    """Whether the part before the @ has letters beyond ASCII (RFC 6531); a domain always has an ASCII form."""
    return not address.rpartition("@")[0].isascii()


def envelope_address(address: str) -> str:
    """The address as it stands in ``RCPT TO:<…>``; BadData when it cannot."""
    if not needs_smtputf8(address):
        return ascii_address(address)
    local, _, domain = address.rpartition("@")
    if not _UTF8_LOCAL.fullmatch(local):
        raise BadData(f"{address[:80]!r} is not a mail address", fix="write it as name@example.org")
    return f"{local}@{ascii_domain(domain)}"


def mime_of(compiled: CompiledMessage, addressed: Addressed) -> bytes:
    """One recipient's message with CRLF; BadData for an address or a header that cannot be written.

    An address beyond ASCII stands in the To header in UTF-8, as RFC 6532 has it.
    """
    if not needs_smtputf8(addressed.address):
        return compiled.splice(addressed)
    return compiled.splice(addressed, to=envelope_address(addressed.address).encode())
