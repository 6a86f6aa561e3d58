"""The guarded fetch against real servers: pinned, bounded in time and bytes, every redirect checked."""

from __future__ import annotations

import gzip
import socket
import ssl
import time
import zlib
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import FetchRefused, RemoteError
from newsletter.net.fetch import Fetched, Policy, Request, ask, fetch
from tests.net.net_servers import certificate, say

HOME = Policy(allow_hosts=("127.0.0.1", "localhost", "::1"), deadline=10)


def url(server: Any, path: str = "/") -> str:
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def get(server: Any, path: str = "/", policy: Policy = HOME) -> Fetched:
    return fetch(url(server, path), policy)


def test_an_answer_comes_with_its_type_body_and_headers(serve: Any) -> None:
    server = serve(lambda h: say(h, b"hello", content_type="text/plain", x_note="yes"))
    found = fetch(url(server, "/a?b=0%2C58&c"), HOME, accept="image/*")
    assert (found.status, found.ok, found.content_type, found.body) == (200, True, "text/plain", b"hello")
    assert found.headers["x-note"] == "yes"
    assert found.url == url(server, "/a?b=0%2C58&c")
    path, headers = server.seen[0]
    assert path == "/a?b=0%2C58&c"
    assert headers["Accept"] == "image/*"
    assert headers["Host"] == f"127.0.0.1:{server.server_address[1]}"
    assert headers["User-Agent"].startswith("newsletter/")


def test_an_error_status_is_an_answer_for_the_caller_to_judge(serve: Any) -> None:
    found = get(serve(lambda h: say(h, b"gone", 404)))
    assert (found.status, found.ok) == (404, False)


def test_loopback_is_refused_unless_it_is_listed(serve: Any) -> None:
    """The port is refused first, then the network."""
    server = serve(lambda h: say(h, b"secret"))
    with pytest.raises(FetchRefused, match="port"):
        get(server, policy=Policy())
    port = server.server_address[1]
    with pytest.raises(FetchRefused, match="private or reserved"):
        get(server, policy=Policy(ports=(port,)))
    assert server.seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_also_relative_ones(serve: Any, status: int) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/a/start":
            say(handler, b"", status, location="../end?x=1")
        else:
            say(handler, b"there")

    server = serve(answer)
    found = get(server, "/a/start")
    assert found.body == b"there"
    assert found.url == url(server, "/end?x=1")


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://127.0.0.2/", "private or reserved"),
        ("http://[::ffff:127.0.0.1]/", "private or reserved"),
        ("http://169.254.169.254/latest/meta-data/", "private or reserved"),
        ("file:///etc/passwd", "file: addresses"),
        ("http://ada:pw@127.0.0.1/", "user name"),
        ("http://10.0.0.1:22/", "port 22"),
    ],
)
def test_each_redirect_is_checked_like_the_first_url(serve: Any, location: str, words: str) -> None:
    server = serve(lambda h: say(h, b"", 302, location=location))
    with pytest.raises(FetchRefused, match=words):
        get(server)


LOOPBACK = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "localhost", "[::1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0", "0.0.0.0", "[::]", "１２７.0.0.1", "127。0。0。1",
]  # fmt: skip
"""Spellings by which a plain client reaches this very machine."""


@pytest.mark.parametrize("spelling", LOOPBACK)
def test_no_spelling_of_loopback_is_reached_directly_or_by_a_redirect(serve: Any, spelling: str) -> None:
    """The port is open here, so nothing but the address refuses it; the server behind it hears nothing."""
    inside = serve(lambda h: say(h, b"secret"))
    port = inside.server_address[1]
    with pytest.raises((FetchRefused, RemoteError)):
        fetch(f"http://{spelling}:{port}/", Policy(ports=(port,)))
    if spelling not in HOME.allow_hosts:
        address = f"http://{spelling}:{port}/".encode().decode("latin-1")  # a header is bytes
        outside = serve(lambda h: say(h, b"", 302, location=address))
        with pytest.raises((FetchRefused, RemoteError)):
            fetch(url(outside), Policy(ports=(port,), allow_hosts=("127.0.0.1",)))
    assert inside.seen == []


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "192.0.0.8", "64:ff9b::7f00:1", "2002:7f00:1::", "fec0::1", "::ffff:10.0.0.1"]
)
def test_a_name_that_a_redirect_leads_to_is_looked_up_and_refused(
    serve: Any, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Also where the standard library calls the network a public one."""
    server = serve(lambda h: say(h, b"", 302, location="http://inside.example/"))
    real = socket.getaddrinfo

    def answers(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "inside.example":
            return real(host, *args, **kwargs)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, 80))]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    with pytest.raises(FetchRefused, match="private or reserved network"):
        get(server)


def test_headers_without_end_are_broken_off(serve: Any) -> None:
    """Neither one enormous header nor very many are kept in memory."""

    def huge(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Huge: ")
        for _ in range(100):
            handler.wfile.write(b"x" * 65_536)

    def many(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            handler.wfile.write(b"X-%d: y\r\n" % number)

    for answer in (huge, many):
        with pytest.raises(RemoteError, match="broke off"):
            get(serve(answer))


def test_a_conditional_request_gets_its_validators_back(serve: Any) -> None:
    """304 is an answer without a body; the headers say what to ask with the next time."""
    server = serve(lambda h: say(h, b"", 304, etag='W/"7"'))
    found = ask(url(server), HOME, Request(headers=(("If-None-Match", 'W/"7"'), ("User-Agent", "newsletter/test"))))
    assert (found.status, found.ok, found.body, found.headers["etag"]) == (304, False, b"", 'W/"7"')
    assert server.seen[0][1]["If-None-Match"] == 'W/"7"'
    assert server.seen[0][1]["User-Agent"] == "newsletter/test"


def test_five_redirects_are_followed_and_a_loop_ends(serve: Any) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        hops = int(handler.path[1:])
        if hops:
            say(handler, b"", 302, location=f"/{hops - 1}")
        else:
            say(handler, b"end")

    server = serve(answer)
    assert get(server, "/5").body == b"end"
    with pytest.raises(FetchRefused, match="more than 5 times"):
        get(server, "/6")


def test_a_redirect_status_without_a_location_is_an_answer(serve: Any) -> None:
    assert get(serve(lambda h: say(h, b"odd", 302))).status == 302


def test_the_checked_address_is_the_one_connected_to(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers differently the second time (rebinding) is not asked a second time."""
    server = serve(lambda h: say(h, b"pinned"))
    port = server.server_address[1]
    asked = []
    real = socket.getaddrinfo

    def rebinding(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "rebind.example":
            return real(host, *args, **kwargs)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.66.66.66"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    found = fetch(f"http://rebind.example:{port}/", Policy(allow_hosts=("rebind.example",)))
    assert found.body == b"pinned"
    assert asked == ["rebind.example"]
    assert server.seen[0][1]["Host"] == f"rebind.example:{port}"


def test_the_next_address_is_tried_when_one_does_not_answer(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(lambda h: say(h, b"second"))
    port = server.server_address[1]
    real = socket.getaddrinfo

    def two(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "two.example":
            return real(host, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in ("127.77.0.1", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    assert fetch(f"http://two.example:{port}/", Policy(allow_hosts=("two.example",))).body == b"second"


def test_nobody_listening_is_a_remote_error(serve: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(RemoteError, match="no connection") as failed:
        fetch(f"http://127.0.0.1:{port}/", HOME)
    assert not isinstance(failed.value, FetchRefused)


def test_an_ipv6_literal_is_fetched_with_brackets_in_the_host_header() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    import threading

    heard: list[bytes] = []

    def answer() -> None:
        peer, _ = listener.accept()
        heard.append(peer.recv(65536))
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nv6")
        peer.close()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    assert fetch(f"http://[::1]:{port}/x", HOME).body == b"v6"
    thread.join(5)
    listener.close()
    assert f"host: [::1]:{port}\r\n".encode() in heard[0].lower()


def test_a_slow_drip_ends_at_the_deadline(serve: Any) -> None:
    """Each byte arrives quickly enough; all together they may not take longer than the deadline."""

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.02)

    started = time.monotonic()
    with pytest.raises(FetchRefused, match=r"within 0\.3 s"):
        get(serve(drip), policy=Policy(allow_hosts=("127.0.0.1",), deadline=0.3))
    assert time.monotonic() - started < 2


def test_a_silent_server_and_dripping_headers_end_at_the_deadline(serve: Any) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        for _ in range(100):
            handler.wfile.write(b"H")
            handler.wfile.flush()
            time.sleep(0.02)

    policy = Policy(allow_hosts=("127.0.0.1",), deadline=0.2)
    for answer in (drip, lambda _: time.sleep(0.5)):
        with pytest.raises((FetchRefused, RemoteError)):
            get(serve(answer), policy=policy)


def test_the_deadline_is_for_all_hops_together(serve: Any) -> None:
    def slow_loop(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.1)
        say(handler, b"", 302, location="/")

    policy = Policy(allow_hosts=("127.0.0.1",), deadline=0.25, max_redirects=1000)
    with pytest.raises(FetchRefused, match=r"within 0\.25 s"):
        get(serve(slow_loop), policy=policy)


SMALL = Policy(allow_hosts=("127.0.0.1",), max_bytes=100_000)


def test_a_body_up_to_the_cap_is_read_and_not_one_byte_more(serve: Any) -> None:
    assert len(get(serve(lambda h: say(h, b"x" * 100_000)), policy=SMALL).body) == 100_000
    with pytest.raises(FetchRefused, match="larger than 97 KB"):
        get(serve(lambda h: say(h, b"x" * 100_001)), policy=SMALL)


def test_a_body_without_a_length_is_capped_too(serve: Any) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b"x" * 65536)

    with pytest.raises(FetchRefused, match="larger than"):
        get(serve(endless), policy=SMALL)


def test_a_length_that_promises_too_much_is_refused_before_reading(serve: Any) -> None:
    with pytest.raises(FetchRefused, match="larger than"):
        get(serve(lambda h: say(h, b"", content_length="99999999999999")), policy=SMALL)


def test_a_body_shorter_than_its_length_is_broken_off(serve: Any) -> None:
    with pytest.raises(RemoteError, match="broke off"):
        get(serve(lambda h: say(h, b"half", content_length="8")))


def test_a_body_longer_than_its_length_is_cut_there(serve: Any) -> None:
    assert get(serve(lambda h: say(h, b"exactly!and more", content_length="8"))).body == b"exactly!"


def test_an_answer_that_is_no_http_is_a_remote_error(serve: Any) -> None:
    with pytest.raises(RemoteError, match="broke off"):
        get(serve(lambda h: h.wfile.write(b"SSH-2.0-hello\r\n")))
    with pytest.raises(RemoteError, match="broke off"):
        get(serve(lambda _: None))


def _deflate_raw(data: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


TEXT = bytes(range(256)) * 700


@pytest.mark.parametrize(
    ("encoding", "wire"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("GZIP", gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]) + b"\0\0"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", _deflate_raw(TEXT)),
        ("identity", TEXT),
    ],
)
def test_compressed_bodies_are_decoded(serve: Any, encoding: str, wire: bytes) -> None:
    assert get(serve(lambda h: say(h, wire, content_encoding=encoding))).body == TEXT


def test_an_empty_compressed_body_is_empty(serve: Any) -> None:
    assert get(serve(lambda h: say(h, b"", content_encoding="gzip"))).body == b""


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compression_bomb_is_stopped_at_the_cap(serve: Any, encoding: str) -> None:
    """30 MB of zeros in 30 KB: the cap counts what comes out."""
    zeros = b"\0" * 30_000_000
    wire = gzip.compress(zeros) if encoding == "gzip" else zlib.compress(zeros)
    assert len(wire) < SMALL.max_bytes
    with pytest.raises(FetchRefused, match="larger than"):
        get(serve(lambda h: say(h, wire, content_encoding=encoding)), policy=SMALL)


def test_compressed_nothing_without_end_is_capped_by_what_came_in(serve: Any) -> None:
    wire = gzip.compress(b"") * 6000

    def stream(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-encoding", "gzip")
        handler.end_headers()
        handler.wfile.write(wire)

    assert len(wire) > SMALL.max_bytes
    with pytest.raises(FetchRefused, match="larger than"):
        get(serve(stream), policy=SMALL)


@pytest.mark.parametrize(
    ("encoding", "wire", "words"),
    [
        ("gzip", b"not gzip at all", "compressed body is broken"),
        ("deflate", b"\xff\xff\xff not deflate", "compressed body is broken"),
        ("gzip", gzip.compress(TEXT)[:-20], "ends too early"),
        ("br", b"x", "content encoding 'br'"),
        ("gzip, gzip", b"x", "content encoding"),
    ],
)
def test_a_broken_or_unknown_encoding_is_a_remote_error(serve: Any, encoding: str, wire: bytes, words: str) -> None:
    with pytest.raises(RemoteError, match=words):
        get(serve(lambda h: say(h, wire, content_encoding=encoding)))


def _tls(serve: Any, files: tuple[Path, Path], names: list[str | None]) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    return serve(lambda h: say(h, b"private"), wrap=lambda s: context.wrap_socket(s, server_side=True))


def test_tls_is_verified_against_the_name_that_was_asked_for(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pinning the address keeps the real host name for SNI and verification."""
    files = certificate(tmp_path, "localhost")
    names: list[str | None] = []
    server = _tls(serve, files, names)
    port = server.server_address[1]
    with pytest.raises(RemoteError, match=r"(?i)certificate verify failed"):
        fetch(f"https://localhost:{port}/", HOME)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    assert fetch(f"https://localhost.:{port}/", HOME).body == b"private"
    assert names[-1] == "localhost"
    with pytest.raises(RemoteError, match=r"(?i)certificate|mismatch"):
        fetch(f"https://127.0.0.1:{port}/", HOME)


def test_bodies_are_never_logged(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    get(serve(lambda h: say(h, b"words of the story")))
    assert "words of the story" not in caplog.text


def test_time_that_is_used_up_before_a_hop_ends_the_fetch(serve: Any) -> None:
    with pytest.raises(FetchRefused, match="within 0 s"):
        get(serve(lambda h: say(h)), policy=Policy(allow_hosts=("127.0.0.1",), deadline=0))
