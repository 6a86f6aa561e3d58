"""``newsletter issue``: the folders under ``issues/``."""

from __future__ import annotations

import click

from newsletter.app.words import plural
from newsletter.cli.common import Cli, json_option, pass_cli, print_json, table
from newsletter.cli.issue_text import text


@click.group(short_help="Issues: make one, pick stories into it, order them.")
def issue() -> None:
    """Issues: make one, pick stories into it, order them."""


issue.add_command(text)


@issue.command(short_help="Make a new issue.")
@click.argument("slug")
@click.option("--date", help="The issue's date (YYYY-MM-DD); default: the slug, when it is a date.")
@pass_cli
def new(cli: Cli, slug: str, date: str | None) -> None:
    """Make the issue SLUG: a folder issues/SLUG with an issue.md to write in."""
    from newsletter.app.issues import new_issue

    with cli.desk() as desk:
        path = new_issue(desk, slug, date=date)
    cli.say(f"Made {path}.")
    cli.say(f"Next: newsletter issue pick {slug} ARTICLE…    (newsletter article list shows them)")


@issue.command(short_help="Draft a whole issue from the inbox.")
@click.argument("slug")
@click.option("--since", metavar="WHEN", default="last", show_default=True,
              help='Stories that came in since: "last" (the last issue), "all", 2026-11-20, "7d".')  # fmt: skip
@click.option("--date", help="The issue's date (YYYY-MM-DD); default: the slug, when it is a date.")
@click.option("--theme", metavar="NAME", help="Another theme than the publication's.")
@click.option("--dry-run", is_flag=True, help="Only say what it would be.")
@json_option
@pass_cli
def draft(cli: Cli, slug: str, since: str, date: str | None, theme: str | None, dry_run: bool, as_json: bool) -> None:
    """Make the issue SLUG from the stories that no issue has used yet, by the rules under [draft] in newsletter.toml.

    Says what it took and why, and what it left out and why. An issue that exists is never touched.
    """
    from newsletter.app.draft import draft_issue

    with cli.desk() as desk:
        since_given = None if since.strip().lower() == "all" else since
        made = draft_issue(desk, slug, date=date, since=since_given, theme=theme, dry_run=dry_run)
    if as_json:
        print_json("issue-draft", made.as_row())
        return
    for line in made.lines():
        cli.say(line)


@issue.command("list", short_help="List the issues.")
@json_option
@pass_cli
def list_(cli: Cli, as_json: bool) -> None:
    """List the issues, newest first, with their state."""
    from newsletter.app.issues import list_issues

    with cli.desk() as desk:
        rows = list_issues(desk)
    if as_json:
        print_json("issue-list", {"issues": [row.as_row() for row in rows]})
    elif not rows:
        cli.say("No issues yet. Make one: newsletter issue new 2026-11-27")
    else:
        cli.say(table([(r.slug, r.state, plural(r.stories, "story", "stories"), r.subject) for r in rows]))


@issue.command(short_help="Show an issue's sections and stories.")
@click.argument("slug")
@json_option
@pass_cli
def show(cli: Cli, slug: str, as_json: bool) -> None:
    """Show an issue: subject, sections and stories in order."""
    from newsletter.app.issues import show_issue

    with cli.desk() as desk:
        shown = show_issue(desk, slug)
    if as_json:
        print_json("issue-show", shown.as_row())
        return
    for line in shown.lines():
        cli.say(line)


@issue.command(short_help="Pick stories into an issue.")
@click.argument("slug")
@click.argument("articles", nargs=-1, metavar="ARTICLE...")
@click.option("--sponsor", metavar="NAME", help="A sponsor, instead of stories; it gets a section of its own.")
@click.option("--section", metavar="TITLE", help="The section's title; default: an empty lead, else the first list.")
@click.option("--at", type=click.IntRange(min=1), metavar="N", help="The place in the section, counted from 1.")
@pass_cli
def pick(
    cli: Cli, slug: str, articles: tuple[str, ...], sponsor: str | None, section: str | None, at: int | None
) -> None:
    """Pick ARTICLEs from the inbox into the issue SLUG; the issue gets its own copy, to edit."""
    from newsletter.app.issues import pick_articles

    if bool(articles) == bool(sponsor) or (sponsor and at):
        raise click.UsageError("name the stories to pick, or one sponsor: --sponsor NAME (without --at)")
    if sponsor:
        from newsletter.app.sponsors import pick_sponsor

        with cli.desk() as desk:
            for note in pick_sponsor(desk, slug, sponsor, section=section).notes:
                cli.say(note)
        return
    with cli.desk() as desk:
        for note in pick_articles(desk, slug, articles, section=section, at=at).notes:
            cli.say(note)


@issue.command(short_help="Take stories out of an issue.")
@click.argument("slug")
@click.argument("articles", nargs=-1, required=True, metavar="ARTICLE...")
@pass_cli
def drop(cli: Cli, slug: str, articles: tuple[str, ...]) -> None:
    """Take ARTICLEs out of the issue SLUG."""
    from newsletter.app.issues import drop_article

    with cli.desk() as desk:
        for name in articles:
            for note in drop_article(desk, slug, name):
                cli.say(note)


@issue.command(short_help="Move a story within an issue.")
@click.argument("slug")
@click.argument("article")
@click.option("--section", metavar="TITLE", help="Into this section; default: where it is.")
@click.option("--to", type=click.IntRange(min=1), default=1, show_default=True, help="The place, counted from 1.")
@pass_cli
def move(cli: Cli, slug: str, article: str, section: str | None, to: int) -> None:
    """Move ARTICLE to another place of the issue SLUG."""
    from newsletter.app.issues import move_article

    with cli.desk() as desk:
        for note in move_article(desk, slug, article, section=section, to=to):
            cli.say(note)


@issue.command(short_help="Copy an issue under a new slug.")
@click.argument("slug")
@click.argument("new_slug")
@click.option("--date", help="The copy's date (YYYY-MM-DD); default: its slug, when it is a date.")
@pass_cli
def duplicate(cli: Cli, slug: str, new_slug: str, date: str | None) -> None:
    """Copy the issue SLUG as NEW_SLUG: stories and pictures, without its approval and its own text part."""
    from newsletter.app.issues import duplicate_issue

    with cli.desk() as desk:
        path = duplicate_issue(desk, slug, new_slug, date=date)
    cli.say(f"Made {path}.")


@issue.command(short_help="Make a correction of an issue that was sent.")
@click.argument("slug")
@click.argument("new_slug", required=False)
@json_option
@pass_cli
def correct(cli: Cli, slug: str, new_slug: str | None, as_json: bool) -> None:
    """Make an issue that corrects SLUG and goes to exactly those who got it; NEW_SLUG is SLUG-correction by default."""
    from newsletter.app.corrections import correct_issue

    with cli.desk() as desk:
        made = correct_issue(desk, slug, new_slug)
    if as_json:
        print_json("issue-correct", made.as_row())
        return
    for line in made.lines():
        cli.say(line)
