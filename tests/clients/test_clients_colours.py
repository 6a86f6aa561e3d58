"""Colours: every way to write one, CIELAB there and back, WCAG's own figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.clients.colours import Colour, as_css, contrast, from_lab, over, parse_attribute, parse_colour, to_lab

CHANNEL = st.integers(0, 255)
RGB = st.tuples(CHANNEL, CHANNEL, CHANNEL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#9B1C1C", Colour(155, 28, 28)),
        (" #abc ", Colour(170, 187, 204)),
        ("#abc8", Colour(170, 187, 204, 0.5333)),
        ("#11223380", Colour(17, 34, 51, 0.502)),
        ("RebeccaPurple", Colour(102, 51, 153)),
        ("transparent", Colour(0, 0, 0, 0)),
        ("rgb(1, 2, 3)", Colour(1, 2, 3)),
        ("rgba(1,2,3,.25)", Colour(1, 2, 3, 0.25)),
        ("rgb(10% 20% 30% / 50%)", Colour(26, 51, 76, 0.5)),
        ("rgb(300, -5, 0)", Colour(255, 0, 0)),
        ("hsl(120, 100%, 25%)", Colour(0, 128, 0)),
        ("hsla(0 100% 50% / 0.5)", Colour(255, 0, 0, 0.5)),
        ("hwb(240 0% 0%)", Colour(0, 0, 255)),
        ("lab(100 0 0)", Colour(255, 255, 255)),
        ("lab(0 0 0)", Colour(0, 0, 0)),
        ("lch(54.29 106.84 40.86)", Colour(255, 0, 0)),
        ("oklab(1 0 0)", Colour(255, 255, 255)),
        ("oklch(0.628 0.2577 29.23)", Colour(255, 0, 0)),
    ],
)
def test_a_colour_is_read_however_it_is_written(text: str, expected: Colour) -> None:
    """Channels may be one off where a format has decimals."""
    found = parse_colour(text)
    assert found is not None
    assert found.rgb == pytest.approx(expected.rgb, abs=1)
    assert found.alpha == pytest.approx(expected.alpha, abs=0.001)


@pytest.mark.parametrize(
    "text", ["", "#12", "#12345", "#gggggg", "none", "currentColor", "rgb()", "rgb(1)", "url(a)", "red blue", "(", "1"]
)
def test_what_is_no_colour_is_none(text: str) -> None:
    assert parse_colour(text) is None


@pytest.mark.parametrize("text", ["F4F1EA", "#F4F1EA", " f4f1ea "])
def test_an_attribute_may_lack_the_number_sign(text: str) -> None:
    assert parse_attribute(text) == Colour(244, 241, 234)
    assert parse_attribute("chartreuse") == Colour(127, 255, 0)
    assert parse_attribute("nonsense") is None


@given(st.text(max_size=40))
def test_no_text_is_too_odd_to_be_looked_at(text: str) -> None:
    parse_colour(text)
    parse_attribute(text)


@given(RGB)
def test_there_and_back_is_the_same_colour(rgb: tuple[int, int, int]) -> None:
    """CSS and CIELAB lose nothing that a screen shows."""
    assert from_lab(to_lab(rgb)) == rgb
    assert parse_colour(as_css(Colour(*rgb))) == Colour(*rgb)
    assert as_css(Colour(*rgb, 0.5)).startswith("rgba(")


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((51, 51, 51), (21.25, 0, 0)),
    ],
)
def test_cielab_is_what_tables_say(rgb: tuple[int, int, int], lab: tuple[float, float, float]) -> None:
    assert to_lab(rgb) == pytest.approx(lab, abs=0.02)


def test_contrast_is_wcags() -> None:
    """21 and 1 at the ends; #767676 on white is the lightest grey that passes 4.5."""
    black, white, grey = (0, 0, 0), (255, 255, 255), (0x76, 0x76, 0x76)
    assert contrast(black, white) == pytest.approx(21)
    assert contrast(white, black) == pytest.approx(21)
    assert contrast(grey, grey) == 1
    assert contrast(grey, white) == pytest.approx(4.54, abs=0.005)
    assert contrast((0x77, 0x77, 0x77), white) < 4.5


def test_what_shines_through_is_mixed() -> None:
    assert over(Colour(0, 0, 0, 0.5), (255, 255, 255)) == (128, 128, 128)
    assert over(Colour(1, 2, 3), (255, 255, 255)) == (1, 2, 3)
    assert over(Colour(1, 2, 3, 0), (9, 8, 7)) == (9, 8, 7)
