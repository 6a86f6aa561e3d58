"""The example issue that every rule is shown on: complete and clean, and changes that break one thing of it.

A test runs each rule on its failing and on its passing example, so the documents cannot drift from the code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from newsletter.checks.context import CheckContext
from newsletter.checks.registry import Change
from newsletter.models import Article, Email, EmailImage, Issue, MergeField, Picture, Section, Span
from newsletter.workspace.settings import Config, Publication, Sender, Site

_HEAD = (
    """<!DOCTYPE html>
<html lang="en-GB" dir="ltr" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="x-apple-disable-message-reformatting">
<meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>The ferry is back</title>
<!--[if mso]><xml><o:AllowPNG/><o:PixelsPerInch>96</o:PixelsPerInch></xml>
<style>p, a { mso-line-height-rule: exactly; font-family: Georgia }</style><![endif]-->
<style>
:root { color-scheme: light dark }
.lead { color: #1a1a1a }
.im, #MessageViewBody a, a[x-apple-data-detectors] { color: inherit !important }
</style>
<style>
@media (max-width: 480px) {
.page { padding: 0 !important }
}
</style>
<style>
@media (prefers-color-scheme: dark) {
.page { background-color: #141414 !important }
.card { background-color: #1E1E1E !important }
.text { color: #D6D2CB !important }
.page a { color: #FF9E8F !important }
.fill { background-color: #FF9E8F !important }
.page .button { color: #1E1E1E !important }
}
</style>
<style>
[data-ogsb] .page { background-color: #141414 !important }
[data-ogsb] .card { background-color: #1E1E1E !important }
[data-ogsb] .fill { background-color: #FF9E8F !important }
[data-ogsc] .text { color: #D6D2CB !important }
[data-ogsc] .page a { color: #FF9E8F !important }
[data-ogsc] .page .button { color: #1E1E1E !important }
</style>
</head>
<body class="page" bgcolor="#F4F1EA" style="margin:0;padding:0;background-color:#F4F1EA">
<div style="display:none;mso-hide:all">After eight months the morning boat runs again</div>
<div style="display:none;mso-hide:all">"""
    + "&#847; " * 120
    + """</div>
<div class="page text" role="article" aria-roledescription="email" aria-label="The ferry is back" \
lang="en-GB" dir="ltr" style="background-color:#F4F1EA;color:#333333;font:17px/28px Georgia,serif">
<!--[if mso]><table role="presentation" align="center" bgcolor="#F4F1EA" style="width:600px"><tr><td><![endif]-->
<div style="max-width:600px;margin:0 auto;text-align:left">
<table class="card" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#FFFFFF" \
style="background-color:#FFFFFF"><tr><td style="padding:24px 32px">
<h1>The Estuary Weekly</h1>
<p>Good morning nlf0001q, here is the week on the water.</p>
"""
)
_FERRY = """<img src="cid:ferry" width="600" alt="A white boat with a blue rail comes alongside at low water" \
style="background-color:#E9E5DC;color:#333333;font:16px/22px Arial,sans-serif;display:block;width:100%;height:auto;\
max-width:600px">
<h3>The ferry is back</h3>
<p>After eight months the morning boat runs again.</p>
<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr><td class="fill" bgcolor="#9B1C1C" \
style="background-color:#9B1C1C"><a href="https://estuary.example/ferry" class="button" \
style="display:inline-block;padding:14px 24px;font:700 16px/20px Arial,sans-serif;text-decoration:none;color:#FFFFFF">\
<!--[if mso]><i style="mso-font-width:150%">&emsp;</i><![endif]-->Read the full story\
<!--[if mso]><i style="mso-font-width:150%">&emsp;</i><![endif]--></a></td></tr></table>
"""
_LIBRARY = """<h2>Also this week</h2>
<h3>The library opens on Sundays</h3>
<p>Volunteers keep the doors open until four.</p>
<p><a href="https://estuary.example/library" style="color:#9B1C1C">Read on about the library</a></p>
"""
_FOOT = """</td></tr></table>
<p>The Estuary Weekly, 4 Quay Street, Wexmouth EX99 1EW.
<a href="nlf0003q">Unsubscribe</a> <a href="nlf0009q">Preferences</a> <a href="nlf0004q">Read online</a></p>
</div>
<!--[if mso]></td></tr></table><![endif]-->
</div>
</body>
</html>
"""
_TEXT = """The Estuary Weekly

Good morning nlf0002q, here is the week on the water.

The ferry is back
After eight months the morning boat runs again.
Read the full story: https://estuary.example/ferry

Also this week

The library opens on Sundays
Volunteers keep the doors open until four.
Read on about the library: https://estuary.example/library

The Estuary Weekly, 4 Quay Street, Wexmouth EX99 1EW.
Unsubscribe: nlf0005q
Preferences: nlf0010q
Read online: nlf0006q
"""
_FIELDS = (
    MergeField("nlf0001q", "first_name", "reader", "html"),
    MergeField("nlf0002q", "first_name", "reader", "text"),
    MergeField("nlf0003q", "unsubscribe_url", "", "html"),
    MergeField("nlf0004q", "web_url", "", "html"),
    MergeField("nlf0005q", "unsubscribe_url", "", "text"),
    MergeField("nlf0006q", "web_url", "", "text"),
    MergeField("nlf0009q", "preferences_url", "", "html"),
    MergeField("nlf0010q", "preferences_url", "", "text"),
)
FERRY = Article(
    slug="the-ferry-is-back",
    headline="The ferry is back",
    teaser="After eight months the morning boat runs again.",
    link="https://estuary.example/ferry",
    image=Picture(
        file="ferry.jpg",
        alt="A white boat with a blue rail comes alongside at low water",
        credit="Ines Calder",
    ),
)
LIBRARY = Article(
    slug="library-opens-on-sundays",
    headline="The library opens on Sundays",
    teaser="Volunteers keep the doors open until four.",
    link="https://estuary.example/library",
)


def example() -> CheckContext:
    """The clean issue of 27 November 2026, a Friday: two stories, a picture, one merge field."""
    html = _HEAD + _FERRY + _LIBRARY + _FOOT
    lead, also = len(_HEAD), len(_HEAD) + len(_FERRY)
    email = Email(
        issue="2026-11-27",
        subject="The ferry is back",
        preheader="After eight months the morning boat runs again",
        html=html,
        text=_TEXT,
        lang="en-GB",
        dir="ltr",
        theme="weekly",
        fields=_FIELDS,
        images=(
            EmailImage(
                "ferry-1200.jpg", Path("ferry-1200.jpg"), "image/jpeg", "cid:ferry", 90_000, 1200, 675, FERRY.slug
            ),
        ),
        spans=(Span(FERRY.slug, lead, also), Span(LIBRARY.slug, also, also + len(_LIBRARY))),
    )
    issue = Issue(
        slug="2026-11-27",
        date=date(2026, 11, 27),
        sections=(Section("lead", (FERRY,)), Section("list", (LIBRARY,), "Also this week")),
        subject="The ferry is back",
        preheader="After eight months the morning boat runs again",
        lang="en-GB",
        intro='Good morning {{ subscriber.first_name | default("reader") }}, here is the week on the water.',
    )
    config = Config(
        publication=Publication(
            name="The Estuary Weekly", postal_address="The Estuary Weekly, 4 Quay Street, Wexmouth EX99 1EW"
        ),
        sender=Sender(name="The Estuary Weekly", email="letter@estuary.example"),
        site=Site(url="https://estuary.example"),
    )
    return CheckContext(issue, email, config, known_fields=frozenset({"first_name"}))


def as_it_is(context: CheckContext) -> CheckContext:
    """The clean issue, unchanged."""
    return context


def given(**changes: Any) -> Change:
    """Change the circumstances: provider, send_at, past_uses, reachability …"""
    return lambda context: dataclasses.replace(context, **changes)


def issue(**changes: Any) -> Change:
    """Change fields of the issue."""
    return lambda context: dataclasses.replace(context, issue=dataclasses.replace(context.issue, **changes))


def email(**changes: Any) -> Change:
    """Change fields of the finished email."""
    return lambda context: dataclasses.replace(context, email=dataclasses.replace(context.email, **changes))


def html(old: str, new: str) -> Change:
    """Replace a piece of the HTML that is there; the spans move along."""

    def change(context: CheckContext) -> CheckContext:
        before = context.email.html
        at = before.index(old)
        shift = len(new) - len(old)
        spans = tuple(
            Span(s.article, s.start + shift * (s.start > at), s.end + shift * (s.end > at)) for s in context.email.spans
        )
        return email(html=before.replace(old, new, 1), spans=spans)(context)

    return change


def logo(*edges: tuple[tuple[int, int, int], int]) -> Change:
    """Put a transparent logo in place of the name; ``edges`` are (colour, pixels) along what is drawn."""
    shown = '<h1><img src="cid:logo" width="60" alt="The Estuary Weekly" style="display:block"></h1>'
    return both(html("<h1>The Estuary Weekly</h1>", shown), given(edges={"cid:logo": edges}))


def story(**changes: Any) -> Change:
    """Change fields of the lead story."""
    return _with_articles(lambda articles: (dataclasses.replace(articles[0], **changes), *articles[1:]))


def picture(**changes: Any) -> Change:
    """Change fields of the lead story's picture."""

    def change(articles: tuple[Article, ...]) -> Iterator[Article]:
        lead = articles[0]
        assert lead.image is not None
        yield dataclasses.replace(lead, image=dataclasses.replace(lead.image, **changes))
        yield from articles[1:]

    return _with_articles(lambda articles: tuple(change(articles)))


def section(layout: str, *articles: Article, title: str | None = None) -> Change:
    """Add a section at the end."""

    def change(context: CheckContext) -> CheckContext:
        added = Section(layout, articles, title)  # type: ignore[arg-type]  # a test may name a layout in words
        return issue(sections=(*context.issue.sections, added))(context)

    return change


def publication(**changes: Any) -> Change:
    """Change ``[publication]`` of newsletter.toml."""
    return _with_config("publication", changes)


def sender(**changes: Any) -> Change:
    """Change ``[sender]`` of newsletter.toml."""
    return _with_config("sender", changes)


def site(**changes: Any) -> Change:
    """Change ``[site]`` of newsletter.toml."""
    return _with_config("site", changes)


def config(**changes: Any) -> Change:
    """Change whole tables of newsletter.toml."""
    return lambda context: dataclasses.replace(context, config=msgspec.structs.replace(context.config, **changes))


def links(**changes: Any) -> Change:
    """Change ``[links]`` of newsletter.toml."""
    return _with_config("links", changes)


def both(*changes: Change) -> Change:
    """One change after another."""

    def change(context: CheckContext) -> CheckContext:
        for one in changes:
            context = one(context)
        return context

    return change


def _with_config(table: str, changes: dict[str, Any]) -> Change:
    def change(context: CheckContext) -> CheckContext:
        return config(**{table: msgspec.structs.replace(getattr(context.config, table), **changes)})(context)

    return change


def _with_articles(change: Any) -> Change:
    def changed(context: CheckContext) -> CheckContext:
        first, *rest = context.issue.sections
        sections = (dataclasses.replace(first, articles=change(first.articles)), *rest)
        return dataclasses.replace(context, issue=dataclasses.replace(context.issue, sections=sections))

    return changed
