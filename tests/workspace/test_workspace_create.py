"""Making workspaces, and finding themes in them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.errors import CannotWrite, ConfigurationError, NotFound, ThemeError, UsageProblem
from newsletter.workspace import builtin, create, themes
from newsletter.workspace.builtin import builtin_templates, starter
from newsletter.workspace.config import load_config
from newsletter.workspace.create import create_demo, init_workspace
from newsletter.workspace.keys import load_keys
from newsletter.workspace.paths import Workspace, find_workspace
from newsletter.workspace.themes import list_themes, load_theme

# -- init


def test_a_new_workspace_is_complete(tmp_path: Path) -> None:
    """Configuration that loads, folders, keys of its own, what git must and must not keep."""
    ws = init_workspace(tmp_path / "the-estuary", name=None, sender=None, address=None)
    config = load_config(ws)
    assert (config.publication.name, config.publication.postal_address) == ("The Estuary", "")
    assert (config.sender.name, config.sender.email) == ("The Estuary", "newsletter@example.com")
    assert config.provider.name == "outbox"
    assert ws.issues.is_dir() and ws.templates.is_dir()
    assert stat.S_IMODE(ws.keys_file.stat().st_mode) == 0o600
    assert load_keys(ws).current_secret
    assert (ws.root / ".gitignore").read_text() == ".newsletter/\n*.rejected.csv\n"
    assert (ws.root / ".gitattributes").read_text() == "issues/*/approved/** -text\n"
    assert ws.config_file.read_text().count("#") > 10
    assert find_workspace(ws.issues) == ws


def test_what_is_given_is_written_whatever_is_in_it(tmp_path: Path) -> None:
    """Quotes, backslashes, braces, other scripts; the file stays TOML."""
    name = 'Das "Blatt" \\ {heute} – ہفتہ وار'
    ws = init_workspace(tmp_path, name=name, sender="desk@example.org", address="1 Quay St\nWexmouth")
    config = load_config(ws)
    assert (config.publication.name, config.sender.name) == (name, name)
    assert config.publication.postal_address == "1 Quay St\nWexmouth"
    assert config.sender.email == "desk@example.org"


def test_nothing_that_was_there_is_overwritten(tmp_path: Path) -> None:
    """A workspace is refused; lines are added to a .gitignore once, after what it has."""
    (tmp_path / ".gitignore").write_bytes(b"*.tmp")
    (tmp_path / ".gitattributes").write_bytes(b"issues/*/approved/** -text\r\n")
    (tmp_path / "notes.txt").write_text("mine")
    ws = init_workspace(tmp_path, name="A", sender=None, address=None)
    assert (tmp_path / ".gitignore").read_bytes() == b"*.tmp\n.newsletter/\n*.rejected.csv\n"
    assert (tmp_path / ".gitattributes").read_bytes() == b"issues/*/approved/** -text\r\n"
    assert (tmp_path / "notes.txt").read_text() == "mine"
    before, keys = ws.config_file.read_bytes(), ws.keys_file.read_bytes()
    with pytest.raises(ConfigurationError, match="already"):
        init_workspace(tmp_path, name="B", sender=None, address=None)
    assert ws.config_file.read_bytes() == before
    ws.config_file.unlink()
    init_workspace(tmp_path, name="C", sender=None, address=None)
    assert ws.keys_file.read_bytes() == keys
    assert (tmp_path / ".gitignore").read_bytes() == b"*.tmp\n.newsletter/\n*.rejected.csv\n"


@pytest.mark.parametrize(("name", "sender"), [("", None), ("a\nb", None), (None, "nobody"), (None, "A <a@b.example>")])
def test_a_value_that_cannot_be_makes_no_workspace(tmp_path: Path, name: str | None, sender: str | None) -> None:
    """Nothing is written before everything is known to be right."""
    with pytest.raises(ConfigurationError):
        init_workspace(tmp_path / "w", name=name, sender=sender, address=None)
    assert not (tmp_path / "w").exists()


def test_the_name_comes_from_the_folder(tmp_path: Path) -> None:
    """In words; a folder without any still gets one."""
    for folder, name in (
        ("weekly", "Weekly"),
        ("the_long-read", "The Long Read"),
        ("BBC news", "BBC News"),
        ("-", "Newsletter"),
    ):
        ws = init_workspace(tmp_path / folder, name=None, sender=None, address=None)
        assert load_config(ws).publication.name == name


def test_a_full_disk_makes_no_half_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """newsletter.toml comes last; calling again finishes the work."""
    real = create.write_atomic

    def full(path: Path, data: str | bytes, mode: int = 0o644) -> None:
        if path.name == "newsletter.toml":
            raise CannotWrite("cannot write: No space left on device", where=str(path))
        real(path, data, mode)

    monkeypatch.setattr(create, "write_atomic", full)
    with pytest.raises(CannotWrite):
        init_workspace(tmp_path, name="A", sender=None, address=None)
    assert not (tmp_path / "newsletter.toml").exists()
    monkeypatch.undo()
    assert load_config(init_workspace(tmp_path, name="A", sender=None, address=None)).publication.name == "A"


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A file where a folder should be, a folder where a file should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite):
        init_workspace(tmp_path / "file" / "w", name="A", sender=None, address=None)
    (tmp_path / "w" / ".gitignore").mkdir(parents=True)
    with pytest.raises(CannotWrite):
        init_workspace(tmp_path / "w", name="A", sender=None, address=None)


# -- demo


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A starter with everything that must not be copied."""
    root = tmp_path / "starter"
    issue = root / "issues" / "2026-11-27"
    for folder in (issue / "approved", issue / "images", root / ".newsletter", root / "templates" / "weekly"):
        folder.mkdir(parents=True)
    (root / "newsletter.toml").write_text('[publication]\nname = "Sample"\n')
    (root / "secret.txt").write_text("x")
    (issue / "issue.md").write_text("x")
    (issue / "images" / "a.jpg").write_bytes(b"x")
    (issue / "approved" / "approval.json").write_text("{}")
    (issue / ".issue.md.swp").write_text("x")
    (root / ".newsletter" / "newsletter.db").write_text("x")
    monkeypatch.setattr(create, "starter", lambda: root)
    return root


def test_the_demo_is_a_fresh_copy(sample: Path, tmp_path: Path) -> None:
    """Sample issues and configuration, own keys; no approval, no state, nothing else."""
    (tmp_path / "demo").mkdir()
    ws = create_demo(tmp_path / "demo")
    files = {p.relative_to(ws.root).as_posix() for p in ws.root.rglob("*") if p.is_file()}
    assert files == {
        "newsletter.toml", ".gitignore", ".gitattributes", ".newsletter/keys.json",
        "issues/2026-11-27/issue.md", "issues/2026-11-27/images/a.jpg",
    }  # fmt: skip
    assert load_config(ws).publication.name == "Sample"
    assert load_keys(ws).suppression != load_keys(create_demo(tmp_path / "other")).suppression


def test_the_demo_never_touches_a_folder_in_use(sample: Path, tmp_path: Path) -> None:
    """A file in it, or a file of that name."""
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for target in ("used", "file", "starter"):
        with pytest.raises(UsageProblem, match="empty folder"):
            create_demo(tmp_path / target)
    assert [p.name for p in (tmp_path / "used").iterdir()] == ["mine.txt"]


def test_a_copy_that_fails_is_our_error(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system's refusal becomes exit code 73."""

    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(create.shutil, "copytree", full)
    with pytest.raises(CannotWrite, match="disk is full"):
        create_demo(tmp_path / "demo")


# -- what is built in


def test_the_checkout_has_what_the_wheel_packages() -> None:
    """One place to ask, in either kind of installation."""
    assert builtin_templates().is_dir()
    assert builtin_templates().name in ("templates", "_templates")
    assert (starter() / "newsletter.toml").is_file()


def test_the_wheel_has_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a broken one does not take whatever lies beside it in site-packages."""
    package = tmp_path / "site-packages" / "newsletter"
    (package.parent / "templates").mkdir(parents=True)
    monkeypatch.setattr(builtin, "_PACKAGE", package)
    monkeypatch.setattr(builtin, "_CHECKOUT", package.parent)
    with pytest.raises(NotFound, match="install newsletter again"):
        builtin_templates()
    (package / "_templates").mkdir(parents=True)
    (package / "_starter").mkdir()
    assert builtin_templates() == package / "_templates"
    assert starter() == package / "_starter"


# -- themes

Make = Callable[..., Path]


@pytest.fixture
def built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "built-in"
    monkeypatch.setattr(themes, "builtin_templates", lambda: folder)
    theme(
        folder / "base",
        'api = 1\n[tokens]\nink = "#1a1a1a"\naccent = "#9b1c1c"\nwidth = 600\nratio = 1.5\n',
        "a",
        "b",
        "c",
    )
    theme(folder / "weekly", 'api = 1\nextends = "base"\n[tokens]\naccent = "#aa0000"\n', "a", "b")
    return folder


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    (tmp_path / "w").mkdir()
    return Workspace(tmp_path / "w")


def theme(folder: Path, toml: str | None, *files: str) -> Path:
    folder.mkdir(parents=True)
    if toml is not None:
        (folder / "theme.toml").write_text(toml)
    for name in files:
        (folder / name).write_text(folder.name)
    return folder


def test_a_built_in_theme_with_what_it_extends(ws: Workspace, built_in: Path) -> None:
    """Own files before the base's, own tokens over the base's; numbers become words."""
    found = load_theme(ws, "weekly")
    assert (found.name, found.api, found.mso) == ("weekly", 1, True)
    assert found.folders == (built_in / "weekly", built_in / "base")
    assert found.tokens == {"ink": "#1a1a1a", "accent": "#aa0000", "width": "600", "ratio": "1.5"}
    assert found.sources["accent"] == built_in / "weekly" / "theme.toml"
    assert found.sources["ink"] == built_in / "base" / "theme.toml"
    assert found.find("b") == built_in / "weekly" / "b"
    assert found.find("c") == built_in / "base" / "c"
    assert found.find("d") is None
    assert list_themes(ws) == [("base", "built-in"), ("weekly", "built-in")]


def test_a_workspace_overrides_single_files(ws: Workspace, built_in: Path) -> None:
    """A theme of a built-in's name falls back to it, with or without a theme.toml; builtin/ goes past it."""
    mine = theme(ws.templates / "weekly", None, "a")
    found = load_theme(ws, "weekly")
    assert found.folders == (mine, built_in / "weekly", built_in / "base")
    assert found.find("a") == mine / "a"
    assert found.find("b") == built_in / "weekly" / "b"
    assert load_theme(ws, "builtin/weekly").folders == (built_in / "weekly", built_in / "base")
    (mine / "theme.toml").write_text('api = 1\nmso = false\n[tokens]\nink = "#000000"\n')
    found = load_theme(ws, "weekly")
    assert (found.tokens["ink"], found.tokens["accent"], found.mso) == ("#000000", "#aa0000", False)
    (mine / "theme.toml").write_text('api = 1\nextends = "builtin/weekly"\n')
    assert load_theme(ws, "weekly").folders == (mine, built_in / "weekly", built_in / "base")
    assert list_themes(ws) == [("base", "built-in"), ("weekly", "workspace")]


def test_a_theme_of_ones_own(ws: Workspace, built_in: Path) -> None:
    """It may extend a built-in one, whose base the workspace may override too."""
    own = theme(ws.templates / "sport", 'api = 1\nextends = "weekly"\n[tokens]\naccent = "#00f"\n')
    base = theme(ws.templates / "base", None, "c")
    found = load_theme(ws, "sport")
    assert found.folders == (own, built_in / "weekly", base, built_in / "base")
    assert found.find("c") == base / "c"
    alone = theme(ws.templates / "alone", 'api = 1\n[tokens]\nmine = "x"\n')
    assert load_theme(ws, "alone").folders == (alone,)
    assert load_theme(ws, "alone").tokens == {"mine": "x"}
    assert [name for name, _ in list_themes(ws)] == ["alone", "base", "sport", "weekly"]


def test_in_the_checkout_the_built_in_themes_are_the_workspaces_own(built_in: Path) -> None:
    """The same folder is not looked through twice."""
    ws = Workspace(built_in.parent / "root")
    ws.root.mkdir()
    ws.templates.symlink_to(built_in)
    assert load_theme(ws, "weekly").folders == (built_in / "weekly", built_in / "base")
    assert list_themes(ws) == [("base", "built-in"), ("weekly", "built-in")]


@pytest.mark.parametrize(
    ("toml", "line", "message"),
    [
        (
            'api = 1\nextends = "weekly"\n[tokens]\nacent = "#00f"\n',
            4,
            "unknown token 'acent'\n  Fix: did you mean \"accent\"?",
        ),
        ('api = 1\nextends = "weekly"\n[tokens]\nzzz = "#00f"\n', 4, "the tokens are accent, ink, ratio, width"),
        ('api = 1\nextends = "wekly"\n', 2, "there is no theme 'wekly'\n  Fix: did you mean \"weekly\"?"),
        ('api = 1\nextends = "builtin/zzz"\n', 2, "the themes are base, sport, weekly"),
        ('api = 1\nextends = "sport"\n', 2, "in a circle: sport → sport"),
        ('api = 1\nextends = "../weekly"\n', 2, "no name of a theme"),
        ('extends = "weekly"\n', 1, "api: this key is missing"),
        ("api = 2\n", 1, "written for api 2, this is 1\n  Fix: install a newer newsletter"),
        ("api = 0\n", 1, "api"),
        ('api = "1"\n', 1, "api: expected a whole number, found text"),
        ('api = 1\nextend = "weekly"\n', 2, 'extend: unknown key\n  Fix: did you mean "extends"?'),
        ("api = 1\nmso = 1\n", 2, "mso: expected true or false"),
        ("api = 1\n[tokens]\nink = true\n", 3, "tokens.ink: expected"),
    ],
)
def test_a_wrong_theme_file_names_the_line(ws: Workspace, built_in: Path, toml: str, line: int, message: str) -> None:
    """File, line and the nearest word."""
    file = theme(ws.templates / "sport", toml) / "theme.toml"
    with pytest.raises(ThemeError) as caught:
        load_theme(ws, "sport")
    assert caught.value.where == f"{file}:{line}"
    assert message in str(caught.value)
    assert caught.value.fix


def test_longer_circles_are_found(ws: Workspace, built_in: Path) -> None:
    """Through any number of themes."""
    for name, extends in (("a", "b"), ("b", "c"), ("c", "a")):
        theme(ws.templates / name, f'api = 1\nextends = "{extends}"\n')
    with pytest.raises(ThemeError, match="a → b → c → a"):
        load_theme(ws, "a")


def test_a_theme_that_is_no_theme(ws: Workspace, built_in: Path) -> None:
    """Unknown, without theme.toml, not TOML, not UTF-8."""
    with pytest.raises(ThemeError, match='did you mean "weekly"'):
        load_theme(ws, "weakly")
    for name in ("../weekly", "/etc", "Weekly", "", "builtin/../weekly", "."):
        with pytest.raises(ThemeError, match="no name of a theme"):
            load_theme(ws, name)
    folder = theme(ws.templates / "sport", None, "a")
    with pytest.raises(ThemeError, match=r"no theme\.toml"):
        load_theme(ws, "sport")
    (folder / "theme.toml").write_text("api = \n")
    with pytest.raises(ThemeError, match="not TOML"):
        load_theme(ws, "sport")
    (folder / "theme.toml").write_bytes(b"\xff")
    with pytest.raises(ThemeError, match="UTF-8"):
        load_theme(ws, "sport")


def test_a_theme_cannot_leave_its_folder(ws: Workspace, built_in: Path, tmp_path: Path) -> None:
    """Neither by a file's name nor by a link."""
    (tmp_path / "secret").write_text("x")
    folder = theme(ws.templates / "sport", "api = 1\n")
    found = load_theme(ws, "sport")
    for name in ("../secret", "/etc/passwd", "a/../../secret", "a\\b"):
        with pytest.raises(ThemeError, match="outside"):
            found.find(name)
    (folder / "a").symlink_to(tmp_path / "secret")
    with pytest.raises(ThemeError, match="link"):
        found.find("a")
    (ws.templates / "linked").symlink_to(tmp_path / "built-in" / "weekly")
    with pytest.raises(ThemeError, match="link"):
        load_theme(ws, "linked")
