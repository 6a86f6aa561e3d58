"""The words of the product as frozen values. No I/O and no import from the rest of the package."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date as Date
from pathlib import Path
from types import MappingProxyType
from typing import Literal

Layout = Literal["lead", "list", "grid", "brief", "sponsor", "text"]
LAYOUTS: tuple[Layout, ...] = ("lead", "list", "grid", "brief", "sponsor", "text")
"""How a section is set. ``templates/<theme>`` draws each of them."""

PICTURED: tuple[Layout, ...] = ("lead", "list", "grid", "sponsor", "text")
"""The layouts that show a story's picture, where the theme says nothing else."""

Shape = Literal["square"]
"""What a theme may ask of a layout's pictures in place of the layout's own shape."""

FieldContext = Literal["html", "text", "subject"]
"""Where a merge field lands, which decides how its value is escaped."""

TEXT_FILE = "email.txt"
"""The text part of an issue that an editor wrote, in the issue's folder; also the frozen text part of an approval."""

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one field of an article came from, and whether an editor may rely on it.

    ``source`` is a short name such as ``last line``, ``first line``, ``front matter``, ``h1``, ``meta og:title``.
    """

    source: str
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an article was taken from; ``imported`` is an ISO 8601 UTC time.

    ``kept`` maps each field for which an editor declined the source's later words to the first 16 hex digits of their
    SHA-256: what was declined once is not offered again before the source says something else.
    """

    id: str | None = None
    url: str | None = None
    guid: str | None = None
    imported: str | None = None
    kept: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that the editor accepts, with the reason."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A lead image. ``file`` is a name in the issue's ``images/`` folder; ``url`` is where it was found.

    Without ``file`` the picture is remote and stays where it is. ``focal`` is (x, y) in 0…1 from the top left.
    """

    file: str | None = None
    url: str | None = None
    alt: str | None = None
    caption: str | None = None
    credit: str | None = None
    focal: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """A story. ``body`` is Markdown; ``published`` and ``link`` are only ever what the source said."""

    slug: str
    headline: str
    body: str = ""
    kicker: str | None = None
    standfirst: str | None = None
    teaser: str | None = None
    byline: str | None = None
    agency: str | None = None
    published: str | None = None
    link: str | None = None
    link_text: str | None = None
    lang: str | None = None
    section: str | None = None
    sponsor: str | None = None
    tags: tuple[str, ...] = ()
    image: Picture | None = None
    origin: Origin = Origin()
    provenance: Mapping[str, Provenance] = field(default_factory=lambda: MappingProxyType({}))
    waive: tuple[Waiver, ...] = ()
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A titled group of articles in one layout. The title may be absent (a lead needs none)."""

    layout: Layout
    articles: tuple[Article, ...] = ()
    title: str | None = None


@dataclass(frozen=True, slots=True)
class TextPiece:
    """What the generated text says of one story, or (``article`` is None) around the stories.

    Merge fields stand in it as authors write them.
    """

    article: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Issue:
    """One dated edition as its folder says. ``sha256`` is of the bytes of ``issue.md`` when it was read.

    ``correction`` is one line of Markdown: what an earlier issue had wrong. ``own_text`` is the text part as an editor
    wrote it (``email.txt``), None where it is generated; ``text_of`` is what the generated text was when somebody last
    said that the own text is right for it, None where nobody has.
    """

    slug: str
    date: Date
    sections: tuple[Section, ...] = ()
    subject: str | None = None
    preheader: str | None = None
    number: str | None = None
    theme: str | None = None
    lang: str | None = None
    correction: str | None = None
    intro: str = ""
    waive: tuple[Waiver, ...] = ()
    checks: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Other weights of checks, for this issue alone: id → error, warning, info or off."""
    path: Path | None = None
    sha256: str = ""
    corrects: str | None = None
    """The issue that this one corrects: only its readers get it."""
    own_text: str | None = None
    text_of: tuple[TextPiece, ...] | None = None

    def articles(self) -> Iterator[Article]:
        """Every article in reading order."""
        for section in self.sections:
            yield from section.articles

    @property
    def file(self) -> Path | None:
        """Where its own words are written; None for an issue that was not read from a folder."""
        return self.path / "issue.md" if self.path else None

    @property
    def text_file(self) -> Path | None:
        """Where an editor writes the text part; None for an issue that was not read from a folder."""
        return self.path / TEXT_FILE if self.path else None

    @property
    def lead(self) -> Article | None:
        """The first story of the first lead section that has one, else the first story of all."""
        for section in self.sections:
            if section.layout == "lead" and section.articles:
                return section.articles[0]
        return next((s.articles[0] for s in self.sections if s.layout != "sponsor" and s.articles), None)


@dataclass(frozen=True, slots=True)
class MergeField:
    """One use of a merge field in the finished email, as ``approval.json`` freezes it.

    ``token`` is the opaque word that stands in the bytes (``nlf0001q``); ``name`` is an attribute
    (``first_name``) or one of ``unsubscribe_url``, ``preferences_url``, ``web_url``.
    """

    token: str
    name: str
    default: str
    context: FieldContext


@dataclass(frozen=True, slots=True)
class EmailImage:
    """A picture that travels with, or is hosted for, the email: a derivative on disk.

    ``name`` is unique in the email and is the file name under ``media/``; ``src`` is what the HTML says
    (``cid:…`` or an https URL); ``width`` and ``height`` are the file's pixels.
    """

    name: str
    path: Path
    content_type: str
    src: str
    size: int
    width: int
    height: int
    article: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of ``Email.html`` belongs to one article: ``html[start:end]``."""

    article: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Email:
    """The finished email of an issue: nothing left to render, merge fields as opaque tokens.

    ``timings`` are seconds by rendering step. ``remote_images`` are the URLs left where they are; ``asked_for`` has,
    for those that a CDN was asked for in another size, the address that the story names. ``pictured`` are the layouts
    in which the theme shows pictures. ``generated`` is the text part that the theme makes, as an author would have to
    write it, also where ``text`` is an editor's own; ``pieces`` are the same words by story. ``mso``: the theme writes
    markup for Outlook's Word engine. ``mended`` are the tags of the theme's HTML that did not pair up and that the
    parser put right as it saw fit.
    """

    issue: str
    subject: str
    preheader: str
    html: str
    text: str
    lang: str
    dir: Literal["ltr", "rtl"]
    theme: str
    fields: tuple[MergeField, ...] = ()
    images: tuple[EmailImage, ...] = ()
    remote_images: tuple[str, ...] = ()
    asked_for: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    spans: tuple[Span, ...] = ()
    pictured: tuple[Layout, ...] = PICTURED
    mso: bool = True
    mended: tuple[str, ...] = ()
    generated: str = ""
    pieces: tuple[TextPiece, ...] = ()
    timings: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def size(self) -> int:
        """Bytes of the HTML as the reader's client gets it; Gmail clips at 102 × 1024."""
        return len(self.html.encode())

    def html_of(self, article: str) -> str:
        """The parts of the HTML that belong to one article, in order."""
        return "".join(self.html[s.start : s.end] for s in self.spans if s.article == article)

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of HTML that each article costs, in reading order."""
        return {slug: len(self.html_of(slug).encode()) for slug in dict.fromkeys(s.article for s in self.spans)}


class Severity(enum.StrEnum):
    """How much a finding weighs: an error blocks approval, a warning is shown, info is for the curious."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for an error, 1 for a warning, 2 for info: sorts the worst first."""
        return {"error": 0, "warning": 1, "info": 2}[self.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check: what is wrong, in which article and field, and what to do about it."""

    id: str
    severity: Severity
    message: str
    fix: str | None = None
    article: str | None = None
    field: str | None = None
    file: str | None = None
    line: int | None = None
    waived: str | None = None
    """The editor's reason when the finding is waived; such a finding blocks nothing."""
    fixable: bool = False
    """Whether ``newsletter check --fix`` puts it right."""
