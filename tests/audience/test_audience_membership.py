"""Who gets a mailing at planning, and who no longer does at the claim."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import insert

from newsletter.audience.importing import ImportReport
from newsletter.audience.membership import Member, blocked_now, members
from newsletter.audience.subscribers import add, erase, find, suppress, unsubscribe
from newsletter.store.engine import Store
from newsletter.store.tables import meta
from newsletter.workspace.keys import Keys


def test_members_are_all_but_the_erased_with_the_reason_of_those_who_get_nothing(store: Store, keys: Keys) -> None:
    """In the order they came; who is unsubscribed and suppressed is named for the reader's own wish."""
    ada = add(store, "ada@example.org", {"first_name": "Zoë"}, "form", keys)
    for name in ("left", "bounced", "both", "gone"):
        add(store, f"{name}@example.org", {}, "form", keys)
    for name in ("left", "both"):
        unsubscribe(store, f"{name}@example.org", "test")
    with store.read() as connection:
        assert [member.exclusion for member in members(connection, keys)] == [
            None, "unsubscribed", None, "unsubscribed", None,
        ]  # fmt: skip
    for name in ("bounced", "both", "never.seen"):
        suppress(store, f"{name}@example.org", "bounce", "test", keys)
    erase(store, "gone@example.org", keys)
    with store.read() as connection:
        found = list(members(connection, keys))
    assert found[0] == Member(ada.id, ada.public_id, "ada@example.org", '{"first_name":"Zoë"}', None)
    assert [(member.address, member.exclusion) for member in found] == [
        ("ada@example.org", None),
        ("left@example.org", "unsubscribed"),
        ("bounced@example.org", "suppressed: bounce"),
        ("both@example.org", "unsubscribed"),
    ]


def test_many_members_are_read_in_pieces_and_the_caller_may_write_in_between(
    store: Store, keys: Keys, bring: Callable[..., ImportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each exactly once, over the borders of the pieces; also when all of one piece are erased."""
    monkeypatch.setattr("newsletter.audience.membership._CHUNK", 3)
    bring("email\n" + "".join(f"r{n}@example.org\n" for n in range(10)))
    for n in (3, 4, 5):
        erase(store, f"r{n}@example.org", keys)
    suppress(store, "r9@example.org", "bounce", "test", keys)
    seen = []
    with store.write() as connection:
        for member in members(connection, keys):
            seen.append(member)
            connection.execute(insert(meta).values(key=member.public_id, value=""))
    assert [member.address for member in seen] == [f"r{n}@example.org" for n in (0, 1, 2, 6, 7, 8, 9)]
    assert [member.address for member in seen if member.exclusion] == ["r9@example.org"]


def test_a_reader_who_left_after_planning_is_blocked_at_the_claim(
    store: Store, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unsubscribed, suppressed or erased a second ago; a row that is gone is not mailed either."""
    monkeypatch.setattr("newsletter.audience.membership._CHUNK", 2)
    names = ["here", "left", "bounced", "gone"]
    ids = [add(store, f"{name}@example.org", {}, "form", keys).id for name in names]
    with store.read() as connection:
        assert blocked_now(connection, ids, keys) == {}
        assert blocked_now(connection, [], keys) == {}
    unsubscribe(store, "left@example.org", "link")
    suppress(store, "bounced@example.org", "complaint", "test", keys)
    erase(store, "gone@example.org", keys)
    with store.read() as connection:
        assert blocked_now(connection, [*ids, 999], keys) == {
            find(store, "left@example.org").id: "unsubscribed",
            ids[2]: "suppressed: complaint",
            ids[3]: "erased",
            999: "erased",
        }
