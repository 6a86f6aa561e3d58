"""The line in the inbox: what each client shows of sender, subject and preheader, and where it cuts them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.page import cut, plain
from newsletter.checks.registry import Example, Problem, check
from newsletter.models import Severity

PREHEADER = 40
"""Characters of the preheader that every client shows; most show more."""
SENDER = 25
"""Characters of the sender's name; phones and Gmail's column show 20 to 25."""


@dataclass(frozen=True, slots=True)
class Client:
    """A mail client's list of mails. ``width`` is the characters of a subject, in Latin letters of average width."""

    name: str
    width: int
    phone: bool
    source: str


CLIENTS = (
    Client("Gmail app, Android", 33, True, "emailtooltester.com, character limits (2023): the least of six inboxes"),
    Client(
        "Apple Mail, iPhone", 41, True, "theorchardagency.com, portrait; emailtooltester.com saw 48 on an iPhone 14"
    ),
    Client("Yahoo Mail, web", 46, False, "theorchardagency.com, at 1024 × 768"),
    Client("Outlook, Windows", 54, False, "theorchardagency.com, list with preview; 73 in the compact one"),
    Client("Gmail, web", 70, False, "theorchardagency.com; lettercounter.org says the same"),
)
"""Published measurements, the narrowest first. Letters differ in width, so each is good to a few characters."""

_LONG = 5
"""Letters of a word that is worth saying that it is cut: “th…” of “the” tells as much as the whole."""
_ARTICLES = {"the", "a", "an", "der", "die", "das", "le", "la", "les", "el", "los", "las"}


@dataclass(frozen=True, slots=True)
class InboxLine:
    """One client's line. ``shown`` is the whole; the parts are as cut there."""

    client: str
    width: int
    shown: str
    sender: str
    subject: str
    preheader: str


def inbox_lines(context: CheckContext) -> tuple[InboxLine, ...]:
    """What a reader without attributes sees before opening, for every client, the narrowest first."""
    return lines_of(context.sender_name, context.subject, context.preheader)


def lines_of(sender: str, subject: str, preheader: str) -> tuple[InboxLine, ...]:
    """The line of every client for these words."""
    name, first = shortened(sender, SENDER), shortened(preheader, PREHEADER)
    return tuple(
        InboxLine(
            client.name,
            client.width,
            " · ".join(part for part in (name, shown, first) if part),
            name,
            shown,
            first,
        )
        for client in CLIENTS
        for shown in [shortened(subject, client.width)]
    )


def shortened(text: str, width: int) -> str:
    """A text as a client cuts it: at so many columns, wherever that is, with an ellipsis for the last."""
    text = " ".join(text.split())
    columns = [_columns(character) for character in text]
    if sum(columns) <= width:
        return text
    used = length = 0
    for size in columns:
        if used + size > width - 1:
            break
        used, length = used + size, length + 1
    return text[:length].rstrip() + "…"


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _cut_word(subject: str, width: int) -> str | None:
    """The word that a client cuts in two, where it is long enough to matter."""
    subject = " ".join(subject.split())
    kept = shortened(subject, width).removesuffix("…")
    if kept == subject or len(kept) >= len(subject) or not (kept[-1:].isalnum() and subject[len(kept)].isalnum()):
        return None
    if _columns(kept[-1]) == 2 and not "\uac00" <= kept[-1] <= "\ud7a3":
        return None  # Chinese and Japanese break anywhere; Korean has words
    start = re.search(r"[\w’'-]*\Z", kept)
    end = re.match(r"[\w’'-]*", subject[len(kept) :])
    word = (start.group() if start else "") + (end.group() if end else "")
    return word if len(word) >= _LONG else None


@check(
    id="subject-cut",
    severity=Severity.INFO,
    family="message",
    why="Most mails are first seen on a phone. A subject that ends there in the middle of a word reads like a mistake, "
    "and half a word can say something else.",
    source="characters of a subject that are shown: " + "; ".join(f"{c.name} {c.width} ({c.source})" for c in CLIENTS),
    failing=Example(
        "`subject: The ferry comes back to our old breakwater on Saturday`, cut in “breakwater”",
        eg.email(subject="The ferry comes back to our old breakwater on Saturday"),
    ),
    passing=Example(
        "`subject: The ferry is back, and so are 40 of its old timetables`",
        eg.email(subject="The ferry is back, and so are 40 of its old timetables"),
    ),
)
def subject_cut(context: CheckContext) -> Iterator[Problem]:
    """A long word cut in two on a phone; said once, for the narrowest."""
    for client in CLIENTS:
        word = _cut_word(context.subject, client.width) if client.phone else None
        if word:
            yield Problem(
                f"{client.name} cuts the subject in the middle of “{word}”: "
                f"“{shortened(context.subject, client.width)}”.",
                f"Let the first {client.width - 1} characters end with a word, or stand for themselves.",
                field="subject",
            )
            return


def _words(text: str) -> list[str]:
    return [word for word in plain(text).split() if word not in _ARTICLES]


def _holds(words: list[str], sought: list[str]) -> bool:
    return any(words[at : at + len(sought)] == sought for at in range(len(words) - len(sought) + 1))


@check(
    id="subject-repeats-sender",
    severity=Severity.WARNING,
    family="message",
    why="The sender's name stands beside the subject in every inbox: said twice, it takes the room of the news.",
    source="newsroom practice; inboxes show sender and subject side by side",
    failing=Example("`The Estuary Weekly: the ferry is back`", eg.email(subject="Estuary Weekly: the ferry is back")),
    passing=Example("`The ferry is back`", eg.as_it_is),
)
def subject_repeats_sender(context: CheckContext) -> Iterator[Problem]:
    """The sender's name within the subject; a name of one word only where the subject begins with it."""
    name, subject = _words(context.sender_name), _words(context.subject)
    repeats = subject[:1] == name and len(subject) > 1 if len(name) == 1 else bool(name) and _holds(subject, name)
    if repeats:
        yield Problem(
            f"The subject repeats the sender's name: “{cut(context.sender_name)} · {cut(context.subject)}”.",
            "Begin with the news.",
            field="subject",
        )


@check(
    id="preheader-repeats-subject",
    severity=Severity.WARNING,
    family="message",
    why="The preheader is the second half of the line in the inbox; where it says the subject again, half is wasted.",
    source="newsroom practice",
    failing=Example("`preheader: The ferry is back.`", eg.email(preheader="The ferry is back.")),
    passing=Example("`preheader: After eight months the morning boat runs again`", eg.as_it_is),
)
def preheader_repeats_subject(context: CheckContext) -> Iterator[Problem]:
    """The preheader begins with the whole subject."""
    subject, preheader = _words(context.subject), _words(context.preheader)
    if subject and preheader[: len(subject)] == subject:
        yield Problem(
            f"The preheader says the subject again: “{cut(context.preheader)}”.",
            "Write preheader: what the subject leaves out.",
            field="preheader",
        )
