"""``newsletter source``: feeds, sitemaps and CMS that stories come in from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.app.words import plural
from newsletter.cli.common import Cli, json_option, pass_cli, print_json, table
from newsletter.cli.progress import stop_on_sigterm

if TYPE_CHECKING:
    from newsletter.app.refreshing import SourcesRefreshed


@click.group(short_help="Sources: feeds, sitemaps and CMS that stories come in from.")
def source() -> None:
    """Sources: feeds, sitemaps and CMS that stories come in from."""


@source.command(short_help="Add a source, or all feeds of an OPML file.")
@click.argument("place", metavar="URL|FILE.opml")
@click.option("--name", metavar="NAME", help="What it is called here; default: from its title.")
@click.option("--section", metavar="TITLE", help="The section of its stories; default: their category at the source.")
@click.option("--full", is_flag=True, help="Fetch the page of a story of which the source gives only a summary.")
@click.option("--first", default="50", metavar="N|SPAN", show_default=True,
              help="What the first refresh takes: the newest N stories, or those of a span of time (7d).")  # fmt: skip
@click.option("--feed", metavar="N|URL", help="Which one, where a home page offers several.")
@click.option("--key", metavar="env=NAME|file=PATH", help="Where the key of Ghost's Content API is.")
@json_option
@pass_cli
def add(cli: Cli, place: str, name: str | None, section: str | None, full: bool, first: str, feed: str | None,
        key: str | None, as_json: bool) -> int:  # fmt: skip
    """Add the source at URL and take its newest stories into the inbox. URL is a feed, a sitemap or a home page.

    A home page that names several sources gets them listed: take one with --feed. An OPML file adds all its feeds.
    """
    from newsletter.app.sources import Wanted, add_source, import_sources

    wanted = Wanted(name=name, section=section, full=full, first=first, feed=feed, key=key)
    with cli.desk() as desk:
        if "://" not in place and (Path(place).is_file() or place.lower().endswith(".opml")):
            imported = import_sources(desk, Path(place), wanted)
            if as_json:
                print_json(
                    "source-add", {"added": imported.added, "already": imported.already, "notes": imported.notes}
                )
                return 0
            for note in imported.notes:
                cli.note(note)
            already = f", {imported.already} there already" if imported.already else ""
            cli.say(
                f"{plural(len(imported.added), 'source')} added{already}. Take their stories: newsletter source refresh"
            )
            return 0
        added = add_source(desk, place, wanted)
    if as_json:
        refreshed = _row(added.refreshed) if added.refreshed else None
        print_json("source-add", {"added": [] if added.already else [added.source.name], "already": int(added.already),
                                  "notes": [], "refreshed": refreshed})  # fmt: skip
        return 0
    if added.already:
        cli.say(f"{added.source.name}  is a source already; nothing was added.")
        return 0
    cli.say(f"{added.source.name}  {added.source.title or added.source.url}")
    return _say(cli, added.refreshed, named=True)


@source.command("list", short_help="List the sources and how they fare.")
@json_option
@pass_cli
def list_(cli: Cli, as_json: bool) -> None:
    """List the sources: name, stories that came in, how each fares."""
    from newsletter.app.sources import list_sources

    with cli.desk() as desk:
        rows = list_sources(desk)
    if as_json:
        print_json("source-list", {"sources": [row.as_row() for row in rows]})
    elif not rows:
        cli.say("There is no source. Add one: newsletter source add https://news.example.org")
    else:
        cli.say(table([(row.source.name, plural(row.stories, "story", "stories"), row.state) for row in rows]))


@source.command(short_help="Show one source.")
@click.argument("name")
@json_option
@pass_cli
def show(cli: Cli, name: str, as_json: bool) -> None:
    """Show one source: where it is, how it is read, how it fares."""
    from newsletter.app.sources import show_source

    with cli.desk() as desk:
        row = show_source(desk, name)
    if as_json:
        print_json("source-show", row.as_row())
        return
    facts = row.source
    cli.say(table([
        ("name", facts.name),
        ("title", facts.title or "–"),
        ("address", facts.url),
        ("kind", facts.kind),
        ("section", facts.section or "the category at the source"),
        ("full stories", "yes: pages are fetched" if facts.full else "no: as the source gives them"),
        ("stories", f"{row.stories} came in, {row.changed} of them changed at the source since"),
        ("state", row.state),
    ]))  # fmt: skip


@source.command("set", short_help="Change how a source is read from now on.")
@click.argument("name")
@click.option("--name", "new_name", metavar="NAME", help="Another name.")
@click.option("--section", metavar="TITLE", help='The section of its stories; "": their category at the source.')
@click.option("--full/--no-full", default=None, help="Fetch the page where the source gives only a summary, or not.")
@pass_cli
def set_(cli: Cli, name: str, new_name: str | None, section: str | None, full: bool | None) -> None:
    """Change how a source is read from now on. What came in before stays as it is."""
    from newsletter.app.sources import set_source

    if new_name is None and section is None and full is None:
        raise click.UsageError("say what to change: --name, --section, --full or --no-full")
    with cli.desk() as desk:
        changed = set_source(desk, name, new_name=new_name, section=section, full=full)
    cli.say(f"{changed.name}: changed.")


@source.command(short_help="Forget a source; its stories stay.")
@click.argument("name")
@pass_cli
def remove(cli: Cli, name: str) -> None:
    """Forget a source. The stories that came from it stay in the inbox and in issues."""
    from newsletter.app.sources import remove_source

    with cli.desk() as desk:
        remove_source(desk, name)
    cli.say(f"{name}: removed.")


@source.command(short_help="Take in what is new at the sources; for cron.")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@json_option
@pass_cli
def refresh(cli: Cli, names: tuple[str, ...], as_json: bool) -> int:
    """Ask the sources that are due, or those named, and take what is new into the inbox.

    Without a terminal it says nothing unless a source has failed for days, and that once.
    """
    from newsletter.app.refreshing import refresh_sources

    with cli.desk() as desk, stop_on_sigterm() as stop:
        report = refresh_sources(desk, names, stop=stop)
    if as_json:
        print_json("source-refresh", _row(report))
        return 69 if names and report.failed else 0
    return _say(cli, report, named=bool(names))


def _say(cli: Cli, report: SourcesRefreshed | None, *, named: bool) -> int:
    """Print what a refresh did; 69 when a source that was asked for by name could not be had."""
    if report is None:
        return 0
    if named or cli.verbose or sys.stdout.isatty():
        for line in report.lines():
            cli.say(line)
    else:
        for line in report.alerts:
            click.echo(line, err=True)
    return 69 if named and report.failed else 0


def _row(report: SourcesRefreshed) -> dict[str, object]:
    return {
        "busy": report.busy,
        "added": report.added,
        "not_due": report.not_due,
        "sources": [
            {
                "name": one.name, "state": one.state, "added": one.added, "changed": one.changed, "already": one.known,
                "reason": one.reason, "fix": one.fix, "notes": one.notes,
            }
            for one in report.sources
        ],
    }  # fmt: skip
