"""Dates: words that meant a day to come when they were written and a day gone by when they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.registry import Example, Problem, check
from newsletter.checks.weekdays import Mention, mentions
from newsletter.models import Article, Severity

SHOWN = ("kicker", "headline", "standfirst", "teaser")
_YEAR = re.compile(r"\d{4}$")

BODY_LEAD = 600
"""Characters of a body that a teaser may be made from, where the editor wrote none."""


def shown_texts(context: CheckContext) -> Iterator[tuple[Article, str, str]]:
    """What readers get to see of each story in English: (article, field, text)."""
    for section, article in context.placed():
        if not context.language_of(article).lower().startswith("en"):
            continue
        for name in SHOWN:
            if text := getattr(article, name):
                yield article, name, text
        if section.layout == "text":
            yield article, "body", article.body
        elif not article.teaser and not article.standfirst:
            yield article, "body", article.body[:BODY_LEAD]


def _mentions(context: CheckContext) -> Iterator[tuple[Article, str, list[Mention]]]:
    for article, name, text in shown_texts(context):
        found = list(mentions(text, context.issue.date, _published(context, article)))
        if found:
            yield article, name, found


def _published(context: CheckContext, article: Article) -> date | None:
    """The day on which a story was written, where it was. A time in UTC says when: what is its day, the zone says."""
    try:
        moment = datetime.fromisoformat((article.published or "").strip())
        return _local_day(context, moment) if moment.utcoffset() == timedelta(0) else moment.date()
    except (ValueError, OverflowError):
        return None


def _local_day(context: CheckContext, moment: datetime) -> date:
    try:
        return moment.astimezone(ZoneInfo(context.config.publication.timezone)).date()
    except (ZoneInfoNotFoundError, ValueError):  # a wrong zone is refused when the configuration is read
        return moment.date()


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"


@check(
    id="date-stale",
    severity=Severity.WARNING,
    family="dates",
    why="“The ferry will sail on Wednesday (25)” is wrong in the paper of Friday 27: the day has passed. Days that a "
    "sentence only looks back on are notes. English only.",
    source="newsroom practice; day numbers are resolved to the date nearest the issue's",
    failing=Example(
        "`teaser: The boat will sail on Wednesday (25).` in the issue of Friday 27 November",
        eg.story(teaser="The boat will sail on Wednesday (25)."),
    ),
    passing=Example(
        "`teaser: The boat will sail on Sunday (29).` in the issue of Friday 27 November",
        eg.story(teaser="The boat will sail on Sunday (29)."),
    ),
)
def date_stale(context: CheckContext) -> Iterator[Problem]:
    """A named day before the issue's date; a warning, unless its sentence plainly looks back."""
    issued = context.issue.date
    for article, name, found in _mentions(context):
        written = _published(context, article)
        past = [m for m in found if m.day is not None and m.day < issued and _misleads(m, issued, written)]
        announced = [m for m in past if m.tense != "past"]
        reported = [m for m in past if m.tense == "past"]
        for some, severity, fix in (
            (announced, None, "Put the sentence into the past, or name another day."),
            (reported, Severity.INFO, "That is fine if readers know which day is meant."),
        ):
            if some:
                named = ", ".join(f"“{m.words}” ({_day(m.day)})" for m in some if m.day)
                verb = "lies" if len(some) == 1 else "lie"
                yield Problem(
                    f"{named} {verb} before the issue's date, {_day(issued)}.",
                    fix,
                    article.slug,
                    name,
                    severity,
                    phrase=some[0].words,
                )


def _misleads(mention: Mention, issued: date, written: date | None) -> bool:
    """A bare “on Monday” of the days just before the issue is still read right, and so is a day that a
    sentence looks back on with its year; “yesterday” has its own rule."""
    if mention.kind == "dated" and mention.tense == "past" and _YEAR.search(mention.words):
        return False
    if mention.kind == "relative":
        return mention.words.lower() != "yesterday"
    if mention.kind != "bare" or mention.tense == "future":
        return True
    return written is not None and (issued - written).days > 6


@check(
    id="date-relative",
    severity=Severity.WARNING,
    family="dates",
    why="Readers take “tomorrow” from the issue's date, not from the day on which the story was written. English only.",
    source="newsroom practice",
    failing=Example(
        "`teaser: The boat sails tomorrow.`, published on 26 November, in the issue of 27 November",
        eg.story(teaser="The boat sails tomorrow.", published="2026-11-26"),
    ),
    passing=Example(
        "`teaser: The boat sails tomorrow.`, published on 27 November, in the issue of 27 November",
        eg.story(teaser="The boat sails tomorrow.", published="2026-11-27"),
    ),
)
def date_relative(context: CheckContext) -> Iterator[Problem]:
    """“today”, “tomorrow” … in a story of another day; a note where the story has no date."""
    issued = context.issue.date
    for article, name, found in _mentions(context):
        written = _published(context, article)
        words = [
            mention.words
            for mention in found
            if mention.kind == "relative"
            and not (mention.day and mention.day < issued and _misleads(mention, issued, written))
            # In a story without a date “today” mostly means nowadays.
            and (written or mention.words.lower() != "today")
        ]
        if not words or written == issued:
            continue
        said = ", ".join(dict.fromkeys(f"“{word}”" for word in words))
        if written:
            yield Problem(
                f"The story of {_day(written)} says {said}, which readers take from {_day(issued)}.",
                "Name the day.",
                article.slug,
                name,
                phrase=words[0],
            )
        else:
            yield Problem(
                f"The story says {said} and has no date of its own; readers take it from {_day(issued)}.",
                "Check the day, and name it.",
                article.slug,
                name,
                Severity.INFO,
                phrase=words[0],
            )


@check(
    id="date-impossible",
    severity=Severity.WARNING,
    family="dates",
    why="A weekday and a day of the month that never meet near the issue's date: one of them is wrong. English only.",
    source="the calendar, two months to either side; a named month within a year",
    failing=Example(
        "`teaser: The boat sails on Wednesday 2 December 2027.`",
        eg.story(teaser="The boat sails on Wednesday 2 December 2027."),
    ),
    passing=Example(
        "`teaser: The boat sails on Wednesday 2 December.`", eg.story(teaser="The boat sails on Wednesday 2 December.")
    ),
)
def date_impossible(context: CheckContext) -> Iterator[Problem]:
    """Weekday and number do not agree."""
    for article, name, found in _mentions(context):
        for mention in found:
            if mention.kind == "dated" and mention.day is None:
                yield Problem(
                    f"“{mention.words}” is no day near the issue's date, {_day(context.issue.date)}.",
                    "Look at a calendar: the weekday or the number is wrong.",
                    article.slug,
                    name,
                    phrase=mention.words,
                )


@check(
    id="issue-date-mismatch",
    severity=Severity.WARNING,
    family="dates",
    why="The date in the masthead is the day on which the mail arrives.",
    source="newsroom practice; the day is taken in the publication's time zone",
    failing=Example("`date: 2026-11-27`, sent on 28 November", eg.given(send_at=datetime(2026, 11, 28, 7, tzinfo=UTC))),
    passing=Example("`date: 2026-11-27`, sent on 27 November", eg.given(send_at=datetime(2026, 11, 27, 7, tzinfo=UTC))),
    needs="send_at",
)
def issue_date_mismatch(context: CheckContext) -> Iterator[Problem]:
    """The day of sending is not the issue's date."""
    if context.send_at is None:
        return
    day = _local_day(context, context.send_at)
    if day != context.issue.date:
        yield Problem(
            f"The issue is dated {_day(context.issue.date)} and goes out on {_day(day)}.",
            "Change date: in issue.md, or the time of sending.",
            field="date",
        )
