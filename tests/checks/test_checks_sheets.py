"""Style sheets and style attributes as the checks read them."""

from __future__ import annotations

import pytest

from newsletter.checks.sheets import Declared, inline, pixels, read_sheet, same_property, sides


def test_a_declaration_knows_what_it_stands_in() -> None:
    """Selectors, importance and the at-rules around it."""
    sheet = read_sheet(
        "/* x */ a, .b{color:red}\n@media (max-width: 480px) { .c { margin : 0 !important } } @import 'x';"
    )
    assert sheet.declared == (
        Declared("a, .b", "color", "red", False, ()),
        Declared(".c", "margin", "0", True, ("@media (max-width: 480px)",)),
    )
    assert sheet.at_rules == ("@media (max-width: 480px)", '@import "x"')
    assert sheet.nested == ()


def test_nesting_is_followed_a_little_and_what_is_broken_is_passed_over() -> None:
    """Nobody nests deeper by hand."""
    sheet = read_sheet("@supports (a:b) { @media print { p { color: red } } } p { color }")
    assert sheet.nested == ("@media print",)
    assert [one.under for one in sheet.declared] == [("@supports (a:b)", "@media print")]
    deep = read_sheet("@media print {" * 40 + "p{color:red}" + "}" * 40)
    assert deep.declared == () and len(deep.nested) == 4


def test_a_style_attribute_is_a_mapping() -> None:
    """The last of a name stands; comments, importance and capitals are read through."""
    style = "Color:RED;/* a;b */padding:0 1px;color:#1A1A1A !important;font-family:'A;B';background:url(a:b;c)"
    assert inline(style) == {
        "color": "#1a1a1a",
        "padding": "0 1px",
        "font-family": "'a;b'",
        "background": "url(a:b;c)",
    }


@pytest.mark.parametrize(
    ("style", "padding"),
    [
        ("", (0, 0, 0, 0)),
        ("padding:4px", (4, 4, 4, 4)),
        ("padding:4px 8px", (4, 8, 4, 8)),
        ("padding:1px 2px 3px", (1, 2, 3, 2)),
        ("padding:1px 2px 3px 4px;padding-left:9px", (1, 2, 3, 9)),
        ("padding:1em auto", (0, 0, 0, 0)),
    ],
)
def test_sides_are_told_apart(style: str, padding: tuple[float, ...]) -> None:
    """As CSS hands the values out."""
    assert sides(inline(style), "padding") == padding


@pytest.mark.parametrize(("text", "length"), [("16px", 16), ("16", 16), ("1.5px", 1.5), ("100%", None), (None, None)])
def test_a_length_is_in_pixels(text: str | None, length: float | None) -> None:
    """With or without the unit, and nothing else."""
    assert pixels(text) == length


def test_a_shorthand_sets_what_its_longhands_set() -> None:
    """What an inlined one beats."""
    assert same_property("padding", "padding-left") and same_property("font", "line-height")
    assert same_property("background-color", "background")
    assert not same_property("color", "background-color") and not same_property("border", "border2")
