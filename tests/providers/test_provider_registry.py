"""Providers are found by name, ours and those of other packages, and none is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest

from newsletter.delivery.ports import Provider
from newsletter.errors import BadData, ConfigurationError
from newsletter.providers import registry
from newsletter.providers.options import Options
from newsletter.providers.registry import create_provider, names


class Whole:
    """Everything that a provider has."""

    capabilities = submit = preview = parse_events = check = close = None

    def __init__(self, options: Any) -> None:
        self.options = options


def half(options: Any) -> Any:
    return SimpleNamespace(capabilities=None, submit=None)


def breaks(options: Any) -> Any:
    raise RuntimeError("out of grain")


def refuses(options: Any) -> Any:
    raise BadData("no loft")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretends that packages with these entry points are installed."""

    def install(*entries: tuple[str, str]) -> None:
        found = [EntryPoint(name, value, registry.GROUP) for name, value in entries]
        monkeypatch.setattr(registry, "entry_points", lambda group: found if group == registry.GROUP else [])
        monkeypatch.setitem(sys.modules, "pigeon_post", sys.modules[__name__])

    return install


def test_the_built_in_providers_come_first(installed: Any) -> None:
    installed(("owl", "pigeon_post:Whole"), ("heron", "pigeon_post:Whole"))
    assert names() == ["outbox", "smtp", "sendgrid", "heron", "owl"]


def test_a_provider_of_another_package_gets_its_options(installed: Any) -> None:
    installed(("pigeon", "pigeon_post:Whole"))
    provider = create_provider("pigeon", {"loft": "north"})
    assert isinstance(provider, Whole)
    assert provider.options == {"loft": "north"}


@pytest.mark.parametrize(
    "entries",
    [
        [("smtp", "pigeon_post:Whole")],
        [("pigeon", "pigeon_post:Whole"), ("pigeon", "owl_post:Whole")],
    ],
)
def test_a_name_that_is_there_twice_is_an_error(installed: Any, entries: Any) -> None:
    installed(*entries)
    with pytest.raises(ConfigurationError, match="is there twice") as caught:
        create_provider("outbox", {"path": "x"})
    assert "uninstall" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("pigeon_post:half", "lacks preview, parse_events, check, close"),
        ("pigeon_post:breaks", "RuntimeError: out of grain"),
        ("pigeon_post:absent", "does not load"),
        ("no_such_package_here:create", "does not load"),
    ],
)
def test_a_package_that_does_not_load_is_named(installed: Any, value: str, words: str) -> None:
    installed(("pigeon", value))
    with pytest.raises(ConfigurationError, match=words) as caught:
        create_provider("pigeon", {})
    assert caught.value.where == value


def test_an_error_of_ours_passes_through(installed: Any) -> None:
    installed(("pigeon", "pigeon_post:refuses"))
    with pytest.raises(BadData, match="no loft"):
        create_provider("pigeon", {})


def test_an_unknown_provider_is_answered_with_the_known_ones(installed: Any) -> None:
    installed(("pigeon", "pigeon_post:Whole"))
    with pytest.raises(ConfigurationError) as caught:
        create_provider("sendgird", {})
    assert 'did you mean "sendgrid"?' in str(caught.value.fix)
    with pytest.raises(ConfigurationError) as caught:
        create_provider("telegraph", {})
    assert "outbox, smtp, sendgrid, pigeon" in str(caught.value.fix)


def test_a_package_is_named_by_its_distribution() -> None:
    import importlib.metadata

    entry = next(iter(importlib.metadata.entry_points(group="console_scripts", name="pytest")))
    assert registry._package(entry) == "pytest"


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    """Listing providers loads none; making SendGrid's loads its SDK only with the first request."""
    code = (
        "import sys; from newsletter.providers import registry; registry.names();"
        "assert not {'smtplib', 'sendgrid', 'newsletter.providers.smtp'} & set(sys.modules);"
        "registry.create_provider('sendgrid', {'api_key': 'SG.x'});"
        "assert 'sendgrid' not in sys.modules and 'python_http_client' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_built_in_providers_have_the_protocols_methods(tmp_path: Any) -> None:
    made: list[Provider] = [
        create_provider("outbox", {"path": str(tmp_path)}),
        create_provider("smtp", {"host": "mail.lantern.example"}),
        create_provider("sendgrid", {"api_key": "SG.x"}),
    ]
    assert [provider.capabilities.name for provider in made] == ["outbox", "smtp", "sendgrid"]
    assert all(callable(getattr(provider, method)) for provider in made for method in registry._METHODS[1:])


def test_options_show_no_values() -> None:
    assert "canary" not in repr(Options("smtp", {"password": "canary"}, ("password",)))
