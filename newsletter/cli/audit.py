"""``newsletter audit``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json


@click.command(short_help="Who approved and sent what when, and the proof.")
@click.argument("slug", required=False)
@click.option("--all", "everything", is_flag=True, help="Who did what where, in all issues and in none.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True, help="With --all: so many.")
@click.option("--before", type=click.IntRange(1), metavar="KEY", help="With --all: further back, as it says itself.")
@json_option
@pass_cli
def audit(cli: Cli, slug: str | None, everything: bool, limit: int, before: int | None, as_json: bool) -> int:
    """Replay the issue SLUG in time order, and prove by digest that what was submitted is what was approved.

    The frozen files are hashed anew. Exit code 1 when anything differs. With --all, no proof: the last things that were
    done, to issues, readers, settings and sign-ins, the newest below.
    """
    from newsletter.app.audit import audit_issue
    from newsletter.app.trail import read_trail

    if (slug is None) is not everything:
        raise click.UsageError("name an issue, or say --all")
    with cli.desk() as desk:
        if slug is None:
            trail = read_trail(desk, limit=limit, before=before)
            lines, row, proved = trail.lines(), trail.as_row(), True
        else:
            found = audit_issue(desk, slug)
            lines, row, proved = found.lines(), found.as_row(), found.proved
    if as_json:
        print_json("audit-all" if slug is None else "audit", row)
    else:
        for line in lines:
            cli.say(line)
    return 0 if proved else 1
