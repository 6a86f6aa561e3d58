"""Readers one by one: what is kept, what is logged, and what is left after erasing."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from newsletter.audience.addresses import address_hash
from newsletter.audience.importing import ImportReport
from newsletter.audience.subscribers import (
    add,
    count,
    erase,
    export_csv,
    find,
    list_subscribers,
    show,
    suppress,
    unsubscribe,
)
from newsletter.errors import BadData, CannotWrite, IllegalState, NotFound
from newsletter.store.clock import now_us
from newsletter.store.engine import Store
from newsletter.store.tables import consent, delivery, mailing, subscriber, suppression, test_send
from newsletter.workspace.keys import Keys


def events(store: Store, address: str) -> list[tuple[str, str]]:
    return [(row.event, row.source) for row in show(store, address)[1]]


def test_an_added_reader_is_found_however_the_address_is_written(store: Store, keys: Keys) -> None:
    """With the consent that was given."""
    made = add(store, "Ada@Example.org", {"first_name": " Ada\r\n", "city": " "}, "asked by phone", keys)
    assert (made.address, made.status, made.attributes) == ("Ada@example.org", "subscribed", {"first_name": "Ada"})
    assert abs(made.created_at - now_us()) < 10_000_000
    found, rows = show(store, "mailto:ADA@EXAMPLE.ORG")
    assert found == made == find(store, "ada@example.org")
    assert [(row.event, row.basis, row.source) for row in rows] == [("subscribed", "asked by phone", "by hand")]


def test_adding_again_changes_attributes_and_nothing_else(store: Store, keys: Keys) -> None:
    """One reader, one consent row."""
    first = add(store, "ada@example.org", {"first_name": "Ada"}, "form", keys)
    assert add(store, "ADA@example.org", {"first_name": ""}, "form", keys) == first
    again = add(store, "ADA@example.org", {"city": "London"}, "form", keys)
    assert (again.public_id, again.attributes) == (first.public_id, {"first_name": "Ada", "city": "London"})
    assert len(events(store, "ada@example.org")) == 1


def test_who_has_left_cannot_be_added_by_hand(store: Store, keys: Keys) -> None:
    """Only the reader can take that back."""
    add(store, "ada@example.org", {}, "form", keys)
    unsubscribe(store, "ada@example.org", "test")
    with pytest.raises(IllegalState, match="unsubscribed"):
        add(store, "ada@example.org", {}, "form", keys)
    suppress(store, "bob@example.org", "bounce", "test", keys)
    with pytest.raises(IllegalState, match="bounce"):
        add(store, "bob@example.org", {}, "form", keys)
    assert count(store) == 1


def test_unsubscribing_works_by_address_and_by_public_id_and_only_once(store: Store, keys: Keys) -> None:
    """Status and consent log in one transaction; a second click on the link logs nothing."""
    ada = add(store, "ada@example.org", {}, "form", keys)
    bob = add(store, "bob@example.org", {}, "form", keys)
    assert unsubscribe(store, "ADA@example.org", "by hand").status == "unsubscribed"
    assert unsubscribe(store, ada.public_id, "link").status == "unsubscribed"
    assert unsubscribe(store, bob.public_id, "link").status == "unsubscribed"
    assert events(store, "ada@example.org") == [("subscribed", "by hand"), ("unsubscribed", "by hand")]
    assert events(store, "bob@example.org")[-1] == ("unsubscribed", "link")
    for unknown in ("cy@example.org", "0" * 32):
        with pytest.raises(NotFound) as caught:
            unsubscribe(store, unknown, "link")
        assert caught.value.fix


def test_suppression_needs_no_reader_and_keeps_no_address(store: Store, keys: Keys) -> None:
    """A keyed hash only; the first reason stays."""
    assert suppress(store, "Bob@Example.org", "bounce\n", "webhook", keys)
    assert not suppress(store, "bob@example.org", "complaint", "by hand", keys)
    with store.read() as connection:
        rows = connection.execute(select(suppression.c.address_hash, suppression.c.reason, suppression.c.source)).all()
    assert rows == [(address_hash("bob@example.org", keys.suppression), "bounce", "webhook")]
    assert count(store) == 0
    with pytest.raises(BadData):
        suppress(store, "nobody", "x", "y", keys)


def test_listing_searches_filters_and_pages(store: Store, keys: Keys) -> None:
    """Per cent signs and underscores are characters, upper case is lower case."""
    for name in ("ada", "bob_1", "bobx1", "cy%"):
        add(store, f"{name}@example.org", {}, "form", keys)
    unsubscribe(store, "ada@example.org", "test")

    def names(**how: str | int) -> list[str]:
        return [r.address.partition("@")[0] for r in list_subscribers(store, **{"limit": 10, **how})]  # type: ignore[arg-type]  # keywords of two kinds

    assert names() == ["ada", "bob_1", "bobx1", "cy%"]
    assert names(search="BOB_") == ["bob_1"]
    assert names(search="%") == ["cy%"]
    assert names(status="unsubscribed") == ["ada"]
    assert names(limit=2, after=1) == ["bob_1", "bobx1"]
    assert count(store, search="bob") == 2
    assert count(store, status="subscribed") == 3


def plan(store: Store, number: int, address: str, reason: str | None) -> None:
    with store.write() as connection:
        connection.execute(
            insert(mailing).values(
                id=1, public_id="m", issue="i", digest="d", state="sending", provider="smtp", send_at=0,
                local_time="2026-01-01T07:00", zone="UTC", created_at=0, planned=1,
            )
        )  # fmt: skip
        connection.execute(
            insert(delivery).values(
                id=1, public_id="d", mailing_id=1, subscriber_id=number, address=address,
                attributes='{"first_name":"Ada"}', state="rejected", reason=reason, updated_at=0,
            )
        )  # fmt: skip
        connection.execute(
            insert(test_send).values(
                issue="i", number=1, code="c", address=address, outcome="accepted", detail="", digest="d", at=0
            )
        )


def test_erasing_leaves_no_trace_but_every_row(store: Store, keys: Keys, tmp_path: Path) -> None:
    """Not a byte of address or name in any table; the sum of the mailing closes as before."""
    ada = add(store, "Ada.Lovelace@example.org", {"first_name": "Ada"}, "form", keys)
    bob = add(store, "bob@example.org", {"first_name": "Bob"}, "form", keys)
    plan(store, ada.id, ada.address, f"550 5.1.1 <{ada.address}>: no such mailbox")
    left = erase(store, "ada.lovelace@example.org", keys)
    assert (left.id, left.public_id, left.address, left.status) == (ada.id, ada.public_id, "erased", "erased")
    assert left.attributes == {}
    with store.read() as connection:
        dump = "\n".join(
            repr(row)
            for table in (subscriber, consent, delivery, suppression, test_send)
            for row in connection.execute(select(table))
        )
        deliveries = connection.execute(select(delivery.c.state, delivery.c.address, delivery.c.reason)).all()
        key = connection.execute(select(subscriber.c.address_key).where(subscriber.c.id == ada.id)).scalar_one()
    assert "lovelace" not in dump.casefold()
    assert "Ada" not in dump
    assert deliveries == [("rejected", "erased", "550 5.1.1 <erased>: no such mailbox")]
    assert key == f"erased:{ada.public_id}"
    with pytest.raises(NotFound):
        find(store, "ada.lovelace@example.org")
    with pytest.raises(NotFound):
        erase(store, "ada.lovelace@example.org", keys)
    with pytest.raises(IllegalState, match="erased"):
        add(store, "ada.lovelace@example.org", {}, "form", keys)
    assert find(store, "bob@example.org") == bob
    assert count(store, status="erased") == 1


def exported(store: Store, keys: Keys | None = None) -> list[list[str]]:
    stream = io.StringIO()
    count = export_csv(store, stream, keys)
    rows = list(csv.reader(io.StringIO(stream.getvalue(), newline="")))
    assert len(rows) == count + 1
    return rows


def test_the_export_has_every_reader_and_attribute_and_no_formula(store: Store, keys: Keys) -> None:
    """Erased readers have nothing to export; suppressed ones are marked for other tools."""
    add(store, "=1+1@example.org", {"first_name": "=cmd()", "city": 'Saint "X", Y'}, "form", keys)
    add(store, "bob@example.org", {"nick": "@bob"}, "form", keys)
    add(store, "cy@example.org", {}, "form", keys)
    add(store, "gone@example.org", {}, "form", keys)
    unsubscribe(store, "cy@example.org", "test")
    suppress(store, "bob@example.org", "bounce", "test", keys)
    erase(store, "gone@example.org", keys)
    header, *rows = exported(store, keys)
    assert header == ["email", "status", "added_at", "city", "first_name", "nick"]
    assert [[*row[:2], *row[3:]] for row in rows] == [
        ["'=1+1@example.org", "subscribed", 'Saint "X", Y', "'=cmd()", ""],
        ["bob@example.org", "suppressed", "", "", "'@bob"],
        ["cy@example.org", "unsubscribed", "", "", ""],
    ]
    assert exported(store)[2][1] == "subscribed"


def test_an_export_comes_back_as_it_was(store: Store, keys: Keys, bring: Callable[..., ImportReport]) -> None:
    """Importing one's own export changes nothing and subscribes nobody again."""
    add(store, "=1+1@example.org", {"first_name": "'=x", "city": "-"}, "form", keys)
    add(store, "cy@example.org", {}, "form", keys)
    unsubscribe(store, "cy@example.org", "test")
    before = exported(store, keys)
    stream = io.StringIO()
    export_csv(store, stream, keys)
    report = bring(stream.getvalue())
    assert (report.unchanged, report.rejected, report.records) == (1, 1, 2)
    assert exported(store, keys) == before


def test_an_export_to_a_full_disk_is_cannot_write(store: Store, keys: Keys) -> None:
    """The kernel's own full device; a pipe that nobody reads is not the disk's fault."""
    for n in range(3):
        add(store, f"r{n}@example.org", {"city": "x" * 100}, "form", keys)
    full = Path("/dev/full").open("w")  # noqa: SIM115  # closing it fails as well
    with pytest.raises(CannotWrite, match="No space"):
        export_csv(store, full)
    with contextlib.suppress(OSError):
        full.close()

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        export_csv(store, Gone())
