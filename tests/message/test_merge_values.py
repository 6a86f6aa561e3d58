"""Values of merge fields: defaults, escaping for where they land, and what can never come through."""

from __future__ import annotations

import html
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from newsletter.message.merge import MAX_VALUE, escaped_value, fill, preview_fill
from newsletter.models import FieldContext, MergeField


def field(context: FieldContext, default: str = "", name: str = "first_name") -> MergeField:
    return MergeField("nlf0001q", name, default, context)


@pytest.mark.parametrize("values", [{}, {"first_name": ""}, {"first_name": " \t\n"}, {"first_name": "\u202e"}])
def test_a_missing_or_blank_value_takes_the_default(values: dict[str, str]) -> None:
    """A reader without a name is greeted by the default, and never by a blank."""
    assert escaped_value(field("text", "reader"), values) == "reader"
    assert escaped_value(field("html"), values) == ""


@pytest.mark.parametrize(
    ("context", "value", "escaped"),
    [
        ("html", "Ada", "Ada"),
        ("html", "  Ada  ", "Ada"),
        ("html", "<b>&\"'</b>", "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;"),
        ("html", "Zoë – 李", "Zo&#235; &#8211; &#26446;"),
        ("html", "a\r\nb\tc\x00d\x1be", "a  b cde"),
        ("text", "<b>&\"'</b> Zoë", "<b>&\"'</b> Zoë"),
        ("text", "a\r\nBcc: x\x00y\u2028z", "a  Bcc: x y z"),
        ("subject", "a\nSubject: b\x7f!", "a Subject: b !"),
        ("text", "\u202eevil\u2066x\u2069", "evilx"),
        ("html", "\u202eevil\u202c", "evil"),
        ("subject", "مریم 3", "\u2068مریم 3\u2069"),
        ("subject", "Zoë (3)", "Zoë (3)"),
        ("text", "مریم", "مریم"),
        ("text", "half \ud800 character", "half \ufffd character"),
    ],
)
def test_a_value_is_escaped_for_where_it_lands(context: FieldContext, value: str, escaped: str) -> None:
    """Markup in HTML, line breaks in a header and overrides of the writing direction come to nothing."""
    assert escaped_value(field(context), {"first_name": value}) == escaped


def test_the_default_is_escaped_like_a_value() -> None:
    """Authors write plain words, not markup."""
    assert escaped_value(field("html", "<you> & me"), {}) == "&lt;you&gt; &amp; me"


def test_a_value_is_cut_but_a_link_of_ours_is_not() -> None:
    """A name of a megabyte is an attack; half an unsubscribe address is none at all."""
    long = "é" * 5_000
    assert escaped_value(field("text"), {"first_name": long}) == "é" * MAX_VALUE
    assert escaped_value(field("text"), {"first_name": "a" * 5_000}) == "a" * MAX_VALUE
    url = "https://news.example.org/u/" + "a" * 1_500
    assert escaped_value(field("html", name="web_url"), {"web_url": url}) == url


@given(st.text(), st.sampled_from(["html", "text", "subject"]))
def test_no_value_carries_a_control_character_or_a_line_break(value: str, context: FieldContext) -> None:
    """Whatever a CSV held, header injection and terminal tricks end here."""
    out = escaped_value(field(context), {"first_name": value})
    assert not [c for c in out if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    isolated = context == "subject" and out.startswith("\u2068") and out.endswith("\u2069")
    assert not set(out[1:-1] if isolated else out) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    if context == "html":
        assert out.isascii()
        assert not set(out) & set("<>\"'")


@given(st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp", "Cf"]), max_size=500))
def test_a_html_value_reads_back_equal(value: str) -> None:
    """A browser shows exactly the value. (Of noncharacters, such as U+FFFE, ``unescape`` makes nothing.)"""
    assume(not any(ord(one) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(one) <= 0xFDEF for one in value))
    out = escaped_value(field("html"), {"first_name": value})
    assert html.unescape(out) == value.strip()


def test_fill_replaces_every_known_token_once_and_leaves_the_others() -> None:
    """A token without a field is not ours to touch."""
    fields = (field("text", "reader"), MergeField("nlf0002q", "city", "", "html"))
    text = "Hi nlf0001q of <nlf0002q>, nlf0001q and nlf0009q"
    assert fill(text, fields, {"city": "Kraków"}) == "Hi reader of <Krak&#243;w>, reader and nlf0009q"
    assert preview_fill(text, fields, {}) == "Hi reader of <>, reader and nlf0009q"
