"""The cascade: who wins, what is inherited, which colours are seen; and the same as Chromium's, element by element."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.clients.cascade import Cascade
from newsletter.clients.declarations import Declaration, longhands, parse_style


def page(css: str, body: str, head: str = "") -> Any:
    return lxml_html.document_fromstring(
        f"<!DOCTYPE html><html><head>{head}<style>{css}</style></head>{body}</html>".encode()
    )


def one(css: str, body: str, **screen: Any) -> tuple[Any, Cascade]:
    """The element with the id x, and the cascade of its page."""
    root = page(css, body)
    return root.get_element_by_id("x"), Cascade(root, **screen)


def color(css: str, body: str, **screen: Any) -> tuple[int, int, int]:
    element, cascade = one(css, body, **screen)
    return cascade.color(element)


RED, BLUE, GREEN, BLACK, WHITE = (255, 0, 0), (0, 0, 255), (0, 128, 0), (0, 0, 0), (255, 255, 255)


@pytest.mark.parametrize(
    ("css", "attributes", "winner"),
    [
        ("p{color:red} p{color:blue}", "", BLUE),
        (".a{color:red} p{color:blue}", "class=a", RED),
        ("#x{color:red} .a.a.a{color:blue}", "class=a", RED),
        ("body p{color:red} p{color:blue}", "", RED),
        ("#x{color:red}", "style=color:blue", BLUE),
        ("p{color:red!important}", "style=color:blue", RED),
        ("p{color:red!important} #x{color:green}", "style='color:blue!important'", BLUE),
        (".a{color:red!important} p{color:green!important}", "class=a", RED),
        ("p{color:red;color:nonsense}", "", RED),
        ("p{color:red} p:hover,a:::b{color:blue}", "", RED),
        ("p{color:red} p::before{color:blue}", "", RED),
        ("p{color:red} p:hover{color:blue}", "", RED),
        ("p{color:red}} p{color:blue}", "", RED),
        ("@media print{p{color:blue}} p[id]{color:red}", "", RED),
        ("@media (max-width:700px){@media screen{p{color:red}}}", "", RED),
        ("@supports (display:grid){p{color:red}}", "", RED),
        ("p{color:red} @supports not (display:grid){p{color:blue}}", "", RED),
        ("@font-face{color:blue} @import 'x'; p{color:red}", "", RED),
        ("p{color:inherit} body{color:red}", "", RED),
        ("p{color:currentColor} body{color:red}", "", RED),
        ("body{color:red} p{color:initial}", "", BLACK),
        ("body{color:red} div{color:blue}", "", RED),
    ],
)
def test_the_winner_is_the_browsers(css: str, attributes: str, winner: tuple[int, int, int]) -> None:
    """By importance, then specificity, then order; what is wrong is passed over."""
    assert color(css, f"<body><p id=x {attributes}>words") == winner


def test_media_queries_ask_the_screen() -> None:
    css = "p{color:black} @media (prefers-color-scheme:dark){p{color:red}} @media (max-width:400px){p{color:blue}}"
    assert color(css, "<p id=x>") == BLACK
    assert color(css, "<p id=x>", scheme="dark") == RED
    assert color(css, "<p id=x>", width=360) == BLUE
    root = page("", "<p id=x>", head="<style media='(max-width:400px)'>p{color:red}</style><style type=x>p{color:blue}")
    assert Cascade(root, width=360).color(root.get_element_by_id("x")) == RED
    assert Cascade(root, width=600).color(root.get_element_by_id("x")) == BLACK


@pytest.mark.parametrize(
    ("body", "ground"),
    [
        ("<body bgcolor=F00><p id=x>", RED),
        ("<body bgcolor=red style='background:#00f'><p id=x>", BLUE),
        ("<body style='background:url(a.png) no-repeat blue'><p id=x>", BLUE),
        ("<body style='background-color:blue;background:none'><p id=x>", WHITE),
        ("<table bgcolor=#0000ff><tr style='background-color:transparent'><td><p id=x>", BLUE),
        ("<div style='background:blue'><div style='background:nonsense'><p id=x>", BLUE),
        ("<div style='background:red'><div style='background:rgba(0,0,255,.5)'><p id=x>", (128, 0, 128)),
        ("<div style='color:blue;background:currentColor'><p id=x>", BLUE),
        ("<p id=x>", WHITE),
    ],
)
def test_the_ground_is_what_lies_below(body: str, ground: tuple[int, int, int]) -> None:
    element, cascade = one("", body)
    assert cascade.ground(element) == pytest.approx(ground, abs=1)


def test_text_that_lets_the_ground_through_is_mixed_with_it() -> None:
    assert color("", "<div style='background:#00f'><p id=x style='color:rgba(255,0,0,.5)'>") == (128, 0, 128)


def test_a_picture_below_is_told_until_a_colour_covers_it() -> None:
    css = ".a{background-image:linear-gradient(red,blue)} .b{background:#fff}"
    for body, told in (
        ("<div class=a><p id=x>", True),
        ("<div class=a><div class=b><p id=x>", False),
        ("<div class=b style='background-image:url(a.png)'><p id=x>", True),
        ("<table background=a.png><tr><td id=x>", True),
        ("<p id=x style='background-image:none'>", False),
    ):
        element, cascade = one(css, body)
        assert cascade.pictured(element) is told, body


def test_a_dark_screen_is_dark_paper_only_for_a_page_that_knows_it() -> None:
    """Without a word about colour schemes the paper stays white."""
    for head, ground in (("", WHITE), ("<meta name=color-scheme content='light dark'>", (18, 18, 18))):
        root = page("", "<p>words <a href=x>link</a> <a>no link</a>", head)
        cascade = Cascade(root, scheme="dark")
        paragraph, link, anchor = root.find(".//p"), *root.findall(".//a")
        assert cascade.ground(paragraph) == ground
        assert (cascade.color(paragraph) == WHITE) is bool(head)
        assert cascade.color(anchor) == cascade.color(paragraph) != cascade.color(link)
    assert Cascade(page(":root{color-scheme:light dark}", "<p>"), scheme="dark").ground(root) == (18, 18, 18)


@pytest.mark.parametrize(
    ("style", "size", "weight"),
    [
        ("font-size:20px", 20, 400),
        ("font-size:12pt", 16, 400),
        ("font-size:1.5em", 30, 400),
        ("font-size:150%", 30, 400),
        ("font-size:2rem", 32, 400),
        ("font-size:large", 18, 400),
        ("font-size:smaller", 20 / 1.2, 400),
        ("font-size:initial", 16, 400),
        ("font-size:0", 0, 400),
        ("font-size:3vw", 20, 400),
        ("font:italic 700 14px/21px Arial,sans-serif", 14, 700),
        ("font:bold 2em 'A B'", 40, 700),
        ("font:14px", 20, 400),
        ("font:caption", 13.333, 400),
        ("font:inherit;font-weight:bolder", 20, 700),
        ("font-weight:bolder", 20, 700),
        ("font-weight:lighter", 20, 100),
        ("font-weight:650", 20, 650),
        ("font-weight:fat", 20, 400),
    ],
)
def test_size_and_weight(style: str, size: float, weight: int) -> None:
    element, cascade = one("body{font-size:20px}", f'<p><span id=x style="{style}">')
    assert cascade.size(element) == pytest.approx(size, abs=0.01)
    assert cascade.weight(element) == weight


def test_headings_and_font_tags_are_set_by_the_browser() -> None:
    assert (lambda e, c: (c.size(e), c.weight(e)))(*one("", "<h1 id=x>")) == (32, 700)
    assert (lambda e, c: (c.size(e), c.color(e)))(*one("", "<font id=x size=5 color=f00>")) == (24, RED)
    assert color("", "<body text=red><p id=x>") == RED
    assert color("", "<mark id=x>") == BLACK


@pytest.mark.parametrize(
    "body",
    [
        "<p id=x hidden>",
        "<p style=display:none><b id=x>",
        "<p id=x style=visibility:hidden>",
        "<script id=x></script>",
    ],
)
def test_what_is_not_displayed_says_so(body: str) -> None:
    element, cascade = one("", body)
    assert not cascade.shown(element)
    assert cascade.shown(element.getroottree().getroot().find("body"))


def test_a_style_is_the_declared_values_with_shorthands_opened() -> None:
    element, cascade = one("p{margin:1px 2px;color:red}", "<p id=x style='font:16px/24px Arial;background:#fff'>")
    style = cascade.style(element)
    assert {name: style[name] for name in ("margin", "font-size", "line-height", "font-family")} == {
        "margin": "1px 2px", "font-size": "16px", "line-height": "24px", "font-family": "Arial",
    }  # fmt: skip
    assert (style["background-color"], style["background-image"], style["color"]) == ("#fff", "none", "red")
    assert "font" not in style and "background" not in style
    stranger = lxml_html.fragment_fromstring("<p>")
    assert cascade.style(stranger) == {}
    assert cascade.color(stranger) == BLACK


def test_a_declaration_is_read_as_it_stands() -> None:
    assert parse_style("COLOR: Red !important; --Own: a;; x; background:url('a;b.png')") == (
        Declaration("color", "Red", True),
        Declaration("--Own", "a"),
        Declaration("background", 'url("a;b.png")'),
    )
    assert longhands(Declaration("color", "nonsense")) == ()
    assert longhands(Declaration("font", "nonsense")) == ()


def test_a_very_deep_page_is_no_deep_recursion() -> None:
    root = page("div div p{color:red}", "<div>" * 1500 + "<p id=x>")
    assert len(list(root.iter())) > 200
    Cascade(root)


CSS = st.text(alphabet="@media{}()[]:;.#>+~*,\"'\\ \nabcp-!1/url", max_size=80)


@given(CSS, CSS, st.sampled_from(["light", "dark"]))
def test_no_style_sheet_is_too_odd(css: str, style: str, scheme: Any) -> None:
    root = page("", "<div id=a class='b c'><p>words</p></div>")
    root.find("head").find("style").text = css
    root.find(".//p").set("style", style)
    cascade = Cascade(root, scheme=scheme)
    for element in root.iter():
        assert len(cascade.color(element)) == len(cascade.ground(element)) == 3
        assert cascade.size(element) >= 0
