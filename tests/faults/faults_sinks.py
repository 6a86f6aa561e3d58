"""Servers on loopback that count each delivery id they took, and break in exactly the way that a test says."""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MESSAGE_ID = re.compile(rb"^Message-ID: <([0-9a-f]{32})", re.MULTILINE | re.IGNORECASE)


class Gone(Exception):
    """This connection is over."""


class Listener:
    """Accepts connections on a free port, each in a thread of its own, until it is closed."""

    def __init__(self) -> None:
        self.took: Counter[str] = Counter()
        self.connections = 0
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listening.settimeout(0.05)
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join(10)
        self._listening.close()

    def serve(self, line: Line, number: int) -> None:
        """Talk with one client; ``number`` counts connections from 0."""
        raise NotImplementedError

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listening.accept()
            except TimeoutError:
                continue
            number, self.connections = self.connections, self.connections + 1
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._threads.append(threading.Thread(target=self._one, args=(sock, number)))
            self._threads[-1].start()

    def _one(self, sock: socket.socket, number: int) -> None:
        with sock, contextlib.suppress(Gone, OSError):
            self.serve(Line(sock, self.stopping), number)


@dataclass
class Line:
    """One connection, with the ways in which it can break."""

    sock: socket.socket
    stopping: threading.Event
    buffer: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)

    def more(self) -> None:
        """Wait for bytes."""
        while not select.select([self.sock], [], [], 0.05)[0]:
            if self.stopping.is_set():
                raise Gone
        data = self.sock.recv(1 << 16)
        if not data:
            raise Gone
        self.buffer += data

    def gone(self) -> bool:
        """Whether the other side has hung up."""
        try:
            return not self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def until(self, end: bytes) -> bytes:
        """What comes before ``end``, which is taken off too."""
        while (at := self.buffer.find(end)) < 0:
            self.more()
        found = bytes(self.buffer[:at])
        del self.buffer[: at + len(end)]
        return found

    def exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self.more()
        found = bytes(self.buffer[:size])
        del self.buffer[:size]
        return found

    def say(self, data: bytes) -> None:
        self.sock.setblocking(True)
        self.sock.sendall(data)
        self.sock.setblocking(False)

    def split(self, data: bytes) -> None:
        """Each byte in a packet of its own."""
        for at in range(len(data)):
            self.say(data[at : at + 1])
            time.sleep(0.0005)

    def drip(self, data: bytes, every: float = 0.05) -> None:
        """``data`` again and again, a byte now and then, for as long as somebody listens."""
        while True:
            for at in range(len(data)):
                if self.stopping.wait(every):
                    raise Gone
                self.say(data[at : at + 1])

    def silence(self) -> None:
        """Neither answer nor hang up, until the other side does."""
        while not self.stopping.is_set():
            with contextlib.suppress(BlockingIOError):
                if not self.sock.recv(1 << 16):
                    raise Gone
            time.sleep(0.01)
        raise Gone

    def deaf(self) -> None:
        """Read nothing more, so that the other side's writes block; end when the test ends."""
        self.stopping.wait(60)
        raise Gone

    def hang_up(self) -> None:
        raise Gone

    def reset(self) -> None:
        """RST: what was under way in both directions is thrown away."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone


# -- a mail server -----------------------------------------------------------------------------------------------------

Act = Callable[["Line", "MailServer", str], bool]
"""Do the fault; True when the usual answer still follows."""


@dataclass(frozen=True)
class Fault:
    """One break: in which phase (MAIL, RCPT, DATA, body, dot, after), what happens, and how it may end.

    ``took``: the server takes the mail before it breaks. ``ends``: the states that are right for the delivery at
    the end of its retries.
    """

    name: str
    phase: str
    act: Act
    ends: tuple[str, ...] = ("submitted",)
    took: bool = False


class MailServer(Listener):
    """Speaks SMTP. Every ``every``-th new delivery meets the next of ``faults``, once; everybody else is taken.

    It knows a delivery by the envelope sender, which names it (VERP), and counts by Message-ID what it takes.
    """

    def __init__(
        self,
        *faults: Fault,
        every: int = 3,
        pipelining: bool = True,
        opening: tuple[Callable[[Line], None], ...] = (),
        split: bool = False,
    ) -> None:
        self.faults = list(faults)
        self.every = every
        self.pipelining = pipelining
        self.opening = opening
        self.split = split
        self.met: dict[str, Fault] = {}
        self.seen: set[str] = set()
        self.commands: list[str] = []
        super().__init__()

    def serve(self, line: Line, number: int) -> None:
        if number < len(self.opening):
            self.opening[number](line)
        answer = line.split if self.split else line.say
        answer(b"220 sink ready\r\n")
        fault: Fault | None = None
        key = ""
        while True:
            command = line.until(b"\r\n").decode()
            verb = command.split(" ")[0].split(":")[0].upper()
            self.commands.append(verb)
            if verb == "EHLO":
                offers = ["sink", "SIZE 0", *(["PIPELINING"] if self.pipelining else [])]
                answer(
                    "".join(
                        f"250{'-' if n < len(offers) - 1 else ' '}{word}\r\n" for n, word in enumerate(offers)
                    ).encode()
                )
                continue
            if verb == "QUIT":
                answer(b"221 bye\r\n")
                return
            if verb == "MAIL":
                found = re.search(r"[0-9a-f]{32}", command)
                key = found[0] if found else ""
                fault = self._fault_of(key)
            if fault is not None and fault.phase == verb and not fault.act(line, self, key):
                fault = None
                continue
            if verb != "DATA":
                answer(b"250 ok\r\n")
                continue
            answer(b"354 go on\r\n")
            if fault is not None and fault.phase == "body":
                line.until(b"\r\n")
                fault.act(line, self, key)
            message = line.until(b"\r\n.\r\n")
            identity = MESSAGE_ID.search(message)
            assert identity, message[:500]
            if fault is not None and fault.phase == "dot":
                if fault.took:
                    self.take(identity[1].decode())
                if not fault.act(line, self, key):
                    fault = None
                    continue
            if fault is None or not fault.took:
                self.take(identity[1].decode())
            answer(b"250 2.0.0 taken\r\n")
            if fault is not None and fault.phase == "after":
                fault.act(line, self, key)
            fault = None

    def take(self, key: str) -> None:
        with self.lock:
            self.took[key] += 1

    def _fault_of(self, key: str) -> Fault | None:
        with self.lock:
            if not key or key in self.seen:
                return None
            self.seen.add(key)
            if not self.faults or len(self.seen) % self.every:
                return None
            self.met[key] = self.faults.pop(0)
            return self.met[key]


# -- SendGrid ----------------------------------------------------------------------------------------------------------

Reply = Callable[["Line", "SendGridServer", list[str]], bool]
"""What a request meets once it was read: True when the usual 202 follows. The ids are those of its recipients."""


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class SendGridServer(Listener):
    """Takes requests as ``POST /v3/mail/send`` does. ``replies`` are for the first requests, in their order.

    ``early`` is for the connections, by their number from 0: what happens before a request is read.
    """

    def __init__(
        self, *replies: Reply | None, early: dict[int, Callable[[Line], None]] | None = None, pause: float = 0.0
    ) -> None:
        self.replies = list(replies)
        self.early = early or {}
        self.pause = pause
        self.requests: list[list[str]] = []
        super().__init__()

    def serve(self, line: Line, number: int) -> None:
        if number in self.early:
            self.early[number](line)
        while True:
            head = line.until(b"\r\n\r\n").decode()
            size = re.search(r"(?im)^content-length: *([0-9]+)", head)
            assert size
            body = json.loads(line.exactly(int(size[1])))
            keys = [person["custom_args"]["delivery"] for person in body["personalizations"]]
            with self.lock:
                self.requests.append(keys)
                reply = self.replies.pop(0) if self.replies else None
            if reply is not None and not reply(line, self, keys):
                continue
            if self.pause:
                self.stopping.wait(self.pause)
                if line.gone():
                    return  # its client died before this was taken
            self.take(keys)
            if self.pause:
                self.stopping.wait(self.pause)
            line.say(http("202 Accepted", b"", f"X-Message-Id: m{len(self.requests)}"))

    def take(self, keys: list[str]) -> None:
        with self.lock:
            self.took.update(keys)


def errors(*said: tuple[str, str | None]) -> bytes:
    """SendGrid's way of saying what is wrong: (message, field)."""
    found: dict[str, Any] = {"errors": [{"message": m, "field": f, "help": None} for m, f in said]}
    return json.dumps(found).encode()
