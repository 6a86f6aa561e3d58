"""Unsubscribing and preferences over HTTP: one-click, the page and its buttons, links that are none."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest

from newsletter.app.desk import open_desk
from newsletter.audience import subscribers
from newsletter.message.links import make_token
from tests.public.kit import FORM, ONE_CLICK, Answer, Served, serve

MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
)  # fmt: skip


def test_one_click_unsubscribes_at_once_and_says_so_shortly(site: Served) -> None:
    """RFC 8058: a bare POST with neither cookie nor origin; 200, no redirect; the log says how."""
    ada = site.reader("ada@readers.test")
    answer = site.one_click(ada.unsubscribe)
    assert (answer.status, answer.text) == (200, "You are unsubscribed\n")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "set-cookie" not in answer.headers and "location" not in answer.headers
    assert site.status(ada) == "unsubscribed"
    assert site.log(ada)[1:] == [("unsubscribed", "the reader's wish", "one-click")]


def test_one_click_is_answered_in_words_alone_whatever_the_language(workspace: Path) -> None:
    """A page in Arabic sets English words in an element; an answer to a mail program has none."""
    file = workspace / "newsletter.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('language = "en-GB"', 'language = "ar"'), encoding="utf-8")
    with serve(workspace) as site:
        assert site.one_click(site.reader("ada@readers.test").unsubscribe).text == "You are unsubscribed\n"


def test_one_click_twice_is_one_click(site: Served) -> None:
    bo = site.reader("bo@readers.test")
    assert site.one_click(bo.unsubscribe) == site.one_click(bo.unsubscribe)
    assert len(site.log(bo)) == 2


def test_one_click_by_curl(site: Served) -> None:
    """The very command of the documentation."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    cy = site.reader("cy@readers.test")
    command = [curl, "-sS", "-f", "-X", "POST", "-d", ONE_CLICK, site.url.rstrip("/") + cy.unsubscribe]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "You are unsubscribed\n"
    assert site.status(cy) == "unsubscribed"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (MULTIPART, "multipart/form-data; boundary=x"),
        (b"", "application/x-www-form-urlencoded"),
        (b"list-unsubscribe=one-click", "text/plain"),
        (b"\xff\xfe", "application/octet-stream"),
    ],
    ids=["multipart", "empty", "lower case", "no text"],
)
def test_any_post_to_a_signed_unsubscribe_link_means_it(site: Served, body: bytes, kind: str) -> None:
    """RFC 8058 allows multipart, and a mail program's slip must not keep anybody subscribed."""
    reader = site.reader(f"{len(body)}@readers.test")
    answer = site.ask(reader.unsubscribe, method="POST", body=body, headers={"Content-Type": kind})
    assert answer.status == 200
    assert site.status(reader) == "unsubscribed"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_nothing_but_a_post_changes_anything(site: Served, method: str) -> None:
    """Mail scanners follow every link; a reader who did nothing stays subscribed."""
    reader = site.reader(f"{method.lower()}@readers.test")
    for path in (reader.unsubscribe, reader.preferences, f"{reader.unsubscribe}?do=unsubscribe"):
        answer = site.ask(path, method=method)
        assert answer.status == {"GET": 200, "HEAD": 200, "OPTIONS": 204}.get(method, 405)
        if method not in ("GET", "HEAD"):
            assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
        if method == "HEAD":
            assert answer.body == b""
            assert int(answer.headers["content-length"]) > 1000
    assert site.status(reader) == "subscribed"
    assert len(site.log(reader)) == 1


def test_the_page_asks_the_button_does_it_and_the_reader_can_come_back(site: Served) -> None:
    """Three pages; the way back is a form with a token of the other purpose, and it is written down as said."""
    dee = site.reader("dee@readers.test")
    asked = site.ask(dee.unsubscribe)
    assert "Unsubscribe from <cite>The Estuary Weekly</cite>?" in asked.text
    assert "d•••@readers.test" in asked.text
    assert dee.address not in asked.text
    assert '<form method="post"><button name="do" value="unsubscribe">' in asked.text

    left = site.press(dee.unsubscribe, "unsubscribe")
    assert left.status == 200 and "You are unsubscribed" in left.text
    assert f'action="{dee.preferences}"' in left.text
    assert site.status(dee) == "unsubscribed"
    assert "You are unsubscribed" in site.ask(dee.unsubscribe).text

    back = site.press(dee.preferences, "subscribe")
    assert back.status == 200 and "You are subscribed" in back.text
    assert site.status(dee) == "subscribed"
    assert site.log(dee)[1:] == [
        ("unsubscribed", "the reader's wish", "unsubscribe page"),
        ("subscribed", "pressed “Subscribe again”", "preferences page"),
    ]
    again = site.press(dee.preferences, "unsubscribe")
    assert "You are unsubscribed" in again.text
    assert site.log(dee)[-1] == ("unsubscribed", "the reader's wish", "preferences page")


def test_an_unsubscribe_link_cannot_subscribe(site: Served) -> None:
    """Its token is good for one thing: whoever got a forwarded mail cannot bring anybody back with it."""
    eve = site.reader("eve@readers.test")
    site.one_click(eve.unsubscribe)
    answer = site.press(eve.unsubscribe, "subscribe")
    assert answer.status == 400
    assert site.status(eve) == "unsubscribed"


@pytest.mark.parametrize("body", [ONE_CLICK, "", "do=", "do=erase", "do=subscribe&do=unsubscribe" + "&x=1" * 30])
def test_the_preferences_page_does_only_what_its_buttons_say(site: Served, body: str) -> None:
    reader = site.reader(f"p{len(body)}@readers.test")
    answer = site.ask(reader.preferences, method="POST", body=body, headers=FORM)
    assert answer.status == 400
    assert "You are subscribed" in answer.text
    assert site.status(reader) == "subscribed"


def other_tokens(site: Served) -> list[str]:
    """Everything that is no token of ours."""
    fay = site.reader("fay@readers.test")
    token = fay.unsubscribe.removeprefix("/u/")
    with open_desk(site.root) as desk:
        stranger = make_token("unsubscribe", "f" * 32, desk.keys)
    return [
        "x",
        "v1.unsubscribe",
        token[:-1],
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.replace("unsubscribe", "preferences"),
        token.replace(".k1.", ".k2."),
        token.upper(),
        stranger,
        "%00",
        "%F0%9F%92%8C",
        "a" * 3000,
    ]


def test_a_link_that_nobody_signed_is_one_page_for_all_and_says_what_helps(site: Served) -> None:
    """404 with the very same words, by GET and by POST, for garbage, forgeries and readers we do not know."""
    answers: list[Answer] = []
    for token in other_tokens(site):
        answers += [site.ask(f"/u/{token}"), site.one_click(f"/u/{token}")]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1
    assert "use the link in the newest mail" in answers[0].text
    assert "mailto:editor@estuary.example" in answers[0].text
    assert "This link does not work" in answers[0].text


@pytest.mark.parametrize(("token", "words"), [("test", "unsubscribes nobody"), ("copy", "the same for everybody")])
def test_the_links_of_test_mails_and_web_copies_say_what_they_are(site: Served, token: str, words: str) -> None:
    for answer in (site.ask(f"/u/{token}"), site.one_click(f"/u/{token}")):
        assert answer.status == 200
        assert words in answer.text


def test_a_reader_who_is_suppressed_or_erased_is_told_so(site: Served) -> None:
    """Nothing is promised that would not happen, and nothing of an erased reader is shown."""
    gus, hal = site.reader("gus@readers.test"), site.reader("hal@readers.test")
    with open_desk(site.root) as desk:
        subscribers.suppress(desk.store, gus.address, "complained", "test", desk.keys)
        subscribers.erase(desk.store, hal.address, desk.keys)
    for path in (gus.preferences, gus.unsubscribe):
        assert "We no longer write to" in site.ask(path).text
    assert "We no longer write to" in site.press(gus.preferences, "subscribe").text
    assert site.one_click(gus.unsubscribe).status == 200
    assert site.status(gus) == "unsubscribed"
    assert "We no longer write to" in site.press(gus.preferences, "subscribe").text
    assert site.status(gus) == "unsubscribed", "a suppressed reader is not brought back"
    page = site.ask(hal.preferences)
    assert "We keep no address of yours" in page.text
    assert "erased" not in page.text and "readers.test" not in page.text
    assert site.one_click(hal.unsubscribe).status == 200
    assert "We keep no address" in site.press(hal.preferences, "subscribe").text


def test_a_rotated_key_is_known_without_a_restart(workspace: Path) -> None:
    """Mails that are signed with a new key must not meet a server that only knows the old one."""
    with serve(workspace) as site:
        ian = site.reader("ian@readers.test")
        assert site.ask(ian.unsubscribe).status == 200
        file = workspace / ".newsletter" / "keys.json"
        keys = json.loads(file.read_text())
        keys["secrets"]["k2"] = base64.urlsafe_b64encode(os.urandom(32)).decode()
        keys["current"] = "k2"
        file.write_text(json.dumps(keys))
        joe = site.reader("joe@readers.test")
        assert ".k2." in joe.unsubscribe
        assert site.one_click(joe.unsubscribe).status == 200
        assert site.one_click(ian.unsubscribe).status == 200, "and the old one still verifies"
        file.write_text("{")
        assert site.ask(joe.preferences).status == 200, "a damaged file does not take the page away"


def test_a_database_that_is_put_back_from_a_backup_is_the_one_that_is_used(workspace: Path) -> None:
    """A server that went on with the file that lies under no name any more would lose every wish."""
    with serve(workspace) as site:
        kim = site.reader("kim@readers.test")
        assert site.ask(kim.preferences).status == 200
        database = workspace / ".newsletter" / "newsletter.db"
        with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as raw:
            raw.execute("VACUUM INTO ?", (f"{database}.backup",))
        site.store.close()
        away = database.with_name("away.db")
        database.rename(away)
        assert site.ask(kim.preferences).status == 503
        assert site.ask("/health").status == 503
        assert site.one_click(kim.unsubscribe).status == 503
        for rest in ("-wal", "-shm"):
            database.with_name(database.name + rest).unlink(missing_ok=True)
        database.with_name(f"{database.name}.backup").rename(database)
        assert site.ask("/health").status == 200
        assert site.one_click(kim.unsubscribe).status == 200
        with open_desk(workspace) as desk:
            assert subscribers.find(desk.store, kim.address).status == "unsubscribed"


def test_a_database_that_is_taken_for_too_long_is_503_and_nothing_is_lost(workspace: Path) -> None:
    """Busy is no yes: the mail program or the reader comes again. Reading goes on meanwhile."""
    with serve(workspace) as site:
        lea = site.reader("lea@readers.test")
        held, free = threading.Event(), threading.Event()

        def hold() -> None:
            with site.store.write():
                held.set()
                free.wait(30)

        holder = threading.Thread(target=hold)
        holder.start()
        try:
            assert held.wait(10)
            assert site.ask(lea.unsubscribe).status == 200
            answer = site.one_click(lea.unsubscribe)
            assert answer.status == 503
            assert answer.headers["retry-after"] == "5"
            assert "Nothing was changed" in answer.text
        finally:
            free.set()
            holder.join(10)
        assert site.status(lea) == "subscribed"
        assert site.one_click(lea.unsubscribe).status == 200
        assert site.status(lea) == "unsubscribed"


def test_many_at_once_are_all_written_down(site: Served) -> None:
    """They share transactions; each is answered only after its own."""
    crowd = [site.reader(f"crowd{n}@readers.test") for n in range(40)]
    answers: list[tuple[int, str]] = []

    def leave(part: int) -> None:
        for one in crowd[part::8]:
            answer = site.one_click(one.unsubscribe)
            # Another connection sees it the moment the answer is here.
            answers.append((answer.status, site.status(one)))

    threads = [threading.Thread(target=leave, args=(part,)) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [(200, "unsubscribed")] * 40
    assert site.rows("select count(*) from consent where source = 'one-click' and subscriber_id in"
                     " (select id from subscriber where address like 'crowd%')") == [(40,)]  # fmt: skip
