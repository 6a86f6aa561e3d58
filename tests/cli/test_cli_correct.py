"""``newsletter issue correct``: the correction reaches exactly those who have the mistake."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery.plan import corrections_of
from newsletter.store.engine import open_store

Run = Callable[..., Any]


def execute(weekly: Path, statement: str) -> None:
    with closing(sqlite3.connect(weekly / ".newsletter" / "newsletter.db")) as raw, raw:
        raw.execute(statement)


def addresses(weekly: Path, issue: str) -> set[str]:
    """Who was sent an issue, by the ledger."""
    with closing(sqlite3.connect(weekly / ".newsletter" / "newsletter.db")) as raw:
        rows = raw.execute(
            "select d.address from delivery d join mailing m on m.id = d.mailing_id"
            " where m.issue = ? and d.state = 'submitted'",
            (issue,),
        )
        return {address for (address,) in rows}


@pytest.fixture
def sent(run: Run, weekly: Path, issue: str, readers: int) -> str:
    """An issue that three readers got."""
    run("approve", issue, "--send-at", "now")
    run("run-due")
    return issue


def correction(run: Run, weekly: Path, tmp_path: Path, sent: str) -> str:
    """A correction with one story, ready to approve."""
    made = run("issue", "correct", sent, "--json").json
    story = tmp_path / "right.md"
    story.write_text("---\nheadline: It was right\nlink: https://breakwater.test/r\n---\nYes.\n", encoding="utf-8")
    run("article", "add", str(story), "--issue", made["issue"])
    return str(made["issue"])


def test_only_those_who_got_it_and_did_not_leave_get_the_correction(
    run: Run, weekly: Path, tmp_path: Path, sent: str
) -> None:
    """New readers, a rejected one and one who unsubscribed get none; one of whom nobody knows does; the sum closes."""
    execute(weekly, "update delivery set state = 'uncertain' where address = 'ada@readers.test'")
    slug = correction(run, weekly, tmp_path, sent)
    run("audience", "add", "new@readers.test")
    run("audience", "unsubscribe", "bo@readers.test")
    said = run("approve", slug, "--send-at", "now").out
    assert f"a correction: only those who got {sent} get it" in said
    preview = run("send", slug, "--dry-run", "--json").json
    run("run-due")
    assert addresses(weekly, slug) == {"ada@readers.test", "cy@readers.test"}
    status = run("status", slug, "--json").json
    assert (status["state"], status["closes"], status["planned"]) == ("completed", True, 4)
    reasons = {(row["state"], row["reason"]): row["count"] for row in status["reasons"]}
    assert reasons[("excluded", f"did not get {sent}")] == 1
    assert reasons[("excluded", "unsubscribed")] == 1
    assert (preview["recipients"], preview["excluded"]) == (2, {"unsubscribed": 1, f"did not get {sent}": 1})
    assert "Proved" in run("audit", slug).out


def test_a_correction_says_how_many_of_them_it_reaches(run: Run, weekly: Path, sent: str) -> None:
    """Who got the issue and has left since is not counted on."""
    assert f"It goes to the 3 readers who got {sent}, and to nobody else." in run("issue", "correct", sent, "one").out
    run("audience", "unsubscribe", "bo@readers.test")
    made = run("issue", "correct", sent, "two")
    assert f"It goes to 2 of the 3 readers who got {sent} (the others have left), and to nobody else." in made.out
    assert run("issue", "correct", sent, "three", "--json").json["recipients"] == 2


def test_a_correction_needs_no_story(run: Run, weekly: Path, sent: str) -> None:
    """What was wrong is often one number, and the story stays as it is."""
    slug = run("issue", "correct", sent, "--json").json["issue"]
    assert (
        "write correction: in it, or newsletter issue pick" in run("approve", slug, "--send-at", "now", code=None).err
    )
    file = weekly / "issues" / slug / "issue.md"
    file.write_text(file.read_text().replace('correction: ""', "correction: Two boats were built, not three."))
    run("approve", slug, "--send-at", "now")
    run("run-due")
    assert len(addresses(weekly, slug)) == 3


def test_whoever_did_not_get_it_is_not_told_of_a_mistake(run: Run, weekly: Path, tmp_path: Path, sent: str) -> None:
    """Rejected, failed and cancelled deliveries had no mail."""
    for address, state in (("ada", "rejected"), ("bo", "failed")):
        execute(weekly, f"update delivery set state = '{state}' where address = '{address}@readers.test'")
    slug = correction(run, weekly, tmp_path, sent)
    run("approve", slug, "--send-at", "now")
    run("run-due")
    assert addresses(weekly, slug) == {"cy@readers.test"}


def test_the_new_issue_says_what_it_corrects_and_has_room_for_the_words(run: Run, weekly: Path, sent: str) -> None:
    """The subject that went out, with Correction before it; nothing there is overwritten."""
    said = run("issue", "correct", sent).out
    assert f"Made issues/{sent}-correction/issue.md." in said
    assert f"It goes to the 3 readers who got {sent}, and to nobody else." in said
    text = (weekly / "issues" / f"{sent}-correction" / "issue.md").read_text(encoding="utf-8")
    frozen = json.loads((weekly / "issues" / sent / "approved" / "approval.json").read_text(encoding="utf-8"))
    assert f"Correction: {frozen['message']['subject']}" in text
    assert 'correction: ""' in text
    assert sent in text
    run("issue", "correct", sent, code=65)
    run("issue", "correct", sent, "second-thoughts")
    assert (weekly / "issues" / "second-thoughts" / "issue.md").exists()


def test_what_nobody_got_needs_no_correction(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """Neither by the command nor by a hand-written key."""
    assert "nobody got" in run("issue", "correct", issue, code=1).err
    file = weekly / "issues" / issue / "issue.md"
    file.write_text(file.read_text(encoding="utf-8").replace("---\n", "---\ncorrects: other\n", 1), encoding="utf-8")
    assert "corrects other, which nobody got" in run("approve", issue, code=1).err


def test_while_the_first_is_under_way_the_correction_is_held(run: Run, weekly: Path, tmp_path: Path, sent: str) -> None:
    """Or those who get the first one afterwards would keep the mistake."""
    slug = correction(run, weekly, tmp_path, sent)
    execute(weekly, "update mailing set state = 'paused', reason = 'x'")
    run("approve", slug, "--send-at", "now")
    run("run-due", code=1)
    held = run("status", slug, "--json").json
    assert held["state"] == "held"
    assert f"the mailing of {sent}, which this corrects, is paused" in held["reason"]
    run("cancel", sent, "--yes")
    run("resume", slug)
    run("run-due")
    assert len(addresses(weekly, slug)) == 3


def test_whom_a_correction_is_for_is_frozen_with_it(run: Run, weekly: Path, tmp_path: Path, sent: str) -> None:
    """Taking the key out of approval.json afterwards does not send it to everybody: it sends it to nobody."""
    slug = correction(run, weekly, tmp_path, sent)
    run("approve", slug, "--send-at", "now")
    file = weekly / "issues" / slug / "approved" / "approval.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    assert record["message"].pop("corrects") == sent
    file.write_text(json.dumps(record), encoding="utf-8")
    run("run-due", code=1)
    assert run("status", slug, "--json").json["state"] == "held"


def test_the_first_issue_has_a_dated_note(run: Run, weekly: Path, tmp_path: Path, sent: str) -> None:
    """Once the correction goes out, and not before."""
    slug = correction(run, weekly, tmp_path, sent)
    run("approve", slug, "--send-at", "now")
    database = weekly / ".newsletter" / "newsletter.db"
    with open_store(database) as store:
        assert corrections_of(store, sent) == []
    run("run-due")
    with open_store(database) as store:
        (note,) = corrections_of(store, sent)
    assert (note.issue, note.at > 0) == (slug, True)
    assert note.subject.startswith("Correction: ")


def test_an_ordinary_issue_is_frozen_as_ever(run: Run, weekly: Path, sent: str) -> None:
    """The key is only there where it means something: the digests of old approvals hold."""
    record = json.loads((weekly / "issues" / sent / "approved" / "approval.json").read_text(encoding="utf-8"))
    assert "corrects" not in record["message"]
