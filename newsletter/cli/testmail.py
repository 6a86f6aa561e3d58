"""``newsletter test``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json


@click.command(short_help="Send a test mail of an issue.")
@click.argument("slug")
@click.option("--to", "receivers", multiple=True, metavar="ADDRESS", help="Who gets it; default: [test] to.")
@click.option("--as", "reader", metavar="ADDRESS", help="With this subscriber's merge values.")
@click.option("--exact", is_flag=True, help="With the true subject, without the [TEST …] mark.")
@json_option
@pass_cli
def test(cli: Cli, slug: str, receivers: tuple[str, ...], reader: str | None, exact: bool, as_json: bool) -> None:
    """Send the issue SLUG as it is now to a few addresses, outside the ledger.

    The subject is marked "[TEST 3 · a41f]" so that mail clients do not fold it into an earlier one; its
    unsubscribe link does nothing.
    """
    from newsletter.app.testmail import send_test

    with cli.desk() as desk:
        sent = send_test(desk, slug, receivers, reader=reader, exact=exact)
    if as_json:
        print_json("test", sent.as_row())
        return
    for line in sent.lines():
        cli.say(line)
