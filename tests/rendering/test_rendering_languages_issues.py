"""An issue in each language: its words, direction, digits and fonts, in HTML and text, and nothing left in English."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import html as lxml_html

from newsletter.models import Article, Email, Issue, Picture, Section
from newsletter.rendering.catalogues import SCRIPTS
from newsletter.rendering.words import direction

EXPECTED = Path(__file__).with_name("expected")
PICTURE = re.compile(r"[0-9a-f]{16}(?=\.(?:jpg|png))")

# What an interface would say if a word of it were left in English.
ENGLISH = re.compile(
    r"\b(?:min read|Read (?:the|online)|Unsubscribe|Preferences|Advertisement|Paid for|Picture:|By|No\.|In this issue|"
    r"You get|Spotted|Write to|Tell us|Friday|November)\b"
)
# Language → its words for: no. 48, the date, read online, the link of a story, unsubscribe, preferences, the label,
# paid for by "Café 7", the byline and reading time of "Z. Ali", the picture's credit, why this mail, a mistake.
SAYS = {
    "ur": (
        "شمارہ 48",
        "جمعہ، 27 نومبر، 2026",
        "آن لائن پڑھیں",
        "پوری خبر پڑھیں",
        "رکنیت ختم کریں",
        "ترجیحات",
        "اشتہاری مضمون",
        "بامعاوضہ، منجانب Café 7",
        "تحریر: Z. Ali · 4 منٹ کا مطالعہ",
        "تصویر: Z. Ali",
        "آپ کو یہ نیوز لیٹر اس لیے ملا ہے کہ آپ نے Gazeta کی رکنیت لی تھی۔",
        "کوئی غلطی نظر آئی؟ desk@gazeta.example پر لکھیں۔",
    ),
    "hi": (
        "अंक 48",
        "शुक्रवार, 27 नवंबर 2026",
        "ऑनलाइन पढ़ें",
        "पूरी ख़बर पढ़ें",
        "सदस्यता छोड़ें",
        "प्राथमिकताएँ",
        "विज्ञापन फ़ीचर",
        "Café 7 द्वारा भुगतान किया गया",
        "Z. Ali · पढ़ने का समय: 4 मिनट",
        "तस्वीर: Z. Ali",
        "आपको यह न्यूज़लेटर इसलिए मिला है क्योंकि आपने Gazeta की सदस्यता ली है।",
        "कोई ग़लती दिखी? desk@gazeta.example पर लिखें।",
    ),
    "gu": (
        "અંક 48",
        "શુક્રવાર, 27 નવેમ્બર, 2026",
        "ઓનલાઇન વાંચો",
        "સંપૂર્ણ અહેવાલ વાંચો",
        "સબ્સ્ક્રિપ્શન રદ કરો",
        "પસંદગીઓ",
        "જાહેરાત ફીચર",
        "Café 7 દ્વારા ચૂકવણી કરાયેલ",
        "Z. Ali · વાંચનનો સમય: 4 મિનિટ",
        "તસવીર: Z. Ali",
        "તમને આ ન્યૂઝલેટર એટલા માટે મળ્યું છે કે તમે Gazeta માટે નોંધણી કરાવી છે.",
        "કોઈ ભૂલ દેખાઈ? desk@gazeta.example પર લખો.",
    ),
    "bn": (
        "সংখ্যা ৪৮",
        "শুক্রবার, ২৭ নভেম্বর, ২০২৬",
        "অনলাইনে পড়ুন",
        "পুরো প্রতিবেদন পড়ুন",
        "আনসাবস্ক্রাইব করুন",
        "পছন্দসমূহ",
        "বিজ্ঞাপনী প্রতিবেদন",
        "Café 7-এর অর্থায়নে",
        "লিখেছেন Z. Ali · পড়তে লাগবে ৪ মিনিট",
        "ছবি: Z. Ali",
        "আপনি Gazeta-এর গ্রাহক হয়েছেন বলে এই নিউজলেটারটি পাচ্ছেন।",
        "কোনো ভুল চোখে পড়েছে? desk@gazeta.example ঠিকানায় লিখুন।",
    ),
    "fr": (
        "N°\u00a048",
        "vendredi 27 novembre 2026",
        "Lire en ligne",
        "Lire l’article complet",
        "Se désabonner",
        "Préférences",
        "Publi-rédactionnel",
        "Financé par Café 7",
        "Par Z. Ali · 4\u00a0minutes de lecture",
        "Crédit\u00a0: Z. Ali",
        "Vous recevez cette lettre à la suite de votre inscription à Gazeta.",
        "Vous avez repéré une erreur\u202f? Écrivez à desk@gazeta.example.",
    ),
    "de": (
        "Nr.\u00a048",
        "Freitag, 27. November 2026",
        "Online lesen",
        "Den ganzen Artikel lesen",
        "Abbestellen",
        "Einstellungen",
        "Anzeige",
        "Bezahlt von Café 7",
        "Von Z. Ali · 4\u00a0Minuten Lesezeit",
        "Bild: Z. Ali",
        "Sie erhalten diesen Newsletter, weil Sie sich für Gazeta angemeldet haben.",
        "Fehler entdeckt? Schreiben Sie an desk@gazeta.example.",
    ),
    "es": (
        "N.º\u00a048",
        "viernes, 27 de noviembre de 2026",
        "Leer en línea",
        "Leer el artículo completo",
        "Darse de baja",
        "Preferencias",
        "Publirreportaje",
        "Pagado por Café 7",
        "Por Z. Ali · 4\u00a0minutos de lectura",
        "Imagen: Z. Ali",
        "Recibe este boletín porque se suscribió a Gazeta.",
        "¿Ha visto un error? Escriba a desk@gazeta.example.",
    ),
}
FONTS = {
    "ur": "Noto Nastaliq Urdu",
    "hi": "Kohinoor Devanagari",
    "gu": "Gujarati Sangam MN",
    "bn": "Kohinoor Bangla",
}
MARKS = dict.fromkeys([0x200E, 0x200F])


def shown(text: str) -> str:
    """Words as a reader sees them: marks of direction print nothing, lines may break."""
    return re.sub(r"[ \t\n]+", " ", text.translate(MARKS))


@pytest.fixture
def told(desk: Any) -> Callable[..., Email]:
    """The same small issue in any language, or with another language for one story, set by ``weekly``."""

    def tell(lang: str, *stories: Article, **given: Any) -> Email:
        desk.picture()
        lead = Article(
            "lead",
            "Ω 1",
            standfirst="Ω 2",
            byline="Z. Ali",
            link="https://gazeta.example/1",
            image=Picture(file="a.jpg", alt="Ω", credit="Z. Ali"),
        )
        advert = Article("advert", "Ω 3", teaser="Ω 4", sponsor="Café 7", link="https://gazeta.example/3")
        sections = (
            Section("lead", (lead,)),
            Section("list", stories or (Article("row", "Ω 5"),), title="Ω 6"),
            Section("sponsor", (advert,)),
        )
        config = desk.config(name="Gazeta", postal_address="Ω 7", corrections="desk@gazeta.example", **given)
        return desk.render(issue_of(lang, sections), "weekly", config=config, minutes={"lead": 4})

    return tell


def issue_of(lang: str, sections: tuple[Section, ...], **fields: Any) -> Issue:
    import datetime

    given = {"subject": "Ω", "preheader": "Ω Ω"} | fields
    return Issue("2026-11-27", datetime.date(2026, 11, 27), sections, number="48", lang=lang, **given)


@pytest.mark.parametrize("lang", sorted(SAYS))
def test_an_issue_says_everything_in_its_own_language(told: Any, lang: str) -> None:
    """HTML and text, each with the digits and the punctuation of the language, and no word of English."""
    email = told(lang)
    page = shown(lxml_html.document_fromstring(email.html).body.text_content())
    text = shown(email.text)
    for words in SAYS[lang]:
        assert words in page, words
        assert words in text, words
    for found in (page, text):
        assert not ENGLISH.search(found.replace("27. November", "")), ENGLISH.search(found)


@pytest.mark.parametrize("lang", sorted(SAYS))
def test_direction_language_and_fonts_are_the_languages_own(told: Any, lang: str) -> None:
    """On the page, on the article around the mail and on the card; fonts only where the script needs others."""
    email = told(lang)
    page = lxml_html.document_fromstring(email.html)
    assert (page.get("lang"), page.get("dir")) == (lang, direction(lang)) == (email.lang, email.dir)
    around = page.find(".//div[@role='article']")
    assert (around.get("lang"), around.get("dir")) == (lang, "rtl" if lang == "ur" else "ltr")
    for other, font in FONTS.items():
        assert (font in email.html) is (other == lang), font


def test_a_regional_variety_takes_its_language(told: Any) -> None:
    """fr-CA has the words of fr; a language without a catalogue has English words and its own date."""
    assert "Lire en ligne" in told("fr-CA").text
    welsh = told("cy").text
    assert "Read online" in welsh and "Dydd Gwener" in welsh


def test_lead_and_advertisement_of_another_language(desk: Any) -> None:
    """An Urdu lead and an Urdu advertisement in a German issue, and the list of headlines that names them."""
    desk.write("mine/theme.toml", 'api = 1\nextends = "weekly"\n[tokens]\nin_this_issue = "yes"\n')
    lead = Article("lead", "پل کھل گیا", standfirst="ب", byline="عمران علی", link="https://gazeta.example/1", lang="ur")
    rest = tuple(Article(f"s{n}", f"Nachricht {n}") for n in range(3))
    advert = Article("advert", "چائے", sponsor="کیفے", link="https://gazeta.example/3", lang="ur")
    sections = (Section("lead", (lead,)), Section("list", rest), Section("sponsor", (advert,)))
    email = desk.render(issue_of("de", sections), "mine", minutes={"lead": 4})
    page = lxml_html.document_fromstring(email.html)
    for found in (shown(page.body.text_content()), shown(email.text)):
        for words in (
            "تحریر: عمران علی · 4 منٹ کا مطالعہ",
            "پوری خبر پڑھیں",
            "اشتہاری مضمون",
            "بامعاوضہ، منجانب کیفے",
            "Online lesen",
        ):
            assert words in found, words
        assert "Anzeige" not in found
    assert "In dieser Ausgabe" in shown(page.body.text_content())
    named = [span for span in page.iter("span") if span.text == "پل کھل گیا"]
    assert [(span.get("lang"), span.get("dir")) for span in named] == [("ur", "rtl")]


def test_a_latin_name_in_an_urdu_line_keeps_the_lines_order(told: Any) -> None:
    """Name, sponsor, credit and address stand in elements of their own direction; the text part has marks."""
    email = told("ur")
    page = lxml_html.document_fromstring(email.html)
    isolated = [span.text_content() for span in page.iter("span") if span.get("dir") == "ltr"]
    assert isolated.count("Z. Ali") == 2
    assert {"Z. Ali", "Café 7", "Gazeta", "desk@gazeta.example"} <= set(isolated)
    assert "تحریر: \u200f\u200eZ. Ali\u200e\u200f · 4 منٹ کا مطالعہ" in email.text
    assert "آن لائن پڑھیں: nlf" in email.text, "no mark beside an address"


def test_scripts_do_not_lend_each_other_their_fonts(desk: Any) -> None:
    """A Latin story in an Urdu issue has a Latin font and line height, and so has a Latin name in an Urdu line."""
    page = lxml_html.document_fromstring(urdu_issue(desk).html)
    story = next(cell for cell in page.iter("td") if cell.get("lang") == "en")
    assert (story.get("dir"), story.get("align")) == ("ltr", "left")
    for element in [*story.iter("h2", "h3", "p"), *(span for span in page.iter("span") if span.get("dir") == "ltr")]:
        assert "Nastaliq" not in element.get("style"), element.text_content()
    assert "Nastaliq" in page.find(".//h1").get("style")


@pytest.mark.parametrize(("lang", "wanted"), [("de", True), ("nl-BE", True), ("en-GB", False), ("fr", False)])
def test_headlines_of_long_words_are_hyphenated_on_phones(told: Any, lang: str, wanted: bool) -> None:
    """Where compounds are written as one word; elsewhere a hyphen in a headline looks wrong."""
    assert ("hyphens:auto" in told(lang).html.replace(" ", "")) is wanted


def test_an_english_issue_pays_nothing(told: Any) -> None:
    """No mark, no element more than the words themselves need."""
    email = told("en-GB")
    assert "\u200e" not in email.html + email.text and "&#8206;" not in email.html
    assert "By Z. Ali · 4 min read" in shown(email.text)


def test_every_language_is_among_these() -> None:
    """A ninth catalogue needs its row here."""
    assert set(SAYS) | {"en"} == set(SCRIPTS)


def urdu_issue(desk: Any) -> Email:
    """An issue as an Urdu desk would write it, with Latin names, an English story and an address in English."""
    desk.picture("pul.jpg")
    desk.picture("chai.jpg", (1200, 900))
    lead = Article(
        "pul",
        "بندرگاہ کا پرانا پل تین برس بعد دوبارہ کھل گیا",
        kicker="شہر",
        byline="Sarah Qureshi",
        link="https://sahil.example/pul",
        standfirst="مچھیرے کہتے ہیں کہ منڈی تک کا راستہ اب آدھا رہ گیا ہے، لیکن بھاری ٹرک ابھی پل سے نہیں گزر سکیں گے۔",
        image=Picture(
            file="pul.jpg",
            alt="پل پر سے گزرتے سائیکل سوار",
            caption="جمعرات کی صبح پل پر پہلی سائیکلیں",
            credit="D. Okafor (Reuters)",
        ),
    )
    rows = (
        Article(
            "chai",
            "چائے خانوں نے قیمتیں دو روپے بڑھا دیں",
            link="https://sahil.example/chai",
            byline="عمران میمن",
            teaser="دودھ مہنگا ہوا تو پیالی بھی چھوٹی ہوئی۔ دکان دار کہتے ہیں کہ رمضان سے پہلے قیمت پھر نہیں بڑھے گی۔",
            image=Picture(file="chai.jpg", alt="چائے کی پیالیاں"),
        ),
        Article(
            "library",
            "The library opens on Sundays",
            lang="en",
            agency="APP (Karachi)",
            teaser="From December the reading room stays open until six.",
            link="https://sahil.example/library",
        ),
    )
    advert = Article(
        "boats",
        "ہفتے کے دن مفت کشتی کی سیر",
        sponsor="Halloran Boats",
        link="https://boats.example",
        teaser="بچوں کے ساتھ آئیے؛ لائف جیکٹ ہماری طرف سے۔",
        link_text="نشست محفوظ کریں",
    )
    full = Article(
        "khat",
        "ایڈیٹر کے نام",
        byline="تحریر: نادیہ شاہ",
        body="آپ کے پچھلے شمارے میں *WhatsApp* گروپ کا ذکر تھا۔\n\n> سمندر کسی کا انتظار نہیں کرتا۔\n\n"
        "| دن | مد کا وقت |\n|---|---|\n| جمعہ | 06:40 |\n| ہفتہ | 07:25 |\n",
    )
    issue = issue_of(
        "ur",
        (
            Section("lead", (lead,)),
            Section("list", rows, title="اس ہفتے"),
            Section("sponsor", (advert,)),
            Section("text", (full,), title="خطوط"),
        ),
        subject="پل کھل گیا",
        preheader="تین برس بعد سائیکلیں پھر دریا پار",
        intro='السلام علیکم {{ subscriber.first_name | default("قارئین") }}،\n\n'
        "اس ہفتے کی سب سے اچھی خبر پل کی ہے۔ ہمیں [اپنی رائے](https://sahil.example/rai) ضرور لکھیے۔\n\n**ادارہ**",
    )
    config = desk.config(
        name="ہفت روزہ ساحل",
        postal_address="Sahil Weekly (Pvt.), 4 Bandar Road, Keamari, Karachi 75620.",
        corrections="desk@sahil.example",
    )
    return desk.render(issue, "weekly", config=config, minutes={"pul": 4, "khat": 1})


@pytest.mark.parametrize("part", ["html", "txt"])
def test_the_urdu_issue_is_the_golden(desk: Any, regenerate: bool, part: str) -> None:
    """Byte for byte, with merge tokens in place; names of pictures depend on libjpeg."""
    email = urdu_issue(desk)
    found = PICTURE.sub("picture", email.html if part == "html" else email.text).encode()
    path = EXPECTED / f"urdu.{part}"
    if regenerate:
        EXPECTED.mkdir(exist_ok=True)
        path.write_bytes(found)
    expected = path.read_bytes() if path.exists() else b""
    assert found == expected, f"{path.name} differs from what was committed; look at it, then ./dev goldens"
