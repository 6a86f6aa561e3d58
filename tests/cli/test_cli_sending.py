"""Building, checking, testing, approving and sending from the command line, into the outbox."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery import breaker
from newsletter.store.engine import open_store

Run = Callable[..., Any]


def mails(weekly: Path) -> list[Path]:
    return sorted((weekly / ".newsletter" / "outbox" / "new").glob("*"))


def test_build_writes_what_it_says(run: Run, weekly: Path, issue: str, tmp_path: Path) -> None:
    """email.html, .txt, .eml, build.json; the same bytes when built twice."""
    built = run("-v", "build", issue)
    assert "KB left before Gmail clips" in built.out
    assert "tide" in built.out
    folder = weekly / ".newsletter" / "build" / issue
    first = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.name != "build.json"}
    assert set(first) == {"email.html", "email.txt", "email.eml"}
    report = run("build", issue, "--json").json
    assert report["schema"] == "newsletter/build/1"
    assert json.loads((folder / "build.json").read_text(encoding="utf-8"))["html_bytes"] == report["html_bytes"]
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.name != "build.json"} == first
    run("build", issue, "--out", str(tmp_path / "out"))
    assert (tmp_path / "out" / "email.html").read_bytes() == first["email.html"]


def test_check_speaks_four_formats_and_explains_itself(run: Run, weekly: Path, issue: str) -> None:
    """text, json, sarif, github; --fail-on; --explain."""
    assert "subject" in run("check", issue).out
    found = run("check", issue, "--format", "json").json
    assert {"subject-missing", "preheader-missing"} <= {f["id"] for f in found["findings"]}
    assert run("check", issue, "--format", "sarif").json["version"] == "2.1.0"
    assert "::warning" in run("check", issue, "--format", "github").out
    run("check", issue, "--fail-on", "warning", code=1)
    assert "subject" in run("check", "--explain", "subject-missing").out
    run("check", "--explain", "subject-mising", code=65)
    run("check", code=2)
    run("check", "2020-01-01", code=65)


def test_the_way_of_an_issue_from_test_to_status(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """test, approve, run-due, status: the sum closes, nobody gets it twice, edits are refused."""
    tested = run("test", issue, "--to", "me@breakwater.test", "--as", "ada@readers.test")
    assert "[TEST 1 · " in tested.out
    assert run("test", issue, "--to", "me@breakwater.test", "--exact", "--json").json["number"] == 2
    run("test", issue, code=2)
    run("test", issue, "--to", "me@breakwater.test", "--as", "nobody@readers.test", code=65)

    assert "Nothing is approved" in run("status").out
    assert run("run-due").out == ""
    approved = run("approve", issue, "--send-at", "now", "--by", "Maren", "--note", "go")
    assert "Approved 2026-11-27 by Maren" in approved.out
    run("approve", issue, code=1)
    run("issue", "drop", issue, "the-tide-tables-were-right", code=1)
    assert "scheduled" in run("status", issue).out
    assert "approved" not in run("issue", "list", "--json").json["issues"][0]["state"]

    sent = run("run-due")
    assert f"{readers} = {readers} submitted" in sent.out
    status = run("status", issue, "--json").json
    assert (status["state"], status["planned"], status["counts"]) == ("completed", readers, {"submitted": readers})
    assert status["closes"] is True
    assert len(mails(weekly)) == readers + 2
    assert run("run-due").out == ""
    begin, line = (weekly / ".newsletter" / "logs" / "run-due.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(begin)["event"] == "begin"
    logged = json.loads(line)
    assert (logged["issue"], logged["state"], logged["counts"]) == (issue, "completed", {"submitted": readers})
    assert "readers.test" not in line
    assert "sent already" in run("send", issue).out
    assert run("send", issue, "--json").json["sent_already"] is True
    assert "sent already" in run("send", issue, "--dry-run").out
    assert len(mails(weekly)) == readers + 2
    assert f"{readers} " in run("unapprove", issue, code=1).err
    assert "3 submitted" in run("status").out
    assert run("status", "--json").json["issues"][0]["issue"] == issue
    assert "nothing is uncertain" in run("reconcile", issue).out
    assert run("reconcile", issue, "--json").json["uncertain"] == []
    run("approve", issue, code=1)


def test_without_a_time_send_sends(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """approve alone schedules nothing; --dry-run shows who; send sends."""
    assert "newsletter send" in run("approve", issue).out
    assert run("run-due").out == ""
    run("audience", "unsubscribe", "bo@readers.test")
    planned = run("send", issue, "--dry-run")
    assert "2 readers" in planned.out
    assert "unsubscribed" in planned.out
    assert run("send", issue, "--dry-run", "--json").json["recipients"] == 2
    assert mails(weekly) == []
    assert run("send", issue, "--json").json["counts"] == {"excluded": 1, "submitted": 2}
    assert len(mails(weekly)) == 2


def test_stop_the_presses(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """unapprove stops what is scheduled, and the issue can be edited and approved again."""
    assert "Thursday 1 January 2099 at 07:00" in run("approve", issue, "--send-at", "2099-01-01 07:00").out
    assert "2099-01-01 07:00" in run("status", issue).out
    run("send", issue, code=1)
    assert run("run-due").out == ""
    assert "0 submitted" in run("unapprove", issue).out
    run("issue", "drop", issue, "a-bell-is-found-in-the-mud")
    run("approve", issue, "--send-at", "Fri 07:00", "--json")
    run("unapprove", issue)
    run("unapprove", issue, code=1)
    run("approve", issue, "--send-at", "yesterday", code=2)
    run("approve", issue, "--send-at", "2001-01-01 07:00", code=2)
    assert mails(weekly) == []


def test_what_was_taken_back_is_a_draft_again_and_approved_anew_is_approved(
    run: Run, weekly: Path, issue: str, readers: int
) -> None:
    """Not "cancelled, send time …" of a mailing that is over: ``send`` or a rule sends what is approved."""
    run("approve", issue, "--send-at", "2099-12-04 07:00")
    run("unapprove", issue)
    assert "not approved" in run("status", issue).out and "2099" not in run("status", issue).out
    assert issue not in run("status").out
    run("approve", issue)
    said = run("status", issue).out
    assert f"{issue}: approved" in said and "2099" not in said and "cancelled" not in said
    assert f"{issue}  approved" in run("status").out
    run("approve", issue, code=1)
    run("send", issue, "--yes")
    assert "completed" in run("status", issue).out


def test_what_was_cancelled_half_way_stays_so_until_it_is_approved_anew(
    run: Run, weekly: Path, issue: str, readers: int
) -> None:
    run("approve", issue, "--send-at", "2099-12-04 07:00")
    run("cancel", issue, "--yes")
    assert f"{issue}: cancelled" in run("status", issue).out and f"{issue}  cancelled" in run("status").out
    run("unapprove", issue)
    assert f"{issue}: cancelled" in run("status", issue).out
    run("approve", issue)
    assert f"{issue}: approved" in run("status", issue).out


def test_a_mailing_whose_approval_was_lost_is_not_promised_another(
    run: Run, weekly: Path, issue: str, readers: int
) -> None:
    """``git stash -u`` or ``git clean`` takes approved/ away: another email would be held when its time has come."""
    run("approve", issue, "--send-at", "2099-12-04 07:00")
    shutil.rmtree(weekly / "issues" / issue / "approved")
    refused = run("approve", issue, "--send-at", "2099-12-05 09:00", code=1)
    assert "has a mailing (scheduled)" in refused.err and f"newsletter unapprove {issue}" in refused.err
    assert not (weekly / "issues" / issue / "approved").exists()
    assert "0 submitted" in run("unapprove", issue).out
    again = run("approve", issue, "--send-at", "2099-12-05 09:00")
    assert "Saturday 5 December 2099 at 09:00" in again.out


def test_a_mailing_can_be_cancelled_and_says_what_is_left(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """cancel ends it; pause and resume refuse what is not sending."""
    run("approve", issue, "--send-at", "2099-01-01 07:00")
    run("pause", issue, code=1)
    run("resume", issue, code=1)
    run("cancel", issue, code=1)
    assert "0 submitted" in run("cancel", issue, "--yes").out
    assert "cancelled" in run("status", issue).out
    run("reconcile", issue, "--went-out", "all", "--send-again", "all", code=2)


def test_an_error_blocks_approval(run: Run, weekly: Path, issue: str) -> None:
    """approve refuses an issue with an error, names the finding, and freezes nothing."""
    story = weekly / "issues" / issue / "the-tide-tables-were-right.md"
    story.write_text(
        story.read_text(encoding="utf-8").replace("https://estuary.example/tide", "htps:/broken"), encoding="utf-8"
    )
    refused = run("approve", issue, code=1)
    assert "link-malformed" in refused.err
    assert not (weekly / "issues" / issue / "approved").exists()


@pytest.mark.parametrize(
    ("old", "new", "code", "word"),
    [
        ('name = "outbox"', 'name = "outbx"', 78, "outbox"),
        ('name = "outbox"', 'name = "smtp"', 78, "[provider.smtp]"),
        ('name = "outbox"', 'name = "sendgrid"', 78, "SENDGRID_API_KEY"),
        ('theme = "weekly"', 'theme = "wekly"', 65, "weekly"),
        ("[publication]", "[publicaton]", 78, "publication"),
    ],
)
def test_configuration_errors_name_the_way_out(
    run: Run, weekly: Path, issue: str, old: str, new: str, code: int, word: str
) -> None:
    """An unknown provider, a missing table, a missing secret, an unknown theme, a wrong table."""
    config = weekly / "newsletter.toml"
    config.write_text(config.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    refused = run("test", issue, "--to", "me@breakwater.test", code=code)
    assert word in refused.err
    assert "Fix:" in refused.err


def test_themes_and_providers_are_listed_and_shown(run: Run, weekly: Path) -> None:
    """theme list/show and provider list/check."""
    assert "weekly" in run("theme", "list").out
    assert run("theme", "list", "--json").json["themes"]
    assert "accent" in run("theme", "show", "weekly").out
    assert run("theme", "show", "weekly", "--json").json["tokens"]["accent"]["value"]
    assert "*  outbox" in run("provider", "list").out
    assert {p["name"] for p in run("provider", "list", "--json").json["providers"]} >= {"outbox", "smtp", "sendgrid"}
    assert "outbox: ready" in run("provider", "check").out


def test_a_provider_that_does_not_answer_is_not_ready(run: Run, weekly: Path) -> None:
    """provider check says what is wrong and exits 1."""
    config = weekly / "newsletter.toml"
    text = config.read_text(encoding="utf-8").replace('name = "outbox"', 'name = "smtp"', 1)
    config.write_text(text + '\n[provider.smtp]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n', encoding="utf-8")
    assert "not ready" in run("provider", "check", code=1).out


def test_the_wire_form_is_what_the_provider_would_get(
    run: Run, weekly: Path, issue: str, readers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """preview --wire prints MIME for the outbox and a JSON request for SendGrid, with nothing sent and no secret."""
    mime = run("preview", issue, "--wire", "--as", "ada@readers.test")
    assert "message/rfc822" in mime.err
    assert "To: ada@readers.test" in mime.out
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.secret")
    config = weekly / "newsletter.toml"
    config.write_text(
        config.read_text(encoding="utf-8").replace('name = "outbox"', 'name = "sendgrid"', 1), encoding="utf-8"
    )
    request = run("preview", issue, "--wire")
    assert json.loads(request.out)["tracking_settings"]["click_tracking"]["enable"] is False
    assert "SG.secret" not in request.out + request.err
    assert mails(weekly) == []


def test_adopt_names_this_installation(run: Run, weekly: Path) -> None:
    """adopt writes sender_installation into newsletter.toml and keeps its comments."""
    before = (weekly / "newsletter.toml").read_text(encoding="utf-8")
    run("adopt", code=1)
    run("adopt", "--yes")
    after = (weekly / "newsletter.toml").read_text(encoding="utf-8")
    assert "sender_installation" in after
    assert all(line in after for line in before.splitlines())


def test_the_demo_works_in_a_fresh_folder_and_refuses_a_used_one(run: Run, tmp_path: Path) -> None:
    """demo builds, checks, approves and sends the sample, and says where to look."""
    shown = run("demo", str(tmp_path / "sample"))
    assert "12 = 12 submitted" in shown.out
    assert len(list((tmp_path / "sample" / ".newsletter" / "outbox" / "new").iterdir())) >= 11
    run("demo", str(tmp_path / "sample"), code=2)


def test_approve_and_status_say_until_when_it_can_be_stopped(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """With ``[schedule] undo``: run-due waits, unapprove answers that nothing was submitted."""
    config = weekly / "newsletter.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("[schedule]", '[schedule]\nundo = "90m"'), "utf-8")
    approved = run("approve", issue, "--send-at", "now", "--json").json
    until = approved["stoppable_until"]
    assert run("run-due").out == ""
    assert f"can be stopped until {until}: newsletter unapprove {issue}" in run("status", issue).out
    assert run("status", issue, "--json").json["stoppable_until"] == until
    assert "stopped, 0 submitted" in run("unapprove", issue).out
    assert "(can be stopped until " in run("approve", issue, "--send-at", "now").out
    assert mails(weekly) == []


def test_status_says_that_the_provider_is_away(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """Since when, in its words, and when it is asked again."""
    run("approve", issue, "--send-at", "2099-11-27 07:00")
    assert "put us off" not in run("status", issue).out
    with open_store(weekly / ".newsletter" / "newsletter.db") as store, store.write() as conn:
        breaker.trip(conn, "outbox", 3, open_until=61_000_000, reason="451 later", now=1_000_000)
    said = run("status", issue).out
    assert "outbox has put us off since 01:00 (451 later); it is asked again at 01:01" in said
    assert run("status", issue, "--json").json["provider_away"].startswith("outbox has put us off")


def test_approve_refuses_a_seed_that_is_no_reader(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """Exit code 1, named with the place; a subscribed one is fine."""
    config = weekly / "newsletter.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[schedule]", '[schedule]\nseeds = ["desk@strange.test"]'), "utf-8")
    refused = run("approve", issue, code=1)
    assert "desk@strange.test is to get every mailing first, but is not subscribed" in refused.err
    assert not (weekly / "issues" / issue / "approved").exists()
    config.write_text(text.replace("[schedule]", '[schedule]\nseeds = ["ADA@readers.test"]'), "utf-8")
    run("approve", issue, "--send-at", "now")
    assert run("run-due", code=0)


def test_a_dry_run_says_how_long_and_what_comes_first(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """Undo window, seeds, the slowest limit; nothing is sent. The sending itself says how long it waits."""
    config = weekly / "newsletter.toml"
    text = config.read_text(encoding="utf-8")
    limits = '[schedule]\nundo = "5m"\nspread = "30m"\nseeds = ["ada@readers.test"]'
    config.write_text(text.replace("[schedule]", limits), "utf-8")
    run("approve", issue)
    said = run("send", issue, "--dry-run").out
    for line in (
        "it waits 5 minutes first; until then newsletter unapprove stops it whole.",
        "1 seed first; nobody else until each of them was accepted.",
        "it takes at least 30 minutes: spread evenly (schedule.spread).",
    ):
        assert line in said
    assert "asked for" not in said, "the outbox needs no preflight"
    row = run("send", issue, "--dry-run", "--json").json
    assert (row["undo_seconds"], row["seeds"], row["seconds_at_least"]) == (300, 1, 1800)
    assert mails(weekly) == []
    config.write_text(text.replace("[schedule]", '[schedule]\nundo = "1s"'), "utf-8")
    assert "it waits 1 second first" in run("send", issue, "--yes").out
    assert len(mails(weekly)) == 3
