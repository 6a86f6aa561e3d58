"""Links: that they lead somewhere, over https, and say where."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.edits import BODY, Edit
from newsletter.checks.page import Element, cut, plain
from newsletter.checks.registry import Example, Problem, check
from newsletter.checks.web import asked, secure, written_in
from newsletter.message.merge import TOKEN
from newsletter.models import Severity

_HOST = re.compile(r"[^\s.]+(?:\.[^\s.]+)+\.?|localhost|\[[0-9a-fA-F:.]+\]")
_MAILTO = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
# The same few words in the languages that the mail itself speaks.
_VAGUE = frozenset((
    "click here", "here", "click", "this link", "link", "tap here", "more", "go", "read more", "learn more", "see more",
    "find out more", "continue", "details", "this page", "website", "url",
    "hier", "hier klicken", "klicken sie hier", "mehr", "mehr lesen", "weiterlesen",
    "ici", "cliquez ici", "en savoir plus", "lire la suite", "lien", "aquí", "haga clic aquí", "haz clic aquí",
    "leer más", "más", "یہاں", "یہاں کلک کریں", "مزید", "यहाँ", "यहां", "यहाँ क्लिक करें", "यहां क्लिक करें", "और पढ़ें",
    "અહીં", "અહીં ક્લિક કરો", "વધુ વાંચો", "এখানে", "এখানে ক্লিক করুন", "আরও পড়ুন",
))  # fmt: skip


def _bare(text: str) -> str:
    """The words of a text in lower case. The marks of Hindi or Bengali belong to their letters, so they stay."""
    return " ".join("".join(c if unicodedata.category(c)[0] not in "PSZC" else " " for c in text.casefold()).split())


def why_malformed(address: str) -> str | None:
    """What is wrong with a link's address, in a few words; None when nothing is."""
    address = address.strip()
    if not address or address == "#":
        return "it is empty"
    if re.search(r"[\s<>\"\\]", address):
        return "it holds a blank or a sign that no address has"
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "it is no web address"
    scheme = parts.scheme.lower()
    if scheme in ("http", "https"):
        bracketed = f"[{host}]" if host and ":" in host else host
        return None if bracketed and _HOST.fullmatch(bracketed) else "its host is no name"
    if scheme == "mailto":
        return None if _MAILTO.fullmatch(parts.path) else "it is no mail address"
    if scheme == "tel":
        return None if re.fullmatch(r"\+?[\d().-]{3,}", parts.path) else "it is no telephone number"
    if scheme:
        return f"mail clients do not open {scheme}: links"
    return "it lacks https:// and the host"


def links_of(context: CheckContext) -> Iterator[tuple[Element, str]]:
    """Every link of the page with its address; those that are one merge field of ours are sound."""
    ours = {field.token for field in context.email.fields if field.name.endswith("_url")}
    for element in context.page.every("a", "area"):
        address = element.attributes.get("href")
        if address is not None and address.strip() not in ours:
            yield element, address


@check(
    id="link-malformed",
    severity=Severity.ERROR,
    family="links",
    why="A link that leads nowhere is worse than none.",
    source="RFC 3986; mail has no base address, so relative links break",
    failing=Example("`link: www.estuary.example/ferry`", eg.story(link="www.estuary.example/ferry")),
    passing=Example("`link: https://estuary.example/ferry`", eg.as_it_is),
)
def link_malformed(context: CheckContext) -> Iterator[Problem]:
    """An empty, relative or broken address in a story's file or in the finished mail."""
    named: set[str] = set()
    for article in context.issue.articles():
        if article.link is not None and article.link.strip() and (wrong := why_malformed(TOKEN.sub("x", article.link))):
            named.add(article.link.strip())
            yield Problem(
                f"The link “{cut(article.link)}” does not work: {wrong}.",
                "Write the whole address, from https:// on.",
                article.slug,
                "link",
            )
    anchors = {e.attributes.get("id") or e.attributes.get("name") for e in context.page.elements}
    for element, address in links_of(context):
        if address.startswith("#") and address[1:] in anchors:
            continue
        wrong = why_malformed(TOKEN.sub("x", address))
        if wrong and address.strip() not in named:
            named.add(address.strip())
            yield Problem(
                f"The link “{cut(element.text) or cut(address)}” ({cut(address)}) does not work: {wrong}.",
                "Write the whole address, from https:// on.",
                element.article,
                phrase=address,
            )


def _over_https(context: CheckContext, problem: Problem) -> Iterator[Edit]:
    """The same page over https, where it was asked and answered there."""

    def answers(address: str) -> bool:
        answer = (context.reachability or {}).get(asked(secure(address)))
        return answer is not None and answer.ok and answer.final.startswith("https://")

    article = next((a for a in context.issue.articles() if a.slug == problem.article), None)
    if problem.field == "link" and article is not None:
        if article.link and answers(article.link):
            yield Edit(article.slug, "link", article.link, secure(article.link))
        return
    for at, address in written_in(article.body if article else context.issue.intro):
        if address.lower().startswith("http://") and answers(address):
            yield Edit(article.slug if article else None, BODY, address, secure(address), at)


@check(
    id="link-insecure",
    severity=Severity.WARNING,
    family="links",
    why="Browsers warn before http:// pages, and anyone on the way can read and change them. With `--online`, `--fix` "
    "writes https:// where the same page answers there.",
    source="browsers' https-first modes",
    failing=Example("`link: http://estuary.example/ferry`", eg.story(link="http://estuary.example/ferry")),
    passing=Example("`link: https://estuary.example/ferry`", eg.as_it_is),
    fixer=_over_https,
)
def link_insecure(context: CheckContext) -> Iterator[Problem]:
    """An http address in a story's file or in the finished mail."""
    named: set[str] = set()
    found = [(a.link, a.slug, "link") for a in context.issue.articles() if a.link]
    for address, slug, field in [*found, *((address, e.article, None) for e, address in links_of(context))]:
        if address.strip().lower().startswith("http://") and address.strip() not in named:
            named.add(address.strip())
            yield Problem(
                f"The link is not secure: {cut(address, 80)}",
                "Use https:// if the page has it.",
                slug,
                field,
                phrase=address,
            )


def _spoken(element: Element) -> tuple[str, bool]:
    """What a screen reader says of a link, as it is written, and whether it holds a picture."""
    name = element.text or element.attributes.get("aria-label") or element.attributes.get("title") or ""
    pictures = list(element.node.iter("img"))
    return name or " ".join(child.get("alt") or "" for child in pictures), bool(pictures)


@check(
    id="link-text-missing",
    severity=Severity.ERROR,
    family="links",
    why="A link without text cannot be seen, and a screen reader has nothing to say of it but its address.",
    source="WCAG 2.2, 2.4.4 and 4.1.2",
    failing=Example("`[](https://estuary.example/ferry)`", eg.html("Read the full story", "")),
    passing=Example("`[Read the full story](https://estuary.example/ferry)`", eg.as_it_is),
)
def link_text_missing(context: CheckContext) -> Iterator[Problem]:
    """A link with neither text nor label nor picture."""
    for element in context.page.every("a"):
        address = element.attributes.get("href")
        spoken, pictured = _spoken(element)
        if address and not pictured and not plain(spoken):
            yield Problem(
                f"A link has no text: {cut(TOKEN.sub('…', address))}",
                "Write what it leads to, or take it out.",
                element.article,
                phrase=f"]({address.strip()})",
            )


@check(
    id="link-text-vague",
    severity=Severity.WARNING,
    family="links",
    why="Screen readers list links by their text, one after another: “here” says nothing of where it leads.",
    source="WCAG 2.2, 2.4.4, failure F84",
    failing=Example("`[here](https://estuary.example/ferry)`", eg.html("Read the full story", "here")),
    passing=Example("`[Read the full story](https://estuary.example/ferry)`", eg.as_it_is),
)
def link_text_vague(context: CheckContext) -> Iterator[Problem]:
    """A link whose text says nothing about where it leads."""
    for element in context.page.every("a"):
        spoken, _ = _spoken(element)
        if element.attributes.get("href") and _bare(spoken) in _VAGUE:
            yield Problem(
                f"A link says only “{cut(spoken)}”.",
                "Say where it leads, as in “Read the full story”.",
                element.article,
                phrase=f"[{spoken}]",
            )
