"""What an email was: as it would be approved now, as a test sent it, as an approval froze it. For comparing them.

Each test keeps the email that it sent in ``.newsletter/tests/<issue>/<digest>.json``: without anybody's values, once
for all tests that sent the same email, the newest ``MOST_KEPT`` of an issue. An approval has its frozen files.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from newsletter.delivery.approval import Approval, MessageFacts, sender_of, verify
from newsletter.errors import BadData, NotFound
from newsletter.message.version import Known, PictureFile, Version
from newsletter.models import TEXT_FILE, Email
from newsletter.workspace.files import sha256_hex, write_atomic
from newsletter.workspace.paths import Workspace

SCHEMA = "newsletter/tested/1"
MOST_KEPT = 20
_LEAVE_ALONE = 3600
"""Seconds: so young a file may be of a test that another process is about to log."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Kept(msgspec.Struct, frozen=True):
    """What one file holds; ``sources`` are the hashes of the issue's own files when it was tested, by name."""

    schema: str
    issue: str
    digest: str
    version: Version
    sources: Mapping[str, str]


def version_of_email(
    email: Email,
    facts: MessageFacts,
    *,
    originals: Mapping[str, str] = _NOTHING,
    findings: tuple[Known, ...] | None = None,
    own_text: bool = False,
) -> Version:
    """A finished email as a version; raises ``BadData`` when one of its pictures cannot be read."""
    return Version(
        headers=_headers(email.subject, email.preheader, email.lang, facts),
        html=email.html,
        text=email.text,
        fields=email.fields,
        spans=email.spans,
        pictures={
            image.src: PictureFile(image.name, _hash(image.path), image.size, image.width, image.height)
            for image in email.images
        },
        originals=originals,
        findings=findings,
        own_text=own_text,
    )


def version_of_approval(approval: Approval) -> Version:
    """The frozen files as a version; raises ``GuardRefused`` when they are not what was approved."""
    verify(approval)
    return Version(
        headers=_headers(approval.subject, approval.preheader, approval.lang, approval.facts),
        html=(approval.folder / "email.html").read_bytes().decode(),
        text=(approval.folder / "email.txt").read_bytes().decode(),
        fields=approval.fields,
        spans=approval.spans,
        pictures={
            src: PictureFile(
                name=file.removeprefix("media/"),
                sha256=approval.files[file].removeprefix("sha256:"),
                size=(approval.folder / file).stat().st_size,
            )
            for file, src, _ in approval.images
        },
        own_text=TEXT_FILE in approval.sources,
    )


def keep_test(ws: Workspace, issue: str, digest: str, version: Version, sources: Mapping[str, str]) -> None:
    """Keep what a test is about to send; raises ``CannotWrite``, and then nothing should be sent."""
    kept = Kept(SCHEMA, issue, digest, version, sources)
    data = msgspec.json.encode(kept, enc_hook=dict, order="deterministic")  # a read-only mapping is one to us
    write_atomic(_file(ws, issue, digest), data, mode=0o600)


def load_test(ws: Workspace, issue: str, digest: str) -> Kept:
    """What a test sent, by the digest in its log; raises ``NotFound`` when it is not kept, ``BadData``."""
    file = _file(ws, issue, digest)
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=Kept)
    except FileNotFoundError:
        raise NotFound(
            "what this test sent is not kept any more",
            where=str(file),
            fix=f"compare with a later test; the newest {MOST_KEPT} of an issue are kept",
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadData(f"what this test sent cannot be read: {reason}", where=str(file), fix=_AGAIN + issue) from error
    if kept.schema != SCHEMA or kept.issue != issue or kept.digest != digest:
        raise BadData("this is not what the test sent", where=str(file), fix=_AGAIN + issue)
    return kept


def forget_tests(ws: Workspace, issue: str, keep: Collection[str]) -> None:
    """Delete what tests sent, except the digests in ``keep`` and files of the last hour. Never raises."""
    names = {_file(ws, issue, digest).name for digest in keep}
    young = time.time() - _LEAVE_ALONE
    with contextlib.suppress(OSError):
        for file in (ws.tests / issue).iterdir():
            if file.name not in names and file.stat().st_mtime < young:
                file.unlink()


_AGAIN = "send a new test: newsletter test "


def _file(ws: Workspace, issue: str, digest: str) -> Path:
    return ws.tests_dir(issue) / f"{digest.removeprefix('sha256:')}.json"


def _headers(subject: str, preheader: str, lang: str, facts: MessageFacts) -> dict[str, str | None]:
    return {
        "Subject": subject,
        "Preheader": preheader,
        "From": sender_of(facts),
        "Reply-To": facts.reply_to,
        "Language": lang,
        "List-Id": facts.list_id,
        "Public pages": facts.site_url,
    }


def _hash(path: Path) -> str:
    try:
        return sha256_hex(path.read_bytes())
    except OSError as error:
        raise BadData(f"the picture {path.name} cannot be read: {error.strerror}", where=str(path)) from error
