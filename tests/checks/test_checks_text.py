"""The checks of a text part that an editor wrote, and what others say of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from newsletter.checks import examples as eg
from newsletter.models import Severity, TextPiece
from tests.checks.asking import found

TEXT = eg.example().email.text
FERRY, LIBRARY = eg.FERRY.slug, eg.LIBRARY.slug
NOW = (
    TextPiece(None, "The Estuary Weekly\n\n4 Quay Street"),
    TextPiece(FERRY, "The ferry is back\n\nThe boat runs from Saturday."),
    TextPiece(LIBRARY, "The library opens on Sundays"),
)


def own(text: str = TEXT, of: tuple[TextPiece, ...] | None = NOW) -> eg.Change:
    """The example with its text part in the editor's own hand."""
    return eg.both(eg.issue(own_text=text, text_of=of), eg.email(text=text, pieces=NOW))


def test_a_stale_text_names_each_story_and_its_words() -> None:
    """What was corrected, what came, what went, what moved and what stands around the stories."""
    of = (
        TextPiece(None, "The Estuary Weekly\n\n5 Quay Street"),
        TextPiece("old", "Eels at the weir\nThey are back."),
        TextPiece(FERRY, "The ferry is back\n\nThe boat runs from Friday."),
    )
    told = {finding.article: finding for finding in found("text-stale", own(of=of)) if finding.article}
    assert "“The ferry is back” has changed" in told[FERRY].message and "“Friday" in told[FERRY].message
    assert "Saturday" in told[FERRY].message
    assert "came into the issue" in told[LIBRARY].message
    others = [finding.message for finding in found("text-stale", own(of=of)) if not finding.article]
    assert any("“Eels at the weir” has left" in said for said in others)
    assert any("around the stories" in said for said in others)
    moved = found("text-stale", own(of=(NOW[0], NOW[2], NOW[1])))
    assert len(moved) == 1 and "another place" in moved[0].message
    assert all(f.severity is Severity.WARNING and "--confirm" in (f.fix or "") for f in moved)


def test_a_text_that_nobody_confirmed_says_so_and_a_generated_one_nothing() -> None:
    """A file that was made by hand is right for nobody knows what."""
    (finding,) = found("text-stale", own(of=None))
    assert finding.message == "Nobody has said that email.txt fits these stories."
    assert found("text-stale", own()) == []
    assert found("text-stale", eg.issue(text_of=()), eg.email(pieces=NOW)) == []


@pytest.mark.parametrize("mine", [True, False])
def test_the_text_part_must_have_the_unsubscribe_link_and_the_postal_address(mine: bool) -> None:
    """Readers of the text are readers: the HTML's link is not theirs, and the header's is no link in the body."""
    bare = TEXT.replace("nlf0005q", "write to us").replace("4 Quay Street", "the quay")
    change = own(bare) if mine else eg.email(text=bare)
    (link,) = found("unsubscribe-missing", change)
    (address,) = found("postal-address-missing", change)
    assert link.message == "The text part has no unsubscribe link." and link.severity is Severity.ERROR
    assert address.message == "The text part does not show the postal address."
    assert ("{{ unsubscribe_url }}" in (link.fix or "")) is mine
    assert ("email.txt.j2" in (link.fix or "")) is not mine
    waived = eg.issue(waive=(eg.example().issue.waive))
    assert found("unsubscribe-missing", change, waived)[0].waived is None


def test_a_story_or_many_words_that_an_own_text_lacks_are_warnings() -> None:
    """A theme that leaves a story out is broken; an editor who does may have a reason."""
    short = TEXT.replace("The library opens on Sundays", "").replace("Volunteers keep the doors open until four.", "")
    mine, theirs = found("text-diverges", own(short)), found("text-diverges", eg.email(text=short))
    assert {f.severity for f in mine} == {Severity.WARNING}
    assert Severity.ERROR in {f.severity for f in theirs}
    assert [f.article for f in mine if "library" in f.message] == [LIBRARY]
    assert all("email.txt" in (f.fix or "") and "j2" not in (f.fix or "") for f in mine)


def test_an_address_that_only_the_own_text_has_is_told_with_its_line(tmp_path: Path) -> None:
    """A typing error, or a link of a story that has gone; statistics and a last slash make no difference."""
    text = TEXT.replace("example/ferry", "example/fery").replace("example/library", "example/library/?utm_source=x")
    folder = tmp_path / "issues" / "2026-11-27"
    folder.mkdir(parents=True)
    (folder / "email.txt").write_text(text, encoding="utf-8")
    (finding,) = found("text-link-unknown", own(text), eg.issue(path=folder))
    assert "https://estuary.example/fery" in finding.message
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "fery" in one)
    assert (finding.file, finding.line) == ("issues/2026-11-27/email.txt", line)
    assert found("text-link-unknown", eg.email(text=text)) == []


def test_one_readers_own_link_is_an_error_in_either_part() -> None:
    """It was copied from a mail: all readers would unsubscribe that one."""
    link = f"https://estuary.example/u/v1.preferences.{'0a' * 16}.k1.{'x' * 22}"
    (finding,) = found("link-of-one-reader", own(TEXT.replace("nlf0010q", link)))
    assert finding.severity is Severity.ERROR and finding.field == "email.txt"
    (finding,) = found("link-of-one-reader", eg.html("https://estuary.example/ferry", link))
    assert finding.article == FERRY


def test_fields_template_code_and_a_lost_label_are_told_of_the_file(tmp_path: Path) -> None:
    """The finding names email.txt, not the theme."""
    (left,) = found("leftover-template", own(TEXT + "*|FNAME|*\n"))
    assert left.field == "email.txt"
    shoe = eg.example().email.fields[1]
    fields = (
        *eg.example().email.fields,
        dataclasses.replace(shoe, token="nlf0011q", name="shoe", default=""),
    )  # a merge token
    change = eg.both(own(TEXT + "{{ subscriber.shoe }}"), eg.email(fields=fields))
    for check in ("merge-field-unknown", "merge-default-missing"):
        assert {f.field for f in found(check, change)} == {"email.txt"}
    (blank,) = found("text-missing", own("\n"))
    assert blank.field == "email.txt" and "--drop" in (blank.fix or "")


def test_a_sponsors_label_that_an_own_text_leaves_out_is_an_error_there() -> None:
    """Readers of the text must see what is paid for, whoever wrote it."""
    hotel = dataclasses.replace(
        eg.LIBRARY, slug="quay-hotel", headline="Rooms over the water", sponsor="The Quay Hotel"
    )
    label = eg.given(sponsor_labels={hotel.slug: "Advertisement feature"})
    shown = eg.html("<h2>", "<p>Advertisement feature · Paid for by The Quay Hotel</p><h2>")
    (finding,) = found("sponsor-label-unseen", eg.section("sponsor", hotel), label, shown, own())
    assert (
        finding.severity is Severity.ERROR
        and finding.field == "email.txt"
        and finding.fix == "Write it into email.txt."
    )
