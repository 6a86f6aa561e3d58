"""What must survive inlining, one probe for each way in which premailer loses it; and the self-check itself."""

from __future__ import annotations

import threading

import pytest
from lxml import etree

from newsletter.errors import RenderError, ThemeError
from newsletter.rendering import finish, inline, selfcheck
from newsletter.rendering.css import inlinable_rules, kept_blocks


def page(body: str, head: str = "") -> str:
    return f"<!DOCTYPE html><html><head><title>x</title>{head}</head><body>{body}</body></html>"


def run(body: str, style: str = "", client: str = "", head: str = "") -> str:
    tree = finish.parse_page(page(body, head), "email.html.j2")
    inline.inline(tree, style, "style.css")
    kept = kept_blocks(client, "client.css")
    finish.shrink(tree, kept)
    finish.keep_client_css(tree, kept)
    return finish.serialise(tree)


@pytest.mark.parametrize(
    ("client", "kept"),
    [
        ("@media (max-width: 480px) { .a { width: 100% !important; } }", ".a{width:100% !important}"),
        ("[data-ogsc] .a { color: #FFFFFF !important; }", "[data-ogsc] .a{color:#FFFFFF !important}"),
        (".im { color: inherit !important; }", ".im{color:inherit !important}"),
        ("u + .body .a { color: red; }", "u + .body .a{color:red}"),
        ("@font-face { font-family: X; src: url(https://x.example/f.woff); }", "@font-face{"),
        ("@supports (display: grid) { .a { color: red; } }", "@supports (display: grid){"),
        ("@keyframes k { from { color: red; } to { color: blue; } }", "@keyframes k{"),
        ("@media (width<=600px) { .a { color: red !important; } }", "@media (width<=600px){"),
        ("a[x-apple-data-detectors] { color: inherit !important; }", "a[x-apple-data-detectors]{"),
        (".a:hover { color: red; }", ".a:hover{color:red}"),
        (":root { color-scheme: light dark; }", ":root{color-scheme:light dark}"),
        ('[style*="a, b"] { color: red; }', '[style*="a, b"]{color:red}'),
    ],
)
def test_client_css_is_kept_as_it_is(client, kept):
    assert kept in run('<p class="a">x</p>', "p { color: blue; }", client)


def test_an_important_rule_wins_and_leaves_no_important_in_an_attribute():
    html = run('<p class="a">x</p>', ".a { color: red !important; } p.a { color: blue; }")
    assert 'style="color:red"' in html and "!important" not in html


def test_attributes_of_the_template_are_not_overwritten():
    body = (
        '<table width="600" bgcolor="#FFFFFF"><tr><td class="t"><img width="300" src="cid:x" alt=""></td></tr></table>'
    )
    html = run(body, "table { width: 100%; background-color: rgba(0,0,0,.5); } img { width: 100%; height: auto; }")
    assert '<table width="600" bgcolor="#FFFFFF"' in html
    assert '<img width="300"' in html and 'height="auto"' not in html


def test_text_align_on_a_table_does_not_float_it():
    html = run("<table><tr><td>x</td></tr></table>", "table { text-align: left; } td { vertical-align: top; }")
    assert " align=" not in html and "valign=" not in html and "text-align:left" in html


def test_floating_pictures_get_no_align():
    assert "align=" not in run('<img src="cid:x" alt="">', "img { float: left; }")


def test_conditional_comments_survive():
    body = "<!--[if mso]><table><tr><td><![endif]--><p>x</p><!--[if !mso]><!--><b>y</b><!--<![endif]-->"
    html = run(body, "p { color: red; }")
    assert "<!--[if mso]><table><tr><td><![endif]-->" in html
    assert "<!--[if !mso]><!--><b>y</b><!--<![endif]-->" in html


def test_addresses_are_left_alone():
    links = '<a href="nlf0001q">a</a><a href="#top">b</a><a href="https://x.example/?a=1&amp;b=%20">c</a>'
    body = links + '<img src="cid:a@b" alt="">'
    html = run(body, "a { color: red; }")
    for address in ('"nlf0001q"', '"#top"', '"https://x.example/?a=1&amp;b=%20"', '"cid:a@b"'):
        assert address in html


def test_nothing_is_fetched_and_links_to_sheets_stay():
    html = run("<p>x</p>", "p { color: red; }", head='<link rel="stylesheet" href="http://127.0.0.1:9/x.css">')
    assert "http://127.0.0.1:9/x.css" in html


def test_unknown_properties_are_inlined_without_a_word(caplog, capsys):
    html = run("<p>x</p>", "p { mso-line-height-rule: exactly; -webkit-text-size-adjust: 100%; }")
    assert "mso-line-height-rule:exactly;-webkit-text-size-adjust:100%" in html
    assert not caplog.records and capsys.readouterr() == ("", "")


def test_a_style_attribute_wins_over_the_sheet():
    assert 'style="color:blue"' in run('<p style="color: blue">x</p>', "p { color: red; }")


def test_a_later_shorthand_stands_behind_the_longhand_it_overrides():
    """The inliner leaves padding where it was first set, before padding-top, which would then win wrongly."""
    style = ".a { padding: 1px; } .b { padding-top: 9px; } .c { padding: 5px; }"
    assert 'style="padding-top:9px;padding:5px"' in run('<p class="a b c">x</p>', style)


def test_six_digit_colours_stay_six_digits():
    assert "#FFFFFF" in run("<p>x</p>", "p { color: #FFFFFF; }")


def test_fonts_are_quoted_without_entities():
    html = run("<p>x</p>", """p { font-family: "Segoe UI", Arial; }""")
    assert "&quot;" not in html and "font-family:'Segoe UI',Arial" in html


def test_unset_takes_a_property_away():
    assert "color" not in run('<p class="a">x</p>', "p { color: red; } .a { color: unset; }")


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("@media screen { p { color: red; } }", "@media"),
        ("@import url(x.css);", "@import"),
        ("a:hover { color: red; }", "pseudo-class"),
        ("* { color: red; }", r"the selector \*"),
        ('[a="b,c"] { color: red; }', "quoted"),
        ("[a=b,c] { color: red; }", "comma inside"),
        ("p { color: red; color: blue; }", "sets color twice"),
        ("p { color: }", "not complete"),
        ("p { color: red;", "not closed"),
        ("p { color: red; } }", "without its {"),
        ("p, { color: red; }", "without a selector"),
        ("p ~~ a { color: red; }", "is no selector"),
    ],
)
def test_css_that_would_be_lost_is_refused_with_its_line(style, words):
    with pytest.raises(ThemeError, match=words) as caught:
        run("<p>x</p>", "\n\n" + style)
    assert caught.value.where == "style.css:3"


def test_a_value_that_the_inliner_does_not_understand_is_refused():
    with pytest.raises(ThemeError, match="does not understand") as caught:
        run("<p>x</p>", "\np { color: red; margin: ]; }")
    assert caught.value.where == "style.css:2"


def test_a_rule_that_did_not_land_is_noticed(monkeypatch):
    """Break the inliner: it skips every rule."""
    broken = type("Broken", (), {"__init__": lambda self, *a, **k: None, "transform": lambda self, **k: None})
    monkeypatch.setattr(inline, "_inliner", lambda: broken)
    with pytest.raises(RenderError, match=r"color: red of p did not reach <p class='a'>") as caught:
        run('<p class="a">x</p>', "\np { color: red; }")
    assert caught.value.where == "style.css:2"


def test_a_rule_that_wins_against_the_cascade_is_noticed():
    """The inliner counts no attribute selectors, so the later class wins where a browser takes the attribute."""
    with pytest.raises(RenderError, match="against the cascade"):
        run('<p class="a" dir="rtl">x</p>', ".a[dir=rtl] { color: red; } .a { color: blue; }")


def test_rules_that_match_nothing_are_no_fault():
    assert "color" not in run("<p>x</p>", ".nowhere { color: red; }")


def test_the_self_check_knows_every_element_it_promised():
    tree = finish.parse_page(page("<p>a</p><p>b</p><div>c</div>"), "x")
    rules = inlinable_rules("p { color: red; }", "style.css")
    expected = selfcheck.expect(tree, rules, ((("color", "red"),),), "style.css")
    for element in tree.iter("p"):
        element.set("style", "color:red")
    assert expected.settle() == 2


def test_two_threads_inline_at_once():
    """cssutils is not safe in threads by itself."""
    style = "".join(f".c{n} {{ margin: {n}px; color: #0000{n:02d}; }}" for n in range(40))
    body = "".join(f'<p class="c{n}">x</p>' for n in range(40))
    wanted = run(body, style)
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(run(body, style + f"b{{left:{n}px}}"))) for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [wanted] * 6


def test_the_cache_of_sheets_is_bounded():
    for n in range(inline._SHEETS + 2):
        run("<p>x</p>", f"p {{ margin: {n}px; }}")
    assert len(inline._inliner()._made) <= inline._SHEETS


def test_blanks_go_only_where_a_browser_shows_none():
    body = """
    <div>
      <p>  two   words <b> bold </b> <i>it</i>
      </p>
      <pre>  a
   b </pre>
      tail <span> x </span>
    </div>
    <div style="display:inline-block">1</div> <div style="display:inline-block">2</div>
    """
    html = run(body)
    assert "<p>two words <b> bold </b> <i>it</i></p>" in html
    assert "<pre>  a\n   b </pre>" in html
    assert "tail <span> x </span></div>" in html
    assert "1</div> <div" in html


def test_comments_that_are_not_for_outlook_go_and_their_neighbours_stay():
    html = run("<p>a<!-- note -->b</p><!-- one --><p>c</p>tail<!--x-->end")
    assert "<p>ab</p>" in html and "note" not in html and "tailend" in html


def test_classes_and_data_that_kept_css_names_stay():
    client = ".keep { color: red; } [data-x] .y { color: red; }"
    html = run('<p class="keep drop" data-x="1" data-y="2">x</p><p class="drop">y</p>', "", client)
    assert '<p class="keep" data-x="1">x</p><p>y</p>' in html.replace("\n", "")
    assert 'class="any drop"' in run('<p class="any drop">x</p>', "", '[class~="any"] { color: red; }')
    assert 'class="word"' in run('<!--[if mso]><style>.word{color:red}</style><![endif]--><p class="word">x</p>')


def test_css_beyond_ascii_is_escaped_where_entities_would_not_work():
    html = run("<p>é" + "x" * 500 + "</p>", "", '.a { font-family: "Grüße"; }')
    assert html.isascii() and '"Gr\\fc \\df e"' in html


def test_word_markup_can_be_taken_out_whole():
    tree = finish.parse_page(page("a<!--[if mso]>w<![endif]-->b<p>c</p><!--[if !mso]><!-->d<!--<![endif]-->e"), "x")
    finish.drop_word_markup(tree)
    assert "<body>ab<p>c</p>de</body>" in etree.tostring(tree, method="html", encoding="unicode")
