"""Which issue has which story: from the folders, remembered, and never wrong because of that."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import msgspec
import pytest

from newsletter.issues import uses as module
from newsletter.issues.uses import Uses, uses
from newsletter.workspace.paths import Workspace

STORY = "---\nheadline: {}\nlink: https://www.harbour.example/{}/?utm_source=x\norigin: {{guid: {}}}\n---\nText.\n"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.ensure_state()
    for day, number, slugs in (("2026-11-13", "40", ["pier"]), ("2026-11-20", "", ["quay", "pier"])):
        folder = tmp_path / "issues" / day
        folder.mkdir(parents=True)
        issue(folder, day, number, slugs)
        for slug in slugs:
            (folder / f"{slug}.md").write_text(STORY.format(slug.title() + " opens!", slug, f"tag-{slug}"))
    return workspace


def issue(folder: Path, day: str, number: str, slugs: list[str], more: str = "") -> None:
    numbered = f"number: {number}\n" if number else ""
    sections = f"sections:\n  - layout: list\n    articles: [{', '.join(slugs)}]\n"
    (folder / "issue.md").write_text(f"---\ndate: {day}\n{numbered}{more}{sections}---\n")


def said(found: Uses, slug: str) -> list[str]:
    return [use.words for use in found.of(slug)]


def test_a_story_names_every_issue_that_has_it_newest_first(ws: Workspace) -> None:
    """By the number that readers know, else by its slug."""
    found = uses(ws)
    assert said(found, "pier") == ["issue 2026-11-20", "issue 40"]
    assert said(found, "nothing") == []
    assert found.dates == ((date(2026, 11, 20), "2026-11-20"), (date(2026, 11, 13), "2026-11-13"))


def test_stories_are_known_again_by_headline_link_and_guid(ws: Workspace) -> None:
    found = uses(ws, alike=True)
    for keys, word in (
        (("quay opens", None, None), "headline"),
        (("x", "harbour.example/quay", None), "link"),
        (("x", "y", "tag-quay"), "GUID"),
    ):
        alike = found.alike(keys)
        assert alike is not None
        assert (alike[0], alike[1].story, alike[1].issue) == (word, "quay", "2026-11-20")
    assert found.alike(("x", None, None)) is None


def test_only_what_changed_is_read_again(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look parses nothing; a changed, a new and a removed issue are noticed."""
    read: list[str] = []
    for name in ("_read_issue", "_read_story"):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda path, known, go=original: (read.append(path.name), go(path, known)))
    first = uses(ws, alike=True)
    assert sorted(read) == ["issue.md", "issue.md", "pier.md", "pier.md", "quay.md"]
    read.clear()
    assert uses(ws, alike=True) == first
    assert read == []
    issue(ws.issues / "2026-11-20", "2026-11-20", "41", ["quay"])
    assert said(uses(ws, alike=True), "quay") == ["issue 41"]
    assert said(uses(ws, alike=True), "pier") == ["issue 40"]
    assert read == ["issue.md"]
    read.clear()
    uses(ws)
    assert read == []
    module._IN_MEMORY.clear()  # another process
    assert said(uses(ws, alike=True), "quay") == ["issue 41"]
    assert read == []
    (ws.issues / "2026-11-13" / "issue.md").unlink()
    assert said(uses(ws, alike=True), "pier") == []


def test_a_file_of_the_same_size_written_at_another_time_is_read(ws: Workspace) -> None:
    uses(ws)
    file = ws.issues / "2026-11-13" / "issue.md"
    file.write_text(file.read_text().replace("number: 40", "number: 39"))
    os.utime(file, ns=(1, 1))
    assert said(uses(ws), "pier") == ["issue 2026-11-20", "issue 39"]


@pytest.mark.parametrize(
    "cache", [b"", b"{", b'{"version": 99, "files": {}}', b'{"files": {"x": [1]}}', b'{"files": 3}']
)
def test_a_cache_that_is_damaged_or_of_another_version_is_made_anew(ws: Workspace, cache: bytes) -> None:
    ws.cache.joinpath("uses-issues.json").write_bytes(cache)
    assert said(uses(ws), "quay") == ["issue 2026-11-20"]
    assert msgspec.json.decode(ws.cache.joinpath("uses-issues.json").read_bytes())["version"] < 99


def test_where_nothing_can_be_remembered_it_still_works(ws: Workspace) -> None:
    """The cache's place is a folder: no error, only no memory."""
    ws.cache.joinpath("uses-issues.json").mkdir()
    assert said(uses(ws), "quay") == ["issue 2026-11-20"]


def test_broken_issues_and_stories_are_passed_over(ws: Workspace) -> None:
    """They have their own message elsewhere; the others count."""
    (ws.issues / "2026-11-20" / "issue.md").write_text("no front matter")
    (ws.issues / "2026-11-13" / "pier.md").write_text("---\nheadline: [\n---\n")
    (ws.issues / "empty").mkdir()
    (ws.issues / "a-file").write_text("")
    found = uses(ws, alike=True)
    assert said(found, "pier") == ["issue 40"]
    assert found.alike(("pier opens", None, None)) is None


def test_a_correction_is_a_use_and_no_last_issue(ws: Workspace) -> None:
    """Its number, if it has one, is the corrected issue's business."""
    folder = ws.issues / "sorry"
    folder.mkdir()
    issue(folder, "2026-11-25", "41", ["quay"], "corrects: 2026-11-20\n")
    found = uses(ws)
    assert said(found, "quay") == ["issue sorry", "issue 2026-11-20"]
    assert found.dates[0] == (date(2026, 11, 20), "2026-11-20")


def test_no_issues_folder_is_no_use(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    workspace.ensure_state()
    assert uses(workspace) == Uses({}, {}, ())
