"""From a row of the ledger to one recipient of the frozen email: merge values, links, own headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from newsletter.delivery.ledger import Claimed
from newsletter.errors import BadData
from newsletter.message.headers import recipient_headers
from newsletter.message.links import SigningKeys, page, public_links
from newsletter.message.outgoing import Addressed


def addresser(*, issue: str, site_url: str | None, keys: SigningKeys) -> Callable[[Claimed], Addressed]:
    """A function that writes to one claimed recipient. Without a site there are no links and no list headers.

    The same row always gives the same ``Addressed``, except that links are signed with the newest key.
    """

    def write_to(row: Claimed) -> Addressed:
        links = public_links(site_url, keys, row.subscriber, issue)
        return Addressed(
            key=row.public_id,
            address=row.address,
            values={**attribute_values(row.attributes), **links},
            headers=recipient_headers(links.get("unsubscribe_url")),
        )

    return write_to


def attribute_values(attributes: str) -> dict[str, str]:
    """The merge values in a row's JSON; raises ``BadData`` when it is no object."""
    try:
        loaded = msgspec.json.decode(attributes)
    except msgspec.DecodeError:
        loaded = None
    if not isinstance(loaded, dict):
        raise BadData("a subscriber's attributes in the database are damaged", fix="restore a backup of the database")
    return {str(name): str(value) for name, value in loaded.items() if value is not None}


def trial_recipient(
    key: str, address: str, *, issue: str, site_url: str | None, values: Mapping[str, str]
) -> Addressed:
    """One receiver of a test mail: real values, but links whose token nobody signed, and no one-click header.

    A colleague who tries the unsubscribe link in a test, or a scanner that does, unsubscribes nobody.
    """
    links = {}
    if site_url:
        inert = page(site_url, "u", "test")
        links = {"unsubscribe_url": inert, "preferences_url": inert, "web_url": page(site_url, "v", issue)}
    headers = recipient_headers(links.get("unsubscribe_url"))
    return Addressed(
        key=key,
        address=address,
        values={**values, **links},
        headers=tuple(header for header in headers if header[0] != "List-Unsubscribe-Post"),
    )
