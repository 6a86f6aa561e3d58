"""``newsletter audit``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json


@click.command(short_help="Who approved and sent what when, and the proof.")
@click.argument("slug")
@json_option
@pass_cli
def audit(cli: Cli, slug: str, as_json: bool) -> int:
    """Replay the issue SLUG in time order, and prove by digest that what was submitted is what was approved.

    The frozen files are hashed anew. Exit code 1 when anything differs.
    """
    from newsletter.app.audit import audit_issue

    with cli.desk() as desk:
        found = audit_issue(desk, slug)
    if as_json:
        print_json("audit", found.as_row())
    else:
        for line in found.lines():
            cli.say(line)
    return 0 if found.proved else 1
