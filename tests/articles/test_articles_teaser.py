"""The teaser is the measured rule; the drop-cap suggestion is offered and never applied."""

from __future__ import annotations

import time
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.articles.dropcap import drop_cap, suggestions_for
from newsletter.articles.teaser import reading_minutes, sentences, teaser_of
from newsletter.models import Article, Picture, Provenance


def lead(body: str, headline: str = "Pier opens", limit: int = 240, **more: object) -> str:
    return teaser_of(Article("pier", headline, body, **more), limit)  # type: ignore[arg-type]  # any field of an article


def test_the_editors_teaser_then_the_standfirst_then_the_lead() -> None:
    """What an editor wrote stands whole, also when it is long."""
    long = "A standfirst " * 30
    assert lead("It opened.", teaser=" Written \n here ", standfirst=long) == "Written here"
    assert lead("It opened.", teaser=" ", standfirst=long) == long.strip()
    assert lead("It opened.") == "It opened."
    assert lead("") == ""


def test_whole_sentences_up_to_the_limit_also_across_paragraphs() -> None:
    body = "It opened on Friday.\n\nMany people came to see it. " + "Then the band played on. " * 20
    teaser = lead(body)
    assert teaser.startswith("It opened on Friday. Many people came to see it. Then")
    assert teaser.endswith("on.")
    assert 200 < len(teaser) <= 240
    assert lead(body, limit=30) == "It opened on Friday."
    assert lead("x" * 100 + ". Short.", limit=101) == "x" * 100 + "."


def test_a_first_sentence_that_is_too_long_is_cut_at_a_word() -> None:
    teaser = lead("word, " * 100)
    assert teaser.endswith("word…")
    assert len(teaser) <= 240
    assert lead("x" * 300) == "x" * 239 + "…"
    assert lead("字" * 300 + "。") == "字" * 239 + "…"
    assert lead("abcde fghij klm", limit=12) == "abcde fghij…"


def test_what_is_not_running_text_is_skipped() -> None:
    body = (
        "# Pier opens\n\n![A pier](x)\n\n*The pier on Friday*\n\nBy Ada Lovelace\n\n(PTI)\n\nPier opens.\n\n"
        "Dear {{ subscriber.first_name }},\n\n> A quote\n\n- item\n\n1. one\n\n| a | b |\n| - | - |\n\n    code\n\n"
        "Under\n=====\n\nThe caption\n\n<div>raw</div>\n\n[1]: https://x.org\n\n* * *\n\n```\ncode\n```\n\n"
        "It **opened** at [last](https://x.org) &amp; *well* \\[sic\\]."
    )
    assert lead(body, image=Picture(alt="A pier", caption="The caption")) == "It opened at last & well [sic]."


def test_a_paragraph_in_italics_is_a_caption_only_under_a_picture() -> None:
    assert lead("*It opened.*") == "It opened."
    assert lead("![a](b)\n\n*On Friday.*\n\nIt opened.") == "It opened."
    assert lead("![a](b)\n\n**Strong** words.") == "Strong words."


@pytest.mark.parametrize(
    ("body", "teaser"),
    [
        ("LONDON (Reuters) - It opened.", "It opened."),
        ("NEW DELHI, Feb 22 (PTI) — It opened.", "It opened."),
        ("WASHINGTON, D.C. (AP) – It opened.", "It opened."),
        ("Islamabad (AFP): It opened.", "It opened."),
        ("ISLAMABAD (AFP) It opened.", "It opened."),
        ("Khan (PTI) said so.", "Khan (PTI) said so."),
        ("PARIS — It opened.", "It opened."),
        ("It opened (PTI).", "It opened"),
        ("It opened. (PTI)", "It opened."),
        ("UK — it opened.", "UK — it opened."),
        ("The plan - a good one - works.", "The plan - a good one - works."),
        ("Khan (23) said so.", "Khan (23) said so."),
        ("Khan (the mayor) said so.", "Khan (the mayor) said so."),
        ("It opened (at last).", "It opened (at last)."),
        ("PARIS —", "PARIS —"),
    ],
)
def test_datelines_and_closing_credits_are_taken_off(body: str, teaser: str) -> None:
    assert lead(body) == teaser


def test_a_sentence_that_repeats_the_headline_is_skipped() -> None:
    assert lead("Pier opens! It was time.") == "It was time."
    assert lead("Pier opens") == ""


@pytest.mark.parametrize(
    "parts",
    [
        ["Mr. Smith of the U.S. Army met Dr. J. K. Rowling.", "They spoke."],
        ["“It is No. 12,” he said.", "No.", "He left."],
        ["He left... and came back.", "Wait…", "Then?", "Yes!"],
        ["Sales rose 3.5 per cent on Feb. 22.", "Fine."],
        ["He lives in the U.S.", "The end."],
        ["He said: “Go away.”", "She left (at once.)", "Good."],
        ["“Is it?” he asked.", "Gen. Lee et al. agreed."],
        ["یہ پہلا جملہ ہے۔", "یہ دوسرا ہے؟", "ہاں۔"],
        ["यह पहला है।", "यह दूसरा है।"],
        ["Point a.", "Then b."],
        ["Without an end"],
        [],
    ],
)
def test_sentences_end_where_they_end(parts: list[str]) -> None:
    assert sentences(" ".join(parts)) == parts


def test_chinese_sentences_need_no_blanks() -> None:
    assert sentences("第一句。第二句！「第三句。」第四") == ["第一句。", "第二句！", "「第三句。」", "第四"]
    assert lead("第一句。第二句！") == "第一句。第二句！"


PIECES = ["A", "b.", "C?", "“d.”", "U.S.", "Mr.", "\n\n", "(PTI)", "—", "![x](y)", "#", "*", "{{", "No."]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=600) | st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_a_lead_teaser_is_one_line_within_the_limit(body: str) -> None:
    teaser = lead(body)
    assert len(teaser) <= 240
    assert "\n" not in teaser
    assert "{{" not in teaser


@pytest.mark.parametrize("unit", ["A. ", "(", "a" * 60 + " ", "A ", "“", ".", "! ", "\n\n", "[", "* ", "A, "])
def test_the_time_is_linear(unit: str) -> None:
    started = time.process_time()
    lead(unit * (100_000 // len(unit)))
    reading_minutes(unit * (100_000 // len(unit)))
    assert time.process_time() - started < 8


@pytest.mark.parametrize(
    ("body", "minutes"),
    [("", 1), ("word " * 230, 1), ("word " * 460, 2), ("word " * 350, 2), ("字" * 1200, 3), ("it's-fine " * 460, 2),
     ("[word](https://x.org/a/b/c) " * 460, 2)],
)  # fmt: skip
def test_reading_time_counts_words_or_characters(body: str, minutes: int) -> None:
    assert reading_minutes(body) == minutes


@pytest.mark.parametrize(
    ("body", "now", "instead"),
    [
        ("HARBOUR ferries run again.", "HARBOUR ferries", "Harbour ferries"),
        ("THE HARBOUR ferries run.", "THE HARBOUR ferries", "The harbour ferries"),
        ("THE HARBOUR ferries of Harbour Town run.", "THE HARBOUR ferries", "The Harbour ferries"),
        ("IT is cold.", "IT is", "It is"),
        ("IT'S time, at last.", "IT'S time", "It's time"),
        ("LONDON mayor spoke.", "LONDON mayor", "London mayor"),
        ("A FERRY captain, she said.", "A FERRY captain", "A ferry captain"),
        ("“WHEN the ferry came.", "“WHEN the", "“When the"),
        ("EMMA LOVELACE writes.", "EMMA LOVELACE writes", "Emma Lovelace writes"),
        ("SMALL FERRY boats, small and new.", "SMALL FERRY boats", "Small Ferry boats"),
        ("\n\nÉTAT major.", "ÉTAT major", "État major"),
    ],
)
def test_a_drop_cap_is_offered(body: str, now: str, instead: str) -> None:
    found = drop_cap(body)
    assert found is not None
    assert (found.field, found.now, found.instead) == ("body", now, instead)
    assert now in body
    assert found.why


@pytest.mark.parametrize(
    "body",
    ["", "NASA said so.", "BBC reports.", "UK ministers met.", "OPEC agreed.", "EVERY LINE IN CAPITALS", "I was there.",
     "A man spoke.", "Harbour ferries run.", "FERRY. Then more.", "FERRYCO said so. FERRYCO agreed.",
     "ONE TWO THREE FOUR FIVE six",
     "HRZK pins fell.", "X MARKS the spot", "42 ferries run."],
)  # fmt: skip
def test_acronyms_and_whole_lines_in_capitals_are_left_alone(body: str) -> None:
    assert drop_cap(body) is None
    assert suggestions_for(body) == ()


def test_a_description_that_breaks_off_gives_way_to_whole_sentences() -> None:
    """Where nobody has confirmed it; an editor's own ellipsis stays, and half a sentence is better than nothing."""
    guess = MappingProxyType({"standfirst": Provenance("og:description", confirmed=False)})
    body = "The pier opened on Friday, at last and for good. Nobody fell in."
    cut, hard = "The pier opened on Friday, at last…", "The pier opened on Friday, at last"
    assert lead(body, standfirst=cut, provenance=guess) == body
    assert lead(body, standfirst=hard, provenance=guess) == body
    assert lead(body, standfirst="It opened on [...]", provenance=guess) == body
    assert lead("", standfirst=cut, provenance=guess) == cut
    assert lead(body, standfirst=cut) == cut
    assert lead(body, standfirst="A pier, at last", provenance=guess) == "A pier, at last"
    assert lead(body, standfirst="The pier opened on Friday, at last and for good.", provenance=guess).endswith("good.")
    at_155 = ("The pier that opened on Friday has cost the town more than it had, " * 4)[:154] + "t"
    assert lead(body, standfirst=at_155, provenance=guess) == body
    assert lead(body, standfirst=at_155[:-20] + " at last", provenance=guess).endswith("at last")
