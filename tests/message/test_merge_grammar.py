"""The grammar of merge fields in authored text: what is one, what is none, and what the editor is told."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import MergeFieldError
from newsletter.message.merge import RESERVED, TOKEN, Tokeniser, fill
from newsletter.models import MergeField


def tokeniser() -> Tokeniser:
    return Tokeniser(["first_name", "city"])


@pytest.mark.parametrize(
    ("written", "name", "default"),
    [
        ("{{ subscriber.first_name }}", "first_name", ""),
        ("{{subscriber.first_name}}", "first_name", ""),
        ("{{\tsubscriber.city\n}}", "city", ""),
        ('{{ subscriber.first_name | default("reader") }}', "first_name", "reader"),
        ("{{subscriber.first_name|default('reader')}}", "first_name", "reader"),
        ('{{ subscriber.first_name | default( "dear \\"you\\" \\\\ all" ) }}', "first_name", 'dear "you" \\ all'),
        ("{{ subscriber.first_name | default('it\\'s }} you') }}", "first_name", "it's }} you"),
        ('{{ subscriber.city | default("") }}', "city", ""),
        ("{{ unsubscribe_url }}", "unsubscribe_url", ""),
        ("{{preferences_url}}", "preferences_url", ""),
        ("{{ web_url}}", "web_url", ""),
    ],
)
def test_every_form_of_a_field_becomes_one_token(written: str, name: str, default: str) -> None:
    """Spaces are free, quotes may be single or double, a backslash keeps a quote."""
    fields = tokeniser()
    assert fields.tokenise(f"Hi {written}, hello", "html") == "Hi nlf0001q, hello"
    assert fields.fields == (MergeField("nlf0001q", name, default, "html"),)


def test_tokens_are_numbered_by_first_use_one_per_name_default_and_context() -> None:
    """The same field twice is one token; another default or another context is another."""
    fields = tokeniser()
    text = (
        '{{ subscriber.city }} {{ subscriber.first_name }} {{ subscriber.city }} {{ subscriber.city | default("x") }}'
    )
    assert fields.tokenise(text, "html") == "nlf0001q nlf0002q nlf0001q nlf0003q"
    assert fields.tokenise("{{ subscriber.city }}", "text") == "nlf0004q"
    assert fields.token_for("city", "html") == "nlf0001q"
    assert fields.token_for("unsubscribe_url", "html") == "nlf0005q"
    assert [f.token for f in fields.fields] == [f"nlf000{n}q" for n in range(1, 6)]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (r"\{{", "{{"),
        (r"write \{{ name }} so", "write {{ name }} so"),
        (r"write \{{ name \}} so", "write {{ name }} so"),
        (r"a \{% b", "a {% b"),
        (r"a \{# b", "a {# b"),
        ("*|FNAME|* and {x} and } }", "*|FNAME|* and {x} and } }"),
        ("nlf001q nlf00001q NLF0001Q", "nlf001q nlf00001q NLF0001Q"),
        ("", ""),
    ],
)
def test_plain_text_stays_and_a_backslash_makes_braces_plain(written: str, plain: str) -> None:
    """What is no field and does not look like one passes untouched."""
    fields = tokeniser()
    assert fields.tokenise(written, "text") == plain
    assert fields.fields == ()


@pytest.mark.parametrize(
    ("written", "what", "fix"),
    [
        ("{{ first_name }}", "{{ first_name }} is not a merge field", "did you mean {{ subscriber.first_name }}?"),
        ('{{ city | default("x") }}', "not a merge field", 'did you mean {{ subscriber.city | default("x") }}?'),
        ("{{ frist_name }}", "not a merge field", "did you mean {{ subscriber.first_name }}?"),
        ("{{ unsubscribe }}", "not a merge field", "did you mean {{ unsubscribe_url }}?"),
        ("{{ subscriber.fist_name }}", 'no attribute "fist_name" (known: city, first_name)', "first_name"),
        ("{{ subscriber.shoe_size }}", 'no attribute "shoe_size"', "[audience]"),
        ("{{ subscriber.web_url }}", 'no attribute "web_url"', "did you mean {{ web_url }}?"),
        ("{{ subscriber.shoe | upper }}", 'no attribute "shoe"', "attributes"),
        ("{{ subscriber.city | upper }}", "not a merge field", 'only default("…") can follow'),
        ("{{ subscriber.city | default(reader) }}", "not a merge field", 'only default("…")'),
        ("{{ subscriber.city | default(“reader”) }}", "not a merge field", "straight quotes"),
        ("{{ web_url | default('x') }}", "not a merge field", "web_url takes no default: write {{ web_url }}"),
        ("{{ 7 * 7 }}", "{{ 7 * 7 }} is not a merge field", r"or \{{ for plain braces"),
        ("{{}}", "{{  }} is not a merge field", "write it as"),
        ("{{ subscriber.city", "opened with {{ and not closed", "close it with }}"),
        ("{{ a {{ subscriber.city }}", "opened with {{ and not closed", "close it"),
        ("{{{ subscriber.city }}}", "not a merge field", "write it as"),
        ("so }} then", "never opened", r"write \}}"),
        (r"\{{ a }} }}", "never opened", r"write \}}"),
        ("{% if x %}", "{% is template code", r"\{%"),
        ("{# note #}", "{# is template code", r"\{#"),
        ("the word nlf0001q", "the word nlf0001q is reserved", "hyphen"),
        ("{{ " + "x" * 500 + " }}", "x…", "write it as"),
        ('{{ subscriber.city | default("' + "x" * 1001 + '") }}', "has 1,001 characters", "under 1,000"),
    ],
)
def test_what_is_no_field_is_refused_with_file_line_and_fix(written: str, what: str, fix: str) -> None:
    """The error names where, what is wrong, and what to write instead."""
    with pytest.raises(MergeFieldError) as refused:
        tokeniser().tokenise(f"first\nsecond {written}", "html", file="issues/a/issue.md", line=7)
    assert refused.value.where == "issues/a/issue.md:8"
    assert what in refused.value.what
    assert refused.value.fix is not None
    assert fix in refused.value.fix


def test_without_a_file_the_line_alone_is_named() -> None:
    """Text from the command line has no file, but it has lines."""
    with pytest.raises(MergeFieldError) as refused:
        tokeniser().tokenise("a\n\n{{ x }}", "text")
    assert refused.value.where == "line 3"


def test_without_attributes_none_are_listed() -> None:
    """A workspace may have no attributes at all."""
    with pytest.raises(MergeFieldError, match="known: none"):
        Tokeniser([]).tokenise("{{ subscriber.city }}", "html")


def test_a_theme_cannot_ask_for_an_unknown_field() -> None:
    """``token_for`` holds themes to the same attributes."""
    with pytest.raises(MergeFieldError, match="shoe_size"):
        tokeniser().token_for("shoe_size", "html")


def test_more_fields_than_tokens_are_refused() -> None:
    """Four digits number 9,999 fields; the next one would not be found again."""
    fields = tokeniser()
    for n in range(9999):
        fields.token_for("city", "html", default=str(n))
    assert fields.token_for("city", "html", default="9998") == "nlf9999q"
    with pytest.raises(MergeFieldError, match="9,999"):
        fields.token_for("city", "html", default="one more")


HOSTILE = {
    "braces": "{" * 100_000,
    "spaced braces": "{ " * 50_000,
    "opened and blank": "{{" + " " * 100_000,
    "attribute and blank": "{{ subscriber.city" + " " * 100_000,
    "attribute without end": "{{ subscriber." + "a" * 100_000,
    "pipes": "{{ subscriber.city " + "|" * 100_000 + "}}",
    "backslashes in a default": '{{ subscriber.city | default("' + "\\a" * 50_000,
    "escaped braces": "\\{{" * 33_000,
    "almost tokens": "nlf0001" * 14_000,
    "a name of 100 KB": "{{ " + "a" * 100_000 + " }}",
    "an attribute of 100 KB": "{{ subscriber." + "a" * 100_000 + " }}",
    "many fields": "{{ subscriber.city }}\n" * 5_000,
    "many fields and an error": "{{ subscriber.city }}\n" * 5_000 + "{{",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_takes_linear_time(text: str) -> None:
    """100 KB of nothing but braces, blanks or pipes is answered at once (seconds if it were quadratic)."""
    started = time.process_time()
    try:
        tokeniser().tokenise(text, "html")
    except MergeFieldError as refused:
        assert len(str(refused)) < 600
    assert time.process_time() - started < 0.5


@given(st.text(alphabet=st.sampled_from("{}%#\\ |\"'()abcdefault.subscriber_url\n"), max_size=60))
def test_text_either_becomes_tokens_or_is_refused(text: str) -> None:
    """No text escapes: what comes out holds no braces of the grammar that did not have a backslash."""
    fields = tokeniser()
    try:
        out = fields.tokenise(text, "text")
    except MergeFieldError:
        return
    if "\\" not in text:
        assert not [mark for mark in ("{{", "}}", "{%", "{#") if mark in TOKEN.sub(" ", out)]
    assert len(TOKEN.findall(out)) >= len(fields.fields)


plain = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30).filter(
    lambda t: not any(m in t for m in ("{", "}", "\\", "nlf"))
)
quoted = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n"), max_size=20)


@given(plain, quoted, plain, st.sampled_from(["first_name", "city"]))
def test_any_default_survives_the_way_through_the_grammar(before: str, default: str, after: str, name: str) -> None:
    """Escaping a default with backslashes and reading it back is the identity."""
    written = default.replace("\\", "\\\\").replace('"', '\\"')
    fields = tokeniser()
    out = fields.tokenise(f'{before}{{{{ subscriber.{name} | default("{written}") }}}}{after}', "text")
    assert out == f"{before}nlf0001q{after}"
    assert fields.fields == (MergeField("nlf0001q", name, default, "text"),)


def test_reserved_fields_need_no_attribute() -> None:
    """The links are there for every workspace."""
    fields = Tokeniser([])
    assert [fields.token_for(name, "html") for name in RESERVED] == ["nlf0001q", "nlf0002q", "nlf0003q"]


def test_a_value_that_looks_like_a_token_is_not_looked_into() -> None:
    """Filling is one pass: a subscriber called nlf0002q gets no one else's value."""
    fields = tokeniser()
    text = fields.tokenise("{{ subscriber.first_name }} {{ subscriber.city }}", "text")
    assert fill(text, fields.fields, {"first_name": "nlf0002q", "city": "Hull"}) == "nlf0002q Hull"
