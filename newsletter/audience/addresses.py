"""Mail addresses: which are ones, how they are written, and when two of them are the same reader."""

from __future__ import annotations

import hmac
import re
import unicodedata

from newsletter.errors import BadData

MAX_LENGTH = 254
"""Of a whole address: RFC 5321 allows a path of 256 octets with its angle brackets (erratum 1690 to RFC 3696)."""
MAX_LOCAL = 64
"""Octets before the @ (RFC 5321, 4.5.3.1.1)."""

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"(?![A-Za-z0-9-]{2}--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# RFC 5321 dot-string with the lengths of its 4.5.3.1; no quoted local part, no A-label: those go the long way.
_PLAIN = re.compile(rf"(?=[^@]{{1,64}}@)({_LOCAL})@((?:{_LABEL}\.)+[A-Za-z]{{2,63}})")
_LOCAL_PART = re.compile(r"[^\s\"'<>(),:;@\\]+@")
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_FIX = "write the address alone: ada@example.org"


def normalise(address: str) -> tuple[str, str]:
    """The address as it will be mailed, and the key by which it is one reader.

    Mailed: the local part as given (NFC), the domain as lower-case A-labels (IDNA 2008). Key: the local part
    casefolded, for no provider tells Ada@ from ada@. Spaces, invisible characters and ``mailto:`` around the
    address go. Raises ``BadData`` with a short reason.
    """
    text = address.strip().strip(_INVISIBLE).strip()
    if text[:7].lower() == "mailto:":
        text = text[7:].strip()
    match = _PLAIN.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if match is not None:
        local, domain = match.group(1), match.group(2).lower()
        return f"{local}@{domain}", f"{local.lower()}@{domain}"
    _refuse_the_obvious(text)
    return _the_long_way(text)


def hide_addresses(text: str) -> str:
    """The same words with ``…`` for what stands before each @: a server's answer may quote the address it refused."""
    return _LOCAL_PART.sub("…@", text)


def address_hash(key: str, secret: bytes) -> str:
    """HMAC-SHA256 of an address key, as 64 hex digits: recognises an address without naming it."""
    return hmac.digest(secret, key.encode(), "sha256").hex()


def _refuse_the_obvious(text: str) -> None:
    """Reasons that a person understands at once, before the library's more exact ones."""
    if not text:
        raise BadData("there is no address", fix=_FIX)
    if len(text) > MAX_LENGTH:
        raise BadData(f"the address has {len(text)} characters, {MAX_LENGTH} are possible", fix=_FIX)
    if "@" not in text:
        raise BadData("there is no @ in the address", fix=_FIX)
    if "<" in text or ">" in text:
        raise BadData("there is a name or there are brackets around the address", fix=_FIX)
    if len(text.partition("@")[0].encode(errors="replace")) > MAX_LOCAL:
        raise BadData(f"the part before the @ is longer than {MAX_LOCAL} bytes", fix=_FIX)
    if text.count("@") > 1:
        raise BadData("there is more than one @ in the address", fix=_FIX)


def _the_long_way(text: str) -> tuple[str, str]:
    from email_validator import EmailNotValidError, validate_email

    try:
        # `test_environment` only lets .test through, which the plain way does as well.
        parts = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        reason = str(error).rstrip(".")
        raise BadData(reason[:1].lower() + reason[1:], fix=_FIX) from error
    domain = (parts.ascii_domain or "").lower()
    return f"{parts.local_part}@{domain}", f"{unicodedata.normalize('NFC', parts.local_part.casefold())}@{domain}"
