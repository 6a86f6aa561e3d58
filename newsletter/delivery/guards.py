"""The guard rails before a mailing's first mail. Each says what it fears and what to do; none can be skipped.

The outbox (a provider whose ``capabilities.local`` is true) reaches nobody, so they do not apply to it, but for
the two that protect the promise itself: the approved bytes, and the provider that was approved.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from newsletter.delivery.approval import Approval, verify
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.ports import Capabilities
from newsletter.delivery.schedule import how_long, zone_of
from newsletter.delivery.undo import undo_window
from newsletter.errors import GuardRefused
from newsletter.store.clock import from_us
from newsletter.workspace.config import parse_duration
from newsletter.workspace.settings import Config

MOST_EMBEDDED = 50
"""Pictures inside the mail multiply its size by every reader; above this many they must be hosted."""

# RFC 2606 and RFC 6761: names that can belong to nobody. `.test` stays allowed: that is what it is for.
_NOBODYS = re.compile(r"(?:.*\.)?(?:example\.(?:com|net|org)|example|invalid|localhost)")
_PLACEHOLDER = re.compile(
    r"your (?:postal |street )?address|postal address here|street and number|example (?:street|road|lane)|"
    r"123 main st|\btodo\b|\bxxx|\[.*\]|<.*>|lorem ipsum",
    re.IGNORECASE,
)


def lateness(mailing: Mailing, config: Config, now: int) -> str | None:
    """How late a mailing is, in words, when that is more than ``[schedule] lateness``; None when it may go.

    Of a mailing that an editor released, what came before that does not count. ``lateness = "0m"`` holds nothing. The
    undo window is no lateness.
    """
    allowed = parse_duration(config.schedule.lateness, "schedule.lateness")
    # Those of earlier versions do not say when they were let go.
    since = (mailing.heartbeat or now) if mailing.released else mailing.send_at
    late = timedelta(microseconds=now - since)
    if not allowed or late <= allowed + timedelta(microseconds=undo_window(config)):
        return None
    if mailing.released:
        there = from_us(since).astimezone(zone_of(mailing.zone))
        return f"it was let go {how_long(late)} ago, at {there:%Y-%m-%d %H:%M} ({mailing.zone}), and did not go"
    return f"it was due {how_long(late)} ago, at {mailing.local_time.replace('T', ' ')} ({mailing.zone})"


def broken_off(mailing: Mailing, config: Config, now: int, last_run: int) -> str | None:
    """How long ago the sending broke off, in words, when that is more than ``[schedule] lateness``; None otherwise.

    A mailing under way shows signs of life, by its own or because ``run-due`` looks at it every minute (``last_run``,
    microseconds; 0 for never). After hours of silence a machine was off, or came back from a backup: then readers
    may have got the mail who are open here, and only an editor can find out.
    """
    allowed = parse_duration(config.schedule.lateness, "schedule.lateness")
    seen = max(mailing.heartbeat or mailing.send_at, last_run)
    silent = timedelta(microseconds=now - seen)
    if not allowed or silent <= allowed:
        return None
    there = from_us(seen).astimezone(zone_of(mailing.zone))
    return f"its sending broke off {how_long(silent)} ago, at {there:%Y-%m-%d %H:%M} ({mailing.zone})"


def same_approval(mailing: Mailing, approval: Approval, capabilities: Capabilities) -> None:
    """Refuse unless the frozen bytes are those this mailing was made for, and go the way that was approved."""
    verify(approval)
    again = f"newsletter unapprove {mailing.issue}, then approve it again"
    if approval.digest != mailing.digest:
        raise GuardRefused(f"{mailing.issue} was approved anew since it was scheduled", fix=again)
    if capabilities.name != mailing.provider:
        raise GuardRefused(
            f"{mailing.issue} was approved for the provider {mailing.provider}, but {capabilities.name} is configured",
            where="newsletter.toml: provider.name",
            fix=f"configure {mailing.provider}, or {again}",
        )


def nothing_retracted(issue: str, retracted: Collection[str]) -> None:
    """Refuse to begin with stories (slugs) that were taken off the web copy: nobody who did that meant to send them."""
    for article in retracted:
        again = f"newsletter unapprove {issue} and approve it without that story"
        back = f"newsletter retract {issue} {article} --undo and newsletter resume {issue}"
        raise GuardRefused(f"{article} was retracted, and the mails would have it", fix=f"{again}, or {back}")


def real_send(approval: Approval, config: Config) -> None:
    """Refuse to write to real readers without a way out, a sender and a postal address (RFC 8058, CAN-SPAM)."""
    for lack in shortcomings(approval.facts.site_url, approval.facts.sender_email, config.publication.postal_address):
        again = f"then newsletter unapprove {approval.issue} and approve it again"
        raise GuardRefused(lack.what, where=lack.where, fix=f"{lack.fix}, {again}")


def shortcomings(site_url: str | None, sender: str, postal_address: str) -> Iterator[GuardRefused]:
    """What a publication lacks before it may write to real readers, one refusal each; ``doctor`` says it early."""
    site = urlsplit(site_url or "")
    if site.scheme != "https" or not site.hostname or nobodys(site.hostname):
        yield GuardRefused(
            "readers could not unsubscribe: the publication has no public https address",
            where="newsletter.toml: site.url",
            fix="set site.url to where its public pages are served",
        )
    domain = sender.rpartition("@")[2]
    if not domain or nobodys(domain):
        yield GuardRefused(
            f"the sender address is a placeholder ({sender or 'none'})",
            where="newsletter.toml: sender.email",
            fix="set sender.email to an address of yours",
        )
    address = postal_address.strip()
    if len(address) < 10 or _PLACEHOLDER.search(address):
        yield GuardRefused(
            "the publication's postal address is missing or a placeholder; the law asks for it in every issue",
            where="newsletter.toml: publication.postal_address",
            fix="set publication.postal_address",
        )


def audience_size(approval: Approval, pending: int) -> None:
    """Refuse pictures inside the mail for more than ``MOST_EMBEDDED`` readers."""
    if pending > MOST_EMBEDDED and any(src.startswith("cid:") for _, src, _ in approval.images):
        raise GuardRefused(
            f"the pictures travel inside the mail, which is meant for tests, not for {pending:,} readers",
            where="newsletter.toml: images.delivery",
            fix=f'set images.delivery = "hosted", then newsletter unapprove {approval.issue} and approve it again',
        )


def nobodys(host: str) -> bool:
    """Whether a host name can belong to nobody: example.com and the like."""
    return _NOBODYS.fullmatch(host.lower().rstrip(".")) is not None
