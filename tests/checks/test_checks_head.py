"""What the head says, the preheader, and what stands in the HTML that should not."""

from __future__ import annotations

import pytest

from newsletter.checks import examples as eg
from newsletter.models import MergeField, Severity
from tests.checks.asking import before_library, found

NO_WORD = eg.email(mso=False)


def test_a_viewport_may_not_forbid_zooming() -> None:
    """Some readers have to."""
    (finding,) = found("viewport-missing", eg.html("initial-scale=1", "initial-scale=1,user-scalable=no"))
    assert "forbids readers to zoom" in finding.message


def test_what_telephones_would_link_is_named() -> None:
    """Only what is left on."""
    (finding,) = found("phone-links-dates", eg.html("date=no,address=no", "date=no"))
    assert finding.message == "Telephones may make links of what looks like: address."
    assert len(found("phone-links-dates", eg.html('<meta name="format-detection"', '<meta name="x"'))) == 1


def test_each_missing_word_on_colour_schemes_is_named() -> None:
    """Both metas and the rule."""
    nothing = (
        eg.html('<meta name="color-scheme"', '<meta name="x"'),
        eg.html('<meta name="supported-color-schemes"', '<meta name="y"'),
        eg.html(":root { color-scheme: light dark }", ""),
    )
    (finding,) = found("colour-scheme-missing", *nothing)
    assert finding.message.count("<meta") == 2 and ":root{color-scheme}" in finding.message


def test_the_title_is_the_subject_as_a_reader_sees_it() -> None:
    """Tokens count as their defaults, in whatever form they are escaped."""
    fields = (
        *eg.example().email.fields,
        MergeField("nlf0020q", "first_name", "Q & A", "html"),
        MergeField("nlf0021q", "first_name", "Q & A", "subject"),
    )
    title = eg.html("<title>The ferry is back</title>", "<title>For nlf0020q &amp; all</title>")
    same = eg.email(subject="For nlf0021q &  all", fields=fields)
    assert not found("title-not-subject", title, same)
    assert found("title-not-subject", title)
    assert not found("title-not-subject", eg.html("<title>The ferry is back</title>", ""))


def test_a_theme_without_markup_for_word_is_asked_for_none() -> None:
    """`mso = false` in theme.toml."""
    bare = (NO_WORD, eg.html("<o:PixelsPerInch>96</o:PixelsPerInch>", ""), eg.html(' xmlns:o="urn:', ' x="urn:'))
    assert not found("word-settings-missing", *bare) and not found("word-namespaces-missing", *bare)
    assert found("word-settings-missing", *bare[1:]) and found("word-namespaces-missing", *bare[1:])
    flat = eg.html('<i style="mso-font-width:150%">&emsp;</i>', "")
    assert not found("button-flat-in-word", NO_WORD, flat) and found("button-flat-in-word", flat)
    wide = before_library('<div style="max-width:300px">x</div>')
    assert not found("ghost-table-missing", NO_WORD, wide) and found("ghost-table-missing", wide)
    unpainted = eg.html('align="center" bgcolor="#F4F1EA"', 'align="center"')
    assert not found("page-ground-missing", NO_WORD, unpainted) and found("page-ground-missing", unpainted)


def test_word_settings_name_what_is_missing() -> None:
    """Resolution, PNG, line heights, a font."""
    for gone, named in (
        ("<o:AllowPNG/>", "PNG pictures"),
        ("mso-line-height-rule: exactly; ", "exact line heights"),
        ("font-family: Georgia ", "a font"),
    ):
        (finding,) = found("word-settings-missing", eg.html(gone, ""))
        assert named in finding.message


def test_the_preheader_comes_first_and_is_the_emails_own() -> None:
    """Words before it would be shown in its place."""
    hidden = '<div style="display:none;mso-hide:all">After eight'
    assert found("preheader-unhidden", eg.html(hidden, f"<p>Read online</p>{hidden}"))
    assert found("preheader-unhidden", eg.email(preheader="Something else altogether"))
    assert not found("preheader-unhidden", eg.email(preheader=""))
    shown = eg.html("display:none;mso-hide:all", "mso-hide:all")
    assert "does not begin with the preheader" in found("preheader-unhidden", shown)[0].message


def test_room_for_the_inbox_line_counts_everything_hidden() -> None:
    """The padding may stand in an element of its own."""
    (finding,) = found("preheader-unpadded", eg.html("&#847; " * 120, "&#847; " * 20))
    assert finding.message.startswith("Only 8")
    assert not found("preheader-unpadded", eg.email(preheader=""), eg.html("&#847; " * 120, ""))


def test_tags_that_the_parser_mended_are_told_as_they_were_written() -> None:
    """The finished HTML pairs up by then."""
    mended = eg.email(mended=('<div class="card"> is not closed',))
    assert found("tag-unclosed", mended)[0].message == 'In the HTML, <div class="card"> is not closed.'
    assert not found("mso-unbalanced", mended)


def test_only_words_reading_is_told_as_words_reading() -> None:
    """A tag that is open for everybody is not told twice."""
    (finding,) = found("mso-unbalanced", eg.html("</td></tr></table><![endif]-->", "</td></table><![endif]-->"))
    assert finding.message == "As Outlook's Word engine reads the mail, <tr> is not closed."
    assert not found("mso-unbalanced", before_library("<div>"))


@pytest.mark.parametrize("rel", ["stylesheet", "alternate Stylesheet", "icon"])
def test_a_linked_sheet_is_told_whatever_else_it_is(rel: str) -> None:
    """Other links in the head are no style sheets."""
    linked = eg.html("</head>", f'<link rel="{rel}" href="https://estuary.example/x"></head>')
    assert bool(found("stylesheet-external", linked)) is (rel != "icon")


def test_an_imported_sheet_is_external_too() -> None:
    """It is fetched as well, or not at all."""
    (finding,) = found("stylesheet-external", eg.html(":root {", "@import url(https://estuary.example/x.css); :root {"))
    assert "imports another" in finding.message


def test_sound_and_video_are_a_warning() -> None:
    """Some readers can play them."""
    (finding,) = found("active-content", before_library("<video src='x'></video>"))
    assert finding.severity is Severity.WARNING and finding.article == "library-opens-on-sundays"


def test_the_footer_says_why_and_offers_a_choice() -> None:
    """The publication's own words, and the link where there is a site for it to lead to."""
    reason = "You get this letter because you signed up."
    asked = eg.publication(reason=reason)
    assert found("reason-missing", asked)
    assert not found("reason-missing", asked, eg.html("<p>The Estuary Weekly, 4", f"<p>{reason} The Estuary Weekly, 4"))
    gone = eg.html('<a href="nlf0009q">Preferences</a>', "")
    assert found("preferences-missing", gone) and not found("preferences-missing", gone, eg.site(url=None))
