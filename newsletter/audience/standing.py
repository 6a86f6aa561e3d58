"""Columns that say who is a subscriber: whoever left another service must not come back by its export."""

from __future__ import annotations

from typing import Final, Literal

from newsletter.errors import BadData

Kind = Literal["word", "yes", "no"]
"""How a column says it: by a word; by yes where somebody is subscribed; by yes, or a date, where somebody is not."""

# Names as `columns.squash` leaves them. listmonk, MailerLite, our own export …
_WORD: Final = ("status", "subscriptionstatus", "emailstatus", "subscriberstatus")
# Ghost (ghost.org/help/import-members), Shopify, phpList.
_YES: Final = (
    "subscribedtoemails", "subscribed", "issubscribed", "acceptsemailmarketing", "acceptsmarketing", "optedin",
    "confirmed", "active", "isactive", "enabled",
)  # fmt: skip
# Mailchimp (its lists of those who unsubscribed and of those it cleaned have no status), Ghost, Substack, phpList.
_NO: Final = (
    "unsubtime", "unsubreason", "cleantime", "deletedat", "emaildisabled", "unsubscribed", "unsubscribedat",
    "unsubscribedate", "unsubscribetime", "blacklisted", "blocklisted", "bounced", "bouncedat", "hardbounced",
    "complained", "complainedat", "optout", "optedout", "optedoutat", "suppressed",
)  # fmt: skip

_LEFT: Final = frozenset(
    ("unsubscribed", "cleaned", "bounced", "bounce", "complained", "complaint", "suppressed", "blocked", "blocklisted",
     "blacklisted", "opted out", "opt out", "inactive", "disabled", "deleted", "erased", "removed", "archived",
     "unconfirmed", "unactivated", "pending", "non subscribed", "nonsubscribed", "not subscribed", "never subscribed",
     "spam", "junk", "undeliverable", "invalid", "suspended")
)  # fmt: skip
_THERE: Final = frozenset(
    ("", "subscribed", "active", "enabled", "confirmed", "opted in", "opt in", "verified", "valid", "free", "paid",
     "comped", "complimentary", "premium", "regular", "member", "yes", "true", "1")
)  # fmt: skip
_NOT: Final = frozenset(("", "0", "false", "no", "n", "f", "none", "null", "never", "-"))


class Left(BadData):
    """The file itself says that this reader is no subscriber; ``said`` is how."""

    def __init__(self, said: str) -> None:
        super().__init__(f'the file itself says "{said}"')
        self.said = said


def kind_of(squashed: str) -> Kind | None:
    """How a column of this name says who is subscribed; None for one that does not."""
    return "word" if squashed in _WORD else "yes" if squashed in _YES else "no" if squashed in _NO else None


def require_there(name: str, kind: Kind, cell: str) -> None:
    """Raise ``Left`` when a cell of the column ``name`` says that somebody is no subscriber.

    A word that is not known raises ``BadData``: nobody is written to on a guess.
    """
    said = " ".join(cell.split())[:60]
    word = said.casefold()
    if kind == "no":
        if word not in _NOT:
            raise Left(f"{name}: {said}")
        return
    if kind == "yes":
        if word and word in _NOT:
            raise Left(f"{name}: {said}")
        return
    word = " ".join(word.replace("_", " ").replace("-", " ").split())
    if word in _LEFT or (word and word in _NOT):
        raise Left(said.casefold())
    if word not in _THERE:
        raise BadData(
            f'whether {name} "{said}" is a subscriber is not known: leave that column out if it says something else'
        )
