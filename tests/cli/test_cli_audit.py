"""``newsletter audit``: the order of events, and a proof that fails when anything differs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

Run = Callable[..., Any]


def execute(weekly: Path, statement: str) -> None:
    with closing(sqlite3.connect(weekly / ".newsletter" / "newsletter.db")) as raw, raw:
        raw.execute(statement)


@pytest.fixture
def sent(run: Run, weekly: Path, issue: str, readers: int) -> str:
    """An issue that was tested, approved by Maren and sent."""
    run("test", issue, "--to", "me@breakwater.test")
    run("approve", issue, "--send-at", "now", "--by", "Maren", "--note", "go")
    run("run-due")
    return issue


def test_a_sent_issue_is_proved_and_its_events_are_in_the_order_of_time(run: Run, sent: str, readers: int) -> None:
    """test, approval, schedule, plan, submission, completion; each with its time and offset; nobody's address."""
    told = run("audit", sent)
    said = told.out
    assert "Times in Europe/London" in said
    assert "Maren: approved" in said
    assert "“go”" in said
    assert f"the sum closes: {readers} = {readers} submitted" in said
    assert said.splitlines()[-1].startswith("Proved: what was submitted is what was approved, sha256:")
    assert "@" not in said
    row = run("audit", sent, "--json").json
    assert (row["schema"], row["proved"], row["submitted"]) == ("newsletter/audit/1", True, readers)
    actions = [event["action"] for event in row["events"]]
    wanted = ["test", "approve", "schedule", "plan", "submit", "first-submitted", "complete"]
    assert [action for action in actions if action in wanted] == wanted
    times = [datetime.fromisoformat(event["at"]) for event in row["events"]]
    assert times == sorted(times)
    assert times[0].utcoffset() == times[0].astimezone(ZoneInfo("Europe/London")).utcoffset(), "GMT, or BST in summer"
    assert any(proof["sentence"] == "test 1: the same digest" and proof["holds"] for proof in row["proofs"])


def test_a_changed_file_is_found(run: Run, weekly: Path, sent: str) -> None:
    """One byte of the frozen HTML, after the fact."""
    page = weekly / "issues" / sent / "approved" / "email.html"
    page.write_bytes(page.read_bytes() + b" ")
    said = run("audit", sent, code=1).out
    assert "✗ email.html is not the file that was approved" in said
    assert "✗ the mailing: another digest" in said
    assert "NOT proved" in said


def test_an_approval_that_was_rewritten_whole_is_found(run: Run, weekly: Path, sent: str) -> None:
    """A forger who makes files and approval.json agree with each other is contradicted by the database."""
    from newsletter.delivery.approval import digest_now, load_approval
    from newsletter.workspace.files import sha256_hex
    from newsletter.workspace.paths import Workspace

    folder = weekly / "issues" / sent / "approved"
    (folder / "email.txt").write_text("another text\n", encoding="utf-8")
    record = json.loads((folder / "approval.json").read_text(encoding="utf-8"))
    record["files"]["email.txt"] = f"sha256:{sha256_hex((folder / 'email.txt').read_bytes())}"
    (folder / "approval.json").write_text(json.dumps(record), encoding="utf-8")
    record["digest"] = digest_now(load_approval(Workspace(weekly), sent))
    (folder / "approval.json").write_text(json.dumps(record), encoding="utf-8")
    said = run("audit", sent, code=1).out
    assert "are those of approval.json" in said
    for place in ("the audit log: approved by Maren", "the mailing", "the bytes that the sender submitted"):
        assert f"✗ {place}: another digest" in said


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("update mailing set digest = 'sha256:0'", "✗ the mailing: another digest, sha256:0"),
        ("update mailing set planned = planned + 1", "✗ the sum does not close"),
        ("update delivery set state = 'pending' where id = 1", "✗ the sum is open"),
    ],
)
def test_a_changed_ledger_is_found(run: Run, weekly: Path, sent: str, statement: str, part: str) -> None:
    """The database is compared with the files, and its sum is added up again."""
    execute(weekly, statement)
    assert part in run("audit", sent, code=1).out


def test_files_that_are_gone_prove_nothing(run: Run, weekly: Path, sent: str) -> None:
    """Silence is no proof."""
    (weekly / "issues" / sent / "approved").rename(weekly / "aside")
    assert "the approved files are gone" in run("audit", sent, code=1).out


def test_what_is_not_sent_yet_is_told_as_far_as_it_is(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """A draft, an approval, an approval that was taken back and given anew: the trail keeps all of it."""
    assert run("audit", issue).out.splitlines()[-1] == "Nothing is approved and nothing was submitted."
    run("approve", issue, "--by", "Maren")
    said = run("audit", issue).out
    assert "Nothing is submitted yet" in said
    assert "· it was never sent as a test" in said
    run("unapprove", issue)
    run("issue", "drop", issue, "a-bell-is-found-in-the-mud")
    run("approve", issue, "--by", "Ada", "--send-at", "now")
    run("run-due")
    said = run("audit", issue).out
    assert said.index("Maren: approved") < said.index("unapprove") < said.index("Ada: approved")
    assert "Proved: what was submitted" in said


def test_an_unknown_issue_is_refused(run: Run, weekly: Path) -> None:
    """A mistyped slug is not an empty history."""
    run("audit", "2020-01-01", code=65)


def test_a_mailing_that_was_stopped_and_approved_anew_is_held_to_its_own_approval(
    run: Run, weekly: Path, sent: str
) -> None:
    """What the first readers got was approved too, in its own words; without that approval it is not proved."""
    execute(weekly, "update delivery set state = 'pending' where id = 1")
    execute(weekly, "update mailing set state = 'paused'")
    run("cancel", sent, "--yes")
    assert "Proved: what was submitted" in run("audit", sent).out
    run("unapprove", sent)
    run("issue", "drop", sent, "a-bell-is-found-in-the-mud")
    run("approve", sent, "--by", "Ada")
    said = run("audit", sent).out
    assert "✓ an earlier mailing submitted sha256:" in said
    assert "approved by Maren" in said
    execute(weekly, "delete from audit where action = 'approve' and actor = 'Maren'")
    assert "approved by nobody" in run("audit", sent, code=1).out
