"""Signing in to the composer by a mailed link, and staying signed in.

Tokens are random 256-bit numbers. Only their SHA-256 is kept, and of who asked only keyed hashes: the table can be
read by anybody and opens nothing. A link is good once, for 15 minutes, in the browser that asked for it. Whoever asks
for an address that is not in ``[composer] people``, or too often, gets the same answer, and no mail.

A session ends after ``[composer] session`` whatever is done, after ``IDLE`` without use and when somebody ends it; one
whose person is not in the file opens nothing. Its token changes every ``ROTATE``. The one before is good for ``GRACE``
more, for requests that were under way; after that its use ends the session, for two browsers would have it.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import ipaddress
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, or_, select, update

from newsletter.app import trail
from newsletter.app.desk import Desk
from newsletter.app.letters import Letter, post
from newsletter.app.people import key_of, person_of
from newsletter.errors import ConfigurationError, NotAllowed
from newsletter.store.clock import from_us, now_us
from newsletter.store.ids import new_public_id
from newsletter.store.tables import session as session_table
from newsletter.store.tables import sign_in as sign_in_table
from newsletter.workspace.config import parse_duration
from newsletter.workspace.settings import Person

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
GOOD_FOR: Final = 15 * _MINUTE
"""How long a link is good, and the time over which asking is counted (microseconds)."""
MOST_PER_PERSON: Final = 5
MOST_PER_PEER: Final = 20
ROTATE: Final = 60 * _MINUTE
GRACE: Final = _MINUTE
IDLE: Final = 120 * _MINUTE
_SEEN: Final = 5 * _MINUTE
"""A session in use is written that often, not at every request."""
_FORGET: Final = 24 * 60 * _MINUTE
PATH: Final = "/sign-in/"


@dataclass(frozen=True, slots=True)
class Asked:
    """What follows from asking. ``browser`` goes into a cookie, whoever asked; ``letter`` is to be posted *after* the
    answer, so that its time tells nobody whether the address is known."""

    browser: str
    letter: Letter | None = None
    receiver: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that holds. ``token`` is set when the cookie has to get another one."""

    person: Person
    public_id: str
    expires_at: int
    token: str | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as it is listed; times are UTC microseconds."""

    public_id: str
    email: str
    created_at: int
    seen_at: int
    expires_at: int


def ask(desk: Desk, address: str, *, peer: str, now: int | None = None) -> Asked:
    """Somebody at ``peer`` (an IP address) asks for a link. Raises ConfigurationError without ``composer.url``."""
    moment = now_us() if now is None else now
    composer = desk.config.composer
    if not composer.url:
        raise ConfigurationError(
            "nobody can be sent a link: there is no address of the composer",
            where="newsletter.toml: composer.url",
            fix='write where people reach it: [composer] url = "https://desk.example.org"',
        )
    browser, token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    person = person_of(composer, address)
    person_hash = _keyed(desk, "person", key_of(address) or address[:254])
    peer_hash = _keyed(desk, "peer", _network(peer))
    times = {"asked_at": moment, "expires_at": moment + GOOD_FOR}
    hashes = {"person_hash": person_hash, "peer_hash": peer_hash, "browser_hash": _digest(browser)}
    with desk.store.write() as conn:
        conn.execute(delete(sign_in_table).where(sign_in_table.c.asked_at < moment - _FORGET))
        known = person is not None and not _too_often(conn, person_hash, peer_hash, moment)
        conn.execute(insert(sign_in_table).values(**hashes, **times, token_hash=_digest(token) if known else None))
    if person is None or not known:
        return Asked(browser)
    return Asked(browser, _letter(desk, f"{composer.url.rstrip('/')}{PATH}{token}"), person.email)


def send(desk: Desk, asked: Asked) -> None:
    """Post the letter, if there is one; raises what the provider does."""
    if asked.letter is not None and asked.receiver is not None:
        post(desk, asked.letter, [asked.receiver])


def sign_in(desk: Desk, token: str, browser: str, *, now: int | None = None) -> SignedIn:
    """Use a link up, in the browser that asked for it; the new session with its token. Raises NotAllowed."""
    moment = now_us() if now is None else now
    with desk.store.write() as conn:
        used = conn.execute(
            update(sign_in_table)
            .where(
                sign_in_table.c.token_hash == _digest(token),
                sign_in_table.c.browser_hash == _digest(browser),
                sign_in_table.c.used_at.is_(None),
                sign_in_table.c.expires_at > moment,
                sign_in_table.c.asked_at < moment + GOOD_FOR,  # else a wrong clock would have made it last
            )
            .values(used_at=moment)
            .returning(sign_in_table.c.person_hash)
        ).scalar()
        person = None if used is None else _by_hash(desk, used)
        if person is None:
            raise NotAllowed(
                "this link is used, too old, or was asked for in another browser", fix="ask for a new one there"
            )
        fresh, public_id = secrets.token_urlsafe(32), new_public_id()
        lasts = int(parse_duration(desk.config.composer.session, "composer.session").total_seconds()) * _SECOND
        times = {"created_at": moment, "rotated_at": moment, "seen_at": moment, "expires_at": moment + lasts}
        conn.execute(
            insert(session_table).values(public_id=public_id, token_hash=_digest(fresh), email=person.email, **times)
        )
        trail.write(conn, person.label, "sign in", {}, moment)
    return SignedIn(person, public_id, moment + lasts, fresh)


def who(desk: Desk, token: str, *, now: int | None = None) -> SignedIn | None:
    """Who has this session token, None when it opens nothing. May give another token for the cookie."""
    moment = now_us() if now is None else now
    hashed = _digest(token)
    table = session_table
    with desk.store.read() as conn:
        row = conn.execute(
            select(table).where(or_(table.c.token_hash == hashed, table.c.former_hash == hashed))
        ).first()
    if row is None or row.ended_at is not None or moment >= min(row.expires_at, row.seen_at + IDLE):
        return None
    if row.created_at > moment + GOOD_FOR:  # a wrong clock would have made it last
        return None
    former = row.token_hash != hashed
    if former and moment > row.rotated_at + GRACE:
        end(desk, public_id=row.public_id, why="its former token came back", now=moment)
        return None
    person = person_of(desk.config.composer, row.email)
    if person is None:
        return None
    fresh = None
    if not former and moment > row.rotated_at + ROTATE:
        fresh = _rotate(desk, row.id, hashed, moment)
    elif moment > row.seen_at + _SEEN:
        with desk.store.write() as conn:
            conn.execute(update(table).where(table.c.id == row.id).values(seen_at=moment))
    return SignedIn(person, row.public_id, row.expires_at, fresh)


def sessions(desk: Desk, *, now: int | None = None) -> list[OpenSession]:
    """Who is signed in, the last to come first."""
    moment = now_us() if now is None else now
    table = session_table
    query = select(
        table.c.public_id, table.c.email, table.c.created_at, table.c.seen_at, table.c.expires_at
    ).where(
        table.c.ended_at.is_(None), table.c.expires_at > moment, table.c.seen_at > moment - IDLE,
        table.c.created_at <= moment + GOOD_FOR,
    )  # fmt: skip
    with desk.store.read() as conn:
        return [OpenSession(*row) for row in conn.execute(query.order_by(table.c.id.desc()))]


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """Somebody of ``[composer] people``, with their open sessions."""

    person: Person
    open: tuple[OpenSession, ...]

    @property
    def words(self) -> str:
        """``signed in since 2026-11-26 07:12 UTC``; empty for who is not."""
        if not self.open:
            return ""
        since = from_us(min(one.created_at for one in self.open))
        devices = f" ({len(self.open)} devices)" if len(self.open) > 1 else ""
        return f"signed in since {since:%Y-%m-%d %H:%M} UTC{devices}"

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "email": self.person.email,
            "name": self.person.name,
            "role": self.person.role,
            "sessions": [
                {name: from_us(getattr(one, name)).isoformat() for name in ("created_at", "seen_at", "expires_at")}
                for one in self.open
            ],
        }


def list_people(desk: Desk) -> list[ListedPerson]:
    """Everybody who may sign in, in the order of the file, with the sessions that are open."""
    found = sessions(desk)
    return [
        ListedPerson(person, tuple(one for one in found if key_of(one.email) == key_of(person.email)))
        for person in desk.config.composer.people
    ]


def end(
    desk: Desk, *, public_id: str | None = None, email: str | None = None, why: str = "", now: int | None = None
) -> int:
    """End one session, all of a person, or (with neither) every one; how many. Links not used yet end with them."""
    moment = now_us() if now is None else now
    table = session_table
    query = update(table).where(table.c.ended_at.is_(None))
    if public_id is not None:
        query = query.where(table.c.public_id == public_id)
    with desk.store.write() as conn:
        if email is not None:
            key = key_of(email)
            every = conn.execute(select(table.c.email).where(table.c.ended_at.is_(None)).distinct()).scalars()
            query = query.where(table.c.email.in_([one for one in every if key_of(one) == key]))
        ended = conn.execute(query.values(ended_at=moment)).rowcount
        if public_id is None:
            links = update(sign_in_table).where(sign_in_table.c.used_at.is_(None))
            if email is not None:
                links = links.where(sign_in_table.c.person_hash == _keyed(desk, "person", key_of(email) or ""))
            conn.execute(links.values(used_at=moment))
        if ended:
            trail.write(
                conn, "composer" if why else desk.actor, "end sessions", {"sessions": ended, "why": why}, moment
            )
    return ended


def _too_often(conn: Connection, person_hash: str, peer_hash: str, now: int) -> bool:
    table = sign_in_table
    lately = table.c.asked_at.between(now - GOOD_FOR + 1, now + GOOD_FOR)  # beyond: a clock was wrong
    for column, value, most in (
        (table.c.person_hash, person_hash, MOST_PER_PERSON),
        (table.c.peer_hash, peer_hash, MOST_PER_PEER),
    ):
        if conn.execute(select(func.count()).where(lately, column == value)).scalar_one() >= most:
            return True
    return False


def _rotate(desk: Desk, number: int, hashed: str, now: int) -> str | None:
    """A new token; None when another request of the same browser has just had one."""
    fresh = secrets.token_urlsafe(32)
    table = session_table
    with desk.store.write() as conn:
        done = conn.execute(
            update(table)
            .where(table.c.id == number, table.c.token_hash == hashed)
            .values(token_hash=_digest(fresh), former_hash=hashed, rotated_at=now, seen_at=now)
        )
    return fresh if done.rowcount else None


def _by_hash(desk: Desk, person_hash: str) -> Person | None:
    for person in desk.config.composer.people:
        if hmac.compare_digest(_keyed(desk, "person", key_of(person.email) or ""), person_hash):
            return person
    return None


def _digest(token: str) -> str:
    """Of a random token of 256 bits a plain hash is enough: there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def _keyed(desk: Desk, what: str, value: str) -> str:
    """Of what can be guessed, an address: with this installation's key."""
    return hmac.digest(desk.keys.suppression, f"sign-in {what}: {value}".encode(errors="replace"), "sha256").hex()


def _network(peer: str) -> str:
    """Who has one IPv6 address has a whole /64."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def _letter(desk: Desk, link: str) -> Letter:
    name = desk.config.publication.name
    minutes = GOOD_FOR // _MINUTE
    said = f"Somebody, presumably you, wants to sign in to the desk of {name}."
    rule = f"The link is good once, for {minutes} minutes, in the browser that asked for it."
    other = "Was it not you? Then do nothing: without that browser the link opens nothing."
    safe = html.escape(link)
    return Letter(
        subject=f"Sign in to {' '.join(name.split())}",
        html=f'<p>{html.escape(said)}</p><p><a href="{safe}">{safe}</a></p><p>{rule}</p><p>{other}</p>',
        text=f"{said}\n\n{link}\n\n{rule}\n{other}\n",
        title="Sign in",
        about="sign-in",
    )
