"""The guarded fetch: the only HTTP besides the providers.

For every hop: read the URL, resolve its host, check EVERY address, then connect to an address that was checked (the
name is not resolved a second time, so a name that changes its mind between the check and the connection gains
nothing). TLS is verified against the name. One deadline covers names, connections, hops and slow drips; the cap on
bytes holds after decompression. Bodies are never logged.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any
from urllib.parse import urljoin

import httpcore

from newsletter import __version__
from newsletter.errors import FetchGaveUp, FetchRefused, RemoteError
from newsletter.net.addresses import Target, read_url, resolve, shown

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Policy:
    """What a fetch may do. ``max_bytes`` counts decoded bytes; ``deadline`` is in seconds for the whole fetch.

    ``allow_hosts`` are hosts of the newsroom's own network: private addresses and any port are fine there.
    """

    allow_hosts: tuple[str, ...] = ()
    ports: tuple[int, ...] = (80, 443)
    max_bytes: int = 20 * 1024 * 1024
    deadline: float = 20.0
    max_redirects: int = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer of whatever status: the final ``url``, header names in lower case, the decoded ``body``.

    ``moved`` is where the server says that what was asked for is from now on: the last of the permanent redirects
    (301, 308) that the way began with; None without one. It was asked like any hop, so no refused address is in it.
    """

    url: str
    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str]
    moved: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


def fetch(url: str, policy: Policy, *, accept: str = "*/*") -> Fetched:
    """GET a URL under a policy, following at most ``max_redirects`` redirects, each checked like the first URL.

    Returns the answer whatever its status: the caller decides what a 404 means. Raises FetchRefused when the policy
    forbids it (scheme, port, network, size, number of redirects), RemoteError when the other side fails.
    """
    return ask(url, policy, Request(accept=accept))


@dataclass(frozen=True, slots=True)
class Request:
    """How a URL is asked for. ``read`` is False for an answer whose body is nobody's business: it is not read.

    ``body`` is sent with the request, as it is; None sends none.
    """

    method: str = "GET"
    accept: str = "*/*"
    headers: tuple[tuple[str, str], ...] = ()
    read: bool = True
    body: bytes | None = None


def ask(url: str, policy: Policy, request: Request) -> Fetched:
    """What ``fetch`` does, for any request; ``body`` is empty where it is not read. Raises as ``fetch`` does."""
    clock = _Clock(policy.deadline, url)
    here, moved, lasting = url, None, True
    for _ in range(policy.max_redirects + 1):
        target = read_url(here, ports=policy.ports, allow_hosts=policy.allow_hosts)
        answer = _hop(target, policy, clock, request)
        if isinstance(answer, Fetched):
            return dataclasses.replace(answer, moved=moved)
        # RFC 9110, 15.4.2 and 15.4.9: only a permanent redirect gives a new address, and none behind a temporary one.
        lasting = lasting and answer.status in PERMANENT
        here = answer.to
        moved = here if lasting else moved
    raise FetchGaveUp(f"redirected more than {policy.max_redirects} times", where=shown(url))


@dataclass(frozen=True, slots=True)
class _Redirect:
    """An answer that only says where to ask."""

    status: int
    to: str


class _Clock:
    """What is left of the deadline."""

    def __init__(self, seconds: float, url: str) -> None:
        self._end = time.monotonic() + seconds
        self._seconds = seconds
        self._url = url

    def left(self) -> float:
        """Seconds until the deadline; raises FetchRefused when it has passed."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self) -> FetchGaveUp:
        return FetchGaveUp(
            f"no complete answer within {self._seconds:g} s",
            where=shown(self._url),
            fix="Try again later, or save the file and add it from disk.",
        )


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write may take only what is left of the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the protocol names it; the deadline decides
        return self._inner.read(max_bytes, timeout=self._clock.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the protocol names it; the deadline decides
        self._inner.write(buffer, timeout=self._clock.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the protocol names it; the deadline decides
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname=server_hostname, timeout=self._clock.left())
        return _Stream(inner, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Pinned(httpcore.NetworkBackend):
    """Connects to the addresses that were checked, whatever name it is given."""

    def __init__(self, addresses: tuple[str, ...], clock: _Clock) -> None:
        self._addresses = addresses
        self._clock = clock
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the protocol names it; the checked addresses decide
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the protocol names it; the deadline decides
        local_address: str | None = None,  # noqa: ARG002 - the protocol names it; the system chooses
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for waiting, address in enumerate(self._addresses):
            # An unreachable first address (often IPv6) may not use up the time of those behind it.
            share = self._clock.left() / (len(self._addresses) - waiting)
            try:
                inner = self._inner.connect_tcp(address, port, timeout=share, socket_options=socket_options or ())
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as wrong:
                failure = wrong
                continue
            return _Stream(inner, self._clock)
        raise failure or httpcore.ConnectError("no address to connect to")


def _hop(target: Target, policy: Policy, clock: _Clock, request: Request) -> Fetched | _Redirect:
    """One request: the answer, or where it redirects to."""
    addresses = resolve(target, allow_hosts=policy.allow_hosts, timeout=clock.left())
    where = shown(target.url)
    try:
        return _answer(target, _Pinned(addresses, clock), policy, clock, request)
    except httpcore.TimeoutException as wrong:
        raise clock.passed() from wrong
    except httpcore.ConnectError as wrong:
        raise RemoteError(f"no connection to {target.netloc}: {_reason(wrong)}", where=where) from wrong
    except (httpcore.NetworkError, httpcore.ProtocolError) as wrong:
        raise RemoteError(f"{target.netloc} broke off its answer: {_reason(wrong)}", where=where) from wrong


def _reason(wrong: Exception) -> str:
    """The library's words on one line; they quote no body."""
    return " ".join(str(wrong).split())[:200] or type(wrong).__name__


def _answer(target: Target, network: _Pinned, policy: Policy, clock: _Clock, asked: Request) -> Fetched | _Redirect:
    context = None
    if target.scheme == "https":
        context = _tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    request = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    headers: dict[bytes | str, bytes | str] = {
        "Host": target.netloc,
        "User-Agent": f"newsletter/{__version__}",
        "Accept": asked.accept,
        "Accept-Encoding": "gzip, deflate",
        "Connection": "close",
        **dict(asked.headers),
    }
    connection = httpcore.HTTPConnection(request.origin, ssl_context=context, network_backend=network)
    with connection, connection.stream(asked.method, request, headers=headers, content=asked.body) as response:
        found = _headers(response.headers)
        if response.status in REDIRECTS and "location" in found:
            return _Redirect(response.status, urljoin(target.url, found["location"].strip()))
        body = _body(response.iter_stream(), found, target, policy, clock) if asked.read else b""
    return Fetched(target.url, response.status, found.get("content-type", ""), body, found)


@functools.lru_cache(maxsize=4)
def _tls(_file: str | None, _folder: str | None) -> SSLContext:
    """What TLS is verified against. Reading the authorities costs 30 ms of processor, for 200 sources that adds up."""
    context = httpcore.default_ssl_context()
    context.load_default_certs()  # an intranet's own authority is in the system's store, or in SSL_CERT_FILE
    return context


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers


def _body(stream: Iterator[bytes], headers: Mapping[str, str], target: Target, policy: Policy, clock: _Clock) -> bytes:
    """The decoded body, never more than ``max_bytes`` of it in memory."""
    where = shown(target.url)
    too_big = FetchRefused(
        f"larger than {policy.max_bytes // 1024:,} KB", where=where, fix="Use a smaller version of the file."
    )
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > policy.max_bytes:
        raise too_big
    decoder = _decoder(headers.get("content-encoding", ""), where)
    parts: list[bytes] = []
    raw = size = 0
    for chunk in stream:
        clock.left()
        raw += len(chunk)
        for part in decoder.feed(chunk):
            size += len(part)
            if size > policy.max_bytes:
                raise too_big
            parts.append(part)
        if raw > policy.max_bytes:  # compressed nothing without end
            raise too_big
    if not decoder.complete:
        raise RemoteError(f"{target.netloc} broke off its answer: the compressed body ends too early", where=where)
    return b"".join(parts)


class _Plain:
    """No content encoding."""

    complete = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Inflate:
    """gzip (also several members) and deflate (with and without the zlib wrapper), a piece at a time."""

    def __init__(self, where: str, windows: tuple[int, ...]) -> None:
        self._where = where
        self._windows = windows
        self._engine = zlib.decompressobj(windows[0])
        self._started = False

    @property
    def complete(self) -> bool:
        return self._engine.eof or not self._started

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        data = chunk
        more = True
        while more:
            if self._engine.eof:
                if not data.strip(b"\0"):  # padding after the last member
                    return
                self._engine = zlib.decompressobj(self._windows[0])
            part = self._inflate(data)
            self._started = True
            yield part
            data = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail
            # A full piece may leave output inside the engine even when no input is left.
            more = bool(data) or (len(part) == _CHUNK and not self._engine.eof)

    def _inflate(self, data: bytes) -> bytes:
        try:
            return self._engine.decompress(data, _CHUNK)
        except zlib.error as wrong:
            if self._started or len(self._windows) == 1:
                raise RemoteError("the compressed body is broken", where=self._where) from wrong
        self._windows = self._windows[1:]
        self._engine = zlib.decompressobj(self._windows[0])
        return self._inflate(data)


def _decoder(encoding: str, where: str) -> _Plain | _Inflate:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Inflate(where, (16 + zlib.MAX_WBITS,))
        case "deflate":
            # RFC 9110 means zlib; some servers send the raw stream.
            return _Inflate(where, (zlib.MAX_WBITS, -zlib.MAX_WBITS))
        case other:
            raise RemoteError(f"the content encoding {other[:40]!r} was not asked for and is not read", where=where)
