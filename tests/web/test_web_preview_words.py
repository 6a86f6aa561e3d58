"""How an error becomes a message on the page, and colours that are forced."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.app.preview import in_colours, problem_of
from newsletter.errors import BadData, NewsletterError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "issues" / "a").mkdir(parents=True)
    (tmp_path / "issues" / "a" / "issue.md").write_text("\n".join(f"line {n}" for n in range(1, 8)))
    (tmp_path / "newsletter.toml").write_text('password = "hunter2"\n')
    return tmp_path


def lines_of(error: NewsletterError, root: Path) -> list[int]:
    return [number for number, _ in problem_of(error, root).lines]


@pytest.mark.parametrize(("line", "shown"), [(1, [1, 2, 3]), (4, [2, 3, 4, 5, 6]), (7, [5, 6, 7]), (8, [])])
def test_the_lines_around_the_wrong_one_are_shown(root: Path, line: int, shown: list[int]) -> None:
    problem = problem_of(BadData("no", where=f"issues/a/issue.md:{line}"), root)
    assert [number for number, _ in problem.lines] == shown
    assert problem.line == (line if shown else None)


def test_a_full_path_is_shown_as_it_stands_in_the_workspace(root: Path) -> None:
    problem = problem_of(BadData("no", where=f"{root}/issues/a/issue.md:2", fix="mend it"), root)
    assert problem.where == "issues/a/issue.md:2"
    assert problem.fix == "mend it"
    assert problem.lines[0] == (1, "line 1")


@pytest.mark.parametrize(
    "where",
    [
        None, "issues", "newsletter.toml:1", "/etc/passwd:1", "issues/../newsletter.toml:1", "issues/a/gone.md:1",
        "issues/a:1", "issues/a/issue.md:0", "issues/a/issue.md:99999999",
    ],
)  # fmt: skip
def test_no_line_is_shown_from_elsewhere_or_where_there_is_none(root: Path, where: str | None) -> None:
    """newsletter.toml may hold a password in spite of all advice."""
    problem = problem_of(BadData("no", where=where), root)
    assert problem.lines == ()
    assert problem.line is None
    assert problem.where == where


def test_bytes_that_are_no_text_and_endless_lines_are_bearable(root: Path) -> None:
    (root / "issues" / "a" / "issue.md").write_bytes(b"\xff\xfe\n" + b"x" * 10_000)
    problem = problem_of(BadData("no", where="issues/a/issue.md:2"), root)
    assert len(problem.lines[1][1]) == 500


def test_what_is_not_of_our_tree_is_a_bug_with_its_place(root: Path) -> None:
    try:
        {}["nowhere"]
    except KeyError as error:
        problem = problem_of(error, root)
    assert problem.kind == "bug"
    assert problem.what == "KeyError: 'nowhere'"
    assert (problem.where or "").startswith("test_web_preview_words.py:")
    assert "--debug" in (problem.fix or "")
    assert problem_of(ValueError("never raised"), root).where is None


def test_style_sheets_decide_by_the_switch_and_words_stay() -> None:
    html = (
        '<meta name="color-scheme" content="light dark"><meta name="description" content="light dark">'
        "<style>@media (prefers-color-scheme: dark) and (max-width:1px){a{}}"
        "@media screen and (Prefers-Color-Scheme:light){b{}} :root{color-scheme:dark light}</style>"
        '<picture><source media="(prefers-color-scheme:dark)" srcset=x></picture>'
        "<p>(prefers-color-scheme: dark) is a media query; color-scheme: light dark</p>"
    )
    dark = in_colours(html, dark=True)
    assert '<meta name="color-scheme" content="dark"><meta name="description" content="light dark">' in dark
    assert "@media (min-width:0px) and (max-width:1px){a{}}@media screen and (min-width:99999px){b{}}" in dark
    assert ":root{color-scheme:dark}" in dark
    assert '<source media="(min-width:0px)" srcset=x>' in dark
    assert dark.endswith("<p>(prefers-color-scheme: dark) is a media query; color-scheme: light dark</p>")
    assert ":root{color-scheme:light}" in in_colours(html, dark=False)
