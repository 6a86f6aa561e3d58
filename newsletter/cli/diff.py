"""``newsletter diff``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json


@click.command(short_help="What changed since a test or the approval: words, links, pictures.")
@click.argument("slug")
@click.argument("against", required=False, metavar="[test-N|approved]")
@click.option(
    "--html",
    "page",
    is_flag=False,
    flag_value="",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="[FILE]",
    help="Write it as a page; default FILE: .newsletter/build/SLUG/diff.html.",
)
@click.option("--exit-code", is_flag=True, help="Exit 1 when something differs.")
@json_option
@pass_cli
def diff(cli: Cli, slug: str, against: str | None, page: Path | None, exit_code: bool, as_json: bool) -> int:
    """Show what changed between the issue SLUG as it is now and what a test sent, or what was approved.

    Without the second argument it is the last test or the approval, whichever is newer.
    """
    from newsletter.app.diff import diff_issue, is_version, write_page
    from newsletter.app.diff_text import as_text

    if page is not None and against is None and is_version(page.name):
        # "--html test-3": the option took the word that follows it.
        against, page = str(page), Path()
    with cli.desk() as desk:
        found = diff_issue(desk, slug, against)
        written = None if page is None else write_page(desk, found, page if page.name else None)
    if as_json:
        print_json("diff", {**found.as_row(), "page": str(written) if written else None})
    else:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        for line in as_text(found, colour=colour):
            cli.say(line)
        if written:
            cli.say(f"The page: {written}")
    return 1 if exit_code and found.different else 0
