"""Front matter for any text and any value: what is written reads back the same, and an edit changes one node."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import FrontMatterError
from newsletter.workspace import yamltext
from newsletter.workspace.frontmatter import Document, dump, typed
from tests.workspace.frontmatter_samples import ISSUE, changed


def test_a_new_file_reads_well() -> None:
    """The shape of DESIGN: short lists in brackets, tables as blocks, absent values left out, quotes where needed."""
    text = dump(
        {
            "headline": "Rain: more of it",
            "kicker": None,
            "published": date(2022, 2, 25),
            "number": "012",
            "tags": ["rain", "no"],
            "image": {"file": "rain.jpg", "alt": "A street, wet", "focal": [0.5, 0.25]},
            "provenance": {"headline": {"from": "last line", "confirmed": True}},
            "waive": [{"id": "link-missing", "reason": "none exists"}],
            "long": [f"article-number-{n}" for n in range(12)],
            "empty": [],
        },
        "Body\n",
    )
    assert text == (
        '---\nheadline: "Rain: more of it"\npublished: 2022-02-25\nnumber: "012"\ntags: [rain, "no"]\n'
        "image:\n  file: rain.jpg\n  alt: A street, wet\n  focal: [0.5, 0.25]\n"
        "provenance:\n  headline: {from: last line, confirmed: true}\n"
        "waive:\n  - id: link-missing\n    reason: none exists\n"
        "long:\n" + "".join(f"  - article-number-{n}\n" for n in range(12)) + "empty: []\n---\nBody\n"
    )


# -- properties

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30) | st.sampled_from(
    ["No", "012", "1e3", "12:30", "2022-02-25", "~", "null", "", " x", "a: b", "a #b", "{{ x }}", "- a", "---", "...",
     "<<", "=", "0o7", "0x1F", "1_000", ".inf", "y", "OFF", "'", '"', "a\nb", "\u2028", "\x85", "\ufeff", "it's \"so\"",
     "+1", "a:", "🌧"]
)  # fmt: skip
keys = st.from_regex(r"[a-z][a-z_]{0,6}", fullmatch=True) | texts.filter(bool)
values = st.recursive(
    texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)
CORE_1_2 = re.compile(
    r"null|Null|NULL|~|true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


@given(texts, st.booleans(), st.sampled_from([None, "'", '"']))
@settings(max_examples=200, deadline=None)
def test_a_scalar_reads_the_same_for_every_reader(text: str, flow: bool, style: str | None) -> None:
    """YAML 1.1 (PyYAML resolves it) and 1.2 (its core schema's own expressions) both read exactly this string."""
    written = yamltext.scalar(text, flow=flow, style=style)
    assert "\n" not in written
    line = f"[{written}, {written}]" if flow else written
    read = yaml.safe_load(f"k: {line}")["k"]
    assert read == ([text, text] if flow else text)
    if written == text:
        assert not CORE_1_2.fullmatch(text)


@given(
    st.dictionaries(keys, values, max_size=5),
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))),
)
@settings(deadline=None)
def test_a_new_file_reads_back(data: dict[str, Any], body: str) -> None:
    """dump and parse are inverse, and PyYAML's own loader agrees."""
    doc = Document.parse(dump(data, body), "x")
    assert (doc.data, doc.body) == (data, body)
    assert (yaml.safe_load(doc.text.split("\n---\n")[0] + "\n") or {}) == data or "\n---\n" in dump(data, "")


def leaves(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in the data, tables and lists too."""
    found = [path] if path else []
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in steps:
        found += leaves(value, (*path, step))
    return found


LAYOUTS = [
    ISSUE,
    ISSUE.replace("\n", "\r\n"),
    "\ufeff" + ISSUE,
    "---\nk:\n- a\n-   b: c\n    d: [e,  f]\n- 'g'\n# end\n---\nbody",
    '---\n{a: b, "c": [d, {e: f}],}\n---\n',
    "---\na: one\n   two\n\n   three # c\nb: 'x\n  y'\nc: |2-\n   z\n---\n\n\ntrailing  \n\n",
]


@given(st.sampled_from(LAYOUTS), values, st.data())
@settings(max_examples=100, deadline=None)
def test_setting_any_node_changes_only_that_node(text: str, value: Any, data: st.DataObject) -> None:
    """The rest of the data is equal, the body is equal, and all bytes outside the node's own lines are."""
    doc = Document.parse(text, "x")
    path = data.draw(st.sampled_from(leaves(doc.data)))
    after = Document.parse(doc.set(path, value).text, "x")
    assert after.get(*path) == value
    assert after.body == doc.body
    for other in leaves(doc.data):
        if other[: len(path)] != path and path[: len(other)] != other:
            assert after.get(*other) == doc.get(*other)
    if isinstance(value, str) and isinstance(doc.get(*path), str):
        took, _ = changed(doc.text, after.text)
        assert "\n" not in took.strip() or doc.get(*path).count("\n") or text is LAYOUTS[5] or path == ("last",)


@given(st.sampled_from(LAYOUTS[:5]), st.text("abc-: #'\"{[&*\n", max_size=12), st.data())
@settings(max_examples=100, deadline=None)
def test_a_one_line_scalar_takes_no_byte_beyond_its_quotes_with_it(text: str, value: str, data: st.DataObject) -> None:
    """What is cut from the file is at most the old scalar and its two quotes."""
    doc = Document.parse(text, "x")
    plain = [p for p in leaves(doc.data) if isinstance(doc.get(*p), str) and f" {doc.get(*p)}" in text and p != ("c",)]
    path = data.draw(st.sampled_from(plain))
    before = doc.get(*path)
    there = doc.set(path, value)
    taken, _ = changed(doc.text, there.text)
    assert len(taken) <= len(before) + 2


@given(st.text(max_size=60))
@settings(deadline=None)
def test_no_text_at_all_breaks_the_reader(text: str) -> None:
    """Whatever is in the file: a document or a FrontMatterError, never another exception."""
    for whole in (text, f"---\n{text}\n---\n", f"---\nk: {text}\n---\n"):
        for required in (True, False):
            try:
                Document.parse(whole, "x", required=required)
            except FrontMatterError as error:
                assert error.where


# -- types


class Sect(msgspec.Struct, forbid_unknown_fields=True):
    layout: str
    articles: list[str] = []


class Page(msgspec.Struct):
    sections: list[Sect] = []
    number: str | None = None
    date: date | None = None
    focal: tuple[float, float] | None = None


def test_typed_reads_by_the_type_that_is_asked() -> None:
    """The schema decides what a string means; an empty key is absent; unknown keys pass unless forbidden."""
    doc = Document.parse("---\nnumber: 012\ndate: 2022-02-25\nfocal: [0.5, 1]\nsections:\nother: x\n---\n", "x.md")
    assert typed(doc, Page) == Page(number="012", date=date(2022, 2, 25), focal=(0.5, 1.0))
    assert typed(Document.parse("---\nnumber: null\n---\n", "x"), Page).number == "null"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("sections:\n  - layuot: list", 'x.md:3: sections[1].layuot: unknown key\n  Fix: did you mean "layout"?'),
        ("sections:\n  - articles: [a]", "x.md:3: sections[1]: this key is missing"),
        ("sections: x", "x.md:2: sections: expected a list, found text"),
        ("date: soon", "x.md:2: date: Invalid RFC3339 encoded date"),
        ("focal: [1]", "x.md:2: focal: expected a list of 2, found 1"),
        ("number: [1]", "x.md:2: number: expected text, found a list"),
    ],
)
def test_typed_says_file_line_key_and_what_was_expected(block: str, message: str) -> None:
    """In an editor's words, not the library's."""
    with pytest.raises(FrontMatterError) as caught:
        typed(Document.parse(f"---\n{block}\n---\n", "x.md"), Page)
    text = str(caught.value)
    assert text.startswith(message.split(":")[0] + ":" + message.split(":")[1])
    assert message.replace("sections[1]: this key", "sections[1].layout: this key") in text


@pytest.mark.parametrize(
    "text", ["Hi {{ x }}", "{% x", "a: b", "a #b", "a:", "@desk", "No", "y", "012", "12:30", "2022-02-25", "=", ""]
)
def test_what_some_reader_would_take_otherwise_is_quoted(text: str) -> None:
    """Also what is legal bare but looks like a template, so that editors copy the safe form."""
    assert yamltext.needs_quotes(text)


@pytest.mark.parametrize(
    "text", ["Khan in Moscow, and what it means", "it's", "2022-02-25-rain", "a:b", "a#b", "rain (heavy)", "ہفتہ"]
)
def test_ordinary_words_stay_bare(text: str) -> None:
    """Quotes everywhere would make the file ugly."""
    assert not yamltext.needs_quotes(text)
