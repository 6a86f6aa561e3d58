"""``retract``: a story is taken off the web copy and its pictures off the public pages, at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from newsletter.app.desk import Desk
from newsletter.app.webcopy import frozen_page, standing_page
from newsletter.app.words import plural
from newsletter.delivery import retractions
from newsletter.delivery import status as states
from newsletter.delivery.approval import Approval, load_approval
from newsletter.delivery.retractions import Retraction, retractions_of
from newsletter.errors import BadData, IllegalState, NotFound, UsageProblem, did_you_mean
from newsletter.issues.folder import load_issue
from newsletter.message.links import page
from newsletter.rendering.guard import clean
from newsletter.rendering.notes import headline_of, words_of
from newsletter.store.clock import now_us
from newsletter.workspace.files import write_atomic

_LONGEST_REASON: Final = 500
_NOT_BEGUN: Final = frozenset({"scheduled", "held", "planning"})
_GOING_ON: Final = frozenset({"sending", "paused"})


@dataclass(frozen=True, slots=True)
class Retracted:
    """What a retraction did, or took back (``undone``).

    ``pictures`` are the addresses that answer no more (or answer again); ``kept`` are names of pictures that something
    else still shows. ``whole``: the page could not be cut, so all of it is taken off. ``repeated``: the headline still
    stands somewhere else on the page. ``state`` is the mailing's, ``submitted`` how many have the mail.
    """

    issue: str
    article: str
    pictures: tuple[str, ...]
    kept: tuple[str, ...]
    page: str | None
    state: str
    submitted: int
    whole: bool = False
    repeated: bool = False
    undone: bool = False
    left: tuple[str, ...] = ()
    """Files that could not be deleted; our own pages do not serve them."""

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issue": self.issue,
            "article": self.article,
            "undone": self.undone,
            "page": self.page,
            "pictures": list(self.pictures),
            "pictures_kept": list(self.kept),
            "whole_page": self.whole,
            "headline_repeated": self.repeated,
            "state": self.state,
            "submitted": self.submitted,
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        where = f": {self.page}" if self.page else ""
        if self.undone:
            lines = [f"{self.article} stands on the web copy of {self.issue} again{where}"]
            return [*lines, *(f"  {address} answers again" for address in self.pictures)]
        lines = [f"{self.article} is off the web copy of {self.issue}{where}"]
        if self.whole:
            lines.append("  Where it stands on the page is not certain, so the whole page was taken off.")
        if self.repeated:
            lines.append("  Its headline still stands elsewhere on the page, perhaps in the intro: look at it.")
        lines += [f"  {address} answers no more" for address in self.pictures]
        lines += [f"  {name} stays: another story shows it too" for name in self.kept]
        lines += [f"  {name} could not be deleted from .newsletter/media: delete it by hand" for name in self.left]
        if self.pictures:
            lines.append("  Caches may keep them: delete them where media publish copied them to, and in your CDN.")
        return [*lines, *self._mails()]

    def _mails(self) -> list[str]:
        if self.state in _NOT_BEGUN:
            return [
                f"The mailing is {self.state}, and its mails would have the story: they are what was approved.",
                f"  It is held until newsletter unapprove {self.issue} (then approve it without), or --undo here",
            ]
        if self.state in _GOING_ON:
            has = plural(self.submitted, "reader has", "readers have")
            first = f"newsletter pause {self.issue}, then " if self.state == "sending" else ""
            return [
                f"The mailing is {self.state}: {has} it, and the mails still to go will have the story.",
                f"  {first}newsletter cancel {self.issue} keeps it from the others",
            ]
        if self.submitted:
            return [f"The mails of {plural(self.submitted, 'reader')} are not changed: they keep the story's words."]
        return []


def retract_story(
    desk: Desk, slug: str, article: str, *, reason: str | None = None, by: str | None = None
) -> Retracted:
    """Take a story off the web copy of an approved issue, and its pictures off the public pages.

    The frozen bytes stay as they are, so that their digest still proves what was sent. Raises NotFound for a story that
    the issue does not have, IllegalState for an issue that is not approved, UsageProblem for a long ``reason``.
    """
    approval = _approval(desk, slug, article)
    why = " ".join(clean(reason or "").split()) or None
    if why is not None and len(why) > _LONGEST_REASON:
        raise UsageProblem(f"the reason has {len(why)} characters", where="--reason", fix=f"at most {_LONGEST_REASON}")
    found = Retraction(slug, article, now_us(), by or desk.actor, why)
    html = frozen_page(approval)
    standing = standing_page(desk, approval, html, {**retractions_of(desk.store, slug), article: found})
    own = _pictures_of(approval, html, article)
    kept = {name for name in own if name in _shown(approval, standing)} | _shown_elsewhere(desk, slug, own)
    gone = [name for name in own if name not in kept]
    retractions.retract(desk.store, found, gone)
    left = [name for name in gone if not _deleted(desk, name)]
    stories = [html[span.start : span.end] for span in approval.spans if span.article == article]
    headline = next((said for story in stories if (said := headline_of(story))), None)
    return replace(
        _outcome(desk, approval, article, gone),
        kept=tuple(sorted(kept)),
        whole=not approval.spans or (len(standing) < len(html) // 4 and "<table" not in standing),
        repeated=headline is not None and headline in words_of(standing),
        left=tuple(left),
    )


def restore_story(desk: Desk, slug: str, article: str, *, by: str | None = None) -> Retracted:
    """Take a retraction back: the story and its pictures are public again. Raises NotFound when there is none."""
    if article not in retractions_of(desk.store, slug):
        raise NotFound(f"{article} was not retracted from {slug}", fix=f"newsletter status {slug}")
    approval = _approval(desk, slug, article)
    pictures = _pictures_of(approval, frozen_page(approval), article)
    for name in pictures:
        # The files first: a page never shows a picture that is not there.
        if desk.config.site.url and not (desk.workspace.media / name).exists():
            write_atomic(desk.workspace.media / name, (approval.folder / "media" / name).read_bytes())
    retractions.restore(desk.store, slug, article, pictures, actor=by or desk.actor, now=now_us())
    return replace(_outcome(desk, approval, article, pictures), undone=True)


def _approval(desk: Desk, slug: str, article: str) -> Approval:
    try:
        approval = load_approval(desk.workspace, slug)
    except IllegalState as error:
        raise IllegalState(
            f"{slug} is not approved: nothing of it is public", fix=f"newsletter issue drop {slug} {article}"
        ) from error
    known = {span.article for span in approval.spans}
    if not known:  # approved before spans were kept
        known = {story.slug for story in load_issue(desk.workspace, slug).articles()}
    if article not in known:
        close = did_you_mean(article, known)
        raise NotFound(f"{slug} has no story {article}", fix=close or f"newsletter issue show {slug}")
    return approval


def _outcome(desk: Desk, approval: Approval, article: str, pictures: list[str]) -> Retracted:
    site = approval.facts.site_url or desk.config.site.url
    now = states.status(desk.store, desk.workspace, approval.issue)
    return Retracted(
        issue=approval.issue,
        article=article,
        pictures=tuple(page(site, "m", name) if site else name for name in pictures),
        kept=(),
        page=page(site, "v", approval.issue) if site else None,
        state=now.state,
        submitted=(now.counts or {}).get("submitted", 0),
    )


def _shown(approval: Approval, html: str) -> set[str]:
    """The names of the approval's own pictures that a piece of its HTML shows."""
    return {file.removeprefix("media/") for file, src, _ in approval.images if src in html}


def _pictures_of(approval: Approval, html: str, article: str) -> list[str]:
    """The names of the pictures in a story; those of the whole page where nobody knows where the story is."""
    stories = "".join(html[span.start : span.end] for span in approval.spans if span.article == article)
    return sorted(_shown(approval, stories if approval.spans else html))


def _shown_elsewhere(desk: Desk, slug: str, names: list[str]) -> set[str]:
    """Those pictures that the web copy of another approved issue shows."""
    found: set[str] = set()
    for folder in sorted(desk.workspace.issues.glob("*/approved")) if names else ():
        other = folder.parent.name
        if other == slug:
            continue
        try:
            approval = load_approval(desk.workspace, other)
            html = frozen_page(approval)
        except (BadData, IllegalState, NotFound, OSError):
            continue  # nothing of it is public
        if retracted := retractions_of(desk.store, other):
            html = standing_page(desk, approval, html, retracted)
        found |= _shown(approval, html) & set(names)
    return found


def _deleted(desk: Desk, name: str) -> bool:
    try:
        (desk.workspace.media / name).unlink(missing_ok=True)
    except OSError:
        return False
    return True
