"""From configuration and email to what a provider takes: who it is from, whose copy it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from newsletter.app.desk import Desk
from newsletter.app.render import Rendered
from newsletter.delivery.approval import MessageFacts, outgoing_from_email
from newsletter.delivery.ports import Batch
from newsletter.errors import ConfigurationError
from newsletter.message.headers import list_id, recipient_headers
from newsletter.message.links import public_links
from newsletter.message.outgoing import Addressed
from newsletter.models import Issue
from newsletter.workspace.settings import Config

PREVIEW_ID = "0" * 32
"""The mailing and delivery id of mails that are only looked at."""


def message_facts(config: Config) -> MessageFacts:
    """What ``newsletter.toml`` adds to every mail; raises ConfigurationError without a sender address."""
    sender = config.sender
    if not sender.email:
        raise ConfigurationError(
            "there is no sender address",
            where="newsletter.toml: sender.email",
            fix='write the address that the newsletter is from: [sender] email = "weekly@example.org"',
        )
    return MessageFacts(
        sender_name=sender.name or config.publication.name,
        sender_email=sender.email,
        list_id=list_id(config.publication.name, config.site.url or sender.email),
        reply_to=sender.reply_to,
        site_url=config.site.url,
    )


def issue_facts(config: Config, issue: Issue) -> MessageFacts:
    """``message_facts`` of one issue: a correction names the issue whose readers it is for."""
    return replace(message_facts(config), corrects=issue.corrects)


def reader_values(desk: Desk, slug: str, reader: str | None) -> Mapping[str, str]:
    """One reader's merge values and links; without a reader, only links that lead nowhere.

    Raises NotFound for somebody who is not in the audience.
    """
    site = desk.config.site.url
    public_id = PREVIEW_ID
    attributes: Mapping[str, str] = {}
    if reader is not None:
        from newsletter.audience.subscribers import find

        subscriber = find(desk.store, reader)
        public_id = subscriber.public_id
        attributes = subscriber.attributes
    return {**attributes, **(public_links(site, desk.keys, public_id, slug) if site else {})}


def preview_batch(desk: Desk, rendered: Rendered, *, reader: str | None) -> Batch:
    """The email as one reader would get it, with ids that are nobody's."""
    values = reader_values(desk, rendered.issue.slug, reader)
    outgoing = outgoing_from_email(
        rendered.email, issue_facts(desk.config, rendered.issue), mailing=PREVIEW_ID, date=_noon(rendered)
    )
    addressed = Addressed(
        key=PREVIEW_ID,
        address=reader or "reader@example.com",
        values=values,
        headers=recipient_headers(values.get("unsubscribe_url")),
    )
    return Batch(outgoing, (addressed,))


def _noon(rendered: Rendered) -> datetime:
    """A preview's Date header: noon of the issue's day, so that building twice gives the same bytes."""
    day = rendered.issue.date
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
