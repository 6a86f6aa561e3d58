"""Asking one source: what is new there, what was changed, and all of it made ready. Nothing is written here.

A thread for each source may be in here at once; what comes out is stored by ``settling.settle`` in one transaction.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

import msgspec

from newsletter.articles.inbox import Ready, document_of, make_ready
from newsletter.articles.page import read_page
from newsletter.articles.sources import cms
from newsletter.articles.sources.dates import as_moment
from newsletter.articles.sources.fields import host_of
from newsletter.articles.sources.item import Feed, Item
from newsletter.articles.sources.reading import MAX_FEED, read_feed
from newsletter.articles.sources.shelf import Known, Memory, Source, identities
from newsletter.articles.sources.stories import fingerprint, is_excerpt, story_of
from newsletter.articles.sources.timing import after_failure, after_success
from newsletter.articles.story import Story
from newsletter.errors import BadData, FetchGaveUp, FetchRefused, NewsletterError, RemoteError
from newsletter.net.addresses import allowed
from newsletter.net.fetch import Fetched, Policy
from newsletter.net.polite import Gate
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config
from newsletter.workspace.values import parse_duration

LATER = 200
"""The most stories that a refresh takes after the first: a source that suddenly has more is importing its archive."""
PAGES = 30
"""The most pages of stories that one refresh asks a source for; the others follow at the next."""
EACH = 30.0
"""Seconds for one answer."""
SOON = 6 * 3600
"""Seconds for which a new story waits for its page to be there, before its summary comes in alone."""
_PARSING = threading.Semaphore(4)  # more at once would not be quicker, and cost memory: a tree is ten times its text
ACCEPT = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class New:
    """An item that was not there before; ``ready`` is None where it is only remembered."""

    guid: str | None
    url_key: str | None
    fingerprint: str
    ready: Ready | None


@dataclass(frozen=True, slots=True)
class Changed:
    """An item that the source has changed; ``document`` is the story as it would come in now, if it came in."""

    known: Known
    fingerprint: str
    document: str | None


@dataclass(slots=True)
class Found:
    """What became of asking a source. ``state`` is ok, same, failed, gone, or late: not asked for want of time.

    ``moved`` is the address that the server gives a feed from now on.
    """

    source: Source
    state: str
    at: datetime
    next_try: datetime | None = None
    reason: str | None = None
    fix: str | None = None
    title: str = ""
    etag: str | None = None
    last_modified: str | None = None
    body_sha256: str | None = None
    moved: str | None = None
    new: list[New] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    deferred: int = 0
    notes: list[str] = field(default_factory=list)


class Look:
    """One look at one source. ``key`` is the CMS's key, if it has one; ``now`` is aware UTC."""

    def __init__(
        self, source: Source, memory: Memory, *, ws: Workspace, config: Config, gate: Gate, now: datetime,
        key: str | None = None,
    ) -> None:  # fmt: skip
        self._source = source
        self._memory = memory
        self._ws = ws
        self._config = config = _for_source(config, source)
        self._gate = gate
        self._now = now
        self._key = key
        self._pages = 0
        self._policy = Policy(allow_hosts=tuple(config.images.allow_hosts), max_bytes=MAX_FEED, deadline=EACH)
        self._found = Found(source, "ok", now)

    def run(self) -> Found:
        """Ask, read, make ready. What the other side does wrong is in the answer; nothing of it is raised."""
        found = self._found
        if self._gate.is_over():
            found.state = "late"
            return found
        try:
            answer = self._ask()
            if answer is None:
                return self._found
            feed = self._read(answer)
            self._take(feed)
        except NewsletterError as wrong:
            # Stopped by our own end, the source is not to blame.
            if self._gate.is_over() and isinstance(wrong, FetchRefused):
                return Found(self._source, "late", self._now)
            return self._failed(wrong.what, wrong.fix, {})
        found.next_try = after_success(self._now, feed, answer.headers)
        if found.deferred or feed.kind == "sitemap index":
            # What is still to come must not be hidden behind "not modified".
            found.etag = found.last_modified = found.body_sha256 = None
        return found

    def _failed(self, reason: str, fix: str | None, headers: dict[str, str]) -> Found:
        when = after_failure(self._now, self._source.failures + 1, headers)
        return Found(self._source, "failed", self._now, next_try=when, reason=reason, fix=fix)

    def _ask(self) -> Fetched | None:
        """The first answer; None when there is nothing in it to read, which ``self._found`` then says."""
        source, found = self._source, self._found
        asked = (("If-None-Match", source.etag), ("If-Modified-Since", source.last_modified))
        headers = tuple((name, value) for name, value in asked if value)
        answer = self._gate.fetch(self._url(1), self._policy, accept=ACCEPT, headers=headers)
        if answer.status == HTTPStatus.GONE:
            self._found = Found(
                source, "gone", self._now, reason="410: the server says that it is gone for good",
                fix=f"newsletter source remove {source.name}, or add its new address",
            )  # fmt: skip
        elif answer.status == HTTPStatus.NOT_MODIFIED and headers:
            found.moved = self._moved(answer)
            self._same(answer)
        elif not answer.ok:
            self._found = self._failed(_status_words(answer.status), None, dict(answer.headers))
        else:
            found.moved = self._moved(answer)
            found.body_sha256 = sha256_hex(answer.body)
            found.etag, found.last_modified = _validator(answer, "etag"), _validator(answer, "last-modified")
            if found.body_sha256 != source.body_sha256:
                return answer
            self._same(answer)
        return None

    def _moved(self, answer: Fetched) -> str | None:
        """Where a feed is from now on; a CMS's address is made from its site's, so its redirects say nothing."""
        return answer.moved if self._source.kind == "feed" and answer.moved != self._source.url else None

    def _same(self, answer: Fetched) -> None:
        source = self._source
        self._found.state = "same"
        self._found.etag = _validator(answer, "etag") or source.etag
        self._found.last_modified = _validator(answer, "last-modified") or source.last_modified
        self._found.body_sha256 = source.body_sha256
        self._found.next_try = after_success(self._now, None, answer.headers)

    def _url(self, page: int) -> str:
        if self._source.kind == "feed":
            return self._source.url
        return cms.page_url(self._source.kind, self._source.url, page, self._key)

    def _read(self, answer: Fetched) -> Feed:
        feed = self._parse(answer)
        self._found.title = feed.title
        self._found.notes += feed.notes
        if feed.kind == "sitemap index":
            items = [item for child in feed.children for item in self._child(child)]
            return Feed(kind=feed.kind, items=tuple(items), site=feed.site, lang=feed.lang)
        if self._source.kind == "feed":
            return feed
        return self._more_pages(feed)

    def _parse(self, answer: Fetched) -> Feed:
        with _PARSING:
            return self._parsed(answer)

    def _parsed(self, answer: Fetched) -> Feed:
        # The key is in the address that was asked for; the source's own has none.
        url = answer.url if self._source.kind == "feed" else self._source.url
        return read_feed(answer.body, url=url, content_type=answer.content_type, now=self._now, kind=self._source.kind)

    def _child(self, url: str) -> tuple[Item, ...]:
        answer = self._gate.fetch(url, self._policy, accept=ACCEPT)
        if not answer.ok:
            self._found.notes.append(f"one of its sitemaps answered {answer.status}")
            return ()
        feed = read_feed(answer.body, url=url, content_type=answer.content_type, now=self._now)
        return feed.items

    def _more_pages(self, feed: Feed) -> Feed:
        """Further pages of a CMS while everything is new and more is wanted."""
        items, wanted, page = list(feed.items), self._most(), 1
        while len(items) < wanted and len(items) == cms.PAGE * page and self._all_new(items[-cms.PAGE :]):
            page += 1
            answer = self._gate.fetch(self._url(page), self._policy, accept=ACCEPT)
            if not answer.ok:  # WordPress answers 400 beyond its last page
                break
            items += self._parse(answer).items
        return Feed(kind=feed.kind, items=tuple(items), title=feed.title, site=feed.site, lang=feed.lang)

    def _all_new(self, items: list[Item]) -> bool:
        return not any(self._memory.of(guid, url) for _, guid, url in identities(items))

    def _most(self) -> int:
        if self._source.succeeded_at is not None:
            return LATER
        return int(self._source.first) if self._source.first.isdigit() else LATER

    def _take(self, feed: Feed) -> None:
        """Sort out what is new, what was changed, and make ready what is wanted of it."""
        fresh: list[tuple[Item, New]] = []
        for item, guid, url in identities(feed.items):
            print_ = fingerprint(item, paged=self._is_paged(feed, item))
            known = self._memory.of(guid, url)
            if known is None:
                fresh.append((item, New(guid, url, print_, None)))
            elif known.fingerprint != print_:
                self._change(feed, item, known, print_)
        # Without dates the source's own order counts: nearly all have the newest first.
        if all(_moment(item) for item, _ in fresh):
            fresh.sort(key=lambda entry: -_moment(entry[0]))
        most, since = self._limits()
        taken = left_out = 0
        for item, new in fresh:
            if taken < most and (not _moment(item) or _moment(item) >= since):
                taken += 1
                self._one(feed, item, new)
            else:
                left_out += 1
                self._found.new.append(new)
        if left_out and self._source.succeeded_at is None:
            self._found.notes.append(f"{left_out} older stories were left out; --first takes more")
        elif left_out:
            self._found.notes.append(f"{left_out} stories beyond the newest {LATER} were left out")
        if self._found.deferred:
            self._found.notes.append(f"{self._found.deferred} more stories follow at the next refresh")

    def _limits(self) -> tuple[int, float]:
        """How many stories this refresh takes at most, and from when on, in seconds since 1970."""
        first = self._source.first if self._source.succeeded_at is None else str(LATER)
        if first.isdigit():
            return int(first), 0.0
        return LATER, (self._now - parse_duration(first, "--first")).timestamp()

    def _one(self, feed: Feed, item: Item, new: New) -> None:
        if self._gate.is_over():
            self._found.deferred += 1
            return
        try:
            story = self._story(feed, item)
        except BadData as wrong:
            self._found.notes.append(f"{wrong.where}: {wrong.what}; it was left out")
            self._found.new.append(new)
            return
        if story is None:
            self._found.deferred += 1
            return
        ready = make_ready(self._ws, self._config, story, fetch=self._gate.fetch)
        if self._gate.is_over() and ready.original is None and story.picture_url:
            self._found.deferred += 1  # for want of time its picture would be missing for ever
            return
        self._found.new.append(New(new.guid, new.url_key, new.fingerprint, ready))

    def _change(self, feed: Feed, item: Item, known: Known, print_: str) -> None:
        document = None
        words, _, day = known.fingerprint.partition("+")
        # A day that nobody had written down yet says nothing of the page; a later one says that it was changed.
        first_told = not day and words == print_.partition("+")[0]
        if known.article_id is not None and not first_told:
            try:
                story = self._story(feed, item)
            except BadData:
                return
            if story is None:
                self._found.deferred += 1
                return
            document = document_of(story)
        self._found.changed.append(Changed(known, print_, document))

    def _story(self, feed: Feed, item: Item) -> Story | None:
        """The story of an item; None when its page could not be asked for yet and without it there is nothing."""
        full, note = None, None
        listed_only = feed.kind.startswith("sitemap")
        if self._is_paged(feed, item):
            assert item.url is not None
            if self._pages >= PAGES or self._gate.is_over():
                return None
            self._pages += 1
            full, note, again = self._page(item.url)
            if again and (listed_only or _moment(item) > self._now.timestamp() - SOON):
                return None  # the page may be there at the next refresh
            if full is None and not item.title and not item.summary:
                raise BadData(note or "its page says nothing", where=item.url)
        story = story_of(
            item, source=self._source.name, kind=feed.kind, lang=feed.lang, section=self._source.section, full=full
        )
        return dataclasses.replace(story, notes=(*story.notes, note)) if note else story

    def _is_paged(self, feed: Feed, item: Item) -> bool:
        """Whether a story is read from its page: the source gives an address and less than the story."""
        return bool(item.url) and is_excerpt(item) and (self._source.full or feed.kind.startswith("sitemap"))

    def _page(self, url: str) -> tuple[Story | None, str | None, bool]:
        """The story of a page, or why there is none, and whether that may pass."""
        try:
            answer = self._gate.fetch(url, self._policy, accept="text/html, application/xhtml+xml")
            if not answer.ok:
                passing = answer.status >= 500 or answer.status in (408, 425, 429)
                return None, f"its page could not be had: {_status_words(answer.status)}", passing
            return read_page(answer.body, url=answer.url, content_type=answer.content_type), None, False
        except RemoteError as wrong:
            passing = not isinstance(wrong, FetchRefused) or isinstance(wrong, FetchGaveUp)
            return None, f"its page could not be had: {wrong.what}", passing
        except BadData as wrong:
            return None, f"its page could not be read: {wrong.what}", False


def _for_source(config: Config, source: Source) -> Config:
    """The configuration as it holds for what a source names: only one that is itself on the newsroom's own network
    may lead us there, so that a stranger's feed cannot make us ask for a page or a picture inside.
    """
    if allowed(host_of(source.url, www=True), config.images.allow_hosts):
        return config
    return msgspec.structs.replace(config, images=msgspec.structs.replace(config.images, allow_hosts=[]))


def _moment(item: Item) -> float:
    """When an item is from, in seconds since 1970; 0 when nobody knows."""
    for text in (item.published, item.updated):
        if text:
            return as_moment(datetime.fromisoformat(text)).timestamp()
    return 0.0


def _status_words(status: int) -> str:
    """``404 Not Found``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _validator(answer: Fetched, name: str) -> str | None:
    """An ETag or a date to give back the next time; what cannot stand in a header is none."""
    value = answer.headers.get(name, "")
    return value if value and len(value) <= 500 and re.fullmatch(r"[\x20-\x7e]+", value) else None
