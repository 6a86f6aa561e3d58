"""Approving freezes an email: its bytes, their digest, and when and by whom it may be sent.

``issues/<slug>/approved/`` holds ``approval.json``, ``email.html``, ``email.txt`` and ``media/``. The folder is
written under another name and renamed in one step, so there is no half approval. What is sent later is read
from these files and from nowhere else, and only as long as every byte still has the hash that was approved.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from newsletter.errors import BadData, CannotWrite, GuardRefused, IllegalState, NotFound
from newsletter.message.headers import feedback_id
from newsletter.message.outgoing import Outgoing, Part
from newsletter.models import TEXT_FILE, Email, MergeField, Span
from newsletter.workspace.files import make_folder, sha256_hex, write_atomic
from newsletter.workspace.paths import Workspace

SCHEMA = "newsletter/approval/1"
_FILE = "approval.json"
_CHANGED = "run `newsletter unapprove {0}`, look at the issue, and approve it again"


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What the configuration adds to an email: who it is from and where its public pages are.

    ``list_id`` is the List-Id without brackets; ``site_url`` has no trailing slash, or is None.
    """

    sender_name: str
    sender_email: str
    list_id: str
    reply_to: str | None = None
    site_url: str | None = None
    corrects: str | None = None
    """The issue whose readers alone get this one."""


class _Image(msgspec.Struct, frozen=True):
    file: str
    src: str
    content_type: str


class _Message(msgspec.Struct, frozen=True):
    subject: str
    preheader: str
    sender: str = msgspec.field(name="from")
    list_id: str
    lang: str
    reply_to: str | None = None
    site_url: str | None = None
    images: tuple[_Image, ...] = ()
    corrects: str | None = None


class _Field(msgspec.Struct, frozen=True):
    token: str
    name: str
    default: str
    context: str


class _Record(msgspec.Struct, frozen=True):
    schema: str
    issue: str
    approved_at: str
    approver: str
    zone: str
    message: _Message
    fields: tuple[_Field, ...]
    files: dict[str, str]
    digest: str
    note: str | None = None
    send_at: str | None = None
    segment: str | None = None
    sources: dict[str, str] = msgspec.field(default_factory=dict)
    spans: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """A frozen approval as ``approval.json`` says it. ``send_at`` is local wall time in ``zone``, or None.

    ``files`` maps a name in ``folder`` to ``sha256:<hex>``; ``content`` is what ``digest`` is made of;
    ``sources`` are the hashes of the issue's own files when it was approved, and ``spans`` say where each story is
    in the HTML, both outside the digest.
    """

    folder: Path
    issue: str
    approved_at: str
    approver: str
    note: str | None
    send_at: str | None
    zone: str
    subject: str
    preheader: str
    lang: str
    facts: MessageFacts
    fields: tuple[MergeField, ...]
    images: tuple[tuple[str, str, str], ...]
    """(file, src, content type) of each picture."""
    files: Mapping[str, str]
    content: Mapping[str, Any]
    digest: str
    sources: Mapping[str, str]
    spans: tuple[Span, ...] = ()


def freeze(
    ws: Workspace,
    email: Email,
    facts: MessageFacts,
    *,
    approver: str,
    now: datetime,
    zone: str,
    send_at: str | None = None,
    note: str | None = None,
    sources: Mapping[str, str] | None = None,
) -> Approval:
    """Freeze ``email`` to ``issues/<slug>/approved/`` and return the approval.

    ``send_at`` is local wall time (``2022-02-25T07:00``) or None for "when somebody runs send"; ``sources`` are the
    ``source_hashes`` that the email was made from, None: those of now. Raises
    ``IllegalState`` when the issue is approved already, ``CannotWrite``; nothing is left half-written.
    """
    issue_dir = ws.issue_dir(email.issue)
    target = issue_dir / "approved"
    if target.exists():
        raise IllegalState(f"{email.issue} is approved already", fix=f"newsletter unapprove {email.issue}")
    message, fields, files = _contents(email, facts)
    hashes = {name: f"sha256:{sha256_hex(data)}" for name, data in files.items()}
    record = {
        "schema": SCHEMA,
        "issue": email.issue,
        "approved_at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "approver": approver,
        "note": note,
        "send_at": send_at,
        "zone": zone,
        "segment": None,
        "message": message,
        "fields": fields,
        "files": hashes,
        "digest": _digest(message, fields, hashes),
        "sources": source_hashes(issue_dir) if sources is None else dict(sources),
        "spans": [[span.article, span.start, span.end] for span in email.spans],
    }
    files[_FILE] = (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode()
    _write_folder(issue_dir, target, files)
    return load_approval(ws, email.issue)


def load_approval(ws: Workspace, slug: str) -> Approval:
    """Read an approval; raises ``NotFound``, ``IllegalState`` when it is not approved, ``BadData``.

    The bytes are not looked at: ``verify`` does that.
    """
    folder = ws.issue_dir(slug) / "approved"
    try:
        raw = (folder / _FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if not folder.parent.is_dir():
            raise NotFound(f"there is no issue {slug}", fix="newsletter issue list") from None
        raise IllegalState(f"{slug} is not approved", fix=f"newsletter approve {slug}") from None
    except OSError as error:
        raise BadData(f"cannot read the approval: {error.strerror}", where=str(folder / _FILE)) from error
    return _parse(raw, folder, slug)


def problems(approval: Approval) -> list[str]:
    """Every way in which the folder differs from what was approved, one sentence each; none when all is well."""
    found = []
    for name, wanted in approval.files.items():
        try:
            actual = f"sha256:{sha256_hex((approval.folder / name).read_bytes())}"
        except OSError as error:
            found.append(f"{name} cannot be read: {error.strerror}")
            continue
        if actual != wanted:
            found.append(f"{name} is not the file that was approved")
    if approval.digest != _digest(*(approval.content[part] for part in ("message", "fields", "files"))):
        found.append(f"{_FILE} itself was changed: its digest does not match")
    return found


def digest_now(approval: Approval) -> str:
    """The digest of the frozen files as they are now, computed anew; a file that cannot be read has no hash."""
    hashes = {}
    for name in approval.files:
        try:
            hashes[name] = f"sha256:{sha256_hex((approval.folder / name).read_bytes())}"
        except OSError:
            hashes[name] = ""
    return _digest(approval.content["message"], approval.content["fields"], hashes)


def verify(approval: Approval) -> None:
    """Raise ``GuardRefused`` naming each file that is not, byte for byte, what was approved."""
    found = problems(approval)
    if found:
        raise GuardRefused(
            f"the approved bytes of {approval.issue} were changed: {'; '.join(found)}",
            where=str(approval.folder),
            fix=_CHANGED.format(approval.issue),
        )


def remove_approval(ws: Workspace, slug: str) -> None:
    """Take ``approved/`` away in one step. Call it only after the mailing is stopped; nothing to do is fine."""
    folder = ws.issue_dir(slug) / "approved"
    if not folder.exists():
        return
    aside = ws.state / f"unapproved-{slug}-{os.urandom(4).hex()}"
    make_folder(ws.state, 0o700)
    try:
        folder.rename(aside)
    except OSError as error:
        raise CannotWrite(
            f"cannot take the approval away: {error.strerror}", where=str(folder), fix="check who owns the folder"
        ) from error
    # Out of the issue already; what cannot be deleted only takes up room.
    shutil.rmtree(aside, ignore_errors=True)


def outgoing_from_approval(approval: Approval, *, mailing: str, date: datetime) -> Outgoing:
    """The email exactly as approved, read from the frozen files and checked on the way in.

    The bytes that were hashed are the bytes that are returned: a file that changes afterwards changes nothing.
    ``mailing`` is a public id, ``date`` the frozen Date header. Raises ``GuardRefused``.
    """
    verify(approval)
    kept: dict[str, bytes] = {}
    for name, wanted in approval.files.items():
        try:
            kept[name] = (approval.folder / name).read_bytes()
        except OSError:
            kept[name] = b""
        if f"sha256:{sha256_hex(kept[name])}" != wanted:
            verify(approval)
            raise GuardRefused(f"{name} of {approval.issue} changed while it was read", where=str(approval.folder))
    return _outgoing(
        approval.issue,
        approval.subject,
        approval.lang,
        approval.facts,
        approval.fields,
        kept,
        approval.images,
        digest=approval.digest,
        mailing=mailing,
        date=date,
    )


def outgoing_from_email(email: Email, facts: MessageFacts, *, mailing: str, date: datetime) -> Outgoing:
    """An email that is not approved, for test mails and previews; its digest is what approving it now would give."""
    message, fields, files = _contents(email, facts)
    hashes = {name: f"sha256:{sha256_hex(data)}" for name, data in files.items()}
    images = tuple((image["file"], image["src"], image["content_type"]) for image in message["images"])
    digest = _digest(message, fields, hashes)
    return _outgoing(
        email.issue, email.subject, email.lang, facts, email.fields, files, images,
        digest=digest, mailing=mailing, date=date,
    )  # fmt: skip


def sender_of(facts: MessageFacts) -> str:
    """The From line as ``approval.json`` has it: ``Name <address>``."""
    return f"{facts.sender_name} <{facts.sender_email}>" if facts.sender_name else facts.sender_email


def source_hashes(issue_dir: Path) -> dict[str, str]:
    """The hashes of ``issue.md``, the articles, the own text and the pictures of an issue folder, by name."""
    files = [*issue_dir.glob("*.md"), issue_dir / TEXT_FILE, *(issue_dir / "images").glob("*")]
    try:
        return {
            file.relative_to(issue_dir).as_posix(): f"sha256:{sha256_hex(file.read_bytes())}"
            for file in sorted(files)
            if file.is_file() and not file.name.startswith(".")
        }
    except OSError as error:
        raise BadData(f"cannot read the issue: {error.strerror}", where=str(error.filename)) from error


def edits_since(approval: Approval) -> list[str]:
    """Names of the issue's own files that were changed, added or removed by hand since; none of that is sent."""
    now, then = source_hashes(approval.folder.parent), approval.sources
    return sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))


def _contents(email: Email, facts: MessageFacts) -> tuple[dict[str, Any], list[dict[str, str]], dict[str, bytes]]:
    """The three things a digest is made of: message, fields, and the files' bytes."""
    message: dict[str, Any] = {
        "subject": email.subject,
        "preheader": email.preheader,
        "from": sender_of(facts),
        "reply_to": facts.reply_to,
        "list_id": facts.list_id,
        "lang": email.lang,
        "site_url": facts.site_url,
        "images": [
            {"file": f"media/{image.name}", "src": image.src, "content_type": image.content_type}
            for image in email.images
        ],
    }
    if facts.corrects is not None:
        # In the digest, for it decides who gets the mail; absent otherwise, as in approvals of old.
        message["corrects"] = facts.corrects
    fields = [{"token": f.token, "name": f.name, "default": f.default, "context": f.context} for f in email.fields]
    files = {"email.html": email.html.encode(), "email.txt": email.text.encode()}
    for image in email.images:
        name = f"media/{image.name}"
        _check_name(name, str(image.path))
        try:
            files[name] = image.path.read_bytes()
        except OSError as error:
            raise BadData(
                f"the picture {image.name} cannot be read: {error.strerror}",
                where=str(image.path),
                fix=f"build it again: newsletter build {email.issue}",
            ) from error
    return message, fields, files


def _digest(message: Mapping[str, Any], fields: object, files: Mapping[str, str]) -> str:
    """SHA-256 of the sorted compact UTF-8 JSON of {message, fields, files}."""
    content = {"message": message, "fields": fields, "files": files}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{sha256_hex(text.encode())}"


def _write_folder(issue_dir: Path, target: Path, files: Mapping[str, bytes]) -> None:
    for debris in issue_dir.glob(".approved-*.tmp"):
        shutil.rmtree(debris, ignore_errors=True)
    temporary = issue_dir / f".approved-{os.urandom(4).hex()}.tmp"
    try:
        make_folder(temporary / "media")
        for name, data in files.items():
            write_atomic(temporary / name, data)
        temporary.chmod(stat.S_IMODE(issue_dir.stat().st_mode))
        temporary.rename(target)
        _sync(issue_dir)
    except OSError as error:
        if target.exists():
            raise IllegalState(
                f"{issue_dir.name} was approved by somebody else just now", fix=f"newsletter status {issue_dir.name}"
            ) from error
        raise CannotWrite(
            f"cannot freeze the approval: {error.strerror}", where=str(issue_dir), fix="check the disk and the folder"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_name(name: str, where: str) -> None:
    """Only a plain file in the folder or in ``media/`` may be named: nothing else is ever opened."""
    plain = name.removeprefix("media/")
    if not plain or plain in {".", ".."} or "/" in plain or "\\" in plain or "\0" in plain:
        raise BadData(f"an approval cannot hold a file named {name!r}", where=where)


def _parse(raw: bytes, folder: Path, slug: str) -> Approval:
    where = str(folder / _FILE)
    fix = _CHANGED.format(slug)
    try:
        content = json.loads(raw)
        record = msgspec.convert(content, _Record)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadData(f"this is no approval: {error}", where=where, fix=fix) from error
    if record.schema != SCHEMA:
        raise BadData(
            f"this approval is of another form ({record.schema}); this version reads {SCHEMA}",
            where=where,
            fix="update newsletter, or unapprove and approve again",
        )
    if record.issue != slug:
        raise BadData(f"this is the approval of {record.issue}, not of {slug}", where=where, fix=fix)
    for name in ("email.html", "email.txt", *(image.file for image in record.message.images)):
        if name not in record.files:
            raise BadData(f"this approval does not list {name}", where=where, fix=fix)
    for name in record.files:
        _check_name(name, where)
    try:
        fields = msgspec.convert(content["fields"], tuple[MergeField, ...])
    except msgspec.ValidationError as error:
        raise BadData(f"this is no approval: {error}", where=where, fix=fix) from error
    return Approval(
        folder=folder,
        issue=record.issue,
        approved_at=record.approved_at,
        approver=record.approver,
        note=record.note,
        send_at=record.send_at,
        zone=record.zone,
        subject=record.message.subject,
        preheader=record.message.preheader,
        lang=record.message.lang,
        facts=_facts(record.message),
        fields=fields,
        images=tuple((image.file, image.src, image.content_type) for image in record.message.images),
        files=MappingProxyType(record.files),
        content=MappingProxyType(content),
        digest=record.digest,
        sources=MappingProxyType(record.sources),
        spans=tuple(Span(*span) for span in record.spans),
    )


def _facts(message: _Message) -> MessageFacts:
    name, bracket, address = message.sender.rpartition(" <")
    return MessageFacts(
        sender_name=name if bracket else "",
        sender_email=address.removesuffix(">") if bracket else message.sender,
        list_id=message.list_id,
        reply_to=message.reply_to,
        site_url=message.site_url,
        corrects=message.corrects,
    )


def _outgoing(
    issue: str,
    subject: str,
    lang: str,
    facts: MessageFacts,
    fields: tuple[MergeField, ...],
    files: Mapping[str, bytes],
    images: tuple[tuple[str, str, str], ...],
    *,
    digest: str,
    mailing: str,
    date: datetime,
) -> Outgoing:
    parts = tuple(
        Part(content_id=src.removeprefix("cid:"), content_type=kind, name=file.removeprefix("media/"), data=files[file])
        for file, src, kind in images
        if src.startswith("cid:")
    )
    return Outgoing(
        mailing=mailing,
        issue=issue,
        digest=digest,
        date=date,
        sender_name=facts.sender_name,
        sender_email=facts.sender_email,
        subject=subject,
        html=files["email.html"].decode(),
        text=files["email.txt"].decode(),
        lang=lang,
        list_id=facts.list_id,
        reply_to=facts.reply_to,
        feedback_id=feedback_id(issue, mailing, "newsletter", facts.sender_email.rpartition("@")[2]),
        fields=fields,
        parts=parts,
    )
