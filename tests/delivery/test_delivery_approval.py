"""The approved bytes are the sent bytes, and a changed byte is noticed."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import approval as module
from newsletter.delivery.approval import (
    Approval,
    MessageFacts,
    edits_since,
    freeze,
    load_approval,
    outgoing_from_approval,
    outgoing_from_email,
    problems,
    remove_approval,
    verify,
)
from newsletter.errors import BadData, CannotWrite, GuardRefused, IllegalState, NotFound
from newsletter.models import Email, EmailImage, MergeField
from newsletter.workspace.paths import Workspace

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FACTS = MessageFacts("The Estuary", "desk@estuary.test", "<estuary.estuary.test>", site_url="https://estuary.test")


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path)
    folder = made.issue_dir("2026-11-27")
    (folder / "images").mkdir(parents=True)
    (folder / "issue.md").write_text("---\nsubject: Tides\n---\n")
    (folder / "harbour.md").write_text("A story")
    (folder / "images" / "harbour.jpg").write_bytes(b"jpeg")
    return made


@pytest.fixture
def email(tmp_path: Path) -> Email:
    picture = tmp_path / "built.jpg"
    picture.write_bytes(b"\xff\xd8 not really a picture")
    return Email(
        issue="2026-11-27",
        subject="Tides, nlf0001q",
        preheader="High water",
        html="<p>Höhe nlf0002q</p><img src='cid:a@x'>",
        text="Höhe nlf0003q",
        lang="en",
        dir="ltr",
        theme="weekly",
        fields=(MergeField("nlf0001q", "first_name", "reader", "subject"), MergeField("nlf0002q", "city", "", "html")),
        images=(
            EmailImage("a.jpg", picture, "image/jpeg", "cid:a@x", 10, 2, 2),
            EmailImage("b.jpg", picture, "image/jpeg", "https://estuary.test/m/b.jpg", 10, 2, 2),
        ),
    )


@pytest.fixture
def frozen(ws: Workspace, email: Email) -> Approval:
    return freeze(
        ws, email, FACTS, approver="ada", now=NOW, zone="Europe/London", send_at="2026-11-27T07:00", note="final"
    )


def test_the_folder_holds_the_bytes_and_the_record_says_what_they_are(frozen: Approval) -> None:
    """approval.json as documented; its digest can be recomputed by anybody with a JSON library and SHA-256."""
    record = json.loads((frozen.folder / "approval.json").read_text("utf-8"))
    assert record["schema"] == "newsletter/approval/1"
    assert (record["issue"], record["approver"], record["note"], record["segment"]) == (
        "2026-11-27", "ada", "final", None,
    )  # fmt: skip
    assert (record["approved_at"], record["send_at"], record["zone"]) == (
        "2026-11-23T12:00:00Z", "2026-11-27T07:00", "Europe/London",
    )  # fmt: skip
    assert record["message"]["from"] == "The Estuary <desk@estuary.test>"
    assert record["message"]["images"][0] == {"file": "media/a.jpg", "src": "cid:a@x", "content_type": "image/jpeg"}
    assert record["fields"][0] == {
        "token": "nlf0001q", "name": "first_name", "default": "reader", "context": "subject",
    }  # fmt: skip
    for name, wanted in record["files"].items():
        assert wanted == "sha256:" + hashlib.sha256((frozen.folder / name).read_bytes()).hexdigest()
    content = {part: record[part] for part in ("message", "fields", "files")}
    compact = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert record["digest"] == "sha256:" + hashlib.sha256(compact).hexdigest()
    assert sorted(p.name for p in frozen.folder.parent.iterdir()) == ["approved", "harbour.md", "images", "issue.md"]


def test_what_goes_out_is_made_of_the_frozen_files(frozen: Approval, email: Email) -> None:
    """Same bytes as approved; only pictures inside the mail travel as parts."""
    date = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)
    out = outgoing_from_approval(frozen, mailing="a" * 32, date=date)
    assert (out.html, out.text, out.subject) == (email.html, email.text, email.subject)
    assert (out.sender_name, out.sender_email, out.list_id) == ("The Estuary", FACTS.sender_email, FACTS.list_id)
    assert (out.digest, out.date, out.fields, out.lang) == (frozen.digest, date, email.fields, "en")
    assert [(p.content_id, p.name, p.content_type) for p in out.parts] == [("a@x", "a.jpg", "image/jpeg")]
    assert out.feedback_id == "2026-11-27:aaaaaaaa:newsletter:estuary-test"


def test_a_test_mail_carries_the_digest_that_approving_it_now_would_give(frozen: Approval, email: Email) -> None:
    """So the code in a test's subject names the very content that is approved later."""
    out = outgoing_from_email(email, FACTS, mailing="a" * 32, date=NOW)
    assert out.digest == frozen.digest
    assert out == outgoing_from_approval(frozen, mailing="a" * 32, date=NOW)
    assert outgoing_from_email(replace(email, text="x"), FACTS, mailing="a" * 32, date=NOW).digest != frozen.digest


def test_an_untouched_approval_has_no_problems(frozen: Approval) -> None:
    """Nor does reading it again change anything."""
    assert problems(frozen) == []
    verify(frozen)


@pytest.mark.parametrize("name", ["email.html", "email.txt", "media/a.jpg", "media/b.jpg"])
def test_one_changed_byte_refuses_the_sending_and_names_the_file(frozen: Approval, name: str) -> None:
    """Whichever file it is in."""
    file = frozen.folder / name
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(GuardRefused, match=f"approved bytes of 2026-11-27 were changed: {name}") as refused:
        outgoing_from_approval(frozen, mailing="a" * 32, date=NOW)
    assert "unapprove" in (refused.value.fix or "")


def test_a_missing_file_refuses_the_sending(frozen: Approval) -> None:
    """A file that is gone is a change like any other."""
    (frozen.folder / "email.txt").unlink()
    assert problems(frozen) == ["email.txt cannot be read: No such file or directory"]


@pytest.mark.parametrize("change", ["subject", "from", "images", "default"])
def test_a_changed_record_refuses_the_sending(ws: Workspace, frozen: Approval, change: str) -> None:
    """Subject, sender, pictures and merge fields are inside the digest."""
    file = frozen.folder / "approval.json"
    record = json.loads(file.read_text("utf-8"))
    if change == "default":
        record["fields"][0]["default"] = "you"
    elif change == "images":
        record["message"]["images"].pop()
    else:
        record["message"][change] = "Somebody Else <else@estuary.test>"
    file.write_text(json.dumps(record))
    with pytest.raises(GuardRefused, match="digest does not match"):
        verify(load_approval(ws, "2026-11-27"))


def test_approver_and_time_are_outside_the_digest(ws: Workspace, frozen: Approval) -> None:
    """What is said about the bytes is not the bytes."""
    file = frozen.folder / "approval.json"
    record = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(record | {"approver": "grace", "note": None, "send_at": None}))
    verify(load_approval(ws, "2026-11-27"))


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_digest_is_of_the_content_alone(one: str, other: str) -> None:
    """The same content gives the same digest in every mailing; other content another."""

    def digest(text: str, mailing: str) -> str:
        email = Email("x", text, "", text, text, "en", "ltr", "weekly")
        return outgoing_from_email(email, FACTS, mailing=mailing, date=NOW).digest

    assert digest(one, "a" * 32) == digest(one, "b" * 32)
    assert (digest(one, "a" * 32) == digest(other, "a" * 32)) == (one == other)


def test_a_file_swapped_after_the_check_is_refused(frozen: Approval, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verified once and changed before it is read: still refused."""
    calls = []

    def check(approval: Approval) -> None:
        calls.append(1)
        if len(calls) == 1:
            (frozen.folder / "email.html").write_text("swapped")

    monkeypatch.setattr(module, "verify", check)
    with pytest.raises(GuardRefused, match="changed while it was read"):
        outgoing_from_approval(frozen, mailing="a" * 32, date=NOW)


def test_a_file_that_vanishes_after_the_check_is_refused(frozen: Approval, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for a file that is gone."""
    monkeypatch.setattr(module, "verify", lambda approval: (frozen.folder / "email.txt").unlink(missing_ok=True))
    with pytest.raises(GuardRefused, match=r"email\.txt of 2026-11-27 changed"):
        outgoing_from_approval(frozen, mailing="a" * 32, date=NOW)


def test_an_approved_issue_is_not_approved_again(ws: Workspace, frozen: Approval, email: Email) -> None:
    """The first approval stands until it is taken back."""
    with pytest.raises(IllegalState) as refused:
        freeze(ws, email, FACTS, approver="eve", now=NOW, zone="UTC")
    assert refused.value.fix == "newsletter unapprove 2026-11-27"
    assert load_approval(ws, "2026-11-27").approver == "ada"


def test_two_editors_who_approve_at_once_get_one_approval(
    ws: Workspace, email: Email, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rename decides; the other one is told, and leaves nothing behind."""
    original = module.load_approval
    write = module.write_atomic
    raced = []

    def racing(path: Path, data: bytes | str, mode: int = 0o644) -> None:
        if not raced:
            raced.append(1)
            freeze(ws, email, FACTS, approver="first", now=NOW, zone="UTC")
        write(path, data, mode)

    monkeypatch.setattr(module, "write_atomic", racing)
    with pytest.raises(IllegalState, match="somebody else"):
        freeze(ws, email, FACTS, approver="second", now=NOW, zone="UTC")
    assert original(ws, "2026-11-27").approver == "first"
    assert not list(ws.issue_dir("2026-11-27").glob(".approved*"))


def test_a_full_disk_leaves_no_half_approval(ws: Workspace, email: Email, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing under approved/, nothing beside it."""
    before = sorted(ws.issue_dir("2026-11-27").rglob("*"))
    monkeypatch.setattr(module, "make_folder", lambda path, mode=0o755: Path("/nonexistent/x").mkdir())
    with pytest.raises(CannotWrite):
        freeze(ws, email, FACTS, approver="ada", now=NOW, zone="UTC")
    assert sorted(ws.issue_dir("2026-11-27").rglob("*")) == before


def test_the_debris_of_a_crash_is_swept_up(ws: Workspace, email: Email) -> None:
    """A process killed while it froze leaves a folder that nobody takes for an approval."""
    debris = ws.issue_dir("2026-11-27") / ".approved-deadbeef.tmp"
    debris.mkdir()
    (debris / "email.html").write_text("half")
    with pytest.raises(IllegalState):
        load_approval(ws, "2026-11-27")
    freeze(ws, email, FACTS, approver="ada", now=NOW, zone="UTC")
    assert not debris.exists()


def test_unapproving_takes_the_folder_away(ws: Workspace, frozen: Approval) -> None:
    """In one step; twice is fine."""
    remove_approval(ws, "2026-11-27")
    remove_approval(ws, "2026-11-27")
    assert not frozen.folder.exists()
    assert not list(ws.state.glob("unapproved*"))
    with pytest.raises(IllegalState, match="not approved"):
        load_approval(ws, "2026-11-27")


def test_an_approval_that_cannot_be_moved_says_so(
    ws: Workspace, frozen: Approval, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And stands as it was."""

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(CannotWrite, match="take the approval away"):
        remove_approval(ws, "2026-11-27")
    assert problems(frozen) == []


def test_a_picture_that_is_gone_stops_the_approval(ws: Workspace, email: Email) -> None:
    """Nothing is frozen without one of its pictures."""
    email.images[0].path.unlink()
    with pytest.raises(BadData, match=r"a\.jpg cannot be read"):
        freeze(ws, email, FACTS, approver="ada", now=NOW, zone="UTC")


@pytest.mark.parametrize("name", ["../x.jpg", "a/b.jpg", "", "..", "a\\b"])
def test_a_picture_name_cannot_leave_the_folder(ws: Workspace, email: Email, name: str) -> None:
    """Neither when it is written …"""
    bad = replace(email, images=(replace(email.images[0], name=name),))
    with pytest.raises(BadData, match="cannot hold a file"):
        freeze(ws, bad, FACTS, approver="ada", now=NOW, zone="UTC")


def damage(key: str) -> Callable[[dict[str, object]], object]:
    return lambda record: record.pop(key)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (damage("digest"), "this is no approval"),
        (damage("message"), "this is no approval"),
        (lambda r: r.update(schema="newsletter/approval/2"), "another form"),
        (lambda r: r.update(issue="2026-12-04"), "approval of 2026-12-04"),
        (lambda r: r["files"].pop("email.txt"), r"does not list email\.txt"),
        (lambda r: r["files"].pop("media/a.jpg"), r"does not list media/a\.jpg"),
        (lambda r: r["files"].update({"../../keys.json": "sha256:00"}), "cannot hold a file"),
        (lambda r: r["fields"][0].update(context="css"), "this is no approval"),
    ],
)
def test_a_record_that_is_no_approval_is_refused(
    ws: Workspace, frozen: Approval, spoil: Callable[[dict[str, object]], object], words: str
) -> None:
    """… nor when it is read: only the files of this folder are ever opened."""
    file = frozen.folder / "approval.json"
    record = json.loads(file.read_text("utf-8"))
    spoil(record)
    file.write_text(json.dumps(record))
    with pytest.raises(BadData, match=words) as refused:
        load_approval(ws, "2026-11-27")
    assert refused.value.where or "media" in words


def test_a_record_that_is_not_even_json_is_refused(ws: Workspace, frozen: Approval) -> None:
    """Nor is a folder in its place a crash."""
    (frozen.folder / "approval.json").write_bytes(b"\xff{")
    with pytest.raises(BadData, match="no approval"):
        load_approval(ws, "2026-11-27")
    (frozen.folder / "approval.json").unlink()
    (frozen.folder / "approval.json").mkdir()
    with pytest.raises(BadData, match="cannot read the approval"):
        load_approval(ws, "2026-11-27")


def test_an_unknown_issue_is_not_found(ws: Workspace) -> None:
    """An issue without a folder and one without an approval are two things."""
    with pytest.raises(NotFound):
        load_approval(ws, "2026-12-04")


def test_hand_edits_after_the_approval_are_named(ws: Workspace, frozen: Approval) -> None:
    """Changed, added and removed files; none of them touches what is sent."""
    assert edits_since(frozen) == []
    folder = ws.issue_dir("2026-11-27")
    (folder / "issue.md").write_text("---\nsubject: Other\n---\n")
    (folder / "late.md").write_text("late")
    (folder / "images" / "harbour.jpg").unlink()
    assert edits_since(frozen) == ["images/harbour.jpg", "issue.md", "late.md"]
    verify(frozen)


def test_files_that_cannot_be_read_are_said(ws: Workspace, frozen: Approval, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreadable article is no traceback."""

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(BadData, match="Permission denied"):
        edits_since(frozen)


def test_a_sender_without_a_name_comes_back_without_one(ws: Workspace, email: Email) -> None:
    """The From of the record is split where it was joined."""
    bare = MessageFacts("", "desk@estuary.test", "<l.estuary.test>")
    frozen = freeze(ws, email, bare, approver="ada", now=NOW, zone="UTC")
    assert frozen.facts == bare
    remove_approval(ws, "2026-11-27")
    odd = MessageFacts('Ada "<x>" Lovelace', "desk@estuary.test", "<l.estuary.test>", reply_to="r@estuary.test")
    assert freeze(ws, email, odd, approver="ada", now=NOW, zone="UTC").facts == odd


def test_the_folder_can_be_read_by_whoever_reads_the_issue(frozen: Approval) -> None:
    """Approvals are committed to git by a colleague, too."""
    assert stat.S_IMODE(frozen.folder.stat().st_mode) == stat.S_IMODE(frozen.folder.parent.stat().st_mode)
