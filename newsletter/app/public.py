"""What the public pages do: unsubscribing, preferences, pictures, providers' events, and whether all of it is well."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import text as sql

from newsletter.app.log import RunLog
from newsletter.app.publicdesk import PublicDesk
from newsletter.audience.leaving import Reader, come_back, find_readers, leave_all
from newsletter.delivery.events import Applied, apply_events, note_unsubscribed
from newsletter.delivery.ports import Event
from newsletter.delivery.reputation import thresholds_of
from newsletter.delivery.retractions import withdrawn
from newsletter.errors import BadData, Busy, NotFound
from newsletter.message.links import PURPOSES, Purpose, make_token, read_token
from newsletter.store.clock import now_us

Standing = Literal["subscribed", "unsubscribed", "suppressed", "erased"]
Action = Literal["unsubscribe", "subscribe"]

ONE_CLICK: Final = "one-click"
"""The source of an unsubscription by RFC 8058: the reader's mail program asked for it."""

PATIENCE: Final = 25.0
"""Seconds that a reader's wish waits for the database; web servers in front of us wait for 60 (nginx) or longer."""

# A derivative's name is made of its picture and its recipe; nothing else in the folder is anybody's business.
_PICTURE: Final = re.compile(r"[0-9a-f]{16}\.(?:jpg|png|gif|webp)")
_TYPES: Final = {".jpg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Who:
    """What a token says: for what it is good, and for whom (a public id)."""

    purpose: Purpose
    public_id: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reader wants. ``source`` is where they said it, for the consent log."""

    public_id: str
    action: Action
    source: str


@dataclass(frozen=True, slots=True)
class ReaderPage:
    """How a reader stands now. ``address`` is masked: a mail may have been passed on, link and all."""

    standing: Standing
    address: str


def read_who(public: PublicDesk, token: str) -> Who:
    """Whom a token is for and what it is good for. Raises BadData, always with the same words."""
    keys = public.keys
    first, *others = PURPOSES
    for purpose in others:
        with contextlib.suppress(BadData):
            return Who(purpose, read_token(token, purpose, keys))
    return Who(first, read_token(token, first, keys))


def preferences_token(public: PublicDesk, public_id: str) -> str:
    """The token of a reader's own page, for the form by which somebody who has just left comes back."""
    return make_token("preferences", public_id, public.keys)


def look_up(public: PublicDesk, public_id: str) -> ReaderPage:
    """How a reader stands; changes nothing. Raises NotFound for one whom the database does not know."""
    with public.store.read() as conn:
        reader = find_readers(conn, [public_id], public.keys).get(public_id)
    if reader is None:
        raise NotFound("there is no such reader")
    return _page(reader)


def grant(public: PublicDesk, wishes: Sequence[Wish]) -> list[ReaderPage | None]:
    """Do what some readers want, in one durable transaction; how each stands afterwards, None for an unknown one.

    Unsubscribing counts before the next mail, in the middle of a mailing too. A large import may have the database for
    longer than a lock is waited for, and a mail program may not come again: it is asked for again until ``PATIENCE`` is
    over. Raises Busy and CannotWrite, for all.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _grant(public, wishes, now_us())
        except Busy:
            if time.monotonic() >= deadline:
                raise


def _grant(public: PublicDesk, wishes: Sequence[Wish], now: int) -> list[ReaderPage | None]:
    basis = f"pressed “{_again(public)}”"
    with public.store.write() as conn:
        readers = find_readers(conn, list({wish.public_id for wish in wishes}), public.keys)
        # They all wait for their answer, so no order among them is wrong; in this one nobody stays subscribed by it.
        for wish in wishes:
            reader = readers.get(wish.public_id)
            if reader and wish.action == "subscribe" and reader.status == "unsubscribed" and reader.barred is None:
                come_back(conn, reader.id, source=wish.source, basis=basis, now=now)
                readers[wish.public_id] = replace(reader, status="subscribed")
        leaving: dict[int, str] = {}
        for wish in wishes:
            reader = readers.get(wish.public_id)
            if reader and wish.action == "unsubscribe" and reader.status == "subscribed":
                leaving[reader.id] = wish.source
                readers[wish.public_id] = replace(reader, status="unsubscribed")
        leave_all(conn, leaving, now)
        note_unsubscribed(conn, list(leaving), now)
    return [_page(reader) if (reader := readers.get(wish.public_id)) else None for wish in wishes]


def _again(public: PublicDesk) -> str:
    t = public.words
    return t("Subscribe again")


def _page(reader: Reader) -> ReaderPage:
    if reader.status == "erased":
        return ReaderPage("erased", "")
    standing: Standing = "unsubscribed" if reader.status == "unsubscribed" else "subscribed"
    return ReaderPage("suppressed" if reader.barred is not None else standing, masked(reader.address))


def masked(address: str) -> str:
    """``z•••@readers.test``: enough for its owner to recognise, too little for anybody else to write to."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def read_events(public: PublicDesk, provider: str, raw: bytes, headers: Mapping[str, str]) -> list[Event]:
    """Verify and read one webhook call. Raises NotFound for a provider that has none here, NotAuthentic, BadData,
    ConfigurationError.
    """
    return public.event_reader(provider)(raw, headers)


def take_events(public: PublicDesk, provider: str, events: Sequence[Event]) -> Applied:
    """Do what one call says, all or nothing; a repeated one changes nothing. Raises Busy, CannotWrite, BadData."""
    applied = apply_events(
        public.store, events, provider=provider, keys=public.keys, now=now_us(), limits=thresholds_of(public.config)
    )
    log = RunLog(public.desk, "serve")
    if applied.paused:
        log.write("domains-paused", provider=provider, domains=applied.paused)
    if applied.stopped:
        log.write("mailings-paused", provider=provider, mailings=applied.stopped)
    if applied.warned:
        log.write("complaints", provider=provider, mailings=applied.warned)
    return applied


class Withdrawn(NotFound):
    """A hosted picture that was there, of a story that was retracted."""


def picture(public: PublicDesk, name: str) -> tuple[Path, str]:
    """The file of a hosted picture and its content type; NotFound for any other name and for what is not there.

    Raises Withdrawn for one of a retracted story, also while a file of that name lies in the folder.
    """
    path = public.workspace.media / name
    if not _PICTURE.fullmatch(name):
        raise NotFound("there is no such picture")
    if withdrawn(public.store, name):
        raise Withdrawn("this picture was withdrawn")
    if path.is_symlink() or not path.is_file():
        raise NotFound("there is no such picture")
    return path, _TYPES[path.suffix]


def health(public: PublicDesk) -> None:
    """Return when the database answers and the keys are there; raises whatever is wrong."""
    _ = public.keys
    with public.store.read() as conn:
        conn.execute(sql("SELECT 1 FROM subscriber LIMIT 1")).all()
