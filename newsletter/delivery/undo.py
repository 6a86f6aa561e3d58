"""The undo window: a mailing that is due waits ``[schedule] undo`` before its first mail may leave.

Until then nothing is planned and nothing is submitted, so ``unapprove`` answers "stopped, 0 submitted".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from newsletter.delivery.mailings import Mailing
from newsletter.delivery.schedule import wall_time
from newsletter.delivery.watch import Waiting
from newsletter.errors import Interrupted
from newsletter.store.clock import from_us
from newsletter.workspace.config import parse_duration
from newsletter.workspace.settings import Config

_SECOND = 1_000_000
_LOOK_SECONDS = 1.0  # how soon a stop or an unapproval is heard


def undo_window(config: Config) -> int:
    """``[schedule] undo`` in microseconds."""
    return parse_duration(config.schedule.undo, "schedule.undo") // timedelta(microseconds=1)


def waits(mailing: Mailing, config: Config, now: int) -> bool:
    """Whether a mailing is due but may still be stopped. One that an editor released has waited already."""
    if mailing.state != "scheduled" or mailing.released:
        return False
    return now < mailing.send_at + undo_window(config)


def stoppable_until(send_at: int, zone: str, config: Config) -> str | None:
    """``07:05``: until when, in ``zone``, a mailing due at ``send_at`` (UTC microseconds) waits; None: no window."""
    window = undo_window(config)
    if not window:
        return None
    stamp, due = wall_time(from_us(send_at + window), zone), wall_time(from_us(send_at), zone)
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
    if mailing.state != "scheduled" or mailing.released or not window:
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
