"""Quoted-printable, piece by piece: fixed text is encoded once, values are encoded as they come in.

The standard encoder works on whole parts. Ours encodes a stretch of text so that another stretch can follow it
on the wire: a slot for a value starts on a fresh encoded line, after a soft break, and ends with one. Lines have
at most 76 characters (RFC 2045, 6.7), none starts with a dot (SMTP would have to stuff it) or with ``From ``
(mailboxes would have to quote it). No line has a tab, two blanks in a row or a blank at its end: the encoded body
is then its own relaxed form (RFC 6376, 3.4.4), and DKIM hashes it as it is.
"""

from __future__ import annotations

import re

SOFT_BREAK = b"=\r\n"
LINE = 76

# "=" and everything that is not printable ASCII or a blank; line breaks are handled before.
_UNSAFE = re.compile(rb"[^\x20-\x3c\x3e-\x7e]")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_SIMPLE_VALUE = re.compile(r"(?!From |\.)[\x20-\x3c\x3e-\x7e]++")
_HEX = [b"=%02X" % n for n in range(256)]


def encode_text(text: str, *, last: int = LINE) -> bytes:
    """Quoted-printable of a stretch of text, its line breaks as CRLF.

    The first line is taken to start at the start of an encoded line. The result ends where the text ends:
    without a break unless the text ends with one, and its last line has at most ``last`` characters.
    Raises UnicodeEncodeError for half a character (a surrogate).
    """
    *lines, end = _NEWLINE.split(text)
    return b"\r\n".join(
        [*(_encode_line(line.encode("utf-8"), LINE) for line in lines), _encode_line(end.encode(), last)]
    )


def encode_value(value: str) -> bytes:
    """Quoted-printable of a merge value, ending in a soft break; empty for an empty value."""
    if _SIMPLE_VALUE.fullmatch(value) and "  " not in value:
        if len(value) < LINE:
            return value.encode("ascii") + SOFT_BREAK
        head, tail = value[: LINE - 1], value[LINE - 1 :]
        if len(tail) < LINE and tail[0] not in ".F":  # an address of ours: two lines
            return f"{head}=\r\n{tail}=\r\n".encode("ascii")
    if not value:
        return b""
    return encode_text(value, last=LINE - 1) + SOFT_BREAK


def before_slot(text: str) -> bytes:
    """Quoted-printable of the text before a slot: it ends at the start of a fresh encoded line."""
    encoded = encode_text(text, last=LINE - 1)
    return encoded if not encoded or encoded.endswith(b"\r\n") else encoded + SOFT_BREAK


def _encode_line(line: bytes, last: int) -> bytes:
    line = _UNSAFE.sub(lambda found: _HEX[found.group()[0]], line)
    line = line.replace(b"  ", b" =20")
    if line.endswith(b" "):  # a blank at a line's end does not survive transport
        line = line[:-1] + b"=20"
    if len(line) <= last and not line.startswith((b".", b"From ")):
        return line
    return SOFT_BREAK.join(_wrapped(line, last))


def _wrapped(line: bytes, last: int) -> list[bytes]:
    out: list[bytes] = []
    at, end = 0, len(line)
    while True:
        head = b""
        if line.startswith((b".", b"From "), at):
            head = _HEX[line[at]]
            at += 1
        if len(head) + end - at <= last:
            out.append(head + line[at:])
            return out
        cut = at + LINE - len(head) - 1  # one column for the "=" of the soft break
        if line[cut - 1] == 0x3D:
            cut -= 1  # never inside "=XX"
        elif line[cut - 2] == 0x3D:
            cut -= 2
        out.append(head + line[at:cut])
        at = cut
