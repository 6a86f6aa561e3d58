"""The checks on what this repository ships, in every theme and both directions; and against the simulations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from newsletter.app.check import findings_of
from newsletter.app.desk import Desk, open_desk
from newsletter.app.render import Rendered, render
from newsletter.checks.darkness import Seen, gmail, outlook
from newsletter.checks.page import Page
from newsletter.clients.cascade import Cascade
from newsletter.clients.gmail_dark import gmail_dark
from newsletter.clients.outlook_com_dark import outlook_com_dark
from newsletter.clients.pages import parse
from newsletter.models import Severity
from tests.themes.samples import SAMPLES, set_sample

THEMES = ("base", "weekly", "digest", "letter", "bulletin")


@pytest.fixture(scope="module", params=[(theme, name) for theme in THEMES for name in SAMPLES], ids="-".join)
def shipped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Desk, Rendered]]:
    """An issue of the repository in one of its themes."""
    theme, name = request.param
    root, issue = set_sample(name, theme, tmp_path_factory.mktemp(theme) / "ws")
    with open_desk(root) as desk:
        yield desk, render(desk, issue)


def test_what_we_ship_has_no_error_and_no_warning(shipped: tuple[Desk, Rendered]) -> None:
    """Without a waiver: theme, sample and checks agree with each other."""
    desk, rendered = shipped
    assert rendered.email.theme in THEMES
    assert not rendered.issue.waive and not any(article.waive for article in rendered.issue.articles())
    assert desk.config.checks == {}
    assert [f for f in findings_of(desk, rendered) if f.severity is not Severity.INFO] == []


@pytest.mark.parametrize(
    ("ours", "theirs"), [(outlook, outlook_com_dark), (gmail, gmail_dark)], ids=["outlook", "gmail"]
)
def test_repainted_colours_are_those_of_the_simulations(
    shipped: tuple[Desk, Rendered], ours: Callable[[Page], Mapping[Any, Seen]], theirs: Callable[[str], Any]
) -> None:
    """The quick way of the check and the whole page that the preview shows give every element the same colours."""
    email = shipped[1].email
    page = Page(email.html, email.spans)
    mine = ours(page)
    simulated = parse(theirs(email.html).html)
    cascade = Cascade(simulated)
    nodes = [node for node in simulated.iter() if isinstance(node.tag, str)]
    # Gmail puts a body of its own around the mail: the name of the publication is where both begin.
    nodes = nodes[next(at for at, node in enumerate(nodes) if node.tag == "h1") :]
    elements = page.elements[next(at for at, element in enumerate(page.elements) if element.tag == "h1") :]
    assert [node.tag for node in nodes] == [element.tag for element in elements]
    for node, element in zip(nodes, elements, strict=True):
        seen = mine[element.node]
        assert (cascade.color(node), cascade.ground(node)) == (seen.words, seen.ground), element.text
