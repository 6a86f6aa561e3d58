"""What every command module shares: the global options, output that respects them, options used twice."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from newsletter.app.desk import Desk

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Cli:
    """The global options of one call."""

    workspace: Path | None = None
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    by: str | None = None
    """Who does it, as ``--by`` says; None: the user of this machine."""

    @contextlib.contextmanager
    def desk(self) -> Iterator[Desk]:
        """Open the workspace for one command and close it after."""
        from newsletter.app.desk import open_desk

        with open_desk(self.workspace) as desk:
            if self.by:
                desk.actor = self.by
            yield desk

    def say(self, text: str = "") -> None:
        """Print a line of ordinary output, unless ``--quiet``."""
        if not self.quiet:
            click.echo(text)

    def note(self, text: str) -> None:
        """Print something the editor should know, on stderr so that piped output stays clean."""
        if not self.quiet:
            click.secho(text, fg="yellow", err=True)


pass_cli = click.make_pass_decorator(Cli)


def json_option(function: F) -> F:
    """``--json``: print one object instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(function)


def by_option(function: F) -> F:
    """``--by NAME``: whom the audit names, instead of the user at this machine."""

    def remember(ctx: click.Context, parameter: click.Parameter, name: str | None) -> None:
        if name is not None:
            if not name.strip() or any(ord(letter) < 32 for letter in name):
                raise click.BadParameter("write a name on one line")
            ctx.obj = replace(ctx.find_object(Cli) or Cli(), by=name.strip())

    help_text = "Who does this, for the audit; default: the user at this machine."
    return click.option("--by", metavar="NAME", help=help_text, expose_value=False, callback=remember)(function)


def pairs_of(words: Sequence[str], form: str) -> dict[str, str]:
    """Words such as ``NAME=VALUE`` as a mapping; ``form`` is how they are to be written, for the error (2)."""
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"{word!r} is not {form}")
        pairs[name] = value
    return pairs


def ask(question: str) -> None:
    """Ask yes or no; raises NeedsEditor on a no, and where there is nobody to ask."""
    from newsletter.errors import NeedsEditor

    if not sys.stdin.isatty():
        raise NeedsEditor(f"nobody is here to answer: {question}", fix="say it with --yes")
    if not click.confirm(question):
        raise NeedsEditor("stopped; nothing was done")


def print_json(command: str, payload: Mapping[str, Any]) -> None:
    """Print ``{"schema": "newsletter/<command>/1", …}``; the schema's fields are only ever added to."""
    import json

    click.echo(json.dumps({"schema": f"newsletter/{command}/1", **payload}, ensure_ascii=False, indent=2, default=str))


def table(rows: Sequence[Sequence[str]], *, indent: int = 0) -> str:
    """Set rows in columns two blanks apart; the last column is left ragged."""
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)] + [row[-1]]
        lines.append((" " * indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)
