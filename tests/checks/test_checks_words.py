"""The line in the inbox and the typing of stories: what is cut, what repeats, and what only looks like a mistake."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks import examples as eg
from newsletter.checks.edits import prose
from newsletter.checks.inbox import CLIENTS, InboxLine, inbox_lines, lines_of, shortened
from newsletter.checks.run import proposals, run_checks
from newsletter.models import Finding


def found(check_id: str, *changes: eg.Change) -> list[Finding]:
    return [finding for finding in run_checks(eg.both(*changes)(eg.example())) if finding.id == check_id]


def test_every_width_has_its_source_and_the_narrowest_comes_first() -> None:
    """Numbers without a source are opinions."""
    assert all(client.source for client in CLIENTS)
    widths = [client.width for client in CLIENTS]
    assert widths == sorted(widths)
    assert any(client.phone and 30 <= client.width <= 45 for client in CLIENTS)
    assert any(client.name == "Gmail, web" and client.width == 70 for client in CLIENTS)


def test_the_inbox_line_is_sender_subject_and_forty_characters_of_preheader() -> None:
    """As a reader without attributes sees it."""
    lines = inbox_lines(
        eg.both(eg.email(subject="The ferry comes back to the old breakwater"), eg.sender(name=""))(eg.example())
    )
    assert [line.width for line in lines] == [client.width for client in CLIENTS]
    assert lines[0] == InboxLine(
        "Gmail app, Android",
        33,
        "The Estuary Weekly · The ferry comes back to the old… · After eight months the morning boat run…",
        "The Estuary Weekly",
        "The ferry comes back to the old…",
        "After eight months the morning boat run…",
    )
    assert lines[-1].subject == "The ferry comes back to the old breakwater"
    assert lines_of("", "", "") == tuple(InboxLine(client.name, client.width, "", "", "", "") for client in CLIENTS)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 5, "short"),
        ("shorter", 5, "shor…"),
        ("to be cut", 4, "to…"),
        ("渡し船が帰る", 6, "渡し…"),
        ("é" * 5, 5, "é" * 5),
        ("\u0065\u0301" * 5, 5, "\u0065\u0301" * 5),
        ("नमस्ते दुनिया", 7, "नमस्ते दु…"),
        ("a \n b", 9, "a b"),
    ],
)  # fmt: skip
def test_a_line_is_cut_at_columns_with_an_ellipsis_for_the_last(text: str, width: int, shown: str) -> None:
    """Wide letters take two columns, marks over letters none."""
    assert shortened(text, width) == shown


@given(st.text(max_size=120), st.integers(2, 80))
def test_no_text_breaks_the_cutting(text: str, width: int) -> None:
    """And what is cut is the beginning of the text."""
    shown = shortened(text, width)
    assert " ".join(text.split()).startswith(shown.removesuffix("…"))


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        (
            "The ferry comes back to our old breakwater on Saturday",
            "Apple Mail, iPhone cuts the subject in the middle of",
        ),
        ("The ferry comes back to the old breakwater", "Apple Mail, iPhone cuts the subject in the middle of"),
        ("The ferry is back, and so are 40 of its old timetables", None),  # cut between words on both phones
        ("The ferry comes back to your bay", None),  # not cut at all
        ("The ferry crosses the estuary and the bay", None),  # “and” is worth nothing whole
        ("Khan in Moscow: what the first visit means", "Gmail app, Android cuts"),
        ("The ferry is back with all its timetables and whistles", "Gmail app, Android cuts"),
        ("旧路面電車車庫に新しい図書館、市議会が支持を表明「ようやく実現」", None),  # written without blanks
        ("市议会支持在旧电车厂兴建新图书馆耗资四百二十万英镑", None),
        ("시의회가 옛 전차 차고에 새로운 도서관건립계획안을 지지했다", "Apple Mail, iPhone cuts"),
    ],
)
def test_a_long_word_cut_in_two_on_a_phone_is_told_once(subject: str, told: str | None) -> None:
    """Only where half a word is left, and only of phones; a desktop shows its cut to few."""
    findings = found("subject-cut", eg.email(subject=subject))
    assert len(findings) == (1 if told else 0)
    if told:
        assert findings[0].message.startswith(told)


@pytest.mark.parametrize(
    ("sender", "subject", "repeats"),
    [
        ("The Estuary Weekly", "Estuary Weekly No. 48: the ferry", True),
        ("The Estuary Weekly", "What the Estuary Weekly found in the mud", True),
        ("The Estuary Weekly", "A weekly look at the estuary", False),
        ("Breakwater", "Breakwater: the ferry is back", True),
        ("Breakwater", "Storm breaks the breakwater", False),
        ("Breakwater", "Breakwater", False),
        ("", "The ferry is back", False),
    ],
)
def test_a_subject_that_repeats_the_sender_is_told(sender: str, subject: str, repeats: bool) -> None:
    """A name of one word may well be in the news."""
    changes = (eg.sender(name=sender), eg.publication(name=sender or " "), eg.email(subject=subject))
    assert bool(found("subject-repeats-sender", *changes)) is repeats


def test_a_preheader_that_goes_on_is_fine() -> None:
    """It repeats only where it begins with the whole subject."""
    assert found("preheader-repeats-subject", eg.email(preheader="The ferry is back, and more"))
    assert not found("preheader-repeats-subject", eg.email(preheader="The ferry was away for eight months"))
    assert not found("preheader-repeats-subject", eg.email(subject="", preheader=""))


BODY = """The boat  runs.  Twice a day.

1.  A list with a wide mark
-   another  one
>  a quotation  here

    code  set  by indentation
| a  |  table |
one  |  more | row

```
fenced  code
~~~
still  fenced
```
`code  in` a line,  and ``two  ` signs`` more
<span  title="a  b">text  between</span>
[ref]:  https://estuary.example  "title"
<pre>kept  here
and  here</pre>
<img
  alt="a  b"
  src="x">
5 < 6  and so on
ends with two blanks  
and goes\u00a0 on
"""  # noqa: W291 - two blanks at a line's end are a line break in Markdown


def test_blanks_are_looked_for_in_prose_alone() -> None:
    """In code, tables, marks, tags and at the end of a line two blanks mean something."""
    pieces = list(prose(BODY))
    assert all(BODY[at : at + len(piece)] == piece for at, piece in pieces)
    doubled = {edit.edit.before: edit.edit.after for edit in proposals(eg.story(body=BODY)(eg.example()))}
    assert doubled == {
        "boat  runs.  Twice": "boat runs. Twice",
        "another  one": "another one",
        "quotation  here": "quotation here",
        "line,  and": "line, and",
        "text  between": "text between",
        "6  and": "6 and",
    }
    (finding,) = found("double-space", eg.story(body=BODY))
    assert finding.message.startswith("Two blanks stand between words, ")
    assert "boat␣␣runs.␣␣Twice" in finding.message


def test_blanks_of_the_intro_belong_to_the_issue() -> None:
    """issue.md has no story."""
    (finding,) = found("double-space", eg.issue(intro="Good morning,  reader."))
    assert (finding.article, finding.field) == (None, "intro")
    (proposal,) = proposals(eg.issue(intro="Good morning,  reader.")(eg.example()))
    assert (proposal.edit.article, proposal.edit.before, proposal.edit.at) == (None, "morning,  reader.", 5)


@given(st.text(alphabet=st.sampled_from("ab `|<>~-*>1.)#[]:\n\r\t\u00a0é"), max_size=200))
def test_no_body_breaks_the_reading_of_prose(text: str) -> None:
    """Every piece stands where it is said to stand, in order, and no piece crosses a line."""
    end = 0
    for at, piece in prose(text):
        assert at >= end and text[at : at + len(piece)] == piece
        assert "\n" not in piece
        end = at + len(piece)


def test_an_opening_in_capitals_is_offered_where_it_stands() -> None:
    """The edit names the place of the words in the body."""
    change = eg.both(
        eg.story(body="\n\nPRIME movers met."),
        eg.given(openings=MappingProxyType({eg.FERRY.slug: ("PRIME movers", "Prime movers")})),
    )
    (proposal,) = proposals(change(eg.example()))
    assert (proposal.check, proposal.edit.at, proposal.edit.after) == ("drop-cap-opening", 2, "Prime movers")
    gone = eg.both(change, eg.story(body="Prime movers met."))
    assert proposals(gone(eg.example())) == ()


def test_a_story_that_stands_twice_is_read_once() -> None:
    """Its file is one."""
    twice = eg.both(eg.story(body="a  b"), eg.section("list", dataclasses.replace(eg.FERRY, body="a  b")))
    assert len(found("double-space", twice)) == 1
    assert len(proposals(twice(eg.example()))) == 1
