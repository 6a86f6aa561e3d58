"""Gmail in the browser, and its apps for Google accounts.

Source: caniemail.com (tests of 2019–2025) for properties, selectors, media queries and elements; the limits of
``<style>`` and of the whole mail are in ``docs/clients.md``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from newsletter.clients.declarations import Declaration, declarations_of, written
from newsletter.clients.pages import (
    body_of,
    drop,
    drop_comments,
    drop_each,
    drop_handlers,
    elements,
    head_of,
    make,
    parse,
    serialise,
    set_or_drop,
    unwrap_each,
)
from newsletter.clients.properties import GMAIL_DROPS
from newsletter.clients.sheets import (
    Rewriter,
    Tokens,
    attribute_selectors,
    contents,
    inside,
    parsed,
    pseudos,
    text_of,
)
from newsletter.clients.taken import Seen, Tally, named

if TYPE_CHECKING:
    from lxml.etree import _Element

CLIP = 102 * 1024
"""Bytes of HTML after which Gmail cuts a message off."""

STYLES = 16_384
"""Characters of ``<style>`` that Gmail reads, all of them together."""


_MEDIA = ("width", "min-width", "max-width", "device-width", "min-device-width", "max-device-width", "orientation")
_REMOVED = ("script", "iframe", "object", "embed", "applet", "svg", "math", "link", "base", "meta", "title", "template")
_UNWRAPPED = ("picture", "source", "video", "audio", "track", "bdi", "details", "summary", "main", "nav", "dialog")
_CLIPPED = (
    '<div style="padding:12px 0;font:13px/1.5 Arial,Helvetica,sans-serif;color:#222">[Message clipped]&nbsp; '
    '<span style="color:#15c;text-decoration:underline">View entire message</span></div>'
)

Filter = Callable[[Declaration], str | None]
"""Why a declaration is taken away, or None when it stays."""


def gmail(html: str) -> Seen:
    """The page as Gmail shows it to a Google account."""
    return simulate(html, styles=True, filters=reason)


def simulate(html: str, *, styles: bool, filters: Filter) -> Seen:
    """What Gmail and its variants share. ``styles`` says whether ``<style>`` is read at all."""
    tally = Tally()
    prefix = f"m_{zlib.crc32(html.encode('utf-8', 'replace'))}"
    kept, clipped = _clip(html)
    root = parse(kept)
    drop_comments(root)
    _styles(root, prefix, tally, read=styles, filters=filters)
    drop_each(root, _REMOVED[:7], tally, "<*>")
    drop_each(root, _REMOVED[7:8], tally, "linked style sheets (<link>)")
    drop_each(root, _REMOVED[8:], Tally(), "")  # nobody misses what is not shown
    unwrap_each(root, _UNWRAPPED, tally, "<*> around what it holds")
    drop_handlers(root)
    names = prefix if styles else None
    for element in elements(root):
        _attributes(element, tally, filters, names)
    _wrap(root, clipped)
    if clipped:
        size = len(html.encode("utf-8", "replace")) / 1024
        tally.add(f"everything after {CLIP // 1024} KB: the mail has {size:.1f}", 0)
    return Seen(serialise(root), tally.took())


# ---- the clip ---------------------------------------------------------------------------------------------------


def _clip(html: str) -> tuple[str, bool]:
    """The page up to the limit, cut before a tag that would be broken, and whether it was cut."""
    raw = html.encode("utf-8", "replace")
    if len(raw) <= CLIP:
        return html, False
    kept = raw[:CLIP].decode("utf-8", "ignore")
    opened = kept.rfind("<")
    return (kept[:opened] if opened > kept.rfind(">") else kept), True


def _wrap(root: _Element, clipped: bool) -> None:
    """Gmail puts the body into a ``<div>`` of its own page, after an empty ``<u>``."""
    body = body_of(root)
    body.tag = "div"
    shell = make("body", style="margin:0;font:small/1.5 Arial,Helvetica,sans-serif")
    root.replace(body, shell)
    body.tail = None
    shell.append(make("u"))
    shell.append(body)
    if clipped:
        shell.append(body_of(parse(_CLIPPED))[0])


# ---- style sheets -----------------------------------------------------------------------------------------------


def _styles(root: _Element, prefix: str, tally: Tally, *, read: bool, filters: Filter) -> None:
    head = head_of(root)
    total = 0
    for style in list(root.iter("style")):
        css = style.text or ""
        total += len(css) if style.getparent() is head else 0
        why = _refusal(css, total, in_head=style.getparent() is head) if read else "style sheets (<style>)"
        if why is not None:
            tally.add(why)
        left = _rewriter(prefix, tally, filters)(css) if why is None else ""
        if left:
            style.text = f"\n{left}\n"
        else:
            drop(style)


def _refusal(css: str, total: int, *, in_head: bool) -> str | None:
    """Why Gmail drops a whole ``<style>``, or None when it reads it."""
    if not in_head:
        return "style sheets in the body (<style>)"
    if total > STYLES:
        return f"style sheets past {STYLES:,} characters in all (<style>)"
    nodes = parsed(css)
    if any(_nested(node) for node in nodes):
        return "a whole style sheet for an @-rule inside an @-rule (<style>)"
    if any(_broken(node) for node in nodes):
        return "a whole style sheet for a mistake in it (<style>)"
    return None


def _nested(node: Any) -> bool:
    return node.type == "at-rule" and node.content is not None and any(_has_at(token) for token in node.content)


def _has_at(token: Any) -> bool:
    return token.type == "at-keyword" or any(_has_at(inner) for inner in getattr(token, "content", None) or ())


def _broken(node: Any) -> bool:
    """A syntax error, or a colour written with blanks for commas, which Gmail takes for one."""
    if node.type == "error":
        return True
    if node.type == "at-rule":
        return any(_broken(inner) for inner in inside(node))
    if node.type != "qualified-rule":
        return False
    found = contents(node)
    return any(inner.type == "error" or (inner.type == "declaration" and blank_colour(inner.value)) for inner in found)


def blank_colour(tokens: Tokens) -> bool:
    """Whether ``rgb(0 0 0 / 1)`` is among the values."""
    return any(
        token.type == "function"
        and token.lower_name in ("rgb", "rgba", "hsl", "hsla")
        and not any(inner.type == "literal" and inner.value == "," for inner in token.arguments)
        and any(inner.type in ("number", "percentage") for inner in token.arguments)
        for token in tokens
    )


def _rewriter(prefix: str, tally: Tally, filters: Filter) -> Rewriter:
    def at_rule(keyword: str, prelude: str, rules: int) -> str | None:
        if keyword == "media":
            features = _features(prelude)
            odd = next((name for name in features if name not in _MEDIA), None)
            if odd is None:
                return prelude
            dark = odd == "prefers-color-scheme"
            tally.add(f"rules for {'dark screens' if dark else 'screens by other than width'} ({odd})", rules)
        else:
            tally.add(f"@{keyword}")
        return None

    def selectors(parts: Sequence[Tokens]) -> str | None:
        for part in parts:
            why = _unread(part)
            if why is not None:
                tally.add(why)
                return None
        return ",".join(_prefixed(part, prefix) for part in parts)

    def declaration(one: Declaration) -> Declaration | None:
        why = filters(one)
        if why is not None:
            tally.add(why)
        return one if why is None else None

    return Rewriter(at_rule, selectors, declaration)


@lru_cache(maxsize=256)
def _features(prelude: str) -> tuple[str, ...]:
    """The features that a media query asks for."""

    def walk(tokens: Tokens) -> Iterator[str]:
        for token in tokens:
            if token.type == "() block":
                names = [inner.lower_value for inner in token.content if inner.type == "ident"]
                yield from names[:1] if names[:1] != ["not"] else ()
                yield from walk(token.content)

    return tuple(walk(parsed(f"@media {prelude}{{}}")[0].prelude)) if prelude else ()


def _unread(part: Tokens) -> str | None:
    """Why Gmail drops a rule with this selector, or None when it reads it."""
    if any(not attribute.replace(" ", "").startswith("class~=") for attribute in attribute_selectors(part)):
        return "rules that ask for attributes ([…])"
    odd = next((name for name in pseudos(part) if name != "hover"), None)
    if odd is not None:
        return f"rules for states and places (:{odd})"
    if any(token.type == "ident" and token.lower_value in ("html", "body") for token in part[:1]):
        return "rules for html and body"
    return None


def _prefixed(part: Tokens, prefix: str) -> str:
    out = []
    dot = False
    for token in part:
        if token.type == "hash":
            out.append(f"#{prefix}{token.value}")
        elif dot and token.type == "ident":
            out.append(f"{prefix}{text_of([token])}")
        elif token.type == "[] block":
            value = next((t.value for t in token.content if t.type in ("string",)), None)
            out.append(f'[class~="{prefix}{value}"]' if value is not None else text_of([token]))
        else:
            out.append(text_of([token]) or " ")
        dot = token.type == "literal" and token.value == "."
    return "".join(out)


# ---- elements ---------------------------------------------------------------------------------------------------


def _attributes(element: _Element, tally: Tally, filters: Filter, prefix: str | None) -> None:
    if "style" in element.attrib:
        left, whys = _style_left(element.get("style", ""), filters)
        tally.add_all(whys)
        set_or_drop(element, "style", left)
    for name in ("class", "id"):
        if name in element.attrib:
            names = [f"{prefix}{word}" for word in element.get(name, "").split()] if prefix else []
            set_or_drop(element, name, " ".join(names))
    target = element.get("href", "")
    if prefix and target.startswith("#") and len(target) > 1:
        element.set("href", f"#{prefix}{target[1:]}")
    if "hidden" in element.attrib:
        del element.attrib["hidden"]
        tally.add("hiding (hidden), so that it shows")
    if element.tag == "img" and element.get("src", "").strip().lower().startswith("data:"):
        del element.attrib["src"]
        tally.add("pictures written into the mail (data:)")


@lru_cache(maxsize=8192)
def _style_left(style: str, filters: Filter) -> tuple[str, tuple[str, ...]]:
    """What is left of a style attribute, and the reasons for what is gone."""
    import tinycss2

    nodes = tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True)
    if any(node.type == "declaration" and blank_colour(node.value) for node in nodes):
        return "", ("all styles of an element for a colour without commas (rgb(0 0 0))",)
    found = [(one, filters(one)) for one in declarations_of(nodes)]
    return written([one for one, why in found if why is None]), tuple(why for _, why in found if why is not None)


@lru_cache(maxsize=8192)
def reason(declaration: Declaration) -> str | None:
    """Why Gmail takes a declaration away, or None when it keeps it."""
    name, value = declaration.name, declaration.value.lower()
    if name.startswith("--"):
        return "variables (--*)"
    if name.startswith(("-", "mso-")):
        return "what only some clients read (-webkit-*, mso-*)"
    if name in GMAIL_DROPS:
        return named(name)
    if name.startswith(("margin", "text-indent")) and f" {value}".find(" -") >= 0:
        return f"negative {name}"
    if name == "list-style" and "url(" in value:
        return named("list-style-image")
    if name == "display" and "grid" in value:
        return named("display", ": grid")
    return "conic gradients" if "conic-gradient(" in value else None
