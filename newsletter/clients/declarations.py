"""Declarations: what a style attribute or a rule says, property by property."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2

from newsletter.clients.colours import parse_colour

WIDE = frozenset({"inherit", "initial", "unset", "revert"})
"""Values that every property may have."""

_NORMAL_FONT = ("font-style", "font-variant", "font-weight", "font-stretch")
_SYSTEM_FONTS = frozenset({"caption", "icon", "menu", "message-box", "small-caption", "status-bar"})
_SIZES = frozenset(
    {"xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "xxx-large", "smaller", "larger"}
)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One ``name: value``; the name is in lower case, ``value`` without the ``!important``.

    ``tight`` says that there was no blank before that, which some clients do not read.
    """

    name: str
    value: str
    important: bool = False
    tight: bool = False

    def __str__(self) -> str:
        return f"{self.name}:{self.value}{' !important' if self.important else ''}"


@lru_cache(maxsize=4096)
def parse_style(style: str) -> tuple[Declaration, ...]:
    """The declarations of a style attribute in their order; what is none is left out, as a browser does."""
    return declarations_of(tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True))


def declarations_of(nodes: Sequence[Any]) -> tuple[Declaration, ...]:
    """The declarations among tinycss2's nodes."""
    return tuple(
        Declaration(
            node.name if node.name.startswith("--") else node.lower_name,
            tinycss2.serialize(node.value).strip(),
            bool(node.important),
            bool(node.important and node.value) and node.value[-1].type != "whitespace",
        )
        for node in nodes
        if node.type == "declaration"
    )


def written(declarations: Sequence[Declaration]) -> str:
    """The declarations as a style attribute or the body of a rule."""
    return ";".join(map(str, declarations))


@lru_cache(maxsize=4096)
def longhands(declaration: Declaration) -> tuple[Declaration, ...]:
    """``background`` and ``font`` as the properties that they set; nothing for a value that a browser refuses."""
    return tuple(Declaration(name, value, declaration.important) for name, value in _expanded(declaration))


def _expanded(declaration: Declaration) -> Iterator[tuple[str, str]]:
    name, value = declaration.name, declaration.value
    if name in ("color", "background-color"):
        if is_colour(value):
            yield name, value
    elif name not in ("background", "font"):
        yield name, value
    elif value.lower() in WIDE or "var(" in value.lower():
        names = ("background-color", "background-image") if name == "background" else (*_NORMAL_FONT, *_FONT)
        yield from ((name, value) for name in names)
    elif name == "background":
        yield "background-color", ground_of(value) or "transparent"
        yield "background-image", picture_of(value) or "none"
    else:
        yield from _font(value)


_FONT = ("font-size", "line-height", "font-family")


def is_colour(value: str) -> bool:
    """Whether ``color`` takes the value; a variable is taken and may turn out to be nothing."""
    low = value.lower()
    return low in WIDE or low == "currentcolor" or "var(" in low or parse_colour(value) is not None


def _values(text: str) -> list[Any]:
    return list(tinycss2.parse_component_value_list(text, skip_comments=True))


def ground_of(background: str) -> str | None:
    """The colour in a ``background`` shorthand."""
    for token in _values(background):
        text = str(token.serialize())
        if token.type in ("ident", "hash", "function") and (
            text.lower() == "currentcolor" or parse_colour(text) is not None
        ):
            return text
    return None


def picture_of(background: str) -> str | None:
    """The first picture or gradient in a ``background`` shorthand."""
    for token in _values(background):
        if token.type == "url" or (
            token.type == "function"
            and (token.lower_name in ("url", "image-set", "cross-fade") or token.lower_name.endswith("gradient"))
        ):
            return str(token.serialize())
    return None


def _font(value: str) -> Iterator[tuple[str, str]]:
    """``[style || variant || weight || stretch] size[/line-height] family``; a size and a family must be there."""
    if value.lower() in _SYSTEM_FONTS:
        yield from (("font-size", "13.333px"), ("line-height", "normal"), ("font-family", "sans-serif"))
        return
    tokens = _values(value)
    at = next((i for i, token in enumerate(tokens) if _is_size(token)), None)
    if at is None:
        return
    head = [token.serialize() for token in tokens[:at] if token.type != "whitespace"]
    rest = tokens[at + 1 :]
    while rest and rest[0].type == "whitespace":
        rest = rest[1:]
    line = "normal"
    if rest and rest[0].type == "literal" and rest[0].value == "/":
        rest = [token for i, token in enumerate(rest[1:]) if i or token.type != "whitespace"]
        line, rest = (rest[0].serialize(), rest[1:]) if rest else (line, rest)
    family = tinycss2.serialize(rest).strip()
    if not family:
        return
    slanted = next((word for word in head if word.lower() in ("italic", "oblique")), "normal")
    heavy = next((word for word in head if word.lower() in ("bold", "bolder", "lighter") or word.isdigit()), "normal")
    yield from (("font-style", slanted), ("font-variant", "normal"), ("font-weight", heavy), ("font-stretch", "normal"))
    yield from (("font-size", tokens[at].serialize()), ("line-height", line), ("font-family", family))


def _is_size(token: Any) -> bool:
    """A bare number from 1 to 1000 among the first values of ``font`` is a weight, not a size."""
    if token.type in ("dimension", "percentage"):
        return True
    return (token.type == "ident" and token.lower_value in _SIZES) or (token.type == "function")
