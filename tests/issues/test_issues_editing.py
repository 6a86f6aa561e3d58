"""Issues as folders: made, filled, ordered, copied and saved, with every untouched byte kept."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import BadData, Busy, CannotWrite, Conflict, FrontMatterError, IllegalState, NotFound
from newsletter.issues import editing
from newsletter.issues.editing import Picked, drop, duplicate, move, new_issue, pick, save
from newsletter.issues.folder import load_issue, unreferenced
from newsletter.workspace.files import file_lock
from newsletter.workspace.frontmatter import Document
from newsletter.workspace.paths import Workspace

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
SLUG = "2022-02-25"

ISSUE = """\
---
subject: 'Rain'   # keep
date: 2022-02-25

sections:
  # the front
  - layout: lead
    articles: [flood]   # one
  - title: Also this week
    layout: list
    articles:
      - bridge
      - school   # the long one
  - {layout: brief, title: "In brief", articles: market}
house_key: x
---
Hello

---
"""


def story(slug: str) -> str:
    return (
        f"---\nheadline: About {slug}\n# a comment\nimage:\n  url: https://pictures.example/{slug}\n---\nIt rained.\n"
    )


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    (tmp_path / "newsletter.toml").write_text("")
    ws = Workspace(tmp_path)
    ws.ensure_state()
    folder = ws.issues / SLUG
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text(ISSUE)
    for slug in ("flood", "bridge", "school", "market"):
        (folder / f"{slug}.md").write_text(story(slug))
    return ws


def text_of(ws: Workspace, slug: str = SLUG) -> str:
    return (ws.issues / slug / "issue.md").read_bytes().decode()


def sha(ws: Workspace) -> str:
    return hashlib.sha256((ws.issues / SLUG / "issue.md").read_bytes()).hexdigest()


def order(ws: Workspace, slug: str = SLUG) -> list[list[str]]:
    return [[a.slug for a in s.articles] for s in load_issue(ws, slug).sections]


# -- new


def test_a_new_issue_has_its_date_from_its_slug(ws: Workspace) -> None:
    """A skeleton with an empty lead and list; subject and preheader are commented out."""
    assert new_issue(ws, "2022-03-04") == ws.issues / "2022-03-04"
    issue = load_issue(ws, "2022-03-04")
    assert (issue.date, issue.subject, issue.preheader, issue.number) == (date(2022, 3, 4), None, None, None)
    assert [(s.layout, s.title) for s in issue.sections] == [("lead", None), ("list", "Also this week")]
    assert issue.intro == ""
    assert not [p for p in ws.issues.iterdir() if p.name.startswith(".")]


def test_a_date_is_never_guessed(ws: Workspace) -> None:
    """A slug that is no day needs --date."""
    with pytest.raises(BadData, match="--date") as caught:
        new_issue(ws, "spring-special")
    assert "--date" in (caught.value.fix or "")
    assert not (ws.issues / "spring-special").exists()
    new_issue(ws, "spring-special", date="2022-04-01")
    new_issue(ws, "summer-special", date=date(2022, 7, 1))
    assert load_issue(ws, "spring-special").date == date(2022, 4, 1)
    assert load_issue(ws, "summer-special").date == date(2022, 7, 1)
    for wrong in ("2022-02-30", "tomorrow", "20220301"):
        with pytest.raises(BadData, match="no date"):
            new_issue(ws, "other", date=wrong)


@pytest.mark.parametrize(
    "slug", ["../out", "/tmp/out", "a/b", "a b", "Über", "con", "images", "", "-x", "a" * 81, "x\0"]
)
def test_a_slug_cannot_leave_the_folder(ws: Workspace, slug: str) -> None:
    """No path, no odd character and no reserved name becomes a folder."""
    before = sorted(p.as_posix() for p in ws.root.rglob("*"))
    with pytest.raises(BadData) as caught:
        new_issue(ws, slug, date="2022-01-01")
    assert caught.value.fix
    with pytest.raises(BadData):
        pick(ws, SLUG, [Picked(slug, story("x"))])
    with pytest.raises(BadData):
        duplicate(ws, SLUG, slug, date="2022-01-01")
    assert sorted(p.as_posix() for p in ws.root.rglob("*")) == before


def test_an_issue_is_never_overwritten(ws: Workspace) -> None:
    """A name that is taken is refused by new and duplicate."""
    with pytest.raises(BadData, match="already"):
        new_issue(ws, SLUG)
    new_issue(ws, "2022-03-04")
    with pytest.raises(BadData, match="already"):
        duplicate(ws, "2022-03-04", SLUG)
    assert text_of(ws) == ISSUE


# -- pick


def test_the_first_pick_becomes_the_lead_and_the_next_goes_into_the_list(ws: Workspace) -> None:
    """Without a section: the first empty lead, else the first list; the note says where."""
    new_issue(ws, "2022-03-04")
    notes = pick(ws, "2022-03-04", [Picked("one", story("one")), Picked("two", story("two"))]).notes
    assert order(ws, "2022-03-04") == [["one"], ["two"]]
    assert notes == ["one: the lead", 'two: place 1 of "Also this week"']
    assert text_of(ws, "2022-03-04").startswith("---\n# subject: ")


def test_without_a_lead_or_list_a_list_is_added(ws: Workspace) -> None:
    """An issue of other sections gets a list at its end."""
    (ws.issues / SLUG / "issue.md").write_text("---\ndate: 2022-02-25\nsections:\n  - layout: text\n---\n")
    assert pick(ws, SLUG, [Picked("one", story("one"))]).notes == ["one: place 1 of the list"]
    assert (
        text_of(ws)
        == "---\ndate: 2022-02-25\nsections:\n  - layout: text\n  - layout: list\n    articles: [one]\n---\n"
    )
    (ws.issues / SLUG / "issue.md").write_text("---\ndate: 2022-02-25\n---\n")
    pick(ws, SLUG, [Picked("two", story("two"))])
    assert order(ws) == [["two"]]


@pytest.mark.parametrize(
    ("section", "at", "before", "after"),
    [
        (None, None, "one)\n", None),
        (
            "Also this week",
            None,
            "      - school   # the long one\n",
            "      - school   # the long one\n      - river\n",
        ),
        ("also THIS week ", 1, "      - bridge\n", "      - river\n      - bridge\n"),
        (None, 2, "      - bridge\n", "      - bridge\n      - river\n"),
        ("lead", None, "[flood]", "[flood, river]"),
        ("lead", 1, "[flood]", "[river, flood]"),
        ("In brief", 1, "articles: market", "articles: [river, market]"),
    ],
)
def test_a_pick_changes_one_list_and_no_other_byte(
    ws: Workspace, section: str | None, at: int | None, before: str, after: str | None
) -> None:
    """Comments, quotes, the newsroom's own keys, the body: all as they were."""
    pick(ws, SLUG, [Picked("river", story("river"))], section=section, at=at)
    if after is None:
        before = "      - school   # the long one\n"
        after = before + "      - river\n"
    assert text_of(ws) == ISSUE.replace(before, after)


def test_several_stories_stand_in_the_order_given(ws: Workspace) -> None:
    """``at`` is the place of the first."""
    pick(ws, SLUG, [Picked("a", story("a")), Picked("b", story("b"))], section="Also this week", at=2)
    assert order(ws)[1] == ["bridge", "a", "b", "school"]


def test_a_pick_brings_its_text_and_its_picture(ws: Workspace, tmp_path: Path) -> None:
    """The issue holds everything it needs; the picture's name tells its real format."""
    original = tmp_path / "0af3"
    original.write_bytes(PNG)
    pick(ws, SLUG, [Picked("river", story("river"), original)])
    folder = ws.issues / SLUG
    assert (folder / "images" / "river.png").read_bytes() == PNG
    assert (folder / "river.md").read_text() == story("river").replace("/river\n", "/river\n  file: river.png\n")
    article = next(a for a in load_issue(ws, SLUG).articles() if a.slug == "river")
    assert article.image is not None and article.image.file == "river.png"
    assert article.headline == "About river"


@pytest.mark.parametrize(
    ("start", "extension"),
    [
        (b"\xff\xd8\xff\xe0", "jpg"), (b"GIF89a", "gif"), (b"RIFF\0\0\0\0WEBPVP8 ", "webp"), (b"II*\0", "tif"),
        (b"\0\0\0\x20ftypavif", "avif"), (b"BM", "bmp"), (b"who knows", "img"),
    ],
)  # fmt: skip
def test_a_picture_is_named_by_its_bytes(ws: Workspace, tmp_path: Path, start: bytes, extension: str) -> None:
    """Not by what a web server said it was."""
    (tmp_path / "original").write_bytes(start)
    pick(ws, SLUG, [Picked("river", story("river"), tmp_path / "original")])
    assert (ws.issues / SLUG / "images" / f"river.{extension}").read_bytes() == start


def test_a_picture_never_replaces_another(ws: Workspace, tmp_path: Path) -> None:
    """A name that is taken by other bytes gets a number; the same bytes share one file."""
    (tmp_path / "new").write_bytes(PNG)
    images = ws.issues / SLUG / "images"
    images.mkdir()
    (images / "p.png").write_bytes(b"other")
    text = "---\nheadline: River\nimage: https://pictures.example/river\n---\nx\n"
    pick(ws, SLUG, [Picked("river", text, tmp_path / "new", "p.png")])
    assert (images / "p.png").read_bytes() == b"other"
    assert (images / "p-2.png").read_bytes() == PNG
    river = (ws.issues / SLUG / "river.md").read_text()
    assert "image:\n  file: p-2.png\n  url: https://pictures.example/river\n" in river
    pick(ws, SLUG, [Picked("sea", story("sea"), tmp_path / "new", "p-2.png")])
    assert sorted(p.name for p in images.iterdir()) == ["p-2.png", "p.png"]
    for name in ("../p.png", ".p", "a\\b"):
        with pytest.raises(BadData, match="plain name"):
            pick(ws, SLUG, [Picked("lake", story("lake"), tmp_path / "new", name)])


def test_a_story_without_front_matter_for_the_picture_gets_it(ws: Workspace, tmp_path: Path) -> None:
    """``image`` is added where the story had none."""
    (tmp_path / "new").write_bytes(PNG)
    pick(ws, SLUG, [Picked("river", "---\nheadline: River\n---\nx\n", tmp_path / "new")])
    assert (ws.issues / SLUG / "river.md").read_text() == "---\nheadline: River\nimage:\n  file: river.png\n---\nx\n"


def test_picking_what_is_in_the_issue_says_so(ws: Workspace) -> None:
    """With the line, the place and the command that moves it; nothing changes."""
    with pytest.raises(BadData, match='in the issue already: place 2 of "Also this week"') as caught:
        pick(ws, SLUG, [Picked("river", story("river")), Picked("school", story("school"))])
    assert caught.value.where == f"issues/{SLUG}/issue.md:13"
    assert caught.value.fix == f"newsletter issue move {SLUG} school --to N"
    assert text_of(ws) == ISSUE
    assert not (ws.issues / SLUG / "river.md").exists()


def test_nothing_is_copied_when_one_story_cannot_be(ws: Workspace, tmp_path: Path) -> None:
    """A broken story or a lost picture is noticed before the first file is written."""
    for bad in (Picked("bad", "no front matter"), Picked("bad", "---\nkicker: x\n---\n")):
        with pytest.raises(FrontMatterError):
            pick(ws, SLUG, [Picked("river", story("river")), bad])
    with pytest.raises(NotFound):
        pick(ws, SLUG, [Picked("river", story("river")), Picked("bad", story("bad"), tmp_path / "gone")])
    assert not (ws.issues / SLUG / "river.md").exists()
    assert text_of(ws) == ISSUE


def test_a_wrong_place_or_section_is_refused(ws: Workspace) -> None:
    """With the places that there are, or the nearest title."""
    for at in (0, 4):
        with pytest.raises(BadData, match=f"no place {at}") as caught:
            pick(ws, SLUG, [Picked("river", story("river"))], section="Also this week", at=at)
        assert caught.value.fix == "choose 1 to 3"
    with pytest.raises(NotFound, match='did you mean "Also this week"'):
        pick(ws, SLUG, [Picked("river", story("river"))], section="Also this weak")
    with pytest.raises(NotFound, match="the sections are Also this week, In brief"):
        pick(ws, SLUG, [Picked("river", story("river"))], section="Zzz")
    with pytest.raises(NotFound, match="add it to"):
        pick(ws, SLUG, [Picked("river", story("river"))], section="grid")
    new_issue(ws, "2022-03-04")
    with pytest.raises(BadData, match=r"choose 1$"):
        pick(ws, "2022-03-04", [Picked("river", story("river"))], section="lead", at=2)
    assert text_of(ws) == ISSUE


# -- drop, move


def test_a_drop_takes_one_item_and_loses_nothing(ws: Workspace) -> None:
    """The story's file stays, is reported as unreferenced, and comes back as it was."""
    (ws.issues / SLUG / "bridge.md").write_text(story("bridge") + "Edited by hand.\n")
    notes = drop(ws, SLUG, "bridge")
    assert text_of(ws) == ISSUE.replace("      - bridge\n", "")
    assert notes[1].startswith(f"issues/{SLUG}/bridge.md stays")
    assert unreferenced(ws, load_issue(ws, SLUG)) == ["bridge.md"]
    notes = pick(ws, SLUG, [Picked("bridge", story("bridge"))], section="Also this week", at=1).notes
    assert notes[1] == f"issues/{SLUG}/bridge.md was in the folder already and is used as it is"
    assert text_of(ws) == ISSUE
    assert (ws.issues / SLUG / "bridge.md").read_text().endswith("Edited by hand.\n")


def test_a_drop_works_for_every_way_of_writing(ws: Workspace) -> None:
    """Brackets, one word, twice in the issue, file already gone."""
    drop(ws, SLUG, "flood")
    assert "articles: []   # one" in text_of(ws)
    drop(ws, SLUG, "market")
    assert 'title: "In brief", articles: []}' in text_of(ws)
    (ws.issues / SLUG / "issue.md").write_text(ISSUE.replace("articles: market", "articles: [bridge, bridge]"))
    (ws.issues / SLUG / "bridge.md").unlink()
    assert drop(ws, SLUG, "bridge") == [f"bridge is out of {SLUG}"]
    assert order(ws) == [["flood"], ["school"], []]


def test_unknown_stories_are_named_with_the_nearest(ws: Workspace) -> None:
    """Drop and move of what is not there."""
    for act in (lambda: drop(ws, SLUG, "brigde"), lambda: move(ws, SLUG, "brigde", to=1)):
        with pytest.raises(NotFound, match='did you mean "bridge"'):
            act()
    with pytest.raises(NotFound, match=f"newsletter issue show {SLUG}"):
        drop(ws, SLUG, "xyz")
    assert text_of(ws) == ISSUE


def test_a_move_within_and_between_sections(ws: Workspace) -> None:
    """Places count from 1; the note says the new place."""
    assert move(ws, SLUG, "school", to=1) == ['school: place 1 of "Also this week"']
    assert order(ws)[1] == ["school", "bridge"]
    assert move(ws, SLUG, "school", to=2) == ['school: place 2 of "Also this week"']
    assert move(ws, SLUG, "bridge", section="lead", to=1) == ["bridge: the lead"]
    assert order(ws) == [["bridge", "flood"], ["school"], ["market"]]
    move(ws, SLUG, "market", section="also this week", to=2)
    assert order(ws) == [["bridge", "flood"], ["school", "market"], []]
    for to in (0, 3):
        with pytest.raises(BadData, match=f"no place {to}"):
            move(ws, SLUG, "market", to=to)
    with pytest.raises(NotFound, match="no section"):
        move(ws, SLUG, "market", section="Nowhere", to=1)
    assert text_of(ws).startswith("---\nsubject: 'Rain'   # keep\n")


# -- duplicate


def test_a_copy_has_its_own_date_and_no_approval(ws: Workspace) -> None:
    """Stories and pictures come along; the approval and the number do not."""
    folder = ws.issues / SLUG
    (folder / "issue.md").write_text(ISSUE.replace("\n\nsections", "\nnumber: 12\n\nsections"))
    (folder / "images").mkdir()
    (folder / "images" / "flood.jpg").write_bytes(PNG)
    (folder / "approved").mkdir()
    (folder / "approved" / "approval.json").write_text("{}")
    assert duplicate(ws, SLUG, "2022-03-04") == ws.issues / "2022-03-04"
    assert text_of(ws, "2022-03-04") == ISSUE.replace("2022-02-25", "2022-03-04")
    assert (ws.issues / "2022-03-04" / "images" / "flood.jpg").read_bytes() == PNG
    assert not (ws.issues / "2022-03-04" / "approved").exists()
    assert order(ws, "2022-03-04") == order(ws)
    with pytest.raises(BadData, match="date"):
        duplicate(ws, SLUG, "special")
    duplicate(ws, "2022-03-04", "special", date="2022-05-01")
    assert load_issue(ws, "special").date == date(2022, 5, 1)
    with pytest.raises(NotFound):
        duplicate(ws, "2021-01-01", "2022-05-05")


# -- saving


def test_a_save_says_when_the_file_has_changed(ws: Workspace) -> None:
    """Two editors: the second one is told, and nothing is written."""
    read = sha(ws)
    doc = Document.parse(text_of(ws), "issue.md")
    new = save(ws, SLUG, doc.set(("subject",), "Sun"), expected=read)
    assert new == sha(ws)
    assert text_of(ws) == ISSUE.replace("'Rain'", "'Sun'")
    with pytest.raises(Conflict) as caught:
        save(ws, SLUG, doc.set(("subject",), "Snow"), expected=read)
    assert caught.value.exit_code == 75
    assert text_of(ws) == ISSUE.replace("'Rain'", "'Sun'")
    for act in (
        lambda: pick(ws, SLUG, [Picked("river", story("river"))], expected=read),
        lambda: drop(ws, SLUG, "flood", expected=read),
        lambda: move(ws, SLUG, "school", to=1, expected=read),
    ):
        with pytest.raises(Conflict):
            act()
    assert not (ws.issues / SLUG / "river.md").exists()
    drop(ws, SLUG, "flood", expected=new)


def test_a_story_is_saved_the_same_way(ws: Workspace) -> None:
    """The composer edits stories under the same lock and the same rule."""
    path = ws.issues / SLUG / "flood.md"
    before = path.read_bytes()
    doc = Document.decode(before, "flood.md").set(("headline",), "Dry")
    new = save(ws, SLUG, doc, expected=hashlib.sha256(before).hexdigest(), article="flood")
    assert new == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.read_text() == story("flood").replace("About flood", "Dry")
    path.unlink()
    with pytest.raises(Conflict):
        save(ws, SLUG, doc, expected=new, article="flood")
    with pytest.raises(BadData):
        save(ws, SLUG, doc, expected=new, article="../flood")


def test_a_text_editor_that_saves_in_between_wins(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our commands look again right before they write."""
    real = editing.prepare_copy

    def meanwhile(*arguments: Any) -> Any:
        (ws.issues / SLUG / "issue.md").write_text(ISSUE + "Typed by hand.\n")
        return real(*arguments)

    monkeypatch.setattr(editing, "prepare_copy", meanwhile)
    with pytest.raises(Conflict):
        pick(ws, SLUG, [Picked("river", story("river"))])
    assert text_of(ws) == ISSUE + "Typed by hand.\n"


def test_an_approved_issue_refuses_every_edit(ws: Workspace) -> None:
    """Only ``unapprove`` opens it again."""
    folder = ws.issues / SLUG
    (folder / "approved").mkdir()
    (folder / "approved" / "approval.json").write_text("{}")
    doc = Document.parse(text_of(ws), "issue.md")
    for act in (
        lambda: pick(ws, SLUG, [Picked("river", story("river"))]),
        lambda: drop(ws, SLUG, "flood"),
        lambda: move(ws, SLUG, "school", to=1),
        lambda: save(ws, SLUG, doc, expected=sha(ws)),
        lambda: save(ws, SLUG, doc, expected=sha(ws), article="flood"),
    ):
        with pytest.raises(IllegalState) as caught:
            act()
        assert caught.value.fix == f"newsletter unapprove {SLUG}"
    assert text_of(ws) == ISSUE


def test_two_commands_take_turns(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is the issue's own: another issue can be edited meanwhile."""
    monkeypatch.setattr(editing, "LOCK_SECONDS", 0.0)
    new_issue(ws, "2022-03-04")
    with file_lock(ws.locks / f"issue-{SLUG}.lock"):
        with pytest.raises(Busy):
            drop(ws, SLUG, "flood")
        pick(ws, "2022-03-04", [Picked("river", story("river"))])
    drop(ws, SLUG, "flood")


def test_a_full_disk_leaves_everything_as_it_was(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """No half issue, no half folder."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    for act in (
        lambda: drop(ws, SLUG, "flood"),
        lambda: new_issue(ws, "2022-03-04"),
        lambda: duplicate(ws, SLUG, "2022-03-04"),
    ):
        with pytest.raises(CannotWrite, match="disk is full"):
            act()
    assert text_of(ws) == ISSUE
    assert [p.name for p in ws.issues.iterdir()] == [SLUG]
    assert not [p.name for p in (ws.issues / SLUG).iterdir() if p.name.startswith(".")]


def test_an_unreadable_picture_stops_a_copy(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing copy leaves no folder that looks like an issue."""
    (ws.issues / SLUG / "images").mkdir()

    def broken(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.EIO, "I/O error")

    monkeypatch.setattr(editing.shutil, "copytree", broken)
    with pytest.raises(CannotWrite):
        duplicate(ws, SLUG, "2022-03-04")
    assert [p.name for p in ws.issues.iterdir()] == [SLUG]


def test_an_edit_keeps_the_permissions_of_the_file(ws: Workspace) -> None:
    """A newsroom that shares its folder by group keeps sharing it."""
    path = ws.issues / SLUG / "issue.md"
    path.chmod(0o664)
    drop(ws, SLUG, "flood")
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


def test_a_broken_issue_is_said_before_it_is_edited(ws: Workspace) -> None:
    """And stays as it is."""
    (ws.issues / SLUG / "issue.md").write_text("---\nsubject: a: b\n---\n")
    with pytest.raises(FrontMatterError, match="quotes"):
        drop(ws, SLUG, "flood")
    with pytest.raises(NotFound, match="no issue '2022-02-26'") as caught:
        drop(ws, "2022-02-26", "flood")
    assert caught.value.fix == 'did you mean "2022-02-25"?'
