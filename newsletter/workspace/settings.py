"""The typed shape of ``newsletter.toml``. Loading and its error messages live in ``config.py``."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

ImageDelivery = Literal["embedded", "hosted", "remote"]
SeverityName = Literal["error", "warning", "info", "off"]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of ``newsletter.toml``: immutable, and an unknown key is refused."""


class SecretRef(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``{env = "NAME"}`` or ``{file = "path"}``: where a secret is, never the secret itself."""

    env: str | None = None
    file: str | None = None


class Publication(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[publication]``: the newsletter's name, language, zone, postal address and look."""

    name: str
    language: str = "en-GB"
    timezone: str = "Europe/London"
    postal_address: str = ""
    theme: str = "weekly"
    reason: str = ""
    """Why the reader gets this mail, shown in the footer; empty: a sentence made from ``name``."""
    corrections: str = ""
    """Where readers report mistakes: an address or a URL."""
    company: str = ""
    """Company name, number and registered office, where the law asks for it."""
    logo: str = ""
    """A picture file beside ``newsletter.toml``, used as the masthead; empty: the name is set in type."""


class Sender(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[sender]``: who the mail is from."""

    name: str = ""
    email: str = ""
    reply_to: str | None = None


class Site(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[site]``: where the public pages live; no ``url``, no public pages."""

    url: str | None = None


class DkimSettings(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[provider.smtp.dkim]``: a private key in PEM and where DNS has the public one.

    A second, Ed25519 signature beside the RSA one is for verifiers that know RFC 8463; it needs both its keys.
    """

    selector: str
    key: SecretRef
    domain: str | None = None
    """Who signs; absent: the domain of ``sender.email``, which is what DMARC asks for."""
    ed25519_selector: str | None = None
    ed25519_key: SecretRef | None = None


class SmtpSettings(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[provider.smtp]``. ``connections`` are opened at once; ``timeout`` is in seconds."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretRef | None = None
    connections: int = 4
    timeout: float = 60.0
    bounce_domain: str | None = None
    """The domain of VERP envelope senders; absent: the plain sender address is the envelope sender."""
    dkim: DkimSettings | None = None
    """Absent: the mail server signs, or nobody does."""


class SendgridSettings(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[provider.sendgrid]``. ``host`` is the API's base URL; ``timeout`` is in seconds."""

    api_key: SecretRef = SecretRef(env="SENDGRID_API_KEY")
    host: str = "https://api.sendgrid.com"
    timeout: float = 30.0
    categories: list[str] = []
    connections: int = 2
    """Requests in flight, each of up to 1,000 readers."""
    webhook_key: str | SecretRef | None = None
    """The public key that verifies events. It is no secret, but may be kept like one."""


class OutboxSettings(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[provider.outbox]``. ``path`` is a Maildir, relative to the workspace."""

    path: str = ".newsletter/outbox"


class Provider(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[provider]``: which adapter sends, and how fast at most: ``"20/s"``, ``"600/m"``, ``"0"`` = no limit."""

    name: str = "outbox"
    rate: str = "0"
    per_domain: dict[str, str] = {}
    """The same per mailbox domain: ``{"gmail.com" = "10/s", "*" = "2/s"}``; ``*`` is each domain that is not named."""
    outbox: OutboxSettings = OutboxSettings()
    smtp: SmtpSettings | None = None
    sendgrid: SendgridSettings | None = None
    options: dict[str, Any] = {}
    """Settings of a provider that another package adds; ``{env = …}`` and ``{file = …}`` are secrets here too."""


class Links(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[links]``: where links may lead, and the parameters that links to stories get for the site's statistics."""

    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    """``{issue}`` in it is the slug of the issue."""
    utm_content: str = ""
    utm_hosts: list[str] = []
    """The hosts whose links get them; empty: only the host of ``site.url``."""
    expected_hosts: list[str] = []
    """Other sites that links may lead to; once there is one, a link to any further host is a warning."""


class Images(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[images]``. No ``delivery``: embedded without a ``site.url``, hosted with one."""

    delivery: ImageDelivery | None = None
    fetch: bool = True
    allow_hosts: list[str] = []
    """Hosts on a private network that pictures and stories may be fetched from."""


class Test(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[test]``: who gets test mails when the command names nobody."""

    to: list[str] = []


CLIENT_FAMILIES = (
    "apple-mail", "gmail", "outlook-windows", "outlook-com", "outlook-mac", "outlook-mobile", "yahoo", "samsung",
    "thunderbird", "proton", "gmx", "ionos", "fastmail", "hey", "mail-ru", "orange", "sfr", "laposte",
)  # fmt: skip
"""The mail clients that ``[audience] clients`` may name; clients/facts.json has facts about each."""

CLIENT_SHARES = {
    "apple-mail": 48.0,
    "gmail": 29.0,
    "outlook-windows": 5.0,
    "outlook-com": 4.0,
    "outlook-mobile": 4.0,
    "yahoo": 4.0,
    "samsung": 2.0,
    "outlook-mac": 1.0,
    "thunderbird": 1.0,
    "proton": 1.0,
    "gmx": 1.0,
}
"""Shares for a newsroom that does not know its own, in the order of magnitude of what Litmus publishes: in April 2022
57 % of opens in Apple Mail, 30 % in Gmail, 4 % in Outlook, 3 % in Yahoo, 1 % in Outlook.com. Apple has less here: its
privacy proxy opens mail that nobody reads."""


class Audience(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[audience]``. ``attributes`` are the merge fields a reader has."""

    attributes: list[str] = msgspec.field(default_factory=lambda: ["first_name"])
    clients: dict[str, float] = msgspec.field(default_factory=lambda: dict(CLIENT_SHARES))
    """Which part of the readers has which mail client; numbers need not make 100, who is not named has none."""


class Schedule(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[schedule]``: durations as ``"2h"``, ``"30m"``, ``"45s"``."""

    lateness: str = "2h"
    """A mailing that is due longer ago than this is held, not sent."""
    undo: str = "0m"
    """How long a mailing that is due waits before its first mail, so that ``unapprove`` still stops it whole."""
    spread: str = "0m"
    """A mailing's recipients are spread evenly over this time, so that pausing helps; 0: as fast as it goes."""
    seeds: list[str] = []
    """Readers who get a mailing first; nobody else is mailed until each of them was accepted."""
    canary: str | int = 0
    """A share (``"5%"``) or a number of readers who go before all others and are judged by events; 0: none."""
    canary_wait: str = "10m"
    """How long the others wait for what the provider says of the canary."""
    complaints_warn: str = "0.1%"
    """Complaints of spam per mail that arrived from which editors are told; ``"0"``: never."""
    complaints_pause: str = "0.3%"
    """The same from which a mailing pauses by itself; ``"0"``: never."""
    bounces_pause: str = "10%"
    """The share of a canary's mails that came back from which the mailing pauses; ``"0"``: never."""
    warm_up: list[int] = []
    """Mails on the first day that a provider is used, on the second, and so on; then there is no limit."""
    approvals_required: int = 1
    """How many different people approve an issue before it may go out."""
    preflight: bool = True
    """Whether pictures, web copy and unsubscribe page are asked for before a real mailing's first mail."""
    every: str | list[str] = []
    """When the approved issue of that day goes out by itself: ``"Fri 07:00"``, ``"07:00"`` (daily), or a list."""
    remind: str = "3h"
    """How long before a time of ``every`` editors are told that nothing is approved for it; ``"0"``: never."""


class Alerts(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[alerts]``: who hears of it when an editor must act, and who watches that cron comes."""

    to: list[str] = []
    """Addresses that get a mail, through the configured provider."""
    webhook: str | None = None
    """A URL that gets a POST of JSON."""
    heartbeat: str | None = None
    """A URL that is asked for at the begin of each run with ``/start`` behind it, at its end with its exit code."""


class DraftSection(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[[draft.section]]``: a section of a drafted issue, and which stories it takes."""

    layout: Literal["lead", "list", "grid", "brief", "text"] = "list"
    title: str = ""
    from_: list[str] = msgspec.field(name="from", default_factory=list)
    """Sections, tags and sources: a story with one of them fits; none: every story fits."""
    most: int | None = None
    """At most so many stories; absent: one in a lead, else as many as the draft has room for."""
    order: Literal["priority", "newest"] = "priority"


class Draft(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[draft]``: the rules of ``newsletter issue draft``."""

    most: int = 12
    """At most so many stories altogether."""
    top: str = "top"
    """The tag of a story that comes before all others."""
    age: str = "0"
    """Stories that appeared longer ago are left out: ``"14d"``; ``"0"``: however old they are."""
    languages: list[str] = []
    """Only stories in these languages; empty: in any."""
    section: list[DraftSection] = msgspec.field(
        default_factory=lambda: [DraftSection(layout="lead"), DraftSection(title="Also this week")]
    )


RoleName = Literal["editor", "publisher"]


class Person(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody who may sign in to the composer. An editor writes and tests; a publisher may do everything."""

    email: str
    name: str = ""
    role: RoleName = "editor"

    @property
    def label(self) -> str:
        """How the audit names them."""
        return self.name or self.email


class Composer(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[composer]``: who may use the composer when it is reached from other machines."""

    url: str | None = None
    """Where people reach it; the links of its sign-in mails begin with this."""
    people: list[Person] = []
    session: str = "12h"
    """How long somebody stays signed in at most, whatever they do."""
    user_header: str | None = None
    """The header in which a proxy that people sign in at names the address of who is there."""
    trusted_proxies: list[str] = []
    """The addresses or networks of that proxy; from anywhere else the header is not believed."""


class Config(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of ``newsletter.toml``."""

    publication: Publication
    sender: Sender = Sender()
    site: Site = Site()
    provider: Provider = Provider()
    links: Links = Links()
    images: Images = Images()
    test: Test = Test()
    audience: Audience = Audience()
    checks: dict[str, SeverityName] = {}
    draft: Draft = Draft()
    schedule: Schedule = Schedule()
    alerts: Alerts = Alerts()
    composer: Composer = Composer()
    sender_installation: str | None = None
