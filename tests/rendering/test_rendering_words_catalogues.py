"""The catalogues: every word that templates and code say is there in every language, and nothing else is."""

from __future__ import annotations

import ast
import gettext
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import nodes

from newsletter.rendering.catalogues import LOCALE, SCRIPTS, catalogue, language_of

ROOT = Path(__file__).parents[2]
PLACEHOLDER = re.compile(r"\{[A-Za-z_]+\}")
LANGUAGES = sorted(SCRIPTS)
OWN_SCRIPT = {"ur": r"[\u0600-\u06ff]", "hi": r"[\u0900-\u097f]", "gu": r"[\u0a80-\u0aff]", "bn": r"[\u0980-\u09ff]"}
LETTERS_ONLY_IN_NAMES = {"By {name}", "{words}: {address}"}
SAME_AS_ENGLISH = {("es", "{minutes} min")}  # the sign of the minute, ISO 80000-3


class _Compiled(Catalog):
    """A catalogue whose header says no more than readers of it need, so that the same words give the same bytes."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:  # type: ignore[override]  # without Babel's dates and version
        return [("Content-Type", "text/plain; charset=utf-8"), ("Plural-Forms", self.plural_forms)]


def source(language: str) -> Catalog:
    with (LOCALE / language / "newsletter.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def compiled(read: Catalog) -> bytes:
    plain = _Compiled(locale=read.locale, charset="utf-8")
    plain._num_plurals, plain._plural_expr = read.num_plurals, read.plural_expr
    for message in read:
        if message.id:
            plain[message.id] = message
    out = io.BytesIO()
    write_mo(out, plain)
    return out.getvalue()


def said_in_code() -> Iterator[tuple[str, str]]:
    """(message, place) of every t("…") in newsletter/."""
    for file in sorted((ROOT / "newsletter").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _named(getattr(node.func, "id", getattr(node.func, "attr", ""))):
                assert node.args, file
                first = node.args[0]
                assert isinstance(first, ast.Constant) and isinstance(first.value, str), f"{file}:{node.lineno}"
                yield first.value, f"{file.relative_to(ROOT)}:{node.lineno}"


def said_in_templates() -> Iterator[tuple[str, str]]:
    """(message, place) of every t("…") and article.t("…") in templates/ and in the pages for readers."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    for file in sorted([*(ROOT / "templates").rglob("*.j2"), *(ROOT / "newsletter" / "web").rglob("*.j2")]):
        for call in environment.parse(file.read_text(encoding="utf-8")).find_all(nodes.Call):
            name = call.node.name if isinstance(call.node, nodes.Name) else getattr(call.node, "attr", "")
            if _named(name):
                place = f"{file.relative_to(ROOT)}:{call.lineno}"
                assert call.args and isinstance(call.args[0], nodes.Const), f"{place}: t() takes words, not a variable"
                yield call.args[0].value, place


def _named(name: object) -> bool:
    return name == "t"


def said() -> dict[str, str]:
    return dict([*said_in_code(), *said_in_templates()])


def test_the_extraction_sees_templates_macros_stories_and_code() -> None:
    """One of each kind, so that an empty list cannot pass for a complete one."""
    places = said()
    assert places["Picture: {credit}"].startswith("newsletter/rendering/view.py:")
    assert places["Unsubscribe"].startswith("templates/")
    assert {"Advertisement feature", "{minutes} min read", "No. {number}"} <= set(places)
    assert places["You are subscribed"].startswith("newsletter/web/pages/")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_catalogue_has_every_word_and_no_stale_one(language: str) -> None:
    """What t() is asked for is what translators are shown."""
    ids = {message.id if isinstance(message.id, str) else message.id[0] for message in source(language) if message.id}
    wanted = said()
    missing = {f"{place}: {words}" for words, place in wanted.items() if words not in ids}
    assert not missing, f"newsletter/rendering/locale/{language}/newsletter.po lacks {sorted(missing)}"
    assert not ids - set(wanted), "nobody says these any more"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_translation_is_there_with_the_placeholders_of_its_message(language: str) -> None:
    """Each form of each message, none marked fuzzy, none with blanks at its ends."""
    for message in source(language):
        if not message.id:
            continue
        forms = [message.string] if isinstance(message.id, str) else list(message.string)
        key = message.id if isinstance(message.id, str) else message.id[0]
        assert not message.fuzzy, key
        assert len(forms) == 1 or len(forms) == source(language).num_plurals, key
        for form in forms:
            assert form and form == form.strip(), key
            assert sorted(PLACEHOLDER.findall(form)) == sorted(PLACEHOLDER.findall(key)), key
            assert message.auto_comments, f"{key}: tell the translator where it stands"


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_translation_is_in_its_language_and_script(language: str) -> None:
    """No message is left in English, and those of another script have none of its letters."""
    for message in source(language):
        if not message.id or message.id in LETTERS_ONLY_IN_NAMES:
            continue
        forms = [message.string] if isinstance(message.id, str) else list(message.string)
        for form in forms:
            assert form not in (message.id, *message.id) or (language, form) in SAME_AS_ENGLISH, form
            if language in OWN_SCRIPT:
                words = PLACEHOLDER.sub("", form)
                assert re.search(OWN_SCRIPT[language], words) and not re.search("[A-Za-z]", words), form


def test_english_is_the_key_itself() -> None:
    """The English catalogue is the list that a new language starts from."""
    for message in source("en"):
        if message.id:
            assert message.string == message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_its_source(language: str, regenerate: bool) -> None:
    """``./dev goldens`` compiles anew; the same words give the same bytes."""
    made, path = compiled(source(language)), LOCALE / language / "newsletter.mo"
    if regenerate:
        path.write_bytes(made)
    assert path.exists() and path.read_bytes() == made, "run: ./dev goldens"


def test_there_is_a_catalogue_for_exactly_the_languages_that_are_named() -> None:
    """A folder that nobody reads, or a language without a folder, is a mistake."""
    assert {folder.name for folder in LOCALE.iterdir() if folder.is_dir()} == set(SCRIPTS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_of_cldr(language: str) -> None:
    """The formula in the catalogue puts every number where Babel's CLDR data puts it, millions aside."""
    formula = gettext.c2py(source(language).plural_expr)  # type: ignore[attr-defined]  # in the standard library, unlisted
    rule = Locale.parse(language).plural_form
    for count in [*range(300), 1000, 1001, 12345]:
        assert (formula(count) == 0) == (rule(count) == "one"), count


def test_french_and_german_typography() -> None:
    """No-break spaces before French double punctuation and after abbreviations; no straight apostrophes."""
    for message in source("fr"):
        for form in [message.string] if isinstance(message.string, str) else message.string:
            assert not re.search(r"(?<![\u202f\u00a0])[:;?!»](?!//)", form if message.id else ""), form
            assert "'" not in form or not message.id, form
    assert catalogue("fr").gettext("No. {number}") == "N°\u00a0{number}"
    assert catalogue("de").gettext("No. {number}") == "Nr.\u00a0{number}"


@pytest.mark.parametrize(
    ("lang", "wanted"),
    [
        ("fr-CA", "fr"), ("fr", "fr"), ("de_AT", "de"), ("ur-PK", "ur"), ("hi-Deva-IN", "hi"), ("en-GB", "en"),
        ("hi-Latn", "en"), ("ur-Latn", "en"), ("ar", "en"), ("", "en"), ("no such language", "en"), ("../en", "en"),
    ],
)  # fmt: skip
def test_a_language_falls_back_to_its_parent_and_then_to_english(lang: str, wanted: str) -> None:
    """A script that the catalogue is not written in is another language to the reader."""
    assert language_of(lang) == wanted


def test_a_catalogue_is_read_within_five_milliseconds() -> None:
    """In a fresh process, with the import of gettext; the best of five, because this machine is shared."""
    code = (
        "import time\nfrom newsletter.rendering import catalogues\n"
        "started = time.process_time()\n"
        "words = catalogues.catalogue('fr').gettext('Unsubscribe')\n"
        "print((time.process_time() - started) * 1000)\n"
    )
    times = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        times.append(float(done.stdout))
    assert min(times) < 5, times
