"""Media queries on a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.clients.media import Screen, holds

PHONE, DESK, NIGHT = Screen(360), Screen(600), Screen(600, "dark")


@pytest.mark.parametrize(
    ("query", "phone", "desk"),
    [
        ("", True, True),
        ("all", True, True),
        ("screen", True, True),
        ("print", False, False),
        ("not print", True, True),
        ("only screen and (max-width: 599px)", True, False),
        ("(max-width:480px)", True, False),
        ("(MAX-WIDTH: 30em)", True, False),
        ("screen and (min-width: 601px), (max-device-width: 400px)", True, False),
        ("not all and (max-width: 480px)", False, True),
        ("not (max-width: 480px)", False, True),
        ("(width <= 480px)", True, False),
        ("(480px < width)", False, True),
        ("(320px <= width < 400px)", True, False),
        ("(width = 360px)", True, False),
        ("(max-width: 480px) or (min-width: 9999px)", True, False),
        ("(min-width: 1px) and (not (min-width: 500px))", True, False),
        ("((max-width: 480px))", True, False),
        ("screen and (max-width: 480px) and (orientation: portrait)", True, False),
        ("(hover)", True, True),
        ("(min-resolution: 2dppx)", False, False),
        ("(max-resolution: 192dpi)", True, True),
        ("(-webkit-min-device-pixel-ratio: 0)", True, True),
        ("(prefers-reduced-motion)", False, False),
        ("(prefers-reduced-motion: no-preference)", True, True),
        ("speech, (width: 360px)", True, False),
    ],
)
def test_a_query_holds_where_a_browser_says_so(query: str, phone: bool, desk: bool) -> None:
    assert (holds(query, PHONE), holds(query, DESK)) == (phone, desk)


def test_dark_is_the_screens() -> None:
    assert holds("(prefers-color-scheme: dark)", NIGHT)
    assert not holds("(prefers-color-scheme: dark)", DESK)
    assert holds("(prefers-color-scheme: light) and (width: 600px)", DESK)
    assert not holds("not all and (prefers-color-scheme: dark)", NIGHT)


@pytest.mark.parametrize(
    "query",
    [
        "(",
        "()",
        "and",
        "screen (width: 1px)",
        "(max-width: 480)x",
        "(max-width: 480parsec)",
        "(min-shoe: 2px)",
        "(shoe: left)",
        "(min-width: 1px) and (min-width: 1px) or (min-width: 1px)",
        "not (shoe: left)",
        "(1px < )",
        "(1px ! width)",
        "screen or (width: 360px)",
        "(width: 360px) and screen",
    ],
)
def test_what_is_not_understood_does_not_hold(query: str) -> None:
    """Nor does its opposite, nor does it spoil a query beside it."""
    assert not holds(query, PHONE)
    assert holds(f"{query}, all", PHONE) or ("(" in query and ")" not in query)


@given(st.text(alphabet="()<>=:, andotrscewih-0123456789px", max_size=40))
def test_no_query_is_too_odd_to_be_asked(query: str) -> None:
    holds(query, PHONE)
