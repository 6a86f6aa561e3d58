"""What the readers' mail programs will ask our server for, asked just before the first mail leaves.

Pictures must answer with the approved bytes, the web copy must be there, and the page behind the unsubscribe link must
take a one-click POST (RFC 8058) and know our readers. Nothing that is asked changes anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from newsletter.app.desk import Desk
from newsletter.audience.membership import members
from newsletter.delivery.approval import Approval
from newsletter.errors import FetchRefused, GuardRefused, RemoteError
from newsletter.message.links import page, public_links, web_copy
from newsletter.net.fetch import Fetched, Policy, Request, ask

_AT_ONCE = 4
_SECONDS = 15.0
_PAUSES = (0.0, 2.0, 5.0)  # a server that hiccups at seven may be asked again
_ONE_CLICK = Request(
    "POST",
    headers=(("Content-Type", "application/x-www-form-urlencoded"),),
    body=b"List-Unsubscribe=One-Click",
)
_INERT = "test"
"""The token of test mails: its page answers 200 to everybody."""
_UNSIGNED = "preflight"
"""A token that no key signed: our pages answer 404, a server that says yes to everything does not."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Wrong:
    """What does not work, and how to put it right."""

    what: str
    fix: str


_Look = Callable[[], Wrong | None]


def preflight(desk: Desk, approval: Approval, *, pauses: tuple[float, ...] = _PAUSES) -> None:
    """Ask everything; what fails is asked again after each of ``pauses`` (seconds).

    Raises GuardRefused naming up to three things that fail, with the fix of the first. Without a site there is nothing
    to ask. ``[schedule] preflight = false`` asks nothing.
    """
    if not desk.config.schedule.preflight or not approval.facts.site_url:
        return
    looks = list(_looks(desk, approval, approval.facts.site_url))
    wrong: list[tuple[_Look, Wrong]] = []
    for pause in pauses:
        time.sleep(pause)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="preflight") as pool:
            wrong = [(look, found) for look, found in zip(looks, pool.map(_call, looks), strict=True) if found]
        looks = [look for look, _ in wrong]
        if not looks:
            return
    first = wrong[0][1]
    shown = "; ".join(found.what for _, found in wrong[:_SHOWN])
    more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    raise GuardRefused(
        f"readers would find something broken: {shown}{more}",
        fix=f"{first.fix}, then newsletter resume {approval.issue}; [schedule] preflight = false asks nothing",
    )


def _call(look: _Look) -> Wrong | None:
    return look()


def _looks(desk: Desk, approval: Approval, site: str) -> Iterator[_Look]:
    policy = Policy(allow_hosts=(urlsplit(site).hostname or "",), deadline=_SECONDS)
    yield partial(_one_click, site, policy)
    yield partial(_not_everything, site, policy)
    if reader := _some_reader(desk):
        links = public_links(site, desk.keys, reader, approval.issue)
        yield partial(_knows_readers, links["unsubscribe_url"], site, policy)
    yield partial(_web_copy, web_copy(site, approval.issue), approval.issue, policy)
    for file, src, _ in approval.images:
        if not src.startswith("cid:"):
            yield partial(_picture, src, (approval.folder / file).read_bytes(), policy)


def _some_reader(desk: Desk) -> str | None:
    with desk.store.read() as conn:
        return next((member.public_id for member in members(conn, desk.keys) if member.exclusion is None), None)


def _picture(url: str, right: bytes, policy: Policy) -> Wrong | None:
    fix = "newsletter media publish --to FOLDER puts the pictures where the web server serves them"
    answer = _asked(url, policy, Request(accept="image/*"))
    if isinstance(answer, str):
        return Wrong(f"the picture {url} {answer}", fix)
    if answer.status != 200:
        return Wrong(f"the picture {url} answers {answer.status}", fix)
    if answer.body != right:
        sizes = f"{len(answer.body):,} bytes instead of {len(right):,}" if len(answer.body) != len(right) else "others"
        return Wrong(f"the picture {url} is not the approved one ({sizes})", fix)
    return None


def _web_copy(url: str, issue: str, policy: Policy) -> Wrong | None:
    answer = _asked(url, policy, Request(accept="text/html", read=False))
    said = answer if isinstance(answer, str) else "" if answer.status == 200 else f"answers {answer.status}"
    fix = f"let the web server serve the web copy of {issue} there"
    return Wrong(f"the web copy {url} {said}", fix) if said else None


def _one_click(site: str, policy: Policy) -> Wrong | None:
    """RFC 8058, 3.1: the answer to the POST must not be a redirect, so none is followed."""
    url = page(site, "u", _INERT)
    answer = _asked(url, _straight(policy), _ONE_CLICK)
    said = answer if isinstance(answer, str) else "" if answer.status == 200 else f"answers {answer.status}"
    return Wrong(f"one-click unsubscribing does not work: POST {url} {said}", _fix_pages(site)) if said else None


def _not_everything(site: str, policy: Policy) -> Wrong | None:
    url = page(site, "u", _UNSIGNED)
    answer = _asked(url, _straight(policy), _ONE_CLICK)
    if not isinstance(answer, str) and answer.status == 200:
        what = f"{url} answers 200 to a link that nobody signed: this is not the newsletter's own page"
        return Wrong(what, _fix_pages(site))
    return None  # whatever else is wrong there, _one_click says it


def _knows_readers(url: str, site: str, policy: Policy) -> Wrong | None:
    """A GET shows the reader's own page and changes nothing; the link is a secret, so it is not shown."""
    answer = _asked(url, _straight(policy), Request(accept="text/html", read=False))
    said = "gives no answer" if isinstance(answer, str) else "" if answer.status == 200 else f"answers {answer.status}"
    what = f"a reader's own unsubscribe link under {page(site, 'u', '')} {said}"
    return Wrong(what, f"{_fix_pages(site)} from this workspace, with its keys") if said else None


def _fix_pages(site: str) -> str:
    return f"let {site}/u/ lead to the public pages (newsletter serve --public)"


def _straight(policy: Policy) -> Policy:
    return Policy(allow_hosts=policy.allow_hosts, deadline=policy.deadline, max_redirects=0)


def _asked(url: str, policy: Policy, request: Request) -> Fetched | str:
    """The answer, or what came instead, in words that follow the address."""
    try:
        return ask(url, policy, request)
    except (FetchRefused, RemoteError) as error:
        return f"gives no answer ({error.what})"
