"""Keys and passwords: there, and readable by this account alone. A value is never shown."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from newsletter.app.doctor.facts import Facts
from newsletter.app.doctor.probe import Look, Told
from newsletter.app.providers import secret_references
from newsletter.errors import ConfigurationError
from newsletter.workspace.config import resolve_secret
from newsletter.workspace.keys import load_keys

_SECTION = "Secrets"


def _keys(facts: Facts) -> Iterator[Told]:
    ws = facts.workspace
    if not ws.keys_file.exists() and not ws.database.exists():
        yield Told("ok", "there are no keys yet; the first command makes them")
        return
    try:
        load_keys(ws)
    except ConfigurationError as error:
        yield Told("error", error.what, error.fix)
    else:
        yield Told("ok", "the keys behind unsubscribe links are there, and this account's alone")


def _provider(facts: Facts) -> Iterator[Told]:
    """Each secret of the configured provider can be read, by this account, here and now."""
    for key, reference in secret_references(facts.config):
        try:
            resolve_secret(facts.workspace, reference, key)
        except ConfigurationError as error:
            yield Told("error", error.what, error.fix)
        else:
            place = (
                f"the variable {reference.env} is set here; cron needs it too" if reference.env else "its file is there"
            )
            yield Told("ok", f"{key}: {place}")


def _modes(facts: Facts) -> Iterator[Told]:
    """The files that hold addresses or name this installation."""
    ws = facts.workspace
    files = [
        ws.installation_file,
        *(ws.database.with_name(ws.database.name + suffix) for suffix in ("", "-wal", "-shm")),
    ]
    open_ones = [file for file in files if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077]
    if open_ones:
        names = " ".join(str(file) for file in open_ones)
        yield Told("warning", f"other accounts may read {', '.join(f.name for f in open_ones)}", f"chmod 600 {names}")
    else:
        yield Told("ok", "no other account may read the database")


def _tracked(facts: Facts) -> Iterator[Told]:
    """No file with a secret is one that git keeps, or would keep with the next `git add`."""
    for key, reference in secret_references(facts.config):
        if reference.file is None:
            continue
        path = facts.workspace.root / reference.file
        kept = facts.run("git", "-C", str(facts.workspace.root), "ls-files", "--error-unmatch", "--", str(path))
        if kept is None:
            return
        if kept.code == 0:
            fix = f"git rm --cached {reference.file}, commit, and change that secret: it is in the history"
            yield Told("error", f"{key}: git keeps {reference.file}", fix)
            continue
        ignored = facts.run("git", "-C", str(facts.workspace.root), "check-ignore", "-q", "--", str(path))
        if ignored is not None and ignored.code == 1 and path.exists():
            fix = f"add {reference.file} to .gitignore"
            yield Told("warning", f"{key}: the next git add would keep {reference.file}", fix)


LOOKS = (
    Look("keys", _SECTION, _keys),
    Look("provider-secret", _SECTION, _provider),
    Look("file-modes", _SECTION, _modes),
    Look("secret-in-git", _SECTION, _tracked),
)
