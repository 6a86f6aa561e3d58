"""``diff``: what changed between an issue as it is now and what was tested or approved."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.app.check import findings_of
from newsletter.app.desk import Desk
from newsletter.app.outgoing import issue_facts
from newsletter.app.render import Rendered, render
from newsletter.app.words import plural
from newsletter.clients.gmail import CLIP
from newsletter.delivery import approval as approvals
from newsletter.delivery import testsend
from newsletter.delivery.versions import load_test, version_of_approval, version_of_email
from newsletter.errors import IllegalState, NotFound, UsageProblem
from newsletter.message.difference import Difference, compare
from newsletter.message.reading import as_written
from newsletter.message.version import Known, PictureFile, Version
from newsletter.message.words import Run
from newsletter.models import Finding, Issue
from newsletter.rendering.shelf import is_creative
from newsletter.store.clock import from_us
from newsletter.workspace.files import sha256_hex, write_atomic

_TEST = re.compile(r"test-([1-9][0-9]{0,5})")
_MOST_PICTURES = 8 * 1024 * 1024
"""Bytes of pictures in the page; what comes after them is described in words only."""


@dataclass(frozen=True, slots=True)
class Then:
    """What the issue is compared with: ``name`` is ``test-3`` or ``approved``; ``folder`` has its pictures.

    ``at`` is in the publication's zone.
    """

    name: str
    at: datetime
    version: Version
    folder: Path

    @property
    def words(self) -> str:
        """``test 3``, ``the approval``."""
        return "the approval" if self.name == "approved" else self.name.replace("-", " ")

    @property
    def when(self) -> str:
        """``on Thursday 26 November 2026 at 14:02``."""
        return f"on {self.at:%A} {self.at.day} {self.at:%B %Y} at {self.at:%H:%M}"


@dataclass(frozen=True, slots=True)
class IssueDiff:
    """An issue as it is now against what it was then. ``pictures`` are data URLs of changed ones, by hash."""

    issue: str
    subject: str
    lang: str
    then: Then
    difference: Difference
    pictures: dict[str, str]

    @property
    def different(self) -> bool:
        """Whether a reader would get another mail."""
        return self.difference.different

    @property
    def summary(self) -> str:
        """``2 stories changed, 1 moved, 1 link and 1 picture changed``; what stands around them is said last."""
        parts = self.difference.parts
        stories = [part for part in parts if part.article is not None]
        edited = [p for p in stories if p.change == "changed" and (p.passages or p.links or p.pictures)]
        counts = [
            (len(edited), "story changed", "stories changed"),
            (sum(p.change == "added" for p in stories), "story added", "stories added"),
            (sum(p.change == "dropped" for p in stories), "story dropped", "stories dropped"),
            (sum(p.moved for p in stories), "story moved", "stories moved"),
            (sum(len(p.links) for p in parts if p.change == "changed"), "link changed", "links changed"),
            (sum(len(p.pictures) for p in parts if p.change == "changed"), "picture changed", "pictures changed"),
        ]
        said = [plural(count, one, many) for count, one, many in counts if count]
        said = [", ".join(h.name for h in self.difference.headers), *said] if self.difference.headers else said
        if any(part.article is None for part in parts):
            said.append("words around the stories" if len(parts) > 1 or said else "only what stands around the stories")
        if self.difference.look:
            said.append("the look alone" if not said else "the look")
        if self.difference.text_only:
            said.append("the text part")
        return ", ".join(said)

    @property
    def size(self) -> str:
        """``30.8 KB → 31.0 KB of HTML; 71.0 KB left before Gmail clips``."""
        old, new = self.difference.old_size / 1024, self.difference.new_size / 1024
        left = f"{self.room:.1f} KB left before Gmail clips" if self.room >= 0 else f"Gmail clips {-self.room:.1f} KB"
        return f"{old:.1f} KB → {new:.1f} KB of HTML; {left}"

    @property
    def room(self) -> float:
        """Kilobytes left now before Gmail clips; negative when it does."""
        return (CLIP - self.difference.new_size) / 1024

    def as_row(self) -> dict[str, Any]:
        """For ``--json``. Runs are [op, text]: without the "new" ones they are the old text, and vice versa."""
        diff = self.difference
        return {
            "issue": self.issue,
            "against": self.then.name,
            "at": self.then.at.isoformat(),
            "different": diff.different,
            "headers": [{"name": h.name, "old": h.old, "new": h.new, "runs": _runs(h.runs)} for h in diff.headers],
            "stories": [
                {
                    "article": p.article,
                    "title": p.title,
                    "change": p.change,
                    "place": p.place,
                    "old_place": p.old_place,
                    "moved": p.moved,
                    "words": [{"change": w.change, "runs": _runs(w.runs)} for w in p.passages],
                    "links": [
                        {
                            "change": li.change,
                            "old": li.old,
                            "new": li.new,
                            "old_texts": list(li.old_texts),
                            "new_texts": list(li.new_texts),
                        }
                        for li in p.links
                    ],
                    "pictures": [
                        {
                            "change": pic.change,
                            "what": list(pic.what),
                            "old": pic.old.src if pic.old else None,
                            "new": pic.new.src if pic.new else None,
                            "alt": _runs(pic.alt),
                        }
                        for pic in p.pictures
                    ],
                }
                for p in diff.parts
            ],
            "look_only": diff.look,
            "text_part_only": diff.text_only and not diff.parts,
            "text_part": [{"change": w.change, "runs": _runs(w.runs)} for w in diff.text_part],
            "html_bytes": {"old": diff.old_size, "new": diff.new_size, "clip": CLIP},
            "findings": None
            if diff.appeared is None or diff.gone is None
            else {"appeared": _findings(diff.appeared), "gone": _findings(diff.gone)},
        }


def diff_issue(desk: Desk, slug: str, against: str | None = None) -> IssueDiff:
    """Compare the issue as it is now with ``test-N`` or ``approved``; default: whichever of the last of both is newer.

    Raises UsageProblem for another word, NotFound for a test that was never sent or is not kept, IllegalState when
    there is nothing to compare with, GuardRefused when the approved files were changed.
    """
    then = _then(desk, slug, against)
    zone = ZoneInfo(desk.config.publication.timezone)
    rendered = render(desk, slug)
    now = version_now(desk, rendered)
    difference = compare(then.version, now)
    here = {image.name: image.path for image in rendered.email.images}
    return IssueDiff(
        issue=slug,
        subject=as_written(rendered.email.subject, rendered.email.fields),
        lang=rendered.email.lang,
        then=replace(then, at=then.at.astimezone(zone)),
        difference=difference,
        pictures=_pictures(difference, then.folder, here),
    )


def is_version(word: str) -> bool:
    """Whether a word names something to compare with: ``test-3``, ``approved``."""
    return word == "approved" or _TEST.fullmatch(word) is not None


def version_now(desk: Desk, rendered: Rendered) -> Version:
    """A rendered issue as a version, with its findings and the hashes of its stories' pictures."""
    return version_of_email(
        rendered.email,
        issue_facts(desk.config, rendered.issue),
        originals=_originals(desk, rendered.issue),
        findings=tuple(_known(finding) for finding in findings_of(desk, rendered) if finding.waived is None),
        own_text=rendered.issue.own_text is not None,
    )


def write_page(desk: Desk, diff: IssueDiff, file: Path | None = None) -> Path:
    """Write the difference as one HTML file, default ``.newsletter/build/<slug>/diff.html``; raises CannotWrite."""
    from newsletter.app.diff_page import as_page

    target = file or desk.workspace.build_dir(diff.issue) / "diff.html"
    if file is None:
        desk.workspace.ensure_state()
    write_atomic(target, as_page(diff))
    return target


def _then(desk: Desk, slug: str, against: str | None) -> Then:
    if against == "approved":
        return _approved(desk, slug)
    if against is not None:
        number = _TEST.fullmatch(against)
        if number is None:
            raise UsageProblem(
                f"there is nothing called {against!r} to compare with",
                fix=f"newsletter diff {slug} test-3, newsletter diff {slug} approved, or leave it out for the newest",
            )
        return _tested(desk, testsend.find_test(desk.store, slug, int(number[1])))
    last = testsend.last_arrived(desk.store, slug)
    try:
        approved = _approved(desk, slug)
    except IllegalState as none:
        if last is None:
            raise IllegalState(
                f"{slug} was neither tested nor approved: there is nothing to compare with",
                fix=f"newsletter test {slug} sends a test",
            ) from none
        return _tested(desk, last)
    # An approval knows its second only: what was tested in the same second came before it.
    newer = last is not None and from_us(last.at).replace(microsecond=0) > approved.at
    return _tested(desk, last) if last is not None and newer else approved


def _tested(desk: Desk, test: testsend.TestSent) -> Then:
    try:
        kept = load_test(desk.workspace, test.issue, test.digest)
    except NotFound as gone:
        raise NotFound(f"test {test.number}: {gone.what}", where=gone.where, fix=gone.fix) from gone
    return Then(f"test-{test.number}", from_us(test.at), kept.version, desk.workspace.cache / "images")


def _approved(desk: Desk, slug: str) -> Then:
    approval = approvals.load_approval(desk.workspace, slug)
    at = datetime.fromisoformat(approval.approved_at)
    return Then("approved", at, version_of_approval(approval), approval.folder / "media")


def _originals(desk: Desk, issue: Issue) -> dict[str, str]:
    """The hash of the picture that each story was made with; a story whose picture is elsewhere has none."""
    hashes = {}
    for article in issue.articles():
        if article.image and article.image.file and article.path:
            own = is_creative(article, desk.workspace.root)
            folder = article.path.parent if own else desk.workspace.issue_dir(issue.slug)
            # A layout without pictures shows none, and then nobody has missed the file.
            with contextlib.suppress(OSError):
                hashes[article.slug] = sha256_hex((folder / "images" / article.image.file).read_bytes())
    return hashes


def _known(finding: Finding) -> Known:
    return Known(finding.id, finding.severity.value, finding.message, finding.article, finding.field)


def _pictures(difference: Difference, then: Path, here: dict[str, Path]) -> dict[str, str]:
    """Data URLs of the pictures that changed, as far as their bytes are still there and no others."""
    urls: dict[str, str] = {}
    room = _MOST_PICTURES
    for file, path in _files(difference, then, here):
        try:
            data = path.read_bytes() if file.sha256 not in urls and file.size <= room else b""
        except OSError:
            continue
        if data and sha256_hex(data) == file.sha256:
            kind = "png" if path.suffix == ".png" else "jpeg"
            urls[file.sha256] = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
            room -= len(data)
    return urls


def _files(difference: Difference, then: Path, here: dict[str, Path]) -> Iterable[tuple[PictureFile, Path]]:
    for part in difference.parts:
        for picture in part.pictures:
            if picture.old_file:
                yield picture.old_file, then / picture.old_file.name
            if picture.new_file:
                yield picture.new_file, here[picture.new_file.name]


def _runs(runs: Iterable[Run]) -> list[list[str]]:
    return [[run.op, run.text] for run in runs]


def _findings(findings: Iterable[Known]) -> list[dict[str, str | None]]:
    return [
        {"id": f.id, "severity": f.severity, "message": f.message, "article": f.article, "field": f.field}
        for f in findings
    ]
