"""Media queries: does this one hold on that screen (Media Queries 4, as far as mail uses it)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import tinycss2

Scheme = Literal["light", "dark"]

_HEIGHT = 800
_PIXELS = {"px": 1.0, "em": 16.0, "rem": 16.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54}
_DOTS = {"dppx": 1.0, "x": 1.0, "dpi": 1 / 96, "dpcm": 2.54 / 96}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Screen:
    """What a mail is shown on: CSS pixels across, light or dark."""

    width: int = 600
    scheme: Scheme = "light"

    def number(self, feature: str) -> float | None:
        """The value of a feature that is a number, or None when there is no such feature."""
        name = feature.removeprefix("device-")
        sizes = {"width": self.width, "height": _HEIGHT, "resolution": 1.0, "-webkit-device-pixel-ratio": 1.0}
        return sizes.get(name)

    def word(self, feature: str) -> str | None:
        """The value of a feature that is a word, or None when there is no such feature."""
        return {
            "prefers-color-scheme": self.scheme,
            "prefers-reduced-motion": "no-preference",
            "orientation": "landscape" if self.width > _HEIGHT else "portrait",
            "hover": "hover",
            "pointer": "fine",
        }.get(feature)


@lru_cache(maxsize=1024)
def holds(query: str, screen: Screen) -> bool:
    """Whether a list of media queries holds: one of them is enough, and an empty list always does.

    What cannot be understood does not hold, as in a browser.
    """
    tokens = tinycss2.parse_component_value_list(query, skip_comments=True)
    queries = _split(tokens, ",")
    if len(queries) == 1 and not queries[0]:
        return True
    return any(_query_holds(part, screen) is True for part in queries)


def _split(tokens: Sequence[Any], comma: str) -> list[list[Any]]:
    parts: list[list[Any]] = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == comma:
            parts.append([])
        elif token.type != "whitespace":
            parts[-1].append(token)
    return parts


def _query_holds(tokens: Sequence[Any], screen: Screen) -> bool | None:
    """``[not | only] type [and (…)]*``, or a condition alone; None is "not understood"."""
    words = [token.lower_value if token.type == "ident" else "" for token in tokens]
    turned = words[:1] == ["not"] and words[1:2] not in ([], [""])
    if words[:1] == ["only"] or turned:
        tokens, words = tokens[1:], words[1:]
    if not words or words[0] in ("", "not"):
        return _condition_holds(tokens, screen)
    held: bool | None = words[0] in ("all", "screen")
    if words[1:]:
        rest = _condition_holds(tokens[2:], screen) if words[1] == "and" else None
        held = None if rest is None else held and rest
    return held if held is None or not turned else not held


def _condition_holds(tokens: Sequence[Any], screen: Screen) -> bool | None:
    """``(…)``, ``not (…)``, ``(…) and (…)``, ``(…) or (…)``."""
    if tokens and tokens[0].type == "ident" and tokens[0].lower_value == "not":
        held = _block_holds(tokens[1], screen) if len(tokens) == 2 else None
        return None if held is None else not held
    blocks, between = tokens[::2], {getattr(token, "lower_value", "") for token in tokens[1::2]}
    if not len(tokens) % 2 or len(between) > 1 or not between <= {"and", "or"}:
        return None
    held_all = [_block_holds(block, screen) for block in blocks]
    if None in held_all:
        return None
    return any(held_all) if between == {"or"} else all(held_all)


def _block_holds(block: Any, screen: Screen) -> bool | None:
    if block.type != "() block":
        return None
    tokens = [token for token in block.content if token.type != "whitespace"]
    if tokens and (tokens[0].type == "() block" or getattr(tokens[0], "lower_value", "") == "not"):
        return _condition_holds(tokens, screen)
    return _feature_holds(tokens, screen)


def _feature_holds(tokens: Sequence[Any], screen: Screen) -> bool | None:
    """``name``, ``name: value``, ``name <= value``, ``value <= name <= value``."""
    if len(tokens) == 1 and tokens[0].type == "ident":
        name = tokens[0].lower_value
        return bool(screen.number(name)) or screen.word(name) not in (None, "no-preference")
    if len(tokens) == 3 and tokens[0].type == "ident" and tokens[1].type == "literal" and tokens[1].value == ":":
        return _is(tokens[0].lower_value, tokens[2], screen)
    return _in_range(tokens, screen)


def _is(name: str, value: Any, screen: Screen) -> bool | None:
    if value.type == "ident":
        word = screen.word(name)
        return None if word is None else word == value.lower_value
    number = _number(value)
    for prefix, compare in (("min-", operator.ge), ("max-", operator.le), ("", operator.eq)):
        if prefix in name:
            found = screen.number(name.replace(prefix, "", 1))
            return None if found is None or number is None else compare(found, number)
    return None


def _in_range(tokens: Sequence[Any], screen: Screen) -> bool | None:
    sides: list[float | None] = []
    signs: list[str] = []
    sign = ""
    for token in tokens:
        if token.type == "literal" and token.value in "<>=":
            sign += token.value
            continue
        if sides:
            signs.append(sign)
        sign = ""
        sides.append(screen.number(token.lower_value) if token.type == "ident" else _number(token))
    if len(sides) < 2 or None in sides or sign or not set(signs) <= set(_COMPARE):
        return None
    numbers = [side for side in sides if side is not None]
    return all(_COMPARE[s](a, b) for s, a, b in zip(signs, numbers[:-1], numbers[1:], strict=True))


def _number(token: Any) -> float | None:
    """Pixels, dots a pixel, or a bare number."""
    if token.type == "number":
        return float(token.value)
    if token.type != "dimension":
        return None
    factor = {**_PIXELS, **_DOTS}.get(token.lower_unit)
    return None if factor is None else float(token.value) * factor
