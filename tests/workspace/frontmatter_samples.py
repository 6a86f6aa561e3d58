"""What the tests of front matter share: an issue with every habit of a hand-written file."""

from __future__ import annotations

ISSUE = """\
---
# The week of the floods
subject: 'Water, and what it left'   # the short one
date: 2022-02-25
number: 012
empty:
image: {file: a.jpg, focal: [0.5, 0.25]}   # flow
sections:
  # first
  - title: Top story
    layout: lead
    articles: [flood]   # one only

  # second
  - layout: list
    title: No
    articles:
      - bridge
      - school    # the long one
intro_note: |
  two
  lines

last: >-
  folded
  text
---
Good morning,

---
that was a rule.
"""


def changed(before: str, after: str) -> tuple[str, str]:
    """The parts that differ: what was taken out and what was put in."""
    start = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return before[start : len(before) - end], after[start : len(after) - end]
