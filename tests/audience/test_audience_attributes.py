"""Attributes are one clean line; guarded cells come back as they were."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.attributes import MAX_VALUE, clean_value, from_json, guard_cell, to_json, unguard_cell
from newsletter.errors import BadData


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("  Ada ", "Ada"),
        ("Ada\r\nBcc: all@example.org", "Ada Bcc: all@example.org"),
        ("A\x00d\x1ba\x7f", "Ada"),
        ("line\u2028break\u0085here", "line break here"),
        ("tab\tbed", "tab bed"),
        ("Zoë 🦊 \u200fعلی", "Zoë 🦊 \u200fعلی"),
        ("'; drop table subscriber; --", "'; drop table subscriber; --"),
        ("lone \udcff surrogate", "lone  surrogate"),
        ("", ""),
    ],
)
def test_a_value_keeps_its_words_and_loses_its_control_characters(value: str, clean: str) -> None:
    """A value can land in a subject line; a line break there would start a header."""
    assert clean_value(value) == clean


@given(st.text())
def test_no_control_character_survives(value: str) -> None:
    """Whatever the source, and cleaning twice changes nothing."""
    clean = clean_value(value)
    assert not {unicodedata.category(c) for c in clean} & {"Cc", "Cs", "Zl", "Zp"}
    assert clean_value(clean) == clean


def test_an_endless_value_is_refused() -> None:
    """It would go into every mail of this reader."""
    assert clean_value("x" * MAX_VALUE)
    with pytest.raises(BadData, match="1001 characters"):
        clean_value("x" * (MAX_VALUE + 1))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=x", "''=x"])
def test_a_formula_is_guarded_and_comes_back(cell: str) -> None:
    """The characters OWASP names; also what looks guarded already."""
    assert guard_cell(cell) == f"'{cell}"
    assert unguard_cell(guard_cell(cell)) == cell


@given(st.text(alphabet="'=+-@\t\rab ", max_size=6))
def test_guarding_is_taken_back_exactly(cell: str) -> None:
    """Export and import again changes no cell; and no exported cell starts a formula."""
    guarded = guard_cell(cell)
    assert unguard_cell(guarded) == cell
    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.dictionaries(st.text(), st.text()))
def test_equal_attributes_are_equal_text(values: dict[str, str]) -> None:
    """So an import can tell whether anything changed."""
    text = to_json(values)
    assert from_json(text) == values
    assert to_json(dict(reversed(values.items()))) == text
