"""`check --fix`: certain fixes are made in the issue's files, and every byte outside them stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.app import fixing
from newsletter.app.check import check_issue
from newsletter.app.desk import Desk
from newsletter.app.fixing import amended
from newsletter.checks.edits import Edit
from newsletter.errors import Conflict, IllegalState
from newsletter.workspace.create import init_workspace
from newsletter.workspace.frontmatter import Document

ISSUE = """---
# kept: a comment
subject:   "The ferry is back"   # and its spaces
preheader: After eight months
date: 2026-11-27
sections:
- layout: lead
  articles: [ferry]
- {layout: list, articles: [bell]}
---
Good  morning {{ subscriber.first_name | default("reader") }},\r
"""
FERRY = """\ufeff---\r
headline: >-\r
  The ferry\r
  is back\r
x-cms: {keep:  me}   # as it is\r
image: {file: ferry.png, caption: 'A boat''s rail', credit: Ines}\r
link: https://breakwater.test/ferry\r
---\r
PRIME minister of tides it was not.  But the log was kept.\r
\r
    code  stays\r
"""
BELL = """---
headline: A bell is found
link: https://breakwater.test/bell
image:
  file: ferry.png
  alt: A bell is found
  # its caption
  caption: A green bell on a plank
  credit: Ines
waive:
  - {id: double-space, reason: verse}
---
Found  in the mud.
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    workspace = init_workspace(
        tmp_path / "weekly", name="The Breakwater", sender="post@breakwater.test", address="1 Mole, Saltford SF1 1AA"
    )
    folder = workspace.issue_dir("2026-11-27")
    (folder / "images").mkdir(parents=True)
    from PIL import Image

    Image.new("RGB", (1200, 675), (40, 80, 120)).save(folder / "images" / "ferry.png")
    for name, text in (("issue", ISSUE), ("ferry", FERRY), ("bell", BELL)):
        (folder / f"{name}.md").write_bytes(text.encode())
    return Desk(workspace)


def text_of(desk: Desk, name: str) -> str:
    return (desk.workspace.issue_dir("2026-11-27") / f"{name}.md").read_bytes().decode()


def test_fixes_are_made_and_told_and_nothing_else_is_touched(desk: Desk) -> None:
    """A byte order mark, line ends, comments, unknown keys, folded and flow values: all as they were."""
    checked = check_issue(desk, "2026-11-27", fix=True)
    assert text_of(desk, "issue") == ISSUE.replace("Good  morning", "Good morning")
    assert text_of(desk, "ferry") == (
        FERRY.replace("PRIME minister", "Prime minister")
        .replace("not.  But", "not. But")
        .replace("credit: Ines}", "credit: Ines, alt: A boat's rail}")
    )
    assert text_of(desk, "bell") == BELL.replace("alt: A bell is found", "alt: A green bell on a plank")
    told = [(fix.file, fix.line, fix.field, fix.before, fix.after, fix.check) for fix in checked.report.fixes]
    folder = "issues/2026-11-27"
    assert told == [
        (f"{folder}/issue.md", 11, "body", "Good  morning", "Good morning", "double-space"),
        (f"{folder}/ferry.md", 6, "image.alt", None, "A boat's rail", "alt-missing"),
        (f"{folder}/ferry.md", 9, "body", "PRIME minister", "Prime minister", "drop-cap-opening"),
        (f"{folder}/ferry.md", 9, "body", "not.  But", "not. But", "double-space"),
        (f"{folder}/bell.md", 6, "image.alt", "A bell is found", "A green bell on a plank", "alt-repeats-headline"),
    ]
    assert {f.id for f in checked.findings} & {"alt-missing", "drop-cap-opening", "alt-repeats-headline"} == set()
    assert [(f.id, f.waived) for f in checked.findings if f.id == "double-space"] == [("double-space", "verse")]


def test_fixing_again_changes_nothing(desk: Desk) -> None:
    """Not a byte, and no time of change: the second run finds nothing to do."""
    check_issue(desk, "2026-11-27", fix=True)
    folder = desk.workspace.issue_dir("2026-11-27")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("*.md")}
    assert check_issue(desk, "2026-11-27", fix=True).report.fixes == []
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("*.md")} == before


def test_one_fix_may_uncover_another_in_the_same_run(desk: Desk) -> None:
    """Two blanks hid the drop cap; after one call both are right, and the next has nothing to do."""
    path = desk.workspace.issue_dir("2026-11-27") / "ferry.md"
    path.write_bytes(FERRY.replace("PRIME minister", "PRIME  minister").encode())
    checks = [
        fix.check for fix in check_issue(desk, "2026-11-27", fix=True).report.fixes if fix.file.endswith("ferry.md")
    ]
    assert checks.count("double-space") == 2 and checks.count("drop-cap-opening") == 1
    assert "\r\nPrime minister of tides it was not. But" in text_of(desk, "ferry")
    assert check_issue(desk, "2026-11-27", fix=True).report.fixes == []


def test_an_approved_issue_is_left_alone(desk: Desk) -> None:
    """Before anything is rendered or written; the way out is named."""
    frozen = desk.workspace.issue_dir("2026-11-27") / "approved"
    frozen.mkdir()
    (frozen / "approval.json").write_text("{}")
    with pytest.raises(IllegalState) as refused:
        check_issue(desk, "2026-11-27", fix=True)
    assert refused.value.exit_code == 1
    assert refused.value.fix == "newsletter unapprove 2026-11-27"
    assert text_of(desk, "ferry") == FERRY


def test_an_approved_issue_is_refused_even_where_there_is_nothing_to_fix(desk: Desk) -> None:
    """The answer does not depend on what the checks would have found."""
    check_issue(desk, "2026-11-27", fix=True)
    frozen = desk.workspace.issue_dir("2026-11-27") / "approved"
    frozen.mkdir()
    (frozen / "approval.json").write_text("{}")
    with pytest.raises(IllegalState):
        check_issue(desk, "2026-11-27", fix=True)


def test_a_file_that_changes_meanwhile_is_a_conflict_and_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The editor's own save wins; what was fixed before is named."""
    ferry = desk.workspace.issue_dir("2026-11-27") / "ferry.md"
    real: Callable[..., bytes] = fixing.read_bytes
    theirs = FERRY.replace("of tides", "of the tides").encode()

    def saved_by_somebody_else(path: Path) -> bytes:
        if path == ferry:
            ferry.write_bytes(theirs)
        return real(path)

    monkeypatch.setattr(fixing, "read_bytes", saved_by_somebody_else)
    with pytest.raises(Conflict) as refused:
        check_issue(desk, "2026-11-27", fix=True)
    assert ferry.read_bytes() == theirs
    assert "fixed before that: issues/2026-11-27/issue.md" in str(refused.value)


def test_what_somebody_else_saves_meanwhile_in_another_place_is_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is read anew before it is written: a fix never brings back what stood there before."""
    ferry = desk.workspace.issue_dir("2026-11-27") / "ferry.md"
    real: Callable[..., bytes] = fixing.read_bytes

    def saved_by_somebody_else(path: Path) -> bytes:
        if path == ferry:
            ferry.write_bytes(
                FERRY.replace("code  stays", "code  stayed").replace("credit: Ines", "credit: Bo").encode()
            )
            monkeypatch.setattr(fixing, "read_bytes", real)
        return real(path)

    monkeypatch.setattr(fixing, "read_bytes", saved_by_somebody_else)
    check_issue(desk, "2026-11-27", fix=True)
    assert "code  stayed" in text_of(desk, "ferry") and "credit: Bo" in text_of(desk, "ferry")
    assert "Prime minister of tides it was not. But" in text_of(desk, "ferry")


@pytest.mark.parametrize("edit", [
    Edit("ferry", "body", "PRIME", "Prime", 3),
    Edit("ferry", "link", "https://elsewhere.test", "x"),
    Edit("ferry", "image.alt", "There is one", "x"),
])  # fmt: skip
def test_an_edit_of_something_else_is_refused(edit: Edit) -> None:
    """What stands there must be what was checked."""
    with pytest.raises(Conflict):
        amended(Document.parse(FERRY, "ferry.md"), [edit])


def test_of_two_edits_that_overlap_the_first_is_made() -> None:
    """The other waits for the next round."""
    document = Document.parse("---\na: b\n---\nabcdef\n", "x.md")
    first, second, third = (
        Edit(None, "body", "abc", "X", 0),
        Edit(None, "body", "cd", "Y", 2),
        Edit(None, "body", "e", "Z", 4),
    )
    changed, made = amended(document, [third, second, first])
    assert (changed.body, made) == ("XdZf\n", [first, third])


WORDS = st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029"), max_size=12)
LINES = st.lists(st.sampled_from(["Two  blanks here.", "None here.", "PRIME minister", "", "    code  x", "| a  | b |",
                                  "`x  y` and  z", "- a  b", "```", "> q  r"]), max_size=12)  # fmt: skip


@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), WORDS, WORDS)
@settings(max_examples=150, deadline=None)
def test_every_byte_outside_the_edits_is_unchanged(
    lines: list[str], eol: str, mark: bool, note: str, tail: str
) -> None:
    """Cutting the edited places out of both texts leaves the same bytes, in order."""
    from newsletter.checks import examples as eg
    from newsletter.checks.run import proposals

    head = ["---", "headline: The ferry is back  # " + note, "image: {caption: A boat, file: f.png}", "---"]
    text = ("\ufeff" if mark else "") + eol.join([*head, *lines, tail])
    try:
        document = Document.parse(text, "ferry.md")
    except Exception:
        return
    context = eg.both(eg.story(body=document.body), eg.picture(alt=None, caption="A boat"), eg.issue(intro=""))
    edits = [p.edit for p in proposals(context(eg.example())) if p.edit.article == eg.FERRY.slug]
    changed, made = amended(document, edits)
    of_body = sorted((e for e in made if e.field == "body"), key=lambda e: e.at)
    before, after, shift, end_before, end_after = [], [], 0, 0, 0
    for edit in of_body:
        before.append(document.body[end_before : edit.at])
        after.append(changed.body[end_after : edit.at + shift])
        assert changed.body[edit.at + shift :].startswith(edit.after)
        end_before, end_after = edit.at + len(edit.before or ""), edit.at + shift + len(edit.after)
        shift += len(edit.after) - len(edit.before or "")
    assert [*before, document.body[end_before:]] == [*after, changed.body[end_after:]]
    above = text[: len(text) - len(document.body)]
    assert changed.text[: len(changed.text) - len(changed.body)] == above.replace(
        "{caption: A boat, file: f.png}", "{caption: A boat, file: f.png, alt: A boat}"
    )
    assert amended(changed, [])[0].text == changed.text
