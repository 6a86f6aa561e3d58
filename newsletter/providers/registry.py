"""Which providers there are, and making one from its options.

A provider of one's own is a package with an entry point in the group ``newsletter.providers``::

    [project.entry-points."newsletter.providers"]
    pigeon = "pigeon_post:create"

``create`` takes the provider's options (``Mapping[str, object]``, secrets resolved) and returns an object with the
methods of ``newsletter.delivery.ports.Provider``. An adapter's module is imported only when it is used: the SDK
of SendGrid alone takes longer to load than the rest of the program.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from newsletter.delivery.ports import EventReader, Provider
from newsletter.errors import ConfigurationError, NewsletterError, NotFound, did_you_mean

GROUP = "newsletter.providers"
"""The entry-point group of third-party providers."""

Factory = Callable[[Mapping[str, object]], Provider]

_BUILT_IN = {
    "outbox": "newsletter.providers.outbox",
    "smtp": "newsletter.providers.smtp",
    "sendgrid": "newsletter.providers.sendgrid",
}


def names() -> list[str]:
    """Every provider that newsletter.toml can name: the built-in ones, then those of other packages, sorted."""
    return [*_BUILT_IN, *sorted(_third_party())]


def create_provider(name: str, options: Mapping[str, object]) -> Provider:
    """Make the provider ``name`` from plain values. Connects to nothing.

    Raises ConfigurationError for an unknown name, a name that two packages claim, wrong options, and a package
    that does not load.
    """
    third_party = _third_party()
    if name in _BUILT_IN:
        factory = cast("Factory", importlib.import_module(_BUILT_IN[name]).create)
        return factory(options)
    if name not in third_party:
        raise _unknown(name)
    return _made(third_party[name], options)


def event_reader(name: str, options: Callable[[Sequence[str] | None], Mapping[str, object]]) -> EventReader:
    """What reads the webhook calls of the provider ``name``.

    ``options`` resolves the settings that it is asked for (None: all of them), so that a process that the world can
    reach holds no key to send with where reading needs none. Raises ConfigurationError as ``create_provider`` does,
    and NotFound for a provider that reports nothing by HTTP.
    """
    if name == "sendgrid":
        from newsletter.providers.sendgrid_events import event_reader as read_sendgrid

        return read_sendgrid(options(("webhook_key",)))
    if name in _BUILT_IN:
        raise NotFound(f"{name} reports nothing by HTTP")
    return create_provider(name, options(None)).parse_events


def require_provider(name: str) -> None:
    """Raise ConfigurationError unless there is a provider ``name``. Loads none."""
    if name not in names():
        raise _unknown(name)


def _unknown(name: str) -> ConfigurationError:
    known = names()
    guess = did_you_mean(name, known)
    words = ", ".join(known)
    return ConfigurationError(
        f'there is no provider "{name}"',
        where="newsletter.toml: provider.name",
        fix=f"{guess} Known: {words}" if guess else f"use one of: {words}",
    )


def _third_party() -> dict[str, EntryPoint]:
    """Entry points by name; a name that is taken is an error, because either choice would be a silent one."""
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        if entry.name in _BUILT_IN or entry.name in found:
            first = "newsletter itself" if entry.name in _BUILT_IN else _package(found[entry.name])
            raise ConfigurationError(
                f'the provider "{entry.name}" is there twice: from {first} and from {_package(entry)}',
                where=f"entry points, group {GROUP}",
                fix=f"uninstall {_package(entry)}, or have it register under another name",
            )
        found[entry.name] = entry
    return found


def _made(entry: EntryPoint, options: Mapping[str, object]) -> Provider:
    try:
        provider = cast("Factory", entry.load())(options)
    except NewsletterError:
        raise
    except Exception as error:  # foreign code: whatever it raises, the editor needs the package's name
        raise ConfigurationError(
            f'the provider "{entry.name}" of {_package(entry)} does not load: {type(error).__name__}: {error}',
            where=entry.value,
            fix=f"update or reinstall {_package(entry)}",
        ) from error
    missing = [method for method in _METHODS if not hasattr(provider, method)]
    if missing:
        raise ConfigurationError(
            f'the provider "{entry.name}" of {_package(entry)} lacks {", ".join(missing)}',
            where=entry.value,
            fix="its maker finds what is asked of a provider in docs/providers.md",
        )
    return provider


_METHODS = ("capabilities", "submit", "preview", "parse_events", "check", "close")


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value
