"""``newsletter doctor`` from the command line, in a workspace that is in order and in ones that are not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_it_is_said_in_lines_with_marks_and_fixes(run: Run, weekly: Path) -> None:
    """Grouped, aligned, each thing that is not in order with its fix on the next line."""
    lines = run("doctor").out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")][:-1] == [
        "This machine", "Workspace", "Configuration", "Secrets", "Database", "Sending", "Mail domain",
    ]  # fmt: skip
    (site,) = [n for n, line in enumerate(lines) if line.startswith("  ! site ")]
    assert lines[site + 1].lstrip() == "Fix: set site.url to where its public pages are served, in newsletter.toml"
    assert len({line.index(line.split(maxsplit=2)[2]) for line in lines if line.startswith("  ✓")}) == 1
    assert lines[-1].endswith("unknown")
    assert run("-q", "doctor").out == ""


def test_programs_get_one_object(run: Run, weekly: Path) -> None:
    """Every probe with its id, section, state, sentence and fix; an ok one has no fix."""
    row = run("doctor", "--json").json
    assert row["schema"] == "newsletter/doctor/1"
    assert row["workspace"] == str(weekly)
    assert sum(row["counts"].values()) == len(row["probes"])
    for probe in row["probes"]:
        assert set(probe) == {"id", "section", "state", "sentence", "fix"}
        assert probe["state"] in {"ok", "warning", "error", "unknown"}
        assert probe["state"] != "ok" or probe["fix"] is None


def test_the_exit_code(run: Run, weekly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0 with warnings, 1 with an error, 78 without a configuration that can be used, 2 for a wrong name server."""
    run("doctor")
    (weekly / ".newsletter" / "keys.json").chmod(0o644)
    assert "✗ keys" in run("doctor", code=1).out
    config = weekly / "newsletter.toml"
    config.write_text(config.read_text() + "\n[sendr]\n")
    shown = run("doctor", code=78).out
    assert "✗ config" in shown
    assert "what depends on it was not looked at" in shown
    run("doctor", "--nameserver", "dns.example", code=2)
    monkeypatch.chdir(tmp_path)
    assert "newsletter init" in run("doctor", code=78).err


def run_due_trace(weekly: Path) -> Any:
    return json.loads((weekly / ".newsletter" / "logs" / "last-run.json").read_text())


def test_run_due_leaves_a_trace_that_doctor_reads(run: Run, weekly: Path) -> None:
    """Silent, and also before there is a database; a run that fails says with what."""
    assert "run-due has not run here yet" in run("doctor").out
    assert run("run-due").out == ""
    assert run_due_trace(weekly)["error"] is None
    assert "run-due last ran" in run("doctor").out
    run("status")
    config = weekly / "newsletter.toml"
    good = config.read_text()
    config.write_text("[publication\n")
    run("run-due", code=78)
    assert "this is not TOML" in run_due_trace(weekly)["error"]
    config.write_text(good)
    assert "and it ended with: this is not TOML" in run("doctor", code=1).out
    run("run-due")
    assert "✓ last-run" in run("doctor").out


@pytest.mark.parametrize("environment", [{}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}])
def test_it_needs_no_environment(weekly: Path, environment: dict[str, str]) -> None:
    """No PATH, no HOME, no locale; where the terminal has no UTF-8 the marks are ASCII."""
    (weekly / "newsletter.toml").write_text((weekly / "newsletter.toml").read_text().replace("The Breakwater", "Tidé"))
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", "-C", str(weekly), "doctor"],
        env=environment, capture_output=True, timeout=120, cwd="/", stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode("ascii" if environment.get("PYTHONIOENCODING") else "utf-8")
    assert ("  ok python " in text) == bool(environment.get("PYTHONIOENCODING"))


BREAKAGES = {
    "no state": "mv .newsletter elsewhere",
    "state is a file": "mv .newsletter elsewhere; echo x >.newsletter",
    "keys are a folder": "rm .newsletter/keys.json; mkdir .newsletter/keys.json",
    "database is a folder": "mkdir .newsletter/newsletter.db",
    "database is empty": ": >.newsletter/newsletter.db",
    "installation is text": "echo x >.newsletter/installation.json",
    "logs are a file": "rmdir .newsletter/logs; echo x >.newsletter/logs",
    "configuration is binary": "printf '\\377\\376' >newsletter.toml",
    "gitignore is a folder": "rm .gitignore; mkdir .gitignore",
    "a loop of links": "rm .gitattributes; ln -s .gitattributes .gitattributes",
    "git is damaged": "echo x >.git/HEAD",
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_whatever_is_broken_it_comes_to_an_end_and_says_so(run: Run, weekly: Path, name: str) -> None:
    """Each probe stands alone: never a traceback, never exit 70, and all sections are there."""
    subprocess.run(["git", "-C", str(weekly), "init", "-q"], check=True)
    subprocess.run(["sh", "-ec", BREAKAGES[name]], cwd=weekly, check=True)
    answer = run("doctor", "--json", code=None)
    assert answer.code in (0, 1, 78)
    assert answer.err == ""
    sections = {probe["section"] for probe in answer.json["probes"]}
    assert {"This machine", "Workspace", "Secrets", "Database", "Sending"} <= sections
