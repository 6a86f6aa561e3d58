"""What leaves: the frozen email of a mailing and one addressed recipient. Providers take these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.models import MergeField


@dataclass(frozen=True, slots=True)
class Part:
    """A picture inside the mail: ``content_id`` without brackets, the bytes, the file name."""

    content_id: str
    content_type: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One frozen email going to one audience: everything that is the same for every recipient.

    ``html``, ``text`` and ``subject`` hold merge tokens, not values. ``digest`` is the approval's
    (``sha256:…``) and seeds MIME boundaries, so the same approval always gives the same bytes.
    ``date`` is frozen at planning. ``mailing`` is a public id (32 hex digits).
    """

    mailing: str
    issue: str
    digest: str
    date: datetime
    sender_name: str
    sender_email: str
    subject: str
    html: str
    text: str
    lang: str
    list_id: str
    reply_to: str | None = None
    feedback_id: str | None = None
    fields: tuple[MergeField, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Addressed:
    """One recipient of an ``Outgoing``.

    ``key`` is the delivery's public id (32 hex digits), the same in every retry. ``values`` are raw merge
    values by field name (``first_name``, ``unsubscribe_url``); a missing or empty one takes the field's
    default. ``headers`` are this recipient's own (List-Unsubscribe, …), ASCII, already in final form.
    """

    key: str
    address: str
    values: Mapping[str, str]
    headers: tuple[tuple[str, str], ...] = ()
