"""A built-in theme is copied to be edited, and no edit is ever overwritten."""

from __future__ import annotations

from pathlib import Path

from newsletter.workspace.builtin import builtin_templates


def test_a_theme_s_own_files_are_copied_and_win(weekly: Path, run) -> None:
    """The copies are the built-in bytes, and the workspace's files from then on."""
    out = run("theme", "eject", "weekly").out
    own = sorted(path.name for path in (builtin_templates() / "weekly").iterdir())
    assert sorted(path.name for path in (weekly / "templates" / "weekly").iterdir()) == own
    for name in own:
        assert (weekly / "templates" / "weekly" / name).read_bytes() == (
            builtin_templates() / "weekly" / name
        ).read_bytes()
        assert f"copied  templates/weekly/{name}" in out
    assert "Next: edit them; newsletter preview" in out
    assert ["weekly", "workspace"] in [line.split() for line in run("theme", "list").out.splitlines()]
    assert run("theme", "show", "weekly", "--json").json["files"]["theme.toml"] == "templates/weekly/theme.toml"


def test_single_files_even_inherited_ones(weekly: Path, issue: str, run) -> None:
    """A style sheet that weekly has from base becomes weekly's own, and an edit of it reaches the mail."""
    made = run("theme", "eject", "builtin/weekly", "style.css", "--json").json
    assert made == {
        "schema": "newsletter/theme-eject/1", "name": "weekly", "files": ["templates/weekly/style.css"], "in_use": True
    }  # fmt: skip
    sheet = weekly / "templates" / "weekly" / "style.css"
    sheet.write_text(sheet.read_text(encoding="utf-8") + "\nh1 { letter-spacing: 3px; }\n", encoding="utf-8")
    run("build", issue)
    assert "letter-spacing:3px" in (weekly / ".newsletter" / "build" / issue / "email.html").read_text().replace(
        ": ", ":"
    )


def test_another_theme_says_how_it_is_used(weekly: Path, run) -> None:
    """The publication does not have it yet."""
    assert 'set theme = "base" under [publication]' in run("theme", "eject", "base", "client.css").out


def test_nothing_is_overwritten_and_then_nothing_is_copied(weekly: Path, run) -> None:
    """One file that is there stops all."""
    mine = weekly / "templates" / "weekly" / "theme.toml"
    mine.parent.mkdir(parents=True)
    mine.write_text('api = 1\nextends = "base"\n')
    refused = run("theme", "eject", "weekly", code=65)
    assert "theme.toml is in templates/weekly already; nothing was copied" in refused.err
    assert list(mine.parent.iterdir()) == [mine] and mine.read_text() == 'api = 1\nextends = "base"\n'
    run("theme", "eject", "weekly", "email.html.j2")


def test_what_is_not_built_in_is_refused_with_a_hint(weekly: Path, run) -> None:
    """Unknown themes, unknown files, files outside; a theme of the workspace is nobody's to copy."""
    assert "weekly" in run("theme", "eject", "weakly", code=65).err
    assert 'did you mean "style.css"?' in run("theme", "eject", "weekly", "styles.css", code=65).err
    assert "the files are" in run("theme", "eject", "weekly", "zzzzzz", code=65).err
    assert "outside the theme" in run("theme", "eject", "weekly", "../base/style.css", code=65).err
    (weekly / "templates" / "evening").mkdir(parents=True)
    assert "there is no theme" in run("theme", "eject", "evening", code=65).err


def test_in_a_checkout_the_templates_are_edited_where_they_are(weekly: Path, run) -> None:
    """There the workspace's themes are the built-in ones."""
    if (weekly / "templates").is_dir():
        (weekly / "templates").rmdir()
    (weekly / "templates").symlink_to(builtin_templates())
    assert "edit them where they are" in run("theme", "eject", "weekly", code=1).err
