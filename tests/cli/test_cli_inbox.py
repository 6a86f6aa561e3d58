"""The inbox and drafts from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def stories(weekly: Path, tmp_path: Path, run: Run) -> list[str]:
    """Four stories, the newest last."""
    slugs = []
    for number, (section, tag) in enumerate([("Sport", "x"), ("News", "top"), ("Sport", "x"), ("Culture", "x")], 1):
        path = tmp_path / f"{number}.md"
        path.write_text(
            f"---\nheadline: Story {number}\nsection: {section}\ntags: [{tag}]\n"
            f"link: https://estuary.example/{number}\n---\nThe {section} desk wrote text {number}.\n"
        )
        slugs.append(run("article", "add", str(path), "--json").json["articles"][0]["slug"])
    return slugs


def slugs(answer: Any) -> list[str]:
    return [row["slug"] for row in answer.json["articles"]]


def test_the_list_is_searched_filtered_and_limited(run: Run, stories: list[str]) -> None:
    """Each option alone and together; what is found says where it comes from; a wrong name says the nearest."""
    listed = ("article", "list", "--json")
    assert slugs(run(*listed)) == stories[::-1]
    assert slugs(run(*listed, "--search", "SPORT des")) == ["story-3", "story-1"]
    assert slugs(run(*listed, "--search", '"desk sport" AND (*')) == []
    assert slugs(run(*listed, "--section", "culture", "--source", "Estuary.example")) == ["story-4"]
    assert slugs(run(*listed, "--since", "1d")) == stories[::-1]
    assert slugs(run(*listed, "--since", "2999-01-01")) == []
    limited = run(*listed, "--limit", "3")
    assert (slugs(limited), bool(limited.json["next"])) == (["story-4", "story-3", "story-2"], True)
    assert slugs(run(*listed, "--after", str(limited.json["next"]))) == ["story-1"]
    assert "3 stories and more" in run("article", "list", "--limit", "3").out
    assert "(estuary.example, Sport)" in run("article", "list").out
    assert "is like that" in run("article", "list", "--search", "zebra").out
    assert 'did you mean "Sport"' in run("article", "list", "--section", "sprt", code=65).err
    assert "is no time" in run("article", "list", "--since", "soon", code=65).err
    run("article", "list", "--all", "--later", code=2)


def test_the_index_is_made_anew_on_request(run: Run, stories: list[str]) -> None:
    assert run("article", "reindex").out == "The index has 4 stories.\n"
    assert slugs(run("article", "list", "--search", "culture", "--json")) == ["story-4"]


def test_a_story_says_how_long_it_is_and_who_used_it(run: Run, weekly: Path, stories: list[str]) -> None:
    run("issue", "draft", "2026-11-27")
    assert run("article", "show", "story-1").err == "1 minute to read, used in issue 2026-11-27\n"
    shown = run("article", "show", "story-1", "--json").json
    assert (shown["minutes"], shown["used"]) == (1, ["issue 2026-11-27"])


def test_stories_are_saved_for_later_dismissed_and_brought_back(run: Run, stories: list[str]) -> None:
    """Several at once; each state has its list; what was done already is said."""
    assert run("article", "later", "story-1", "story-2").out.splitlines() == [
        "story-1: saved for later.", "story-2: saved for later.",
    ]  # fmt: skip
    assert run("article", "later", "story-1").out == "story-1: saved for later already.\n"
    assert "dismissed." in run("article", "dismiss", "story-3").out
    listed = run("article", "list")
    assert "story-4" in listed.out
    assert "story-1" not in listed.out
    assert "2 saved for later" in listed.out
    assert slugs(run("article", "list", "--later", "--json")) == ["story-2", "story-1"]
    everything = run("article", "list", "--all").out
    assert "saved for later" in everything
    assert "dismissed" in everything
    assert "back in the inbox." in run("article", "restore", "story-1", "story-3").out
    assert slugs(run("article", "list", "--json")) == ["story-4", "story-3", "story-1"]
    run("article", "dismiss", "story-4", "no-such-story", code=65)
    assert "story-4" in slugs(run("article", "list", "--json"))
    run("article", "dismiss", "story-1", "story-3", "story-4")
    assert "Nothing new" in run("article", "list").out


def test_the_list_says_which_issues_used_a_story(run: Run, weekly: Path, stories: list[str]) -> None:
    """By number where there is one; used and unused are filters."""
    run("issue", "new", "2026-11-20")
    run("issue", "pick", "2026-11-20", "story-1", "story-2")
    file = weekly / "issues" / "2026-11-20" / "issue.md"
    file.write_text(file.read_text().replace("\nsections:", "\nnumber: 41\nsections:", 1))
    run("issue", "duplicate", "2026-11-20", "2026-11-27")
    assert "used in issue 2026-11-27, issue 41" in run("article", "list", "--used").out
    row = run("article", "list", "--used", "--json").json["articles"][0]
    assert (row["used_in"], row["used"]) == ("2026-11-27", ["issue 2026-11-27", "issue 41"])
    assert slugs(run("article", "list", "--unused", "--json")) == ["story-4", "story-3"]
    assert slugs(run("article", "list", "--used", "--json")) == ["story-2", "story-1"]


def test_a_look_alike_in_an_issue_is_named_when_a_story_comes_in(
    run: Run, weekly: Path, tmp_path: Path, stories: list[str]
) -> None:
    """Both places: the inbox's and the issue's; the story is added all the same."""
    run("issue", "new", "2026-11-20")
    run("issue", "pick", "2026-11-20", "story-1")
    path = tmp_path / "again.md"
    path.write_text("---\nheadline: Another one\nlink: http://www.estuary.example/1?utm_source=x\n---\nOther words.\n")
    notes = run("article", "add", str(path)).err
    assert "another story has the same link: story-1 (in the inbox)" in notes
    assert "a story with the same link is used in issue 2026-11-20: story-1" in notes
    assert "another-one" in run("article", "list").out


def test_a_draft_takes_what_is_unused_and_says_why(run: Run, weekly: Path, stories: list[str]) -> None:
    """Without any rules: a lead and a list; the top story first; what is saved for later never by itself."""
    run("article", "later", "story-3")
    made = run("issue", "draft", "2026-11-27", "--theme", "bulletin")
    assert "story-2  Story 2  (its tag top)" in made.out
    assert "story-3  Story 3  (saved for later)" in made.out
    shown = run("issue", "show", "2026-11-27", "--json").json
    assert [section["articles"] for section in shown["sections"]] == [["story-2"], ["story-4", "story-1"]]
    issue = (weekly / "issues" / "2026-11-27" / "issue.md").read_text()
    assert "theme: bulletin" in issue
    assert "# subject:" in issue
    run("build", "2026-11-27")
    again = run("issue", "draft", "2026-12-04", "--since", "all", "--json").json
    assert again["taken"] == []
    assert {row["slug"]: row["why"] for row in again["left"]}["story-2"] == "used in issue 2026-11-27"


def test_a_draft_looks_at_what_came_in_since_the_last_issue(run: Run, weekly: Path, stories: list[str]) -> None:
    """The last one dated before it; what came in earlier is counted, --since all takes it."""
    run("issue", "new", "2999-01-01")
    drafted = run("issue", "draft", "2999-01-08", "--dry-run")
    assert "the draft is empty" in drafted.out
    assert "4 stories came in before" in drafted.out
    assert "nothing was made" in drafted.out
    assert not (weekly / "issues" / "2999-01-08").exists()
    assert len(run("issue", "draft", "2998-12-25", "--dry-run", "--json").json["taken"]) == 4
    assert len(run("issue", "draft", "2999-01-08", "--since", "all", "--json").json["taken"]) == 4


def test_an_empty_inbox_gives_an_empty_draft(run: Run, weekly: Path) -> None:
    """Said in words, exit 0, and an issue with places to fill."""
    made = run("issue", "draft", "2026-11-27")
    assert "the draft is empty" in made.out
    shown = run("issue", "show", "2026-11-27", "--json").json
    assert [section["layout"] for section in shown["sections"]] == ["lead", "list"]


def test_a_draft_follows_the_rules_of_the_newsroom(run: Run, weekly: Path, stories: list[str]) -> None:
    """Sections of the file, in its order; an empty one is left out, a lead never."""
    with (weekly / "newsletter.toml").open("a") as file:
        file.write(
            "\n[draft]\nmost = 3\n"
            '[[draft.section]]\nlayout = "lead"\nfrom = ["weather"]\n'
            '[[draft.section]]\ntitle = "Games"\nlayout = "grid"\nfrom = ["sport"]\nmost = 1\n'
            '[[draft.section]]\ntitle = "Books"\nfrom = ["books"]\n'
            '[[draft.section]]\ntitle = "All"\norder = "newest"\n'
        )
    run("issue", "draft", "2026-11-27")
    sections = run("issue", "show", "2026-11-27", "--json").json["sections"]
    assert [(s["layout"], s["title"], s["articles"]) for s in sections] == [
        ("lead", None, []),
        ("grid", "Games", ["story-3"]),
        ("list", "All", ["story-4", "story-2"]),
    ]


def test_nothing_enters_an_issue_that_exists(run: Run, weekly: Path, stories: list[str]) -> None:
    """Also no half of one is left behind by a draft that cannot be made."""
    run("issue", "new", "2026-11-27")
    before = (weekly / "issues" / "2026-11-27" / "issue.md").read_bytes()
    assert "already" in run("issue", "draft", "2026-11-27", code=65).err
    assert (weekly / "issues" / "2026-11-27" / "issue.md").read_bytes() == before
    assert "no theme" in run("issue", "draft", "2026-12-04", "--theme", "nope", code=65).err
    assert "--date" in run("issue", "draft", "december", code=65).err
    assert [path.name for path in (weekly / "issues").iterdir()] == ["2026-11-27"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("most = 0", "draft.most: 0 stories"),
        ('age = "soon"', "draft.age"),
        ('languages = ["english!"]', "draft.languages"),
        ("section = []", "needs a section"),
        ('[[draft.section]]\nlayout = "hero"', "none of lead, list, grid, brief, text"),
        ('[[draft.section]]\nfrm = ["a"]', 'did you mean "from"'),
        ("[[draft.section]]\nmost = -1", "draft.section.most"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_line(run: Run, weekly: Path, rule: str, words: str) -> None:
    with (weekly / "newsletter.toml").open("a") as file:
        file.write(f"\n[draft]\n{rule}\n")
    refused = run("issue", "draft", "2026-11-27", code=78).err
    assert words in refused
    assert "newsletter.toml:" in refused


def test_a_story_is_compared_with_its_source_and_taken_over(
    run: Run, weekly: Path, tmp_path: Path, stories: list[str]
) -> None:
    """Looking ends with 0, or with 1 where that is asked for; taking says so; a source that is away with its code."""
    source = tmp_path / "1.md"
    source.write_text(source.read_text().replace("text 1", "text one"))
    looked = run("article", "refresh", "story-1", "--from", str(source))
    assert "[-1-]{+one+}" in looked.out
    assert "body: changed at the source" in looked.out
    assert f"newsletter article refresh story-1 --from {source} --take all" in looked.out
    run("article", "refresh", "story-1", "--from", str(source), "--exit-code", code=1)
    taken = run(
        "article", "refresh", "story-1", "--from", str(source), "--take", "headline, body", "--json", "--exit-code"
    )
    assert taken.json["stories"][0]["taken"] == ["body"]
    assert "text one" in run("article", "show", "story-1").out
    assert "as its source says" in run("article", "refresh", "story-1", "--from", str(source)).out
    assert "--from FILE" in run("article", "refresh", "story-2", code=65).err
    several = run("article", "refresh", "story-2", "story-3", code=65)
    assert several.out.count("not known where the story came from") == 2
    run("article", "refresh", code=2)
    assert "did you mean" in run("article", "refresh", "story-1", "--take", "headlin", code=65).err
