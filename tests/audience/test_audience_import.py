"""Importing a CSV file: everything is accounted for, and nobody who has left is brought back."""

from __future__ import annotations

import csv
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.audience.importing import ImportReport
from newsletter.audience.leaving import come_back, leave
from newsletter.audience.subscribers import add, count, erase, find, list_subscribers, show, suppress, unsubscribe
from newsletter.errors import ImportRefused
from newsletter.store.engine import Store
from newsletter.workspace.keys import Keys

Bring = Callable[..., ImportReport]


def rejected(report: ImportReport) -> list[list[str]]:
    assert report.rejects is not None
    with report.rejects.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_readers_and_their_attributes_arrive(store: Store, bring: Bring) -> None:
    """Header words are recognised whatever their case, spaces and underscores; the others are named."""
    report = bring("E-Mail,First Name,CITY,Shoe size\nAda@Example.org, Ada ,London,38\nbob@example.org,,,\n")
    assert (report.added, report.records, report.rejected, report.rejects) == (2, 2, 0, None)
    assert report.columns == {"E-Mail": "address", "First Name": "first_name", "CITY": "city"}
    assert report.ignored_columns == ("Shoe size",)
    ada, bob = list_subscribers(store)
    assert (ada.address, ada.status, ada.attributes) == (
        "Ada@example.org",
        "subscribed",
        {"first_name": "Ada", "city": "London"},
    )
    assert bob.attributes == {}
    assert ada.public_id != bob.public_id


def test_each_added_reader_has_a_consent_row_with_basis_and_source(store: Store, bring: Bring) -> None:
    """Why we may write to them, and where we have them from; a reader who was there gets none."""
    add(store, "old@example.org", {}, "sign-up form", Keys("k", {}, b"h" * 32))
    bring("email\nada@example.org\nold@example.org\n", basis="opted in at the fair", name="fair.csv")
    _, rows = show(store, "ada@example.org")
    assert [(row.event, row.basis, row.source) for row in rows] == [("imported", "opted in at the fair", "fair.csv")]
    assert [row.event for row in show(store, "old@example.org")[1]] == ["subscribed"]


def test_a_second_import_updates_what_is_there_and_empty_cells_change_nothing(store: Store, bring: Bring) -> None:
    """Importing the same file again adds nobody and changes nothing."""
    first = "email,first_name,city\nada@example.org,Ada,London\nbob@example.org,Bob,Leeds\n"
    bring(first)
    again = bring(first)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)
    report = bring("email,first_name,city\nADA@example.org,,Paris\nbob@example.org,,\n")
    assert (report.added, report.updated, report.unchanged) == (0, 1, 1)
    assert find(store, "ada@example.org").attributes == {"first_name": "Ada", "city": "Paris"}
    assert find(store, "ada@example.org").address == "ada@example.org"


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_the_same_address_twice_is_one_reader_and_the_later_value_wins(
    store: Store, bring: Bring, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Wherever the borders of the batches fall, and whether the reader is new or was there."""
    monkeypatch.setattr("newsletter.audience.importing.BATCH", batch)
    add(store, "old@example.org", {"city": "York"}, "form", Keys("k", {}, b"h" * 32))
    report = bring(
        "email,first_name,city\n"
        "ada@example.org,Ada,London\nold@example.org,,York\nAda@EXAMPLE.org,,Paris\n"
        "old@example.org,Olive,\nada@example.org,Adele,\nold@example.org,Olive,\n"
    )
    assert find(store, "ada@example.org").attributes == {"first_name": "Adele", "city": "Paris"}
    assert find(store, "old@example.org").attributes == {"first_name": "Olive", "city": "York"}
    assert (report.added, report.updated, report.unchanged, report.duplicates) == (1, 1, 0, 4)
    assert count(store) == 2


def test_who_has_left_stays_so_and_is_counted(store: Store, bring: Bring, keys: Keys) -> None:
    """Unsubscribed, suppressed and erased readers are neither added nor changed."""
    bring("email,city\nleft@example.org,A\nbounced@example.org,A\nerased@example.org,A\nhere@example.org,A\n")
    unsubscribe(store, "left@example.org", "test")
    suppress(store, "bounced@example.org", "bounce", "test", keys)
    suppress(store, "never.seen@example.org", "complaint", "test", keys)
    erase(store, "erased@example.org", keys)
    report = bring(
        "email,city\nLEFT@example.org,B\nbounced@example.org,B\nbounced@example.org,C\n"
        "never.seen@example.org,B\nerased@example.org,B\nhere@example.org,B\n"
    )
    assert (report.unsubscribed, report.suppressed, report.updated, report.records) == (1, 4, 1, 6)
    assert find(store, "left@example.org").status == "unsubscribed"
    assert find(store, "left@example.org").attributes == {"city": "A"}
    assert find(store, "bounced@example.org").attributes == {"city": "A"}
    assert count(store) == 4


def test_every_refused_line_is_reported_with_its_number_and_reason(bring: Bring) -> None:
    """Physical lines, also after a cell with line breaks in it; formulas are made harmless; only we may read it."""
    report = bring(
        "email,first_name,city\r\n"
        '"ada@example.org","A\r\nd\r\na",London\r\n'
        "\r\n"
        'not-an-address,"=cmd()",Leeds\r\n'
        "bob@example.org,Bob,Leeds,extra\r\n"
        'eve@example.org,"E"ve,York\r\n'
        f"long@example.org,{'x' * 1001},York\r\n"
        ",Nobody,York\r\n"
        "ok@example.org\r\n"
        "ok2@example.org,Ok,York,,\r\n"
        ",,\r\n"
    )
    assert (report.added, report.rejected, report.records) == (3, 5, 8)
    header, *lines = rejected(report)
    assert header == ["line", "reason", "email", "first_name", "city"]
    assert [(line[0], line[2]) for line in lines] == [
        ("6", "not-an-address"),
        ("7", "bob@example.org"),
        ("8", 'eve@example.org,"E"ve,York'),
        ("9", "long@example.org"),
        ("10", ""),
    ]
    reasons = [line[1] for line in lines]
    for reason, word in zip(reasons, ["no @", "4 cells", "quote", "1001", "no address"], strict=True):
        assert word in reason
    assert lines[0][3] == "'=cmd()"
    assert report.rejects is not None
    assert stat.S_IMODE(report.rejects.stat().st_mode) == 0o600


def test_the_rejects_can_be_corrected_and_imported(store: Store, bring: Bring) -> None:
    """The file has the columns of the original, and the guard before a formula is taken back."""
    report = bring("email,first_name\nada@,=Ada\n")
    assert report.rejects is not None
    corrected = report.rejects.read_bytes().replace(b"ada@", b"ada@example.org")
    again = bring(corrected, name="corrected.csv")
    assert (again.added, again.ignored_columns, again.rejects) == (1, ("line", "reason"), None)
    assert find(store, "ada@example.org").attributes == {"first_name": "=Ada"}
    assert not report.rejects.exists(), "a list of an earlier import would mislead"


def test_a_file_that_says_who_has_left_is_believed(bring: Bring) -> None:
    """Exports of other services, and our own, have a status column; importing must not subscribe those again."""
    report = bring(
        "email,Status\nada@example.org,subscribed\nbob@example.org,Unsubscribed\ncy@example.org,cleaned\nd@x.org\n"
    )
    assert (report.added, report.rejected) == (2, 2)
    assert [line[1] for line in rejected(report)[1:]] == [
        'the file itself says "unsubscribed"',
        'the file itself says "cleaned"',
    ]


@pytest.mark.parametrize(
    ("header", "there", "not_there"),
    [
        ("status", "Active", "disabled"),  # listmonk
        ("Status", "opted-in", "Non-Subscribed"),
        ("Email Status", "", "unconfirmed"),
        ("subscriber_status", "enabled", "pending"),
        ("subscribed_to_emails", "true", "false"),  # Ghost
        ("deleted_at", "", "2026-01-31T12:00:00.000Z"),  # Ghost
        ("email_disabled", "FALSE", "TRUE"),  # Substack
        ("UNSUB_TIME", "", "2026-01-31 12:00:00"),  # Mailchimp's file of those who unsubscribed has no status
        ("CLEAN_TIME", "", "2026-01-31 12:00:00"),  # nor has that of those it cleaned
        ("blacklisted", "0", "1"),  # phpList
        ("confirmed", "1", "0"),  # phpList
    ],
)
def test_whoever_left_another_service_does_not_come_back_by_its_export(
    store: Store, bring: Bring, header: str, there: str, not_there: str
) -> None:
    """Each service says it in its own column."""
    report = bring(f"email,{header}\nada@example.org,{there}\nbob@example.org,{not_there}\n")
    assert (report.added, report.rejected) == (1, 1)
    assert [reader.address for reader in list_subscribers(store)] == ["ada@example.org"]
    assert "the file itself says" in report.first_refused[0][1]
    assert report.columns[header] == "status" and header not in report.ignored_columns


def test_a_word_that_nobody_knows_is_no_consent(bring: Bring) -> None:
    """The line is refused with the way out; the column can be left out, or another one named."""
    text = "email,status,state\nada@example.org,gold,subscribed\nbob@example.org,gold,unsubscribed\n"
    assert bring(text).first_refused == tuple(
        (line, 'whether status "gold" is a subscriber is not known: leave that column out if it says something else')
        for line in (2, 3)
    )
    assert bring(text, mapping={"status": ""}, dry_run=True).added == 2
    assert bring(text, mapping={"status": "", "state": "status"}).added == 1


def test_what_a_file_said_a_later_file_takes_back(store: Store, keys: Keys, bring: Bring) -> None:
    """Who unsubscribed at the former service after the first import leaves; a reader's own word here stays."""
    bring("email,first_name\nada@example.org,Ada\nbob@example.org,Bob\ncy@example.org,Cy\ndee@example.org,Dee\n")
    bob = find(store, "bob@example.org")
    with store.write() as conn:
        leave(conn, bob.id, source="link", now=1)
        come_back(conn, bob.id, source="link", basis="pressed", now=2)
    text = "email,first_name,status\nada@example.org,A,unsubscribed\nbob@example.org,B,unsubscribed\n"
    text += "cy@example.org,C,cleaned\ndee@example.org,D,subscribed\nnew@example.org,N,unsubscribed\n"
    text += "new@example.org,N,subscribed\n"
    would = bring(text, dry_run=True, name="later.csv")
    assert would.left == 3 and find(store, "ada@example.org").status == "subscribed"
    report = bring(text, name="later.csv")
    assert (report.added, report.updated, report.rejected, report.left) == (1, 1, 4, 3)
    states = {name: find(store, f"{name}@example.org").status for name in ("ada", "bob", "cy", "dee", "new")}
    left = {name for name, state in states.items() if state == "unsubscribed"}
    assert left == {"ada", "cy", "new"}, "of two lines about one reader the one that says no counts"
    _, consent = show(store, "ada@example.org")
    assert [(c.event, c.basis, c.source) for c in consent][-1] == (
        "unsubscribed", 'the file says "unsubscribed"', "later.csv",
    )  # fmt: skip
    again = bring(text, name="later.csv")
    assert (again.left, again.added, again.unsubscribed) == (0, 0, 1)


def test_attributes_are_data_whatever_they_look_like(store: Store, bring: Bring) -> None:
    """SQL, templates, formulas and header lines are stored as text, without control characters."""
    evil = ["'; drop table subscriber; --", "{{ 7*7 }}", '=HYPERLINK("http://x")', "<b>&amp;", "Ada\r\nBcc: x@y.org"]
    lines = "".join('r{}@example.org,"{}"\n'.format(n, e.replace('"', '""')) for n, e in enumerate(evil))
    bring("email,first_name\n" + lines)
    assert [reader.attributes["first_name"] for reader in list_subscribers(store)] == [*evil[:4], "Ada Bcc: x@y.org"]


def test_progress_is_told_in_bytes_and_ends_at_the_end(bring: Bring) -> None:
    """The number of lines is not known before."""
    told: list[tuple[int, int]] = []
    text = "email\n" + "".join(f"r{n}@example.org\n" for n in range(3000))
    bring(text, progress=lambda done, total: told.append((done, total)))
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == (len(text), len(text))


def test_an_international_address_is_one_reader_however_it_is_written(store: Store, bring: Bring) -> None:
    """IDNA: the same domain in letters and as A-labels."""
    report = bring("email\ninfo@bücher.example\nINFO@xn--bcher-kva.example\n")
    assert (report.added, report.duplicates) == (1, 1)
    assert find(store, "info@BÜCHER.example").address == "info@xn--bcher-kva.example"


def test_a_header_alone_imports_nobody(bring: Bring) -> None:
    """An empty list is a list."""
    assert bring("email,first_name\n").records == 0


def test_importing_over_the_file_itself_is_refused(bring: Bring, tmp_path: Path) -> None:
    """The rejects must not replace the list."""
    with pytest.raises(Exception, match="overwrite the import"):
        bring("email\nx\n", rejects=tmp_path / "readers.csv")
    assert (tmp_path / "readers.csv").read_text() == "email\nx\n"


def test_nothing_is_imported_from_a_file_that_breaks_off(store: Store, bring: Bring, tmp_path: Path) -> None:
    """A quote that is never closed swallows the rest: all or nothing, with its line."""
    good = "".join(f"r{n}@example.org,x\n" for n in range(2500))
    with pytest.raises(ImportRefused) as caught:
        bring("email,first_name\n" + good + 'bad@example.org,"Ada\nlost@example.org,Lost\n')
    assert caught.value.where == f"{tmp_path / 'readers.csv'}:2502"
    assert count(store) == 0
    assert not (tmp_path / "rejects.csv").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"readers.csv", "state"}
