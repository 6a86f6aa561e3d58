"""Header values: addresses, lists, folding; nothing in a value can start another header."""

from __future__ import annotations

import email
import email.header
import email.policy
import email.utils
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.errors import BadData
from newsletter.message.headers import (
    ascii_domain,
    encoded_words,
    feedback_id,
    folded,
    format_address,
    list_id,
    message_id,
    recipient_headers,
    text_header,
    verp,
)
from newsletter.message.outgoing import Addressed, Outgoing

words = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)


def parsed(raw: bytes, name: str) -> str:
    return str(email.message_from_bytes(raw + b"\r\n", policy=email.policy.default)[name])


def lines_of(raw: bytes) -> list[bytes]:
    assert raw.endswith(b"\r\n")
    return raw[:-2].split(b"\r\n")


@pytest.mark.parametrize(
    ("name", "address", "written"),
    [
        ("", "ada@example.org", "ada@example.org"),
        ("Ada Lovelace", "ada@example.org", "Ada Lovelace <ada@example.org>"),
        ("Lovelace, Ada", "ada@example.org", '"Lovelace, Ada" <ada@example.org>'),
        ('Ada "A" \\ L.', "ada@example.org", '"Ada \\"A\\" \\\\ L." <ada@example.org>'),
        ("Zoë", "zoe@example.org", "=?utf-8?b?Wm/Dqw==?= <zoe@example.org>"),
        ("News", "post@bücher.example", "News <post@xn--bcher-kva.example>"),
        ("News", '"odd local"@example.org', 'News <"odd local"@example.org>'),
        ("A\r\nBcc: x@y.z", "ada@example.org", '"A Bcc: x@y.z" <ada@example.org>'),
    ],
)
def test_an_address_is_written_as_mail_servers_read_it(name: str, address: str, written: str) -> None:
    """Names are quoted or encoded only where they must be; domains travel in IDNA."""
    assert format_address(name, address) == written


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "ada@",
        "ada@localhost\n",
        "ada@example-.org",
        "ada@exa_mple.org",
        "@example.org",
        "a b@example.org",
        "a@b@c",
        "ada@exa mple.org",
        "ada@example.org\r\nBcc: x@y.z",
        "ada@example.org\n",
        "jürgen@example.org",
        "ada@-.-",
        ".ada@example.org",
        "a,b@example.org",
        "<a>@example.org",
    ],
)
def test_an_address_that_no_header_can_carry_is_refused(address: str) -> None:
    """Line breaks, lists of addresses and local parts beyond ASCII never reach the wire."""
    with pytest.raises(BadData) as refused:
        format_address("Ada", address)
    assert refused.value.fix


@given(words)
@example("=?utf-8?q?trick?=")
@example("a" * 300)
@example("two  blanks")
def test_a_display_name_reads_back(name: str) -> None:
    """Whatever the name, the parsed header has it and exactly one address."""
    raw = folded("From", format_address(name, "ada@example.org"))
    shown, address = email.utils.parseaddr(raw.decode().replace("\r\n", "").removeprefix("From: "))
    assert address == "ada@example.org"
    decoded = str(email.header.make_header(email.header.decode_header(shown)))
    assert " ".join(decoded.split()) == " ".join(name.split())
    (seen,) = email.message_from_bytes(raw + b"\r\n", policy=email.policy.default)["From"].addresses
    assert seen.addr_spec == "ada@example.org"
    assert max(map(len, lines_of(raw))) <= 76 + len(" <ada@example.org>")


@given(words)
@example("An ordinary subject")
@example("ein Häuschen " * 20)
@example("=?utf-8?q?not_encoded?=")
@example("long" * 60 + " and short")
@example("many " * 60)
@example("李" * 60)
def test_a_subject_reads_back_equal_in_lines_of_76(text: str) -> None:
    """ASCII stays readable, the rest is encoded without splitting a character, and the parser gets it back."""
    raw = text_header("Subject", text)
    assert max(map(len, lines_of(raw))) <= 76
    assert all(line.strip() for line in lines_of(raw))
    assert parsed(raw, "Subject") == text.strip()
    if text.isascii() and "=?" not in text and max(map(len, text.split(" "))) < 60:
        assert b"=?" not in raw


@given(words.filter(bool), st.integers(30, 75))
def test_encoded_words_each_decode_on_their_own(text: str, first: int) -> None:
    """RFC 2047, 5: a character is never split between two words."""
    encoded = encoded_words(text, first=first)
    assert len(encoded[0]) <= first
    assert all(len(word) <= 75 for word in encoded)
    assert "".join(str(email.header.make_header(email.header.decode_header(w))) for w in encoded) == text


def test_control_characters_in_a_subject_become_blanks() -> None:
    """A subject is one line, whatever was pasted."""
    assert text_header("Subject", "a\r\nBcc: x\x00y") == b"Subject: a Bcc: x y\r\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nBcc: x"),
        ("X-A", "a\nb"),
        ("X-A", "a\x00"),
        ("X-A", "é"),
        ("X A", "b"),
        ("X:A", "b"),
        ("", "b"),
        ("X-A\r\nBcc", "b"),
        ("X-A", "b\r\n"),
        ("X-A", "a" * 1000),
        ("X-A", "short and " + "a" * 1000),
    ],
)
def test_a_raw_header_that_could_break_out_is_refused(name: str, value: str) -> None:
    """Raw headers are printable ASCII in lines of at most 998; anything else is an error, not an injection."""
    with pytest.raises(BadData, match="header"):
        folded(name, value)


def test_a_long_url_is_never_folded_or_encoded() -> None:
    """One-click works only when the URL arrives whole; the fold comes between two of them."""
    url = "https://news.example.org/u/" + "a" * 300
    (name, value), post = recipient_headers(url, mailto="leave@example.org")
    raw = folded(name, value)
    assert raw == f"List-Unsubscribe: <{url}>,\r\n <mailto:leave@example.org?subject=unsubscribe>\r\n".encode() or (
        raw == f"List-Unsubscribe:\r\n <{url}>,\r\n <mailto:leave@example.org?subject=unsubscribe>\r\n".encode()
    )
    assert post == ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


@pytest.mark.parametrize(
    ("url", "mailto", "headers"),
    [
        (None, None, ()),
        ("http://localhost/u/x", None, (("List-Unsubscribe", "<http://localhost/u/x>"),)),
        (None, "l@e.org", (("List-Unsubscribe", "<mailto:l@e.org?subject=unsubscribe>"),)),
        (
            "https://e.org/u/x",
            None,
            (("List-Unsubscribe", "<https://e.org/u/x>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")),
        ),
    ],
)
def test_one_click_is_promised_for_https_only(
    url: str | None, mailto: str | None, headers: tuple[tuple[str, str], ...]
) -> None:
    """RFC 8058, 3.1: the POST goes to an https URI."""
    assert recipient_headers(url, mailto) == headers


@pytest.mark.parametrize("url", ["https://e.org/>,<x", "https://e.org/a b", "https://e.org/\r\nX: y", "https://é.org/"])
def test_an_unsubscribe_url_that_breaks_the_header_is_refused(url: str) -> None:
    """Better no mail than a mail without a way out."""
    with pytest.raises(BadData, match="List-Unsubscribe"):
        recipient_headers(url)


@pytest.mark.parametrize(
    ("name", "where", "written"),
    [
        ("The Estuary Weekly", "estuary.example", "The Estuary Weekly <the-estuary-weekly.estuary.example>"),
        ("The Estuary Weekly", "news@estuary.example", "The Estuary Weekly <the-estuary-weekly.estuary.example>"),
        ("Über Fluß", "https://estuary.example/x", "=?utf-8?b?w5xiZXIgRmx1w58=?= <uber-flu.estuary.example>"),
        ("A, B.", "bücher.example", '"A, B." <a-b.xn--bcher-kva.example>'),
        ("", "estuary.example", "<list-e3b0c442.estuary.example>"),
    ],
)
def test_a_list_has_one_lasting_name(name: str, where: str, written: str) -> None:
    """RFC 2919: readers filter by it, so it comes from the name and the domain alone."""
    assert list_id(name, where) == written


def test_a_list_in_another_script_gets_a_stable_label() -> None:
    """There is no Latin spelling to take, and an empty label would be no name."""
    assert list_id("ہفت روزہ", "e.org").endswith("<list-26660e48.e.org>")


@pytest.mark.parametrize("where", ["", "https://", "not a domain", "e..org"])
def test_a_list_needs_a_domain(where: str) -> None:
    """A List-Id without a domain could belong to anyone."""
    with pytest.raises(BadData, match="domain"):
        list_id("Weekly", where)


def outgoing(sender: str = "news@bücher.example") -> Outgoing:
    return Outgoing(
        "ab" * 16, "i", "sha256:0", datetime(2026, 2, 25, tzinfo=UTC), "N", sender, "s", "h", "t", "en", "<l.e.org>"
    )


def test_a_message_id_is_the_same_in_every_retry() -> None:
    """It names the delivery and the mailing and nothing else, so a duplicate can be recognised."""
    reader = Addressed("cd" * 16, "ada@example.org", {})
    assert message_id(outgoing(), reader) == f"<{'cd' * 16}.abababab@xn--bcher-kva.example>"
    assert message_id(outgoing(), reader) == message_id(
        outgoing(), Addressed("cd" * 16, "other@example.org", {"a": "b"})
    )


def test_the_envelope_sender_names_the_delivery() -> None:
    """A bounce comes back to an address that says whose it is."""
    assert verp("cd" * 16, "bounces.example.org") == f"bounce+{'cd' * 16}@bounces.example.org"
    assert len(verp("cd" * 16, "x.org").partition("@")[0]) <= 64
    with pytest.raises(BadData):
        verp("a b", "example.org")


def test_a_feedback_id_is_four_plain_words() -> None:
    """Gmail reads it by its colons; ours hold none."""
    assert (
        feedback_id("2026-02-25", "ab" * 16, "The Estuary: Weekly", "ÉÉ")
        == "2026-02-25:abababab:the-estuary-weekly:none"
    )


def test_a_domain_is_lower_case_idna() -> None:
    """Sharp s is a letter of its own since IDNA 2008."""
    assert ascii_domain("FAß.Example.") == "xn--fa-hia.example"
