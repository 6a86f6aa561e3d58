"""Making a workspace: empty and one's own (``init``), or a copy of the sample (``demo``)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from newsletter.errors import ConfigurationError, UsageProblem
from newsletter.workspace.builtin import starter
from newsletter.workspace.config import parse_config
from newsletter.workspace.files import cannot_write, make_folder, write_atomic
from newsletter.workspace.keys import create_keys
from newsletter.workspace.paths import CONFIG_NAME, STATE_NAME, Workspace

_PLACEHOLDER = "newsletter@example.com"

_CONFIG = """\
# Everything about this newsletter. Each key is explained in the documentation, "Configuration".

[publication]
name = {name}
language = "en-GB"            # decides dates, reading direction and fonts
timezone = "Europe/London"    # every time that you type is in this zone
# The law asks for a postal address in every mail; it stands in the footer.
postal_address = {address}
theme = "weekly"              # a folder in templates/, or a built-in theme
# reason = "You get this letter because …"
# corrections = "corrections@example.org"
# logo = "masthead.png"       # a picture beside this file; without one the name is set in type

[sender]
name = {name}
email = {sender}
# reply_to = "editor@example.org"

[site]
# Where readers find the public pages: unsubscribe, preferences, the web copy. Real sending needs it.
# url = "https://news.example.org"

[provider]
# outbox puts finished mails into .newsletter/outbox and sends nothing. When you mean it: smtp or sendgrid.
name = "outbox"
# rate = "20/s"

# [provider.smtp]
# host = "mail.example.org"
# username = "newsletter"
# password = {{env = "SMTP_PASSWORD"}}    # never the password itself

# [provider.sendgrid]
# api_key = {{env = "SENDGRID_API_KEY"}}

[test]
to = []                       # who gets `newsletter test SLUG` when it names nobody

[audience]
attributes = ["first_name"]   # what merge fields may ask for: {{{{ subscriber.first_name | default("reader") }}}}

[schedule]
lateness = "2h"               # a mailing that is due longer ago than this is held, not sent
# every = "Fri 07:00"         # the approved issue of that day goes out by itself

# [alerts]                    # who hears of it when an editor must act
# to = ["desk@example.org"]
# webhook = "https://hooks.example.org/…"
"""

# Lists of refused lines hold addresses.
_GITIGNORE = [f"{STATE_NAME}/", "*.rejected.csv"]
_GITATTRIBUTES = ["issues/*/approved/** -text"]


def init_workspace(path: Path, *, name: str | None, sender: str | None, address: str | None) -> Workspace:
    """Make a workspace in ``path``, which may exist and hold other files; nothing of theirs is overwritten.

    The name is taken from the folder when it is None. ``newsletter.toml`` is written last, so that a full disk
    leaves nothing that looks finished. Raises ``ConfigurationError`` when there is a workspace already or
    a value cannot be, and ``CannotWrite``.
    """
    ws = Workspace(path.resolve())
    if ws.config_file.exists():
        fix = f"edit {CONFIG_NAME}, or choose another folder"
        raise ConfigurationError("this is a workspace already", where=str(ws.config_file), fix=fix)
    title = name if name is not None else _title(ws.root)
    config = _CONFIG.format(name=_quoted(title), sender=_quoted(sender or _PLACEHOLDER), address=_quoted(address or ""))
    parse_config(config)
    _furnish(ws)
    write_atomic(ws.config_file, config)
    return ws


def create_demo(path: Path) -> Workspace:
    """Copy the sample publication into ``path``, which must be absent or empty, with keys of its own.

    Approvals and state are never copied. Raises ``UsageProblem`` for a folder in use and ``CannotWrite``.
    """
    ws = Workspace(path.resolve())
    source = starter()
    try:
        if ws.root.exists() and (not ws.root.is_dir() or any(ws.root.iterdir())):
            fix = "name a folder that is empty or does not exist yet"
            raise UsageProblem("the demo needs an empty folder", where=str(ws.root), fix=fix)
        make_folder(ws.root)
        ignored = shutil.ignore_patterns("approved", ".*")
        shutil.copytree(source / "issues", ws.issues, ignore=ignored)
        config = (source / CONFIG_NAME).read_bytes()
    except OSError as error:
        raise cannot_write(ws.root, error) from error
    _furnish(ws)
    write_atomic(ws.config_file, config)
    return ws


def _furnish(ws: Workspace) -> None:
    for folder in (ws.issues, ws.templates):
        make_folder(folder)
    _append_lines(ws.root / ".gitignore", _GITIGNORE)
    _append_lines(ws.root / ".gitattributes", _GITATTRIBUTES)
    if not ws.keys_file.exists():
        create_keys(ws)


def missing_lines(ws: Workspace) -> dict[str, list[str]]:
    """The lines that ``init`` writes for git and that its files lack, by file name; raises ``CannotWrite``."""
    wanted = {".gitignore": _GITIGNORE, ".gitattributes": _GITATTRIBUTES}
    missing = {name: _missing(_present(ws.root / name), lines) for name, lines in wanted.items()}
    return {name: lines for name, lines in missing.items() if lines}


def _present(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise cannot_write(path, error) from error


def _missing(present: bytes, lines: list[str]) -> list[str]:
    return [line for line in lines if line.encode() not in present.splitlines()]


def _append_lines(path: Path, lines: list[str]) -> None:
    """Add the lines that the file does not have yet; what it has stays."""
    present = _present(path)
    missing = _missing(present, lines)
    if missing:
        gap = b"" if not present or present.endswith(b"\n") else b"\n"
        write_atomic(path, present + gap + "".join(f"{line}\n" for line in missing).encode())


def _title(folder: Path) -> str:
    words = folder.name.replace("-", " ").replace("_", " ").split()
    return " ".join(word[:1].upper() + word[1:] for word in words) or "Newsletter"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
