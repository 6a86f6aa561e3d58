"""Writing YAML that every reader, of YAML 1.1 and of 1.2, takes for exactly the strings that were meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import yaml

SHORT = 96
"""A list of words stays on one line up to this many characters."""

_LEADING = set("!&*-?:,[]{}#|>@`\"'%=~<+.")
_RESOLVER = yaml.resolver.Resolver()
_STRING_TAG = "tag:yaml.org,2002:str"
# Anything a reader could take for a number, a time of day or a date (1.1 has 1_000, 0b1, 12:30:45; 1.2 has 0o7, 1e3).
_NUMBER_LIKE = re.compile(r"[0-9][0-9a-fA-FxXoO_.:,+\-TZ ]*")
_WORDS = re.compile(r"(?:y|n|yes|no|on|off|true|false|null)", re.IGNORECASE)
_UNPRINTABLE = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


class Plain(str):
    """A string written as it is, without quotes: a number, a date, ``true``."""

    __slots__ = ()


def normalised(value: Any) -> Any:
    """Turn a value into dicts, lists and strings as the file will hold them; absent values in tables go.

    Numbers, booleans and dates become ``Plain`` strings. Raises ``TypeError`` for anything else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return Plain("true" if value else "false")
    if isinstance(value, (int, float)):
        return Plain(repr(value))
    if isinstance(value, (datetime, date)):
        return Plain(value.isoformat())
    if isinstance(value, Mapping):
        return {str(k): normalised(v) for k, v in value.items() if v is not None}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [normalised(item) for item in value]
    raise TypeError(f"front matter cannot hold a {type(value).__name__}")


def needs_quotes(text: str, *, flow: bool = False) -> bool:
    """Whether some reader of YAML would take the bare text for anything but this string."""
    if not text or text != text.strip() or text[0] in _LEADING or _UNPRINTABLE.search(text):
        return True
    if ": " in text or text.endswith(":") or " #" in text or "{{" in text or "{%" in text:
        return True
    if flow and re.search(r"[,\[\]{}:?]", text):
        return True
    if _WORDS.fullmatch(text) or _NUMBER_LIKE.fullmatch(text):
        return True
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # PyYAML's stubs
    return bool(tag != _STRING_TAG)


def scalar(text: str, *, flow: bool = False, style: str | None = None) -> str:
    """One scalar on one line. ``style`` is the quote sign that stood there before and is kept where it can."""
    if isinstance(text, Plain):
        return str(text)
    if style not in {"'", '"'} and not needs_quotes(text, flow=flow):
        return text
    single = not _UNPRINTABLE.search(text) and (style == "'" or (style != '"' and _prefers_single(text)))
    if single:
        return "'" + text.replace("'", "''") + "'"
    return '"' + _UNPRINTABLE.sub(_escaped, re.sub(r'[\\"]', lambda m: _ESCAPES[m[0]], text)) + '"'


def _prefers_single(text: str) -> bool:
    return ('"' in text or "\\" in text) and "'" not in text


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def flow(value: Any) -> str:
    """A normalised value on one line: ``[a, b]``, ``{key: value}``, or a scalar fit for either."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(k, flow=True)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value, flow=True)


def on_one_line(value: Any, depth: int) -> str | None:
    """The value as it stands behind ``key:``, or None when it takes lines of its own."""
    if isinstance(value, str):
        return scalar(value)
    if not value:
        return flow(value)
    children = value.values() if isinstance(value, Mapping) else value
    if any(not isinstance(item, str) for item in children) or (isinstance(value, Mapping) and depth < 2):
        return None
    line = flow(value)
    return line if len(line) <= SHORT else None


def block(value: Any, indent: int, depth: int = 0) -> list[str]:
    """The lines of a non-empty table or list, each indented by ``indent`` spaces, without line ends."""
    pad = " " * indent
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            line = on_one_line(item, depth + 1)
            if line is None:
                lines += [f"{pad}{scalar(key)}:", *block(item, indent + 2, depth + 1)]
            else:
                lines.append(f"{pad}{scalar(key)}: {line}")
        return lines
    for item in value:
        line = on_one_line(item, 0)
        if line is None:
            inner = block(item, indent + 2, depth + 1)
            lines += [f"{pad}- {inner[0].lstrip(' ')}", *inner[1:]]
        else:
            lines.append(f"{pad}- {line}")
    return lines
