"""The finished email spliced for one reader: a standard parser gets back what the editor approved."""

from __future__ import annotations

import dataclasses
import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.errors import BadData
from newsletter.message.compile import compile_message
from newsletter.message.headers import recipient_headers
from newsletter.message.merge import fill
from newsletter.message.outgoing import Addressed, Outgoing, Part
from newsletter.models import MergeField

FIELDS = (
    MergeField("nlf0001q", "first_name", "reader", "html"),
    MergeField("nlf0002q", "first_name", "reader", "text"),
    MergeField("nlf0003q", "first_name", "reader", "subject"),
    MergeField("nlf0004q", "unsubscribe_url", "", "html"),
    MergeField("nlf0005q", "city", "", "text"),
)
PICTURE = Part("harbour@estuary.example", "image/jpeg", "harbour-1a2b.jpg", bytes(range(256)) * 3)
URL = "https://news.estuary.example/u/v1.unsubscribe." + "ab" * 16 + ".k1.ABCDEFGHIJKLMNOPQRSTUV"

MAIL = Outgoing(
    mailing="ab" * 16,
    issue="2026-02-25",
    digest="sha256:" + "0" * 64,
    date=datetime(2026, 2, 25, 7, 0, tzinfo=UTC),
    sender_name="The Estuary Weekly",
    sender_email="news@estuary.example",
    subject="The ferry is back",
    html='<!DOCTYPE html>\n<p>Dear nlf0001q,</p>\n<a href="nlf0004q">Unsubscribe</a>\n',
    text="Dear nlf0002q,\nnlf0005q\n.\nFrom the harbour\n",
    lang="en-GB",
    list_id="The Estuary Weekly <the-estuary-weekly.estuary.example>",
    reply_to="desk@estuary.example",
    feedback_id="2026-02-25:abababab:the-estuary-weekly:estuary",
    fields=FIELDS,
)
READER = Addressed("cd" * 16, "ada@example.org", {"first_name": "Ada", "unsubscribe_url": URL}, recipient_headers(URL))


def parse(raw: bytes) -> EmailMessage:
    for line in raw.split(b"\r\n"):
        assert len(line) <= 998
        assert b"\n" not in line
        assert b"\r" not in line
        assert not line.startswith(b".")
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not [part.defects for part in message.walk() if part.defects]
    return message


def content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return normal(part.get_content())


def normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_a_message_has_the_headers_of_the_design() -> None:
    """Once each, and in their final form."""
    message = parse(compile_message(MAIL).splice(READER))
    assert dict(message.items()) == {
        "From": "The Estuary Weekly <news@estuary.example>",
        "Reply-To": "desk@estuary.example",
        "Subject": "The ferry is back",
        "Date": "Wed, 25 Feb 2026 07:00:00 +0000",
        "MIME-Version": "1.0",
        "List-Id": "The Estuary Weekly <the-estuary-weekly.estuary.example>",
        "Feedback-ID": "2026-02-25:abababab:the-estuary-weekly:estuary",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Content-Language": "en-GB",
        "To": "ada@example.org",
        "Message-ID": f"<{'cd' * 16}.abababab@estuary.example>",
        "List-Unsubscribe": f"<{URL}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Content-Type": message["Content-Type"],
    }
    assert len(message.items()) == 14
    assert f"List-Unsubscribe: <{URL}>\r\n".encode() in compile_message(MAIL).splice(READER)


def test_without_pictures_it_is_text_and_html() -> None:
    """The text part comes first: a client shows the last form that it can."""
    message = parse(compile_message(MAIL).splice(READER))
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert content(message, "html") == fill(MAIL.html, FIELDS, READER.values)
    assert content(message, "plain") == "Dear Ada,\n\n.\nFrom the harbour\n"


def test_pictures_travel_beside_the_html() -> None:
    """The bytes are equal, and the HTML's cid: finds them."""
    mail = dataclasses.replace(
        MAIL, parts=(PICTURE, dataclasses.replace(PICTURE, content_id="b", name="b.png", data=b""))
    )
    message = parse(compile_message(mail).splice(READER))
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/jpeg",
        "image/jpeg",
    ]
    pictures = [part for part in message.walk() if part.get_content_maintype() == "image"]
    assert pictures[0].get_content() == PICTURE.data
    assert pictures[0]["Content-ID"] == "<harbour@estuary.example>"
    assert pictures[0].get_filename() == "harbour-1a2b.jpg"
    assert pictures[0].get_content_disposition() == "inline"
    assert pictures[1].get_content() == b""
    assert content(message, "html") == fill(MAIL.html, FIELDS, READER.values)


def test_the_same_approval_and_reader_give_the_same_bytes() -> None:
    """Retries are byte-identical; another mailing has other boundaries."""
    assert compile_message(MAIL).splice(READER) == compile_message(MAIL).splice(READER)
    other = compile_message(dataclasses.replace(MAIL, mailing="ef" * 16))
    assert parse(other.splice(READER)).get_boundary() != parse(compile_message(MAIL).splice(READER)).get_boundary()


def test_the_size_counts_what_is_the_same_for_everyone() -> None:
    """A provider's limit is judged by it before the first reader is looked at."""
    bare = Addressed("cd" * 16, "a@e.org", {"first_name": "A"})
    compiled = compile_message(MAIL)
    assert 0 < len(compiled.splice(bare)) - compiled.size < 300


def test_a_subject_with_a_field_is_written_for_each_reader() -> None:
    """ASCII as it is, anything else encoded, the default where there is no name."""
    compiled = compile_message(dataclasses.replace(MAIL, subject="nlf0003q, the ferry is back"))
    for name, subject in [("Ada", "Ada, the ferry is back"), ("", "reader, the ferry is back")]:
        raw = compiled.splice(dataclasses.replace(READER, values={"first_name": name}))
        assert f"Subject: {subject}\r\n".encode() in raw
    message = parse(compiled.splice(dataclasses.replace(READER, values={"first_name": "Zoë\r\nBcc: all@example.org"})))
    assert message["Subject"] == "Zoë  Bcc: all@example.org, the ferry is back"
    assert message["Bcc"] is None
    assert len(message.get_all("Subject")) == 1


def test_no_optional_header_is_written_empty() -> None:
    """A mail without Reply-To has no Reply-To."""
    mail = dataclasses.replace(MAIL, reply_to=None, feedback_id=None, lang="not a language", sender_name="")
    message = parse(compile_message(mail).splice(dataclasses.replace(READER, headers=())))
    assert message["From"] == "news@estuary.example"
    for name in ("Reply-To", "Feedback-ID", "Content-Language", "List-Unsubscribe"):
        assert name not in message


any_text = st.lists(
    st.one_of(
        st.text(st.characters(blacklist_categories=["Cs"])),
        st.sampled_from(
            ["nlf0001q", "nlf0002q", "nlf0004q", "nlf0005q", ".", "\n.", "\nFrom ", "--=_a_", "=", " \n", "\r"]
        ),
    ),
    max_size=12,
).map("".join)


def only(text: str, *tokens: str) -> str:
    for field in FIELDS:
        if field.token not in tokens:
            text = text.replace(field.token, "")
    return text


@given(
    any_text,
    any_text,
    st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120),
    st.text(),
    st.text(max_size=3000),
    st.binary(max_size=300),
)
@settings(max_examples=300, deadline=None)
@example("nlf0001q", "nlf0002q", "nlf0003q", "", "", b"")
@example("x" * 80 + "nlf0001qnlf0001q\n", "nlf0005q\nnlf0002q", "", ".", "From ", b"\r\n.\r\n")
def test_a_parser_gets_back_what_went_in(
    html: str, text: str, subject: str, name: str, city: str, picture: bytes
) -> None:
    """Any text, any values: subject, both parts, picture and addresses are those of plain substitution."""
    html, text = only(html, "nlf0001q", "nlf0004q"), only(text, "nlf0002q", "nlf0005q")
    subject = only(subject, "nlf0003q") + " nlf0003q"
    part = dataclasses.replace(PICTURE, data=picture)
    values = {"first_name": name, "city": city, "unsubscribe_url": URL}
    mail = dataclasses.replace(MAIL, html=html, text=text, subject=subject, parts=(part,))
    message = parse(compile_message(mail).splice(dataclasses.replace(READER, values=values)))
    # Newlines are normalised around each slot, so a CR before and a LF after an empty value stay two.
    assert content(message, "html") == fill(normal(html), FIELDS, values)
    assert content(message, "plain") == fill(normal(text), FIELDS, values)
    assert message["Subject"] == fill(subject, FIELDS, values).strip()
    assert message["To"].addresses[0].addr_spec == "ada@example.org"
    assert message["From"].addresses[0].display_name == "The Estuary Weekly"
    (image,) = [p for p in message.walk() if p.get_content_maintype() == "image"]
    assert image.get_content() == picture


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"html": "nlf0009q"}, "the html part holds the token nlf0009q, and no merge field"),
        ({"html": "nlf0002q"}, "escaped for text"),
        ({"text": "nlf0001q"}, "escaped for html"),
        ({"subject": "nlf0001q"}, "escaped for html"),
        ({"html": "half \ud800"}, "half a character"),
        ({"date": datetime(2026, 2, 25)}, "no time zone"),
        ({"sender_email": "nobody"}, "not a mail address"),
        ({"reply_to": "a@b\r\nBcc: c@d.e"}, "not a mail address"),
        ({"list_id": "x <y>\r\nBcc: a@b.c"}, "List-Id"),
        ({"feedback_id": "ü"}, "Feedback-ID"),
        ({"parts": (dataclasses.replace(PICTURE, name="a\r\nb.jpg"),)}, "picture"),
        ({"parts": (dataclasses.replace(PICTURE, content_id="a b"),)}, "picture"),
        ({"parts": (dataclasses.replace(PICTURE, content_type="text"),)}, "picture"),
    ],
)
def test_what_cannot_be_mailed_is_refused_before_the_first_reader(change: dict[str, object], what: str) -> None:
    """An unknown token, a token in the wrong place, and anything that could break a header."""
    with pytest.raises(BadData, match=what) as refused:
        compile_message(dataclasses.replace(MAIL, **change))  # type: ignore[arg-type]  # parametrised by field name
    assert refused.value.fix


@pytest.mark.parametrize("name", ["To", "bcc", "Subject", "Content-Type", "Message-ID", "DKIM-Signature"])
def test_a_reader_cannot_bring_a_header_that_the_message_has(name: str) -> None:
    """Two From headers would let a mail server and a client see different senders."""
    with pytest.raises(BadData, match="of their own"):
        compile_message(MAIL).splice(dataclasses.replace(READER, headers=((name, "x"),)))


@pytest.mark.parametrize("address", ["", "jürgen@example.org", "a@e.org\r\nBcc: b@e.org", "a@e.org, b@e.org"])
def test_an_address_that_cannot_be_written_is_refused(address: str) -> None:
    """One recipient is one address."""
    with pytest.raises(BadData):
        compile_message(MAIL).splice(dataclasses.replace(READER, address=address))


def test_a_domain_beyond_ascii_travels_in_idna() -> None:
    """The address is mailed as servers know it."""
    raw = compile_message(MAIL).splice(dataclasses.replace(READER, address="ada@bücher.example"))
    assert b"\r\nTo: ada@xn--bcher-kva.example\r\n" in raw


def test_the_compiled_message_shows_no_reader_and_no_bytes_in_its_repr() -> None:
    """Logs stay readable."""
    assert len(repr(compile_message(MAIL))) < 200
