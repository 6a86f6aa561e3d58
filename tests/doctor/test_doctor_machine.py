"""This machine: packages, browser, disk, clock and zone."""

from __future__ import annotations

import shutil
from collections import namedtuple
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.app.doctor import machine
from newsletter.app.doctor.facts import Facts
from newsletter.app.log import mark_run
from newsletter.store.engine import open_store
from newsletter.store.tables import audit
from newsletter.workspace.paths import Workspace
from tests.doctor.conftest import NOW, Look, add_tool, configure

Usage = namedtuple("Usage", "total used free")


def test_versions_and_packages_are_told(look: Look) -> None:
    found = look()
    assert found["python"][0].state == "ok"
    assert "SQLite" in found["python"][0].sentence
    assert found["packages"][0].state == "ok"


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        ("click>=8.1.7", None),
        ("click>=99.1", "is older than 99.1"),
        ("a-package-nobody-made>=1", "a-package-nobody-made is not installed"),
        ("odd", None),
    ],
)
def test_a_package_that_is_missing_or_too_old_is_named(requirement: str, problem: str | None) -> None:
    found = machine._lacks(requirement)
    assert found is None if problem is None else problem in (found or "")


@pytest.mark.parametrize(
    ("version", "wanted", "older"),
    [("2.0.30", "2.1", True), ("2.1", "2.1.0", False), ("2.10", "2.9", False), ("3", "3.0.1", True)],
)
def test_versions_are_compared_by_their_numbers(version: str, wanted: str, older: bool) -> None:
    assert machine._older(version, wanted) == older


def test_a_browser_is_no_must(look: Look, tools: Path) -> None:
    """Found or not, it is in order; without a PATH it is looked for where the system's commands are."""
    assert look(environment={})["browser"][0].state == "ok"
    assert "no Chromium" in look(environment={})["browser"][0].sentence
    add_tool(tools, "chromium", "exit 0")
    assert look(environment={})["browser"][0].sentence == str(tools / "chromium")


@pytest.mark.parametrize(("free", "state"), [(10**12, "ok"), (100 * 1024**2, "warning"), (10_000, "error")])
def test_a_disk_without_room_for_a_copy_and_a_mailing(
    look: Look, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    """An error when it does not fit, a warning when little is left."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free * 2, free, free))
    (probe,) = look()["disk"]
    assert (probe.state, bool(probe.fix)) == (state, state != "ok")
    assert "free; a backup and a mailing need about" in probe.sentence


def test_a_clock_that_is_behind_the_ledger_is_an_error(look: Look, ws: Workspace) -> None:
    """What was written cannot be of the future."""
    assert look()["clock"][0].state == "ok"
    with open_store(ws.database) as store, store.write() as conn:
        conn.execute(audit.insert().values(at=int(NOW + 3_600) * 1_000_000, actor="ada", action="x"))
    (probe,) = look()["clock"]
    assert (probe.state, probe.fix) == ("error", "set the clock right")
    assert "the newest event in the database is of 2026-11-27 08:00:00 UTC" in probe.sentence


def test_a_clock_that_is_behind_the_last_run_is_an_error(look: Look, ws: Workspace) -> None:
    """Also before there is a database."""
    ws.database.unlink()
    mark_run(ws)
    assert look()["clock"][0].state in ("ok", "error")
    (probe,) = look(clock=NOW - 400 * 86_400)["clock"]
    assert probe.state == "error"
    assert "the last run of run-due is of" in probe.sentence


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("echo yes", "ok"),
        ("echo no", "warning"),
        ("exit 1", "unknown"),
        ("echo n/a", "unknown"),
        ("sleep 5", "unknown"),
        (None, "unknown"),
    ],
)
def test_whether_the_clock_is_kept_right(
    look: Look, tools: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, state: str
) -> None:
    """By timedatectl where it is there and answers; one that hangs is not waited for."""
    monkeypatch.setattr("newsletter.app.doctor.facts.COMMAND_SECONDS", 0.3)
    if script:
        add_tool(tools, "timedatectl", f"PATH=/usr/bin:/bin; {script}")
    assert look(environment={})["clock-sync"][0].state == state


@pytest.mark.parametrize(
    ("zone", "days", "said"),
    [
        ("Europe/London", 0, "Europe/London, now 07:00 (UTC+0000); its clocks change on Sunday 28 March 2027"),
        ("Europe/London", 100, "on Sunday 28 March 2027 01:00 becomes 02:00: what falls between is sent right after"),
        ("America/New_York", 100, "on Sunday 14 March 2027 02:00 becomes 03:00: what falls between"),
        ("Australia/Lord_Howe", 100, "on Sunday 4 April 2027 02:00 becomes 01:30: what comes twice is sent the first"),
        ("Asia/Kolkata", 0, "Asia/Kolkata, now 12:30 (UTC+0530); its clocks do not change in the next half year"),
    ],
)
def test_the_next_change_of_the_clocks_is_told(look: Look, ws: Workspace, zone: str, days: int, said: str) -> None:
    """To the minute when it is near, forwards and back."""
    configure(ws, publication=f'timezone = "{zone}"')
    (probe,) = look(clock=NOW + days * 86_400)["zone"]
    assert probe.state == "ok"
    assert said in probe.sentence


def test_a_change_within_the_hour_is_found(ws: Workspace) -> None:
    """The half year begins now."""
    facts = Facts(ws, clock=datetime(2026, 10, 25, 0, 59, 30, tzinfo=UTC).timestamp())
    (told,) = machine._zone(facts)
    assert "on Sunday 25 October 2026 02:00 becomes 01:00" in told.sentence
