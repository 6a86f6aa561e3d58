"""Speed and memory, as figures with the limits they are held against: ``./dev bench``.

Every figure is a median of several runs on this machine, now; ratios against a baseline in the same run are
worth more than single times. ``./dev bench send 10000`` runs one part at one size.
"""

from __future__ import annotations

import importlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BIN = Path(sys.executable).parent
NEWSLETTER = str(BIN / "newsletter")
HERE = Path(__file__).resolve()


def median_seconds(work: Callable[[], object], runs: int) -> tuple[float, float, float]:
    """(median, fastest, slowest) of ``runs`` calls."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times), min(times), max(times)


def shell(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def say(name: str, figure: str, limit: str, kept: bool) -> None:
    print(f"{'ok  ' if kept else 'OVER'}  {name:<46} {figure:<42} limit {limit}", flush=True)


def spread(times: tuple[float, float, float], unit: float = 1.0, word: str = "s") -> str:
    return f"{times[0] * unit:.2f} {word} ({times[1] * unit:.2f}–{times[2] * unit:.2f})"


def bench_help() -> None:
    bare = median_seconds(lambda: shell(sys.executable, "-c", "import click"), 9)
    ours = median_seconds(lambda: shell(NEWSLETTER, "--help"), 9)
    ratio = ours[0] / bare[0]
    say(
        "newsletter --help against import click",
        f"{ratio:.2f}× ({ours[0] * 1000:.0f} / {bare[0] * 1000:.0f} ms)",
        "2.5×",
        ratio <= 2.5,
    )


def bench_build(folder: Path) -> None:
    from newsletter.app.desk import open_desk
    from newsletter.app.render import render
    from newsletter.workspace.create import create_demo

    root = create_demo(folder / "sample").root
    shell(NEWSLETTER, "-C", str(root), "build", "2026-11-27")
    cold = median_seconds(lambda: shell(NEWSLETTER, "-C", str(root), "build", "2026-11-27"), 7)
    say("cold build, 12 stories, images cached", spread(cold), "1.5 s", cold[0] <= 1.5)

    story = root / "issues" / "2026-11-27" / "sea-wall-to-move-inland.md"
    text = story.read_text(encoding="utf-8")
    edits = iter(range(1_000))

    def edit_and_render() -> None:
        story.write_text(text.replace("two hundred years", f"{200 + next(edits)} years"), encoding="utf-8")
        with open_desk(root) as desk:
            render(desk, "2026-11-27")

    edit_and_render()
    warm = median_seconds(edit_and_render, 25)
    story.write_text(text, encoding="utf-8")
    say("warm rebuild after an edit, one process", spread(warm, 1000, "ms"), "100 ms", warm[0] <= 0.1)
    with open_desk(root) as desk:
        email = render(desk, "2026-11-27").email
    steps = sorted(email.timings.items(), key=lambda step: -step[1])[:4]
    print(
        f"      {email.size / 1024:.1f} KB of HTML; slowest steps: "
        + ", ".join(f"{n} {s * 1000:.0f} ms" for n, s in steps)
    )


def bench_import(folder: Path) -> None:
    from newsletter.app.audience import import_readers
    from newsletter.app.desk import open_desk
    from newsletter.workspace.create import init_workspace

    root = init_workspace(folder / "import", name=None, sender=None, address=None).root
    file = folder / "readers.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("email,first_name,city\n")
        out.writelines(f"reader{n}@mail{n % 97}.example.org,Name {n},City {n % 500}\n" for n in range(100_000))
    started = time.perf_counter()
    with open_desk(root) as desk:
        done = import_readers(desk, file, mapping={}, basis="bench")
    seconds = time.perf_counter() - started
    assert done.report.added == 100_000
    say("import 100,000 CSV rows", f"{seconds:.2f} s ({100_000 / seconds:,.0f} rows/s)", "10 s", seconds <= 10)


def bench_send(folder: Path) -> None:
    figures = {}
    for readers in (10_000, 100_000):
        done = subprocess.run(
            [sys.executable, str(HERE), "send", str(readers), str(folder / f"send{readers}")],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        figures[readers] = json.loads(done.stdout)
    most = figures[100_000]
    say(
        "send 100,000 to a null provider, full ledger",
        f"{most['seconds']:.1f} s ({100_000 / most['seconds']:,.0f}/s)",
        "60 s",
        most["seconds"] <= 60,
    )
    say(
        "memory at 100,000",
        f"{most['mb']:.0f} MB (at 10,000: {figures[10_000]['mb']:.0f} MB)",
        "150 MB, flat",
        most["mb"] <= 150 and most["mb"] <= figures[10_000]["mb"] * 1.25,
    )
    print(f"      each mail was spliced: {most['mail_kb']:.0f} KB; {most['seconds'] * 10:.0f} µs a recipient in all")


def send_once(readers: int, folder: Path) -> None:
    """One sending of ``readers`` in a process of its own, so that its peak memory is its own; prints JSON."""
    from null_provider import NullProvider

    from newsletter.app.approve import approve_issue
    from newsletter.app.desk import open_desk
    from newsletter.delivery.run_due import Work, run_mailing
    from newsletter.store.ids import new_public_id
    from newsletter.store.tables import subscriber
    from newsletter.workspace.create import create_demo

    root = create_demo(folder).root
    config = root / "newsletter.toml"
    config.write_text(
        config.read_text(encoding="utf-8").replace('delivery = "embedded"', 'delivery = "hosted"'), encoding="utf-8"
    )
    with open_desk(root) as desk:
        for start in range(0, readers, 1_000):
            rows = [
                {"public_id": new_public_id(), "address": f"r{n}@example.org",
                 "address_key": f"r{n}@example.org",
                 "status": "subscribed", "attributes": f'{{"first_name": "R{n}"}}', "created_at": 1, "updated_at": 1}
                for n in range(start, min(start + 1_000, readers))
            ]  # fmt: skip
            with desk.store.write() as conn:
                conn.execute(subscriber.insert(), rows)
        approved = approve_issue(desk, "2026-11-27", send_at="now")
        assert approved.mailing
        provider = NullProvider()
        work = Work(desk.store, desk.workspace, desk.config, desk.keys, lambda: provider)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        run = run_mailing(work, approved.mailing)
        seconds = time.perf_counter() - started
        assert run.state == "completed", run
        assert run.counts == {"submitted": readers} and provider.mails == readers
    print(
        json.dumps(
            {
                "seconds": seconds,
                "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "before_mb": before / 1024,
                "mail_kb": provider.bytes / provider.mails / 1024,
            }
        )
    )


PARTS: dict[str, Callable[..., None]] = {
    "help": bench_help,
    "build": bench_build,
    "import": bench_import,
    "send": bench_send,
    "public": lambda folder: importlib.import_module("public").bench_public(folder),
}


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["send"] and len(arguments) == 3:
        return send_once(int(arguments[1]), Path(arguments[2]))
    chosen = arguments or list(PARTS)
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder:
        for name in chosen:
            part = PARTS[name]
            part() if name == "help" else part(Path(folder))
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
