"""``newsletter build``."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.app.words import plural
from newsletter.cli.common import Cli, json_option, pass_cli, print_json, table


@click.command(short_help="Render an issue to HTML, text and images.")
@click.argument("slug")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Default: .newsletter/build/SLUG.")
@json_option
@pass_cli
def build(cli: Cli, slug: str, out: Path | None, as_json: bool) -> None:
    """Render the issue SLUG into a folder: email.html, email.txt, email.eml, media/ and build.json."""
    from newsletter.app.build import build_issue

    with cli.desk() as desk:
        built = build_issue(desk, slug, out=out)
    if as_json:
        print_json("build", built.report)
        return
    cli.say(f"Built {slug} in {built.seconds:.2f} s: {built.folder}")
    cli.say(f"  {built.kilobytes:.1f} KB of HTML; {built.room:.1f} KB left before Gmail clips at 102 KB")
    cli.say(f"  {plural(built.images, 'image')}, {plural(built.fields, 'merge field')}")
    if cli.verbose:
        cli.say(table([(name, f"{size / 1024:.1f} KB") for name, size in built.sizes.items()], indent=2))
