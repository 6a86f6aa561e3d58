"""What the built-in themes may cost in rules and bytes, and how well their colours can be read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from newsletter.rendering.css import inlinable_rules
from newsletter.rendering.environment import Templates
from newsletter.workspace.paths import Workspace
from newsletter.workspace.themes import Theme, load_theme

ROOT = Path(__file__).parents[2]
THEMES = ("base", "weekly")
KB = 1024

# Which words stand on which ground.
PAIRS = [
    ("ink", "card"), ("ink", "sponsor"), ("text", "card"), ("text", "sponsor"), ("text", "correction"),
    ("text", "placeholder"), ("muted", "card"), ("muted", "page"), ("muted", "sponsor"), ("accent", "card"),
    ("accent", "sponsor"), ("on_button", "button"),
]  # fmt: skip


def theme(name: str) -> Theme:
    return load_theme(Workspace(ROOT), name)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_formula_is_wcags() -> None:
    """Black on white is 21, a colour on itself 1, #767676 on white the famous 4.54."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#9B1C1C", "#9B1C1C") == 1
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("dark", ["", "_dark"])
@pytest.mark.parametrize(("words", "ground"), PAIRS)
def test_words_can_be_read(name: str, words: str, ground: str, dark: str) -> None:
    """Every pair of words and ground has a contrast of at least 4.5, on light screens and on dark ones."""
    tokens = theme(name).tokens
    assert contrast(tokens[words + dark], tokens[ground + dark]) >= 4.5


@pytest.mark.parametrize("name", THEMES)
def test_colours_have_six_digits_and_a_dark_twin(name: str) -> None:
    """Outlook knows only #RRGGBB; a colour without its twin would shine on a dark screen."""
    colours = {token: value for token, value in theme(name).tokens.items() if value.startswith("#")}
    assert len(colours) == 28
    for token, value in colours.items():
        assert len(value) == 7
        assert token.removesuffix("_dark") in colours and token.removesuffix("_dark") + "_dark" in colours


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("language", ["en-GB", "ur", "hi"])
def test_inlined_rules_are_few(name: str, language: str) -> None:
    """At most sixty inlinable rules: the inliner's time is rules × elements."""

    loaded = theme(name)
    issue = SimpleNamespace(lang=language)
    css = Templates(loaded).css("style.css", {"tokens": loaded.tokens, "issue": issue, "sections": ()})
    assert 40 <= len(inlinable_rules(css, "style.css")) <= 60


def test_the_sample_stays_far_below_gmails_clip(sample: Any) -> None:
    """Twelve stories weigh at most 80 KB, of the 102 KB that Gmail shows; in fact less than half of that."""
    assert sample.email.size <= 40 * KB


def test_the_shell_is_light(sample: Any) -> None:
    """Everything that is not a story weighs at most 14 KB, kept styles included."""
    assert sample.email.size - sum(span.end - span.start for span in sample.email.spans) <= 14 * KB


def test_a_story_is_light(sample: Any) -> None:
    """Each of the twelve, the full text too, weighs at most 4.5 KB."""
    assert len(sample.email.spans) == 12
    weights = {span.article: span.end - span.start for span in sample.email.spans}
    assert {slug: weight for slug, weight in weights.items() if weight > 4.5 * KB} == {}


def test_pictures_keep_their_budgets(sample: Any) -> None:
    """Lead ≤ 120 KB, grid ≤ 60 KB, list ≤ 25 KB, all JPEGs of twice the size on the page."""
    most = {1200: 120 * KB, 640: 60 * KB, 320: 25 * KB, 972: 90 * KB}
    assert len(sample.email.images) == 8
    for image in sample.email.images:
        assert image.content_type == "image/jpeg"
        assert image.size <= most[image.width]
