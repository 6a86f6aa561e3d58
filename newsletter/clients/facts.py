"""What mail clients support, by client family: the facts of caniemail.com, as ``./dev update-clients`` wrote them.

facts.json holds facts alone; its licence is facts.LICENSE beside it. The names of the families are also what
``[audience] clients`` in newsletter.toml may say (``CLIENT_FAMILIES`` in workspace/settings.py; a test holds them
together). The file is read on the first question, and a feature is taken apart when it is asked for.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

import msgspec

from newsletter.errors import NotFound, did_you_mean

Level = Literal["y", "a", "n", "u"]
"""Supported, in part, not at all, unknown."""

_FILE = Path(__file__).with_name("facts.json")
_CELL = re.compile(r"([yanu])(\d*)(?:@([^#]*))?(?:#(.+))?")


@dataclass(frozen=True, slots=True)
class Family:
    """A mail client as an editor knows it, and the platforms that were tested."""

    title: str
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """How a family does with one feature: that of its worst platform.

    ``notes`` are what the tests say about it. ``platform`` names the platforms that do so, and is empty when all known
    platforms of the family do. ``version`` is the one that was tested last.
    """

    level: Level
    notes: tuple[str, ...] = ()
    platform: str = ""
    version: str = ""

    @property
    def note(self) -> str:
        """All notes in one line, or empty."""
        return " ".join(self.notes)


class _Entry(msgspec.Struct, array_like=True, frozen=True):
    title: str
    category: Literal["css", "html", "image", "others"]
    tested: date
    support: str
    notes: dict[str, str]


class _Document(msgspec.Struct, frozen=True):
    source: str
    version: str
    updated: date
    families: dict[str, list[str]]
    features: dict[str, _Entry]


@functools.cache
def _document() -> _Document:
    return msgspec.json.decode(_FILE.read_bytes(), type=_Document)


def _entry(feature_id: str) -> _Entry:
    features = _document().features
    if feature_id not in features:
        raise NotFound(
            f'no facts about a feature "{feature_id}"',
            fix=did_you_mean(feature_id, features) or "caniemail.com lists its features by these names",
        )
    return features[feature_id]


@functools.cache
def families() -> Mapping[str, Family]:
    """The client families by the name that newsletter.toml uses."""
    return MappingProxyType(
        {name: Family(title, tuple(platforms)) for name, (title, *platforms) in _document().families.items()}
    )


def features() -> tuple[str, ...]:
    """The ids of all features, sorted."""
    return tuple(_document().features)


def title(feature_id: str) -> str:
    """The feature as its tests call it: ``border-radius``, ``<video> element``. Raises NotFound."""
    return _entry(feature_id).title


def tested(feature_id: str) -> date:
    """The day of the last test. Raises NotFound."""
    return _entry(feature_id).tested


@functools.cache
def support(feature_id: str) -> Mapping[str, Support]:
    """Every family's support for a feature. Raises NotFound."""
    entry = _entry(feature_id)
    return MappingProxyType(
        {
            name: _support(cell, family, entry.notes)
            for (name, family), cell in zip(families().items(), entry.support.split(), strict=True)
        }
    )


def _support(cell: str, family: Family, notes: Mapping[str, str]) -> Support:
    found = _CELL.fullmatch(cell)
    assert found is not None, f"facts.json: {cell}"
    level, platforms, version, numbers = found.groups()
    named = [family.platforms[int(digit)] for digit in platforms]
    told = tuple(notes[number] for number in (numbers or "").split(",") if number in notes)
    return Support(cast("Level", level), told, ", ".join(named), version or "")


def version() -> str:
    """The version of the package that the facts come from, and the day of its data: ``2.0.2 (2026-05-13)``."""
    return f"{_document().version} ({_document().updated})"
