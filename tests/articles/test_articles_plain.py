"""Plain text becomes Markdown that means exactly that text."""

from __future__ import annotations

import time

import lxml.html
import markdown
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.articles.plain import clean, escape_inline, escape_line, plain_text
from newsletter.message.merge import Tokeniser

SIGNS = list("aB1 .*_`[](){}<>&;#!-+=|:~\\\"'%/@^$é。\n")
MARKUP = [
    *(
        "{{",
        "}}",
        "{%",
        "{#",
        "&amp;",
        "&#39;",
        "<b>",
        "<!--",
        "```",
        "~~~",
        "---",
        "***",
        "\r\n",
        "\u2028",
        "http://x",
    ),
    *("![a](b)", "[x][y]", "| a |", "a@b.c", "[a]: http://x", "1. ", "    ", "{{ subscriber.first_name }}"),
]
TRICKY = st.lists(st.sampled_from([*SIGNS, *MARKUP]), max_size=25).map("".join)


def rendered(text: str) -> str:
    """The words that a reader would see; nothing but paragraphs may have come out."""
    tokeniser = Tokeniser([])
    html = markdown.Markdown(extensions=["tables", "sane_lists"]).convert(tokeniser.tokenise(text, "html"))
    assert not tokeniser.fields
    root = lxml.html.fragment_fromstring(html, create_parent="div")
    assert {element.tag for element in root.iter()} <= {"div", "p", "br"}, html
    return words(root.text_content())


def words(text: str) -> str:
    return " ".join(text.split())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TRICKY | st.text(max_size=40))
def test_any_plain_text_reads_the_same_after_markdown(text: str) -> None:
    """As paragraphs and as the lines of one paragraph; and back again without Markdown."""
    lines = [line.strip() for line in clean(text).split("\n") if line.strip()]
    for between in ("\n\n", "\n"):
        written = between.join(map(escape_line, lines))
        expected = words(" ".join(lines))
        assert rendered(written) == expected
        assert words(plain_text(written)) == expected


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Nothing special - at all, is it? (23) “yes” it's.", None),
        (
            "snake_case and 3 < 4 & AT&T; 50% #7 a+b",
            "snake_case and 3 < 4 & AT\\&T; 50% #7 a+b".replace("\\&", "&amp;"),
        ),
        ("1. First", "1\\. First"),
        ("# Not a heading", "\\# Not a heading"),
        ("- Not a list", "\\- Not a list"),
        ("*Not* _emphasis_", "\\*Not\\* \\_emphasis\\_"),
        ("<b>bold</b>", "&lt;b>bold&lt;/b>"),
        ("[sic]", "\\[sic\\]"),
        ("{{ subscriber.first_name }}", "\\{{ subscriber.first_name \\}}"),
        ("C:\\{{", "C:\\\\\\{{"),
        ("=====", "&#61;===="),
        ("2021 was dry.", None),
    ],
)
def test_only_what_means_something_is_escaped(text: str, written: str | None) -> None:
    assert escape_line(text) == (text if written is None else written)


def test_merge_fields_in_plain_text_are_never_fields() -> None:
    """A story that talks about templates keeps its braces."""
    text = "Write {{ subscriber.first_name }} or {% if %} or {# note #}."
    tokeniser = Tokeniser(["first_name"])
    assert tokeniser.tokenise(escape_inline(text), "text") == text.replace("{#", "{#")
    assert tokeniser.fields == ()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("**Bold _and_ more** `code` [link](http://x 't') ![pic](y) <b>tag</b> &amp; <https://z.example>",
         "Bold and more code link tag & https://z.example"),
        ("## Heading\n\n> Quote\n\n- item\n\n1. one\n\n* * *\n\n| a | b |", "Heading Quote item one | a | b |"),
        ("[![pic](a)](b) after", "after"),
        ("snake_case 2 * 3 * 4", "snake_case 2 * 3 * 4"),
        ("```\nx\n```", "x"),
        ("\\*not\\* \\[x\\] \\{{", "*not* [x] {{"),
    ],
)  # fmt: skip
def test_markdown_back_to_its_words(source: str, words: str) -> None:
    assert " ".join(plain_text(source).split()) == words


@pytest.mark.parametrize("unit", ["[", "![", "*a", "_ ", "<", "<!--", "`", "](", "\\", "{{", "a" * 50, " ", "&#", "("])
def test_the_time_is_linear(unit: str) -> None:
    """100 KB of anything takes moments, in both directions."""
    text = unit * (100_000 // len(unit))
    started = time.process_time()
    plain_text(escape_line(clean(text)))
    plain_text(text)
    assert time.process_time() - started < 8


def test_cleaning_keeps_what_a_reader_sees() -> None:
    assert clean("a\r\nb\rc\u2028d\x00\x07e\ufefff\tg\x0bh") == "a\nb\nc\ndef\tg\nh"
    assert clean("\ud800x") == "?x"
