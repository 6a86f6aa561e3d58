"""Finding a theme: a folder in the workspace, a built-in one, and what it extends."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import msgspec

from newsletter.errors import ThemeError, did_you_mean
from newsletter.models import PICTURED, Layout, Shape
from newsletter.workspace import shapes
from newsletter.workspace.builtin import builtin_templates
from newsletter.workspace.paths import Workspace
from newsletter.workspace.tomlplaces import line_of

API = 1
"""The version of the contract between the pipeline and themes; a theme says which it was written for."""

BUILTIN = "builtin/"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
_FILE = "theme.toml"

Token = str | int | float


class _Shapes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[shapes]``: a layout that has pictures, and the shape they shall have."""

    lead: Shape | None = None
    list: Shape | None = None
    grid: Shape | None = None
    sponsor: Shape | None = None
    text: Shape | None = None


class _ThemeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``theme.toml``."""

    api: Annotated[int, msgspec.Meta(ge=1)]
    extends: str | None = None
    mso: bool | None = None
    pictures: tuple[Layout, ...] | None = None
    shapes: _Shapes | None = None
    tokens: dict[str, Token] = {}


@dataclass(frozen=True)
class Theme:
    """A theme that was found. ``folders`` are in the order in which a file is looked up.

    ``tokens`` are the values of ``[tokens]``, the theme's own over those it extends; ``sources`` names the
    ``theme.toml`` that each came from. ``mso`` switches the markup for Outlook's Word engine.
    ``pictures`` are the layouts whose stories have theirs, ``shapes`` those whose pictures are not of their own shape.
    """

    name: str
    folders: tuple[Path, ...]
    tokens: Mapping[str, str]
    api: int
    mso: bool
    sources: Mapping[str, Path]
    pictures: tuple[Layout, ...] = PICTURED
    shapes: Mapping[Layout, Shape] = field(default_factory=lambda: MappingProxyType({}))

    def find(self, name: str) -> Path | None:
        """The first folder's file of that name, or None; raises ``ThemeError`` for a name that leaves the folders."""
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise ThemeError(f"{name!r} is outside the theme", where=self.name, fix="name a file of the theme")
        for folder in self.folders:
            path = folder / name
            if path.is_file():
                if not path.resolve().is_relative_to(folder.resolve()):
                    raise ThemeError(
                        "a link leads out of the theme", where=str(path), fix="copy the file into the theme"
                    )
                return path
        return None


@dataclass(frozen=True, slots=True)
class _Layer:
    """One folder of a theme with its ``theme.toml``. ``origin`` is "workspace" or "built-in"."""

    name: str
    origin: str
    folder: Path
    file: Path | None
    content: _ThemeFile | None
    text: str


def load_theme(ws: Workspace, name: str, *, asked_by: str = "newsletter.toml or issue.md") -> Theme:
    """Find a theme: the workspace's folder, the built-in one of that name, then the same for what it extends.

    ``builtin/weekly`` leaves the workspace out. A folder in the workspace may override single files of the
    built-in theme of its name and needs no ``theme.toml`` then. ``asked_by`` is the place that names the theme.
    Raises ``ThemeError`` (unknown theme, unknown token, a circle of ``extends``, a wrong key), with file and line.
    """
    layers = list({layer.folder: layer for layer in _layers(ws, name, asked_by, ())}.values())
    contents = [layer.content for layer in layers if layer.content is not None]
    if not contents:
        fix = f'write {_FILE} with: api = {API}, and extends = "base"'
        raise ThemeError(f"the theme has no {_FILE}", where=str(layers[0].folder), fix=fix)
    tokens: dict[str, str] = {}
    sources: dict[str, Path] = {}
    for layer in reversed(layers):
        if layer.content is not None and layer.file is not None:
            _refuse_unknown(layer, tokens)
            tokens |= {token: str(value) for token, value in layer.content.tokens.items()}
            sources |= dict.fromkeys(layer.content.tokens, layer.file)
    return Theme(
        name=name,
        folders=tuple(layer.folder for layer in layers),
        tokens=MappingProxyType(tokens),
        api=contents[0].api,
        mso=next((content.mso for content in contents if content.mso is not None), True),
        sources=MappingProxyType(sources),
        pictures=next((content.pictures for content in contents if content.pictures is not None), PICTURED),
        shapes=_shapes(contents),
    )


def _shapes(contents: Sequence[_ThemeFile]) -> Mapping[Layout, Shape]:
    """Those of the nearest theme that says any; an empty table takes back what an extended theme asks for."""
    nearest = next((content.shapes for content in contents if content.shapes is not None), _Shapes())
    asked: dict[Layout, Shape | None] = {layout: getattr(nearest, layout) for layout in PICTURED}
    return MappingProxyType({layout: shape for layout, shape in asked.items() if shape is not None})


def _refuse_unknown(layer: _Layer, known: Mapping[str, str]) -> None:
    """A theme changes the tokens of what it extends; a token that nothing below it has is a slip of the pen."""
    assert layer.content is not None
    wrong = next((token for token in layer.content.tokens if known and token not in known), None)
    if wrong is not None:
        where = f"{layer.file}:{line_of(layer.text, ('tokens', wrong))}"
        hint = did_you_mean(wrong, known) or f"the tokens are {', '.join(sorted(known))}"
        raise ThemeError(f"unknown token {wrong!r}", where=where, fix=hint)


def list_themes(ws: Workspace) -> list[tuple[str, str]]:
    """Every theme's name and origin ("workspace" or "built-in"); a workspace theme hides a built-in of its name."""
    found = dict.fromkeys(_names(builtin_templates()), "built-in")
    if not _same(ws.templates, builtin_templates()):
        found |= dict.fromkeys(_names(ws.templates), "workspace")
    return sorted(found.items())


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return [path.name for path in sorted(folder.iterdir()) if path.is_dir() and _NAME.fullmatch(path.name)]


def _same(one: Path, other: Path) -> bool:
    """In the checkout the workspace's templates are the built-in ones."""
    return one.resolve() == other.resolve()


def _layers(ws: Workspace, name: str, asked_by: str, trail: tuple[str, ...]) -> Iterator[_Layer]:
    """Every folder of the theme in look-up order, following each ``extends`` to its end."""
    if name in trail:
        circle = " → ".join([*trail[trail.index(name) :], name])
        raise ThemeError(f"themes extend each other in a circle: {circle}", where=asked_by, fix="remove one extends")
    layers = _folders(ws, name, asked_by)
    yield from layers
    for layer in layers:
        if layer.content is not None and layer.content.extends is not None:
            where = f"{layer.file}:{line_of(layer.text, ('extends',))}"
            yield from _layers(ws, layer.content.extends, where, (*trail, name))


def _folders(ws: Workspace, name: str, asked_by: str) -> list[_Layer]:
    """The workspace's and the built-in folder of one name, whichever exist."""
    short = name.removeprefix(BUILTIN)
    if not _NAME.fullmatch(short):
        fix = "a theme is named by its folder in templates/, such as weekly"
        raise ThemeError(f"{name!r} is no name of a theme", where=asked_by, fix=fix)
    builtin = builtin_templates()
    places = [("built-in", builtin / short)]
    if name == short and not _same(ws.templates, builtin):
        places.insert(0, ("workspace", ws.templates / short))
    layers = [_read(short, origin, folder) for origin, folder in places if folder.is_dir()]
    if not layers:
        known = [found for found, _ in list_themes(ws)]
        hint = did_you_mean(short, known) or f"the themes are {', '.join(known) or 'none'}"
        raise ThemeError(f"there is no theme {name!r}", where=asked_by, fix=hint)
    return layers


def _read(name: str, origin: str, folder: Path) -> _Layer:
    root = folder.parent.resolve()
    if not folder.resolve().is_relative_to(root):
        raise ThemeError("a link leads out of templates/", where=str(folder), fix="copy the theme into templates/")
    file = folder / _FILE
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return _Layer(name, origin, folder, None, None, "")
    except (OSError, UnicodeDecodeError) as error:
        raise ThemeError("cannot be read as UTF-8", where=str(file), fix="save it as UTF-8") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(f"this is not TOML: {error}", where=str(file), fix="check the line that is named") from error
    try:
        content = msgspec.convert(data, _ThemeFile)
    except msgspec.ValidationError as error:
        wrong = shapes.misfit(error, _ThemeFile, data, strict=True)
        where = f"{file}:{line_of(text, wrong.path)}"
        fix = wrong.hint or f"the keys are api = {API}, extends, mso, pictures, shapes and the table [tokens]"
        raise ThemeError(f"{wrong.key or _FILE}: {wrong.problem}", where=where, fix=fix) from error
    if content.api != API:
        where = f"{file}:{line_of(text, ('api',))}"
        fix = f"bring the theme up to api = {API}" if content.api < API else "install a newer newsletter"
        raise ThemeError(f"the theme is written for api {content.api}, this is {API}", where=where, fix=fix)
    return _Layer(name, origin, folder, file, content, text)
