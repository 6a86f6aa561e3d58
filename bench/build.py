"""Building the sample issue: from the command line, and again after an edit in one process, as the preview does."""

from __future__ import annotations

import time
from pathlib import Path

from bench.figures import ISSUE, NEWSLETTER, median_seconds, note, part, say, shell, spread
from newsletter.app.desk import open_desk
from newsletter.app.render import render
from newsletter.workspace.create import create_demo

COLD = 1.0  # seconds
WARM = 0.060
WARM_RUNS = 25


@part("build", rank=20)
def measure(folder: Path) -> None:
    """Twelve stories, premailer, every check of the inliner; pictures are in the cache."""
    root = create_demo(folder / "sample").root
    shell(NEWSLETTER, "-C", str(root), "build", ISSUE)
    cold = median_seconds(lambda: shell(NEWSLETTER, "-C", str(root), "build", ISSUE), 7)
    say("cold build, 12 stories, images cached", spread(cold), f"{COLD:.1f} s", cold[0] <= COLD)

    story = root / "issues" / ISSUE / "sea-wall-to-move-inland.md"
    text = story.read_text(encoding="utf-8")
    edits = iter(range(1_000))

    def edit_and_render() -> None:
        story.write_text(text.replace("two hundred years", f"{200 + next(edits)} years"), encoding="utf-8")
        with open_desk(root) as desk:
            render(desk, ISSUE)

    edit_and_render()
    processor = time.process_time()
    warm = median_seconds(edit_and_render, WARM_RUNS)
    processor = (time.process_time() - processor) / WARM_RUNS
    story.write_text(text, encoding="utf-8")
    say(
        "warm rebuild after an edit, one process",
        spread(warm, 1000, "ms"),
        f"{WARM * 1000:.0f} ms",
        warm[0] <= WARM,
    )
    with open_desk(root) as desk:
        email = render(desk, ISSUE).email
    steps = sorted(email.timings.items(), key=lambda step: -step[1])[:4]
    note(f"the processor worked {processor * 1000:.0f} ms on each; the rest is waiting for it on a busy machine")
    note("slowest steps: " + ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in steps))
