"""Broken issues, broken stories and broken merge fields, through the command line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from badinput_kit import ISSUE, LEAD, SECOND, Run, refused, tree, write_story

# What each way of using an issue says about it must be the same; none may leave anything behind.
USES = (("build", ISSUE), ("check", ISSUE), ("approve", ISSUE), ("issue", "show", ISSUE))


def edited(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def refused_everywhere(run: Run, folder: Path, *words: str, uses: tuple[tuple[str, ...], ...] = USES) -> None:
    """Every use of the issue says ``words`` with exit code 65 and leaves the folder as it is."""
    before = tree(folder)
    for use in uses:
        refused(run(*use, code=65), *words)
    assert tree(folder) == before
    assert not (folder.parents[1] / ".newsletter" / "build").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Good morning.\n", ("issue.md:1: the front matter is missing", "begin the file with a line `---`")),
        ("", ("issue.md:1: the front matter is missing",)),
        ("---\ndate: 2026-11-27\nsections: []\n", ("issue.md", "---")),
        ("---\nsubject: Tide: right\ndate: 2026-11-27\n---\n", ("issue.md:2:", 'subject: "Tide: right"')),
        (
            '---\nsubject: {{ subscriber.first_name | default("You") }}, look\ndate: 2026-11-27\n---\n',
            ("issue.md:2:", "put the value in quotes"),
        ),
        ("---\ndate: [2026\nsections: []\n---\n", ("issue.md:2: the bracket is not closed",)),
        ("---\ndate: 2026-13-45\n---\n", ("issue.md:2: date:", "2026-11-27")),
        ("---\nsubject: No day\n---\n", ("issue.md", "date")),
        ("---\ndate: 2026-11-27\nsections: five\n---\n", ("issue.md:3", "sections")),
    ],
    ids=["none", "empty", "not closed", "colon", "braces", "bracket", "no such day", "no date", "no list"],
)
def test_front_matter_that_cannot_be_read_names_file_line_and_cure(
    run: Run, folder: Path, text: str, words: tuple[str, ...]
) -> None:
    """Exit 65 from build, check, approve and show; the list of issues still shows the others."""
    (folder / "issue.md").write_text(text, encoding="utf-8")
    refused_everywhere(run, folder, *words)
    run("issue", "new", "2026-12-04")
    listed = {row["slug"]: row for row in run("issue", "list", "--json").json["issues"]}
    assert listed[ISSUE]["state"] == "broken"
    assert listed["2026-12-04"]["state"] == "draft"


def test_an_issue_that_cannot_be_read_is_not_edited(run: Run, folder: Path, tmp_path: Path) -> None:
    """pick, drop and move refuse; what the editor has typed so far stays byte for byte, and the story is not lost."""
    text = "---\nsubject: Half a line: of YAML\ndate: 2026-11-27\n---\nGood morning.\n"
    (folder / "issue.md").write_text(text, encoding="utf-8")
    before = tree(folder)
    refused(run("issue", "drop", ISSUE, LEAD, code=65), "issue.md:2:")
    refused(run("issue", "move", ISSUE, LEAD, "--to", "1", code=65), "issue.md:2:")
    story = write_story(tmp_path, "gulls", "The gulls are early")
    refused(run("article", "add", str(story), "--issue", ISSUE, code=65), "issue.md:2:")
    assert tree(folder) == before
    assert run("article", "show", "the-gulls-are-early", "--json").json["slug"] == "the-gulls-are-early"


def test_a_picked_story_without_front_matter_is_named(run: Run, folder: Path) -> None:
    """The file that is named is the story's, not the issue's."""
    (folder / f"{LEAD}.md").write_text("Only words.\n", encoding="utf-8")
    refused_everywhere(run, folder, f"{LEAD}.md:1: the front matter is missing")


def test_an_unknown_layout_is_named_with_the_nearest_and_all(run: Run, folder: Path) -> None:
    """A slip in a section's layout."""
    edited(folder / "issue.md", "layout: list", "layout: lsit")
    refused_everywhere(
        run, folder, "issue.md:11: layout: 'lsit' is no layout", 'did you mean "list"?', "lead, list, grid"
    )


def test_a_picked_story_that_is_gone_is_named_with_two_ways_out(run: Run, folder: Path) -> None:
    """The line that picks it; restoring the file or dropping the story puts it right."""
    story = (folder / f"{LEAD}.md").read_bytes()
    (folder / f"{LEAD}.md").unlink()
    refused_everywhere(
        run, folder, f"issue.md:9: the article '{LEAD}' is picked, but its file is gone", f"issue drop {ISSUE} {LEAD}"
    )
    (folder / f"{LEAD}.md").write_bytes(story)
    run("build", ISSUE)
    (folder / f"{LEAD}.md").unlink()
    run("issue", "drop", ISSUE, LEAD)
    assert SECOND in run("build", ISSUE, "--json").json["articles"]


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("random.md", b"\x81\x8d\x00\xff" + random.Random(7).randbytes(3000), "not"),
        ("story.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "a PDF"),
        ("story.docx", b"PK\x03\x04\x14\x00\x06\x00", "a Word"),
        ("photo.txt", b"\xff\xd8\xff\xe0\x00\x10JFIF", "a picture"),
        ("zeros.txt", b"\0" * 5000, "binary"),
        ("empty.md", b"", "the story is empty"),
        ("blank.txt", b" \r\n\t\n", "the story is empty"),
        ("headline.md", b"---\nheadline: All there is\n---\n", "a headline and no text"),
        ("colon.md", b"---\nheadline: Tide: right\n---\nThe words of the story.\n", "colon.md:2:"),
        ("huge.txt", b"word " * 2_000_000, "larger than 8 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_a_file_that_is_no_story_is_refused_and_nothing_is_added(
    run: Run, weekly: Path, tmp_path: Path, name: str, data: bytes, what: str
) -> None:
    """Binary, empty, broken, huge: exit 65, the file's name, a cure; the inbox stays empty, from a pipe too."""
    (tmp_path / name).write_bytes(data)
    refused(run("article", "add", str(tmp_path / name), code=65), what, name)
    assert run("article", "list", "--json").json["articles"] == []
    assert list((weekly / ".newsletter" / "originals").iterdir()) == []


def test_of_several_files_those_before_the_broken_one_are_kept_and_the_next_call_adds_the_rest(
    run: Run, weekly: Path, tmp_path: Path
) -> None:
    """Adding is by story: what was printed is there, and repeating the call with the file mended adds nothing twice."""
    files = [write_story(tmp_path, "tide", "The tide"), tmp_path / "bad.md", write_story(tmp_path, "bell", "The bell")]
    files[1].write_bytes(b"")
    answer = run("article", "add", *map(str, files), code=65)
    refused(answer, "bad.md: the story is empty")
    assert "the-tide" in answer.out
    write_story(tmp_path, "bad", "The mended one")
    assert "is in the inbox already" in run("article", "add", *map(str, files)).out
    assert len(run("article", "list", "--json").json["articles"]) == 3


FIELDS = {
    "unknown": ("{{ subscriber.shoe_size }}", 'no attribute "shoe_size" (known: first_name)'),
    "malformed": ("{{ subscriber.first_name | upper }}", "{{ subscriber.first_name | upper }} is not a merge field"),
    "template": ("{{ 7 * 7 }}", "{{ 7 * 7 }} is not a merge field"),
    "open": ("{{ subscriber.first_name", "opened with {{ and not closed"),
    "statement": ("{% if x %}", "{%"),
}


def uses_for(field: str) -> tuple[tuple[str, ...], ...]:
    """Every use that renders, for one field; the others are refused by the same code."""
    return USES[:3] if field == FIELDS["unknown"][0] else USES[:1]


@pytest.mark.parametrize(("field", "what"), FIELDS.values(), ids=FIELDS)
def test_a_merge_field_in_the_body_of_a_story_is_refused_with_file_and_line(
    run: Run, folder: Path, field: str, what: str
) -> None:
    """Never mailed as it stands, never run as a template."""
    edited(folder / "issue.md", "layout: list", "layout: text")
    file = folder / f"{SECOND}.md"
    file.write_text(f"{file.read_text(encoding='utf-8')}\nA paragraph.\n\nDear {field}\n", encoding="utf-8")
    lines = file.read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, start=1) if field in text)
    refused_everywhere(run, folder, f"{SECOND}.md:{line}:", what, uses=uses_for(field))


@pytest.mark.parametrize(("field", "what"), FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("key", ["headline", "standfirst"])
def test_a_merge_field_in_a_field_of_a_story_is_refused_with_file_and_line(
    run: Run, folder: Path, key: str, field: str, what: str
) -> None:
    """The headline of a story that does not lead, and its standfirst."""
    file = folder / f"{SECOND}.md"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if line.startswith(f"{key}:"))
    lines[number] = f"{key}: 'For {field}'\n"
    file.write_text("".join(lines), encoding="utf-8")
    refused_everywhere(run, folder, f"{SECOND}.md:{number + 1}:", what, uses=uses_for(field))


def test_an_issue_of_sixty_stories_builds_checks_and_is_approved(run: Run, folder: Path, tmp_path: Path) -> None:
    """Large, not broken: everything is in the mail, in order, and the size is said."""
    files = [write_story(tmp_path, f"s{n}", f"Story number {n} of sixty") for n in range(60)]
    run("article", "add", *map(str, files), "--issue", ISSUE)
    built = run("build", ISSUE, "--json").json
    assert len(built["articles"]) == 62
    html = (folder.parents[1] / ".newsletter" / "build" / ISSUE / "email.html").read_text(encoding="utf-8")
    places = [html.index(f"Story number {n} of sixty") for n in range(60)]
    assert places == sorted(places)
    run("check", ISSUE)
    run("approve", ISSUE)
