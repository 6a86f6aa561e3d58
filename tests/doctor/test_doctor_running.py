"""The database, the installation, cron and the last run."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import pytest

from newsletter.app.doctor import diagnose
from newsletter.app.doctor.facts import Facts
from newsletter.app.log import last_run, mark_run
from newsletter.delivery.installation import adopt
from newsletter.errors import RemoteError
from newsletter.store.engine import open_store
from newsletter.store.tables import mailing
from newsletter.workspace.paths import Workspace
from tests.doctor.conftest import NOW, Look, add_tool, configure

SMTP = '[provider]\nname = "smtp"\n[provider.smtp]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"'


def sql(ws: Workspace, statement: str) -> None:
    raw = sqlite3.connect(ws.database, isolation_level=None)
    raw.execute(statement)
    raw.close()


def schedule(ws: Workspace, issue: str = "2026-11-27", **changes: object) -> None:
    row = {
        "public_id": issue, "issue": issue, "digest": "d", "state": "scheduled", "provider": "smtp",
        "send_at": int(NOW) * 1_000_000, "local_time": "x", "zone": "UTC", "created_at": 1, **changes,
    }  # fmt: skip
    with open_store(ws.database) as store, store.write() as conn:
        conn.execute(mailing.insert().values(row))


# -- the database -----------------------------------------------------------------------------------------------


def test_no_database_yet_is_in_order_and_stays_so(look: Look, ws: Workspace) -> None:
    """Looking makes none."""
    ws.database.unlink()
    found = look()
    assert found["database"][0].state == "ok"
    assert "migrations" not in found
    assert not ws.database.exists()


def test_a_database_that_is_none_or_damaged_is_one_error(look: Look, ws: Workspace) -> None:
    """What needs it is looked at without it."""
    ws.database.write_bytes(b"no database at all, but long enough to look like a header" * 20)
    found = look()
    (probe,) = found["database"]
    assert (probe.state, "damaged" in probe.sentence, bool(probe.fix)) == ("error", True, True)
    assert [found[name][0].state for name in ("disk", "clock", "last-run")] == ["ok"] * 3
    assert "what waits for it cannot be told" in found["last-run"][0].sentence
    ws.database.unlink()
    sql(ws, "create table stranger (x)")
    (probe,) = look()["database"]
    assert (probe.state, "not a database of newsletter" in probe.sentence) == ("error", True)


def test_a_page_that_was_overwritten_is_found(look: Look, ws: Workspace) -> None:
    """By SQLite's own check, before a mailing stumbles over it."""
    sql(ws, "pragma wal_checkpoint(truncate)")
    data = bytearray(ws.database.read_bytes())
    data[-4096:] = b"\xff" * 4096
    ws.database.write_bytes(data)
    (probe,) = look()["database"]
    assert probe.state == "error"
    assert "damaged" in probe.sentence


@pytest.mark.parametrize(("revision", "state", "said"), [("0000", "warning", "older"), ("9999", "error", "newer")])
def test_tables_of_another_version(look: Look, ws: Workspace, revision: str, state: str, said: str) -> None:
    sql(ws, f"update alembic_version set version_num = '{revision}'")
    (probe,) = look()["migrations"]
    assert (probe.state, said in probe.sentence) == (state, True)


def test_a_journal_that_is_not_wal_is_a_warning(look: Look, ws: Workspace) -> None:
    sql(ws, "pragma journal_mode = delete")
    good, journal = look()["migrations"]
    assert (good.state, journal.state, "not WAL" in journal.sentence) == ("ok", "warning", True)


def test_a_check_that_does_not_end_is_unknown(look: Look, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.app.doctor.facts.DATABASE_SECONDS", -1.0)
    monkeypatch.setattr("newsletter.store.health._STEPS", 1)
    assert look()["database"][0].state == "unknown"


# -- the installation -------------------------------------------------------------------------------------------


def test_the_installation_that_may_send(look: Look, ws: Workspace) -> None:
    """The outbox asks for none; the first approval names one; a copy elsewhere is refused, with `adopt`."""
    assert "any copy" in look()["installation"][0].sentence
    configure(ws, more=SMTP)
    assert look()["installation"][0].sentence.startswith("no installation is named yet")
    with open_store(ws.database) as store:
        adopt(ws, store, actor="ada", now=1)
    assert "this is the installation that may send" in look()["installation"][0].sentence
    text = ws.config_file.read_text()
    ws.config_file.write_text(text.replace('sender_installation = "', 'sender_installation = "0'))
    (probe,) = look()["installation"]
    assert (probe.state, "newsletter adopt" in (probe.fix or "")) == ("error", True)
    ws.config_file.write_text(text)
    sql(ws, "update alembic_version set version_num = '0000'")
    assert look()["installation"][0].state == "unknown"


# -- cron -------------------------------------------------------------------------------------------------------


def test_without_cron_and_systemd_it_is_unknown(look: Look) -> None:
    """And the fix is the line for whatever runs things there."""
    (probe,) = look(environment={})["cron"]
    assert probe.state == "unknown"
    assert "run-due" in (probe.fix or "")


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("* * * * * {python} -m newsletter -C {root} run-due", "ok"),
        ("* * * * * cd {root} && {python} -m newsletter run-due", "ok"),
        ("* * * * * {python} -m newsletter --workspace={root} run-due >/dev/null", "ok"),
        ("* * * * * {python} -m newsletter -C '{root}/' run-due", "ok"),
        ("* * * * * cd {root};{python} -m newsletter run-due&& true", "ok"),
        ("* * * * * newsletter -C {root} run-due", "error"),
        ("* * * * * /nowhere/newsletter -C {root} run-due", "error"),
        ("PATH={bin}\n* * * * * newsletter -C {root} run-due", "ok"),
        ("# * * * * * {python} -m newsletter -C {root} run-due", "warning"),
        ("* * * * * {python} -m newsletter -C {root}/other run-due", "warning"),
        ("* * * * * {python} -m newsletter -C {root} status", "warning"),
        ("* * * * * echo 'odd", "warning"),
        ("", "warning"),
    ],
)
def test_a_line_of_the_crontab(look: Look, ws: Workspace, tools: Path, line: str, state: str) -> None:
    """It must be this workspace, run-due, and a command that cron's short PATH finds."""
    configure(ws, more=SMTP)
    add_tool(tools, "newsletter", "exit 0")
    table = tools.parent / "table"
    table.write_text(line.format(python=sys.executable, root=ws.root, bin=tools) + "\n")
    add_tool(tools, "crontab", f'[ "$1" = -l ] && /bin/cat {table}')
    (probe,) = look(environment={})["cron"]
    assert (probe.state, probe.fix is None) == (state, state == "ok")
    if probe.fix:
        assert f"-C {ws.root} run-due" in probe.fix


def test_a_workspace_with_a_blank_in_its_name(ws: Workspace, tools: Path) -> None:
    """Quoted or escaped, as a shell would read it."""
    from newsletter.app.doctor import running

    moved = Workspace(ws.root.rename(ws.root.with_name("my weekly")))
    for quoted in (f"'{moved.root}'", str(moved.root).replace(" ", "\\ ")):
        assert running._names_us(f"* * * * * newsletter -C {quoted} run-due", Facts(moved))
    assert not running._names_us("* * * * * newsletter -C /elsewhere run-due", Facts(moved))


def test_a_table_of_the_system_counts(look: Look, ws: Workspace, tmp_path: Path, tools: Path) -> None:
    """/etc/cron.d and /etc/crontab; a crontab command that fails is one without a crontab."""
    add_tool(tools, "crontab", "echo 'no crontab for ada' >&2; exit 1")
    folder = tmp_path / "etc" / "cron.d"
    folder.mkdir(parents=True)
    (folder / "letter").write_text(f"* * * * * ada {sys.executable} -m newsletter -C {ws.root} run-due\n")
    assert look(environment={})["cron"][0].sentence == f"{folder / 'letter'} runs it"


def test_nothing_runs_it(look: Look, ws: Workspace, tools: Path) -> None:
    """In order while mail goes into the outbox, a warning for a real provider, an error when a mailing waits."""
    add_tool(tools, "crontab", "exit 1")
    assert look(environment={})["cron"][0].state == "ok"
    configure(ws, more=SMTP)
    assert look(environment={})["cron"][0].state == "warning"
    schedule(ws)
    (probe,) = look(environment={})["cron"]
    assert (probe.state, (probe.fix or "").startswith("crontab -e, and add: * * * * * ")) == ("error", True)


def test_a_systemd_timer(look: Look, ws: Workspace, tmp_path: Path) -> None:
    """A unit alone runs nothing; a timer that is enabled does."""
    units = tmp_path / "etc" / "systemd"
    units.mkdir(parents=True)
    (units / "other.service").write_text("[Service]\nExecStart=/bin/true\n")
    service = f"[Service]\nWorkingDirectory={ws.root}\nExecStart=/usr/bin/newsletter run-due\n"
    (units / "letter.service").write_text(service)
    (probe,) = look(environment={})["cron"]
    assert (probe.state, probe.fix) == ("error", "systemctl enable --now letter.timer")
    (units / "letter.timer").write_text("[Timer]\nOnCalendar=minutely\n")
    assert look(environment={})["cron"][0].state == "error"
    (units / "timers.target.wants").mkdir()
    (units / "timers.target.wants" / "letter.timer").symlink_to(units / "letter.timer")
    assert look(environment={})["cron"][0].sentence == "letter.timer runs it"


# -- the last run -----------------------------------------------------------------------------------------------


def ran(ws: Workspace, seconds_ago: float, error: str | None = None) -> None:
    from newsletter.store.clock import from_us

    trace = {"at": from_us(int((NOW - seconds_ago) * 1_000_000)).isoformat(), "error": error}
    (ws.logs / "last-run.json").write_text(json.dumps(trace))


def test_a_run_that_never_was(look: Look, ws: Workspace) -> None:
    """It matters once a mailing waits for it."""
    assert look()["last-run"][0].state == "ok"
    schedule(ws)
    (probe,) = look()["last-run"]
    assert (probe.state, "2026-11-27 waits for it" in probe.sentence) == ("error", True)


@pytest.mark.parametrize(
    ("seconds", "waits", "state", "said"),
    [
        (40, True, "ok", "40 seconds ago; 2026-11-27 waits"),
        (14 * 60, True, "ok", "14 minutes ago"),
        (16 * 60, True, "error", "16 minutes ago"),
        (3 * 86_400, True, "error", "3 days ago"),
        (3 * 86_400, False, "ok", "3 days ago; nothing waits for it"),
        (3_700, False, "ok", "1 hour ago"),
        (-30, False, "ok", "0 seconds ago"),
    ],
)
def test_how_long_ago_it_ran(look: Look, ws: Workspace, seconds: float, waits: bool, state: str, said: str) -> None:
    """More than a quarter of an hour, while something waits: cron does not run."""
    ran(ws, seconds)
    if waits:
        schedule(ws)
    (probe,) = look()["last-run"]
    assert probe.state == state
    assert said in probe.sentence


def test_a_run_that_is_still_sending_is_not_stale(look: Look, ws: Workspace) -> None:
    """A systemd timer starts no second one meanwhile; the mailing's heartbeat says that it lives."""
    ran(ws, 3_600)
    schedule(ws, state="sending", heartbeat=int(NOW - 20) * 1_000_000)
    assert look()["last-run"][0].state == "ok"


def test_the_error_of_the_last_run_is_told(look: Look, ws: Workspace) -> None:
    ran(ws, 10, error="the mail server refuses …@mail.test")
    (probe,) = look()["last-run"]
    assert (probe.state, "ended with: the mail server refuses" in probe.sentence) == ("error", True)


@pytest.mark.parametrize("trace", [b"", b"[]", b'"x"', b'{"at": 7}', b'{"at": "2026-11-27T07:00:00"}', b"\xff", b"{}"])
def test_a_damaged_trace_is_none(ws: Workspace, trace: bytes) -> None:
    (ws.logs / "last-run.json").write_bytes(trace)
    assert last_run(ws) is None


def test_the_trace_has_no_address_and_needs_no_disk(ws: Workspace) -> None:
    """What a server quotes is taken out; a folder that cannot be written stops nobody."""
    mark_run(ws, RemoteError("ada@readers.test: refused"))
    found = last_run(ws)
    assert found is not None
    assert found.error == "…@readers.test: refused"
    (ws.logs / "last-run.json").unlink()
    ws.logs.rmdir()
    ws.logs.write_text("a file in its place")
    mark_run(ws)
    assert last_run(ws) is None


def test_the_exit_code_is_that_of_the_worst(ws: Workspace, dns_server) -> None:
    """Warnings and what is unknown are 0, an error is 1."""
    assert diagnose(Facts(ws, servers=[dns_server.address])).exit_code == 0
    ws.keys_file.chmod(0o644)
    assert diagnose(Facts(ws, servers=[dns_server.address])).exit_code == 1
