"""The steps from an issue to its email, in their order. Read this first; each step is a file of its own.

1.  words      what editors wrote: harmful characters out, merge fields become tokens     authored.py, guard.py
2.  bodies     Markdown → nh3 → one tree for HTML and text                                bodies.py, plaintext.py
3.  pictures   originals → derivatives of the layout's size                               pictures.py, shelf.py
4.  variables  what a template sees, once for HTML and once for text                      view.py, shown.py
5.  templates  the theme, in a sandbox                                                    environment.py
6.  inline     style.css into the elements, checked rule by rule                          inline.py, selfcheck.py
7.  finish     client.css back in, fewer bytes, readers' values isolated, marks out       finish.py, isolation.py
8.  text       the text part, wrapped, or as an editor wrote it                           plaintext.py, owntext.py

Everything is deterministic: no clock, no network, no chance. The same files give the same email.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType

from newsletter.message.markup import unpaired
from newsletter.message.merge import RESERVED, TOKEN, Tokeniser
from newsletter.models import Email, Issue, MergeField, Span, TextPiece
from newsletter.rendering import finish, isolation
from newsletter.rendering.authored import Authored
from newsletter.rendering.css import kept_blocks
from newsletter.rendering.environment import Templates
from newsletter.rendering.guard import BRACE
from newsletter.rendering.inline import inline
from newsletter.rendering.links import parameters_of
from newsletter.rendering.owntext import authored_text, own_text, pieces_of, without_marks
from newsletter.rendering.plaintext import beyond_latin1, tidy
from newsletter.rendering.shelf import Media, Shelf
from newsletter.rendering.shown import Marks
from newsletter.rendering.view import Material, make_variables, preheader_of, subject_of
from newsletter.rendering.words import direction
from newsletter.workspace.settings import Config
from newsletter.workspace.themes import Theme

__all__ = ["Media", "render_issue"]

HTML, TEXT, STYLE, CLIENT = "email.html.j2", "email.txt.j2", "style.css", "client.css"
_NONE: Mapping[str, str] = MappingProxyType({})
_NO_MINUTES: Mapping[str, int] = MappingProxyType({})


class _Clock:
    """Seconds by step, for ``build`` and the benchmark; nothing that is rendered sees it."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.timings: dict[str, float] = {}

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self.timings[step] = self.timings.get(step, 0.0) + now - self._last
        self._last = now


def render_issue(
    issue: Issue,
    *,
    config: Config,
    theme: Theme,
    media: Media,
    teasers: Mapping[str, str] = _NONE,
    minutes: Mapping[str, int] = _NO_MINUTES,
) -> Email:
    """Render an issue; every step above, in order. ``teasers`` and reading ``minutes`` are by article slug.

    Raises BadData (an issue without stories, a body over 256 KB), MergeFieldError, ImageError, ThemeError,
    RenderError (the self-check), CannotWrite (a derivative): each with its place and what to do.
    """
    clock = _Clock()
    lang = issue.lang or config.publication.language
    material = Material(issue, config, theme, teasers, minutes, lang)
    tokeniser = Tokeniser(config.audience.attributes)
    shelf = Shelf(media)
    templates = Templates(theme)
    subject = Authored(tokeniser, "subject", media.root).line(*subject_of(issue))

    parameters = parameters_of(config, issue.slug)
    html, spans, sources, mended = _html(
        templates, material, Authored(tokeniser, "html", media.root, parameters), shelf, clock
    )
    text, generated, pieces = _text(
        templates, material, Authored(tokeniser, "text", media.root, parameters), shelf, clock
    )
    if direction(lang) == "rtl":
        # Left to right, a plain name leaves the subject plain ASCII; any other isolates itself (merge.py).
        subject = isolation.in_line(subject, _values(tokeniser), "rtl")
    preheader = Authored(tokeniser, "text", media.root).line(*preheader_of(issue, teasers))

    subject, preheader, text = (words.replace(BRACE, "{") for words in (subject, preheader, text))
    return Email(
        issue=issue.slug,
        subject=subject,
        preheader=preheader,
        html=html,
        text=text,
        lang=lang,
        dir=direction(lang),
        theme=theme.name,
        fields=_used(tokeniser.fields, html, text, subject, preheader),
        images=shelf.used_in(html),
        remote_images=shelf.remote_in(sources),
        asked_for=MappingProxyType(dict(shelf.asked_for)),
        spans=spans,
        pictured=theme.pictures,
        mso=theme.mso,
        mended=mended,
        generated=generated,
        pieces=pieces,
        timings=MappingProxyType(clock.timings),
    )


def _html(
    templates: Templates, material: Material, authored: Authored, shelf: Shelf, clock: _Clock
) -> tuple[str, tuple[Span, ...], frozenset[str], tuple[str, ...]]:
    """Steps 4 to 7: the HTML, the spans of its stories, the addresses of its pictures, tags that did not pair up."""
    where = templates.place(HTML)
    marks = Marks(html=True)
    variables = make_variables(material, authored, shelf, marks)
    clock.lap("variables")
    written = templates.render(HTML, variables, marks)
    style = templates.css(STYLE, variables)
    kept = kept_blocks(templates.css(CLIENT, variables), templates.place(CLIENT))
    clock.lap("templates")
    page = finish.parse_page(written, where, marks.slugs)
    if not material.theme.mso:
        finish.drop_word_markup(page)
    inline(page, style, templates.place(STYLE))
    clock.lap("inline")
    finish.shrink(page, kept)
    isolation.in_page(page, _values(authored.tokeniser))
    finish.keep_client_css(page, kept)
    html, spans = finish.take_marks(finish.serialise(page), marks.slugs, where)
    finish.check_complete(written, html, where, marks.slugs)
    sources = frozenset(image.get("src", "") for image in page.iter("img"))
    mended = unpaired(written)
    clock.lap("finish")
    return html, spans, sources, mended


def _text(
    templates: Templates, material: Material, authored: Authored, shelf: Shelf, clock: _Clock
) -> tuple[str, str, tuple[TextPiece, ...]]:
    """Steps 4, 5 and 8: the text part, what the theme alone would make of it as an author writes it, and by story."""
    marks = Marks(html=False)
    variables = make_variables(material, authored, shelf, marks)
    written = templates.render(TEXT, variables, marks)
    bare = without_marks(written)
    own = own_text(material.issue, authored)
    text = tidy(bare) if own is None else own
    if text.strip():
        text = beyond_latin1(isolation.in_text(text, _values(authored.tokeniser), direction(material.lang)))
    fields = authored.tokeniser.fields
    generated, pieces = authored_text(bare, fields), pieces_of(written, marks.slugs, fields)
    clock.lap("text")
    return text, generated, pieces


def _values(tokeniser: Tokeniser) -> frozenset[str]:
    """The tokens that stand for something of the reader's own; the others are links of ours."""
    return frozenset(field.token for field in tokeniser.fields if field.name not in RESERVED)


def _used(fields: tuple[MergeField, ...], *texts: str) -> tuple[MergeField, ...]:
    """The fields whose tokens are in the email: a theme may leave some of its links out."""
    found = {token for text in texts for token in TOKEN.findall(text)}
    return tuple(field for field in fields if field.token in found)
