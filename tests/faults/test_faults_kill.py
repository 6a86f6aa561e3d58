"""kill -9 of real sending processes at random points: nobody twice, nobody lost, the sum closes.

``NEWSLETTER_KILLS`` says how many kills there are in all (CI: 300), ``NEWSLETTER_TEST_SEED`` repeats a run.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest

from newsletter.providers.sendgrid import CONNECTIONS
from newsletter.providers.smtp import MAX_BATCH, WINDOWS
from tests.badinput.badinput_kit import Sink
from tests.faults.faults_kit import KILLS, SEED, Newsroom, ids_in, prove, report, until
from tests.faults.faults_sinks import SendGridServer

IN_A_MAILING = 50
"""At most; so that the work can be shared out, and a failure names a short run."""
ROUNDS = max(1, -(-KILLS // (2 * IN_A_MAILING)))
EACH = KILLS // (2 * ROUNDS)

SMTP_CONNECTIONS = 2
SENDGRID_BATCH = 40
PAUSE = 0.02
"""Seconds between a request that was read and the mails that are taken, and again until the answer."""
NOW_AND_THEN = 0.15
"""The share of kills that fall anywhere from the interpreter's start on: planning, recovery, the first claim."""


def kill_somewhere(room: Newsroom, dice: random.Random, progress: Callable[[], int], reach: float) -> bool:
    """Start ``run-due`` and kill it within ``reach`` seconds of its first mail; False when it was done before."""
    before = progress()
    process = room.start()
    if dice.random() < NOW_AND_THEN:
        time.sleep(dice.uniform(0.1, 1.0))
    else:
        until(lambda: progress() > before or process.poll() is not None, "a mail")
        time.sleep(dice.uniform(0.0, reach))
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def kill_again_and_again(room: Newsroom, seed: int, progress: Callable[[], int], reach: float) -> int:
    """``EACH`` kills; how many there were."""
    dice = random.Random(seed)
    kills = 0
    while kills < EACH:
        assert kill_somewhere(room, dice, progress, reach), (
            f"seed {seed}: done after {kills} kills: more readers are needed"
        )
        kills += 1
    return kills


def say(provider: str, seed: int, kills: int, took: Counter[str], tally: Counter[str]) -> None:
    twice = sum(count - 1 for count in took.values())
    arrived = tally["uncertain"] - (sum(tally.values()) - len(took))
    report(
        f"kill -9, {provider}, NEWSLETTER_TEST_SEED={seed}: {kills} kills, {sum(tally.values()):,} readers,"
        f" {len(took):,} mails at the sink, {twice} duplicates, 0 lost,"
        f" {tally['uncertain']} uncertain ({arrived} of them had arrived)"
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(ROUNDS))
def test_kill_9_over_smtp_loses_nobody_and_reaches_nobody_twice(
    newsroom: Callable[..., Newsroom], mail_sink: Sink, part: int
) -> None:
    """After each kill another process goes on; in doubt is at most what was in flight when one died."""
    room = newsroom("smtp", mail_sink.port, 500 + 130 * EACH, connections=SMTP_CONNECTIONS)
    seed = SEED + part
    try:
        kills = kill_again_and_again(room, seed, lambda: mail_sink.log.stat().st_size, reach=0.15)
        room.finish()
        took = ids_in(mail_sink.log)
        tally = prove(room, took, at_most_uncertain=kills * SMTP_CONNECTIONS * MAX_BATCH * WINDOWS)
    except BaseException:
        report(f"NEWSLETTER_TEST_SEED={seed} NEWSLETTER_KILLS={KILLS}")
        raise
    say("SMTP", seed, kills, took, tally)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(ROUNDS))
def test_kill_9_over_sendgrid_loses_nobody_and_reaches_nobody_twice(
    newsroom: Callable[..., Newsroom], part: int
) -> None:
    """The same with whole requests in flight: each is in doubt as one, and at most one for each connection."""
    server = SendGridServer(pause=PAUSE)
    seed = SEED + part
    try:
        rate = f"{SENDGRID_BATCH}/s"
        room = newsroom("sendgrid", server.port, 500 + 2 * SENDGRID_BATCH * EACH, rate=rate, connections=CONNECTIONS)
        kills = kill_again_and_again(room, seed, lambda: len(server.requests), reach=3 * PAUSE)
        room.configure(rate="0")
        room.finish()
        tally = prove(room, server.took, at_most_uncertain=kills * CONNECTIONS * SENDGRID_BATCH)
    except BaseException:
        report(f"NEWSLETTER_TEST_SEED={seed} NEWSLETTER_KILLS={KILLS}")
        raise
    finally:
        server.close()
    say("SendGrid", seed, kills, server.took, tally)
