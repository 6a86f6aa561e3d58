"""The sender: takes a planned mailing from pending to settled, window by window, and can be killed anywhere.

One transaction per turn commits what came back, what goes next and what is claimed ahead. A window (one batch of
one connection) is handed to the provider only after the commit that says so, so at most ``concurrency`` times
``windows`` of them are ever in doubt. The database is touched by this thread alone; the provider by up to
``concurrency`` others.
"""

from __future__ import annotations

import os
import random
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from newsletter.delivery import domains, evidence, ledger, mailings, throttle
from newsletter.delivery.breaker import Contact
from newsletter.delivery.gate import Gate, Rest
from newsletter.delivery.lanes import LOOK_SECONDS
from newsletter.delivery.ledger import Claimed, Recovered
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.marks import Mark
from newsletter.delivery.outcomes import Change, Window, judge, unanswered
from newsletter.delivery.pace import Pace
from newsletter.delivery.ports import Batch, Provider, Result
from newsletter.delivery.throttle import Limit
from newsletter.delivery.watch import Waiting, what_for
from newsletter.delivery.windows import Done, Ready, complete
from newsletter.errors import BadData, Busy, CannotWrite, IllegalState, Interrupted
from newsletter.message.outgoing import Addressed, Outgoing
from newsletter.store.clock import now_us

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store
    from newsletter.workspace.keys import Keys

_SECOND = 1_000_000
_BEAT_SECONDS = 5.0
_LINGER_SECONDS = 0.002  # windows that end together share one commit
_FRESH_SECONDS = 2.0  # who was claimed longer ago, for a slow rate or a provider that is away, may have left since
_BUSY_TURNS = 24  # each has waited the store's five seconds already


@dataclass(frozen=True, slots=True)
class Timing:
    """The clocks and the dice. ``now`` is UTC microseconds; ``monotonic`` and ``sleep`` are seconds."""

    now: Callable[[], int] = now_us
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    dice: Callable[[], float] = random.random


_REAL = Timing()
_NO_LIMIT = Pace()


@dataclass(frozen=True, slots=True)
class Sent:
    """How one sending ended: the mailing's state, its tally, what was recovered, and when to come again.

    ``rest``: for what it rests until then, if it does.
    """

    state: str
    counts: dict[str, int]
    recovered: Recovered
    next_try_at: int | None = None
    rest: Rest | None = None


@dataclass(slots=True)
class Sender:
    """One attempt at one mailing. The caller holds the mailing's lock for as long as ``run`` runs."""

    store: Store
    mailing: Mailing
    provider: Provider
    outgoing: Outgoing
    write_to: Callable[[Claimed], Addressed]
    keys: Keys
    pace: Pace = _NO_LIMIT
    gate: Gate | None = None
    mark: Mark | None = None
    timing: Timing = _REAL
    stop: Callable[[], bool] = lambda: False
    progress: Callable[[int, int], None] = lambda _done, _total: None
    waiting: Callable[[Waiting], None] = lambda _waiting: None

    _gate: Gate = field(init=False)
    _contact: Contact = field(init=False)
    _attempt: int = 0
    _state: str = "sending"
    _inflight: dict[Future[list[Result]], Window] = field(default_factory=dict)
    _done: list[Done] = field(default_factory=list)
    _ready: deque[Ready] = field(default_factory=deque)
    _exhausted: bool = False
    _failure: BaseException | None = None
    _free_at: float = 0.0
    _look_at: float = float("-inf")
    _beaten: float = float("-inf")
    _promoted: float = float("-inf")
    _idle: bool = False
    _until: float | None = None
    _idle_since: float | None = None
    _busy: int = 0
    _settled: int = 0

    def __post_init__(self) -> None:
        self._gate = self.gate or Gate(self.mailing)
        self._contact = Contact(self.provider.capabilities.name, self.pace.retries, self.timing.monotonic)

    def run(self) -> Sent:
        """Send until everybody is settled, the mailing is paused or cancelled, or only later retries remain.

        Raises ``Interrupted`` when ``stop`` says so: what was in flight is recorded, the rest is pending. An
        exception of the provider makes its window uncertain, pauses the mailing and comes up afterwards.
        """
        self._free_at = self.timing.monotonic()
        recovered = self._begin()
        concurrency = max(1, self.provider.capabilities.concurrency)
        windows = concurrency * max(1, self.provider.capabilities.windows)
        with ThreadPoolExecutor(concurrency, thread_name_prefix="submit") as pool:
            try:
                self._loop(pool, windows)
            except BaseException:
                self._drain()
                raise
        sent = self._finish(recovered)
        if self._failure is not None:
            raise self._failure
        if sent.state == "sending" and self.stop():
            raise Interrupted(
                f"stopped while sending {self.mailing.issue}", fix="newsletter run-due goes on where this stopped"
            )
        return sent

    # -- one attempt ------------------------------------------------------------------------------------------

    def _begin(self) -> Recovered:
        with self.store.read() as conn:
            chosen = self._gate.prepare(conn, self.timing.now())
        with self.store.write() as conn:
            now = self.timing.now()
            self._state = mailings.beat(conn, self.mailing.id, now)
            self._attempt = ledger.begin_attempt(
                conn, self.mailing.id, pid=os.getpid(), host=socket.gethostname(), now=now
            )
            idempotent = self.provider.capabilities.idempotency and self._state == "sending"
            recovered = ledger.recover(conn, self.mailing.id, self._attempt, idempotent=idempotent, now=now)
            if recovered.uncertain:
                evidence.heed_all(conn, self.mailing.id, now)
            tally = ledger.counts(conn, self.mailing.id)
            if self._state == "sending" and (reason := self._gate.open(conn, chosen, now)):
                self._pause(conn, reason, now)
            self._contact.recall(conn, now)
        self._settled = sum(tally.get(state, 0) for state in ledger.SETTLED)
        return recovered

    def _loop(self, pool: ThreadPoolExecutor, windows: int) -> None:
        size = self.pace.window(self.provider.capabilities.max_batch)
        while True:
            self._collect()
            started, claimed = self._turn(windows, size)
            for ready in started:
                self._inflight[pool.submit(self.provider.submit, ready.batch)] = ready.window
            for start in range(0, len(claimed), size):
                rows = claimed[start : start + size]
                batch = Batch(self.outgoing, tuple(self.write_to(row) for row in rows))
                self._ready.append(Ready(rows, batch, self.timing.monotonic()))
            if self._over():
                return
            self._wait()

    def _finish(self, recovered: Recovered) -> Sent:
        with self.store.write() as conn:
            now = self.timing.now()
            ledger.release(conn, self.mailing.id, self._attempt, now)
            ledger.end_attempt(conn, self._attempt, now)
            complete(conn, self.mailing, now)
            throttle.tidy(conn, now)
            tally = ledger.counts(conn, self.mailing.id)
            rest = self._gate.rest if self._going() else None
            idle = self._exhausted and rest is None and not tally.get("retry_wait")
            if idle and self._going() and tally.get("pending"):
                self._wait_for_domains(conn, now)
            later = ledger.next_try(conn, self.mailing.id)
            state = mailings.read_mailing(conn, self.mailing.id).state
        self.progress(sum(tally.get(s, 0) for s in ledger.SETTLED), sum(tally.values()))
        if rest is None or state != "sending":
            return Sent(state, tally, recovered, later)
        return Sent(state, tally, recovered, rest.until, rest)

    def _wait_for_domains(self, conn: Connection, now: int) -> None:
        """Only mailboxes of domains that refuse us are left: somebody must look, then resume."""
        if waiting := domains.paused(conn, self.mailing.id):
            self._pause(conn, "; ".join(f"{domain}: {reason}" for domain, reason in waiting.items()), now)

    def _drain(self) -> None:
        """Something broke: let what is in flight finish, and write down what came back if that is possible at all.

        What cannot be written stays ``submitting`` and is uncertain next time.
        """
        wait(self._inflight)
        self._collect()
        for _ in range(3):
            try:
                with self.store.write() as conn:
                    now = self.timing.now()
                    self._state = mailings.beat(conn, self.mailing.id, now)
                    self._record(conn, now)
                    ledger.release(conn, self.mailing.id, self._attempt, now)
                    ledger.end_attempt(conn, self._attempt, now)
            except (Busy, CannotWrite):
                self.timing.sleep(0.2)
            except (IllegalState, BadData):
                return
            else:
                return

    # -- one turn ---------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        for future in [future for future in self._inflight if future.done()]:
            window = self._inflight.pop(future)
            error = future.exception()
            self._done.append(Done(window, [] if error else future.result(), error))

    def _turn(self, windows: int, size: int) -> tuple[list[Ready], list[Claimed]]:
        """One transaction: record, mark what goes next, claim ahead. Nothing is forgotten if it fails."""
        left: frozenset[int] = frozenset()
        going = self._going()
        next_up = self._next_windows(windows) if going else []
        now_m = self.timing.monotonic()
        look = going and now_m - self._promoted >= 1.0
        claim_more = going and self._hungry(windows, next_up)
        letting_go = bool(self._ready) and (not going or self._contact.left_alone)
        if not (self._done or next_up or claim_more or look or letting_go or now_m - self._beaten >= _BEAT_SECONDS):
            return [], []
        try:
            with self.store.write() as conn:
                now = self.timing.now()
                self._state = mailings.beat(conn, self.mailing.id, now)
                done = self._record(conn, now)
                # Asked once: a stop that comes after this counts from the next turn on.
                going = self._going()
                letting_go = not going or self._contact.left_alone
                if letting_go:
                    ledger.release(conn, self.mailing.id, self._attempt, now)
                if not going:
                    next_up, claimed = [], []
                else:
                    # What came back may have put the sender on hold, and others use the same rate: look again.
                    self._see_limits(conn, now)
                    next_up = self._next_windows(windows)
                    if next_up:
                        left = self._left(conn, next_up, now)
                        ids = [row.id for ready in next_up for row in ready.rows if row.id not in left]
                        ledger.mark_submitting(conn, ids, self._attempt, now)
                        throttle.take(conn, self._limits, len(ids), now)
                        if self.mark is not None:
                            self.mark.count(conn)
                        self._gate.took(conn, len(ids), now)
                    if look and ledger.promote(conn, self.mailing.id, now):
                        self._exhausted = False
                        self._gate.again()
                    claim_more = self._hungry(windows, next_up)
                    room = 1 if self._contact.on_trial else (windows - len(self._ready) + len(next_up)) * size
                    claimed = self._claim(conn, room, now) if claim_more else []
        except Busy:
            self._busy += 1
            self._look_again()
            if self._busy >= _BUSY_TURNS:
                raise
            return [], []
        self._committed(now_m, done + len(left), next_up, look)
        if left:
            self._look_again()
        if letting_go:
            self._ready.clear()
            self._look_again()
        elif claim_more:
            self._exhausted = not claimed and self._gate.read
            if self._gate.waiting:
                self._look_at = now_m + LOOK_SECONDS
        return [kept for ready in next_up if (kept := ready.without(left)).rows], claimed

    def _left(self, conn: Connection, next_up: list[Ready], now: int) -> frozenset[int]:
        """Whom to leave out of the windows that go now: who was claimed a while ago is looked up again."""
        long_ago = self.timing.monotonic() - _FRESH_SECONDS
        waited = [row for ready in next_up if ready.at <= long_ago for row in ready.rows]
        return ledger.let_go(conn, waited, self._attempt, keys=self.keys, now=now) if waited else frozenset()

    def _committed(self, now_m: float, done: int, next_up: list[Ready], look: bool) -> None:
        self._busy = 0
        self._beaten = now_m
        self._promoted = now_m if look else self._promoted
        self._done.clear()
        if next_up and self.mark is not None:
            self.mark.remember()
        for ready in next_up:
            self._ready.popleft()
            if self.pace.slowest:
                self._free_at = (
                    max(self._free_at, now_m - throttle.CREDIT_SECONDS) + len(ready.rows) / self.pace.slowest
                )
        if done:
            self._idle_since = None
            self._settled += done
            self.progress(self._settled, self.mailing.planned or self._settled)

    def _record(self, conn: Connection, now: int) -> int:
        """Write down every window that came back; how many recipients are settled by it."""
        changes: list[Change] = []
        for done in self._done:
            changes += self._judge(conn, done, now)
        ledger.record(conn, changes, self._attempt, now, cancelled=self._state == "cancelled")
        # Its events may be here already: a request that times out has often been taken all the same.
        evidence.heed(conn, [change.id for change in changes if change.state == "uncertain"], now)
        refusal, opened = self._gate.see(conn, changes, now)
        if refusal:
            self._pause(conn, refusal, now)
        if opened:
            self._exhausted = False
        return sum(change.state in ledger.SETTLED for change in changes)

    def _judge(self, conn: Connection, done: Done, now: int) -> tuple[Change, ...]:
        if done.error is not None:
            self._failure = self._failure or done.error
            self._pause(conn, f"the provider broke off: {type(done.error).__name__}: {done.error}", now)
            return unanswered(done.window, f"the provider broke off: {type(done.error).__name__}")
        rows = [row for row, _ in done.window.rows.values()]
        verdict = judge(
            done.window,
            done.results,
            policy=self.pace.retries,
            idempotent=self.provider.capabilities.idempotency and self._state != "cancelled",
            patient=now - (self.mailing.planned_at or now) < self.pace.retries.patience * _SECOND,
            now=now,
            dice=self.timing.dice,
            alone=self._contact.alone(rows),
        )
        if verdict.refused is not None:
            self._pause(conn, f"the provider refused a whole batch: {verdict.refused}", now)
        self._contact.learn(conn, rows, verdict, now)
        return verdict.changes

    def _pause(self, conn: Connection, reason: str, now: int) -> None:
        if mailings.step(conn, self.mailing.id, ("sending",), "paused", reason=reason):
            self._state = "paused"
            mailings.write_audit(conn, "sender", "pause", self.mailing.issue, {"reason": reason}, now)

    def _look_again(self) -> None:
        """Rows are pending that were not, or what was read may not be so."""
        self._exhausted = False
        self._gate.rewind()

    def _claim(self, conn: Connection, room: int, now: int) -> list[Claimed]:
        return self._gate.claim(conn, self._attempt, room, keys=self.keys, now=now, unsendable=self._unsendable)

    def _unsendable(self, address: str) -> str | None:
        """An address beyond ASCII before the @ needs SMTPUTF8 (RFC 6531); a domain has its IDNA form."""
        capabilities = self.provider.capabilities
        if address.isascii() or capabilities.smtputf8 or address.rpartition("@")[0].isascii():
            return None
        return f"the address needs SMTPUTF8, which {capabilities.name} does not have"

    # -- when -------------------------------------------------------------------------------------------------

    def _going(self) -> bool:
        return self._state == "sending" and self._failure is None and not self.stop()

    def _hungry(self, windows: int, next_up: list[Ready]) -> bool:
        """Whether to claim ahead: little is left after ``next_up``, and there may be more."""
        little = len(self._ready) - len(next_up) <= windows // 2
        if self._contact.on_trial and (self._ready or self._inflight):
            return False
        return little and not self._exhausted and not self._contact.on_hold and self.timing.monotonic() >= self._look_at

    @property
    def _limits(self) -> tuple[Limit, ...]:
        return self.pace.limits(self.provider.capabilities.name, self.mailing.public_id)

    def _see_limits(self, conn: Connection, now: int) -> None:
        """When the next window may go, as all processes left it: by the rate, and by what the provider said to one."""
        self._contact.heed(conn, now)
        if limits := self._limits:
            ahead = throttle.free_at(conn, limits, now) - now
            self._free_at = self.timing.monotonic() + ahead / _SECOND

    def _next_windows(self, windows: int) -> list[Ready]:
        """The claimed windows that may go now: free connections, no hold, and the rate allows them."""
        free = windows - len(self._inflight)
        if free <= 0 or not self._ready or self._contact.on_hold:
            return []
        if not self.pace.slowest:
            return list(self._ready)[:free]
        now, chosen = self.timing.monotonic(), []
        at = max(self._free_at, now - throttle.CREDIT_SECONDS)
        for ready in list(self._ready)[:free]:
            if at > now:
                break
            chosen.append(ready)
            at += len(ready.rows) / self.pace.slowest
        return chosen

    def _over(self) -> bool:
        """Whether this attempt has nothing more to do, now or within the wait it was given."""
        self._idle = False
        if self._inflight or self._done:
            return False
        if not self._going():
            return True
        if (self._ready or not self._exhausted) and not self._contact.on_hold:
            return False
        until = self._until = self._until_something()
        if until is None:
            return True
        now = self.timing.monotonic()
        self._idle = True
        self._idle_since = now if self._idle_since is None else self._idle_since
        return now + until > self._idle_since + self.pace.wait

    def _until_something(self) -> float | None:
        """Seconds until the provider is asked again or the next retry is due; None when nothing is left to do."""
        if self._gate.rest is not None:
            return None
        if self._contact.on_hold:
            return self._contact.hold_left
        with self.store.read() as conn:
            due = ledger.next_try(conn, self.mailing.id)
        return None if due is None else max(0.0, (due - self.timing.now()) / _SECOND)

    def _wait(self) -> None:
        """Until something comes back or may go; never longer than a second, to hear a stop or a pause."""
        now = self.timing.monotonic()
        if not self._inflight:
            self._tell(now)
        if self._inflight:
            pause = min(1.0, max(self._free_at - now, 0.0) or 1.0) if self._ready and self.pace.slowest else 1.0
            wait(self._inflight, timeout=pause, return_when=FIRST_COMPLETED)
            if len(self._inflight) > 1:
                wait(self._inflight, timeout=_LINGER_SECONDS, return_when=ALL_COMPLETED)
        elif self._idle:
            self.timing.sleep(min(1.0, self._until or 0.05))
        elif self._ready and self._free_at > now:
            self.timing.sleep(min(1.0, self._free_at - now))
        elif not self._ready and self._look_at > now:
            self.timing.sleep(self._look_at - now)

    def _tell(self, now: float) -> None:
        """Say what is waited for, unless it is a moment only."""
        rate = self._free_at - now if self._ready else 0.0
        retry = (self._until or 0.0) if self._idle else 0.0
        lanes = not self._ready and self._gate.waiting
        if found := what_for(self._contact.hold_left, retry, rate, lanes=lanes, now=self.timing.now()):
            self.waiting(found)
