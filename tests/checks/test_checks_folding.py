"""A fault of the theme is told once, with the stories that show it."""

from __future__ import annotations

from newsletter.checks import examples as eg
from newsletter.checks.folding import folded, places
from newsletter.checks.registry import Problem
from newsletter.models import Severity
from tests.checks.asking import before_library, found


def test_problems_with_one_remedy_are_one_and_say_where() -> None:
    """The first speaks for all; one story alone stays named as such."""
    problems = [
        Problem("A is thin.", "Widen it.", "a"),
        Problem("B is thin.", "Widen it.", "b"),
        Problem("C.", "No.", "c"),
    ]
    thin, other = folded(problems)
    assert (thin.message, thin.article) == ("A is thin. It is in a and b.", None)
    assert other == problems[2]
    assert [p.message for p in folded([problems[0], problems[0]])] == ["A is thin."]


def test_what_an_editor_wrote_stays_apart() -> None:
    """Each field has to be put right by itself, and another weight is another finding."""
    written = [Problem("A.", "Fix.", "a", "headline"), Problem("B.", "Fix.", "b", "headline")]
    assert list(folded(written)) == written
    weights = [Problem("A.", "Fix.", "a"), Problem("B.", "Fix.", "b", None, Severity.WARNING)]
    assert list(folded(weights)) == weights


def test_many_places_are_counted() -> None:
    """The frame is a place too."""
    assert places([None, "a"]) == "It is in the frame and a."
    assert places(["a", "b", "c", None]) == "It is in a, b and 2 more."


def test_one_pair_of_colours_is_one_finding() -> None:
    """A token that is too pale shows in every byline."""
    pale = '<p style="color:#949494">By {}</p>'
    told = found(
        "contrast-low",
        before_library(pale.format("Ottilie Marsh")),
        eg.html("<h3>The ferry", pale.format("Nell Farrow") + "<h3>The ferry"),
    )
    (light,) = [finding for finding in told if "on a light screen" in finding.message]
    assert light.article is None
    assert light.message.startswith("“By Nell Farrow”, and 1 more: #949494 on #FFFFFF")
    assert light.message.endswith("It is in the-ferry-is-back and library-opens-on-sundays.")


def test_a_table_of_the_theme_in_two_stories_is_one_finding() -> None:
    """As any fault of a macro."""
    table = '<table role="presentation"><tr><td>x</td></tr></table>'
    (finding,) = found("layout-table-spacing", before_library(table), eg.html("<h3>The ferry", f"{table}<h3>The ferry"))
    assert finding.article is None and "It is in the-ferry-is-back and library" in finding.message
