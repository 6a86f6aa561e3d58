"""Which features of HTML and CSS a finished mail really uses, where, and whether something else stands in for them.

A mail is built so that it holds without the newest features. What that rests on is read here, never assumed:

* kept style sheets only add to inlined styles, and a media query only chooses: a use there is no loss of substance;
* in a style, an earlier declaration of the same property with a plain value stays where the later one is not known;
* an attribute of HTML (``bgcolor``, ``align``, ``width`` …) says the same to Word;
* conditional comments are for Outlook for Windows: what stands beside them, or is hidden from it, is taken care of.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from newsletter.checks import features as table
from newsletter.checks.features import LOSSES, Loss

if TYPE_CHECKING:
    from newsletter.checks.page import Element, Page

WORD = "outlook-windows"
"""The family that reads conditional comments."""

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
_HIDES = re.compile(r"mso-hide\s*:\s*all", re.IGNORECASE)
_MSO_BLOCK = re.compile(r"\[if\s[^\]]*\bmso\b", re.IGNORECASE)
_MSO_TAG = re.compile(r"<(/?)(?:table|tr|td|[vw]:\w+)\b", re.IGNORECASE)
_NOT_MSO = re.compile(r"\[if\s+!mso\b", re.IGNORECASE)
_MSO_END = re.compile(r"\s*<!\[endif\]", re.IGNORECASE)
_PREFIX = re.compile(r"-(?:webkit|moz|ms|o)-")
_ENDING = re.compile(r"\.([a-z]{2,4})(?:[?#]|$)", re.IGNORECASE)
_DATA = re.compile(r"data:image/([a-z0-9.+-]+)", re.IGNORECASE)
_PSEUDO = re.compile(r"::?([a-z-]+)")
_LOOKS = (
    ("css-selector-attribute", re.compile(r"\[")),
    ("css-selector-child", re.compile(r">")),
    ("css-selector-adjacent-sibling", re.compile(r"\+")),
    ("css-selector-general-sibling", re.compile(r"~(?!=)")),
    ("css-selector-universal", re.compile(r"(?<![|^$~*])\*(?!=)")),
    ("css-selector-grouping", re.compile(r",")),
    ("css-selector-id", re.compile(r"#[\w-]")),
    ("css-selector-class", re.compile(r"\.[a-zA-Z_-]")),
    ("css-selector-chaining", re.compile(r"[.#][\w-]+[.#]")),
    ("css-selector-type", re.compile(r"(?:^|[\s>+~,])[a-zA-Z]")),
    ("css-selector-descendant", re.compile(r"[\w\])]\s+[\w.#\[:*]")),
)


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
class _Written:
    """A use in a style, before it is known on which element; ``stands_in`` would cure it there."""

    use: Use
    stands_in: tuple[str, ...]


def uses(page: Page, pictures: Mapping[str, str]) -> tuple[Use, ...]:
    """Every use in a page, in reading order; ``pictures`` has the media type of each picture that travels along."""
    if not page.elements:
        return ()
    return tuple(_walk(page, pictures))


def _walk(page: Page, pictures: Mapping[str, str]) -> Iterator[Use]:
    if page.html.lstrip()[:14].lower().startswith("<!doctype html"):
        yield Use("html-doctype", Loss.FINE, "<!DOCTYPE html>")
    elements = iter(page.elements)
    hidden_from_word = ghost = False
    for node in page.elements[0].node.iter():
        if isinstance(node.tag, str):
            element = next(elements)
            found = _of_style_sheet(node.text or "") if node.tag == "style" else _of_element(element, pictures)
            spared = frozenset({WORD}) if hidden_from_word or ghost or _has_ghost(node) else frozenset()
            ghost = False
            for use in found:
                yield dataclasses.replace(use, article=element.article, spared=spared)
            continue
        text = node.text or ""
        if _MSO_END.match(text):
            hidden_from_word = False
        elif _NOT_MSO.match(text):
            hidden_from_word = True
        elif _opens_for_word(text):
            ghost = not (node.tail or "").strip()  # what directly follows stands in Word's own table
        yield Use("html-comments", Loss.FINE, "<!-- -->")


def _has_ghost(node: Any) -> bool:
    """A conditional comment for Word among the children: it lays them out itself."""
    return any(not isinstance(child.tag, str) and _opens_for_word(child.text or "") for child in node)


def _opens_for_word(comment: str) -> bool:
    """A conditional comment that ends inside a table, a cell or a shape of its own."""
    tags: list[str] = _MSO_TAG.findall(comment) if _MSO_BLOCK.match(comment) else []
    return bool(tags) and not tags[-1]


def _of_element(element: Element, pictures: Mapping[str, str]) -> Iterator[Use]:
    tag, attributes = element.tag, element.attributes
    yield from _of_tag(element)
    for name, value in attributes.items():
        if name in table.ATTRIBUTES:
            yield _use(table.ATTRIBUTES[name], f"<{tag} {name}>")
        elif name == "href":
            yield from _of_link(value)
        elif name in ("usemap", "sizes"):
            yield _use("html-image-maps" if name == "usemap" else "html-srcset", name)
    if tag == "img":
        yield from _of_picture(attributes.get("src", ""), pictures)
    style = attributes.get("style")
    if style and not (hidden := _HIDES.search(style)):
        yield from _on(element, declared(style))
    elif style and hidden:
        yield _use("css-display-none", "display:none")


def _use(feature: str, shown: str) -> Use:
    return Use(feature, LOSSES.get(feature, Loss.FINE), shown)


def _of_tag(element: Element) -> Iterator[Use]:
    tag, attributes = element.tag, element.attributes
    if tag == "input":
        kind = attributes.get("type", "text").lower()
        yield Use(table.INPUTS.get(kind, "html-input-text"), Loss.FINE, f"<input type={kind}>")
    elif tag == "button":
        kind = attributes.get("type", "submit").lower()
        yield _use("html-button-reset" if kind == "reset" else "html-button-submit", "<button>")
    elif tag == "meta" and attributes.get("name", "").lower() == "color-scheme":
        yield _use("html-meta-color-scheme", "<meta name=color-scheme>")
    elif tag in table.ELEMENTS:
        found = _use(table.ELEMENTS[tag], f"<{tag}>")
        yield dataclasses.replace(found, cured=tag == "ruby" and element.node.find(".//rp") is not None)
        if tag in ("ol", "ul") and "reversed" in attributes:
            yield Use("html-lists", Loss.LOST, "<ol reversed>", limit="`reversed`")
        elif tag == "ol" and any(child.get("value") for child in element.node):
            yield Use("html-lists", Loss.LOST, "<li value>", limit="`value` attribute")


def _of_link(href: str) -> Iterator[Use]:
    if href.startswith("#") and len(href) > 1:
        yield _use("html-anchor-links", f"href={href}")
    elif href[:7].lower() == "mailto:":
        yield Use("html-mailto-links", Loss.FINE, "mailto:")
        if "bcc=" in href.lower():
            yield Use("html-mailto-links", Loss.LOST, "bcc in a mailto: link", limit="`bcc`")


def _of_picture(source: str, pictures: Mapping[str, str]) -> Iterator[Use]:
    """Pictures that travel along are picture-format's finding; here it is those that stay elsewhere."""
    if source in pictures:
        feature = table.PICTURES.get(pictures[source].removeprefix("image/"))
        if feature:
            yield Use(feature, Loss.FINE, pictures[source])
    elif inside := _DATA.match(source):
        yield Use("image-base64", Loss.FINE, f"data:image/{inside[1]}")
    elif (ending := _ENDING.search(source)) and ending[1].lower() in table.PICTURES:
        yield _use(table.PICTURES[ending[1].lower()], f"a picture in .{ending[1].lower()}")


def _on(element: Element, written: Sequence[_Written]) -> Iterator[Use]:
    """The uses of a style, on the element that has it."""
    for one in written:
        use = one.use
        if use.feature == "css-display-none" and (inside := _hidden_in_vain(element)):
            use = dataclasses.replace(use, loss=Loss.LOST, limit=inside)
        if any(name in element.attributes or name == f"<{element.tag}>" for name in one.stands_in):
            use = _cured(use)
        yield use


def _cured(use: Use) -> Use:
    """With a colour behind it a picture on the ground is decoration; of the rest nothing is lost."""
    if use.feature == "css-background-image":
        return dataclasses.replace(use, loss=Loss.LOOK)
    return dataclasses.replace(use, cured=True)


def _hidden_in_vain(element: Element) -> str:
    """Word shows a picture, or a table within, of what is hidden by ``display:none`` without ``mso-hide:all``."""
    if element.tag == "img":
        return "`<img>` element"
    return "nested `<table>`" if element.node.find(".//table") is not None else ""


@functools.lru_cache(maxsize=4096)
def declared(style: str) -> tuple[_Written, ...]:
    """The uses in a style attribute, or in the body of a rule. Cached: a mail repeats the same few styles."""
    import tinycss2

    found: list[_Written] = []
    if "/*" in style:
        found.append(_Written(Use("css-comments", Loss.FINE, "/* */"), ()))
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
        found.append(_Written(_use("css-nesting", "a rule inside a rule"), ()))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Style:
    """``plain`` grows: the properties that so far have a value which every client reads."""

    names: frozenset[str]
    grounded: bool
    plain: set[str]

    def stays(self, name: str) -> bool:
        """Something written before is left where this property's new value is not known."""
        older = _OLDER.get(name) or re.sub(r"-(?:inline|block)(?:-(?:start|end))?$", "", name)
        return name in self.plain or older in self.plain


def _colours_the_ground(node: Any) -> bool:
    """A colour for the ground that stays when the picture or the gradient over it is not drawn."""
    return node.lower_name in ("background", "background-color") and not any(
        token.type == "function" and LOSSES.get(table.FUNCTIONS.get(token.lower_name, "")) in _CURED | {Loss.LOST}
        for token in node.value
    )


def _of_declaration(node: Any, style: _Style) -> Iterator[_Written]:
    name = _PREFIX.sub("", node.lower_name, count=1)
    text = _serialized(node.value)
    shown = f"{name}:{_short(text)}"
    stands_in = _STANDS_IN.get(name, ())
    stays, fragile = style.stays(name), False
    own = table.PROPERTIES.get(name)
    if own:
        yield _Written(dataclasses.replace(_use(own, shown), cured=stays), stands_in)
    if node.important:
        yield _Written(_use("css-important", "!important"), ())
    for feature, part in _in_value(node.value):
        use = _use(feature, part)
        if use.loss is not Loss.FINE:
            use = dataclasses.replace(use, shown=shown)
            fragile = True
        if name.startswith("--") or LOSSES.get(own or "") is Loss.LOOK:
            use = dataclasses.replace(use, loss=Loss.FINE)  # not used yet; of a decoration its own loss is told
        elif feature == "css-rgba" and name not in _COLOURS:
            use = dataclasses.replace(use, loss=Loss.LOOK)
        if stays or (use.loss is Loss.GRADIENT and style.grounded):
            use = dataclasses.replace(use, cured=True)
        yield _Written(use, stands_in)
    for use in _by_value(name, text.lower(), node.value):
        if use.feature == "css-overflow" and not style.names & {"height", "max-height"}:
            continue  # nothing is cut off
        grounded = use.feature == "css-background-image" and style.grounded
        yield _Written(_cured(use) if grounded else use, stands_in)
    if not fragile:
        style.plain.add(name)


def _serialized(tokens: Sequence[Any]) -> str:
    import tinycss2

    return str(tinycss2.serialize(tokens)).strip()


def _short(text: str) -> str:
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
    shown = f"{name}:{_short(text)}"
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
    elif name.startswith("border") and any(_wider(token, 8) for token in tokens):
        yield Use("css-border", Loss.LOOK, shown, limit="bigger than 8px")


def _is_picture(token: Any) -> bool:
    return bool(token.type == "url" or (token.type == "function" and token.lower_name == "url"))


def _wider(token: Any, pixels: int) -> bool:
    return bool(token.type == "dimension" and token.lower_unit == "px" and token.value > pixels)


@functools.lru_cache(maxsize=64)
def _of_style_sheet(css: str) -> tuple[Use, ...]:
    import tinycss2

    found = [_use("html-style", "<style>")]
    if "/*" in css:
        found.append(_use("css-comments", "/* */"))
    for node in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        found += _of_rule(node, chosen=False)
    return tuple(found)


def _of_rule(node: Any, *, chosen: bool) -> Iterator[Use]:
    """The uses of one rule. ``chosen``: inside an at-rule, where nothing is lost with it but what it adds."""
    import tinycss2

    if node.type == "qualified-rule":
        yield from _of_selector(_serialized(node.prelude))
        for written in declared(_serialized(node.content)):
            yield _kept(written.use, chosen)
    elif node.type == "at-rule":
        keyword = _PREFIX.sub("", node.lower_at_keyword, count=1)
        if keyword in table.AT_RULES:
            yield _use(table.AT_RULES[keyword], f"@{keyword}")
        if keyword == "media":
            yield from _of_media(node.prelude)
        if node.content and keyword in ("media", "supports"):
            for inner in tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True):
                yield from _of_rule(inner, chosen=True)


def _kept(use: Use, chosen: bool) -> Use:
    """A style sheet adds to what is inlined: what is lost with it is at most decoration."""
    if use.loss is Loss.FINE or use.feature == "css-nesting":
        return use
    return dataclasses.replace(use, loss=Loss.FINE if chosen or use.cured else Loss.LOOK)


def _of_media(prelude: Sequence[Any]) -> Iterator[Use]:
    for token in prelude:
        for inner in token.content if token.type == "() block" else ():
            if inner.type == "ident" and inner.lower_value in table.MEDIA:
                yield _use(table.MEDIA[inner.lower_value], f"@media ({inner.value})")


def _of_selector(selector: str) -> Iterator[Use]:
    for feature, looks in _LOOKS:
        if looks.search(selector):
            yield _use(feature, _short(selector))
    for name in _PSEUDO.findall(selector):
        if name in table.PSEUDO:
            yield _use(table.PSEUDO[name], f":{name}")
