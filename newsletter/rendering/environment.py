"""Themes as templates: a sandbox without clock, files or chance, and errors that name file, line and story."""

from __future__ import annotations

import re
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from dataclasses import fields, replace
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.environment import Environment, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace

from newsletter.errors import ThemeError, did_you_mean
from newsletter.rendering import shown
from newsletter.rendering.shown import Marks
from newsletter.workspace.builtin import builtin_templates
from newsletter.workspace.themes import Theme

_BUILTIN = "builtin/"
_HTML = ".html.j2"
_MAX_TEMPLATE = 1024 * 1024
_UNWANTED_FILTERS = ("random",)
# What a template's own expressions can raise besides Jinja's errors: 1/0, a missing key, a wrong argument.
_TEMPLATE_FAULTS = (
    TemplateError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    RecursionError,
    MemoryError,
)

_NO_ATTRIBUTE = re.compile(r"'newsletter\.rendering\.shown\.(\w+) object' has no attribute '(\w+)'")

_COMPILED: dict[tuple[str, str, int, int], CodeType] = {}
_COMPILED_LIMIT = 256
_LOCK = threading.Lock()


class Templates:
    """The files of one theme during one rendering: each is looked up once, so an edit in between cannot split it."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._found: dict[str, Path | None] = {}

    def find(self, name: str) -> Path | None:
        """The file that a template means by ``name``, or None.

        A theme's name in front means that theme's folder, also when this theme has a file of the same path;
        ``builtin/weekly/…`` means the built-in one; else the theme's folders are searched in order.
        """
        if name not in self._found:
            self._found[name] = _look_up(self.theme, name)
        return self._found[name]

    def place(self, name: str) -> str:
        """The file's path for a message; the theme's name when it has no such file."""
        return str(self.find(name) or self.theme.name)

    def render(self, name: str, variables: Mapping[str, object], marks: Marks | None = None) -> str:
        """Render one file of the theme with its ``extends`` and ``include``.

        Every variable is a global: imported macros see them too. ``.html.j2`` is escaped, other files are not.
        Raises ThemeError with file and line, and the story that ``marks`` has open.
        """
        environment = _environment(self, variables, css=name.endswith(".css"))
        try:
            return environment.get_template(name).render()
        except ThemeError as error:
            if error.where is None:
                error.where = self._line(error, name)
            raise
        except _TEMPLATE_FAULTS as error:
            raise self._translated(error, name, marks) from error

    def css(self, name: str, variables: Mapping[str, object]) -> str:
        """A style sheet of the theme with ``{{ tokens.… }}`` filled in; "" when the theme has none of that name.

        ``{#`` is no comment here: ``@media …{#id{…}}`` is CSS.
        """
        return self.render(name, variables) if self.find(name) else ""

    def _translated(self, error: BaseException, name: str, marks: Marks | None) -> ThemeError:
        fix = "correct the template at that line"
        if isinstance(error, TemplateSyntaxError):
            what = f"the template does not parse: {error.message}"
        elif isinstance(error, TemplateNotFound):
            what = f"there is no template {error.name!r}"
            fix = "write the file, or correct the name in extends, include or import"
        elif isinstance(error, UndefinedError):
            missing, near = _missing(error.message or "")
            what = f"the template asks for something that is not there: {missing}"
            fix = f"{near}docs/themes.md lists the variables of a template"
        elif isinstance(error, RecursionError):
            what = "the template includes or extends itself without end"
            fix = "to build on the built-in file of the same name, extend builtin/THEME/FILE"
        else:
            what = f"the template failed: {str(error) or type(error).__name__}"
        story = (marks.current if marks else None) or _story_in(error)
        if story is not None:
            what = f"{what} (while setting the story {story})"
        return ThemeError(what, where=self._line(error, name), fix=fix)

    def _line(self, error: BaseException, name: str) -> str:
        """``file:line`` of the innermost template line; the file asked for when no line ran before the error."""
        if isinstance(error, TemplateSyntaxError) and error.filename:
            return f"{error.filename}:{error.lineno}"
        files = {str(path) for path in self._found.values() if path}
        # Jinja rewrites tracebacks so that a frame of compiled code names the template's own file and line.
        frames = [frame for frame in traceback.extract_tb(error.__traceback__, limit=-200) if frame.filename in files]
        return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else self.place(name)


def _missing(message: str) -> tuple[str, str]:
    """Jinja's message in the words of the documents, and a hint when a name is nearly right."""
    found = _NO_ATTRIBUTE.fullmatch(message)
    kind = getattr(shown, found[1], None) if found else None
    if found is None or kind is None:
        return message, ""
    names = [field.name for field in fields(kind) if not field.name.startswith("_")]
    hint = did_you_mean(found[2], names)
    name = found[1].removeprefix("Shown").lower()
    return f"{name} has no attribute '{found[2]}'", f"{hint} " if hint else ""


def _story_in(error: BaseException) -> str | None:
    """The story that a template was busy with before it said so: an article among the names of its innermost lines."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames[-200:]):
        found = [value for value in frame.f_locals.values() if isinstance(value, shown.ShownArticle)]
        if found:
            return found[-1].slug
    return None


def _look_up(theme: Theme, name: str) -> Path | None:
    if name.startswith(_BUILTIN):
        return _only(theme, builtin_templates()).find(name.removeprefix(_BUILTIN))
    front, _, rest = name.partition("/")
    named = [folder for folder in theme.folders if folder.name == front]
    if rest and named and (found := _only(theme, *named).find(rest)):
        return found
    return theme.find(name)


def _only(theme: Theme, *folders: Path) -> Theme:
    return replace(theme, folders=folders)


def _environment(templates: Templates, variables: Mapping[str, object], *, css: bool) -> Environment:
    """One per rendering, so that two issues in two threads share compiled code and nothing else."""
    environment = ImmutableSandboxedEnvironment(
        loader=_Loader(templates),
        undefined=StrictUndefined,
        autoescape=_is_html,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=64,
        auto_reload=False,
        comment_start_string="/*#" if css else "{#",
        comment_end_string="#*/" if css else "#}",
    )
    environment.globals = {"range": environment.globals["range"], "cycler": Cycler, "joiner": Joiner}
    environment.globals |= {"namespace": Namespace, **variables}
    for unwanted in _UNWANTED_FILTERS:
        del environment.filters[unwanted]
    return environment


def _is_html(name: str | None) -> bool:
    return name is not None and name.endswith(_HTML)


class _Loader(BaseLoader):
    """Looks a name up in the theme's folders; compiled code is kept by file, size and time of change."""

    def __init__(self, templates: Templates) -> None:
        self.templates = templates

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,
    ) -> Template:
        path = self.templates.find(name)
        if path is None:
            raise TemplateNotFound(name)
        code = _compiled(environment, name, path)
        return environment.template_class.from_code(environment, code, environment.make_globals(globals))


def _compiled(environment: Environment, name: str, path: Path) -> CodeType:
    state = path.stat()
    key = (name, str(path), state.st_size, state.st_mtime_ns)
    with _LOCK:
        known = _COMPILED.get(key)
    if known is not None:
        return known
    if state.st_size > _MAX_TEMPLATE:
        raise ThemeError(f"the file has {state.st_size:,} bytes", where=str(path), fix="a template is at most 1 MiB")
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ThemeError("cannot be read as UTF-8", where=str(path), fix="save it as UTF-8") from error
    code = environment.compile(source, name, str(path))
    with _LOCK:
        if len(_COMPILED) >= _COMPILED_LIMIT:
            _COMPILED.clear()
        _COMPILED[key] = code
    return code
