"""Who calls `run-due`, and whether it does."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from newsletter.app.cron import COMMAND, crontab_line
from newsletter.app.doctor.facts import CRON_PATH, Facts
from newsletter.app.doctor.probe import Look, State, Told
from newsletter.app.log import last_run
from newsletter.app.words import plural
from newsletter.errors import UsageProblem
from newsletter.store.clock import from_us

_SECTION = "Sending"
STALE = timedelta(minutes=15)


def _cron(facts: Facts) -> Iterator[Told]:
    """A line of a crontab, or a systemd timer, that runs `run-due` for this workspace."""
    tables = [*_crontabs(facts)]
    units = [file for file in _units(facts) if _names_us(_read(file), facts)]
    for name, line in ((name, line) for name, text in tables for line in text.splitlines()):
        if _names_us(line, facts):
            yield _would_run(name, line, dict(tables)[name], facts)
            return
    for unit in units:
        timer = unit.with_suffix(".timer")
        enabled = any(
            folder.joinpath("timers.target.wants", timer.name).exists() for folder in facts.system.unit_folders
        )
        if timer.exists() and enabled:
            yield Told("ok", f"{timer.name} runs it")
        else:
            yield Told(
                "error", f"{unit.name} would run it, but no timer starts it", f"systemctl enable --now {timer.name}"
            )
        return
    if not tables and not any(folder.is_dir() for folder in facts.system.unit_folders):
        yield Told(
            "unknown",
            "there is neither cron nor systemd here; something else must run newsletter run-due",
            _line(facts),
        )
        return
    waits = bool(facts.health and facts.health.waiting)
    state: State = "error" if waits else "warning" if facts.real else "ok"
    said = "nothing runs newsletter run-due for this workspace"
    if state == "ok":
        said += "; newsletter send needs nobody to run it"
    yield Told(state, said, f"crontab -e, and add: {_line(facts)}")


def _crontabs(facts: Facts) -> Iterator[tuple[str, str]]:
    """(name, text) of this account's crontab and of the system's."""
    own = facts.run("crontab", "-l")
    if own is not None:
        # Without a crontab it fails; that is an empty one.
        yield "the crontab", own.out if own.code == 0 else ""
    for place in facts.system.cron_tables:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        yield from ((str(file), _read(file)) for file in files if file.is_file())


def _units(facts: Facts) -> Iterator[Path]:
    for folder in facts.system.unit_folders:
        yield from sorted(folder.glob("*.service"))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _names_us(text: str, facts: Facts) -> bool:
    """Whether a line, or a unit, runs `run-due` in this workspace: by `-C`, by `cd`, or by the unit's directory."""
    root = facts.workspace.root.resolve()
    for line in text.splitlines():
        words = _words(line)
        if COMMAND in words and (
            any(_is(word, root) for word in words) or _is(_setting(text, "WorkingDirectory"), root)
        ):
            return True
    return False


def _words(line: str) -> list[str]:
    if line.lstrip().startswith(("#", ";")):
        return []
    try:
        # A crontab writes a per cent sign with a backslash, also between quotes; a unit doubles it, and $ too.
        words = shlex.split(line.replace("\\%", "%").replace("%%", "%").replace("$$", "$"))
    except ValueError:  # an odd quotation mark
        words = line.split()
    return [part for word in words for part in re.split(r"[;&|=]+", word)]


def _is(word: str, root: Path) -> bool:
    try:
        return word.startswith("/") and Path(word).resolve() == root
    except (OSError, ValueError, RuntimeError):
        return False


def _setting(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*=\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _would_run(name: str, line: str, table: str, facts: Facts) -> Told:
    """Cron's own PATH is short: a command that it cannot find there runs never, and says so to nobody."""
    words = _words(line)
    command = next((word for word in words if Path(word).name in ("newsletter", "python", "python3")), "")
    path = _setting(table, "PATH").strip("\"'") or CRON_PATH
    if command and not (Path(command).is_file() if "/" in command else shutil.which(command, path=path)):
        return Told(
            "error", f"{name} runs it, but cron would not find {command}", f"write the full path: {_line(facts)}"
        )
    return Told("ok", f"{name} runs it")


def _line(facts: Facts) -> str:
    """The line for a crontab; a path that no crontab can hold is said by `newsletter cron`."""
    try:
        return crontab_line(facts.workspace.root)
    except UsageProblem:
        return "newsletter cron --systemd"


def _last_run(facts: Facts) -> Iterator[Told]:
    """When `run-due` last ran, which matters as soon as a mailing waits for it."""
    ran = last_run(facts.workspace)
    now = from_us(facts.now)
    health = facts.health
    waiting = health.waiting if health else ()
    working = any(m.heartbeat is not None and now - from_us(m.heartbeat) < STALE for m in waiting)
    wait = _who_waits(facts)
    if ran is None:
        state: State = "error" if waiting else "ok"
        yield Told(
            state, f"run-due has not run here yet; {wait}", f"run it once by hand, then let cron: {_line(facts)}"
        )
        return
    ago = now - ran.at
    said = f"run-due last ran {_ago(ago)} ago; {wait}"
    if waiting and ago > STALE and not working:
        yield Told("error", said, f"is cron running? {_line(facts)}")
    elif ran.error:
        yield Told("error", f"{said}, and it ended with: {ran.error}", "newsletter run-due says more")
    else:
        yield Told("ok", said)


def _who_waits(facts: Facts) -> str:
    if facts.health_error is not None:
        return "what waits for it cannot be told"
    issues = sorted({mailing.issue for mailing in facts.health.waiting}) if facts.health else []
    if not issues:
        return "nothing waits for it"
    return f"{', '.join(issues)} {'waits' if len(issues) == 1 else 'wait'} for it"


def _ago(time: timedelta) -> str:
    seconds = max(0, int(time.total_seconds()))
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (seconds >= size and word != "minute"):
            return plural(seconds // size, word)
    return plural(seconds, "second")


LOOKS = (
    Look("cron", _SECTION, _cron),
    Look("last-run", _SECTION, _last_run),
)
