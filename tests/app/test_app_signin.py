"""Signing in by a mailed link: once, soon, in one browser; and a session that ends when it should."""

from __future__ import annotations

import mailbox
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from newsletter.app import people, signin
from newsletter.app.desk import Desk
from newsletter.app.trail import read_trail
from newsletter.app.workspaces import init_workspace
from newsletter.errors import ConfigurationError, NotAllowed
from newsletter.store.clock import now_us
from newsletter.workspace.paths import find_workspace
from newsletter.workspace.settings import Composer, Person

MINUTE = 60_000_000
PEOPLE = """
[composer]
url = "https://desk.breakwater.test/"
people = [
  {email = "maren@breakwater.test", name = "Maren Holt", role = "publisher"},
  {email = "ines@breakwater.test"},
]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    init_workspace(tmp_path / "w", name="The Breakwater", sender="post@breakwater.test", address="1 Mole")
    opened = at(tmp_path / "w", PEOPLE)
    yield opened
    opened.close()


def at(root: Path, more: str = "") -> Desk:
    workspace = find_workspace(root)
    workspace.config_file.write_text(workspace.config_file.read_text(encoding="utf-8") + more, encoding="utf-8")
    return Desk(workspace)


def letters(desk: Desk) -> list[str]:
    found = mailbox.Maildir(desk.workspace.root / ".newsletter" / "outbox")
    return [
        str(message["To"]) + "\n" + str(message.get_payload(0).get_payload(decode=True).decode()) for message in found
    ]


def link(desk: Desk, address: str = "maren@breakwater.test", now: int | None = None) -> tuple[str, str]:
    """Ask, post the letter, read the token out of it: (token, browser)."""
    before = letters(desk)
    asked = signin.ask(desk, address, peer="192.0.2.7", now=now)
    signin.send(desk, asked)
    (letter,) = [one for one in letters(desk) if one not in before]
    found = re.search(r"https://desk\.breakwater\.test/sign-in/([\w-]{43})\n", letter)
    assert found, letter
    return found[1], asked.browser


def test_a_mailed_link_signs_in_once(desk: Desk) -> None:
    """To the address in the file, however it was typed; the second use is refused."""
    token, browser = link(desk, " MAREN@Breakwater.test ")
    assert "maren@breakwater.test" in letters(desk)[0]
    found = signin.sign_in(desk, token, browser)
    assert found.person.label == "Maren Holt"
    assert found.token and found.token != token
    holds = signin.who(desk, found.token)
    assert holds is not None and holds.person.role == "publisher"
    with pytest.raises(NotAllowed):
        signin.sign_in(desk, token, browser)
    assert [row.event.actor for row in read_trail(desk).rows if row.event.action == "sign in"] == ["Maren Holt"]


def test_a_link_opens_nothing_later_or_in_another_browser(desk: Desk) -> None:
    """A mail scanner or a thief has the link, and not the cookie; the right browser can still use it."""
    start = now_us()
    token, browser = link(desk, now=start)
    for wrong in ("", "x" * 43, token):
        with pytest.raises(NotAllowed):
            signin.sign_in(desk, token, wrong, now=start)
    with pytest.raises(NotAllowed):
        signin.sign_in(desk, token, browser, now=start + 15 * MINUTE)
    signin.sign_in(desk, token, browser, now=start + 15 * MINUTE - 1)


def test_what_a_clock_in_the_future_gave_out_does_not_outlast_it(desk: Desk) -> None:
    """Asked when it was tomorrow: today the link opens nothing, and nobody is kept from asking again."""
    start = now_us()
    for _ in range(signin.MOST_PER_PERSON):
        token, browser = link(desk, now=start + 24 * 60 * MINUTE)
    with pytest.raises(NotAllowed):
        signin.sign_in(desk, token, browser, now=start)
    token, browser = link(desk, now=start)
    signin.sign_in(desk, token, browser, now=start)


def test_a_session_that_was_begun_in_the_future_is_over(desk: Desk) -> None:
    """A clock that was a year ahead does not make one of a year; a clock that is put back by minutes ends none."""
    start = now_us()
    for ahead, holds in ((365 * 24 * 60 * MINUTE, False), (10 * MINUTE, True)):
        token, browser = link(desk, now=start + ahead)
        session = signin.sign_in(desk, token, browser, now=start + ahead).token
        assert session and signin.who(desk, session, now=start + ahead)
        assert (signin.who(desk, session, now=start) is not None) == holds
    assert len(signin.sessions(desk, now=start)) == 1


def test_who_is_unknown_gets_the_same_answer_and_no_mail(desk: Desk) -> None:
    """Nothing tells them apart but the mail, and nothing of what was typed is kept."""
    known = signin.ask(desk, "ines@breakwater.test", peer="192.0.2.7")
    for typed in ("mallory@elsewhere.test", "not an address", ""):
        asked = signin.ask(desk, typed, peer="192.0.2.7")
        assert asked.letter is None and asked.receiver is None
        assert len(asked.browser) == len(known.browser)
        signin.send(desk, asked)
    assert letters(desk) == []
    with closing(sqlite3.connect(desk.workspace.database)) as raw:
        dump = "\n".join(raw.iterdump())
    assert "mallory" not in dump and "192.0.2.7" not in dump and "ines@" not in dump


def test_neither_a_token_nor_a_cookie_is_in_the_database(desk: Desk) -> None:
    """Who can read it can sign in nowhere."""
    token, browser = link(desk)
    session = signin.sign_in(desk, token, browser).token
    assert session
    with closing(sqlite3.connect(desk.workspace.database)) as raw:
        dump = "\n".join(raw.iterdump())
    for secret in (token, browser, session):
        assert secret not in dump


def test_asking_too_often_stops_the_mails_for_a_while(desk: Desk) -> None:
    """For one address from anywhere, and for anybody from one network, a /64 of IPv6 being one."""
    start = now_us()

    def mailed(address: str, peer: str, now: int = start) -> bool:
        return signin.ask(desk, address, peer=peer, now=now).letter is not None

    tries = [mailed("maren@breakwater.test", f"192.0.2.{n}") for n in range(7)]
    assert tries == [True] * signin.MOST_PER_PERSON + [False] * 2
    assert mailed("ines@breakwater.test", "192.0.2.1")
    assert mailed("maren@breakwater.test", "192.0.2.1", start + 16 * MINUTE)
    for n in range(signin.MOST_PER_PEER):
        mailed(f"r{n}@elsewhere.test", f"2001:db8::{n:x}")
    assert not mailed("ines@breakwater.test", "2001:db8::ffff")
    assert mailed("ines@breakwater.test", "2001:db8:0:1::1")


def test_a_session_ends_at_its_time_or_without_use(desk: Desk) -> None:
    """Twelve hours whatever is done; two hours of nothing."""
    start = now_us()
    token, browser = link(desk, now=start)
    held = signin.sign_in(desk, token, browser, now=start).token
    assert held
    for minutes in range(50, 720, 50):
        found = signin.who(desk, held, now=start + minutes * MINUTE)
        assert found is not None, minutes
        held = found.token or held
    assert signin.who(desk, held, now=start + 720 * MINUTE) is None
    token, browser = link(desk, now=start)
    held = signin.sign_in(desk, token, browser, now=start).token
    assert held
    assert signin.who(desk, held, now=start + 120 * MINUTE) is None
    assert signin.sessions(desk, now=start + 721 * MINUTE) == []


def test_the_token_rotates_and_an_old_one_ends_the_session(desk: Desk) -> None:
    """Requests under way still hold for a minute; later the old token is a stolen one."""
    start = now_us()
    token, browser = link(desk, now=start)
    first = signin.sign_in(desk, token, browser, now=start).token
    assert first
    rotated = signin.who(desk, first, now=start + 61 * MINUTE)
    assert rotated is not None and rotated.token not in (None, first)
    under_way = signin.who(desk, first, now=start + 61 * MINUTE + 1)
    assert under_way is not None and under_way.token is None
    assert signin.who(desk, first, now=start + 63 * MINUTE) is None
    assert rotated.token
    assert signin.who(desk, rotated.token, now=start + 63 * MINUTE) is None, "nobody knows which of the two is theirs"


def test_signing_out_ends_sessions_and_unused_links(desk: Desk) -> None:
    """Of that person on every device, and of nobody else."""
    held = {}
    for address in ("maren@breakwater.test", "ines@breakwater.test"):
        token, browser = link(desk, address)
        held[address] = signin.sign_in(desk, token, browser).token or ""
    token, browser = link(desk)
    assert len(signin.sessions(desk)) == 2
    assert signin.end(desk, email="Maren@breakwater.test") == 1
    assert signin.who(desk, held["maren@breakwater.test"]) is None
    assert signin.who(desk, held["ines@breakwater.test"]) is not None
    with pytest.raises(NotAllowed):
        signin.sign_in(desk, token, browser)
    assert signin.end(desk) == 1
    assert signin.sessions(desk) == []


def test_who_is_taken_out_of_the_file_is_out_at_once(desk: Desk) -> None:
    """And a role that changes there changes here, in sessions that are open."""
    token, browser = link(desk)
    held = signin.sign_in(desk, token, browser).token or ""
    text = desk.workspace.config_file.read_text(encoding="utf-8")
    swapped = text.replace("maren@", "tove@")
    desk.workspace.config_file.write_text(swapped, encoding="utf-8")
    assert signin.who(Desk(desk.workspace), held) is None


def test_without_an_address_of_the_composer_no_link_can_be_made(tmp_path: Path) -> None:
    init_workspace(tmp_path / "w", name="B", sender="post@breakwater.test", address="1 Mole")
    with pytest.raises(ConfigurationError, match="no address of the composer"):
        signin.ask(at(tmp_path / "w"), "a@b.test", peer="192.0.2.7")


def test_a_header_is_believed_only_from_the_named_proxy() -> None:
    """And only one: a second came from outside. A mapped IPv4 address is that address."""
    composer = Composer(
        people=[Person(email="maren@breakwater.test", role="publisher")],
        user_header="X-Forwarded-User",
        trusted_proxies=["10.0.0.5", "fd00::/64"],
    )

    def who(peer: str, *values: str, of: Any = composer) -> str | None:
        found = people.person_from_proxy(of, peer, values)
        return found and found.email

    assert who("10.0.0.5", "Maren@breakwater.test") == "maren@breakwater.test"
    assert who("::ffff:10.0.0.5", "maren@breakwater.test") == "maren@breakwater.test"
    assert who("fd00::1", "maren@breakwater.test") == "maren@breakwater.test"
    assert who("10.0.0.6", "maren@breakwater.test") is None
    assert who("10.0.0.5", "maren@breakwater.test", "maren@breakwater.test") is None
    assert who("10.0.0.5", "mallory@elsewhere.test") is None
    assert who("10.0.0.5", "") is None
    assert who("unix", "maren@breakwater.test") is None
    assert who("10.0.0.5", "maren@breakwater.test", of=Composer(people=composer.people)) is None


@pytest.mark.parametrize(
    ("peer", "passed", "forwarded", "expected"),
    [
        ("198.51.100.4", ["203.0.113.9"], [], "198.51.100.4"),
        ("10.0.0.5", ["203.0.113.9"], [], "203.0.113.9"),
        ("10.0.0.5", ["192.0.2.66, 203.0.113.9"], [], "203.0.113.9"),
        ("10.0.0.5", ["192.0.2.66", "203.0.113.9"], [], "203.0.113.9"),
        ("10.0.0.5", ["192.0.2.66, 203.0.113.9, 10.0.0.7, 10.0.0.6"], [], "203.0.113.9"),
        ("::ffff:10.0.0.5", ["::ffff:203.0.113.9"], [], "203.0.113.9"),
        ("10.0.0.5", ["203.0.113.9:4711"], [], "203.0.113.9"),
        ("10.0.0.5", ["[2001:db8::7]:4711"], [], "2001:db8::7"),
        ("10.0.0.5", [], ['for=192.0.2.66, for="[2001:db8::7]:4711";proto=https'], "2001:db8::7"),
        ("10.0.0.5", [], ["proto=https; For=203.0.113.9;by=10.0.0.5"], "203.0.113.9"),
        ("10.0.0.5", ["203.0.113.9"], ["for=203.0.113.9"], "203.0.113.9"),
        ("10.0.0.5", ["203.0.113.9"], ["for=192.0.2.66"], "10.0.0.5"),
        ("10.0.0.5", ["192.0.2.66, unknown"], [], "10.0.0.5"),
        ("10.0.0.5", ["192.0.2.66, "], [], "10.0.0.5"),
        ("10.0.0.5", [], ["for=_hidden"], "10.0.0.5"),
        ("10.0.0.5", [], ["proto=https"], "10.0.0.5"),
        ("10.0.0.5", ["10.0.0.6"], [], "10.0.0.6"),
        ("10.0.0.5", [], [], "10.0.0.5"),
        ("unix", ["203.0.113.9"], [], "unix"),
    ],
)
def test_where_a_request_comes_from_is_what_the_trusted_proxies_saw(
    peer: str, passed: list[str], forwarded: list[str], expected: str
) -> None:
    """The right-most hop that is no trusted proxy; nothing that a client can write moves it."""
    composer = Composer(trusted_proxies=["10.0.0.0/29"])
    assert people.caller(composer, peer, passed, forwarded) == expected


@pytest.mark.parametrize("deed", ["approve", "send", "audience", "settings"])
def test_an_editor_may_not_do_what_a_publisher_may(deed: Any) -> None:
    editor, publisher = Person(email="i@b.test", name="Ines"), Person(email="m@b.test", role="publisher")
    people.require(publisher, deed)
    people.require(editor, "compose")
    people.require(editor, "test")
    with pytest.raises(NotAllowed, match="Ines is editor and may not"):
        people.require(editor, deed)


def test_without_a_way_to_sign_in_the_desk_is_not_opened_to_others() -> None:
    """Named people and a link or a proxy; anything less is this machine only."""
    maren = [Person(email="m@b.test", role="publisher")]
    for closed in (Composer(), Composer(url="https://desk.b.test"), Composer(people=maren)):
        with pytest.raises(ConfigurationError):
            people.refuse_open_desk(closed)
    people.refuse_open_desk(Composer(people=maren, url="https://desk.b.test"))
    people.refuse_open_desk(Composer(people=maren, user_header="X-User", trusted_proxies=["10.0.0.5"]))
