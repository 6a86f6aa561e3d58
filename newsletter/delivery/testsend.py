"""Test mails: a few addresses get the issue as it is now, outside the ledger, and the log says what came of it.

The subject is marked ``[TEST 3 · a41f]``: the third test of this issue, of the email whose digest begins with
a41f. Mail clients fold mails of one subject into one thread; the mark keeps them apart and says which is which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from newsletter.delivery.addressing import trial_recipient
from newsletter.delivery.mailings import write_audit
from newsletter.delivery.ports import Batch, Outcome, Provider, Result
from newsletter.errors import NotFound, RemoteError, UsageProblem
from newsletter.message.outgoing import Addressed, Outgoing
from newsletter.store.ids import new_public_id
from newsletter.store.tables import test_send

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from newsletter.store.engine import Store

MOST_RECEIVERS = 20
"""More than that is no test: test mails are outside the ledger and know no unsubscribing."""


@dataclass(frozen=True, slots=True)
class TestReceipt:
    """What came of the test mail to one address; ``outcome`` is a word of ``ports.Outcome``, or ``unknown``."""

    __test__ = False

    address: str
    outcome: str
    detail: str

    @property
    def accepted(self) -> bool:
        """Whether the provider took it."""
        return self.outcome == Outcome.ACCEPTED


@dataclass(frozen=True, slots=True)
class TestSent:
    """One test of an issue: its number, the code and the digest of the email, and the subject as it went out."""

    __test__ = False

    issue: str
    number: int
    code: str
    subject: str
    receipts: tuple[TestReceipt, ...]
    at: int = 0
    digest: str = ""

    @property
    def arrived(self) -> bool:
        """Whether the provider took it for anybody."""
        return any(receipt.accepted for receipt in self.receipts)


def send_test(
    store: Store,
    provider: Provider,
    outgoing: Outgoing,
    receivers: Sequence[str],
    *,
    values: Mapping[str, str],
    site_url: str | None,
    actor: str,
    now: Callable[[], int],
    exact: bool = False,
) -> TestSent:
    """Send ``outgoing`` to each of ``receivers`` and log it. ``values`` are the merge values all of them see.

    Every result is logged before anything is raised: ``RemoteError`` naming each receiver that was not
    accepted, whatever the adapter raised (its batch is logged as unknown), ``UsageProblem`` for no receiver or
    too many.
    """
    addresses = list(dict.fromkeys(receivers))
    if not addresses:
        raise UsageProblem("nobody to send the test to", where="--to", fix='name an address, or set [test] to = ["…"]')
    if len(addresses) > MOST_RECEIVERS:
        raise UsageProblem(
            f"{len(addresses)} receivers are too many for a test; {MOST_RECEIVERS} are allowed",
            where="--to",
            fix=f"to reach the audience: newsletter approve {outgoing.issue}",
        )
    code = outgoing.digest.removeprefix("sha256:")[:4]
    number = _begin(store, outgoing, addresses, code, actor, now())
    marked = outgoing if exact else replace(outgoing, subject=f"[TEST {number} · {code}] {outgoing.subject}")
    recipients = [
        trial_recipient(new_public_id(), address, issue=outgoing.issue, site_url=site_url, values=values)
        for address in addresses
    ]
    receipts: list[TestReceipt] = []
    size = max(1, provider.capabilities.max_batch)
    for start in range(0, len(recipients), size):
        receipts += _submit(store, provider, Batch(marked, tuple(recipients[start : start + size])), number, now)
    sent = TestSent(outgoing.issue, number, code, marked.subject, tuple(receipts), now(), outgoing.digest)
    _raise_for_failures(sent, provider.capabilities.name)
    return sent


def last_tests(store: Store, issue: str, limit: int = 3) -> list[TestSent]:
    """The latest tests of an issue, newest first; the subject is not kept and empty here."""
    table = test_send
    numbers = select(table.c.number).where(table.c.issue == issue).distinct().order_by(table.c.number.desc())
    return _tests(store, issue, table.c.number.in_(numbers.limit(limit)))


def find_test(store: Store, issue: str, number: int) -> TestSent:
    """The test with this number; raises ``NotFound``."""
    found = _tests(store, issue, test_send.c.number == number)
    if not found:
        last = last_tests(store, issue, 1)
        fix = f"the last one is test-{last[0].number}" if last else f"newsletter test {issue}"
        raise NotFound(f"there is no test {number} of {issue}", fix=fix)
    return found[0]


def last_arrived(store: Store, issue: str) -> TestSent | None:
    """The newest test that the provider took for anybody; None when there is none."""
    table = test_send
    newest = select(func.max(table.c.number)).where(table.c.issue == issue, table.c.outcome == Outcome.ACCEPTED)
    return next(iter(_tests(store, issue, table.c.number == newest.scalar_subquery())), None)


def tested_digests(store: Store, issue: str, limit: int) -> list[str]:
    """The digests of the emails that the latest tests sent, each once, the newest first."""
    table = test_send
    newest = func.max(table.c.number)
    rows = select(table.c.digest).where(table.c.issue == issue).group_by(table.c.digest).order_by(newest.desc())
    with store.read() as conn:
        return list(conn.execute(rows.limit(limit)).scalars())


def _tests(store: Store, issue: str, which: ColumnElement[bool]) -> list[TestSent]:
    table = test_send
    rows = select(table).where(table.c.issue == issue, which).order_by(table.c.number.desc(), table.c.id)
    tests: dict[int, TestSent] = {}
    with store.read() as conn:
        for row in conn.execute(rows).mappings():
            receipt = TestReceipt(row["address"], row["outcome"], row["detail"])
            before = tests.get(row["number"])
            receipts = (*before.receipts, receipt) if before else (receipt,)
            tests[row["number"]] = TestSent(issue, row["number"], row["code"], "", receipts, row["at"], row["digest"])
    return list(tests.values())


def _begin(store: Store, outgoing: Outgoing, addresses: Sequence[str], code: str, actor: str, now: int) -> int:
    """Take the next number and log every receiver as unknown, before anything may leave."""
    with store.write() as conn:
        last = conn.execute(select(func.max(test_send.c.number)).where(test_send.c.issue == outgoing.issue)).scalar()
        number = (last or 0) + 1
        rows = [
            {
                "issue": outgoing.issue,
                "number": number,
                "code": code,
                "address": address,
                "outcome": "unknown",
                "detail": "",
                "digest": outgoing.digest,
                "at": now,
            }
            for address in addresses
        ]
        conn.execute(insert(test_send), rows)
        write_audit(conn, actor, "test", outgoing.issue, {"number": number, "receivers": len(addresses)}, now)
    return number


def _submit(store: Store, provider: Provider, batch: Batch, number: int, now: Callable[[], int]) -> list[TestReceipt]:
    answers = {result.key: result for result in provider.submit(batch)}
    receipts = [_receipt(recipient, answers.get(recipient.key)) for recipient in batch.recipients]
    with store.write() as conn:
        for receipt in receipts:
            conn.execute(
                update(test_send)
                .where(
                    test_send.c.issue == batch.outgoing.issue,
                    test_send.c.number == number,
                    test_send.c.address == receipt.address,
                )
                .values(outcome=receipt.outcome, detail=receipt.detail, at=now())
            )
    return receipts


def _receipt(recipient: Addressed, answer: Result | None) -> TestReceipt:
    if answer is None:
        return TestReceipt(recipient.address, "unknown", "the provider did not answer for this address")
    return TestReceipt(recipient.address, str(answer.outcome), answer.detail)


def _raise_for_failures(sent: TestSent, provider: str) -> None:
    failed = [receipt for receipt in sent.receipts if not receipt.accepted]
    if not failed:
        return
    told = "; ".join(f"{r.address}: {r.outcome}" + (f" ({r.detail})" if r.detail else "") for r in failed)
    went = len(sent.receipts) - len(failed)
    raise RemoteError(
        f"test {sent.number} was not accepted for {len(failed)} of {len(sent.receipts)} receivers: {told}"
        + (f" – {went} accepted" if went else ""),
        where=f"provider {provider}",
        fix="newsletter provider check",
    )
