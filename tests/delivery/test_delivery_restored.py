"""A workspace that came back from a backup, whole, and a sending that broke off for hours: an editor decides."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from newsletter.delivery import installation, mailings, witness
from newsletter.delivery.marks import Mark
from newsletter.delivery.run_due import run_due, run_mailing
from newsletter.store.engine import open_store
from newsletter.workspace.settings import Schedule

SITE = "https://estuary.test"
HOUR = 3600


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test's own account."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "newsletter"


@pytest.fixture
def real(bench, scripted):
    bench.readers(6)
    bench.config = with_installation(bench)
    return scripted(local=False)


def with_installation(bench):
    adopted = installation.adopt(bench.ws, bench.store, actor="ada", now=bench.clock.us)
    return msgspec.structs.replace(bench.config, sender_installation=adopted.installation.id)


def backed_up(bench) -> Path:
    """The whole folder as it is now, marks and all."""
    with bench.store.write() as conn:
        conn.exec_driver_sql("SELECT 1")
    copy = bench.ws.root.with_name("backup")
    shutil.copytree(bench.ws.root, copy)
    return copy


def restored(bench, copy: Path) -> None:
    bench.store.close()
    shutil.rmtree(bench.ws.root)
    shutil.copytree(copy, bench.ws.root)
    bench.store = open_store(bench.ws.database)


def test_a_folder_from_before_the_sending_is_held(bench, real) -> None:
    """Everything in it agrees that nothing was ever sent; what the account noted outside does not."""
    bench.scheduled(site=SITE)
    copy = backed_up(bench)
    assert run_due(bench.work(real)).runs[0].state == "completed"
    restored(bench, copy)
    run = run_due(bench.work(real)).runs[0]
    assert run.state == "held"
    assert "a backup was restored" in (run.reason or "")
    assert len(real.addresses) == 6, "nobody got it twice"


def test_a_folder_from_the_middle_of_the_sending_is_stopped(bench, real, scripted, state_home: Path) -> None:
    """The machine died after the backup, so that nothing counted its end; its marks outside did count."""
    bench.scheduled(site=SITE)
    copies: list[Path] = []

    def look(batch) -> None:
        if not copies:
            copies.append(backed_up(bench))
        else:  # as it is when the machine dies now
            copies.append(shutil.copytree(state_home, state_home.with_name("died")))

    run_due(bench.work(scripted(local=False, before=look)))
    restored(bench, copies[0])
    shutil.rmtree(state_home)
    copies[1].rename(state_home)
    run = run_due(bench.work(real)).runs[0]
    assert run.state == "paused"
    assert "a backup was restored" in (run.reason or "")
    assert real.batches == []


def test_a_folder_from_before_it_was_adopted_is_held(bench, real) -> None:
    """Its installation is another's by now: the one that took over here may have sent since."""
    bench.scheduled(site=SITE)
    copy = backed_up(bench)
    old = bench.config
    bench.config = with_installation(bench)
    run_due(bench.work(real))
    restored(bench, copy)
    bench.config = old
    assert run_due(bench.work(real)).runs[0].state == "held"
    adopted = installation.adopt(bench.ws, bench.store, actor="ada", now=bench.clock.us)
    assert adopted.installation.ledger_epoch < 1000


def test_what_was_restored_goes_on_when_an_editor_says_so(bench, real) -> None:
    """Adopted, looked into and resumed."""
    bench.scheduled(site=SITE)
    copy = backed_up(bench)
    run_due(bench.work(real, stop=lambda: bool(real.batches)))
    restored(bench, copy)
    bench.config = with_installation(bench)
    assert bench.mailing().state == "held"
    mailings.resume(bench.store, bench.mailing().issue, actor="ada", now=bench.clock.us)
    assert run_due(bench.work(real)).runs[0].state == "completed"


def test_a_copy_elsewhere_takes_nothing_from_the_folder_that_sends(bench, real) -> None:
    """Who adopts a copy in another folder does not retire the first one's notes."""
    here = installation.read_installation(bench.ws)
    installation._save(bench.ws, here.__class__(here.id, here.machine, "/elsewhere", here.ledger_epoch))
    installation.adopt(bench.ws, bench.store, actor="ada", now=1)
    assert not witness.is_retired(here.id)
    assert witness.epoch(here.id) == here.ledger_epoch


@pytest.mark.parametrize("home", ["none", "read-only", "relative", "odd"])
def test_an_account_without_a_state_folder_sends_as_before(bench, real, monkeypatch, tmp_path, home: str) -> None:
    """cron gives no HOME, a container's is not writable: what is noted there is a second thread, not the first."""
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    if home == "read-only":
        (tmp_path / "file").touch()
        monkeypatch.setenv("HOME", str(tmp_path / "file"))
    elif home == "relative":
        monkeypatch.setenv("XDG_STATE_HOME", "state")
    elif home == "odd":
        monkeypatch.setenv("HOME", str(tmp_path))
        place = witness.folder(installation.read_installation(bench.ws).id)
        assert place is not None
        place.mkdir(parents=True)
        (place / "epoch").write_bytes(b"\xff")
        (place / "marks").touch()
    bench.scheduled(site=SITE)
    assert run_due(bench.work(real)).runs[0].state == "completed"


def test_the_notes_stand_in_the_account_s_state_folder(bench, real, state_home: Path, monkeypatch) -> None:
    """By XDG, else in ~/.local/state; an id that is a path leads nowhere; the marks go with the mailing."""
    here = installation.read_installation(bench.ws)
    assert (state_home / here.id / "epoch").read_text() == "1\n"
    bench.scheduled(site=SITE)
    run_due(bench.work(real))
    assert (state_home / here.id / "epoch").read_text() == "3\n"
    assert list((state_home / here.id / "marks").iterdir()) == []
    assert witness.folder("../../etc") is None
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert witness.folder("a" * 32) == Path("/home/ada/.local/state/newsletter") / ("a" * 32)


def test_a_mark_is_written_outside_too(bench, state_home: Path) -> None:
    """Before the first byte of each turn."""
    with Mark(bench.ws, "m1", "a" * 32) as mark, bench.store.write() as conn:
        mark.count(conn)
        mark.remember()
    inside, outside = bench.ws.marks / "m1", state_home / ("a" * 32) / "marks" / "m1"
    assert inside.read_bytes() == outside.read_bytes() == b"%020d\n" % 1
    assert outside.stat().st_mode & 0o077 == 0


# -- a sending that broke off ---------------------------------------------------------------------------------------


def broken_off(bench, provider) -> None:
    """Three of six were sent; then the machine went off."""
    bench.scheduled(site=SITE)
    run_due(bench.work(provider, stop=lambda: bool(provider.batches)))
    assert bench.states() == {"submitted": 3, "pending": 3}


def test_a_sending_that_broke_off_for_hours_waits_for_an_editor(bench, real) -> None:
    """The rest of the morning's issue does not go out at night by itself; resumed, it does."""
    broken_off(bench, real)
    last = bench.clock.us
    bench.clock.pass_by(14 * HOUR)
    run = run_due(bench.work(real, last_run=last)).runs[0]
    assert (run.state, run.needs_editor) == ("paused", True)
    assert "its sending broke off 14 h ago, at " in (run.reason or "")
    assert "backup" in (run.reason or "")
    mailings.resume(bench.store, run.issue, actor="ada", now=bench.clock.us)
    assert run_due(bench.work(real, last_run=last)).runs[0].counts == {"submitted": 6}


def test_a_sending_that_rests_is_not_broken_off(bench, real) -> None:
    """run-due looked at it every minute: it waits for tomorrow's warm-up, a canary, a provider that is away."""
    broken_off(bench, real)
    bench.clock.pass_by(14 * HOUR)
    assert run_due(bench.work(real, last_run=bench.clock.us - 60_000_000)).runs[0].state == "completed"


def test_a_short_stop_goes_on_by_itself(bench, real) -> None:
    """Within [schedule] lateness, as after any crash; and always with lateness = 0m."""
    broken_off(bench, real)
    bench.clock.pass_by(1.9 * HOUR)
    assert run_due(bench.work(real)).runs[0].state == "completed"


def test_without_a_limit_on_lateness_nothing_is_stopped(bench, real) -> None:
    """``lateness = "0m"`` is the editor's word for it."""
    broken_off(bench, real)
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(lateness="0m"))
    bench.clock.pass_by(72 * HOUR)
    assert run_due(bench.work(real)).runs[0].state == "completed"


def test_who_sends_by_hand_has_decided(bench, real) -> None:
    """``newsletter send`` is an editor's word too."""
    broken_off(bench, real)
    bench.clock.pass_by(14 * HOUR)
    assert run_mailing(bench.work(real), bench.mailing()).state == "completed"


def test_an_outbox_reaches_nobody_and_goes_on(bench, scripted) -> None:
    """On this machine a second copy harms nobody."""
    bench.readers(6)
    provider = scripted()
    broken_off(bench, provider)
    bench.clock.pass_by(14 * HOUR)
    assert run_due(bench.work(provider)).runs[0].state == "completed"


@pytest.mark.parametrize("other", ["lets mails out", "begins or ends"])
def test_another_mailing_that_goes_on_meanwhile_is_no_backup(bench, real, monkeypatch, other: str) -> None:
    """While a weekly goes out its marks move on: whoever looks whether a bulletin may go is not deceived by that."""
    here = installation.read_installation(bench.ws)
    counted, looks = installation._epoch, []

    def look(conn) -> int:
        """What is read of the database, and what the process that sends the weekly does just then."""
        found = counted(conn)
        if not looks:
            looks.append(found)
            if other == "begins or ends":
                installation.advance(bench.ws, bench.store, here)
            else:
                with Mark(bench.ws, "a" * 32, here.id) as mark:
                    with bench.store.write() as sending:
                        mark.count(sending)
                    mark.remember()
        return found

    monkeypatch.setattr(installation, "_epoch", look)
    installation.guard(bench.ws, bench.config, bench.store)
    assert looks, "the database was looked at"


def test_a_mark_that_is_taken_away_meanwhile_says_nothing(bench, real, monkeypatch) -> None:
    """Its mailing has just ended, in another process."""
    gone = bench.ws.marks / ("a" * 32)
    gone.parent.mkdir(parents=True, exist_ok=True)
    gone.symlink_to("nowhere")  # listed, and not there when it is opened
    installation.guard(bench.ws, bench.config, bench.store)


def test_a_folder_that_is_adopted_during_a_sending_stays_adopted(bench, real, scripted) -> None:
    """The sender that began under the former installation counts its end, and leaves the new one's file alone."""
    bench.scheduled(site=SITE)
    taken = []
    sending = scripted(local=False, before=lambda _batch: taken or taken.append(with_installation(bench)))
    before = installation.read_installation(bench.ws)
    assert run_due(bench.work(sending)).runs[0].state == "completed"
    assert installation.read_installation(bench.ws).id == taken[0].sender_installation
    assert witness.is_retired(before.id)
    installation.guard(bench.ws, taken[0], bench.store)
