"""``newsletter next``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json


@click.command("next", short_help="What goes when, and what is missing.")
@json_option
@pass_cli
def next_(cli: Cli, as_json: bool) -> None:
    """Say what is scheduled, what is held or paused, which issue of the next 14 days is not approved, and whether
    cron comes."""
    from newsletter.app.next import outlook

    with cli.desk() as desk:
        found = outlook(desk)
    if as_json:
        print_json("next", found.as_row())
    else:
        for line in found.lines():
            cli.say(line)
