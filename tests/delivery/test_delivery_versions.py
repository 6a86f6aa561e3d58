"""What tests and approvals keep, so that a later state can be compared with it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.delivery import testsend
from newsletter.delivery.approval import MessageFacts, freeze, load_approval, outgoing_from_email, source_hashes
from newsletter.delivery.ports import Outcome
from newsletter.delivery.status import status
from newsletter.delivery.versions import (
    MOST_KEPT,
    forget_tests,
    keep_test,
    load_test,
    version_of_approval,
    version_of_email,
)
from newsletter.errors import BadData, GuardRefused, NotFound, RemoteError
from newsletter.message.version import Known
from newsletter.models import Email, EmailImage, MergeField, Span
from newsletter.store.clock import from_us

SLUG = "2026-11-27"
FACTS = MessageFacts("The Estuary", "desk@estuary.test", "l.estuary.test", reply_to="ed@estuary.test")


@pytest.fixture
def email(tmp_path: Path) -> Email:
    picture = tmp_path / "abc.jpg"
    picture.write_bytes(b"a picture")
    html = '<h2>Tide</h2><p>nlf0001q</p><img src="cid:abc.jpg@newsletter">'
    return Email(
        SLUG, "Tides", "pre", html, "nlf0002q", "en", "ltr", "weekly",
        fields=(MergeField("nlf0001q", "city", "here", "html"), MergeField("nlf0002q", "city", "", "text")),
        images=(EmailImage("abc.jpg", picture, "image/jpeg", "cid:abc.jpg@newsletter", 9, 600, 338, "tide"),),
        spans=(Span("tide", 0, len(html)),),
    )  # fmt: skip


@pytest.fixture
def issue(bench) -> Path:
    folder = bench.ws.issue_dir(SLUG)
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text("---\nsubject: Tides\n---\n")
    return folder


def digest_of(email: Email) -> str:
    return outgoing_from_email(email, FACTS, mailing="0" * 32, date=from_us(0)).digest


def test_a_test_is_kept_as_it_was(bench, issue: Path, email: Email) -> None:
    """HTML, text, inbox line, pictures by hash, findings, sources; for this account alone; nobody's values."""
    version = version_of_email(email, FACTS, originals={"tide": "o"}, findings=(Known("large", "warning", "81 KB"),))
    keep_test(bench.ws, SLUG, digest_of(email), version, source_hashes(issue))
    kept = load_test(bench.ws, SLUG, digest_of(email))
    assert kept.version == version
    assert set(kept.sources) == {"issue.md"}
    (file,) = bench.ws.tests_dir(SLUG).iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_bytes())["schema"] == "newsletter/tested/1"
    assert version.headers["From"] == "The Estuary <desk@estuary.test>"
    assert version.pictures["cid:abc.jpg@newsletter"].sha256 == hashlib.sha256(b"a picture").hexdigest()


def test_the_same_email_is_kept_once(bench, issue: Path, email: Email) -> None:
    """However many tests of it are sent."""
    for _ in range(3):
        keep_test(bench.ws, SLUG, digest_of(email), version_of_email(email, FACTS), {})
    assert len(list(bench.ws.tests_dir(SLUG).iterdir())) == 1


def test_what_is_old_and_not_wanted_is_forgotten(bench, issue: Path, email: Email) -> None:
    """The named digests stay, and so does what another process may have written just now."""
    digests = []
    for n in range(4):
        one = replace(email, subject=f"Tides {n}")
        digests.append(digest_of(one))
        keep_test(bench.ws, SLUG, digests[-1], version_of_email(one, FACTS), {})
    old = time.time() - 7_200
    for digest in digests[:3]:
        os.utime(bench.ws.tests_dir(SLUG) / f"{digest.removeprefix('sha256:')}.json", (old, old))
    forget_tests(bench.ws, SLUG, [digests[0]])
    load_test(bench.ws, SLUG, digests[0])
    load_test(bench.ws, SLUG, digests[3])
    for digest in digests[1:3]:
        with pytest.raises(NotFound, match="not kept any more"):
            load_test(bench.ws, SLUG, digest)
    forget_tests(bench.ws, "2020-01-01", [])


def test_a_damaged_or_foreign_file_is_refused_with_the_way_out(bench, issue: Path, email: Email) -> None:
    """It is never compared as if it were the test."""
    digest = digest_of(email)
    keep_test(bench.ws, SLUG, digest, version_of_email(email, FACTS), {})
    (file,) = bench.ws.tests_dir(SLUG).iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    with pytest.raises(BadData, match="cannot be read"):
        load_test(bench.ws, SLUG, digest)
    file.write_bytes(whole.replace(digest.encode(), b"sha256:other"))
    with pytest.raises(BadData, match="not what the test sent") as refused:
        load_test(bench.ws, SLUG, digest)
    assert refused.value.fix == f"send a new test: newsletter test {SLUG}"
    file.unlink()
    file.mkdir()
    with pytest.raises(BadData, match="cannot be read"):
        load_test(bench.ws, SLUG, digest)


def test_a_picture_that_is_gone_is_named(email: Email) -> None:
    email.images[0].path.unlink()
    with pytest.raises(BadData, match=r"abc\.jpg cannot be read"):
        version_of_email(email, FACTS)


def test_an_approval_is_the_version_that_it_froze(bench, issue: Path, email: Email) -> None:
    """The same as the email at that time, but for what only rendering knows; a changed file is refused."""
    now = version_of_email(email, FACTS)
    freeze(bench.ws, email, FACTS, approver="ada", now=from_us(bench.clock.us), zone="UTC")
    approval = load_approval(bench.ws, SLUG)
    then = version_of_approval(approval)
    assert approval.spans == email.spans
    assert (then.headers, then.html, then.text, then.fields, then.spans) == (
        now.headers, now.html, now.text, now.fields, now.spans,
    )  # fmt: skip
    assert {src: p.sha256 for src, p in then.pictures.items()} == {src: p.sha256 for src, p in now.pictures.items()}
    (issue / "approved" / "email.html").write_text("<p>other</p>")
    with pytest.raises(GuardRefused, match=r"email\.html is not the file that was approved"):
        version_of_approval(approval)


def test_an_approval_without_places_of_stories_is_read(bench, issue: Path, email: Email) -> None:
    """They are outside the digest: one that lacks them is as good as ever."""
    freeze(bench.ws, email, FACTS, approver="ada", now=from_us(bench.clock.us), zone="UTC")
    file = issue / "approved" / "approval.json"
    record = json.loads(file.read_bytes())
    del record["spans"]
    file.write_text(json.dumps(record))
    approval = load_approval(bench.ws, SLUG)
    assert (approval.spans, version_of_approval(approval).html) == ((), email.html)


def try_out(bench, scripted, email: Email, answer=lambda _a, _n: Outcome.ACCEPTED) -> None:
    outgoing = outgoing_from_email(email, FACTS, mailing="0" * 32, date=from_us(0))
    testsend.send_test(
        bench.store, scripted(answer), outgoing, ["me@mail.test"],
        values={}, site_url=None, actor="ada", now=bench.clock.now,
    )  # fmt: skip


def test_tests_are_found_by_number_and_by_having_arrived(bench, issue: Path, email: Email, scripted) -> None:
    """A test that nobody got is no test that an editor has seen."""
    assert testsend.last_arrived(bench.store, SLUG) is None
    with pytest.raises(NotFound) as none:
        testsend.find_test(bench.store, SLUG, 1)
    assert none.value.fix == f"newsletter test {SLUG}"
    try_out(bench, scripted, email)
    with pytest.raises(RemoteError):
        try_out(bench, scripted, replace(email, subject="Tides again"), lambda _a, _n: Outcome.REJECTED)
    last = testsend.last_arrived(bench.store, SLUG)
    assert last is not None
    assert (last.number, last.arrived, last.digest) == (1, True, digest_of(email))
    assert not testsend.find_test(bench.store, SLUG, 2).arrived
    with pytest.raises(NotFound, match="there is no test 3") as missing:
        testsend.find_test(bench.store, SLUG, 3)
    assert missing.value.fix == "the last one is test-2"


def test_the_latest_digests_are_listed_once_each(bench, issue: Path, email: Email, scripted) -> None:
    """Going back to an earlier email makes it the newest again."""
    other = replace(email, subject="Tides again")
    for one in (email, other, email):
        try_out(bench, scripted, one)
    assert testsend.tested_digests(bench.store, SLUG, MOST_KEPT) == [digest_of(email), digest_of(other)]
    assert testsend.tested_digests(bench.store, SLUG, 1) == [digest_of(email)]


def test_status_says_what_changed_since_the_last_test(bench, issue: Path, email: Email, scripted) -> None:
    """A draft by its files, an approval by its digest; without a test, or after the sending, nothing is said."""

    def changed() -> int | None:
        return status(bench.store, bench.ws, SLUG).changed_since

    assert changed() is None
    keep_test(bench.ws, SLUG, digest_of(email), version_of_email(email, FACTS), source_hashes(issue))
    try_out(bench, scripted, email)
    assert changed() is None
    (issue / "issue.md").write_text("---\nsubject: Floods\n---\n")
    assert changed() == 1
    freeze(bench.ws, email, FACTS, approver="ada", now=from_us(bench.clock.us), zone="UTC")
    assert changed() is None
    try_out(bench, scripted, replace(email, subject="Tides again"))
    assert changed() == 2
