"""Stories: what each must have, stories that come twice, and what the importer only guessed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from types import MappingProxyType

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.page import cut, plain
from newsletter.checks.registry import Example, Problem, check
from newsletter.models import Article, Origin, Provenance, Severity

LINKED_LAYOUTS = ("lead", "list", "grid", "brief")
"""Layouts that show a teaser and send the reader on to the full story."""


@check(
    id="issue-empty",
    severity=Severity.ERROR,
    family="stories",
    why="A mail without a story is a mistake that thousands of readers see.",
    source="newsroom practice",
    failing=Example("an issue before the first `pick`", eg.issue(sections=())),
    passing=Example("an issue with a story", eg.as_it_is),
)
def issue_empty(context: CheckContext) -> Iterator[Problem]:
    """No story at all; a correction may be its one sentence."""
    if next(context.issue.articles(), None) is None and not context.issue.correction:
        yield Problem("The issue has no story.", f"Pick one: newsletter issue pick {context.issue.slug} STORY.")


@check(
    id="section-empty",
    severity=Severity.WARNING,
    family="stories",
    why="A section without stories was forgotten; it is left out, or leaves its title standing alone.",
    source="newsroom practice",
    failing=Example("`articles: []` under “In brief”", eg.section("brief", title="In brief")),
    passing=Example("a story in every section", eg.as_it_is),
)
def section_empty(context: CheckContext) -> Iterator[Problem]:
    """A section that holds nothing, in an issue that holds something."""
    if next(context.issue.articles(), None) is None:
        return
    for number, section in enumerate(context.issue.sections, 1):
        if not section.articles:
            name = f"“{section.title}”" if section.title else f"number {number} ({section.layout})"
            yield Problem(
                f"The section {name} has no story.", "Pick a story into it or take the section out.", field="sections"
            )


@check(
    id="headline-missing",
    severity=Severity.ERROR,
    family="stories",
    why="A story without a headline is a hole in the page.",
    source="newsroom practice",
    failing=Example("an empty `headline`", eg.story(headline=" ")),
    passing=Example("`headline: The ferry is back`", eg.as_it_is),
)
def headline_missing(context: CheckContext) -> Iterator[Problem]:
    """A blank headline."""
    for article in context.issue.articles():
        if not article.headline.strip():
            yield Problem("The story has no headline.", "Write headline: in its file.", article.slug, "headline")


@check(
    id="link-missing",
    severity=Severity.WARNING,
    family="stories",
    why="A teaser without a link leaves the reader with half a story and no “read more”.",
    source="newsroom practice; CMS exports often carry no address",
    failing=Example("a story in the lead section without `link`", eg.story(link=None)),
    passing=Example("`link: https://estuary.example/ferry`", eg.as_it_is),
)
def link_missing(context: CheckContext) -> Iterator[Problem]:
    """A story in a layout of teasers that leads nowhere."""
    for section, article in context.placed():
        if section.layout in LINKED_LAYOUTS and not (article.link or "").strip():
            yield Problem(
                "The story has no link, so there is no “read more”.",
                "Write link: with the address of the full story, or set it in a section with layout text.",
                article.slug,
                "link",
            )


@check(
    id="sponsor-label-missing",
    severity=Severity.ERROR,
    family="stories",
    why="Readers must see who paid for a story.",
    source="CAP Code 2.1 and 2.4; EU directive 2005/29/EC, annex I, 11",
    failing=Example("a story in a sponsor section without `sponsor`", eg.section("sponsor", eg.LIBRARY)),
    passing=Example(
        "`sponsor: Ropewalk Repairs` in a sponsor section",
        eg.both(
            eg.html("<h2>", "<p>Paid for by Ropewalk Repairs</p><h2>"),
            eg.issue(sections=(*eg.example().issue.sections[:1],)),
            eg.section("sponsor", dataclasses.replace(eg.LIBRARY, sponsor="Ropewalk Repairs")),
        ),
    ),
    waivable=False,
)
def sponsor_label_missing(context: CheckContext) -> Iterator[Problem]:
    """A paid story without the payer's name, in its file or in the mail."""
    for section, article in context.placed():
        sponsor = (article.sponsor or "").strip()
        if section.layout == "sponsor" and not sponsor:
            yield Problem(
                "The story stands in a sponsor section and does not say who paid for it.",
                "Write sponsor: with the name.",
                article.slug,
                "sponsor",
            )
        elif sponsor and (shown := _words_of(context, article)) and plain(sponsor) not in shown:
            yield Problem(
                f"The story is paid for by {sponsor}, and the mail does not say so.",
                "Move it to a section with layout sponsor.",
                article.slug,
                "sponsor",
            )


def _words_of(context: CheckContext, article: Article) -> str:
    """The words of a story as the mail shows them; empty when the email does not say where it is."""
    return plain(" ".join(text for text, slug in context.page.texts if slug == article.slug))


@check(
    id="duplicate-in-issue",
    severity=Severity.ERROR,
    family="stories",
    why="The same story twice in one issue looks careless.",
    source="newsroom practice",
    failing=Example(
        "the lead story again under “In brief”",
        eg.section("brief", dataclasses.replace(eg.FERRY, slug="ferry-again", headline="The ferry is back!")),
    ),
    passing=Example("every story once", eg.as_it_is),
)
def duplicate_in_issue(context: CheckContext) -> Iterator[Problem]:
    """Two places with the same file, headline, address or origin."""
    first: dict[str, Article] = {}
    for article in context.issue.articles():
        known = next((first[key] for key in _identities(article) if key in first), None)
        if known is not None:
            twice = "stands in the issue twice" if known.slug == article.slug else f"is the same as {known.slug}"
            yield Problem(
                f"The story {twice}: “{cut(article.headline)}”.",
                f"Drop one: newsletter issue drop {context.issue.slug} {article.slug}",
                article.slug,
                "headline",
            )
        for key in _identities(article):
            first.setdefault(key, article)


@check(
    id="used-before",
    severity=Severity.WARNING,
    family="stories",
    why="Readers notice a story that they were sent before.",
    source="newsroom practice",
    failing=Example("a story of the issue before", eg.given(past_uses=MappingProxyType({eg.FERRY.slug: "2026-11-20"}))),
    passing=Example("a story that no other issue has", eg.as_it_is),
)
def used_before(context: CheckContext) -> Iterator[Problem]:
    """An address, an origin or a headline that another issue has; not a rubric's name over another page."""
    for section, article in context.placed():
        if section.layout == "sponsor" or article.slug in context.sponsors:  # what is paid for runs in many issues
            continue
        used_in = context.past_uses.get(article.slug)
        if used_in is not None:
            yield Problem(
                f"The story also stands in the issue {used_in}.",
                "Drop it, or waive this if it is meant.",
                article.slug,
                "headline",
            )


@check(
    id="story-changed-at-source",
    severity=Severity.WARNING,
    family="stories",
    why="What the site has put right since the story was picked, a name or a number, should be right in the mail too.",
    source="newsroom practice; what a source says is written down when a story comes in and when it is seen again",
    failing=Example(
        "a story whose source has another headline now",
        eg.given(changed_at_source=MappingProxyType({eg.FERRY.slug: ("headline", "body")})),
    ),
    passing=Example(
        "a story that is as its source says, or where you took its words over or decided to keep yours", eg.as_it_is
    ),
)
def story_changed_at_source(context: CheckContext) -> Iterator[Problem]:
    """A story that its source is known to have changed, and about which nobody has decided."""
    for slug in dict.fromkeys(article.slug for article in context.issue.articles()):
        if names := context.changed_at_source.get(slug):
            yield Problem(
                f"The source of the story has changed {', '.join(names)} since.",
                f"Take it over or keep yours: newsletter article refresh {slug} --issue {context.issue.slug}",
                slug,
                names[0],
            )


def _identities(article: Article) -> list[str]:
    known = [article.headline, article.link, article.origin.url, article.origin.guid]
    return [key for key in (plain(text) for text in known if text) if key]


@check(
    id="unconfirmed-guess",
    severity=Severity.WARNING,
    family="stories",
    why="The importer guesses where a page or a file does not say: a headline by its place, a standfirst from what was "
    "written for search engines; an editor must have looked at it.",
    source="provenance of the story file; on 123 pages without a date an extractor that guesses made one up on 121",
    failing=Example(
        "`provenance: {headline: {from: last line, confirmed: false}}`",
        eg.story(
            provenance=MappingProxyType({"headline": Provenance("last line", confirmed=False)}),
            origin=Origin(imported="2026-11-26T09:00:00Z"),
        ),
    ),
    passing=Example(
        "`provenance: {headline: {from: last line, confirmed: true}}`",
        eg.story(provenance=MappingProxyType({"headline": Provenance("last line")})),
    ),
)
def unconfirmed_guess(context: CheckContext) -> Iterator[Problem]:
    """A field whose provenance says that nobody confirmed it."""
    for article in context.issue.articles():
        for name, provenance in article.provenance.items():
            if not provenance.confirmed:
                value = _value_of(article, name)
                said = f" (“{cut(value)}”)" if value else ""
                yield Problem(
                    f"The {name}{said} was taken from the {provenance.source}, and nobody has confirmed it.",
                    f"Read it; if it is right: newsletter article set {article.slug} --confirm {name}"
                    f" --issue {context.issue.slug} (or confirmed: true under provenance, {name}). If not, correct it.",
                    article.slug,
                    name,
                )


def _value_of(article: Article, name: str) -> str:
    value: object = article
    for part in name.split("."):
        value = getattr(value, part, None)
    return value if isinstance(value, str) else ""
