"""``newsletter people``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, ask, by_option, json_option, pass_cli, print_json, table


@click.group(short_help="People of the composer: who they are, who is signed in.")
def people() -> None:
    """People who may sign in to the composer, as [composer] people in newsletter.toml names them."""


@people.command("list", short_help="List people, their roles and whether they are signed in.")
@json_option
@pass_cli
def list_(cli: Cli, as_json: bool) -> None:
    """List everybody in [composer] people with their role, and since when they are signed in."""
    from newsletter.app.signin import list_people

    with cli.desk() as desk:
        rows = list_people(desk)
    if as_json:
        print_json("people-list", {"people": [row.as_row() for row in rows]})
    elif not rows:
        cli.say("Nobody: the composer answers this machine only. Name people under [composer] in newsletter.toml.")
    else:
        cli.say(table([(row.person.email, row.person.name, row.person.role, row.words) for row in rows]))


@people.command("sign-out", short_help="End somebody's sessions, on every device.")
@click.argument("address", required=False)
@click.option("--all", "everybody", is_flag=True, help="Everybody's.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option
@pass_cli
def sign_out(cli: Cli, address: str | None, everybody: bool, yes: bool) -> None:
    """End all sessions of ADDRESS, and the links that were mailed and not used. Who shall not come back at all is taken
    out of [composer] people."""
    from newsletter.app.signin import end
    from newsletter.app.words import plural

    if (address is None) is not everybody:
        raise click.UsageError("name an ADDRESS, or say --all")
    if everybody and not yes:
        ask("Sign everybody out?")
    with cli.desk() as desk:
        cli.say(f"Ended {plural(end(desk, email=address), 'session')}.")
