"""The workspace's own files: newsletter.toml, what git keeps and what it must not, the folder for state."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from newsletter.app.doctor.facts import Facts
from newsletter.app.doctor.probe import Look, Told
from newsletter.workspace.create import missing_lines
from newsletter.workspace.paths import STATE_NAME

_SECTION = "Workspace"


def _config(facts: Facts) -> Iterator[Told]:
    error = facts.config_error
    if error is None:
        yield Told("ok", f"{facts.workspace.config_file} can be read")
    else:
        where = f"{error.where}: " if error.where else ""
        waits = "; what depends on it was not looked at"
        yield Told("error", f"{where}{error.what}{waits}", error.fix or "correct newsletter.toml")


def _state(facts: Facts) -> Iterator[Told]:
    """The folder for state: there, ours to write, and nobody else's to read."""
    state = facts.workspace.state
    if not state.exists():
        yield Told("ok", f"there is no {STATE_NAME} yet; the first command makes it")
        return
    if not state.is_dir():
        yield Told("error", f"{state} is no folder", f"move it away: mv {state} {state}.old")
        return
    locked = [folder for folder in (state, facts.workspace.logs, facts.workspace.cache) if _is_locked(folder)]
    if locked:
        yield Told("error", f"this account may not write {locked[0]}", f"chown -R {_who()} {state}")
    elif stat.S_IMODE(state.stat().st_mode) & 0o077:
        yield Told("warning", f"other accounts may look into {state}", f"chmod 700 {state}")
    else:
        yield Told("ok", f"{state} is this account's alone")


def _is_locked(folder: Path) -> bool:
    return folder.exists() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _who() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container
        return str(os.getuid())


def _outbox(facts: Facts) -> Iterator[Told]:
    if facts.real:
        return
    path = facts.workspace.root / facts.config.provider.outbox.path
    near = path
    while not near.exists() and near != near.parent:
        near = near.parent
    if near.is_dir() and os.access(near, os.W_OK | os.X_OK):
        yield Told("ok", f"mail goes into {path} and reaches nobody")
    else:
        yield Told("error", f"mail cannot be written into {path}", f"check {near}, or change provider.outbox.path")


def _git(facts: Facts) -> Iterator[Told]:
    """What `init` wrote for git is there, and git keeps none of the state: it holds addresses and keys."""
    root = facts.workspace.root
    inside = facts.run("git", "-C", str(root), "rev-parse", "--is-inside-work-tree")
    if inside is None:
        yield Told("unknown", "git is not installed, so what it keeps cannot be told")
        return
    if inside.code != 0:
        if "not a git repository" in inside.err:
            yield Told("ok", "the workspace is not in git")
        else:
            yield Told(
                "unknown", f"git refuses: {inside.err.strip().splitlines()[0] if inside.err.strip() else 'no reason'}"
            )
        return
    kept = facts.run("git", "-C", str(root), "ls-files", "-z", "--", STATE_NAME)
    count = kept.out.count("\0") if kept is not None and kept.code == 0 else 0
    if count:
        fix = f"git rm -r --cached {STATE_NAME}, commit, and if it was pushed change every key and password in it"
        yield Told("error", f"git keeps {count} files of {STATE_NAME}: addresses and keys", fix)
    missing = missing_lines(facts.workspace)
    for name, lines in missing.items():
        fix = f"add to {root / name}: {'  '.join(lines)}"
        effect = "git would keep state" if name == ".gitignore" else "git may change line ends of approved bytes"
        yield Told("warning", f"{name} lacks {len(lines)} of our lines; {effect}", fix)
    if not count and not missing:
        yield Told("ok", "git keeps what it should and nothing else of ours")


LOOKS = (
    Look("config", _SECTION, _config),
    Look("state", _SECTION, _state),
    Look("outbox", _SECTION, _outbox),
    Look("git", _SECTION, _git),
)
