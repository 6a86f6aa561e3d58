"""The composer in Chromium: from a key to the mail that shows it, and the list of five hundred issues."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.figures import ISSUE, median_seconds, note, part, say, spread
from newsletter.app.desk import open_desk
from newsletter.app.issues import list_issues
from newsletter.issues.folder import load_issue
from newsletter.issues.history import past_uses
from newsletter.workspace.create import create_demo
from tools.browser import start

EDITS = 40
LIMITS = {12: 0.150, 60: 0.300}
LIST = 0.100

# Types into a headline and looks at every frame whether the mail shows it. Pauses as in writing: most are short, and in
# some the checks begin.
_TYPE = """async (count) => {
  const box = document.querySelector('.story[data-slug="sea-wall-to-move-inland"] [data-field="headline"]');
  const mail = document.getElementById("mail");
  const times = [];
  for (let at = 0; at < count; at += 1) {
    await new Promise((done) => setTimeout(done, at % 4 === 3 ? 700 : 180));
    const mark = `Edit number ${at} of the wall`;
    const began = performance.now();
    box.value = mark;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => {
      const look = () => (mail.contentDocument.body.textContent.includes(mark) ? requestAnimationFrame(done)
        : requestAnimationFrame(look));
      look();
    });
    times.push((performance.now() - began) / 1000);
  }
  return times;
}"""


@part("composer", rank=47)
def measure(folder: Path) -> None:
    """The server is a process of its own, as an editor has it."""
    for stories, limit in LIMITS.items():
        root = create_demo(folder / f"composer-{stories}").root
        _grow(root / "issues" / ISSUE, stories)
        times, processor = _edits(root)
        times.sort()
        late = times[int(len(times) * 0.95)]
        say(
            f"edit to visible preview, {stories} stories, p95",
            f"{late * 1000:.0f} ms",
            f"{limit * 1000:.0f} ms",
            late <= limit,
        )
        note(f"the server worked {processor * 1000:.0f} ms on each, checks included; the rest is browser and waiting")
        note(f"median {statistics.median(times) * 1000:.0f} ms, the slowest {times[-1] * 1000:.0f} ms, of {len(times)}")
    root = create_demo(folder / "composer-many").root
    for number in range(499):
        shutil.copytree(
            root / "issues" / ISSUE, root / "issues" / f"i-{number}", ignore=shutil.ignore_patterns("images")
        )
    time.sleep(0.1)  # what was written just now is not remembered
    with open_desk(root) as desk:
        began = time.perf_counter()
        list_issues(desk)
        cold = time.perf_counter() - began
        warm = median_seconds(lambda: list_issues(desk), 15)
        mine = load_issue(desk.workspace, ISSUE)
        past_uses(desk.workspace, mine)
        known = median_seconds(lambda: past_uses(desk.workspace, mine), 15)
    say("the list of 500 issues", spread(warm, 1000, "ms"), f"{LIST * 1000:.0f} ms", warm[0] <= LIST)
    note(f"the first time in a process, every file read: {cold:.1f} s")
    say("which stories 500 issues had", spread(known, 1000, "ms"), f"{LIST * 1000:.0f} ms", known[0] <= LIST)


def _grow(issue: Path, stories: int) -> None:
    """Copies of the sample's stories in a section of their own, until there are so many."""
    names = sorted(path.stem for path in issue.glob("*.md") if path.name != "issue.md")
    more = []
    while len(names) + len(more) < stories:
        name = f"{names[len(more) % len(names)]}-{len(more)}"
        shutil.copy(issue / f"{name.rpartition('-')[0]}.md", issue / f"{name}.md")
        more.append(name)
    if more:
        head, rule, body = (issue / "issue.md").read_text(encoding="utf-8").partition("\n---\n")
        section = f"\n  - title: More\n    layout: list\n    articles: [{', '.join(more)}]"
        (issue / "issue.md").write_text(head + section + rule + body, encoding="utf-8")


def _processor(pid: int) -> float:
    """Seconds of processor time that a process has used (Linux); nan elsewhere."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _edits(root: Path) -> tuple[list[float], float]:
    """Seconds from each edit to the frame in which the mail shows it; and the server's processor time for one."""
    command = [sys.executable, "-m", "newsletter", "-C", str(root), "serve", "--no-open", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        with sync_playwright() as playwright:
            browser = start(playwright)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(found[0])
            page.locator("h1").wait_for()
            page.goto(f"{found[0].partition('enter')[0]}issues/{ISSUE}")
            page.locator("body[data-shown]").wait_for(timeout=60_000)
            page.frame_locator("#mail").locator("body").wait_for()
            page.evaluate(_TYPE, 5)
            before = _processor(process.pid)
            times: list[float] = page.evaluate(_TYPE, EDITS)
            processor = (_processor(process.pid) - before) / EDITS
            browser.close()
        return times, processor
    finally:
        process.terminate()
        process.communicate(timeout=30)
