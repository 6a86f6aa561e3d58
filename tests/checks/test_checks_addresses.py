"""Where links lead, what they carry, and how the answers of the web are judged."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks import examples as eg
from newsletter.checks.reach import to_ask
from newsletter.checks.run import proposals, run_checks
from newsletter.checks.web import asked, host_of, ip_of, organisation, secure, within, written_in
from newsletter.models import Finding, Severity
from newsletter.net.probe import Reached

FERRY = "https://estuary.example/ferry"


def found(check_id: str, *changes: eg.Change) -> list[Finding]:
    return [finding for finding in run_checks(eg.both(*changes)(eg.example())) if finding.id == check_id]


def leads(address: str) -> eg.Change:
    """The link in the lead story's HTML."""
    return eg.html(f'"{FERRY}"', f'"{address}"')


@pytest.mark.parametrize(
    ("host", "number"),
    [
        ("127.0.0.1", "127.0.0.1"), ("2130706433", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("0177.0.0.1", "127.0.0.1"),
        ("10.1", "10.0.0.1"), ("::1", "::1"), ("estuary.example", None), ("1.2.3.4.5", None), ("256.1.1.1", None),
        ("4294967296", None), ("08.1.1.1", None), ("", None),
    ],
)  # fmt: skip
def test_a_number_is_one_however_it_is_written(host: str, number: str | None) -> None:
    """Browsers read all of these as addresses."""
    assert (str(ip_of(host)) if ip_of(host) else None) == number


def test_an_address_is_taken_apart() -> None:
    """Hosts without case and final dot; what is asked has neither fragment nor utm parameters."""
    assert host_of(" HTTPS://Estuary.Example./x ") == "estuary.example"
    assert host_of("mailto:a@b.example") is None and host_of("https://[::1") is None
    assert asked("https://e.example?a=1&utm_source=x&UTM_medium=y&b=2#part") == "https://e.example/?a=1&b=2"
    assert asked("http://[::1") == "http://[::1"
    assert secure("HTTP://e.example/http:x") == "https://e.example/http:x"
    assert within("www.estuary.example", ["estuary.example"]) and within("a.b.example", ["B.example"])
    assert not within("notestuary.example", ["estuary.example"]) and not within("example", ["b.example"])
    assert organisation("news.estuary.example") == "estuary.example"
    assert organisation("news.estuary.co.uk") == "estuary.co.uk" != organisation("other.co.uk")


def test_addresses_are_found_in_markdown() -> None:
    """In brackets, in angle brackets, bare; punctuation after them is none of theirs."""
    text = "[a](http://a.example/x_y?z=1) <http://b.example>, see http://c.example/d. *http://e.example*"
    addresses = [address for _, address in written_in(text)]
    assert addresses == ["http://a.example/x_y?z=1", "http://b.example", "http://c.example/d", "http://e.example"]
    assert all(text[at:].startswith(address) for at, address in written_in(text))


@given(st.text(alphabet=st.sampled_from("htps:/[]@.?#&=utm_ 127e0x%\u00e9"), max_size=60))
def test_no_address_breaks_a_rule(address: str) -> None:
    """Whatever an editor pastes."""
    context = eg.both(eg.story(link=address), leads(address.replace('"', "")))(eg.example())
    run_checks(context)
    to_ask(context)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://8.8.8.8/x", {"link-ip-address"}),
        ("https://192.168.1.20/x", {"link-not-public"}),
        ("http://127.1:3000/x", {"link-not-public"}),
        ("https://cms.local/x", {"link-not-public"}),
        ("https://preview.intranet/x", {"link-not-public"}),
        ("https://tinyurl.com/x", {"link-shortened"}),
        ("https://www.bit.ly/x", {"link-shortened"}),
        ("https://youtu.be/x", {"link-host-unexpected"}),
        ("https://elsewhere.example/x", {"link-host-unexpected"}),
        ("https://archive.estuary.example/x", set()),
        ("https://estuary.example/x", set()),
        ("mailto:desk@estuary.example", set()),
    ],
)
def test_each_kind_of_address_has_one_finding(address: str, told: set[str]) -> None:
    """A number, a private network, a shortener, a stranger: told once, for the story and not twice."""
    findings = run_checks(leads(address)(eg.example()))
    ids = [f.id for f in findings if f.id not in ("link-insecure", "utm-missing")]
    assert sorted(ids) == sorted(told)
    assert all(f.article == "the-ferry-is-back" for f in findings if f.id in told)


def test_a_link_into_the_own_network_blocks_only_real_mail() -> None:
    """In the outbox it is a warning."""
    assert found("link-not-public", leads("http://localhost/x"))[0].severity is Severity.WARNING
    real = eg.given(provider_local=False)
    assert found("link-not-public", leads("http://localhost/x"), real)[0].severity is Severity.ERROR


def test_which_hosts_are_the_publications_is_configured() -> None:
    """Its site, its sender, its utm hosts, the expected ones; with a list, any other is a warning. Sponsors go free."""
    stranger = leads("https://elsewhere.example/x")
    assert found("link-host-unexpected", stranger)[0].severity is Severity.INFO
    listed = eg.links(expected_hosts=["other.example"])
    assert found("link-host-unexpected", stranger, listed)[0].severity is Severity.WARNING
    for own in (
        eg.links(expected_hosts=["elsewhere.example"]),
        eg.links(utm_hosts=["elsewhere.example"]),
        eg.sender(email="letter@elsewhere.example"),
        eg.site(url="https://elsewhere.example"),
    ):
        assert not [f for f in found("link-host-unexpected", stranger, own) if "elsewhere" in f.message]
    assert not found("link-host-unexpected", stranger, eg.story(sponsor="The Quay Hotel"))
    assert not found("link-host-unexpected", stranger, eg.site(url=None), eg.sender(email=""))


def test_a_host_is_told_once_for_each_story() -> None:
    """Ten links to one page of an agency are one remark; another story has its own."""
    again = eg.html("<h3>The ferry", '<a href="https://elsewhere.example/a">One more</a><h3>The ferry')
    other = eg.html("estuary.example/library", "elsewhere.example/library")
    told = found("link-host-unexpected", leads("https://elsewhere.example/x"), again, other)
    assert [f.article for f in told] == ["the-ferry-is-back", "library-opens-on-sundays"]


def test_a_finding_on_the_storys_own_link_names_the_field() -> None:
    """With the utm parameters that rendering added, it is still that link."""
    own = (eg.story(link="https://bit.ly/3"), leads("https://bit.ly/3?utm_source=weekly"))
    (finding,) = found("link-shortened", *own)
    assert (finding.article, finding.field) == ("the-ferry-is-back", "link")


@pytest.mark.parametrize(
    ("configured", "ferry", "library", "lacking"),
    [
        ({}, "", "", []),
        ({"utm_source": "weekly"}, "?utm_source=weekly", "?utm_source=weekly", []),
        ({"utm_source": "weekly", "utm_medium": "email"}, "?utm_source=x", "?utm_source=x&amp;utm_medium=y", ["ferry"]),
        ({"utm_source": "weekly"}, "", "", ["ferry", "library"]),
        ({"utm_source": "weekly", "utm_hosts": ["other.example"]}, "", "", []),
        ({}, "?utm_source=weekly", "", ["library"]),
    ],
)
def test_statistics_are_complete_or_absent(
    configured: dict[str, object], ferry: str, library: str, lacking: list[str]
) -> None:
    """What is configured is on every link to its hosts; what one link has, the others of its host have."""
    changes = (
        eg.links(**configured),
        leads(FERRY + ferry),
        eg.html("estuary.example/library", f"estuary.example/library{library}"),
    )
    told = found("utm-missing", *changes)
    assert [[word for word in ("ferry", "library") if word in f.message.split("/")[-1]] for f in told] == [
        [word] for word in lacking
    ]


def test_our_own_pages_and_paid_stories_carry_no_statistics() -> None:
    """The web copy counts itself; a sponsor counts for itself."""
    configured = eg.links(utm_source="weekly")
    page = eg.html("<h2>", '<p><a href="https://estuary.example/v/2026-11-27">Read online</a></p><h2>')
    assert "/v/" not in " ".join(f.message for f in found("utm-missing", configured, page))
    assert [f.article for f in found("utm-missing", configured, eg.story(sponsor="X"))] == ["library-opens-on-sundays"]


# -- what the web answered


def answers(**replies: Reached) -> eg.Change:
    """``ferry``: what the lead story's link answers."""
    return eg.given(reachability=MappingProxyType({FERRY: replies["ferry"]} if replies else {}))


@pytest.mark.parametrize(
    ("answer", "severity", "words"),
    [
        (Reached(FERRY, 404, FERRY), Severity.WARNING, "is not there (404)"),
        (Reached(FERRY, 410, FERRY), Severity.WARNING, "is gone for good (410)"),
        (Reached(FERRY, 500, FERRY), Severity.WARNING, "fails (500)"),
        (Reached(FERRY, 403, FERRY), Severity.INFO, "turns programs away (403)"),
        (Reached(FERRY, 429, FERRY), Severity.INFO, "asks us to come later (429)"),
        (Reached(FERRY, problem="no connection to estuary.example"), Severity.WARNING, "no connection"),
        (Reached(FERRY, problem="it is private", refused=True), Severity.INFO, "it is private"),
        (Reached(FERRY, 200, FERRY), None, ""),
    ],
)
def test_an_answer_is_a_warning_a_note_or_fine(answer: Reached, severity: Severity | None, words: str) -> None:
    """Only what a reader would meet as well is a warning; the finding names story and field."""
    told = found("link-broken", answers(ferry=answer))
    assert [f.severity for f in told] == ([severity] if severity else [])
    for finding in told:
        assert words in finding.message
        assert (finding.article, finding.field) == ("the-ferry-is-back", "link")


@pytest.mark.parametrize(
    ("final", "severity"),
    [
        ("https://estuary.example/", Severity.WARNING),
        ("https://estuary.example", Severity.WARNING),
        ("https://elsewhere.example/ferry", Severity.INFO),
        ("https://elsewhere.example/", Severity.WARNING),
        ("https://www.estuary.example/ferry", None),
        ("https://news.estuary.example/ferry", None),
        ("https://estuary.example/2026/ferry", None),
    ],
)
def test_a_front_page_in_place_of_a_story_is_a_warning(final: str, severity: Severity | None) -> None:
    """Another site is a note; the same site in another shape is fine."""
    told = found("link-redirects-elsewhere", answers(ferry=Reached(FERRY, 200, final)))
    assert [f.severity for f in told] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("answer", "severity"),
    [
        (Reached("u", 200, "u", "image/jpeg"), None),
        (Reached("u", 206, "u", "IMAGE/PNG; q=1"), None),
        (Reached("u", 200, "u", "application/octet-stream"), None),
        (Reached("u", 200, "u", "text/html"), Severity.ERROR),
        (Reached("u", 404, "u", "text/html"), Severity.ERROR),
        (Reached("u", 403, "u", "text/html"), Severity.WARNING),
        (Reached("u", problem="no connection"), Severity.ERROR),
    ],
)
def test_a_remote_picture_must_come_and_be_one(answer: Reached, severity: Severity | None) -> None:
    """A page that says “not found” with 200 is no picture; the story and its field are named."""
    url = "https://cdn.example/ferry.jpg?width=320"
    asked_for = {url: "https://cdn.example/ferry.jpg"}
    told = found(
        "picture-unreachable",
        eg.email(remote_images=(url,), asked_for=asked_for),
        eg.picture(file=None, url="https://cdn.example/ferry.jpg"),
        eg.given(reachability=MappingProxyType({url: answer})),
    )
    assert [f.severity for f in told] == ([severity] if severity else [])
    assert {(f.article, f.field) for f in told} <= {("the-ferry-is-back", "image.url")}


def test_without_answers_the_rules_about_them_sleep() -> None:
    """Not online is not broken; an address that was left over is not known."""
    ids = {"link-broken", "link-redirects-elsewhere", "picture-unreachable"}
    for change in (eg.as_it_is, eg.given(reachability=MappingProxyType({}))):
        assert not ids & {f.id for f in run_checks(change(eg.example()))}


def test_what_is_asked_are_links_pictures_and_secure_twins_and_never_an_act() -> None:
    """Neither a reader's own address nor one that unsubscribes somebody is ever asked."""
    context = eg.both(
        eg.email(remote_images=("https://cdn.example/a.jpg",)),
        eg.story(link="http://estuary.example/ferry#top", body="See <http://elsewhere.example/a>."),
        leads("http://estuary.example/ferry?utm_source=weekly"),
        eg.issue(intro="and http://intro.example/b?utm_source=x"),
        eg.html(
            "<h2>",
            '<a href="https://e.example/unsubscribe?u=1">U</a><a href="https://e.example/?q=nlf0001q">Q</a>'
            '<a href="https://nlf0001q.example/">H</a><a href="https://estuary.example/u/token">T</a>'
            '<a href="https://e.example/logout">L</a><a href="mailto:a@b.example">M</a><a href="#top">X</a><h2>',
        ),
    )(eg.example())
    assert to_ask(context) == (
        "http://estuary.example/ferry",
        "https://estuary.example/library",
        "https://estuary.example/ferry",
        "https://elsewhere.example/a",
        "https://intro.example/b",
        "https://cdn.example/a.jpg",
    )


def test_http_becomes_https_where_the_page_answers_there() -> None:
    """The story's link, its body, the intro; not what did not answer, nor what leads back to http."""
    body = "[a](http://a.example/x) and <http://b.example/y>, http://c.example/z"
    context = eg.both(
        eg.story(link="http://estuary.example/ferry", body=body),
        eg.issue(intro="See http://a.example/x."),
        leads("http://estuary.example/ferry"),
        eg.html("<p>Good morning", '<p><a href="http://a.example/x">In the intro</a>. Good morning'),
        eg.html("<h3>The ferry", '<p><a href="http://b.example/y">b</a></p><h3>The ferry'),
        eg.html("<h3>The ferry", '<p><a href="http://c.example/z">c</a></p><h3>The ferry'),
    )(eg.example())
    over = {
        "https://estuary.example/ferry": Reached("", 200, "https://estuary.example/ferry"),
        "https://a.example/x": Reached("", 200, "https://a.example/x"),
        "https://b.example/y": Reached("", 404, "https://b.example/y"),
        "https://c.example/z": Reached("", 200, "http://c.example/z"),
    }
    assert proposals(context) == ()
    told = proposals(dataclasses.replace(context, reachability=over))
    insecure = {(p.edit.article, p.edit.field, p.edit.before, p.edit.after) for p in told if p.check == "link-insecure"}
    assert insecure == {
        ("the-ferry-is-back", "link", "http://estuary.example/ferry", "https://estuary.example/ferry"),
        ("the-ferry-is-back", "body", "http://a.example/x", "https://a.example/x"),
        (None, "body", "http://a.example/x", "https://a.example/x"),
    }
    assert not [p for p in told if "b.example" in p.edit.after or "c.example" in p.edit.after]
