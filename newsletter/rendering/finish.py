"""The inlined page becomes the bytes that readers get: fewer of them, marks taken out, nothing left behind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from newsletter.errors import RenderError, ThemeError
from newsletter.message.merge import TOKEN
from newsletter.models import Span
from newsletter.rendering.guard import BRACE, hide_tags, show_specials
from newsletter.rendering.inline import short_style

if TYPE_CHECKING:
    from lxml.etree import _Element

ASCII_GROWTH = 1.05
"""Numeric entities keep Gmail from clipping at odd characters; where they cost more than this, UTF-8 stays."""

_BLOCKS = frozenset(
    """html head body title meta link style div p table thead tbody tfoot tr td th caption colgroup col
    h1 h2 h3 h4 h5 h6 ul ol li dl dt dd hr blockquote center figure figcaption
    section article header footer main address""".split()  # noqa: SIM905  # a list of forty one-word lines says no more
)
_VOID = frozenset(["br", "col", "hr", "img", "link", "meta"])
_VERBATIM = frozenset(["pre", "textarea", "style", "script"])
_CLASS = re.compile(r"\.(-?[A-Za-z_][A-Za-z0-9_-]*)")
_DATA = re.compile(r"\[\s*(data-[a-z0-9-]+)")
_MARK = re.compile(r"<!--nl:(open|close) ([0-9]+)-->\n?")
_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.DOTALL)
_MSO_OPEN = re.compile(r"<!--\[if [^\]]*\]>")
_MSO_CLOSE = re.compile(r"<!\[endif\](?:--)?>")
_CONDITIONAL = ("[if ", "<![endif]")
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_INLINE_DISPLAY = re.compile(r"display:\s*inline")


def parse_page(html: str, where: str, slugs: Sequence[str] = ()) -> _Element:
    """The tree of a whole HTML document; RenderError when a template did not produce one. ``slugs`` are its stories."""
    from lxml import etree

    if not html.lstrip()[:15].lower().startswith("<!doctype html"):
        raise ThemeError("the template does not start with <!DOCTYPE html>", where=where, fix="make it the first line")
    if "<![if" in html:
        raise ThemeError(
            f"<![if …]> breaks the inliner{_in_story(html, html.index('<![if'), slugs)}",
            where=where,
            fix="write <!--[if !mso]><!--> … <!--<![endif]-->",
        )
    parser = etree.HTMLParser(huge_tree=True, remove_pis=True)
    try:
        page = etree.fromstring(html, parser)
    except (etree.LxmlError, ValueError) as error:
        raise RenderError(
            f"the page does not parse: {error}", where=where, fix="check what the template writes"
        ) from error
    if any(entry.level_name == "FATAL" for entry in parser.error_log):
        raise RenderError(
            f"the page was not read to its end: {parser.error_log[0].message.strip()}",
            where=where,
            fix="check what the template writes",
        )
    if page is None or page.find("head") is None or page.find("body") is None:
        raise ThemeError("the page has no <head> and <body>", where=where, fix="write both in the template")
    return page


def drop_word_markup(page: _Element) -> None:
    """Take out what only Outlook's Word engine reads, for themes with ``mso = false``."""
    for comment, text in _comments(page):
        if text.startswith(_CONDITIONAL):
            _remove(comment)


def keep_client_css(page: _Element, blocks: Sequence[str]) -> None:
    """Put each block of client.css into its own <style> at the end of the head."""
    from lxml import etree

    head = page.find("head")
    assert head is not None  # parse_page refused the page otherwise
    for block in blocks:
        style = etree.SubElement(head, "style")
        style.text = f"\n{block}\n"


def shrink(page: _Element, kept: Sequence[str]) -> None:
    """Take out bytes that change nothing: classes and data attributes no kept rule names, comments, blanks."""
    for comment, text in _comments(page):
        if not text.startswith((*_CONDITIONAL, "nl:")):
            _remove(comment)
    hooks = "\n".join([*kept, *(text for _, text in _comments(page))])
    keep_all = "[class" in hooks
    classes = frozenset(_CLASS.findall(hooks))
    data = frozenset(_DATA.findall(hooks))
    for element in page.iter("*"):
        attributes = cast("dict[str, str]", element.attrib)
        if "class" in attributes and not keep_all:
            kept = " ".join(name for name in attributes["class"].split() if name in classes)
            _set_or_drop(element, "class", kept)
        if "style" in attributes:
            _set_or_drop(element, "style", _short(attributes["style"]))
        for name in [name for name in attributes if name.startswith("data-") and name not in data]:
            del attributes[name]
    _trim(page)


_short = lru_cache(maxsize=4096)(short_style)


def _set_or_drop(element: _Element, name: str, value: str) -> None:
    if value:
        element.set(name, value)
    else:
        del element.attrib[name]


def _trim(page: _Element) -> None:
    """Collapse blanks as a browser does: next to the edge of a block they are nothing, elsewhere one."""
    skip: set[_Element] = set()
    for element in page.iter():
        parent = element.getparent()
        if callable(element.tag):  # a comment
            pass
        elif element.tag in _VERBATIM or (parent is not None and parent in skip):
            skip.add(element)
        elif element.text:
            block = _is_block(element)
            element.text = _collapsed(element.text, block, _is_block(element[0]) if len(element) else block)
        _trim_tail(element, skip)


def _trim_tail(element: _Element, skip: set[_Element]) -> None:
    parent = element.getparent()
    if not element.tail or parent is None or parent in skip:
        return
    following = element.getnext()
    after = _is_block(parent) if following is None else _is_block(following)
    element.tail = _collapsed(element.tail, _is_block(element), after)


def _collapsed(text: str, block_before: bool, block_after: bool) -> str:
    text = _BLANKS.sub(" ", text)
    if text == " ":
        # A line feed between two blocks costs a byte and keeps lines, and the diff of two issues, readable.
        return "\n" if block_before and block_after else "" if block_before or block_after else " "
    if block_before:
        text = text.removeprefix(" ")
    return text.removesuffix(" ") if block_after else text


def _is_block(element: _Element) -> bool:
    return element.tag in _BLOCKS and not _INLINE_DISPLAY.search(element.get("style", ""))


def serialise(page: _Element) -> str:
    """The page as HTML: entities for everything beyond ASCII where that is cheap, else UTF-8.

    Angle brackets in attributes are entities too: what looks like a tag there is one to clients that search for tags.
    """
    from lxml import etree

    for element in page.iter("*"):
        if not len(element) and not element.text and element.tag not in _VOID:
            element.text = ""  # libxml2 writes no end tag for an empty li that has not even that
        for name, value in element.attrib.items():
            if "<" in value or ">" in value:
                element.set(name, hide_tags(str(value)))
    html = show_specials(str(etree.tostring(page, method="html", encoding="unicode", doctype="<!DOCTYPE html>")))
    html = html.replace(BRACE, "&#123;")
    if html.isascii():
        return html
    entities = _STYLE.sub(lambda style: style[1] + _ascii_css(style[2]) + style[3], html)
    entities = entities.encode("ascii", "xmlcharrefreplace").decode("ascii")
    return entities if len(entities) <= ASCII_GROWTH * len(html.encode()) else html


def _ascii_css(css: str) -> str:
    if css.isascii():
        return css
    return "".join(character if character.isascii() else f"\\{ord(character):x} " for character in css)


def take_marks(html: str, slugs: Sequence[str], where: str | None = None) -> tuple[str, tuple[Span, ...]]:
    """Remove the marks around stories and say where each story is in what remains."""
    out: list[str] = []
    spans: list[Span] = []
    length = at = 0
    start: int | None = None
    for mark in _MARK.finditer(html):
        piece = html[at : mark.start()]
        out.append(piece)
        length += len(piece)
        at = mark.end()
        if mark[1] == "open":
            start = length
        elif start is not None:
            spans.append(Span(slugs[int(mark[2])], start, length))
            start = None
    out.append(html[at:])
    if len(spans) != len(slugs) or start is not None:
        lost = set(slugs) - {span.article for span in spans}
        raise RenderError(
            f"the theme starts a story and does not end it: {', '.join(sorted(lost)) or slugs[-1]}",
            where=where,
            fix="write {{ article.close }} after every {{ article.open }}, both inside the page's body",
        )
    return "".join(out), tuple(spans)


def _in_story(html: str, at: int, slugs: Sequence[str]) -> str:
    """`` (in the story …)`` for a place in a page that still has its marks; "" between the stories."""
    marks = [mark for mark in _MARK.finditer(html) if mark.start() < at]
    number = int(marks[-1][2]) if marks and marks[-1][1] == "open" else -1
    return f" (in the story {slugs[number]})" if 0 <= number < len(slugs) else ""


def check_complete(before: str, after: str, where: str, slugs: Sequence[str] = ()) -> None:
    """The self-check of the finished page. RenderError for a merge field that was lost or doubled, Outlook conditionals
    that do not pair up, template syntax that nothing filled in. ``before`` has the marks of the stories ``slugs``."""
    went_in, came_out = Counter(TOKEN.findall(before)), Counter(TOKEN.findall(after))
    if went_in != came_out:
        token = min((went_in - came_out) | (came_out - went_in))
        what = f"the merge field {token} went in {went_in[token]} times and came out {came_out[token]} times"
        what += _in_story(before, before.find(token), slugs)
        raise RenderError(
            what, where=where, fix="do not write a merge field where HTML ignores it, as between table rows"
        )
    opened, closed = len(_MSO_OPEN.findall(after)), len(_MSO_CLOSE.findall(after))
    if opened != closed:
        what = f"{opened} conditional comments for Outlook are opened and {closed} closed"
        what += _in_story(before, _unpaired(before), slugs)
        raise RenderError(what, where=where, fix="end each <!--[if mso]> with <![endif]-->")
    for left in ("{{", "{%"):
        if left in after:
            around = " ".join(after[max(0, after.index(left) - 20) : after.index(left) + 40].split())
            what = f"template syntax is left in the page: {around}{_in_story(before, before.find(left), slugs)}"
            raise RenderError(what, where=where, fix="fill it in or remove it")


def _unpaired(html: str) -> int:
    """Where the first conditional comment starts that is not ended, or ends that was not started."""
    open_at = -1
    for mark in re.finditer(f"(?P<open>{_MSO_OPEN.pattern})|{_MSO_CLOSE.pattern}", html):
        if (mark["open"] is None) == (open_at < 0):
            return open_at if open_at >= 0 else mark.start()
        open_at = mark.start() if mark["open"] else -1
    return open_at


def _comments(page: _Element) -> list[tuple[_Element, str]]:
    from lxml import etree

    return [(comment, str(comment.text or "")) for comment in page.iter(etree.Comment)]


def _remove(node: _Element) -> None:
    """Take a node out and keep the text after it."""
    parent, tail = node.getparent(), node.tail or ""
    if parent is None:
        return
    previous = node.getprevious()
    if previous is None:
        parent.text = (parent.text or "") + tail
    else:
        previous.tail = (previous.tail or "") + tail
    parent.remove(node)
