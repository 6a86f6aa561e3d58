"""``newsletter retract``: a story leaves the web copy and the public pages at once, the approved bytes stay."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.desk import Desk, open_desk
from newsletter.app.webcopy import web_copy
from newsletter.delivery.approval import load_approval
from newsletter.delivery.retractions import retractions_of, withdrawn
from newsletter.workspace.create import create_demo

Run = Callable[..., Any]
ISSUE, LEAD, OTHER = "2026-11-27", "passengers-buy-the-last-ferry", "sixth-formers-map-the-potholes"


@pytest.fixture(scope="module")
def due(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, sent to its readers through the outbox."""
    from newsletter.app.approve import approve_issue
    from newsletter.app.send import run_due

    root = create_demo(tmp_path_factory.mktemp("retract") / "ws").root
    with open_desk(root) as desk:
        from newsletter.audience import subscribers

        subscribers.add(desk.store, "ada@readers.test", {}, "test", desk.keys)
        approve_issue(desk, ISSUE, send_at="now")
        run_due(desk)
    return root


@pytest.fixture
def sent(due: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(shutil.copytree(due, tmp_path / "ws"))
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def desk(sent: Path) -> Iterator[Desk]:
    with open_desk(sent) as opened:
        yield opened


def picture_of(desk: Desk, article: str) -> str:
    """The name of the one picture that a story shows."""
    approval = load_approval(desk.workspace, ISSUE)
    html = (approval.folder / "email.html").read_text()
    story = next(html[span.start : span.end] for span in approval.spans if span.article == article)
    (name,) = [file.removeprefix("media/") for file, src, _ in approval.images if src in story]
    return name


def test_the_story_is_gone_its_note_is_there_and_the_approved_bytes_are_the_same(run: Run, desk: Desk) -> None:
    """Not a word of it, neither its picture; the digest still proves what was sent, and every command says it."""
    picture = picture_of(desk, LEAD)
    before = web_copy(desk, ISSUE)
    assert "Passengers buy the last ferry" in before.html and f"/m/{picture}" in before.html
    frozen = {p: p.read_bytes() for p in (desk.workspace.issue_dir(ISSUE) / "approved").rglob("*") if p.is_file()}

    said = run("retract", ISSUE, LEAD, "--reason", "A <b>court</b>\n asked for it", "--by", "Maren").out
    assert f"https://estuary.example/m/{picture} answers no more" in said
    assert "The mails of 1 reader are not changed" in said

    after = web_copy(desk, ISSUE)
    assert "Passengers buy" not in after.html and picture not in after.html and "Nell Farrow" not in after.html
    assert "This story was withdrawn on " in after.html
    assert "A &lt;b&gt;court&lt;/b&gt; asked for it" in after.html
    assert after.digest == before.digest
    assert {p: p.read_bytes() for p in frozen} == frozen
    assert not (desk.workspace.media / picture).exists() and withdrawn(desk.store, picture)

    assert "was withdrawn from the web copy on" in run("status", ISSUE).out
    assert run("status", ISSUE, "--json").json["retracted"][0]["by"] == "Maren"
    assert f"{LEAD} was withdrawn from the web copy" in run("issue", "show", ISSUE).out
    audit = run("audit", ISSUE).out
    assert f"Maren: withdrew {LEAD} from the web copy, “A <b>court</b> asked for it”, with 1 picture" in audit
    assert "Proved: what was submitted is what was approved" in audit


def test_other_stories_and_their_pictures_stay(run: Run, desk: Desk) -> None:
    picture = picture_of(desk, OTHER)
    run("retract", ISSUE, LEAD)
    assert f"/m/{picture}" in web_copy(desk, ISSUE).html
    assert (desk.workspace.media / picture).is_file()


def test_a_picture_that_another_story_or_issue_shows_stays(run: Run, desk: Desk, sent: Path) -> None:
    """It goes when the last story that shows it goes, and comes back with the first that is put back."""
    picture = picture_of(desk, LEAD)
    # Another issue whose approved mail has the same story.
    shutil.copytree(sent / "issues" / ISSUE, sent / "issues" / "2026-12-04")
    file = sent / "issues" / "2026-12-04" / "approved" / "approval.json"
    file.write_text(file.read_text().replace(f'"issue": "{ISSUE}"', '"issue": "2026-12-04"'))

    kept = run("retract", ISSUE, LEAD).out
    assert f"{picture} stays: another story shows it too" in kept
    assert not withdrawn(desk.store, picture) and (desk.workspace.media / picture).is_file()
    assert "answers no more" in run("retract", "2026-12-04", LEAD).out
    assert withdrawn(desk.store, picture) and not (desk.workspace.media / picture).exists()
    run("retract", ISSUE, LEAD, "--undo")
    assert not withdrawn(desk.store, picture) and (desk.workspace.media / picture).is_file()


def test_undo_brings_back_the_same_page_and_the_same_picture(run: Run, desk: Desk) -> None:
    picture = picture_of(desk, LEAD)
    data, before = (desk.workspace.media / picture).read_bytes(), web_copy(desk, ISSUE).html
    run("retract", ISSUE, LEAD)
    assert "answers again" in run("retract", ISSUE, LEAD, "--undo", "--by", "Idris").out
    assert web_copy(desk, ISSUE).html == before
    assert (desk.workspace.media / picture).read_bytes() == data
    assert f"Idris: put {LEAD} back on the web copy, with 1 picture" in run("audit", ISSUE).out
    run("retract", ISSUE, LEAD, "--undo", code=65)


def test_twice_is_once_with_the_later_reason(run: Run, desk: Desk) -> None:
    run("retract", ISSUE, LEAD, "--reason", "First")
    run("retract", ISSUE, LEAD, "--reason", "Second")
    assert [found.reason for found in retractions_of(desk.store, ISSUE).values()] == ["Second"]
    page = web_copy(desk, ISSUE).html
    assert "Second" in page and "First" not in page


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("scheduled", "It is held until newsletter unapprove 2026-11-27"),
        ("sending", "newsletter pause 2026-11-27, then newsletter cancel 2026-11-27 keeps it from the others"),
        ("paused", "  newsletter cancel 2026-11-27 keeps it from the others"),
    ],
)
def test_while_mails_still_go_it_says_that_they_keep_the_story(run: Run, desk: Desk, state: str, said: str) -> None:
    with desk.store.write() as conn:
        conn.exec_driver_sql("update mailing set state = ?", (state,))
    out = run("retract", ISSUE, LEAD).out
    assert re.search("w(ill|ould) have the story", out)
    assert said in out


def test_unknown_stories_and_issues_that_are_not_public_are_refused(run: Run, desk: Desk) -> None:
    assert f'did you mean "{LEAD}"?' in run("retract", ISSUE, "passengers-buy-the-last-fery", code=65).err
    run("retract", "2026-01-01", LEAD, code=65)
    run("retract", ISSUE, LEAD, "--reason", "x" * 501, code=2)
    run("retract", ISSUE, LEAD, "--undo", "--reason", "x", code=2)
    shutil.rmtree(desk.workspace.issue_dir(ISSUE) / "approved")
    assert "newsletter issue drop" in run("retract", ISSUE, LEAD, code=1).err
    assert not retractions_of(desk.store, ISSUE)


def test_a_page_that_cannot_be_cut_with_certainty_is_taken_off_whole(run: Run, desk: Desk) -> None:
    """An approval without spans, from an earlier version: the note alone, and none of its pictures is public."""
    file = desk.workspace.issue_dir(ISSUE) / "approved" / "approval.json"
    import json

    record = json.loads(file.read_text())
    record["spans"] = []
    file.write_text(json.dumps(record))
    assert "the whole page was taken off" in run("retract", ISSUE, LEAD).out
    page = web_copy(desk, ISSUE).html
    assert "This story was withdrawn on" in page and "The Estuary Weekly" in page
    assert "ferry" not in page and "Sixth-formers" not in page and "/m/" not in page
    assert not list(desk.workspace.media.iterdir())


def test_a_later_test_does_not_bring_the_picture_back_and_a_later_approval_does(run: Run, desk: Desk) -> None:
    """Whoever approves an issue with that picture has decided anew."""
    picture = picture_of(desk, LEAD)
    run("retract", ISSUE, LEAD)
    run("issue", "duplicate", ISSUE, "2026-12-04")
    run("test", "2026-12-04", "--to", "desk@estuary.test")
    assert withdrawn(desk.store, picture) and not (desk.workspace.media / picture).exists()
    run("approve", "2026-12-04")
    assert not withdrawn(desk.store, picture) and (desk.workspace.media / picture).is_file()


def test_media_publish_names_what_was_withdrawn_and_is_still_there(run: Run, desk: Desk, tmp_path: Path) -> None:
    """It deletes nothing in a place that is not ours, and copies nothing of a retracted story."""
    picture = picture_of(desk, LEAD)
    run("media", "publish", str(tmp_path / "www"))
    assert (tmp_path / "www" / picture).is_file()
    run("retract", ISSUE, LEAD)
    told = run("media", "publish", str(tmp_path / "www")).err
    assert f"{picture} was withdrawn with its story and is still there" in told
    assert run("media", "publish", str(tmp_path / "www"), "--json").json["withdrawn"] == [picture]
    run("media", "publish", str(tmp_path / "other"))
    assert not (tmp_path / "other" / picture).exists()


def test_a_mailing_that_has_not_begun_is_held_while_one_of_its_stories_is_retracted(
    run: Run, weekly: Path, issue: str, readers: int
) -> None:
    """Neither cron nor an editor in a hurry sends it; put back and resumed, or approved without it, it goes."""
    (article,) = [a for s in run("issue", "show", issue, "--json").json["sections"] for a in s["articles"]][:1]
    run("approve", issue, "--send-at", "now")
    run("retract", issue, article)
    held = run("run-due", code=1).out
    assert f"{article} was retracted, and the mails would have it" in held
    assert run("status", issue, "--json").json["state"] == "held"
    run("resume", issue)
    run("send", issue, "--yes", code=1)
    assert not list((weekly / ".newsletter" / "outbox" / "new").glob("*"))
    run("retract", issue, article, "--undo")
    run("resume", issue)
    assert f"{readers} = {readers} submitted" in run("run-due").out
