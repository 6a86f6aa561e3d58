"""The configured provider, with its secrets read at the last moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from newsletter.app.desk import Desk
from newsletter.delivery.gate import has_canary
from newsletter.delivery.ports import EventReader, Provider
from newsletter.errors import ConfigurationError, NotFound
from newsletter.message.dkim import make_signer
from newsletter.providers import registry
from newsletter.workspace.config import resolve_secret
from newsletter.workspace.settings import Config, DkimSettings, SecretRef, SendgridSettings

_DKIM = "newsletter.toml: provider.smtp.dkim"


def make_provider(desk: Desk) -> Provider:
    """The provider that ``newsletter.toml`` names; raises ConfigurationError for a missing table or secret."""
    return registry.create_provider(desk.config.provider.name, provider_options(desk))


def provider_options(desk: Desk) -> Mapping[str, Any]:
    """The settings of the provider's own table as plain values, secrets resolved."""
    provider = desk.config.provider
    name = provider.name
    if name == "outbox":
        return {"path": str(desk.workspace.root / provider.outbox.path)}
    if name == "smtp":
        if provider.smtp is None:
            raise _no_smtp_table()
        return _plain(desk, provider.smtp, "provider.smtp")
    if name == "sendgrid":
        return _plain(desk, provider.sendgrid or SendgridSettings(), "provider.sendgrid")
    return {key: _resolved(desk, value, f"provider.options.{key}") for key, value in provider.options.items()}


def event_reader(desk: Desk, name: str) -> EventReader:
    """What reads the webhook calls of a provider: the configured one, or SendGrid as long as its table is there.

    Raises NotFound for another provider and for one that reports nothing by HTTP, ConfigurationError for its options.
    """
    provider = desk.config.provider
    if name != provider.name and (name != "sendgrid" or provider.sendgrid is None):
        raise NotFound(f"{name} is not the provider here")

    def options(only: Sequence[str] | None) -> Mapping[str, Any]:
        if only is None:
            return provider_options(desk)
        return _plain(desk, provider.sendgrid or SendgridSettings(), "provider.sendgrid", only)

    return registry.event_reader(name, options)


def canary_unjudged(config: Config) -> str | None:
    """Why a canary could not be judged by what the provider reports, and what to do; None where it can, or without one.

    Whether a provider of another package reports anything is not known here.
    """
    name = config.provider.name
    if not has_canary(config) or name not in ("outbox", "smtp", "sendgrid"):
        return None
    if name == "sendgrid":
        if config.provider.sendgrid is not None and config.provider.sendgrid.webhook_key is not None:
            return None
        return (
            "the canary could not be judged: SendGrid's events are not believed without provider.sendgrid.webhook_key;"
            " the mailing would pause after it"
        )
    return (
        f"the canary could not be judged: {name} reports nothing about the mails that it took, so the mailing would"
        " pause after it; schedule.canary = 0 does without"
    )


def require_provider(desk: Desk) -> None:
    """Raise ConfigurationError when the configured provider does not exist or lacks its table.

    Secrets are not asked for: who approves need not have those of the machine that sends.
    """
    registry.require_provider(desk.config.provider.name)
    if desk.config.provider.name == "smtp" and desk.config.provider.smtp is None:
        raise _no_smtp_table()


def _no_smtp_table() -> ConfigurationError:
    return ConfigurationError(
        "the provider is smtp, but there is no [provider.smtp] table",
        where="newsletter.toml: provider.smtp",
        fix='add [provider.smtp] with at least host = "smtp.example.org"',
    )


def _resolved(desk: Desk, value: Any, key: str) -> Any:
    """A third party's option: a table with just ``env`` or ``file`` is a secret, anything else is as written."""
    reference = _reference(value)
    return value if reference is None else resolve_secret(desk.workspace, reference, key)


def _reference(value: Any) -> SecretRef | None:
    if isinstance(value, dict) and len(value) == 1 and set(value) <= {"env", "file"}:
        return SecretRef(**value)
    return None


def secret_references(config: Config) -> list[tuple[str, SecretRef]]:
    """(dotted key, reference) of each secret that the configured provider takes; nothing is resolved."""
    provider = config.provider
    if provider.name == "smtp":
        password = provider.smtp.password if provider.smtp else None
        return [("provider.smtp.password", password)] if password else []
    if provider.name == "sendgrid":
        return [("provider.sendgrid.api_key", (provider.sendgrid or SendgridSettings()).api_key)]
    found = ((f"provider.options.{key}", _reference(value)) for key, value in provider.options.items())
    return [(key, reference) for key, reference in found if reference is not None]


def _plain(desk: Desk, settings: Any, table: str, only: Sequence[str] | None = None) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for key in settings.__struct_fields__ if only is None else only:
        value = getattr(settings, key)
        if isinstance(value, DkimSettings):
            value = dkim_options(desk, value)
        if isinstance(value, SecretRef):
            value = resolve_secret(desk.workspace, value, f"{table}.{key}")
        options[key] = value
    return options


def dkim_options(desk: Desk, dkim: DkimSettings) -> list[dict[str, str]]:
    """What each signature is made with: domain, selector, and the private key in PEM."""
    domain = dkim.domain or desk.config.sender.email.rpartition("@")[2]
    pairs = [(dkim.selector, dkim.key, "key")]
    if dkim.ed25519_selector and dkim.ed25519_key:
        pairs.append((dkim.ed25519_selector, dkim.ed25519_key, "ed25519_key"))
    return [
        {"domain": domain, "selector": selector, "key": _pem(desk, ref, f"provider.smtp.dkim.{name}")}
        for selector, ref, name in pairs
    ]


def _pem(desk: Desk, ref: SecretRef, key: str) -> str:
    return resolve_secret(desk.workspace, ref, key, lines=True)


def dkim_records(desk: Desk) -> list[tuple[str, str]]:
    """The TXT records that DNS must have for our signatures: (name, text). Raises ConfigurationError without a key."""
    smtp = desk.config.provider.smtp
    if smtp is None or smtp.dkim is None:
        raise ConfigurationError(
            "there is no [provider.smtp.dkim] table",
            where="newsletter.toml: provider.smtp.dkim",
            fix='add it with selector = "news" and key = {file = "dkim.pem"}; openssl genrsa -out dkim.pem 2048',
        )
    return [
        make_signer(options["domain"], options["selector"], options["key"], where=_DKIM).record()
        for options in dkim_options(desk, smtp.dkim)
    ]


def list_providers(desk: Desk) -> list[tuple[str, str]]:
    """(mark, name) of every provider; the configured one has a star."""
    configured = desk.config.provider.name
    return [("*" if name == configured else "", name) for name in registry.names()]


def check_provider(desk: Desk) -> tuple[str, list[str]]:
    """The configured provider's name and what is wrong with it, one sentence each. Sends nothing."""
    provider = make_provider(desk)
    try:
        return desk.config.provider.name, list(provider.check())
    finally:
        provider.close()
