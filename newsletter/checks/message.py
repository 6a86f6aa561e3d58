"""What the inbox shows before the mail is opened, merge fields, and template code that nobody filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.page import cut
from newsletter.checks.registry import Example, Problem, check
from newsletter.errors import did_you_mean
from newsletter.message.merge import RESERVED, TOKEN
from newsletter.models import TEXT_FILE, MergeField, Severity

SUBJECT_LIMIT = 60
PREHEADER_LIMIT = 150

_LEFTOVER = re.compile(
    r"\{\{|\{%|\{#|\*\|[A-Z_:]{2,40}\|\*|%%[A-Za-z_]{2,40}%%|(?<![\w%])%[A-Z][A-Z_]{3,40}%(?![\w%])|%recipient\.[A-Za-z_]{1,40}%"
)
_WORD = re.compile(r"[^\W\d_]{4,}")


@check(
    id="subject-missing",
    severity=Severity.WARNING,
    family="message",
    why="The subject decides whether the mail is opened. Without one the lead story's headline stands in.",
    source="newsroom practice; the inbox line is the headline of the whole issue",
    failing=Example("an issue.md without `subject`", eg.issue(subject=None)),
    passing=Example("`subject: The ferry is back`", eg.as_it_is),
)
def subject_missing(context: CheckContext) -> Iterator[Problem]:
    """The issue's own subject is empty."""
    if not (context.issue.subject or "").strip():
        stands = f"; the lead's headline stands: “{cut(context.subject)}”" if context.subject.strip() else ""
        yield Problem(f"No subject is written{stands}.", "Write subject: in issue.md.", field="subject")


@check(
    id="subject-long",
    severity=Severity.WARNING,
    family="message",
    why=f"Phones show about 40 characters of a subject and desktops about 60; past {SUBJECT_LIMIT} nobody reads it.",
    source="inbox widths of Gmail, Apple Mail and Outlook",
    failing=Example("a subject of 66 characters", eg.email(subject="The ferry " * 6 + "again!")),
    passing=Example("`The ferry is back`", eg.as_it_is),
)
def subject_long(context: CheckContext) -> Iterator[Problem]:
    """The subject, with defaults for merge fields, is longer than inboxes show."""
    if len(context.subject) > SUBJECT_LIMIT:
        yield Problem(
            f"The subject has {len(context.subject)} characters; inboxes show about {SUBJECT_LIMIT}.",
            "Put what matters first, or shorten it.",
            field="subject",
        )


@check(
    id="subject-shouts",
    severity=Severity.WARNING,
    family="message",
    why="Capitals and rows of exclamation marks look like spam to readers and to filters.",
    source="SpamAssassin SUBJ_ALL_CAPS and PLING_PLING",
    failing=Example("`FERRY BACK AT LAST!!!`", eg.email(subject="FERRY BACK AT LAST!!!")),
    passing=Example("`The BBC visits the ferry!`", eg.email(subject="The BBC visits the ferry!")),
)
def subject_shouts(context: CheckContext) -> Iterator[Problem]:
    """Most longer words in capitals, or more than one exclamation mark in a row."""
    words = _WORD.findall(context.subject)
    loud = [word for word in words if word.isupper()]
    if "!!" in context.subject or (len(loud) >= 2 and len(loud) * 2 > len(words)):
        yield Problem(
            f"The subject shouts: “{cut(context.subject)}”.",
            "Write it in ordinary letters, with one exclamation mark at most.",
            field="subject",
        )


@check(
    id="preheader-missing",
    severity=Severity.WARNING,
    family="message",
    why="Inboxes show a line after the subject. Without a preheader the lead story's teaser stands in.",
    source="newsroom practice; every large mail client shows a preview line",
    failing=Example("an issue.md without `preheader`", eg.issue(preheader=None)),
    passing=Example("`preheader: After eight months the morning boat runs again`", eg.as_it_is),
)
def preheader_missing(context: CheckContext) -> Iterator[Problem]:
    """The issue's own preheader is empty."""
    if not (context.issue.preheader or "").strip():
        stands = f"; the lead's teaser stands: “{cut(context.preheader)}”" if context.preheader.strip() else ""
        yield Problem(f"No preheader is written{stands}.", "Write preheader: in issue.md.", field="preheader")


@check(
    id="preheader-long",
    severity=Severity.WARNING,
    family="message",
    why=f"Past {PREHEADER_LIMIT} characters no inbox shows a preheader.",
    source="inbox widths of Gmail, Apple Mail and Outlook",
    failing=Example(
        "a preheader of 176 characters", eg.email(preheader="After eight months the " * 7 + "boat is back at")
    ),
    passing=Example("a preheader of one sentence", eg.as_it_is),
)
def preheader_long(context: CheckContext) -> Iterator[Problem]:
    """The preheader is longer than inboxes show."""
    if len(context.preheader) > PREHEADER_LIMIT:
        yield Problem(
            f"The preheader has {len(context.preheader)} characters; no inbox shows more than {PREHEADER_LIMIT}.",
            "Keep one sentence.",
            field="preheader",
        )


@check(
    id="leftover-template",
    severity=Severity.ERROR,
    family="message",
    why="Braces or merge tags of another system that reach the reader show that nobody looked.",
    source="merge syntax of Jinja, Mailchimp, Salesforce, ActiveCampaign and Mailgun",
    failing=Example(
        "`Dear *|FNAME|*,` in a story", eg.html("After eight months", "Dear *|FNAME|*, after eight months")
    ),
    passing=Example('`Dear {{ subscriber.first_name | default("reader") }},`', eg.as_it_is),
)
def leftover_template(context: CheckContext) -> Iterator[Problem]:
    """Template syntax or a token without its field in the subject, the HTML or the text part."""
    fields = {field.token for field in context.email.fields}

    def found_in(text: str) -> str | None:
        if found := _LEFTOVER.search(text):
            return cut(text[found.start() : found.start() + 40], 40)
        return next((token for token in TOKEN.findall(text) if token not in fields), None)

    # The preheader stands in the HTML; the text part is named only for what the HTML does not have as well.
    places: list[tuple[str, str | None, str]] = [("subject", None, context.email.subject)]
    places += [("html", article, text) for text, article in context.page.texts]
    places.append(("text", None, context.email.text))
    own = TEXT_FILE if context.issue.own_text is not None else None
    seen: set[tuple[str, str | None]] = set()
    for place, article, text in places:
        left = found_in(text)
        if left and (left, article) not in seen and not (place == "text" and seen):
            seen.add((left, article))
            where = {"html": "The mail", "text": "The text part"}.get(place, f"The {place}")
            yield Problem(
                f"{where} still shows template code: {left}",
                'Take it out, or write a merge field such as {{ subscriber.first_name | default("reader") }}.',
                article=article,
                field={"subject": "subject", "text": own}.get(place),
                phrase=left,
            )


@check(
    id="merge-field-unknown",
    severity=Severity.ERROR,
    family="message",
    why="A merge field that subscribers do not have would be blank for everybody.",
    source="[audience] attributes in newsletter.toml",
    failing=Example("`{{ subscriber.first_name }}` without that attribute", eg.given(known_fields=frozenset({"city"}))),
    passing=Example('`attributes = ["first_name"]`', eg.as_it_is),
)
def merge_field_unknown(context: CheckContext) -> Iterator[Problem]:
    """A field of the email that is neither an attribute of the audience nor a link of ours."""
    for name in _names(context.email.fields):
        if name not in RESERVED and name not in context.known_fields:
            article, place = _used_in(context, name)
            yield Problem(
                f"Subscribers have no attribute “{name}”.",
                did_you_mean(name, context.known_fields) or f'Add "{name}" to attributes under [audience].',
                article=article,
                field=place,
                phrase=f"subscriber.{name}",
            )


@check(
    id="merge-default-missing",
    severity=Severity.WARNING,
    family="message",
    why="Readers whose value is unknown get a hole: “Dear ,”.",
    source="newsroom practice",
    failing=Example(
        "`Dear {{ subscriber.first_name }},`",
        eg.email(fields=(MergeField("nlf0001q", "first_name", "", "html"), *eg.example().email.fields[1:])),
    ),
    passing=Example('`Dear {{ subscriber.first_name | default("reader") }},`', eg.as_it_is),
)
def merge_default_missing(context: CheckContext) -> Iterator[Problem]:
    """An attribute used without a default."""
    for name in _names(field for field in context.email.fields if not field.default.strip()):
        if name not in RESERVED:
            article, place = _used_in(context, name)
            yield Problem(
                f"{{{{ subscriber.{name} }}}} has no default: a reader without it sees a hole.",
                f'Write {{{{ subscriber.{name} | default("reader") }}}}.',
                article=article,
                field=place,
                phrase=f"subscriber.{name}",
            )


@check(
    id="merge-in-address",
    severity=Severity.WARNING,
    family="message",
    why="A reader's data inside a link ends in the logs of another website, and a value with odd letters breaks it.",
    source="data minimisation, GDPR article 5(1)(c)",
    failing=Example(
        "`https://estuary.example/ferry?name={{ subscriber.first_name }}`",
        eg.html("estuary.example/ferry", "estuary.example/ferry?name=nlf0001q"),
    ),
    passing=Example("`https://estuary.example/ferry`", eg.as_it_is),
)
def merge_in_address(context: CheckContext) -> Iterator[Problem]:
    """A subscriber's attribute inside a href or src."""
    names = {field.token: field.name for field in context.email.fields if field.name not in RESERVED}
    for element in context.page.every("a", "area", "img"):
        address = element.attributes.get("href") or element.attributes.get("src") or ""
        for name in dict.fromkeys(names[token] for token in TOKEN.findall(address) if token in names):
            yield Problem(
                f"An address holds the reader's {name}: {cut(TOKEN.sub('…', address))}",
                "Take the merge field out of the address.",
                article=element.article,
                phrase=f"subscriber.{name}",
            )


def _names(fields: Iterable[MergeField]) -> dict[str, None]:
    return dict.fromkeys(field.name for field in fields)


def _used_in(context: CheckContext, name: str) -> tuple[str | None, str | None]:
    """Where an author wrote a field: (article, field name); (None, None) when a theme did."""
    written = re.compile(rf"subscriber\.{re.escape(name)}\b")
    for place in ("subject", "preheader", "correction", "intro"):
        if written.search(getattr(context.issue, place) or ""):
            return None, place
    for article in context.issue.articles():
        for place in ("headline", "kicker", "standfirst", "teaser", "body"):
            if written.search(getattr(article, place) or ""):
                return article.slug, place
    return None, TEXT_FILE if written.search(context.issue.own_text or "") else None
