"""``newsletter report``."""

from __future__ import annotations

import sys

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json


@click.command(short_help="What became of an issue, in numbers.")
@click.argument("slug")
@json_option
@pass_cli
def report(cli: Cli, slug: str, as_json: bool) -> None:
    """Say what became of the issue SLUG and its corrections: delivered, bounced, unsubscribed, by hour and by domain.

    What nobody told us is "unknown", never nought.
    """
    from newsletter.app.report import report_issue, report_lines

    with cli.desk() as desk:
        found = report_issue(desk, slug)
    if as_json:
        print_json("report", found.as_row())
        return
    for line in report_lines(found, bars=sys.stdout.isatty()):
        cli.say(line)
