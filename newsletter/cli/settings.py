"""``newsletter settings``."""

from __future__ import annotations

import click

from newsletter.cli.common import Cli, by_option, json_option, pairs_of, pass_cli, print_json, table


@click.group(short_help="Settings: what they are, what they mean, change some.")
def settings() -> None:
    """The settings of newsletter.toml: what they are, what they mean, change some."""


@settings.command("list", short_help="List the settings with their values.")
@click.argument("word", required=False)
@click.option("--all", "everything", is_flag=True, help="Also those that nobody wrote and whose default holds.")
@json_option
@pass_cli
def list_(cli: Cli, word: str | None, everything: bool, as_json: bool) -> None:
    """List what newsletter.toml says, or every key that begins with WORD. A secret shows where it is, nothing more."""
    from newsletter.app.settings import read_settings

    with cli.desk() as desk:
        found = read_settings(desk)
    if as_json:
        print_json("settings-list", found.as_row())
        return
    rows = [
        (setting.key, setting.shown, setting.words)
        for group in found.groups
        for setting in group.settings
        if setting.key.startswith(word or "") and (setting.written or everything or word)
    ]
    cli.say(table(rows))


@settings.command("set", short_help="Change settings, all of them or none.")
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.option("--expected", metavar="SHA256", help="Only if newsletter.toml still is this file.")
@by_option
@json_option
@pass_cli
def set_(cli: Cli, pairs: tuple[str, ...], expected: str | None, as_json: bool) -> None:
    """Change settings: newsletter settings set publication.name="The Weekly" test.to=a@b.example,c@d.example.

    An empty VALUE takes the key out, so that its default holds. Comments and order stay; nothing is written unless the
    whole file is right afterwards.
    """
    from newsletter.app.settings import change

    values = {key: value or None for key, value in pairs_of(pairs, "KEY=VALUE").items()}
    with cli.desk() as desk:
        sha256 = change(desk, values, expected=expected)
    if as_json:
        print_json("settings-set", {"keys": sorted(values), "sha256": sha256})
    else:
        cli.say(f"Changed {', '.join(sorted(values))}.")
