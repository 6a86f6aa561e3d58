"""What the configuration says: the sender, the public pages, the provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from newsletter.app.desk import Desk
from newsletter.app.doctor.facts import PROVIDER_SECONDS, Facts
from newsletter.app.doctor.probe import Look, Told, within
from newsletter.app.providers import canary_unjudged, check_provider, require_provider, secret_references
from newsletter.app.render import image_delivery
from newsletter.delivery.guards import MOST_EMBEDDED, shortcomings
from newsletter.errors import ConfigurationError, RemoteError
from newsletter.workspace.config import resolve_secret

_SECTION = "Configuration"


def _lack(key: str, good: Callable[[Facts], str]) -> Callable[[Facts], Iterator[Told]]:
    """A look at one thing that a real mailing is refused for; before a real provider it is a warning."""

    def see(facts: Facts) -> Iterator[Told]:
        config = facts.config
        lacks = shortcomings(config.site.url, config.sender.email, config.publication.postal_address)
        lack = next((lack for lack in lacks if lack.where and lack.where.endswith(f": {key}")), None)
        if lack is None:
            yield Told("ok", good(facts))
        else:
            yield Told("error" if facts.real else "warning", lack.what, f"{lack.fix}, in newsletter.toml")

    return see


def _receivers(facts: Facts) -> Iterator[Told]:
    to = facts.config.test.to
    if to:
        yield Told("ok", f"tests go to {len(to)} address{'es' if len(to) > 1 else ''}")
    else:
        yield Told("ok", "tests name nobody, so newsletter test needs --to")


def _images(facts: Facts) -> Iterator[Told]:
    delivery = image_delivery(facts.config)
    readers = facts.health.subscribers if facts.health else 0
    if delivery == "embedded" and readers > MOST_EMBEDDED:
        yield Told(
            "error" if facts.real else "warning",
            f"pictures travel inside the mail, for {readers:,} readers; above {MOST_EMBEDDED} that is refused",
            'newsletter.toml: images.delivery = "hosted", with a site.url that serves them',
        )
    else:
        yield Told("ok", f"pictures are {delivery}")


def _provider(facts: Facts) -> Iterator[Told]:
    """The provider exists, has what it needs, and says itself that it is ready."""
    name = facts.config.provider.name
    if why := canary_unjudged(facts.config):
        yield Told("warning", why, "newsletter.toml: schedule.canary = 0, or a provider that reports events")
    if not facts.real:
        # Its own check writes a file; the probe of the outbox looks without writing.
        yield Told("ok", f"{name}, which reaches nobody")
        return
    desk = Desk(facts.workspace)
    try:
        require_provider(desk)
        if not _has_secrets(facts):
            yield Told("unknown", f"{name} was not asked, as long as its secret cannot be read")
            return
        _, problems = within(PROVIDER_SECONDS, f"the provider {name}", lambda: check_provider(desk))
    except ConfigurationError as error:
        yield Told("error", error.what, error.fix)
    except RemoteError as error:
        yield Told("unknown", f"{name}: {error.what}", error.fix)
    else:
        yield from (Told("error", f"{name}: {problem}", "newsletter provider check") for problem in problems)
        if not problems:
            yield Told("ok", f"{name} is ready")


def _has_secrets(facts: Facts) -> bool:
    """Whether every secret of the provider can be read; the probe of the secret says what is wrong with it."""
    try:
        for key, reference in secret_references(facts.config):
            resolve_secret(facts.workspace, reference, key)
    except ConfigurationError:
        return False
    return True


LOOKS = (
    Look("sender", _SECTION, _lack("sender.email", lambda facts: f"mail is from {facts.config.sender.email}")),
    Look("site", _SECTION, _lack("site.url", lambda facts: f"public pages are at {facts.config.site.url}")),
    Look("postal-address", _SECTION, _lack("publication.postal_address", lambda _: "the postal address is there")),
    Look("test-receivers", _SECTION, _receivers),
    Look("images", _SECTION, _images),
    Look("provider", _SECTION, _provider),
)
