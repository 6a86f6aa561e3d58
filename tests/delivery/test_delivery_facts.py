"""A mailing in numbers: each delivery counts once, by hour and by domain, and the sums are the ledger's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from newsletter.audience import subscribers
from newsletter.delivery import facts as counting
from newsletter.delivery import ledger, mailings
from newsletter.delivery.events import apply_events
from newsletter.delivery.facts import HOUR, Facts, facts_of
from newsletter.delivery.ports import Event, Outcome
from newsletter.delivery.run_due import run_due

SECOND = 1_000_000


@pytest.fixture
def sent(bench: Any, scripted: Any) -> Any:
    """Six readers: one rejected, one who left before."""
    bench.readers(6)
    subscribers.unsubscribe(bench.store, "reader5@mail.test", "test")
    bench.scheduled()
    answer = lambda a, _n: Outcome.REJECTED if a == "reader4@mail.test" else Outcome.ACCEPTED  # noqa: E731 - one line
    assert run_due(bench.work(scripted(answer))).error is None
    return bench


def tell(bench: Any, address: str, kind: Any, hours: float = 0.0, **more: Any) -> None:
    key = str(bench.rows(f"select public_id from delivery where address = '{address}'")[0][0])
    event = Event(key, kind, bench.clock.us + int(hours * HOUR), **more)
    apply_events(bench.store, [event], provider="sendgrid", keys=bench.keys, now=bench.clock.us)


def counted(bench: Any) -> Facts:
    with bench.store.read() as conn:
        return counting.count(conn, bench.mailing(), bench.clock.us)


def test_the_numbers_are_the_ledgers_and_each_delivery_counts_once(sent: Any) -> None:
    """Two openings of one mail are one, in the hour of the first; the sum of the hours is the sum of the states."""
    tell(sent, "reader0@mail.test", "delivered")
    tell(sent, "reader0@mail.test", "opened", 3)
    tell(sent, "reader0@mail.test", "opened", 1)
    tell(sent, "reader1@mail.test", "bounced", 0, code="5.1.1")
    tell(sent, "reader2@mail.test", "complained", 100)
    found = counted(sent)
    with sent.store.read() as conn:
        assert found.states == ledger.counts(conn, sent.mailing().id)
    assert found.events == {"delivered": 1, "opened": 1, "bounced": 1, "complained": 1}
    assert [(row.at is None, row.submitted, row.opened, row.complained) for row in found.hours] == [
        (False, 4, 0, 0),
        (False, 0, 1, 0),
        (True, 0, 0, 1),
    ]
    assert found.hours[0].refused == 2, "the rejected one and the bounced one"
    (domain,) = found.domains
    assert (domain.domain, domain.submitted, domain.refused, domain.complained) == ("mail.test", 4, 2, 1)
    assert {(row.state, row.count) for row in found.reasons} == {("rejected", 1), ("excluded", 1)}


def test_of_many_domains_the_largest_are_shown_and_nothing_is_lost(sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of the others has the rest; an erased reader has no domain and is in it."""
    monkeypatch.setattr(counting, "TOP_DOMAINS", 1)
    with sent.store.write() as conn:
        conn.exec_driver_sql("update delivery set address = 'x@Small.test' where address = 'reader3@mail.test'")
    subscribers.erase(sent.store, "reader2@mail.test", sent.keys)
    with sent.store.write() as conn:
        conn.exec_driver_sql(f"update delivery set updated_at = updated_at + {30 * HOUR} where address = 'erased'")
    found = counted(sent)
    assert [(row.domain, row.submitted) for row in found.domains] == [("mail.test", 2), ("", 2)]
    assert found.other_domains == 2
    assert "erased" not in {row.domain for row in found.domains}
    assert [row.submitted for row in found.hours] == [4], "erasing later moves no mail to a later hour"


def test_reasons_name_nobody(sent: Any) -> None:
    """A server's answer may repeat the address."""
    with sent.store.write() as conn:
        conn.exec_driver_sql("update delivery set reason = '550 <reader4@mail.test> unknown' where state = 'rejected'")
    assert "550 <…@mail.test> unknown" in [row.reason for row in counted(sent).reasons]


def test_what_took_long_is_counted_again_only_after_a_while_or_when_an_editor_acted(
    sent: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache never outlives a reconcile, and a quick count is never kept."""

    def read(now: int) -> dict[str, int]:
        return facts_of(sent.store, sent.mailing(), cache=tmp_path / "cache", now=now).events

    start = sent.clock.us
    assert read(start) == {}
    assert not list((tmp_path / "cache").rglob("*.json"))
    monkeypatch.setattr(counting, "_QUICK", 0.0)
    monkeypatch.setattr(counting.time, "monotonic", iter(range(100)).__next__)  # a count takes a second
    assert read(start) == {}
    tell(sent, "reader0@mail.test", "delivered")
    assert read(start + 19 * SECOND) == {}
    assert read(start + 21 * SECOND) == {"delivered": 1}
    tell(sent, "reader1@mail.test", "delivered")
    assert read(start + 22 * SECOND) == {"delivered": 1}
    with sent.store.write() as conn:
        mailings.write_audit(conn, "ada", "reconcile", sent.mailing().issue, {}, start)
    assert read(start + 22 * SECOND) == {"delivered": 2}
    tell(sent, "reader2@mail.test", "delivered")
    assert read(start + 21 * SECOND) == {"delivered": 3}, "what a clock in the future counted is no answer"
    (kept,) = (tmp_path / "cache").rglob("*.json")
    kept.write_bytes(b"{")
    assert read(start + 22 * SECOND) == {"delivered": 3}
