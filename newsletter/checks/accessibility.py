"""For every reader: who listens, who sees badly, who cannot tell colours apart, who reads from the right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from newsletter.checks import examples as eg
from newsletter.checks.authored import field_of
from newsletter.checks.context import CheckContext
from newsletter.checks.folding import told_once
from newsletter.checks.page import cut, plain, visible_words
from newsletter.checks.registry import Example, Problem, check
from newsletter.checks.tables import has_blocks, has_headers, holds_data, is_silent
from newsletter.models import Severity

_IN_THEME = "Put it right in the theme's email.html.j2."


@check(
    id="lang-missing",
    severity=Severity.ERROR,
    family="accessibility",
    why="Screen readers choose their voice by the language. Many clients cut off `<html>`, so a child of the body "
    "has it too.",
    source="WCAG 2.2, 3.1.1",
    failing=Example("`<html>` without `lang`", eg.html('<html lang="en-GB" dir="ltr"', '<html dir="ltr"')),
    passing=Example('`<html lang="en-GB" dir="ltr">` and the same on the body\'s child', eg.as_it_is),
)
def lang_missing(context: CheckContext) -> Iterator[Problem]:
    """No language on ``<html>``, or on no child of the body."""
    yield from _on_both(context, "lang", "language")


@check(
    id="dir-missing",
    severity=Severity.WARNING,
    family="accessibility",
    why="Text in Arabic or Urdu is set from the right; a client that is told nothing guesses.",
    source="HTML standard, 3.2.6.4",
    failing=Example("`<html>` without `dir`", eg.html('<html lang="en-GB" dir="ltr"', '<html lang="en-GB"')),
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
    id="story-lang-missing",
    severity=Severity.WARNING,
    family="accessibility",
    why="A story in another language than the mail's is read out in the wrong voice and set in the wrong fonts, unless "
    "it says so.",
    source="WCAG 2.2, 3.1.2",
    failing=Example("`lang: ur` in a story, and a theme that does not say it", eg.story(lang="ur")),
    passing=Example("`lang: en-GB`, the language of the mail", eg.story(lang="en-GB")),
)
def story_lang_missing(context: CheckContext) -> Iterator[Problem]:
    """A story whose words on the page are marked with another language than its own."""
    first: dict[str | None, Any] = {}
    for run in context.page.runs:
        first.setdefault(run.element.article, run.element.node)
    for article in context.issue.articles():
        node = first.get(article.slug)
        if node is None or not article.lang:
            continue
        said = next((str(above.get("lang")) for above in (node, *node.iterancestors()) if above.get("lang")), "")
        if said.lower().partition("-")[0] != article.lang.lower().partition("-")[0]:
            yield Problem(
                f"The story is in the language {article.lang}, and the mail says “{said}” around it.",
                "Write lang and dir where the theme sets a story, as base/layouts.html.j2 does.",
                article.slug,
                "lang",
            )


@check(
    id="heading-order",
    severity=Severity.WARNING,
    family="accessibility",
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
    id="headline-not-heading",
    severity=Severity.WARNING,
    family="accessibility",
    why="Who listens to a mail walks from headline to headline: one that is only large and bold is not found.",
    source="WCAG 2.2, 1.3.1, failure F2",
    failing=Example("`<p>The ferry is back</p>`", eg.html("<h3>The ferry is back</h3>", "<p>The ferry is back</p>")),
    passing=Example("`<h3>The ferry is back</h3>`", eg.as_it_is),
)
@told_once
def headline_not_heading(context: CheckContext) -> Iterator[Problem]:
    """A story whose headline is in the mail and in no heading."""
    headings: dict[str | None, str] = {}
    for element in context.page.every("h1", "h2", "h3", "h4", "h5", "h6"):
        headings[element.article] = f"{headings.get(element.article, '')} {plain(element.text)}"
    for slug in context.email.sizes:
        article = next((one for one in context.issue.articles() if one.slug == slug), None)
        # A merge field in a headline is a token on the page.
        if article is None or not plain(article.headline) or "{{" in article.headline:
            continue
        if plain(article.headline) not in headings.get(slug, ""):
            yield Problem(
                f"The headline “{cut(article.headline)}” stands in no heading.",
                "Use the macro headline of the base theme.",
                slug,
            )


@check(
    id="mail-not-labelled",
    severity=Severity.WARNING,
    family="accessibility",
    why="Webmail takes the mail out of its page: without a labelled article around it a screen reader does not say "
    "where the mail begins and ends, and in which language it is.",
    source="WAI-ARIA 1.2, role article; many clients cut off `<html>` and `<body>`",
    failing=Example("a wrapper without `role=article`", eg.html('role="article" ', "")),
    passing=Example('`<div role="article" aria-roledescription="email" aria-label="The ferry is back">`', eg.as_it_is),
)
def mail_not_labelled(context: CheckContext) -> Iterator[Problem]:
    """No article with description and label around the words of the mail."""
    article = next((e for e in context.page.elements if e.attributes.get("role") == "article"), None)
    if article is None:
        yield Problem('No role="article" is around the mail.', _IN_THEME)
        return
    missing = [name for name in ("aria-roledescription", "aria-label") if not article.attributes.get(name, "").strip()]
    if missing:
        yield Problem(f"The article around the mail has no {' and no '.join(missing)}.", _IN_THEME)
    outside = [
        run for run in context.page.runs if article.node not in (run.element.node, *run.element.node.iterancestors())
    ]
    if outside:
        yield Problem(f"“{cut(outside[0].text)}” stands outside the article of the mail.", _IN_THEME)


@check(
    id="layout-table-role",
    severity=Severity.ERROR,
    family="accessibility",
    why="A screen reader announces rows and columns of every table, and a mail is built of dozens. Those for looks "
    "alone say so.",
    source="WCAG 2.2, 1.3.1; WAI-ARIA 1.2, role presentation",
    failing=Example(
        "a layout table without `role`", eg.html('<table class="card" role="presentation"', '<table class="card"')
    ),
    passing=Example('`<table role="presentation">`', eg.as_it_is),
)
@told_once
def layout_table_role(context: CheckContext) -> Iterator[Problem]:
    """A table that holds no data and does not say so; told once for the frame and once for each story."""
    told: set[str | None] = set()
    for table in context.page.every("table"):
        if table.article not in told and not is_silent(table) and not holds_data(table):
            told.add(table.article)
            words = visible_words(table.text)
            first = visible_words(next((cell.text_content() for cell in table.node.iter("td")), ""))
            # A body keeps no roles: there the editor has a table of one row or column, which is no error of the theme.
            field = None if has_blocks(table) else field_of(context, table.article, first)
            written = field in ("body", "intro")
            yield Problem(
                f"A table for looks has no role=presentation{f': “{cut(words, 40)}”' if words else ''}.",
                "Write the words as paragraphs, or as a table with a row of headers."
                if written
                else "Write the role in the theme's templates.",
                table.article,
                field if written else None,
                Severity.WARNING if written else None,
            )


@check(
    id="table-header-missing",
    severity=Severity.WARNING,
    family="accessibility",
    why="A screen reader says each figure of a table with the header of its column. Without headers they are numbers "
    "without a name.",
    source="WCAG 2.2, 1.3.1, technique H51",
    failing=Example(
        "rows without a row of headers",
        eg.html(
            "<p>Volunteers",
            "<table><tr><td>Mon</td><td>4</td></tr><tr><td>Tue</td><td>6</td></tr></table><p>Volunteers",
        ),
    ),
    passing=Example(
        "`| Day | Visitors |` above the rows",
        eg.html(
            "<p>Volunteers",
            "<table><tr><th>Day</th><th>Visitors</th></tr><tr><td>Tue</td><td>6</td></tr></table><p>Volunteers",
        ),
    ),
)
def table_header_missing(context: CheckContext) -> Iterator[Problem]:
    """A table of data without header cells."""
    for table in context.page.every("table"):
        if not is_silent(table) and holds_data(table) and not has_headers(table):
            first = visible_words(next(table.node.iter("td")).text_content())
            yield Problem(
                f"The table that begins with “{cut(first, 30)}” has no headers.",
                "Name each column in its first row; in Markdown, the row above the dashes.",
                table.article,
                "body" if table.article else field_of(context, None, first),
                phrase=first or None,
            )


@check(
    id="paragraph-by-breaks",
    severity=Severity.WARNING,
    family="accessibility",
    why="Two line breaks look like a paragraph and are none: who listens cannot step from one to the next, and Word "
    "spaces them differently.",
    source="WCAG 2.2, 1.3.1; HTML standard, 4.5.27",
    failing=Example("`<br><br>` between sentences", eg.html("runs again.</p>", "runs again.<br><br>Bring a coat.</p>")),
    passing=Example(
        "an empty line between them in Markdown", eg.html("runs again.</p>", "runs again.</p><p>Bring a coat.</p>")
    ),
)
@told_once
def paragraph_by_breaks(context: CheckContext) -> Iterator[Problem]:
    """Two ``<br>`` in a row with words after them; told once for the frame and once for each story."""
    told: set[str | None] = set()
    for element in context.page.shown:
        if element.tag != "br" or element.article in told:
            continue
        before = element.node.getprevious()
        if before is not None and before.tag == "br" and not visible_words(before.tail or ""):
            words = visible_words(element.node.tail or "")
            if words:
                told.add(element.article)
                yield Problem(
                    f"“{cut(words, 40)}” begins after two line breaks.",
                    "Write an empty line in its place: that makes a paragraph.",
                    element.article,
                    field_of(context, element.article, words),
                    phrase=words,
                )
