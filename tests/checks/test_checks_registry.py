"""The registry: ids are unique, checks explain themselves, and installed packages can bring their own."""

from __future__ import annotations

import importlib.metadata

import pytest

from newsletter.checks import examples as eg
from newsletter.checks import registry
from newsletter.checks.pages import documents, explain
from newsletter.checks.registry import FAMILIES, Example, all_checks, check, find
from newsletter.errors import ConfigurationError, NotFound
from newsletter.models import Severity


def test_two_checks_cannot_have_one_id() -> None:
    """A waiver must mean one thing."""
    example = Example("x", eg.as_it_is)
    decorate = check(
        id="alt-missing", severity=Severity.INFO, family="x", why="x", source="x", failing=example, passing=example
    )
    all_checks()
    with pytest.raises(ConfigurationError, match='two checks have the id "alt-missing"'):
        decorate(lambda context: ())


def test_a_check_explains_itself_with_examples_and_source() -> None:
    """`newsletter check --explain ID` answers why, from where, and what to do about it."""
    text = explain("credit-missing")
    rule = find("credit-missing")
    assert text.startswith("credit-missing (warning): ")
    for part in (rule.why, rule.source, rule.failing.text, rule.passing.text, 'credit-missing = "off"'):
        assert part in text
    assert "neither waived nor turned off" in explain("unsubscribe-missing")


def test_an_unknown_id_is_not_found_with_the_closest_one() -> None:
    """Ids are long enough to be misspelt."""
    with pytest.raises(NotFound) as refused:
        explain("credit-mising")
    assert refused.value.fix == 'did you mean "credit-missing"?'
    with pytest.raises(NotFound, match=r"docs/checks/README\.md"):
        explain("zzz")


def test_the_documents_have_a_page_for_every_check_and_an_index_by_family() -> None:
    """docs/checks/ is these texts; the index has one line for each check."""
    pages = documents()
    rules = [rule for rule in all_checks() if rule.ours]
    assert set(pages) == {"README.md", *(f"{rule.id}.md" for rule in rules)}
    index = pages["README.md"]
    for rule in rules:
        assert index.count(f"\n| [{rule.id}]({rule.id}.md) | ") == 1
        page = pages[f"{rule.id}.md"]
        assert page.startswith(f"# {rule.id}\n")
        for part in (rule.why, rule.source, rule.failing.text, rule.passing.text):
            assert part in page
        assert ("neither waived nor turned off" in page) is not rule.waivable
        assert ("`--fix`" in page) is (rule.fixer is not None)
        assert ("`--online`" in page) >= (rule.needs == "reachability")
    families = {rule.family for rule in rules}
    titles = [line[3:] for line in index.splitlines() if line.startswith("## ")]
    assert titles == [title for family, title in FAMILIES.items() if family in families]
    assert max(map(len, index.split("## ")[0].splitlines())) <= 120


class Entry:
    """An entry point of an installed package."""

    name = "estuary"
    value = "estuary.checks"

    def __init__(self, load: object) -> None:
        self._load = load

    def load(self) -> object:
        assert callable(self._load)
        return self._load()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> object:
    """Pretend that a package with checks is installed, and forget its checks afterwards."""
    monkeypatch.setattr(registry, "_RULES", dict(registry._RULES))

    def install(load: object) -> None:
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [Entry(load)])
        registry._load.cache_clear()

    yield install
    registry._load.cache_clear()


def test_an_installed_package_brings_its_own_checks(installed: object) -> None:
    """They run and explain themselves after ours; our documents are about our own checks alone."""

    def load() -> None:
        example = Example("x", eg.as_it_is)
        check(
            id="house-style",
            severity=Severity.INFO,
            family="house",
            why="W.",
            source="s",
            failing=example,
            passing=example,
        )(lambda context: ())

    assert callable(installed)
    installed(load)
    assert all_checks()[-1].id == "house-style"
    assert explain("house-style").startswith("house-style (info): W.")
    assert "house-style.md" not in documents()
    assert "house-style" not in documents()["README.md"]


def test_checks_that_cannot_be_loaded_are_a_configuration_error(installed: object) -> None:
    """The package is named; our own checks are not to blame."""

    def load() -> None:
        raise ImportError("no module named estuary")

    assert callable(installed)
    installed(load)
    with pytest.raises(ConfigurationError, match="estuary cannot be loaded") as refused:
        all_checks()
    assert refused.value.where == "estuary.checks"
