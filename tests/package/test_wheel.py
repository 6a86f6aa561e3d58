"""The artifact works: the wheel, in a clean environment, outside the checkout, without the source."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_holds_themes_sample_and_migrations_and_nothing_private(wheel: Path) -> None:
    """What `demo`, `build` and a first database need is inside; state, tests and secrets are not."""
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "newsletter/_templates/weekly/email.html.j2",
        "newsletter/_templates/base/style.css",
        "newsletter/_starter/newsletter.toml",
        "newsletter/_starter/issues/2026-11-27/issue.md",
        "newsletter/clients/facts.json",
        "newsletter/clients/facts.LICENSE",
        "newsletter/store/migrations/versions/0001_first.py",
        "newsletter/web/static/preview.js",
        "newsletter/py.typed",
    ):
        assert needed in names, needed
    assert not [n for n in names if n.startswith("tests") or ".newsletter" in n or "approved" in n or "keys.json" in n]


@pytest.mark.slow
def test_the_wheel_runs_init_build_check_and_demo_without_the_source(wheel: Path, tmp_path: Path) -> None:
    """A clean environment whose only newsletter is the installed wheel does the newcomer's first minutes."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    install = [str(venv / "bin" / "pip"), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, env=env)
    # The dependencies are this environment's. A .pth inside a folder that a .pth names is not read, so the
    # editable install of the checkout stays out of sight.
    site = next((venv / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def newsletter(*arguments: str) -> str:
        return run(str(venv / "bin" / "newsletter"), *arguments)

    where = run(str(venv / "bin" / "python"), "-c", "import newsletter; print(newsletter.__file__)")
    assert where.startswith(str(site))
    newsletter("init", "weekly")
    (tmp_path / "story.md").write_text("# A story\n\nIt is short, and it is enough.\n", encoding="utf-8")
    newsletter("-C", "weekly", "issue", "new", "2026-11-27")
    newsletter("-C", "weekly", "article", "add", "story.md", "--issue", "2026-11-27")
    newsletter("-C", "weekly", "build", "2026-11-27")
    newsletter("-C", "weekly", "check", "2026-11-27")
    assert "12 = 12 submitted" in newsletter("demo", "sample")
