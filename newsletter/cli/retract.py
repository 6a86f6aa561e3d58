"""``newsletter retract``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json


@click.command(short_help="Take a story off the web copy of an issue, at once.")
@click.argument("slug")
@click.argument("article")
@click.option("--reason", metavar="TEXT", help="Readers see it on the web copy, after the date.")
@click.option("--by", metavar="NAME", help="Who withdraws it; default: the user at this machine.")
@click.option("--undo", is_flag=True, help="Put it back, with its pictures.")
@json_option
@pass_cli
def retract(cli: Cli, slug: str, article: str, reason: str | None, by: str | None, undo: bool, as_json: bool) -> None:
    """Take the story ARTICLE off the web copy of the issue SLUG, and its pictures off the public pages.

    A dated note stands in its place. Mails that readers have are not changed, and neither are the approved files.
    """
    from newsletter.app.retract import restore_story, retract_story

    if undo and reason:
        raise click.UsageError("--undo takes no --reason")
    with cli.desk() as desk:
        if undo:
            done = restore_story(desk, slug, article, by=by)
        else:
            done = retract_story(desk, slug, article, reason=reason, by=by)
    if as_json:
        print_json("retract", done.as_row())
        return
    for line in done.lines():
        cli.say(line)
