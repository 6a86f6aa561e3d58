"""What the head of the mail tells the clients, so that they need not guess."""

from __future__ import annotations

import html
from collections.abc import Iterator

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.page import cut
from newsletter.checks.registry import Example, Problem, check
from newsletter.message.markup import word_only
from newsletter.message.merge import fill
from newsletter.models import Severity

_IN_HEAD = "Write it into the head of the theme's email.html.j2, as the base theme has it."
_COUNTED = ("telephone", "date", "address")


def _meta(context: CheckContext, name: str) -> str | None:
    """What a ``<meta name>`` says, in lower case without blanks; None where it is missing."""
    for element in context.page.every("meta"):
        if element.attributes.get("name", "").strip().lower() == name:
            return "".join(element.attributes.get("content", "").lower().split())
    return None


@check(
    id="viewport-missing",
    severity=Severity.WARNING,
    family="head",
    why="Without it telephones draw the mail on a page of 980 pixels and shrink it until nobody can read it.",
    source="CSS Viewport Module; Apple, Configuring the Viewport",
    failing=Example("no `<meta name=viewport>`", eg.html('<meta name="viewport" ', '<meta name="view" ')),
    passing=Example('`<meta name="viewport" content="width=device-width,initial-scale=1">`', eg.as_it_is),
)
def viewport_missing(context: CheckContext) -> Iterator[Problem]:
    """No viewport as wide as the device, or one that forbids to zoom."""
    said = _meta(context, "viewport")
    if said is None or "width=device-width" not in said:
        yield Problem('The HTML does not say <meta name="viewport" content="width=device-width,…">.', _IN_HEAD)
    elif "user-scalable=no" in said or "maximum-scale=1" in said:
        yield Problem(
            "The viewport forbids readers to zoom, and some have to (WCAG 2.2, 1.4.4).",
            "Take user-scalable and maximum-scale out.",
        )


@check(
    id="apple-scales-text",
    severity=Severity.WARNING,
    family="head",
    why="Apple Mail on telephones scales a mail up to the screen's width by its own idea and breaks columns and type.",
    source="Apple Mail since iOS 10; the switch is Apple's own",
    failing=Example(
        "no `<meta name=x-apple-disable-message-reformatting>`",
        eg.html('<meta name="x-apple-disable-message-reformatting">\n', ""),
    ),
    passing=Example('`<meta name="x-apple-disable-message-reformatting">`', eg.as_it_is),
)
def apple_scales_text(context: CheckContext) -> Iterator[Problem]:
    """Apple's switch is missing."""
    if _meta(context, "x-apple-disable-message-reformatting") is None:
        yield Problem('The HTML does not say <meta name="x-apple-disable-message-reformatting">.', _IN_HEAD)


@check(
    id="phone-links-dates",
    severity=Severity.WARNING,
    family="head",
    why="Telephones turn dates, numbers and addresses into blue links, in headlines too, unless they are told not to.",
    source="Apple, Safari HTML Reference: format-detection",
    failing=Example(
        '`content="telephone=no"` alone',
        eg.html("telephone=no,date=no,address=no,email=no,url=no", "telephone=no"),
    ),
    passing=Example('`<meta name="format-detection" content="telephone=no,date=no,address=no,…">`', eg.as_it_is),
)
def phone_links_dates(context: CheckContext) -> Iterator[Problem]:
    """Detection of telephone numbers, dates or addresses is left on."""
    said = _meta(context, "format-detection") or ""
    left = [name for name in _COUNTED if f"{name}=no" not in said]
    if left:
        yield Problem(
            f"Telephones may make links of what looks like: {', '.join(left)}.",
            'Write <meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no">.',
        )


@check(
    id="colour-scheme-missing",
    severity=Severity.WARNING,
    family="head",
    why="A mail that does not say that it has a dark look of its own is turned dark by the client, by its own idea.",
    source="CSS Color Adjustment, 2.2; Apple Mail reads `supported-color-schemes` and `:root` as well",
    failing=Example("no `<meta name=color-scheme>`", eg.html('<meta name="color-scheme" content="light dark">\n', "")),
    passing=Example("both metas and `:root { color-scheme: light dark }`", eg.as_it_is),
)
def colour_scheme_missing(context: CheckContext) -> Iterator[Problem]:
    """One of the two metas, or the rule for ``:root``, is missing."""
    missing = [
        f'<meta name="{name}">' for name in ("color-scheme", "supported-color-schemes") if not _meta(context, name)
    ]
    declared = (one for sheet in context.page.styles for one in sheet.declared)
    if not any(one.name == "color-scheme" and ":root" in one.selector for one in declared):
        missing.append(":root{color-scheme}")
    if missing:
        yield Problem(f"The head does not say which colour schemes the mail has: {', '.join(missing)}.", _IN_HEAD)


@check(
    id="title-not-subject",
    severity=Severity.WARNING,
    family="head",
    why="The title names the mail in a browser's tab, in a bookmark and to a screen reader: it is the subject.",
    source="WCAG 2.2, 2.4.2",
    failing=Example("`<title>Newsletter</title>`", eg.html("<title>The ferry is back</title>", "<title>News</title>")),
    passing=Example("`<title>{{ issue.subject }}</title>`", eg.as_it_is),
)
def title_not_subject(context: CheckContext) -> Iterator[Problem]:
    """A title that says something else than the subject; without a title another check speaks."""
    element = context.page.first("title")
    if element is None or not element.text:
        return
    title = html.unescape(fill(element.text, context.email.fields, {}))
    if title.split() != context.subject.split():
        yield Problem(
            f"The title is “{cut(title)}” and the subject “{cut(context.subject)}”.",
            "Write <title>{{ issue.subject }}</title> in the theme.",
        )


@check(
    id="word-settings-missing",
    severity=Severity.WARNING,
    family="head",
    why="Outlook's Word engine draws pictures too large on fine screens, sets lines too far apart and takes Times for "
    "every font stack that it does not understand, unless its own block in the head says otherwise.",
    source="Microsoft, Word's HTML reference; asked of themes with `mso = true`",
    failing=Example("no `PixelsPerInch`", eg.html("<o:PixelsPerInch>96</o:PixelsPerInch>", "")),
    passing=Example("the block of the base theme, or `mso = false`", eg.as_it_is),
)
def word_settings_missing(context: CheckContext) -> Iterator[Problem]:
    """Resolution, PNG, exact line heights or a safe font are missing from what Word reads."""
    if not context.email.mso:
        return
    word = "".join(word_only(context.email.html).split())
    asked = {
        "<o:PixelsPerInch>96": "96 pixels an inch",
        "<o:AllowPNG": "PNG pictures",
        "mso-line-height-rule:exactly": "exact line heights",
        "font-family:": "a font that it knows",
    }
    missing = [name for sign, name in asked.items() if sign not in word]
    if missing:
        yield Problem(
            f"Outlook's Word engine is not told: {', '.join(missing)}.",
            "Keep the <!--[if mso]> block of the base theme's head, or write mso = false in theme.toml.",
        )


@check(
    id="word-namespaces-missing",
    severity=Severity.WARNING,
    family="head",
    why="Outlook's Word engine ignores its own settings and drawings where their namespaces are not declared.",
    source="Microsoft, Office XML namespaces; asked of themes with `mso = true`",
    failing=Example("`<html>` without `xmlns:o`", eg.html(' xmlns:o="urn:schemas-microsoft-com:office:office"', "")),
    passing=Example('`<html xmlns:v="…" xmlns:o="…">`, or `mso = false`', eg.as_it_is),
)
def word_namespaces_missing(context: CheckContext) -> Iterator[Problem]:
    """``xmlns:v`` or ``xmlns:o`` is not on ``<html>``."""
    root = context.page.first("html")
    if context.email.mso and root is not None:
        missing = [name for name in ("xmlns:v", "xmlns:o") if name not in root.attributes]
        if missing:
            yield Problem(f"<html> does not declare {' and '.join(missing)} for Outlook's Word engine.", _IN_HEAD)
