"""``newsletter cron``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json


@click.command(short_help="Print the crontab line and the systemd timer for this workspace.")
@click.option("--crontab", "only", flag_value="crontab", default=None, help="Only the line of the crontab.")
@click.option("--systemd", "only", flag_value="systemd", help="Only the systemd service and timer.")
@json_option
@pass_cli
def cron(cli: Cli, only: str | None, as_json: bool) -> None:
    """Print what runs `newsletter run-due` every minute on this machine. Nothing is installed."""
    from newsletter.app.cron import cron as lines_of

    with cli.desk() as desk:
        found = lines_of(desk)
    if as_json:
        print_json("cron", found.as_row())
        return
    chosen = {"crontab": found.crontab_lines, "systemd": found.systemd_lines}
    for line in (chosen[only] if only else found.lines)():
        click.echo(line)
