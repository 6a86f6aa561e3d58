"""The finished email compiled once into encoded segments and slots; a recipient is then one join of bytes.

The tree (RFC 2046)::

    multipart/alternative
    ├── text/plain         quoted-printable
    └── text/html          quoted-printable, or, with pictures,
        multipart/related
        ├── text/html
        └── image/…        base64, inline, Content-ID

Building such a message with ``email`` takes 5–12 ms per recipient; a join takes microseconds. Nothing here reads
a clock or draws a random number: the same approval and the same recipient give the same bytes in every retry.
"""

from __future__ import annotations

import base64
import email.utils
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from newsletter.errors import BadData
from newsletter.message.dkim import Signer, Signing
from newsletter.message.encoding import before_slot, encode_text, encode_value
from newsletter.message.headers import (
    ascii_address,
    folded,
    format_address,
    message_id_of,
    one_line,
    sender_domain,
    text_header,
)
from newsletter.message.merge import TOKEN, escaped_value, fill
from newsletter.message.outgoing import Addressed, Outgoing, Part
from newsletter.models import FieldContext, MergeField

RESERVED_HEADERS = frozenset(
    {"from", "sender", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "mime-version"}
    | {"content-type", "content-transfer-encoding", "content-disposition", "content-id", "content-language"}
    | {"list-id", "feedback-id", "x-auto-response-suppress", "received", "return-path", "dkim-signature"}
)
"""Headers that a recipient's own headers may not set: they are written here, or by the mail servers."""

_CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,60}")
_CONTENT_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,200}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
_LANG = re.compile(r"[A-Za-z0-9-]{1,35}")


@dataclass(frozen=True, slots=True, repr=False)
class CompiledMessage:
    """A frozen email without its recipient. Safe to share between threads.

    ``size`` is the bytes of everything that is the same for everyone; headers and values of a recipient add
    a few hundred.
    """

    outgoing: Outgoing
    size: int
    _head: bytes
    _content: bytes  # the last header and the empty line
    _body: tuple[bytes, ...]
    _slots: tuple[tuple[int, str], ...]  # index into _body, token
    _fields: tuple[MergeField, ...]  # those with a slot
    _subject: tuple[MergeField, ...]  # those in the subject; empty when the subject is in _head
    _domain: str
    _signing: Signing | None

    def splice(self, addressed: Addressed, *, to: bytes | None = None) -> bytes:
        """The complete message for one recipient, with CRLF, ready for SMTP's DATA; signed where there are signers.

        ``to`` stands in the To header as it is, for an address beyond ASCII (RFC 6532). Raises BadData for an
        address or a header that cannot be written; a value can never do harm.
        """
        values = addressed.values
        # The same value stands in both parts, and mostly in the same form.
        forms: dict[str, bytes] = {}
        encoded = {}
        for field in self._fields:
            value = escaped_value(field, values)
            form = forms.get(value)
            encoded[field.token] = forms[value] = encode_value(value) if form is None else form
        body = list(self._body)
        for index, token in self._slots:
            body[index] = encoded[token]
        own = self._recipient(addressed, to)
        # The first segment starts the body and is in the saved state of the hash.
        signature = self._signing.headers(own, body[1:]) if self._signing else b""
        return b"".join((signature, self._head, *own, self._content, *body))

    def _recipient(self, addressed: Addressed, to: bytes | None) -> list[bytes]:
        own = [
            folded("To", ascii_address(addressed.address)) if to is None else b"To: " + to + b"\r\n",
            folded("Message-ID", message_id_of(addressed.key, self.outgoing.mailing, self._domain)),
        ]
        if self._subject:
            own.append(text_header("Subject", fill(self.outgoing.subject, self._subject, addressed.values)))
        for name, value in addressed.headers:
            if name.lower() in RESERVED_HEADERS:
                raise BadData(
                    f"{one_line(name)} is not a header that a recipient may have of their own",
                    fix="leave it out: the message has it already",
                )
            own.append(folded(name, value))
        return own


def compile_message(outgoing: Outgoing, signers: Sequence[Signer] = ()) -> CompiledMessage:
    """Encode everything that is the same for every recipient. Each signer adds a DKIM-Signature.

    Raises BadData for what cannot be mailed: a bad sender, a date without a zone, a token without its field or in
    a place it was not escaped for, a picture without a proper name.
    """
    subject = _in_context(outgoing, outgoing.subject, "subject", "subject")
    seed = hashlib.sha256(f"{outgoing.digest}\n{outgoing.mailing}".encode()).hexdigest()[:24]
    content, start = _content_head(seed)
    pieces: list[bytes | str] = [start]  # a str is a slot
    pieces += _text_part(outgoing, seed)
    pieces += _html_part(outgoing, seed)
    pieces.append(f"\r\n--{_boundary(seed, 'a')}--\r\n".encode())
    body, slots = _joined(pieces)
    headers = list(_static_headers(outgoing, with_subject=not subject))
    head = b"".join(headers)
    assert b"\r\n." not in b"".join(body), "encoding.py lets no line start with a dot"
    used = {token for _, token in slots}
    return CompiledMessage(
        outgoing=outgoing,
        size=len(head) + len(content) + sum(map(len, body)),
        _head=head,
        _content=content,
        _body=body,
        _slots=slots,
        _fields=tuple(field for field in outgoing.fields if field.token in used),
        _subject=subject,
        _domain=sender_domain(outgoing.sender_email),
        _signing=Signing(signers, [*headers, content.removesuffix(b"\r\n")], body[0], int(outgoing.date.timestamp()))
        if signers
        else None,
    )


def _static_headers(outgoing: Outgoing, *, with_subject: bool) -> Iterator[bytes]:
    if outgoing.date.tzinfo is None:
        raise BadData("the date of the mailing has no time zone", fix="this is a bug: please report it")
    yield folded("From", format_address(outgoing.sender_name, outgoing.sender_email))
    if outgoing.reply_to:
        yield folded("Reply-To", format_address("", outgoing.reply_to))
    if with_subject:
        yield text_header("Subject", outgoing.subject)
    yield folded("Date", email.utils.format_datetime(outgoing.date))
    yield folded("MIME-Version", "1.0")
    yield folded("List-Id", outgoing.list_id)
    if outgoing.feedback_id:
        yield folded("Feedback-ID", outgoing.feedback_id)
    yield folded("X-Auto-Response-Suppress", "OOF, AutoReply")
    if _LANG.fullmatch(outgoing.lang):
        yield folded("Content-Language", outgoing.lang)


def _boundary(seed: str, level: str) -> str:
    # "=_" stands in no quoted-printable text and "_" in no base64: the boundary cannot occur in a part.
    return f"=_{level}_{seed}"


def _content_head(seed: str) -> tuple[bytes, bytes]:
    """The header that ends the head, with the empty line, and the first line of the body."""
    boundary = _boundary(seed, "a")
    header = f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'
    return header.encode(), f"--{boundary}\r\n".encode()


def _text_part(outgoing: Outgoing, seed: str) -> Iterator[bytes | str]:
    yield _leaf_head("text/plain")
    yield from _encoded(outgoing, outgoing.text, "text")
    yield f"\r\n--{_boundary(seed, 'a')}\r\n".encode()


def _html_part(outgoing: Outgoing, seed: str) -> Iterator[bytes | str]:
    if not outgoing.parts:
        yield _leaf_head("text/html")
        yield from _encoded(outgoing, outgoing.html, "html")
        return
    boundary = _boundary(seed, "r")
    yield f'Content-Type: multipart/related; type="text/html";\r\n boundary="{boundary}"\r\n\r\n'.encode()
    yield f"--{boundary}\r\n".encode() + _leaf_head("text/html")
    yield from _encoded(outgoing, outgoing.html, "html")
    for part in outgoing.parts:
        yield f"\r\n--{boundary}\r\n".encode() + _picture(part)
    yield f"\r\n--{boundary}--\r\n".encode()


def _leaf_head(content_type: str) -> bytes:
    return (
        f'Content-Type: {content_type}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    ).encode()


def _picture(part: Part) -> bytes:
    if (
        not _CONTENT_TYPE.fullmatch(part.content_type)
        or not _CONTENT_ID.fullmatch(part.content_id)
        or not _FILE_NAME.fullmatch(part.name)
    ):
        raise BadData(
            f"the picture {one_line(part.name)[:60]!r} cannot be put into a mail",
            fix="its file name, Content-ID and type must be plain ASCII words; build the issue again",
        )
    return b"".join(
        (
            folded("Content-Type", part.content_type),
            b"Content-Transfer-Encoding: base64\r\n",
            folded("Content-ID", f"<{part.content_id}>"),
            folded("Content-Disposition", f'inline; filename="{part.name}"'),
            b"\r\n",
            base64.encodebytes(part.data).rstrip(b"\n").replace(b"\n", b"\r\n"),
        )
    )


def _encoded(outgoing: Outgoing, text: str, context: FieldContext) -> Iterator[bytes | str]:
    _in_context(outgoing, text, context, f"{context} part")
    at = 0
    try:
        for found in TOKEN.finditer(text):
            yield before_slot(text[at : found.start()])
            yield found.group()
            at = found.end()
        yield encode_text(text[at:])
    except UnicodeEncodeError as error:
        raise BadData(
            f"the {context} part holds half a character (U+{ord(text[at + error.start]):04X})",
            fix="find the story with the broken character and write it again",
        ) from error


def _in_context(outgoing: Outgoing, text: str, context: FieldContext, part: str) -> tuple[MergeField, ...]:
    """The fields used in ``text``; BadData for a token that is unknown or whose value is escaped for elsewhere."""
    fields: Mapping[str, MergeField] = {field.token: field for field in outgoing.fields}
    used = dict.fromkeys(TOKEN.findall(text))
    for token in used:
        field = fields.get(token)
        if field is None or field.context != context:
            known = "no merge field is known for it" if field is None else f"it is escaped for {field.context}"
            raise BadData(
                f"the {part} holds the token {token}, and {known}", fix="build the issue again and approve it anew"
            )
    return tuple(fields[token] for token in used)


def _joined(pieces: list[bytes | str]) -> tuple[tuple[bytes, ...], tuple[tuple[int, str], ...]]:
    """Neighbouring bytes as one segment; empty segments stand where the slots are."""
    body: list[bytes] = []
    slots: list[tuple[int, str]] = []
    run: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            run.append(piece)
        else:
            body.append(b"".join(run))
            slots.append((len(body), piece))
            body.append(b"")
            run = []
    body.append(b"".join(run))
    return tuple(body), tuple(slots)
