"""Plain-text stories: exports, headline-first files, credits; nothing is invented."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.articles.plain import plain_text
from newsletter.articles.reading import read_story
from newsletter.articles.shape import agency_line, byline_line, ends_a_sentence, headline_line, image_line, title_key
from newsletter.errors import BadData, NewsletterError
from newsletter.message.merge import Tokeniser
from newsletter.models import Provenance

from .conftest import EXPORT, read


def test_an_export_with_the_headline_after_the_body_is_read() -> None:
    """Headline, credit and picture are found by their places; curly and straight quotes count as the same."""
    story = read(EXPORT)
    article = story.article
    assert article.headline == "The town's ferries are back"
    assert article.slug == "the-towns-ferries-are-back"
    assert article.agency == "PTI"
    assert article.image is not None
    assert article.image.url == story.picture_url
    assert (
        story.picture_url == "https://img.example.org/pier.jpg?id=7&width=1245&height=700&coordinates=0%2C58%2C0%2C59"
    )
    assert article.image.alt == "The town’s ferries are back"
    assert article.body == "\n\n".join(EXPORT.split("\n")[:3]) + "\n"
    assert (article.byline, article.published, article.link, article.standfirst, article.teaser) == (None,) * 5
    assert dict(article.provenance) == {
        "image": Provenance("last line"),
        "headline": Provenance("line before the picture"),
        "agency": Provenance("line of its own"),
    }
    (suggestion,) = story.suggestions
    assert (suggestion.field, suggestion.now, suggestion.instead) == ("body", "HARBOUR ferries", "Harbour ferries")
    assert article.body.startswith("HARBOUR ferries")


def test_an_export_of_standard_input_and_with_windows_line_ends_is_the_same() -> None:
    plain = read(EXPORT).article
    assert read(EXPORT, None).article == plain
    assert read(EXPORT.replace("\n", "\r\n") + "\r\n").article == plain
    assert read("\ufeff" + EXPORT).article == plain


INPUT = sorted((Path(__file__).parents[3] / "shared" / "input").glob("*.txt"))


@pytest.mark.skipif(not INPUT, reason="the sample story of the newsroom is not beside this checkout")
def test_the_newsrooms_own_export_is_read_right() -> None:
    """Held by structure and hashes, so that none of its words stand here."""
    source = INPUT[0].read_text(encoding="utf-8")
    lines = source.split("\n")
    story = read_story(INPUT[0], INPUT[0].read_bytes())
    article = story.article
    assert article.headline == lines[-2]
    assert hashlib.sha256(article.headline.encode()).hexdigest()[:12] == "16b77f8b4e4e"
    assert article.agency == "PTI"
    paragraphs = article.body.rstrip("\n").split("\n\n")
    assert len(paragraphs) == 18
    assert [plain_text(p) for p in paragraphs] == lines[:18]
    assert article.image is not None
    assert article.image.alt == article.headline
    assert story.picture_url is not None
    assert f"]({story.picture_url})" in lines[-1]
    assert re.search(r"\?id=\d+&width=\d+&height=\d+&quality=\d+&coordinates=0%2C\d+%2C0%2C\d+$", story.picture_url)
    assert (article.published, article.byline, article.link, article.standfirst, article.teaser) == (None,) * 5
    (suggestion,) = story.suggestions
    assert suggestion.now == "PRIME minister"
    assert suggestion.instead == "Prime minister"
    assert not story.notes


def test_headline_first_with_a_blank_line() -> None:
    article = read("Pier opens\n\nThe pier opened.\n\nMany came.\n").article
    assert article.headline == "Pier opens"
    assert article.body == "The pier opened.\n\nMany came.\n"
    assert article.provenance["headline"] == Provenance("first line")
    assert article.standfirst is None


def test_headline_first_without_a_blank_line_is_a_guess() -> None:
    article = read("Pier opens\nThe pier opened.\nMany came.").article
    assert article.headline == "Pier opens"
    assert article.body == "The pier opened.\n\nMany came.\n"
    assert article.provenance["headline"] == Provenance("first line", confirmed=False)


def test_the_second_line_is_never_made_a_standfirst() -> None:
    article = read("Pier opens\n\nA short line under it\n\nThe pier opened.").article
    assert article.standfirst is None
    assert article.body.startswith("A short line under it\n")


def test_labels_are_taken_at_their_word() -> None:
    article = read(
        "Headline: Pier opens\nKicker: Harbour\nStandfirst: At last.\nByline: Ada Lovelace\nPublished: 2026-11-20\n"
        "Link: https://example.org/pier\n\nThe pier opened."
    ).article
    assert (article.headline, article.kicker, article.standfirst) == ("Pier opens", "Harbour", "At last.")
    assert (article.byline, article.published, article.link) == (
        "Ada Lovelace",
        "2026-11-20",
        "https://example.org/pier",
    )
    assert article.body == "The pier opened.\n"
    odd = read("Title: Pier opens\nPublished: last week\n\nText.").article
    assert odd.published is None
    assert "Published: last week" in odd.body


@pytest.mark.parametrize(
    "byline", ["By Ada Lovelace", "BY ADA LOVELACE and Charles Babbage", "Words by Ada de Lovelace"]
)
@pytest.mark.parametrize("place", ["after the headline", "at the end"])
def test_an_explicit_byline_is_taken_off(byline: str, place: str) -> None:
    text = (
        f"Pier opens\n\n{byline}\n\nIt opened."
        if place == "after the headline"
        else f"Pier opens\n\nIt opened.\n\n{byline}"
    )
    article = read(text).article
    assert article.byline == re.sub(r"^(words )?by ", "", byline, flags=re.IGNORECASE)
    assert article.body == "It opened.\n"


@pytest.mark.parametrize("line", ["By Monday it was over.", "By then", "By the sea", "Bypass", "by itself Alone"])
def test_a_line_that_only_begins_with_by_is_no_byline(line: str) -> None:
    assert byline_line(line) is None


@pytest.mark.parametrize(
    ("line", "agency"),
    [
        ("(PTI)", "PTI"), ("(AFP).", "AFP"), ("– Reuters", "Reuters"), ("— AP", "AP"), ("-- dpa", "dpa"),
        ("(AFP, Reuters)", "AFP, Reuters"), ("(PTI/AFP)", "PTI/AFP"), ("(PA Media)", "PA Media"),
        ("(Reuters and AP)", "Reuters and AP"), ("(ENDS)", None), ("(more)", None), ("(23)", None), ("PTI", None),
        ("(With inputs from PTI)", None), ("(a note)", None), ("", None), ("– he said", None),
    ],
)  # fmt: skip
def test_an_agency_is_a_credit_on_its_own_line(line: str, agency: str | None) -> None:
    assert agency_line(line) == agency


def test_a_dash_before_an_agency_is_a_list_in_markdown() -> None:
    assert agency_line("- Reuters", dashes=False) is None
    assert agency_line("(Reuters)", dashes=False) == "Reuters"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("![A](https://x.org/a.jpg?b=1&amp;c=2)", ("https://x.org/a.jpg?b=1&c=2", "A", None)),
        ('![A [b\\]](<https://x.org/a b.jpg> "Cap\'s tion")', ("https://x.org/a b.jpg", "A [b]", "Cap's tion")),
        ("![](my photo.jpg)", ("my photo.jpg", None, None)),
        ("![a](x) ![b](y)", None),
        ("![a](https://x.org/a b)", None),
        ("![a]()", None),
        ("![a]", None),
        ("text ![a](b)", None),
        ("![a](" + " " * 5000 + "b)", None),
    ],
)
def test_a_picture_line_is_one_picture_and_nothing_else(line: str, found: tuple[str, str, str] | None) -> None:
    picture = image_line(line)
    assert (picture and (picture.url, picture.alt, picture.caption)) == found


@pytest.mark.parametrize(
    ("line", "can_be"),
    [("Pier opens", True), ("Is it true?", True), ("“It is,” he says", True), ("It opened.", False), ("", False),
     ("It “opened.”", False), ("x" * 151, False), ("(PTI)", False), ("2026", False), ("یہ جملہ ہے۔", False),
     ("By Ada Lovelace", False)],
)  # fmt: skip
def test_what_can_be_a_headline(line: str, can_be: bool) -> None:
    assert headline_line(line) is can_be


def test_titles_compare_without_quotes_case_and_final_marks() -> None:
    assert title_key("The Town’s “pier”  – back!") == title_key('the town\'s "pier" - BACK')
    assert ends_a_sentence("He said “no.”")
    assert not ends_a_sentence("and then")


def test_a_picture_first_names_the_headline_below_it() -> None:
    article = read("![Pier opens](https://x.org/p.jpg)\nPier opens\nIt opened.\nMany came.").article
    assert article.headline == "Pier opens"
    assert article.provenance["headline"].source == "line after the picture"
    assert article.body == "It opened.\n\nMany came.\n"


def test_a_headline_that_stands_twice_is_taken_once() -> None:
    article = read("Pier opens\nIt opened.\nPier opens\n![Pier opens](https://x.org/p.jpg)").article
    assert article.headline == "Pier opens"
    assert article.body == "It opened.\n"


def test_a_picture_that_says_something_else_leaves_the_headline_a_guess() -> None:
    article = read("It opened today.\nMany came.\nPier opens\n![A pier](https://x.org/p.jpg)").article
    assert article.headline == "Pier opens"
    assert not article.provenance["headline"].confirmed
    assert article.image is not None
    assert article.image.alt == "A pier"


def test_a_headline_after_a_credit_needs_no_picture() -> None:
    article = read("It opened today.\nMany came.\n(PTI)\nPier opens").article
    assert (article.headline, article.agency) == ("Pier opens", "PTI")
    assert article.image is None


def test_without_a_headline_the_opening_words_stand_in_and_say_so() -> None:
    story = read(
        "It opened today, which many had wanted for years, said the mayor of the town on Friday morning. Fine."
    )
    assert story.article.headline.endswith("…")
    assert len(story.article.headline) <= 82
    assert not story.article.provenance["headline"].confirmed
    assert "no headline was found" in story.notes[0]
    assert read("It opened today. Fine.").article.headline == "It opened today. Fine"


def test_lines_wrapped_by_hand_are_one_paragraph() -> None:
    wrapped = "Pier opens\n\nThe pier was opened on Friday by the\nmayor, who had waited for years and\nwas glad.\n"
    assert read(wrapped).article.body == wrapped.split("\n\n")[1]
    twice = wrapped + "\nA second paragraph, also wrapped at a\nwidth that mail programs like.\n"
    assert read(twice).article.body.count("\n\n") == 1


def test_lines_broken_on_purpose_stay_broken_and_list_items_apart() -> None:
    verse = "Sea song\n\nThe pier, the pier,\nit is not\nso very far from here,\n\nsaid he."
    assert "it is not  \nso very far" in read(verse).article.body
    listed = "Plans\n\nThree things come next\n- a pier\n- a boat\n\nThat is all."
    assert "\n\n\\- a pier\n\n\\- a boat\n\n" in read(listed).article.body


def test_a_picture_between_paragraphs_stays_a_picture() -> None:
    body = read("Pier opens\n\nIt opened.\n\n![A [pier]](https://x.org/p.jpg)\n\nMany came.").article.body
    assert "\n\n![A \\[pier\\]](https://x.org/p.jpg)\n\n" in body
    local = read("Pier opens\n\nIt opened.\n\n![A](p.jpg)\n\nMany came.").article.body
    assert "!\\[A\\](p.jpg)" in local


def test_what_looks_like_markdown_or_a_merge_field_is_text() -> None:
    body = read("Pier opens\n\n# 1\n\n1. {{ subscriber.first_name }} <b>\n\nText.").article.body
    assert body == "\\# 1\n\n1\\. \\{{ subscriber.first_name \\}} &lt;b>\n\nText.\n"


def test_braces_in_fields_are_braces_and_never_merge_fields() -> None:
    """Fields of one line are tokenised when the issue is rendered, so what was plain text must be escaped."""
    text = "What {{ web_url }} is\n\nIt opened.\n\nWhat {{ web_url }} is\n![A {% pier %}](https://x.org/p.jpg)"
    article = read(text).article
    assert article.headline == "What \\{{ web_url \\}} is"
    assert article.image is not None
    assert article.image.alt == "A \\{% pier %}"
    assert Tokeniser([]).tokenise(article.headline, "text") == "What {{ web_url }} is"
    assert read("<h1>What {{ x }} is</h1><p>It opened.", "a.html").article.headline == "What \\{{ x \\}} is"
    authored = read("# Dear {{ subscriber.first_name }}, *\\{{ that*\n\nIt opened.", "a.md").article
    assert authored.headline == "Dear {{ subscriber.first_name }}, \\{{ that"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the story is empty"),
        (b" \n\t\n", "the story is empty"),
        ("\ufeff".encode(), "the story is empty"),
        (b"![Only](https://x.org/a.jpg)", "a picture and no text"),
        (b"Pier opens\n![Pier opens](https://x.org/a.jpg)", "a headline and no text"),
        (b"Pier opens", "a headline and no text"),
        (b"%PDF-1.7\n\xe2\xe3", "a PDF"),
        (b"PK\x03\x04rest", "a Word, OpenDocument or ZIP file"),
        (b"\xff\xd8\xff\xe0rest", "a picture"),
        (b"{\\rtf1 hello}", "an RTF file"),
        (b"text\x00text", "a binary file"),
        (b"\x01\x02\x03\x04 text", "a binary file"),
        (b"caf\xe9 \x81 x", "encoding is not"),
        (b"Head\n\n" + b"x " * 132_000, "larger than 256 KB"),
        (b"x" * (8 * 1024 * 1024 + 1), "larger than 8 MB"),
        (b"....\n----\n", "the story is empty"),
    ],
)
def test_what_is_no_story_is_refused_with_file_and_fix(data: bytes, words: str) -> None:
    with pytest.raises(BadData, match=re.escape(words)) as refused:
        read(data)
    assert refused.value.where == "story.txt"
    assert refused.value.fix


def test_other_encodings_are_read_and_a_guess_is_noted() -> None:
    text = "Café opens\n\nIt’s “open”.\n"
    plain = read(text)
    assert plain.notes == ()
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le"):
        data = text.encode(encoding)
        found = read(b"\xff\xfe" + data if encoding == "utf-16-le" else data)
        assert found.article == plain.article
        assert found.notes == ()
    guessed = read(text.encode("cp1252"))
    assert guessed.article == plain.article
    assert "Windows-1252" in guessed.notes[0]


NAMES = st.sampled_from(["a.txt", "a.md", "a.html", None, "a"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300), NAMES)
def test_any_bytes_are_a_story_or_a_clear_refusal(data: bytes, name: str | None) -> None:
    try:
        read(data, name)
    except BadData as refused:
        assert refused.where


SENTENCES = ["Pier opens", "It opened.", "(PTI)", "By Ada Lovelace", "![Pier opens](https://x/y)"]
KEYS = ["title: x\n", "headline: y\n", "image: z.jpg\n", "---\n", "# ", "===", "- ", "> ", "```", "{{", "["]
TAGS = [
    *("<p>", "</p>", "<h1>", "<!--", "&lt;", "<table><tr><td>", "<ul><li>", "<script>", "<figure>", "<article>"),
    "<noscript><img src=x>",
]
BLANKS = ["\n", "\n\n", "\x85", "\t", "    ", "é"]
PIECES = st.lists(st.sampled_from([*SENTENCES, *KEYS, *TAGS, *BLANKS]), max_size=30).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PIECES, NAMES)
def test_any_mixture_of_markup_is_a_story_or_a_clear_refusal(text: str, name: str | None) -> None:
    try:
        article = read(text, name).article
    except NewsletterError as refused:
        assert isinstance(refused, BadData)
        return
    assert article.headline.strip()
    assert article.body.strip()


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
@pytest.mark.parametrize(
    "unit", ["[", "![", "* ", "<", "<p>", "a ", "(", "- \n", "> ", "# x\n", "a\n", "|", "<b>", "![](\t", '"']
)
def test_a_long_line_of_anything_takes_moments(name: str, unit: str) -> None:
    text = "Pier opens\n\n" + unit * (100_000 // len(unit)) + "\nIt opened."
    started = time.process_time()
    with contextlib.suppress(BadData):
        read(text, name)
    assert time.process_time() - started < 8
