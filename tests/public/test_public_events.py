"""The event webhook over HTTP: signed calls count once, forged ones not at all, nothing big or strange does harm."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.desk import open_desk
from newsletter.app.mailings import issue_status
from newsletter.app.send import run_due, send_issue
from newsletter.store.clock import now_us
from tests.public.kit import Answer, Reader, Served, inside, reader, serve
from tests.webhooks import Signer

ISSUE = "2026-11-27"
PATH = "/events/sendgrid"


@pytest.fixture(scope="module")
def sent(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, dict[str, Reader]]]:
    """A server on a workspace whose issue was sent to a dozen readers."""
    root = Path(shutil.copytree(pristine, tmp_path_factory.mktemp("events") / "ws"))
    readers = {name: reader(root, f"{name}@mail{n}.test") for n, name in enumerate("abcdefghijkl")}
    with open_desk(root) as desk:
        assert send_issue(desk, ISSUE).state == "completed"
    with inside(root) as site:
        yield site, readers


def key_of(site: Served, who: Reader) -> str:
    return str(
        site.rows(
            "select d.public_id from delivery d join subscriber s on s.id = d.subscriber_id"
            f" where s.public_id = '{who.public_id}'"
        )[0][0]
    )


Post = Callable[..., Answer]


@pytest.fixture
def post(sent: tuple[Served, dict[str, Reader]], signer: Signer) -> Post:
    def call(events: Any, *, at: float | None = None, path: str = PATH) -> Answer:
        raw = events if isinstance(events, bytes) else json.dumps(events).encode()
        return sent[0].ask(path, method="POST", body=raw, headers=signer.headers(raw, at))

    return call


def event(key: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"delivery": key, "event": kind, "timestamp": now_us() // 1_000_000, **more}


def test_a_signed_call_is_recorded_and_answered_with_nothing(sent: Any, post: Post) -> None:
    site, readers = sent
    key = key_of(site, readers["a"])
    answer = post([event(key, "delivered", response="250 OK")])
    assert (answer.status, answer.body) == (204, b"")
    assert site.rows(
        f"select kind from event e join delivery d on d.id = e.delivery_id where d.public_id = '{key}'"
    ) == [("delivered",)]


def test_a_replay_changes_nothing(sent: Any, post: Post) -> None:
    """The same call again, and the same event in another call: one row, one suppression, one line in the log."""
    site, readers = sent
    who = readers["b"]
    gone = event(key_of(site, who), "unsubscribe")
    for batch in ([gone], [gone], [gone, gone]):
        assert post(batch).status == 204
    assert site.log(who)[1:] == [("unsubscribed", "the reader's wish", site.log(who)[1][2])]
    assert site.log(who)[1][2].startswith("sendgrid event, mailing ")
    site.press(who.preferences, "subscribe")
    assert site.status(who) == "subscribed"
    assert post([gone]).status == 204
    assert site.status(who) == "subscribed", (
        "an old call that somebody repeats does not undo what the reader said since"
    )


def test_bounces_and_complaints_reach_the_audience(sent: Any, post: Post) -> None:
    site, readers = sent
    answer = post(
        [
            event(key_of(site, readers["c"]), "bounce", type="bounce", reason="550 5.1.1 No such user"),
            event(key_of(site, readers["d"]), "bounce", type="blocked", reason="550 5.1.1 No such user"),
            event(key_of(site, readers["e"]), "spamreport"),
        ]
    )
    assert answer.status == 204
    assert "We no longer write to" in site.ask(readers["c"].preferences).text
    assert "You are subscribed" in site.ask(readers["d"].preferences).text
    assert "We no longer write to" in site.ask(readers["e"].preferences).text
    assert site.status(readers["e"]) == "unsubscribed"


@pytest.mark.parametrize("name", ["nobody", "foreign"])
def test_events_of_other_mails_are_taken_and_forgotten(sent: Any, post: Post, name: str) -> None:
    """An account may send other things; refusing their events would make SendGrid repeat ours too."""
    before = sent[0].rows("select count(*) from event")
    more = {} if name == "nobody" else {"delivery": "ab" * 16}
    assert post([{"event": "delivered", "timestamp": 1_700_000_000, "email": "x@y.example", **more}]).status == 204
    assert post([{"event": "made up", "timestamp": 1}, {}, {"delivery": {"a": [1]}}]).status == 204
    assert post([]).status == 204
    assert sent[0].rows("select count(*) from event") == before


def test_forged_calls_are_403_and_change_nothing(sent: Any, signer: Signer) -> None:
    """No signature, somebody else's, another body, another time, too old, from the future, a flipped bit."""
    site, readers = sent
    who = readers["f"]
    raw = json.dumps([event(key_of(site, who), "spamreport")]).encode()
    good = signer.headers(raw)
    name, stamp = "X-Twilio-Email-Event-Webhook-Signature", "x-twilio-email-event-webhook-timestamp"
    flipped = good[name][:20] + ("A" if good[name][20] != "A" else "B") + good[name][21:]
    forged: list[tuple[bytes, dict[str, str]]] = [
        (raw, {}),
        (raw, {name: good[name]}),
        (raw, {stamp: good[stamp]}),
        (raw, Signer().headers(raw)),
        (raw + b" ", good),
        (raw[:-1], good),
        (raw, {**good, stamp: str(int(good[stamp]) + 1)}),
        (raw, {**good, stamp: "0"}),
        (raw, {**good, stamp: "9" * 12}),
        (raw, {**good, stamp: "-1"}),
        (raw, {**good, name: flipped}),
        (raw, {**good, name: "A" * 8000}),
        (raw, {**good, name: "\x7f"}),
        (raw, signer.headers(raw, time.time() - 26 * 3600)),
        (raw, signer.headers(raw, time.time() + 3600)),
    ]
    for body, headers in forged:
        answer = site.ask(PATH, method="POST", body=body, headers=headers)
        assert answer.status == 403, headers
        assert answer.text == "Forbidden\n"
    assert site.status(who) == "subscribed"
    assert site.ask(PATH, method="POST", body=raw, headers=good).status == 204
    assert site.status(who) == "unsubscribed", "the very same call with its own signature counts"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[5]", b"\xff\xfe", b"[" * 200_000, b'[{"a":' * 100_000, b"[" + b"9" * 10_000 + b"]", b'[{"event":1'],
    ids=["empty", "object", "number", "no text", "deep", "deep objects", "long number", "cut off"],
)  # fmt: skip
def test_signed_nonsense_is_400(post: Post, raw: bytes) -> None:
    """A JSON bomb among them; the server goes on."""
    assert post(raw).status == 400
    assert post([]).status == 204


def test_a_body_that_is_too_big_is_refused_before_it_is_there(sent: Any, signer: Signer) -> None:
    """By what it says of itself, and by what comes when it says nothing."""
    site, _ = sent
    raw = b"[" + b" " * (5 * 1024 * 1024)
    with socket.create_connection(("127.0.0.1", site.port), 20) as connection:
        connection.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")
    with socket.create_connection(("127.0.0.1", site.port), 20) as connection:
        connection.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
        answer = b""
        try:
            for _ in range(30):
                connection.sendall(chunk)
        except OSError:
            pass  # it closed while we were still writing
        try:
            answer = connection.recv(1000)
        except ConnectionResetError:
            answer = b"HTTP/1.1 413 "  # reset before we could read: refused all the same
        assert answer.startswith(b"HTTP/1.1 413 ")
    just = b"[" + b" " * (5 * 1024 * 1024 - 2) + b"]"
    assert site.ask(PATH, method="POST", body=just, headers=signer.headers(just)).status == 204


def test_a_body_that_breaks_off_is_nothing(sent: Any, signer: Signer) -> None:
    """The connection ends in the middle of a signed call."""
    site, readers = sent
    raw = json.dumps([event(key_of(site, readers["g"]), "spamreport")]).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in signer.headers(raw).items())
    with socket.create_connection(("127.0.0.1", site.port), 20) as connection:
        start = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(raw)}\r\n\r\n".encode()
        connection.sendall(start + raw[: len(raw) // 2])
    assert site.ask("/health").status == 200
    assert site.status(readers["g"]) == "subscribed"


def test_large_bodies_that_nobody_signed_do_not_fill_the_memory(
    workspace: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Together they get so much room and no more; it is free again when they are gone."""
    from newsletter.web import public as pages

    monkeypatch.setattr(pages, "ROOM_BYTES", 300_000)
    with inside(workspace) as site:
        holding = []
        for _ in range(2):
            connection = socket.create_connection(("127.0.0.1", site.port), 20)
            connection.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n".encode())
            connection.sendall(b" " * 140_000)
            holding.append(connection)
        raw = b"[" + b" " * 100_000 + b"]"
        deadline = time.monotonic() + 10
        while site.ask(PATH, method="POST", body=raw, headers=signer.headers(raw)).status != 503:
            assert time.monotonic() < deadline
        for connection in holding:
            connection.close()
        while site.ask(PATH, method="POST", body=raw, headers=signer.headers(raw)).status != 204:
            assert time.monotonic() < deadline


def test_whoever_is_not_the_provider_here_is_404(sent: Any, post: Post) -> None:
    """Also the ones that have no events, and a GET."""
    for provider in ("smtp", "outbox", "postmark", "..", "%00", "a" * 500):
        assert post([], path=f"/events/{provider}").status == 404
    answer = sent[0].ask(PATH)
    assert (answer.status, answer.headers["allow"]) == (405, "POST, OPTIONS")


def test_without_a_key_or_with_a_busy_database_the_provider_is_asked_to_come_again(
    workspace: Path, signer: Signer
) -> None:
    """503 in both cases: the events are kept over there until it is put right."""
    raw = b"[" + json.dumps({"delivery": "ab" * 16, "event": "open", "timestamp": 1_700_000_000}).encode() + b"]"
    config = workspace / "newsletter.toml"
    good = config.read_text()
    with serve(workspace) as site:
        config.write_text(good.replace(f'webhook_key = "{signer.public}"', ""))
        answer = site.ask(PATH, method="POST", body=raw, headers=signer.headers(raw))
        assert (answer.status, answer.headers["retry-after"]) == (503, "30")
        config.write_text(good.replace(signer.public, "bm8ga2V5"))
        assert site.ask(PATH, method="POST", body=raw, headers=signer.headers(raw)).status == 503
        config.write_text(good)
        assert site.ask(PATH, method="POST", body=raw, headers=signer.headers(raw)).status == 204
        held, free = threading.Event(), threading.Event()

        def hold() -> None:
            with site.store.write():
                held.set()
                free.wait(30)

        holder = threading.Thread(target=hold)
        holder.start()
        try:
            assert held.wait(10)
            assert site.ask(PATH, method="POST", body=raw, headers=signer.headers(raw)).status == 503
        finally:
            free.set()
            holder.join(10)
        assert site.ask(PATH, method="POST", body=raw, headers=signer.headers(raw)).status == 204
        site.process.terminate()
        assert site.process.stderr is not None
        said = site.process.stderr.read()
    assert "there is no key to verify SendGrid's events with" in said
    assert "not a public key" in said
    assert "Traceback" not in said


def test_the_key_may_come_from_the_environment_and_the_key_to_send_with_is_not_needed(
    workspace: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = workspace / "newsletter.toml"
    config.write_text(config.read_text().replace(f'"{signer.public}"', '{env = "WEBHOOK_KEY"}'))
    monkeypatch.setenv("WEBHOOK_KEY", signer.public)
    monkeypatch.delenv("SENDGRID_API_KEY", raising=False)
    with serve(workspace) as site:
        assert site.ask(PATH, method="POST", body=b"[]", headers=signer.headers(b"[]")).status == 204


def test_a_domain_that_waits_is_told_in_the_log_and_in_status(workspace: Path, signer: Signer) -> None:
    """For whoever has to act: which domain, and what its server said; no address."""
    who = reader(workspace, "ada@strict.test")
    with open_desk(workspace) as desk:
        send_issue(desk, ISSUE)
        with inside(workspace) as site:
            refused = event(
                key_of(site, who), "bounce", type="blocked", status="5.7.26", reason="550 5.7.26 ada@strict.test: DMARC"
            )
            raw = json.dumps([refused]).encode()
            assert site.ask(PATH, method="POST", body=raw, headers=signer.headers(raw)).status == 204
            assert "You are subscribed" in site.ask(who.preferences).text
        (line,) = [
            json.loads(text)
            for text in (workspace / ".newsletter" / "logs" / "run-due.jsonl").read_text().splitlines()
            if "domains-paused" in text
        ]
        assert line["domains"] == ["strict.test: it refuses this sender: 550 5.7.26 …@strict.test: DMARC"]
        assert "ada" not in json.dumps(line)
        row = issue_status(desk, ISSUE)
        assert row.as_row()["events"] == {"blocked": 1}
        assert row.as_row()["paused_domains"][0]["domain"] == "strict.test"
        said = "\n".join(row.lines())
    assert "the provider says: 1 blocked" in said
    assert "strict.test waits: it refuses this sender" in said


def test_complaints_by_webhook_stop_a_mailing_whose_canary_waits(
    pristine: Path, tmp_path: Path, signer: Signer
) -> None:
    """Signed calls over HTTP: two complaints are chance, the third pauses; nobody but the canary was mailed."""
    root = Path(shutil.copytree(pristine, tmp_path / "ws"))
    config = root / "newsletter.toml"
    config.write_text(f"{config.read_text(encoding='utf-8')}\n[schedule]\ncanary = 20\n", encoding="utf-8")
    for n in range(30):
        reader(root, f"r{n}@mail{n % 3}.test")
    with open_desk(root) as desk:
        (run,) = run_due(desk).runs
        assert (run.state, run.counts["submitted"]) == ("sending", 20)
    with inside(root) as site:
        keys = [str(key) for (key,) in site.rows("select public_id from delivery where state = 'submitted'")]

        def post(*events: dict[str, Any]) -> int:
            raw = json.dumps(events).encode()
            return site.ask(PATH, method="POST", body=raw, headers=signer.headers(raw)).status

        assert post(*(event(key, "delivered") for key in keys)) == 204
        assert post(event(keys[0], "spamreport"), event(keys[1], "spamreport"), event(keys[1], "spamreport")) == 204
        assert site.rows("select state from mailing") == [("sending",)]
        assert post(event(keys[2], "spamreport")) == 204
        ((state, reason),) = site.rows("select state, reason from mailing")
        assert state == "paused"
        assert "3 complaints of spam, 15.00% of 20 mails that arrived" in str(reason)
    with open_desk(root) as desk:
        assert run_due(desk).runs == []
        assert "paused" in issue_status(desk, ISSUE).lines()[0]
