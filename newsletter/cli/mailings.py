"""``newsletter status``, ``pause``, ``resume``, ``cancel``, ``reconcile`` and ``adopt``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, ask, by_option, json_option, pass_cli, print_json, table


@click.command(short_help="What happened to an issue, and does the sum close.")
@click.argument("slug", required=False)
@json_option
@pass_cli
def status(cli: Cli, slug: str | None, as_json: bool) -> None:
    """Say in one sentence what happened to the issue SLUG; without SLUG, list all mailings."""
    from newsletter.app.mailings import all_statuses, issue_status

    with cli.desk() as desk:
        if slug:
            one = issue_status(desk, slug)
            if as_json:
                print_json("status", one.as_row())
            else:
                for line in one.lines():
                    cli.say(line)
            return
        rows = all_statuses(desk)
    if as_json:
        print_json("status", {"issues": [row.as_row() for row in rows]})
    elif not rows:
        cli.say("Nothing is approved, scheduled or sent. Next: newsletter approve SLUG")
    else:
        cli.say(table([(row.issue, row.state, row.when, row.sentence) for row in rows]))


@click.command(short_help="Stop a mailing after the mails in flight.")
@click.argument("slug")
@by_option
@pass_cli
def pause(cli: Cli, slug: str) -> None:
    """Pause the mailing of SLUG: mails in flight finish, the rest wait for `newsletter resume`."""
    from newsletter.app.mailings import pause_mailing

    with cli.desk() as desk:
        cli.say(pause_mailing(desk, slug))


@click.command(short_help="Go on with a paused mailing, or release a held one.")
@click.argument("slug")
@by_option
@pass_cli
def resume(cli: Cli, slug: str) -> None:
    """Let a paused or held mailing go on: the next `newsletter run-due` (or `send`) takes it up."""
    from newsletter.app.mailings import resume_mailing

    with cli.desk() as desk:
        cli.say(resume_mailing(desk, slug))


@click.command(short_help="End a mailing; whoever has not got it will not.")
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option
@pass_cli
def cancel(cli: Cli, slug: str, yes: bool) -> None:
    """Cancel the mailing of SLUG for everybody who has not got it yet. This cannot be taken back."""
    from newsletter.app.mailings import cancel_mailing, issue_status

    with cli.desk() as desk:
        if not yes:
            cli.say(issue_status(desk, slug).sentence)
            ask(f"Cancel {slug} for everybody who has not got it yet?")
        cli.say(cancel_mailing(desk, slug))


@click.command(short_help="Settle the deliveries whose outcome is not known.")
@click.argument("slug")
@click.option("--went-out", "went_out", multiple=True, metavar="ADDRESS", help='It arrived; "all" for every one.')
@click.option("--send-again", "again", multiple=True, metavar="ADDRESS", help='It did not; "all" for every one.')
@by_option
@json_option
@pass_cli
def reconcile(cli: Cli, slug: str, went_out: tuple[str, ...], again: tuple[str, ...], as_json: bool) -> int:
    """List the uncertain deliveries of SLUG, and settle them by your word.

    Look into the provider's log first: --went-out marks them as submitted, --send-again lets them go out again.
    """
    from newsletter.app.mailings import reconcile_mailing

    with cli.desk() as desk:
        settled = reconcile_mailing(desk, slug, went_out=went_out, again=again)
    if as_json:
        print_json("reconcile", settled.as_row())
    else:
        for line in settled.lines():
            cli.say(line)
    return 1 if settled.open_rows else 0


@click.command(short_help="Make this installation the one that may send.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option
@pass_cli
def adopt(cli: Cli, yes: bool) -> None:
    """Make this copy of the workspace the one that may send to the audience.

    Only one may: two copies have two ledgers, and each would send to everybody.
    """
    from newsletter.app.mailings import adopt_installation

    if not yes:
        ask("Is every other copy of this workspace out of use for sending?")
    with cli.desk() as desk:
        cli.say(adopt_installation(desk))
