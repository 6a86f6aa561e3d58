"""Saying in an editor's words why data does not fit one of our msgspec types. Used for TOML and YAML alike."""

from __future__ import annotations

import re
import types
import typing
from dataclasses import dataclass
from typing import Any

import msgspec

from newsletter.errors import did_you_mean

_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table of keys and values",
    "null": "nothing",
    "date": "a date such as 2026-11-27",
}


_EXAMPLES = {"text": "it in quotes", "a list": "it in brackets: [one, two]"}


@dataclass(frozen=True, slots=True)
class Misfit:
    """``path`` leads to the value (or to the unknown or missing key); ``problem`` is a sentence; ``hint`` a fix."""

    path: tuple[str | int, ...]
    problem: str
    hint: str | None = None

    @property
    def key(self) -> str:
        """The path as a dotted key: ``sections[1].layout`` counts from 1, as editors do."""
        parts = [f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in self.path]
        return "".join(parts).removeprefix(".")


def misfit(error: msgspec.ValidationError, cls: Any, data: Any, *, strict: bool) -> Misfit:
    """Translate msgspec's error about ``data`` as ``cls``; ``strict`` as ``msgspec.convert`` had it."""
    text, _, place = str(error).partition(" - at `")
    path = _path(place.removesuffix("`"), cls, data, strict)
    if match := re.fullmatch(r"Object contains unknown field `(.*)`", text):
        known = _keys(type_at(cls, path))
        hint = did_you_mean(match[1], known) or (f"the keys here are {', '.join(sorted(known))}" if known else None)
        return Misfit((*path, match[1]), "unknown key", hint)
    if match := re.fullmatch(r"Object missing required field `(.*)`", text):
        return Misfit((*path, match[1]), "this key is missing", f"write a value for {match[1]}")
    if match := re.fullmatch(r"Invalid enum value '?(.*?)'?", text):
        choices = [str(choice) for choice in _choices(type_at(cls, path))]
        hint = did_you_mean(match[1], choices) or "write one of these words"
        return Misfit(path, f"{match[1]!r} is none of {', '.join(choices)}", hint)
    if match := re.fullmatch(r"Expected `array` of length (\d+), got (\d+)", text):
        return Misfit(path, f"expected a list of {match[1]}, found {match[2]}", f"write {match[1]} values")
    if match := re.fullmatch(r"Expected `(.*)`, got `(.*)`", text):
        wanted = _in_words(match[1])
        return Misfit(path, f"expected {wanted}, found {_in_words(match[2])}", f"write {_EXAMPLES.get(wanted, wanted)}")
    return Misfit(path, text)


def _path(place: str, cls: Any, data: Any, strict: bool) -> tuple[str | int, ...]:
    path: tuple[str | int, ...] = ()
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", place):
        if index == "...":
            path = (*path, _wrong_key(type_at(cls, path), data, strict))
        else:
            path = (*path, name or int(index))
        data = _inside(data, path[-1])
    return path


def _wrong_key(kind: Any, data: Any, strict: bool) -> str:
    """msgspec does not say which key of a free table holds the wrong value: the first whose value does not fit."""
    value_type = next((a[1] for member in members(kind) if len(a := typing.get_args(member)) == 2), Any)
    for key, value in data.items() if isinstance(data, dict) else ():
        try:
            msgspec.convert(value, value_type, strict=strict)
        except msgspec.ValidationError:
            return str(key)
    return "…"


def _inside(data: Any, step: str | int) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None


def _in_words(kinds: str) -> str:
    words = [_WORDS.get(kind, kind) for kind in kinds.split(" | ") if kind != "null" or kinds == "null"]
    return " or ".join(words)


def members(kind: Any) -> list[Any]:
    """The alternatives of a union, or the type alone."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [member for member in typing.get_args(kind) if member is not type(None)]
    return [kind]


def type_at(cls: Any, path: tuple[str | int, ...]) -> Any:
    """The declared type at the end of ``path``, or None when the path leaves what is declared."""
    kind = cls
    for step in path:
        kind = next((found for member in members(kind) if (found := _step(member, step)) is not None), None)
    return kind


def _step(kind: Any, step: str | int) -> Any:
    arguments = typing.get_args(kind)
    if isinstance(step, int):
        return arguments[0] if arguments else None
    if typing.get_origin(kind) is dict:
        return arguments[1]
    return typing.get_type_hints(kind).get(step) if isinstance(kind, type) else None


def _keys(kind: Any) -> list[str]:
    return [
        field.encode_name
        for member in members(kind)
        if isinstance(member, type) and issubclass(member, msgspec.Struct)
        for field in msgspec.structs.fields(member)
    ]


def _choices(kind: Any) -> list[Any]:
    return [
        choice
        for member in members(kind)
        if typing.get_origin(member) is typing.Literal
        for choice in typing.get_args(member)
    ]
