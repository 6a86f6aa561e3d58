"""The finished HTML as mail clients and screen readers take it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.registry import Example, Problem, check
from newsletter.models import Severity

STYLE_LIMIT = 16 * 1024

_MSO_OPEN = re.compile(r"<!--\[if\s[^\]]*\]>")
_MSO_CLOSE = re.compile(r"<!\[endif\]-->")
_MSO_BARE = re.compile(r"(?<!<!--)<!\[if\b")
_IN_THEME = "Put it right in the theme's email.html.j2."


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
    id="lang-missing",
    severity=Severity.ERROR,
    family="structure",
    why="Screen readers choose their voice by the language. Many clients cut off `<html>`, so a child of the body "
    "has it too.",
    source="WCAG 2.2, 3.1.1",
    failing=Example("`<html>` without `lang`", eg.html('<html lang="en-GB" dir="ltr">', '<html dir="ltr">')),
    passing=Example('`<html lang="en-GB" dir="ltr">` and the same on the body\'s child', eg.as_it_is),
)
def lang_missing(context: CheckContext) -> Iterator[Problem]:
    """No language on ``<html>``, or on no child of the body."""
    yield from _on_both(context, "lang", "language")


@check(
    id="dir-missing",
    severity=Severity.WARNING,
    family="structure",
    why="Text in Arabic or Urdu is set from the right; a client that is told nothing guesses.",
    source="HTML standard, 3.2.6.4",
    failing=Example("`<html>` without `dir`", eg.html('<html lang="en-GB" dir="ltr">', '<html lang="en-GB">')),
    passing=Example('`<html lang="en-GB" dir="ltr">` and the same on the body\'s child', eg.as_it_is),
)
def dir_missing(context: CheckContext) -> Iterator[Problem]:
    """No writing direction on ``<html>``, or on no child of the body."""
    yield from _on_both(context, "dir", "writing direction")


def _on_both(context: CheckContext, attribute: str, called: str) -> Iterator[Problem]:
    root, body = context.page.first("html"), context.page.first("body")
    if root is None or not root.attributes.get(attribute):
        yield Problem(f"The HTML does not say its {called} on <html>.", _IN_THEME)
    if body is None or not any(child.get(attribute) for child in body.node):
        yield Problem(f"The HTML does not say its {called} on a child of <body>.", _IN_THEME)


@check(
    id="heading-order",
    severity=Severity.WARNING,
    family="structure",
    why="Screen readers walk by headings: one h1 for the publication, h2 for sections, h3 for stories, none left out.",
    source="WCAG 2.2, 1.3.1 and technique G141",
    failing=Example("no `<h1>`", eg.html("<h1>The Estuary Weekly</h1>", "<p>The Estuary Weekly</p>")),
    passing=Example("one `<h1>`, then `<h2>` and `<h3>`", eg.html("<h3>The ferry", "<h2>The ferry")),
)
def heading_order(context: CheckContext) -> Iterator[Problem]:
    """Not exactly one h1, or a step down of more than one level (h3 under h1 is right for the lead)."""
    levels = [int(e.tag[1]) for e in context.page.every("h1", "h2", "h3", "h4", "h5", "h6")]
    if levels.count(1) != 1:
        number = levels.count(1) or "no"
        yield Problem(f"The HTML has {number} h1; it should have one, the publication's name.", _IN_THEME)
    for before, level in zip([1, *levels], levels, strict=False):
        if level > before + 1 and (before, level) != (1, 3):
            yield Problem(f"A heading of level {level} follows one of level {before}.", _IN_THEME)
            return


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
    """Scripts, frames, forms, embedded objects, event handlers."""
    banned = ("script", "iframe", "frame", "form", "object", "embed", "applet", "base", "input")
    for element in context.page.every(*banned):
        yield Problem(f"The HTML holds <{element.tag}>, which mail clients refuse.", "Take it out.", element.article)
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
        eg.html('<!--[if mso]><table role="presentation"><tr><td><![endif]-->', "<!--[if mso]><table>-->"),
    ),
    passing=Example("`<!--[if mso]> … <![endif]-->`", eg.as_it_is),
)
def mso_unbalanced(context: CheckContext) -> Iterator[Problem]:
    """More openings than ends, or a form that breaks."""
    opened, closed = len(_MSO_OPEN.findall(context.email.html)), len(_MSO_CLOSE.findall(context.email.html))
    if opened != closed:
        yield Problem(
            f"The HTML opens {opened} conditional comments for Outlook and closes {closed}.",
            "Close each <!--[if mso]> with <![endif]-->.",
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
    id="style-too-large",
    severity=Severity.ERROR,
    family="structure",
    why="Gmail drops a style block that makes its styles exceed 16 KB, and with it the phone and dark views.",
    source="Gmail; measured by the community at 16,384 characters",
    failing=Example("a `<style>` of 17 KB", eg.html(".lead {", "/*" + "x" * 17_000 + "*/ .lead {")),
    passing=Example("a `<style>` of 3 KB", eg.as_it_is),
)
def style_too_large(context: CheckContext) -> Iterator[Problem]:
    """Kept style sheets over Gmail's limit."""
    size = sum(len(e.node.text or "") for e in context.page.every("style"))
    if size > STYLE_LIMIT:
        yield Problem(
            f"The style sheets in the head have {size:,} characters; Gmail drops them past {STYLE_LIMIT:,}.",
            "Move rules that can be inlined from client.css to style.css.",
        )
