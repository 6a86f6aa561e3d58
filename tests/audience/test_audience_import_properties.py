"""Whatever a CSV file holds: nothing is lost, and what is accepted comes back."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.audience.addresses import normalise
from newsletter.audience.attributes import clean_value, unguard_cell
from newsletter.audience.importing import ImportReport, import_csv
from newsletter.audience.subscribers import count, export_csv, list_subscribers
from newsletter.errors import BadData, NewsletterError
from newsletter.store.engine import Store, open_store
from newsletter.store.tables import metadata
from newsletter.workspace.keys import Keys

KEYS = Keys("k", {}, b"h" * 32)
PROPERTY = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

cells = st.text(
    alphabet=st.one_of(st.sampled_from("ab@.,;\t|\"'\n\r =+-"), st.characters(exclude_categories=["Cs"])), max_size=12
).filter(lambda text: "\0" not in text)
addresses = st.sampled_from(
    ["ada@example.org", "ADA@example.org", "bob@example.org", "ü@bücher.example", "bad", "", "a b@c"]
)
records = st.lists(st.tuples(addresses, cells, cells), max_size=12)


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "newsletter.db") as store:
        yield store


def wipe(store: Store) -> None:
    with store.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


def bring(store: Store, content: bytes) -> ImportReport:
    folder = store.database.parent
    (folder / "readers.csv").write_bytes(content)
    return import_csv(
        store, folder / "readers.csv", attributes=["first_name", "city"], rejects=folder / "rejects.csv", keys=KEYS
    )


def accounted(report: ImportReport) -> int:
    whole = report.added + report.updated + report.unchanged + report.duplicates
    return whole + report.rejected + report.suppressed + report.unsubscribed


@PROPERTY
@given(
    records,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
)
@example([("ada@example.org", "\r0", "x")], "utf-8", ",", "\n")
@example([("ada@example.org", "a\r\rb", "\r"), ("", "", "\r"), ("", "\r", "")], "utf-16", ";", "\n")
def test_each_record_ends_in_exactly_one_count(
    shared: Store, rows: list[tuple[str, str, str]], encoding: str, delimiter: str, end: str
) -> None:
    """And each accepted value is in the database as it was written, without control characters."""
    wipe(shared)
    stream = io.StringIO(newline="")
    # Python 3.11 leaves a return without quotes where lines end otherwise.
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end)
    writer.writerow(["email", "first_name", "city"])
    writer.writerows(rows)
    report = bring(shared, stream.getvalue().encode(encoding))
    # Where lines end in LF, a CR at the end of a row makes it CRLF.
    cut = "\r" if end == "\n" else ""
    written = [row for row in rows if any((*row[:2], row[2].removesuffix(cut)))]
    assert accounted(report) == report.records == len(written)
    expected: dict[str, dict[str, str]] = {}
    for address, *values in rows:
        try:
            key = normalise(address)[1]
        except BadData:
            continue
        clean = [clean_value(unguard_cell(value)) for value in values]
        named = {name: value for name, value in zip(("first_name", "city"), clean, strict=True) if value}
        expected.setdefault(key, {}).update(named)
    found = {normalise(reader.address)[1]: reader.attributes for reader in list_subscribers(shared, limit=100)}
    assert found == expected
    assert (report.added, report.rejected) == (len(expected), sum(not _is_address(row[0]) for row in written))


def _is_address(text: str) -> bool:
    try:
        normalise(text)
    except BadData:
        return False
    return True


@PROPERTY
@given(records)
def test_importing_twice_changes_nothing_and_an_export_comes_back(
    shared: Store, rows: list[tuple[str, str, str]]
) -> None:
    """Idempotent: the second time everything is unchanged; so is the export, in the same place or a new one."""
    wipe(shared)
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([("email", "first_name", "city"), *rows])
    content = stream.getvalue().encode()
    first = bring(shared, content)
    readers = [(r.address, r.attributes) for r in list_subscribers(shared, limit=100)]
    if first.duplicates == 0:
        again = bring(shared, content)
        assert (again.added, again.updated, again.unchanged) == (0, 0, first.added)
    out = io.StringIO(newline="")
    assert export_csv(shared, out) == first.added
    wipe(shared)
    back = bring(shared, out.getvalue().encode())
    assert (back.added, back.rejected) == (first.added, 0)
    assert [(r.address, r.attributes) for r in list_subscribers(shared, limit=100)] == readers


@PROPERTY
@given(st.binary(max_size=300))
@example(b'email\n"')
@example(b"email\n\r\r\n\x85a@example.org\n")
@example(b"sep=")
@example(b'"')
def test_any_bytes_are_imported_or_refused_with_an_error_of_ours(shared: Store, content: bytes) -> None:
    """No crash, and a refusal leaves the audience as it was."""
    wipe(shared)
    try:
        report = bring(shared, content)
    except NewsletterError as error:
        assert error.fix
        assert count(shared) == 0
    else:
        assert accounted(report) == report.records
        assert count(shared) == report.added


@PROPERTY
@given(st.lists(st.text(alphabet='ab@.",;\n\r x', max_size=30), max_size=8))
def test_no_line_vanishes_however_the_quotes_stand(shared: Store, lines: list[str]) -> None:
    """Every address that stands alone on a line of its own is a reader, or the file or the line is refused."""
    wipe(shared)
    body = "\n".join([*lines, "last@example.org"])
    try:
        report = bring(shared, f"email,first_name\nfirst@example.org\n{body}\n".encode())
    except NewsletterError:
        assert count(shared) == 0
        return
    kept = {reader.address for reader in list_subscribers(shared, limit=100)}
    assert "first@example.org" in kept
    if "last@example.org" in kept:
        return
    assert report.rejected
    rejects = (shared.database.parent / "rejects.csv").read_text(encoding="utf-8-sig")
    assert "last@example.org" in rejects or any(
        "last@example.org" in str(r.attributes) for r in list_subscribers(shared)
    )
