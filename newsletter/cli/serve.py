"""``newsletter serve``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, pass_cli


@click.command(short_help="Open the composer in the browser; with --public, serve the pages for readers.")
@click.option("--public", is_flag=True, help="Instead, the pages for readers and for the provider's events.")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes any free port; default: 8024, with --public 8026.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@pass_cli
def serve(cli: Cli, public: bool, port: int | None, host: str, no_open: bool) -> None:
    """Open the composer: build an issue in the browser, in the same files that the commands edit.

    It listens on this machine only, and signs in the browser that opens the address it prints. Ctrl-C stops it.

    With --public it serves the pages that mails link to, behind a web server that speaks https for them. SIGTERM ends
    that after what was begun. Both may run at once.
    """
    if public:
        from newsletter.web.publicserver import serve_public

        with cli.desk() as desk:
            serve_public(desk, host=host, port=8026 if port is None else port, say=cli.say, note=cli.note)
        return
    from newsletter.web.composer.server import serve_composer

    with cli.desk() as desk:
        serve_composer(
            desk,
            host=host,
            port=8024 if port is None else port,
            open_browser=not no_open,
            say=cli.say,
            note=cli.note,
        )
