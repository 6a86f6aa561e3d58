"""What a provider's answers mean for the ledger, whatever they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.outcomes import RetryPolicy, Window, judge, unanswered
from newsletter.delivery.ports import Outcome, Result

POLICY = RetryPolicy()
NOW = 1_700_000_000_000_000


def window(*tries: int) -> Window:
    return Window({f"k{i}": (i + 1, n) for i, n in enumerate(tries)})


def judged(win: Window, results: list[Result], *, idempotent: bool = False, patient: bool = True):
    return judge(win, results, policy=POLICY, idempotent=idempotent, patient=patient, now=NOW, dice=lambda: 0.5)


answers = st.builds(
    Result,
    key=st.sampled_from(["k0", "k1", "k2", "k3", "stranger"]),
    outcome=st.sampled_from(Outcome),
    detail=st.text(max_size=5),
    retry_after=st.none() | st.floats(0, 1e4),
)


@given(st.lists(answers, max_size=6), st.lists(st.integers(0, 6), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_every_recipient_of_a_window_gets_exactly_one_change(
    results: list[Result], tries: list[int], idempotent: bool, patient: bool
) -> None:
    """Whatever comes back – too little, too much, strangers – each row moves once, and only where it may."""
    win = window(*tries)
    verdict = judged(win, results, idempotent=idempotent, patient=patient)
    assert [c.id for c in verdict.changes] == [row for row, _ in win.rows.values()]
    said = {r.key: r.outcome for r in results}
    for key, change in zip(win.rows, verdict.changes, strict=True):
        kind = said.get(key, Outcome.UNKNOWN)
        allowed = {
            Outcome.ACCEPTED: {"submitted"},
            Outcome.REJECTED: {"rejected"},
            Outcome.RETRY: {"retry_wait", "failed"},
            Outcome.FAILED: {"retry_wait", "failed", "pending"},
            Outcome.UNKNOWN: {"uncertain", "retry_wait"} if idempotent else {"uncertain"},
        }[kind]
        assert change.state in allowed
        assert (change.next_try_at is not None) == (change.state == "retry_wait")
        assert (change.state == "pending") == (verdict.refused is not None)


def test_silence_about_a_recipient_is_uncertain_and_never_a_no() -> None:
    """A provider that forgets somebody has perhaps sent to them."""
    verdict = judged(window(0, 0), [Result("k0", Outcome.ACCEPTED)])
    assert [c.state for c in verdict.changes] == ["submitted", "uncertain"]


def test_an_unknown_outcome_goes_again_only_where_the_provider_honours_our_key() -> None:
    """And even there it ends as uncertain, not as failed, when the answers stay away."""
    unknown = [Result("k0", Outcome.UNKNOWN, "timeout")]
    assert judged(window(0), unknown).changes[0].state == "uncertain"
    assert judged(window(0), unknown, idempotent=True).changes[0].state == "retry_wait"
    assert judged(window(4), unknown, idempotent=True).changes[0].state == "uncertain"


def test_a_refusal_of_the_whole_window_is_about_us_and_costs_nobody_a_try() -> None:
    """A wrong password must not burn the list."""
    verdict = judged(window(2, 3), [Result(f"k{i}", Outcome.FAILED, "535 authentication failed") for i in (0, 1)])
    assert verdict.refused == "535 authentication failed"
    assert [(c.state, c.tries) for c in verdict.changes] == [("pending", 2), ("pending", 3)]


def test_a_refusal_of_a_part_waits_and_then_fails() -> None:
    """What is definite but odd is tried again a few times before it is given up."""
    mixed = [Result("k0", Outcome.ACCEPTED), Result("k1", Outcome.FAILED, "552 too large")]
    assert judged(window(0, 0), mixed).changes[1].state == "retry_wait"
    last = judged(window(0, 4), mixed).changes[1]
    assert (last.state, last.reason) == ("failed", "gave up after 5 tries: 552 too large")


def test_a_window_that_is_put_off_as_a_whole_holds_the_sender_and_counts_only_when_patience_ends() -> None:
    """A mail server that is down for an hour fails nobody; one that is down for a day does."""
    later = [Result(f"k{i}", Outcome.RETRY, "421 closing", retry_after=30 * i) for i in (0, 1)]
    verdict = judged(window(4, 4), later)
    assert (verdict.put_off, verdict.retry_after) == (True, 30)
    assert [(c.state, c.tries) for c in verdict.changes] == [("retry_wait", 4)] * 2
    assert [c.state for c in judged(window(4, 4), later, patient=False).changes] == ["failed"] * 2
    assert not judged(window(0), [Result("k0", Outcome.RETRY)]).put_off, "one recipient says nothing of the provider"


def test_waits_grow_and_the_provider_may_ask_for_more() -> None:
    """1, 4, 16, 64 minutes, or what Retry-After says if that is longer; never beyond the ceiling."""
    waits = [POLICY.wait(n, lambda: 0.5) for n in range(1, 7)]
    assert waits == [60, 240, 960, 3840, 7200, 7200]
    assert [POLICY.hold_for(n) for n in (1, 2, 3, 100)] == [5, 10, 20, 300]
    asked = judged(window(0), [Result("k0", Outcome.RETRY, retry_after=500)]).changes[0]
    assert asked.next_try_at == NOW + 500_000_000
    assert POLICY.wait(1, lambda: 0.0) == 48
    assert round(POLICY.wait(1, lambda: 1.0), 6) == 72


def test_a_window_whose_submission_broke_is_uncertain_as_a_whole() -> None:
    """An exception says nothing about what had left before it."""
    assert [(c.state, c.reason) for c in unanswered(window(0, 2), "broke")] == [("uncertain", "broke")] * 2
