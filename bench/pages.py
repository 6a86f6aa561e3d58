"""Reading web pages: the corpus of the tests, and any folder of saved pages that ``NEWSLETTER_BENCH_PAGES`` names."""

from __future__ import annotations

import os
import statistics
import time
import tomllib
from pathlib import Path

from bench.figures import ROOT, note, part, say
from newsletter.articles.page import read_page
from newsletter.errors import BadData

LIMIT = 60  # milliseconds of processor time a page


def milliseconds(data: bytes, url: str) -> tuple[float, bool]:
    """Processor time of reading one page, the faster of two, and whether it gave a story."""
    times, story = [], True
    for _ in range(2):
        started = time.process_time()
        try:
            read_page(data, url=url)
        except BadData:
            story = False
        times.append((time.process_time() - started) * 1000)
    return min(times), story


def report(name: str, pages: list[tuple[str, bytes]]) -> None:
    """The median, the mean and the slowest of some pages."""
    milliseconds(pages[0][1], pages[0][0])  # the first page pays for the imports
    found = [milliseconds(data, url) for url, data in pages]
    times = sorted(spent for spent, _ in found)
    mean = statistics.mean(times)
    figure = f"{mean:.1f} ms (median {statistics.median(times):.1f}, slowest {times[-1]:.0f})"
    say(f"read a page, {name}", figure, f"{LIMIT} ms", mean <= LIMIT)
    note(f"{len(pages)} pages, {sum(len(data) for _, data in pages) / len(pages) / 1024:.0f} KB each; "
         f"{sum(story for _, story in found)} stories, the others refused in words")  # fmt: skip


@part("pages", rank=35)
def measure(folder: Path) -> None:
    """Every page twice, on this processor, without the network."""
    corpus = ROOT / "tests" / "intake" / "pages"
    listed = tomllib.loads((corpus / "pages.toml").read_text(encoding="utf-8"))
    report("corpus", [(entry["url"], (corpus / f"{name}.html").read_bytes()) for name, entry in listed.items()])
    if more := os.environ.get("NEWSLETTER_BENCH_PAGES"):
        files = sorted(Path(more).rglob("*.html"))
        report("saved pages", [(f"https://saved.example/{file.stem}", file.read_bytes()) for file in files])
