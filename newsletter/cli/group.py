"""The ``newsletter`` group: global options, and commands that are imported only when they are used.

``newsletter --help`` must be quick (an editor types it often, cron pays for it every minute), so the table
below carries each command's one-line help and no module is loaded to print it. A test holds the two equal.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

import click

from newsletter import __version__
from newsletter.cli.common import Cli

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("workspaces:init", "Make a new workspace."),
    "demo": ("workspaces:demo", "Build the sample issue and send it to a sample audience, on this machine."),
    "article": ("article:article", "Stories: add them to the inbox, look at them, set a field."),
    "source": ("source:source", "Sources: feeds, sitemaps and CMS that stories come in from."),
    "issue": ("issue:issue", "Issues: make one, pick stories into it, order them."),
    "sponsor": ("sponsor:sponsor", "Sponsors: their creatives, run dates and approvals."),
    "build": ("build:build", "Render an issue to HTML, text and images."),
    "check": ("check:check", "Check an issue; findings name the story and the field."),
    "preview": ("preview:preview", "Open an issue in the browser; it follows every save."),
    "shots": ("shots:shots", "Take pictures of an issue in every mail client."),
    "test": ("testmail:test", "Send a test mail of an issue."),
    "diff": ("diff:diff", "What changed since a test or the approval: words, links, pictures."),
    "approve": ("approve:approve", "Freeze an issue for sending, now or at a time."),
    "unapprove": ("approve:unapprove", "Stop the presses: take an approval back."),
    "send": ("send:send", "Send an approved issue."),
    "run-due": ("send:run_due", "Send whatever is due; for cron, every minute."),
    "cron": ("cron:cron", "Print the crontab line and the systemd timer for this workspace."),
    "next": ("next:next_", "What goes when, and what is missing."),
    "status": ("mailings:status", "What happened to an issue, and does the sum close."),
    "report": ("report:report", "What became of an issue, in numbers."),
    "pause": ("mailings:pause", "Stop a mailing after the mails in flight."),
    "resume": ("mailings:resume", "Go on with a paused mailing, or release a held one."),
    "cancel": ("mailings:cancel", "End a mailing; whoever has not got it will not."),
    "reconcile": ("mailings:reconcile", "Settle the deliveries whose outcome is not known."),
    "audit": ("audit:audit", "Who approved and sent what when, and the proof."),
    "retract": ("retract:retract", "Take a story off the web copy of an issue, at once."),
    "adopt": ("mailings:adopt", "Make this installation the one that may send."),
    "audience": ("audience:audience", "Readers: import, list, export, unsubscribe, erase."),
    "settings": ("settings:settings", "Settings: what they are, what they mean, change some."),
    "people": ("people:people", "People of the composer: who they are, who is signed in."),
    "theme": ("theme:theme", "Themes: list them, show which files and tokens win, copy one to edit."),
    "media": ("media:media", "Hosted pictures: copy them to your web server or a bucket."),
    "serve": ("serve:serve", "Open the composer in the browser; with --public, serve the pages for readers."),
    "doctor": ("doctor:doctor", "Is everything in order here, and what to do where it is not."),
    "provider": ("provider:provider", "Providers: list them, check the configured one."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and loads each on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of an editor's week, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module that holds the command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(f"newsletter.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown command with the closest known one."""
        from newsletter.errors import did_you_mean

        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            hint = did_you_mean(args[0], COMMANDS)
            ctx.fail(f"no such command: {args[0]}" + (f" ({hint})" if hint else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="newsletter")
@click.option(
    "-C",
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    help="The workspace; default: the nearest parent folder with newsletter.toml.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def newsletter(ctx: click.Context, workspace: Path | None, quiet: bool, verbose: bool, debug: bool) -> None:
    """Pick stories into a weekly issue, see it as the reader will, approve it, send exactly that."""
    ctx.obj = Cli(workspace=workspace, quiet=quiet, verbose=verbose, debug=debug)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    from newsletter.cli.boundary import guarded

    raise SystemExit(guarded(newsletter, arguments))
