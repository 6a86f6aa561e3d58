"""The outbox is a proper Maildir: whole messages, each once, whatever happens on the way."""

from __future__ import annotations

import errno
import mailbox
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery.ports import Outcome
from newsletter.errors import BadData, ConfigurationError
from newsletter.message.compile import compile_message
from newsletter.providers import outbox as module
from newsletter.providers.outbox import OutboxProvider
from newsletter.providers.registry import create_provider


@pytest.fixture
def outbox(tmp_path: Path) -> OutboxProvider:
    found = create_provider("outbox", {"path": str(tmp_path / "state" / "outbox")})
    assert isinstance(found, OutboxProvider)
    return found


def files(outbox: OutboxProvider, folder: str = "new") -> list[Path]:
    return sorted((outbox.path / folder).iterdir())


def test_each_mail_is_a_whole_file_that_a_mail_reader_opens(outbox: OutboxProvider, mail: Any) -> None:
    batch = mail.batch(1, 2)
    results = outbox.submit(batch)
    compiled = compile_message(batch.outgoing)
    assert [r.outcome for r in results] == [Outcome.ACCEPTED] * 2
    assert [r.key for r in results] == [a.key for a in batch.recipients]
    assert [r.provider_id for r in results] == [path.name for path in files(outbox)]
    assert [path.read_bytes() for path in files(outbox)] == [compiled.splice(a) for a in batch.recipients]
    assert files(outbox, "tmp") == files(outbox, "cur") == []
    box = mailbox.Maildir(outbox.path, create=False)
    assert sorted(str(message["To"]) for message in box) == ["reader1@post.example", "reader2@post.example"]
    box.close()


def test_mail_is_for_its_owner_alone(outbox: OutboxProvider, mail: Any) -> None:
    outbox.submit(mail.batch(1))
    assert stat.S_IMODE(outbox.path.joinpath("new").stat().st_mode) == 0o700
    assert stat.S_IMODE(files(outbox)[0].stat().st_mode) == 0o600


def test_the_same_delivery_again_has_no_second_effect(outbox: OutboxProvider, mail: Any) -> None:
    """Neither in new/ nor where a mail reader has moved and flagged it, and from another process too."""
    batch = mail.batch(1, 2)
    outbox.submit(batch)
    first = files(outbox)[0]
    first.rename(outbox.path / "cur" / f"{first.name}:2,S")
    for again in (outbox, OutboxProvider(outbox.path)):
        assert [r.outcome for r in again.submit(batch)] == [Outcome.ACCEPTED] * 2
        assert len(files(outbox)) == 1
        assert len(files(outbox, "cur")) == 1


def test_a_mail_that_is_moved_between_two_batches_is_seen(outbox: OutboxProvider, mail: Any) -> None:
    """The list of cur/ is kept only while the folder certainly did not change."""
    batch = mail.batch(1)
    outbox.submit(batch)
    assert outbox._seen is None, "the folder is new: it may change again within the same tick of its clock"
    old = outbox.path.joinpath("cur").stat().st_mtime - 100
    os.utime(outbox.path / "cur", (old, old))
    outbox.submit(batch)
    listed = outbox._seen
    assert listed is not None
    outbox.submit(batch)
    assert outbox._seen is listed, "nothing changed: not listed again"
    (name,) = files(outbox)
    name.rename(outbox.path / "cur" / name.name)
    outbox.submit(batch)
    assert files(outbox) == []


def test_a_full_disk_leaves_no_half_file(outbox: OutboxProvider, mail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mails before it stay, the one that did not fit can be tried again."""
    room = iter([None, OSError(errno.ENOSPC, "No space left on device"), None])
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and (error := next(room)):
            raise error
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    results = outbox.submit(mail.batch(1, 2, 3))
    assert [r.outcome for r in results] == [Outcome.ACCEPTED, Outcome.RETRY, Outcome.ACCEPTED]
    assert "No space left" in results[1].detail
    assert results[1].retry_after == 60.0
    assert len(files(outbox)) == 2
    assert files(outbox, "tmp") == []


def test_a_name_that_is_not_durable_is_not_accepted(
    outbox: OutboxProvider, mail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module, "_sync_folder", fails)
    results = outbox.submit(mail.batch(mail.addressed(1, "no address"), mail.addressed(2)))
    assert [r.outcome for r in results] == [Outcome.REJECTED, Outcome.RETRY]


def test_a_folder_that_cannot_be_made_needs_a_person(tmp_path: Path, mail: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    outbox = OutboxProvider(tmp_path / "file" / "outbox")
    assert {r.outcome for r in outbox.submit(mail.batch(1, 2))} == {Outcome.FAILED}
    (problem,) = outbox.check()
    assert "cannot be written" in problem


def test_what_cannot_be_mailed_is_refused_alone_or_for_all(outbox: OutboxProvider, mail: Any) -> None:
    people = (mail.addressed(1, "no address"), replace(mail.addressed(2), key="../up"), mail.addressed(3))
    results = outbox.submit(mail.batch(*people))
    assert [r.outcome for r in results] == [Outcome.REJECTED, Outcome.REJECTED, Outcome.ACCEPTED]
    assert {r.outcome for r in outbox.submit(mail.batch(4, 5, sender_email="nobody"))} == {Outcome.FAILED}


def test_addresses_beyond_ascii_are_shown_as_they_are(outbox: OutboxProvider, mail: Any) -> None:
    batch = mail.batch(mail.addressed(1, "jürgen@bücher.example"))
    assert [r.outcome for r in outbox.submit(batch)] == [Outcome.ACCEPTED]
    assert "\r\nTo: jürgen@xn--bcher-kva.example\r\n".encode() in files(outbox)[0].read_bytes()


def test_preview_is_what_submit_writes(outbox: OutboxProvider, mail: Any) -> None:
    batch = mail.batch(1)
    (wire,) = outbox.preview(batch)
    assert not outbox.path.exists(), "looking writes nothing"
    outbox.submit(batch)
    assert files(outbox)[0].read_bytes() == wire.body
    assert (wire.media_type, wire.target) == ("message/rfc822", str(outbox.path / "new"))


def test_check_leaves_nothing_behind(outbox: OutboxProvider) -> None:
    assert outbox.check() == []
    assert [files(outbox, folder) for folder in ("tmp", "new", "cur")] == [[], [], []]
    outbox.close()


def test_the_outbox_is_local_and_honours_our_key(outbox: OutboxProvider) -> None:
    found = outbox.capabilities
    assert (found.local, found.idempotency, found.max_batch, found.keeps_message_id) == (True, True, 100, True)
    with pytest.raises(BadData, match="no events"):
        outbox.parse_events(b"", {})
    assert "state/outbox" in repr(outbox)


@pytest.mark.parametrize("options", [{}, {"path": ""}, {"path": 5}, {"path": "a", "folder": "b"}])
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        create_provider("outbox", options)
