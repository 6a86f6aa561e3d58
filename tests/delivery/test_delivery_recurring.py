"""Recurring times as moments: no day is left out, none comes twice."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.delivery import mailings
from newsletter.delivery.recurring import occurrences, schedule_occurrence, settle, settled, waits_for
from newsletter.errors import ConfigurationError
from newsletter.store.clock import from_us
from newsletter.store.engine import open_store
from newsletter.workspace.values import parse_rule

START = int(datetime(2026, 11, 27, 7, 0, tzinfo=UTC).timestamp()) * 1_000_000
ZONES = ["Europe/London", "America/New_York", "Asia/Karachi", "Australia/Lord_Howe", "UTC"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "zone", "day", "moments"),
    [
        ("Fri 07:00", "Europe/London", "2026-11-27", ["2026-11-27 07:00"]),
        ("Fri 07:00", "Asia/Karachi", "2026-11-27", ["2026-11-27 02:00"]),
        # London's 01:30 comes twice on 25 October 2026 and not at all on 29 March.
        ("01:30", "Europe/London", "2026-10-25", ["2026-10-25 00:30"]),
        ("sunday 01:30", "Europe/London", "2026-03-29", ["2026-03-29 01:00"]),
        ("01:30", "America/New_York", "2026-11-01", ["2026-11-01 05:30"]),
        ("02:30", "America/New_York", "2026-03-08", ["2026-03-08 07:00"]),
        ("01:45", "Australia/Lord_Howe", "2026-04-05", ["2026-04-04 14:45"]),
        ("02:10", "Australia/Lord_Howe", "2026-10-04", ["2026-10-03 15:30"]),
    ],
)
def test_a_day_has_one_moment_whatever_its_clocks_do(rule: str, zone: str, day: str, moments: list[str]) -> None:
    """Within two days around it, those of that day."""
    noon = utc(f"{day} 12:00")
    found = list(occurrences(rule, zone, noon - timedelta(days=2), noon + timedelta(days=2)))
    assert [o.utc for o in found if str(o.day) == day] == [utc(moment) for moment in moments]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("rule", ["00:00", "01:30", "02:10", "07:00", "23:59"])
def test_any_way_of_cutting_time_finds_the_same_moments(zone: str, rule: str) -> None:
    """Cron's minutes add up: what a year holds is what its pieces hold; one moment a day, in order."""
    begin, end = utc("2026-01-01 12:00"), utc("2027-01-01 12:00")
    whole = list(occurrences(rule, zone, begin, end))
    pieces, cut = [], begin
    while cut < end:
        step = min(cut + timedelta(hours=7, minutes=13), end)
        pieces += occurrences(rule, zone, cut, step)
        cut = step
    assert whole == pieces
    assert len({o.day for o in whole}) == len(whole) == 365
    assert [o.utc for o in whole] == sorted(o.utc for o in whole)


def test_a_rule_is_known_again_in_another_spelling(bench) -> None:
    """Who corrects "fri 7:00" to "Friday 07:00" gets nothing twice."""
    window = (utc("2026-11-26 00:00"), utc("2026-11-28 00:00"))
    (first,) = occurrences("fri 7:00", "UTC", *window)
    (same,) = occurrences("Friday 07:00", "UTC", *window)
    (other,) = occurrences("Fri 07:01", "UTC", *window)
    settle(bench.store, first, "nothing", now=1)
    assert settled(bench.store, same)
    assert not settled(bench.store, other)


def test_runs_that_overlap_schedule_an_occurrence_once(bench) -> None:
    """Eight processes at the same moment: one makes the mailing, the others find it made."""
    approval = bench.approve()
    (occurrence,) = occurrences("Fri 07:00", "UTC", utc("2026-11-27 00:00"), utc("2026-11-28 00:00"))
    bench.store.close()  # a connection must not be shared with a child
    gate, opened = os.pipe()
    children = []
    for _ in range(8):
        child = os.fork()
        if child == 0:
            code = 9
            try:
                with open_store(bench.ws.database) as store:
                    os.close(opened)
                    os.read(gate, 1)  # until the last writer of the pipe is gone
                    made = schedule_occurrence(
                        store, occurrence, approval, provider="scripted", lateness=timedelta(hours=2), now=START
                    )
                    code = 1 if made else 0
            finally:
                os._exit(code)
        children.append(child)
    os.close(opened)
    os.close(gate)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [0] * 7 + [1]
    assert bench.rows("select count(*) from mailing") == [(1,)]
    assert bench.rows("select count(*) from audit where action = 'schedule'") == [(1,)]


@pytest.mark.parametrize("rule", ["Fr 07:00", "Fri 24:00", "Fri 07:60", "Fri", "", "Fri 07:00 weekly", "* * * * *"])
def test_what_is_no_time_of_the_week_is_refused(rule: str) -> None:
    """And the fix shows the three forms."""
    with pytest.raises(ConfigurationError) as refused:
        parse_rule(rule, "schedule.every")
    assert "Fri 07:00" in (refused.value.fix or "")


def test_an_approval_that_outlived_its_unapproving_goes_nowhere_by_itself(bench) -> None:
    """Whoever unapproves ends the mailing first; killed in between, the approval is still there."""
    mailing = bench.scheduled()
    bench.clock.pass_by(60)
    mailings.unapprove(bench.store, mailing.issue, actor="ada", now=bench.clock.us)
    assert not waits_for(bench.store, bench.approval, from_us(bench.clock.us + 60_000_000))
