"""The inbox: candidate stories as rows of the database, each the text of the file that it would become in an issue."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy import Connection, Row, insert, or_, select, update

from newsletter.articles.originals import (
    MAX_PICTURE,
    SUFFIXES,
    Fetch,
    check_picture,
    get_picture,
    keep_original,
)
from newsletter.articles.plain import plain_text
from newsletter.articles.schema import article_from_document, article_to_data
from newsletter.articles.shape import title_key
from newsletter.articles.story import Story, check_body, nothing_to_read
from newsletter.errors import ImageError, NewsletterError, NotFound, did_you_mean
from newsletter.models import Article, Picture
from newsletter.net.fetch import fetch as guarded_fetch
from newsletter.store.clock import from_us, now_us
from newsletter.store.engine import Store
from newsletter.store.tables import article as rows
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.frontmatter import Document, dump
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config

_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_[ce]id|igshid|ref|cmpid|ns_\w+")


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a story: the slug that names it from now on, and whether it had been there already."""

    slug: str
    article: Article
    already: bool
    notes: list[str]


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A story in the inbox. ``document`` is its file's text; ``original`` the SHA-256 of its picture, if it was kept.

    ``state`` is ``new`` or ``dismissed``; ``added_at`` is aware UTC.
    """

    article: Article
    document: str
    original: str | None
    state: str
    added_at: datetime

    @property
    def slug(self) -> str:
        """The name of the story."""
        return self.article.slug

    @property
    def added(self) -> str:
        """The day on which it came in, as an ISO date in UTC."""
        return self.added_at.date().isoformat()

    @property
    def image_name(self) -> str | None:
        """The name of the picture's file in an issue's ``images`` folder; None for a picture that stays remote."""
        return self.article.image.file if self.article.image and self.original else None


def content_key(article: Article) -> str:
    """The SHA-256 of a story's words: blanks, kinds of quotes in the headline and Markdown marks make no difference."""
    words = " ".join(plain_text(article.body).split())
    return sha256_hex(f"{title_key(article.headline)}\n{unicodedata.normalize('NFC', words)}".encode())


def url_key(link: str | None) -> str | None:
    """An address for comparison only: no scheme, ``www.``, fragment, final slash or tracking parameters."""
    if not link:
        return None
    try:
        parts = urlsplit(link.strip())
        query = [
            (k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(k.lower())
        ]
    except ValueError:
        return link.strip()
    host = (parts.netloc or "").lower().rpartition("@")[2].removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}" + (f"?{urlencode(sorted(query))}" if query else "")


def add_story(store: Store, ws: Workspace, config: Config, story: Story, *, fetch: Fetch = guarded_fetch) -> Added:
    """Put a story into the inbox, with its lead image if it can be had.

    The same story a second time adds nothing (``already``); one that was dismissed comes back. The same headline or
    link on another text is only noted. A picture that cannot be had stays where it is, and a note says why.
    """
    key = content_key(story.article)
    with store.read() as conn:
        known = _known(conn, key)
    if known:
        return _already(store, known, story)
    notes = list(story.notes)
    data = _picture_data(config, story, notes, fetch)
    original = keep_original(ws, data) if data else None
    with store.write() as conn:
        if known := _known(conn, key):  # another process was quicker
            return Added(known.slug, _item(known).article, True, notes)
        now = now_us()
        slug = _free_slug(conn, story.article.slug)
        finished = _finished(story, slug, data, now)
        document = dump({**article_to_data(finished), **story.extra}, finished.body)
        notes += _look_alikes(conn, finished)
        conn.execute(
            insert(rows).values(
                slug=slug,
                headline=finished.headline,
                document=document,
                content_key=key,
                title_key=title_key(finished.headline),
                url_key=url_key(finished.link),
                original=original,
                state="new",
                added_at=now,
            )
        )
    return Added(slug, finished, False, notes)


def _known(conn: Connection, key: str) -> Row[Any] | None:
    return conn.execute(select(rows).where(rows.c.content_key == key)).first()


def _already(store: Store, known: Row[Any], story: Story) -> Added:
    notes = list(story.notes)
    if known.state == "dismissed":
        with store.write() as conn:
            conn.execute(update(rows).where(rows.c.id == known.id).values(state="new"))
        notes.append(f"it had been dismissed; it is back in the inbox, as {known.slug}")
    return Added(known.slug, _item(known).article, True, notes)


def _picture_data(config: Config, story: Story, notes: list[str], fetch: Fetch) -> bytes | None:
    """The bytes of the lead image, checked; None when there is none or when it cannot be had, which is noted."""
    try:
        if story.picture_file is not None:
            return _read_picture(story.picture_file)
        if story.picture_url is None:
            return None
        if not config.images.fetch:
            notes.append("the picture stays where it is: fetch is off under [images] in newsletter.toml")
            return None
        return get_picture(config, story.picture_url, get=fetch)
    except NewsletterError as wrong:
        verdict = "stays where it is" if story.picture_file is None else "was left out"
        notes.append(f"the picture {verdict}: {wrong.what}" + (f"; {wrong.fix}" if wrong.fix else ""))
        return None


def _read_picture(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_PICTURE:
            raise ImageError("the picture is larger than 25 MB", where=path.name, fix="use a smaller version")
        data = path.read_bytes()
    except OSError as wrong:
        raise ImageError(f"cannot read {path.name}: {wrong.strerror}", where=path.name) from wrong
    check_picture(data)
    return data


def _finished(story: Story, slug: str, data: bytes | None, now: int) -> Article:
    """The article as it is saved: its slug, its picture's file name, when it came in."""
    image = story.article.image
    if data is not None:
        image = dataclasses.replace(image or Picture(), file=f"{slug}.{SUFFIXES[check_picture(data)[0]]}")
    elif image and not image.url:
        image = None
    imported = from_us(now).strftime("%Y-%m-%dT%H:%M:%SZ")
    provenance = {k: v for k, v in story.article.provenance.items() if k != "image" or image}
    return dataclasses.replace(
        story.article,
        slug=slug,
        image=image,
        origin=dataclasses.replace(story.article.origin, imported=imported),
        provenance=MappingProxyType(provenance),
    )


def _free_slug(conn: Connection, wanted: str) -> str:
    """The slug, or with the first free number after it."""
    like = or_(rows.c.slug == wanted, rows.c.slug.startswith(f"{wanted}-", autoescape=True))
    taken = set(conn.execute(select(rows.c.slug).where(like)).scalars())
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _look_alikes(conn: Connection, article: Article) -> list[str]:
    """Notes on other stories with the same headline or link: a warning, never a refusal."""
    by_title = select(rows.c.slug).where(rows.c.title_key == title_key(article.headline))
    same_title = list(conn.execute(by_title).scalars())
    notes = [f"another story has the same headline: {', '.join(same_title)}"] if same_title else []
    if key := url_key(article.link):
        same_link = list(conn.execute(select(rows.c.slug).where(rows.c.url_key == key)).scalars())
        notes += [f"another story has the same link: {', '.join(same_link)}"] if same_link else []
    return notes


def list_inbox(store: Store, *, dismissed: bool = False) -> list[InboxItem]:
    """The stories in the inbox, newest first; dismissed ones only on request."""
    query = select(rows).order_by(rows.c.added_at.desc(), rows.c.id.desc())
    if not dismissed:
        query = query.where(rows.c.state == "new")
    with store.read() as conn:
        return [_item(row) for row in conn.execute(query)]


def get(store: Store, slug: str) -> InboxItem:
    """One story, also a dismissed one; raises NotFound with the slug that was probably meant."""
    with store.read() as conn:
        return _item(_row(conn, slug))


def _row(conn: Connection, slug: str) -> Row[Any]:
    row = conn.execute(select(rows).where(rows.c.slug == slug)).first()
    if row is None:
        known: Iterable[str] = conn.execute(select(rows.c.slug)).scalars()
        raise NotFound(
            f'there is no story "{slug}" in the inbox',
            fix=did_you_mean(slug, known) or "`newsletter article list --all` shows the stories",
        )
    return row


def _item(row: Row[Any]) -> InboxItem:
    article = article_from_document(Document.parse(row.document, f"{row.slug}.md"), row.slug)
    return InboxItem(article, row.document, row.original, row.state, from_us(row.added_at))


def set_field(store: Store, slug: str, assignments: dict[str, str]) -> InboxItem:
    """Set fields of a story: ``{"headline": "…", "image.alt": "…", "tags": "a, b"}``; an empty value removes one.

    Each is checked and marked as set by the editor. Raises BadData (unknown field, wrong value) and then nothing was
    changed; NotFound for an unknown slug.
    """
    from newsletter.articles.fields import assign

    with store.write() as conn:
        row = _row(conn, slug)
        document = Document.parse(row.document, f"{slug}.md")
        for name, value in assignments.items():
            document = assign(document, name, value)
        # Another address is another picture than the one that was fetched.
        return _save(conn, row, document, None if "image.url" in assignments else row.original)


def confirm_fields(store: Store, slug: str, names: Iterable[str]) -> list[str]:
    """Mark fields of a story as confirmed, or every guess without names; the fields that were.

    Raises BadData for a field that is not marked as a guess, and then nothing was changed; NotFound for the slug.
    """
    from newsletter.articles.fields import confirm, unconfirmed

    with store.write() as conn:
        row = _row(conn, slug)
        document = Document.parse(row.document, f"{slug}.md")
        confirmed = list(names) or unconfirmed(document)
        for name in confirmed:
            document = confirm(document, name)
        if confirmed:
            _save(conn, row, document, row.original)
    return confirmed


def set_body(store: Store, slug: str, body: str) -> InboxItem:
    """Give a story another body (Markdown). Raises BadData when it is empty or too large, NotFound for the slug."""
    file = f"{slug}.md"
    if not body.strip():
        raise nothing_to_read(file, has_headline=True)
    check_body(body, file)
    with store.write() as conn:
        row = _row(conn, slug)
        return _save(conn, row, Document.parse(row.document, file).with_body(body), row.original)


def _save(conn: Connection, row: Row[Any], document: Document, original: str | None) -> InboxItem:
    """Write a changed document back; ``content_key`` stays, so that the source is still known when it comes again."""
    article = article_from_document(document, row.slug)
    changed = {
        "headline": article.headline,
        "document": document.text,
        "title_key": title_key(article.headline),
        "url_key": url_key(article.link),
        "original": original,
    }
    conn.execute(update(rows).where(rows.c.id == row.id).values(**changed))
    return _item(_row(conn, row.slug))


def dismiss(store: Store, slug: str) -> None:
    """Take a story out of the inbox; it is kept, so that adding it again is noticed. Raises NotFound."""
    with store.write() as conn:
        conn.execute(update(rows).where(rows.c.id == _row(conn, slug).id).values(state="dismissed"))
