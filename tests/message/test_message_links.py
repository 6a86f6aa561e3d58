"""Public addresses and the tokens in them: bound to a purpose, verifiable after rotation, useless when altered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import BadData, ConfigurationError
from newsletter.message.links import PURPOSES, Purpose, make_token, media, public_links, read_token, web_copy

READER = "0123456789abcdef" * 2


@dataclass(frozen=True)
class Ring:
    current: str = "k1"
    secrets: Mapping[str, bytes] = field(default_factory=lambda: {"k1": b"a secret of the publication"})


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_token_reads_back_for_its_purpose_only(purpose: Purpose) -> None:
    """A preferences link cannot unsubscribe, and the other way round."""
    token = make_token(purpose, READER, Ring())
    assert token.startswith(f"v1.{purpose}.{READER}.k1.")
    assert read_token(token, purpose, Ring()) == READER
    for other in set(PURPOSES) - {purpose}:
        with pytest.raises(BadData):
            read_token(token, other, Ring())


def test_an_old_key_still_verifies_and_a_removed_one_does_not() -> None:
    """Rotation keeps the links in mails already sent; taking a key out ends them."""
    old = make_token("unsubscribe", READER, Ring())
    rotated = Ring("k2", {"k1": b"a secret of the publication", "k2": b"another"})
    assert read_token(old, "unsubscribe", rotated) == READER
    assert ".k2." in make_token("unsubscribe", READER, rotated)
    with pytest.raises(BadData):
        read_token(old, "unsubscribe", Ring("k2", {"k2": b"another"}))


def test_another_publications_secret_does_not_verify() -> None:
    """Key ids repeat between installations; secrets do not."""
    token = make_token("unsubscribe", READER, Ring())
    with pytest.raises(BadData):
        read_token(token, "unsubscribe", Ring(secrets={"k1": b"somebody else's"}))


@pytest.mark.parametrize("at", range(len(make_token("unsubscribe", READER, Ring()))))
def test_one_changed_letter_anywhere_is_refused(at: int) -> None:
    """Version, purpose, reader, key and mac are all covered."""
    token = make_token("unsubscribe", READER, Ring())
    changed = token[:at] + ("0" if token[at] != "0" else "1") + token[at + 1 :]
    with pytest.raises(BadData, match="not valid"):
        read_token(changed, "unsubscribe", Ring())


@given(st.one_of(st.text(), st.from_regex(r"\Av1\.unsubscribe\.[0-9a-f]{32}\.k1\.[A-Za-z0-9_-]{22}\n?\Z")))
def test_no_made_up_token_is_accepted(token: str) -> None:
    """Anything may be typed into an address line."""
    with pytest.raises(BadData):
        read_token(token, "unsubscribe", Ring())


def test_a_missing_signing_key_is_a_configuration_error() -> None:
    """Without its key an installation must not send links that nobody can follow."""
    with pytest.raises(ConfigurationError, match=r"keys\.json"):
        make_token("unsubscribe", READER, Ring("k9"))


def test_only_public_ids_are_signed() -> None:
    """An address never stands in a link."""
    with pytest.raises(BadData):
        make_token("unsubscribe", "ada@example.org", Ring())


def test_the_links_of_a_reader() -> None:
    """A trailing slash and a path in the site's address are kept as they should be."""
    links = public_links("https://news.example.org/paper/", Ring(), READER, "2026-02-25")
    assert set(links) == {"unsubscribe_url", "preferences_url", "web_url"}
    assert links["web_url"] == "https://news.example.org/paper/v/2026-02-25"
    head, token = links["unsubscribe_url"].rsplit("/", 1)
    assert head == "https://news.example.org/paper/u"
    assert read_token(token, "unsubscribe", Ring()) == READER
    assert read_token(links["preferences_url"].rsplit("/", 1)[1], "preferences", Ring()) == READER


def test_without_a_site_there_are_no_links() -> None:
    """A dead link would be worse than none."""
    assert public_links(None, Ring(), READER, "x") == {}


def test_names_in_paths_are_quoted() -> None:
    """A name cannot leave its folder."""
    assert web_copy("https://e.org", "a/../b") == "https://e.org/v/a%2F..%2Fb"
    assert media("https://e.org", "pic 1.jpg") == "https://e.org/m/pic%201.jpg"
