"""The email as mail clients show it, by approximation: for the live preview and for pictures of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from newsletter.app.build import as_page
from newsletter.app.colours import in_colours
from newsletter.clients.media import Scheme
from newsletter.clients.registry import CLIENTS, LABEL, Client, client_named
from newsletter.clients.taken import Seen, Taken
from newsletter.message.merge import fill
from newsletter.models import Email

__all__ = ["CLIENTS", "EVERY", "LABEL", "Client", "check_client", "client_named", "known_clients", "seen_through"]

EVERY = "all"
"""Instead of a client's name: all of them side by side."""


def check_client(name: str) -> None:
    """Raise UsageProblem, with the nearest name, unless there is such a client or it is ``all``."""
    if name != EVERY:
        client_named(name, also=(EVERY,))


def known_clients() -> list[dict[str, Any]]:
    """Every client as the preview page knows it."""
    return [
        {
            "name": client.name,
            "title": client.title,
            "about": client.about,
            "part": client.part,
            "schemes": list(client.schemes),
            "forced": client.forced,
            "phone": client.phone,
        }
        for client in CLIENTS
    ]


def seen_through(client: Client, email: Email, values: Mapping[str, str]) -> Seen:
    """One reader's copy through a client; the pictures are still named as in the mail."""
    part = email.html if client.part == "html" else email.text
    return client.simulate(fill(part, email.fields, values))


def page_of(seen: Seen, client: Client, email: Email, *, scheme: Scheme, media: str) -> str:
    """What a browser shows for it: ``media`` before picture names, and the client's answer about dark screens."""
    return in_colours(as_page(email, media, seen.html), dark=client.asked(scheme) == "dark")


def taken_words(took: Sequence[Taken]) -> list[dict[str, Any]]:
    """What was taken away as JSON."""
    return [asdict(taken) for taken in took]
