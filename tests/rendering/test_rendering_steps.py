"""The whole way from an issue to its email, with a theme of the tests' own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from newsletter.errors import BadData, ImageError, MergeFieldError, RenderError, ThemeError
from newsletter.message.merge import TOKEN, fill
from newsletter.models import Picture, Section


def test_the_same_files_give_the_same_email(desk, issue):
    one, two = desk.render(issue()), desk.render(issue())
    assert replace(one, timings={}) == replace(two, timings={})


def test_subject_and_preheader_stand_in_until_they_are_written(desk, issue):
    email = desk.render(issue(subject=None, preheader=None), teasers={"ferry": "Chosen teaser"})
    assert (email.subject, email.preheader) == ("The ferry stays", "Chosen teaser")
    email = desk.render(issue(subject=None, preheader=None))
    assert email.preheader == "Islanders keep their ferry for another year."


def test_an_issue_without_stories_is_refused_with_the_command_that_helps(desk, issue):
    with pytest.raises(BadData) as caught:
        desk.render(issue(Section("lead"), subject=None, preheader=None))
    assert "newsletter issue pick 2026-11-27" in caught.value.fix
    with pytest.raises(BadData) as caught:
        desk.render(replace(issue(), sections=(), path=Path("issues/x")))
    assert caught.value.where == "issues/x/issue.md"


def test_a_correction_may_be_its_sentence_alone(desk, issue):
    email = desk.render(replace(issue(Section("lead")), correction="The log holds 2,306 days, not 3,206."))
    assert not email.spans and "The ferry stays" in email.html


def test_merge_fields_are_tokens_in_html_text_and_subject_and_each_is_filled_for_its_place(desk, issue, story):
    made = issue(
        Section("text", (story(body='Dear {{ subscriber.first_name | default("you") }}'),)),
        subject="For {{ subscriber.city }}",
        preheader="Hi {{ subscriber.first_name }}",
        intro="Good morning {{ subscriber.first_name }},",
    )
    email = desk.render(made)
    assert {field.token for field in email.fields} == set(
        TOKEN.findall(email.html + email.text + email.subject + email.preheader)
    )
    values = {"first_name": "<Ada & Co>", "city": "Wexmouth\nHill"}
    html = fill(email.html, email.fields, values)
    assert 'Good morning <span dir="auto">&lt;Ada &amp; Co&gt;</span>' in html
    assert "Good morning \u200e<Ada & Co>\u200e," in fill(email.text, email.fields, values)
    assert fill(email.subject, email.fields, values) == "For Wexmouth Hill"
    assert "<title>For Wexmouth" in html


def test_links_are_there_only_with_a_site(desk, issue):
    assert {"unsubscribe_url", "web_url"} <= {field.name for field in desk.render(issue()).fields}
    email = desk.render(issue(), config=desk.config(site=None))
    assert email.fields == ()
    assert "Unsubscribe" not in email.html + email.text


def test_spans_cut_out_exactly_the_stories_and_no_mark_is_left(desk, issue, story):
    email = desk.render(issue(Section("lead", (story("one"),)), Section("list", (story("two"), story("three")))))
    assert [span.article for span in email.spans] == ["one", "two", "three"]
    assert "nl:open" not in email.html and "nl:close" not in email.html
    for slug in ("one", "two", "three"):
        part = email.html_of(slug)
        assert part.startswith("<h3") and part.endswith("</p>") and f"The {slug} stays" in part
        assert part.count("stays") == 1


def test_style_css_is_inlined_and_client_css_kept(desk, issue):
    email = desk.render(issue())
    heading = re.search(r"<h1[^>]*>", email.html)[0]
    assert heading == """<h1 class="head" style="color:#9B1C1C;font-family:Georgia,'Times New Roman',serif">"""
    styles = re.findall(r"<style>(.*?)</style>", email.html, re.DOTALL)
    assert styles[0].strip() == ".head:hover{color:#000000}"
    assert "background-color:#141414 !important" in styles[1]
    assert "[data-ogsc] .head{color:#FFFFFF !important}" in styles[1]
    assert "data-premailer" not in email.html and ".unused" not in email.html
    assert 'class="box"' in email.html and "plain" not in email.html and "data-kind" not in email.html


def test_the_page_keeps_its_doctype_and_outlooks_conditionals(desk, issue):
    html = desk.render(issue()).html
    assert html.startswith("<!DOCTYPE html>")
    assert html.count("<!--[if mso]>") == html.count("<![endif]-->") == 2


def test_a_theme_extends_another_and_can_leave_words_markup_out(desk, issue):
    html = desk.render(issue(), theme="child").html
    assert "Child of The Paper" in html and "color:#004488" in html
    assert "[if mso]" not in html and "[endif]" not in html


def test_pictures_travel_only_when_the_mail_shows_them(desk, issue, story, with_picture):
    desk.picture()
    made = issue(
        Section("lead", (story("one", image=with_picture()),)), Section("brief", (story("two", image=with_picture()),))
    )
    email = desk.render(made)
    (image,) = email.images
    assert image.src == f"cid:{image.name}@newsletter" and image.article == "one"
    assert f'src="{image.src}" width="600" height="338"' in email.html
    desk.write("plain/parts.html.j2", "{% macro story(article) %}<p>{{ article.headline }}</p>{% endmacro %}")
    assert desk.render(made).images == ()


def test_hosted_and_remote_pictures(desk, issue, story, with_picture):
    desk.picture()
    made = issue(Section("lead", (story(image=with_picture(url="https://cms.example/a.jpg?x=1&y=2")),)))
    hosted = desk.render(made, media=desk.media(delivery="hosted", site_url="https://paper.example/"))
    assert hosted.images[0].src == f"https://paper.example/m/{hosted.images[0].name}"
    remote = desk.render(made, media=desk.media(delivery="remote", site_url="https://paper.example"))
    assert remote.images == () and remote.remote_images == ("https://cms.example/a.jpg?x=1&y=2",)
    assert 'src="https://cms.example/a.jpg?x=1&amp;y=2" width="600" alt=' in remote.html


def test_pictures_inside_bodies_are_named_as_remote(desk, issue, story):
    body = "![Chart](https://charts.example/c.png)\n\n![No](http://charts.example/no.png)"
    email = desk.render(issue(Section("text", (story(body=body),)), intro="![I](https://i.example/i.png)"))
    assert set(email.remote_images) == {"https://charts.example/c.png", "https://i.example/i.png"}
    assert "http://charts.example" not in email.html


def test_an_escaped_brace_is_shown_and_is_no_template_syntax(desk, issue, story):
    body = r"Write \{{ name }} and \{% if %}"
    email = desk.render(issue(Section("text", (story(body=body),)), subject=r"Of \{{ braces }}"))
    assert "{{" not in email.html and "{%" not in email.html
    assert "Write &#123;{ name }} and &#123;% if %}" in email.html
    assert "Write {{ name }} and {% if %}" in email.text
    assert email.subject == "Of {{ braces }}"


def test_direction_and_language_follow_the_issue_and_the_story(desk, issue, story):
    email = desk.render(issue(Section("lead", (story(lang="en"),)), lang="ur"))
    assert (email.lang, email.dir) == ("ur", "rtl")
    assert '<html lang="ur" dir="rtl">' in email.html and 'lang="en" dir="ltr"' in email.html
    assert desk.render(issue()).lang == "en-GB"


def test_latin_scripts_are_ascii_and_others_stay_utf8(desk, issue, story):
    latin = desk.render(issue(Section("lead", (story(headline="Café – “open”"),)), intro="A word or two. " * 600)).html
    assert latin.isascii() and "Caf&#233;" in latin
    urdu = desk.render(issue(Section("text", (story(body="کراچی " * 200),)))).html
    assert "کراچی" in urdu


def test_every_step_is_timed(desk, issue):
    assert set(desk.render(issue()).timings) == {"variables", "templates", "inline", "finish", "text"}


def test_an_unknown_merge_field_names_file_and_line(desk, issue, story):
    file = desk.root / "issues" / "x" / "ferry.md"
    file.parent.mkdir(parents=True)
    file.write_text("---\nheadline: x\n---\nFirst line\nHi {{ subscriber.frist_name }}\n")
    with pytest.raises(MergeFieldError) as caught:
        desk.render(issue(Section("text", (story(body="First line\nHi {{ subscriber.frist_name }}\n", path=file),))))
    assert caught.value.where == "issues/x/ferry.md:5"


def test_a_missing_picture_names_the_story_and_the_file(desk, issue, story, with_picture):
    with pytest.raises(ImageError) as caught:
        desk.render(issue(Section("lead", (story(image=with_picture(file="gone.jpg")),))))
    assert "ferry" in caught.value.where and "gone.jpg" in caught.value.where


@pytest.mark.parametrize("file", ["../a.jpg", "/etc/passwd", "sub/a.jpg", ".."])
def test_a_picture_outside_the_images_folder_is_refused(desk, issue, story, file):
    with pytest.raises(ImageError):
        desk.render(issue(Section("lead", (story(image=Picture(file=file)),))))


def test_a_remote_picture_must_be_a_web_address(desk, issue, story):
    with pytest.raises(ImageError):
        desk.render(issue(Section("lead", (story(image=Picture(url="javascript:alert(1)")),))))
    assert desk.render(issue(Section("lead", (story(image=Picture(alt="x")),)))).images == ()


def test_a_token_that_the_parser_drops_is_noticed(desk, issue):
    desk.write(
        "plain/email.html.j2",
        "<!DOCTYPE html><html><head><title>x</title></head><body><!-- {{ links.web }} --><p>x</p></body></html>",
    )
    with pytest.raises(RenderError) as caught:
        desk.render(issue())
    assert "went in 1 times and came out 0 times" in caught.value.what


def test_left_over_template_syntax_is_noticed(desk, issue):
    desk.write(
        "plain/email.html.j2",
        "<!DOCTYPE html><html><head><title>x</title></head><body>{% raw %}{{ name }}{% endraw %}</body></html>",
    )
    with pytest.raises(RenderError, match="template syntax"):
        desk.render(issue())


def test_unbalanced_conditionals_are_noticed(desk, issue):
    desk.write(
        "plain/email.html.j2",
        "<!DOCTYPE html><html><head><title>x</title></head><body><!--[if mso]><p>x</p>--></body></html>",
    )
    with pytest.raises(RenderError, match="1 conditional comments for Outlook are opened and 0 closed"):
        desk.render(issue())


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<html><head></head><body></body></html>", "DOCTYPE"),
        ("<!DOCTYPE html><html><head></head><body><![if !mso]>x<![endif]></body></html>", "breaks the inliner"),
        ("<!DOCTYPE html>", "parse|<head>"),
        ("<!DOCTYPE html><p>x</p>", "<head>"),
    ],
)
def test_a_page_that_is_no_page_is_refused(desk, issue, page, words):
    desk.write("plain/email.html.j2", page)
    with pytest.raises((ThemeError, RenderError), match=words) as caught:
        desk.render(issue())
    assert "email.html.j2" in caught.value.where


def test_a_story_that_is_started_and_not_ended_is_refused(desk, issue):
    page = "<!DOCTYPE html><html><head></head><body>{}</body></html>"
    desk.write("plain/email.html.j2", page.format("{{ sections[0].articles[0].open }}"))
    with pytest.raises(RenderError, match="does not end it: ferry"):
        desk.render(issue())
    desk.write("plain/email.html.j2", page.format("{{ sections[0].articles[0].close }}"))
    with pytest.raises(ThemeError, match="ends without having started") as caught:
        desk.render(issue())
    assert caught.value.where.endswith("email.html.j2:1")
    desk.write("plain/email.html.j2", page.format("{% set a = sections[0].articles[0] %}{{ a.open }}{{ a.open }}"))
    with pytest.raises(ThemeError, match="before ferry has ended"):
        desk.render(issue())


def test_the_result_is_well_formed_for_a_strict_reader(desk, issue, story):
    """Every element that HTML wants closed is closed: the tags balance as a stack."""
    html = desk.render(issue(Section("text", (story(body="- a\n- b\n\n> c\n\n| a |\n|---|\n| b |\n"),)))).html
    page = etree.fromstring(html, etree.HTMLParser(recover=False))
    assert page.tag == "html"
