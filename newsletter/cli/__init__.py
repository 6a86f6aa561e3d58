"""The command line: parses, calls one function of the app, prints."""

from __future__ import annotations


def main() -> None:
    """Run the ``newsletter`` command."""
    from newsletter.cli.group import run

    run()
