"""``newsletter theme``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, by_option, json_option, pairs_of, pass_cli, print_json, table


@click.group(short_help="Themes: list them, show which files and tokens win, copy one to edit.")
def theme() -> None:
    """Themes: list them, show which files and tokens win, copy one to edit."""


@theme.command("list", short_help="List the themes.")
@json_option
@pass_cli
def list_(cli: Cli, as_json: bool) -> None:
    """List the themes of the workspace and the built-in ones."""
    from newsletter.app.themes import list_themes

    with cli.desk() as desk:
        rows = list_themes(desk)
    if as_json:
        print_json("theme-list", {"themes": [{"name": name, "place": place} for name, place in rows]})
        return
    cli.say(table(rows))


@theme.command(short_help="Show a theme's files and tokens.")
@click.argument("name")
@json_option
@pass_cli
def show(cli: Cli, name: str, as_json: bool) -> None:
    """Show which file wins for each part of the theme NAME, and every design token with where it is set."""
    from newsletter.app.themes import show_theme

    with cli.desk() as desk:
        shown = show_theme(desk, name)
    if as_json:
        print_json("theme-show", shown.as_row())
        return
    cli.say(table(shown.files))
    cli.say("")
    cli.say(table(shown.tokens))


@theme.command(short_help="Copy a built-in theme to edit it.")
@click.argument("name")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@json_option
@pass_cli
def eject(cli: Cli, name: str, files: tuple[str, ...], as_json: bool) -> None:
    """Copy the built-in theme NAME, or only some of its FILEs, into templates/NAME to edit.

    A file that is there already is never overwritten. Take few: what you do not copy goes on with new versions.
    """
    from newsletter.app.themes import eject_theme

    with cli.desk() as desk:
        done = eject_theme(desk, name, files)
    if as_json:
        print_json("theme-eject", done.as_row())
        return
    for file in done.files:
        cli.say(f"copied  {file}")
    use = "" if done.in_use else f'set theme = "{done.name}" under [publication] in newsletter.toml, or in issue.md; '
    cli.say(f"Next: edit them; {use}newsletter preview SLUG follows every save")


@theme.command(short_help="List a theme's tokens: now, and by default.")
@click.argument("name", required=False)
@json_option
@pass_cli
def tokens(cli: Cli, name: str | None, as_json: bool) -> None:
    """List the tokens of the theme NAME (default: the publication's), and words that cannot be read on their ground."""
    from newsletter.app.tokens import read_tokens

    with cli.desk() as desk:
        found = read_tokens(desk, name)
    if as_json:
        print_json("theme-tokens", found.as_row())
        return
    cli.say(table([(t.name, t.kind, t.value, f"(default {t.default})" if t.own else "") for t in found.tokens]))
    for warning in found.warnings:
        cli.note(warning)


@theme.command("set", short_help="Change a theme's tokens in this workspace.")
@click.argument("name")
@click.argument("pairs", nargs=-1, required=True, metavar="TOKEN=VALUE...")
@click.option("--expected", metavar="SHA256", help="Only if the workspace's theme.toml still is this file.")
@by_option
@json_option
@pass_cli
def set_(cli: Cli, name: str, pairs: tuple[str, ...], expected: str | None, as_json: bool) -> None:
    """Change tokens of the theme NAME: newsletter theme set weekly accent="#0B5D3B". An empty VALUE takes yours out.

    They go into templates/NAME/theme.toml of this workspace. What cannot be read then is said.
    """
    from newsletter.app.tokens import change_tokens

    values = {token: value or None for token, value in pairs_of(pairs, "TOKEN=VALUE").items()}
    with cli.desk() as desk:
        found = change_tokens(desk, name, values, expected=expected)
    if as_json:
        print_json("theme-set", found.as_row())
        return
    cli.say(f"Changed {', '.join(sorted(values))} in templates/{name}/theme.toml.")
    for warning in found.warnings:
        cli.note(warning)
