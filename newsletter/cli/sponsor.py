"""``newsletter sponsor``: advertisement features, their dates and their approvals."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.common import Cli, json_option, pass_cli, print_json, table


@click.group(short_help="Sponsors: their creatives, run dates and approvals.")
def sponsor() -> None:
    """Sponsors: their creatives, run dates and approvals."""


@sponsor.command(short_help="Add a sponsor.")
@click.argument("name")
@click.argument("source", required=False, type=click.Path(path_type=Path, dir_okay=False), metavar="[FILE]")
@click.option("--sponsor", "paid_by", metavar="WHO", help="Who paid for it.")
@click.option("--headline", help="Its headline.")
@click.option("--label", help="Another label than “Advertisement feature”.")
@click.option("--link", metavar="URL", help="Where it leads.")
@click.option("--link-text", help="The words of its button.")
@click.option("--text", help="Its text, in Markdown.")
@click.option("--image", metavar="FILE|URL", help="Its picture.")
@click.option("--alt", help="What the picture shows.")
@click.option("--run", "runs", multiple=True, metavar="RUN", help="An issue's slug, a day, or FIRST..LAST; repeatable.")
@click.option("--slot", type=click.IntRange(min=1), default=1, show_default=True, help="Which sponsor section it is.")
@pass_cli
def add(
    cli: Cli,
    name: str,
    source: Path | None,
    paid_by: str | None,
    headline: str | None,
    label: str | None,
    link: str | None,
    link_text: str | None,
    text: str | None,
    image: str | None,
    alt: str | None,
    runs: tuple[str, ...],
    slot: int,
) -> None:
    """Add the sponsor NAME: sponsors/NAME.md, from FILE (Markdown with front matter) or from the options."""
    from newsletter.app.sponsors import add_sponsor

    fields = {"label": label, "sponsor": paid_by, "headline": headline, "link": link, "link_text": link_text}
    if source is None and not (paid_by and headline):
        raise click.UsageError("name a FILE, or give --sponsor and --headline")
    if alt and not image:
        raise click.UsageError("--alt describes the picture of --image")
    with cli.desk() as desk:
        done = add_sponsor(
            desk, name, source=source, fields=fields, text=text, image=image, alt=alt, runs=runs, slot=slot
        )
    for line in done:
        cli.say(line)


@sponsor.command("list", short_help="List the sponsors.")
@json_option
@pass_cli
def list_(cli: Cli, as_json: bool) -> None:
    """List the sponsors with their approval and their run dates."""
    from newsletter.app.sponsors import list_sponsors

    with cli.desk() as desk:
        rows = list_sponsors(desk)
    if as_json:
        print_json("sponsor-list", {"sponsors": [row.as_row() for row in rows]})
    elif not rows:
        cli.say('No sponsors yet. Add one: newsletter sponsor add NAME --sponsor "Who paid" --headline "…"')
    else:
        cli.say(table([(r.name, r.sponsor, r.approval, ", ".join(r.runs) or "no run dates") for r in rows]))


@sponsor.command(short_help="Show which sponsor runs when.")
@json_option
@pass_cli
def calendar(cli: Cli, as_json: bool) -> None:
    """Show which sponsor runs in which issue, in the order of time; exit code 1 when a slot is booked twice."""
    from newsletter.app.sponsors import calendar as made
    from newsletter.errors import NeedsEditor

    with cli.desk() as desk:
        found = made(desk)
    if as_json:
        print_json("sponsor-calendar", {"rows": [row.as_row() for row in found.rows], "clashes": list(found.clashes)})
    elif not found.rows:
        cli.say("No sponsor is booked.")
    else:
        for_issue = {True: "in {}", False: "in no issue yet"}
        cli.say(
            table(
                [
                    (
                        row.when,
                        row.name,
                        row.approval,
                        for_issue[bool(row.issues)].format(", ".join(row.issues))
                        + ("" if row.booked else ", unbooked"),
                    )
                    for row in found.rows
                ]
            )
        )
    if found.clashes:
        raise NeedsEditor("; ".join(found.clashes), where="sponsors", fix="change runs: in one of the files")


@sponsor.command(short_help="Show a creative as it will stand, and record its approval.")
@click.argument("name")
@click.option("--by", metavar="NAME", help="Record that NAME approves it; editing it afterwards voids that.")
@json_option
@pass_cli
def proof(cli: Cli, name: str, by: str | None, as_json: bool) -> None:
    """Show the creative of the sponsor NAME as it will stand in the text part; with --by, record the approval."""
    from newsletter.app.sponsors import proof_sponsor

    with cli.desk() as desk:
        shown = proof_sponsor(desk, name, by=by)
    if as_json:
        print_json("sponsor-proof", shown.as_row())
        return
    cli.say(shown.text)
    cli.say("")
    cli.say(shown.line)
