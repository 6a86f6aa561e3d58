"""DKIM (RFC 6376) with RSA-SHA256 and Ed25519-SHA256 (RFC 8463), signed by ``cryptography``'s primitives.

A signer in the ordinary way parses and canonicalises 85 KB for every reader, and takes ten times as long as the
signature itself. Here nothing is parsed: our quoted-printable has no run of blanks and no blank at a line's end
(``encoding.py``), so the body is its own relaxed form and its hash is a plain SHA-256, continued from the state after
the part that is the same for everyone. Of the headers only the reader's own are made canonical again.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from newsletter.errors import ConfigurationError
from newsletter.message.headers import LINE, ascii_domain

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

    Key = RSAPrivateKey | Ed25519PrivateKey

OVERSIGNED = ("from", "to", "subject", "reply-to")
"""Signed once more than they occur: a second one, added on the way, breaks the signature (RFC 6376, 5.4.2 and 8.15)."""

LEAST_BITS = 1024
"""RFC 8301, 3.2: verifiers ignore shorter RSA keys. It asks signers for 2048."""

_SELECTOR = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_BLANKS = re.compile(rb"[ \t]+")
_OPENSSL = "make one: openssl genrsa -out dkim.pem 2048"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for a domain under a selector. The repr shows no key."""

    domain: str
    selector: str
    algorithm: Literal["rsa-sha256", "ed25519-sha256"]
    _key: Key

    def __repr__(self) -> str:
        return f"Signer({self.selector}._domainkey.{self.domain}, {self.algorithm})"

    def sign(self, data: bytes) -> bytes:
        """The raw signature of canonical header bytes. Ed25519 signs their SHA-256 (RFC 8463, 3)."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(hashlib.sha256(data).digest())
        padding, digest = _pkcs1_sha256()
        return self._key.sign(data, padding, digest)

    def record(self) -> tuple[str, str]:
        """The DNS record to publish: its name and the text of the TXT record (RFC 6376, 3.6.1)."""
        from cryptography.hazmat.primitives import serialization as forms
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        public = self._key.public_key()
        if isinstance(self._key, Ed25519PrivateKey):
            kind, data = "ed25519", public.public_bytes(forms.Encoding.Raw, forms.PublicFormat.Raw)
        else:
            kind = "rsa"
            data = public.public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo)
        return f"{self.selector}._domainkey.{self.domain}", f"v=DKIM1; k={kind}; p={base64.b64encode(data).decode()}"


def make_signer(domain: str, selector: str, pem: str, *, where: str) -> Signer:
    """A signer from a private key in PEM without a passphrase: RSA or Ed25519.

    Raises ConfigurationError, which never quotes the key, for a selector that DNS cannot hold or a key of no use.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not _SELECTOR.fullmatch(selector):
        raise ConfigurationError("the selector is not a DNS label", where=where, fix='for example selector = "news"')
    try:
        key = load_pem_private_key(pem.strip().encode("ascii", "replace") + b"\n", password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(
            "the DKIM key is not a private key in PEM without a passphrase", where=where, fix=_OPENSSL
        ) from None
    if isinstance(key, Ed25519PrivateKey):
        return Signer(ascii_domain(domain), selector, "ed25519-sha256", key)
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError("the DKIM key is neither RSA nor Ed25519", where=where, fix=_OPENSSL)
    if key.key_size < LEAST_BITS:
        raise ConfigurationError(
            f"the DKIM key has {key.key_size} bits; verifiers ignore it", where=where, fix=_OPENSSL
        )
    return Signer(ascii_domain(domain), selector, "rsa-sha256", key)


@dataclass(frozen=True, slots=True)
class Header:
    """A header in relaxed form (RFC 6376, 3.4.2): ``canonical`` ends with CRLF, ``name`` is in lower case."""

    name: str
    canonical: bytes


def relaxed(raw: bytes) -> Header:
    """A header as it stands on the wire, folded or not, in relaxed form."""
    name, _, value = raw.partition(b":")
    lower = name.strip().lower()
    value = _BLANKS.sub(b" ", _FOLD.sub(b"", value)).strip()
    return Header(lower.decode("ascii"), lower + b":" + value + b"\r\n")


class Signing:
    """What the signatures of one compiled email have in common: static headers, and the hash of the body's start."""

    __slots__ = ("_names", "_prefix", "_signers", "_static", "_time")

    def __init__(self, signers: Sequence[Signer], headers: Iterable[bytes], body_start: bytes, timestamp: int) -> None:
        static = [relaxed(header) for header in headers]
        self._signers = tuple(signers)
        self._names = [header.name for header in static]
        self._static = b"".join(header.canonical for header in static)
        self._prefix = hashlib.sha256(body_start)
        self._time = timestamp

    def headers(self, own: Iterable[bytes], rest_of_body: Iterable[bytes]) -> bytes:
        """The DKIM-Signature headers of one reader's message, each with CRLF: put them before all others.

        ``own`` are this reader's headers as on the wire; ``rest_of_body`` is everything after ``body_start``.
        """
        body = self._prefix.copy()
        for piece in rest_of_body:
            body.update(piece)
        body_hash = base64.b64encode(body.digest()).decode("ascii")
        theirs = [relaxed(header) for header in own]
        names = [*self._names, *(header.name for header in theirs)]
        names += [name for name in OVERSIGNED if name in names or name == "reply-to"]
        signed = self._static + b"".join(header.canonical for header in theirs)
        return b"".join(self._signature(signer, names, signed, body_hash) for signer in self._signers)

    def _signature(self, signer: Signer, names: Sequence[str], signed: bytes, body_hash: str) -> bytes:
        tags = (
            f"v=1; a={signer.algorithm}; c=relaxed/relaxed; t={self._time};",
            f"d={signer.domain}; s={signer.selector};",
            f"h={_folded(names)};",
            f"bh={body_hash};",
            "b=",
        )
        head = "DKIM-Signature: " + "\r\n ".join(tags)
        # Without its own line break, and with an empty b= (RFC 6376, 3.7).
        own = relaxed(head.encode("ascii")).canonical[:-2]
        words = base64.b64encode(signer.sign(signed + own)).decode("ascii")
        lines = [words[at : at + LINE - 1] for at in range(0, len(words), LINE - 1)]
        return (head + "\r\n ".join(["", *lines]) + "\r\n").encode("ascii")


def _folded(names: Sequence[str]) -> str:
    """The names between colons, on lines of at most ``LINE``."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) + 4 > LINE:
            lines.append("")
        lines[-1] += f"{name}:"
    return "\r\n ".join(lines).rstrip(":")


def _pkcs1_sha256() -> tuple[PKCS1v15, SHA256]:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return PKCS1v15(), SHA256()
