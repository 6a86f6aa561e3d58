"""The text part: readable at 72 columns, nothing broken that must stay whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering import guard
from newsletter.rendering.bodies import body_of
from newsletter.rendering.plaintext import plain_text, tidy, wrap


def text_of(markdown: str, width: int = 72) -> str:
    body = body_of(guard.clean(markdown), frozenset(["nlf0001q"]))
    return plain_text(body.tree, width) if body else ""


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("A *b* **c** `d`\nsame line", "A b c d same line"),
        ("# Head\n\npara", "Head\n\npara"),
        ("a  \nb", "a\nb"),
        ("[words](https://x.example/a_b)", "words (https://x.example/a_b)"),
        ("[https://x.example](https://x.example)", "https://x.example"),
        ("<https://x.example>", "https://x.example"),
        ("[a@b.example](mailto:a@b.example) [mail](mailto:a@b.example)", "a@b.example mail (a@b.example)"),
        ("[read]( nlf0001q )", "read (nlf0001q)"),
        ("[![Alt](https://x.example/i.png)](https://x.example)", "[Alt] (https://x.example)"),
        ('<a href="https://x.example"></a>', "https://x.example"),
        ('<img src="https://x.example/i.png">', ""),
        ("> one\n>\n> two", "> one\n>\n> two"),
        ("- a\n- b\n    - c", "- a\n- b\n  - c"),
        ("- a\n\n- b", "- a\n\n- b"),
        ("9. a\n10. b", "9. a\n10. b"),
        ("    code  x\n      more", "    code  x\n      more"),
        ("a\n\n---\n\nb", "a\n\n* * *\n\nb"),
        ("| Name | No |\n|---|--:|\n| Ada | 1 |\n| Bo | 22 |", "Name  No\n----  --\nAda    1\nBo    22"),
        ("<q>said</q>", "“said”"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a  b"),
        ("<table><tr><td></td></tr></table>\n\nx", "x"),
        ("loose <figure>x<figcaption>cap</figcaption></figure> end", "loose\n\nx\n\ncap\n\nend"),
        ("<ol start='x'><li>a</li><li></li></ol>", "1. a\n2."),
    ],
)
def test_each_construct(markdown, wanted):
    assert "\n".join(line.rstrip() for line in text_of(markdown).split("\n")) == wanted


def test_a_wide_table_becomes_rows():
    table = "| Name | Story |\n|---|---|\n| Ada | " + "long words " * 12 + "|\n| Bo | short |"
    lines = text_of(table).split("\n")
    assert lines[0] == "Name: Ada" and lines[1].startswith("Story: long words") and lines[2].startswith("  long")
    assert lines[-2:] == ["Name: Bo", "Story: short"] and "" in lines
    plain = "<table><tr><td>" + "word " * 30 + "</td></tr></table>"
    assert text_of(plain).startswith("word word")


def test_lines_are_72_columns_and_addresses_are_whole():
    address = "https://paper.example/" + "a" * 90
    found = text_of("word " * 40 + f"[x]({address}) nlf0001q " + "word " * 20)
    assert f"({address})" in found and "nlf0001q" in found
    assert all(len(line) <= 72 or address in line for line in found.split("\n"))


def test_quotes_and_lists_wrap_under_their_marks():
    quoted = text_of("> " + "word " * 30)
    assert all(line.startswith("> ") and len(line) <= 72 for line in quoted.split("\n"))
    listed = text_of("- " + "word " * 30).split("\n")
    assert listed[0].startswith("- ") and all(line.startswith("  word") for line in listed[1:])


def test_chinese_wraps_between_characters_and_never_before_a_full_stop():
    found = wrap("这是一个很长的句子。" * 12, 20)
    assert len(found) > 5 and "".join(found) == "这是一个很长的句子。" * 12
    assert all(not line.startswith("。") for line in found)


def test_tidy_wraps_long_lines_under_their_own_mark_and_leaves_hand_set_lines():
    long = "word " * 30
    found = tidy(f"{long}\n- {long}\n> {long}\n    {long}\nx   \n\n\n\n\ny").split("\n")
    assert found[0].startswith("word") and len(found[0]) <= 72
    assert sum(line.startswith("> ") for line in found) == 3
    assert any(line.startswith("  word") for line in found)
    assert f"    {long.rstrip()}" in found
    assert "\n".join(found).endswith("x\n\n\ny\n")


@given(st.text(alphabet="ab \n>-*é文。\u0301", max_size=300), st.integers(20, 80))
def test_wrapping_loses_no_word(text, width):
    assert "".join(tidy(text, width).split()).replace(">", "").replace("-", "") == "".join(text.split()).replace(
        ">", ""
    ).replace("-", "")
