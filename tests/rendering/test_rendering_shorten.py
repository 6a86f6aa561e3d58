"""Teasers at the length of their layout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.message.merge import TOKEN
from newsletter.rendering.shorten import first_sentence, shorten


@pytest.mark.parametrize(
    ("text", "limit", "wanted"),
    [
        ("Short.", 10, "Short."),
        ("One sentence here. Another that is too long to fit.", 25, "One sentence here."),
        ("Hi. " + "word " * 20, 40, "Hi. word word word word word word word…"),
        ("A comma, then words that go on", 16, "A comma, then…"),
        ("ends on a blank here", 8, "ends on…"),
        ("每个人都说这个句子太长了没有标点符号", 10, "每个人都说这个句子…"),
        ("每个人都说。这个句子太长了没有标点符号", 9, "每个人都说。"),
        ("文" * 5 + "nlf0001q" + "文" * 5, 10, "文文文文文…"),
        ("Supercalifragilistic-word", 10, "Supercali…"),
    ],
)
def test_shorten(text, limit, wanted):
    assert shorten(text, limit) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("One. Two.", "One."),
        ("Mr. Smith met Dr. A. Jones. Then left.", "Mr. Smith met Dr. A. Jones."),
        ("It costs 3.50 now. More.", "It costs 3.50 now."),
        ("“Stop!” she said. Then", "“Stop!”"),
        ("No end", "No end"),
        ("یہ خبر ہے۔ دوسری", "یہ خبر ہے۔"),
        ("", ""),
    ],
)
def test_first_sentence(text, wanted):
    assert first_sentence(text) == wanted


@given(st.text(alphabet="ab .,!文nlf01q", max_size=200), st.integers(10, 100))
def test_never_longer_and_no_token_is_cut(text, limit):
    text = text + " nlf0007q tail of words"
    short = shorten(text, limit)
    assert len(short) <= limit
    assert all(token in TOKEN.findall(text) for token in TOKEN.findall(short))
    if "nlf0007" in short:
        assert "nlf0007q" in short
