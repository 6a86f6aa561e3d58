"""The clients that can be simulated, in the order in which they are shown. Every one is an approximation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from newsletter.clients.apple_dark import apple_dark
from newsletter.clients.gmail import gmail
from newsletter.clients.gmail_dark import gmail_dark
from newsletter.clients.gmail_no_style import gmail_no_style
from newsletter.clients.images_off import images_off
from newsletter.clients.media import Scheme
from newsletter.clients.outlook_com_dark import outlook_com_dark
from newsletter.clients.outlook_word import outlook_word
from newsletter.clients.taken import Seen
from newsletter.clients.text_only import text_only
from newsletter.errors import UsageProblem, did_you_mean

LABEL = "approximation"
"""What stands beside every simulation: a real client may differ."""


@dataclass(frozen=True, slots=True)
class Client:
    """One client. ``part`` is what ``simulate`` takes: the finished HTML or the text part.

    ``schemes`` are the screens on which it makes sense to look, the first by itself. ``forced`` says that the client
    puts in colours of its own, so that the mail's own rules for dark screens are not asked. ``phone`` says whether it
    runs on phones.
    """

    name: str
    title: str
    about: str
    simulate: Callable[[str], Seen]
    part: Literal["html", "text"] = "html"
    schemes: tuple[Scheme, ...] = ("light",)
    forced: bool = False
    phone: bool = True

    def asked(self, scheme: Scheme) -> Scheme:
        """What ``prefers-color-scheme`` answers on a screen with this scheme."""
        return "light" if self.forced else scheme


CLIENTS: tuple[Client, ...] = (
    Client("gmail", "Gmail", "In the browser, and in its apps for Google accounts.", gmail),
    Client(
        "gmail-no-style",
        "Gmail, no styles",
        "Gmail’s apps with another provider’s account: they read no style sheet.",
        gmail_no_style,
    ),
    Client(
        "gmail-dark",
        "Gmail dark",
        "Gmail’s apps on a dark phone: they turn the colours of every mail.",
        gmail_dark,
        schemes=("dark",),
        forced=True,
    ),
    Client("outlook-word", "Outlook", "Classic Outlook for Windows, whose pages Word sets.", outlook_word, phone=False),
    Client(
        "outlook-com-dark",
        "Outlook.com dark",
        "Outlook.com and the Outlook apps in their dark theme.",
        outlook_com_dark,
        schemes=("dark",),
        forced=True,
    ),
    Client(
        "apple-dark",
        "Apple dark",
        "Apple Mail on a dark screen: the mail’s own dark colours.",
        apple_dark,
        schemes=("dark",),
    ),
    Client(
        "images-off",
        "Images off",
        "Any client that does not load pictures.",
        images_off,
        schemes=("light", "dark"),
    ),
    Client(
        "text",
        "Text part",
        "Watches, text programs and some screen readers.",
        text_only,
        part="text",
        schemes=("light", "dark"),
    ),
)


def client_named(name: str, *, also: Sequence[str] = ()) -> Client:
    """The client of that name; raises UsageProblem with the nearest name and all names (``also`` are more of them)."""
    for client in CLIENTS:
        if client.name == name:
            return client
    names = [*(client.name for client in CLIENTS), *also]
    hint = did_you_mean(name, names)
    fix = f"{hint} " if hint else ""
    raise UsageProblem(f"there is no client {name!r} to look through", fix=f"{fix}They are: {', '.join(names)}")
