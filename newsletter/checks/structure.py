"""The finished HTML as mail clients and screen readers take it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.page import HIDDEN, Element, cut, plain
from newsletter.checks.registry import Example, Problem, check
from newsletter.message.markup import as_word_reads, unpaired
from newsletter.message.merge import fill
from newsletter.models import Severity

_MSO_OPEN = re.compile(r"<!--\[if\s[^\]]*\]>")
_MSO_CLOSE = re.compile(r"<!\[endif\]-->")
_MSO_BARE = re.compile(r"(?<!<!--)<!\[if\b")
_BLANK_PREHEADER = re.compile(r"mso-hide\s*:\s*all", re.IGNORECASE)
_IN_THEME = "Put it right in the theme's email.html.j2."
PREHEADER_ROOM = 150
"""Characters of hidden text, the padding included, that keep what follows out of the inbox line."""


@check(
    id="doctype-missing",
    severity=Severity.ERROR,
    family="structure",
    why="Without `<!DOCTYPE html>` browsers and some clients fall into quirks mode and draw sizes differently.",
    source="HTML standard, 13.1.1",
    failing=Example("`<html>` as the first line", eg.html("<!DOCTYPE html>\n", "")),
    passing=Example("`<!DOCTYPE html>` as the first line", eg.as_it_is),
)
def doctype_missing(context: CheckContext) -> Iterator[Problem]:
    """The HTML does not begin with the doctype."""
    if not context.email.html.lstrip().lower().startswith("<!doctype html"):
        yield Problem("The HTML does not begin with <!DOCTYPE html>.", _IN_THEME)


@check(
    id="charset-missing",
    severity=Severity.ERROR,
    family="structure",
    why="Saved or forwarded mail loses its headers; without the charset in the HTML every accent breaks.",
    source="HTML standard, 4.2.5.4",
    failing=Example("no `<meta charset>`", eg.html('<meta charset="utf-8">\n', "")),
    passing=Example('`<meta charset="utf-8">`', eg.as_it_is),
)
def charset_missing(context: CheckContext) -> Iterator[Problem]:
    """No meta element names UTF-8."""
    named = (f"{e.attributes.get('charset', '')} {e.attributes.get('content', '')}" for e in context.page.every("meta"))
    if not any("utf-8" in text.lower() for text in named):
        yield Problem('The HTML does not say <meta charset="utf-8">.', _IN_THEME)


@check(
    id="title-missing",
    severity=Severity.ERROR,
    family="structure",
    why="Screen readers and the browser's tab name the web copy by its title.",
    source="WCAG 2.2, 2.4.2",
    failing=Example("an empty `<title>`", eg.html("<title>The ferry is back</title>", "<title> </title>")),
    passing=Example("`<title>The ferry is back</title>`", eg.as_it_is),
)
def title_missing(context: CheckContext) -> Iterator[Problem]:
    """No title, or a blank one."""
    title = context.page.first("title")
    if title is None or not title.text:
        yield Problem("The HTML has no title.", "The theme sets the subject as <title>.")


@check(
    id="active-content",
    severity=Severity.ERROR,
    family="structure",
    why="No mail client runs scripts or shows frames and forms; filters reject mail that has them.",
    source="caniemail.com; SpamAssassin HTML rules",
    failing=Example("`<script>` in a story", eg.html("<h2>", "<script>alert(1)</script><h2>")),
    passing=Example("text, links and pictures", eg.as_it_is),
    waivable=False,
)
def active_content(context: CheckContext) -> Iterator[Problem]:
    """Scripts, frames, forms, embedded objects, event handlers; a warning for video and sound."""
    banned = ("script", "iframe", "frame", "form", "object", "embed", "applet", "base", "input")
    for element in context.page.every(*banned):
        yield Problem(f"The HTML holds <{element.tag}>, which mail clients refuse.", "Take it out.", element.article)
    for element in context.page.every("video", "audio"):
        yield Problem(
            f"The HTML holds <{element.tag}>, which only Apple's mail programs play.",
            "Set a picture that links to it.",
            element.article,
            severity=Severity.WARNING,
        )
    for element in context.page.elements:
        for name in element.attributes:
            if name.startswith("on"):
                yield Problem(f"<{element.tag}> has the event handler {name}.", "Take it out.", element.article)


@check(
    id="mso-unbalanced",
    severity=Severity.ERROR,
    family="structure",
    why="A conditional comment for Word that is not closed hides everything after it from Outlook's readers.",
    source="Microsoft, conditional comments; `<![if` outside a comment does not survive inlining",
    failing=Example(
        "`<!--[if mso]>` without `<![endif]-->`",
        eg.html("<tr><td><![endif]-->", "<tr><td>-->"),
    ),
    passing=Example("`<!--[if mso]> … <![endif]-->`", eg.as_it_is),
)
def mso_unbalanced(context: CheckContext) -> Iterator[Problem]:
    """More openings than ends, tags that pair up for everybody but Word, or a form that breaks."""
    opened, closed = len(_MSO_OPEN.findall(context.email.html)), len(_MSO_CLOSE.findall(context.email.html))
    if opened != closed:
        yield Problem(
            f"The HTML opens {opened} conditional comments for Outlook and closes {closed}.",
            "Close each <!--[if mso]> with <![endif]-->.",
        )
    elif opened and not unpaired(context.email.html):
        for wrong in unpaired(as_word_reads(context.email.html)):
            yield Problem(
                f"As Outlook's Word engine reads the mail, {wrong}.",
                "What one <!--[if mso]> opens, another has to close in the same order.",
            )
    if _MSO_BARE.search(context.email.html):
        yield Problem(
            "The HTML holds <![if outside a comment, which breaks on the way.",
            "Write <!--[if !mso]><!--> … <!--<![endif]-->.",
        )


@check(
    id="id-repeated",
    severity=Severity.WARNING,
    family="structure",
    why="A link to an id that stands twice goes to the wrong place.",
    source="HTML standard, 3.2.6",
    failing=Example('`id="top"` twice', eg.html("<h2>", '<p id="top"></p><p id="top"></p><h2>')),
    passing=Example('`id="top"` once', eg.html("<h2>", '<p id="top"></p><h2>')),
)
def id_repeated(context: CheckContext) -> Iterator[Problem]:
    """The same id on two elements."""
    seen: set[str] = set()
    told: set[str] = set()
    for element in context.page.elements:
        name = element.attributes.get("id")
        if name and name in seen and name not in told:
            told.add(name)
            yield Problem(f"Two elements have the id “{name}”.", "Give each its own.", element.article)
        seen.add(name or "")


@check(
    id="tag-unclosed",
    severity=Severity.ERROR,
    family="structure",
    why="A tag that is left open swallows what follows it, and each mail client closes it somewhere else.",
    source="HTML standard, 13.1.2; the end tags of rows and cells are asked for, though it lets authors leave them out",
    failing=Example("`<div>` without `</div>` in a theme", eg.html("<h2>", "<div><h2>")),
    passing=Example("`<div> … </div>`", eg.html("<h2>", "<div></div><h2>")),
)
def tag_unclosed(context: CheckContext) -> Iterator[Problem]:
    """Tags that do not pair up, in the theme as it was written (the parser has closed them since) or in the mail."""
    for wrong in context.email.mended or unpaired(context.email.html):
        yield Problem(f"In the HTML, {wrong}.", "Close it in the theme's template, inside the element it began in.")


@check(
    id="stylesheet-external",
    severity=Severity.WARNING,
    family="structure",
    why="Mail clients fetch no style sheets: what stands in one does not reach the reader.",
    source="caniemail.com, html-link and css-at-import",
    failing=Example(
        '`<link rel="stylesheet" href="…">`',
        eg.html("</head>", '<link rel="stylesheet" href="https://estuary.example/mail.css"></head>'),
    ),
    passing=Example("rules in the theme's style.css and client.css", eg.as_it_is),
)
def stylesheet_external(context: CheckContext) -> Iterator[Problem]:
    """A linked style sheet, or one that is imported."""
    fix = "Write the rules into the theme's style.css or client.css."
    for element in context.page.every("link"):
        if "stylesheet" in element.attributes.get("rel", "").lower().split():
            yield Problem(f"The mail links a style sheet: {cut(element.attributes.get('href', '?'))}", fix)
    for sheet in context.page.styles:
        for rule in (rule for rule in sheet.at_rules if rule.startswith("@import")):
            yield Problem(f"A style sheet imports another: {cut(rule)}", fix)


@check(
    id="preheader-unhidden",
    severity=Severity.WARNING,
    family="structure",
    why="The preheader is for the inbox: it stands first in the mail and is hidden there, by `display:none` and, for "
    "Outlook's Word engine, by `mso-hide:all`.",
    source="newsroom practice; Microsoft's `mso-hide`",
    failing=Example("a preheader without `mso-hide:all`", eg.html("mso-hide:all", "")),
    passing=Example('`<div style="display:none;mso-hide:all">`', eg.as_it_is),
)
def preheader_unhidden(context: CheckContext) -> Iterator[Problem]:
    """The preheader does not come first, or somebody sees it."""
    wanted = plain(html.unescape(fill(context.email.preheader, context.email.fields, {})))
    if not wanted:
        return
    first = _hidden_start(context)
    if not first or wanted not in plain(html.unescape(fill(first[0].text, context.email.fields, {}))):
        yield Problem(
            "The mail does not begin with the preheader, hidden: inboxes show something else after the subject.",
            "Keep the block preheader of the base theme.",
        )
    elif not _BLANK_PREHEADER.search(first[0].attributes.get("style", "")):
        yield Problem(
            "Outlook for Windows shows the preheader inside the mail.", "Add mso-hide:all to the style of its element."
        )


@check(
    id="preheader-unpadded",
    severity=Severity.WARNING,
    family="structure",
    why="Behind a short preheader inboxes go on with the first words of the mail, such as “Read online”.",
    source="measured: inboxes show up to 150 characters after the subject",
    failing=Example("a hidden preheader without padding", eg.html("&#847; " * 120, "")),
    passing=Example("a hidden preheader and 120 invisible joiners", eg.as_it_is),
)
def preheader_unpadded(context: CheckContext) -> Iterator[Problem]:
    """Too little hidden text before the first visible words."""
    room = sum(len("".join(element.node.itertext()).strip()) for element in _hidden_start(context))
    if context.email.preheader and 0 < room < PREHEADER_ROOM:
        yield Problem(
            f"Only {room} characters are hidden before the mail's first words; inboxes show up to {PREHEADER_ROOM}.",
            "Print {{ issue.preheader_padding }} after {{ issue.preheader }} in the theme.",
        )


def _hidden_start(context: CheckContext) -> list[Element]:
    """The hidden elements with text that stand before the first visible words."""
    shown = {run.element.node for run in context.page.runs[:1]}
    found = []
    for element in context.page.elements:
        if element.node in shown:
            break
        if HIDDEN.search(element.attributes.get("style", "")) and "".join(element.node.itertext()).strip():
            found.append(element)
    return found
