"""Word differences: exact in both directions, readable, and bounded in time."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.message.words import Run, diff_words, longest_rising, matches

WORDS = st.lists(st.sampled_from(["the", "tide", "rose,", "fell", "a", "—", "هے", "में", "今日", ".", " "]), max_size=40)
TEXTS = st.one_of(st.text(max_size=60), WORDS.map(" ".join))


def sides(runs: tuple[Run, ...]) -> tuple[str, str]:
    old = "".join(run.text for run in runs if run.op != "new")
    new = "".join(run.text for run in runs if run.op != "old")
    return old, new


@given(TEXTS, TEXTS)
def test_the_runs_lead_from_the_old_text_to_the_new_and_back(old: str, new: str) -> None:
    """Applied to the old words the difference gives the new ones, character for character."""
    runs = diff_words(old, new)
    assert sides(runs) == (old, new)
    assert all(run.text for run in runs)
    for before, after in itertools.pairwise(runs):
        assert (before.op, after.op) in {
            ("same", "old"),
            ("same", "new"),
            ("old", "new"),
            ("old", "same"),
            ("new", "same"),
        }


@given(TEXTS)
def test_the_same_text_has_no_changes(text: str) -> None:
    """Nothing is marked where nothing changed."""
    assert diff_words(text, text) == ((Run("same", text),) if text else ())


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("a b", "a b c", "a b{+ c+}"),
        ("a b c", "a b", "a b[- c-]"),
        ("foo bar", "foo; bar", "foo{+;+} bar"),
        ("costs nine, and", "costs ten, and", "costs [-nine-]{+ten+}, and"),
        ("one town, 2,306 people", "two towns, 2,314 people", "[-one town-]{+two towns+}, [-2,306-]{+2,314+} people"),
        ("the old grey wall", "a bright new sea front", "[-the old grey wall-]{+a bright new sea front+}"),
        ("یہ اچھی کتاب ہے", "یہ بُری کتاب ہے", "یہ [-اچھی-]{+بُری+} کتاب ہے"),
        ("हिन्दी लिखा", "हिन्दी लिखो", "हिन्दी [-लिखा-]{+लिखो+}"),
        ("今日は良い", "今日は悪い", "今日は[-良-]{+悪+}い"),
        ("", "x", "{+x+}"),
        ("x", "", "[-x-]"),
    ],
)  # fmt: skip
def test_what_an_editor_reads(old: str, new: str, shown: str) -> None:
    """Whole words, signs by themselves, and no lonely word between two long replacements."""
    marks = {"same": "{}", "old": "[-{}-]", "new": "{{+{}+}}"}
    assert "".join(marks[run.op].format(run.text) for run in diff_words(old, new)) == shown


def test_a_short_word_between_two_long_replacements_is_not_left_alone() -> None:
    """Two unrelated sentences share an "of"; that is no sameness."""
    runs = diff_words(
        "a very long first part of another quite long ending", "some wholly other words of nothing like it at all"
    )
    assert [run.op for run in runs] == ["old", "new"]


def test_edges_leave_the_blanks_outside() -> None:
    """Who marks the words does not underline the blank behind them; blanks alone stay what they are."""
    assert Run("new", " No wind. ").edges() == (" ", "No wind.", " ")
    assert Run("new", "  ").edges() == ("", "  ", "")


@given(st.lists(st.integers(0, 8), max_size=30), st.lists(st.integers(0, 8), max_size=30))
def test_matches_are_common_and_in_order(old: list[int], new: list[int]) -> None:
    """Each match is equal on both sides and behind the one before; two that touch on both sides are one."""
    i = j = 0
    for a, b, size in matches(old, new):
        assert size > 0
        assert a >= i
        assert b >= j
        assert (a, b) != (i, j) or (i, j) == (0, 0)
        assert old[a : a + size] == new[b : b + size]
        i, j = a + size, b + size


@given(st.permutations(list(range(9))))
def test_the_longest_rising_places_are_the_longest(numbers: list[int]) -> None:
    """As long as the best of all subsets, and rising."""
    chain = [numbers[place] for place in longest_rising(numbers)]
    assert chain == sorted(chain)
    best = max(
        (len(some) for n in range(10) for some in itertools.combinations(numbers, n) if list(some) == sorted(some)),
    )
    assert len(chain) == best


@dataclass(frozen=True)
class Counted:
    """A word that counts how often it is compared."""

    word: str
    compared: ClassVar[int] = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return isinstance(other, Counted) and self.word == other.word

    def __hash__(self) -> int:
        return hash(self.word)


def compared(old: list[str], new: list[str]) -> int:
    Counted.compared = 0
    matches([Counted(word) for word in old], [Counted(word) for word in new])
    return Counted.compared


def _prose(length: int) -> list[str]:
    """As in a language: a few words are everywhere, most are rare."""
    dice = random.Random(7)
    return [f"w{int(dice.paretovariate(0.7))}" for _ in range(length)]


def _edited(words: list[str]) -> list[str]:
    dice = random.Random(8)
    return [f"new{n}" if dice.random() < 0.05 else word for n, word in enumerate(words)]


@pytest.mark.parametrize(
    "pair",
    [
        lambda n: (_prose(n), _edited(_prose(n))),
        lambda n: (_prose(n), _prose(n)[::-1]),
        lambda n: (["x", "y"] * (n // 2), ["y", "z"] * (n // 2)),
        lambda n: ([f"a{i}" for i in range(n)], [f"b{i}" for i in range(n)]),
        lambda n: (["x"] * n, ["x"] * (n // 2)),
    ],
    ids=["edited prose", "turned round", "two words only", "nothing in common", "one word only"],
)
def test_twice_the_words_cost_about_twice_the_work(pair) -> None:
    """The longest body has some 45,000 words; in a plain diff four times the words cost 16 times the work."""
    small, large = (compared(*pair(n)) for n in (5_000, 20_000))
    assert large < 8 * max(small, 5_000)
    assert large < 250 * 20_000
