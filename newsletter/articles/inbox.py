"""The inbox: candidate stories as rows of the database, each the text of the file that it would become in an issue."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, bindparam, insert, or_, select, update

from newsletter.articles.derived import bring_up_to_date, columns_of, index
from newsletter.articles.keys import content_key as content_key
from newsletter.articles.keys import guid_key, host_of
from newsletter.articles.keys import url_key as url_key
from newsletter.articles.originals import (
    MAX_PICTURE,
    SUFFIXES,
    Fetch,
    check_picture,
    get_picture,
    keep_original,
)
from newsletter.articles.schema import article_from_document, article_to_data
from newsletter.articles.shape import title_key
from newsletter.articles.story import Story, check_body, nothing_to_read
from newsletter.errors import Conflict, ImageError, NewsletterError, NotFound, did_you_mean
from newsletter.models import Article, Picture
from newsletter.net.fetch import fetch as guarded_fetch
from newsletter.store.clock import from_us, now_us
from newsletter.store.engine import Store
from newsletter.store.tables import article as rows
from newsletter.store.tables import article_version as versions
from newsletter.workspace.frontmatter import Document, dump
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config

State = Literal["new", "later", "dismissed"]
PLACES: dict[str, str] = {"new": "in the inbox", "later": "saved for later", "dismissed": "dismissed"}
"""Each state in words."""


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

    ``state`` is ``new``, ``later`` (saved for later) or ``dismissed``; ``added_at`` is aware UTC.
    """

    article: Article
    document: str
    original: str | None
    state: State
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


def add_story(
    store: Store,
    ws: Workspace,
    config: Config,
    story: Story,
    *,
    fetch: Fetch = guarded_fetch,
    source: str | None = None,
    elsewhere: Callable[[Article], list[str]] | None = None,
) -> Added:
    """Put a story into the inbox, with its lead image if it can be had.

    The same story a second time adds nothing (``already``); one that was dismissed comes back. The same headline,
    link or GUID on another text is only noted, with where that one is; ``elsewhere`` gives such notes on what is
    not in the inbox. ``source`` is the name of where it comes from (default: the host of its address). A picture
    that cannot be had stays where it is, and a note says why.
    """
    with store.read() as conn:
        known = _known(conn, content_key(story.article))
    if known:
        return _already(store, known, story)
    bring_up_to_date(store)  # look-alikes are found by what is derived
    ready = make_ready(ws, config, story, fetch=fetch)
    with store.write() as conn:
        added = put_story(conn, ready, source=source)
    if elsewhere is not None and not added.already:
        added.notes.extend(elsewhere(added.article))
    return added


@dataclass(frozen=True, slots=True)
class Ready:
    """A story with all that the network and the disk have to do with it done: what is left is one insert.

    ``original`` is the SHA-256 of its picture and ``suffix`` the ending of the picture's file; None without one.
    """

    story: Story
    original: str | None
    suffix: str | None
    notes: tuple[str, ...]


def make_ready(ws: Workspace, config: Config, story: Story, *, fetch: Fetch = guarded_fetch) -> Ready:
    """Get a story's lead image, if it can be had. Touches no database, so that a transaction need not wait for it."""
    notes = list(story.notes)
    data = _picture_data(config, story, notes, fetch)
    if data is None:
        return Ready(story, None, None, tuple(notes))
    return Ready(story, keep_original(ws, data), SUFFIXES[check_picture(data)[0]], tuple(notes))


def put_story(conn: Connection, ready: Ready, *, source: str | None = None) -> Added:
    """Put a story into the inbox within a transaction that is open; one that is there already stays as it is."""
    key, notes = content_key(ready.story.article), list(ready.notes)
    if known := _known(conn, key):  # another process was quicker, or another source has the same story
        return Added(known.slug, _item(known).article, True, notes)
    now = now_us()
    slug = _free_slug(conn, ready.story.article.slug)
    finished = _finished(ready, slug, now)
    notes += _look_alikes(conn, finished)
    text = document_of(ready.story, finished)
    values = {
        "slug": slug,
        "headline": finished.headline,
        "document": text,
        "content_key": key,
        "title_key": title_key(finished.headline),
        "url_key": url_key(finished.link),
        "original": ready.original,
        "state": "new",
        "added_at": now,
        "source": source or host_of(finished.origin.url or finished.link),
        **columns_of(finished, ready.story.extra.get("priority")),
    }
    new_id = int(conn.execute(_INSERT, values).scalar_one())
    index(conn, new_id, finished)
    conn.execute(insert(versions).values(article_id=new_id, document=text, content_key=key, seen_at=now))
    return Added(slug, finished, False, notes)


def document_of(story: Story, article: Article | None = None) -> str:
    """The file that a story would be: front matter, the keys that are not ours, the text."""
    article = article or story.article
    return dump({**article_to_data(article), **story.extra}, article.body)


# Built once: a feed of a thousand stories asks each of them a thousand times.
_INSERT = insert(rows).returning(rows.c.id)
_KNOWN = select(rows).where(rows.c.content_key == bindparam("key"))
# A range, which an index answers, where LIKE would read every slug: "." comes right after "-".
_LIKE_SLUGS = select(rows.c.slug).where(
    or_(
        rows.c.slug == bindparam("slug"),
        and_(rows.c.slug >= bindparam("slug") + "-", rows.c.slug < bindparam("slug") + "."),
    )
)
_ALIKE = tuple(
    (word, select(rows.c.slug, rows.c.state).where(column == bindparam("key")).order_by(rows.c.id))
    for word, column in (("headline", rows.c.title_key), ("link", rows.c.url_key), ("GUID", rows.c.guid))
)


def _known(conn: Connection, key: str) -> Row[Any] | None:
    return conn.execute(_KNOWN, {"key": key}).first()


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


def _finished(ready: Ready, slug: str, now: int) -> Article:
    """The article as it is saved: its slug, its picture's file name, when it came in."""
    story, image = ready.story, ready.story.article.image
    if ready.suffix is not None:
        image = dataclasses.replace(image or Picture(), file=f"{slug}.{ready.suffix}")
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
    taken = set(conn.execute(_LIKE_SLUGS, {"slug": wanted}).scalars())
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _look_alikes(conn: Connection, article: Article) -> list[str]:
    """Notes on other stories with the same headline, link or GUID: a warning, never a refusal."""
    keys = (title_key(article.headline), url_key(article.link), guid_key(article))
    notes: list[str] = []
    known: set[str] = set()
    for (word, query), key in zip(_ALIKE, keys, strict=True):
        found = [] if key is None else [row for row in conn.execute(query, {"key": key}) if row.slug not in known]
        known |= {row.slug for row in found}
        if found:
            said = ", ".join(f"{row.slug} ({PLACES[row.state]})" for row in found[:5])
            more = f" and {len(found) - 5} more" if len(found) > 5 else ""
            notes.append(f"another story has the same {word}: {said}{more}")
    return notes


def known_link(store: Store, link: str) -> InboxItem | None:
    """The newest story of an address, whatever its state; None when there is none."""
    query = select(rows).where(rows.c.url_key == url_key(link)).order_by(rows.c.id.desc())
    with store.read() as conn:
        row = conn.execute(query).first()
    return _item(row) if row else None


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
        **columns_of(article, document.get("priority")),
    }
    if document.text != row.document or original != row.original:
        conn.execute(update(rows).where(rows.c.id == row.id).values(**changed))
    if document.text != row.document:  # the index let go of the former words
        index(conn, row.id, article)
    return _item(_row(conn, row.slug))


def set_document(store: Store, slug: str, document: Document, *, expected: str, original: str | None) -> InboxItem:
    """Give a story another text, if its text still is ``expected``. Raises Conflict, BadData, NotFound."""
    with store.write() as conn:
        row = _row(conn, slug)
        if row.document != expected:
            fix = "look at it as it is now, then make the change again"
            raise Conflict("somebody else changed the story meanwhile; nothing was written", where=slug, fix=fix)
        check_body(document.body, f"{slug}.md")
        return _save(conn, row, document, original)


def set_state(store: Store, slugs: Sequence[str], state: State) -> list[str]:
    """Dismiss stories, save them for later, or (``new``) bring them back: all of them or none.

    A dismissed story is kept, so that adding it again is noticed. Returns those that were in another state before;
    raises NotFound.
    """
    with store.write() as conn:
        found = {row.slug: row for row in (_row(conn, slug) for slug in slugs)}
        changed = [slug for slug, row in found.items() if row.state != state]
        for slug in changed:
            conn.execute(update(rows).where(rows.c.id == found[slug].id).values(state=state))
    return changed
