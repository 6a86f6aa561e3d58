"""``newsletter article``: the inbox."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from newsletter.app.words import plural
from newsletter.cli.common import Cli, json_option, pass_cli, print_json, table


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
    from newsletter.app.articles import add_article
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
                    {"slug": a.slug, "headline": a.article.headline, "already": a.already, "notes": list(a.notes)}
                    for a in results
                ]
            },
        )


@article.command("list", short_help="List the inbox.")
@click.option("--all", "everything", is_flag=True, help="Dismissed stories too.")
@json_option
@pass_cli
def list_(cli: Cli, everything: bool, as_json: bool) -> None:
    """List the stories in the inbox, newest first."""
    from newsletter.app.articles import list_articles

    with cli.desk() as desk:
        items = list_articles(desk, everything=everything)
    if as_json:
        print_json("article-list", {"articles": [item.as_row() for item in items]})
    elif not items:
        cli.say("The inbox is empty. Add a story: newsletter article add STORY.txt")
    else:
        cli.say(table([(i.added, i.slug, i.headline + (f"  (in {i.used_in})" if i.used_in else "")) for i in items]))
        cli.say(plural(len(items), "story", "stories"))


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
        print_json("article-show", {"slug": slug, "fields": shown.fields, "body": shown.body})
        return
    cli.say(table([(row.name, row.told, row.value) for row in shown.rows]))
    cli.say("")
    cli.say(shown.body)
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

    pairs = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"{assignment!r} is not FIELD=VALUE")
        pairs[name.strip()] = value
    if not pairs and not fix and not confirmed:
        raise click.UsageError("name at least one FIELD=VALUE, --fix or --confirm FIELD")
    if issue and (pairs or fix or not confirmed):
        raise click.UsageError("--issue goes with --confirm alone: edit the story's file in the issue for the rest")
    with cli.desk() as desk:
        if confirmed:
            cli.say(confirm_fields(desk, slug, [name for name in confirmed if name != "all"], issue))
        for line in set_article(desk, slug, pairs, fix=fix):
            cli.say(line)


@article.command(short_help="Take stories out of the inbox.")
@click.argument("slugs", nargs=-1, required=True, metavar="SLUG...")
@pass_cli
def dismiss(cli: Cli, slugs: tuple[str, ...]) -> None:
    """Take stories out of the inbox; issues that have picked them keep them."""
    from newsletter.app.articles import dismiss_article

    with cli.desk() as desk:
        for slug in slugs:
            dismiss_article(desk, slug)
            cli.say(f"{slug}: dismissed.")
