"""The gate: who of a mailing may be claimed now. Seeds, then the canary, then everybody, as the warm-up allows.

The sender asks it for rows and tells it what came back; what it decides is in the sender's transactions. While a
mailing *rests*, nothing may go for longer than a process should sit and wait: the sender ends, ``run-due`` passes the
mailing over (``rest_of``) until its time has come, and then goes on by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

from newsletter.delivery import canary, domains, ledger, mailings, reputation, seeds, warm_up
from newsletter.delivery.lanes import Lanes, domain_rates, lanes_of
from newsletter.delivery.ledger import Claimed
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.outcomes import Change
from newsletter.delivery.reputation import Thresholds, thresholds_of
from newsletter.delivery.schedule import wall_time
from newsletter.delivery.warm_up import Ramp, ramp_of
from newsletter.store.clock import from_us
from newsletter.workspace.config import parse_duration
from newsletter.workspace.settings import Config
from newsletter.workspace.values import canary_size

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.workspace.keys import Keys

_MANY = 1_000_000_000
_SLACK = 1_000  # some of those who come first may have left since planning
_PENDING = sql(
    "SELECT count(*) FROM delivery WHERE mailing_id = :mailing"
    " AND state = 'pending' AND state IN ('pending', 'claimed', 'submitting', 'retry_wait')"
)
_IN_HAND = sql(
    "SELECT 1 FROM delivery WHERE mailing_id = :mailing AND state IN ('claimed', 'submitting')"
    " AND state IN ('pending', 'claimed', 'submitting', 'retry_wait') LIMIT 1"
)
_TODAY_ONLY = "the warm-up allows no more today"


@dataclass(frozen=True, slots=True)
class Rest:
    """A mailing that is under way and rests: until when (UTC microseconds), and for what (``canary``, ``warm-up``)."""

    until: int
    kind: str
    readers: int = 0

    def said(self, zone: str) -> str:
        """In words, with the time in ``zone`` (IANA)."""
        at = wall_time(from_us(self.until), zone)
        if self.kind == "canary":
            return f"waiting for the canary until {at[11:]}"
        return f"{_TODAY_ONLY}; next try on {datetime.fromisoformat(at):%a} {at.replace('T', ' at ')}"


def rest_of(conn: Connection, mailing: Mailing, config: Config, now: int) -> Rest | None:
    """Until when there is nothing to do for a mailing that is sending; None: it may go on, or must be looked after."""
    if mailing.state != "sending" or conn.execute(_IN_HAND, {"mailing": mailing.id}).first() is not None:
        return None
    there = canary.read(conn, mailing.id)
    if there is not None and there.state == "waiting" and has_canary(config):
        until = there.until or 0
        return Rest(until, "canary", there.readers) if canary.waits(until, now, wait_of(config)) else None
    ramp = ramp_of(mailing.provider, config)
    opens = None if ramp is None else warm_up.rests_until(conn, ramp, mailing, now)
    return None if opens is None else Rest(opens, "warm-up")


def wait_of(config: Config) -> int:
    """``[schedule] canary_wait`` in microseconds."""
    return parse_duration(config.schedule.canary_wait, "schedule.canary_wait") // timedelta(microseconds=1)


def has_canary(config: Config) -> bool:
    """Whether ``[schedule] canary`` asks for one."""
    return canary_size(config.schedule.canary, _MANY) > 0


def gate_of(mailing: Mailing, config: Config) -> Gate:
    """The gate of a planned mailing, by ``[schedule]`` and ``[provider] per_domain``."""
    return Gate(
        mailing,
        seeds=config.schedule.seeds,
        canary=config.schedule.canary if has_canary(config) else 0,
        wait=wait_of(config),
        limits=thresholds_of(config),
        ramp=ramp_of(mailing.provider, config),
        rates=domain_rates(config),
        everybody=lanes_of(mailing.id, config),
    )


@dataclass(slots=True)
class Gate:
    """Where one sender stands with those who go first. ``wait`` is in microseconds; without anything all may go."""

    mailing: Mailing
    seeds: Sequence[str] = ()
    canary: str | int = 0
    wait: int = 0
    limits: Thresholds = field(default_factory=Thresholds)
    ramp: Ramp | None = None
    rates: dict[str, float] = field(default_factory=dict)
    everybody: Lanes | None = None

    _seed_rows: tuple[int, ...] = ()
    _seeds_wait: bool = False
    _phase: str = "over"
    _canary_rows: frozenset[int] = frozenset()
    _until: int | None = None
    _first: Lanes | None = None
    _today: Lanes | None = None
    _full: bool = False

    # -- what the sender asks ---------------------------------------------------------------------------------------

    @property
    def rest(self) -> Rest | None:
        """Why nothing may go for now; None while somebody may."""
        if self._seeds_wait and not self._full:
            return None
        if self._phase == "waiting":
            return Rest(self._until or 0, "canary")
        return Rest(self._until or 0, "warm-up") if self._full else None

    @property
    def lanes(self) -> Lanes | None:
        """What is being read; None: the list as it is, without limits."""
        if self._phase == "going":
            return self._first
        return self._today or self.everybody

    @property
    def read(self) -> bool:
        """Whether nobody is left who may be claimed now."""
        return self._seeds_wait or self.rest is not None or self.lanes is None or self.lanes.read

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for the limit of a mailbox domain."""
        return self.lanes is not None and self.lanes.waiting

    def again(self) -> None:
        """Rows are pending that were not."""
        if self.lanes is not None:
            self.lanes.again()

    def rewind(self) -> None:
        """What was read may not be so."""
        if self.lanes is not None:
            self.lanes.rewind()

    # -- one attempt ------------------------------------------------------------------------------------------------

    def prepare(self, conn: Connection, now: int) -> list[int] | None:
        """Find out who goes first, outside the write transaction: a long list is read through.

        Whom a canary that is new consists of; None when it is there already.
        """
        self._seed_rows = seeds.seed_rows(conn, self.mailing.id, self.seeds)
        today = None
        if self.ramp is not None and (left := warm_up.steps_left(conn, self.ramp, now)):
            today = warm_up.engaged(conn, self.mailing.id, left[0] + _SLACK)
            self._today = Lanes(self.mailing.id, self.rates, today)
            today = [row for row in today if row not in self._seed_rows][: max(0, left[0] - len(self._seed_rows))]
        if canary.read(conn, self.mailing.id) is not None:
            return None
        others = int(conn.execute(_PENDING, {"mailing": self.mailing.id}).scalar_one()) - len(self._seed_rows)
        size = canary_size(self.canary, others if today is None else min(others, len(today)))
        return canary.choose(conn, self.mailing.id, size, but=self._seed_rows, only=today) if size else []

    def open(self, conn: Connection, chosen: list[int] | None, now: int) -> str | None:
        """Take up where the last process stopped; why the mailing must pause, or None. After the ledger's recovery."""
        self._seeds_wait = seeds.waits(conn, self._seed_rows)
        if chosen is not None:
            canary.begin(conn, self.mailing.id, chosen, "it has too few readers for one" if self.canary else "none")
            if chosen:
                self._note(conn, "canary", {"readers": len(chosen), "wait_seconds": self.wait // 1_000_000}, now)
        there = canary.read(conn, self.mailing.id)
        self._phase = there.state if there is not None else "over"
        self._until = there.until if there is not None else None
        if self._phase != "over" and not self.canary:
            canary.end(conn, self.mailing.id, "it was switched off")
            self._note(conn, "canary", {"verdict": "it was switched off"}, now)
            self._phase = "over"
        if self._phase == "going":
            rows = canary.readers(conn, self.mailing.id)
            self._canary_rows = frozenset(rows)
            self._first = Lanes(self.mailing.id, self.rates, rows)
            self._see_canary(conn, now)
        if self._phase == "waiting" and not canary.waits(self._until or 0, now, self.wait):
            return self._judge(conn, now)
        complaints = reputation.look(conn, self.mailing.id, self.limits)
        if complaints.pause:
            reputation.note_paused(conn, self.mailing.id, now)
        return complaints.pause

    def claim(
        self,
        conn: Connection,
        attempt: int,
        room: int,
        *,
        keys: Keys,
        now: int,
        unsendable: Callable[[str], str | None],
    ) -> list[Claimed]:
        """Take up to ``room`` rows of whoever may go now, as ``ledger.claim`` does."""
        room = self._allowed(conn, room, now)
        if room <= 0 or self.rest is not None:
            return []
        if self._seeds_wait:
            rows = self._next_seeds(conn, room)
            taken = ledger.claim_these(conn, rows, attempt, keys=keys, now=now, unsendable=unsendable)
            # Those who left since planning are waited for no more.
            self._seeds_wait = seeds.waits(conn, self._seed_rows)
            if self._seeds_wait or taken:
                return taken
        lanes = self.lanes
        if lanes is None:
            return ledger.claim(conn, self.mailing.id, attempt, room, keys=keys, now=now, unsendable=unsendable)
        taken = lanes.claim(conn, attempt, room, keys=keys, now=now, unsendable=unsendable)
        if not taken and lanes.read:
            if self._phase == "going":
                self._see_canary(conn, now)
            elif lanes is self._today and self._refill(conn, room):
                return self._today.claim(conn, attempt, room, keys=keys, now=now, unsendable=unsendable)
        return taken

    def took(self, conn: Connection, mails: int, now: int) -> None:
        """So many mails go now; in the transaction that marks them."""
        if self.ramp is not None:
            warm_up.take(conn, self.ramp, mails, now)

    def see(self, conn: Connection, changes: Sequence[Change], now: int) -> tuple[str | None, bool]:
        """Hear what came back: (why the mailing must pause or None, whether others may go than before)."""
        before = (self._seeds_wait, self._phase, self._full)
        refusal = None
        again = sum(change.state in ledger.OPEN for change in changes)
        if again and self.ramp is not None:
            warm_up.give_back(conn, self.ramp, again, now)
            self._full = False
        if self._seed_rows and any(change.id in self._seed_rows for change in changes):
            refusal = seeds.refusal(changes, self._seed_rows)
            self._seeds_wait = seeds.waits(conn, self._seed_rows)
        # Looked for only at its end: until then somebody is certainly left.
        ending = self._phase == "going" and self._first is not None and self._first.read
        if ending and any(change.id in self._canary_rows for change in changes):
            self._see_canary(conn, now)
        return refusal, (self._seeds_wait, self._phase, self._full) != before

    # -- inside -----------------------------------------------------------------------------------------------------

    def _allowed(self, conn: Connection, room: int, now: int) -> int:
        if self.ramp is None:
            return room
        allowed = warm_up.room(conn, self.ramp, now)
        if allowed is None:
            return room
        if allowed == 0 and not self._full:
            self._full = True
            if self._phase != "waiting":
                self._until = warm_up.tomorrow(self.ramp, self.mailing, now)
        return min(room, allowed)

    def _refill(self, conn: Connection, room: int) -> bool:
        """Many of those who were to go today have left: others take their places, if there are any."""
        more = warm_up.engaged(conn, self.mailing.id, room + _SLACK)
        self._today = Lanes(self.mailing.id, self.rates, more)
        return bool(ledger.pending_of(conn, more))

    def _next_seeds(self, conn: Connection, room: int) -> list[Claimed]:
        waiting = domains.blocked_domains(conn, self.mailing.id)
        pending = ledger.pending_of(conn, self._seed_rows)
        return [row for row in pending if domains.domain_of(row.address) not in waiting][:room]

    def _see_canary(self, conn: Connection, now: int) -> None:
        """Once each of the canary was handed over, the others wait for what is said of them."""
        if self._seeds_wait or canary.still_going(conn, self.mailing.id):
            return
        self._phase, self._until = "waiting", now + self.wait
        canary.wait(conn, self.mailing.id, self._until)
        self._note(conn, "canary", {"readers": len(self._canary_rows), "waits": "for what the provider says"}, now)

    def _judge(self, conn: Connection, now: int) -> str | None:
        verdict = canary.judge(conn, self.mailing.id, self.limits)
        canary.end(conn, self.mailing.id, verdict.pause or verdict.said)
        self._phase, self._until = "over", None
        self._note(conn, "canary", {"verdict": verdict.pause or verdict.said}, now)
        if verdict.complaints:
            reputation.note_paused(conn, self.mailing.id, now)
        if verdict.warn and reputation.warn(conn, self.mailing.id, verdict.warn, now):
            self._note(conn, "warn", {"reason": verdict.warn}, now)
        return verdict.pause

    def _note(self, conn: Connection, action: str, detail: dict[str, object], now: int) -> None:
        mailings.write_audit(conn, "sender", action, self.mailing.issue, detail, now)
