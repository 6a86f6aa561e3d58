"""``[alerts]``: who is told when an editor must act. Real servers on loopback, and the outbox."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


class Monitor(ThreadingHTTPServer):
    """Remembers (method, path, body) of each request and answers ``status``."""

    daemon_threads = True
    status = 200
    asked: list[tuple[str, str, bytes]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Monitor

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, body))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", f"{self.server.url}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def monitoring() -> Iterator[Monitor]:
    with Monitor(("127.0.0.1", 0), _Handler) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    with monitoring() as server:
        yield server


def configure(weekly: Path, lines: str) -> None:
    file = weekly / "newsletter.toml"
    file.write_text(file.read_text(encoding="utf-8") + f"\n[alerts]\n{lines}\n", encoding="utf-8")


def execute(weekly: Path, statement: str) -> None:
    with closing(sqlite3.connect(weekly / ".newsletter" / "newsletter.db")) as raw, raw:
        raw.execute(statement)


def alerts(weekly: Path) -> list[Any]:
    """The alert mails in the outbox."""
    files = sorted((weekly / ".newsletter" / "outbox" / "new").glob("*"), key=lambda file: file.stat().st_mtime_ns)
    mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return [mail for mail in mails if mail["Subject"].startswith("[ALERT]")]


def logged(weekly: Path) -> list[dict[str, Any]]:
    lines = (weekly / ".newsletter" / "logs" / "run-due.jsonl").read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == "alert"]


@pytest.fixture
def late(run: Run, weekly: Path, issue: str, readers: int) -> str:
    """An approved issue that is four hours late."""
    run("approve", issue, "--send-at", "now")
    execute(weekly, "update mailing set send_at = send_at - 4 * 3600000000")
    return issue


def test_a_held_mailing_is_told_once_to_everybody_named(run: Run, weekly: Path, late: str, monitor: Monitor) -> None:
    """One mail to each address, one POST, with what to do; not again at the next minute; outside the ledger."""
    configure(weekly, f'to = ["ada@desk.test", "bo@desk.test"]\nwebhook = "{monitor.url}/hook?token=x"')
    run("run-due", code=1)
    mails = alerts(weekly)
    assert sorted(mail["To"] for mail in mails) == ["ada@desk.test", "bo@desk.test"]
    assert mails[0]["Subject"].startswith(f"[ALERT] {late} is held: late: it was due 4 h ago")
    text = mails[0].get_body(("plain",)).get_content()
    assert f"newsletter resume {late}, or newsletter cancel {late}" in text
    ((method, path, body),) = monitor.asked
    assert (method, path) == ("POST", "/hook?token=x")
    told = json.loads(body)
    assert (told["schema"], told["kind"], told["issue"]) == ("newsletter/alert/1", "held", late)
    assert "newsletter resume" in told["fix"]
    run("run-due")
    assert (len(alerts(weekly)), len(monitor.asked)) == (2, 1)
    assert run("status", late, "--json").json["planned"] is None, "an alert is no delivery"
    assert [line["ok"] for line in logged(weekly)] == [True, True]
    assert "token" not in json.dumps(logged(weekly))


def test_what_changes_or_comes_back_is_told_again(run: Run, weekly: Path, late: str) -> None:
    """Another reason is news; so is the same one after it was settled."""
    configure(weekly, 'to = ["ada@desk.test"]')
    run("run-due", code=1)
    execute(weekly, "update mailing set reason = 'guard: the bytes were changed'")
    run("run-due")
    assert "the bytes were changed" in alerts(weekly)[1]["Subject"]
    execute(weekly, "update mailing set state = 'cancelled', finished_at = 1")
    run("run-due")
    execute(weekly, "update mailing set state = 'held', finished_at = null")
    run("run-due")
    assert len(alerts(weekly)) == 3


def test_failed_and_uncertain_deliveries_are_told_when_the_mailing_has_ended(
    run: Run, weekly: Path, issue: str, readers: int, monitor: Monitor
) -> None:
    """One alert for each of the two, without anybody's address; a mailing that went well is none."""
    configure(weekly, f'webhook = "{monitor.url}/hook"')
    run("approve", issue, "--send-at", "now")
    run("run-due")
    assert monitor.asked == []
    execute(weekly, "update delivery set state = 'uncertain' where id = 1")
    execute(weekly, "update delivery set state = 'failed', reason = 'ada@readers.test refused' where id = 2")
    run("run-due")
    told = {json.loads(body)["kind"]: json.loads(body) for _, _, body in monitor.asked}
    assert told["uncertain"]["text"].startswith(f"{issue}: 1 delivery uncertain – newsletter reconcile {issue}")
    assert told["failed"]["text"].startswith(f"{issue}: 1 delivery failed")
    assert "readers.test" not in repr(monitor.asked)


def test_who_pauses_by_hand_is_not_told_so(run: Run, weekly: Path, late: str) -> None:
    """A pause that no person gave is told, with the reader's address taken out of a server's words."""
    configure(weekly, 'to = ["desk@breakwater.test"]')
    execute(weekly, "update mailing set state = 'paused', reason = 'paused by maren'")
    run("run-due")
    assert alerts(weekly) == []
    execute(weekly, "update mailing set reason = 'the server refused <cy@readers.test>'")
    run("run-due")
    (mail,) = alerts(weekly)
    assert "the server refused <…@readers.test>" in mail["Subject"]
    assert "cy@" not in mail.as_string()


@pytest.mark.parametrize("status", [500, 302])
def test_a_webhook_that_fails_is_tried_five_times_and_changes_nothing(
    run: Run, weekly: Path, late: str, monitor: Monitor, status: int
) -> None:
    """Redirected or broken: in the log, no error of run-due, and not for ever; the mail goes once all the same."""
    monitor.status = status
    configure(weekly, f'to = ["ada@desk.test"]\nwebhook = "{monitor.url}/hook"')
    run("run-due", code=1)
    for _ in range(7):
        run("run-due")
    assert [path for _, path, _ in monitor.asked] == ["/hook"] * 5
    assert len(alerts(weekly)) == 1
    assert sum(not line["ok"] for line in logged(weekly)) == 5


def test_nobody_listens_and_the_mailing_goes_out(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """A closed port for both: every reader is served."""
    with monitoring() as gone:
        url = gone.url
    configure(weekly, f'webhook = "{url}/hook"\nheartbeat = "{url}/beat"')
    run("approve", issue, "--send-at", "now")
    run("run-due")
    assert run("status", issue, "--json").json["counts"] == {"submitted": readers}


def test_the_heartbeat_says_begin_and_end(run: Run, weekly: Path, late: str, monitor: Monitor) -> None:
    """/start, then the exit code of the very process."""
    configure(weekly, f'heartbeat = "{monitor.url}/ping/weekly/"')
    run("run-due", code=1)
    run("run-due", code=0)
    assert [path for _, path, _ in monitor.asked] == [
        f"/ping/weekly/{word}" for word in ("start", "1", "start", "0")
    ]  # fmt: skip
    execute(weekly, "update mailing set state = 'scheduled', reason = 'released'")
    configuration = (weekly / "newsletter.toml").read_text(encoding="utf-8")
    assert "[provider]" in configuration
    (weekly / "newsletter.toml").write_text(configuration.replace('name = "outbox"', 'name = "smtp"'), encoding="utf-8")
    code = run("run-due", code=None).code
    assert code == 78
    assert monitor.asked[-1][1] == f"/ping/weekly/{code}"


@pytest.mark.parametrize(
    "line", ['to = ["nobody"]', 'webhook = "hooks.test"', 'heartbeat = "ftp://x"', 'webhook = "https://a b"']
)
def test_what_cannot_be_told_is_refused_when_it_is_written(run: Run, weekly: Path, line: str) -> None:
    """A mistyped address would be found on the day of the trouble."""
    configure(weekly, line)
    assert f"alerts.{line.split()[0]}" in run("next", code=78).err


HOUR = 3_600_000_000


def ended(run: Run, weekly: Path, issue: str, hours: int) -> None:
    """A mailing that ended so many hours ago, with a delivery of which nobody knows."""
    run("approve", issue, "--send-at", "now")
    run("run-due")
    execute(weekly, f"update mailing set finished_at = finished_at - {hours} * {HOUR}")
    execute(weekly, "update delivery set state = 'uncertain' where id = 1")


def test_an_end_that_nobody_noticed_for_days_is_told_once(
    run: Run, weekly: Path, issue: str, readers: int, monitor: Monitor
) -> None:
    """Sent by hand while cron was away: the first run-due says it, no later one does, also when a number changes."""
    ended(run, weekly, issue, 50)
    configure(weekly, f'webhook = "{monitor.url}/hook"')
    run("run-due")
    assert [json.loads(body)["kind"] for _, _, body in monitor.asked] == ["uncertain"]
    execute(weekly, "update delivery set state = 'uncertain' where id = 2")
    for _ in range(3):
        run("run-due")
    assert len(monitor.asked) == 1


def test_an_end_that_does_not_get_through_is_kept_for_the_next_runs(
    run: Run, weekly: Path, issue: str, readers: int, monitor: Monitor
) -> None:
    """The mailing is looked at until it is told, however long ago it ended."""
    ended(run, weekly, issue, 50)
    configure(weekly, f'webhook = "{monitor.url}/hook"')
    monitor.status = 500
    run("run-due")
    run("run-due")
    monitor.status = 200
    for _ in range(3):
        run("run-due")
    assert len(monitor.asked) == 3
    assert [line["ok"] for line in logged(weekly)] == [False, False, True]


def test_a_mailing_that_was_opened_again_is_told_at_its_new_end(
    run: Run, weekly: Path, issue: str, readers: int, monitor: Monitor
) -> None:
    """Sent again by the editor's word, and uncertain once more: that is news."""
    ended(run, weekly, issue, 50)
    configure(weekly, f'webhook = "{monitor.url}/hook"')
    run("run-due")
    run("reconcile", issue, "--send-again", "all")
    run("run-due")
    assert len(monitor.asked) == 1
    execute(weekly, "update delivery set state = 'uncertain' where id = 1")
    run("run-due")
    assert len(monitor.asked) == 2


def test_a_mailing_of_last_year_is_no_news(run: Run, weekly: Path, issue: str, readers: int, monitor: Monitor) -> None:
    """Whoever configures alerts is not told of everything that ever was."""
    ended(run, weekly, issue, 24 * 365)
    configure(weekly, f'webhook = "{monitor.url}/hook"')
    run("run-due")
    assert monitor.asked == []


def test_a_domain_that_is_waited_for_is_told_while_the_mailing_goes_on(
    run: Run, weekly: Path, issue: str, readers: int, monitor: Monitor
) -> None:
    """Once for each domain, with the reason; not again when the mailing has ended."""
    from newsletter.delivery.causes import standing
    from newsletter.store.engine import open_store

    configure(weekly, f'webhook = "{monitor.url}/hook"')
    run("approve", issue, "--send-at", "now")
    # Under way, and nothing to do for this run: the only one left is put off for hours.
    execute(weekly, "update mailing set state = 'sending', planned = 1, planned_at = send_at, date_header = send_at")
    execute(
        weekly,
        "insert into delivery (public_id, mailing_id, subscriber_id, address, attributes, state, tries, updated_at,"
        " next_try_at) select hex(randomblob(16)), m.id, s.id, s.address, '{}', 'retry_wait', 1, m.send_at,"
        f" m.send_at + 5 * {HOUR} from mailing m, subscriber s limit 1",
    )
    execute(
        weekly,
        "insert into mailbox_domain (mailing_id, domain, delivered, refused, unknown, paused_at, reason)"
        " select id, 'big.test', 0, 9, 0, send_at, 'it refused 9 mails by its policy, 0 arrived' from mailing",
    )
    run("run-due")
    run("run-due")
    (told,) = [json.loads(body) for _, _, body in monitor.asked]
    assert (told["kind"], told["issue"]) == ("domain", issue)
    assert "goes on without big.test: it refused 9 mails by its policy" in told["text"]
    execute(weekly, "update mailing set state = 'completed', finished_at = 1")
    with open_store(weekly / ".newsletter" / "newsletter.db") as store:
        assert standing(store, 0) == []


def test_within_the_hour_a_number_that_changes_is_not_told_again(
    run: Run, weekly: Path, issue: str, readers: int, monitor: Monitor
) -> None:
    """Whoever reconciles one by one gets no mail for each."""
    ended(run, weekly, issue, 0)
    execute(weekly, "update delivery set state = 'uncertain' where id = 2")
    configure(weekly, f'webhook = "{monitor.url}/hook"')
    run("run-due")
    run("reconcile", issue, "--went-out", "ada@readers.test", code=1)
    run("run-due")
    assert len(monitor.asked) == 1


def test_what_was_told_is_not_counted_every_minute_for_a_month(
    run: Run, weekly: Path, issue: str, readers: int, monitor: Monitor
) -> None:
    """Counting the rows of a large mailing costs seconds."""
    from newsletter.delivery.causes import standing
    from newsletter.store.clock import now_us
    from newsletter.store.engine import open_store

    ended(run, weekly, issue, 2)
    with open_store(weekly / ".newsletter" / "newsletter.db") as store:
        assert [cause.kind for cause in standing(store, now_us())] == ["uncertain"]
    configure(weekly, f'webhook = "{monitor.url}/hook"')
    run("run-due")
    with open_store(weekly / ".newsletter" / "newsletter.db") as store:
        assert standing(store, now_us()) == []
