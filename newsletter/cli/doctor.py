"""``newsletter doctor``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json

if TYPE_CHECKING:
    from newsletter.app.doctor import Diagnosis

_MARKS = {"ok": ("✓", "ok"), "warning": ("!", "!"), "error": ("✗", "x"), "unknown": ("?", "?")}
_COLOURS = {"ok": "green", "warning": "yellow", "error": "red", "unknown": "cyan"}


@click.command(short_help="Is everything in order here, and what to do where it is not.")
@click.option("--selector", "selectors", multiple=True, metavar="NAME", help="A DKIM selector to look at; repeatable.")
@click.option("--nameserver", "servers", multiple=True, metavar="ADDRESS", help="Ask this name server; repeatable.")
@json_option
@pass_cli
def doctor(cli: Cli, selectors: tuple[str, ...], servers: tuple[str, ...], as_json: bool) -> int:
    """Look at this machine, the workspace, the configuration, secrets, the database, cron and the sender's DNS.

    Changes nothing and sends nothing. What is not in order has its fix on the next line. Exit code 1 when something
    is an error, 78 when newsletter.toml cannot be used; warnings, and what cannot be told from here, are 0.
    """
    from newsletter.app.doctor import diagnose, facts_of

    found = diagnose(facts_of(cli.workspace, servers=servers, selectors=selectors))
    if as_json:
        print_json("doctor", found.as_row())
    else:
        plain = (sys.stdout.encoding or "ascii").lower().replace("-", "") not in ("utf8", "utf8sig")
        for line in _lines(found, plain=plain):
            cli.say(line.encode("ascii", "replace").decode("ascii") if plain else line)
    return found.exit_code


def _lines(found: Diagnosis, *, plain: bool) -> Iterator[str]:
    section = None
    width = max(len(probe.id) for probe in found.probes)
    for probe in found.probes:
        if probe.section != section:
            if section is not None:
                yield ""
            section = probe.section
            yield click.style(section, bold=True)
        mark = click.style(_MARKS[probe.state][plain].ljust(2 if plain else 1), fg=_COLOURS[probe.state])
        yield f"  {mark} {probe.id.ljust(width)}  {probe.sentence}"
        if probe.fix:
            yield f"    {' ' * (width + plain)}  Fix: {probe.fix}"
    yield ""
    counts = found.counts
    said = [
        f"{counts[state]} {state if count == 1 or state in ('ok', 'unknown') else state + 's'}"
        for state, count in counts.items()
        if count
    ]
    yield ", ".join(said)
