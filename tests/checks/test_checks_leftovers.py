"""Markup, garbled characters and placeholders: what is found, and what only looks like them."""

from __future__ import annotations

from html import escape

import pytest

from newsletter.checks import examples as eg
from tests.checks.asking import before_library, found

IDS = ("markup-shown", "text-garbled", "placeholder-left")


def told(words: str) -> set[str]:
    """The checks that say something about a paragraph with these words."""
    return {one for one in IDS if found(one, before_library(f"<p>{escape(words)}</p>"))}


@pytest.mark.parametrize(
    "words",
    [
        "<p>The boat</p>", 'See <a href="https://x.example">here', "Ada<br/>Bo", "Tides &amp; winds", "It&rsquo;s open",
        "&#8217;s", '[caption id="a1" width="300"]The quay[/caption]', "[gallery ids='1,2']", "[vc_row]",
        "[the timetable](https://x.example)", "The **morning** boat", "## Tides",
    ],
)  # fmt: skip
def test_what_was_written_for_a_machine_is_found(words: str) -> None:
    """HTML, entities, shortcodes, Markdown."""
    assert told(words) == {"markup-shown"}


@pytest.mark.parametrize(
    "words",
    [
        "CafÃ© opens",
        "Â£4.2m",
        "It’s Â£3",
        "â€œWe are openâ€\x9d",
        "Thatâ€™s it",
        "naÃ¯ve",
        "A \ufffd in it",
        "ðŸš¢ back",
    ],
)
def test_what_was_encoded_twice_is_found(words: str) -> None:
    """UTF-8 read as Windows-1252, and signs of what was lost."""
    assert told(words) == {"text-garbled"}


@pytest.mark.parametrize(
    "words",
    [
        "Lorem ipsum dolor", "Headline goes here", "It cost £TKTK", "TK: who said it", "By [name]", "On [insert day]",
        "It cost XXXX pounds", "See [link]",
    ],
)  # fmt: skip
def test_what_held_a_place_is_found(words: str) -> None:
    """Filler and the marks of newsrooms."""
    assert told(words) == {"placeholder-left"}


@pytest.mark.parametrize(
    "words",
    [
        "AT&T and M&S; B&Q", "5 < 6 and 7 > 3", "a <sub-editor> said", "“F**k and s**t,” she said", "**** (four stars)",
        "[sic] he wrote", "“He [the mayor] left”", "#1 in the list", "C# and F#", "Item (https://x.example)",
        "AMANHÃ” e NÃO", "CAFÉ » et « ÉTÉ »", "Spaß” und Größe“", "Ât the end", "São Tomé", "Ângela", "50% OFF, 5% UP",
        "Super Bowl XXX", "xxxx kisses", "TK Maxx opens", "The [National] Theatre", "Todo: lo mejor", "“Loremipsum”",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_left_alone(words: str) -> None:
    """Signs, swear words, other languages' letters, names."""
    assert told(words) == set()


def test_code_may_show_markup() -> None:
    """There it is what the reader came for."""
    shown = escape("<p>**bold** &amp; [x](https://x.example)</p>")
    assert not found(
        "markup-shown", before_library(f"<pre><code>{shown}</code></pre><p>Write <code>{shown}</code>.</p>")
    )


@pytest.mark.parametrize("check_id", IDS)
def test_the_inbox_line_is_read_too(check_id: str) -> None:
    """A subject or preheader that is broken is broken for everybody."""
    words = {"markup-shown": "Tides &amp; winds", "text-garbled": "CafÃ©", "placeholder-left": "TKTK"}[check_id]
    assert [one.field for one in found(check_id, eg.email(subject=words))] == ["subject"]
    assert [one.field for one in found(check_id, eg.email(preheader=words))] == ["preheader"]


def test_a_field_is_named_once() -> None:
    """Each story's each field, with the words to look for."""
    (one,) = found("placeholder-left", before_library("<p>TKTK</p><p>TKTK again</p>"))
    assert one.article == eg.LIBRARY.slug and "TKTK" in one.message


@pytest.mark.parametrize(
    ("words", "left"), [("Dear %FIRSTNAME%,", True), ("100%SURE% and 50%", False), ("5% A 6%", False)]
)
def test_tags_of_active_campaign_are_template_code(words: str, left: bool) -> None:
    """Capitals between two signs, and nothing that is a share."""
    assert bool(found("leftover-template", before_library(f"<p>{words}</p>"))) is left
