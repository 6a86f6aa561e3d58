"""Interface words, dates, numbers, directions."""

from __future__ import annotations

import datetime

import pytest
from markupsafe import Markup

from newsletter.rendering.view import byline_line, credit_line
from newsletter.rendering.words import digits, direction, long_date, number, words

DAY = datetime.date(2026, 11, 27)
LRM, RLM = "\u200e", "\u200f"


@pytest.mark.parametrize(
    ("lang", "wanted"),
    [
        ("en", "ltr"), ("en-GB", "ltr"), ("ar", "rtl"), ("he-IL", "rtl"), ("ur", "rtl"), ("fa_IR", "rtl"),
        ("az-Arab", "rtl"), ("ur-Latn", "ltr"), ("pa-Arab-PK", "rtl"), ("zh-Hant", "ltr"), ("", "ltr"),
    ],
)  # fmt: skip
def test_direction(lang, wanted):
    assert direction(lang) == wanted


@pytest.mark.parametrize(
    ("lang", "wanted"),
    [
        ("en-GB", "Friday 27 November 2026"),
        ("en-IN", "Friday 27 November 2026"),
        ("en-US", "Friday, November 27, 2026"),
        ("en", "Friday, November 27, 2026"),
        ("de", "Freitag, 27. November 2026"),
        ("fr_CA", "vendredi 27 novembre 2026"),
        ("es", "viernes, 27 de noviembre de 2026"),
        ("ur", "جمعہ، 27 نومبر، 2026"),
        ("hi", "शुक्रवार, 27 नवंबर 2026"),
        ("gu", "શુક્રવાર, 27 નવેમ્બર, 2026"),
        ("bn", "শুক্রবার, ২৭ নভেম্বর, ২০২৬"),
        ("en-GB-oxendict", "Friday 27 November 2026"),
        ("tlh", "2026-11-27"),
        ("no such language", "2026-11-27"),
    ],
)
def test_long_date(lang, wanted):
    assert long_date(DAY, lang) == wanted


@pytest.mark.parametrize(
    ("lang", "wanted"),
    [
        ("en", "1,234,567"), ("de", "1.234.567"), ("fr", "1\u202f234\u202f567"), ("hi", "12,34,567"),
        ("ur", "1,234,567"), ("gu", "12,34,567"), ("bn", "১২,৩৪,৫৬৭"), ("ur-IN", "۱٬۲۳۴٬۵۶۷"), ("tlh", "1234567"),
    ],
)  # fmt: skip
def test_numbers_have_the_grouping_and_digits_of_cldr(lang, wanted):
    found = number(1234567, lang)
    # Which comma groups Persian digits is the symbol table's matter and differs between versions of CLDR.
    assert found.replace("٬", ",") == wanted.replace("٬", ",")


def test_digits_of_a_written_number_follow_the_language():
    assert digits("12a", "bn") == "১২a" and digits("12a", "hi") == "12a" and digits("12", "tlh") == "12"
    assert words("bn", html=True).digits("48") == "৪৮"
    assert words("fa", html=True).digits("48") == "48", "English words take English numbers"


def test_words_take_values_by_name_and_only_once():
    t = words("en", html=True)
    assert t("Paid for by {name}", name="{date} & Co") == "Paid for by {date} & Co"
    assert t("No {such} {x.__class__}", x=1) == "No {such} {x.__class__}"


def test_words_come_from_the_nearest_catalogue():
    assert words("de-AT", html=True)("By {name}", name="Ada") == "Von Ada"
    assert words("de", html=True)("Not a message") == "Not a message"
    assert words("cy", html=True)("By {name}", name="Ada") == "By Ada"


@pytest.mark.parametrize(
    ("lang", "count", "wanted"),
    [
        ("en-GB", 1, "1 min read"), ("en-GB", 1200, "1,200 min read"), ("de", 1, "1\u00a0Minute Lesezeit"),
        ("de", 0, "0\u00a0Minuten Lesezeit"), ("fr", 0, "0\u00a0minute de lecture"),
        ("fr", 2, "2\u00a0minutes de lecture"),
        ("es", 1, "1\u00a0minuto de lectura"), ("es", 7, "7\u00a0minutos de lectura"), ("bn", 4, "পড়তে লাগবে ৪ মিনিট"),
        ("ur", 4, "4 منٹ کا مطالعہ"), ("cy", 4, "4 min read"),
    ],
)  # fmt: skip
def test_a_whole_number_chooses_the_plural_form(lang, count, wanted):
    assert words(lang, html=True)("{minutes} min read", minutes=count) == wanted


def test_a_number_in_a_message_without_plural_forms_changes_nothing():
    assert words("de", html=True)("No. {number}", number=3) == "Nr.\u00a03"
    assert words("de", html=True)("Paid for by {name}", name="3M", and_another=2) == "Bezahlt von 3M"


def test_markup_stays_markup_and_everything_else_is_escaped():
    made = words("en", html=True)("A & {link} of {name}", link=Markup("<a>x</a>"), name="<B>")
    assert isinstance(made, Markup) and made == "A &amp; <a>x</a> of &lt;B&gt;"


def test_a_name_of_the_other_direction_is_isolated_in_html():
    urdu, english = words("ur", html=True), words("en", html=True)
    line = byline_line("Ada <Lovelace> (AP)", "", 4, urdu)
    assert line == f'تحریر: <span dir="ltr">Ada &lt;Lovelace&gt; (AP)</span>{RLM} · 4 منٹ کا مطالعہ'
    assert english("By {name}", name="عمران") == f'By <span dir="rtl">عمران</span>{LRM}'
    assert english("By {name}", name="BBC اردو") == f'By <span dir="ltr">BBC اردو</span>{LRM}'
    assert urdu("By {name}", name="عمران") == "تحریر: عمران"
    assert english.isolate("2026 – 27") == "2026 – 27", "what has no direction takes the line's"
    link = urdu.isolate(Markup('<a href="mailto:a@b.example">a@b.example</a>'))
    assert link == f'<span dir="ltr"><a href="mailto:a@b.example">a@b.example</a></span>{RLM}'


@pytest.mark.parametrize("lang", ["ar", "he-IL", "fa", "az-Arab"])
def test_english_words_keep_their_order_in_a_page_that_runs_the_other_way(lang):
    """A language without a catalogue gets English words, in an element that says so; in text a line is its own."""
    t, text = words(lang, html=True), words(lang, html=False)
    assert t("Read online") == '<span lang="en" dir="ltr">Read online</span>'
    assert t("Paid for by {name}", name="Smith & Son") == '<span lang="en" dir="ltr">Paid for by Smith &amp; Son</span>'
    assert t("By {name}", name="ليلى") == f'<span lang="en" dir="ltr">By <span dir="rtl">ليلى</span>{LRM}</span>'
    assert text("{words}: {address}", words=text("Read online"), address="https://x.example/") == (
        "Read online: https://x.example/"
    )
    assert byline_line("By Ada", "", 2, t) == (
        f'<span dir="ltr">By Ada</span>{RLM} · <span lang="en" dir="ltr">2 min read</span>'
    )


def test_where_the_words_run_as_the_page_does_nothing_is_added():
    """Urdu has its own words; English ones in a Turkish page run the same way."""
    assert words("ur", html=True)("Read online") == words("ur", html=False)("Read online")
    assert words("tr", html=True)("Read online") == "Read online"


def test_in_text_marks_do_it_and_addresses_stay_clean():
    urdu = words("ur", html=False)
    assert urdu("By {name}", name="Ada (AP)") == f"تحریر: {RLM}{LRM}Ada (AP){LRM}{RLM}"
    assert urdu.isolate("عمران (BBC)") == f"{RLM}عمران (BBC){RLM}"
    assert urdu.isolate("https://paper.example/a") == "https://paper.example/a"
    assert urdu.isolate("desk@paper.example") == "desk@paper.example"
    assert urdu.isolate("nlf0001q") == "nlf0001q"
    assert urdu.alone("1 Quay, Wexmouth.") == "1 Quay, Wexmouth."
    assert words("ur", html=True).alone("1 Quay.") == f'<span dir="ltr">1 Quay.</span>{RLM}'


@pytest.mark.parametrize(
    ("lang", "byline", "wanted"),
    [
        ("fr", "Par Ada", "Par Ada"), ("fr", "Parnell Ada", "Par Parnell Ada"), ("de", "Von Ada", "Von Ada"),
        ("de", "von der Heydt", "Von von der Heydt"), ("ur", "تحریر: عمران", "تحریر: عمران"), ("hi", "अमृता", "अमृता"),
        ("de", "By Ada", "By Ada"), ("bn", "লিখেছেন মিতা", "লিখেছেন মিতা"),
    ],
)  # fmt: skip
def test_a_byline_that_says_by_is_not_told_twice(lang, byline, wanted):
    assert byline_line(byline, "", None, words(lang, html=True)) == wanted


def test_an_agency_alone_is_a_line_of_its_own():
    assert byline_line("", "AFP (Paris)", None, words("ur", html=True)) == f'<span dir="ltr">AFP (Paris)</span>{RLM}'
    assert byline_line("", "AFP (Paris)", None, words("ur", html=False)) == "AFP (Paris)"


@pytest.mark.parametrize(
    ("lang", "caption", "wanted"),
    [
        ("hi", "घाट पर नाव", "घाट पर नाव। तस्वीर: अमृता"), ("hi", "घाट पर नाव।", "घाट पर नाव। तस्वीर: अमृता"),
        ("fr", "Le bac", "Le bac. Crédit\u00a0: अमृता"), ("hi", "", "तस्वीर: अमृता"),
    ],
)  # fmt: skip
def test_a_caption_ends_as_sentences_of_the_language_do(lang, caption, wanted):
    assert credit_line(caption, "अमृता", words(lang, html=True)) == wanted


def test_a_finished_caption_and_a_credit_keep_their_order():
    urdu = words("ur", html=True)
    assert credit_line("Le bac.", "عمران", urdu) == f'<span dir="ltr">Le bac.</span>{RLM} تصویر: عمران'
    assert credit_line("Le bac", "", urdu) == f'<span dir="ltr">Le bac</span>{RLM}'
    assert credit_line("کشتی؟", "A & B", urdu) == f'کشتی؟ تصویر: <span dir="ltr">A &amp; B</span>{RLM}'
