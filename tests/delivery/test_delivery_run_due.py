"""run-due: what is due, in order; locks, guards, holds; silence when there is nothing to do."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from newsletter.delivery import guards, installation, mailings
from newsletter.delivery.approval import remove_approval
from newsletter.delivery.ports import Outcome
from newsletter.delivery.run_due import run_due, run_mailing
from newsletter.errors import BadData, Busy, ConfigurationError, GuardRefused, IllegalState, Interrupted
from newsletter.workspace.config import load_config
from newsletter.workspace.files import file_lock
from newsletter.workspace.settings import Provider as ProviderSettings
from newsletter.workspace.settings import Publication, Schedule

SLUG = "2026-11-27"
LATER = "2026-12-04"


@pytest.fixture
def real(bench, scripted):
    """A workspace that may send to real readers, and a provider that is not local."""
    bench.readers(6)
    adopted = installation.adopt(bench.ws, bench.store, actor="ada", now=bench.clock.us)
    bench.config = msgspec.structs.replace(bench.config, sender_installation=adopted.installation.id)
    return scripted(local=False)


def no_provider():
    raise AssertionError("nothing is due: no provider may be made")


def test_nothing_due_is_silent_and_makes_no_provider(bench, scripted) -> None:
    """A minute with nothing to do costs one query."""
    report = run_due(bench.work(scripted(), provider=no_provider))
    assert (report.runs, report.error, report.needs_editor) == ([], None, False)
    bench.readers(1)
    bench.scheduled(in_seconds=60)
    assert run_due(bench.work(scripted(), provider=no_provider)).runs == []


def test_due_mailings_go_in_the_order_of_their_times_and_once(bench, scripted) -> None:
    """Unfinished ones first; calling again does nothing."""
    bench.readers(4)
    bench.scheduled(slug=LATER, in_seconds=-60)
    bench.scheduled(slug=SLUG, in_seconds=-120)
    bench.scheduled(slug="2026-12-11", in_seconds=-300)
    provider = scripted(lambda a, n: Outcome.RETRY if (a, n) == ("reader0@mail.test", 0) else Outcome.ACCEPTED)
    first = run_due(bench.work(provider))
    assert [(run.issue, run.state) for run in first.runs] == [
        ("2026-12-11", "sending"), (SLUG, "completed"), (LATER, "completed"),
    ]  # fmt: skip
    assert provider.closed
    bench.clock.pass_by(61)
    bench.scheduled(slug="2026-12-18", in_seconds=-3000)
    assert [run.issue for run in run_due(bench.work(provider)).runs] == ["2026-12-11", "2026-12-18"]
    assert run_due(bench.work(scripted(), provider=no_provider)).runs == []


def test_a_late_mailing_is_held_and_says_how_late(bench, scripted) -> None:
    """A cron that slept over Friday does not wake the readers on Sunday; an editor releases it."""
    bench.readers(2)
    bench.scheduled(in_seconds=-3 * 3600 - 12 * 60)
    report = run_due(bench.work(scripted()))
    assert report.needs_editor
    assert report.runs[0].state == "held"
    assert "3 h 12 min ago" in (report.runs[0].reason or "")
    assert (bench.mailing().reason or "").startswith("late: ")
    assert run_due(bench.work(scripted())).runs == [], "held is not due"
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    assert run_due(bench.work(scripted())).runs[0].state == "completed"


def test_what_was_let_go_and_did_not_go_for_hours_is_late_again(bench, scripted) -> None:
    """An editor let it go at ten; cron was down until the day after: that is not what the editor meant."""
    bench.readers(2)
    bench.scheduled(in_seconds=-3 * 3600)
    run_due(bench.work(scripted()))
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    bench.clock.pass_by(26 * 3600)
    run = run_due(bench.work(scripted())).runs[0]
    assert run.state == "held" and "it was let go 1 day 2 h ago, at 2026-11-27 07:00 (UTC)" in (run.reason or "")
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    bench.clock.pass_by(3600)
    assert run_due(bench.work(scripted())).runs[0].state == "completed"


def test_what_was_let_go_before_its_time_is_treated_as_any_other(bench, scripted) -> None:
    """Held by ``adopt`` days ahead, and released: it waits its undo window, and can be late."""
    bench.readers(2)
    bench.scheduled(in_seconds=3600)
    with bench.store.write() as conn:
        mailings.step(conn, bench.mailing().id, ("scheduled",), "held", reason="installation: x")
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(undo="5m"))
    bench.clock.pass_by(3600 + 60)
    assert run_due(bench.work(scripted())).runs == [], "it can still be stopped whole"
    bench.clock.pass_by(3 * 3600)
    run = run_due(bench.work(scripted())).runs[0]
    assert run.state == "held" and "it was due 3 h 1 min ago" in (run.reason or "")


def test_lateness_of_zero_holds_nothing(bench, scripted) -> None:
    """Somebody who wants no such guard writes 0m."""
    bench.readers(2)
    bench.scheduled(in_seconds=-86400)
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(lateness="0m"))
    assert run_due(bench.work(scripted())).runs[0].state == "completed"


def test_one_broken_mailing_does_not_stop_the_next(bench, scripted) -> None:
    """Changed bytes hold theirs; the other one goes out."""
    bench.readers(2)
    bench.scheduled(slug=SLUG, in_seconds=-60)
    (bench.approval.folder / "email.html").write_text("<p>not what was approved</p>")
    bench.scheduled(slug=LATER)
    runs = run_due(bench.work(scripted())).runs
    assert [(run.issue, run.state) for run in runs] == [(SLUG, "held"), (LATER, "completed")]
    assert "email.html" in (runs[0].reason or "")


@pytest.mark.parametrize("how", ["gone", "anew", "provider", "empty"])
def test_what_does_not_fit_the_approval_is_held(bench, scripted, how: str) -> None:
    """Approval gone, approved anew, another provider than approved, nobody to send to."""
    if how != "empty":
        bench.readers(2)
    bench.scheduled()
    if how in ("gone", "anew"):
        remove_approval(bench.ws, SLUG)
    if how == "anew":
        bench.approve(html="<p>other</p>")
    provider = scripted(name="other") if how == "provider" else scripted()
    assert run_due(bench.work(provider)).runs[0].state == "held"
    assert provider.batches == []
    assert (bench.mailing().reason or "").startswith("guard: ")


def test_bytes_that_change_in_mid_sending_pause_the_mailing(bench, scripted) -> None:
    """What was sent was right; the rest waits for an editor."""
    bench.readers(9)
    bench.scheduled()
    provider = scripted()
    report = run_due(bench.work(provider, stop=lambda: bool(provider.batches)))
    assert isinstance(report.error, Interrupted)
    (bench.approval.folder / "email.txt").write_text("changed")
    run = run_due(bench.work(provider)).runs[0]
    assert (run.state, run.counts) == ("paused", {"submitted": 3, "pending": 6})


def test_a_stop_comes_before_the_next_mailing(bench, scripted) -> None:
    """SIGTERM between two mailings: the second is not begun."""
    bench.readers(2)
    bench.scheduled(slug=SLUG, in_seconds=-1)
    bench.scheduled(slug=LATER)
    provider = scripted()
    report = run_due(bench.work(provider, stop=lambda: bool(provider.batches)))
    assert [run.issue for run in report.runs] == [SLUG]
    assert isinstance(report.error, Interrupted)
    assert bench.mailing(LATER).state == "scheduled"


def test_a_provider_that_cannot_be_made_is_reported_and_nothing_changes(bench, scripted) -> None:
    """A missing secret is no reason to hold an issue."""
    bench.readers(2)
    bench.scheduled()

    def broken():
        raise ConfigurationError("no key")

    report = run_due(bench.work(scripted(), provider=broken))
    assert isinstance(report.error, ConfigurationError)
    assert bench.mailing().state == "scheduled"


def test_what_another_process_sends_is_skipped_in_silence_unless_it_shows_no_life(bench, scripted) -> None:
    """Busy only after a quarter of an hour without a heartbeat."""
    bench.readers(2)
    mailing = bench.scheduled()
    with file_lock(bench.ws.locks / f"mailing-{mailing.public_id}.lock"):
        report = run_due(bench.work(scripted()))
        assert (report.runs, report.error) == ([], None)
        with pytest.raises(Busy):
            run_mailing(bench.work(scripted()), mailing)
        bench.clock.pass_by(16 * 60)
        report = run_due(bench.work(scripted()))
        assert isinstance(report.error, Busy)
        assert "16 minutes" in report.error.what
    assert run_due(bench.work(scripted())).runs[0].state == "completed"


def test_send_sends_before_its_time_and_only_what_may_go(bench, scripted) -> None:
    """``newsletter send`` is the editor's own word: no lateness, no waiting for the hour; guards raise."""
    bench.readers(2)
    mailing = bench.scheduled(in_seconds=3600)
    assert run_mailing(bench.work(scripted()), mailing).state == "completed"
    with pytest.raises(IllegalState, match="completed"):
        run_mailing(bench.work(scripted()), mailing)
    other = bench.scheduled(slug=LATER)
    (bench.approval.folder / "email.html").write_text("changed")
    with pytest.raises(GuardRefused):
        run_mailing(bench.work(scripted()), other)
    assert bench.mailing(LATER).state == "held"
    with pytest.raises(IllegalState) as refused:
        run_mailing(bench.work(scripted()), other)
    assert "resume" in (refused.value.fix or "")


def test_a_mailing_taken_back_while_it_was_waiting_is_left_alone(bench, scripted, monkeypatch) -> None:
    """Found due, unapproved, then locked: nothing happens, nothing is said."""
    bench.readers(2)
    stale = bench.scheduled()
    mailings.unapprove(bench.store, SLUG, actor="ada", now=1)
    monkeypatch.setattr(mailings, "due", lambda store, now: [stale])
    assert run_due(bench.work(scripted())).runs == []


def test_unapproved_between_the_guards_and_the_plan(bench, scripted, monkeypatch) -> None:
    """The conditional step decides."""
    bench.readers(2)
    bench.scheduled()
    check = guards.same_approval

    def unapprove_then(*args) -> None:
        check(*args)
        mailings.unapprove(bench.store, SLUG, actor="ada", now=1)

    monkeypatch.setattr(guards, "same_approval", unapprove_then)
    provider = scripted()
    assert run_due(bench.work(provider)).runs == []
    assert provider.batches == []


def test_the_mails_of_a_killed_and_cancelled_mailing_are_settled(bench, scripted) -> None:
    """Nothing stays "in flight" for ever."""
    bench.readers(4)
    bench.scheduled()
    provider = scripted()
    run_due(bench.work(provider, stop=lambda: bool(provider.batches)))
    with bench.store.write() as conn:
        conn.exec_driver_sql("update delivery set state = 'submitting' where state = 'pending'")
    mailings.cancel(bench.store, SLUG, actor="ada", now=1)
    run_due(bench.work(provider))
    assert bench.states() == {"submitted": 3, "uncertain": 1}


# -- real readers ---------------------------------------------------------------------------------------------


def test_a_real_send_passes_its_guards_and_counts_the_epoch(bench, real) -> None:
    """Everything in place: it goes, and the installation remembers that it began and ended."""
    bench.scheduled(site="https://estuary.test")
    run = run_due(bench.work(real)).runs[0]
    assert (run.state, run.counts) == ("completed", {"submitted": 6})
    assert installation.read_installation(bench.ws).ledger_epoch == 3
    assert bench.rows("select value from meta where key = 'ledger_epoch'") == [("3",)]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("no site", "could not unsubscribe"),
        ("http", "could not unsubscribe"),
        ("example", "could not unsubscribe"),
        ("address", "postal address"),
        ("placeholder", "postal address"),
        ("sender", "placeholder"),
    ],
)
def test_a_guard_holds_a_real_send(bench, real, spoil: str, words: str) -> None:
    """Each with one sentence and a fix."""
    site = {"no site": None, "http": "http://estuary.test", "example": "https://news.example.org"}.get(
        spoil, "https://estuary.test"
    )
    mailing = bench.scheduled(site=site)
    if spoil in ("address", "placeholder"):
        text = "" if spoil == "address" else "Your postal address, here"
        bench.config = msgspec.structs.replace(bench.config, publication=Publication(name="x", postal_address=text))
    if spoil == "sender":
        facts = replace(bench.approval.facts, sender_email="news@example.com")
        with pytest.raises(GuardRefused, match=words):
            guards.real_send(replace(bench.approval, facts=facts), bench.config)
        return
    with pytest.raises(GuardRefused, match=words) as refused:
        run_mailing(bench.work(real), mailing)
    assert refused.value.fix
    assert bench.mailing().state == "held"
    assert real.batches == []


def test_pictures_inside_the_mail_are_for_few_readers(bench, real) -> None:
    """Above fifty they must be hosted."""
    approval = replace(bench.approve(site="https://estuary.test"), images=(("media/a.jpg", "cid:a", "image/jpeg"),))
    guards.audience_size(approval, 50)
    with pytest.raises(GuardRefused, match="51 readers"):
        guards.audience_size(approval, 51)
    guards.audience_size(replace(approval, images=()), 51)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("unnamed", "no installation is named"),
        ("other", "another installation"),
        ("clone", "another installation"),
        ("machine", "another machine"),
        ("moved", "copied or moved"),
        ("restored", "a backup was restored"),
    ],
)
def test_a_copy_of_the_workspace_may_not_send(bench, real, how: str, words: str) -> None:
    """A clone, a copied folder, another machine, a restored backup: held, until an editor adopts it."""
    bench.scheduled(site="https://estuary.test")
    here = installation.read_installation(bench.ws)
    if how == "unnamed":
        bench.config = msgspec.structs.replace(bench.config, sender_installation=None)
    elif how == "other":
        bench.config = msgspec.structs.replace(bench.config, sender_installation="f" * 32)
    elif how == "clone":
        bench.ws.installation_file.unlink()
    elif how == "machine":
        installation._save(bench.ws, replace(here, machine="x"))
    elif how == "moved":
        installation._save(bench.ws, replace(here, path="/elsewhere"))
    else:
        installation._save(bench.ws, replace(here, ledger_epoch=9))
    run = run_due(bench.work(real)).runs[0]
    assert run.state == "held"
    assert words in (run.reason or "")
    assert (bench.mailing().reason or "").startswith("installation: ")
    adopted = installation.adopt(bench.ws, bench.store, actor="ada", now=1)
    assert adopted.stopped == 0
    assert load_config(bench.ws).sender_installation == adopted.installation.id != here.id
    bench.config = msgspec.structs.replace(bench.config, sender_installation=adopted.installation.id)
    mailings.resume(bench.store, SLUG, actor="ada", now=1)
    assert run_due(bench.work(real)).runs[0].state == "completed"


def test_adopting_a_restored_ledger_lets_nothing_go_on_by_itself(bench, real) -> None:
    """Who got mail since the backup is not in it: what was sending is paused, what waits is held."""
    bench.scheduled(slug=SLUG, site="https://estuary.test")
    run_due(bench.work(real, stop=lambda: bool(real.batches)))
    bench.scheduled(slug=LATER, site="https://estuary.test")
    here = installation.read_installation(bench.ws)
    installation._save(bench.ws, replace(here, ledger_epoch=99))
    assert installation.adopt(bench.ws, bench.store, actor="ada", now=1).stopped == 2
    assert (bench.mailing(SLUG).state, bench.mailing(LATER).state) == ("paused", "held")
    assert installation.read_installation(bench.ws).ledger_epoch == 100


def test_the_first_real_approval_names_the_installation(bench) -> None:
    """And no later one changes it."""
    first = installation.claim_if_first(bench.ws, bench.config, bench.store, actor="ada", now=1)
    assert first is not None
    assert installation.guard(bench.ws, load_config(bench.ws), bench.store) == first
    assert installation.claim_if_first(bench.ws, load_config(bench.ws), bench.store, actor="ada", now=1) is None
    assert oct(bench.ws.installation_file.stat().st_mode)[-3:] == "600"


def test_a_damaged_installation_is_said_and_can_be_adopted(bench, monkeypatch) -> None:
    """No traceback for half a file; a machine without machine-id goes by its name."""
    bench.ws.ensure_state()
    bench.ws.installation_file.write_text("{")
    with pytest.raises(BadData, match="no installation"):
        installation.read_installation(bench.ws)
    installation.adopt(bench.ws, bench.store, actor="ada", now=1)
    assert installation.read_installation(bench.ws) is not None
    bench.ws.installation_file.unlink()
    bench.ws.installation_file.mkdir()
    with pytest.raises(BadData, match="cannot read"):
        installation.read_installation(bench.ws)
    known = installation.machine()
    monkeypatch.setattr(installation.Path, "read_text", lambda self, encoding: (_ for _ in ()).throw(OSError()))
    assert installation.machine() != known


def test_the_configured_rate_is_kept(bench, scripted) -> None:
    """``rate = "120/m"`` is two a second."""
    bench.readers(6)
    bench.scheduled()
    bench.config = msgspec.structs.replace(bench.config, provider=ProviderSettings(name="scripted", rate="120/m"))
    assert run_due(bench.work(scripted())).runs[0].state == "completed"
    assert bench.clock.ticks == pytest.approx(2.0, abs=1)


def test_a_minute_in_which_nothing_can_be_done_is_silent(bench, scripted) -> None:
    """What is put off for minutes is no news in each of them: no line for cron to mail, no provider, no attempt."""
    bench.readers(3)
    bench.scheduled()
    provider = scripted(lambda address, count: Outcome.RETRY if count == 0 else Outcome.ACCEPTED)
    first = run_due(bench.work(provider)).runs[0]
    assert first.counts == {"retry_wait": 3} and first.next_try_at
    attempts = bench.rows("select count(*) from attempt")
    assert run_due(bench.work(provider, provider=no_provider)).runs == []
    assert bench.rows("select count(*) from attempt") == attempts
    bench.clock.us = first.next_try_at + 60_000_000
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 3}


def test_mails_in_dead_hands_are_looked_after_while_others_wait(bench, scripted) -> None:
    """A killed process left one in flight; what became of it is not put off until the retries are due."""
    bench.readers(3)
    bench.scheduled()
    provider = scripted(lambda address, count: Outcome.RETRY)
    run_due(bench.work(provider))
    with bench.store.write() as conn:
        first = "(select min(id) from delivery)"
        conn.exec_driver_sql(f"update delivery set state = 'submitting', attempt_id = 1 where id = {first}")
    assert run_due(bench.work(provider)).runs[0].counts == {"retry_wait": 2, "uncertain": 1}
