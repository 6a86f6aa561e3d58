"""The documents cannot lie: every command, option, setting and check is in them, and what they show is real."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from newsletter.cli.group import COMMANDS, newsletter
from newsletter.workspace.config import config_keys

ROOT = Path(__file__).parents[2]
# By their path in the repository; those directly under docs/ by their name alone.
DOCUMENTS = {
    p.relative_to(ROOT).as_posix().removeprefix("docs/" if p.parent.name == "docs" else ""): p.read_text(
        encoding="utf-8"
    )
    for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
}
ALL = "\n".join(DOCUMENTS.values())


def every_command() -> list[tuple[str, click.Command]]:
    context = click.Context(newsletter)
    found = []
    for name in COMMANDS:
        command = newsletter.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", c) for sub, c in command.commands.items()]
        else:
            found.append((name, command))
    return found


@pytest.mark.parametrize("name", [n for n, _ in every_command()])
def test_every_command_is_documented(name: str) -> None:
    """`newsletter <command>`, or its last word in a list that begins with its group, is in the documents."""
    group, _, leaf = name.partition(" ")
    known = f"newsletter {name}" in ALL or f"`{leaf or group}`" in ALL
    assert known, f"newsletter {name} is nowhere in docs/"


@pytest.mark.parametrize(("name", "command"), every_command())
def test_every_command_explains_itself(name: str, command: click.Command) -> None:
    """Each command has a help text and each option says what it does."""
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help or isinstance(parameter.type, click.Choice) or parameter.show_default, (
                name,
                parameter.name,
            )


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_help_table_says_what_the_command_says(name: str) -> None:
    """The one-line help that is printed without loading the command is the command's own."""
    command = newsletter.get_command(click.Context(newsletter), name)
    assert command
    assert COMMANDS[name][1] == command.short_help


def test_every_setting_is_documented_and_no_other() -> None:
    """docs/configuration.md's table is exactly the typed configuration."""
    rows = re.findall(r"^\| `([a-z0-9_.<>]+)` \|", DOCUMENTS["configuration.md"], re.MULTILINE)
    assert sorted(rows) == sorted(config_keys())


def test_the_settings_page_says_what_the_documentation_says() -> None:
    """The sentence of each key is the one in docs/configuration.md, but for links."""
    from newsletter.workspace.setting_words import WORDS

    rows = re.findall(r"^\| `([a-z0-9_.<>]+)` \| .*? \| (.*) \|$", DOCUMENTS["configuration.md"], re.MULTILINE)
    plain = {key: re.sub(r"[;,]? see \[[^\]]*\]\([^)]*\)", "", words) for key, words in rows}
    assert {key: re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", words) for key, words in plain.items()} == dict(WORDS)


def test_the_grounds_that_tokens_are_judged_on_are_the_documented_ones() -> None:
    """What stands on what is in docs/themes.md."""
    from newsletter.app.tokens import STANDS_ON

    text = DOCUMENTS["themes.md"]
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| [^|]+ \| (`[a-z_`, ]+`) \|$", text, re.MULTILINE)
    found = {
        name: tuple(re.findall(r"`(\w+)`", grounds))
        for names, grounds in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    assert found | {"on_button": ("button",)} == dict(STANDS_ON)


def test_the_check_pages_are_what_the_registry_says(regenerate: bool) -> None:
    """docs/checks/ is generated from the registry (``./dev goldens``): every page, and no other."""
    from newsletter.checks.pages import FOLDER, documents

    pages = documents()
    if regenerate:
        for old in (ROOT / FOLDER).glob("*.md"):
            old.unlink()
        for name, text in pages.items():
            (ROOT / FOLDER).mkdir(exist_ok=True)
            (ROOT / FOLDER / name).write_text(text, encoding="utf-8")
    written = {page.name: page.read_text(encoding="utf-8") for page in (ROOT / FOLDER).glob("*.md")}
    assert written == pages, "run: ./dev goldens"


@pytest.mark.parametrize("document", sorted(DOCUMENTS))
def test_links_between_documents_lead_somewhere(document: str) -> None:
    """A relative link or picture in a document is a file in the repository."""
    folder = ((ROOT if (ROOT / document).exists() else ROOT / "docs") / document).parent
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", DOCUMENTS[document]):
        assert (folder / target).exists(), f"{document} links to {target}"


def test_the_documents_name_no_command_that_does_not_exist() -> None:
    """A command that was renamed is renamed everywhere."""
    known = {n for n, _ in every_command()} | set(COMMANDS)
    for document in ("README.md", "getting-started.md", "editors-guide.md", "deployment.md"):
        text = DOCUMENTS[document]
        for line in re.findall(r"(?:^|[`/]|&& |\* )newsletter ([a-z][a-z-]+(?: [a-z][a-z-]+)?)", text, re.MULTILINE):
            word = line.split()[0]
            assert word in COMMANDS or line in known, f"{document}: newsletter {line}"
