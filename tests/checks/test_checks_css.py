"""Style sheets, style attributes and what a story costs."""

from __future__ import annotations

import pytest

from newsletter.checks import examples as eg
from newsletter.checks.sizes import sizes_of
from newsletter.clients.gmail import CLIP
from newsletter.models import Email, Span
from tests.checks.asking import before_library, found

STORY = "library-opens-on-sundays"


def test_each_missing_part_of_the_kept_styles_is_named() -> None:
    """Resets, telephones, dark screens, Outlook's dark mode."""
    bare = eg.html(eg.example().email.html.split("<style>\n")[2], "</style>")
    names = [f.message for f in found("style-part-missing", bare)]
    assert names == ["The kept styles lack what telephones get."]
    (finding,) = found("style-part-missing", eg.html(".im, #MessageViewBody a,", ""))
    assert finding.message == "The kept styles lack the resets for Gmail (.im), Samsung Mail (#MessageViewBody)."
    (finding,) = found("style-part-missing", eg.html(".im, #MessageViewBody a, a[x-apple-data-detectors]", ".image"))
    assert "the resets for Gmail, Apple and Samsung" in finding.message


def test_a_class_that_begins_like_a_reset_is_none() -> None:
    """`.image` is not Gmail's `.im`."""
    assert found("style-part-missing", eg.html(".im,", ".image, .im-not,"))


def test_an_attribute_is_told_once_for_each_story() -> None:
    """And the attribute is shown."""
    twice = before_library('<p style="margin:0!important">a</p><p style="margin:0 !important">b</p>')
    (finding,) = found("inline-important", twice)
    assert finding.article == STORY and '<p style="margin:0!important">' in finding.message


@pytest.mark.parametrize(
    ("colour", "spaced"),
    [
        ("rgb(26 26 26)", True),
        ("rgba(26 26 26 / .5)", True),
        ("hsl(120deg 10% 10%)", True),
        ("rgb(10% 10% 10%)", True),
        ("rgb(26, 26, 26)", False),
        ("rgb(26,26,26)", False),
        ("#1A1A1A", False),
    ],
)
def test_colours_with_blanks_are_found_in_attributes_and_in_blocks(colour: str, spaced: bool) -> None:
    """Gmail drops the one or the other whole."""
    assert bool(found("colour-spaced", before_library(f'<p style="color:{colour}">a</p>'))) is spaced
    assert bool(found("colour-spaced", eg.html("color: #1a1a1a", f"color: {colour}"))) is spaced


@pytest.mark.parametrize(
    ("colour", "wrong"), [("#fff", True), ("rgba(0,0,0,1)", True), ("white", False), (" #FFFFFF ", False)]
)
def test_bgcolor_is_six_digits_or_a_name(colour: str, wrong: bool) -> None:
    """What 1997 understood."""
    assert bool(found("bgcolor-not-hex", eg.html('bgcolor="#FFFFFF"', f'bgcolor="{colour}"'))) is wrong


@pytest.mark.parametrize(
    ("style", "zero"),
    [
        ("font-size:0", True),
        ("font-size:0px", True),
        ("font:0px/0 Arial", True),
        ("font:700 0px/1px Arial", True),
        ("font-size:1px", False),
        ("font:10px/20px Arial", False),
        ("font-size:0;display:none", False),
    ],
)
def test_words_of_no_size_are_found(style: str, zero: bool) -> None:
    """What is switched off altogether is another matter."""
    told = found("font-size-zero", before_library(f'<p style="{style}">ferry</p><p style="{style}">bell</p>'))
    assert [f.message for f in told] == (["<p> has the font size 0: “ferry”."] if zero else [])


def test_an_empty_element_of_no_size_has_no_words_to_quote() -> None:
    """A gap between columns."""
    (finding,) = found("font-size-zero", before_library('<div style="font-size:0"></div>'))
    assert finding.message == "<div> has the font size 0."


INLINED = before_library('<p class="x" style="font:16px/25px Arial;padding:0 32px;color:#1a1a1a">a</p>')


@pytest.mark.parametrize(
    ("rule", "beaten"),
    [
        ("@media (max-width: 480px) { .x { padding-left: 0 } }", "padding of <p>"),
        ("@media (max-width: 480px) { .x { line-height: 20px } }", "font of <p>"),
        ("@media (max-width: 480px) { .x { color: red !important } }", None),
        ("@media (max-width: 480px) { .x { text-wrap: balance } }", None),
        ("@media (max-width: 480px) { .nobody { color: red } }", None),
        ("@media (max-width: 480px) { .x:hover { color: red } }", None),
        ("@media (max-width: 480px) { .x::first-line { color: red } }", None),
        ("@media (max-width: 480px) { .x:is( { color: red } }", None),
        ("@media (max-width: 480px) { .x..y { color: red } }", None),
        ("[data-ogsc] .x { color: red }", "color of <p>"),
        (".x { color: red }", None),
    ],
)
def test_a_rule_that_loses_to_an_inlined_style_is_found(rule: str, beaten: str | None) -> None:
    """In @media and for Outlook's dark mode; what meets no inlined style needs no !important."""
    told = found("media-override-weak", INLINED, eg.html("</head>", f"<style>{rule}</style></head>"))
    assert [beaten in finding.message for finding in told] == ([True] if beaten else [])


def test_the_same_rule_twice_is_told_once_and_an_empty_page_has_none() -> None:
    """Two blocks may repeat each other."""
    rule = "<style>@media print { .x { color: red } }</style>"
    assert len(found("media-override-weak", INLINED, eg.html("</head>", f"{rule}{rule}</head>"))) == 1
    assert not found("media-override-weak", eg.email(html="", spans=()))


def test_a_full_text_may_cost_more_than_a_teaser() -> None:
    """A third of what Gmail shows."""
    long = eg.html("<p>Volunteers", "<p>" + "word " * 1_200 + "Volunteers")
    (finding,) = found("story-heavy", long)
    assert finding.article == STORY and finding.fix == "Shorten its standfirst or teaser."
    assert "6.1 KB of HTML, more than the 4.5 KB" in finding.message
    text = eg.both(eg.issue(sections=eg.example().issue.sections[:1]), eg.section("text", eg.LIBRARY))
    assert not found("story-heavy", long, text)
    longer = eg.html("<p>Volunteers", "<p>" + "word " * 8_000 + "Volunteers")
    assert "another layout" in (found("story-heavy", longer, text)[0].fix or "")


def email(stories: int, each: int, around: int = 1_000) -> Email:
    spans = tuple(Span(f"story-{n}", n * each, (n + 1) * each) for n in range(stories))
    return Email("2026-11-27", "s", "p", "x" * (stories * each + around), "t", "en", "ltr", "weekly", spans=spans)


def test_sizes_are_bytes_by_story_and_around_them() -> None:
    """A story in two places counts once, with both; letters beyond ASCII count as they travel."""
    twice = Email("i", "s", "p", "ééa" + "bb" + "cc", "t", "en", "ltr", "w", spans=(Span("a", 0, 3), Span("a", 5, 7)))
    sizes = sizes_of(twice)
    assert (sizes.total, dict(sizes.articles), sizes.around, sizes.room) == (9, {"a": 7}, 2, CLIP - 9)


def test_the_table_of_sizes_has_the_heaviest_first_and_an_end() -> None:
    """Sixty stories are a dozen lines and a sum."""
    lines = sizes_of(email(60, 1024)).as_text().splitlines()
    assert lines[0] == "Size: 61.0 KB of HTML, 41.0 KB left to Gmail's clip at 102 KB"
    assert lines[1] == "     1.0 KB  story-0"
    assert lines[-2:] == ["    48.0 KB  48 more stories", "     1.0 KB  around the stories"]
    assert len(lines) == 15


def test_past_the_clip_the_table_says_by_how_much() -> None:
    """And programs get it below zero."""
    sizes = sizes_of(email(1, 110 * 1024))
    assert "9.0 KB past Gmail's clip" in sizes.as_text()
    data = sizes.as_data()
    assert data["room_bytes"] == CLIP - sizes.total < 0
    assert data["articles"] == {"story-0": 110 * 1024} and data["clip_bytes"] == CLIP
