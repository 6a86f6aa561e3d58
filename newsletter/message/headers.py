"""Header values: addresses, List-Id, List-Unsubscribe, Message-ID, envelope senders; encoding and folding.

Everything here returns ASCII that is ready for the wire. The standard library is not used to fold: with
``policy.SMTP`` it turns a long List-Unsubscribe URL into an encoded word, and one-click stops working.
No value can start a header of its own: line breaks and NUL are refused in addresses and raw headers, and
become blanks in words that people read.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import urlsplit

import idna

from newsletter.errors import BadData
from newsletter.message.outgoing import Addressed, Outgoing

LINE = 76
"""The longest header line that is written on purpose; RFC 2047 asks it of lines with encoded words."""
HARD_LIMIT = 998
"""RFC 5322, 2.1.1: no line may be longer, without its CRLF."""

_SIMPLE_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++)*+"
    r"@[A-Za-z0-9]++(?:-+[A-Za-z0-9]++)*+(?:\.[A-Za-z0-9]++(?:-+[A-Za-z0-9]++)*+)++"
)
_QUOTED_LOCAL = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"')
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++)*+")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_LONG_WORD = re.compile(r"[^ ]{60}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}: [\x20-\x7e]*")
_URI = re.compile(r"[!#-;=?-~]+")  # printable ASCII without blank, quote and angle brackets


def one_line(text: str) -> str:
    """``text`` without control characters and line breaks: each run of them becomes one blank."""
    return _CONTROL.sub(" ", text)


def format_address(name: str, email: str) -> str:
    """``Ada Lovelace <ada@example.org>`` on one line: name quoted or encoded where needed, domain in IDNA.

    Raises BadData for an address that a header cannot carry; a local part beyond ASCII needs SMTPUTF8,
    which neither SES nor most mailboxes speak.
    """
    address = ascii_address(email)
    name = one_line(name).strip()
    if not name:
        return address
    return f"{phrase(name, first=LINE - len('Reply-To: '))} <{address}>"


def ascii_address(email: str) -> str:
    """The address as SMTP takes it, its domain in IDNA (A-labels); BadData when it cannot be written."""
    if _SIMPLE_ADDRESS.fullmatch(email):
        return email
    local, at, domain = email.rpartition("@")
    if not at or not domain or _CONTROL.search(email):
        raise BadData(f"{one_line(email)[:80]!r} is not a mail address", fix="write it as name@example.org")
    if not local.isascii():
        raise BadData(
            f"the mail address {email[:80]!r} has letters beyond ASCII before the @",
            fix="ask for another address: such mail needs SMTPUTF8, which most mail servers refuse",
        )
    if not (_DOT_ATOM.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)):
        raise BadData(f"{email[:80]!r} is not a mail address", fix="write it as name@example.org")
    return f"{local}@{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    """A domain in IDNA 2008 (UTS 46 mapping), lower case; BadData when it has no such form."""
    try:
        return idna.encode(domain.strip().rstrip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise BadData(f"{domain[:80]!r} is not a domain name", fix="write it as example.org") from error


def list_id(publication_name: str, where: str) -> str:
    """``The Estuary Weekly <the-estuary-weekly.estuary.example>`` (RFC 2919): stable for the list's whole life.

    ``where`` is a domain, a mail address or a URL of the publication.
    """
    host = urlsplit(where).hostname or "" if "://" in where else where.rpartition("@")[2]
    name = one_line(publication_name).strip()
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    label = _NOT_WORD.sub("-", plain).strip("-")[:60].strip("-")
    if not label:
        label = "list-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    identifier = f"<{label}.{ascii_domain(host)}>"
    if not name:
        return identifier
    return f"{phrase(name, first=LINE - len('List-Id: '))} {identifier}"


def feedback_id(issue: str, mailing: str, publication: str, sender_id: str) -> str:
    """``issue:mailing:newsletter:senderid`` for Gmail's feedback loop: four short ASCII words, the sender last."""
    words = (issue, mailing[:8], publication, sender_id)
    return ":".join(_NOT_WORD.sub("-", one_line(w).lower()).strip("-")[:40] or "none" for w in words)


def recipient_headers(unsubscribe_url: str | None, mailto: str | None = None) -> tuple[tuple[str, str], ...]:
    """``List-Unsubscribe`` and, only where there is an https URL, ``List-Unsubscribe-Post`` (RFC 8058).

    ``mailto`` is an address that takes unsubscribe mails. Without either there is no header. Raises BadData
    for a URL that a header cannot carry as it is.
    """
    uris = [unsubscribe_url] if unsubscribe_url else []
    if mailto:
        uris.append(f"mailto:{ascii_address(mailto)}?subject=unsubscribe")
    for uri in uris:
        if not _URI.fullmatch(uri) or len(uri) > HARD_LIMIT - 20:
            raise BadData(f"{uri[:80]!r} cannot stand in a List-Unsubscribe header", fix="use a plain ASCII URL")
    if not uris:
        return ()
    headers = [("List-Unsubscribe", ", ".join(f"<{uri}>" for uri in uris))]
    if unsubscribe_url and unsubscribe_url.lower().startswith("https://"):
        headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return tuple(headers)


def message_id(outgoing: Outgoing, addressed: Addressed) -> str:
    """``<key.mailing@domain>``: the same in every retry, so a mail that arrives twice can be recognised."""
    return message_id_of(addressed.key, outgoing.mailing, sender_domain(outgoing.sender_email))


def message_id_of(key: str, mailing: str, domain: str) -> str:
    """``message_id`` from its words: a delivery's id, a mailing's id and the sender's domain."""
    return f"<{key}.{mailing[:8]}@{domain}>"


def sender_domain(email: str) -> str:
    """The domain of an address, in IDNA."""
    return ascii_address(email).rpartition("@")[2]


def verp(key: str, bounce_domain: str) -> str:
    """The envelope sender that names the delivery (``bounce+<key>@domain``), so that a bounce finds its row."""
    if not re.fullmatch(r"[A-Za-z0-9]{1,48}", key):
        raise BadData(f"{key[:60]!r} is not a delivery's id", fix="this is a bug: please report it")
    return f"bounce+{key}@{ascii_domain(bounce_domain)}"


def phrase(name: str, *, first: int) -> str:
    """A display name on one line: as it is, quoted, or encoded in words of which the first has ``first`` characters."""
    if not name.isascii() or "=?" in name or _LONG_WORD.search(name):
        return " ".join(encoded_words(name, first=first))
    if not _PHRASE.fullmatch(name) or "  " in name:
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return name


def encoded_words(text: str, *, first: int = LINE - 1) -> list[str]:
    """RFC 2047 words of at most 75 characters (the first of at most ``first``); no character is ever split.

    Base64 or quoted, whichever is shorter.
    """
    return min(_words(text, first, _base64_form), _words(text, first, _quoted_form), key=lambda w: sum(map(len, w)))


def _words(text: str, first: int, form: Callable[[bytes], str]) -> list[str]:
    words: list[str] = []
    chunk = b""
    shown = form(chunk)
    for character in text:
        longer = chunk + character.encode("utf-8", "replace")
        candidate = form(longer)
        if len(candidate) > (LINE - 1 if words else first) and chunk:
            words.append(shown)
            longer = longer[len(chunk) :]
            candidate = form(longer)
        chunk, shown = longer, candidate
    return [*words, shown]


def _base64_form(chunk: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(chunk).decode('ascii')}?="


def _quoted_form(chunk: bytes) -> str:
    shown = "".join(chr(b) if b in _Q_SAFE else "_" if b == 0x20 else f"={b:02X}" for b in chunk)
    return f"=?utf-8?q?{shown}?="


def text_header(name: str, text: str) -> bytes:
    """An unstructured header (Subject): ASCII as it is, folded at blanks; anything else in encoded words."""
    text = one_line(text).strip()
    room = LINE - len(name) - 2
    if not text.isascii() or "=?" in text or max(map(len, text.split(" "))) > room:
        return folded(name, " ".join(encoded_words(text, first=room)))
    return folded(name, text)


def folded(name: str, value: str) -> bytes:
    """``Name: value`` and CRLF, folded at single blanks where it is longer than ``LINE``.

    A word is never split, so a URL stays whole. BadData for a name or a value that could start another header,
    and for a line over ``HARD_LIMIT``.
    """
    line = f"{name}: {value}"
    if not _HEADER.fullmatch(line):
        raise BadData(
            f"the header {one_line(name)[:40]}: {one_line(value)[:80]} cannot be written",
            fix="header values are one line of printable ASCII",
        )
    if len(line) <= LINE or (" " not in value and len(line) <= HARD_LIMIT):
        return line.encode("ascii") + b"\r\n"
    lines: list[str] = []
    line = f"{name}:"
    for word, before in zip(words := value.split(" "), ["", *words[:-1]], strict=True):
        # Only between two words: a folded line of nothing but blanks is forbidden, and so is a trailing blank.
        if len(line) + 1 + len(word) > LINE and word and before:
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    if max(map(len, lines)) > HARD_LIMIT:
        raise BadData(f"the header {name} has a word of over {HARD_LIMIT} characters", fix="shorten it")
    return "\r\n".join(lines).encode("ascii") + b"\r\n"
