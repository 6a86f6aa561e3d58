"""Letters of our own, to people of the newsroom: alerts, sign-in links. Outside the ledger; no reader gets one."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.app.desk import Desk
from newsletter.app.outgoing import PREVIEW_ID, message_facts
from newsletter.app.providers import make_provider
from newsletter.delivery.addressing import trial_recipient
from newsletter.delivery.ports import Batch, Outcome
from newsletter.errors import RemoteError
from newsletter.message.outgoing import Outgoing
from newsletter.store.clock import from_us, now_us
from newsletter.store.ids import new_public_id


@dataclass(frozen=True, slots=True)
class Letter:
    """``html`` is the content of the body, its text escaped already; ``about`` a slug that names what it is about."""

    subject: str
    html: str
    text: str
    title: str
    about: str


def post(desk: Desk, letter: Letter, receivers: Sequence[str]) -> None:
    """Send a letter through the configured provider; raises RemoteError when it took it for nobody, else as it does."""
    facts = message_facts(desk.config)
    outgoing = Outgoing(
        mailing=PREVIEW_ID,
        issue=letter.about,
        digest="sha256:" + new_public_id() * 2,
        date=from_us(now_us()),
        sender_name=facts.sender_name,
        sender_email=facts.sender_email,
        subject=letter.subject,
        html=f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(letter.title)}</title>'
        f"</head><body>{letter.html}</body></html>",
        text=letter.text,
        lang="en",
        list_id=facts.list_id,
        reply_to=facts.reply_to,
    )
    recipients = [
        trial_recipient(new_public_id(), address, issue=letter.about, site_url=None, values={})
        for address in dict.fromkeys(receivers)
    ]
    provider = make_provider(desk)
    try:
        size = max(1, provider.capabilities.max_batch)
        results = [
            result
            for start in range(0, len(recipients), size)
            for result in provider.submit(Batch(outgoing, tuple(recipients[start : start + size])))
        ]
    finally:
        provider.close()
    # Nobody knows whether an unknown one arrived; twice would be worse than the others' silence.
    if not any(result.outcome in {Outcome.ACCEPTED, Outcome.UNKNOWN} for result in results):
        raise RemoteError("; ".join(result.detail for result in results) or "the provider did not answer")
