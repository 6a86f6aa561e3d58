"""Reading style sheets apart from the inliner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import NewsletterError, ThemeError
from newsletter.rendering.css import KEPT_LIMIT, inlinable_rules, kept_blocks, smaller, split_declarations


def test_rules_have_their_lines_and_comments_are_nothing():
    css = "/* a { color: red } */\np { color: red; }\n\n.a,\n.b { margin: 0; /* x; */ padding: 1px }\n.empty { }\n"
    rules = inlinable_rules(css, "s")
    assert [(rule.selectors, rule.body, rule.line) for rule in rules] == [
        (("p",), "color:red", 2),
        ((".a", ".b"), "margin:0;padding:1px", 4),
    ]


def test_declarations_are_split_outside_strings_and_brackets():
    style = "a: url(x;y); B: 'c;d'; e:f;; /* g:h */ i: \"}\""
    assert split_declarations(style) == (("a", "url(x;y)"), ("b", "'c;d'"), ("e", "f"), ("i", '"}"'))


def test_client_css_is_divided_at_its_marks():
    css = ".a { color: red; }\n/* next block: two */ .b { color: red; }\n/* Next block */\n/* next blockade */"
    assert kept_blocks(css, "c") == (".a{color:red}", ".b{color:red}")


@pytest.mark.parametrize(
    ("css", "words", "where"),
    [
        ("p{}\n@media x {\n @supports (a:b) { p { color: red } } }", "inside an @-rule", "c:2"),
        ("p { content: '</style>' }", "holds HTML", "c"),
        ("<!-- p { color: red } -->", "holds HTML", "c"),
        ("p { color: red ", "not closed", "c:1"),
        (f"p {{ a: {'x' * KEPT_LIMIT} }}", "characters", "c:1"),
    ],
)
def test_client_css_that_a_client_would_drop_is_refused(css, words, where):
    with pytest.raises(ThemeError, match=words) as caught:
        kept_blocks(css, "c")
    assert caught.value.where == where


def test_an_at_sign_in_a_string_is_no_rule():
    assert kept_blocks('@media x { p { content: "@" } }', "c") == ('@media x{p{content:"@"}}',)


def test_the_second_blocks_lines_are_the_files():
    with pytest.raises(ThemeError) as caught:
        kept_blocks("p{}\n\n/* next block */\n@media x { @media y { p{} } }", "c")
    assert caught.value.where == "c:4"


def test_smaller_keeps_strings_and_selectors_meaning():
    css = 'a :hover , b { content: " ;  { " ; margin : 0 ; }\n  @media (a: b) { p { color: red; } }'
    assert smaller(css) == 'a :hover,b{content:" ;  { ";margin : 0}\n@media (a: b){p{color:red}}'


@given(st.text(alphabet="{}:;,.@/*\"'()\\ \nab#-!", max_size=60))
def test_any_text_is_read_or_refused(css):
    for read in (inlinable_rules, kept_blocks):
        try:
            read(css, "f")
        except NewsletterError as error:
            assert error.where
    split_declarations(css)
    smaller(css)
