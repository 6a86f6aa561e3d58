"""Whether links and remote pictures answer. ``app`` asks them (``--online``); here the answers are judged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from urllib.parse import urlsplit

from newsletter.checks import examples as eg
from newsletter.checks.addresses import place, web_links
from newsletter.checks.context import CheckContext
from newsletter.checks.page import cut
from newsletter.checks.pictures import place_of
from newsletter.checks.registry import Change, Example, Problem, check
from newsletter.checks.web import asked, host_of, secure, within, written_in
from newsletter.message.merge import TOKEN
from newsletter.models import Severity
from newsletter.net.probe import Reached

_FERRY = "https://estuary.example/ferry"
_CDN = "https://cdn.example/ferry.jpg"

# Asking such an address could already be the act.
_ACTS = re.compile(
    r"(?i)unsubscri|unsub[/?=_-]|opt-?out|sign-?out|log-?out|abmelden|abbestellen|desinscri|désinscri|desabon"
)

_WORDS = {
    401: "asks for a password", 403: "turns programs away", 404: "is not there", 410: "is gone for good",
    429: "asks us to come later", 451: "is withheld for legal reasons", 500: "fails", 502: "fails", 503: "is down",
    504: "fails",
}  # fmt: skip


def to_ask(context: CheckContext) -> tuple[str, ...]:
    """What there is to ask: the mail's links, its remote pictures, and for each http:// address its https:// twin.

    Never an address with a merge field in it, nor one that unsubscribes somebody or logs somebody out.
    """
    links = [address for _, address, _ in web_links(context)]
    written = [text for a in context.issue.articles() for text in (a.link or "", a.body)] + [context.issue.intro]
    insecure = [address for text in written for _, address in written_in(text)] + links
    found = [asked(address) for address in links]
    found += [asked(secure(a)) for a in insecure if a.lower().startswith("http:") and host_of(a)]
    found += context.email.remote_images
    return tuple(dict.fromkeys(a for a in found if not TOKEN.search(a) and not _ACTS.search(a)))


def _answers(**answers: Reached) -> Change:
    """The example with what its links answer; ``ferry`` and ``cdn``."""
    known = {"ferry": _FERRY, "cdn": _CDN}
    return eg.given(reachability=MappingProxyType({known[name]: answer for name, answer in answers.items()}))


def _links(context: CheckContext) -> Iterator[tuple[str | None, str | None, str, Reached]]:
    """Every address of each story that was asked: (article, field, address, answer)."""
    seen: set[tuple[str | None, str]] = set()
    for element, address, _ in web_links(context):
        answer = (context.reachability or {}).get(asked(address))
        if answer is not None and (element.article, answer.url) not in seen:
            seen.add((element.article, answer.url))
            yield *place(context, element, address), address, answer


def _said(answer: Reached) -> str:
    if answer.status is None:
        return f"does not answer: {answer.problem}"
    words = _WORDS.get(answer.status, "is not there" if answer.status < 500 else "fails")
    return f"{words} ({answer.status})"


@check(
    id="link-broken",
    severity=Severity.WARNING,
    family="links",
    why="A reader who meets an error page does not click a second time. A note where the server only turns programs "
    "away, which says nothing of readers.",
    source="the web server's own answer",
    failing=Example("a link to a page that answers 404", _answers(ferry=Reached(_FERRY, 404, _FERRY, "text/html"))),
    passing=Example("a link to a page that answers 200", _answers(ferry=Reached(_FERRY, 200, _FERRY, "text/html"))),
    needs="reachability",
)
def link_broken(context: CheckContext) -> Iterator[Problem]:
    """A link whose address does not answer with a page."""
    for article, field, address, answer in _links(context):
        if not answer.ok:
            yield Problem(
                f"The page behind a link {_said(answer)}: {cut(address, 80)}",
                "Open it in a browser; if it is not there, mend the address.",
                article,
                field,
                Severity.INFO if answer.unsure else None,
                phrase=address,
            )


@check(
    id="link-redirects-elsewhere",
    severity=Severity.WARNING,
    family="links",
    why="A story that was taken down often leads to the front page, and a sold domain to somebody else's. A note "
    "where it is only another site.",
    source="the web server's own answer",
    failing=Example(
        "`…/ferry` leads to the front page",
        _answers(ferry=Reached(_FERRY, 200, "https://estuary.example/", "text/html")),
    ),
    passing=Example("`…/ferry` leads to `…/ferry/`", _answers(ferry=Reached(_FERRY, 200, f"{_FERRY}/", "text/html"))),
    needs="reachability",
)
def link_redirects_elsewhere(context: CheckContext) -> Iterator[Problem]:
    """A link that ends at a front page, or at another host than it names."""
    for article, field, address, answer in _links(context):
        if not answer.ok or not answer.final:
            continue
        here, there = host_of(answer.url) or "", host_of(answer.final) or ""
        to_front = urlsplit(answer.final).path in ("", "/") and urlsplit(answer.url).path not in ("", "/")
        moved = not (within(there, (here,)) or within(here, (there,)))
        if to_front or moved:
            yield Problem(
                f"The link {cut(address, 80)} leads to {'a front page' if to_front else 'another site'}: "
                f"{cut(answer.final, 80)}",
                "Look at the page; link to where the story is now.",
                article,
                field,
                None if to_front else Severity.INFO,
                phrase=address,
            )


@check(
    id="picture-unreachable",
    severity=Severity.ERROR,
    family="pictures",
    why="A picture on another server that does not come is a hole in every reader's mail. A warning where the server "
    "only turns programs away.",
    source="the web server's own answer",
    failing=Example(
        "a remote picture that answers 404",
        eg.both(eg.email(remote_images=(_CDN,)), _answers(cdn=Reached(_CDN, 404, _CDN, "text/html"))),
    ),
    passing=Example(
        "a remote picture that answers 200 as `image/jpeg`",
        eg.both(eg.email(remote_images=(_CDN,)), _answers(cdn=Reached(_CDN, 200, _CDN, "image/jpeg"))),
    ),
    needs="reachability",
)
def picture_unreachable(context: CheckContext) -> Iterator[Problem]:
    """A remote picture that does not answer, or answers with something that is no picture."""
    for url in context.email.remote_images:
        answer = (context.reachability or {}).get(url)
        if answer is None:
            continue
        kind = answer.content_type.partition(";")[0].strip().lower()
        if answer.ok and (kind.startswith("image/") or kind in ("", "application/octet-stream")):
            continue
        said = f"is no picture but {kind}" if answer.ok else _said(answer)
        article, field = place_of(context, url)
        yield Problem(
            f"A picture {said}: {cut(url, 80)}",
            "Save it in the issue's images folder and write its name under image, file."
            if field == "image.url"
            else "Put its address right, or take it out of the text.",
            article,
            field,
            Severity.WARNING if answer.unsure else None,
            phrase=url,
        )
