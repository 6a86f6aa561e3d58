"""Which addresses are ones, how they are mailed, and when two are the same reader."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.addresses import address_hash, normalise
from newsletter.errors import BadData


@pytest.mark.parametrize(
    ("given_as", "mailed", "key"),
    [
        ("ada@example.org", "ada@example.org", "ada@example.org"),
        ("  Ada.L+news@EXAMPLE.org\n", "Ada.L+news@example.org", "ada.l+news@example.org"),
        ("mailto:Ada@example.org", "Ada@example.org", "ada@example.org"),
        ("\ufeffada@example.org\u200b", "ada@example.org", "ada@example.org"),
        ("a@b.co", "a@b.co", "a@b.co"),
        ("o'hara&sons@press.example.com", "o'hara&sons@press.example.com", "o'hara&sons@press.example.com"),
        ("ada@killtest.test", "ada@killtest.test", "ada@killtest.test"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("Jörg@example.org", "Jörg@example.org", "jörg@example.org"),
        ("JO\u0308RG@example.org", "JÖRG@example.org", "jörg@example.org"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v", "用户@xn--fsqu00a.xn--4rr70v"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_an_address_is_mailed_as_written_with_an_idna_domain_and_keyed_without_case(
    given_as: str, mailed: str, key: str
) -> None:
    """The plain way and the way through email-validator agree on the form."""
    assert normalise(given_as) == (mailed, key)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("", "no address"),
        ("   ", "no address"),
        ("ada", "no @"),
        ("Ada Lovelace <ada@example.org>", "brackets"),
        ("ada@example.org, bob@example.org", "more than one @"),
        ("ada lovelace@example.org", "SPACE"),
        ("ada@localhost", "period"),
        ("ada..b@example.org", "two periods"),
        (".ada@example.org", "period"),
        ("ada@-example.org", "hyphen"),
        ("ada@example.123", "top-level"),
        ("ada@[127.0.0.1]", "IP address"),
        ('"ada b"@example.org', "Quoting"),
        ("@example.org", "before the @"),
        ("ada@", "after the @"),
        ("a" * 65 + "@example.org", "64 bytes"),
        ("é" * 33 + "@example.org", "64 bytes"),
        ("a@" + "b" * 260 + ".org", "254"),
        ("a@" + "b" * 64 + ".org", "after the @"),
        ("a@" + "ü" * 50 + "." + "ü" * 50 + "." + "ä" * 50 + "." + "ä" * 50 + ".example", "too long"),
        ("ada\udcff@example.org", "unsafe"),
        ("ada\r\nBcc: x@example.org", "@"),
        ("ada\x00@example.org", "U+0000"),
        ("ada@xn--zzzzzz-.example", "hyphen"),
    ],
)
def test_what_is_no_address_is_refused_with_a_short_reason_and_a_fix(wrong: str, reason: str) -> None:
    """The reason goes into the file of rejected lines, so it is one sentence."""
    with pytest.raises(BadData) as caught:
        normalise(wrong)
    assert reason.lower() in caught.value.what.lower()
    assert "\n" not in caught.value.what
    assert len(caught.value.what) < 200
    assert caught.value.fix


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_bad_data(text: str) -> None:
    """No other exception, whatever stands in a cell; an accepted address is stable and has no control characters."""
    try:
        mailed, key = normalise(text)
    except BadData:
        return
    assert normalise(mailed) == (mailed, key)
    assert mailed.isprintable()


@given(st.emails(domains=st.sampled_from(["example.org", "news.example.com", "bücher.example"])))
def test_an_accepted_address_is_stable_under_normalising(address: str) -> None:
    """Exporting and importing again meets the same reader, and upper case is no second one."""
    try:
        mailed, key = normalise(address)
    except BadData:
        return
    assert normalise(mailed) == (mailed, key)
    assert normalise(key)[1] == key
    assert normalise(mailed.upper())[1] == key


@pytest.mark.parametrize("evil", ["a." * 120 + "@", "a@" + "a-" * 120, "a@" + "a." * 120, "!" * 250, "a@" * 120])
def test_no_address_takes_long_to_refuse(evil: str) -> None:
    """The pattern does not backtrack without end."""
    start = time.perf_counter()
    for _ in range(20):
        with pytest.raises(BadData):
            normalise(evil)
    assert time.perf_counter() - start < 2


def test_a_hash_depends_on_the_secret_and_names_nobody() -> None:
    """64 hex digits, the same for the same key, another with another secret."""
    one = address_hash("ada@example.org", b"secret")
    assert one == address_hash("ada@example.org", b"secret")
    assert len(one) == 64
    assert one != address_hash("ada@example.org", b"other")
    assert "ada" not in one
