"""``newsletter cron``: the printed line and units are put to work as cron and systemd would."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.cron import crontab_line
from newsletter.errors import UsageProblem

Run = Callable[..., Any]
PROGRAM = Path(sys.executable).with_name("newsletter")
HARD = 'the weekly\'s 100% "new" $HOME أسبوع'


@pytest.fixture
def hard(tmp_path: Path, run: Run) -> Path:
    """A workspace whose path has a blank, both quotes, a per cent sign, a dollar and Arabic."""
    root = tmp_path / HARD
    run(
        "init",
        str(root),
        "--name",
        "The Break%water",
        "--from",
        "post@breakwater.test",
        "--address",
        "1 Mole, Saltford",
    )
    return root


def call(*arguments: str) -> str:
    """The installed program itself: it prints its own path."""
    done = subprocess.run([str(PROGRAM), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def as_cron_reads_it(line: str) -> str:
    """crontab(5): five fields, then the command up to an unescaped %; a backslash before % is taken away."""
    *fields, command = line.split(maxsplit=5)
    assert fields == ["*"] * 5
    assert "%" not in command.replace("\\%", "")
    return command.replace("\\%", "%")


def test_the_line_runs_from_an_empty_environment(hard: Path) -> None:
    """No PATH, no HOME, no terminal, another folder: it runs, is silent, and leaves its trace in this workspace."""
    line = call("-C", str(hard), "cron", "--crontab").rstrip("\n")
    assert line.startswith(f"* * * * * {PROGRAM.resolve()} -C ")
    shell = ["/usr/bin/env", "-i", "/bin/sh", "-c", as_cron_reads_it(line)]
    done = subprocess.run(shell, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (hard / ".newsletter" / "logs" / "last-run.json").exists()


def test_doctor_knows_the_line_and_the_unit_again(hard: Path) -> None:
    """What is printed here is what `newsletter doctor` looks for there."""
    from newsletter.app.doctor import facts_of
    from newsletter.app.doctor.running import _names_us

    facts = facts_of(hard, servers=(), selectors=())
    printed = call("-C", str(hard), "cron", "--crontab")
    assert _names_us(printed, facts)
    assert _names_us(call("-C", str(hard), "cron", "--systemd"), facts)
    assert not _names_us(printed.replace("weekly", "monthly"), facts)


@pytest.mark.parametrize("name", ["weekly", HARD])
def test_systemd_accepts_the_units(run: Run, tmp_path: Path, name: str) -> None:
    """systemd-analyze finds nothing to say, and the command line survives systemd's own quoting."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    root = tmp_path / name
    run(
        "init",
        str(root),
        "--name",
        "The Break%water",
        "--from",
        "post@breakwater.test",
        "--address",
        "1 Mole, Saltford",
    )
    units = run("-C", str(root), "cron", "--json").json["units"]
    folder = tmp_path / "units"
    folder.mkdir()
    for file, text in units.items():
        (folder / file).write_text(text, encoding="utf-8")
    files = [str(folder / file) for file in units]
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if str(folder) in line]
    assert not ours
    timer = next(text for file, text in units.items() if file.endswith(".timer"))
    service = next(text for file, text in units.items() if file.endswith(".service"))
    assert "OnCalendar=minutely\n" in timer
    assert "Persistent=true\n" in timer
    for line in ("Type=oneshot", "NoNewPrivileges=true", "ProtectSystem=strict", "UMask=0077"):
        assert f"{line}\n" in service


def test_both_ways_are_printed_and_nothing_is_installed(run: Run, weekly: Path) -> None:
    """Without an option: the line, the files under their paths, and how to put them in place."""
    before = sorted(weekly.rglob("*"))
    said = run("cron").out
    assert "* * * * * " in said
    assert ".service\n" in said
    assert "systemctl enable --now newsletter-weekly-" in said
    assert "[Timer]" not in run("cron", "--crontab").out
    assert "* * * * * " not in run("cron", "--systemd").out
    assert sorted(weekly.rglob("*")) == before


@pytest.mark.parametrize("name", ["back\\slash", "line\nbreak"])
def test_a_path_that_no_crontab_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    """A wrong line would fail every minute, in silence."""
    with pytest.raises(UsageProblem, match="backslash or a line break"):
        crontab_line(tmp_path / name)


def test_two_workspaces_of_one_name_have_two_timers(run: Run, tmp_path: Path) -> None:
    """The second may not take the place of the first."""
    names = set()
    for parent in ("a", "b"):
        root = tmp_path / parent / "weekly"
        root.parent.mkdir()
        run("init", str(root), "--name", "x", "--from", "post@breakwater.test", "--address", "1 Mole, Saltford")
        names |= set(run("-C", str(root), "cron", "--json").json["units"])
    assert len(names) == 4


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_mailing_goes_out_from_an_empty_environment(tmp_path: Path, umask: int) -> None:
    """No variable at all, so neither a locale nor a home; another folder; Urdu and an umlaut in path, subject, names.

    What it writes is readable by its owner alone, whatever the umask.
    """
    from newsletter.app.approve import approve_issue
    from newsletter.app.desk import open_desk
    from newsletter.audience import subscribers
    from newsletter.workspace.create import create_demo

    root = create_demo(tmp_path / "größe أسبوع").root
    file = root / "issues" / "2026-11-27" / "issue.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("subject: ", "subject: Größe أسبوع — ", 1), encoding="utf-8")
    with open_desk(root) as desk:
        subscribers.add(desk.store, "zoë@readers.test", {"first_name": "زہرا"}, "test", desk.keys)
        approve_issue(desk, "2026-11-27", send_at="now")
    command = [str(PROGRAM), "-C", str(root), "run-due"]
    done = subprocess.run(
        command, cwd="/", env={}, stdin=subprocess.DEVNULL, capture_output=True, check=False, umask=umask
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"2026-11-27 completed: 1 = 1 submitted\n"
    assert len(list((root / ".newsletter" / "outbox" / "new").iterdir())) == 1
    assert (root / ".newsletter").stat().st_mode & 0o077 == 0
    again = subprocess.run(command, cwd="/", env={}, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (again.returncode, again.stdout, again.stderr) == (0, b"", b"")
