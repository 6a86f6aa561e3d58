"""An item of a source becomes a story for the inbox: its words, where each field came from, what is only a summary."""

from __future__ import annotations

import dataclasses
import html
import re
from types import MappingProxyType

from newsletter.articles.dropcap import suggestions_for
from newsletter.articles.html_file import read_fragment
from newsletter.articles.plain import plain_text
from newsletter.articles.sources import fields
from newsletter.articles.sources.item import Item
from newsletter.articles.story import MAX_BODY, Draft, Story, check_body
from newsletter.articles.teaser import LIMIT
from newsletter.errors import BadData
from newsletter.models import Article, Origin, Provenance
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.slugs import slugify

MAX_HTML = 4 * MAX_BODY
"""The most characters of HTML that a story is made of."""
FROM_PAGE = "its page"
"""The provenance of a body that a source did not give."""

WHOLE = 1200
"""A description of so many characters is taken for the whole story, unless it breaks off."""

_BREAKS_OFF = re.compile(
    r"(?:\[?(?:…|\.\.\.|&#8230;|&hellip;)\]?|(?:read|continue|learn) (?:more|on|reading)[^.]{0,40}|"
    r"weiterlesen|mehr lesen|lire (?:la suite|plus)|leer más|leggi tutto|lees verder)\s*[»›→>]*\s*$",
    re.I,
)
_LEADS_BACK = re.compile(r"The post .{1,300} (?:first )?appeared first on .{1,200}$")
_TAG = re.compile(r"<[^<>]{0,2000}>")


def words_of_html(text: str) -> str:
    """The words of some HTML on one line, without WordPress's line that leads back to the site."""
    words = " ".join(html.unescape(_TAG.sub(" ", text)).split())
    return words[:-700] + _LEADS_BACK.sub("", words[-700:]).rstrip()


def is_excerpt(item: Item) -> bool:
    """Whether a source gives less than the story: no content of its own, or one that breaks off."""
    content, summary = words_of_html(item.content), words_of_html(item.summary)
    text = content or summary
    if _BREAKS_OFF.search(text[-200:]):
        return True
    return len(text) < WHOLE and (not content or content == summary)


def fingerprint(item: Item, *, paged: bool = False) -> str:
    """The SHA-256 of what a reader would see of an item: another one means that the source has changed it.

    Sizes and signatures in a picture's query, markup and blanks make no difference. Of an item whose story is read
    from its page (``paged``) the words alone tell little: the time that the source gives as its last change follows.
    """
    picture = (item.picture.url or "").partition("?")[0] if item.picture else ""
    words = words_of_html(item.content) or words_of_html(item.summary)
    parts = (item.title, words, fields.byline(item.authors) or "", picture)
    digest = sha256_hex("\n".join(" ".join(part.split()) for part in parts).encode("utf-8", "replace"))
    return f"{digest}+{item.updated}" if paged and item.updated else digest


def story_of(item: Item, *, source: str, kind: str, lang: str | None, section: str | None, full: Story | None) -> Story:
    """The story of an item. ``source`` is the source's name, ``kind`` its format, ``full`` what its page was read as.

    Raises BadData for an item with neither a title nor a text.
    """
    draft = Draft(f"{source}: {item.title[:60] or item.url or 'a story without a title'}", literal=True)
    draft.put("headline", item.title, f"{kind} title")
    body = _body(item, draft, kind)
    if full is not None and _says_more(full.article.body, body):
        return _from_page(full, item, draft, source=source, kind=kind, lang=lang, section=section)
    _describe(item, draft, kind=kind, lang=lang, section=section)
    if "headline" not in draft.texts:
        _headline_from(body, draft)
    if not body.strip():
        draft.notes.append("the source gives no text, only the headline")
    elif is_excerpt(item):
        draft.provenance["body"] = Provenance(f"{kind} summary", confirmed=False)
        draft.notes.append("the source gives only a summary of it")
    article = draft.article(body, link=item.url, bare=True)
    article = dataclasses.replace(article, origin=_origin(item, source))
    return Story(article, picture_url=_picture_url(draft), suggestions=suggestions_for(body), notes=tuple(draft.notes))


def _origin(item: Item, source: str) -> Origin:
    return Origin(id=source, url=item.url, guid=item.guid)


def _picture_url(draft: Draft) -> str | None:
    return draft.picture.url if draft.picture else None


def _body(item: Item, draft: Draft, kind: str) -> str:
    """The text as Markdown; HTML that no parser reads to its end is its words."""
    text = item.content if words_of_html(item.content) else item.summary or item.content
    check_body(text[: MAX_HTML + 1] if len(text) > MAX_HTML else "", draft.file)
    source = f"{kind} {item.picture_source}".strip()
    try:
        body = read_fragment(text, draft, base=item.base, picture=item.picture, source=source)
    except BadData:
        draft.notes.append("its HTML could not be read to its end; only the words are here")
        plain = html.escape(words_of_html(text[:200_000]), quote=False)
        body = read_fragment(f"<p>{plain}</p>", draft, base=item.base, picture=item.picture, source=source)
    if item.picture is None and draft.picture is not None and not fields.absolute(draft.picture.url, None):
        draft.picture = None
        draft.provenance.pop("image", None)
    return body


def _describe(item: Item, draft: Draft, *, kind: str, lang: str | None, section: str | None) -> None:
    content, summary = words_of_html(item.content), words_of_html(item.summary)
    # A summary that is the beginning of the text, or breaks off, is no sentence that somebody wrote to be read alone.
    own = content and summary and not content.startswith(summary[:80]) and not _BREAKS_OFF.search(summary[-200:])
    if own and len(summary) <= 2 * LIMIT:
        draft.put("teaser", summary, f"{kind} summary")
    draft.put("byline", fields.byline(item.authors), f"{kind} author")
    draft.put("published", item.published, f"{kind} date")
    draft.put("link", item.url, f"{kind} link")
    draft.put("lang", item.lang or lang, f"{kind} language")
    if section:
        draft.put("section", section, "source")
    elif item.tags and not kind.startswith("sitemap"):  # a sitemap's keywords are no sections
        draft.put("section", item.tags[0], f"{kind} category", confirmed=False)
    draft.tags = item.tags


def _headline_from(body: str, draft: Draft) -> None:
    """The opening words, unconfirmed; a picture's caption or a link alone is no headline."""
    text = next((line for line in plain_text(body).splitlines() if any(c.isalnum() for c in line)), "").strip()
    if not text:
        raise BadData("it has neither a title nor a text", where=draft.file, fix="look at it at the source")
    short = text[:80].rsplit(" ", 1)[0].rstrip(" .,;:–—-") + "…" if len(text) > 80 else text
    draft.put("headline", short, "opening words", confirmed=False)
    draft.notes.append("it has no title, so the opening words stand in")


def is_from_page(article: Article) -> bool:
    """Whether the text of a source's story was read from its page."""
    body = article.provenance.get("body")
    return body is not None and body.source == FROM_PAGE


def with_page(said: Article, page: Article) -> Article:
    """A story as its source and its page have it now: ``said`` by the source last, with what only the page knows.

    Those are the text, and the fields that came from the same place of the page before.
    """
    texts: dict[str, str | None] = {}
    for name in ("standfirst", "byline", "agency", "published", "lang", "section"):
        there, here = page.provenance.get(name), said.provenance.get(name)
        if there is not None and (here is None or here.source == there.source):
            texts[name] = getattr(page, name)
    image = page.image if _same_place("image", page, said) else said.image
    return dataclasses.replace(said, body=page.body, image=image, **texts)  # type: ignore[arg-type]  # text fields


def _same_place(name: str, page: Article, said: Article) -> bool:
    there, here = page.provenance.get(name), said.provenance.get(name)
    return there is not None and here is not None and there.source == here.source


def _says_more(page: str, feed: str) -> bool:
    return len(plain_text(page)) > len(plain_text(feed))


def _from_page(
    full: Story, item: Item, draft: Draft, *, source: str, kind: str, lang: str | None, section: str | None
) -> Story:
    """The page's text under what the source says; what the source does not say, the page does."""
    _describe(item, draft, kind=kind, lang=lang, section=section)
    page = full.article
    texts = {name: value for name, value in draft.texts.items() if name != "headline" or item.title}
    provenance = {**page.provenance, **draft.provenance, "body": Provenance(FROM_PAGE)}
    if "headline" not in texts:
        provenance["headline"] = page.provenance.get("headline", Provenance("page"))
    if page.teaser and "teaser" not in texts:
        texts["teaser"] = page.teaser
    image = draft.picture or page.image
    if draft.picture is None and "image" in page.provenance:
        provenance["image"] = page.provenance["image"]
    article = dataclasses.replace(
        page,
        slug=slugify(texts.get("headline") or page.headline),
        **texts,  # type: ignore[arg-type]  # every one of them is a text field of an article
        tags=draft.tags or page.tags,
        image=image,
        origin=_origin(item, source),
        provenance=MappingProxyType(provenance),
    )
    return Story(
        article,
        picture_url=image.url if image else None,
        suggestions=full.suggestions,
        extra=full.extra,
        notes=(*draft.notes, *full.notes),
    )
