"""What holds for every simulation: on the four themes' sample issue, and on whatever it may be given."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.clients.cascade import Cascade
from newsletter.clients.colours import contrast
from newsletter.clients.gmail import CLIP
from newsletter.clients.registry import CLIENTS, Client, client_named
from newsletter.errors import UsageProblem
from newsletter.message.merge import TOKEN

OF_HTML = [client for client in CLIENTS if client.part == "html"]
SPACES = dict.fromkeys(map(ord, "\u200b\u2003\u034f\u00a0"), " ")


def by_name(client: Client) -> str:
    return client.name


def seen_through(client: Client, sample: Any) -> Any:
    return client.simulate(sample.html if client.part == "html" else sample.text)


def plain(words: list[str]) -> list[str]:
    """Without the blanks that only hold places."""
    return [word for part in words for word in part.translate(SPACES).split()]


@pytest.mark.parametrize("client", CLIENTS, ids=by_name)
def test_the_page_is_whole_and_its_merge_fields_survive(client: Client, sample: Any) -> None:
    """It parses with a head and a body, and every token is there as often as before."""
    seen = seen_through(client, sample)
    root = lxml_html.document_fromstring(seen.html.encode())
    assert root.find("head") is not None
    assert len(list(root.find("body").iter())) > 20
    before = sample.html if client.part == "html" else sample.text
    assert Counter(TOKEN.findall(seen.html)) == Counter(TOKEN.findall(before))
    assert TOKEN.findall(before)


@pytest.mark.parametrize("client", OF_HTML, ids=by_name)
def test_no_word_is_lost_below_the_clip(client: Client, sample: Any, words_of: Any) -> None:
    """The same words in the same order; with pictures off their alternative texts come in between."""
    before, after = plain(words_of(sample.html)), plain(words_of(client.simulate(sample.html).html))
    assert len(before) > 300
    if client.name == "images-off":
        root = lxml_html.document_fromstring(sample.html.encode())
        alternatives = [word for image in root.iter("img") for word in image.get("alt", "").split()]
        assert Counter(after) == Counter(before) + Counter(alternatives)
    else:
        assert after == before


@pytest.mark.parametrize("client", OF_HTML, ids=by_name)
def test_links_and_pictures_stay(client: Client, sample: Any) -> None:
    def addresses(html: str, tag: str, name: str) -> list[str]:
        return [e.get(name) for e in lxml_html.document_fromstring(html.encode()).iter(tag) if e.get(name)]

    seen = client.simulate(sample.html)
    assert addresses(seen.html, "a", "href") == addresses(sample.html, "a", "href")
    pictures = [] if client.name == "images-off" else addresses(sample.html, "img", "src")
    assert addresses(seen.html, "img", "src") == pictures


@pytest.mark.parametrize("client", CLIENTS, ids=by_name)
def test_nothing_changes_from_one_look_to_the_next(client: Client, sample: Any) -> None:
    """The page and what was taken depend on the mail alone, also when the caches are warm."""
    assert seen_through(client, sample) == seen_through(client, sample)


def test_the_took_list_names_what_went(samples: Any) -> None:
    """In an editor's words, with the name a developer looks for, and how often."""
    took = {
        client.name: {taken.what: taken.count for taken in seen_through(client, samples["weekly"]).took}
        for client in CLIENTS
    }
    assert took["gmail"]["rules for dark screens (prefers-color-scheme)"] == 16
    assert took["gmail-no-style"]["style sheets (<style>)"] == 4
    assert took["outlook-word"]["rounded corners (border-radius)"] == 2
    assert took["outlook-word"]["rules for phones and other screens (@media)"] >= 20
    assert took["outlook-com-dark"]["colours of texts, turned dark"] > 50
    assert took["images-off"] == {"pictures": 8}
    assert took["apple-dark"] == {}
    assert list(took["text"].values()) == [0]
    assert set(took["gmail"]) < set(took["gmail-dark"])


@pytest.mark.parametrize("name", ["gmail-dark", "outlook-com-dark", "apple-dark"])
def test_a_dark_client_leaves_every_word_readable(name: str, sample: Any) -> None:
    """On a dark ground, with at least 3 : 1 everywhere, which is WCAG's least for large text."""
    client = client_named(name)
    root = lxml_html.document_fromstring(client.simulate(sample.html).html.encode())
    cascade = Cascade(root, scheme=client.asked("dark"))
    body = root.find("body")
    assert max(cascade.ground(next(body.iter("table")))) < 90
    for element in body.iter("h1", "h2", "h3", "p", "a", "td"):
        if (element.text or "").strip("\u200b \n") and cascade.shown(element):
            ratio = contrast(cascade.color(element), cascade.ground(element))
            assert ratio >= 3, (element.get("class"), element.text, ratio)


# ---- the clip ---------------------------------------------------------------------------------------------------


def long_mail(paragraphs: int) -> str:
    body = "".join(f"<tr><td><p>Entry {n} of the harbour log, é</p></td></tr>" for n in range(paragraphs))
    return f"<!DOCTYPE html><html><head><title>x</title></head><body><table>{body}</table>The end.</body></html>"


def test_gmail_clips_what_is_too_long_and_says_so() -> None:
    """The first 102 KB stay to the byte, no tag is left half, and the line that leads to the rest is there."""
    html = long_mail(2500)
    seen = client_named("gmail").simulate(html)
    kept = seen.html.count("<p>Entry")
    whole = html.encode()[:CLIP].decode("utf-8", "ignore").count(", é</p>")
    assert kept in (whole, whole + 1)
    assert "[Message clipped]" in seen.html
    assert "View entire message" in seen.html
    assert "The end." not in seen.html
    assert [str(taken) for taken in seen.took] == [
        f"everything after 102 KB: the mail has {len(html.encode()) / 1024:.1f}"
    ]


def test_a_mail_of_exactly_the_limit_is_not_clipped() -> None:
    """One byte more is."""
    html = long_mail(100)
    full = html.replace("The end.", "The end." + "x" * (CLIP - len(html.encode())))
    assert len(full.encode()) == CLIP
    assert "[Message clipped]" not in client_named("gmail").simulate(full).html
    assert "[Message clipped]" in client_named("gmail").simulate(full.replace("The end.", "The end.x")).html


# ---- anything ---------------------------------------------------------------------------------------------------

PIECES = (
    """<p> </p> <div> <table> <tr> <td> </table> <style> </style> <body> <html> <head> <!-- --> <!--[if|mso]>
<![endif]--> <img|src=a|alt=b> <img> <a|href=#x> <font|color=red> <v:rect|fillcolor=red> <!DOCTYPE|html> <svg> <script>
</script> <frameset> <noscript> <xml> <title> <p|style="color:red;padding:1px"> .a{b:c}} words & &amp; nlf0001q é
<p|style="background:url(a)|#fff;color:rgb(1|2|3)"> <td|bgcolor=fff|width=1|background=x|hidden|class="a|b"|id=c>
<a|onclick=x> @media{.a{color:red}} @media|print{@media{x{y:z}}} """
    + "\x00 \ud800"
)
PIECE = st.sampled_from([piece.replace("|", " ") for piece in PIECES.split()])


@pytest.mark.parametrize("client", CLIENTS, ids=by_name)
@given(source=st.one_of(st.lists(PIECE, max_size=25).map(" ".join), st.text(max_size=80)))
def test_whatever_it_is_given_it_gives_a_page_back(client: Client, source: str) -> None:
    seen = client.simulate(source)
    assert isinstance(seen.html, str)
    assert all(taken.what and taken.count >= 0 for taken in seen.took)


@pytest.mark.parametrize("client", OF_HTML, ids=by_name)
def test_a_page_as_deep_as_a_parser_takes_it_is_bearable(client: Client) -> None:
    seen = client.simulate("<html><head><style>div p{color:red}</style></head>" + "<div>" * 3000 + "<p>words")
    assert seen.html


# ---- the registry -----------------------------------------------------------------------------------------------


def test_every_client_is_found_and_described() -> None:
    for client in CLIENTS:
        assert client_named(client.name) is client
        assert client.title
        assert client.about.endswith(".")
        assert client.schemes
    assert len({client.name for client in CLIENTS}) == len(CLIENTS) == 8
    assert [client.name for client in CLIENTS if client.forced] == ["gmail-dark", "outlook-com-dark"]
    assert client_named("apple-dark").asked("dark") == "dark"
    assert client_named("gmail-dark").asked("dark") == "light"


def test_an_unknown_client_is_answered_with_the_nearest_and_all() -> None:
    with pytest.raises(UsageProblem) as refused:
        client_named("gmial")
    assert 'did you mean "gmail"?' in (refused.value.fix or "")
    assert "outlook-word" in (refused.value.fix or "")
