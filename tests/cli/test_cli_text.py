"""``newsletter issue text``, and an own text on its whole way: test, diff, approval, sent bytes, copy, correction."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
ME = ("--to", "me@breakwater.test")
GREETING = 'Hello {{ subscriber.first_name | default("you") }}, in my own words.\n'


def folder(weekly: Path, issue: str) -> Path:
    return weekly / "issues" / issue


def write(weekly: Path, issue: str, text: str) -> Path:
    path = folder(weekly, issue) / "email.txt"
    path.write_text(text, encoding="utf-8")
    return path


def change(weekly: Path, issue: str, old: str, new: str, name: str = "the-tide*.md") -> None:
    path = next(folder(weekly, issue).glob(name))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def text_part(path: Path) -> str:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    part = message.get_body(("plain",))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def test_the_text_part_is_printed_as_it_would_be_sent(run: Run, weekly: Path, issue: str) -> None:
    """On standard output alone, also with --quiet: it can be piped. --json says whose it is."""
    run("build", issue)
    built = (weekly / ".newsletter" / "build" / issue / "email.txt").read_text(encoding="utf-8")
    assert run("issue", "text", issue).out == run("-q", "issue", "text", issue).out == built
    row = run("issue", "text", issue, "--json").json
    assert (row["schema"], row["own"], row["stale"]) == ("newsletter/issue-text/1", False, [])
    assert row["text"] == built


def test_write_makes_a_file_that_changes_nothing_before_it_is_edited(run: Run, weekly: Path, issue: str) -> None:
    """Merge fields stand in it as one writes them; a second --write is refused unless it is asked for."""
    before = run("issue", "text", issue).out
    assert "issues/2026-11-27/email.txt" in run("issue", "text", issue, "--write").out
    path = folder(weekly, issue) / "email.txt"
    assert '{{ subscriber.first_name | default("reader") }}' in path.read_text(encoding="utf-8") or "{{" not in before
    assert run("issue", "text", issue).out == before
    path.write_text(GREETING, encoding="utf-8")
    refused = run("issue", "text", issue, "--write", code=1)
    assert "--overwrite" in refused.err and path.read_text(encoding="utf-8") == GREETING
    shown = run("issue", "text", issue)
    assert shown.out.replace("\u200e", "") == "Hello you, in my own words.\n"
    assert run("issue", "show", issue, "--json").json["own_text"] is True
    run("issue", "text", issue, "--write", "--overwrite")
    assert run("issue", "text", issue).out == before


def test_a_changed_story_makes_it_stale_until_it_is_confirmed(run: Run, weekly: Path, issue: str) -> None:
    """The note is on stderr, the check says it with the story, --json has the words."""
    run("issue", "text", issue, "--write")
    assert run("issue", "text", issue).err == ""
    change(weekly, issue, "in one sentence", "in one short sentence")
    assert "The tide tables were right" in run("issue", "text", issue).err
    (stale,) = run("issue", "text", issue, "--json").json["stale"]
    assert (stale["change"], stale["title"]) == ("changed", "The tide tables were right")
    assert ["new", "short "] in stale["runs"] or ["new", "short"] in stale["runs"]
    findings = run("check", issue, "--json", code=None).json["findings"]
    (finding,) = [f for f in findings if f["id"] == "text-stale"]
    assert finding["article"].startswith("the-tide") and "short" in finding["message"]
    run("issue", "text", issue, "--confirm")
    assert run("issue", "text", issue).err == ""
    assert "text-stale" not in {f["id"] for f in run("check", issue, "--json", code=None).json["findings"]}


def test_drop_goes_back_and_asks_first(run: Run, weekly: Path, issue: str) -> None:
    """Words that somebody wrote are not deleted by a slip; where nobody can answer it wants --yes."""
    before = run("issue", "text", issue).out
    path = write(weekly, issue, GREETING)
    assert "--yes" in run("issue", "text", issue, "--drop", code=1).err and path.exists()
    run("issue", "text", issue, "--drop", "--yes")
    assert not path.exists() and run("issue", "text", issue).out == before
    for doing in (("--confirm",), ("--drop", "--yes")):
        assert "--write" in run("issue", "text", issue, *doing, code=65).err


def test_what_cannot_be_dropped_is_said_before_anybody_is_asked(run: Run, weekly: Path, issue: str) -> None:
    """No file, no such issue, an approved issue: the question would be about nothing."""
    assert "generated" in run("issue", "text", issue, "--drop", code=65).err
    run("issue", "text", "2030-01-01", "--drop", code=65)
    run("issue", "text", issue, "--write")
    run("approve", issue, "--send-at", "2030-01-01 07:00")
    assert "unapprove" in run("issue", "text", issue, "--drop", code=1).err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("2030-01-01",), 65), (("2030-01-01", "--write"), 65), (("2030-01-01", "--drop", "--yes"), 65),
        (("2026-11-27", "--overwrite"), 2), (("2026-11-27", "--yes"), 2), (("2026-11-27", "--write", "--json"), 2),
    ],
)  # fmt: skip
def test_what_cannot_be_ends_with_its_code(run: Run, weekly: Path, issue: str, arguments: Any, code: int) -> None:
    """An unknown issue is 65 and is not made; options that do not go together are 2."""
    run("issue", "text", *arguments, code=code)
    assert not (weekly / "issues" / "2030-01-01").exists()


def test_a_malformed_field_is_refused_with_its_line_and_can_be_overwritten(run: Run, weekly: Path, issue: str) -> None:
    """Everything that renders says file and line; --write --overwrite and --drop work all the same."""
    path = write(weekly, issue, "One\nTwo {{ subscriber.nmae }}\n")
    for command in (("build", issue), ("check", issue), ("issue", "text", issue), ("approve", issue)):
        assert "issues/2026-11-27/email.txt:2" in run(*command, code=65).err
    run("issue", "text", issue, "--write", "--overwrite")
    run("build", issue)
    path.write_bytes(b"Gr\xfc\xdfe\n")
    assert "issues/2026-11-27/email.txt:1" in run("build", issue, code=65).err
    run("issue", "text", issue, "--drop", "--yes")
    run("build", issue)


def test_the_diff_shows_an_own_text_beside_changed_stories(run: Run, weekly: Path, issue: str) -> None:
    """A generated text changes with the stories and is not told; an own one is told of its own."""
    write(weekly, issue, GREETING)
    run("test", issue, *ME)
    change(weekly, issue, "in one sentence", "in one short sentence")
    shown = run("diff", issue).out
    assert "1 story changed" in shown and "the text part" not in shown
    write(weekly, issue, GREETING.replace("own", "very own"))
    shown = run("diff", issue).out
    assert (
        "1 story changed" in shown and "the text part" in shown and "{+very +}" in shown.replace("very+} ", "very +}")
    )
    row = run("diff", issue, "--json").json
    assert row["text_part_only"] is False and row["text_part"]


def test_the_approval_freezes_it_and_what_is_sent_are_these_bytes(
    run: Run, weekly: Path, issue: str, readers: int
) -> None:
    """Approved issues refuse edits; a hand edit is told by status, named by diff, and not sent; a copy starts anew. A
    line of 5,000 letters travels in lines that RFC 5322 allows, and arrives as one."""
    own = GREETING + "\nhttps://estuary.example/tide\n\n1 Mole, Saltford\n" + "long " * 1000 + "\n"
    write(weekly, issue, own)
    run("approve", issue)
    frozen = (folder(weekly, issue) / "approved" / "email.txt").read_text(encoding="utf-8")
    assert "in my own words" in frozen and "subscriber" not in frozen
    for doing in (("--write", "--overwrite"), ("--confirm",), ("--drop", "--yes")):
        assert "is approved" in run("issue", "text", issue, *doing, code=1).err
    write(weekly, issue, "Something else\n")
    assert "email.txt was edited after the approval" in run("status", issue).out
    assert "the text part" in run("diff", issue, "approved").out
    assert "in my own words" in run("issue", "text", issue).out
    assert run("issue", "text", issue, "--json").json["own"] is True
    run("issue", "duplicate", issue, "2026-12-04")
    assert not (folder(weekly, "2026-12-04") / "email.txt").exists()
    run("send", issue, "--yes")
    sent = sorted((weekly / ".newsletter" / "outbox" / "new").glob("*"))
    assert len(sent) == readers
    for path in sent:
        text = text_part(path)
        assert max(map(len, path.read_bytes().splitlines())) <= 998 < max(map(len, text.splitlines()))
        assert "in my own words" in text and "{{" not in text and "nlf" not in text and "Something else" not in text
    correction = run("issue", "correct", issue, "--json").json["issue"]
    assert not (folder(weekly, correction) / "email.txt").exists()
    assert "in my own words" not in run("issue", "text", correction, code=None).out
