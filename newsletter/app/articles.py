"""Stories come in, are looked at and corrected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.app.desk import Desk
from newsletter.app.inbox import add
from newsletter.articles import inbox
from newsletter.articles.dropcap import suggestions_for
from newsletter.articles.inbox import Added, State
from newsletter.articles.reading import read_story
from newsletter.articles.schema import article_to_data
from newsletter.articles.story import Story, Suggestion
from newsletter.articles.teaser import reading_minutes
from newsletter.errors import BadData, NotFound
from newsletter.issues.uses import uses


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
    """A story with the provenance of each field, the fixes that are offered for it, and who has used it.

    ``minutes`` to read; ``used`` are the issues that have it in words, the newest first. ``url`` is its page.
    """

    slug: str
    rows: Sequence[FieldRow]
    body: str
    offered: Sequence[Suggestion]
    minutes: int
    used: Sequence[str] = ()
    state: State = "new"
    headline: str = ""
    url: str | None = None

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
        story = read_file(path)
    else:
        story = read_story(path, data)
    added = add(desk, story)
    if not added.already:
        added.notes.extend(offer_words(added.slug, offer) for offer in story.suggestions)
    return added


_PATH = "check the path; the address of a web page begins with https://"


def read_file(path: Path) -> Story:
    """The story of a file; raises NotFound for a missing one and BadData for one that holds no story."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound("there is no such file", where=str(path), fix=_PATH) from error
    except IsADirectoryError as error:
        raise BadData("that is a folder, not a story", where=str(path), fix="name the files in it") from error
    except OSError as error:
        raise BadData(f"cannot read it: {error.strerror}", where=str(path)) from error
    return read_story(path, data)


def show_article(desk: Desk, slug: str) -> ShownArticle:
    """One story of the inbox; raises NotFound with the closest slug."""
    item = inbox.get(desk.store, slug)
    article = item.article
    rows = []
    for name, value in article_to_data(article).items():
        if name in {"provenance", "origin"}:
            continue
        known = article.provenance.get(name)
        source, sure = ("", True) if known is None else (known.source, known.confirmed)
        parts = {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, Mapping) else {name: value}
        rows += [FieldRow(key, _in_words(part), source, sure) for key, part in parts.items() if part is not None]
    body = article.provenance.get("body")
    if body is not None and not body.confirmed:
        rows.append(FieldRow("body", "only what the source gives of it", body.source, False))
    used = tuple(dict.fromkeys(use.words for use in uses(desk.workspace).of(slug)))
    return ShownArticle(
        slug,
        rows,
        article.body,
        suggestions_for(article.body),
        reading_minutes(article.body),
        used,
        item.state,
        article.headline,
        article.origin.url or article.link,
    )


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


def _in_words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
