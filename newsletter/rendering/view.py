"""The variables of a theme's templates, made from an issue: the same names for HTML and for text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from newsletter.errors import BadData
from newsletter.message.merge import TOKEN
from newsletter.models import Article, Issue, Layout, Picture, Section
from newsletter.rendering.authored import Authored
from newsletter.rendering.bodies import UNDER_A_STORY, Body
from newsletter.rendering.doubling import standfirst_for
from newsletter.rendering.guard import clean
from newsletter.rendering.links import with_parameters
from newsletter.rendering.recipes import SPONSOR, TEXT, Recipe, recipe_for
from newsletter.rendering.shelf import Shelf, is_creative
from newsletter.rendering.shorten import first_sentence, shorten
from newsletter.rendering.shown import (
    Marks,
    ShownArticle,
    ShownImage,
    ShownIssue,
    ShownLinks,
    ShownPublication,
    ShownSection,
)
from newsletter.rendering.words import Words, direction, long_date, words
from newsletter.workspace.settings import Config
from newsletter.workspace.themes import Theme
from newsletter.workspace.values import LANGUAGE

PREHEADER_ROOM = 200
"""Characters of the inbox line that are filled, so that body text never leaks into it."""

TEASER_LIMITS: Mapping[Layout, int] = {"list": 140, "grid": 120, "brief": 200}
"""Characters of ``short_teaser``; a brief gets one sentence of at most that."""

IN_THIS_ISSUE = 5
_LINK = re.compile(r"(?:https?|mailto|tel):[^\s<>\"{}]+\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Material:
    """Everything the variables are made from. ``teasers`` and ``minutes`` are by article slug."""

    issue: Issue
    config: Config
    theme: Theme
    teasers: Mapping[str, str]
    minutes: Mapping[str, int]
    lang: str


def subject_of(issue: Issue) -> tuple[str, Path | None]:
    """The subject as written; until the editor writes one, the lead story's headline. And the file that it is from."""
    if issue.subject or issue.lead is None:
        return issue.subject or "", issue.file
    return issue.lead.headline, issue.lead.path


def preheader_of(issue: Issue, teasers: Mapping[str, str]) -> tuple[str, Path | None]:
    """The preheader as written; until the editor writes one, the lead story's teaser. And the file that it is from."""
    if issue.preheader or issue.lead is None:
        return issue.preheader or "", issue.file
    return teaser_of(issue.lead, teasers), issue.lead.path


def teaser_of(article: Article, teasers: Mapping[str, str]) -> str:
    """The teaser that was chosen for a story, else its own, else its standfirst."""
    return teasers.get(article.slug) or article.teaser or article.standfirst or ""


def make_variables(material: Material, authored: Authored, shelf: Shelf, marks: Marks) -> dict[str, object]:
    """All variables of one template, as docs/themes.md lists them. Raises BadData's family with file and line."""
    t = words(material.lang, html=marks.html)
    sections = _sections(material, authored, shelf, marks)
    return {
        "publication": _publication(material, shelf, t),
        "issue": _issue(material, authored, shelf, sections, t),
        "sections": sections,
        "tokens": material.theme.tokens,
        "links": _links(material.config, authored),
        "t": t,
    }


def _publication(material: Material, shelf: Shelf, t: Words) -> ShownPublication:
    publication = material.config.publication
    logo = shelf.logo(publication.logo)
    return ShownPublication(
        name=publication.name,
        postal_address=t.alone(publication.postal_address),
        reason=t.alone(publication.reason)
        or t("You get this letter because you signed up for {name}.", name=publication.name),
        corrections=publication.corrections,
        company=t.alone(publication.company),
        lang=publication.language,
        dir=direction(publication.language),
        logo=ShownImage(logo.src, logo.width, logo.height, alt=publication.name) if logo else None,
        url=material.config.site.url or None,
    )


def _links(config: Config, authored: Authored) -> ShownLinks:
    if not config.site.url:
        return ShownLinks(None, None, None)
    return ShownLinks(
        unsubscribe=authored.tokeniser.token_for("unsubscribe_url", authored.context),
        preferences=authored.tokeniser.token_for("preferences_url", authored.context),
        web=authored.tokeniser.token_for("web_url", authored.context),
    )


def _issue(
    material: Material, authored: Authored, shelf: Shelf, sections: tuple[ShownSection, ...], t: Words
) -> ShownIssue:
    issue = material.issue
    body = authored.body(issue.intro, issue.file, top=2)
    for address in body.remote_images if body else ():
        shelf.remote(address)
    correction = authored.inline(issue.correction, issue.file)
    preheader = authored.line(*preheader_of(issue, material.teasers))
    number = authored.line(issue.number, issue.file)
    headlines = tuple(
        _named(article, t) for section in sections if section.layout != "sponsor" for article in section.articles
    )
    return ShownIssue(
        slug=issue.slug,
        subject=authored.line(*subject_of(issue)),
        preheader=preheader,
        preheader_padding=padding(preheader),
        date=long_date(issue.date, material.lang),
        iso_date=issue.date.isoformat(),
        number=(number if TOKEN.search(number) else t.digits(number)) or None,
        lang=material.lang,
        dir=direction(material.lang),
        intro=body.html if body else None,
        intro_text=authored.body_text(body),
        correction=correction.html if correction else None,
        correction_text=authored.body_text(correction),
        in_this_issue=headlines[:IN_THIS_ISSUE] if len(headlines) > 2 else (),
    )


def _named(article: ShownArticle, t: Words) -> str:
    """A story's headline outside the story: with its language where that is another than the issue's."""
    if not (t.html and article.differs):
        return article.headline
    return Markup('<span lang="{}" dir="{}">{}</span>').format(article.lang, article.dir, article.headline)


def padding(preheader: str) -> Markup:
    """What fills the inbox line after the preheader: pairs of an invisible joiner and a blank, seven bytes each."""
    missing = PREHEADER_ROOM - len(TOKEN.sub("", preheader))
    return Markup("&#847; ") * max(0, missing // 2)


def _sections(material: Material, authored: Authored, shelf: Shelf, marks: Marks) -> tuple[ShownSection, ...]:
    shown: list[ShownSection] = []
    for section in material.issue.sections:
        if section.articles:
            articles = tuple(
                _article(article, _row_layout(section, number), bool(section.title), material, authored, shelf, marks)
                for number, article in enumerate(section.articles)
            )
            title = authored.line(section.title, material.issue.file)
            shown.append(ShownSection(section.layout, title, articles, len(shown) + 1))
    # A correction may be its one sentence and nothing else.
    if not shown and not material.issue.correction:
        raise BadData(
            "the issue has no stories",
            where=authored.name(material.issue.file) or material.issue.slug,
            fix=("write correction: in it, or " if material.issue.corrects else "")
            + f"newsletter issue pick {material.issue.slug} ARTICLE",
        )
    return tuple(shown)


def _row_layout(section: Section, number: int) -> Layout:
    """An odd last story of a grid has no partner and is set as a list row."""
    last_alone = len(section.articles) % 2 == 1 and number == len(section.articles) - 1
    return "list" if section.layout == "grid" and last_alone else section.layout


def _article(
    article: Article, layout: Layout, titled: bool, material: Material, authored: Authored, shelf: Shelf, marks: Marks
) -> ShownArticle:
    def line(text: str | None) -> str:
        return authored.line(text, article.path)

    lang = article.lang if article.lang and LANGUAGE.fullmatch(article.lang) else material.lang
    t = words(lang, html=marks.html)
    teaser = line(teaser_of(article, material.teasers))
    creative = layout == "sponsor" and is_creative(article, authored.root)
    room, top = (SPONSOR if creative else TEXT).shown_width, UNDER_A_STORY if titled else UNDER_A_STORY - 1
    body = authored.body(article.body, article.path, room, top) if layout == "text" or creative else None
    for address in body.remote_images if body else ():
        shelf.remote(address)
    byline, agency, headline = line(article.byline), line(article.agency), line(article.headline)
    minutes = material.minutes.get(article.slug) or None
    recipe = recipe_for(layout, material.theme.shapes) if layout in material.theme.pictures else None
    return ShownArticle(
        slug=article.slug,
        headline=headline,
        kicker=line(article.kicker),
        standfirst=_standfirst(article, line(article.standfirst), teaser, body),
        teaser=teaser,
        short_teaser=short_teaser(teaser, layout),
        byline=t.alone(byline),
        agency=t.alone(agency),
        byline_line=byline_line(byline, agency, minutes, t),
        minutes=minutes,
        link=with_parameters(safe_link(article.link) or "", authored.parameters) or None,
        link_text=line(article.link_text) or t("Read the full story"),
        link_label="" if article.link_text else _link_label(headline, lang),
        body=body.html if body else None,
        body_text=authored.body_text(body),
        image=_image(article, article.image, recipe, authored, shelf, t) if article.image and recipe else None,
        sponsor=line(article.sponsor) or None,
        label=line(article.kicker) if creative else "",
        lang=lang,
        dir=direction(lang),
        differs=lang != material.lang,
        row_layout=layout,
        t=t,
        _marks=marks,
    )


def _standfirst(article: Article, standfirst: str, teaser: str, body: Body | None) -> str:
    known = article.provenance.get("standfirst")
    guess = known is not None and not known.confirmed
    if guess and not article.teaser and teaser != standfirst:
        return ""  # whoever chose the teaser did not take this one
    below = body.tree.text_content() if body else None
    return standfirst_for(standfirst, body=below, instead=teaser, guess=guess)


def _link_label(headline: str, lang: str) -> str:
    """What a screen reader says for a link that is called as every other story's is (WCAG 2.2, 2.4.9 and 2.5.3)."""
    t = words(lang, html=False)  # an attribute: marks can stand in it, elements cannot
    return t("{words}: {address}", words=t("Read the full story"), address=headline)


def safe_link(link: str | None) -> str | None:
    """An address that mail may link to (http, https, mailto, tel), else None."""
    link = clean(link or "").strip()
    return link if _LINK.match(link) else None


def short_teaser(teaser: str, layout: Layout) -> str:
    """The teaser at the length its layout has room for."""
    limit = TEASER_LIMITS.get(layout)
    if limit is None:
        return teaser
    return shorten(first_sentence(teaser) if layout == "brief" else teaser, limit)


def byline_line(byline: str, agency: str, minutes: int | None, t: Words) -> str:
    """ "By Ada Lovelace · Estuary News Service · 4 min read", or what there is of it."""
    if not byline and not minutes:
        return t.alone(agency)
    parts = []
    if byline:
        # What the language's "By" is before a name; many a byline already starts with it.
        said = words(t.lang, html=False)("By {name}", name="").strip()
        own = byline.lower().startswith("by ") or (said and byline.startswith(f"{said} "))
        parts.append(t.isolate(byline) if own else t("By {name}", name=byline))
    if agency and agency not in byline:
        parts.append(t.isolate(agency))
    if minutes:
        parts.append(t("{minutes} min read", minutes=minutes))
    return _joined(" · ", *parts)


def _image(
    article: Article, picture: Picture, recipe: Recipe, authored: Authored, shelf: Shelf, t: Words
) -> ShownImage | None:
    shelved = shelf.article_picture(article, picture, recipe)
    if shelved is None:
        return None
    caption, credit = authored.line(picture.caption, article.path), authored.line(picture.credit, article.path)
    return ShownImage(
        src=shelved.src,
        width=shelved.width,
        height=shelved.height,
        alt=authored.line(picture.alt, article.path),
        caption=caption,
        credit=credit,
        credit_line=credit_line(caption, credit, t),
    )


def credit_line(caption: str, credit: str, t: Words) -> str:
    """ "Caption. Picture: Credit", or whichever there is."""
    if not credit:
        return t.alone(caption)
    if not caption:
        return t("Picture: {credit}", credit=credit)
    if caption[-1] in ".!?…。！？؟۔।":
        return _joined(" ", t.isolate(caption), t("Picture: {credit}", credit=credit))
    return t("{caption}. Picture: {credit}", caption=caption, credit=credit)


def _joined(between: str, *pieces: str) -> str:
    """The pieces of a line; what is not Markup is escaped if another is, because the line will be."""
    return (Markup(between) if any(hasattr(piece, "__html__") for piece in pieces) else between).join(pieces)  # noqa: S704  # ours
