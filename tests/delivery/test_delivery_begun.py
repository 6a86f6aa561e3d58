"""An issue that went out after the backup was taken does not go out again from the restored database."""

from __future__ import annotations

import json
import shutil

import msgspec
import pytest

from newsletter.app.approve import unapprove_issue
from newsletter.app.desk import Desk
from newsletter.delivery import begun, installation, mailings
from newsletter.delivery.run_due import run_due, run_mailing
from newsletter.delivery.schedule import SendAt
from newsletter.delivery.status import status
from newsletter.errors import GuardRefused, IllegalState
from newsletter.store.clock import from_us
from newsletter.store.engine import open_store

SLUG = "2026-11-27"


@pytest.fixture
def real(bench, scripted):
    """A workspace that may send to real readers, and a provider that is not local."""
    bench.readers(6)
    adopted = installation.adopt(bench.ws, bench.store, actor="ada", now=bench.clock.us)
    bench.config = msgspec.structs.replace(bench.config, sender_installation=adopted.installation.id)
    return scripted(local=False)


@pytest.fixture
def restored(bench, real):
    """Approved; a backup; sent to six readers; the backup put back and adopted, as its message says."""
    approval = bench.approve(site="https://estuary.test")
    bench.store.close()
    backup = bench.ws.root / "backup.db"
    for wal in ("", "-wal"):
        file = bench.ws.database.with_name(bench.ws.database.name + wal)
        if file.exists():
            shutil.copy(file, backup.with_name(f"backup.db{wal}"))
    schedule(bench, approval)
    assert run_due(bench.work(real)).runs[0].counts == {"submitted": 6}
    bench.store.close()
    for wal in ("-wal", "-shm", ""):
        bench.ws.database.with_name(bench.ws.database.name + wal).unlink(missing_ok=True)
    for wal in ("", "-wal"):
        if (copy := backup.with_name(f"backup.db{wal}")).exists():
            shutil.copy(copy, bench.ws.database.with_name(bench.ws.database.name + wal))
    bench.store = open_store(bench.ws.database)
    assert mailings.latest(bench.store, SLUG) is None
    adopted = installation.adopt(bench.ws, bench.store, actor="ada", now=bench.clock.us)
    bench.config = msgspec.structs.replace(bench.config, sender_installation=adopted.installation.id)
    real.batches.clear()
    return approval


def schedule(bench, approval):
    """As ``send`` and a recurring rule do it."""
    at = SendAt(from_us(bench.clock.us), "2026-11-27T07:00", "UTC")
    mailing, _ = mailings.schedule(
        bench.store, issue=SLUG, digest=approval.digest, provider="scripted", send_at=at, actor="ada",
        now=bench.clock.us,
    )  # fmt: skip
    return mailing


def test_a_restored_database_sends_nothing_twice(bench, real, restored) -> None:
    """Neither by cron nor by hand nor after resume; the message says what is known and where."""
    mailing = schedule(bench, restored)
    run = run_due(bench.work(real)).runs[0]
    assert (run.state, run.counts) == ("held", {})
    assert "by a mailing that this database does not know" in (run.reason or "")
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    with pytest.raises(GuardRefused, match="only if nobody did, delete that file"):
        run_mailing(bench.work(real), bench.mailing())
    assert real.batches == []
    said = status(bench.store, bench.ws, SLUG)
    assert any("does not know" in problem for problem in said.tampered) and said.needs_editor
    assert mailing.issue == SLUG


def test_it_cannot_be_unapproved_and_approved_anew(bench, real, restored) -> None:
    """That would be the same issue to the same readers with another approval."""
    desk = Desk(bench.ws)
    desk.config, desk.keys, desk.store = bench.config, bench.keys, bench.store
    with pytest.raises(IllegalState, match="cannot be unapproved"):
        unapprove_issue(desk, SLUG)
    assert (restored.folder / "approval.json").exists()


def test_a_backup_from_between_the_approval_and_the_sending_sends_nothing_twice(bench, real) -> None:
    """The usual one, of the night before: it has the mailing, scheduled, and knows nothing of what followed."""
    bench.scheduled(site="https://estuary.test")
    bench.store.close()
    night = shutil.copy(bench.ws.database, bench.ws.root / "night.db")
    bench.store = open_store(bench.ws.database)
    assert run_due(bench.work(real)).runs[0].counts == {"submitted": 6}
    bench.store.close()
    for wal in ("-wal", "-shm"):
        bench.ws.database.with_name(bench.ws.database.name + wal).unlink(missing_ok=True)
    shutil.copy(night, bench.ws.database)
    bench.store = open_store(bench.ws.database)
    assert bench.mailing().state == "scheduled"
    adopted = installation.adopt(bench.ws, bench.store, actor="ada", now=bench.clock.us)
    bench.config = msgspec.structs.replace(bench.config, sender_installation=adopted.installation.id)
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    run = run_due(bench.work(real)).runs[0]
    assert run.state == "held" and "which this database does not know" in (run.reason or "")
    assert len(real.addresses) == 6
    desk = Desk(bench.ws)
    desk.config, desk.keys, desk.store = bench.config, bench.keys, bench.store
    with pytest.raises(IllegalState, match="cannot be unapproved"):
        unapprove_issue(desk, SLUG)
    (bench.ws.issue_dir(SLUG) / "approved" / "sent.json").unlink()
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    assert run_due(bench.work(real)).runs[0].counts == {"submitted": 6}


def test_an_editor_who_knows_that_nobody_got_it_can_let_it_go(bench, real, restored) -> None:
    schedule(bench, restored)
    run_due(bench.work(real))
    (restored.folder / "sent.json").unlink()
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    assert run_due(bench.work(real)).runs[0].counts == {"submitted": 6}


def test_the_ledger_that_sent_it_goes_on_as_always(bench, real) -> None:
    """A mailing that is taken up again finds its own note; the note is no part of what was approved."""
    bench.scheduled(site="https://estuary.test")
    stops = iter([False] * 6 + [True] * 1000)
    run_due(bench.work(real, stop=lambda: next(stops)))
    content = json.loads((bench.ws.issue_dir(SLUG) / "approved" / "sent.json").read_text())
    assert content["mailing"] == bench.mailing().public_id
    run_due(bench.work(real))
    assert bench.states() == {"submitted": 6}
    assert not status(bench.store, bench.ws, SLUG).tampered
    assert begun.unknown(bench.store, bench.ws, SLUG) is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"mailing": "x"}'])
def test_a_note_that_cannot_be_read_is_taken_for_the_worst(bench, real, content: str) -> None:
    bench.scheduled(site="https://estuary.test")
    (bench.ws.issue_dir(SLUG) / "approved" / "sent.json").write_text(content)
    run = run_due(bench.work(real)).runs[0]
    assert run.state == "held" and "cannot be read" in (run.reason or "")


def test_the_outbox_leaves_no_note(bench, scripted) -> None:
    """Nobody got anything."""
    bench.readers(2)
    bench.scheduled()
    run_due(bench.work(scripted()))
    assert bench.states() == {"submitted": 2}
    assert not (bench.ws.issue_dir(SLUG) / "approved" / "sent.json").exists()
