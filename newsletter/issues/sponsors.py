"""``sponsors/NAME.md``: what an advertiser paid for, when it runs, and who has approved it.

One file serves every issue it runs in. The approval names the SHA-256 of the creative (every word, the link and the
bytes of the picture), so that editing any of it voids the approval; the bookings are no part of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date as Date
from pathlib import Path

import msgspec

from newsletter.articles.schema import article_from_document, article_to_data
from newsletter.errors import BadData, FrontMatterError, NotFound, did_you_mean
from newsletter.issues.bookings import Clash, Run, clashes
from newsletter.models import Article
from newsletter.workspace.files import file_lock, sha256_hex, write_atomic
from newsletter.workspace.frontmatter import Document, read_bytes, typed
from newsletter.workspace.paths import Workspace
from newsletter.workspace.slugs import check_slug

LABEL = "Advertisement feature"
"""The label that is shown in the issue's language; another one is shown as it is written."""

IMAGES = "images"
LOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Proof:
    """Who approved the creative, when (ISO 8601, UTC), and the digest of what was approved."""

    approved_by: str
    approved_at: str
    digest: str


@dataclass(frozen=True, slots=True)
class Sponsor:
    """One advertiser's creative. ``article`` is how an issue shows it: its kicker is a label of its own, if any."""

    name: str
    article: Article
    label: str
    runs: tuple[Run, ...]
    proof: Proof | None


class _RunKeys(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    issue: str | None = None
    first: str | None = msgspec.field(name="from", default=None)
    to: str | None = None
    slot: int = 1


class _ProofKeys(msgspec.Struct, kw_only=True):
    approved_by: str
    approved_at: str
    digest: str


class _SponsorKeys(msgspec.Struct, kw_only=True):
    """What a sponsor's file has beyond an article's keys."""

    sponsor: str
    label: str | None = None
    runs: str | _RunKeys | list[str | _RunKeys] = []
    proof: _ProofKeys | None = None


def sponsor_file(ws: Workspace, name: str) -> Path:
    """The file of a sponsor, whether it exists or not; raises ``BadData`` for what is no slug."""
    return ws.sponsors / f"{check_slug(name, 'advertisement')}.md"


def sponsor_names(ws: Workspace) -> list[str]:
    """The names of all sponsors, sorted."""
    return sorted(path.stem for path in ws.sponsors.glob("*.md") if not path.name.startswith("."))


def load_sponsor(ws: Workspace, name: str) -> Sponsor:
    """Read a sponsor; raises ``NotFound`` with the closest name, and ``FrontMatterError`` with file and line."""
    return sponsor_from_document(_read(ws, name), name, sponsor_file(ws, name))


def load_sponsors(ws: Workspace) -> list[Sponsor]:
    """Every sponsor. One that cannot be read is an error, for its bookings would be passed over."""
    return [load_sponsor(ws, name) for name in sponsor_names(ws)]


def _read(ws: Workspace, name: str) -> Document:
    path = sponsor_file(ws, name)
    if not path.is_file():
        hint = did_you_mean(name, sponsor_names(ws)) or f"newsletter sponsor add {name}"
        raise NotFound(f"there is no sponsor {name!r}", where="sponsors", fix=hint)
    return Document.read(path, f"sponsors/{path.name}")


def sponsor_from_document(doc: Document, name: str, path: Path) -> Sponsor:
    """The sponsor that a file describes; raises ``FrontMatterError`` with file, line, key and fix."""
    keys = typed(doc, _SponsorKeys)
    if not keys.sponsor.strip():
        raise FrontMatterError("sponsor: this key is empty", where=doc.where("sponsor"), fix="write who paid for it")
    label = " ".join((keys.label or "").split()) or LABEL
    article = article_from_document(doc, name, path)
    runs = keys.runs if isinstance(keys.runs, list) else [keys.runs]
    return Sponsor(
        name=name,
        article=dataclasses.replace(article, kicker=label if label != LABEL else None),
        label=label,
        runs=tuple(_run(doc, run, number) for number, run in enumerate(runs)),
        proof=Proof(keys.proof.approved_by, keys.proof.approved_at, keys.proof.digest) if keys.proof else None,
    )


def _run(doc: Document, keys: str | _RunKeys, number: int) -> Run:
    where = doc.where("runs", number)
    if isinstance(keys, str):
        day = _day(keys)
        return Run(_slug(keys, where), day, day)
    if keys.slot < 1:
        raise FrontMatterError(f"slot: {keys.slot} is no place", where=where, fix="count the sponsor sections from 1")
    if keys.issue is not None and keys.first is None and keys.to is None:
        day = _day(keys.issue)
        return Run(_slug(keys.issue, where), day, day, keys.slot)
    first, last = _day(keys.first or ""), _day(keys.to or "")
    if keys.issue is not None or first is None or last is None or last < first:
        fix = "write an issue's slug, or {from: 2026-12-01, to: 2026-12-14}"
        raise FrontMatterError("runs: this is no booking", where=where, fix=fix)
    return Run(None, first, last, keys.slot)


def _slug(text: str, where: str) -> str:
    try:
        return check_slug(text, "issue")
    except BadData as error:
        raise FrontMatterError(f"runs: {error.what}", where=where, fix=error.fix) from error


def _day(text: str) -> Date | None:
    try:
        return Date.fromisoformat(text) if len(text) == len("2026-11-27") else None
    except ValueError:
        return None


def digest_of(ws: Workspace, sponsor: Sponsor) -> str:
    """``sha256:…`` of the creative: all that a reader may see of it, and the bytes of its picture."""
    shown = {k: v for k, v in article_to_data(sponsor.article).items() if k not in ("origin", "provenance", "waive")}
    picture = sponsor.article.image.file if sponsor.article.image else None
    path = ws.sponsors / IMAGES / picture if picture else None
    said = {
        **shown,
        "label": sponsor.label,
        "body": sponsor.article.body,
        "picture": sha256_hex(read_bytes(path)) if path and path.is_file() else None,
    }
    return "sha256:" + sha256_hex(json.dumps(said, sort_keys=True, ensure_ascii=False).encode("utf-8"))


def approval_of(ws: Workspace, sponsor: Sponsor) -> str:
    """``approved``, ``not approved``, or ``changed since``: the creative is no longer what was approved."""
    if sponsor.proof is None:
        return "not approved"
    return "approved" if sponsor.proof.digest == digest_of(ws, sponsor) else "changed since"


def add_sponsor(
    ws: Workspace, name: str, text: str, dates: Mapping[str, Date], *, picture: tuple[str, bytes] | None = None
) -> Sponsor:
    """Write a new sponsor's file, and its picture (name and bytes).

    ``dates`` are those of the issues that exist. Raises ``BadData`` for a name that is taken, a file that says too
    little, and a slot that another sponsor has; then nothing is written.
    """
    path = sponsor_file(ws, name)
    doc = Document.parse(text, f"sponsors/{path.name}")
    made = sponsor_from_document(doc, name, path)
    with _locked(ws):
        if path.exists():
            raise BadData("there is a sponsor of that name already", where=doc.file, fix="edit it, or choose a name")
        taken = list(clashes([*load_sponsors(ws), made], dates))
        mine = [clash for clash in taken if name in (clash.first, clash.second)]
        if mine:
            raise double_booked(mine[0])
        if picture is not None:
            write_atomic(ws.sponsors / IMAGES / picture[0], picture[1])
        write_atomic(path, doc.text)
    return made


def double_booked(clash: Clash) -> BadData:
    """The error for two sponsors in one slot."""
    fix = f"change runs: in sponsors/{clash.first}.md or sponsors/{clash.second}.md, or give one another slot"
    return BadData(str(clash), where=f"sponsors/{clash.second}.md", fix=fix)


def record_proof(ws: Workspace, name: str, proof: Proof) -> None:
    """Write an approval into the sponsor's file. Raises ``BadData`` when the creative is not what it names."""
    with _locked(ws):
        doc = _read(ws, name)
        path = sponsor_file(ws, name)
        if digest_of(ws, sponsor_from_document(doc, name, path)) != proof.digest:
            raise BadData("the creative changed while it was read", where=doc.file, fix="look at it again")
        write_atomic(path, doc.set(("proof",), dataclasses.asdict(proof)).text)


@contextlib.contextmanager
def _locked(ws: Workspace) -> Iterator[None]:
    with file_lock(ws.locks / "sponsors.lock", timeout=LOCK_SECONDS):
        yield
