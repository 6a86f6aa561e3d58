"""``newsletter send`` and ``run-due``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, ask, by_option, json_option, pass_cli, print_json
from newsletter.cli.progress import Progress, stop_on_sigterm


@click.command(short_help="Send an approved issue.")
@click.argument("slug")
@click.option("--dry-run", is_flag=True, help="Say who would get it, who not and why; send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option
@json_option
@pass_cli
def send(cli: Cli, slug: str, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Send the approved issue SLUG to its audience and wait until the sum closes."""
    from newsletter.app.send import plan_preview, send_issue

    with cli.desk() as desk:
        preview = plan_preview(desk, slug)
        if dry_run or (preview.question and not yes):
            if as_json and dry_run:
                print_json("send-dry-run", preview.as_row())
            else:
                for line in preview.lines():
                    cli.say(line)
        if dry_run:
            return 0
        if preview.question and not yes:
            ask(preview.question)
        if preview.undo_line and not as_json:
            cli.say(preview.undo_line)
        with stop_on_sigterm() as stop, Progress(enabled=not cli.quiet and not as_json) as progress:
            sent = send_issue(desk, slug, stop=stop, shown=progress)
    if as_json:
        print_json("send", sent.as_row())
    else:
        for line in sent.lines():
            cli.say(line)
    return 1 if sent.needs_editor else 0


@click.command("run-due", short_help="Send whatever is due; for cron, every minute.")
@json_option
@pass_cli
def run_due(cli: Cli, as_json: bool) -> int:
    """Send every mailing that is due. Safe to call as often as you like; silent when there is nothing to do."""
    from newsletter.app.send import run_due

    with cli.desk() as desk, stop_on_sigterm() as stop:
        with Progress(enabled=not cli.quiet and not as_json) as progress:
            report = run_due(desk, stop=stop, shown=progress)
        if as_json:
            print_json("run-due", report.as_row())
        else:
            for line in report.lines():
                cli.say(line)
        if report.error is not None:
            raise report.error
    return 1 if report.needs_editor else 0
