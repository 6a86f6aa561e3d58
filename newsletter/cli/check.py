"""``newsletter check``."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.common import Cli, pass_cli

if TYPE_CHECKING:
    from newsletter.app.check import Role

_STYLES: dict[Role, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "note": {"fg": "cyan"},
    "waived": {"dim": True},
    "title": {"bold": True},
    "faint": {"dim": True},
    "good": {"fg": "green"},
}
_WIDEST = 100


@click.command(short_help="Check an issue; findings name the story and the field.")
@click.argument("slug", required=False)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "sarif", "github"]), default="text", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="Exit 1 when a finding weighs at least this much.",
)
@click.option("--online", is_flag=True, help="Ask every link and remote picture whether it answers.")
@click.option("--fix", is_flag=True, help="Put right in the issue's files what can be put right with certainty.")
@click.option("--explain", metavar="ID", help="Say why a check exists, with an example that fails and one that passes.")
@pass_cli
def check(
    cli: Cli, slug: str | None, form: str, as_json: bool, fail_on: str, online: bool, fix: bool, explain: str | None
) -> int:
    """Render the issue SLUG and check it as the reader, the mail clients and the law would."""
    from newsletter.app.check import check_issue, explain_check

    if explain:
        cli.say(explain_check(explain))
        return 0
    if not slug:
        raise click.UsageError("name the issue to check: newsletter check SLUG")
    with cli.desk() as desk:
        checked = check_issue(desk, slug, threshold=fail_on, online=online, fix=fix, say=cli.note)
    width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    click.echo(checked.formatted("json" if as_json else form, paint=_paint, width=width))
    return 1 if checked.blocked else 0


def _paint(text: str, role: Role) -> str:
    """Colours on a terminal only, and never against NO_COLOR (no-color.org)."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, **_STYLES[role])
