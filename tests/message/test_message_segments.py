"""Words in any script: joined they are the text, and none is torn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.message.segments import split_words


@given(st.text())
def test_the_words_joined_are_the_text(text: str) -> None:
    """Nothing is lost and no word is empty, whatever the text is."""
    words = split_words(text)
    assert "".join(words) == text
    assert all(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don’t re-open", ["don’t", "re-open"]),
        ("2,306 at 07:30, not 3.5.", ["2,306", "at", "07:30", ",", "not", "3.5", "."]),
        ("“Quay”—now", ["“", "Quay", "”", "—", "now"]),
        ("snake_case e-mail's", ["snake_case", "e-mail's"]),
        ("हिन्दी में क्षत्रिय।", ["हिन्दी", "में", "क्षत्रिय", "।"]),
        ("نہر پر پُل ہے۔", ["نہر", "پر", "پُل", "ہے", "۔"]),
        ("می\u200cخواهم ۲٫۵", ["می\u200cخواهم", "۲٫۵"]),
        ("今日は晴れ", ["今", "日", "は", "晴", "れ"]),
        ("café naïve", ["café", "naïve"]),
        ("👩‍👩‍👧 👍🏽 🇬🇧🇫🇷", ["👩‍👩‍👧", "👍🏽", "🇬🇧", "🇫🇷"]),
    ],
)
def test_a_word_is_what_a_reader_takes_for_one(text: str, words: list[str]) -> None:
    """Apostrophes, numbers, vowel signs and emoji of several characters stay whole; unspaced scripts do not."""
    assert [word for word in split_words(text) if not word.isspace()] == words


def test_a_vowel_sign_never_begins_a_word() -> None:
    """A difference that began with one would be drawn on a dotted circle."""
    for word in split_words("हिन्दी लिपि में लिखना और কলকাতা শহর ગુજરાતી"):
        assert word[0].isalpha() or word.isspace()


def test_a_stretch_of_blanks_is_one() -> None:
    """Also blanks that do not break."""
    assert split_words("a  \u00a0b\n\nc") == ["a", "  \u00a0", "b", "\n\n", "c"]
