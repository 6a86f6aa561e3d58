"""How long stories take to come in: one large feed, and two hundred slow sources at once."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.figures import note, part, say
from newsletter.app.desk import Desk, open_desk
from newsletter.app.refreshing import refresh_sources
from newsletter.articles.sources import shelf
from newsletter.workspace.create import create_demo

SOURCES = 200
SLOWEST = 3.0
EACH_GIVES = 3
WORDS = "The harbour office reads the tide tables every morning and writes down what the sea did instead. "


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


class _Answers(BaseHTTPRequestHandler):
    """``/large``: 1,000 stories at once; ``/N``: a few stories after a wait that grows with N, up to the slowest."""

    def do_GET(self) -> None:
        number = self.path[1:]
        if number != "large":
            time.sleep(SLOWEST * (0.25 + 0.75 * (int(number) + 1) / SOURCES))
        body = feed(1000 if number == "large" else EACH_GIVES, number)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def feed(stories: int, name: str) -> bytes:
    """An RSS feed whose stories have three paragraphs each."""
    items = "".join(
        f"<item><title>Story {n} of {name}</title><link>https://{name}.example/{n}</link><guid>{name}-{n}</guid>"
        f"<description><![CDATA[{f'<p>{n}: {WORDS * 5}<a href=/x>More</a></p>' * 3}]]></description></item>"
        for n in range(stories)
    )
    return f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'.encode()


def _add(desk: Desk, name: str, url: str, first: int) -> None:
    with desk.store.write() as conn:
        shelf.add_source(conn, name=name, url=url, kind="feed", first=str(first))


@part("sources", rank=45)
def measure(folder: Path) -> None:
    """On loopback, each source on an address of its own, all through the guarded fetch."""
    root = create_demo(folder / "ws").root
    hosts = [f"127.0.1.{n + 1}" for n in range(SOURCES)]
    config = root / "newsletter.toml"
    listed = ", ".join(f'"{host}"' for host in ["127.0.0.1", *hosts])
    text = config.read_text(encoding="utf-8").replace("[images]\n", f"[images]\nallow_hosts = [{listed}]\n")
    config.write_text(text, encoding="utf-8")
    server = _Server(("0.0.0.0", 0), _Answers)  # every address of 127.0.0.0/8 is this machine
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    try:
        with open_desk(root) as desk:
            _large(desk, port)
            _many(desk, port, hosts)
    finally:
        server.shutdown()
        server.server_close()


def _large(desk: Desk, port: int) -> None:
    _add(desk, "large", f"http://127.0.0.1:{port}/large", 1000)
    started = time.perf_counter()
    report = refresh_sources(desk, ["large"])
    took = time.perf_counter() - started
    assert len(report.added) == 1000
    say("a feed of 1,000 stories into the inbox", f"{took:.2f} s ({took:.2f} ms a story)", "3 s", took <= 3)
    started = time.perf_counter()
    refresh_sources(desk, ["large"])
    note(f"the same feed again: {time.perf_counter() - started:.2f} s")


def _many(desk: Desk, port: int, hosts: list[str]) -> None:
    for number, host in enumerate(hosts):
        _add(desk, f"many-{number}", f"http://{host}:{port}/{number}", EACH_GIVES)
    started = time.perf_counter()
    report = refresh_sources(desk, [f"many-{number}" for number in range(SOURCES)])
    took = time.perf_counter() - started
    assert len(report.added) == SOURCES * EACH_GIVES
    ratio = took / SLOWEST
    figure = f"{ratio:.2f}× ({took:.2f} s, {len(report.added):,} stories)"
    say(f"{SOURCES} sources at once against the slowest", figure, "1.5×", ratio <= 1.5)
