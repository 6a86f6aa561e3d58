"""Encodings, delimiters and headers of real exports; and what is no CSV file at all."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.audience.csvfile import open_csv
from newsletter.audience.importing import ImportReport
from newsletter.audience.subscribers import count, find
from newsletter.errors import BadData, ImportRefused, NotFound
from newsletter.store.engine import Store

Bring = Callable[..., ImportReport]

TEXT = "email,first_name\nzoe@example.org,Zoë\njose@example.org,José\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode("utf-8"), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("cp1252"), "cp1252"),
    ],
)
def test_the_encoding_is_found_and_named(store: Store, bring: Bring, content: bytes, encoding: str) -> None:
    """Accents arrive right, whichever program wrote the file."""
    report = bring(content)
    assert (report.encoding, report.added) == (encoding, 2)
    assert find(store, "zoe@example.org").attributes == {"first_name": "Zoë"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(store: Store, bring: Bring, delimiter: str, end: str) -> None:
    """Also where a cell holds the other delimiters, and with any line end."""
    lines = [delimiter.join(cells) for cells in (["Note", "email"], ['"a,b;c|d\te"', "ada@example.org"])]
    report = bring(end.join(lines) + end)
    assert (report.delimiter, report.added, report.rejected) == (delimiter, 1, 0)


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_excels_hint_before_the_header_is_followed(bring: Bring, delimiter: str) -> None:
    """``sep=;`` is not a header."""
    report = bring(f"sep={delimiter}\nemail{delimiter}city\nada@example.org{delimiter}London\n")
    assert (report.delimiter, report.added) == (delimiter, 1)
    assert "city" in report.columns


def test_a_header_with_a_line_break_and_many_other_delimiters_is_read(bring: Bring) -> None:
    """The delimiter that shows an address column wins over the one that merely occurs more often."""
    report = bring('"Name; first; last;\nor nick",email\n"x",ada@example.org\n')
    assert (report.delimiter, report.added) == (",", 1)


@pytest.mark.parametrize(
    "header",
    [
        "email", "E-mail", "EMAIL", "Email Address", "email_address", "E-mail Address", "Mail", "E-Mail-Adresse",
        "Adresse e-mail", "Courriel", "Correo electrónico", "correo", "Indirizzo e-mail", "E-postadress", "Почта",
        "E-mail 1 - Value", "البريد الإلكتروني", "メールアドレス", "adresse", "Address", "邮箱", "\ufeffemail ",
    ],
)  # fmt: skip
def test_the_address_column_is_known_by_many_names(bring: Bring, header: str) -> None:
    """Exports of mail programs, services and spreadsheets in several languages."""
    report = bring(f"id,{header}\n1,ada@example.org\n")
    assert report.added == 1


def test_a_surer_name_wins_over_a_vaguer_one(store: Store, bring: Bring) -> None:
    """A street may be called an address, an email may not be a street."""
    report = bring("Address,Email Address,Email\n1 High Street,b@example.org,a@example.org\n")
    assert report.added == 1
    assert find(store, "a@example.org")
    assert report.ignored_columns == ("Address", "Email Address")


def test_first_names_are_known_by_other_words_but_the_very_word_wins(store: Store, bring: Bring) -> None:
    """Vorname, prénom, FNAME."""
    bring("email,Prénom\na@example.org,Ada\n")
    assert find(store, "a@example.org").attributes == {"first_name": "Ada"}
    report = bring("email,FNAME,First name\nb@example.org,Wrong,Right\n")
    assert find(store, "b@example.org").attributes == {"first_name": "Right"}
    assert report.ignored_columns == ("FNAME",)


def test_the_mapping_goes_before_what_we_recognise(store: Store, bring: Bring) -> None:
    """Which column is the address, which an attribute, and which to leave out."""
    report = bring(
        "Kontakt,email,Town,Rufname\nada@example.org,old@example.org,London,Ada\n",
        mapping={"kontakt": "address", "Rufname": "First-Name", "Town": ""},
    )
    assert report.columns == {"Kontakt": "address", "Rufname": "first_name"}
    assert report.ignored_columns == ("email", "Town")
    assert find(store, "ada@example.org").attributes == {"first_name": "Ada"}
    twins = bring("email,city,City\nbob@example.org,Rome,Oslo\n", mapping={"City": "city"})
    assert (twins.ignored_columns, find(store, "bob@example.org").attributes) == (("city",), {"city": "Oslo"})
    assert bring("email,city,CITY\nbob@example.org,Rome,Oslo\n", mapping={"CITY": ""}).updated == 1
    assert bring("Kontakt,City\ncy@example.org,Rome\n", mapping={"Kontakt": "email"}).added == 1


@pytest.mark.parametrize(
    ("content", "mapping", "what", "fix"),
    [
        ("name,city\nAda,London\n", {}, '"name", "city"', '--map "COLUMN=address"'),
        ("name,Kontakt\nAda,ada@example.org\n", {}, "no column holds", '--map "Kontakt=address"'),
        ("Address,city\n1 High Street,London\n", {}, "no column holds", "--map"),
        ("ada@example.org,Ada\nbob@example.org,Bob\n", {}, "already a reader", "email,first_name"),
        ("email,E-Mail\na@x.org,b@x.org\n", {}, "2 columns", "different names"),
        ("email,city,City\na@x.org,a,b\n", {}, "more than one column", '--map "City="'),
        ("email,town,Rufname\na@x.org,a,b\n", {"Rufname": "city", "town": "city"}, "more than one", "--map"),
        ("mail,Rufname\na@x.org,b\n", {"Rufnam": "city"}, 'no column "Rufnam"', 'did you mean "Rufname"'),
        ("mail,x\na@x.org,b\n", {"Zuname": "city"}, "no column", 'the columns are "mail", "x"'),
        ("mail,x,X\na@x.org,b,c\n", {"x ": "cty"}, "not an attribute", 'did you mean "city"'),
        ("mail,a b,A_B\na@x.org,b,c\n", {"ab": "city"}, '2 columns "ab"', "rename"),
        ("mail,x\na@x.org,b\n", {"x": "qqq"}, "not an attribute", "[audience] attributes"),
        ('"em"ail,x\na@x.org,b\n', {}, "column names cannot be read", "correct"),
        ("sep=;\n", {}, "empty", "again"),
        (",".join(f"c{n}" for n in range(30)) + "\nx\n", {}, "…", "--map"),
    ],
)
def test_a_header_that_leaves_doubt_is_refused_with_the_way_out(
    store: Store, bring: Bring, content: str, mapping: dict[str, str], what: str, fix: str
) -> None:
    """Nothing is guessed and nothing imported."""
    with pytest.raises(ImportRefused) as caught:
        bring(content, mapping=mapping)
    assert what in caught.value.what
    assert fix in (caught.value.fix or "")
    assert "readers.csv" in (caught.value.where or "")
    assert count(store) == 0


@pytest.mark.parametrize(
    ("content", "what", "where"),
    [
        (b"", "empty", "readers.csv"),
        (b" \n\n\t\n", "empty", "readers.csv"),
        (codecs.BOM_UTF8, "empty", "readers.csv"),
        (b"PK\x03\x04rest", "spreadsheet", "readers.csv"),
        (b"email\na@x.org\nb\x00@x.org\n", "U+0000", "readers.csv:3"),
        ("email\na@x.org\n".encode("utf-16-le"), "UTF-16", "readers.csv:1"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe\x01", "control character", "readers.csv:2"),
        (b"email\n\x81\x8d\xff@x.org\n", "not UTF-8 nor cp1252", "readers.csv"),
        (codecs.BOM_UTF16_LE + b"e\x00m", "not UTF-16", "readers.csv"),
        (codecs.BOM_UTF8 + b"email\n\xff", "not UTF-8", "readers.csv"),
        (b"email\n" + b"x" * 1_100_000, "1,000,000 characters", "readers.csv:2"),
        (b'email\na@x.org\n"' + b"x,\n" * 60_000, "not closed", "readers.csv:3"),
    ],
)
def test_what_is_no_csv_file_is_refused_with_its_place(bring: Bring, content: bytes, what: str, where: str) -> None:
    """Empty, binary, wrongly encoded, endless."""
    with pytest.raises(ImportRefused) as caught:
        bring(content)
    assert what in caught.value.what
    assert (caught.value.where or "").endswith(where)
    assert caught.value.fix


def test_a_bad_byte_in_the_last_line_is_found_before_anything_is_imported(store: Store, bring: Bring) -> None:
    """The encoding holds for the whole file, not for its first block."""
    lines = b"".join(b"r%d@example.org,x," % n + b"y" * 20_000 + b"\n" for n in range(60))
    report = bring(b"email,first_name,note\n" + lines + "zoe@example.org,Zoë,\n".encode("cp1252"))
    assert report.encoding == "cp1252"
    assert find(store, "zoe@example.org").attributes == {"first_name": "Zoë"}


def test_a_file_that_is_not_there_or_is_a_folder_is_not_found(bring: Bring, store: Store, tmp_path: Path) -> None:
    """With words for each."""
    from newsletter.audience.csvfile import open_csv

    with pytest.raises(NotFound, match="no such file"):
        open_csv(tmp_path / "nothing.csv", lambda header: True)
    with pytest.raises(NotFound, match="not a file"):
        open_csv(tmp_path, lambda header: True)
    with pytest.raises(BadData):
        open_csv(tmp_path / ("x" * 300), lambda header: True)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """It decoded once, and does not any more; or it is gone."""
    from newsletter.audience.csvfile import open_csv

    path = tmp_path / "readers.csv"
    path.write_bytes(TEXT.encode())
    opened = open_csv(path, lambda header: True)
    path.write_bytes(b"email\n\xff\xff\n")
    with pytest.raises(ImportRefused, match="cannot read"):
        list(opened.records())
    path.unlink()
    with pytest.raises(ImportRefused, match="cannot read"):
        list(opened.records())


def test_a_carriage_return_in_a_value_ends_no_line_where_line_feeds_do(tmp_path: Path) -> None:
    """Python's own ``csv`` writes such files; in a file whose lines end in CR it still ends them, quoted LF or not."""
    path = tmp_path / "readers.csv"
    for content, records in (
        (
            "email,name\na@x.org,A\rB\nb@x.org,\r\r0\nc@x.org,C",
            [["a@x.org", "A\rB"], ["b@x.org", "\r\r0"], ["c@x.org", "C"]],
        ),
        ('email,name\r\na@x.org,"A\rB\r\nC"\r\n', [["a@x.org", "A\rB\r\nC"]]),
        ('email,"my\nname"\ra@x.org,A\rb@x.org,"B\nC"\r', [["a@x.org", "A"], ["b@x.org", "B\nC"]]),
    ):
        path.write_bytes(content.encode())
        found = [cells for _, cells, problem in open_csv(path, lambda header: header[0] == "email").records()]
        assert found[1:] == records
