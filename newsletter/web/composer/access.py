"""Who is there, and which address needs which deed. The server asks before every handler; pages only explain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from newsletter.app.people import Deed, may
from newsletter.workspace.settings import Composer, Person

SAFE: Final = frozenset({"GET", "HEAD"})

_ISSUE: Final = r"/issues/[^/]+"
_CHANGES: Final[Sequence[tuple[str, Deed]]] = (
    (rf"{_ISSUE}/send/test", "test"),
    (rf"{_ISSUE}/send/(approve|unapprove)", "approve"),
    (rf"{_ISSUE}/send/correct", "compose"),
    (rf"{_ISSUE}/send/.*", "send"),
    (r"/issues(/.*)?", "compose"),
    (r"/inbox(/.*)?", "compose"),
    (r"/audience(/.*)?", "audience"),
    (r"/settings(/.*)?", "settings"),
    (r"/sign-out", "report"),
)
_STRICTEST: Final[Deed] = "settings"
"""For a change at an address that no rule names: whoever adds one and forgets it here lets nobody in by mistake."""
_READS: Final[Sequence[tuple[str, Deed]]] = ((r"/audience(/.*)?", "audience"), (r"/settings(/.*)?", "settings"))
"""The settings name people and places that are nobody's business but theirs who may change them."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever sent a request. Without a ``person`` it is this machine's own user, who may do everything anyway.

    ``public_id`` is of the session that a mailed link began; ``token`` a new one for its cookie. ``others`` are all
    people, to say whom to ask.
    """

    person: Person | None = None
    public_id: str | None = None
    token: str | None = None
    others: Sequence[Person] = ()

    @property
    def name(self) -> str | None:
        """How pages and the audit name them; None for this machine's user."""
        return self.person.label if self.person else None

    def may(self, deed: Deed) -> bool:
        """Whether their role allows it."""
        return self.person is None or may(self.person, deed)

    def ask(self, deed: Deed) -> str:
        """Whom to ask for what this visitor may not do: names, as a page says them."""
        able = [other.label for other in self.others if may(other, deed)]
        return " or ".join(able)


NOBODY: Final = Visitor()


def visitor_of(request: Request) -> Visitor:
    """Who was let in with this request."""
    found = request.scope.get("newsletter.visitor")
    return found if isinstance(found, Visitor) else NOBODY


def deed_for(request: Request) -> Deed:
    """What a request does, in the words of the roles."""
    path = request.url.path
    rules = _READS if request.method in SAFE else _CHANGES
    for pattern, deed in rules:
        if re.fullmatch(pattern, path, re.DOTALL):
            return deed
    if request.method not in SAFE:
        return _STRICTEST
    # The mail as one reader gets it has their name in it, and that they are a reader.
    return "audience" if request.query_params.get("as", "").strip() else "report"


def link_needed(composer: Composer) -> bool:
    """Whether people sign in by a mailed link here."""
    return bool(composer.people and composer.url)
