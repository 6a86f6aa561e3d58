"""Alerts: when an editor must act, ``run-due`` says so by mail and webhook, once for each cause until it changes."""

from __future__ import annotations

import contextlib
import html
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from newsletter.app.desk import Desk
from newsletter.app.heartbeat import own_policy
from newsletter.app.letters import Letter, post
from newsletter.app.log import RunLog
from newsletter.audience.addresses import hide_addresses
from newsletter.delivery.causes import Cause, forget, known, recall, remember, settle_ended, standing, tried
from newsletter.errors import Busy, CannotWrite, NewsletterError, RemoteError
from newsletter.store.clock import from_us, now_us
from newsletter.workspace.files import file_lock

MOST_TRIES = 5
"""A channel that does not work is not tried every minute for ever."""
SCHEMA = "newsletter/alert/1"


def tell(desk: Desk, more: Callable[[], Sequence[Cause]] = tuple) -> None:
    """Tell whom ``[alerts]`` names what needs an editor, and what ``more`` finds. Never raises.

    What does not get through is in the log, and tried again at the next runs, ``MOST_TRIES`` times in all.
    """
    alerts = desk.config.alerts
    channels: dict[str, Callable[[Desk, Cause], None]] = {}
    if alerts.to:
        channels["mail"] = _mail
    if alerts.webhook:
        channels["webhook"] = _post
    if not channels or not desk.workspace.database.exists():
        return
    try:
        with file_lock(desk.workspace.locks / "alerts.lock"):
            _tell(desk, channels, [*standing(desk.store, now_us()), *more()])
    except Busy:
        return  # another run tells it
    except NewsletterError as error:
        _log(desk, ok=False, why=error.what)


def _tell(desk: Desk, channels: dict[str, Callable[[Desk, Cause], None]], causes: Sequence[Cause]) -> None:
    memories = recall(desk.store)
    gone = memories.keys() - {cause.key for cause in causes}
    if gone:
        forget(desk.store, gone)
    untold = set()
    for cause in causes:
        memory = known(memories.get(cause.key), cause)
        left = [name for name in channels if name not in memory.done]
        if not left or memory.tries >= MOST_TRIES:
            continue
        untold.add(cause.key)
        # Before it is tried: a process that dies in the middle may tell it once more, but not for ever.
        memory = tried(memory)
        remember(desk.store, cause.key, memory)
        for name in left:
            if _try(desk, name, channels[name], cause):
                memory = replace(memory, done=(*memory.done, name))
                remember(desk.store, cause.key, memory)
        if all(name in memory.done for name in channels):
            untold.discard(cause.key)
    settle_ended(desk.store, now_us(), untold)


def _try(desk: Desk, name: str, channel: Callable[[Desk, Cause], None], cause: Cause) -> bool:
    why = None
    try:
        channel(desk, cause)
    except NewsletterError as error:
        why = error.what
    except Exception as error:  # noqa: BLE001 - a provider of another package may raise anything; the mailing is done
        why = type(error).__name__
    _log(desk, channel=name, kind=cause.kind, issue=cause.issue, ok=why is None, why=why)
    return why is None


def _log(desk: Desk, **facts: object) -> None:
    with contextlib.suppress(CannotWrite):
        RunLog(desk, "run-due").write("alert", **facts)


def _post(desk: Desk, cause: Cause) -> None:
    from newsletter.net.fetch import Request, ask

    url = desk.config.alerts.webhook or ""
    content = {
        "schema": SCHEMA,
        "publication": desk.config.publication.name,
        "kind": cause.kind,
        "issue": cause.issue,
        # "text" is what chat programs show of a message.
        "text": f"{hide_addresses(cause.sentence)} – {cause.fix}",
        "fix": cause.fix,
        "at": from_us(now_us()).isoformat(timespec="seconds"),
    }
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = (("Content-Type", "application/json"),)
    # No redirect: what was meant for one place is not handed to another.
    policy = replace(own_policy(url), max_redirects=0)
    answer = ask(url, policy, Request("POST", headers=headers, read=False, body=body))
    if not answer.ok:
        raise RemoteError(f"the webhook answered {answer.status}", where="newsletter.toml: alerts.webhook")


def _mail(desk: Desk, cause: Cause) -> None:
    said = hide_addresses(cause.sentence)
    letter = Letter(
        subject=f"[ALERT] {' '.join(said.split())[:150]}",
        html=f"<p>{html.escape(said)}</p><p>What to do: <b>{html.escape(cause.fix)}</b></p>",
        text=f"{said}\n\nWhat to do: {cause.fix}\n",
        title="Alert",
        about=cause.issue or "alert",
    )
    post(desk, letter, desk.config.alerts.to)
