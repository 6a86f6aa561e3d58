"""DKIM: what we sign with saved states verifies with dkimpy and with opendkim, for any text and any reader."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigurationError
from newsletter.message.compile import compile_message
from newsletter.message.dkim import Signer, make_signer
from newsletter.message.headers import recipient_headers
from newsletter.message.outgoing import Addressed, Outgoing
from newsletter.models import MergeField
from newsletter.providers.mime import mime_of

DOMAIN = "lantern.example"
WHERE = "newsletter.toml: provider.smtp.dkim"


def pem(key: object) -> str:
    return key.private_bytes(  # type: ignore[attr-defined]  # every key class has it
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
    ).decode()


RSA_PEM = pem(rsa.generate_private_key(65537, 2048))
SIGNERS = {
    "rsa": make_signer(DOMAIN, "news", RSA_PEM, where=WHERE),
    "ed25519": make_signer(DOMAIN, "news-ed", pem(ed25519.Ed25519PrivateKey.generate()), where=WHERE),
}


def outgoing(
    html: str = "<p>Dear nlf0001q,</p>", text: str = "Dear nlf0002q,\n", subject: str = "Tides", **more: object
) -> Outgoing:
    values: dict[str, object] = {
        "mailing": "9" * 32,
        "issue": "2026-03-06",
        "digest": "sha256:" + "ab" * 32,
        "date": datetime.datetime(2026, 3, 6, 7, 0, tzinfo=datetime.UTC),
        "sender_name": "The Lantern Weekly",
        "sender_email": f"weekly@{DOMAIN}",
        "subject": subject,
        "html": html,
        "text": text,
        "lang": "en",
        "list_id": f"The Lantern Weekly <the-lantern-weekly.{DOMAIN}>",
        "feedback_id": "2026-03-06:99999999:lantern:lantern",
        "fields": (
            MergeField("nlf0001q", "first_name", "reader", "html"),
            MergeField("nlf0002q", "first_name", "reader", "text"),
            MergeField("nlf0003q", "first_name", "Reader", "subject"),
        ),
    }
    return Outgoing(**{**values, **more})  # type: ignore[arg-type]  # a table of the constructor's own arguments


def addressed(name: str = "Ada", address: str = "ada@post.example") -> Addressed:
    return Addressed("1" * 32, address, {"first_name": name}, recipient_headers(f"https://{DOMAIN}/u/v1.x"))


def published(*signers: Signer) -> dict[bytes, bytes]:
    return {f"{name}.".encode(): text.encode() for name, text in (signer.record() for signer in signers)}


def verified(message: bytes, *signers: Signer) -> list[bool]:
    """What dkimpy says of each signature, the first header first."""
    records = published(*signers)
    answers = []
    for number in range(len(signers)):
        try:
            answers.append(dkim.DKIM(message).verify(idx=number, dnsfunc=lambda name, timeout=5: records.get(name)))
        except dkim.ValidationError:  # the body's hash is another one
            answers.append(False)
    return answers


@pytest.mark.parametrize("kind", SIGNERS)
def test_a_signed_mail_verifies(kind: str) -> None:
    """RSA-2048 and Ed25519, by dkimpy."""
    signer = SIGNERS[kind]
    assert verified(compile_message(outgoing(), [signer]).splice(addressed()), signer) == [True]


def test_two_signatures_each_verify() -> None:
    """Verifiers that do not know Ed25519 yet find the RSA signature beside it."""
    both = list(SIGNERS.values())
    message = compile_message(outgoing(), both).splice(addressed())
    assert message.count(b"DKIM-Signature:") == 2
    assert verified(message, *both) == [True, True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\r\nAda=", b"\r\nEve="),
        (b"Subject: Tides", b"Subject: Tithes"),
        (b"One-Click", b"One-Clock"),
        (b"/u/v1.x", b"/u/v1.y"),
        (b"To: ada@", b"To: eve@"),
        (b"From: The", b"From: A bank <a@bank.example>\r\nFrom: The"),
        (b"To: ada@", b"To: eve@post.example\r\nTo: ada@"),
        (b"List-Id: ", b"Reply-To: thief@bank.example\r\nList-Id: "),
    ],
)
def test_what_is_changed_or_added_on_the_way_breaks_the_signature(old: bytes, new: bytes) -> None:
    """Body, subject, one-click and recipient are covered; a second From, To or a Reply-To cannot be slipped in."""
    signer = SIGNERS["rsa"]
    message = compile_message(outgoing(), [signer]).splice(addressed())
    assert old in message
    assert verified(message.replace(old, new, 1), signer) == [False]


words = st.text(st.characters(blacklist_categories=["Cs"]), max_size=300)
odd = st.lists(
    st.one_of(words, st.sampled_from(["  ", "\t\t", " \n", "\n\n\n", ".", "=", "x" * 80, " " * 90, "From ", "é"])),
    max_size=12,
).map("".join)


@given(odd, odd, odd, words)
@example("a  b \t c ", "\n\n", "two  blanks ", "x  y")
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_and_any_value_verifies(html: str, text: str, value: str, subject: str) -> None:
    """Runs of blanks, tabs, empty lines at the end, a subject with a value: the wire form is its own relaxed form."""
    signer = SIGNERS["ed25519"]  # the quick one; the hash of the body is the same
    mail = outgoing(html + "nlf0001q" + html, text + "nlf0002q" + text, subject.strip() + " nlf0003q")
    assert verified(compile_message(mail, [signer]).splice(addressed(value)), signer) == [True]


def test_a_mail_with_pictures_verifies() -> None:
    from newsletter.message.outgoing import Part

    part = Part("a.png@newsletter", "image/png", "a.png", bytes(range(256)) * 40)
    signer = SIGNERS["rsa"]
    message = compile_message(outgoing(parts=(part,)), [signer]).splice(addressed())
    assert verified(message, signer) == [True]


def test_the_same_reader_gets_the_same_signature_again() -> None:
    """A retry is byte-identical: the signature's time is the mail's frozen Date."""
    compiled = compile_message(outgoing(), list(SIGNERS.values()))
    assert compiled.splice(addressed()) == compiled.splice(addressed())
    assert b"; t=1772780400;" in compiled.splice(addressed())


def test_an_address_beyond_ascii_is_signed_as_it_stands() -> None:
    """RFC 6532's UTF-8 in To is what the signature covers."""
    signer = SIGNERS["rsa"]
    message = mime_of(compile_message(outgoing(), [signer]), addressed(address="zoë@exämple.example"))
    assert "\r\nTo: zoë@xn--exmple-cua.example\r\n".encode() in message
    assert verified(message, signer) == [True]


def test_lines_of_the_signature_are_short() -> None:
    message = compile_message(outgoing(), list(SIGNERS.values())).splice(addressed())
    head = message[: message.index(b"\r\nFrom")]
    assert max(map(len, head.split(b"\r\n"))) <= 78


@pytest.mark.opendkim
@pytest.mark.parametrize("kinds", [["rsa"], ["rsa", "ed25519"]], ids="+".join)
def test_opendkim_verifies_it(tmp_path: Path, kinds: list[str]) -> None:
    """The C implementation that many mail servers run, offline, with the keys in a file."""
    signers = [SIGNERS[kind] for kind in kinds]
    keys = tmp_path / "keys"
    keys.write_text("".join(f"{name} {text}\n" for name, text in (signer.record() for signer in signers)))
    conf = tmp_path / "opendkim.conf"
    conf.write_text(f"Mode v\nTestPublicKeys {keys}\nUserID {Path(keys).owner()}\n")
    mail = tmp_path / "mail.eml"
    mail.write_bytes(compile_message(outgoing(), signers).splice(addressed("Zoë  Æ\tx")))
    done = subprocess.run(["opendkim", "-x", str(conf), "-t", str(mail)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verification (s=news, d=lantern.example, 2048-bit key) succeeded" in (done.stdout + done.stderr)
    mail.write_bytes(mail.read_bytes().replace(b"Tides", b"Tithe"))
    done = subprocess.run(["opendkim", "-x", str(conf), "-t", str(mail)], capture_output=True, text=True, timeout=60)
    assert "succeeded" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("selector", "key", "says"),
    [
        ("new s", RSA_PEM, "not a DNS label"),
        ("news", "-----BEGIN SECRET-----", "not a private key in PEM"),
        ("news", pem(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
        ("news", RSA_PEM[:400], "not a private key in PEM"),
    ],
)
def test_a_key_of_no_use_is_refused_without_being_quoted(selector: str, key: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as raised:
        make_signer(DOMAIN, selector, key, where=WHERE)
    assert key not in str(raised.value)
    assert WHERE in str(raised.value)


def test_a_repr_shows_no_key() -> None:
    assert repr(SIGNERS["rsa"]) == "Signer(news._domainkey.lantern.example, rsa-sha256)"
