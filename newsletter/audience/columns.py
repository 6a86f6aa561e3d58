"""Which column of a CSV file is what."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from newsletter.audience.addresses import normalise
from newsletter.audience.attributes import unguard_cell
from newsletter.audience.standing import Kind, kind_of
from newsletter.errors import BadData, ImportRefused, did_you_mean

# Header words as `squash` leaves them, the surest first: what spreadsheets, mail programs and newsletter services
# (Mailchimp, Google Contacts, Outlook, Substack, listmonk) write into their exports, in the languages we met.
_SURE = (
    "email", "emailaddress", "emailaddresses", "primaryemail", "subscriberemail", "emailprimary", "email1value",
    "email1address", "mail", "mailaddress", "mailadresse", "emailadresse", "eposta", "epost", "epostadress",
    "epostadresse", "adresseemail", "adressemail", "adresseelectronique", "courriel", "correo", "correoelectronico",
    "direccionemail", "direcciondecorreo", "indirizzoemail", "indirizzomail", "postaelettronica", "enderecodeemail",
    "enderecoemail", "adresemail", "sahkoposti", "sahkopostiosoite", "электроннаяпочта", "почта", "имейл",
    "електроннапошта", "البريدالالكتروني", "البريدالإلكتروني", "ایمیل", "ایمیلادرس", "ईमेल", "メール", "メールアドレス",
    "邮箱", "电子邮件", "電子郵件", "이메일",
)  # fmt: skip
# These may as well be a street: they count only when the first lines have an @ there.
_UNSURE = ("address", "adresse", "adres", "adress", "direccion", "indirizzo", "endereco", "contact", "subscriber")
_OTHER_WORDS: dict[str, tuple[str, ...]] = {
    "firstname": (
        "fname", "givenname", "forename", "vorname", "prenom", "nombre", "nome", "fornamn", "fornavn", "voornaam",
        "imie", "ad", "etunimi", "jmeno", "keresztnev", "prenume", "имя", "имяподписчика", "الاسمالاول",
        "الاسمالأول", "پہلانام", "पहलानाम", "名",
    ),
    "lastname": (
        "lname", "familyname", "surname", "nachname", "nomdefamille", "apellido", "apellidos", "cognome", "sobrenome",
        "achternaam", "nazwisko", "soyad", "efternamn", "etternavn", "efternavn", "sukunimi", "prijmeni", "фамилия",
        "اسمالعائلة", "خاندانینام", "उपनाम", "姓",
    ),
    "city": (
        "town", "ville", "stadt", "ort", "wohnort", "ciudad", "citta", "cidade", "plaats", "miasto", "sehir", "by",
        "kaupunki", "mesto", "город", "المدينة", "شہر", "शहर", "市",
    ),
}  # fmt: skip
ADDRESS = "address"
STATUS = "status"
"""What a column becomes that says who is a subscriber; several may."""


@dataclass(frozen=True)
class Columns:
    """Positions count from 0. ``used`` says for each used column, by its name, what it became.

    ``standing`` are the columns that say who is a subscriber, with their names and how they say it.
    """

    width: int
    address: int
    attributes: tuple[tuple[int, str], ...]
    standing: tuple[tuple[int, str, Kind], ...]
    used: Mapping[str, str]
    ignored: tuple[str, ...]


def squash(name: str) -> str:
    """A column's name without what tools write differently: case, accents, spaces, punctuation."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in plain if c.isalnum())


def _words_for(attribute: str) -> list[str]:
    """What other languages call an attribute, as ``squash`` leaves it."""
    return [squash(word) for word in _OTHER_WORDS.get(squash(attribute), ())]


def has_address_column(header: Sequence[str]) -> bool:
    """Whether a header has a column that is known to hold addresses."""
    return any(squash(cell) in _KNOWN for cell in header)


def choose_columns(
    header: Sequence[str],
    sample: Sequence[Sequence[str]],
    *,
    attributes: Sequence[str],
    mapping: Mapping[str, str],
    where: str,
) -> Columns:
    """Find the address and the attributes in a header; ``sample`` are some of the records below it.

    ``mapping`` (column name: attribute, ``address``, ``status``, or ``""`` to leave it out) goes before what we
    recognise. Raises ``ImportRefused`` when there is no address column, when a name is unknown, or when two columns
    claim the same place.
    """
    names = [unguard_cell(cell).strip() for cell in header]
    _refuse_a_missing_header(names, where)
    chosen = _by_mapping(names, mapping, attributes, where)
    if ADDRESS not in chosen.values():
        chosen[_find_address(names, sample, chosen, where)] = ADDRESS
    wanted = {word: name for name in attributes for word in (squash(name), *_words_for(name))}
    exact = {squash(name) for name in attributes}
    taken = set(chosen.values())
    for rank in (True, False):
        for position, name in enumerate(names):
            word = squash(name)
            attribute = wanted.get(word)
            if attribute and (word in exact) is rank and position not in chosen and attribute not in taken:
                chosen[position] = attribute
        taken = set(chosen.values())
    _refuse_twins(names, chosen, where)
    kinds = {p: kind for p, name in enumerate(names) if p not in chosen and (kind := kind_of(squash(name)))}
    kinds |= {p: kind_of(squash(names[p])) or "word" for p, target in chosen.items() if target == STATUS}
    positions = {position: target for position, target in chosen.items() if target and target != STATUS}
    used = {**positions, **dict.fromkeys(kinds, STATUS)}
    return Columns(
        width=len(names),
        address=next(position for position, target in positions.items() if target == ADDRESS),
        attributes=tuple((p, t) for p, t in sorted(positions.items()) if t != ADDRESS),
        standing=tuple((p, names[p], kind) for p, kind in sorted(kinds.items())),
        used={names[position]: target for position, target in sorted(used.items())},
        ignored=tuple(n for p, n in enumerate(names) if p not in used and n),
    )


def _refuse_a_missing_header(names: Sequence[str], where: str) -> None:
    for name in names:
        try:
            normalise(name)
        except BadData:
            continue
        raise ImportRefused(
            "the first line is already a reader, and should name the columns",
            where=where,
            fix='write a line above it, such as "email,first_name"',
        )


def _by_mapping(
    names: Sequence[str], mapping: Mapping[str, str], attributes: Sequence[str], where: str
) -> dict[int, str]:
    chosen: dict[int, str] = {}
    for column, target in mapping.items():
        same = [p for p, n in enumerate(names) if n == column.strip()]
        same = same or [p for p, n in enumerate(names) if squash(n) == squash(column)]
        if len(same) > 1:
            raise ImportRefused(f'there are {len(same)} columns "{column}"', where=where, fix="rename one of them")
        if not same:
            near = did_you_mean(column, names) or f"the columns are {_quoted(names)}"
            raise ImportRefused(f'there is no column "{column}"', where=where, fix=near)
        meant = next((a for a in attributes if squash(a) == squash(target)), None)
        if meant is None and squash(target) in ("address", "email", "emailaddress"):
            meant = ADDRESS
        if meant is None and squash(target) == STATUS:
            meant = STATUS
        if meant is None and target:
            hint = did_you_mean(target, [*attributes, ADDRESS, STATUS])
            raise ImportRefused(
                f'"{target}" is not an attribute of this audience',
                where=where,
                fix=hint or f"add it to [audience] attributes, or use one of {_quoted([ADDRESS, *attributes])}",
            )
        chosen[same[0]] = meant or ""
    return chosen


def _find_address(names: Sequence[str], sample: Sequence[Sequence[str]], chosen: Mapping[int, str], where: str) -> int:
    with_at = {p for cells in sample for p, cell in enumerate(cells[: len(names)]) if "@" in cell}
    words = {p: squash(name) for p, name in enumerate(names) if p not in chosen}
    for known in (*_SURE_WORDS, *_UNSURE_WORDS):
        found = [p for p, word in words.items() if word == known and (known in _SURE_WORDS or p in with_at)]
        if len(found) > 1:
            raise ImportRefused(
                f'there are {len(found)} columns "{names[found[0]]}"', where=where, fix="give them different names"
            )
        if found:
            return found[0]
    likely = [names[p] for p in sorted(with_at) if p in words and names[p]]
    raise ImportRefused(
        f"no column holds the addresses; the columns are {_quoted(names)}",
        where=where,
        fix=f'say which it is: --map "{likely[0] if likely else "COLUMN"}=address"',
    )


def _refuse_twins(names: Sequence[str], chosen: Mapping[int, str], where: str) -> None:
    by_target: dict[str, list[int]] = {}
    for position, target in chosen.items():
        if target and target != STATUS:
            by_target.setdefault(target, []).append(position)
    for claimed, positions in by_target.items():
        if len(positions) > 1:
            twins = _quoted([names[p] for p in positions])
            raise ImportRefused(
                f"more than one column would be {claimed}: {twins}",
                where=where,
                fix=f'leave one out: --map "{names[positions[-1]]}="',
            )


def _quoted(names: Sequence[str]) -> str:
    shown = [re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", name)[:40] for name in names[:20]]
    return ", ".join(f'"{name}"' for name in shown) + (" …" if len(names) > 20 else "")


_SURE_WORDS = tuple(dict.fromkeys(squash(word) for word in _SURE))
_UNSURE_WORDS = tuple(dict.fromkeys(squash(word) for word in _UNSURE))
_KNOWN = frozenset((*_SURE_WORDS, *_UNSURE_WORDS))
