"""``[links]``: which links get parameters, where they stand, and which links are left alone."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.errors import ConfigurationError
from newsletter.models import Article
from newsletter.rendering.links import NONE, LinkParameters, parameters_of, with_parameters
from newsletter.workspace.config import parse_config

SITE = '[publication]\nname = "The Paper"\n[site]\nurl = "https://paper.example"\n[links]\n'
BOTH = LinkParameters("utm_source=letter&utm_medium=email", frozenset(["paper.example"]), ("https://paper.example/u/",))
ADDED = "utm_source=letter&utm_medium=email"


@pytest.mark.parametrize(
    ("address", "becomes"),
    [
        ("https://paper.example", f"https://paper.example?{ADDED}"),
        ("https://paper.example/a", f"https://paper.example/a?{ADDED}"),
        ("http://Paper.Example:8080/a", f"http://Paper.Example:8080/a?{ADDED}"),
        ("https://paper.example/a?b=c", f"https://paper.example/a?b=c&{ADDED}"),
        ("https://paper.example/a?", f"https://paper.example/a?{ADDED}"),
        ("https://paper.example/a??", f"https://paper.example/a??&{ADDED}"),
        ("https://paper.example/a?b&", f"https://paper.example/a?b&{ADDED}"),
        ("https://paper.example/a#part?x", f"https://paper.example/a?{ADDED}#part?x"),
        ("https://paper.example/a?b=c%20d#", f"https://paper.example/a?b=c%20d&{ADDED}#"),
        ("https://paper.example/nlf0001q?x=nlf0002q", f"https://paper.example/nlf0001q?x=nlf0002q&{ADDED}"),
    ],
)
def test_the_parameters_stand_after_the_query_and_before_the_fragment(address: str, becomes: str) -> None:
    """Every other byte stays, merge tokens too."""
    assert with_parameters(address, BOTH) == becomes


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/a",
        "https://www.paper.example/a",
        "https://paper.example/a?utm_source=other",
        "https://paper.example/a?b=c&UTM_Term=x#f",
        "https://paper.example/u/v1.unsubscribe.token",
        "mailto:desk@paper.example",
        "tel:+441234567890",
        "nlf0003q",
        "https://nlf0003q/a",
        "https://[paper.example/a",
        "",
    ],
)
def test_a_link_that_is_none_of_ours_or_has_its_own_is_left_alone(address: str) -> None:
    """Other hosts, other schemes, our unsubscribe page, our tokens, a link that was tagged by hand."""
    assert with_parameters(address, BOTH) == address


@given(st.text(alphabet="abc/?&=#%+.é", max_size=30))
def test_adding_is_done_once_and_changes_nothing_else(rest: str) -> None:
    """Twice is once; the old query and the fragment are still there, in order."""
    address = f"https://paper.example/{rest}"
    once = with_parameters(address, BOTH)
    assert with_parameters(once, BOTH) == once
    before, after = urlsplit(address), urlsplit(once)
    assert (after.path, after.fragment) == (before.path, before.fragment)
    old = parse_qsl(before.query, keep_blank_values=True)
    assert parse_qsl(after.query, keep_blank_values=True) == [*old, ("utm_source", "letter"), ("utm_medium", "email")]


def test_the_configuration_says_what_is_added_and_where() -> None:
    """``{issue}`` is the slug, values are quoted, the order is always the same, the site's host is the default."""
    text = SITE + 'utm_medium = "e mail&"\nutm_campaign = "w-{issue}"\nutm_source = "letter"\n'
    made = parameters_of(parse_config(text), "2026-11-27")
    assert made.query == "utm_source=letter&utm_medium=e%20mail%26&utm_campaign=w-2026-11-27"
    assert made.hosts == {"paper.example"}
    others = parameters_of(parse_config(text + 'utm_hosts = ["WWW.paper.example", "tv.example"]\n'), "x")
    assert others.hosts == {"www.paper.example", "tv.example"}
    assert with_parameters("https://paper.example/a", others) == "https://paper.example/a"


def test_without_configuration_or_site_nothing_is_added() -> None:
    """An empty table changes no link; without a site and without hosts there is none to change."""
    assert parameters_of(parse_config(SITE), "x").query == ""
    bare = parse_config('[publication]\nname = "The Paper"\n[links]\nutm_source = "letter"\n')
    assert with_parameters("https://paper.example/a", parameters_of(bare, "x")) == "https://paper.example/a"
    assert with_parameters("/a", parameters_of(bare, "x")) == "/a"
    assert with_parameters("https://paper.example/a", NONE) == "https://paper.example/a"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('utm_hosts = ["https://paper.example"]', "links.utm_hosts"),
        ('utm_campaign = "{slug}"', "links.utm_campaign"),
        ('utm_campaign = "{issue"', "links.utm_campaign"),
        ("utm_term = 'x'", "links.utm_term"),
    ],
)
def test_a_wrong_value_is_refused_with_its_line(line: str, key: str) -> None:
    """A host is a name alone, and the only placeholder is ``{issue}``."""
    with pytest.raises(ConfigurationError) as refused:
        parse_config(SITE + line + "\n")
    assert "newsletter.toml:6" in str(refused.value)
    assert key in str(refused.value)


def test_the_links_of_html_and_text_get_them_and_ours_do_not(desk: Any) -> None:
    """Headline, button, picture and body, in both parts; unsubscribing, the web copy and mailto stay as they are."""
    from datetime import date

    from newsletter.models import Issue, Section

    config = parse_config(SITE + 'utm_source = "letter"\nutm_campaign = "{issue}"\n')
    body = (
        "Read [more](https://paper.example/b?x=1#y), [elsewhere](https://other.example/), [us](mailto:a@paper.example)"
        " or [stop]({{ unsubscribe_url }})."
    )
    article = Article("a", "A story", body=body, link="https://paper.example/a")
    issue = Issue("n48", date(2026, 11, 27), sections=(Section("text", (article,)),), subject="S")
    email = desk.render(issue, theme="builtin/weekly", config=config)
    added = "utm_source=letter&utm_campaign=n48"
    links = {a.get("href") for a in lxml_html.fromstring(email.html).iter("a")}
    tokens = {link for link in links if re.fullmatch(r"nlf\d{4}q", link)}
    assert tokens
    assert links - tokens == {
        f"https://paper.example/a?{added}",
        f"https://paper.example/b?x=1&{added}#y",
        "https://other.example/",
        "mailto:a@paper.example",
    }
    assert f"https://paper.example/a?{added}" in email.text
    assert f"(https://paper.example/b?x=1&{added}#y)" in email.text
    assert "(https://other.example/)" in email.text


def test_a_body_that_was_set_before_is_set_anew_for_other_parameters() -> None:
    """The same body with and without parameters are two bodies: one issue's slug never ends in another's links."""
    from newsletter.rendering.bodies import body_of

    plain, other = body_of("[a](https://paper.example/)"), body_of("[a](https://paper.example/)", frozenset(), BOTH)
    assert plain
    assert other
    assert "utm_" not in plain.html
    assert "utm_source=letter&amp;utm_medium=email" in other.html
