"""A theme's tokens for a page: what each is now and by default; and changing them in the workspace's own copy.

Only ``templates/NAME/theme.toml`` of the workspace is ever written; every other file goes on with new versions.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from newsletter.app import trail
from newsletter.app.desk import Desk
from newsletter.clients import gmail_dark
from newsletter.clients.colours import Colour, Rgb, contrast, parse_colour
from newsletter.errors import BadData, ConfigurationError, Conflict, IllegalState, SettingsRefused, did_you_mean
from newsletter.workspace import themes
from newsletter.workspace.builtin import builtin_templates
from newsletter.workspace.files import file_lock, sha256_hex, write_atomic

Kind = Literal["colour", "font", "size", "switch", "text"]
READABLE: Final = 4.5
"""WCAG 2.2, 1.4.3; tokens paint text of every size."""
STANDS_ON: Final[Mapping[str, tuple[str, ...]]] = {
    "ink": ("card", "sponsor"),
    "text": ("card", "sponsor", "correction", "placeholder"),
    "muted": ("card", "page", "sponsor"),
    "accent": ("card", "sponsor"),
    "on_button": ("button",),
}
"""Which words stand on which ground, as docs/themes.md says."""
_COLOUR: Final = re.compile(r"#[0-9A-Fa-f]{6}")
_FONT: Final = re.compile(r"[\w ,'-]{1,300}")
_SIZE: Final = re.compile(r"\d{1,3}(?:\.\d+)?px")
_FONTS: Final = frozenset({"headline", "prose", "sans"})
_WAYS: Final[Mapping[Kind, str]] = {
    "colour": "six hex digits, as in #9B1C1C: Outlook knows no other way",
    "font": "names of fonts with commas between, as in Georgia,'Times New Roman',serif",
    "size": "a number and px, as in 17px",
    "switch": "yes or no",
    "text": "at most 200 letters on one line",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token. ``default`` is what it would be without the workspace's own value; ``own`` whether there is one."""

    name: str
    kind: Kind
    value: str
    default: str
    own: bool
    dark: bool

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Tokens:
    """A theme's tokens, those that cannot be read on their ground in words, and the SHA-256 of the file that is
    changed (of nothing, where there is none yet)."""

    theme: str
    tokens: tuple[Token, ...]
    warnings: tuple[str, ...]
    sha256: str

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        rows = [token.as_row() for token in self.tokens]
        return {"theme": self.theme, "tokens": rows, "warnings": list(self.warnings), "sha256": self.sha256}


def read_tokens(desk: Desk, name: str | None = None) -> Tokens:
    """The tokens of a theme (default: the publication's); raises ThemeError for one that is not there or wrong."""
    name = name or desk.config.publication.theme
    theme = themes.load_theme(desk.workspace, name)
    file = _own_file(desk, name)
    below = _below(desk, name)
    tokens = tuple(
        Token(
            token,
            _kind(token, below.get(token, value)),
            value,
            below.get(token, value),
            own=file is not None and theme.sources.get(token) == file,
            dark=token.endswith("_dark"),
        )
        for token, value in theme.tokens.items()
    )
    return Tokens(name, tokens, tuple(_lost(theme.tokens)), _sha256(file))


@dataclass(frozen=True, slots=True)
class Tried:
    """What a theme's tokens would be. ``errors`` are the reasons why some of the values are not among them."""

    tokens: Mapping[str, str]
    warnings: tuple[str, ...]
    errors: Mapping[str, ConfigurationError]


def try_tokens(desk: Desk, name: str | None, values: Mapping[str, str]) -> Tried:
    """What would hold, and what could not be read then, if tokens had these values; nothing is written."""
    now = read_tokens(desk, name)
    errors = dict(_refused({token.name: token for token in now.tokens}, values))
    tokens = {token.name: token.value for token in now.tokens}
    tokens |= {token: value for token, value in values.items() if token not in errors}
    return Tried(tokens, tuple(_lost(tokens)), errors)


def change_tokens(
    desk: Desk, name: str | None, values: Mapping[str, str | None], *, expected: str | None = None
) -> Tokens:
    """Change tokens, all of them or none; the tokens as they then are. None takes the workspace's own value out.

    What cannot be read then is in ``warnings`` and no error: ``check`` judges the mail. Raises Conflict when
    ``theme.toml`` is not the ``expected`` one any more, SettingsRefused with a reason for each token, IllegalState
    where the templates are the built-in ones, ThemeError.
    """
    name = name or desk.config.publication.theme
    if desk.workspace.templates.resolve() == builtin_templates().resolve():
        where = str(desk.workspace.templates)
        raise IllegalState(
            "this workspace's templates are the built-in ones", where=where, fix="edit them where they are"
        )
    if name.startswith(themes.BUILTIN):
        raise IllegalState(f"{name} is the built-in theme as it is", fix=f"change {name.removeprefix(themes.BUILTIN)}")
    now = read_tokens(desk, name)
    errors = dict(_refused({token.name: token for token in now.tokens}, values))
    if errors:
        raise SettingsRefused(errors)
    path = desk.workspace.templates / name / "theme.toml"
    with file_lock(desk.workspace.locks / "theme.lock", timeout=5.0):
        file = path if path.is_file() else None
        if expected is not None and _sha256(file) != expected:
            fix = "look at it as it is now, and change that"
            raise Conflict("it changed since you read it; nothing was written", where=str(path), fix=fix)
        write_atomic(path, _edited("" if file is None else file.read_bytes().decode("utf-8-sig"), values))
    trail.note(desk, "change theme", theme=name, tokens=sorted(values))
    return read_tokens(desk, name)


def _own_file(desk: Desk, name: str) -> Path | None:
    """The workspace's ``theme.toml`` of this theme; None where the built-in templates are the workspace's."""
    file = desk.workspace.templates / name / "theme.toml"
    shared = desk.workspace.templates.resolve() == builtin_templates().resolve()
    return None if shared or name.startswith(themes.BUILTIN) or not file.is_file() else file


def _below(desk: Desk, name: str) -> Mapping[str, str]:
    """The tokens without the workspace's own: of the built-in theme of that name, else of what it extends."""
    file = _own_file(desk, name)
    if file is None:
        return themes.load_theme(desk.workspace, name).tokens
    if (builtin_templates() / name).is_dir():
        return themes.load_theme(desk.workspace, f"{themes.BUILTIN}{name}").tokens
    extends = tomllib.loads(file.read_bytes().decode("utf-8-sig")).get("extends")
    return themes.load_theme(desk.workspace, extends).tokens if isinstance(extends, str) else {}


def _kind(name: str, value: str) -> Kind:
    if _COLOUR.fullmatch(value):
        return "colour"
    if name in _FONTS or name.startswith("mso_"):
        return "font"
    if _SIZE.fullmatch(value):
        return "size"
    return "switch" if value in ("yes", "no") else "text"


def _refused(known: Mapping[str, Token], values: Mapping[str, str | None]) -> Iterator[tuple[str, ConfigurationError]]:
    for name, value in values.items():
        token = known.get(name)
        if token is None:
            hint = did_you_mean(name, known) or f"the tokens are {', '.join(sorted(known))}"
            yield name, ConfigurationError(f"unknown token {name!r}", where="theme.toml", fix=hint)
        elif value is not None and not _fits(token.kind, value):
            what = f"{name}: {value[:60]!r} is no {token.kind}"
            yield name, ConfigurationError(what, where="theme.toml", fix=f"write {_WAYS[token.kind]}")


def _fits(kind: Kind, value: str) -> bool:
    match kind:
        case "colour":
            return _COLOUR.fullmatch(value) is not None
        case "font":
            # An apostrophe that is not closed would swallow the rest of the style sheet.
            return _FONT.fullmatch(value) is not None and value.count("'") % 2 == 0
        case "size":
            return _SIZE.fullmatch(value) is not None
        case "switch":
            return value in ("yes", "no")
    return len(value) <= 200 and value.isprintable()


def _edited(text: str, values: Mapping[str, str | None]) -> str:
    import tomlkit

    document = tomlkit.parse(text or f"api = {themes.API}\n")
    if not document.get("tokens"):
        document["tokens"] = tomlkit.table()
    tokens: Any = document["tokens"]
    for name, value in values.items():
        if value is None:
            tokens.pop(name, None)
        else:
            tokens[name] = value
    return tomlkit.dumps(document)


def _sha256(file: Path | None) -> str:
    try:
        return sha256_hex(b"" if file is None else file.read_bytes())
    except OSError as error:
        raise BadData(f"cannot read it: {error.strerror}", where=str(file)) from error


def _lost(tokens: Mapping[str, str]) -> Iterator[str]:
    """Every pair of words and ground that cannot be read, on light and dark screens and as Gmail repaints them."""
    for words, grounds in STANDS_ON.items():
        for ground in grounds:
            yield from _told(tokens, words, ground, "on a light screen", repainted=False)
            yield from _told(tokens, f"{words}_dark", f"{ground}_dark", "on a dark screen", repainted=False)
            yield from _told(tokens, words, ground, "in Gmail's dark mode", repainted=True)


def _told(tokens: Mapping[str, str], words: str, ground: str, where: str, *, repainted: bool) -> Iterator[str]:
    over, under = parse_colour(tokens.get(words, "")), parse_colour(tokens.get(ground, ""))
    if over is None or under is None:
        return
    seen = _repainted(over, under) if repainted else (over.rgb, under.rgb)
    ratio = contrast(*seen)
    if ratio < READABLE:
        shown = f"{tokens[words]} on {tokens[ground]}"
        yield f"{words} on {ground} ({shown}) {where} has a contrast of {int(ratio * 100) / 100:.2f}; 4.5 is needed"


def _repainted(over: Colour, under: Colour) -> tuple[Rgb, Rgb]:
    return gmail_dark.PAINT.text(over).rgb, gmail_dark.PAINT.ground(under).rgb
