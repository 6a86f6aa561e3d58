"""``newsletter media``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json


@click.group(short_help="Hosted pictures: copy them to your web server or a bucket.")
def media() -> None:
    """Hosted pictures: copy them to your web server or a bucket."""


@media.command(short_help="Copy the hosted pictures into a folder or a bucket.")
@click.argument("place", required=False)
@click.option("--to", metavar="PLACE", help="The same as PLACE.")
@click.option("--dry-run", is_flag=True, help="Say what would be copied; copy nothing.")
@json_option
@pass_cli
def publish(cli: Cli, place: str | None, to: str | None, dry_run: bool, as_json: bool) -> None:
    """Copy the hosted pictures to PLACE: those that are missing there, or differ in size.

    PLACE is the folder whose files stand under your site's /m/, or s3://BUCKET/FOLDER. A picture appears whole or not
    at all, and nothing is deleted. Running it again does only what is left. A bucket needs the extra s3
    (pip install 'newsletter[s3]'); its keys, region and endpoint come from AWS's own variables and files.
    """
    from newsletter.app.publish import copy_media
    from newsletter.app.words import plural

    if not (place or to) or (place and to):
        raise click.UsageError("name one place: a folder, or s3://BUCKET/FOLDER.")
    with cli.desk() as desk:
        done = copy_media(desk, place or to or "", dry_run=dry_run)
    if as_json:
        print_json("media-publish", done.as_row())
        return
    would = "would be " if dry_run else ""
    for word, names in (("copied", done.copied), ("replaced", done.replaced)):
        for name in names:
            cli.say(f"{would}{word}  {name}")
    new = plural(len(done.copied) + len(done.replaced), "picture")
    for name in done.withdrawn:
        cli.note(f"{name} was withdrawn with its story and is still there: delete it")
    cli.say(f"{new} {would}copied to {done.to}, {done.unchanged} there already")
