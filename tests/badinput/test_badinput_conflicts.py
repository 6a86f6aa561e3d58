"""Two hands on one thing: files that change between read and save, approvals that are tampered with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from badinput_kit import ISSUE, LEAD, SECOND, Run, Sink, make_readers, refused, status, through_smtp, tree, write_story

from newsletter.issues import editing
from newsletter.workspace.files import file_lock
from newsletter.workspace.frontmatter import Document
from newsletter.workspace.paths import Workspace

COMMANDS = [
    ("issue", "drop", ISSUE, LEAD),
    ("issue", "move", ISSUE, SECOND, "--to", "1", "--section", "lead"),
    ("issue", "pick", ISSUE, "the-gulls-are-early"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[1])
def test_issue_md_that_changes_between_read_and_save_is_not_overwritten(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """An editor's own program saves in that very moment: exit 75, what it saved stays, and the same call then works."""
    run("article", "add", str(write_story(tmp_path, "gulls", "The gulls are early")))
    file = folder / "issue.md"
    read = editing.read_issue_file

    def read_then_saved_by_another(ws: Workspace, slug: str) -> tuple[Document, str]:
        found = read(ws, slug)
        file.write_text(file.read_text(encoding="utf-8") + "A line from the editor's own program.\n", encoding="utf-8")
        return found

    monkeypatch.setattr(editing, "read_issue_file", read_then_saved_by_another)
    saved = file.read_text(encoding="utf-8") + "A line from the editor's own program.\n"
    refused(run(*command, code=75), f"issues/{ISSUE}/issue.md", "somebody else changed the file", "nothing was written")
    assert file.read_text(encoding="utf-8") == saved
    monkeypatch.undo()
    monkeypatch.chdir(folder.parents[1])
    run(*command)
    assert file.read_text(encoding="utf-8").endswith("A line from the editor's own program.\n")


def test_a_second_edit_waits_for_the_first_and_gives_up_with_75(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the issue's lock for longer than the wait; nothing is written."""
    monkeypatch.setattr(editing, "LOCK_SECONDS", 0.1)
    before = tree(folder)
    with file_lock(folder.parents[1] / ".newsletter" / "locks" / f"issue-{ISSUE}.lock"):
        refused(run("issue", "drop", ISSUE, LEAD, code=75), "another process is working on this")
    assert tree(folder) == before
    run("issue", "drop", ISSUE, LEAD)


def flip(path: Path) -> None:
    """One byte becomes another."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def redirect(approved: Path) -> None:
    """The record is changed in a way that is still a record: another sender."""
    path = approved / "approval.json"
    record = json.loads(path.read_bytes())
    record["message"]["from"] = "Somebody Else <else@breakwater.test>"
    path.write_text(json.dumps(record))


TAMPERED: dict[str, Callable[[Path], None]] = {
    "html": lambda approved: flip(approved / "email.html"),
    "text": lambda approved: flip(approved / "email.txt"),
    "text is gone": lambda approved: (approved / "email.txt").unlink(),
    "sender": redirect,
    "half a record": lambda approved: (approved / "approval.json").write_bytes(
        (approved / "approval.json").read_bytes()[:200]
    ),
    "record is gone": lambda approved: (approved / "approval.json").unlink(),
    "all is gone": shutil.rmtree,
}


@pytest.mark.parametrize("case", TAMPERED)
def test_approved_bytes_that_were_changed_are_not_sent(run: Run, folder: Path, sink: Sink, case: str) -> None:
    """Held with exit 1, nobody gets anything; after unapproving and approving anew everybody gets one mail."""
    root = folder.parents[1]
    through_smtp(root, sink.port)
    make_readers(root, 3, run)
    run("approve", ISSUE, "--send-at", "now")
    TAMPERED[case](folder / "approved")
    held = run("run-due", code=1)
    assert "held" in held.out
    assert "Fix: " in held.out
    assert status(root, run)["state"] == "held"
    run("resume", ISSUE)
    run("run-due", code=1)
    run("send", ISSUE, "--yes", code=None)
    assert sink.got == {}
    run("unapprove", ISSUE)
    refused(run("unapprove", ISSUE, code=1), "is not approved")
    run("approve", ISSUE, "--send-at", "now")
    run("run-due")
    assert status(root, run)["counts"] == {"submitted": 3}
    assert sink.got == {f"r{n}@readers.test": 1 for n in range(3)}


def test_hand_edits_of_an_approved_issue_do_not_change_what_is_sent(run: Run, folder: Path) -> None:
    """Our commands refuse; an editor's own program cannot be stopped: status says so, and the frozen bytes go out."""
    root = folder.parents[1]
    run("audience", "add", "ada@readers.test")
    run("approve", ISSUE, "--send-at", "now")
    refused(run("issue", "drop", ISSUE, LEAD, code=1), "is approved and cannot be edited", "unapprove")
    story = folder / f"{LEAD}.md"
    story.write_text(story.read_text(encoding="utf-8").replace("The tide tables were right", "The tide was wrong"))
    assert f"{LEAD}.md" in run("status", ISSUE).out
    run("run-due")
    (mail,) = (root / ".newsletter" / "outbox" / "new").iterdir()
    assert b"tide was wrong" not in mail.read_bytes()
    assert b"The tide tables were right" in mail.read_bytes()
