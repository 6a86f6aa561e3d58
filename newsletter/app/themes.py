"""Themes: which there are, which file and token wins, and a copy to edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.app.desk import Desk
from newsletter.errors import BadData, IllegalState, ThemeError, did_you_mean
from newsletter.workspace import themes
from newsletter.workspace.builtin import builtin_templates
from newsletter.workspace.files import write_atomic

PARTS = ("theme.toml", "email.html.j2", "email.txt.j2", "style.css", "client.css")


@dataclass(frozen=True, slots=True)
class ShownTheme:
    """``files``: (part, the file that wins); ``tokens``: (token, value, where it is set)."""

    name: str
    files: list[tuple[str, str]]
    tokens: list[tuple[str, str, str]]

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "name": self.name,
            "files": dict(self.files),
            "tokens": {token: {"value": value, "from": place} for token, value, place in self.tokens},
        }


def list_themes(desk: Desk) -> list[tuple[str, str]]:
    """(name, "workspace" or "built-in") of every theme."""
    return themes.list_themes(desk.workspace)


def show_theme(desk: Desk, name: str) -> ShownTheme:
    """The winning files and tokens of a theme; raises ThemeError or NotFound."""
    theme = themes.load_theme(desk.workspace, name)

    def place(path: Path | None) -> str:
        if path is None:
            return "nowhere"
        root = desk.workspace.root
        return str(path.relative_to(root)) if path.is_relative_to(root) else f"built-in {path.parent.name}/{path.name}"

    tokens = [(token, value, place(theme.sources.get(token))) for token, value in sorted(theme.tokens.items())]
    return ShownTheme(name, [(part, place(theme.find(part))) for part in PARTS], tokens)


@dataclass(frozen=True, slots=True)
class Ejected:
    """Files of a built-in theme that are the workspace's own now; ``in_use``: the publication has this theme."""

    name: str
    files: tuple[str, ...]
    in_use: bool

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"name": self.name, "files": list(self.files), "in_use": self.in_use}


def eject_theme(desk: Desk, name: str, files: Sequence[str] = ()) -> Ejected:
    """Copy a built-in theme's own files, or the named ones (inherited ones too), into ``templates/NAME``.

    Raises ThemeError for a theme or a file that is not built in, BadData where a file would be overwritten (then
    nothing is written), IllegalState in a checkout whose templates are the built-in ones, CannotWrite.
    """
    root, templates = desk.workspace.root, desk.workspace.templates
    name = name.removeprefix(themes.BUILTIN)
    theme = themes.load_theme(desk.workspace, f"{themes.BUILTIN}{name}", asked_by="theme eject")
    if templates.resolve() == builtin_templates().resolve():
        raise IllegalState(
            "this workspace's templates are the built-in ones", where=str(templates), fix="edit them where they are"
        )
    sources = {file: _built_in(theme, file) for file in files or _own(theme.folders[0])}
    targets = {file: templates / name / file for file in sources}
    there = [file for file, target in targets.items() if target.exists() or target.is_symlink()]
    if there:
        what = (
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} in templates/{name} already; nothing was copied"
        )
        raise BadData(what, where=str(templates / name), fix="move it away, or name only the files that you want")
    for file, target in targets.items():
        write_atomic(target, sources[file].read_bytes())
    written = tuple(str(target.relative_to(root)) for target in targets.values())
    return Ejected(name, written, in_use=desk.config.publication.theme == name)


def _own(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _built_in(theme: themes.Theme, file: str) -> Path:
    found = theme.find(file)
    if found is None:
        known = sorted({name for folder in theme.folders for name in _own(folder)})
        hint = did_you_mean(file, known) or f"the files are {', '.join(known)}"
        raise ThemeError(f"there is no file {file!r} in this theme", where=theme.name, fix=hint)
    return found
