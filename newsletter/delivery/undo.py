"""The undo window: a mailing that is due waits ``[schedule] undo`` before its first mail may leave.

Until then nothing is planned and nothing is submitted, so ``unapprove`` answers "stopped, 0 submitted".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from newsletter.delivery.mailings import RELEASED, Mailing
from newsletter.delivery.schedule import wall_time
from newsletter.delivery.watch import Waiting
from newsletter.errors import Interrupted
from newsletter.store.clock import from_us
from newsletter.workspace.config import parse_duration
from newsletter.workspace.settings import Config

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND  # how often cron comes: what a rule sends is made so much after its time
_LOOK_SECONDS = 1.0  # how soon a stop or an unapproval is heard


def undo_window(config: Config) -> int:
    """``[schedule] undo`` in microseconds."""
    return parse_duration(config.schedule.undo, "schedule.undo") // timedelta(microseconds=1)


def waits(mailing: Mailing, config: Config, now: int) -> bool:
    """Whether a mailing is due but may still be stopped. One that an editor released has waited already."""
    if mailing.state != "scheduled" or mailing.reason == RELEASED:
        return False
    return now < window_begins(mailing.send_at, mailing.created_at, now) + undo_window(config)


def made_late(send_at: int, created_at: int) -> bool:
    """Whether a mailing was made when its time was past already: its last approval came so late."""
    return created_at - send_at > _MINUTE


def window_begins(send_at: int, created_at: int, now: int) -> int:
    """When somebody could begin to think again: when it was due, or later, when it was made.

    One that was made in the future was made by a wrong clock, which keeps nobody waiting. All in UTC microseconds.
    """
    return created_at if made_late(send_at, created_at) and created_at <= now else send_at


def stoppable_until(begins: int, zone: str, config: Config) -> str | None:
    """``07:05``: until when, in ``zone``, a mailing waits whose window ``begins`` then; None: no window."""
    window = undo_window(config)
    if not window:
        return None
    stamp, due = wall_time(from_us(begins + window), zone), wall_time(from_us(begins), zone)
    return stamp[11:] if stamp[:10] == due[:10] else stamp.replace("T", " ")


def wait_out(
    mailing: Mailing,
    config: Config,
    *,
    now: Callable[[], int],
    sleep: Callable[[float], None],
    stop: Callable[[], bool],
    state: Callable[[], str],
    waiting: Callable[[Waiting], None] = lambda _waiting: None,
) -> None:
    """Wait a window that begins now, for ``newsletter send``. Returns early when the mailing is not scheduled any more.

    Raises ``Interrupted`` when ``stop`` says so.
    """
    window = undo_window(config)
    if mailing.state != "scheduled" or mailing.reason == RELEASED or not window:
        return
    end = now() + window
    while (left := end - now()) > 0 and state() == "scheduled":
        if stop():
            raise Interrupted(
                f"stopped before the first mail of {mailing.issue}; it is still scheduled",
                fix=f"newsletter unapprove {mailing.issue}, or newsletter run-due sends it",
            )
        waiting(Waiting("undo", end))
        sleep(min(_LOOK_SECONDS, left / _SECOND))
