"""The wire: splicing a reader into a mail, signing it, and handing it to a mail server, each beside a peer.

The peer of splicing is nothing but a figure; of DKIM a bare RSA signature; of SMTP a plain ``smtplib`` loop and
Postfix's C client ``smtp-source -d``, all into the same ``smtp-sink`` on loopback.
"""

from __future__ import annotations

import datetime
import os
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import note, part, say
from newsletter.message.compile import CompiledMessage, compile_message
from newsletter.message.dkim import Signer, make_signer
from newsletter.message.headers import recipient_headers
from newsletter.message.outgoing import Addressed, Outgoing
from newsletter.models import MergeField

if TYPE_CHECKING:
    from newsletter.app.desk import Desk
    from newsletter.delivery.mailings import Mailing

HERE = Path(__file__).resolve()
ROOT = HERE.parent.parent
POSTFIX = "/usr/sbin:/usr/bin"
MAILS = 4_000
ROUNDS = 3
CONNECTIONS = 4


def an_outgoing() -> Outgoing:
    """A mail of 85 KB with a merge field in its head, in each part and at its end."""
    story = "Words of a story that goes on for quite a while, with an em dash — and an odd café.\n"
    return Outgoing(
        mailing="9" * 32,
        issue="2026-11-27",
        digest="sha256:" + "ab" * 32,
        date=datetime.datetime(2026, 11, 27, 7, 0, tzinfo=datetime.UTC),
        sender_name="The Estuary Weekly",
        sender_email="letter@estuary.example",
        subject="The boat that passengers bought",
        html="<p>Dear nlf0001q,</p>" + f"<p>{story}</p>" * 780 + '<a href="nlf0002q">Unsubscribe</a>',
        text="Dear nlf0003q,\n\n" + story * 60 + "Unsubscribe: nlf0004q\n",
        lang="en",
        list_id="The Estuary Weekly <the-estuary-weekly.estuary.example>",
        feedback_id="2026-11-27:99999999:estuary:estuary",
        fields=(
            MergeField("nlf0001q", "first_name", "reader", "html"),
            MergeField("nlf0002q", "unsubscribe_url", "", "html"),
            MergeField("nlf0003q", "first_name", "reader", "text"),
            MergeField("nlf0004q", "unsubscribe_url", "", "text"),
        ),
    )


def an_addressed(number: int) -> Addressed:
    url = f"https://estuary.example/u/v1.unsubscribe.{number:032x}.k1.{'m' * 22}"
    return Addressed(
        f"{number:032x}",
        f"reader{number}@mail{number % 97}.example.org",
        {"first_name": f"Name {number}", "unsubscribe_url": url},
        recipient_headers(url),
    )


def per_call(work: Callable[[int], object], calls: int, rounds: int = 7) -> float:
    """Seconds of one call: the median over ``rounds`` of ``calls`` each."""
    figures = []
    for _ in range(rounds):
        started = time.perf_counter()
        for number in range(calls):
            work(number)
        figures.append((time.perf_counter() - started) / calls)
    return statistics.median(figures)


def a_signer() -> Signer:
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()).decode()
    return make_signer("estuary.example", "bench", pem, where="bench")


@part("wire", rank=70)
def wire(_folder: Path) -> None:
    """Splicing and signing for one reader; a whole mailing by SMTP beside its peers."""
    plain, splice, both, bare = figures_of_splicing()
    say(f"splice a reader into {plain.size // 1024} KB", f"{splice * 1e6:.1f} µs", "15 µs", splice <= 15e-6)
    ratio = both / bare
    say("splice and sign, against a bare RSA-2048", f"{ratio:.2f}× ({bare * 1e6:.0f} µs)", "1.5×", ratio <= 1.5)
    if shutil.which("smtp-sink", path=POSTFIX) is None:
        note("SMTP is not measured: Postfix's smtp-sink is not there (apt-get install postfix)")
        return
    with sink() as port:
        rounds = [
            (smtplib_loop(port, MAILS // 4), smtp_source(port, MAILS, plain.size), ours(port, MAILS))
            for _ in range(ROUNDS)
        ]
    loop, source, mine = (statistics.median(column) for column in zip(*rounds, strict=True))
    say(
        "SMTP with the full ledger against smtplib",
        f"{mine / loop:.2f}× ({mine:.0f}/s, {loop:.0f}/s)",
        "2×",
        mine >= 2 * loop,
    )
    say("the same against smtp-source -d", f"{mine / source:.2f}× ({source:.0f}/s)", "0.8×", mine >= 0.8 * source)


def figures_of_splicing() -> tuple[CompiledMessage, float, float, float]:
    """(the compiled mail, seconds a splice, seconds a signed splice, seconds a bare signature)."""
    readers = [an_addressed(number) for number in range(500)]
    signer = a_signer()
    plain, signed = compile_message(an_outgoing()), compile_message(an_outgoing(), [signer])
    splice = per_call(lambda n: plain.splice(readers[n]), 500)
    both = per_call(lambda n: signed.splice(readers[n]), 60)
    bare = per_call(lambda _: signer.sign(b"x" * 900), 60)
    return plain, splice, both, bare


@contextmanager
def sink() -> Iterator[int]:
    """Postfix's smtp-sink, which takes everything; its port."""
    program = shutil.which("smtp-sink", path=POSTFIX)
    assert program
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to run as root
    process = subprocess.Popen([program, *as_nobody, f"127.0.0.1:{port}", "1000"])
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()


def smtplib_loop(port: int, mails: int) -> float:
    """Mails a second of one reused ``smtplib`` connection and a mail that is there already."""
    compiled = compile_message(an_outgoing())
    message = compiled.splice(an_addressed(1))
    with smtplib.SMTP("127.0.0.1", port, "bench") as client:
        started = time.perf_counter()
        for number in range(mails):
            client.sendmail("letter@estuary.example", [f"reader{number}@example.org"], message)
        return mails / (time.perf_counter() - started)


def smtp_source(port: int, mails: int, size: int) -> float:
    """Mails a second of Postfix's C client: ``-d`` keeps the connection, as many sessions as we have connections."""
    program = shutil.which("smtp-source", path=POSTFIX)
    assert program
    command = [program, "-d", "-s", str(CONNECTIONS), "-m", str(mails), "-l", str(size), "-f", "a@b.example"]
    started = time.perf_counter()
    subprocess.run([*command, "-t", "c@d.example", f"127.0.0.1:{port}"], check=True, stdout=subprocess.DEVNULL)
    return mails / (time.perf_counter() - started)


def ours(port: int, mails: int) -> float:
    """Mails a second through the whole of delivery: claim, ledger, splice, SMTP, ledger; in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "bench.wire", "send", str(port), str(mails), folder],
            check=True, capture_output=True, text=True, cwd=ROOT,
        )  # fmt: skip
    return float(done.stdout)


def send_once(port: int, mails: int, folder: Path) -> None:
    """Plan and send to ``mails`` readers by SMTP with four connections; prints mails a second of the sending alone."""
    from newsletter.app.desk import open_desk
    from newsletter.delivery.addressing import addresser
    from newsletter.delivery.sender import Sender
    from newsletter.providers.smtp import create
    from newsletter.workspace.create import create_demo

    with open_desk(create_demo(folder / "ws").root) as desk:
        with_readers(desk, mails)
        mailing, _ = planned_mailing(desk)
        provider = create({"host": "127.0.0.1", "port": port, "security": "none", "connections": CONNECTIONS})
        sender = Sender(
            store=desk.store,
            mailing=mailing,
            provider=provider,
            outgoing=an_outgoing(),
            write_to=addresser(issue=mailing.issue, site_url="https://estuary.example", keys=desk.keys),
            keys=desk.keys,
        )
        started = time.perf_counter()
        sent = sender.run()
        seconds = time.perf_counter() - started
        provider.close()
        assert sent.counts == {"submitted": mails}, sent
    print(mails / seconds)


def with_readers(desk: Desk, count: int) -> None:
    """Subscribers straight into the database."""
    from newsletter.store.ids import new_public_ids
    from newsletter.store.tables import subscriber

    for start in range(0, count, 10_000):
        numbers = range(start, min(start + 10_000, count))
        rows = [
            {"public_id": public_id, "address": f"r{n}@mail{n % 97}.example.org",
             "address_key": f"r{n}@mail{n % 97}.example.org", "status": "subscribed",
             "attributes": f'{{"first_name": "R{n}"}}', "created_at": 1, "updated_at": 1}
            for n, public_id in zip(numbers, new_public_ids(len(numbers)), strict=True)
        ]  # fmt: skip
        with desk.store.write() as conn:
            conn.execute(subscriber.insert(), rows)


def planned_mailing(desk: Desk) -> tuple[Mailing, float]:
    """The sample issue approved and planned: its mailing, ready to be sent, and the seconds that planning took."""
    from newsletter.app.approve import approve_issue
    from newsletter.delivery import mailings
    from newsletter.delivery.plan import plan

    approved = approve_issue(desk, "2026-11-27", send_at="now").mailing
    assert approved
    with desk.store.write() as conn:
        mailings.step(conn, approved.id, ("scheduled",), "planning")
    started = time.perf_counter()
    plan(desk.store, approved, keys=desk.keys, now=time.time_ns() // 1000)
    seconds = time.perf_counter() - started
    with desk.store.read() as conn:
        return mailings.read_mailing(conn, approved.id), seconds


if __name__ == "__main__" and sys.argv[1:2] == ["send"]:
    send_once(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
