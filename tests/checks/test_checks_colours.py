"""Whether words can be read on their ground: light, dark, and repainted by Outlook and Gmail."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from newsletter.app.logos import edges_of
from newsletter.checks import examples as eg
from newsletter.checks.darkness import gmail, outlook
from newsletter.checks.page import Page
from newsletter.models import Email, EmailImage
from tests.checks.asking import before_library, found

STORY = "library-opens-on-sundays"
LIGHT, DARK, OUTLOOK, GMAIL = "on a light screen", "on a dark screen", "in Outlook's dark mode", "in Gmail's dark mode"


def screens(*changes: eg.Change) -> set[str]:
    """On which screens something cannot be read."""
    names = (LIGHT, DARK, OUTLOOK, GMAIL)
    return {name for finding in found("contrast-low", *changes) for name in names if name in finding.message}


def test_a_finding_names_words_colours_ratio_screen_and_story() -> None:
    """Everything that one needs to put it right."""
    first = found(
        "contrast-low", before_library('<p style="color:#999999">Tides</p><p style="color:#999999">Winds</p>')
    )
    light = next(finding for finding in first if LIGHT in finding.message)
    assert light.message == (
        "“Tides”, and 1 more: #999999 on #FFFFFF on a light screen has a contrast of 2.84; 4.5 is needed."
    )
    assert (light.article, light.field) == (STORY, None) and "theme.toml" in (light.fix or "")


@pytest.mark.parametrize(
    ("style", "readable"),
    [
        ("color:#949494", False),
        ("color:#949494;font-size:24px", True),
        ("color:#949494;font-size:23px", False),
        ("color:#949494;font-size:19px;font-weight:700", True),
        ("color:#949494;font:700 14pt Arial", True),
        ("color:#949494;font:700 18px/20px Arial", False),
        ("color:#767676", True),
        ("color:#777777", False),
        ("color:rgba(0,0,0,.3)", False),
        ("color:#999999;display:none", True),
        ("color:#999999;background:url(cid:x)", True),
    ],
)
def test_large_words_need_less_and_hidden_ones_nothing(style: str, readable: bool) -> None:
    """WCAG's own sizes; what lies on a picture cannot be known."""
    assert (LIGHT in screens(before_library(f'<p style="{style}">Tides</p>'))) is not readable


def test_a_dark_screen_repaints_words_and_ground() -> None:
    """Forgetting one of the two is the fault that nobody sees by day."""
    assert screens(eg.html(".text { color: #D6D2CB !important }", "")) >= {DARK}
    assert DARK not in screens()
    (finding, *_) = found("contrast-low", eg.html(".card { background-color: #1E1E1E !important }", ""))
    assert "#D6D2CB on #FFFFFF on a dark screen" in finding.message


def test_what_is_hidden_on_dark_screens_need_not_be_read_there() -> None:
    """Such as a logo's light twin."""
    words = before_library('<p class="day" style="color:#1A1A1A">Tides</p>')
    assert DARK in screens(words)
    dark = eg.html("@media (prefers-color-scheme: dark) {", "@media (prefers-color-scheme: dark) {\n.day{display:none}")
    assert DARK not in screens(words, dark)


def test_outlook_takes_its_own_rules_and_turns_the_rest() -> None:
    """An override of the words alone leaves them on a ground that Outlook has chosen."""
    words = before_library('<p class="pin" style="color:#1A1A1A">Tides</p>')
    assert OUTLOOK not in screens(words)
    pinned = eg.html("[data-ogsc] .text", "[data-ogsc] .pin { color: #333333 !important }\n[data-ogsc] .text")
    assert OUTLOOK in screens(words, pinned)
    weak = eg.html("[data-ogsc] .text", "[data-ogsc] .pin { color: #333333 }\n[data-ogsc] .text")
    assert OUTLOOK not in screens(words, weak)
    broken = eg.html("[data-ogsc] .text", "[data-ogsc] .pin..x { color: #333333 !important }\n[data-ogsc] .text")
    assert OUTLOOK not in screens(words, broken)


def test_an_override_is_inherited_until_somebody_says_otherwise() -> None:
    """As colours are."""
    html = (
        "<style>[data-ogsc] .a{color:#112233 !important}[data-ogsb] .a{background:#445566 !important}"
        "[data-ogsc] .a::first-line{color:#fff !important}[data-ogsc] .c{color:currentColor !important}</style>"
        '<div class="a"><p>one</p><p style="color:#000000;background-color:#ffffff">two</p></div>'
    )
    page = Page(html, ())
    seen = {element.text: outlook(page)[element.node] for element in page.every("p")}
    assert (seen["one"].words, seen["one"].ground) == ((0x11, 0x22, 0x33), (0x44, 0x55, 0x66))
    assert seen["two"].words == (255, 255, 255) and seen["two"].ground == (51, 51, 51)


def test_gmail_turns_light_grounds_and_dark_words_and_nothing_else() -> None:
    """White becomes a grey of L 12.5, black one of L 87.5; what is dark ground or light word stays."""
    html = '<p>one</p><p style="color:#ffffff;background-color:#000000">two</p>'
    page = Page(html, ())
    one, two = (gmail(page)[element.node] for element in page.every("p"))
    assert (one.words, one.ground) == ((219, 219, 219), (33, 33, 33))
    assert (two.words, two.ground) == ((255, 255, 255), (0, 0, 0))


def test_gmail_may_lose_what_passes_by_day() -> None:
    """Colours in the middle move to the middle; darker ones go far enough."""
    dark = eg.html(".text {", ".day { color: #D6D2CB !important }\n.text {")
    assert screens(before_library('<p class="day" style="color:#757575">Tides</p>'), dark) == {GMAIL}
    assert screens(before_library('<p class="day" style="color:#5A5A5A">Tides</p>'), dark) == set()


def test_words_in_place_of_a_picture_are_read_too() -> None:
    """On the ground that shows where it will be."""
    assert LIGHT in screens(eg.html("color:#333333;font:16px/22px", "color:#D9D9D9;font:16px/22px"))


def test_pure_colours_are_found_for_dark_screens_alone() -> None:
    """Each selector once; a colour that shines through, and a light screen's white, are fine."""
    (finding,) = found("dark-colour-pure", eg.html(".card { background-color: #1E1E1E", ".card { background: black"))
    assert "“.card” is pure black" in finding.message
    (finding,) = found(
        "dark-colour-pure", eg.html("[data-ogsc] .text { color: #D6D2CB", "[data-ogsc] .text { color: #FFF")
    )
    assert "pure white" in finding.message
    assert not found("dark-colour-pure", eg.html("#141414", "transparent"))
    assert not found("dark-colour-pure", eg.html(".lead { color: #1a1a1a }", ".lead { color: #000000 }"))
    assert not found("dark-colour-pure", eg.html("#141414", "var(--ink)"))


def test_a_logo_counts_by_the_greater_part_of_its_edges() -> None:
    """A dark bar with a light outline has light edges; a story's picture is no logo."""
    assert found("logo-lost-on-dark", eg.logo(((20, 20, 20), 60), ((250, 250, 250), 59)))
    assert not found("logo-lost-on-dark", eg.logo(((20, 20, 20), 60), ((250, 250, 250), 61)))
    assert not found("logo-lost-on-dark", eg.given(edges={"cid:other": (((0, 0, 0), 9),)}))


def logo(path: Path, mode: str, ink: object, article: str | None = None) -> Email:
    picture = Image.new(mode, (20, 10))
    ImageDraw.Draw(picture).rectangle((5, 2, 14, 9), fill=ink)  # type: ignore[arg-type]  # a colour of the mode
    picture.save(path)
    image = EmailImage(path.name, path, "image/png", "cid:logo", 1, 20, 10, article)
    return Email("i", "s", "p", "h", "t", "en", "ltr", "w", images=(image,))


def test_edges_are_the_outer_pixels_of_what_is_drawn(tmp_path: Path) -> None:
    """A rectangle of 10 by 8 that touches the lower border: its edge goes all round."""
    email = logo(tmp_path / "logo.png", "RGBA", (10, 20, 30, 255))
    assert edges_of(email) == {"cid:logo": (((10, 20, 30), 2 * 10 + 2 * 6),)}


def test_a_picture_without_transparency_has_no_edges(tmp_path: Path) -> None:
    """Nor has one that is gone, one of a story, or one in which nothing is drawn."""
    assert edges_of(logo(tmp_path / "opaque.png", "RGB", (10, 20, 30))) == {}
    assert edges_of(logo(tmp_path / "faint.png", "RGBA", (10, 20, 30, 90))) == {}
    assert edges_of(logo(tmp_path / "story.png", "RGBA", (10, 20, 30, 255), "ferry")) == {}
    email = logo(tmp_path / "gone.png", "RGBA", (1, 2, 3, 255))
    (tmp_path / "gone.png").unlink()
    assert edges_of(email) == {}
