"""Conditional comments: the language of the condition, and which part of a page Outlook for Windows reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.clients.conditional import condition_holds, resolve


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ("mso", True),
        ("MSO", True),
        (" mso ", True),
        ("!mso", False),
        ("! (mso)", False),
        ("!!mso", True),
        ("IE", False),
        ("!IE", True),
        ("vml", True),
        ("true", True),
        ("false", False),
        ("mso 16", True),
        ("mso 15", False),
        ("gte mso 9", True),
        ("gte mso 16", True),
        ("gt mso 16", False),
        ("lt mso 12", False),
        ("lte mso 16", True),
        ("gte IE 6", False),
        ("(gte mso 9)|(IE)", True),
        ("mso | IE", True),
        ("(mso)&(IE)", False),
        ("(mso)&(!IE)", True),
        ("IE | mso & !IE", True),
        ("(IE | mso) & IE", False),
        ("", False),
        ("gte mso", False),
        ("gte 9", False),
        ("mso mso", False),
        ("(mso", False),
        ("mso)", False),
        ("mso |", False),
        ("mso ? IE", False),
        ("(" * 5000 + "mso" + ")" * 5000, False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_condition_is_read_as_outlook_reads_it(condition: str, held: bool) -> None:
    """And what cannot be read does not hold."""
    assert condition_holds(condition) is held


@pytest.mark.parametrize(
    ("html", "read", "left_out"),
    [
        ("a<!--[if mso]>b<![endif]-->c", "abc", 0),
        ("a<!--[if !mso]><!-->b<!--<![endif]-->c", "ac", 1),
        ("a<!--[if mso]><!-->b<!--<![endif]-->c", "abc", 0),
        ("a<!--[if !mso]>-->b<!--<![endif]-->c", "ac", 1),
        ("a<![if !mso]>b<![endif]>c", "ac", 1),
        ("a<![if mso]>b<![endif]>c", "abc", 0),
        ("a<!--[if mso]>b<!--[if IE]>c<![endif]-->d<![endif]-->e", "abde", 1),
        ("a<!--[if IE]>b<!--[if mso]>c<![endif]-->d<![endif]-->e", "ae", 1),
        ("a<!--[IF Mso]>b<![EndIf]-->c", "abc", 0),
        ("a<!-- [if mso] -->b", "a<!-- [if mso] -->b", 0),
        ("a<!--[if mso]>b", "a<!--[if mso]>b", 0),
        ("a<![endif]-->b", "a<![endif]-->b", 0),
    ],
)
def test_a_page_is_read_as_outlook_reads_it(html: str, read: str, left_out: int) -> None:
    assert resolve(html) == (read, left_out)


@given(
    st.lists(st.sampled_from(["<!--[if mso]>", "<!--[if !mso]><!-->", "<![endif]-->", "<!--<![endif]-->", "a", "<p>"]))
)
def test_any_mixture_of_marks_is_gone_through(parts: list[str]) -> None:
    read, left_out = resolve("".join(parts))
    assert left_out >= 0
    assert read.count("a") <= parts.count("a")
