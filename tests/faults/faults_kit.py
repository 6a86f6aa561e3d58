"""What the tests of faults share: a newsroom with a mailing that is due, real processes that send it, and the proof.

The proof never asks the program about itself alone: a sink on loopback counts what arrived by delivery id, the ledger
is read from the database file, and the two are held against each other.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.cli.boundary import guarded
from newsletter.cli.group import newsletter
from tests.badinput.badinput_kit import ISSUE, NEWSLETTER, Answer, ended, make_readers

SEED = int(os.environ.get("NEWSLETTER_TEST_SEED", random.SystemRandom().randrange(2**32)))
"""Read here, at import: a test's environment is emptied of our variables."""

KILLS = int(os.environ.get("NEWSLETTER_KILLS", "12"))
"""How many processes are killed in all; CI says 300, and has every other fault shown as well."""

COMMON = """
[publication]
name = "The Breakwater"
postal_address = "1 Mole, Saltford"

[sender]
name = "The Breakwater"
email = "post@breakwater.test"

[site]
url = "https://breakwater.test"

[images]
delivery = "hosted"

[schedule]
preflight = false

[provider]
name = "{provider}"
rate = "{rate}"
"""
SMTP = """
[provider.smtp]
host = "127.0.0.1"
port = {port}
security = "{security}"
connections = {connections}
timeout = {timeout}
"""
SENDGRID = """
[provider.sendgrid]
api_key = {{env = "SENDGRID_API_KEY"}}
host = "http://127.0.0.1:{port}"
connections = {connections}
timeout = {timeout}
"""
KEY = "SG.a-key-of-the-tests"


def here(root: Path, *arguments: str) -> Answer:
    """Call ``newsletter -C root …`` in this process: for setting up and for looking, which no fault concerns."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = guarded(newsletter, ["-C", str(root), *arguments])
    return Answer(code, out.getvalue(), err.getvalue())


@dataclass
class Ledger:
    """What the database file says: each delivery's state and address by its id, and the mailing's state and plan."""

    states: dict[str, str]
    addresses: dict[str, str]
    mailing: str
    planned: int
    reason: str

    @property
    def tally(self) -> Counter[str]:
        return Counter(self.states.values())

    def of(self, *states: str) -> set[str]:
        """The ids in these states."""
        return {key for key, state in self.states.items() if state in states}


@dataclass
class Newsroom:
    """A workspace of its own with one issue that is due, sent by real processes."""

    root: Path
    provider: str
    readers: int
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.root / ".newsletter" / "newsletter.db"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONUNBUFFERED": "1", "SENDGRID_API_KEY": KEY, "no_proxy": "*"}

    def configure(self, **changes: object) -> None:
        """Write ``newsletter.toml`` anew; the installation that sends stays."""
        self.settings |= changes
        file = self.root / "newsletter.toml"
        kept = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("sender_install")]
        values = {"provider": self.provider, **self.settings}
        text = (COMMON + (SMTP if self.provider == "smtp" else SENDGRID)).format(**values)
        file.write_text("\n".join([*kept, text]), encoding="utf-8")

    def start(self, *arguments: str, **options: object) -> subprocess.Popen[str]:
        """Start ``newsletter …`` (``run-due`` without a word) as a process of its own, and go on."""
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # the options are the caller's
            [*NEWSLETTER, "-C", str(self.root), *(arguments or ("run-due",))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            **options,
        )

    def run(self, *arguments: str, **options: object) -> Answer:
        """The same to its end."""
        process = self.start(*arguments, **options)
        try:
            return ended(process)
        finally:
            process.kill()
            process.communicate()

    def time_passes(self) -> None:
        """What was put off may be tried again, and a provider that was away is asked."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as raw, raw:
            raw.execute("update delivery set next_try_at = 1 where state = 'retry_wait'")
            raw.execute("update breaker set open_until = 1")
            raw.execute("update throttle set free_at = 1")

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as raw:
            return raw.execute(query).fetchall()

    @property
    def ledger(self) -> Ledger:
        found = self.rows("select public_id, state, address from delivery")
        ((state, planned, reason),) = self.rows("select state, coalesce(planned, 0), coalesce(reason, '') from mailing")
        states = {str(key): str(state) for key, state, _ in found}
        return Ledger(states, {str(k): str(a) for k, _, a in found}, str(state), int(str(planned)), str(reason))

    def finish(self, calls: int = 12) -> int:
        """Come again, as cron does, until the mailing is completed; how often that was."""
        said: list[Answer] = []
        while self.ledger.mailing != "completed":
            assert len(said) < calls, f"{self.ledger.mailing}: {self.ledger.reason}: {self.ledger.tally}: {said[-1]}"
            said.append(self.run())
            assert "Traceback" not in said[-1].err, said[-1].err
            self.time_passes()
        return len(said)


def make_newsroom(
    model: Path,
    root: Path,
    provider: str,
    port: int,
    readers: int,
    *,
    rate: str = "0",
    connections: int = 2,
    timeout: float = 10,
    security: str = "none",
    due: bool = True,
) -> Newsroom:
    """A copy of the model workspace with so many readers, whose issue is approved and due."""
    shutil.copytree(model, root)
    room = Newsroom(root, provider, readers)
    room.configure(port=port, rate=rate, connections=connections, timeout=timeout, security=security)

    make_readers(root, readers, lambda *words: here(root, *words[2:]))
    if due:
        approved = here(root, "approve", ISSUE, "--send-at", "now")
        assert approved.code == 0, approved.err
    return room


def prove(room: Newsroom, arrived: Mapping[str, int], *, at_most_uncertain: int) -> Counter[str]:
    """The mailing is over: nobody twice, nobody lost, the sum closes, no more in doubt than was in flight; the tally.

    ``arrived``: how many mails the sink took of each delivery id. Whoever did not get one is called anything but
    submitted, and whoever got one is submitted or uncertain.
    """
    ledger = room.ledger
    tally = ledger.tally
    twice = [key for key, count in arrived.items() if count > 1]
    assert twice == [], f"{len(twice)} got it twice: {[ledger.addresses.get(key) for key in twice[:5]]}"
    assert set(arrived) <= set(ledger.states), "a mail arrived that is no delivery"
    assert ledger.mailing == "completed", (ledger.mailing, ledger.reason)
    assert ledger.planned == room.readers == sum(tally.values()), tally
    assert set(tally) <= {"submitted", "rejected", "failed", "uncertain"}, tally
    assert ledger.of("submitted") <= set(arrived), "somebody is called submitted and has no mail"
    assert set(arrived) <= ledger.of("submitted", "uncertain"), "somebody has a mail and is called refused"
    lost = set(ledger.states) - set(arrived) - ledger.of("uncertain", "rejected", "failed")
    assert lost == set()
    assert tally["uncertain"] <= at_most_uncertain, f"{tally['uncertain']} uncertain, {at_most_uncertain} in flight"
    return tally


def ids_in(log: Path) -> Counter[str]:
    """What the mail server took, by delivery id."""
    return Counter(line.split("\t")[1].partition("@")[0].partition(".")[0] for line in log.read_text().splitlines())


def some(cases: Iterable[str], *always: str) -> list[str]:
    """All of these cases in CI; elsewhere those that stand for a kind each, because a real process takes a second."""
    found = list(cases)
    assert set(always) <= set(found)
    return found if KILLS > 100 else list(always)


def until(true: Callable[[], bool], what: str = "it", seconds: float = 60.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} never happened"
        time.sleep(0.002)


def report(line: str) -> None:
    """A figure for the log of a run: shown when the test fails, and with ``-s`` or ``-rP``."""
    print(line)
