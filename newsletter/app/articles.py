"""The inbox: stories come in, are looked at, corrected and dismissed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.app.desk import Desk
from newsletter.articles import inbox
from newsletter.articles.dropcap import suggestions_for
from newsletter.articles.inbox import Added
from newsletter.articles.reading import read_story
from newsletter.articles.schema import article_to_data
from newsletter.articles.story import Suggestion
from newsletter.errors import BadData, NotFound
from newsletter.issues.folder import list_issues, load_issue


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One line of the inbox. ``added`` is a date in the publication's zone; ``used_in`` an issue's slug."""

    slug: str
    headline: str
    added: str
    state: str
    used_in: str | None

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"slug": self.slug, "headline": self.headline, "added": self.added, "state": self.state,
                "used_in": self.used_in}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a story, where it came from, and whether it is stated there or a guess that waits for an editor."""

    name: str
    value: str
    source: str
    confirmed: bool = True

    @property
    def told(self) -> str:
        """The source for people: a guess is marked."""
        return self.source if self.confirmed else f"{self.source}, unconfirmed"


@dataclass(frozen=True, slots=True)
class ShownArticle:
    """A story with the provenance of each field, and the fixes that are offered for it."""

    slug: str
    rows: Sequence[FieldRow]
    body: str
    offered: Sequence[Suggestion]

    @property
    def fields(self) -> dict[str, dict[str, str | bool]]:
        """For ``--json``."""
        return {row.name: {"value": row.value, "from": row.source, "confirmed": row.confirmed} for row in self.rows}

    @property
    def guesses(self) -> str | None:
        """A sentence with the command that confirms what is a guess; None when nothing is."""
        return guess_words(self.slug, [row.name.split(".")[0] for row in self.rows if not row.confirmed])

    @property
    def suggestions(self) -> list[str]:
        """Each offered fix as a sentence with the command that takes it."""
        return [offer_words(self.slug, offer) for offer in self.offered]


def offer_words(slug: str, offer: Suggestion) -> str:
    """What is offered and how to take it; nothing is changed until the editor says so."""
    return f"offered: “{offer.now}” → “{offer.instead}” ({offer.why}). Take it: newsletter article set {slug} --fix"


def guess_words(slug: str, names: Iterable[str]) -> str | None:
    """Which fields are guesses and how to confirm them; None for none."""
    waiting = list(dict.fromkeys(names))
    if not waiting:
        return None
    command = f"newsletter article set {slug} --confirm {waiting[0] if len(waiting) == 1 else 'all'}"
    return f"guessed, look at it: {', '.join(waiting)}. If it is right: {command}"


def add_article(desk: Desk, path: Path | None, data: bytes | None = None) -> Added:
    """Read a story from ``path`` (or from ``data``, as standard input has no name) into the inbox.

    Raises NotFound for a missing file and BadData for one that holds no story; then nothing is added.
    """
    if data is None:
        assert path is not None
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            fix = "check the path; the address of a web page begins with https://"
            raise NotFound("there is no such file", where=str(path), fix=fix) from error
        except IsADirectoryError as error:
            raise BadData("that is a folder, not a story", where=str(path), fix="name the files in it") from error
        except OSError as error:
            raise BadData(f"cannot read it: {error.strerror}", where=str(path)) from error
    story = read_story(path, data)
    added = inbox.add_story(desk.store, desk.workspace, desk.config, story)
    if not added.already:
        added.notes.extend(offer_words(added.slug, offer) for offer in story.suggestions)
    return added


def list_articles(desk: Desk, *, everything: bool = False) -> list[InboxRow]:
    """The inbox, newest first, with the issue that already uses a story."""
    used = _uses(desk)
    return [
        InboxRow(item.article.slug, item.article.headline, item.added, item.state, used.get(item.article.slug))
        for item in inbox.list_inbox(desk.store, dismissed=everything)
    ]


def _uses(desk: Desk) -> dict[str, str]:
    uses: dict[str, str] = {}
    for summary in list_issues(desk.workspace):
        if summary.problem is None:
            for article in load_issue(desk.workspace, summary.slug).articles():
                uses.setdefault(article.slug, summary.slug)
    return uses


def show_article(desk: Desk, slug: str) -> ShownArticle:
    """One story of the inbox; raises NotFound with the closest slug."""
    article = inbox.get(desk.store, slug).article
    rows = []
    for name, value in article_to_data(article).items():
        if name in {"provenance", "origin"}:
            continue
        known = article.provenance.get(name)
        source, sure = ("", True) if known is None else (known.source, known.confirmed)
        parts = {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, Mapping) else {name: value}
        rows += [FieldRow(key, _in_words(part), source, sure) for key, part in parts.items() if part is not None]
    return ShownArticle(slug, rows, article.body, suggestions_for(article.body))


def set_article(desk: Desk, slug: str, assignments: Mapping[str, str], *, fix: bool = False) -> list[str]:
    """Set fields of a story, and with ``fix`` take what is offered; what was done, a line each.

    Raises BadData for an unknown field or a value it cannot have, and then nothing was changed.
    """
    done = []
    if assignments:
        inbox.set_field(desk.store, slug, dict(assignments))
        done.append(f"{slug}: set {', '.join(assignments)}.")
    if fix:
        body = inbox.get(desk.store, slug).article.body
        offers = suggestions_for(body)
        for offer in offers:
            body = body.replace(offer.now, offer.instead, 1)
            done.append(f"{slug}: “{offer.now}” is “{offer.instead}” now.")
        if offers:
            inbox.set_body(desk.store, slug, body)
        else:
            done.append(f"{slug}: nothing is offered.")
    return done


def dismiss_article(desk: Desk, slug: str) -> None:
    """Take a story out of the inbox; raises NotFound."""
    inbox.dismiss(desk.store, slug)


def _in_words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
