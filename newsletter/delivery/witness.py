"""How far an installation has come, noted outside its folder: a whole folder put back from a backup does not know it.

``installation.json`` and the marks lie in the workspace and go back in time with it. What is noted here, in the
account's state folder (``$XDG_STATE_HOME``, else ``~/.local/state``: XDG Base Directory Specification), stays. Nothing
rests on it alone: an account without a home, or a container that forgets its own, sends as before.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

from newsletter.errors import CannotWrite
from newsletter.workspace.files import make_folder, write_atomic

_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
_EPOCH = "epoch"
_RETIRED = "retired"


def folder(installation: str) -> Path | None:
    """Where an installation's notes are; None without a home, or for an id that we never gave."""
    if not _ID.fullmatch(installation):
        return None
    state = os.environ.get("XDG_STATE_HOME", "")
    home = os.environ.get("HOME", "")
    if state.startswith("/"):  # a relative one is invalid, says the specification
        base = Path(state)
    elif home.startswith("/"):
        base = Path(home) / ".local" / "state"
    else:
        return None
    return base / "newsletter" / installation


def marks(installation: str) -> Path | None:
    """The folder of the marks that stand outside; None when there can be none."""
    place = folder(installation)
    if place is None:
        return None
    place /= "marks"
    try:
        make_folder(place)
    except CannotWrite:
        return None
    return place


def note(installation: str, epoch: int) -> None:
    """Note an installation's epoch, as well as it can be done."""
    place = folder(installation)
    if place is not None:
        with contextlib.suppress(CannotWrite):
            write_atomic(place / _EPOCH, f"{epoch}\n", mode=0o600)


def epoch(installation: str) -> int:
    """The epoch that was noted; 0 where none was."""
    text = _read(installation)
    return int(text) if text.isdecimal() else 0


def retire(installation: str) -> None:
    """The folder has another installation from now on: one that still has this is from a backup of before."""
    place = folder(installation)
    if place is not None:
        shutil.rmtree(place / "marks", ignore_errors=True)
        with contextlib.suppress(CannotWrite):
            write_atomic(place / _EPOCH, f"{_RETIRED}\n", mode=0o600)


def is_retired(installation: str) -> bool:
    """Whether another installation took over its folder."""
    return _read(installation) == _RETIRED


def _read(installation: str) -> str:
    place = folder(installation)
    try:
        return (place / _EPOCH).read_text(encoding="ascii").strip() if place is not None else ""
    except (OSError, UnicodeDecodeError):
        return ""
