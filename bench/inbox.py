"""Looking through an inbox of years, and naming the issues that used its stories."""

from __future__ import annotations

import random
import time
from pathlib import Path

from bench.figures import median_seconds, note, part, say, spread
from newsletter.app.desk import open_desk
from newsletter.app.inbox import InboxQuery, filter_names, list_inbox
from newsletter.issues.uses import uses
from newsletter.store import search
from newsletter.store.engine import Store
from newsletter.store.tables import article
from newsletter.workspace.create import init_workspace

STORIES, ISSUES, WORDS = 100_000, 500, 250
LIMIT = 0.100


@part("inbox", rank=55)
def measure(folder: Path) -> None:
    """A hundred thousand stories, of which five hundred issues used twelve each."""
    ws = init_workspace(folder / "inbox", name=None, sender=None, address=None)
    with open_desk(ws.root) as desk:
        started = time.perf_counter()
        words = fill(desk.store, STORIES)
        filled = time.perf_counter() - started
        issues(ws.issues, ISSUES)
        started = time.perf_counter()
        uses(ws)
        first = time.perf_counter() - started
        used = median_seconds(lambda: uses(ws), 7)
        common, middling, rare = words[0], words[300], words[-1]
        queries = {
            "the newest": InboxQuery(),
            "unused": InboxQuery(used=False),
            "used": InboxQuery(used=True),
            "a common word": InboxQuery(search=common),
            "the beginning of a word": InboxQuery(search=common[:3]),
            "three words": InboxQuery(search=f"{common} {middling} {words[301]}"),
            "a phrase": InboxQuery(search=f'"{common} {words[1]}"'),
            "a rare word, unused, of a section": InboxQuery(search=rare, used=False, section="section 3"),
            "as the screen lists it": InboxQuery(doubts=True),
            "the screen, dismissed, of a source, since": InboxQuery(
                states=("dismissed",), source="source 4", since="1971-01-01", used=False, doubts=True
            ),
            "the screen, a common word of a section": InboxQuery(search=common, section="section 3", doubts=True),
        }
        for name, query in queries.items():
            taken = median_seconds(lambda query=query: list_inbox(desk, query), 7)
            say(f"inbox of {STORIES:,}: {name}", spread(taken, 1000, "ms"), "100 ms", taken[0] <= LIMIT)
        taken = median_seconds(lambda: filter_names(desk), 7)
        say(f"inbox of {STORIES:,}: what to filter by", spread(taken, 1000, "ms"), "100 ms", taken[0] <= LIMIT)
    say(f"who used what in {ISSUES} issues, known", spread(used, 1000, "ms"), "100 ms", used[0] <= LIMIT)
    size = ws.database.stat().st_size / 1024**2
    note(f"the first look at {ISSUES} issues: {first:.1f} s; the database: {size:,.0f} MB, written in {filled:.0f} s")


def fill(store: Store, count: int) -> list[str]:
    """Stories straight into the tables, with words as often as a language has them (Zipf); the commonest first."""
    chance = random.Random(48)
    letters = "aeioubcdfghlmnprst"
    words = list(dict.fromkeys("".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(30_000)))
    weights = [sum(1 / (n + 1) for n in range(1))]
    for number in range(1, len(words)):
        weights.append(weights[-1] + 1 / (number + 1))
    for start in range(0, count, 5_000):
        with store.write() as conn:
            for number in range(start + 1, min(start + 5_000, count) + 1):
                text = chance.choices(words, cum_weights=weights, k=WORDS)
                headline, body = " ".join(text[:8]), " ".join(text)
                conn.execute(
                    article.insert().values(
                        id=number,
                        slug=f"story-{number}",
                        headline=headline,
                        document=f"---\nheadline: {headline}\n---\n{body}\n",
                        content_key=str(number),
                        title_key=headline,
                        state="dismissed" if number % 10 == 0 else "new",
                        added_at=number,
                        source=f"source {number % 12}",
                        section=f"section {number % 9}",
                    )
                )
                search.put(conn, number, search.Words(headline, " ".join(text[8:25]), "ada reyes", body))
    return words


def issues(folder: Path, count: int) -> None:
    """Weekly issues of twelve stories each."""
    for number in range(count):
        place = folder / f"{2016 + number // 50}-{1 + number % 50 // 5:02d}-{1 + number % 5:02d}"
        place.mkdir(parents=True)
        slugs = [f"story-{number * 150 + n}" for n in range(12)]
        (place / "issue.md").write_text(
            f"---\ndate: {place.name}\nnumber: {number}\nsections:\n"
            f"  - layout: list\n    articles: [{', '.join(slugs)}]\n---\n"
        )
        for slug in slugs:
            (place / f"{slug}.md").write_text(
                f"---\nheadline: The story {slug}\nlink: https://x.example/{slug}\n---\nText.\n"
            )
