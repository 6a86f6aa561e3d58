"""What a theme's templates see: frozen values with attribute access, the same names in HTML and in text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup

from newsletter.errors import ThemeError
from newsletter.models import Layout

if TYPE_CHECKING:
    from newsletter.rendering.words import Words

Direction = Literal["ltr", "rtl"]

OPENS, CLOSES = "\ue0f3", "\ue0f4"
"""Where a story starts and ends in a text template: of the private characters that ``guard.clean`` drops."""
_IN_TEXT = {"open": Markup(OPENS), "close": Markup(CLOSES)}  # noqa: S704  # two fixed characters


class Marks:
    """Where each story starts and ends in the HTML, and which story a template is busy with.

    A mark is an HTML comment that is no conditional comment of Outlook's, so the parser and the inliner pass it
    on; ``finish.py`` takes it out again and makes the email's spans. In text templates a mark is one character
    that no author can write (``owntext.py``).
    """

    def __init__(self, *, html: bool) -> None:
        self.html = html
        self.current: str | None = None
        self.slugs: list[str] = []

    def opened(self, slug: str) -> Markup:
        """Start a story. Raises ThemeError when the one before it has not ended."""
        if self.current is not None:
            raise ThemeError(
                f"story {slug} starts before {self.current} has ended",
                fix="write {{ article.close }} after every {{ article.open }}",
            )
        self.current = slug
        self.slugs.append(slug)
        return self._mark("open", len(self.slugs) - 1)

    def closed(self, slug: str) -> Markup:
        """End a story. Raises ThemeError when another one, or none, is open."""
        if self.current != slug:
            raise ThemeError(
                f"story {slug} ends without having started",
                fix="write {{ article.open }} before every {{ article.close }}",
            )
        self.current = None
        return self._mark("close", len(self.slugs) - 1)

    def _mark(self, what: str, number: int) -> Markup:
        return Markup(f"<!--nl:{what} {number}-->") if self.html else _IN_TEXT[what]  # noqa: S704  # fixed words, an int


@dataclass(frozen=True, slots=True)
class ShownImage:
    """``Img`` of the templates. ``width`` and ``height`` are CSS pixels on the page, whatever the file has.

    ``height`` is None for a picture that is left where it is: nobody has measured it.
    """

    src: str
    width: int
    height: int | None
    alt: str = ""
    caption: str = ""
    credit: str = ""
    credit_line: str = ""


@dataclass(frozen=True, slots=True)
class ShownArticle:
    """``article`` of the templates. ``row_layout`` is the layout this story is set in, row by row; ``t`` says
    the interface's words in the story's language.
    """

    slug: str
    headline: str
    kicker: str
    standfirst: str
    teaser: str
    short_teaser: str
    byline: str
    agency: str
    byline_line: str
    minutes: int | None
    link: str | None
    link_text: str
    link_label: str
    body: Markup | None
    body_text: str
    image: ShownImage | None
    sponsor: str | None
    label: str
    lang: str
    dir: Direction
    differs: bool
    row_layout: Layout
    t: Words = field(repr=False, compare=False)
    _marks: Marks = field(repr=False, compare=False)

    @property
    def open(self) -> Markup:
        """The mark before the story; tells the pipeline which story is being set."""
        return self._marks.opened(self.slug)

    @property
    def close(self) -> Markup:
        """The mark after the story."""
        return self._marks.closed(self.slug)


@dataclass(frozen=True, slots=True)
class ShownSection:
    """``section`` of the templates; ``index`` counts from 1. A section always has at least one article."""

    layout: Layout
    title: str
    articles: tuple[ShownArticle, ...]
    index: int


@dataclass(frozen=True, slots=True)
class ShownIssue:
    """``issue`` of the templates. ``date`` is long and in the issue's language, ``iso_date`` is YYYY-MM-DD."""

    slug: str
    subject: str
    preheader: str
    preheader_padding: Markup
    date: str
    iso_date: str
    number: str | None
    lang: str
    dir: Direction
    intro: Markup | None
    intro_text: str
    correction: Markup | None
    correction_text: str
    in_this_issue: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownPublication:
    """``publication`` of the templates. Empty strings where newsletter.toml says nothing."""

    name: str
    postal_address: str
    reason: str
    corrections: str
    company: str
    lang: str
    dir: Direction
    logo: ShownImage | None
    url: str | None


@dataclass(frozen=True, slots=True)
class ShownLinks:
    """``links`` of the templates: merge tokens, or None while the publication has no public pages."""

    unsubscribe: str | None
    preferences: str | None
    web: str | None
