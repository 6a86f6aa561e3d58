"""How long the checks of a finished issue take, and that five times the stories take at most five times as long."""

from __future__ import annotations

import re
import time
from pathlib import Path

from bench.figures import median_seconds, note, part, say, spread

SLUG, MANY = "2026-11-27", "2027-01-01"
TIMES = 5
LIMIT, RATIO = 0.150, TIMES * 1.2


@part("checks", rank=40)
def checks(folder: Path) -> None:
    """Every offline check."""
    from newsletter.app.check import findings_of
    from newsletter.app.desk import open_desk
    from newsletter.app.render import Rendered, render
    from newsletter.checks.registry import all_checks
    from newsletter.workspace.create import create_demo

    root = create_demo(folder / "checks").root
    multiply(root / "issues" / SLUG, root / "issues" / MANY)
    with open_desk(root) as desk:
        few, many = render(desk, SLUG), render(desk, MANY)

        def check(rendered: Rendered) -> None:
            findings_of(desk, rendered)

        started = time.perf_counter()
        check(few)
        first = time.perf_counter() - started
        check(many)
        twelve = median_seconds(lambda: check(few), 15)
        sixty = median_seconds(lambda: check(many), 7)
    say(f"all {len(all_checks())} checks, 12 stories", spread(twelve, 1000, "ms"), "150 ms", twelve[0] <= LIMIT)
    ratio = sixty[1] / twelve[1]
    say("the same, 60 stories", f"{ratio:.2f}× ({spread(sixty, 1000, 'ms')})", f"{RATIO:g}×, linear", ratio <= RATIO)
    note(
        f"{few.email.size / 1024:.1f} and {many.email.size / 1024:.1f} KB of HTML; the first check in a process, "
        f"with what it has to load: {first * 1000:.0f} ms"
    )


def multiply(issue: Path, copy: Path) -> None:
    """Write an issue with ``TIMES`` as many stories, each under a slug and a headline of its own."""
    copy.mkdir()
    (copy / "images").symlink_to(issue / "images", target_is_directory=True)
    stories = [file for file in issue.glob("*.md") if file.name != "issue.md"]
    for number in range(TIMES):
        for story in stories:
            text = story.read_text(encoding="utf-8")
            text = re.sub(r"^(headline|link): (.+)$", rf"\1: \2-{number}", text, flags=re.MULTILINE)
            (copy / f"{story.stem}-{number}.md").write_text(text, encoding="utf-8")
    head, _, intro = (issue / "issue.md").read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n")
    top, _, sections = head.partition("sections:\n")
    repeated = "\n".join(
        re.sub(
            r"\[(.+)\]",
            lambda found, n=number: "[" + ", ".join(f"{s.strip()}-{n}" for s in found[1].split(",")) + "]",
            sections,
        )
        for number in range(TIMES)
    )
    (copy / "issue.md").write_text(f"---\n{top}sections:\n{repeated}\n---\n{intro}", encoding="utf-8")
