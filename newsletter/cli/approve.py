"""``newsletter approve`` and ``unapprove``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, by_option, json_option, pass_cli, print_json


@click.command(short_help="Freeze an issue for sending, now or at a time.")
@click.argument("slug")
@click.option(
    "--send-at", metavar="WHEN", help='"now", "07:00", "Fri 07:00" or "2026-11-27 07:00", in the publication\'s zone.'
)
@click.option("--by", "approver", metavar="NAME", help="Who approves; default: the user at this machine.")
@click.option("--note", metavar="TEXT", help="Kept with the approval.")
@json_option
@pass_cli
def approve(cli: Cli, slug: str, send_at: str | None, approver: str | None, note: str | None, as_json: bool) -> None:
    """Freeze the issue SLUG: from here on these very bytes are what is sent.

    With --send-at it is scheduled and `newsletter run-due` (cron) sends it; without, `newsletter send SLUG` does.
    """
    from newsletter.app.approve import approve_issue

    with cli.desk() as desk:
        done = approve_issue(desk, slug, send_at=send_at, approver=approver, note=note)
    if as_json:
        print_json("approve", done.as_row())
        return
    for line in done.lines():
        cli.say(line)


@click.command(short_help="Stop the presses: take an approval back.")
@click.argument("slug")
@by_option
@pass_cli
def unapprove(cli: Cli, slug: str) -> None:
    """Take the approval of SLUG back, as long as no mail of it has left."""
    from newsletter.app.approve import unapprove_issue

    with cli.desk() as desk:
        cli.say(unapprove_issue(desk, slug))
