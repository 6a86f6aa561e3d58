"""Grounds, widths, tables, columns, buttons and pictures on the page."""

from __future__ import annotations

import pytest

from newsletter.checks import examples as eg
from tests.checks.asking import before_library, found

TABLE = '<table role="presentation" cellpadding="0" cellspacing="0" border="0">'
STORY = "library-opens-on-sundays"


def test_each_place_without_the_pages_colour_is_named() -> None:
    """Body, wrapper and Word's table."""
    everywhere = (
        eg.html('<body class="page" bgcolor="#F4F1EA"', "<body"),
        eg.html("background-color:#F4F1EA;color", "color"),
        eg.html('align="center" bgcolor="#F4F1EA"', 'align="center"'),
    )
    (finding,) = found("page-ground-missing", *everywhere)
    assert all(word in finding.message for word in ("<body>", "the <div> in it", "Word"))
    assert not found("page-ground-missing", eg.email(html="<!DOCTYPE html>", spans=()))


@pytest.mark.parametrize(
    ("old", "new", "limited"),
    [
        ("max-width:600px;", "width:640px;", True),
        ("max-width:600px;", "max-width:100%;", False),
        ("max-width:600px;", "max-width:1200px;", False),
        ('"card" role="presentation" width="100%"', '"card" role="presentation" width="600"', True),
    ],
)
def test_a_column_has_a_width_that_panes_have_room_for(old: str, new: str, limited: bool) -> None:
    """As a style or as an attribute, on whatever stands around the words."""
    changes = [eg.html(old, new)]
    if old != "max-width:600px;":
        changes.append(eg.html("max-width:600px;", ""))
    assert bool(found("page-width-missing", *changes)) is not limited


def test_the_spacing_of_a_data_table_is_the_themes_own() -> None:
    """Only tables for looks are asked for zeros; each story is told once."""
    data = "<table><tr><th>Day</th></tr><tr><td>Mon</td></tr></table>"
    assert not found("layout-table-spacing", before_library(data))
    twice = '<table role="presentation"><tr><td>a</td></tr></table>' * 2
    (finding,) = found("layout-table-spacing", before_library(twice))
    assert finding.article == STORY and "cellpadding=0 cellspacing=0 border=0" in finding.message


@pytest.mark.parametrize(
    ("html", "ghost"),
    [
        ('<div style="max-width:256px">x</div>', False),
        ('<!--[if mso]><table><tr><td width="256"><![endif]--><div style="max-width:256px">x</div>'
         "<!--[if mso]></td></tr></table><![endif]-->", True),
        ('<!--[if mso]><p></p><![endif]--><div style="max-width:256px">x</div>', False),
        (f'{TABLE}<tr><td width="200"><div style="max-width:256px">x</div></td></tr></table>', True),
        (f'{TABLE}<tr><td width="400"><div style="max-width:256px">x</div></td></tr></table>', False),
        ('<p style="max-width:256px">x</p>', True),
        ('<div style="max-width:100%">x</div>', True),
    ],
)  # fmt: skip
def test_a_column_needs_something_that_holds_it_in_word(html: str, ghost: bool) -> None:
    """A comment for Word right before it, or a cell that is no wider; a paragraph may be as wide as it likes there."""
    assert bool(found("ghost-table-missing", before_library(html))) is not ghost


def button(link: str = "", cell: str = "", words: str = "Book") -> eg.Change:
    href = 'href="https://estuary.example/book"'
    return before_library(f'{TABLE}<tr><td {cell}><a {href} style="{link}">{words}</a></td></tr></table>')


@pytest.mark.parametrize(
    ("link", "cell", "small"),
    [
        ("display:inline-block;padding:14px 24px;font:700 16px/20px Arial", 'bgcolor="#9B1C1C"', False),
        ("padding:4px;font:700 16px/20px Arial", 'bgcolor="#9B1C1C"', True),
        ("padding:4px;font:700 16px/20px Arial", 'bgcolor="#9B1C1C" style="padding:10px 24px"', False),
        ("line-height:44px", 'style="border:1px solid #9B1C1C"', False),
        ("padding:6px;font:700 16px/20px Arial;line-height:2", 'bgcolor="#9B1C1C"', False),
        ("padding:5px;font:700 16px/20px Arial;line-height:200%", 'bgcolor="#9B1C1C"', True),
        ("padding:6px;font-size:16px;line-height:2em", 'bgcolor="#9B1C1C"', False),
        ("padding:12px;font-size:20px;line-height:normal", 'bgcolor="#9B1C1C"', False),
        ("padding:6px;font-size:16px", 'bgcolor="#9B1C1C" style="line-height:32px"', False),
        ("", 'style="border:1px solid #9B1C1C"', True),
        ("", 'style="border:0"', False),
        ("", 'style="border-top:1px solid #9B1C1C"', False),
        ("", "", False),
    ],
)
def test_a_button_is_as_high_as_a_finger(link: str, cell: str, small: bool) -> None:
    """A link alone in a painted or framed cell; its line and all padding count."""
    assert bool(found("button-small", button(link, cell))) is small


def test_padding_on_the_cell_is_room_in_word_too() -> None:
    """Word ignores it on the link alone."""
    painted = 'bgcolor="#9B1C1C" style="padding:14px 24px"'
    assert found("button-flat-in-word", button("padding:14px 24px", 'bgcolor="#9B1C1C"'))
    assert not found("button-flat-in-word", button("", painted))
    assert not found("button-flat-in-word", before_library(f"{TABLE}<tr><td {painted}>Book</td></tr></table>"))


def test_a_link_among_other_words_is_no_button() -> None:
    """It is a link in a box of words."""
    href = '<a href="https://estuary.example/book">Book</a>'
    assert not found("button-small", before_library(f'{TABLE}<tr><td bgcolor="#FAF5E6">Or {href}</td></tr></table>'))


FLUID = "display:block;width:100%;height:auto"
OFF = ";background-color:#E9E5DC;color:#333333;font:16px/22px Arial"


@pytest.mark.parametrize(
    ("picture", "wrong"),
    [
        (f'<img width="600" height="300" style="{FLUID}">', None),
        ('<img width="600" style="display:block;max-width:100%">', None),
        (f'<img width="600" height="300" style="{FLUID.replace("auto", "300px")}">', "keeps its height"),
        ('<img width="600" style="display:block">', "does not shrink"),
        ('<img width="200" style="display:block">', None),
        ('<img width="200">', "leaves a gap"),
        ('<a href="https://estuary.example/x"><img width="200" alt="x"></a>', "leaves a gap"),
        ('<p>A small <img width="20"> sign</p>', None),
        ('<p><b>A small <img width="20"></b></p>', None),
        ('<p><b><img width="20"></b> <i>sign</i></p>', None),
        ('<p><b><img width="20"></b> <i></i></p>', "leaves a gap"),
        ('<p>See <a href="https://estuary.example/x"><img width="20" alt="x"></a> there</p>', None),
    ],
)
def test_a_picture_fits_a_telephone(picture: str, wrong: str | None) -> None:
    """Wide ones shrink, none keeps a height or leaves a gap; a sign among words is left alone."""
    told = found("picture-not-fluid", before_library(picture.replace("<img", '<img src="cid:x"')))
    assert [wrong in finding.message for finding in told] == ([True] if wrong else [])


def test_the_words_in_place_of_a_picture_are_set() -> None:
    """Once for each story; a picture of the frame, such as a logo, has the type of the heading it is."""
    bare = '<img src="cid:x" width="20" alt="A bell" style="display:block">'
    (finding,) = found("picture-off-unstyled", before_library(bare * 2))
    assert finding.article == STORY and "a ground, a colour, a type" in finding.message
    assert not found("picture-off-unstyled", before_library(bare.replace("block", f"block{OFF}")))
    assert not found("picture-off-unstyled", eg.html("<h1>The Estuary Weekly</h1>", f"<h1>{bare}</h1>"))


RTL = eg.html('<html lang="en-GB" dir="ltr"', '<html lang="ur" dir="rtl"')
MIRRORED = (
    RTL,
    eg.html('lang="en-GB" dir="ltr" style', 'lang="ur" dir="rtl" style'),
    eg.html("text-align:left", "text-align:right"),
)


def test_a_mirrored_page_is_in_order() -> None:
    """Running text starts at the right."""
    assert not found("rtl-not-mirrored", *MIRRORED)


@pytest.mark.parametrize(
    ("html", "wrong"),
    [
        ('<p align="left">x</p>', "is set to the left"),
        ('<td align="left">x</td>', None),
        ('<blockquote style="border-left:3px solid red">x</blockquote>', "has its bar at the left"),
        ('<blockquote style="border-left:0;border-right:3px solid red">x</blockquote>', None),
        ('<div style="padding:0 0 0 16px">x</div>', "has more room at the left"),
        ('<div style="padding:0 16px 0 0">x</div>', None),
        ('<div dir="ltr"><p align="left">x</p></div>', None),
        ('<div dir="ltr"><p>x</p></div>', "text that runs from the left, <p> is set to the right"),
    ],
)
def test_what_stands_at_the_wrong_side_is_named(html: str, wrong: str | None) -> None:
    """Text by its own direction; cells at the end of a row may be aligned to the end."""
    told = found("rtl-not-mirrored", *MIRRORED, before_library(html))
    assert [wrong in finding.message for finding in told] == ([True] if wrong else [])


def test_a_story_in_urdu_inside_an_english_mail_is_looked_at_too() -> None:
    """Its own direction counts, and each fault is told once."""
    urdu = '<div dir="rtl" lang="ur"><p>x</p><p>y</p></div>'
    (finding,) = found("rtl-not-mirrored", before_library(urdu))
    assert finding.message == "In text that runs from the right, <p> is set to the left."
    assert not found("rtl-not-mirrored", before_library('<div dir="rtl" align="right"><p>x</p></div>'))


def test_without_any_alignment_nothing_is_wrong() -> None:
    """The browser's own follows the direction."""
    assert not found("rtl-not-mirrored", RTL, eg.html("text-align:left", ""))
