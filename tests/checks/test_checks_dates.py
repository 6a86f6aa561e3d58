"""Weekdays and dates in stories: which day they mean, and when that day has passed."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks import examples as eg
from newsletter.checks.run import run_checks
from newsletter.checks.weekdays import mentions
from newsletter.models import Finding, Severity

FRIDAY = date(2026, 11, 27)


def found(*changes: eg.Change) -> list[Finding]:
    return [f for f in run_checks(eg.both(*changes)(eg.example())) if f.id.startswith(("date-", "issue-date"))]


@pytest.mark.parametrize(
    ("text", "near", "day"),
    [
        ("will sail on Wednesday (25).", FRIDAY, date(2026, 11, 25)),
        ("on Monday(30) they", FRIDAY, date(2026, 11, 30)),
        ("on Saturday (31) they", date(2026, 11, 6), date(2026, 10, 31)),
        ("on Friday (1) they", date(2026, 12, 24), date(2027, 1, 1)),
        ("on Wednesday (23) they", date(2022, 2, 25), date(2022, 2, 23)),
        ("on Wednesday 25 November", FRIDAY, date(2026, 11, 25)),
        ("on Wednesday, November 25, 2026", FRIDAY, date(2026, 11, 25)),
        ("on Thursday the 31st of December", date(2027, 1, 8), date(2026, 12, 31)),
        ("on wednesday, 25th Nov.", FRIDAY, date(2026, 11, 25)),
        ("on Monday, Sept. 7th", date(2026, 9, 11), date(2026, 9, 7)),
        ("on Saturday 14 March 1998", FRIDAY, date(1998, 3, 14)),
        ("on Wednesday (24)", date(2026, 7, 1), date(2026, 6, 24)),
        ("on Sunday (45)", FRIDAY, None),
        ("on Sunday 31 February", FRIDAY, None),
        ("on Wednesday 2 December 2027", FRIDAY, None),
    ],
)
def test_a_weekday_with_a_number_is_the_nearest_such_day(text: str, near: date, day: date | None) -> None:
    """The month comes from the neighbourhood of the issue; weekday and number must both fit."""
    (mention,) = mentions(text, near, None)
    assert mention.kind == "dated"
    assert mention.day == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("He said so on Monday.", date(2026, 11, 23)),
        ("It will open on Monday.", date(2026, 11, 30)),
        ("It opens this Saturday.", date(2026, 11, 28)),
        ("last Tuesday was fine", date(2026, 11, 24)),
        ("next Wednesday they sail", date(2026, 11, 25)),
        ("They met on Wednesday.", date(2026, 11, 25)),
        ("tomorrow", date(2026, 11, 26)),
        ("Yesterday it rained", date(2026, 11, 24)),
        ("tonight", date(2026, 11, 25)),
    ],
)
def test_a_weekday_alone_is_taken_from_the_day_of_writing(text: str, day: date) -> None:
    """A report looks back, an announcement looks forward; 25 November 2026 is a Wednesday."""
    (mention,) = mentions(text, FRIDAY, date(2026, 11, 25))
    assert mention.day == day


@pytest.mark.parametrize(
    "text",
    ["today’s harbour", "Monday to Friday", "on Sundays at three", "in March", "28 November", "Good Friday agreement"],
)
def test_words_that_name_no_day_are_left_alone(text: str) -> None:
    """A check that cries wolf is switched off."""
    assert list(mentions(text, FRIDAY, date(2026, 11, 25))) == []


def test_without_a_date_of_writing_bare_weekdays_mean_nothing() -> None:
    """Nothing is guessed."""
    assert list(mentions("He said so on Monday.", FRIDAY, None)) == []


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("The boat will sail on Wednesday (25).", Severity.WARNING),
        ("The boat is due to sail on Wednesday (25), the harbour master said.", Severity.WARNING),
        ("Voting on Wednesday (25), from nine.", Severity.WARNING),
        ("Doors open: Saturday 21 November 2026.", Severity.WARNING),
        ("“It was high time,” the office said on Monday (23).", Severity.INFO),
        ("They’ll sail on. The office confirmed it on Monday (23). They will wait.", Severity.INFO),
    ],
)
def test_an_announcement_of_a_past_day_is_a_warning_and_a_report_a_note(text: str, severity: Severity) -> None:
    """“will … on Wednesday (25)” is wrong on Friday 27; “said on Monday (23)” may well be meant."""
    (finding,) = found(eg.story(teaser=text))
    assert (finding.id, finding.severity, finding.field) == ("date-stale", severity, "teaser")
    assert finding.article == "the-ferry-is-back"
    assert "before the issue's date, Friday 27 November" in finding.message


def test_a_day_that_is_remembered_with_its_year_misleads_nobody() -> None:
    """“The agreement was signed on Friday 10 April 1998” is history; a note about it is noise."""
    assert not found(eg.story(teaser="The agreement was signed on Friday 10 April 1998."))
    assert found(eg.story(teaser="The agreement was signed on Friday 10 April."))


def test_the_message_names_each_day() -> None:
    """The editor sees at once which."""
    (finding,) = found(eg.story(teaser="It will open on Tuesday (24) and again on Wednesday (25)."))
    assert finding.message.startswith(
        "“Tuesday (24)” (Tuesday 24 November), “Wednesday (25)” (Wednesday 25 November) lie "
    )


@pytest.mark.parametrize(
    ("written", "text", "ids"),
    [
        ("2026-11-24", "It will open on Wednesday.", ["date-stale"]),
        ("2026-11-24", "It opens tomorrow.", ["date-stale"]),
        ("2026-11-26", "It opens tomorrow.", ["date-relative"]),
        ("2026-11-26T18:00:00Z", "It rained yesterday.", ["date-relative"]),
        ("2026-11-27", "It opens tomorrow.", []),
        ("2026-11-24", "He said so on Monday.", []),
        ("2026-11-10", "He said so on Monday.", ["date-stale"]),
        ("2026-11-25", "It opens on Saturday.", []),
        ("soon", "It opens on Saturday.", []),
    ],
)
def test_relative_days_are_read_from_the_storys_own_date(written: str, text: str, ids: list[str]) -> None:
    """“tomorrow” in a story of Tuesday is Wednesday, and readers on Friday take it for Saturday."""
    assert [f.id for f in found(eg.story(teaser=text, published=written))] == ids


@pytest.mark.parametrize(
    ("zone", "written", "words"),
    [
        # WordPress states UTC: 08:00 on Friday in Auckland, and five on Thursday afternoon in Los Angeles.
        ("Pacific/Auckland", "2026-11-26T19:00:00Z", None),
        ("America/Los_Angeles", "2026-11-27T01:00:00Z", "Thursday 26 November"),
        ("America/Los_Angeles", "2026-11-27T01:00:00+01:00", None),
        ("America/Los_Angeles", "2026-11-27", None),
        ("Pacific/Auckland", "2026-11-26", "Thursday 26 November"),
        ("America/Los_Angeles", "0001-01-01T00:00:00Z", None),
    ],
)
def test_a_time_in_utc_is_a_day_of_the_publications_zone(zone: str, written: str, words: str | None) -> None:
    """ "tomorrow" is said from the writer's day: an offset says which that was, UTC does not."""
    config = eg.example().config
    there = msgspec.structs.replace(config, publication=msgspec.structs.replace(config.publication, timezone=zone))
    findings = found(eg.story(teaser="It opens tomorrow.", published=written), eg.given(config=there))
    assert [words is not None and words in f.message for f in findings if f.severity is not Severity.INFO] == (
        [True] if words else []
    )


def test_without_a_date_of_its_own_tomorrow_is_a_note() -> None:
    """“the leaders of tomorrow” is fine, “opens tomorrow” is not: an editor looks. “today” mostly means nowadays."""
    assert found(eg.story(teaser="Ships are larger today.")) == []
    (finding,) = found(eg.story(teaser="It opens tomorrow."))
    assert (finding.id, finding.severity) == ("date-relative", Severity.INFO)


def test_only_what_the_reader_sees_is_read() -> None:
    """A body behind a teaser is on the web page; in the layout text it is in the mail."""
    body = "Long ago. " * 70 + "The boat will sail on Wednesday (25)."
    assert found(eg.story(body=body)) == []
    assert found(eg.story(body=body, teaser=None)) == []
    assert [f.field for f in found(eg.story(body=body[-80:], teaser=None))] == ["body"]
    full = eg.section(
        "text", dataclasses.replace(eg.LIBRARY, slug="long", headline="Long", body=body, link="https://e.org")
    )
    assert [(f.article, f.field) for f in found(full)] == [("long", "body")]


@pytest.mark.parametrize("lang", ["ur", "de", "fr-FR"])
def test_other_languages_are_left_alone(lang: str) -> None:
    """A rule for English says nothing about a story in another language."""
    assert found(eg.story(teaser="The boat will sail on Wednesday (25).", lang=lang)) == []


@pytest.mark.parametrize("zone", ["Europe/London", "Not/AZone"])
def test_the_day_of_sending_is_taken_in_the_publications_zone(zone: str) -> None:
    """Seven in the morning UTC of the 27th is the 27th in London; an unknown zone is refused elsewhere."""
    at = datetime(2026, 11, 27, 7, tzinfo=UTC)
    assert found(eg.publication(timezone=zone), eg.given(send_at=at)) == []


def test_late_evening_in_auckland_is_the_next_day() -> None:
    """The reader's calendar counts, not UTC's."""
    at = datetime(2026, 11, 26, 20, tzinfo=UTC)
    assert found(eg.publication(timezone="Pacific/Auckland"), eg.given(send_at=at)) == []
    (finding,) = found(eg.given(send_at=at))
    assert finding.message == "The issue is dated Friday 27 November and goes out on Thursday 26 November."


@given(st.text(alphabet=st.sampled_from("mondaytuescrb (0123456789).,! \n"), max_size=200), st.dates())
def test_no_text_and_no_date_breaks_the_reading(text: str, near: date) -> None:
    """Whatever a story says."""
    if date(2, 1, 1) < near < date(9998, 1, 1):
        list(mentions(text, near, near))


@pytest.mark.parametrize(
    "text", ["on Monday (" * 5_000, "Monday " * 10_000, "a" * 100_000, "ed " * 30_000, "tomorrow " * 5_000]
)
def test_hostile_text_is_read_in_linear_time(text: str) -> None:
    """A body of 256 KB must not hold up the check."""
    started = time.process_time()
    list(mentions(text, FRIDAY, FRIDAY))
    assert time.process_time() - started < 2
