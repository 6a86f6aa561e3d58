"""``newsletter check``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, pass_cli


@click.command(short_help="Check an issue; findings name the story and the field.")
@click.argument("slug", required=False)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "sarif", "github"]), default="text", show_default=True
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="Exit 1 when a finding weighs at least this much.",
)
@click.option("--explain", metavar="ID", help="Say why a check exists, with an example that fails and one that passes.")
@pass_cli
def check(cli: Cli, slug: str | None, form: str, fail_on: str, explain: str | None) -> int:
    """Render the issue SLUG and check it as the reader, the mail clients and the law would."""
    from newsletter.app.check import check_issue, explain_check

    if explain:
        cli.say(explain_check(explain))
        return 0
    if not slug:
        raise click.UsageError("name the issue to check: newsletter check SLUG")
    with cli.desk() as desk:
        checked = check_issue(desk, slug, threshold=fail_on)
    click.echo(checked.formatted(form))
    return 1 if checked.blocked else 0
