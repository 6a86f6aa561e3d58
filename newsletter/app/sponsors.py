"""Sponsors: make one, see when each runs, have its creative approved, put it into an issue."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as Date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.app.desk import Desk
from newsletter.app.render import render_loaded
from newsletter.articles.originals import SUFFIXES, check_picture, get_picture
from newsletter.checks.context import SponsorFacts
from newsletter.delivery.schedule import zone_of
from newsletter.errors import BadData, NewsletterError, NotFound
from newsletter.issues import editing, folder, sponsors, summaries
from newsletter.issues.bookings import Clash, clashes, placed, rivals
from newsletter.issues.schema import issue_keys, parse_date
from newsletter.issues.sponsors import LABEL, Proof, Sponsor
from newsletter.message.merge import fill
from newsletter.models import Issue, Section
from newsletter.workspace.frontmatter import Document, dump, read_bytes
from newsletter.workspace.paths import Workspace

_RULE = re.compile(r"\n(?:-{40}|—{20,40})\n")  # the last one is of dashes where the text would be Latin-1 alone
_WORDS = {"approved": "approved", "not approved": "not approved yet", "changed since": "changed since its approval"}


@dataclass(frozen=True, slots=True)
class SponsorRow:
    """One line of the list of sponsors."""

    name: str
    sponsor: str
    approval: str
    runs: Sequence[str]

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**dataclasses.asdict(self), "runs": list(self.runs)}


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One booking, or one place in an issue that nobody booked (``booked`` is False)."""

    when: str
    name: str
    booked: bool
    issues: Sequence[str]
    approval: str

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**dataclasses.asdict(self), "issues": list(self.issues)}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Who runs when, in the order of time, and each double booking as a sentence."""

    rows: Sequence[CalendarRow]
    clashes: Sequence[str]


def list_sponsors(desk: Desk) -> list[SponsorRow]:
    """Every sponsor, by name."""
    ws = desk.workspace
    return [
        SponsorRow(s.name, s.article.sponsor or "", _WORDS[sponsors.approval_of(ws, s)], [run.words for run in s.runs])
        for s in sponsors.load_sponsors(ws)
    ]


def add_sponsor(
    desk: Desk,
    name: str,
    *,
    source: Path | None = None,
    fields: Mapping[str, str | None],
    text: str | None = None,
    image: str | None = None,
    alt: str | None = None,
    runs: Sequence[str] = (),
    slot: int = 1,
) -> list[str]:
    """Make a sponsor, from a Markdown file or from ``fields``, which win; what was done, a line each.

    ``image`` is a file or a web address; ``runs`` are issue slugs, days, or ``FIRST..LAST``. An approval in the file
    is not taken over. Raises BadData, with both names for a slot that is taken; then nothing is written.
    """
    doc = _source(source) if source else Document.parse(dump({"label": LABEL}, ""), f"sponsors/{name}.md")
    for key, value in fields.items():
        doc = doc.set((key,), value) if value else doc
    doc = doc.set(("proof",), None)
    doc = doc.set(("runs",), [_booking(run, slot) for run in runs]) if runs else doc
    doc = doc.with_body(text.rstrip() + "\n") if text else doc
    notes: list[str] = []
    picture = _picture(desk, name, image, notes) if image else None
    if image:
        file = picture[0] if picture else None
        shown = {"file": file, "url": image if _is_web(image) else None, "alt": alt}
        doc = doc.set(("image",), {key: value for key, value in shown.items() if value})
    made = sponsors.add_sponsor(desk.workspace, name, doc.text, _dates(desk.workspace), picture=picture)
    notes.append(f"Made sponsors/{made.name}.md.")
    if not made.runs:
        notes.append("It is booked for no issue yet: write runs: into its file.")
    return [*notes, f"Next: newsletter sponsor proof {name}"]


def _source(path: Path) -> Document:
    try:
        data = read_bytes(path)
    except NotFound as error:
        raise NotFound("there is no such file", where=str(path), fix="check the path") from error
    return Document.decode(data, path.name)


def _booking(run: str, slot: int) -> str | dict[str, Any]:
    first, dots, last = run.partition("..")
    if dots:
        return {"from": first, "to": last} | ({"slot": slot} if slot != 1 else {})
    return run if slot == 1 else {"issue": run, "slot": slot}


def _is_web(image: str) -> bool:
    return image.startswith(("https://", "http://"))


def _picture(desk: Desk, name: str, image: str, notes: list[str]) -> tuple[str, bytes] | None:
    """The name and the bytes of a picture; None for one on the web that stays there, with the reason in ``notes``."""
    if not _is_web(image):
        data = _source_bytes(Path(image))
    elif not desk.config.images.fetch:
        return None
    else:
        try:
            data = get_picture(desk.config, image)
        except NewsletterError as error:
            notes.append(f"The picture stays on its own server: {error.what}")
            return None
    return f"{name}.{SUFFIXES[check_picture(data)[0]]}", data


def _source_bytes(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except NotFound as error:
        raise NotFound("there is no such picture", where=str(path), fix="check the path") from error


def _dates(ws: Workspace) -> dict[str, Date]:
    return {s.slug: s.date for s in summaries.list_issues(ws) if s.date is not None}


def calendar(desk: Desk) -> Calendar:
    """Who runs when: each booking with the issues it stands in, and what stands in an issue unbooked."""
    ws = desk.workspace
    known = {sponsor.name: sponsor for sponsor in sponsors.load_sponsors(ws)}
    everyone = list(known.values())
    issues = summaries.list_issues(ws)
    dates = {issue.slug: issue.date for issue in issues if issue.date is not None}
    standing = [
        (issue.slug, issue.date, known[name], position)
        for issue in issues
        if issue.problem is None and issue.date is not None
        for position, name in enumerate(issue.sponsors, 1)
        if name in known
    ]
    rows: list[tuple[str, CalendarRow]] = []
    for sponsor in everyone:
        approval = _WORDS[sponsors.approval_of(ws, sponsor)]
        mine = [(issue, day) for issue, day, other, _ in standing if other is sponsor]
        for run in sponsor.runs:
            stands = [issue for issue, day in mine if run.covers(issue, day)]
            row = CalendarRow(run.words, sponsor.name, True, stands, approval)
            rows.append((str(run.first or dates.get(run.issue or "") or "9999"), row))
        for issue, day in mine:
            if not any(run.covers(issue, day) for run in sponsor.runs):
                row = CalendarRow(issue, sponsor.name, False, [issue], approval)
                rows.append((day.isoformat(), row))
    found = [str(clash) for clash in clashes(everyone, dates)]
    for issue, day, sponsor, position in standing:
        others = rivals(sponsor, everyone, issue, day, position)
        if not any(run.covers(issue, day) for run in sponsor.runs):
            found += [f"{sponsor.name} stands in {issue}, where {other} has booked the place" for other in others]
    ordered = [row for _, row in sorted(rows, key=lambda item: (item[0], item[1].name))]
    return Calendar(ordered, found)


@dataclass(frozen=True, slots=True)
class Proofed:
    """A creative as the text part of a mail shows it, and where its approval stands.

    ``day`` is that of the approval in the publication's zone, or what the file says where that is no time.
    """

    name: str
    text: str
    approval: str
    proof: Proof | None
    day: str = ""

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        proof = dataclasses.asdict(self.proof) if self.proof else None
        return {"name": self.name, "text": self.text, "approval": self.approval, "proof": proof}

    @property
    def line(self) -> str:
        """Where the approval stands, for the terminal."""
        by = f" by {self.proof.approved_by} on {self.day}" if self.proof else ""
        if self.approval == "approved":
            return f"{self.name}: approved{by}."
        return f"{self.name}: {_WORDS[self.approval]}{by}. Approve it: newsletter sponsor proof {self.name} --by NAME"


def proof_sponsor(desk: Desk, name: str, *, by: str | None = None) -> Proofed:
    """Render a creative as it will stand; with ``by``, record that this person approves exactly that.

    Raises BadData's family for what could not be mailed (a broken picture, a malformed merge field).
    """
    ws = desk.workspace
    sponsor = sponsors.load_sponsor(ws, name)
    text = _as_it_stands(desk, sponsor)
    if by is not None:
        if not by.strip():
            raise BadData("an approval needs a name", where="--by", fix="--by NAME")
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        sponsors.record_proof(ws, name, Proof(by.strip(), now, sponsors.digest_of(ws, sponsor)))
        sponsor = sponsors.load_sponsor(ws, name)
    zone = zone_of(desk.config.publication.timezone)
    day = _day_of(sponsor.proof, zone) if sponsor.proof else ""
    return Proofed(name, text, sponsors.approval_of(ws, sponsor), sponsor.proof, day)


def _day_of(proof: Proof, zone: ZoneInfo) -> str:
    try:
        at = datetime.fromisoformat(proof.approved_at)
        return at.astimezone(zone).date().isoformat() if at.tzinfo else proof.approved_at
    except (ValueError, OverflowError):  # a file that was written by hand
        return proof.approved_at


def _as_it_stands(desk: Desk, sponsor: Sponsor) -> str:
    """The creative's part of the text of a mail that has nothing else; all of it where the theme sets no rules."""
    issue = Issue(
        slug="proof",
        date=datetime.now(zone_of(desk.config.publication.timezone)).date(),
        sections=(Section("sponsor", (sponsor.article,)),),
        subject=sponsor.article.headline,
        preheader=sponsor.article.headline,
    )
    email = render_loaded(desk, issue)
    text = fill(email.text, email.fields, {})
    parts = _RULE.split(text)
    return ("\n\n".join(parts[1:-1]) if len(parts) > 2 else text).strip()


@dataclass(frozen=True, slots=True)
class Offer:
    """A creative for an editor who fills a place in an issue. ``rivals`` have booked the place it has or would get.

    ``approved`` is whether its approval stands for what its file says now; ``standing`` whether it is in the issue.
    """

    name: str
    sponsor: str
    headline: str
    approval: str
    approved: bool
    runs: Sequence[str]
    booked: bool
    standing: bool
    rivals: Sequence[str]

    @property
    def label(self) -> str:
        """One line to choose it by."""
        notes = [self.approval, *(f"{other} has booked the place" for other in self.rivals)]
        return f"{self.sponsor}: {self.headline} ({'; '.join(notes)})"

    @property
    def about(self) -> str:
        """When it runs, and whether that is approved."""
        runs = f"runs {', '.join(map(_in_words, self.runs))}" if self.runs else "booked for no issue"
        return f"{self.sponsor} · {runs} · {self.approval}"

    @property
    def troubles(self) -> list[str]:
        """What is wrong with its standing in the issue."""
        unbooked = [] if self.booked else ["It is not booked for this issue."]
        return unbooked + [f"Booked twice: {other} has this place too." for other in self.rivals]

    def as_row(self) -> dict[str, Any]:
        """For JSON."""
        return {**dataclasses.asdict(self), "label": self.label, "about": self.about, "troubles": self.troubles}


def _in_words(run: str) -> str:
    """``2026-12-01 to 2026-12-14`` as ``1 December 2026 to 14 December 2026``."""

    def day(found: re.Match[str]) -> str:
        known = parse_date(found[0])
        return f"{known.day} {known:%B %Y}" if known else found[0]

    return re.sub(r"\d{4}-\d\d-\d\d", day, run)


def offers(desk: Desk, issue: str) -> list[Offer]:
    """Every creative, those booked for the issue first. A story that cannot be read is no hindrance."""
    ws = desk.workspace
    everyone = sponsors.load_sponsors(ws)
    keys = issue_keys(folder.read_issue_file(ws, issue)[0])
    day = parse_date(keys.date or issue) or Date.min
    names = {sponsor.name for sponsor in everyone}
    standing = [section.sponsor for section in keys.sections if section.sponsor in names]
    places = {name: position for position, name in enumerate(standing, 1)}
    found = []
    for sponsor in everyone:
        approval = sponsors.approval_of(ws, sponsor)
        found.append(
            Offer(
                name=sponsor.name,
                sponsor=sponsor.article.sponsor or sponsor.name,
                headline=sponsor.article.headline,
                approval=_WORDS[approval],
                approved=approval == "approved",
                runs=tuple(run.words for run in sponsor.runs),
                booked=any(run.covers(issue, day) for run in sponsor.runs),
                standing=sponsor.name in places,
                rivals=rivals(sponsor, everyone, issue, day, places.get(sponsor.name, len(places) + 1)),
            )
        )
    return sorted(found, key=lambda offer: (not offer.booked, offer.sponsor.casefold(), offer.name))


def pick_sponsor(
    desk: Desk, issue: str, name: str, *, section: str | int | None = None, expected: str | None = None
) -> list[str]:
    """Put a sponsor into an issue; what was done, a line each. Raises BadData when another has booked the place."""
    ws = desk.workspace
    everyone = sponsors.load_sponsors(ws)
    sponsor = sponsors.load_sponsor(ws, name)
    loaded = folder.load_issue(ws, issue)
    position = sum(1 for _ in placed(loaded, {s.name: s for s in everyone})) + 1
    for other in rivals(sponsor, everyone, issue, loaded.date, position):
        raise sponsors.double_booked(Clash(other, name, issue))
    notes = editing.pick_sponsor(ws, issue, name, section=section, expected=expected)
    if not any(run.covers(issue, loaded.date) for run in sponsor.runs):
        notes.append(f"{name}: it is not booked for {issue}; write it under runs: in sponsors/{name}.md")
    return notes


def facts_of(ws: Workspace, issue: Issue) -> dict[str, SponsorFacts]:
    """What the checks know of the sponsors in an issue, by name; nothing is read where there is none."""
    names = [a.slug for a in issue.articles() if a.path is not None and a.path.parent == ws.sponsors]
    if not names:
        return {}
    everyone = sponsors.load_sponsors(ws)
    return {
        sponsor.name: SponsorFacts(
            approval=sponsors.approval_of(ws, sponsor),
            label=sponsor.article.kicker or "",
            runs=tuple(run.words for run in sponsor.runs),
            booked=any(run.covers(issue.slug, issue.date) for run in sponsor.runs),
            rivals=rivals(sponsor, everyone, issue.slug, issue.date, position),
        )
        for sponsor, position in placed(issue, {s.name: s for s in everyone})
    }
