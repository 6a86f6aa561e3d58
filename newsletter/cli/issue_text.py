"""``newsletter issue text``: the text part of an issue, and writing it oneself."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, ask, json_option, pass_cli, print_json


@click.command(short_help="Print the text part, or write it yourself.")
@click.argument("slug")
@click.option(
    "--write", "doing", flag_value="write", help="Make issues/SLUG/email.txt from the generated text, to edit."
)
@click.option(
    "--confirm", "doing", flag_value="confirm", help="Say that email.txt is right for the stories as they are."
)
@click.option("--drop", "doing", flag_value="drop", help="Take email.txt away: the text part is generated again.")
@click.option("--overwrite", is_flag=True, help="With --write: make it anew where there is one.")
@click.option("--yes", is_flag=True, help="With --drop: do not ask.")
@json_option
@pass_cli
def text(cli: Cli, slug: str, doing: str | None, overwrite: bool, yes: bool, as_json: bool) -> None:
    """Print the text part of the issue SLUG as it would be sent; or write it yourself, in issues/SLUG/email.txt."""
    from newsletter.app import owntext

    if (overwrite and doing != "write") or (yes and doing != "drop") or (as_json and doing):
        raise click.UsageError("--overwrite goes with --write, --yes with --drop, and --json with neither")
    file = f"issues/{slug}/email.txt"
    with cli.desk() as desk:
        if doing == "write":
            owntext.write_text(desk, slug, overwrite=overwrite)
            cli.say(f"Made {file}. It is sent line for line as it stands there.")
            cli.say(f"When stories change: edit it, then newsletter issue text {slug} --confirm")
        elif doing == "confirm":
            owntext.confirm_text(desk, slug)
            cli.say(f"{file} is right for the stories as they are now.")
        elif doing == "drop":
            asked_about = owntext.droppable_text(desk, slug)
            if not yes:
                ask(f"Delete {file} and send the generated text?")
            owntext.drop_text(desk, slug, expected=asked_about)
            cli.say(f"{file} is gone; the text part of {slug} is generated.")
        else:
            shown = owntext.show_text(desk, slug)
            if as_json:
                print_json("issue-text", shown.as_row())
                return
            click.echo(shown.text, nl=False)
            for note in shown.notes:
                cli.note(note)
