"""Pictures as the page shows them, and the sender as mailbox providers judge it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from newsletter.checks import examples as eg
from newsletter.checks.registry import all_checks
from newsletter.checks.run import proposals, run_checks
from newsletter.models import EmailImage, Finding, Severity
from newsletter.workspace.settings import Provider, SmtpSettings


def found(check_id: str, *changes: eg.Change) -> list[Finding]:
    return [finding for finding in run_checks(eg.both(*changes)(eg.example())) if finding.id == check_id]


def source(address: str) -> eg.Change:
    """A further picture at this address, outside of stories."""
    return eg.html("<h1>", f'<img width="40" alt="A crest" src="{address}"><h1>')


@pytest.mark.parametrize(
    ("address", "severity", "words"),
    [
        ("https://estuary.example/m/a.jpg", None, ""),
        ("cid:ferry", None, ""),
        ("cid:gone", Severity.ERROR, "does not travel"),
        ("images/a.jpg", Severity.ERROR, "has no host"),
        ("//estuary.example/a.jpg", Severity.ERROR, "has no host"),
        ("data:image/png;base64,AAAA", Severity.ERROR, "in the HTML itself"),
        ("file:///home/a.jpg", Severity.ERROR, "(file:)"),
        ("HTTP://estuary.example/a.jpg", Severity.WARNING, "over http"),
    ],
)
def test_where_a_picture_comes_from_decides_whether_it_is_drawn(
    address: str, severity: Severity | None, words: str
) -> None:
    """A mail has no address to be relative to."""
    told = found("picture-src-unusable", source(address))
    assert [f.severity for f in told] == ([severity] if severity else [])
    assert all(words in f.message for f in told)


def test_a_picture_without_an_address_is_told_by_its_alternative_text() -> None:
    """There is nothing else to know it by."""
    assert found("picture-src-missing", source(" "))[0].message == "A picture in the mail has no address (“A crest”)."
    assert found("picture-src-missing", eg.html('src="cid:ferry" ', ""))


def picture(width: int, size: int = 50_000, src: str = "cid:ferry") -> eg.Change:
    made = EmailImage("f.jpg", Path("f.jpg"), "image/jpeg", src, size, width, 400, "the-ferry-is-back")
    return eg.email(images=(made,))


@pytest.mark.parametrize(
    ("pixels", "size", "told"),
    [
        (1_199, 50_000, "picture-small"), (1_200, 50_000, None), (1_800, 50_000, None),
        (1_801, 50_000, "picture-oversized"), (1_801, 9_000, None), (600, 9_000, "picture-small"),
    ],
)  # fmt: skip
def test_a_file_has_two_to_three_pixels_for_one_on_the_page(pixels: int, size: int, told: str | None) -> None:
    """600 wide on the page; a file that weighs nothing may have more."""
    findings = run_checks(picture(pixels, size)(eg.example()))
    assert [f.id for f in findings if f.id in ("picture-small", "picture-oversized")] == ([told] if told else [])
    assert all((f.article, f.field) == ("the-ferry-is-back", "image.file") for f in findings if f.id == told)


@pytest.mark.parametrize(("pixels", "severity"), [(599, Severity.WARNING), (600, Severity.INFO)])
def test_a_picture_that_is_drawn_larger_than_it_is_is_a_warning(pixels: int, severity: Severity) -> None:
    """Soft on sharp screens is a note; on every screen it is a mistake."""
    (finding,) = [f for f in run_checks(picture(pixels, 50_000)(eg.example())) if f.id == "picture-small"]
    assert finding.severity == severity


def test_the_largest_place_counts_where_a_file_is_shown_twice() -> None:
    """A lead that is a thumbnail elsewhere is not oversized."""
    twice = eg.html("<h1>", '<img width="60" alt="A boat" src="cid:ferry"><h1>')
    assert not found("picture-oversized", twice)
    assert found("picture-oversized", eg.html('width="600"', 'width="60"'))
    assert not found("picture-oversized", picture(9_000, src="cid:other"))


def test_a_remote_picture_is_judged_by_its_ending() -> None:
    """Nothing else is known of it; a query is no ending."""
    told = found(
        "picture-format", eg.email(remote_images=("https://c.example/a.webp?x=.jpg", "https://c.example/b.jpg"))
    )
    assert [f.message.split(",")[0] for f in told] == ["The picture is WEBP"]


def test_few_words_around_pictures_are_no_mail() -> None:
    """Nineteen words are few; a letter without pictures may be short."""
    html = '<!DOCTYPE html><body><p>{}</p><img src="cid:ferry" width="600" alt="A boat"></body>'
    assert found("picture-only", eg.email(html=html.format("word " * 19), spans=()))
    assert not found("picture-only", eg.email(html=html.format("word " * 20), spans=()))
    assert not found("picture-only", eg.email(html="<body><p>Short.</p></body>", spans=()))


@pytest.mark.parametrize(
    ("alt", "caption", "fixed"),
    [
        (None, "The Gannet at dusk", True),
        ("The ferry is back!", "The Gannet at dusk", True),
        ("A white boat", "The Gannet at dusk", False),
        (None, None, False),
        (None, "The ferry is back", False),
        (None, "…", False),
    ],
)
def test_a_caption_stands_in_for_an_alternative_text(alt: str | None, caption: str | None, fixed: bool) -> None:
    """Where there is none, or only the headline again, and the caption says more than that."""
    told = proposals(eg.picture(alt=alt, caption=caption)(eg.example()))
    assert [(p.edit.field, p.edit.before, p.edit.after) for p in told] == (
        [("image.alt", alt, "The Gannet at dusk")] if fixed else []
    )


# -- the sender


def smtp(host: str, bounce_domain: str | None = None) -> eg.Change:
    settings = Provider(name="smtp", smtp=SmtpSettings(host=host, bounce_domain=bounce_domain))
    return eg.both(eg.config(provider=settings), eg.given(provider="smtp", provider_local=False))


@pytest.mark.parametrize(
    ("sender", "server", "severity"),
    [
        ("weekly@gmail.com", "smtp.relay.example", Severity.ERROR),
        ("weekly@gmail.com", "smtp.gmail.com", None),
        ("weekly@Yahoo.co.uk", "smtp.mail.yahoo.com", None),
        ("weekly@web.de", "smtp.gmail.com", Severity.ERROR),
        ("weekly@estuary.example", "smtp.gmail.com", None),
        ("weekly@gmail.com", None, Severity.WARNING),
    ],
)
def test_a_freemail_sender_is_fine_only_through_its_own_servers(
    sender: str, server: str | None, severity: Severity | None
) -> None:
    """DMARC asks who sent it; in the outbox nobody asks."""
    told = found("sender-freemail", eg.sender(email=sender), *([smtp(server)] if server else []))
    assert [f.severity for f in told] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("bounces", "told"),
    [(None, 0), ("estuary.example", 0), ("b.news.estuary.example", 0), ("estuary.other.example", 1), ("x.co.uk", 1)],
)
def test_bounces_go_to_the_senders_own_organisation(bounces: str | None, told: int) -> None:
    """Relaxed alignment: the registered domain is the same."""
    assert len(found("sender-unaligned", smtp("smtp.estuary.example", bounces))) == told
    other = eg.config(provider=Provider(name="sendgrid", smtp=SmtpSettings(host="h", bounce_domain="x.co.uk")))
    assert not found("sender-unaligned", other, eg.given(provider="sendgrid"))


@pytest.mark.parametrize(
    ("email", "reply_to", "told"),
    [
        ("no-reply@e.example", None, 1), ("noreply@e.example", None, 1), ("weekly-noreply@e.example", None, 1),
        ("DoNotReply@e.example", None, 1), ("no_reply+7@e.example", None, 1), ("noreply@e.example", "a@e.example", 0),
        ("a@e.example", "no-reply@e.example", 1), ("norepley@e.example", None, 0), ("casino-reply@e.example", None, 0),
        ("", None, 0),
    ],
)  # fmt: skip
def test_answers_go_to_somebody(email: str, reply_to: str | None, told: int) -> None:
    """By the words before the @."""
    assert len(found("reply-to-noreply", eg.sender(email=email, reply_to=reply_to))) == told


def test_pictures_inside_the_mail_are_for_few_readers() -> None:
    """As the guard rail of sending has it; hosted pictures and unknown numbers are fine; the outbox makes it a note."""
    many = eg.given(readers=51, provider_local=False)
    (finding,) = found("pictures-embedded", many)
    assert (finding.severity, "A picture travels" in finding.message) == (Severity.ERROR, True)
    assert found("pictures-embedded", eg.given(readers=51))[0].severity is Severity.INFO
    assert not found("pictures-embedded", eg.given(readers=None, provider_local=False))
    assert not found("pictures-embedded", many, picture(1_200, src="https://estuary.example/m/f.jpg"))
    assert not next(rule for rule in all_checks() if rule.id == "pictures-embedded").waivable


@pytest.mark.parametrize(("provider", "text", "told"), [
    ("sendgrid", "Café", 1), ("sendgrid", "Café – open", 0), ("sendgrid", "یہاں", 0), ("smtp", "Café", 0),
    ("sendgrid", " ", 0),
])  # fmt: skip
def test_sendgrid_needs_one_character_beyond_latin_1(provider: str, text: str, told: int) -> None:
    """Otherwise it sends iso-8859-1."""
    assert len(found("sendgrid-charset", eg.given(provider=provider), eg.email(text=text))) == told


def test_a_paid_story_shows_its_label_in_its_language() -> None:
    """“Advertisement feature” in both parts, whoever wrote the section; a label of the sponsor's own stands for it."""
    paid = eg.both(
        eg.section("sponsor", dataclasses.replace(eg.LIBRARY, slug="hotel", headline="Rooms", sponsor="The Hotel")),
        eg.given(sponsor_labels={"hotel": "Anzeige"}),
    )
    assert {f.message for f in found("sponsor-label-unseen", paid)} == {
        "The HTML part does not say “Anzeige” and “The Hotel”.",
        "The text part does not say “Anzeige” and “The Hotel”.",
    }
    shown = eg.both(eg.html("<h2>", "<p>Anzeige · The Hotel</p><h2>"), eg.email(text="Anzeige · The Hotel"))
    assert not found("sponsor-label-unseen", paid, shown)


def test_a_missing_alternative_text_is_one_finding_also_where_the_picture_is_linked() -> None:
    """The theme writes alt="" for it; the story's field is what the editor fills in."""
    linked = eg.html(
        "<h3>The ferry",
        '<a href="https://estuary.example/ferry"><img src="cid:ferry" width="9" alt=""></a><h3>The ferry',
    )
    told = [f.id for f in run_checks(eg.both(eg.picture(alt=None), linked)(eg.example())) if f.id.startswith("alt-")]
    assert told == ["alt-missing"]
    assert [f.article for f in found("alt-empty-in-link", linked)] == ["the-ferry-is-back"]
