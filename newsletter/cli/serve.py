"""``newsletter serve``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, pass_cli


@click.command(short_help="Serve the public pages: unsubscribe, web copy, pictures, events.")
@click.option("--public", is_flag=True, help="The pages for readers and for the provider's events.")
@click.option("--port", type=click.IntRange(0, 65535), default=8026, show_default=True, help="0 takes any free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@pass_cli
def serve(cli: Cli, public: bool, port: int, host: str) -> None:
    """Serve the pages that mails link to, behind a web server that speaks https for them.

    SIGTERM ends it after what was begun; Ctrl-C too.
    """
    from newsletter.errors import UsageProblem

    if not public:
        raise UsageProblem(
            "the composer does not exist yet; only the public pages can be served",
            where="newsletter serve",
            fix="newsletter serve --public, or newsletter preview SLUG to look at an issue",
        )
    from newsletter.web.publicserver import serve_public

    with cli.desk() as desk:
        serve_public(desk, host=host, port=port, say=cli.say, note=cli.note)
