"""Sources: add one by its address or the home page's, import a list of feeds, see how they fare, remove them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from newsletter.app.desk import Desk
from newsletter.app.refreshing import DEADLINE, SourcesRefreshed, due, read_key, refresh_sources, user_agent
from newsletter.app.words import plural
from newsletter.articles.inbox import url_key
from newsletter.articles.sources import cms, shelf
from newsletter.articles.sources.discovery import Offer, offers_of, usual_places
from newsletter.articles.sources.looking import ACCEPT, EACH
from newsletter.articles.sources.opml import read_opml
from newsletter.articles.sources.reading import MAX_FEED, NotAFeed, read_feed
from newsletter.articles.sources.shelf import FIRST, Source
from newsletter.errors import BadData, NeedsEditor, NotFound, RemoteError, UsageProblem
from newsletter.net.addresses import read_url, shown
from newsletter.net.fetch import Fetched, Policy
from newsletter.net.polite import Gate
from newsletter.store.clock import from_us, now_us
from newsletter.workspace.slugs import check_slug
from newsletter.workspace.values import parse_duration

_PLACES_DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the editor wants a source. ``feed`` is a number among the offers, or an address; ``key`` env=… or file=…."""

    name: str | None = None
    section: str | None = None
    full: bool = False
    first: str = FIRST
    feed: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class SourceAdded:
    """A source and what its first refresh brought; ``already``: it was there, and nothing was done."""

    source: Source
    already: bool
    refreshed: SourcesRefreshed | None = None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One line of the list. ``state`` is in words, ``succeeded`` and ``next_try`` say when (None: never, not again)."""

    source: Source
    state: str
    stories: int
    changed: int
    succeeded: str | None = None
    next_try: str | None = None

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        source = self.source
        return {
            "name": source.name, "url": source.url, "kind": source.kind, "title": source.title,
            "section": source.section, "full": source.full, "state": source.state, "words": self.state,
            "reason": source.reason, "failures": source.failures, "stories": self.stories, "changed": self.changed,
            "checked_at": _iso(source.checked_at), "succeeded_at": _iso(source.succeeded_at),
            "failing_since": _iso(source.failing_since), "next_try_at": _iso(source.next_try_at or None),
        }  # fmt: skip


def _iso(us: int | None) -> str | None:
    return None if us is None else from_us(us).isoformat(timespec="seconds").replace("+00:00", "Z")


def add_source(
    desk: Desk,
    url: str,
    wanted: Wanted,
    *,
    deadline: float = DEADLINE,
    stop: Callable[[], bool] = lambda: False,
) -> SourceAdded:
    """Add the source at an address, or the one that the page there names, and take its newest stories in.

    Its first refresh has ``deadline`` seconds, or until ``stop``; what that did not get, the next one gets.

    Raises NeedsEditor with the list when a page offers several sources and none was chosen (also when all it offers
    is readers' comments), NotFound when there is none, RemoteError or BadData when it cannot be had or read.
    """
    _check(wanted)
    url = url.strip()
    if "://" not in url:
        url = f"https://{url}"
    offer, title = _choose(desk, url, wanted)
    if known := shelf.find_by_url(desk.store, offer.url):
        return SourceAdded(known, already=True)
    name = _name(desk, wanted, title or offer.title or (urlsplit(offer.url).hostname or "source"))
    with desk.store.write() as conn:
        shelf.add_source(
            conn, name=name, url=offer.url, kind=offer.kind, title=title or offer.title, section=wanted.section,
            full=wanted.full, first=wanted.first, key_ref=wanted.key if offer.kind == "ghost" else None,
        )  # fmt: skip
    refreshed = refresh_sources(desk, [name], deadline=deadline, stop=stop)
    return SourceAdded(shelf.get_source(desk.store, name), already=False, refreshed=refreshed)


def _check(wanted: Wanted) -> None:
    if not wanted.first.isdigit():
        parse_duration(wanted.first, "--first")
    elif len(wanted.first) > 4:
        raise UsageProblem("--first takes at most 9999 stories", fix="write a number, or a span of time such as 7d")
    if wanted.key is not None and not re.fullmatch(r"(?:env=[A-Za-z_][A-Za-z0-9_]*|file=.+)", wanted.key):
        # Not quoted: it may be the key itself.
        raise UsageProblem(
            "--key says where the key is, never the key", fix="--key env=GHOST_KEY or --key file=secrets/ghost"
        )
    if wanted.name is not None:
        check_slug(wanted.name, "source")


def _name(desk: Desk, wanted: Wanted, title: str) -> str:
    taken = [source.name for source in shelf.list_sources(desk.store)]
    if wanted.name in taken:
        raise BadData(f'there is a source "{wanted.name}" already', fix="choose another --name")
    return wanted.name or shelf.free_name(title, taken)


def _choose(desk: Desk, url: str, wanted: Wanted) -> tuple[Offer, str]:
    """The source that is meant, and its title if it was read already."""
    if wanted.key is not None:
        site = cms.ghost_url(url)
        read_url(site, ports=(80, 443), allow_hosts=desk.config.images.allow_hosts)
        read_key(desk, wanted.key, wanted.name or url)  # a key that is not there is said now, not by cron
        return Offer("ghost", site, "Ghost"), ""
    gate = Gate(deadline=_PLACES_DEADLINE, user_agent=user_agent(desk.config))
    policy = Policy(allow_hosts=tuple(desk.config.images.allow_hosts), max_bytes=MAX_FEED, deadline=EACH)
    if urlsplit(url).path.rstrip("/").endswith(("/wp-json", cms.WORDPRESS_PATH)):
        return Offer("wordpress", cms.wordpress_url(url), "WordPress"), ""
    answer = _had(gate.fetch(url, policy, accept=ACCEPT))
    try:
        return Offer("feed", url, "feed"), _title(answer)
    except NotAFeed as page:
        offers = offers_of(page.text, answer.url)
        if offers:
            offer = _picked(offers, wanted.feed, url)
            title = _title(_had(gate.fetch(offer.url, policy, accept=ACCEPT))) if offer.kind == "feed" else ""
            return offer, title
        for place in usual_places(answer.url):
            found = _tried(gate, policy, place)
            if found is not None:
                return Offer("feed", place, "feed"), found
        raise NotFound(
            page.what if "sign in" in page.what else "this page names no feed, and none is at the usual places",
            where=shown(url), fix="look for the feed's address on the site, and give that",
        ) from page  # fmt: skip


def _had(answer: Fetched) -> Fetched:
    if not answer.ok:
        raise RemoteError(f"the server answered {answer.status}", where=shown(answer.url), fix="check the address")
    return answer


def _title(answer: Fetched) -> str:
    now = from_us(now_us())
    return read_feed(answer.body, url=answer.url, content_type=answer.content_type, now=now).title


def _tried(gate: Gate, policy: Policy, place: str) -> str | None:
    """The title of the feed at a usual place; None when there is none."""
    try:
        answer = gate.fetch(place, policy, accept=ACCEPT)
        return _title(answer) if answer.ok else None
    except (RemoteError, BadData):
        return None


def _picked(offers: Sequence[Offer], feed: str | None, url: str) -> Offer:
    if feed is None:
        if len(offers) == 1 and not offers[0].comments and offers[0].kind != "ghost":
            return offers[0]
    elif feed.isdigit():
        if 1 <= int(feed) <= len(offers):
            return _usable(offers[int(feed) - 1], url)
    else:
        chosen = next((offer for offer in offers if offer.url == feed), None)
        return _usable(chosen, url) if chosen else Offer("feed", feed, "feed")
    lines = "\n".join(f"  {number}  {offer.words()}" for number, offer in enumerate(offers, 1))
    what = f"{shown(url)} offers {plural(len(offers), 'source')}:\n{lines}"
    raise NeedsEditor(what, fix=f"newsletter source add {shown(url)} --feed 1 (or another number)")


def _usable(offer: Offer, url: str) -> Offer:
    if offer.kind == "ghost":
        raise UsageProblem(
            "Ghost's Content API needs a key",
            where=shown(url),
            fix=f"newsletter source add {shown(url)} --key env=GHOST_KEY",
        )
    return offer


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a list of feeds: the names that were added, how many were there already, remarks."""

    added: tuple[str, ...]
    already: int
    notes: tuple[str, ...]


def import_sources(desk: Desk, path: Path, wanted: Wanted) -> Imported:
    """Add every feed of an OPML file; nothing is asked for yet. A folder's name is the section of the feeds in it.

    Raises NotFound or BadData for a file that is missing or lists none, and then nothing was added.
    """
    _check(wanted)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FEED + 1)
    except FileNotFoundError as error:
        raise NotFound("there is no such file", where=str(path), fix="check the path") from error
    except OSError as error:
        raise BadData(f"cannot read it: {error.strerror}", where=str(path)) from error
    if len(data) > MAX_FEED:
        raise BadData("it is larger than 10 MB", where=str(path), fix="export fewer feeds at once")
    listed, notes = read_opml(data, path.name)
    known = shelf.list_sources(desk.store)
    taken, keys = [source.name for source in known], {url_key(source.url) for source in known}
    added, already = [], 0
    with desk.store.write() as conn:
        for feed in listed:
            if url_key(feed.url) in keys:
                already += 1
                continue
            name = shelf.free_name(feed.title or urlsplit(feed.url).hostname or "source", taken)
            section = wanted.section or (feed.folders[-1] if feed.folders else None)
            shelf.add_source(
                conn, name=name, url=feed.url, kind="feed", title=feed.title, section=section, full=wanted.full,
                first=wanted.first,
            )  # fmt: skip
            taken.append(name)
            keys.add(url_key(feed.url))
            added.append(name)
    return Imported(tuple(added), already, tuple(notes))


def list_sources(desk: Desk) -> list[SourceRow]:
    """Every source with how it fares, in words."""
    numbers = shelf.counts(desk.store)
    zone = ZoneInfo(desk.config.publication.timezone)
    now = from_us(now_us()).astimezone(zone)
    return [
        SourceRow(
            source,
            state_words(source, zone),
            *numbers.get(source.id, (0, 0)),
            succeeded=_when(source.succeeded_at, now) if source.succeeded_at else None,
            next_try=_when(source.next_try_at, now) if source.state == "on" and source.next_try_at else None,
        )
        for source in shelf.list_sources(desk.store)
    ]


def sources_in_short(desk: Desk) -> tuple[int, int]:
    """How many sources there are, and how many of them could not be had the last time."""
    listed = shelf.list_sources(desk.store)
    return len(listed), sum(source.failing_since is not None for source in listed)


def refresh_now(
    desk: Desk, name: str | None = None, *, deadline: float, stop: Callable[[], bool] = lambda: False
) -> SourcesRefreshed:
    """Ask one source, or all at once that did not fail the last time and those that are due; nothing else is held up.

    ``deadline`` is in seconds. Raises NotFound for a name, and Interrupted when ``stop`` says so.
    """
    if name is not None:
        return refresh_sources(desk, [name], deadline=deadline, stop=stop)
    # Whoever presses a button wants an answer now; a server that is in trouble is left its time all the same.
    now = now_us()
    wanted = [s for s in shelf.list_sources(desk.store) if s.state == "on" and (not s.failures or due(s, now))]
    return refresh_sources(desk, [s.name for s in wanted], deadline=deadline, stop=stop)


def show_source(desk: Desk, name: str) -> SourceRow:
    """One source; raises NotFound."""
    source = shelf.get_source(desk.store, name)
    return next(row for row in list_sources(desk) if row.source.id == source.id)


def set_source(
    desk: Desk, name: str, *, new_name: str | None = None, section: str | None = None, full: bool | None = None
) -> Source:
    """Change how a source is read from now on; None leaves a thing as it is, an empty section takes it away.

    Raises NotFound, and BadData for a name that is taken.
    """
    source = shelf.get_source(desk.store, name)
    values: dict[str, object] = {}
    if new_name is not None and new_name != name:
        _check(Wanted(name=new_name))
        values["name"] = _name(desk, Wanted(name=new_name), "")
    if section is not None:
        values["section"] = section.strip() or None
    if full is not None:
        values["full"] = int(full)
    if values:
        with desk.store.write() as conn:
            shelf.set_source(conn, source, **values)
    return shelf.get_source(desk.store, new_name or name)


def remove_source(desk: Desk, name: str) -> None:
    """Forget a source; its stories stay in the inbox and in issues. Raises NotFound."""
    shelf.remove_source(desk.store, name)


def state_words(source: Source, zone: ZoneInfo) -> str:
    """``404 Not Found since Tuesday; next try 14:20``."""
    now = from_us(now_us()).astimezone(zone)
    since = _when(source.failing_since, now, day_only=True)
    if source.state == "off":
        return f"switched off since {since}: {source.reason}"
    if source.failing_since is not None:
        return f"{source.reason} since {since}; next try {_when(source.next_try_at, now)}"
    if source.checked_at is None:
        return "not asked yet"
    asked = f"fine; asked {_when(source.checked_at, now)}"
    return f"{asked}; {source.reason}" if source.reason else asked


def _when(us: int | None, now: datetime, *, day_only: bool = False) -> str:
    """A time as one says it: ``14:20`` today, ``Tuesday 14:20`` within six days, else ``12 November``."""
    if us is None:
        return "?"
    at = from_us(us).astimezone(now.tzinfo)
    days = abs((at.date() - now.date()).days)
    if days == 0:
        return f"{at:%H:%M}"
    if days < 7:
        return f"{at:%A}" if day_only else f"{at:%A %H:%M}"
    return f"{at.day} {at:%B}" + (f" {at.year}" if at.year != now.year else "")
