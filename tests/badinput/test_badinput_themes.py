"""Themes with mistakes in their templates, their style sheets and their theme.toml."""

from __future__ import annotations

from pathlib import Path

import pytest
from badinput_kit import ISSUE, Run, refused, tree

PAGE = "<html><body>\n{}\n</body></html>"

BROKEN = {
    "unclosed if": ("email.html.j2", PAGE.format("{% if issue %}"), 3, "does not parse"),
    "unclosed braces": ("email.html.j2", PAGE.format("{{ issue.slug"), 3, "does not parse"),
    "unknown tag": ("email.html.j2", PAGE.format("{% frobnicate %}"), 2, "frobnicate"),
    "unknown filter": ("email.html.j2", PAGE.format("{{ issue.slug | shout }}"), 2, "shout"),
    "undefined variable": ("email.html.j2", PAGE.format("{{ weather }}"), 2, "'weather' is undefined"),
    "undefined attribute": ("email.html.j2", PAGE.format("{{ issue.headlin }}"), 2, "headlin"),
    "undefined in text": ("email.txt.j2", "\n\n{{ weather }}", 3, "'weather' is undefined"),
    "missing include": ("email.html.j2", PAGE.format("{% include 'gone.j2' %}"), 2, "gone.j2"),
    "way out": ("email.html.j2", PAGE.format("{{ ''.__class__.__mro__ }}"), 2, "unsafe"),
    "division": ("email.html.j2", PAGE.format("{{ 1 / 0 }}"), 2, "division by zero"),
    "no toml": ("theme.toml", "api = 1\nextends = base\n", None, "theme.toml: this is not TOML"),
    "unknown key": ("theme.toml", 'apii = 1\nextends = "base"\n', 1, 'did you mean "api"?'),
    "unknown token": (
        "theme.toml",
        'api = 1\nextends = "base"\n[tokens]\nacent = "#f00"\n',
        4,
        'did you mean "accent"?',
    ),
    "unknown parent": ("theme.toml", 'api = 1\nextends = "bsae"\n', 2, 'did you mean "base"?'),
    "later api": ("theme.toml", 'api = 9\nextends = "base"\n', 1, "newer newsletter"),
    "unclosed rule": ("style.css", ".a { color: red\n", 1, "not closed"),
    "stray brace": ("style.css", ".a { color: red }\n}\n", 2, "without its {"),
    "unknown token in css": ("style.css", "\n.a { color: {{ tokens.acent }} }\n", 2, "acent"),
    "template in css": ("client.css", "@media ({{{ ", 1, "does not parse"),
    "binary": ("email.html.j2", b"\xff\xfe\x00\x81", None, "UTF-8"),
    "binary toml": ("theme.toml", b"\xff\xfe\x00\x81", None, "UTF-8"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_mistake_in_a_theme_names_its_file_and_line(run: Run, folder: Path, case: str) -> None:
    """build, check and approve: exit 65, nothing built, nothing frozen; the built-in theme still works."""
    name, text, line, what = BROKEN[case]
    root = folder.parents[1]
    theme = root / "templates" / "weekly"
    theme.mkdir(parents=True)
    (theme / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    before = tree(folder)
    for command in ("build", "check", "approve"):
        place = f"templates/weekly/{name}" + (f":{line}" if line else "")
        refused(run(command, ISSUE, code=65), place, what)
    assert tree(folder) == before
    assert not (root / ".newsletter" / "build").exists()
    issue = folder / "issue.md"
    issue.write_text(issue.read_text(encoding="utf-8").replace("date:", "theme: builtin/weekly\ndate:", 1))
    run("build", ISSUE)


def test_an_unknown_theme_is_named_with_the_nearest(run: Run, folder: Path) -> None:
    """In newsletter.toml or in issue.md."""
    issue = folder / "issue.md"
    issue.write_text(issue.read_text(encoding="utf-8").replace("date:", "theme: wekly\ndate:", 1))
    refused(run("build", ISSUE, code=65), "/issue.md: theme: there is no theme 'wekly'", 'did you mean "weekly"?')


def test_a_failed_build_leaves_the_last_good_one(run: Run, folder: Path) -> None:
    """What was built before the mistake is still there, whole."""
    root = folder.parents[1]
    run("build", ISSUE)
    built = root / ".newsletter" / "build" / ISSUE
    before = tree(built)
    theme = root / "templates" / "weekly"
    theme.mkdir(parents=True)
    (theme / "email.html.j2").write_text("{% if %}")
    run("build", ISSUE, code=65)
    assert tree(built) == before


def test_a_theme_that_vanishes_after_approval_changes_nothing_that_is_sent(run: Run, folder: Path) -> None:
    """The approved bytes go out although the issue can no longer be rendered."""
    root = folder.parents[1]
    theme = root / "templates" / "house"
    theme.mkdir(parents=True)
    (theme / "theme.toml").write_text('api = 1\nextends = "weekly"\n[tokens]\npage = "#F5F4F1"\n')
    issue = folder / "issue.md"
    issue.write_text(issue.read_text(encoding="utf-8").replace("date:", "theme: house\ndate:", 1))
    run("audience", "add", "ada@readers.test", "first_name=Ada")
    run("approve", ISSUE, "--send-at", "now")
    (theme / "theme.toml").unlink()
    theme.rmdir()
    refused(run("build", ISSUE, code=65), "no theme 'house'")
    run("run-due")
    assert run("status", ISSUE, "--json").json["counts"] == {"submitted": 1}
    (mail,) = (root / ".newsletter" / "outbox" / "new").iterdir()
    assert "F5F4F1" in mail.read_text(encoding="ascii").replace("=\n", "")
