"""Who the mail is from, as mailbox providers judge it, and what a provider makes of the mail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.page import cut
from newsletter.checks.registry import Change, Example, Problem, check
from newsletter.checks.web import organisation, within
from newsletter.models import Severity
from newsletter.workspace.settings import Provider, SmtpSettings

FREEMAIL = {
    "aol.com": "aol.com", "fastmail.com": "fastmail.com", "gmail.com": "gmail.com", "gmx.com": "gmx.com",
    "gmx.de": "gmx.net", "gmx.net": "gmx.net", "googlemail.com": "gmail.com", "hotmail.co.uk": "outlook.com",
    "hotmail.com": "outlook.com", "icloud.com": "mail.me.com", "laposte.net": "laposte.net", "live.com": "outlook.com",
    "mac.com": "mail.me.com", "mail.com": "mail.com", "mail.ru": "mail.ru", "me.com": "mail.me.com",
    "msn.com": "outlook.com", "orange.fr": "orange.fr", "outlook.com": "outlook.com", "pm.me": "protonmail.ch",
    "proton.me": "protonmail.ch", "protonmail.com": "protonmail.ch", "qq.com": "qq.com",
    "rediffmail.com": "rediffmail.com", "t-online.de": "t-online.de", "web.de": "web.de", "yahoo.co.in": "yahoo.com",
    "yahoo.co.uk": "yahoo.com", "yahoo.com": "yahoo.com", "yahoo.fr": "yahoo.com", "yandex.ru": "yandex.ru",
    "zoho.com": "zoho.com",
}  # fmt: skip
"""Domains under which anybody has an address, and the host of each one's own servers for sending."""

_NO_REPLY = re.compile(
    r"(?i)(?:.*[._+-])?(?:no-?_?reply|do-?_?not-?_?reply|ne-?pas-?repondre|keine-?antwort|no-?responder)(?:[._+-].*)?"
)


def _domain(context: CheckContext) -> str:
    return context.config.sender.email.rpartition("@")[2].strip().lower()


def _provider(context: CheckContext) -> SmtpSettings | None:
    return context.config.provider.smtp if context.provider == "smtp" else None


def _smtp(host: str, bounce_domain: str | None = None) -> Change:
    settings = Provider(name="smtp", smtp=SmtpSettings(host=host, bounce_domain=bounce_domain))
    return eg.both(eg.config(provider=settings), eg.given(provider="smtp", provider_local=False))


@check(
    id="sender-freemail",
    severity=Severity.ERROR,
    family="sending",
    why="Mail from an address at Gmail or Yahoo that other servers sent fails DMARC, and mailbox providers refuse it. "
    "A warning while the provider is local.",
    source="RFC 7489; Gmail sender guidelines (“don't impersonate Gmail From: headers”); Yahoo sender requirements",
    failing=Example(
        '`email = "estuary.weekly@gmail.com"`, sent through `smtp.estuary.example`',
        eg.both(_smtp("smtp.estuary.example"), eg.sender(email="estuary.weekly@gmail.com")),
    ),
    passing=Example('`email = "letter@estuary.example"`', _smtp("smtp.estuary.example")),
)
def sender_freemail(context: CheckContext) -> Iterator[Problem]:
    """A sender at a mailbox provider, unless that provider's own servers send the mail."""
    domain, smtp = _domain(context), _provider(context)
    servers = FREEMAIL.get(domain)
    if servers is None or (smtp is not None and within(smtp.host, (servers, domain))):
        return
    yield Problem(
        f"The mail is from {cut(context.config.sender.email)}, and not sent by {domain}'s own servers.",
        "Send from an address under the publication's own domain.",
        severity=Severity.WARNING if context.provider_local else None,
    )


@check(
    id="sender-unaligned",
    severity=Severity.WARNING,
    family="sending",
    why="SPF vouches for the domain that bounces go to. Where that is not the sender's, DMARC rests on DKIM alone.",
    source="RFC 7489, 3.1.2 (relaxed alignment); Microsoft asks for SPF and DKIM to pass",
    failing=Example(
        '`bounce_domain = "bounces.relay.example"` for letter@estuary.example',
        _smtp("smtp.estuary.example", "bounces.relay.example"),
    ),
    passing=Example(
        '`bounce_domain = "bounces.estuary.example"`', _smtp("smtp.estuary.example", "bounces.estuary.example")
    ),
)
def sender_unaligned(context: CheckContext) -> Iterator[Problem]:
    """Bounces go to a domain of another organisation."""
    domain, smtp = _domain(context), _provider(context)
    bounces = smtp.bounce_domain if smtp else None
    if domain and bounces and organisation(bounces) != organisation(domain):
        yield Problem(
            f"Bounces go to {bounces}, which is not of the sender's domain {domain}.",
            f"Use a domain under {organisation(domain)} as provider.smtp.bounce_domain.",
        )


@check(
    id="reply-to-noreply",
    severity=Severity.WARNING,
    family="sending",
    why="Readers answer newsletters, also to be let off; an address that nobody reads turns them to the spam button.",
    source="newsroom practice; Yahoo sender best practices",
    failing=Example('`email = "no-reply@estuary.example"`', eg.sender(email="no-reply@estuary.example")),
    passing=Example('`reply_to = "editor@estuary.example"`', eg.sender(reply_to="editor@estuary.example")),
)
def reply_to_noreply(context: CheckContext) -> Iterator[Problem]:
    """Answers go to an address that says it is not read."""
    sender = context.config.sender
    address = sender.reply_to or sender.email
    if _NO_REPLY.fullmatch(address.rpartition("@")[0]):
        yield Problem(
            f"Answers go to {cut(address)}, which nobody reads.",
            "Write reply_to under [sender]: an address that somebody reads.",
        )


@check(
    id="pictures-embedded",
    severity=Severity.ERROR,
    family="sending",
    why="Pictures inside the mail multiply its size by every reader. A note while the provider is local.",
    source="the guard rail of sending, which refuses the same: about 1 MB a copy",
    failing=Example(
        "embedded pictures for 51 readers through a real provider", eg.given(readers=51, provider_local=False)
    ),
    passing=Example("embedded pictures for 50 readers", eg.given(readers=50, provider_local=False)),
    waivable=False,
)
def pictures_embedded(context: CheckContext) -> Iterator[Problem]:
    """Pictures travel in the mail, and there are more readers than that is meant for."""
    inside = sum(image.src.startswith("cid:") for image in context.email.images)
    if inside and context.readers is not None and context.readers > context.embedded_limit:
        pictures = "A picture travels" if inside == 1 else f"{inside} pictures travel"
        yield Problem(
            f"{pictures} inside the mail, which is meant for at most {context.embedded_limit} readers; there are "
            f"{context.readers:,}.",
            'Write delivery = "hosted" under [images] in newsletter.toml.',
            severity=Severity.INFO if context.provider_local else None,
        )


@check(
    id="sendgrid-charset",
    severity=Severity.WARNING,
    family="sending",
    why="SendGrid chooses the charset from the content: text that fits Latin-1 leaves as iso-8859-1, and Gmail then "
    "clips the mail early.",
    source="observed with SendGrid's mail/send; a dash or a curly quotation mark keeps the text in UTF-8",
    failing=Example("a text part of plain letters, sent through SendGrid", eg.given(provider="sendgrid")),
    passing=Example(
        "a text part with one “–”, sent through SendGrid",
        eg.both(eg.given(provider="sendgrid"), eg.email(text=eg.example().email.text + "\n–\n")),
    ),
)
def sendgrid_charset(context: CheckContext) -> Iterator[Problem]:
    """The text part has no character beyond Latin-1."""
    if context.provider != "sendgrid" or not context.email.text.strip():
        return
    try:
        context.email.text.encode("latin-1")
    except UnicodeEncodeError:
        return
    yield Problem(
        "The text part fits Latin-1, so SendGrid will not send it as UTF-8.",
        "Put one dash (–) or curly quotation mark (’) into the theme's email.txt.j2.",
    )
