"""Asking links and remote pictures whether they answer, for ``check --online``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from newsletter.app.words import plural
from newsletter.checks.context import CheckContext
from newsletter.checks.reach import to_ask
from newsletter.net.fetch import Policy
from newsletter.net.probe import EACH, Reached, probe_all


def reach(context: CheckContext, say: Callable[[str], None]) -> Mapping[str, Reached]:
    """What every address of the issue answered; hosts on a private network only where ``[images]`` allows them."""
    addresses = to_ask(context)
    if addresses:
        hosts = {urlsplit(address).netloc.lower() for address in addresses}
        say(f"Asking {plural(len(addresses), 'address', 'addresses')} at {plural(len(hosts), 'host')} …")
    answers = probe_all(addresses, Policy(allow_hosts=tuple(context.config.images.allow_hosts), deadline=EACH))
    if answers and all(answer.status is None and not answer.refused for answer in answers.values()):
        say("None of them answered: is this machine online?")
    return answers
