"""What a check may look at: everything is handed in, nothing is looked up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

from newsletter.checks.page import Page
from newsletter.checks.used import uses
from newsletter.checks.used_styles import Use
from newsletter.clients.colours import Rgb
from newsletter.message.merge import fill
from newsletter.models import Article, Email, Issue, Section
from newsletter.net.probe import Reached
from newsletter.workspace.settings import Config


@dataclass(frozen=True, slots=True)
class SponsorFacts:
    """What is known of a sponsor in the issue.

    ``approval`` is ``approved``, ``not approved`` or ``changed since``. ``label`` is a label of its own, if any.
    ``booked``: one of its ``runs`` (in words) covers this issue. ``rivals`` are others that booked the same place.
    """

    approval: str
    label: str = ""
    runs: tuple[str, ...] = ()
    booked: bool = False
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckContext:
    """An issue, its finished email and what is known around them.

    ``provider_local``: nothing leaves this machine. ``send_at`` is aware. ``past_uses`` maps the slug of a
    story to that of another issue that has it. ``known_fields`` are the attributes of
    the audience; ``readers`` is how many are subscribed (None: nobody asked), and pictures inside the mail are meant
    for at most ``embedded_limit`` of them. ``sponsors`` are the facts of each sponsor in the issue, by its name;
    ``sponsor_labels`` are the words that mark a story as paid for, in its language, by its slug. ``openings`` has,
    for a story whose body begins with a drop cap, (what stands there, what it would be). ``reachability`` is what
    addresses on the web answered (None: not asked). ``found`` are (check, article) of the findings, for waivers.
    ``changed_at_source`` has, by the slug of a story, the fields that its source is known to have changed since.
    ``edges`` has, by its ``src``, each transparent picture outside stories: (colour, pixels) along what is drawn.
    """

    issue: Issue
    email: Email
    config: Config
    provider: str = "outbox"
    provider_local: bool = True
    send_at: datetime | None = None
    past_uses: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    known_fields: frozenset[str] = frozenset()
    readers: int | None = None
    embedded_limit: int = 50
    sponsors: Mapping[str, SponsorFacts] = field(default_factory=lambda: MappingProxyType({}))
    edges: Mapping[str, Sequence[tuple[Rgb, int]]] = field(default_factory=lambda: MappingProxyType({}))
    sponsor_labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    openings: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    changed_at_source: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
    reachability: Mapping[str, Reached] | None = None
    found: frozenset[tuple[str, str | None]] = frozenset()

    @cached_property
    def page(self) -> Page:
        """The HTML, parsed once for all checks."""
        return Page(self.email.html, self.email.spans)

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """The features of HTML and CSS that the page uses, found once for all checks."""
        return uses(self.page, {image.src: image.content_type for image in self.email.images})

    @cached_property
    def subject(self) -> str:
        """The subject as a reader without attributes sees it."""
        return fill(self.email.subject, self.email.fields, {})

    @cached_property
    def preheader(self) -> str:
        """The preheader as a reader without attributes sees it."""
        return fill(self.email.preheader, self.email.fields, {})

    @property
    def sender_name(self) -> str:
        """The name that inboxes show."""
        return self.config.sender.name or self.config.publication.name

    @cached_property
    def paid(self) -> frozenset[str]:
        """The slugs of stories that somebody paid for."""
        return frozenset(a.slug for section, a in self.placed() if section.layout == "sponsor" or a.sponsor)

    def placed(self) -> Iterator[tuple[Section, Article]]:
        """Every article with its section, in reading order."""
        for section in self.issue.sections:
            for article in section.articles:
                yield section, article

    def language_of(self, article: Article) -> str:
        """The language of a story: its own, the issue's, or the publication's."""
        return article.lang or self.issue.lang or self.config.publication.language
