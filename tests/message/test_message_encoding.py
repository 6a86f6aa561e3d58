"""Quoted-printable in pieces: any text and any values come out of a decoder as they went in."""

from __future__ import annotations

import quopri

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.message.encoding import before_slot, encode_text, encode_value

unicode_text = st.text(st.characters(blacklist_categories=["Cs"]))
mail_text = st.lists(
    st.one_of(
        unicode_text,
        st.sampled_from([".", "..", "From ", "=", " ", "\t", "\r\n", "\n", "\r", "é", "x" * 75, "a=b" * 40, "." * 90]),
    ),
    max_size=30,
).map("".join)


def normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def decoded(raw: bytes) -> str:
    return normal(quopri.decodestring(raw).decode("utf-8"))


def check_lines(raw: bytes) -> None:
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    for line in raw.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
        assert all(byte == 9 or 32 <= byte < 127 for byte in line)


@given(mail_text)
@example("." * 400)
@example("From " * 100)
@example("=" * 100)
@example("x" * 74 + "é" + " ")
@example("x" * 76)
@example("x" * 77)
def test_any_text_reads_back_in_safe_lines(text: str) -> None:
    """At most 76 characters, no bare CR or LF, no leading dot, no ``From ``, no trailing blank."""
    raw = encode_text(text)
    check_lines(raw)
    assert decoded(raw) == normal(text)


@given(mail_text, mail_text, mail_text)
@example("", "", "")
@example("Dear ", "", ", hello")
@example("Dear ", "F", "rom here")
@example("a\n", "." * 80, "\n")
@example("", "a" * 75 + ".b", "")
@example("", "a" * 75 + "From ", ".")
def test_a_value_between_two_texts_reads_back(before: str, value: str, after: str) -> None:
    """Three pieces encoded apart are the encoding of the whole."""
    raw = before_slot(before) + encode_value(value) + encode_text(after)
    check_lines(raw)
    # Newlines are normalised piece by piece: a CR before the slot and a LF after it stay two.
    assert decoded(raw) == normal(before) + normal(value) + normal(after)


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ("", b""),
        ("Ada", b"Ada=\r\n"),
        ("a" * 75, b"a" * 75 + b"=\r\n"),
        ("a" * 76, b"a" * 75 + b"=\r\na=\r\n"),
        ("Zoë", b"Zo=C3=AB=\r\n"),
        ("a=b", b"a=3Db=\r\n"),
        (".x", b"=2Ex=\r\n"),
        ("From x", b"=46rom x=\r\n"),
    ],
)
def test_a_value_ends_with_a_soft_break(value: str, raw: bytes) -> None:
    """Whatever follows starts on a line of its own, so lengths never add up."""
    assert encode_value(value) == raw


def test_half_a_character_is_refused() -> None:
    """A surrogate has no UTF-8; the caller names the story."""
    with pytest.raises(UnicodeEncodeError):
        encode_text("\ud800")
