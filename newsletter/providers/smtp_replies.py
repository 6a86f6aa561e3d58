"""What an SMTP server says, reply by reply, each within a time of its own.

A socket's timeout is for one read: a server that sends a byte now and then would keep us for ever. So a reply has a
deadline, from the greeting on, and ``smtplib``, which opens the connection, reads through here as well.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass

_LONGEST_LINE = 4096  # RFC 5321, 4.5.3.1.5 says 512; some servers are chattier
_MOST_LINES = 200
_REPLY_LINE = re.compile(rb"([2-5][0-9][0-9])([ -]?)(.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer: its code and its words on one line."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


class Hangup(ConnectionError):
    """The server closed the connection, or stopped speaking SMTP."""


def one_line(text: str) -> str:
    """A server's words without line breaks and control characters, at most 300 characters of them."""
    return _CONTROL.sub(" ", text).strip()[:300]


class Replies:
    """The reading side of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()

    def heard(self) -> bool:
        """Whether something is there that was not asked for: bytes (kept), an end or a reset."""
        if self._buffer:
            return True
        self.sock.settimeout(0.0)
        try:
            self._buffer += self.sock.recv(4096)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            return True
        return True

    def read(self, timeout: float) -> Reply:
        """One reply as ``lines`` reads it."""
        code, lines = self.lines(timeout)
        return Reply(code, one_line(" ".join(line.decode("utf-8", "replace") for line in lines)))

    def lines(self, timeout: float) -> tuple[int, list[bytes]]:
        """The code and the lines of one reply, all of them within ``timeout`` seconds.

        Raises TimeoutError, Hangup, or another OSError of the socket.
        """
        deadline = time.monotonic() + timeout
        words: list[bytes] = []
        for _ in range(_MOST_LINES):
            found = _REPLY_LINE.fullmatch(self._line(deadline))
            if found is None:
                break
            words.append(found[3])
            if found[2] != b"-":
                return int(found[1]), words
        raise Hangup("the server's answer is not SMTP")

    def _line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _LONGEST_LINE:
                raise Hangup("the server's answer is not SMTP")
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no answer in time")
            self.sock.settimeout(left)
            data = self.sock.recv(4096)
            if not data:
                raise Hangup("the server closed the connection")
            self._buffer += data
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return line


class Client(smtplib.SMTP):
    """``smtplib``'s, whose ``timeout`` is for a whole reply; ``replies`` is for whoever goes on with its socket."""

    replies: Replies

    def getreply(self) -> tuple[int, bytes]:
        """As ``smtplib`` wants it; its exceptions."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("please run connect() first")
        # After STARTTLS the socket is another: what came before it in plain text is nobody's answer (CVE-2011-0411).
        if getattr(self, "replies", None) is None or self.replies.sock is not self.sock:
            self.replies = Replies(self.sock)
        try:
            code, lines = self.replies.lines(self.timeout)
        except TimeoutError:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(str(error)) from error
        finally:
            if self.sock is not None:
                self.sock.settimeout(self.timeout)
        return code, b"\n".join(line.strip() for line in lines)


class TlsClient(Client, smtplib.SMTP_SSL):
    """The same where TLS comes first."""
