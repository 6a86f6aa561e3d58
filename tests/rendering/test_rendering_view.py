"""What templates see."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from PIL import Image

from newsletter.errors import ImageError
from newsletter.models import Section
from newsletter.rendering.view import (
    byline_line,
    credit_line,
    padding,
    safe_link,
    short_teaser,
)
from newsletter.rendering.words import words

T = words("en", html=True)


def test_the_variables_are_these(seen, issue):
    assert set(seen(issue())) == {"publication", "issue", "sections", "tokens", "links", "t"}


def test_an_odd_last_story_of_a_grid_is_a_list_row_with_a_list_picture(seen, desk, issue, story, with_picture):
    desk.picture()
    stories = tuple(story(f"s{n}", image=with_picture()) for n in range(3))
    (section,) = seen(issue(Section("grid", stories)))["sections"]
    assert [article.row_layout for article in section.articles] == ["grid", "grid", "list"]
    assert [article.image.width for article in section.articles] == [256, 256, 160]
    (section,) = seen(issue(Section("grid", stories[:2])))["sections"]
    assert {article.row_layout for article in section.articles} == {"grid"}


@pytest.mark.parametrize(
    ("layout", "size"),
    [("lead", (600, 338)), ("list", (160, 107)), ("grid", (160, 107)), ("sponsor", (486, 243)), ("text", (536, 302))],
)
def test_pictures_have_the_size_of_their_layout(seen, desk, issue, story, with_picture, layout, size):
    desk.picture()
    (section,) = seen(issue(Section(layout, (story(image=with_picture()),))))["sections"]
    assert (section.articles[0].image.width, section.articles[0].image.height) == size


def test_a_brief_has_no_picture_and_one_sentence(seen, desk, issue, story, with_picture):
    desk.picture()
    (section,) = seen(issue(Section("brief", (story(image=with_picture(), teaser="One. Two."),))))["sections"]
    assert section.articles[0].image is None and section.articles[0].short_teaser == "One."
    assert section.articles[0].teaser == "One. Two."


def test_the_body_is_there_only_in_full_text(seen, issue, story):
    sections = seen(issue(Section("lead", (story(body="x"),)), Section("text", (story("b", body="*y*"),))))["sections"]
    assert sections[0].articles[0].body is None and sections[0].articles[0].body_text == ""
    assert sections[1].articles[0].body == "<p><em>y</em></p>" and sections[1].articles[0].body_text == "y"


def test_a_chosen_teaser_wins_over_the_articles_own_and_the_standfirst(seen, issue, story):
    def teaser(**given):
        article = story(standfirst="Stand", **({"teaser": "Own"} if given.pop("own", True) else {}))
        return seen(issue(Section("lead", (article,))), **given)["sections"][0].articles[0].teaser

    assert teaser(teasers={"ferry": "Chosen"}) == "Chosen"
    assert teaser() == "Own" and teaser(own=False) == "Stand"


def test_empty_sections_are_left_out_and_the_others_count_from_one(seen, issue, story):
    sections = seen(issue(Section("lead", ()), Section("list", (story(),), "Also")))["sections"]
    assert [(section.index, section.title) for section in sections] == [(1, "Also")]


def test_in_this_issue_names_five_stories_and_no_sponsor(seen, issue, story):
    stories = tuple(story(f"s{n}") for n in range(6))
    made = issue(Section("sponsor", (story("ad"),)), Section("list", stories))
    assert seen(made)["issue"].in_this_issue == tuple(f"The s{n} stays" for n in range(5))
    assert seen(issue(Section("list", stories[:2])))["issue"].in_this_issue == ()


def test_values_are_frozen(seen, issue):
    variables = seen(issue())
    with pytest.raises(FrozenInstanceError):
        variables["issue"].subject = "x"
    with pytest.raises(FrozenInstanceError):
        variables["sections"][0].articles[0].headline = "x"


def test_a_story_in_another_language_says_so(seen, issue, story):
    article = seen(issue(Section("lead", (story(lang="ur"),))))["sections"][0].articles[0]
    assert (article.lang, article.dir, article.differs) == ("ur", "rtl", True)
    article = seen(issue())["sections"][0].articles[0]
    assert (article.lang, article.dir, article.differs) == ("en-GB", "ltr", False)


def test_links_are_tokens_of_the_templates_own_context(seen, issue, desk):
    assert seen(issue())["links"].web.startswith("nlf")
    links = seen(issue(), config=desk.config(site=None))["links"]
    assert (links.unsubscribe, links.preferences, links.web) == (None, None, None)


def test_the_publication(seen, issue, desk):
    assert seen(issue())["publication"].reason == "You get this letter because you signed up for The Paper."
    Image.new("RGBA", (700, 100)).save(desk.root / "logo.png")
    shown = seen(issue(), config=desk.config(logo="logo.png", reason="Because."))["publication"]
    assert shown.reason == "Because." and (shown.logo.width, shown.logo.height) == (280, 40)
    assert shown.logo.alt == "The Paper" and shown.url == "https://paper.example"
    with pytest.raises(ImageError, match="outside the workspace"):
        seen(issue(), config=desk.config(logo="../logo.png"))


def test_a_logo_travels_with_the_mail_and_belongs_to_no_story(desk, issue):
    Image.new("RGBA", (700, 100)).save(desk.root / "logo.png")
    (image,) = desk.render(issue(), config=desk.config(logo="logo.png")).images
    assert image.article is None and (image.width, image.height) == (560, 80) and image.content_type == "image/png"


def test_picture_words(seen, desk, issue, story, with_picture):
    desk.picture()
    picture = with_picture(caption="The ferry", credit="D. Okafor")
    image = seen(issue(Section("lead", (story(image=picture),))))["sections"][0].articles[0].image
    assert (image.alt, image.credit_line) == ("A ferry at the quay", "The ferry. Picture: D. Okafor")
    bare = replace(picture, alt=None, caption=None, credit=None)
    assert seen(issue(Section("lead", (story(image=bare),))))["sections"][0].articles[0].image.alt == ""


@pytest.mark.parametrize(
    ("caption", "credit", "wanted"),
    [
        ("The ferry", "D. O.", "The ferry. Picture: D. O."),
        ("Why?", "D. O.", "Why? Picture: D. O."),
        ("The ferry", "", "The ferry"),
        ("", "D. O.", "Picture: D. O."),
        ("", "", ""),
    ],
)
def test_credit_line(caption, credit, wanted):
    assert credit_line(caption, credit, T) == wanted


@pytest.mark.parametrize(
    ("byline", "agency", "minutes", "wanted"),
    [
        ("Ada Lovelace", "", 4, "By Ada Lovelace · 4 min read"),
        ("By Ada", "PA", None, "By Ada · PA"),
        ("Ada Lovelace, PA", "PA", None, "By Ada Lovelace, PA"),
        ("", "PA", 4, "PA · 4 min read"),
        ("", "PA", None, "PA"),
        ("", "", 4, "4 min read"),
        ("", "", None, ""),
    ],
)
def test_byline_line(byline, agency, minutes, wanted):
    assert byline_line(byline, agency, minutes, T) == wanted


def test_minutes_come_by_slug_and_none_is_no_minute(seen, issue):
    assert seen(issue(), minutes={"ferry": 3})["sections"][0].articles[0].minutes == 3
    assert seen(issue(), minutes={"ferry": 0})["sections"][0].articles[0].minutes is None


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        (" https://x.example/a ", "https://x.example/a"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("javascript:alert(1)", None),
        ("https://x.example/a b", None),
        ("https://x.example/{{city}}", None),
        ("/local", None),
        ("", None),
        (None, None),
    ],
)
def test_safe_link(link, wanted):
    assert safe_link(link) == wanted


def test_short_teasers_fit_their_layout():
    text = "word " * 60
    assert len(short_teaser(text, "list")) <= 140 and len(short_teaser(text, "grid")) <= 120
    assert short_teaser(text, "lead") == text


def test_the_preheader_is_padded_to_fill_the_inbox_line():
    assert str(padding("x" * 100)) == "&#847; " * 50
    assert padding("x" * 300) == ""


def test_harmful_characters_are_gone_and_lines_are_one(seen, issue, story):
    article = story(headline="A\u202e b\x00\nc\t d", kicker="  ")
    shown = seen(issue(Section("lead", (article,))))["sections"][0].articles[0]
    assert shown.headline == "A b c d" and shown.kicker == ""
