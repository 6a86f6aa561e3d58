"""``newsletter preview``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, pass_cli


@click.command(short_help="Open an issue in the browser; it follows every save.")
@click.argument("slug")
@click.option("--port", type=click.IntRange(0, 65535), default=8025, show_default=True, help="0 takes any free port.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@click.option("--as", "reader", metavar="ADDRESS", help="Show this subscriber's copy.")
@click.option("--client", metavar="NAME", help="Open it as this mail client shows it; all: side by side.")
@click.option("--wire", is_flag=True, help="Print what the provider would be given, byte for byte, and stop.")
@pass_cli
def preview(cli: Cli, slug: str, port: int, no_open: bool, reader: str | None, client: str | None, wire: bool) -> None:
    """Show the issue SLUG in the browser; saving issue.md, an article or a theme file refreshes the page.

    Listens on this machine only. Ctrl-C stops it.
    """
    if wire:
        from newsletter.app.preview import wire_form

        with cli.desk() as desk:
            for part in wire_form(desk, slug, reader=reader):
                cli.note(f"{part.target}  ({part.media_type}, {len(part.body):,} bytes)")
                click.echo(part.body, nl=False)
        return
    from newsletter.web.serving import serve_preview

    with cli.desk() as desk:
        serve_preview(desk, slug, port=port, open_browser=not no_open, reader=reader, client=client, say=cli.say)
