"""The transport under SendGrid's client: connections that stay open, and an error that says when it happened.

``python_http_client`` opens a connection for each request, puts the whole payload into a debug record that nobody
reads, and wraps what failed while connecting and what failed while writing in one exception. Its clients are kept
for what they know of the API; the request itself is made here.
"""

from __future__ import annotations

import functools
import http.client
import io
import select
import socket
import ssl
import threading
import time
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

IDLE = 20.0
"""Seconds after which an idle connection is not trusted: a hang-up while we write leaves a whole request uncertain."""


class NotConnectedError(OSError):
    """No connection could be made, so that certainly no byte of the request has left. The cause is the reason."""


class NotWrittenError(OSError):
    """The connection broke before the whole request was written: half a request is none, so nobody took it."""


class _Response(http.client.HTTPResponse):
    """An answer that has to be here, whole, within the socket's timeout, which by itself is for one read."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        raw = sock.makefile("rb", buffering=0)
        self.fp.close()
        self.fp = io.BufferedReader(_UntilThen(sock, raw, time.monotonic() + (sock.gettimeout() or 0.0)))


class _UntilThen(io.RawIOBase):
    """Reads of a socket up to a moment; then TimeoutError, however often a byte still comes."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, end: float) -> None:
        self._sock, self._raw, self._end = sock, raw, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class Connections:
    """Open connections to one API, the last used first. Thread-safe."""

    def __init__(self, host: str) -> None:
        parts = urlsplit(host)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._lock = threading.Lock()
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []
        self._closed = False

    def take(self, timeout: float) -> http.client.HTTPConnection:
        """A connection that is open and quiet; raises NotConnectedError."""
        while True:
            with self._lock:
                since, connection = self._idle.pop() if self._idle else (0.0, None)
            if connection is None:
                return self._connected(timeout)
            if time.monotonic() - since < IDLE and not _heard(connection):
                connection.sock.settimeout(timeout)
                return connection
            connection.close()

    def give_back(self, connection: http.client.HTTPConnection) -> None:
        """Keep a connection whose answer was read to the end."""
        with self._lock:
            if not self._closed and connection.sock is not None:
                self._idle.append((time.monotonic(), connection))
                return
        connection.close()

    def close(self) -> None:
        """Close what is idle; a connection in use is closed when it is given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def _connected(self, timeout: float) -> http.client.HTTPConnection:
        connection = self._made(timeout)
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:  # the latter: a proxy that does not speak HTTP
            connection.close()
            raise NotConnectedError(str(error)) from error
        return connection

    def _made(self, timeout: float) -> http.client.HTTPConnection:
        """To the API itself, or through the proxy that the environment names, as ``urllib`` goes."""
        host, port = self._host, self._port
        proxy = _proxy("https" if self._secure else "http", host)
        if proxy is not None:
            host, port = proxy
        connection: http.client.HTTPConnection
        if self._secure:
            connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout)
        connection.response_class = _Response
        if proxy is not None:
            connection.set_tunnel(self._host, self._port)
        return connection


def _heard(connection: http.client.HTTPConnection) -> bool:
    """Whether something came while nothing was asked: an end, or words that belong to no request."""
    if connection.sock is None:
        return True
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)


def _proxy(scheme: str, host: str) -> tuple[str, int] | None:
    address = urllib.request.getproxies().get(scheme)
    if not address or urllib.request.proxy_bypass(host):
        return None
    parts = urlsplit(address if "://" in address else f"//{address}")
    return (parts.hostname, parts.port or 8080) if parts.hostname else None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What ``python_http_client`` wants of an answer of ``urllib``'s."""

    status: int
    body: bytes
    headers: Message

    def getcode(self) -> int:
        return self.status

    def read(self) -> bytes:
        return self.body

    def info(self) -> Message:
        return self.headers


def client(api_key: str, host: str, connections: Connections, payload: bytes | None = None) -> Any:
    """SendGrid's client for one request. ``payload`` goes out as the body, whatever ``request_body`` the call names."""
    from sendgrid import SendGridAPIClient

    plain = SendGridAPIClient(api_key=api_key, host=host).client
    return _kept_client()(connections, payload, host=plain.host, version=3, request_headers=plain.request_headers)


@functools.cache
def _kept_client() -> type[Any]:
    """A subclass of the vendor's client; made when it is first needed, because importing that takes long."""
    from python_http_client import Client
    from python_http_client.exceptions import handle_error

    class KeptClient(Client):  # type: ignore[misc]  # the package has no types
        def __init__(self, connections: Connections, payload: bytes | None, **options: Any) -> None:
            super().__init__(**options)
            self.connections = connections
            self.payload = payload

        def _build_client(self, name: str | None = None) -> KeptClient:
            path = [*self._url_path, name] if name else self._url_path
            options = {"host": self.host, "version": self._version, "request_headers": self.request_headers}
            return KeptClient(self.connections, self.payload, url_path=path, **options)

        def _make_request(self, _opener: object, request: urllib.request.Request, timeout: float) -> _Answer:
            answer = _exchange(self.connections, request, self.payload, timeout)
            if answer.status < 300:
                return answer
            raised = urllib.error.HTTPError(
                request.full_url, answer.status, "", answer.headers, io.BytesIO(answer.body)
            )
            with raised:
                raise handle_error(raised) from None

    return KeptClient


def _exchange(
    connections: Connections, request: urllib.request.Request, payload: bytes | None, timeout: float
) -> _Answer:
    """One request and its whole answer. A connection that broke in between is closed and its error comes up.

    Raises NotConnectedError, NotWrittenError, or an OSError or HTTPException where the request may have been taken.
    """
    connection = connections.take(timeout)
    body = payload if payload is not None else request.data
    try:
        broken = _written(connection, request, body)
        if broken is not None:
            return _refused_early(connection, broken)
        response = connection.getresponse()
        answer = _Answer(response.status, response.read(), response.headers)
    except BaseException:
        connection.close()
        raise
    if response.will_close:
        connection.close()
    else:
        connections.give_back(connection)
    return answer


def _written(connection: http.client.HTTPConnection, request: urllib.request.Request, body: Any) -> OSError | None:
    """Write a request; the error when it broke off. The body goes last, in one call: if that fails, its end is missing.

    Only of these three errors is that certain. ``http.client`` lets the answer be read all the same.
    """
    try:
        connection.request(request.get_method(), request.selector, body=body, headers=dict(request.header_items()))
    except (BrokenPipeError, ConnectionResetError, TimeoutError) as error:
        return error
    return None


def _refused_early(connection: http.client.HTTPConnection, broken: OSError) -> _Answer:
    """Why a server hung up on us while we were writing, if it said so (401, 413); raises NotWrittenError if not."""
    try:
        response = connection.getresponse()
        answer = _Answer(response.status, response.read(), response.headers)
    except (OSError, http.client.HTTPException):
        raise NotWrittenError(str(broken)) from broken
    finally:
        connection.close()
    if 300 <= answer.status < 500:
        return answer
    raise NotWrittenError(str(broken)) from broken
