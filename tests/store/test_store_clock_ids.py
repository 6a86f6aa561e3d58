"""Times are whole UTC microseconds; public ids are 128 random bits."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.store.clock import from_us, now_us, to_us
from newsletter.store.ids import new_public_id, new_public_ids


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_survives_the_database_to_the_microsecond(moment: datetime) -> None:
    """Also before 1970 and far from it, where float seconds would not."""
    assert from_us(to_us(moment)) == moment


def test_the_zone_does_not_matter_and_no_zone_is_refused() -> None:
    """A naive time names no moment."""
    paris = datetime(2026, 7, 1, 9, 0, tzinfo=timezone(timedelta(hours=2)))
    assert to_us(paris) == to_us(datetime(2026, 7, 1, 7, 0, tzinfo=UTC))
    with pytest.raises(ValueError, match="no time zone"):
        to_us(datetime(2026, 7, 1, 7, 0))


def test_now_is_now() -> None:
    """Microseconds, not milliseconds or seconds."""
    assert abs(now_us() / 1e6 - time.time()) < 5


def test_public_ids_are_32_hex_digits_and_differ() -> None:
    """One by one or many at once."""
    made = [new_public_id() for _ in range(100)] + new_public_ids(1000)
    assert len(set(made)) == 1100
    assert all(re.fullmatch("[0-9a-f]{32}", public_id) for public_id in made)
    assert new_public_ids(0) == []
