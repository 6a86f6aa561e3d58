"""Reading issues: everything in the folder, or a message that says what to repair."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from newsletter.errors import BadData, FrontMatterError, NotFound
from newsletter.issues.folder import is_approved, issue_exists, load_issue, unreferenced
from newsletter.issues.summaries import list_issues
from newsletter.issues.history import past_uses
from newsletter.models import Waiver
from newsletter.workspace.paths import Workspace

HEAD = "date: 2022-02-25\nsections:\n  - layout: lead\n    articles: [flood]\n"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def make(ws: Workspace, slug: str, front: str, body: str = "Hello\n", **stories: str) -> Path:
    folder = ws.issues / slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "issue.md").write_text(f"---\n{front}---\n{body}")
    for name, text in stories.items():
        (folder / f"{name}.md").write_text(f"---\n{text}\n---\nIt rained.\n")
    return folder


def test_an_issue_is_read_with_its_stories(ws: Workspace) -> None:
    """Every field of the design; scalars stay what they are written as."""
    front = (
        "subject: No\npreheader: 'Two  \n\n  lines'\nnumber: 012\ntheme: weekly\nlang: ur\nmine: x\n"
        "date: 2022-02-25\nwaive: [{id: html-large, reason: the jubilee}]\n"
        "sections:\n  - layout: lead\n    articles: flood\n"
        "  - title: More\n    layout: list\n    articles: [bridge, flood]\n"
        "  - layout: brief\n  - layout: grid\n    articles:\n"
    )
    folder = make(ws, "a", front, flood="headline: 012", bridge="headline: The bridge")
    issue = load_issue(ws, "a")
    assert (issue.subject, issue.number, issue.theme, issue.lang) == ("No", "012", "weekly", "ur")
    assert issue.preheader == "Two lines"
    assert issue.date == date(2022, 2, 25)
    assert issue.waive == (Waiver("html-large", "the jubilee"),)
    assert [(s.layout, s.title, [a.slug for a in s.articles]) for s in issue.sections] == [
        ("lead", None, ["flood"]),
        ("list", "More", ["bridge", "flood"]),
        ("brief", None, []),
        ("grid", None, []),
    ]
    assert issue.lead is not None
    assert issue.lead.headline == "012"
    assert issue.lead.path == folder / "flood.md"
    assert issue.intro == "Hello\n"
    assert issue.path == folder
    assert len(issue.sha256) == 64


@pytest.mark.parametrize(
    ("front", "line", "message"),
    [
        (
            HEAD.replace("lead", "leed"),
            4,
            "'leed' is no layout\n  Fix: did you mean \"lead\"? the layouts are lead, list,",
        ),
        (HEAD.replace("lead", "zz"), 4, "Fix: the layouts are lead, list, grid, brief, sponsor, text"),
        ("date: 2022-02-25\nsections:\n  - title: x\n", 4, "the layout is missing"),
        ("date: 2022-02-25\nsections:\n  - layout: [lead]\n", 4, "no layout"),
        (HEAD.replace("articles", "artciles"), 5, "unknown key 'artciles'\n  Fix: did you mean \"articles\"?"),
        (HEAD + "preheadr: x\n", 6, 'did you mean "preheader"?'),
        (HEAD.replace("2022-02-25", "25.2.2022"), 2, "date: '25.2.2022' is no date\n  Fix: write it as 2026-11-27"),
        (HEAD.replace("2022-02-25", "2022-02-30"), 2, "is no date"),
        ("subject: x\n", 2, "date: this key is missing"),
        (HEAD + "lang: en_GB\n", 6, "no language tag"),
        ("date: 2022-02-25\nsections: x\n", 3, "sections: expected a list"),
        ("date: 2022-02-25\nsections: [x]\n", 3, "sections[1]: expected a table"),
        (HEAD.replace("[flood]", "[flood, {a: b}]"), 5, "expected text"),
        (HEAD.replace("flood", "../flood"), 5, "cannot be the slug of an article"),
        (HEAD.replace("flood", "Flood"), 5, 'use for example "flood"'),
        (HEAD.replace("flood", "images"), 5, "reserved"),
        (
            HEAD.replace("flood", "flod"),
            5,
            'file is gone\n  Fix: did you mean "flood"? Otherwise restore issues/a/flod.md',
        ),
        (HEAD.replace("flood", "xyz"), 5, "take it out: newsletter issue drop a xyz"),
    ],
)
def test_what_is_wrong_names_file_line_and_fix(ws: Workspace, front: str, line: int, message: str) -> None:
    """Layouts, keys, dates, slugs, stories that are gone."""
    make(ws, "a", front, flood="headline: Flood")
    with pytest.raises(BadData) as caught:
        load_issue(ws, "a")
    if "missing" not in message or "layout" in message:
        assert caught.value.where == f"issues/a/issue.md:{line}"
    assert message in str(caught.value)


def test_a_broken_story_names_its_own_file(ws: Workspace) -> None:
    """The line is that of the story."""
    make(ws, "a", HEAD, flood="headline: Rain: more")
    with pytest.raises(FrontMatterError) as caught:
        load_issue(ws, "a")
    assert caught.value.where == "issues/a/flood.md:2"


def test_unknown_issues_name_the_nearest(ws: Workspace) -> None:
    """Or the command that makes one; a folder without issue.md says so."""
    with pytest.raises(NotFound, match="newsletter issue new spring"):
        load_issue(ws, "spring")
    make(ws, "spring-issue", HEAD)
    with pytest.raises(NotFound, match='did you mean "spring-issue"'):
        load_issue(ws, "spring-isue")
    (ws.issues / "empty").mkdir()
    with pytest.raises(NotFound, match=r"no issue\.md"):
        load_issue(ws, "empty")
    assert issue_exists(ws, "spring-issue")
    assert not issue_exists(ws, "empty")
    assert not issue_exists(ws, "nothing")
    with pytest.raises(BadData):
        issue_exists(ws, "../spring-issue")


def test_a_broken_issue_does_not_hide_the_others(ws: Workspace) -> None:
    """The list is newest first and says what is wrong where."""
    assert list_issues(ws) == []
    make(ws, "2022-02-25", HEAD + "subject: Rain\nnumber: 7\n", flood="headline: Flood")
    make(ws, "2022-03-04", HEAD.replace("02-25", "03-04"))
    make(ws, "broken", "a: b: c\n")
    make(ws, "My Issue", HEAD)
    (ws.issues / "empty").mkdir()
    (ws.issues / ".making-x").mkdir()
    (ws.issues / "notes.txt").write_text("x")
    approved = ws.issues / "2022-02-25" / "approved"
    approved.mkdir()
    assert not is_approved(ws, "2022-02-25")
    (approved / "approval.json").write_text("{}")
    rows = list_issues(ws)
    assert [row.slug for row in rows] == ["2022-03-04", "2022-02-25", "empty", "broken", "My Issue"]
    later, rain, empty, broken, odd = rows
    assert (rain.date, rain.number, rain.subject, rain.stories, rain.approved, rain.problem) == (
        date(2022, 2, 25), "7", "Rain", 1, True, None,
    )  # fmt: skip
    assert later.problem == "issues/2022-03-04/issue.md:5: the article 'flood' is picked, but its file is gone"
    assert (later.stories, later.approved) == (1, False)
    assert empty.problem and "no issue.md" in empty.problem
    assert broken.problem and broken.problem.startswith("issues/broken/issue.md:2: ")
    assert odd.problem and "slug" in odd.problem


def test_files_that_nobody_uses_are_reported(ws: Workspace) -> None:
    """Dropped stories and their pictures; hidden files are nobody's business."""
    folder = make(ws, "a", HEAD, flood="headline: F\nimage: {file: f.jpg}", old="headline: Old")
    (folder / "images").mkdir()
    for name in ("f.jpg", "old.jpg", ".DS_Store"):
        (folder / "images" / name).write_bytes(b"x")
    (folder / ".#flood.md").write_text("x")
    assert unreferenced(ws, load_issue(ws, "a")) == ["old.md", "images/old.jpg"]


def test_a_story_is_known_again(ws: Workspace) -> None:
    """By its headline whatever the quotes and the case, its link, its origin; the nearest earlier issue is named."""

    def dated(day: str) -> str:
        return HEAD.replace("2022-02-25", day)

    same = "headline: “The Flood” – A Week On"
    make(ws, "one", dated("2022-01-01"), flood=same)
    make(ws, "two", dated("2022-02-01"), flood=f"{same}\nlink: https://x.example/flood")
    make(ws, "four", dated("2022-04-01"), flood="headline: Other\norigin: {url: https://o.example/1, guid: g-1}")
    make(ws, "five", dated("2022-05-01"), flood="headline: Other")
    make(ws, "broken", "a: b: c\n")

    def known(story: str) -> str | None:
        make(ws, "three", dated("2022-03-01"), flood=story)
        return past_uses(ws, load_issue(ws, "three")).get("flood")

    assert known("headline: 'the flood - a week on'") == "two"
    assert known("headline: New\nlink: https://www.x.example/flood/?utm_source=mail") == "two"
    assert known("headline: New\norigin: {url: https://o.example/1}") == "four"
    assert known("headline: New\norigin: {guid: g-1}") == "four"
    assert known("headline: other!") == "four"
    assert known("headline: New") is None

    make(ws, "six", dated("2022-03-04"), flood="headline: In pictures\nlink: https://x.example/pictures-6")
    assert known("headline: In pictures\nlink: https://x.example/pictures-7") is None, "a rubric over another page"
    assert known("headline: In pictures") == "six", "nobody knows which page"
    assert known(f"{same}\nlink: https://x.example/other") == "two", "five words are no rubric's name"
