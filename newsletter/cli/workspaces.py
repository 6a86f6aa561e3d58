"""``newsletter init`` and ``newsletter demo``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from newsletter.app.words import plural
from newsletter.cli.common import Cli, pass_cli


@click.command(short_help="Make a new workspace.")
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", help="The publication's name; default: made from the folder's name.")
@click.option("--from", "sender", metavar="ADDRESS", help="The address that the newsletter is from.")
@click.option("--address", "postal", metavar="POSTAL", help="The postal address in the footer; the law asks for one.")
@pass_cli
def init(cli: Cli, folder: Path, name: str | None, sender: str | None, postal: str | None) -> None:
    """Make a new workspace in FOLDER (default: here): newsletter.toml, issues/, templates/ and keys."""
    from newsletter.app.workspaces import init_workspace

    workspace = init_workspace(folder, name=name, sender=sender, address=postal)
    inside = folder != Path()
    cli.say(f"Made a workspace in {workspace.root}.")
    cli.say("Mail goes into .newsletter/outbox on this machine until newsletter.toml names a provider.")
    cli.say("\nNext:")
    if inside:
        cli.say(f"  cd {folder}")
    cli.say("  newsletter article add STORY.txt    # a story file: text, Markdown or HTML")
    cli.say("  newsletter issue new 2026-11-27     # an issue is a folder under issues/")


@click.command(short_help="Build the sample issue and send it to a sample audience, on this machine.")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@pass_cli
def demo(cli: Cli, folder: Path | None) -> None:
    """Build the sample issue in a fresh FOLDER and send it to a sample audience, into an outbox here.

    Nothing leaves this machine. Without FOLDER a new temporary folder is used.
    """
    from newsletter.app.demo import run_demo

    shown = run_demo(folder, say=cli.say)
    cli.say("")
    cli.say(f"{shown.sentence}")
    cli.say("")
    cli.say("Look at it:")
    cli.say(f"  the mail as a page   {shown.html}")
    cli.say(f"  its text part        {shown.text}")
    cli.say(f"  the mails as sent    {shown.outbox}  ({plural(shown.mails, 'file')}, a Maildir)")
    command = "newsletter" if shutil.which("newsletter") else sys.argv[0]
    cli.say(f"  live, in a browser   {command} -C {shown.workspace} preview {shown.issue}")
