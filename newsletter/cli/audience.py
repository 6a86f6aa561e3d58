"""``newsletter audience``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from newsletter.app.words import plural
from newsletter.cli.common import Cli, ask, by_option, json_option, pairs_of, pass_cli, print_json, table
from newsletter.cli.progress import Progress


@click.group(short_help="Readers: import, list, export, unsubscribe, erase.")
def audience() -> None:
    """Readers: import, list, export, unsubscribe, suppress, erase."""


@audience.command("import", short_help="Import readers from a CSV file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--map", "mapping", multiple=True, metavar="COLUMN=ATTRIBUTE", help='Say what a column is: "Mail=address".'
)
@click.option(
    "--basis", default="imported", show_default=True, help="Why you may write to them; kept with each reader."
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where lines that cannot be imported go; default: FILE.rejected.csv beside it.",
)
@click.option("--dry-run", is_flag=True, help="Say exactly what would happen; import nothing.")
@by_option
@json_option
@pass_cli
def import_(
    cli: Cli,
    file: Path,
    mapping: tuple[str, ...],
    basis: str,
    rejects: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import readers from a CSV FILE with a column of addresses. All of it or, on an error, nothing.

    Lines that cannot be imported are written to a file with their number and the reason. Nobody who has
    unsubscribed is subscribed again. With --dry-run you see first what each column would be.
    """
    from newsletter.app.audience import import_readers, propose_columns

    pairs = pairs_of(mapping, "COLUMN=ATTRIBUTE")
    with cli.desk() as desk, Progress(enabled=not cli.quiet and not as_json, unit="bytes") as progress:
        done = import_readers(
            desk, file, mapping=pairs, basis=basis, progress=progress, rejects=rejects, dry_run=dry_run
        )
        proposed = propose_columns(desk, file, mapping=pairs).columns if dry_run else ()
    if as_json:
        samples = [{"column": c.name, "target": c.target, "why": c.why, "samples": c.samples} for c in proposed]
        print_json("audience-import", {**done.as_row(), **({"proposed": samples} if dry_run else {})})
        return
    if proposed:
        cli.say(table([(c.name, "→", c.target or "(ignored)", c.why, ", ".join(c.samples)) for c in proposed]))
    for line in done.lines():
        cli.say(line)


@audience.command(short_help="Add one reader.")
@click.argument("address")
@click.argument("attributes", nargs=-1, metavar="[ATTRIBUTE=VALUE...]")
@click.option("--basis", default="added by hand", show_default=True, help="Why you may write to them.")
@by_option
@pass_cli
def add(cli: Cli, address: str, attributes: tuple[str, ...], basis: str) -> None:
    """Add one reader: newsletter audience add ada@example.org first_name=Ada."""
    from newsletter.app.audience import add_reader

    pairs = pairs_of(attributes, "ATTRIBUTE=VALUE")
    with cli.desk() as desk:
        cli.say(add_reader(desk, address, pairs, basis=basis))


@audience.command("list", short_help="List readers.")
@click.option("--search", metavar="WORDS", help="Each word stands in the address, or begins a word of an attribute.")
@click.option(
    "--state",
    "--status",
    "state",
    type=click.Choice(["subscribed", "unsubscribed", "suppressed", "erased"]),
    help="How they stand.",
)
@click.option("--segment", metavar="NAME", help="A part of the audience: newsletter audience segments.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--after", type=click.IntRange(0), default=0, metavar="KEY", help="Go on there: the last page names it.")
@json_option
@pass_cli
def list_(cli: Cli, search: str | None, state: Any, segment: str | None, limit: int, after: int, as_json: bool) -> None:
    """List readers in the order they came, the first --limit of them, and say how many there are."""
    from newsletter.app.readers import list_readers

    with cli.desk() as desk:
        page = list_readers(desk, search=search, state=state, segment=segment, limit=limit, after=after)
    if as_json:
        print_json("audience-list", page.as_row())
        return
    if page.rows:
        cli.say(table([(row.address, row.state, row.words) for row in page.rows]))
    cli.say(page.sentence)
    if page.after is not None:
        cli.say(f"Go on with: --after {page.after}")


@audience.command(short_help="Parts of the audience, with how many readers.")
@json_option
@pass_cli
def segments(cli: Cli, as_json: bool) -> None:
    """List the parts of the audience that a mailing can go to, and how many readers each has."""
    from newsletter.app.readers import segments as listed

    with cli.desk() as desk:
        rows = listed(desk)
    if as_json:
        print_json("audience-segments", {"segments": [row.as_row() for row in rows]})
        return
    cli.say(table([(row.name, f"{row.count:,}", row.words) for row in rows]))


@audience.command(short_help="Show one reader and their whole history.")
@click.argument("address")
@json_option
@pass_cli
def show(cli: Cli, address: str, as_json: bool) -> None:
    """Show one reader: attributes, consent, every issue with what became of it, and whether they get the next one."""
    from newsletter.app.readers import show_reader

    with cli.desk() as desk:
        shown = show_reader(desk, address)
    if as_json:
        print_json("audience-show", shown.as_row())
        return
    for line in shown.lines():
        cli.say(line)


@audience.command(short_help="Export all readers as CSV.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: standard output.")
@by_option
@pass_cli
def export(cli: Cli, out: Path | None) -> None:
    """Export all readers as CSV; cells that a spreadsheet would run as a formula are made harmless."""
    from newsletter.app.audience import export_readers

    with cli.desk() as desk:
        count = export_readers(desk, out, sys.stdout)
    if out is not None:
        cli.say(f"Wrote {plural(count, 'reader')} to {out}.")


@audience.command(short_help="Unsubscribe a reader.")
@click.argument("address")
@by_option
@pass_cli
def unsubscribe(cli: Cli, address: str) -> None:
    """Unsubscribe a reader, with effect before the next mail, also of a mailing that is under way."""
    from newsletter.app.audience import unsubscribe_reader

    with cli.desk() as desk:
        cli.say(unsubscribe_reader(desk, address))


@audience.command(short_help="Never mail an address again.")
@click.argument("address")
@click.option("--reason", default="by hand", show_default=True)
@by_option
@pass_cli
def suppress(cli: Cli, address: str, reason: str) -> None:
    """Never mail this address again, whoever imports it; it need not be a reader."""
    from newsletter.app.audience import suppress_address

    with cli.desk() as desk:
        cli.say(suppress_address(desk, address, reason))


@audience.command(short_help="Erase a reader's data.")
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option
@pass_cli
def erase(cli: Cli, address: str, yes: bool) -> None:
    """Erase a reader: address and attributes go, everywhere; a keyed hash stays so that no import brings them back."""
    from newsletter.app.audience import erase_reader

    if not yes:
        ask(f"Erase all data of {address}? This cannot be taken back.")
    with cli.desk() as desk:
        cli.say(erase_reader(desk, address))
