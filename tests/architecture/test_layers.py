"""The layer table of ARCHITECTURE.md is the code's: who may import whom, and how long a file may get."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "newsletter"

EVERYBODY = {"newsletter", "errors", "models"}
MAY_IMPORT: dict[str, set[str]] = {
    "workspace": set(),
    "store": set(),
    "net": set(),
    "message": set(),
    "articles": {"workspace", "store", "net"},
    "audience": {"workspace", "store"},
    "issues": {"workspace", "store", "articles"},
    "rendering": {"workspace", "message"},
    "clients": {"workspace", "message"},
    "checks": {"workspace", "message", "net", "clients"},
    "delivery": {"workspace", "store", "audience", "message"},
    "providers": {"message", "delivery.ports"},
    "app": {
        "workspace", "store", "net", "message", "articles", "audience", "issues", "rendering", "clients",
        "checks", "delivery", "providers",
    },
    "web": {"app", "workspace"},
    "cli": {"app", "workspace", "web"},
}  # fmt: skip

# The vendor and engine packages that only one place may touch, so that replacing one is a change in one place.
ONLY_IN = {
    "premailer": {"rendering/inline.py"},
    "sendgrid": {"providers/sendgrid.py", "providers/sendgrid_http.py"},
    "python_http_client": {"providers/sendgrid.py", "providers/sendgrid_http.py"},
    "smtplib": {"providers/smtp.py", "providers/smtp_session.py", "providers/smtp_replies.py"},
    "httpcore": {"net/"},
    "dns": {"net/"},
    "boto3": {"net/bucket.py"},
    "botocore": {"net/bucket.py"},
    "click": {"cli/"},
    "starlette": {"web/"},
    "uvicorn": {"web/"},
    "watchfiles": {"web/"},
    "markdown": {"rendering/"},
    "jinja2": {"rendering/", "web/"},
}


def imports_of(file: Path) -> Iterator[tuple[str, int]]:
    """Every absolute module that a file imports, at whatever depth, with its line."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative imports hide the layer"
            yield node.module or "", node.lineno
            if node.module == "newsletter":
                for alias in node.names:
                    yield f"newsletter.{alias.name}", node.lineno


def files() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "_templates" not in p.parts and "_starter" not in p.parts)


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_a_package_imports_only_what_the_layer_table_allows(package: str) -> None:
    """An arrow that the table does not have is a design change, to be made in ARCHITECTURE.md first."""
    wrong = []
    for file in (PACKAGE / package).rglob("*.py"):
        for module, line in imports_of(file):
            parts = module.split(".")
            if parts[0] != "newsletter" or len(parts) == 1:
                continue
            target = parts[1]
            allowed = target in EVERYBODY | MAY_IMPORT[package] | {package} or target.startswith("__version__")
            allowed = allowed or ".".join(parts[1:3]) in MAY_IMPORT[package]
            if not allowed:
                wrong.append(f"{file.relative_to(ROOT)}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


def test_every_package_is_in_the_layer_table() -> None:
    """A new package must choose its layer."""
    assert {p.parent.name for p in PACKAGE.glob("*/__init__.py")} == set(MAY_IMPORT)


@pytest.mark.parametrize("module", ["errors", "models"])
def test_errors_and_models_import_nothing_of_ours(module: str) -> None:
    """The words and the error tree stand below everything."""
    ours = {m for m, _ in imports_of(PACKAGE / f"{module}.py") if m.startswith("newsletter")}
    assert not ours


@pytest.mark.parametrize("vendor", sorted(ONLY_IN))
def test_a_vendor_package_is_imported_in_one_place_only(vendor: str) -> None:
    """Replacing premailer, smtplib or the SDK is a change in one file or one package."""
    users = {str(f.relative_to(PACKAGE)) for f in files() if any(m.split(".")[0] == vendor for m, _ in imports_of(f))}
    allowed = ONLY_IN[vendor]
    assert users, f"nobody imports {vendor}: take it out of this table"
    assert all(any(u == a or (a.endswith("/") and u.startswith(a)) for a in allowed) for u in users), users


def test_no_file_is_longer_than_500_lines_and_the_median_stays_small() -> None:
    """A file that one cannot read in one sitting is two files."""
    lengths = {f: len(f.read_text(encoding="utf-8").splitlines()) for f in files()}
    too_long = {str(f.relative_to(ROOT)): n for f, n in lengths.items() if n > 500}
    assert not too_long
    assert statistics.median(n for n in lengths.values() if n > 5) <= 170


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_none_of_the_heavy_packages(arguments: list[str]) -> None:
    """Help is instant because a command's module is imported only when the command runs."""
    heavy = "sqlalchemy alembic lxml jinja2 premailer PIL babel nh3 httpcore starlette uvicorn sendgrid markdown yaml"
    heavy += " boto3"
    code = (
        "import sys\nfrom newsletter.cli.group import run\n"
        f"try:\n    run({arguments!r})\nexcept SystemExit as leaving:\n    assert not leaving.code\n"
        f"print('loaded:', sorted(set({heavy.split()!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "loaded: []"


def test_the_tests_start_one_browser() -> None:
    """A process can hold one synchronous Playwright: a test that starts its own fails where another ran before it."""
    folder = Path(__file__).parent.parent
    starting = [path for path in folder.rglob("*.py") if "with sync_playwright" in path.read_text(encoding="utf-8")]
    assert [path.relative_to(folder).as_posix() for path in starting if path != Path(__file__)] == ["conftest.py"]
