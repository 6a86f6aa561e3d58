"""The uses of features in a style attribute or in the body of a rule, each with what stands in for it there."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.checks import features as table
from newsletter.checks.features import LOSSES, Loss

_STANDS_IN: Mapping[str, tuple[str, ...]] = {
    "background": ("bgcolor",),
    "background-color": ("bgcolor",),
    "background-image": ("bgcolor",),
    "border-spacing": ("cellspacing",),
    "float": ("align",),
    "height": ("height",),
    "text-align": ("align",),
    "white-space": ("<pre>",),
    "width": ("width",),
}
"""The attribute, or the element, that says to any client what the property says."""

_OLDER = {
    "background-color": "background",
    "background-image": "background",
    "block-size": "height",
    "inline-size": "width",
    "line-height": "font",
    "max-inline-size": "max-width",
    "max-block-size": "max-height",
}
"""The property that, written before, leaves a value of its own where the later one is not known."""

_CURED = frozenset({Loss.VALUE, Loss.GRADIENT, Loss.BREAKS})
_COLOURS = frozenset({"color", "background", "background-color"})
_LOGICAL = re.compile(r"(margin|padding|border)-(?:inline|block)(?:-.*)?")

PREFIX = re.compile(r"-(?:webkit|moz|ms|o)-")
"""A vendor's prefix of a property or an at-rule."""


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a feature.

    ``shown`` is how the mail writes it. ``limit`` is a pattern: a client with partial support loses this use when a
    note of its tests matches. ``spared`` are families that the page takes care of. ``cured``: something else in the
    page says the same to clients that do not know it.
    """

    feature: str
    loss: Loss
    shown: str
    limit: str | None = None
    cured: bool = False
    article: str | None = None
    spared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Written:
    """A use in a style, before it is known on which element; ``stands_in`` would cure it there."""

    use: Use
    stands_in: tuple[str, ...]


def use_of(feature: str, shown: str) -> Use:
    """A use that loses what its feature loses."""
    return Use(feature, LOSSES.get(feature, Loss.FINE), shown)


def cured(use: Use) -> Use:
    """With a colour behind it a picture on the ground is decoration; of the rest nothing is lost."""
    if use.feature == "css-background-image":
        return dataclasses.replace(use, loss=Loss.LOOK)
    return dataclasses.replace(use, cured=True)


@functools.lru_cache(maxsize=4096)
def declared(style: str) -> tuple[Written, ...]:
    """The uses in a style attribute, or in the body of a rule. Cached: a mail repeats the same few styles."""
    import tinycss2

    found: list[Written] = []
    if "/*" in style:
        found.append(Written(Use("css-comments", Loss.FINE, "/* */"), ()))
    nodes = tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True)
    declarations = [n for n in nodes if n.type == "declaration" and not n.lower_name.startswith("mso-")]
    context = _Style(
        names=frozenset(node.lower_name for node in declarations),
        grounded=any(_colours_the_ground(node) for node in declarations),
        plain=set(),
    )
    for node in declarations:
        found += _of_declaration(node, context)
    if any(node.type == "qualified-rule" for node in nodes):
        found.append(Written(use_of("css-nesting", "a rule inside a rule"), ()))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Style:
    """``plain`` grows: the properties that so far have a value which every client reads."""

    names: frozenset[str]
    grounded: bool
    plain: set[str]

    def stays(self, name: str) -> bool:
        """Something written before is left where this property's new value is not known."""
        logical = _LOGICAL.fullmatch(name)
        if logical and any(one.startswith(f"{logical[1]}-") and not _LOGICAL.fullmatch(one) for one in self.plain):
            return True
        return bool(self.plain & {name, logical[1] if logical else _OLDER.get(name)})


def _colours_the_ground(node: Any) -> bool:
    """A colour for the ground that stays when the picture or the gradient over it is not drawn."""
    from tinycss2.color3 import parse_color

    if node.lower_name not in ("background", "background-color"):
        return False
    named = (token.lower_name for token in node.value if token.type == "function")
    if any(LOSSES.get(table.FUNCTIONS.get(name, ""), Loss.FINE) is not Loss.FINE for name in named):
        return False  # where that is not known the whole declaration is dropped
    return any(getattr(parse_color(token), "alpha", 0) for token in node.value)


def _of_declaration(node: Any, style: _Style) -> Iterator[Written]:
    name = PREFIX.sub("", node.lower_name, count=1)
    text = serialized(node.value)
    shown = f"{name}:{short(text)}"
    stands_in = _STANDS_IN.get(name, ())
    stays, fragile = style.stays(name), False
    own = table.PROPERTIES.get(name)
    if own:
        yield Written(dataclasses.replace(use_of(own, shown), cured=stays), stands_in)
    if node.important:
        yield Written(use_of("css-important", "!important"), ())
    for feature, part in _in_value(node.value):
        use = use_of(feature, part)
        if use.loss is not Loss.FINE:
            use = dataclasses.replace(use, shown=shown)
            fragile = True
        if name.startswith("--") or LOSSES.get(own or "") is Loss.LOOK:
            use = dataclasses.replace(use, loss=Loss.FINE)  # not used yet; of a decoration its own loss is told
        elif feature == "css-rgba" and name not in _COLOURS:
            use = dataclasses.replace(use, loss=Loss.LOOK)
        if stays or (use.loss is Loss.GRADIENT and style.grounded):
            use = dataclasses.replace(use, cured=True)
        yield Written(use, stands_in)
    for use in _by_value(name, text.lower(), node.value):
        if use.feature == "css-overflow" and not style.names & {"height", "max-height"}:
            continue  # nothing is cut off
        grounded = use.feature == "css-background-image" and style.grounded
        yield Written(cured(use) if grounded else use, stands_in)
    if not fragile:
        style.plain.add(name)


def serialized(tokens: Sequence[Any]) -> str:
    """tinycss2's tokens as CSS again."""
    import tinycss2

    return str(tinycss2.serialize(tokens)).strip()


def short(text: str) -> str:
    """Short enough to stand in a sentence."""
    return text if len(text) <= 40 else text[:39] + "…"


def _in_value(tokens: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """(feature, as written) of functions, units and keywords, at any depth."""
    for token in tokens:
        kind = token.type
        if kind == "dimension" and token.lower_unit in table.UNITS:
            yield table.UNITS[token.lower_unit], f"{token.representation}{token.unit}"
        elif kind == "percentage":
            yield "css-unit-percent", f"{token.representation}%"
        elif kind == "ident" and token.lower_value in table.KEYWORDS:
            yield table.KEYWORDS[token.lower_value], token.value
        elif kind == "function":
            if token.lower_name in table.FUNCTIONS:
                yield table.FUNCTIONS[token.lower_name], f"{token.name}()"
            yield from _in_value(token.arguments)


def _by_value(name: str, text: str, tokens: Sequence[Any]) -> Iterator[Use]:
    """Uses that only some values of a property make, and those that partial support leaves out."""
    shown = f"{name}:{short(text)}"
    word = text.split("!")[0].strip()
    if name == "display":
        if word in ("none", "flex", "inline-flex", "grid", "inline-grid"):
            feature = f"css-display-{word.removeprefix('inline-')}"
            yield Use(feature, LOSSES.get(feature, Loss.FINE), shown)
        elif word in ("flow-root", "contents"):
            yield Use("css-display", Loss.LOST, shown, limit=f"`{word}`|Only supports `display:none`")
    elif name == "position" and word in ("absolute", "fixed", "sticky"):
        yield Use("css-position", Loss.LOST, shown, limit=rf"but not [^.]*`{word}`")
    elif name == "visibility" and word in ("hidden", "collapse"):
        yield Use("css-visibility", Loss.LOST, shown)
    elif name in ("overflow", "overflow-x", "overflow-y") and word in ("hidden", "clip", "auto", "scroll"):
        yield Use("css-overflow", Loss.LOST, shown)
    elif name == "white-space" and word.startswith(("pre", "break-spaces")):
        yield Use("css-white-space", Loss.LOST, shown, limit="`pre` value" if word == "pre" else None)
    elif name == "text-align" and word == "end":
        yield Use("css-text-align", Loss.LOST, shown, limit="`end`")
    elif name == "text-transform" and word == "lowercase":
        yield Use("css-text-transform", Loss.LOOK, shown, limit="`lowercase`")
    elif name == "text-decoration" and "overline" in text:
        yield Use("css-text-decoration", Loss.LOOK, shown, limit="`overline`")
    elif name in ("background", "background-image") and any(_is_picture(token) for token in tokens):
        yield Use("css-background-image", Loss.LOST, shown)
    elif name == "list-style" and any(_is_picture(token) for token in tokens):
        yield Use("css-list-style", Loss.LOOK, shown, limit="`list-style-image`|Only `list-style-type`")
    elif name.startswith("margin") and any(token.type == "dimension" and token.value < 0 for token in tokens):
        yield Use("css-margin", Loss.LOST, shown, limit="Negative values")
    elif name == "text-indent" and text.startswith("-"):
        yield Use("css-text-indent", Loss.LOOK, shown, limit="[Nn]egative values")
    elif table.PROPERTIES.get(name) == "css-border" and any(_wider(token, 8) for token in tokens):
        yield Use("css-border", Loss.LOOK, shown, limit="bigger than 8px")


def _is_picture(token: Any) -> bool:
    return bool(token.type == "url" or (token.type == "function" and token.lower_name == "url"))


def _wider(token: Any, pixels: int) -> bool:
    return bool(token.type == "dimension" and token.lower_unit == "px" and token.value > pixels)
