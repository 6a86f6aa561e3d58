"""The public pages under a rush: one-click unsubscribing, each answered only when it is on the disk.

A real server process on loopback, connections that keep asking as a proxy's do, and a look into the database
afterwards. On a busy machine the rate is a matter of who gets the processor: compare the CPU time of an answer.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

from bench.figures import NEWSLETTER, note, part, say

READERS = 6_000
CONNECTIONS = 64
LEAST = 500.0
BODY = b"List-Unsubscribe=One-Click"


@part("public", rank=75)
def public(folder: Path) -> None:
    """Prints unsubscriptions a second, and fails unless each one that was answered is in the database."""
    root, tokens = prepared(folder / "public")
    command = [NEWSLETTER, "-C", str(root), "serve", "--public", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", server.stdout.readline())
        assert found
        port = int(found[1])
        rush(port, tokens[: READERS // 10])
        waits: list[float] = []
        started, before = time.perf_counter(), cpu_seconds(server.pid)
        rush(port, tokens[READERS // 10 :], waits)
        seconds, used = time.perf_counter() - started, cpu_seconds(server.pid) - before
    finally:
        server.terminate()
        server.wait(30)
    asked = READERS - READERS // 10
    assert unsubscribed(root) == READERS, "an answer came before its wish was written down"
    waits.sort()
    rate = asked / seconds
    say(
        f"one-click unsubscribes, {CONNECTIONS} connections",
        f"{rate:,.0f}/s, each durable ({asked:,} in {seconds:.1f} s)",
        f"{LEAST:,.0f}/s",
        rate >= LEAST,
    )
    half, most = waits[len(waits) // 2], waits[-len(waits) // 100]
    note(
        f"an answer took {half * 1000:.0f} ms, 99 of 100 at most {most * 1000:.0f} ms; "
        f"the server needed {used / asked * 1_000_000:.0f} µs of CPU for each"
    )


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (proc(5): fields 14 and 15, in ticks)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def prepared(folder: Path) -> tuple[Path, list[str]]:
    """A workspace with ``READERS`` readers, and the token of each."""
    from newsletter.app.desk import open_desk
    from newsletter.message.links import make_token
    from newsletter.store.ids import new_public_id
    from newsletter.store.tables import subscriber
    from newsletter.workspace.create import create_demo

    root = create_demo(folder).root
    ids = [new_public_id() for _ in range(READERS)]
    with open_desk(root) as desk:
        with desk.store.write() as conn:
            conn.execute(
                subscriber.insert(),
                [
                    {"public_id": public_id, "address": f"r{n}@example.org", "address_key": f"r{n}@example.org",
                     "status": "subscribed", "attributes": "{}", "created_at": 1, "updated_at": 1}
                    for n, public_id in enumerate(ids)
                ],
            )  # fmt: skip
        return root, [make_token("unsubscribe", public_id, desk.keys) for public_id in ids]


def rush(port: int, tokens: list[str], waits: list[float] | None = None) -> None:
    """Ask for every token, over as many connections as there are; raises for an answer that is not 200."""
    wrong: list[bytes] = []

    def ask(part: int) -> None:
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            for token in tokens[part::CONNECTIONS]:
                started = time.perf_counter()
                connection.sendall(
                    f"POST /u/{token} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(BODY)}\r\n"
                    "Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode()
                    + BODY
                )
                answer = connection.recv(4096)
                while b"You are unsubscribed\n" not in answer:
                    more = connection.recv(4096)
                    if not more or not answer.startswith(b"HTTP/1.1 200 "):
                        wrong.append(answer)
                        return
                    answer += more
                if waits is not None:
                    waits.append(time.perf_counter() - started)

    threads = [threading.Thread(target=ask, args=(part,)) for part in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:1]


def unsubscribed(root: Path) -> int:
    """How many readers have left, each with a line in the consent log."""
    from newsletter.app.desk import open_desk

    with open_desk(root) as desk, desk.store.read() as conn:
        query = (
            "select count(*) from subscriber s where s.status = 'unsubscribed' and exists"
            " (select 1 from consent c where c.subscriber_id = s.id and c.source = 'one-click')"
        )
        return int(conn.exec_driver_sql(query).scalar_one())
