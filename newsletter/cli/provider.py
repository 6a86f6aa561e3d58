"""``newsletter provider``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json, table


@click.group(short_help="Providers: list them, check the configured one.")
def provider() -> None:
    """Providers: list them, check the configured one."""


@provider.command("list", short_help="List the providers.")
@json_option
@pass_cli
def list_(cli: Cli, as_json: bool) -> None:
    """List the providers that newsletter.toml can name; a star marks the configured one."""
    from newsletter.app.providers import list_providers

    with cli.desk() as desk:
        rows = list_providers(desk)
    if as_json:
        print_json("provider-list", {"providers": [{"name": n, "configured": mark == "*"} for mark, n in rows]})
        return
    cli.say(table(rows))


@provider.command(short_help="Show the DNS records of our DKIM keys.")
@json_option
@pass_cli
def dkim(cli: Cli, as_json: bool) -> None:
    """Print the TXT records that your DNS must have, so that readers' mail servers can verify our signatures."""
    from newsletter.app.providers import dkim_records

    with cli.desk() as desk:
        records = dkim_records(desk)
    if as_json:
        print_json(
            "provider-dkim", {"records": [{"name": name, "type": "TXT", "text": text} for name, text in records]}
        )
        return
    for name, text in records:
        cli.say(f"{name} TXT")
        cli.say(f"  {text}")


@provider.command(short_help="Check the configured provider without sending.")
@pass_cli
def check(cli: Cli) -> int:
    """Connect to the configured provider, sign in, and say what is wrong, if anything. Sends nothing."""
    from newsletter.app.providers import check_provider

    with cli.desk() as desk:
        name, problems = check_provider(desk)
    for problem in problems:
        cli.note(problem)
    cli.say(f"{name}: {'ready' if not problems else 'not ready'}.")
    return 1 if problems else 0
