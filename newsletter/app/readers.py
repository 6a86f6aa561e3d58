"""Readers as a desk looks at them: found, paged, and each with everything that is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from newsletter.app.desk import Desk
from newsletter.app.words import plural
from newsletter.audience import history, subscribers
from newsletter.audience.finding import GOT
from newsletter.audience.history import Barred, Got, Said
from newsletter.audience.membership import suppressed_keys
from newsletter.audience.subscribers import ConsentRow, Subscriber
from newsletter.delivery import mailings
from newsletter.delivery.facts import totals_of
from newsletter.delivery.schedule import wall_time
from newsletter.errors import NotFound
from newsletter.store.clock import from_us

State = Literal["subscribed", "unsubscribed", "suppressed", "erased"]
EVERYBODY: Final = "everybody"
SEGMENTS: Final = 12
"""How many of the last issues are offered as segments."""
_CHUNK: Final = 1_000
_SCAN: Final = 100_000
"""Readers that one page looks at for suppressed ones: a keyed hash can only be compared, not looked up."""
_GOT: Final = "got:"


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """One line of the list of readers. ``state`` is suppressed for a subscribed reader to whom nothing is mailed.

    ``key`` is for ``after``; ``public_id`` names the reader where an address must not stand, as in a URL.
    """

    key: int
    public_id: str
    address: str
    state: State
    attributes: dict[str, str]
    added_at: int

    @property
    def words(self) -> str:
        """The attributes on one line."""
        return "  ".join(f"{name}={value}" for name, value in self.attributes.items())


@dataclass(frozen=True, slots=True)
class ReaderPage:
    """Some readers. ``after`` begins the next page, None at the end; ``total`` is None where counting reads all."""

    rows: Sequence[ReaderRow]
    total: int | None
    after: int | None

    @property
    def sentence(self) -> str:
        """``50 of 12,000 readers``."""
        shown = len(self.rows)
        if self.total is None and self.after is not None:
            return f"{plural(shown, 'reader') if shown else 'none'}, and more to look at"
        if self.total is None or shown == self.total:
            return plural(shown, "reader")
        return f"{shown:,} of {plural(self.total, 'reader')}"

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "total": self.total,
            "after": self.after,
            "readers": [
                {
                    "address": r.address,
                    "status": r.state,
                    "attributes": r.attributes,
                    "added_at": from_us(r.added_at).isoformat(timespec="seconds"),
                }
                for r in self.rows
            ],
        }


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the audience that a mailing can go to. ``name`` is what ``--segment`` takes."""

    name: str
    count: int
    words: str

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"name": self.name, "count": self.count, "words": self.words}


@dataclass(frozen=True, slots=True)
class ShownReader:
    """One reader and everything that is known. Times are shown in ``zone`` (IANA)."""

    reader: Subscriber
    consent: Sequence[ConsentRow]
    issues: Sequence[Got]
    barred: Barred | None
    zone: str

    @property
    def gets_next(self) -> bool:
        """Whether the next issue goes to this reader."""
        return self.reader.status == "subscribed" and self.barred is None

    @property
    def sentence(self) -> str:
        """Whether they get the next issue, and why not."""
        if self.gets_next:
            return "gets the next issue"
        if self.reader.status != "subscribed":
            return f"gets no issue: {self.reader.status}"
        return f"gets no issue: suppressed, {self.barred.reason if self.barred else ''}"

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "address": self.reader.address,
            "status": self.reader.status,
            "gets_next": self.gets_next,
            "attributes": dict(self.reader.attributes),
            "suppressed": None
            if self.barred is None
            else {"reason": self.barred.reason, "source": self.barred.source, "at": _iso(self.barred.at)},
            "consent": [
                {"event": c.event, "basis": c.basis, "source": c.source, "at": _iso(c.at)} for c in self.consent
            ],
            "issues": [
                {
                    "issue": got.issue,
                    "state": got.state,
                    "reason": got.reason,
                    "at": _iso(got.at),
                    "events": [{"kind": s.kind, "at": _iso(s.at), "words": said_in_words(s)} for s in got.events],
                }
                for got in self.issues
            ],
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.reader.address}: {self.reader.status}; {self.sentence}"
        yield from (f"  {name}: {value}" for name, value in self.reader.attributes.items())
        if self.barred:
            yield f"  suppressed {self.local(self.barred.at)}: {self.barred.reason} ({self.barred.source})"
        yield from (f"  {self.local(c.at)}  {c.event}: {c.basis} ({c.source})" for c in self.consent)
        if self.issues:
            yield f"{plural(len(self.issues), 'issue')} (times in {self.zone}):"
        for got in self.issues:
            yield f"  {got.issue}  {got.state}" + (f": {got.reason}" if got.reason else f" {self.local(got.at)}")
            yield from (f"    {self.local(said.at)}  {said_in_words(said)}" for said in got.events)

    def local(self, us: int) -> str:
        """UTC microseconds on the clock of the publication."""
        return wall_time(from_us(us), self.zone)


_IN_WORDS: Final = {
    "processed": "the provider took it up",
    "delivered": "delivered to the mailbox's server",
    "deferred": "put off by the mailbox's server",
    "bounced": "bounced",
    "blocked": "refused by the mailbox's server; the address is not bad",
    "dropped": "the provider did not try",
    "complained": "the reader called it spam",
    "unsubscribed": "the reader unsubscribed",
    "opened": "opened, or fetched by a mail program's privacy proxy",
    "clicked": "clicked",
}
_CAUSES: Final = {
    "unknown": "no such mailbox",
    "disabled": "the mailbox is disabled",
    "full": "the mailbox is full",
    "sender": "it is about us, the sender",
    "policy": "by its policy",
    "complained": "the reader complained earlier",
    "unsubscribed": "the reader unsubscribed earlier",
}


def said_in_words(said: Said) -> str:
    """An event as an editor reads it: ``bounced: no such mailbox (550 5.1.1 …)``."""
    words = _IN_WORDS.get(said.kind, said.kind)
    if said.cause in _CAUSES:
        words += f": {_CAUSES[said.cause]}"
    return f"{words} ({said.detail})" if said.detail else words


def list_readers(
    desk: Desk,
    *,
    search: str | None = None,
    state: State | None = None,
    segment: str | None = None,
    limit: int = 50,
    after: int = 0,
) -> ReaderPage:
    """A page of readers in the order they came, after the one whose key is ``after``.

    Each word of ``search`` stands in the address or begins a word of an attribute. ``state`` subscribed includes the
    suppressed, who are shown as such. Raises NotFound for a segment that there is not.
    """
    got = _issue_of(desk, segment)
    if state == "suppressed":
        return _suppressed(desk, search, got, limit, after)
    # One more than asked for says whether there is a next page.
    found = subscribers.list_subscribers(desk.store, search=search, status=state, got=got, limit=limit + 1, after=after)
    rows = _rows(desk, found[:limit])
    if len(found) <= limit and not after:
        return ReaderPage(rows, len(rows), None)
    total = None if search else subscribers.count(desk.store, status=state, got=got)
    return ReaderPage(rows, total, rows[-1].key if len(found) > limit else None)


def _suppressed(desk: Desk, search: str | None, got: str | None, limit: int, after: int) -> ReaderPage:
    found: list[ReaderRow] = []
    for _ in range(_SCAN // _CHUNK):
        chunk = subscribers.list_subscribers(
            desk.store, search=search, status="subscribed", got=got, limit=_CHUNK, after=after
        )
        found += [row for row in _rows(desk, chunk) if row.state == "suppressed"]
        if len(found) > limit:
            return ReaderPage(found[:limit], None, found[limit - 1].key)
        if len(chunk) < _CHUNK:
            return ReaderPage(found, None, None)
        after = chunk[-1].id
    return ReaderPage(found, None, after)


def _rows(desk: Desk, found: Sequence[Subscriber]) -> list[ReaderRow]:
    keys = {reader.id: reader.address_key for reader in found}
    with desk.store.read() as connection:
        barred = suppressed_keys(connection, keys.values(), desk.keys)

    def state(reader: Subscriber) -> Any:
        return "suppressed" if reader.status == "subscribed" and keys[reader.id] in barred else reader.status

    return [ReaderRow(r.id, r.public_id, r.address, state(r), dict(r.attributes), r.created_at) for r in found]


def segments(desk: Desk) -> list[Segment]:
    """Everybody, and who got each of the last issues (a correction goes to those)."""
    subscribed = subscribers.count(desk.store, status="subscribed")
    rows = [Segment(EVERYBODY, subscribed, "subscribed; the suppressed among them get nothing")]
    for mailing in [m for m in mailings.all_mailings(desk.store) if m.planned][:SEGMENTS]:
        states, _ = totals_of(desk.store, mailing, cache=desk.workspace.cache)
        count = sum(states.get(got, 0) for got in GOT)
        rows.append(Segment(f"{_GOT}{mailing.issue}", count, f"got {mailing.issue}, or may have"))
    return rows


def show_reader(desk: Desk, address_or_public_id: str) -> ShownReader:
    """One reader with consents, every issue and its events, and what bars them; raises NotFound, BadData."""
    reader, consent = subscribers.show(desk.store, address_or_public_id)
    # Of an erased reader no address is left to look for; the hash that bars it stays.
    erased = reader.status == subscribers.ERASED
    return ShownReader(
        reader,
        consent,
        history.issues_of(desk.store, reader.id),
        None if erased else history.barred(desk.store, reader.address, desk.keys),
        desk.config.publication.timezone,
    )


def _issue_of(desk: Desk, segment: str | None) -> str | None:
    if segment is None or segment == EVERYBODY:
        return None
    issue = segment.removeprefix(_GOT)
    if issue == segment or mailings.latest(desk.store, issue) is None:
        raise NotFound(f"there is no segment {segment}", fix="newsletter audience segments")
    return issue


def _iso(us: int) -> str:
    return from_us(us).isoformat()
