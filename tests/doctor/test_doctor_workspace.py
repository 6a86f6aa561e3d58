"""The workspace, the configuration, the secrets."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from newsletter.app.doctor import diagnose
from newsletter.app.doctor.facts import Facts
from newsletter.app.doctor.probe import Look as Looking
from newsletter.app.doctor.probe import Told, looked_at, within
from newsletter.workspace.paths import Workspace
from tests.doctor.conftest import Look, add_tool, configure

SMTP = '[provider]\nname = "smtp"\n[provider.smtp]\nhost = "127.0.0.1"\nport = {0}\nsecurity = "none"\n{1}'
CANARY = "hunter2-canary-7f3a"


def git(root: Path, *arguments: str) -> None:
    command = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b.test", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def test_an_inbox_that_the_search_does_not_know_is_said(look: Look, ws: Workspace) -> None:
    """In order; a story written past our code; a stranger in the index. Looking mends nothing."""
    (probe,) = look()["inbox"]
    assert (probe.state, probe.sentence) == ("ok", "0 stories in the inbox, each of them in the search")
    columns = "(slug, headline, document, content_key, title_key, added_at) values ('a', 'a', '', 'k', 't', 0)"
    with sqlite3.connect(ws.database) as raw:
        raw.execute(f"insert into article {columns}")
    raw.close()
    for _ in range(2):
        (probe,) = look()["inbox"]
        assert (probe.state, probe.sentence) == ("warning", "1 story of the inbox cannot be found yet")
    with sqlite3.connect(ws.database) as raw:
        raw.execute("insert into article_search (rowid, headline) values (8, 'x'), (9, 'y')")
    raw.close()
    (probe,) = look()["inbox"]
    assert (probe.state, probe.fix) == ("warning", "newsletter article reindex")


# -- the workspace ----------------------------------------------------------------------------------------------


def test_a_sound_workspace_has_nothing_but_ok(look: Look) -> None:
    """Apart from what no test can have: cron, a synchronised clock, a domain."""
    found = look()
    expected = ["config", "state", "outbox", "git", "sender", "site", "postal-address", "images", "provider", "keys"]
    assert {name: [p.state for p in found[name]] for name in expected} == {name: ["ok"] for name in expected}
    assert not [p for probes in found.values() for p in probes if p.state == "error"]


def test_a_broken_configuration_is_one_error_and_not_twenty(look: Look, ws: Workspace) -> None:
    """What needs it is left out, what does not is looked at."""
    ws.config_file.write_text("[publication\n")
    found = look()
    (probe,) = found["config"]
    assert probe.state == "error"
    assert "newsletter.toml:1: this is not TOML" in probe.sentence
    assert probe.fix
    assert {"python", "disk", "state", "git", "keys", "database", "last-run"} <= set(found)
    assert not {"sender", "provider", "spf", "zone"} & set(found)
    assert [p.state for probes in found.values() for p in probes].count("error") == 1
    assert diagnose(Facts(ws)).exit_code == 78


def test_looking_changes_no_file(look: Look, ws: Workspace) -> None:
    """Not in the workspace, not even the time of one, and no new one."""

    def files() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_mode) for path in ws.root.rglob("*")}

    shutil.rmtree(ws.logs)
    before = files()
    look()
    assert {path: state for path, state in files().items() if path.is_file()} == {
        path: state for path, state in before.items() if path.is_file()
    }
    assert files().keys() == before.keys()


def test_other_accounts_may_not_look_into_the_state(look: Look, ws: Workspace) -> None:
    ws.state.chmod(0o755)
    (probe,) = look()["state"]
    assert (probe.state, probe.fix) == ("warning", f"chmod 700 {ws.state}")
    shutil.rmtree(ws.state)
    assert look()["state"][0].state == "ok"
    ws.state.write_text("x")
    assert look()["state"][0].fix == f"move it away: mv {ws.state} {ws.state}.old"


def test_an_outbox_that_cannot_be_written(look: Look, ws: Workspace) -> None:
    """A file stands in its way."""
    configure(ws, more='[provider.outbox]\npath = "issue.txt/outbox"')
    (ws.root / "issue.txt").write_text("x")
    (probe,) = look()["outbox"]
    assert probe.state == "error"
    assert "cannot be written into" in probe.sentence


def test_git_that_keeps_the_state_is_an_error(look: Look, ws: Workspace) -> None:
    """It holds addresses and keys; what `init` wrote keeps them out."""
    assert look()["git"][0].sentence == "the workspace is not in git"
    git(ws.root, "init", "-q")
    git(ws.root, "add", "-A")
    assert [p.state for p in look()["git"]] == ["ok"]
    git(ws.root, "add", "-f", ".newsletter/keys.json")
    (probe,) = look()["git"]
    assert (probe.state, probe.sentence) == ("error", "git keeps 1 files of .newsletter: addresses and keys")
    assert "git rm -r --cached .newsletter" in (probe.fix or "")


def test_lines_for_git_that_are_missing_are_named(look: Look, ws: Workspace) -> None:
    git(ws.root, "init", "-q")
    (ws.root / ".gitignore").write_text(".newsletter/\n")
    (ws.root / ".gitattributes").unlink()
    ignore, attributes = look()["git"]
    assert (ignore.state, ignore.fix) == ("warning", f"add to {ws.root / '.gitignore'}: *.rejected.csv")
    assert "line ends of approved bytes" in attributes.sentence


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'fatal: detected dubious ownership' >&2; exit 128", "git refuses: fatal: detected dubious ownership"),
        ("exit 1", "no reason"),
    ],
)
def test_a_git_that_refuses_is_unknown(look: Look, tools: Path, script: str, said: str) -> None:
    add_tool(tools, "git", script)
    (probe,) = look()["git"]
    assert probe.state == "unknown"
    assert said in probe.sentence


def test_without_git_nothing_is_known_of_it(look: Look) -> None:
    (probe,) = look(environment={})["git"]
    assert (probe.state, "not installed" in probe.sentence) == ("unknown", True)


# -- the configuration ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("provider", "state"), [("", "warning"), ('[provider]\nname = "sendgrid"', "error")])
def test_what_a_real_mailing_is_refused_for_is_said_before(
    look: Look, ws: Workspace, provider: str, state: str
) -> None:
    """A warning while mail goes into the outbox, an error for a provider that reaches readers."""
    text = f'[publication]\nname = "B"\n[sender]\nemail = "a@example.com"\n{provider}\n'
    ws.config_file.write_text(text)
    found = look()
    for name, word in (("sender", "placeholder"), ("site", "https"), ("postal-address", "postal")):
        (probe,) = found[name]
        assert probe.state == state
        assert word in probe.sentence
        assert "newsletter.toml" in (probe.fix or "")


def test_pictures_inside_the_mail_are_for_few_readers(look: Look, ws: Workspace) -> None:
    from newsletter.store.engine import open_store
    from newsletter.store.tables import subscriber

    configure(ws, more='[images]\ndelivery = "embedded"')
    assert look()["images"][0].state == "ok"
    rows = [
        {"public_id": f"{n:032x}", "address": f"{n}@r.test", "address_key": f"{n}@r.test", "status": "subscribed",
         "created_at": 1, "updated_at": 1}
        for n in range(51)
    ]  # fmt: skip
    with open_store(ws.database) as store, store.write() as conn:
        conn.execute(subscriber.insert(), rows)
    (probe,) = look()["images"]
    assert (probe.state, "51 readers" in probe.sentence) == ("warning", True)


def test_test_receivers_are_counted(look: Look, ws: Workspace) -> None:
    assert "--to" in look()["test-receivers"][0].sentence
    configure(ws, more='[test]\nto = ["a@b.test", "c@d.test"]')
    assert look()["test-receivers"][0].sentence == "tests go to 2 addresses"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[provider]\nname = "pigeon"', 'there is no provider "pigeon"'),
        ('[provider]\nname = "smtp"', "no [provider.smtp] table"),
    ],
)
def test_a_provider_that_is_not_there_or_lacks_its_table(look: Look, ws: Workspace, more: str, said: str) -> None:
    configure(ws, more=more)
    (probe,) = look()["provider"]
    assert (probe.state, said in probe.sentence, bool(probe.fix)) == ("error", True, True)


def test_a_mail_server_that_refuses_is_an_error(look: Look, ws: Workspace) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configure(ws, more=SMTP.format(port, ""))
    (probe,) = look()["provider"]
    assert (probe.state, probe.sentence.startswith("smtp: The mail server")) == ("error", True)


def test_a_mail_server_that_says_nothing_is_not_waited_for(
    look: Look, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It accepts the connection and is silent; whether it works nobody knows."""
    monkeypatch.setattr("newsletter.app.doctor.configuration.PROVIDER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        configure(ws, more=SMTP.format(server.getsockname()[1], "timeout = 30.0"))
        (probe,) = look()["provider"]
    assert (probe.state, probe.sentence) == ("unknown", "the provider smtp did not answer within 0.3 s")


# -- secrets ----------------------------------------------------------------------------------------------------


def test_keys_that_are_missing_or_open_are_errors(look: Look, ws: Workspace) -> None:
    """Missing keys beside a database would break every unsubscribe link; in a fresh clone they are made."""
    ws.keys_file.chmod(0o644)
    (probe,) = look()["keys"]
    assert (probe.state, probe.fix) == ("error", f"chmod 600 {ws.keys_file}")
    ws.keys_file.unlink()
    assert look()["keys"][0].state == "error"
    ws.database.unlink()
    assert look()["keys"][0].state == "ok"
    assert not ws.keys_file.exists()


def test_a_secret_of_the_environment(look: Look, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set or not; its value is never told."""
    configure(ws, more=SMTP.format(1, 'username = "u"\npassword = {env = "SMTP_PASSWORD"}'))
    (probe,) = look()["provider-secret"]
    assert (probe.state, "SMTP_PASSWORD is not set" in probe.sentence) == ("error", True)
    assert look()["provider"][0].sentence == "smtp was not asked, as long as its secret cannot be read"
    assert "export SMTP_PASSWORD" in (probe.fix or "")
    monkeypatch.setenv("SMTP_PASSWORD", CANARY)
    (probe,) = look()["provider-secret"]
    assert (probe.state, "cron needs it too" in probe.sentence) == ("ok", True)


def test_a_secret_in_a_file_that_git_keeps_or_others_read(look: Look, ws: Workspace) -> None:
    """Mode and git are two ways to lose it."""
    configure(ws, more=SMTP.format(1, 'username = "u"\npassword = {file = "smtp.secret"}'))
    secret = ws.root / "smtp.secret"
    assert look()["provider-secret"][0].state == "error"
    secret.write_text(CANARY)
    secret.chmod(0o644)
    assert "others may read" in look()["provider-secret"][0].sentence
    secret.chmod(0o600)
    assert look()["provider-secret"][0].state == "ok"
    assert "secret-in-git" not in look()
    git(ws.root, "init", "-q")
    (probe,) = look()["secret-in-git"]
    assert (probe.state, probe.fix) == ("warning", "add smtp.secret to .gitignore")
    (ws.root / ".gitignore").write_text("*.secret\n")
    assert "secret-in-git" not in look()
    git(ws.root, "add", "-f", "smtp.secret")
    (probe,) = look()["secret-in-git"]
    assert (probe.state, "change that secret" in (probe.fix or "")) == ("error", True)
    assert "secret-in-git" not in look(environment={})


def test_a_third_partys_secret_is_looked_at_too(look: Look, ws: Workspace) -> None:
    more = '[provider]\nname = "pigeon"\n[provider.options]\nkey = {env = "PIGEON_KEY"}\nloft = "north"'
    configure(ws, more=more)
    (probe,) = look()["provider-secret"]
    assert (probe.state, "provider.options.key" in probe.sentence) == ("error", True)


def test_the_systems_commands_get_no_secret_of_ours(look: Look, tools: Path, tmp_path: Path) -> None:
    """What lies in our environment is none of git's or crontab's business."""
    seen = tmp_path / "seen"
    add_tool(tools, "git", f"/usr/bin/env >>{seen}; exit 1")
    look(environment={"SMTP_PASSWORD": CANARY, "HOME": "/home/ada", "GIT_DIR": "/elsewhere"})
    text = seen.read_text()
    assert "HOME=/home/ada" in text
    assert CANARY not in text
    assert "GIT_DIR" not in text


def test_files_with_addresses_that_others_may_read(look: Look, ws: Workspace) -> None:
    ws.database.chmod(0o644)
    (probe,) = look()["file-modes"]
    assert (probe.state, probe.fix) == ("warning", f"chmod 600 {ws.database}")


@pytest.mark.parametrize("where", ["env", "file", "in newsletter.toml", "in the wrong slot"])
def test_no_secret_is_ever_told(look: Look, ws: Workspace, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Whatever is broken: a good secret, one written into the configuration, one where a name belongs."""
    password = {
        "env": '{env = "SMTP_PASSWORD"}',
        "file": '{file = "smtp.secret"}',
        "in newsletter.toml": f'"{CANARY}"',
        "in the wrong slot": f'{{env = "{CANARY}!"}}',
    }[where]
    configure(ws, more=SMTP.format(1, f'username = "u"\npassword = {password}'))
    monkeypatch.setenv("SMTP_PASSWORD", CANARY)
    (ws.root / "smtp.secret").write_text(CANARY)
    (ws.root / "smtp.secret").chmod(0o600)
    ws.keys_file.write_text(CANARY)
    found = look()
    assert found["keys"][0].state == "error"
    assert CANARY not in repr(found)


# -- a probe that breaks down -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError(CANARY), "cannot be told: ValueError in test_doctor_workspace.py:"),
        (PermissionError(13, "Permission denied", "/x"), "cannot be told: Permission denied: /x"),
        (RecursionError(CANARY), "cannot be told: RecursionError in"),
    ],
)
def test_a_probe_that_breaks_down_is_unknown_and_tells_no_value(ws: Workspace, error: Exception, said: str) -> None:
    """The message of an unforeseen error may quote what it stumbled over."""

    def see(facts: Facts):
        yield Told("ok", "first")
        raise error

    (probe,) = looked_at(Looking("x", "X", see), Facts(ws))
    assert probe.state == "unknown"
    assert probe.sentence.startswith(said)
    assert CANARY not in json.dumps([probe.sentence, probe.fix])


def test_work_that_fails_in_its_thread_fails_here() -> None:
    """An error there is an error here, and a result is a result."""
    assert within(5, "nobody", lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(5, "nobody", lambda: 1 // 0)
