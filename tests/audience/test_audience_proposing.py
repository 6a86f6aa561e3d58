"""What the columns of a file seem to be: by name in several languages, by content, and never more sure than it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.audience.proposing import Proposal, propose
from newsletter.errors import ImportRefused, NotFound

ATTRIBUTES = ["first_name", "city"]


def proposed(tmp_path: Path, text: str, **mapping: str) -> Proposal:
    path = tmp_path / "readers.csv"
    path.write_text(text, encoding="utf-8")
    return propose(path, attributes=ATTRIBUTES, mapping=mapping)


@pytest.mark.parametrize(
    "header",
    ["E-Mail,Vorname,Stadt", "Courriel,Prénom,Ville", "Correo,Nombre,Ciudad", "Почта,Имя,Город", "ایمیل,پہلا نام,شہر",
     "ईमेल,पहला नाम,शहर", "E-posta,Ad,Şehir", "E-post,Förnamn,By"],
)  # fmt: skip
def test_headers_are_understood_in_the_languages_of_newsrooms(tmp_path: Path, header: str) -> None:
    found = proposed(tmp_path, f"{header}\nada@readers.test,Ada,Ulm\n")
    targets = [column.target for column in found.columns]
    assert targets[0] == "address"
    assert targets[1:] in (["first_name", "city"], ["", "city"]), header
    if "Förnamn" not in header:
        assert targets[1] == "first_name"


def test_addresses_are_found_by_what_stands_in_the_column(tmp_path: Path) -> None:
    """A guess is called one; samples let a person judge; a column that nothing is known of is ignored."""
    text = "Kontakt,Shoe,First Nam\n" + "".join(f"r{n}@readers.test,{n % 3},Ada\n" for n in range(9)) + "none,1,\n"
    found = proposed(tmp_path, text)
    address, shoe, name = found.columns
    assert (address.target, address.sure, address.samples[0]) == ("address", False, "r0@readers.test")
    assert (shoe.target, shoe.why, shoe.samples) == ("", "no attribute has this name", ("0", "1", "2"))
    assert (name.target, name.sure) == ("first_name", False)
    assert found.mapping == {"Kontakt": "address", "Shoe": "", "First Nam": "first_name"}
    assert (found.records, found.more) == (10, False)


def test_what_a_person_said_goes_first_and_what_they_cannot_mean_is_refused(tmp_path: Path) -> None:
    found = proposed(tmp_path, "email,b,c\na@x.test,b@y.test,Ulm\n", b="address", email="", c="city")
    assert [(c.target, c.why) for c in found.columns] == [
        ("", "you said so"), ("address", "you said so"), ("city", "you said so"),
    ]  # fmt: skip
    with pytest.raises(ImportRefused, match="not an attribute"):
        proposed(tmp_path, "email,b\na@x.test,1\n", b="shoe_size")


def test_a_file_without_addresses_is_shown_too(tmp_path: Path) -> None:
    """The page then asks which column it is; nothing is guessed at."""
    found = proposed(tmp_path, "name,town\nAda,Ulm\n")
    assert found.address is None
    with pytest.raises(NotFound):
        propose(tmp_path / "nowhere.csv", attributes=ATTRIBUTES)
