"""``demo``: the whole way of the sample issue, for real, on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from newsletter.app.approve import approve_issue
from newsletter.app.audience import import_readers
from newsletter.app.build import build_issue
from newsletter.app.check import check_issue
from newsletter.app.desk import open_desk
from newsletter.app.send import send_issue
from newsletter.app.words import plural
from newsletter.issues.summaries import list_issues
from newsletter.workspace.create import create_demo
from newsletter.workspace.files import write_atomic

# People who do not exist, at a domain that cannot (RFC 2606).
_READERS = """email,first_name,city
amina@readers.example,Amina,Saltmouth
bram@readers.example,Bram,Rotterdam
chidi@readers.example,Chidi,Lagos
dora@readers.example,Dora,Budapest
eleri@readers.example,Eleri,Aberystwyth
farid@readers.example,Farid,Lahore
grace@readers.example,,Saltmouth
hanna@readers.example,Hanna,Oulu
ines@readers.example,Inês,Setúbal
joao@readers.example,João,Porto
kerry@readers.example,Kerry,Staithe
zoë@readers.example,Zoë,Ghent
not an address,Nobody,Nowhere
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Where to look. ``mails`` are the files in the outbox."""

    workspace: Path
    issue: str
    sentence: str
    html: Path
    text: Path
    outbox: Path
    mails: int


def run_demo(folder: Path | None, *, say: Callable[[str], None]) -> Demo:
    """Copy the sample workspace to ``folder`` (default: a new temporary one), build, check, approve and send it.

    ``folder`` must be absent or empty: nothing is overwritten.
    """
    target = folder or Path(tempfile.mkdtemp(prefix="newsletter-demo-")) / "sample"
    workspace = create_demo(target.resolve())
    say(f"A copy of the sample publication: {workspace.root}")
    readers = workspace.root / "readers.csv"
    write_atomic(readers, _READERS)
    with open_desk(workspace.root) as desk:
        issue = list_issues(workspace)[0].slug
        imported = import_readers(desk, readers, mapping={}, basis="invented for the demo")
        say(f"Imported {plural(imported.report.added, 'reader')}: {imported.lines()[0]}")
        built = build_issue(desk, issue)
        say(f"Built {issue} in {built.seconds:.2f} s: {built.kilobytes:.1f} KB, {plural(built.images, 'image')}")
        findings = check_issue(desk, issue).findings
        say(f"Checked it: {plural(len(findings), 'finding')}")
        approved = approve_issue(desk, issue, send_at=None, approver="the demo")
        say(f"Approved it: {approved.approval.digest[:19]}…")
        sent = send_issue(desk, issue)
        say("Sent it to everybody, into the outbox.")
        outbox = workspace.root / desk.config.provider.outbox.path
        mails = sum(1 for _ in (outbox / "new").iterdir())
    return Demo(
        workspace=workspace.root,
        issue=issue,
        sentence=f"{issue} {sent.state}: {sent.sentence}",
        html=built.folder / "email.html",
        text=built.folder / "email.txt",
        outbox=outbox,
        mails=mails,
    )
