"""What an editor is told and may say: test mails, the closing sum, the uncertain."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import ledger, mailings
from newsletter.delivery.approval import outgoing_from_approval, remove_approval
from newsletter.delivery.ports import Outcome
from newsletter.delivery.reconcile import list_uncertain, settle
from newsletter.delivery.run_due import run_due
from newsletter.delivery.status import all_statuses, status, sum_sentence
from newsletter.delivery.testsend import last_tests, send_test
from newsletter.errors import BadData, IllegalState, NotFound, RemoteError, UsageProblem

SLUG = "2026-11-27"


# -- test mails -------------------------------------------------------------------------------------------------


@pytest.fixture
def try_out(bench):
    def run(provider, *receivers: str, **changes: object):
        approval = bench.approval or bench.approve(site="https://estuary.test")
        outgoing = outgoing_from_approval(approval, mailing="a" * 32, date=datetime(2026, 11, 27, tzinfo=UTC))
        values = {"values": {"first_name": "Ada"}, "site_url": "https://estuary.test", "actor": "ada"}
        return send_test(bench.store, provider, outgoing, receivers, now=bench.clock.now, **{**values, **changes})

    return run


def test_a_test_mail_is_marked_counted_and_outside_the_ledger(bench, try_out, scripted) -> None:
    """The third test is called 3, with the code of the very email; nothing of it is in the ledger."""
    provider = scripted()
    for _ in range(2):
        try_out(provider, "me@mail.test")
    sent = try_out(provider, "me@mail.test", "you@mail.test", "me@mail.test")
    code = bench.approval.digest.removeprefix("sha256:")[:4]
    assert (sent.number, sent.code, sent.subject) == (3, code, f"[TEST 3 · {code}] Tides")
    assert provider.batches[-1].outgoing.subject == sent.subject
    assert [(r.address, r.accepted) for r in sent.receipts] == [("me@mail.test", True), ("you@mail.test", True)]
    assert bench.rows("select count(*) from delivery") == [(0,)]
    assert [(t.number, len(t.receipts)) for t in last_tests(bench.store, SLUG, 2)] == [(3, 2), (2, 1)]


def test_the_links_of_a_test_mail_unsubscribe_nobody(bench, try_out, scripted) -> None:
    """No signed token, no one-click header; real values otherwise."""
    provider = scripted()
    try_out(provider, "me@mail.test")
    (reader,) = provider.batches[0].recipients
    assert reader.values["first_name"] == "Ada"
    assert reader.values["unsubscribe_url"] == "https://estuary.test/u/test"
    assert [name for name, _ in reader.headers] == ["List-Unsubscribe"]
    try_out(provider, "me@mail.test", site_url=None)
    assert provider.batches[1].recipients[0].headers == ()
    assert "unsubscribe_url" not in provider.batches[1].recipients[0].values


def test_an_exact_test_has_the_true_subject(bench, try_out, scripted) -> None:
    """For the last look."""
    assert try_out(scripted(), "me@mail.test", exact=True).subject == "Tides"


def test_a_receiver_that_is_refused_is_named_with_the_reason(bench, try_out, scripted) -> None:
    """Exit 69; the others got theirs and the log says both. Silence is not success."""
    told = {"bad@mail.test": Outcome.REJECTED, "mute@mail.test": None}
    with pytest.raises(RemoteError) as refused:
        try_out(
            scripted(lambda a, _n: told.get(a, Outcome.ACCEPTED)), "ok@mail.test", "bad@mail.test", "mute@mail.test"
        )
    assert "2 of 3" in refused.value.what
    assert "bad@mail.test: rejected (said rejected)" in refused.value.what
    assert "mute@mail.test: unknown" in refused.value.what
    assert "1 accepted" in refused.value.what
    assert bench.rows("select address, outcome from test_send order by id") == [
        ("ok@mail.test", "accepted"), ("bad@mail.test", "rejected"), ("mute@mail.test", "unknown"),
    ]  # fmt: skip


def test_a_provider_that_breaks_off_leaves_the_test_logged_as_unknown(bench, try_out, scripted) -> None:
    """And every receiver refused says so without a count of those who were not."""
    with pytest.raises(ValueError, match="bug"):
        try_out(scripted(lambda _a, _n: ValueError("bug")), "me@mail.test")
    assert bench.rows("select outcome from test_send") == [("unknown",)]
    with pytest.raises(RemoteError) as refused:
        try_out(scripted(lambda _a, _n: Outcome.FAILED), "me@mail.test")
    assert "accepted" not in refused.value.what.replace("not accepted", "")


@pytest.mark.parametrize("count", [0, 21])
def test_a_test_has_a_few_receivers(try_out, scripted, count: int) -> None:
    """Nobody, or an audience, is no test."""
    with pytest.raises(UsageProblem):
        try_out(scripted(), *[f"r{n}@mail.test" for n in range(count)])


# -- the sum ----------------------------------------------------------------------------------------------------


def test_the_sum_is_one_sentence() -> None:
    """Large numbers are readable; open states are said in words; a sum that does not close says so."""
    assert sum_sentence(10_000, {"submitted": 9_981, "excluded": 12, "uncertain": 7}) == (
        "10,000 = 9,981 submitted + 12 excluded + 7 uncertain"
    )
    assert sum_sentence(6, {"pending": 1, "claimed": 1, "submitting": 2, "retry_wait": 1, "failed": 1}) == (
        "6 = 1 failed + 2 pending + 2 in flight + 1 waiting for another try"
    )
    assert sum_sentence(3, {"submitted": 2}) == "3 planned, but 2 found: 2 submitted"
    assert sum_sentence(0, {}) == "0 = 0"


@given(st.dictionaries(st.sampled_from([*ledger.SETTLED, *ledger.OPEN]), st.integers(0, 99)), st.integers(0, 300))
def test_a_sum_closes_only_when_everybody_planned_is_settled(tally: dict[str, int], planned: int) -> None:
    """No open row, nobody too many, nobody missing."""
    settled = sum(tally.get(state, 0) for state in ledger.SETTLED)
    still_open = sum(tally.get(state, 0) for state in ledger.OPEN)
    assert ledger.closes(tally, planned) == (settled == planned and not still_open)
    assert not ledger.closes(tally, None)


def test_status_of_a_draft_an_approval_and_a_schedule(bench, scripted) -> None:
    """Each says what it waits for; an unknown issue is an error."""
    with pytest.raises(NotFound):
        status(bench.store, bench.ws, "2020-01-01")
    bench.ws.issue_dir(SLUG).mkdir(parents=True)
    assert status(bench.store, bench.ws, SLUG).sentence == "not approved"
    bench.approve()
    now = status(bench.store, bench.ws, SLUG)
    assert (now.state, now.approved, now.sentence) == ("approved", True, "approved; newsletter send sends it")
    remove_approval(bench.ws, SLUG)
    bench.scheduled(in_seconds=3600)
    now = status(bench.store, bench.ws, SLUG)
    assert now.sentence == "scheduled for 2026-11-27 08:00 (UTC)"
    assert not now.needs_editor
    assert not now.closes
    mailings.hold(bench.store, bench.mailing(), "late", "it was due", 1)
    now = status(bench.store, bench.ws, SLUG)
    assert (now.sentence, now.needs_editor) == ("held: late: it was due", True)
    assert now.why == "it was due"
    mailings.cancel(bench.store, SLUG, actor="ada", now=bench.clock.us)
    assert status(bench.store, bench.ws, SLUG).sentence == "cancelled on 2026-11-27, 0 submitted"
    with bench.store.write() as conn:
        conn.exec_driver_sql("update mailing set state = 'planning', finished_at = null")
    assert "frozen" in status(bench.store, bench.ws, SLUG).sentence


def test_status_of_a_sent_issue_closes_and_names_edits_and_tampering(bench, scripted) -> None:
    """The sum, the reasons, what was edited since, what was changed that must not be."""
    bench.readers(3)
    bench.scheduled()
    told = {"reader0@mail.test": Outcome.REJECTED}
    run_due(bench.work(scripted(lambda a, _n: told.get(a, Outcome.ACCEPTED))))
    now = status(bench.store, bench.ws, SLUG)
    assert (now.state, now.sentence, now.closes) == ("completed", "3 = 2 submitted + 1 rejected", True)
    assert now.reasons == (("rejected", "said rejected", 1),)
    assert (now.edits, now.tampered, now.needs_editor, now.approver) == ((), (), False, "ada")
    (bench.ws.issue_dir(SLUG) / "issue.md").write_text("edited")
    (bench.approval.folder / "email.txt").write_text("edited")
    now = status(bench.store, bench.ws, SLUG)
    assert now.edits == ("issue.md",)
    assert now.tampered == ("email.txt is not the file that was approved",)
    assert now.needs_editor
    (bench.approval.folder / "approval.json").write_text("{}")
    now = status(bench.store, bench.ws, SLUG)
    assert not now.approved
    assert now.tampered[0].startswith("this is no approval")
    assert [row.sentence for row in all_statuses(bench.store)] == ["3 = 2 submitted + 1 rejected"]


def test_a_damaged_approval_without_a_mailing_is_shown(bench) -> None:
    """``status`` never fails because of what it is there to show."""
    bench.approve()
    (bench.approval.folder / "approval.json").write_text("[]")
    now = status(bench.store, bench.ws, SLUG)
    assert (now.state, now.approved, bool(now.tampered)) == ("approved", False, True)


def test_released_is_no_reason_to_show(bench) -> None:
    """An internal word stays internal; an approved time is shown before it is scheduled."""
    bench.scheduled(in_seconds=60)
    mailings.hold(bench.store, bench.mailing(), "late", "x", 1)
    mailings.resume(bench.store, SLUG, actor="ada", now=1)
    assert status(bench.store, bench.ws, SLUG).reason is None


# -- the uncertain ----------------------------------------------------------------------------------------------


@pytest.fixture
def uncertain(bench, scripted):
    """Four readers, two of them uncertain, the mailing completed."""
    bench.readers(4)
    bench.scheduled()
    lost = {"reader1@mail.test", "reader2@mail.test"}
    run_due(bench.work(scripted(lambda a, _n: Outcome.UNKNOWN if a in lost else Outcome.ACCEPTED)))
    assert bench.states() == {"submitted": 2, "uncertain": 2}
    return bench


def test_the_uncertain_are_listed_and_settled_by_the_editors_word(uncertain) -> None:
    """Address, when, why; what arrived is submitted, with whose word it is."""
    rows = list_uncertain(uncertain.store, SLUG)
    assert [(r.address, r.detail) for r in rows] == [
        ("reader1@mail.test", "said unknown"), ("reader2@mail.test", "said unknown"),
    ]  # fmt: skip
    done = settle(uncertain.store, SLUG, "went_out", ["Reader1@MAIL.test"], actor="ada", now=7)
    assert (done.settled, done.left, done.state) == (1, 1, "completed")
    assert uncertain.rows("select reason from delivery where updated_at = 7") == [("editor's word",)]
    assert settle(uncertain.store, SLUG, "went_out", None, actor="ada", now=8).left == 0
    assert settle(uncertain.store, SLUG, "went_out", None, actor="ada", now=9).settled == 0
    assert uncertain.states() == {"submitted": 4}
    assert uncertain.rows("select count(*) from audit where action = 'reconcile'") == [(2,)]


def test_sending_again_opens_the_mailing_and_keeps_the_key(uncertain, scripted) -> None:
    """The next run-due sends exactly those, under the same delivery key, and completes again."""
    keys = [row.key for row in list_uncertain(uncertain.store, SLUG)]
    assert settle(uncertain.store, SLUG, "send_again", None, actor="ada", now=1).state == "sending"
    provider = scripted()
    assert run_due(uncertain.work(provider)).runs[0].state == "completed"
    assert [r.key for b in provider.batches for r in b.recipients] == keys
    assert uncertain.states() == {"submitted": 4}


def test_an_address_that_is_not_uncertain_settles_nothing(uncertain) -> None:
    """All or nothing: one wrong address and the right one is untouched."""
    with pytest.raises(NotFound, match=r"reader0@mail\.test"):
        settle(uncertain.store, SLUG, "went_out", ["reader1@mail.test", "reader0@mail.test"], actor="a", now=1)
    with pytest.raises(NotFound, match="nonsense"):
        settle(uncertain.store, SLUG, "went_out", ["nonsense"], actor="a", now=1)
    assert uncertain.states()["uncertain"] == 2


def test_a_cancelled_mailing_sends_nothing_again(uncertain) -> None:
    """But its uncertain ones may still be settled as gone out."""
    with uncertain.store.write() as conn:
        conn.exec_driver_sql("update mailing set state = 'cancelled'")
    with pytest.raises(IllegalState, match="cancelled"):
        settle(uncertain.store, SLUG, "send_again", None, actor="ada", now=1)
    assert settle(uncertain.store, SLUG, "went_out", None, actor="ada", now=1).settled == 2


def test_an_issue_without_a_mailing_has_nothing_uncertain(bench) -> None:
    """Nothing to list, nothing to settle, no crash."""
    assert list_uncertain(bench.store, SLUG) == []
    assert settle(bench.store, SLUG, "went_out", None, actor="ada", now=1).state == "none"


def test_a_bad_slug_is_no_status(bench) -> None:
    """``..`` is refused before any file is looked at."""
    with pytest.raises(BadData):
        status(bench.store, bench.ws, "../x")
