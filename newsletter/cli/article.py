"""``newsletter article``: the inbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.app.words import plural
from newsletter.cli.common import Cli, json_option, pairs_of, pass_cli, print_json, table

if TYPE_CHECKING:
    from newsletter.app.inbox import InboxPage, State


@click.group(short_help="Stories: add them to the inbox, look at them, set a field.")
def article() -> None:
    """Stories: add them to the inbox, look at them, set a field."""


@article.command(short_help="Add stories to the inbox.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--issue", metavar="SLUG", help="Pick the stories into this issue at once.")
@json_option
@pass_cli
def add(cli: Cli, sources: tuple[str, ...], issue: str | None, as_json: bool) -> None:
    """Add each SOURCE (a web address, a text, Markdown or HTML file, or "-" for standard input) to the inbox.

    The slug that is printed names the story from then on. A story that is there already is not added twice.
    """
    from newsletter.app.articles import add_article, as_row
    from newsletter.app.issues import pick_articles
    from newsletter.app.pages import add_page, is_address

    results = []
    with cli.desk() as desk:
        for source in sources:
            data = sys.stdin.buffer.read() if source == "-" else None
            if is_address(source):
                added = add_page(desk, source)
            else:
                added = add_article(desk, None if source == "-" else Path(source), data)
            results.append(added)
            if as_json:
                continue
            if added.already:
                cli.say(f"{added.slug}  is in the inbox already; nothing was added.")
            else:
                cli.say(f"{added.slug}  {added.article.headline}")
            for note in added.notes:
                cli.note(f"  {note}")
        if issue:
            notes = pick_articles(desk, issue, [a.slug for a in results])
            for note in notes:
                if not as_json:
                    cli.say(note)
    if as_json:
        print_json(
            "article-add",
            {
                "articles": [
                    {
                        "slug": a.slug,
                        "headline": a.article.headline,
                        "already": a.already,
                        "notes": list(a.notes),
                        "article": as_row(a.article),
                    }
                    for a in results
                ]
            },
        )


@article.command("list", short_help="Search and list the inbox.")
@click.option("--search", metavar="WORDS", default="", help="Words of headline, standfirst, byline or text.")
@click.option("--source", metavar="NAME", help="Only from this source.")
@click.option("--section", metavar="NAME", help="Only of this section.")
@click.option("--since", metavar="WHEN", help='Came in since: "last" (the last issue), 2026-11-20, "7d", "36h".')
@click.option("--used/--unused", default=None, help="Only what some issue has, or what none has.")
@click.option("--later", is_flag=True, help="What is saved for later, instead.")
@click.option("--all", "everything", is_flag=True, help="Also what is saved for later or dismissed.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True, help="At most so many.")
@click.option("--after", type=int, metavar="N", help="Go on where a list ended: `next` of its JSON.")
@json_option
@pass_cli
def list_(
    cli: Cli,
    search: str,
    source: str | None,
    section: str | None,
    since: str | None,
    used: bool | None,
    later: bool,
    everything: bool,
    limit: int,
    after: int | None,
    as_json: bool,
) -> None:
    """List the stories in the inbox, newest first, with the issues that have used them.

    Each word of --search is the beginning of one; words in quotes are looked for in just this order.
    """
    from newsletter.app.inbox import InboxQuery, list_inbox

    if later and everything:
        raise click.UsageError("--all shows what is saved for later too: leave out --later")
    query = InboxQuery(search, source, section, since, used, limit=limit, after=after)
    if later or everything:
        query = replace(query, states=("later",) if later else ("new", "later", "dismissed"))
    with cli.desk() as desk:
        page = list_inbox(desk, query)
    if as_json:
        print_json("article-list", page.as_row())
        return
    for line in _listed(page, filtered=query != InboxQuery(limit=limit)):
        cli.say(line)


def _listed(page: InboxPage, *, filtered: bool) -> Iterator[str]:
    counts = page.counts
    if page.rows:
        lines = [(row.added, row.slug, row.headline + (f"  ({row.marks})" if row.marks else "")) for row in page.rows]
        yield table(lines)
        more = " and more: --limit, or narrow it down" if page.next else ""
        yield f"{plural(len(page.rows), 'story', 'stories')}{more}"
    elif not any(counts.values()):
        yield "The inbox is empty. Add a story: newsletter article add STORY.txt"
    elif filtered:
        yield "No story in the inbox is like that."
    else:
        yield "Nothing new is in the inbox."
    if counts["later"] and not filtered:
        yield f"{counts['later']:,} saved for later: newsletter article list --later"


@article.command(short_help="Show one story and where each field came from.")
@click.argument("slug")
@json_option
@pass_cli
def show(cli: Cli, slug: str, as_json: bool) -> None:
    """Show one story of the inbox, with the provenance of each field."""
    from newsletter.app.articles import show_article

    with cli.desk() as desk:
        shown = show_article(desk, slug)
    if as_json:
        known = {"slug": slug, "fields": shown.fields, "body": shown.body, "article": shown.article}
        print_json("article-show", {**known, "minutes": shown.minutes, "used": list(shown.used)})
        return
    cli.say(table([(row.name, row.told, row.value) for row in shown.rows]))
    cli.say("")
    cli.say(shown.body)
    used = f", used in {', '.join(shown.used)}" if shown.used else ""
    cli.note(f"{plural(shown.minutes, 'minute')} to read{used}")
    for note in (shown.guesses, *shown.suggestions):
        if note:
            cli.note(note)


@article.command("set", short_help="Set fields of a story.")
@click.argument("slug")
@click.argument("assignments", nargs=-1, metavar="[FIELD=VALUE...]")
@click.option("--fix", is_flag=True, help="Take the fixes that `article show` offers.")
@click.option("--confirm", "confirmed", multiple=True, metavar="FIELD", help='A guess is right; "all" for every guess.')
@click.option("--issue", metavar="ISSUE", help="Confirm in this issue's own copy of the story.")
@pass_cli
def set_(
    cli: Cli, slug: str, assignments: tuple[str, ...], fix: bool, confirmed: tuple[str, ...], issue: str | None
) -> None:
    """Set fields of a story in the inbox: headline="…" image.alt="…" link=https://… (an empty value removes)."""
    from newsletter.app.articles import set_article
    from newsletter.app.confirming import confirm_fields

    pairs = {name.strip(): value for name, value in pairs_of(assignments, "FIELD=VALUE").items()}
    if not pairs and not fix and not confirmed:
        raise click.UsageError("name at least one FIELD=VALUE, --fix or --confirm FIELD")
    if issue and (pairs or fix or not confirmed):
        raise click.UsageError("--issue goes with --confirm alone: edit the story's file in the issue for the rest")
    with cli.desk() as desk:
        if confirmed:
            cli.say(confirm_fields(desk, slug, [name for name in confirmed if name != "all"], issue))
        for line in set_article(desk, slug, pairs, fix=fix):
            cli.say(line)


@article.command(short_help="Compare stories with what their sources say now.")
@click.argument("slugs", nargs=-1, metavar="[SLUG...]")
@click.option("--issue", metavar="SLUG", help="Stories of this issue; all of them, if none is named.")
@click.option("--from", "file", type=click.Path(path_type=Path), metavar="FILE", help="The source, if it is a file.")
@click.option("--take", multiple=True, metavar="FIELD[,FIELD…]|all", help="Take over these fields, or all but yours.")
@click.option("--keep", multiple=True, metavar="FIELD[,FIELD…]|all", help="Keep yours in these, or in all not taken.")
@click.option("--exit-code", is_flag=True, help="End with 1 when a source has changed what a story does not have.")
@json_option
@pass_cli
def refresh(
    cli: Cli,
    slugs: tuple[str, ...],
    issue: str | None,
    file: Path | None,
    take: tuple[str, ...],
    keep: tuple[str, ...],
    exit_code: bool,
    as_json: bool,
) -> int:
    """Fetch the sources of stories again and show, field by field, what was imported, what is there now, and yours.

    Nothing is changed without --take or --keep. --take all takes over what only the source has changed; a field that
    you have changed too is taken over only by its name. What you --keep is not offered again before the source says
    something else.
    """
    from newsletter.app.refresh import refresh as refresh_stories
    from newsletter.app.refresh_text import as_text

    if not slugs and issue is None:
        raise click.UsageError("name stories of the inbox, or an issue: --issue SLUG")
    with cli.desk() as desk:
        done = refresh_stories(desk, slugs, issue=issue, file=file, take=_names(take), keep=_names(keep))
    if as_json:
        print_json("article-refresh", done.as_row())
    elif len(done.problems) == 1 and not done.stories:
        raise done.problems[0][1]
    else:
        for line in as_text(done, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR")):
            cli.say(line)
    if done.problems:
        return done.problems[0][1].exit_code
    return 1 if exit_code and done.different else 0


def _names(given: tuple[str, ...]) -> list[str]:
    return [name.strip() for names in given for name in names.split(",") if name.strip()]


@article.command(short_help="Take stories out of the inbox.")
@click.argument("slugs", nargs=-1, required=True, metavar="SLUG...")
@pass_cli
def dismiss(cli: Cli, slugs: tuple[str, ...]) -> None:
    """Take stories out of the inbox; issues that have picked them keep them. `restore` brings them back."""
    _set_state(cli, slugs, "dismissed")


@article.command(short_help="Save stories for later.")
@click.argument("slugs", nargs=-1, required=True, metavar="SLUG...")
@pass_cli
def later(cli: Cli, slugs: tuple[str, ...]) -> None:
    """Save stories for later: no draft takes them by itself, `list --later` shows them, `restore` brings them back."""
    _set_state(cli, slugs, "later")


@article.command(short_help="Bring stories back into the inbox.")
@click.argument("slugs", nargs=-1, required=True, metavar="SLUG...")
@pass_cli
def restore(cli: Cli, slugs: tuple[str, ...]) -> None:
    """Bring stories back that were dismissed or saved for later."""
    _set_state(cli, slugs, "new")


@article.command(short_help="Make the search index of the inbox anew.")
@pass_cli
def reindex(cli: Cli) -> None:
    """Make the search index of the inbox anew, from the stories themselves."""
    from newsletter.app.inbox import reindex as make_anew

    with cli.desk() as desk:
        count = make_anew(desk)
    cli.say(f"The index has {plural(count, 'story', 'stories')}.")


def _set_state(cli: Cli, slugs: tuple[str, ...], state: State) -> None:
    from newsletter.app.inbox import set_state

    with cli.desk() as desk:
        for line in set_state(desk, slugs, state):
            cli.say(line)
