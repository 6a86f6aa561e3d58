"""What the sample issue weighs after inlining, which is what Gmail counts."""

from __future__ import annotations

import re
from pathlib import Path

from bench.figures import ISSUE, note, part, say
from newsletter.app.desk import open_desk
from newsletter.app.render import render
from newsletter.models import Email
from newsletter.workspace.create import create_demo

KB = 1024
SHELL, STORY, TOTAL = 14, 4.5, 80  # KB
THEMES = ("weekly", "digest", "letter", "bulletin")


def weighed(root: Path, theme: str) -> Email:
    """The sample issue set in ``theme``."""
    file = root / "issues" / ISSUE / "issue.md"
    head = re.sub(r"(?m)^theme: .*$", f"theme: {theme}", file.read_text(encoding="utf-8"), count=1)
    file.write_text(head, encoding="utf-8")
    with open_desk(root) as desk:
        return render(desk, ISSUE).email


@part("size", rank=30)
def measure(folder: Path) -> None:
    """The shell is everything that is no story, kept styles included; each of the twelve stories is weighed."""
    root = create_demo(folder / "sample").root
    for theme in THEMES:
        email = weighed(root, theme)
        stories = email.sizes
        shell = (email.size - sum(stories.values())) / KB
        dearest, most = max(stories.items(), key=lambda story: story[1])
        if theme == "weekly":
            say("weekly: everything but the stories, inlined", f"{shell:.1f} KB", f"{SHELL} KB", shell <= SHELL)
            say("weekly: the dearest story", f"{most / KB:.2f} KB ({dearest})", f"{STORY} KB", most / KB <= STORY)
            total = email.size / KB
            say(f"weekly: {len(stories)} stories in all", f"{total:.1f} KB", f"{TOTAL} KB", total <= TOTAL)
        else:
            note(f"{theme}: shell {shell:.1f} KB, dearest story {most / KB:.2f} KB, all {email.size / KB:.1f} KB")
