"""``newsletter shots``."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json
from newsletter.cli.progress import Progress


@click.command(short_help="Take pictures of an issue in every mail client.")
@click.argument("slug")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Default: .newsletter/build/SLUG/shots.")
@click.option(
    "--chromium",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The browser; default: NEWSLETTER_CHROMIUM, else Chromium, Chrome or Edge on the PATH.",
)
@json_option
@pass_cli
def shots(cli: Cli, slug: str, out: Path | None, chromium: Path | None, as_json: bool) -> None:
    """Take pictures of the issue SLUG as each mail client shows it, at 600 and 360 pixels, into one page to look at.

    Approximations, taken by an installed Chromium that reaches nothing. Give the folder to a colleague as it is.
    """
    from newsletter.app.shots import shoot_issue

    with cli.desk() as desk, Progress(enabled=not cli.quiet and not as_json, unit="pictures") as progress:
        taken = shoot_issue(desk, slug, out=out, browser=chromium, progress=progress)
    if as_json:
        print_json("shots", taken.report)
        return
    cli.say(f"{taken.count} pictures of {slug} in {len(taken.looks)} forms: {taken.index}")
