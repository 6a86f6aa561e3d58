"""``newsletter serve``: what every answer has, what a strange request gets, how it starts and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newsletter.cli.boundary import guarded
from newsletter.cli.group import newsletter
from newsletter.web import hardening
from tests.public.kit import FORM, Served, serve


def test_every_answer_has_the_headers_that_keep_a_token_to_itself(site: Served) -> None:
    """Pages, errors, machines: nothing is cached, framed, sniffed or told to the next site; no server names itself."""
    ada = site.reader("ada@readers.test")
    answers = {
        path: site.ask(path, method=method)
        for method, path in [
            ("GET", ada.unsubscribe), ("POST", ada.unsubscribe), ("GET", "/u/x"), ("GET", "/"), ("GET", "/health"),
            ("GET", "/v/2026-11-27"), ("GET", "/events/sendgrid"), ("POST", "/events/sendgrid"), ("OPTIONS", "/u/y"),
        ]
    }  # fmt: skip
    for path, answer in answers.items():
        headers = answer.headers
        assert headers["referrer-policy"] == "no-referrer", path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["x-robots-tag"] == "noindex", path
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert "server" not in headers and "set-cookie" not in headers, path
        assert headers["cache-control"] == ("no-cache" if path.startswith("/v/") else "no-store"), path


def test_health_says_little(site: Served) -> None:
    answer = site.ask("/health")
    assert (answer.status, answer.text) == (200, '{"status":"ok"}')


def test_a_damaged_database_is_503_everywhere_and_not_a_word_of_why(workspace: Path) -> None:
    """No path, no trace, no class name goes out; the operator hears it on stderr."""
    with serve(workspace) as site:
        ada = site.reader("ada@readers.test")
        database = workspace / ".newsletter" / "newsletter.db"
        site.store.close()
        database.unlink()
        database.write_bytes(b"not a database" * 1000)
        for answer in (site.ask("/health"), site.ask(ada.unsubscribe), site.one_click(ada.unsubscribe)):
            assert answer.status == 503
            assert not re.search(r"database|newsletter\.db|Error|Traceback|/tmp|sqlite", answer.text)
        assert site.ask("/health").status == 503
        site.process.terminate()
        assert site.process.stderr is not None
        said = site.process.stderr.read()
    assert "damaged" in said
    assert "Traceback" not in said
    assert "v1.unsubscribe" not in said


def test_a_bug_is_500_without_its_insides_and_without_the_token_on_stderr(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception of any kind, with the token in its own words."""
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse

    said: list[str] = []
    complaints = hardening.Complaints(said.append)

    async def broken(scope: object, receive: object, send: object) -> None:
        assert isinstance(scope, dict)
        raise KeyError(Request(scope).url.path)

    app = hardening.Hardened(
        broken,
        prefix=lambda: "",
        wrong=lambda error: PlainTextResponse("later", status_code=hardening.status_of(error)),
        complain=complaints,
    )
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def call() -> None:
        scope = {"type": "http", "path": "/u/v1.unsubscribe.secret", "method": "GET", "headers": []}
        await app(scope, None, send)  # type: ignore[arg-type]  # nothing is received
        await app(scope, None, send)  # type: ignore[arg-type]  # nothing is received

    with ThreadPoolExecutor(1) as apart:  # the browser of other tests may have a loop in this thread
        apart.submit(asyncio.run, call()).result()
    assert sent[0]["status"] == 500
    assert len(said) == 1, "the same thing once a minute"
    assert "KeyError" in said[0] and "test_public_process.py" in said[0]
    assert "secret" not in said[0]


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /u/" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"".join(b"H%d: v\r\n" % n for n in range(3000)) + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /health\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    ],
    ids=["long header", "long path", "many headers", "tls", "no version", "negative length", "two lengths"],
)
def test_what_is_no_sensible_request_is_refused_and_the_server_goes_on(site: Served, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", site.port), 20) as connection:
        try:
            connection.sendall(raw)
            answer = connection.recv(2000)
        except OSError:
            answer = b""
        assert answer == b"" or re.match(rb"HTTP/1\.1 [45]\d\d ", answer), answer
        assert b"Traceback" not in answer
    assert site.ask("/health").status == 200


def test_a_form_that_is_too_big_is_413(site: Served) -> None:
    ada = site.reader("big@readers.test")
    answer = site.ask(ada.unsubscribe, method="POST", body=b"x" * 20_000, headers=FORM)
    assert answer.status == 413
    assert site.status(ada) == "subscribed"


def test_a_websocket_is_not_spoken(site: Served) -> None:
    with socket.create_connection(("127.0.0.1", site.port), 20) as connection:
        connection.sendall(
            b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert connection.recv(2000).startswith(b"HTTP/1.1 200 ")


def test_connections_that_dawdle_are_closed(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    """One that never finishes its head, one that drips, one that was answered and says no more; a slow body is 408."""
    from newsletter.app.desk import open_desk
    from newsletter.web import pageserver, publicserver

    monkeypatch.setattr(hardening, "HEAD_SECONDS", 0.6)
    monkeypatch.setattr(hardening, "BODY_SECONDS", 0.4)
    monkeypatch.setattr(pageserver, "HEAD_SECONDS", 1)
    with open_desk(workspace) as desk:
        server = publicserver.PublicServer(desk, say=print)
        thread = threading.Thread(target=server.run_until_stopped)
        thread.start()
        try:
            port = int(server.url.rstrip("/").rpartition(":")[2])
            silent = socket.create_connection(("127.0.0.1", port), 10)
            half = socket.create_connection(("127.0.0.1", port), 10)
            half.sendall(b"GET /health HTTP/1.1\r\n")
            assert silent.recv(100) == b""
            for _ in range(3):
                try:
                    half.sendall(b"X: y\r\n")
                except OSError:
                    break
                time.sleep(0.3)
            with contextlib.suppress(ConnectionResetError):  # it was closed while we wrote
                assert half.recv(100) == b""
            slow = socket.create_connection(("127.0.0.1", port), 10)
            slow.sendall(b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
            assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
            for one in (silent, half, slow):
                one.close()
            kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            for _ in range(2):
                kept.request("GET", "/health")
                assert kept.getresponse().read() == b'{"status":"ok"}'
            assert kept.sock is not None and kept.sock.recv(10) == b""
            kept.close()
        finally:
            server.stop()
            thread.join(20)
            assert not thread.is_alive()


def test_sigterm_answers_what_was_begun_and_ends_in_order(workspace: Path) -> None:
    """The wish that waits for a taken database is granted and answered; then the process ends with 0."""
    with serve(workspace) as site:
        ada = site.reader("ada@readers.test")
        answers: list[int] = []
        held, free = threading.Event(), threading.Event()

        def hold() -> None:
            with site.store.write():
                held.set()
                free.wait(30)

        holder = threading.Thread(target=hold)
        holder.start()
        assert held.wait(10)
        asking = threading.Thread(target=lambda: answers.append(site.one_click(ada.unsubscribe).status))
        asking.start()
        time.sleep(0.5)
        site.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        free.set()
        asking.join(20)
        holder.join(20)
        assert answers == [200]
        assert site.process.wait(20) == 0
        assert site.status(ada) == "unsubscribed"


def test_ctrl_c_ends_it_as_well(workspace: Path) -> None:
    with serve(workspace) as site:
        site.process.send_signal(signal.SIGINT)
        assert site.process.wait(20) in (0, 130)


def test_kill_9_loses_no_wish_that_was_answered(workspace: Path) -> None:
    """Each answer comes after a synced commit: what readers were told is in the database after the worst end."""
    with serve(workspace) as site:
        crowd = [site.reader(f"r{n}@readers.test") for n in range(30)]
        told: list[str] = []

        def leave() -> None:
            for one in crowd:
                try:
                    if site.one_click(one.unsubscribe).status == 200:
                        told.append(one.address)
                except OSError:
                    return

        asking = threading.Thread(target=leave)
        asking.start()
        while len(told) < 10:
            time.sleep(0.002)
        site.process.kill()
        asking.join(20)
        assert 10 <= len(told) < 30
        gone = {str(a) for (a,) in site.rows("select address from subscriber where status = 'unsubscribed'")}
        assert set(told) <= gone
        assert len(gone) <= len(told) + 1


def test_a_taken_port_and_an_address_of_somebody_else_are_78(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert guarded(newsletter, ["-C", str(workspace), "serve", "--public", "--port", port]) == 78
        assert f"port {port} is not free" in capsys.readouterr().err
    for host, words in (("no such host", "no address of this machine"), ("192.0.2.7", "cannot listen")):
        assert guarded(newsletter, ["-C", str(workspace), "serve", "--public", "--port", "0", "--host", host]) == 78
        assert words in capsys.readouterr().err


def test_it_listens_on_loopback_unless_told_otherwise(site: Served) -> None:
    assert site.url.startswith("http://127.0.0.1:")
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", site.port), 2)


def test_an_address_that_others_can_reach_is_told_about(workspace: Path) -> None:
    with serve(workspace, "--host", "0.0.0.0") as site:
        assert site.ask("/health").status == 200
        site.process.terminate()
        assert site.process.stderr is not None
        assert "without https" in site.process.stderr.read()


def test_ipv6_loopback_is_an_address_too(workspace: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serve(workspace, "--host", "::1") as site:
        assert site.url.startswith("http://[::1]:")
        connection = http.client.HTTPConnection("::1", site.port, timeout=20)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()


def test_missing_keys_or_a_wrong_configuration_stop_it_before_it_listens(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that could unsubscribe nobody is not served."""
    keys = workspace / ".newsletter" / "keys.json"
    keys.rename(keys.with_name("away"))
    assert guarded(newsletter, ["-C", str(workspace), "serve", "--public", "--port", "0"]) == 78
    keys.with_name("away").rename(keys)
    (workspace / "newsletter.toml").write_text("[publication]\nnam = 5\n")
    assert guarded(newsletter, ["-C", str(workspace), "serve", "--public", "--port", "0"]) == 78
    assert "newsletter.toml:2" in capsys.readouterr().err


def test_an_edit_of_the_configuration_shows_at_once_and_a_broken_one_changes_nothing(workspace: Path) -> None:
    config = workspace / "newsletter.toml"
    good = config.read_text()
    with serve(workspace) as site:
        assert "The Estuary Weekly" in site.ask("/u/x").text
        config.write_text(good.replace("The Estuary Weekly", "The Estuary Daily"))
        assert "The Estuary Daily" in site.ask("/u/x").text
        config.write_text("[publication")
        assert "The Estuary Daily" in site.ask("/u/x").text
        config.write_text(good.replace('theme = "weekly"', 'theme = "no-such-theme"'))
        page = site.ask("/u/x")
        assert page.status == 404 and "The Estuary Weekly" in page.text, "a theme that is gone takes no page away"


def test_without_a_site_it_says_that_no_mail_leads_here(workspace: Path) -> None:
    config = workspace / "newsletter.toml"
    config.write_text(config.read_text().replace('url = "https://estuary.example"', ""))
    with serve(workspace) as site:
        ada = site.reader("ada@readers.test")
        assert site.ask(ada.unsubscribe).status == 200
        site.process.terminate()
        assert site.process.stderr is not None
        assert "no mail links to these pages" in site.process.stderr.read()


def test_one_process_holds_few_files_open_however_many_ask(workspace: Path) -> None:
    """Connections of the database come from a pool, pictures are closed again."""
    with serve(workspace) as site:
        folder = Path(f"/proc/{site.process.pid}/fd")
        if not folder.is_dir():
            pytest.skip("no /proc here")
        ada = site.reader("fd@readers.test")
        name = next((site.root / ".newsletter" / "media").iterdir()).name

        def ask(path: str, do: Callable[[str], object]) -> None:
            for _ in range(15):
                do(path)

        def burst() -> int:
            paths = [ada.preferences, f"/m/{name}", "/v/2026-11-27", "/health", "/u/x"]
            threads = [threading.Thread(target=ask, args=(path, site.ask)) for path in paths]
            threads.append(threading.Thread(target=ask, args=(ada.unsubscribe, site.one_click)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            return len(list(folder.iterdir()))

        first = burst()
        assert burst() <= first + 10
