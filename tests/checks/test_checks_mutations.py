"""Each of the base theme's fifteen points is taken away in turn, and a check notices.

Where the renderer itself refuses the change, or mends it, the finished email is changed in its place.
"""

from __future__ import annotations

import dataclasses
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from newsletter.app.check import findings_of
from newsletter.app.desk import Desk, open_desk
from newsletter.app.render import render
from newsletter.models import Email, Severity
from newsletter.workspace.builtin import builtin_templates
from tests.themes.samples import set_sample

ENGLISH = "2026-11-27"


@dataclass(frozen=True)
class Mutation:
    """One thing taken away: words of a theme's file, and the check that has to notice."""

    point: int
    notices: str
    file: str
    old: str
    new: str = ""
    lang: str = "en-GB"
    """Of the issue that shows it."""

    def __str__(self) -> str:
        return f"{self.point}-{self.notices}-{self.old.strip()[:24] or self.file}"


CASES = tomllib.loads(Path(__file__).with_name("mutations.toml").read_text(encoding="utf-8"))
MUTATIONS = [Mutation(**case) for case in CASES["mutation"]]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """Workspace and issue by language."""
    folder = tmp_path_factory.mktemp("mutants")
    return {
        "en-GB": set_sample("english", "weekly", folder / "english"),
        "ur": set_sample("urdu", "weekly", folder / "urdu"),
    }


@pytest.fixture
def mutate(samples: dict[str, tuple[Path, str]]) -> Iterator[Callable[[Mutation], tuple[Path, str]]]:
    """Put a changed copy of a built-in theme's file into the workspace that shows it; it is gone after the test."""

    def change(mutation: Mutation) -> tuple[Path, str]:
        root, issue = samples[mutation.lang]
        text = (builtin_templates() / mutation.file).read_text(encoding="utf-8")
        assert mutation.old in text, f"{mutation.old!r} is not in {mutation.file}"
        changed = root / "templates" / mutation.file
        changed.parent.mkdir(parents=True, exist_ok=True)
        changed.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        return root, issue

    yield change
    for root, _ in samples.values():
        shutil.rmtree(root / "templates", ignore_errors=True)


def noticed(root: Path, issue: str) -> set[str]:
    """The ids of what the checks find, notes left out."""
    with open_desk(root) as desk:
        return {f.id for f in findings_of(desk, render(desk, issue)) if f.severity is not Severity.INFO}


@pytest.mark.parametrize("lang", ["en-GB", "ur"])
def test_before_any_mutation_nothing_is_found(samples: dict[str, tuple[Path, str]], lang: str) -> None:
    """Whatever a check says below, it says because of the mutation."""
    assert noticed(*samples[lang]) == set()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_check_notices_what_was_taken_away(
    mutate: Callable[[Mutation], tuple[Path, str]], mutation: Mutation
) -> None:
    """A theme that differs from the built-in one in this alone is told so, by this check."""
    assert mutation.notices in noticed(*mutate(mutation))


def test_every_point_has_its_mutations() -> None:
    """Fifteen points, none forgotten."""
    assert {mutation.point for mutation in MUTATIONS} == set(range(1, 16))


@pytest.fixture(scope="module")
def desk(samples: dict[str, tuple[Path, str]]) -> Iterator[Desk]:
    with open_desk(samples["en-GB"][0]) as desk:
        yield desk


@pytest.mark.parametrize(
    ("notices", "old", "new"),
    [
        ("doctype-missing", "<!DOCTYPE html>\n", ""),
        ("charset-missing", '<meta charset="utf-8">', ""),
        ("style-nested-at", "@media (prefers-color-scheme: dark){", "@supports (x:y){@media print{}}@media (prefers"),
        ("style-too-large", ":root{", ":root{--x:" + "x" * 17_000 + ";"),
        ("mso-unbalanced", "<!--[if mso]></td></tr></table><![endif]-->", ""),
        ("text-missing", "", ""),
    ],
)  # fmt: skip
def test_what_the_renderer_would_refuse_is_noticed_too(desk: Desk, notices: str, old: str, new: str) -> None:
    """Mail that another version rendered, or that somebody changed, is looked at with the same eyes."""
    rendered = render(desk, ENGLISH)
    assert old in rendered.email.html
    changes = {"html": rendered.email.html.replace(old, new, 1)} if old else {"text": ""}
    email: Email = dataclasses.replace(rendered.email, **changes)  # type: ignore[arg-type]  # html or text, both words
    assert notices in {f.id for f in findings_of(desk, dataclasses.replace(rendered, email=email))}


@pytest.mark.parametrize(
    ("ink", "outline", "lost"),
    [((20, 20, 20), None, True), ((20, 20, 20), (245, 245, 245), False), ((240, 240, 240), None, False)],
)
def test_a_logo_that_is_gone_on_dark_screens_is_noticed(
    samples: dict[str, tuple[Path, str]],
    ink: tuple[int, int, int],
    outline: tuple[int, int, int] | None,
    lost: bool,
) -> None:
    """Point 12: dark letters on a transparent ground need their outline."""
    root, issue = samples["en-GB"]
    picture = Image.new("RGBA", (560, 96), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    for left in range(20, 540, 60):
        draw.rectangle((left, 20, left + 40, 76), fill=ink, outline=outline, width=4)
    picture.save(root / "masthead.png")
    config = root / "newsletter.toml"
    before = config.read_text(encoding="utf-8")
    config.write_text(before.replace('# logo = "masthead.png"', 'logo = "masthead.png"'), encoding="utf-8")
    try:
        assert ("logo-lost-on-dark" in noticed(root, issue)) is lost
    finally:
        config.write_text(before, encoding="utf-8")
