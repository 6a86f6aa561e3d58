"""Stories and issues from the command line."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

CMS = (
    "FERRY crews at Saltford will vote on Tuesday (24) whether to run the night boat.\n"
    "The union expects a close result.\n(CWN)\nFerry crews vote on the night boat\n"
    "![Ferry crews vote on the night boat](https://pictures.invalid/ferry.jpg?width=1245)"
)


@pytest.fixture
def cms(tmp_path: Path) -> Path:
    path = tmp_path / "ferry.txt"
    path.write_text(CMS, encoding="utf-8")
    return path


def test_a_story_is_added_once_and_shows_where_each_field_came_from(run: Run, weekly: Path, cms: Path) -> None:
    """add, add again, list, show: provenance is visible, nothing is invented, nothing doubled."""
    added = run("article", "add", str(cms))
    assert "Ferry crews vote on the night boat" in added.out
    assert "offered:" in added.err
    assert "stays where it is" in added.err
    assert "already" in run("article", "add", str(cms)).out
    assert run("article", "list").out.count("ferry-crews") == 1
    fields = run("article", "show", "ferry-crews-vote-on-the-night-boat", "--json").json["fields"]
    assert fields["agency"]["value"] == "CWN"
    assert not {"byline", "published", "link"} & set(fields)
    shown = run("article", "show", "ferry-crews-vote-on-the-night-boat")
    assert "line before the picture" in shown.out


def test_an_offered_fix_is_taken_only_when_asked(run: Run, weekly: Path, cms: Path) -> None:
    """FERRY stays until --fix makes it Ferry; a second --fix has nothing to offer."""
    slug = run("article", "add", str(cms), "--json").json["articles"][0]["slug"]
    assert run("article", "show", slug, "--json").json["body"].startswith("FERRY crews")
    run("article", "set", slug, "kicker=Transport", "--fix")
    shown = run("article", "show", slug, "--json").json
    assert shown["body"].startswith("Ferry crews")
    assert shown["fields"]["kicker"] == {"value": "Transport", "from": "editor", "confirmed": True}
    assert "nothing is offered" in run("article", "set", slug, "--fix").out
    run("article", "set", slug, code=2)
    run("article", "set", slug, "kicker", code=2)
    assert "did you mean" in run("article", "set", slug, "headlin=x", code=65).err


def test_a_story_from_standard_input(run: Run, weekly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`newsletter article add -` reads what is piped in."""

    class Piped:
        buffer = io.BytesIO(b"# A piped story\n\nIt came through a pipe and is none the worse for it.\n")

    monkeypatch.setattr("sys.stdin", Piped())
    assert "A piped story" in run("article", "add", "-").out


def test_dismissed_stories_leave_the_list(run: Run, weekly: Path, cms: Path) -> None:
    """dismiss hides, --all shows, an empty inbox says what to do."""
    assert "empty" in run("article", "list").out
    slug = run("article", "add", str(cms), "--json").json["articles"][0]["slug"]
    run("article", "dismiss", slug)
    assert run("article", "list", "--json").json["articles"] == []
    assert run("article", "list", "--all", "--json").json["articles"][0]["state"] == "dismissed"
    run("article", "dismiss", "no-such-story", code=65)


@pytest.mark.parametrize(
    ("content", "word"),
    [(None, "no such file"), ("folder", "folder"), (b"\x00\x01\x02binary", "text"), (b"", "empty")],
    ids=["missing", "folder", "binary", "empty"],
)
def test_a_file_that_is_no_story_is_refused_and_adds_nothing(
    run: Run, weekly: Path, tmp_path: Path, content: bytes | str | None, word: str
) -> None:
    """Exit 65, the file's name, and an unchanged inbox."""
    path = tmp_path / "odd.txt"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    refused = run("article", "add", str(path), code=65)
    assert "odd.txt" in refused.err
    assert word in refused.err
    assert run("article", "list", "--json").json["articles"] == []


def test_the_life_of_an_issue(run: Run, weekly: Path, issue: str, cms: Path) -> None:
    """pick, show, move, drop, duplicate, list: each says what it did, and files keep their bytes."""
    picked = run("article", "add", str(cms), "--issue", issue)
    assert "is before the issue's date" in picked.out
    shown = run("issue", "show", issue)
    assert "The tide tables were right" in shown.out
    assert "until you write one" in shown.out
    assert "ferry-crews-vote-on-the-night-boat" in run("article", "list").out
    assert f"(used in issue {issue})" in run("article", "list").out

    text = (weekly / "issues" / issue / "issue.md").read_bytes()
    run("issue", "move", issue, "ferry-crews-vote-on-the-night-boat", "--to", "1")
    sections = run("issue", "show", issue, "--json").json["sections"]
    assert sections[1]["articles"][0] == "ferry-crews-vote-on-the-night-boat"
    run("issue", "move", issue, "ferry-crews-vote-on-the-night-boat", "--to", "2")
    assert (weekly / "issues" / issue / "issue.md").read_bytes() == text

    run("issue", "drop", issue, "ferry-crews-vote-on-the-night-boat")
    assert "in no section" in run("issue", "show", issue).out
    run("issue", "pick", issue, "no-such-story", code=65)
    run("issue", "duplicate", issue, "2026-12-04")
    listed = run("issue", "list")
    assert listed.out.index("2026-12-04") < listed.out.index(issue)
    run("issue", "duplicate", issue, "the-best-of", "--date", "2026-12-31")
    assert len(run("issue", "list", "--json").json["issues"]) == 3


def test_an_empty_workspace_says_what_to_do_next(run: Run, weekly: Path) -> None:
    """A first run explains itself."""
    assert "newsletter issue new" in run("issue", "list").out
    run("issue", "new", "2026-11-27")
    assert "no story yet" in run("issue", "show", "2026-11-27").out


@pytest.mark.parametrize("slug", ["..", "/etc", "a/b", "Größe", "con", "approved", "x" * 200, "-x", ""])
def test_slugs_cannot_leave_the_folder(run: Run, weekly: Path, slug: str) -> None:
    """No path, no reserved name, no odd character: nothing is made."""
    before = sorted(weekly.rglob("*"))
    assert run("issue", "new", "--date", "2026-11-27", "--", slug, code=65).err
    assert sorted(weekly.rglob("*")) == before


def test_a_broken_issue_is_listed_with_its_problem(run: Run, weekly: Path, issue: str) -> None:
    """One broken issue hides no other, and its message names file and line."""
    run("issue", "new", "2026-12-04")
    path = weekly / "issues" / "2026-12-04" / "issue.md"
    path.write_text("---\nsubject: A: b\ndate: 2026-12-04\n---\n", encoding="utf-8")
    assert "broken" in run("issue", "list").out
    refused = run("issue", "show", "2026-12-04", code=65)
    assert "issue.md:2" in refused.err
    assert "quote" in refused.err
    assert "The tide tables" in run("issue", "show", issue).out
