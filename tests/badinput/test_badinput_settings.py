"""Settings, secrets, keys and databases that are wrong, missing, damaged, or of another time or place."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from badinput_kit import ISSUE, Run, Sink, make_readers, process, refused, status, through_smtp, tree

SECRET = "hunter2-do-not-print"


def changed(config: Path, old: str, new: str) -> None:
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def config(folder: Path) -> Path:
    """The newsletter.toml of a workspace with an issue that is ready for sending through smtp."""
    root = folder.parents[1]
    through_smtp(root, 9)
    return root / "newsletter.toml"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("smpt", 'did you mean "smtp"?'),
        ("pigeon", "use one of: outbox, smtp, sendgrid"),
        ("sendgrid", "SENDGRID_API_KEY"),
    ],
)
def test_a_provider_that_cannot_be_had_is_a_matter_of_configuration(
    run: Run, config: Path, name: str, words: str
) -> None:
    """Exit 78 from whatever needs it; the rest of the work goes on."""
    changed(config, 'name = "smtp"', f'name = "{name}"')
    for command in (("provider", "check"), ("test", ISSUE, "--to", "ada@readers.test"), ("preview", ISSUE, "--wire")):
        refused(run(*command, code=78), "newsletter.toml", words)
    run("build", ISSUE)
    run("audience", "add", "ada@readers.test")


@pytest.mark.parametrize(("name", "words"), [("smpt", 'did you mean "smtp"?'), ("pigeon", "use one of")])
def test_nothing_is_approved_for_a_provider_that_does_not_exist(
    run: Run, config: Path, folder: Path, name: str, words: str
) -> None:
    """Found out by the editor who approves, not by cron on Friday; the installation is not claimed either."""
    changed(config, 'name = "smtp"', f'name = "{name}"')
    before = tree(folder)
    text = config.read_bytes()
    refused(run("approve", ISSUE, "--send-at", "now", code=78), "newsletter.toml: provider.name", words)
    assert tree(folder) == before
    assert config.read_bytes() == text
    assert run("status", "--json").json["issues"] == []
    changed(config, f'name = "{name}"', 'name = "smtp"')
    run("approve", ISSUE)


def test_smtp_without_its_table_is_not_approved(run: Run, config: Path, folder: Path) -> None:
    """The table that is missing is named."""
    text = config.read_text(encoding="utf-8")
    config.write_text(text[: text.index("[provider.smtp]")], encoding="utf-8")
    refused(run("approve", ISSUE, code=78), "[provider.smtp]")
    assert not (folder / "approved").exists()


def test_a_secret_that_is_not_in_the_environment_stops_run_due_and_loses_nothing(
    run: Run, folder: Path, sink: Sink
) -> None:
    """Under `env -i`, as cron may start it: exit 78 with the variable's name and how cron gets it; then it is sent."""
    root = folder.parents[1]
    through_smtp(root, sink.port)
    config = root / "newsletter.toml"
    text = config.read_text(encoding="utf-8")
    make_readers(root, 2, run)
    run("approve", ISSUE, "--send-at", "now")
    named = config.read_text(encoding="utf-8")
    assert named != text, "the first approval names the installation that sends"
    config.write_text(f'{named}username = "post"\npassword = {{env = "SMTP_PASSWORD"}}\n', encoding="utf-8")
    answer = process(root, "run-due", env={})
    assert answer.code == 78
    refused(answer, "newsletter.toml:", "provider.smtp.password", "SMTP_PASSWORD", "crontab")
    assert status(root, run)["state"] == "scheduled"
    config.write_text(named, encoding="utf-8")
    assert process(root, "run-due", env={}).code == 0
    assert sink.got == {"r0@readers.test": 1, "r1@readers.test": 1}


def test_the_key_of_sendgrid_is_missing_under_env_i(config: Path) -> None:
    """The default variable's name is in the message."""
    changed(config, 'name = "smtp"', 'name = "sendgrid"')
    answer = process(config.parent, "provider", "check", env={})
    assert answer.code == 78
    refused(answer, "SENDGRID_API_KEY", "crontab")


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (SECRET, 0o644, ("others may read", "chmod 600")),
        (SECRET, 0o640, ("others may read", "chmod 600")),
        (None, 0o600, ("cannot read", "chmod 600")),
        ("", 0o600, ("must hold one line",)),
        (f"{SECRET}\nsecond\n", 0o600, ("must hold one line",)),
    ],
    ids=["0644", "0640", "missing", "empty", "two lines"],
)
def test_a_file_of_a_secret_is_for_its_owner_alone(
    run: Run, config: Path, content: str | None, mode: int, words: tuple[str, ...]
) -> None:
    """Exit 78, the key, the file; the secret is in no message."""
    text = config.read_text(encoding="utf-8")
    config.write_text(f'{text}username = "post"\npassword = {{file = "secret"}}\n', encoding="utf-8")
    if content is not None:
        (config.parent / "secret").write_text(content)
        (config.parent / "secret").chmod(mode)
    answer = run("provider", "check", code=78)
    refused(answer, "provider.smtp.password", *words)
    assert SECRET not in answer.out + answer.err


@pytest.mark.parametrize("damage", ["moved", "open", "json", "short"])
def test_without_its_keys_a_workspace_with_readers_does_nothing_that_needs_them(
    run: Run, folder: Path, tmp_path: Path, damage: str
) -> None:
    """Exit 78, never new keys (every link that was ever sent would die); with the keys back all is as before."""
    root = folder.parents[1]
    run("audience", "add", "ada@readers.test")
    run("approve", ISSUE, "--send-at", "now")
    keys = root / ".newsletter" / "keys.json"
    kept = keys.read_bytes()
    if damage == "moved":
        keys.unlink()
    elif damage == "open":
        keys.chmod(0o644)
    else:
        keys.write_text('{"current": "k1", "secrets": {"k1": "aa"}}' if damage == "short" else "{")
    before = tree(root)
    for command in (
        ("run-due",),
        ("send", ISSUE, "--yes"),
        ("audience", "add", "bo@readers.test"),
        ("audience", "suppress", "bo@readers.test"),
        ("test", ISSUE, "--to", "me@readers.test"),
    ):
        refused(run(*command, code=78), "keys.json", "keys")
    assert tree(root, ignore=("run-due.jsonl", "last-run.json")) == before
    keys.write_bytes(kept)
    keys.chmod(0o600)
    run("run-due")
    assert status(root, run)["counts"] == {"submitted": 1}


@pytest.mark.parametrize("damage", ["words", "cut", "garbled"])
def test_a_damaged_database_is_said_to_be_and_is_not_touched(run: Run, folder: Path, damage: str) -> None:
    """Exit 65 with the file and a cure from every command that needs it; its bytes stay for whoever can save them."""
    root = folder.parents[1]
    make_readers(root, 200, run)
    run("approve", ISSUE, "--send-at", "now")
    database = root / ".newsletter" / "newsletter.db"
    whole = database.read_bytes()
    cut = len(whole) // 2
    broken = {
        "words": b"no database " * 500,
        "cut": whole[:cut],
        "garbled": whole[:4096] + b"\xa5" * (len(whole) - 4096),
    }
    database.write_bytes(broken[damage])
    for command in (
        ("status",),
        ("audience", "list"),
        ("audience", "add", "new@readers.test"),
        ("article", "list"),
        ("run-due",),
        ("send", ISSUE, "--yes"),
    ):
        refused(run(*command, code=65), "newsletter.db", "damaged", "backup")
    assert database.read_bytes() == broken[damage]
    run("build", ISSUE)
    database.write_bytes(whole)
    run("run-due")
    assert status(root, run)["counts"] == {"submitted": 200}


def test_a_database_of_another_program_is_left_alone(run: Run, weekly: Path) -> None:
    """It is somebody's."""
    database = weekly / ".newsletter" / "newsletter.db"
    with sqlite3.connect(database) as raw:
        raw.execute("create table recipes (name text)")
    raw.close()
    before = database.read_bytes()
    refused(run("audience", "list", code=65), "not a newsletter database", "recipes")
    assert database.read_bytes() == before


def test_a_restored_older_database_sends_nothing_until_an_editor_has_looked(run: Run, folder: Path, sink: Sink) -> None:
    """The backup does not know who has got the mail: held, exit 1, nobody gets it twice, also after `adopt`."""
    root = folder.parents[1]
    through_smtp(root, sink.port)
    make_readers(root, 5, run)
    run("approve", ISSUE, "--send-at", "now")
    database = root / ".newsletter" / "newsletter.db"
    backup = root.parent / "backup.db"
    with sqlite3.connect(database) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    source.close()
    target.close()
    run("run-due")
    assert len(sink.got) == 5
    for name in ("newsletter.db-wal", "newsletter.db-shm"):
        (database.parent / name).unlink(missing_ok=True)
    shutil.copyfile(backup, database)
    assert "backup was restored" in run("run-due", code=1).out
    assert status(root, run)["state"] == "held"
    run("adopt", "--yes")
    run("run-due")
    assert status(root, run)["state"] == "held"
    assert max(sink.got.values()) == 1


def test_a_copied_workspace_sends_nothing_while_the_original_does(
    run: Run, folder: Path, sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is held with the original's place in the message; the original sends; after `adopt` the copy may."""
    root = folder.parents[1]
    through_smtp(root, sink.port)
    make_readers(root, 3, run)
    run("approve", ISSUE, "--send-at", "now")
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    answer = run("-C", str(copy), "run-due", code=1)
    assert f"copied or moved here from {root}" in answer.out
    assert "newsletter adopt" in answer.out
    assert sink.got == {}
    run("-C", str(copy), "send", ISSUE, "--yes", code=1)
    assert sink.got == {}
    run("-C", str(root), "run-due")
    assert len(sink.got) == 3
    run("-C", str(copy), "adopt", "--yes")
    run("-C", str(copy), "cancel", ISSUE, "--yes")
    assert max(sink.got.values()) == 1


def test_a_damaged_installation_file_holds_and_adopting_cures_it(run: Run, folder: Path, sink: Sink) -> None:
    """Half a file says nothing about who may send."""
    root = folder.parents[1]
    through_smtp(root, sink.port)
    make_readers(root, 2, run)
    run("approve", ISSUE, "--send-at", "now")
    (root / ".newsletter" / "installation.json").write_text('{"id": "')
    assert "newsletter adopt" in run("run-due", code=1).out
    assert sink.got == {}
    run("adopt", "--yes")
    run("resume", ISSUE)
    run("run-due")
    assert len(sink.got) == 2
