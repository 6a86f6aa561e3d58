"""The finer points of single rules, and where a finding in the HTML is placed."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.checks import examples as eg
from newsletter.checks.links import why_malformed
from newsletter.checks.page import Page, cut, plain
from newsletter.checks.run import run_checks
from newsletter.models import Finding, MergeField, Origin, Picture, Provenance, Severity, Span

LOCAL_SITE = "http://127.0.0.1:8000"


def found(check_id: str, *changes: eg.Change) -> list[Finding]:
    return [finding for finding in run_checks(eg.both(*changes)(eg.example())) if finding.id == check_id]


@pytest.mark.parametrize(
    "address",
    [
        "https://estuary.example", "http://localhost:8000/x", "https://[2001:db8::1]/x", "https://xn--bcher-kva.example/",
        "https://bücher.example/", "mailto:desk@estuary.example?subject=Hello", "tel:+44-1632-960001",
        "https://estuary.example/a(b)?c=d&e=f#g", " https://estuary.example ",
    ],
)  # fmt: skip
def test_a_whole_address_is_sound(address: str) -> None:
    """What a mail client opens."""
    assert why_malformed(address) is None


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "empty"),
        ("#", "empty"),
        ("/ferry", "lacks https://"),
        ("estuary.example/ferry", "lacks https://"),
        ("//e.org/x", "lacks https://"),
        ("https://", "host"),
        ("https://ferry", "host"),
        ("https://a..b", "host"),
        ("https://est uary.example", "blank"),
        ("https://[::1", "no web address"),
        ("https://e.org:port/", "no web address"),
        ("javascript:alert(1)", "javascript:"),
        ("data:text/html,x", "data:"),
        ("ftp://e.org/x", "ftp:"),
        ("mailto:desk", "no mail address"),
        ("tel:call me", "blank"),
        ("tel:x", "telephone"),
    ],
)
def test_a_broken_address_says_why(address: str, why: str) -> None:
    """The finding names the reason."""
    assert why in (why_malformed(address) or "")


def test_a_broken_link_in_the_html_is_told_once_with_its_story() -> None:
    """The story's own link is told for its field, any other for the story it stands in."""
    (own,) = found("link-malformed", eg.story(link="www.e.org"), eg.html("https://estuary.example/ferry", "www.e.org"))
    assert (own.article, own.field) == ("the-ferry-is-back", "link")
    (other,) = found("link-malformed", eg.html("https://estuary.example/library", "/library"))
    assert (other.article, other.field) == ("library-opens-on-sundays", None)
    assert "“Read on about the library” (/library)" in other.message


def test_an_anchor_within_the_mail_must_exist() -> None:
    """“#top” works when there is a top."""
    assert found("link-malformed", eg.html("https://estuary.example/library", "#top"))
    assert not found("link-malformed", eg.html('<a href="https://estuary.example/library"', '<a id="top" href="#top"'))


def test_an_insecure_link_is_told_once() -> None:
    """In the file and in the HTML it is the same link."""
    (finding,) = found(
        "link-insecure",
        eg.story(link="http://estuary.example/ferry"),
        eg.html("https://estuary.example/ferry", "http://estuary.example/ferry"),
    )
    assert (finding.article, finding.field) == ("the-ferry-is-back", "link")
    (finding,) = found("link-insecure", eg.html("https://estuary.example/library", "http://estuary.example/library"))
    assert finding.article == "library-opens-on-sundays"


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ('<a href="https://e.org"></a>', "link-text-missing"),
        ('<a href="https://e.org"> · </a>', "link-text-missing"),
        ('<a href="https://e.org">Click here!</a>', "link-text-vague"),
        ('<a href="https://e.org">Weiterlesen</a>', "link-text-vague"),
        ('<a href="https://e.org">یہاں کلک کریں</a>', "link-text-vague"),
        ('<a href="https://e.org"><img width="9" src="cid:ferry" alt=""></a>', "alt-empty-in-link"),
        ('<a href="https://e.org"><img width="9" src="cid:ferry" alt=""> The ferry</a>', None),
        ('<a href="https://e.org"><img width="9" src="cid:ferry" alt="The ferry at the quay"></a>', None),
        ('<a href="https://e.org" aria-label="The ferry"><img width="9" src="cid:ferry" alt=""></a>', None),
        ('<a href="https://e.org" aria-label="The ferry"></a>', None),
        ('<a href="https://e.org">यह</a>', None),
        ('<a name="here">here</a>', None),
    ],
)
def test_a_link_is_named_by_its_text_its_label_or_its_picture(link: str, told: str | None) -> None:
    """What a screen reader would say: nothing, too little, or where it leads; each fault has one finding."""
    context = eg.html("<h2>", f"{link}<h2>")(eg.example())
    of_names = ("link-text-missing", "link-text-vague", "alt-empty-in-link", "alt-missing")
    assert [f.id for f in run_checks(context) if f.id in of_names] == ([told] if told else [])


def test_an_img_without_alt_in_the_html_is_placed_in_its_story() -> None:
    """A picture inside a body has no field of its own; the story is named."""
    (finding,) = found("alt-missing", eg.html("<p>Volunteers", '<img width="1" src="cid:b"><p>Volunteers'))
    assert finding.article == "library-opens-on-sundays"
    assert found("alt-missing", eg.picture(alt="")) and len(found("alt-missing", eg.picture(alt=""))) == 1


def test_a_brief_shows_no_picture_so_nothing_is_asked_of_it() -> None:
    """Findings are about what the reader gets."""
    brief = dataclasses.replace(eg.LIBRARY, slug="b", headline="B", link="https://e.org/b", image=Picture(file="x.jpg"))
    context = eg.section("brief", brief)(eg.example())
    assert not [f for f in run_checks(context) if f.article == "b" and f.field and f.field.startswith("image")]


def test_a_picture_without_file_or_address_is_missing() -> None:
    """`image:` with only an alt text is an oversight."""
    (finding,) = found("picture-missing", eg.picture(file=None, alt="Another picture altogether"), eg.email(images=()))
    assert finding.message == "The picture names no file and no address."


def test_a_remote_picture_is_not_missing_and_names_its_story() -> None:
    """It is shown, only not covered."""
    url = "https://cdn.example/ferry.jpg?width=600&height=400"
    remote = (
        eg.picture(file=None, url=url),
        eg.html("cid:ferry", url.replace("&", "&amp;")),
        eg.email(images=(), remote_images=(url,)),
    )
    assert not found("picture-missing", *remote)
    assert not found("picture-missing", *remote, eg.email(remote_images=()))
    (finding,) = found("picture-remote", *remote)
    assert finding.article == "the-ferry-is-back"
    small = url.replace("600", "320")
    remote = (
        eg.picture(file=None, url=url),
        eg.html("cid:ferry", small.replace("&", "&amp;")),
        eg.email(images=(), remote_images=(small,), asked_for={small: url}),
    )
    assert not found("picture-missing", *remote)
    (finding,) = found("picture-remote", *remote)
    assert finding.article == "the-ferry-is-back" and "width=320" in finding.message


def test_a_picture_in_a_text_is_its_storys() -> None:
    """Where it stands, and what can be done about it there: no folder holds the pictures of a body."""
    url = "https://cdn.example/quay.webp"
    in_text = eg.both(
        eg.html("<p>Volunteers", f'<p><img src="{url}" width="536" alt="The quay"></p><p>Volunteers'),
        eg.email(remote_images=(url,)),
    )
    for check_id in ("picture-remote", "picture-format"):
        (finding,) = found(check_id, in_text)
        assert (finding.article, finding.field) == (eg.LIBRARY.slug, "body")
        assert "folder" not in (finding.fix or "")
    (intro,) = found(
        "picture-remote", eg.html("<h1>", f'<img src="{url}" width="9" alt=""><h1>'), eg.email(remote_images=(url,))
    )
    assert (intro.article, intro.field) == (None, "intro")


def test_two_stories_may_share_a_picture() -> None:
    """The derivative belongs to the first; the second is not without."""
    twin = dataclasses.replace(eg.LIBRARY, slug="twin", headline="Twin", link="https://e.org/t", image=eg.FERRY.image)
    assert not found("picture-missing", eg.section("list", twin))
    assert eg.FERRY.image is not None
    described = dataclasses.replace(
        twin, image=dataclasses.replace(eg.FERRY.image, alt="The quay behind it", caption="At noon")
    )
    assert not found("picture-missing", eg.section("list", described)), "in words of its own"


def test_a_picture_of_a_megabyte_is_an_error() -> None:
    """A warning from 200 KB on."""
    heavy = dataclasses.replace(eg.example().email.images[0], size=2_000_000)
    assert found("picture-heavy", eg.email(images=(heavy,)))[0].severity is Severity.ERROR


def test_the_same_file_link_or_origin_twice_is_a_duplicate() -> None:
    """However the second one is called."""
    again = dataclasses.replace(eg.LIBRARY, slug="again", headline="Reading on Sundays")
    assert found("duplicate-in-issue", eg.section("list", again))[0].message.startswith(
        "The story is the same as library-opens-on-sundays"
    )
    assert "stands in the issue twice" in found("duplicate-in-issue", eg.section("list", eg.LIBRARY))[0].message
    origin = Origin(guid="cms-48")
    twins = eg.section("list", dataclasses.replace(again, link=None, origin=origin, slug="c", headline="C"))
    assert found("duplicate-in-issue", eg.story(origin=origin), twins)


def test_a_story_of_another_issue_names_that_issue() -> None:
    """So that the editor can look; a sponsor's creative may run in many issues."""
    (finding,) = found("used-before", eg.given(past_uses=MappingProxyType({eg.FERRY.slug: "2026-11-20"})))
    assert "2026-11-20" in finding.message
    assert not found(
        "used-before",
        eg.given(past_uses=MappingProxyType({eg.LIBRARY.slug: "2026-11-20"})),
        eg.issue(sections=eg.example().issue.sections[:1]),
        eg.section("sponsor", dataclasses.replace(eg.LIBRARY, sponsor="Ropewalk Repairs")),
    )


def test_a_paid_story_must_say_so_in_the_mail() -> None:
    """A sponsor set as an ordinary story loses its label."""
    (finding,) = found("sponsor-label-missing", eg.story(sponsor="Ropewalk Repairs"))
    assert "the mail does not say so" in finding.message
    assert not found("sponsor-label-missing", eg.story(sponsor="Ropewalk Repairs"), eg.email(spans=()))


def test_a_guess_shows_its_value() -> None:
    """The editor need not open the file to know it."""
    (finding,) = found("unconfirmed-guess", eg.both(*[_guess("image.credit")]))
    assert finding.message.startswith("The image.credit (“Ines Calder”) was taken from the first line")
    (finding,) = found("unconfirmed-guess", _guess("image.nothing"))
    assert "(“" not in finding.message


def _guess(field: str) -> eg.Change:
    return eg.story(provenance=MappingProxyType({field: Provenance("first line", confirmed=False)}))


def test_an_unnamed_empty_section_is_named_by_its_number() -> None:
    """“number 3 (brief)”."""
    assert "number 3 (brief)" in found("section-empty", eg.section("brief"))[0].message
    assert not found("section-empty", eg.issue(sections=()))


def test_an_unknown_field_is_placed_where_it_was_written() -> None:
    """In the issue, in a story, or nowhere when a theme did it."""
    unknown = eg.given(known_fields=frozenset({"fist_name"}))
    assert found("merge-field-unknown", unknown)[0].field == "intro"
    assert found("merge-field-unknown", unknown)[0].fix == 'did you mean "fist_name"?'
    moved = (eg.issue(intro=""), eg.story(standfirst="Dear {{ subscriber.first_name }}"))
    assert (
        found("merge-field-unknown", unknown, *moved)[0].article,
        found("merge-field-unknown", unknown, *moved)[0].field,
    ) == (
        "the-ferry-is-back",
        "standfirst",
    )
    (theme,) = found("merge-field-unknown", eg.given(known_fields=frozenset()), eg.issue(intro=""))
    assert (theme.article, theme.field) == (None, None)
    assert theme.fix == 'Add "first_name" to attributes under [audience].'


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (eg.email(subject="Hello {{ name }}"), "The subject"),
        (eg.email(text="Hello %%name%%"), "The text part"),
        (eg.html("After eight months the morning boat runs again</div>", "{% if %}</div>"), "The mail"),
        (eg.html('href="https://estuary.example/ferry"', 'href="https://e.org/%recipient.id%"'), "The mail"),
        (eg.html("runs again.</p>", "runs nlf0099q.</p>"), "The mail"),
    ],
)
def test_template_code_is_found_wherever_it_is_left(change: eg.Change, where: str) -> None:
    """In text, in attributes, in the hidden preheader; a token without a field as well."""
    (finding,) = found("leftover-template", change)
    assert finding.message.startswith(where)


def test_braces_of_a_style_sheet_are_no_template_code() -> None:
    """Minified CSS holds {# and }}."""
    assert not found("leftover-template", eg.html(".lead {", "@media print{#a{color:red}} .lead {"))


def test_a_subject_of_one_name_in_capitals_does_not_shout() -> None:
    """NATO and BBC are written so."""
    assert not found("subject-shouts", eg.email(subject="NATO visits the ferry"))
    assert found("subject-shouts", eg.email(subject="Ferry back!!"))


def test_lengths_are_those_a_reader_sees() -> None:
    """A token counts as its default."""
    field = MergeField("nlf0007q", "first_name", "x" * 80, "subject")
    assert found("subject-long", eg.email(subject="nlf0007q", fields=(*eg.example().email.fields, field)))


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ([eg.site(url=None)], Severity.WARNING),
        ([eg.site(url=None), eg.given(provider_local=False)], Severity.ERROR),
        ([eg.site(url=LOCAL_SITE)], Severity.WARNING),
        ([eg.site(url=LOCAL_SITE), eg.given(provider_local=False)], Severity.ERROR),
    ],
)
def test_unsubscribing_needs_an_https_site_for_real_readers(changes: list[eg.Change], severity: Severity) -> None:
    """In the outbox it is a warning."""
    assert [f.severity for f in found("unsubscribe-missing", *changes)] == [severity]


def test_without_a_site_the_web_copy_is_a_note_in_the_outbox() -> None:
    """And a warning for real readers."""
    assert found("web-version-missing", eg.site(url=None))[0].severity is Severity.INFO
    assert (
        found("web-version-missing", eg.site(url=None), eg.given(provider_local=False))[0].severity is Severity.WARNING
    )


@pytest.mark.parametrize("address", ["Your street, your city", "TODO", "123 Example Street", "postal address here"])
def test_a_placeholder_is_no_address(address: str) -> None:
    """`init` writes one when none is given."""
    assert "placeholder" in found("postal-address-missing", eg.publication(postal_address=address))[0].message


def test_an_address_that_the_theme_drops_is_missing() -> None:
    """It must reach the reader."""
    (finding,) = found("postal-address-missing", eg.html("4 Quay Street", ""))
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("email", "local", "severity"),
    [
        ("", True, Severity.WARNING), ("", False, Severity.ERROR), ("a@example.com", True, Severity.WARNING),
        ("a@news.example.org", False, Severity.ERROR), ("a@estuary.example", False, Severity.ERROR),
        ("a@estuary.example", True, None), ("a@my-example.com", False, None), ("a@estuary.co", False, None),
    ],
)  # fmt: skip
def test_an_example_is_no_sender(email: str, local: bool, severity: Severity | None) -> None:
    """The sample's .example is fine while mail stays in a folder."""
    told = found("sender-placeholder", eg.sender(email=email), eg.given(provider_local=local))
    assert [f.severity for f in told] == ([severity] if severity else [])


def test_the_size_names_the_stories_that_cost_most() -> None:
    """The editor knows what to shorten; without spans there is nothing to name."""
    large = eg.html("<p>Volunteers", "<p>" + "é " * 35_000 + "Volunteers")
    assert "Most: library-opens-on-sundays 10" in found("html-too-large", large)[0].message
    assert "Most" not in found("html-too-large", large, eg.email(spans=()))[0].message


def test_a_story_that_the_text_part_lacks_is_named() -> None:
    """Half the words missing is an error, a few a warning."""
    text = eg.example().email.text.replace("The library opens on Sundays", "")
    (finding,) = found("text-diverges", eg.email(text=text))
    assert finding.article == "library-opens-on-sundays"
    extra = eg.html("<h2>", "<p>" + " ".join(f"extra{n}" for n in range(12)) + "</p><h2>")
    assert [f.severity for f in found("text-diverges", extra)] == [Severity.WARNING]
    assert found("text-diverges", eg.email(html="")) == []


def test_headings_may_not_skip_a_level() -> None:
    """h3 directly below h1 is the lead; h4 there is a hole."""
    assert (
        "level 4 follows one of level 1"
        in found("heading-order", eg.html("<h3>The ferry is back</h3>", "<h4>The ferry is back</h4>"))[0].message
    )
    assert (
        "has 2 h1" in found("heading-order", eg.html("<h2>Also this week</h2>", "<h1>Also this week</h1>"))[0].message
    )


def test_an_event_handler_is_active_content() -> None:
    """Even without a script element."""
    assert "onclick" in found("active-content", eg.html("<h2>", '<h2 onclick="x()">'))[0].message


def test_a_bare_conditional_is_refused() -> None:
    """`<![if !mso]>` does not survive inlining; the form inside comments does."""
    assert found("mso-unbalanced", eg.html("<h2>", "<![if !mso]>x<![endif]><h2>"))
    assert not found("mso-unbalanced", eg.html("<h2>", "<!--[if !mso]><!-->x<!--<![endif]--><h2>"))


def test_an_element_knows_its_story() -> None:
    """The spans of the email are carried through the parser, inside tables as well."""
    html = "<table><tr><td>a</td></tr><tr><td><b>b</b></td></tr><tr><td><i>c</i></td></tr></table>"
    at = html.index("<tr><td><b>")
    page = Page(html, [Span("b", at, html.index("<tr><td><i>")), Span("lost", 9, 5), Span("over", 1, 10_000)])
    assert {e.tag: e.article for e in page.elements if e.tag in ("b", "i", "table")} == {
        "b": "b",
        "i": None,
        "table": None,
    }


@pytest.mark.parametrize("html", ["", "   ", "<!-- nothing -->"])
def test_an_empty_page_has_no_elements_and_no_words(html: str) -> None:
    """The rules speak about what is missing; none of them fails."""
    page = Page(html, [])
    assert page.visible == ""
    assert page.texts == () or not "".join(text for text, _ in page.texts).strip()
    assert [f.id for f in run_checks(eg.email(html=html, spans=())(eg.example()))]


@given(st.text(alphabet=st.sampled_from("<>/!-[]\"'= ahrefimgstyle{}&#;\u202eé\x00"), max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_html_breaks_a_rule(html: str) -> None:
    """Whatever a theme writes, every rule gives an answer."""
    run_checks(eg.email(html=html, text=html, subject=html, spans=(Span("x", 1, 5),))(eg.example()))


def test_an_attribute_that_no_xml_would_have_breaks_no_rule() -> None:
    """HTML's parser keeps ``{`` as the name of an attribute."""
    assert dict(Page('<a/{ href="x">', []).elements[-1].attributes) == {"{": "", "href": "x"}


def test_words_are_compared_without_case_and_punctuation() -> None:
    """And cut to what fits a sentence."""
    assert plain("The “Ferry” is\n back!") == "the ferry is back"
    assert cut("a" * 100) == "a" * 59 + "…"
