"""Attributes of readers: clean text in a JSON object; and cells that no spreadsheet runs as a formula."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from newsletter.errors import BadData

MAX_VALUE = 1_000
"""Characters of one value: far more than a name or a city, far less than would bloat a million mails."""

_BREAKS = re.compile(r"[\t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNCLEAN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(dict[str, str]).decode


def clean_value(value: str) -> str:
    """A value as it is kept: one line without control characters, so that it can never start a mail header.

    Raises ``BadData`` when more than ``MAX_VALUE`` characters remain.
    """
    if _UNCLEAN.search(value):
        value = _CONTROLS.sub("", _BREAKS.sub(" ", value))
    value = value.strip()
    if len(value) > MAX_VALUE:
        raise BadData(f"a value has {len(value)} characters, {MAX_VALUE} are possible", fix="shorten it")
    return value


def to_json(attributes: Mapping[str, str]) -> str:
    """The one text of some attributes in the database: equal attributes are equal text."""
    return _ENCODE(dict(sorted(attributes.items()))).decode()


def from_json(text: str) -> dict[str, str]:
    """The attributes that ``to_json`` wrote."""
    return _DECODE(text)


def guard_cell(cell: str) -> str:
    """A cell that a spreadsheet shows and does not run: an apostrophe before ``= + - @``, tab and return.

    See https://owasp.org/www-community/attacks/CSV_Injection. ``unguard_cell`` takes it back, so a cell that
    already looks guarded gets one more.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguard_cell(cell: str) -> str:
    """Take back what ``guard_cell`` did, in a file of ours that comes back."""
    return cell[1:] if cell[:1] == "'" and _GUARDED.match(cell) else cell
