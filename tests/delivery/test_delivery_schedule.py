"""Wall time and a zone become one moment, on the two lying days of the year too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.schedule import (
    at_wall_time,
    how_long,
    parse_send_at,
    read_wall_time,
    send_at_of,
    wall_time,
    zone_of,
)
from newsletter.errors import ConfigurationError, UsageProblem

ZONES = ["Europe/London", "America/New_York", "Asia/Karachi", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "local", "moment"),
    [
        ("now", "Asia/Karachi", "2026-11-23T17:00", "2026-11-23T12:00"),
        (" NOW ", "UTC", "2026-11-23T12:00", "2026-11-23T12:00"),
        ("14:30", "Europe/London", "2026-11-23T14:30", "2026-11-23T14:30"),
        ("07:00", "Europe/London", "2026-11-24T07:00", "2026-11-24T07:00"),
        ("12:00", "UTC", "2026-11-24T12:00", "2026-11-24T12:00"),
        ("7:05", "Asia/Karachi", "2026-11-24T07:05", "2026-11-24T02:05"),
        ("Fri 07:00", "Europe/London", "2026-11-27T07:00", "2026-11-27T07:00"),
        ("friday 07:00", "America/New_York", "2026-11-27T07:00", "2026-11-27T12:00"),
        ("Tues 07:00", "Europe/London", "2026-11-24T07:00", "2026-11-24T07:00"),
        ("Mon, 11:00", "Europe/London", "2026-11-30T11:00", "2026-11-30T11:00"),
        ("Mon 13:00", "Europe/London", "2026-11-23T13:00", "2026-11-23T13:00"),
        ("2026-11-27 07:00", "Asia/Karachi", "2026-11-27T07:00", "2026-11-27T02:00"),
        ("2026-11-27T07:00", "Australia/Lord_Howe", "2026-11-27T07:00", "2026-11-26T20:00"),
        ("2026-11-27T07:00:00", "UTC", "2026-11-27T07:00", "2026-11-27T07:00"),
        ("2026-11-27T07:00Z", "Asia/Karachi", "2026-11-27T12:00", "2026-11-27T07:00"),
        ("2026-11-27T07:00+05:00", "Europe/London", "2026-11-27T02:00", "2026-11-27T02:00"),
    ],
)
def test_what_an_editor_writes_becomes_one_moment(text: str, zone: str, local: str, moment: str) -> None:
    """Every documented form, in the publication's zone and not in the machine's."""
    at = parse_send_at(text, zone, NOW)
    assert (at.local, at.utc, at.zone) == (local, utc(moment), zone)


@pytest.mark.parametrize(
    ("wall", "zone", "local", "moment"),
    [
        # The clock skips 01:00–02:00 on 29 March 2026 in London, 02:00–03:00 on 8 March in New York.
        ("2026-03-29 01:30", "Europe/London", "2026-03-29T02:00", "2026-03-29T01:00"),
        ("2026-03-08 02:00", "America/New_York", "2026-03-08T03:00", "2026-03-08T07:00"),
        # Lord Howe moves by half an hour: 02:00–02:30 on 4 October 2026.
        ("2026-10-04 02:10", "Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30"),
    ],
)
def test_a_skipped_time_is_the_next_minute_that_exists(wall: str, zone: str, local: str, moment: str) -> None:
    """In spring nothing is lost and nothing is an hour off."""
    at = parse_send_at(wall, zone, utc("2026-01-01T00:00"))
    assert (at.local, at.utc) == (local, utc(moment))


@pytest.mark.parametrize(
    ("wall", "zone", "moment"),
    [
        ("2026-10-25 01:30", "Europe/London", "2026-10-25T00:30"),
        ("2026-11-01 01:30", "America/New_York", "2026-11-01T05:30"),
        ("2026-04-05 01:45", "Australia/Lord_Howe", "2026-04-04T14:45"),
    ],
)
def test_a_repeated_time_is_the_first_of_the_two(wall: str, zone: str, moment: str) -> None:
    """In autumn an issue goes out once, and early."""
    assert parse_send_at(wall, zone, utc("2026-01-01T00:00")).utc == utc(moment)


def test_a_clock_time_in_the_skipped_hour_of_today_is_still_today() -> None:
    """A weekly at 01:30 is not put off to the next day because the clock jumped over it."""
    at = parse_send_at("01:30", "Europe/London", utc("2026-03-29T00:10"))
    assert at.utc == utc("2026-03-29T01:00")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("2026-11-23 11:59", "past"),
        ("2026-11-23 12:00", "past"),
        ("tomorrow", "not a time"),
        ("25:00", "no such time of day"),
        ("Fri 07:60", "no such time of day"),
        ("Fr 07:00", "no day of the week"),
        ("Frigg 07:00", "no day of the week"),
        ("2026-02-30 07:00", "no such day"),
        ("", "not a time"),
        ("2026-11-27 07:00+24:00", "no clock is that far from UTC"),
        ("9999-12-31 23:59-12:00", "where the calendar ends"),
    ],
)
def test_what_cannot_be_a_time_is_refused_with_what_to_write(text: str, part: str) -> None:
    """Nothing is guessed; a past time says how long ago and offers "now"."""
    with pytest.raises(UsageProblem) as refused:
        parse_send_at(text, "UTC", NOW)
    assert part in refused.value.what
    assert "now" in (refused.value.fix or "")


@pytest.mark.parametrize(
    ("zone", "text"), [("America/Los_Angeles", "9999-12-31 23:59"), ("Asia/Tokyo", "0001-01-01 00:00")]
)
def test_a_day_that_has_no_moment_in_its_zone_is_refused(zone: str, text: str) -> None:
    """The calendar's first and last hours lie outside of UTC's years: no bug, a time that cannot be."""
    with pytest.raises(UsageProblem, match="calendar ends"):
        parse_send_at(text, zone, NOW)


@pytest.mark.parametrize(
    ("text", "zone", "local", "written"),
    [
        ("2026-10-25T01:30+01:00", "Europe/London", "2026-10-25T01:30", "2026-10-25T01:30"),
        ("2026-10-25T01:30Z", "Europe/London", "2026-10-25T01:30", "2026-10-25T01:30+00:00"),
        ("2026-11-27 07:00", "Europe/London", "2026-11-27T07:00", "2026-11-27T07:00"),
    ],
)
def test_the_second_of_two_times_is_written_with_its_offset(text: str, zone: str, local: str, written: str) -> None:
    """What is read from approval.json is the moment that was approved, not the same words an hour earlier."""
    at = parse_send_at(text, zone, utc("2026-01-01T00:00"))
    assert (at.local, at.written) == (local, written)
    assert send_at_of(at.written, zone) == at


@pytest.mark.parametrize("name", ["Europe/Londn", "", "../../etc/passwd", "Europe"])
def test_an_unknown_zone_names_the_key(name: str) -> None:
    """A wrong zone is a mistake in newsletter.toml, not a bug."""
    with pytest.raises(ConfigurationError) as refused:
        zone_of(name)
    assert refused.value.where == "publication.timezone"


@given(st.datetimes(datetime(2011, 1, 1), datetime(2035, 1, 1)), st.sampled_from(ZONES))
def test_wall_time_is_kept_or_moved_on_to_the_first_minute_after_a_gap(wall: datetime, zone: str) -> None:
    """For every minute of every zone: the moment shows that wall time, or the first one after a gap."""
    wall = wall.replace(second=0, microsecond=0)
    moment = at_wall_time(wall, ZoneInfo(zone))
    shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert shown >= wall
    if shown != wall:
        before = (moment - timedelta(minutes=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert before < wall, "a minute earlier would have been before the gap"
    assert read_wall_time(wall_time(moment, zone), zone) <= moment


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (45, "45 s"), (120, "2 min"), (3 * 3600 + 12 * 60, "3 h 12 min"), (7200, "2 h"), (90000, "1 day 1 h"),
     (2 * 86400, "2 days")],
)  # fmt: skip
def test_a_span_is_said_in_words(seconds: int, words: str) -> None:
    """How late, in units that an editor thinks in."""
    assert how_long(timedelta(seconds=seconds)) == words
