"""The web copy of an issue: the approved mail as a page that is the same for everybody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from newsletter.app.desk import Desk
from newsletter.delivery import mailings
from newsletter.delivery.approval import load_approval
from newsletter.errors import BadData, IllegalState, NotFound
from newsletter.message.links import page
from newsletter.message.merge import fill
from newsletter.store.clock import now_us
from newsletter.workspace.files import sha256_hex

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
    ``/m/``. Nothing is shown before the issue's time has come: slugs are easy to guess, and news can be embargoed.
    What is taken off a web copy later belongs here, between the frozen bytes, which are never changed, and the page.
    Raises NotFound for what is not public, for whatever reason.
    """
    try:
        approval = load_approval(desk.workspace, slug)
        raw = (approval.folder / "email.html").read_bytes()
    except (BadData, IllegalState, OSError) as error:
        raise _not_there(slug) from error
    intact = approval.files.get("email.html") == f"sha256:{sha256_hex(raw)}"
    if not intact or not _public(mailings.latest(desk.store, slug)):
        raise _not_there(slug)
    html = raw.decode("utf-8", errors="replace")
    # Without scheme and host: the page shows its pictures wherever it is looked at.
    here = urlsplit(desk.config.site.url or "").path
    for file, src, _content_type in approval.images:
        html = html.replace(src, page(here, "m", file.removeprefix("media/")))
    if approval.facts.site_url:
        html = html.replace(page(approval.facts.site_url, "m", ""), page(here, "m", ""))
    nobody = page(here, "u", NOBODY)
    values = {"unsubscribe_url": nobody, "preferences_url": nobody, "web_url": page(here, "v", slug)}
    html = fill(html, approval.fields, values)
    return WebCopy(html, tuple(sorted({found.lower() for found in _ELSEWHERE.findall(html)})), approval.digest)


def _public(mailing: Mailing | None) -> bool:
    """Whether the mailing is due or has begun; a cancelled one stays if it had begun, for some have it."""
    if mailing is None:
        return False
    if mailing.state == "cancelled":
        return mailing.planned is not None
    return mailing.state in _UNDER_WAY or mailing.send_at <= now_us()


def _not_there(slug: str) -> NotFound:
    return NotFound(f"there is no web copy of {slug}", fix=f"newsletter status {slug}")
