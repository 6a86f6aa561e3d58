"""Sponsors: approved as they stand, in the place they booked, and labelled where readers see it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext, SponsorFacts
from newsletter.checks.page import plain
from newsletter.checks.registry import Change, Example, Problem, check
from newsletter.models import TEXT_FILE, Article, Severity

_HOTEL = dataclasses.replace(eg.LIBRARY, slug="quay-hotel", headline="Rooms over the water", sponsor="The Quay Hotel")
_LABEL = "\nAdvertisement feature · Paid for by The Quay Hotel\n"


def _sponsored(**changes: Any) -> Change:
    """The example issue with a sponsor that is approved, booked and labelled, but for the changes."""
    facts = dataclasses.replace(SponsorFacts("approved", runs=("2026-11-27",), booked=True), **changes)
    return eg.both(
        eg.section("sponsor", _HOTEL),
        eg.given(sponsors={_HOTEL.slug: facts}, sponsor_labels={_HOTEL.slug: "Advertisement feature"}),
        eg.html("<h2>", f"<p>{_LABEL}</p><h2>"),
        eg.email(text=eg.example().email.text + _LABEL),
    )


def _placed(context: CheckContext) -> Iterator[tuple[Article, SponsorFacts]]:
    for section, article in context.placed():
        facts = context.sponsors.get(article.slug)
        if section.layout == "sponsor" and facts is not None:
            yield article, facts


@check(
    id="sponsor-unapproved",
    severity=Severity.ERROR,
    family="sponsors",
    why="Who pays for a creative approves it as it will stand; whatever changes afterwards needs a new approval.",
    source="newsroom practice: `newsletter sponsor proof`",
    failing=Example("a sponsor whose text was edited after its approval", _sponsored(approval="changed since")),
    passing=Example('`newsletter sponsor proof quay-hotel --by "M. Penrose"`', _sponsored()),
    waivable=False,
)
def sponsor_unapproved(context: CheckContext) -> Iterator[Problem]:
    """A creative without an approval, or with one for what it was before."""
    for article, facts in _placed(context):
        if facts.approval != "approved":
            changed = facts.approval == "changed since"
            yield Problem(
                "The sponsor's creative has changed since its approval."
                if changed
                else "Nobody has approved the sponsor's creative.",
                f"Show it and record who approves it: newsletter sponsor proof {article.slug} --by NAME",
                article.slug,
                "proof",
            )


@check(
    id="sponsor-double-booked",
    severity=Severity.ERROR,
    family="sponsors",
    why="Two sponsors paid for one place, and only one of them gets it.",
    source="newsroom practice: `newsletter sponsor calendar`",
    failing=Example("two sponsors with `runs: [2026-11-27]`", _sponsored(rivals=("rope-walk",))),
    passing=Example("one of them with `{issue: 2026-11-27, slot: 2}`", _sponsored()),
)
def sponsor_double_booked(context: CheckContext) -> Iterator[Problem]:
    """A sponsor in a place that another one has booked."""
    for article, facts in _placed(context):
        for other in facts.rivals:
            yield Problem(
                f"The place of {article.slug} is booked by {other} too.",
                f"Change runs: in sponsors/{article.slug}.md or sponsors/{other}.md.",
                article.slug,
                "runs",
            )


@check(
    id="sponsor-out-of-dates",
    severity=Severity.WARNING,
    family="sponsors",
    why="A creative that runs outside its dates was not paid for, and its offer may be over.",
    source="newsroom practice: `newsletter sponsor calendar`",
    failing=Example("`runs: [2026-11-20]` in the issue of 27 November", _sponsored(booked=False, runs=("2026-11-20",))),
    passing=Example("`runs: [2026-11-27]`", _sponsored()),
)
def sponsor_out_of_dates(context: CheckContext) -> Iterator[Problem]:
    """A sponsor in an issue that it is not booked for."""
    for article, facts in _placed(context):
        if not facts.booked:
            runs = f"it runs {', '.join(facts.runs)}" if facts.runs else "it has no run dates"
            yield Problem(
                f"The sponsor {article.slug} is not booked for this issue: {runs}.",
                f"Take it out, or write the issue under runs: in sponsors/{article.slug}.md.",
                article.slug,
                "runs",
            )


@check(
    id="sponsor-label-unseen",
    severity=Severity.ERROR,
    family="sponsors",
    why="Readers of the HTML and of the text part alike must see what is paid for, and by whom.",
    source="CAP Code 2.1 and 2.4; EU directive 2005/29/EC, annex I, 11",
    failing=Example(
        "a theme whose text part leaves the label out",
        eg.both(_sponsored(), eg.email(text=eg.example().email.text)),
    ),
    passing=Example("“Advertisement feature · Paid for by The Quay Hotel” in both parts", _sponsored()),
    waivable=False,
)
def sponsor_label_unseen(context: CheckContext) -> Iterator[Problem]:
    """The label, or the payer's name, that is not in the HTML or not in the text."""
    parts = {
        "HTML": plain(" ".join(text for text, _ in context.page.texts)),
        "text": plain(context.email.text),
    }
    for section, article in context.placed():
        if section.layout != "sponsor":
            continue
        facts = context.sponsors.get(article.slug)
        label = facts.label if facts and facts.label else context.sponsor_labels.get(article.slug, "")
        for part, words in parts.items():
            missing = [said for said in (label, article.sponsor or "") if plain(said) not in words]
            if missing:
                own = part == "text" and context.issue.own_text is not None
                yield Problem(
                    f"The {part} part does not say “{'” and “'.join(missing)}”.",
                    f"Write it into {TEXT_FILE}." if own else "Use the theme's own sponsor block, or mend the theme.",
                    article.slug,
                    TEXT_FILE if own else "sponsor",
                )
