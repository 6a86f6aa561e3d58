"""The Send screen's server: what blocks, what is counted, and that nothing happens twice."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from newsletter.app import readiness
from newsletter.app.approve import approve_issue
from newsletter.app.desk import open_desk
from newsletter.app.log import mark_run
from newsletter.app.send import run_due
from newsletter.app.testmail import send_test
from newsletter.app.trail import read_trail
from newsletter.delivery import mailings
from newsletter.web.composer.sending import Pace

ISSUE = "2026-11-27"
SEND = f"/issues/{ISSUE}/send"
LATER = (date.today() + timedelta(days=30)).isoformat()


def page_of(served: Any, **headers: str) -> str:
    answer = served.get(SEND, Accept="text/html", **headers)
    assert answer.status == 200, answer.text
    return str(answer.text)


def form_of(page: str, act: str) -> dict[str, str]:
    """The hidden fields of the first form that does ``act``."""
    form = re.search(rf'<form[^>]*action="[^"]*/send/{act}".*?</form>', page, re.DOTALL)
    assert form, f"no form for {act}"
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[0]))


def act(
    served: Any, name: str, fields: Mapping[str, str] | None = None, page: str | None = None, **headers: str
) -> Any:
    sent = {**form_of(page or page_of(served, **headers), name), **(fields or {})}
    return served.form(f"{SEND}/{name}", urlencode(sent), Accept="text/html", **headers)


def approve(served: Any, page: str | None = None, **fields: str) -> Any:
    asked = {"when": "at", "date": LATER, "time": "07:00", "name": "Maren", "counted": "1", **fields}
    return act(served, "approve", asked, page)


def events(served: Any) -> list[tuple[str, str]]:
    with open_desk(served.root) as desk:
        return [(row.event.action, row.event.actor) for row in read_trail(desk).rows]


def outbox(served: Any) -> list[Path]:
    found = (served.root / ".newsletter" / "outbox").rglob("*")
    return [path for path in found if path.is_file() and path.parent.name == "new"]


def said(served: Any, answer: Any) -> str:
    assert answer.status == 303, answer.text
    return str(served.get(answer.headers["location"], Accept="text/html").text)


def test_the_readers_are_counting_until_they_are_counted(served: Any) -> None:
    """The page never says 0 while it does not know; the number is the one of the dry run."""
    page = page_of(served)
    assert "counting …" in page and "0 readers" not in page
    found = served.get(f"{SEND}/audience").json
    assert found["count"] == 1 and found["words"] == "1 reader"
    assert approve(served, counted="").status == 400


def test_an_approval_names_moment_approver_and_note_and_is_in_the_audit(served: Any) -> None:
    answer = approve(served, name="Maren Holt", note="seen with the lawyer")
    assert f"Approved {ISSUE} by Maren Holt" in said(served, answer)
    with open_desk(served.root) as desk:
        mailing = mailings.live(desk.store, ISSUE)
    assert mailing is not None and mailing.local_time == f"{LATER}T07:00" and mailing.zone == "Europe/London"
    assert ("approve", "Maren Holt") in events(served)


def test_two_presses_at_once_approve_once_and_get_one_answer(served: Any) -> None:
    """The second waits for the first and is told the same, not that it came too late."""
    page = page_of(served)
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(approve(served, page))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [answer.status for answer in answers] == [303] * 4
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert [action for action, _ in events(served)].count("approve") == 1


def test_a_test_mail_that_is_asked_for_twice_goes_once(served: Any) -> None:
    page = page_of(served)
    first = act(served, "test", {"to": "maren@example.org; ines@example.org"}, page)
    again = act(served, "test", {"to": "maren@example.org; ines@example.org"}, page)
    assert "[TEST 1 ·" in said(served, first) and "maren@example.org: accepted" in said(served, again)
    assert len(outbox(served)) == 2
    page = page_of(served)
    assert "nothing was changed since" in page
    assert "[TEST 2 ·" in said(served, act(served, "test", {"to": "maren@example.org"}, page))


@pytest.mark.parametrize("to", ["", "nobody", "a@b@c", ",".join(f"r{n}@example.org" for n in range(21))])
def test_a_test_to_nobody_or_too_many_is_refused_in_words(served: Any, to: str) -> None:
    (served.root / "newsletter.toml").write_text(
        (served.root / "newsletter.toml").read_text().replace('to = ["desk@estuary.example"]', "to = []")
    )
    answer = act(served, "test", {"to": to})
    assert answer.status in (400, 422) and 'role="alert"' in answer.text
    assert not outbox(served)


def test_what_was_changed_after_the_page_was_opened_is_not_approved(served: Any) -> None:
    """Approving is for what was looked at, and a colleague's edit of this moment was not."""
    page = page_of(served)
    served.edit("passengers-buy-the-last-ferry.md", "headline:", "headline: Now")
    answer = approve(served, page)
    assert answer.status == 409 and "changed since you looked" in answer.text
    assert not (served.issue / "approved").exists()
    assert approve(served).status == 303


def test_errors_block_as_the_command_does(served: Any) -> None:
    """Also a form that was made by hand gets no further than the page, which shows what is in the way."""
    served.edit("passengers-buy-the-last-ferry.md", "headline: ", "headline: For *|FNAME|*, ")
    page = page_of(served)
    assert "Not ready yet" in page and "1 error" in page
    answer = approve(served, page)
    assert answer.status == 422 and "cannot be approved" in answer.text
    assert not (served.issue / "approved").exists()


def test_what_cannot_be_built_says_why_and_offers_no_approval(served: Any) -> None:
    path = served.issue / "issue.md"
    path.write_text(path.read_text(encoding="utf-8") + "\n{{ subscriber.shoe }}\n", encoding="utf-8")
    page = page_of(served)
    assert 'role="alert"' in page and "no attribute" in page and 'id="approve"' not in page


@pytest.mark.parametrize(
    ("month", "clock", "words"),
    [
        (3, "01:30", "The clocks skip 01:30 on that day: it goes at 02:00"),
        (10, "01:30", "The clocks show 01:30 twice on that day: it goes the first time."),
        (12, "07:00", None),
    ],
)
def test_a_moment_is_said_in_words_with_its_zone(
    served: Any, last_sunday: Callable[[int], str], month: int, clock: str, words: str | None
) -> None:
    day = last_sunday(month)
    found = served.get(f"{SEND}/moment?date={day}&time={clock}").json
    assert "Europe/London, in " in found["words"] and str(int(day[-2:])) in found["words"]
    assert (found["explained"] or "").startswith(words or "") and bool(found["explained"]) == bool(words)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "date=2020-01-01&time=07:00",
        "date=2027-02-30&time=07:00",
        "date=x&time=%00",
        "time=07:00",
        "date=Fri&time=07:00",
    ],
)
def test_no_moment_is_an_error_in_words(served: Any, query: str) -> None:
    answer = served.get(f"{SEND}/moment?{query}")
    assert answer.status == 200 and answer.json["wrong"] and "words" not in answer.json


@pytest.mark.parametrize(
    ("now", "suggested"),
    [
        ("2026-11-20T12:00Z", "2026-11-27 07:00"),
        ("2026-11-27T06:59Z", "2026-11-27 07:00"),
        ("2026-11-27T07:00Z", "2026-11-28 07:00"),
        ("2026-12-01T23:30Z", "2026-12-02 07:00"),
        ("2027-06-01T06:30Z", "2027-06-02 07:00"),  # 07:30 in London
    ],
)
def test_the_time_that_is_suggested_lies_ahead(now: str, suggested: str) -> None:
    """An issue that is late for its own morning is offered the next one."""
    at = readiness.suggested(date.fromisoformat(ISSUE), datetime.fromisoformat(now), "Europe/London")
    assert f"{at:%Y-%m-%d %H:%M}" == suggested


def test_a_test_of_another_day_is_not_said_to_be_of_today(served: Any) -> None:
    """ "at 14:05" is read as today's."""
    with open_desk(served.root) as desk:
        send_test(desk, ISSUE, ["desk@estuary.example"])
        with desk.store.write() as conn:
            conn.exec_driver_sql("update test_send set at = at - 86400000000 * 2")
    assert re.search(r"on [A-Z][a-z]+day \d+ [A-Z][a-z]+.* at \d\d:\d\d; nothing was changed", page_of(served))


def test_stop_the_presses_says_that_nothing_left_and_the_issue_can_be_edited(served: Any) -> None:
    approve(served)
    assert f"{ISSUE}: stopped, 0 submitted. It can be edited again." in said(served, act(served, "unapprove"))
    assert "Ready to be approved" in page_of(served)
    assert served.state()["approved"] is False


def test_when_it_is_too_late_the_number_is_said(served: Any) -> None:
    approve(served, when="now")
    page = page_of(served)
    with open_desk(served.root) as desk:
        run_due(desk)
    answer = act(served, "unapprove", page=page)
    assert answer.status == 423 and "1 submitted; it cannot be unapproved" in answer.text
    assert "1 = 1 submitted" in page_of(served)


def test_a_cron_that_never_came_is_said(served: Any) -> None:
    assert "has never run here" in page_of(served)
    with open_desk(served.root) as desk:
        mark_run(desk.workspace)
    assert "newsletter run-due last ran" in page_of(served)


def test_uncertain_deliveries_are_settled_by_their_number(served: Any) -> None:
    """Both answers name how many; an answer about another number is refused."""
    approve(served, when="now")
    with open_desk(served.root) as desk:
        run_due(desk)
        with desk.store.write() as conn:
            conn.exec_driver_sql("UPDATE delivery SET state = 'uncertain', reason = 'the connection broke'")
    page = page_of(served)
    assert "1 delivery is uncertain" in page and "zoë+weekly@readers.test" in page
    assert act(served, "settle", {"number": "2"}, page).status == 400
    assert "Count 1 delivery as submitted?" in page and "Send 1 delivery again?" in page
    again = {**form_of(page, "settle"), "word": "send-again", "token": "t" * 22}
    assert "1 delivery settled: sent again" in said(served, served.form(f"{SEND}/settle", urlencode(again)))


def test_a_paused_mailing_is_resumed_and_a_cancelled_one_stays_so(served: Any) -> None:
    approve(served, when="now")
    with open_desk(served.root) as desk, desk.store.write() as conn:
        conn.exec_driver_sql("UPDATE mailing SET state = 'sending', planned = 1")
        conn.exec_driver_sql(
            "INSERT INTO delivery (public_id, mailing_id, subscriber_id, address, attributes, state, tries, updated_at)"
            " SELECT 'x', m.id, s.id, s.address, '{}', 'submitted', 1, 0 FROM mailing m, subscriber s LIMIT 1"
        )
    assert "paused" in said(served, act(served, "pause"))
    assert "sending. The next newsletter run-due takes it up" in said(served, act(served, "resume"))
    assert "cancelled. 1 submitted" in said(served, act(served, "cancel"))
    assert served.get(f"{SEND}/now").json["state"] == "cancelled"


def test_a_story_is_taken_off_the_web_and_put_back_and_a_correction_is_made(served: Any) -> None:
    approve(served, when="now")
    with open_desk(served.root) as desk:
        run_due(desk)
    page = page_of(served)
    assert "is off the web copy" in said(served, act(served, "retract", {"reason": "a wrong name"}, page))
    back = act(served, "retract")
    assert "again" in said(served, back)
    made = act(served, "correct")
    assert (made.status, made.headers["location"]) == (303, f"/issues/{ISSUE}-correction")


def test_there_is_no_screen_of_an_issue_that_is_not_there(served: Any) -> None:
    for path in ("/issues/2020-01-01/send", "/issues/%2e%2e/send", "/issues/2020-01-01/send/now"):
        assert served.get(path, Accept="text/html").status in (404, 422)
    token = urlencode({"token": "t" * 22})
    assert served.form("/issues/2020-01-01/send/unapprove", token).status == 404


def test_an_approval_by_the_command_shows_at_once(served: Any) -> None:
    before = served.get(f"{SEND}/now").json["key"]
    with open_desk(served.root) as desk:
        approve_issue(desk, ISSUE, send_at=f"{LATER} 07:00", approver="Ines")
    assert served.get(f"{SEND}/now").json["key"] != before
    assert "approved by Ines" in page_of(served)


def test_the_pace_is_measured_and_a_step_back_begins_anew() -> None:
    clock = iter([0.0, 0.5, 10.0, 20.0, 21.0])
    pace = Pace(lambda: next(clock))
    assert pace.words("i", 0, 1000) == "" and pace.words("i", 5, 1000) == ""
    assert pace.words("i", 100, 1000) == "10 a second, about 2 minutes left"
    assert pace.words("i", 110, 3000) == "6 a second, about 9 minutes left"
    assert pace.words("i", 0, 3000) == ""


def test_where_two_must_approve_the_first_schedules_nothing_and_the_second_everything(served: Any) -> None:
    """One person is not two, however they write their name; and the second approves what is frozen, nothing else."""
    path = served.root / "newsletter.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n[schedule]\napprovals_required = 2\n", encoding="utf-8")
    assert "2 different people approve it" in page_of(served)
    assert "before 1 other person" in said(served, approve(served, name="Maren"))
    page = page_of(served)
    assert "1 more person must approve it" in page and served.get(f"{SEND}/now").json["state"] == "approved"
    too = {"counted": "1", "name": " maren "}
    assert act(served, "approve", too, page).status == 423
    form = {**form_of(page, "approve"), "token": "z" * 22, "counted": "1", "name": "Ines", "seen": "sha256:other"}
    assert served.form(f"{SEND}/approve", urlencode(form)).status == 409
    assert "Maren and Ines (2 of 2)" in said(served, act(served, "approve", {"counted": "1", "name": "Ines"}))
    assert served.get(f"{SEND}/now").json["state"] == "scheduled"
