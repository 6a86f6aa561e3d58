"""``newsletter media``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json


@click.group(short_help="Hosted pictures: copy them to your web server.")
def media() -> None:
    """Hosted pictures: copy them to your web server."""


@media.command(short_help="Copy the hosted pictures into a folder.")
@click.option("--to", required=True, metavar="DIR", help="The folder whose files stand under your site's /m/.")
@json_option
@pass_cli
def publish(cli: Cli, to: str, as_json: bool) -> None:
    """Copy the hosted pictures into DIR: those that are missing there, or differ in size.

    A picture appears whole or not at all, and nothing is deleted. Running it again does only what is left.
    """
    from newsletter.app.publish import copy_media
    from newsletter.app.words import plural

    with cli.desk() as desk:
        done = copy_media(desk, to)
    if as_json:
        print_json("media-publish", done.as_row())
        return
    for word, names in (("copied", done.copied), ("replaced", done.replaced)):
        for name in names:
            cli.say(f"{word}  {name}")
    new = plural(len(done.copied) + len(done.replaced), "picture")
    cli.say(f"{new} copied to {done.to}, {done.unchanged} there already")
