"""A line about each issue: remembered between processes, and never wrong because of that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsletter.issues import summaries
from newsletter.issues.summaries import list_issues
from newsletter.workspace.paths import Workspace

LONG_AGO = 1_700_000_000_000_000_000


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.ensure_state()
    for name in ("one", "two"):
        folder = tmp_path / "issues" / name
        folder.mkdir(parents=True)
        write(folder / "issue.md", f"---\nsubject: {name}\ndate: 2026-11-20\n---\n")
    return workspace


def write(file: Path, text: str, when: int = LONG_AGO) -> None:
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(when, when))


def next_process(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Forget what this process knows; the slugs that are read from now on come into the list that is returned."""
    summaries._CACHES.clear()
    read: list[str] = []
    summary = summaries._summary
    monkeypatch.setattr(summaries, "_summary", lambda ws, slug: read.append(slug) or summary(ws, slug))
    return read


def test_the_next_process_opens_no_issue(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one run read, cron's next run knows, and shows the same."""
    before = list_issues(ws)
    read = next_process(monkeypatch)
    assert list_issues(ws) == before
    assert read == []


def test_a_changed_new_or_removed_issue_is_seen(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the next process too, and only that issue is opened."""
    list_issues(ws)
    write(ws.issues / "one" / "issue.md", "---\nsubject: One!\ndate: 2026-11-20\n---\n", LONG_AGO + 1)
    (ws.issues / "two" / "issue.md").unlink()
    (ws.issues / "two").rmdir()
    (ws.issues / "three").mkdir()
    write(ws.issues / "three" / "issue.md", "no front matter")
    read = next_process(monkeypatch)
    listed = {row.slug: row for row in list_issues(ws)}
    assert read == ["one", "three"]
    assert listed.keys() == {"one", "three"}
    assert listed["one"].subject == "One!"
    assert "three/issue.md" in (listed["three"].problem or "")


def test_what_was_written_just_now_is_not_trusted(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be written again within the same tick of the clock, and look the same."""
    (ws.issues / "one" / "issue.md").write_text("---\nsubject: Fresh\n---\n", encoding="utf-8")
    list_issues(ws)
    read = next_process(monkeypatch)
    list_issues(ws)
    assert read == ["one"]


def test_an_approval_is_seen(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that came into the issue's folder changes its line."""
    assert not any(row.approved for row in list_issues(ws))
    (ws.issues / "one" / "approved").mkdir()
    (ws.issues / "one" / "approved" / "approval.json").write_text("{}", encoding="utf-8")
    assert [row.slug for row in list_issues(ws) if row.approved] == ["one"]


@pytest.mark.parametrize("cache", [b"", b"{", b'{"version": "0.0.0"}', b'{"issues": {"one": 1}}', b'{"issues": 3}'])
def test_a_cache_that_is_damaged_or_another_version_s_is_made_anew(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, cache: bytes
) -> None:
    """Its sentences about broken issues may be others."""
    ws.cache.joinpath("summaries.json").write_bytes(cache)
    assert [row.slug for row in list_issues(ws)] == ["two", "one"]
    read = next_process(monkeypatch)
    list_issues(ws)
    assert read == []


def test_where_nothing_can_be_remembered_it_still_lists(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache's place is a folder: no error, only no memory."""
    ws.cache.joinpath("summaries.json").mkdir()
    assert len(list_issues(ws)) == 2
    read = next_process(monkeypatch)
    assert len(list_issues(ws)) == 2
    assert read == ["one", "two"]
