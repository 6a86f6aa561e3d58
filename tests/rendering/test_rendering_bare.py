"""Addresses that an author wrote as they are."""

from __future__ import annotations

import time

import pytest

from newsletter.rendering.bodies import body_of
from newsletter.rendering.links import LinkParameters
from newsletter.rendering.plaintext import plain_text


def links_in(markdown: str) -> list[tuple[str | None, str]]:
    body = body_of(markdown)
    assert body is not None
    return [(link.get("href"), link.text_content()) for link in body.tree.iter("a")]


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("See https://a.example/x.", ["https://a.example/x"]),
        ("(https://b.example/y_(z)) and (see https://a.example)", ["https://b.example/y_(z)", "https://a.example"]),
        (
            "https://a.example/?q=1&r=2#top, HTTP://B.example:8080/x",
            ["https://a.example/?q=1&r=2#top", "HTTP://B.example:8080/x"],
        ),
        ("“https://a.example/x”, he said; «https://b.example»", ["https://a.example/x", "https://b.example"]),
        ("**https://a.example/x** and *b https://b.example/y* end", ["https://a.example/x", "https://b.example/y"]),
        ("- https://a.example/\n- b\n\n> https://b.example/", ["https://a.example/", "https://b.example/"]),
        ("https://münchen.example/straße", ["https://münchen.example/straße"]),
    ],
)
def test_an_address_becomes_a_link_to_itself(markdown: str, wanted: list[str]) -> None:
    """Without the signs of the sentence around it."""
    assert links_in(markdown) == [(address, address) for address in wanted]


@pytest.mark.parametrize(
    "markdown",
    [
        "`https://a.example`",
        "    https://a.example",
        "http://localhost/x",
        "https://",
        "x@https://a.example",
        "https://a.example/?c=nlf0001q",
    ],
)
def test_what_is_no_address_for_readers_stays_words(markdown: str) -> None:
    """Code, a host without a dot, and an address that a merge field stands in."""
    assert links_in(markdown) == []


def test_a_link_stays_one_and_the_words_keep_their_order() -> None:
    """Nothing is linked twice, and nothing gets lost between two of them."""
    body = body_of("a https://a.example b [https://b.example](https://b.example/x) c https://c.example d")
    assert body is not None
    assert body.tree.text_content().strip() == "a https://a.example b https://b.example c https://c.example d"
    assert [link.get("href") for link in body.tree.iter("a")] == [
        "https://a.example",
        "https://b.example/x",
        "https://c.example",
    ]


def test_the_text_part_says_it_once_and_statistics_leave_it_alone() -> None:
    """What is read is what is opened: no parameters are added to an address in sight."""
    body = body_of("See https://a.example/x.", parameters=LinkParameters("utm_source=mail", frozenset({"a.example"})))
    assert body is not None and plain_text(body.tree) == "See https://a.example/x."


@pytest.mark.parametrize(
    "text", ["https://a.example/" + ")" * 200_000, "https://" + "a." * 100_000, "https://a.bc/( " * 15_000]
)
def test_hostile_addresses_take_linear_time(text: str) -> None:
    start = time.perf_counter()
    body_of(text)
    assert time.perf_counter() - start < 5
