"""Canary, warm-up and complaints as an editor sees them: approve, dry run, run-due, status, next, audit, alerts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from newsletter.app.public import take_events
from newsletter.app.publicdesk import PublicDesk
from newsletter.delivery.ports import Event
from newsletter.errors import ConfigurationError
from newsletter.workspace.config import load_config, set_config_value
from newsletter.workspace.paths import Workspace

Run = Callable[..., Any]
SLUG = "2026-11-27"


class Clock:
    """What the program's clock shows; ``at`` sets it (UTC)."""

    def __init__(self, text: str) -> None:
        self.at(text)

    def at(self, text: str) -> None:
        self.moment = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def time_ns(self) -> int:
        return int(self.moment.timestamp() * 1_000_000) * 1_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock("2026-11-27 07:00")
    monkeypatch.setattr("newsletter.store.clock.time", SimpleNamespace(time_ns=clock.time_ns))
    return clock


def configure(weekly: Path, *lines: str, table: str = "schedule") -> None:
    file = weekly / "newsletter.toml"
    kept = file.read_text(encoding="utf-8")
    there, said = f"\n[{table}]\n", "\n".join(lines) + "\n"
    kept = kept.replace(there, there + said) if there in kept else kept + there + said
    file.write_text(kept, encoding="utf-8")


@pytest.fixture
def audience(weekly: Path, tmp_path: Path, run: Run) -> list[str]:
    """Sixty readers at two domains."""
    addresses = [f"reader{n}@{'big' if n < 40 else 'small'}.test" for n in range(60)]
    path = tmp_path / "many.csv"
    path.write_text("email,first_name\n" + "".join(f"{address},R\n" for address in addresses), encoding="utf-8")
    run("audience", "import", str(path))
    return addresses


def tell(weekly: Path, clock: Clock, kind: str, count: int) -> None:
    """What the provider reports about the first ``count`` mails that it took, as the public pages take it."""
    public = PublicDesk(Workspace(weekly))
    with public.store.read() as conn:
        rows = conn.exec_driver_sql("select public_id from delivery where state = 'submitted' order by id").all()
    events = [Event(str(key), kind, clock.time_ns() // 1000) for (key,) in rows[:count]]  # type: ignore[arg-type]  # words of the tests
    take_events(public, "outbox", events)
    public.close()


def test_a_canary_from_approval_to_the_last_mail(
    run: Run, weekly: Path, issue: str, audience: list[str], clock: Clock
) -> None:
    """What each command says of it, with the clock of the publication (London: 07:00)."""
    configure(weekly, 'canary = "10%"')
    approved = run("approve", issue, "--send-at", "07:01", "--by", "Ada")
    assert "the canary could not be judged: outbox reports nothing" in approved.out
    dry = run("send", issue, "--dry-run").out
    assert "a canary of 20 readers first; everybody else 10 minutes later, if it goes well." in dry
    assert "it takes at least 10 minutes: the canary." in dry
    assert run("send", issue, "--dry-run", "--json").json["canary"] == 20
    clock.at("2026-11-27 07:01")
    out = run("run-due").out
    assert "60 = 20 submitted + 40 pending" in out
    assert "waiting for the canary until 07:11; newsletter run-due goes on by itself" in out
    status = run("status", issue).out
    assert "waiting for the canary until 07:11" in status
    assert "canary of 20 readers" in status
    row = run("status", issue, "--json").json
    assert (row["rests"], row["canary"]["state"]) == ("waiting for the canary until 07:11", "waiting")
    assert f"{issue}  sending, waiting for the canary until 07:11" in run("next").out
    clock.at("2026-11-27 07:05")
    assert run("run-due").out == ""
    tell(weekly, clock, "delivered", 20)
    clock.at("2026-11-27 07:11")
    assert "60 = 60 submitted" in run("run-due").out
    assert "the canary went well: of 20 mails 20 arrived, 0 came back, 0 were complained of" in run("status", issue).out
    audit = run("audit", issue).out
    for said in (
        "the canary, 20 readers, begins",
        "20 readers, is through; the others wait",
        "judged: the canary went",
    ):
        assert said in audit
    logged = [json.loads(line) for line in (weekly / ".newsletter/logs/run-due.jsonl").read_text().splitlines()]
    assert [line.get("rests") for line in logged if line["event"] == "mailing"] == [
        "waiting for the canary until 07:11",
        None,
    ]


def test_a_canary_that_nobody_speaks_of_is_told_to_editors(
    run: Run, weekly: Path, issue: str, audience: list[str], clock: Clock
) -> None:
    """Paused, exit code 1, an alert with the reason and the way on; and the way works."""
    configure(weekly, "canary = 20")
    configure(weekly, 'to = ["desk@breakwater.test"]', table="alerts")
    run("approve", issue, "--send-at", "07:01")
    clock.at("2026-11-27 07:01")
    run("run-due")
    clock.at("2026-11-27 07:11")
    out = run("run-due", code=1).out
    assert "the canary cannot be judged: the provider reported nothing about the 20 mails that it took" in out
    assert f"Go on with: newsletter resume {issue}" in out
    mails = [file.read_bytes() for file in (weekly / ".newsletter/outbox/new").glob("*")]
    assert any(b"[ALERT]" in mail and b"cannot be judged" in mail for mail in mails)
    run("resume", issue)
    assert "60 = 60 submitted" in run("run-due").out


def test_send_waits_for_its_canary_and_says_what_came_of_it(
    run: Run, weekly: Path, issue: str, audience: list[str]
) -> None:
    """With the real clock, and a canary that is judged after a second."""
    configure(weekly, "canary = 20", 'canary_wait = "1s"')
    run("approve", issue)
    sent = run("send", issue, "--yes", code=1)
    assert "60 = 20 submitted + 40 pending" in sent.out
    assert "the canary cannot be judged" in sent.out
    run("resume", issue)
    log = (weekly / ".newsletter/logs/run-due.jsonl").read_text(encoding="utf-8")
    assert '"why": "canary"' in log or '"why":"canary"' in log
    quiet = run("send", issue, "--yes", "--json")
    assert (quiet.json["counts"], quiet.err) == ({"submitted": 60}, "")


def test_complaints_warn_and_pause_and_are_told(
    run: Run, weekly: Path, issue: str, audience: list[str], clock: Clock
) -> None:
    configure(weekly, "canary = 20", 'complaints_warn = "10%"', 'complaints_pause = "30%"')
    configure(weekly, 'to = ["desk@breakwater.test"]', table="alerts")
    run("approve", issue, "--send-at", "07:01")
    clock.at("2026-11-27 07:01")
    run("run-due")
    tell(weekly, clock, "delivered", 20)
    tell(weekly, clock, "complained", 3)
    status = run("status", issue).out
    assert "warning: 3 complaints of spam, 15.00% of 20 mails that arrived; from 10 % on" in status
    run("run-due")

    def alerts() -> list[bytes]:
        files = (weekly / ".newsletter/outbox/new").glob("*")
        return [mail for mail in (file.read_bytes() for file in files) if b"[ALERT]" in mail]

    assert len(alerts()) == 1 and b"3 complaints of spam" in alerts()[0]
    run("run-due")
    assert len(alerts()) == 1, "once"
    tell(weekly, clock, "complained", 8)
    assert run("status", issue, "--json").json["state"] == "paused"
    log = (weekly / ".newsletter/logs/run-due.jsonl").read_text(encoding="utf-8")
    assert "mailings-paused" in log or "mailings-paused" in "".join(
        file.read_text(encoding="utf-8") for file in (weekly / ".newsletter/logs").glob("*.jsonl")
    )
    assert "8 complaints of spam, 40.00% of 20 mails that arrived; 30 % is too many" in run("status", issue).out
    run("run-due")
    assert len(alerts()) == 2
    assert "warned: 3 complaints" in run("audit", issue).out


def test_a_warm_up_over_three_days(run: Run, weekly: Path, issue: str, audience: list[str], clock: Clock) -> None:
    """The dry run says how long, status and next until when, and each morning's cron goes on."""
    configure(weekly, "warm_up = [10, 20]")
    run("approve", issue, "--send-at", "07:01")
    dry = run("send", issue, "--dry-run")
    assert "the warm-up spreads it over 3 days: 10, then 20, then 30." in dry.out
    assert "it takes at least 2 days: the warm-up" in dry.out
    assert run("send", issue, "--dry-run", "--json").json["warm_up_days"] == [10, 20, 30]
    clock.at("2026-11-27 07:01")
    out = run("run-due").out
    assert "the warm-up allows no more today; next try on Sat 2026-11-28 at 07:01" in out
    assert "next try on Sat 2026-11-28 at 07:01" in run("status", issue).out
    assert "next try on Sat 2026-11-28 at 07:01" in run("next").out
    clock.at("2026-11-28 07:00")
    assert run("run-due").out == ""
    clock.at("2026-11-28 07:01")
    assert "60 = 30 submitted + 30 pending" in run("run-due").out
    clock.at("2026-11-29 06:00")
    assert run("run-due").out == ""
    clock.at("2026-11-29 07:01")
    assert "60 = 60 submitted" in run("run-due").out
    assert len(list((weekly / ".newsletter/outbox/new").glob("*"))) == 60


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('canary = "many"', "schedule.canary"),
        ("canary = -1", "schedule.canary"),
        ('canary = "5%"\ncanary_wait = "0m"', "schedule.canary_wait"),
        ('complaints_pause = "a lot"', "schedule.complaints_pause"),
        ('bounces_pause = "400%"', "schedule.bounces_pause"),
        ("warm_up = [500, 100]", "schedule.warm_up"),
        ("warm_up = [0]", "schedule.warm_up"),
        ("approvals_required = 0", "schedule.approvals_required"),
    ],
)
def test_wrong_settings_are_refused_by_name(run: Run, weekly: Path, line: str, key: str) -> None:
    configure(weekly, *line.split("\n"))
    assert key in run("next", code=78).err


# -- several people --------------------------------------------------------------------------------------------------


@pytest.fixture
def two(weekly: Path) -> None:
    configure(weekly, "approvals_required = 2")


def test_the_first_freezes_and_the_second_schedules(
    run: Run, weekly: Path, issue: str, audience: list[str], two: None, clock: Clock
) -> None:
    """1 of 2: nothing is scheduled, by whatever command; 2 of 2: at the time that the first one said."""
    first = run("approve", issue, "--send-at", "07:05", "--by", "Ada").out
    assert f"Approved {issue} by Ada (1 of 2)" in first
    assert f"Nothing is scheduled before 1 other person approved it too: newsletter approve {issue} --by NAME" in first
    assert run("status", issue, "--json").json["state"] == "approved"
    assert "approved by Ada (1 of 2); somebody else approves it too" in run("status", issue).out
    assert "approved by 1 of 2 (Ada) only" in run("next").out
    assert "is approved by 1 of 2 (Ada)" in run("send", issue, "--yes", code=1).err
    assert "it is approved by 1 of 2 (Ada)" in run("send", issue, "--dry-run").out
    clock.at("2026-11-27 07:06")
    assert run("run-due").out == ""
    assert "it takes somebody else" in run("approve", issue, "--by", " ADA", code=1).err
    second = run("approve", issue, "--by", "Ben", "--note", "fine by me")
    assert f"Approved {issue} by Ada and Ben (2 of 2)" in second.out
    assert "at 07:05" in second.out
    assert "approved by Ada and Ben (2 of 2)" in run("status", issue).out
    assert "60 = 60 submitted" in run("run-due").out
    audit = run("audit", issue).out
    assert "Ada: approved" in audit and "(1 of 2)" in audit
    assert "Ben: approved" in audit and "(2 of 2), “fine by me”" in audit
    assert "Proved" in audit


def test_a_last_approval_after_the_time_leaves_time_to_think_again(
    run: Run, weekly: Path, issue: str, readers: int, two: None, clock: Clock
) -> None:
    """Due at 07:05, released at 08:00: the undo window begins at 08:00, and what is said is so."""
    configure(weekly, 'undo = "10m"')
    run("approve", issue, "--send-at", "07:05", "--by", "Ada")
    clock.at("2026-11-27 08:00")
    said = run("approve", issue, "--by", "Ben").out
    assert (
        "It was due on Friday 27 November 2026 at 07:05 (Europe/London), and goes out now, by newsletter run-due"
        in said
    )
    assert "can be stopped until 08:10" in said
    assert "can be stopped until 08:10" in run("status", issue).out
    clock.at("2026-11-27 08:09")
    assert run("run-due").out == ""
    clock.at("2026-11-27 08:10")
    assert "3 = 3 submitted" in run("run-due").out


def test_a_last_approval_hours_after_the_time_says_that_it_does_not_go_by_itself(
    run: Run, issue: str, readers: int, two: None, clock: Clock
) -> None:
    run("approve", issue, "--send-at", "07:05", "--by", "Ada")
    clock.at("2026-11-27 10:05")
    said = run("approve", issue, "--by", "Ben").out
    assert (
        "It does not go out by itself: it was due 3 h ago, at 2026-11-27 07:05 (Europe/London). All the same: " in said
    )
    run("run-due", code=1)
    assert run("status", issue, "--json").json["state"] == "held"


def test_the_second_of_two_times_stays_the_second(
    run: Run, weekly: Path, issue: str, readers: int, two: None, clock: Clock
) -> None:
    """London's 01:30 comes twice on 25 October 2026: approved for the second, it does not go an hour early."""
    clock.at("2026-10-24 12:00")
    run("approve", issue, "--send-at", "2026-10-25T01:30Z", "--by", "Ada")
    run("approve", issue, "--by", "Ben")
    clock.at("2026-10-25 01:29")
    assert run("run-due").out == ""
    clock.at("2026-10-25 01:30")
    assert "3 = 3 submitted" in run("run-due").out


def test_a_third_is_one_too_many_and_json_has_both(run: Run, issue: str, readers: int, two: None) -> None:
    run("approve", issue, "--by", "Ada")
    row = run("approve", issue, "--by", "Ben", "--json").json
    assert (row["approvers"], row["approvals_required"]) == (["Ada", "Ben"], 2)
    assert "is approved already" in run("approve", issue, "--by", "Cy", code=1).err
    assert run("status", issue, "--json").json["approvers"] == ["Ada", "Ben"]
    assert "3 = 3 submitted" in run("send", issue, "--yes").out


def test_what_was_edited_or_changed_in_between_is_not_approved(
    run: Run, weekly: Path, issue: str, readers: int, two: None
) -> None:
    """The second one sees the issue: if that is not what was frozen, or that was changed, they are refused."""
    run("approve", issue, "--by", "Ada")
    story = weekly / "issues" / issue / "issue.md"
    before = story.read_bytes()
    story.write_bytes(before + b"\nOne more thing.\n")
    assert "issue.md was edited after Ada approved" in run("approve", issue, "--by", "Ben", code=1).err
    story.write_bytes(before)
    frozen = weekly / "issues" / issue / "approved" / "email.html"
    frozen.chmod(0o644)
    frozen.write_bytes(frozen.read_bytes() + b"<!-- -->")
    assert "were changed" in run("approve", issue, "--by", "Ben", code=1).err
    run("unapprove", issue)
    run("approve", issue, "--by", "Ben")
    assert "(2 of 2)" in run("approve", issue, "--by", "Ada").out


def test_a_name_beside_another_digest_counts_for_nothing(
    run: Run, weekly: Path, issue: str, readers: int, two: None
) -> None:
    """Somebody else's approval of an earlier text, copied into the file, releases nothing."""
    run("approve", issue, "--by", "Ada")
    file = weekly / "issues" / issue / "approved" / "approval.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    other = {"approver": "Ben", "approved_at": "2026-11-26T10:00:00Z", "digest": "sha256:" + "0" * 64}
    record["also_approved"] = [other]
    file.chmod(0o644)
    file.write_text(json.dumps(record), encoding="utf-8")
    assert "approved by 1 of 2 (Ada)" in run("send", issue, "--yes", code=1).err
    record["also_approved"] = "Ben"
    file.write_text(json.dumps(record), encoding="utf-8")
    assert "damaged" in run("send", issue, "--yes", code=65).err


def test_more_approvals_asked_for_later_hold_what_is_scheduled(
    run: Run, weekly: Path, issue: str, readers: int, clock: Clock
) -> None:
    """Scheduled with one name, then two are required: held before its first mail, and released by the second."""
    run("approve", issue, "--send-at", "07:05", "--by", "Ada")
    configure(weekly, "approvals_required = 2")
    clock.at("2026-11-27 07:06")
    assert "approved by 1 of 2 (Ada)" in run("run-due", code=1).out
    assert run("status", issue, "--json").json["state"] == "held"
    assert "has its time already" in run("approve", issue, "--by", "Ben", "--send-at", "08:00", code=1).err
    assert "(2 of 2)" in run("approve", issue, "--by", "Ben").out
    run("resume", issue)
    assert "3 = 3 submitted" in run("run-due").out


def test_recurring_issues_wait_for_the_second_name_too(
    run: Run, weekly: Path, issue: str, readers: int, two: None, clock: Clock
) -> None:
    clock.at("2026-11-27 06:00")
    configure(weekly, 'every = "Fri 07:00"')
    run("approve", issue, "--by", "Ada")
    clock.at("2026-11-27 07:01")
    assert run("run-due").out == ""
    assert "It goes out on" not in run("approve", issue, "--by", "Ben").out
    assert "3 = 3 submitted" in run("run-due").out


def test_numbers_are_set_as_numbers(weekly: Path) -> None:
    """By the function that the settings page and the command line use."""
    ws = Workspace(weekly)
    set_config_value(ws, "schedule.warm_up", "500, 1000")
    set_config_value(ws, "schedule.canary", "5%")
    schedule = load_config(ws).schedule
    assert (schedule.warm_up, schedule.canary) == ([500, 1000], "5%")
    with pytest.raises(ConfigurationError, match=r"schedule\.warm_up"):
        set_config_value(ws, "schedule.warm_up", "many")
