"""Asking whether an address answers, against real servers: politely, bounded, and never reading what is there."""

from __future__ import annotations

import io
import socket
import ssl
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from newsletter.net.fetch import Policy
from newsletter.net.probe import Reached, probe, probe_all
from tests.net.net_servers import certificate, say

HOME = Policy(allow_hosts=("127.0.0.1", "localhost"), deadline=10)


def url(server: Any, path: str = "/") -> str:
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def page(handler: BaseHTTPRequestHandler) -> None:
    say(handler, b"<p>hello", content_type="text/html")


def test_a_page_is_asked_for_by_its_head_alone(serve: Any) -> None:
    """One request with our name on it, and no body."""
    server = serve(page)
    assert probe(url(server, "/a?b=c"), HOME) == Reached(url(server, "/a?b=c"), 200, url(server, "/a?b=c"), "text/html")
    assert server.methods == ["HEAD"]
    assert server.seen[0][1]["User-Agent"].startswith("newsletter/")


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_a_server_that_knows_no_head_is_asked_for_one_byte(serve: Any, status: int) -> None:
    """Many servers answer HEAD wrongly: only GET says that something is not there."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.command == "HEAD":
            say(handler, status=status)
        else:
            say(handler, b"x", 206, content_type="image/png", content_range="bytes 0-0/9000")

    server = serve(answer)
    found = probe(url(server), HOME)
    assert (found.ok, found.status, found.content_type) == (True, 206, "image/png")
    assert server.methods == ["HEAD", "GET"]
    assert server.seen[1][1]["Range"] == "bytes=0-0"


@pytest.mark.parametrize(
    ("status", "ok", "unsure"),
    [(200, True, False), (204, True, False), (416, True, False), (404, False, False), (410, False, False),
     (500, False, False), (401, False, True), (403, False, True), (429, False, True), (503, False, True)],
)  # fmt: skip
def test_a_status_says_yes_no_or_nothing(serve: Any, status: int, ok: bool, unsure: bool) -> None:
    """A server that turns programs away says nothing about readers."""
    found = probe(url(serve(lambda h: say(h, status=status))), HOME)
    assert (found.status, found.ok, found.unsure) == (status, ok, unsure)


def test_redirects_are_followed_to_where_they_end_and_a_loop_is_a_problem(serve: Any) -> None:
    """The final address is told; a loop is no answer, and nothing that our guards refused."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/old":
            say(handler, status=301, location="/new")
        elif handler.path == "/round":
            say(handler, status=302, location="/round")
        else:
            page(handler)

    server = serve(answer)
    assert probe(url(server, "/old"), HOME).final == url(server, "/new")
    found = probe(url(server, "/round"), HOME)
    assert (found.status, found.ok, found.unsure, found.problem) == (None, False, False, "redirected more than 5 times")


def test_a_private_network_is_never_asked_unless_it_is_listed(serve: Any) -> None:
    """Neither at first nor through a redirect; that is our refusal, not the other side's."""
    server = serve(page)
    port = server.server_address[1]
    found = probe(url(server), Policy(ports=(port,)))
    assert found.refused and found.unsure and "private or reserved" in found.problem
    assert server.seen == []
    other = serve(lambda h: say(h, status=302, location=f"http://localhost:{port}/"))
    found = probe(url(other), Policy(allow_hosts=("127.0.0.1",), ports=(port,)))
    assert found.refused and "localhost" in found.problem
    assert server.seen == []


def test_a_huge_body_is_not_read(serve: Any) -> None:
    """The server finds that we went away; we have long had the answer."""
    written = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.command == "HEAD":
            say(handler, status=405)
            return
        handler.send_response(200)
        handler.send_header("content-type", "video/mp4")
        handler.send_header("content-length", str(10**12))
        handler.end_headers()
        for _ in range(10_000):
            written.append(handler.wfile.write(b"x" * 65536))

    found = probe(url(serve(answer)), HOME)
    assert found.ok and found.content_type == "video/mp4"
    assert sum(written) < 100 * 1024 * 1024


def test_silence_a_reset_and_nobody_there_are_problems(serve: Any) -> None:
    """In a few words each; the deadline ends what never would."""
    slow = serve(lambda h: time.sleep(3))
    found = probe(url(slow), Policy(allow_hosts=("127.0.0.1",), deadline=0.6))
    assert (found.status, found.unsure) == (None, False)
    assert "no complete answer within" in found.problem

    def reset(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        handler.connection.close()
        handler.wfile = handler.rfile = io.BytesIO()  # type: ignore[assignment]  # what the handler flushes at its end

    found = probe(url(serve(reset)), HOME)
    assert found.status is None and "broke off" in found.problem
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = probe(f"http://127.0.0.1:{taken.getsockname()[1]}/", HOME)
    assert found.status is None and "no connection" in found.problem


def test_tls_must_be_valid(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a browser would warn of is no answer; with a known authority it is one."""
    files = certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    server = serve(page, wrap=lambda s: context.wrap_socket(s, server_side=True))
    address = f"https://localhost:{server.server_address[1]}/"
    assert "certificate" in probe(address, HOME).problem.lower()
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    assert probe(address, HOME).ok


def test_a_host_is_asked_one_thing_at_a_time_and_hosts_side_by_side(serve: Any) -> None:
    """Never two requests at once to one host, with a pause between; two hosts do not wait for each other."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.05)
        page(handler)

    one, other = serve(answer), serve(answer)
    # Two names of this machine are two hosts.
    there = f"http://localhost:{other.server_address[1]}"
    urls = [url(one, f"/{n}") for n in range(5)] + [f"{there}/{n}" for n in range(5)] + [url(one, "/0")]
    started = time.monotonic()
    found = probe_all(urls, HOME, pause=0.1)
    at_least = 4 * 0.1 + 5 * 0.05
    assert set(found) == set(urls)
    assert all(answer.ok for answer in found.values())
    assert (one.busiest, other.busiest) == (1, 1)
    assert len(one.seen) == len(other.seen) == 5
    assert time.monotonic() - started >= at_least
    assert probe_all([], HOME) == {}


def test_many_hosts_are_bounded(serve: Any) -> None:
    """At most so many at the same time, whatever the number of hosts."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.1)
        page(handler)

    server = serve(answer)
    names = [url(server), url(server).replace("127.0.0.1", "localhost")]
    found = probe_all([*names, "http://[::1/"], HOME, at_once=1)
    assert server.busiest == 1
    assert [found[name].ok for name in names] == [True, True]
    assert found["http://[::1/"].refused


def test_what_the_deadline_leaves_over_is_not_known(serve: Any) -> None:
    """Silence because of our own end says nothing about the other side."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path != "/0":
            time.sleep(2)
        page(handler)

    server = serve(answer)
    found = probe_all([url(server, f"/{n}") for n in range(4)], HOME, pause=0, deadline=0.7)
    assert list(found) == [url(server, "/0")]
