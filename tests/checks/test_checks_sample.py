"""The checks on the real sample issue, rendered as the product renders it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.app.check import findings_of
from newsletter.app.desk import Desk
from newsletter.app.render import Rendered, render
from newsletter.models import Severity
from newsletter.workspace.create import create_demo

SLUG = "2026-11-27"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(create_demo(tmp_path_factory.mktemp("demo") / "demo"))
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def sample(desk: Desk) -> Rendered:
    return render(desk, SLUG)


def test_the_sample_issue_has_no_error_and_no_warning(desk: Desk, sample: Rendered) -> None:
    """What a newcomer sees first is how it should be; theme, sample and rules agree with each other."""
    assert [f for f in findings_of(desk, sample) if f.severity is not Severity.INFO] == []


def test_every_story_of_the_sample_is_found_in_its_html(sample: Rendered, desk: Desk) -> None:
    """The spans lead the parser to each story, so that findings can name it."""
    from newsletter.checks.context import CheckContext

    context = CheckContext(sample.issue, sample.email, desk.config)
    owners = {element.article for element in context.page.elements} - {None}
    assert owners == {article.slug for article in sample.issue.articles()}


def test_a_fault_in_one_story_of_the_sample_is_told_for_that_story(desk: Desk, sample: Rendered) -> None:
    """A finding names the article, the field and the line of its file."""
    first, *rest = sample.issue.sections
    lead = first.articles[0]
    assert lead.image is not None
    broken = dataclasses.replace(lead, image=dataclasses.replace(lead.image, alt=lead.headline))
    issue = dataclasses.replace(sample.issue, sections=(dataclasses.replace(first, articles=(broken,)), *rest))
    told = findings_of(desk, dataclasses.replace(sample, issue=issue))
    (finding,) = [f for f in told if f.severity is Severity.WARNING]
    assert (finding.id, finding.article, finding.field) == ("alt-repeats-headline", lead.slug, "image.alt")
    assert finding.file == f"issues/{SLUG}/{lead.slug}.md"
    assert finding.line is not None
    lines = (desk.workspace.root / finding.file).read_text(encoding="utf-8").splitlines()
    assert lines[finding.line - 1].strip().startswith("alt:")


def test_a_missing_picture_of_the_sample_is_told(desk: Desk, sample: Rendered) -> None:
    """Had the renderer left one out, the checks would know."""
    email = dataclasses.replace(sample.email, images=sample.email.images[1:])
    told = findings_of(desk, dataclasses.replace(sample, email=email))
    assert [(f.id, f.article) for f in told if f.severity is Severity.ERROR] == [
        ("picture-missing", sample.email.images[0].article)
    ]


def test_the_samples_folder_is_left_as_it_was(desk: Desk) -> None:
    """Checking reads and never writes."""
    assert not list(Path(desk.workspace.root).glob("issues/*/approved"))
