"""Why a mail bounced: whose fault it was decides what happens to the address and to the domain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.bounces import cause_of, code_of
from newsletter.delivery.domains import outside, why_wait
from newsletter.delivery.ports import Event


def said(detail: str = "", code: str = "", cause: str | None = None, kind: str = "bounced") -> Event:
    return Event("ab" * 16, kind, 1, detail, code=code, cause=cause)  # type: ignore[arg-type]  # words of the tests


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        (said("550 5.1.1 The email account that you tried to reach does not exist."), "unknown"),
        (said("550-5.1.1 The email account that you tried to reach does not exist"), "unknown"),
        (said("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"), "unknown"),
        (said("551 5.1.6 moved"), "unknown"),
        (said("550 5.2.1 The email account that you tried to reach is disabled."), "disabled"),
        (said("550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents"), "full"),
        (said("552 5.2.2 mailbox full"), "full"),
        (said("452 4.2.2 over quota"), "full"),
        (said("550 5.7.515 Access denied, sending domain does not meet the required authentication level"), "sender"),
        (said("550-5.7.26 This mail has been blocked because the sender is unauthenticated."), "sender"),
        (said("550 5.7.509 Access denied, sending domain does not pass DMARC verification"), "sender"),
        (said("550 5.7.606 Access denied, banned sending IP [192.0.2.5]"), "sender"),
        (said("550 5.7.649 Access denied, banned sending IP"), "sender"),
        (said("550 5.7.23 SPF validation failed"), "sender"),
        (said("550 5.7.1 Service unavailable; Client host [192.0.2.5] blocked using Spamhaus"), "sender"),
        (said("550 5.7.1 DMARC policy"), "sender"),
        (said("550 5.7.1 Message rejected as spam by Content Filtering"), "policy"),
        (said("550 5.7.133 Sender not authenticated for group"), "sender"),
        (said("550 5.7.124 Sender not in allowed-senders list"), "policy"),
        (said("550 5.4.1 Recipient address rejected: Access denied"), "other"),
        (said("554 5.3.0 system problem"), "other"),
        (said("550 mailbox unavailable", code="5.0.0", cause="unknown"), "unknown"),
        (said("550 mailbox unavailable", code="5.0.0"), "other"),
        (said("", code="5.1.1"), "unknown"),
        (said("550 5.7.26 unauthenticated", code="5.1.1", cause="unknown"), "sender"),
        (said("no route to 5.1.1.20", code=""), "other"),
        (said("host 10.5.1.1 said no"), "other"),
        (said("", code="nonsense"), "other"),
        (said("550 5.1.100 odd"), "other"),
    ],
)  # fmt: skip
def test_the_cause_of_a_bounce(event: Event, cause: str) -> None:
    """The mailbox server's own words win over what a provider makes of them; an address of a host is no code."""
    assert cause_of(event) == cause


def test_only_two_causes_say_that_the_address_is_bad() -> None:
    """No 5.7 code, whatever its number and words, ever condemns a reader."""
    for number in range(1000):
        for words in ("", " no such user", " disabled", " mailbox unknown"):
            assert cause_of(said(f"550 5.7.{number}{words}", cause="unknown")) in ("sender", "policy")


@given(st.text(max_size=400), st.text(max_size=30))
def test_whatever_a_server_says_there_is_one_cause(detail: str, code: str) -> None:
    event = said(detail, code)
    assert cause_of(event) in ("unknown", "disabled", "full", "sender", "policy", "other")
    assert code_of(event) == "" or code_of(event)[0] in "245"


@pytest.mark.parametrize(
    ("delivered", "refused", "unknown", "sender", "waits"),
    [
        (10_000, 0, 0, "550 5.7.26 unauthenticated", True),
        (0, 4, 0, None, False),
        (0, 5, 0, None, True),
        (95, 5, 0, None, True),
        (96, 5, 0, None, False),
        (100_000, 400, 0, None, False),
        (0, 0, 19, None, False),
        (0, 0, 20, None, True),
        (20, 0, 20, None, True),
        (21, 0, 20, None, False),
        (0, 0, 0, None, False),
    ],
)
def test_when_a_mailing_waits_with_a_domain(
    delivered: int, refused: int, unknown: int, sender: str | None, waits: bool
) -> None:
    """One refusal of us is enough; single readers' filters and a few old addresses are not."""
    assert (why_wait(delivered, refused, unknown, sender) is not None) is waits


def test_a_domain_is_left_out_by_its_whole_name() -> None:
    """No pattern of its own: a percent sign or an underscore in a name matches itself."""
    condition, values = outside({"a_b.test", "c%.test", "d!.test"})
    assert condition.count("NOT LIKE") == 3
    assert sorted(values.values()) == ["%@a!_b.test", "%@c!%.test", "%@d!!.test"]
    assert outside(()) == ("", {})
