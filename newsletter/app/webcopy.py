"""The web copy of an issue: the approved mail as a page that is the same for everybody.

What happened since stands on it: stories that were withdrawn, corrections that were sent. The frozen bytes never
change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from newsletter.app.desk import Desk
from newsletter.delivery import mailings
from newsletter.delivery.approval import Approval, load_approval
from newsletter.delivery.plan import corrections_of
from newsletter.delivery.retractions import Retraction, retractions_of
from newsletter.delivery.schedule import zone_of
from newsletter.errors import BadData, IllegalState, NotFound, ThemeError
from newsletter.message.links import page
from newsletter.message.merge import fill
from newsletter.rendering.notes import Band, Tongue, bare_page, with_band, without_stories
from newsletter.rendering.words import Words, direction, plain_date, words
from newsletter.store.clock import from_us, now_us
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.themes import load_theme

if TYPE_CHECKING:
    from newsletter.delivery.mailings import Mailing

NOBODY: Final = "copy"
"""What stands for a token in the links of a web copy: ``/u/copy`` says that the reader's own mail has the link."""

_UNDER_WAY: Final = frozenset({"planning", "sending", "paused", "completed"})
_ELSEWHERE: Final = re.compile(r"""(?:\bsrc\s*=\s*["']?|\burl\(\s*["']?)(https://[^/"'\s)>?#]+)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WebCopy:
    """A page. ``pictures`` are the origins besides ours that it shows pictures from; ``digest`` is the approval's."""

    html: str
    pictures: tuple[str, ...]
    digest: str


def web_copy(desk: Desk, slug: str) -> WebCopy:
    """The approved mail of an issue, for a page at ``<site>/v/<slug>``.

    Merge fields take their defaults, unsubscribe links lead to a page that unsubscribes nobody, pictures come from
    ``/m/``. A withdrawn story is a dated note; a corrected issue links to its correction, and that one back.
    Nothing is shown before the issue's time has come: slugs are easy to guess, and news can be embargoed.
    Raises NotFound for what is not public, for whatever reason.
    """
    approval = _shown(desk, slug)
    if approval is None:
        raise NotFound(f"there is no web copy of {slug}", fix=f"newsletter status {slug}")
    html = frozen_page(approval)
    here = urlsplit(desk.config.site.url or "").path
    if retracted := retractions_of(desk.store, slug):
        html = standing_page(desk, approval, html, retracted)
    if lines := list(_corrections(desk, approval, here)):
        html = with_band(html, lines, tongue_of(approval), _band(desk))
    # Without scheme and host: the page shows its pictures wherever it is looked at.
    for file, src, _content_type in approval.images:
        html = html.replace(src, page(here, "m", file.removeprefix("media/")))
    if approval.facts.site_url:
        html = html.replace(page(approval.facts.site_url, "m", ""), page(here, "m", ""))
    nobody = page(here, "u", NOBODY)
    values = {"unsubscribe_url": nobody, "preferences_url": nobody, "web_url": page(here, "v", slug)}
    html = fill(html, approval.fields, values)
    return WebCopy(html, tuple(sorted({found.lower() for found in _ELSEWHERE.findall(html)})), approval.digest)


def frozen_page(approval: Approval) -> str:
    """The approved HTML as text."""
    return (approval.folder / "email.html").read_bytes().decode("utf-8", errors="replace")


def standing_page(desk: Desk, approval: Approval, html: str, retracted: dict[str, Retraction]) -> str:
    """The page without what was withdrawn; where it cannot be cut with certainty, a page that says only so.

    Stories that the approval does not have are no matter: an issue can have been approved anew without them.
    """
    there = {span.article for span in approval.spans}
    notes = {
        article: _withdrawn(desk, approval, retraction)
        for article, retraction in retracted.items()
        if article in there or not there
    }
    if not notes:
        return html
    name = desk.config.publication.name
    cut = without_stories(html, approval.spans, notes, tongue_of(approval), name=name)
    return cut if cut is not None else bare_page(name, list(notes.values()), tongue_of(approval), _band(desk))


def tongue_of(approval: Approval) -> Tongue:
    """The language that an issue's notes are in: its own."""
    return Tongue(approval.lang, direction(approval.lang))


def _shown(desk: Desk, slug: str) -> Approval | None:
    """The approval of an issue whose web copy is public; None for every other."""
    try:
        approval = load_approval(desk.workspace, slug)
        raw = (approval.folder / "email.html").read_bytes()
    except (BadData, IllegalState, OSError):
        return None
    intact = approval.files.get("email.html") == f"sha256:{sha256_hex(raw)}"
    return approval if intact and _public(mailings.latest(desk.store, slug)) else None


def _public(mailing: Mailing | None) -> bool:
    """Whether the mailing is due or has begun; a cancelled one stays if it had begun, for some have it."""
    if mailing is None:
        return False
    if mailing.state == "cancelled":
        return mailing.planned is not None
    return mailing.state in _UNDER_WAY or mailing.send_at <= now_us()


def _withdrawn(desk: Desk, approval: Approval, retraction: Retraction) -> Markup:
    t = words(approval.lang, html=True)
    said = escape(t("This story was withdrawn on {date}.", date=_date(desk, t, retraction.at)))
    return said + Markup(" ") + escape(t.isolate(retraction.reason)) if retraction.reason else said


def _corrections(desk: Desk, approval: Approval, here: str) -> Iterator[str]:
    """A line for each correction of the issue, and one for the issue that it corrects itself."""
    t = words(approval.lang, html=True)
    for correction in corrections_of(desk.store, approval.issue):
        link = _linked(desk, t, correction.issue, here)
        yield str(escape(t("Corrected on {date}: {subject}", date=_date(desk, t, correction.at), subject=link)))
    if approval.facts.corrects is not None:
        link = _linked(desk, t, approval.facts.corrects, here)
        yield str(escape(t("This corrects an earlier issue: {subject}", subject=link)))


def _linked(desk: Desk, t: Words, slug: str, here: str) -> Markup:
    """An issue's subject as a link to its web copy; its slug where that has something that was withdrawn."""
    other = _shown(desk, slug)
    if other is None:
        return escape(slug)
    where = page(here, "v", slug)
    if retractions_of(desk.store, slug):
        return Markup('<a href="{}" dir="ltr">{}</a>').format(where, slug)
    return Markup('<a href="{}">{}</a>').format(where, t.isolate(fill(other.subject, other.fields, {})))


def _date(desk: Desk, t: Words, us: int) -> str:
    return plain_date(from_us(us).astimezone(zone_of(desk.config.publication.timezone)).date(), t.lang)


def _band(desk: Desk) -> Band:
    """The publication's colours; those of ``base`` where its theme is broken, which must not break the page."""
    try:
        tokens = load_theme(desk.workspace, desk.config.publication.theme).tokens
    except ThemeError:
        tokens = load_theme(desk.workspace, "builtin/base").tokens
    return Band(tokens["correction"], tokens["text"], tokens["accent"])
