"""Pictures on CDNs: our size, their crop, and nothing touched that cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.models import Section
from newsletter.rendering.cdn import Asked, ask_for

WIDE = 1200 / 675
CLOUD = "https://res.cloudinary.com/paper"


def asked(url: str) -> str:
    """The address of the lead's file, 1200 × 675; its shape is the lead's."""
    found = ask_for(url, 1200, 675)
    assert found.shape == pytest.approx(WIDE)
    return found.url


def test_rebelmouse_keeps_the_crop_and_the_shape_that_it_is_for() -> None:
    """``coordinates`` are trims of the original: with another shape they would squeeze or cut twice."""
    url = "https://paper.example/media-library/image.jpg?id=7&width=1245&height=700&quality=90&coordinates=0%2C58%2C0%2C59"
    found = ask_for(url, 640, 427)
    assert found.url == url.replace("width=1245&height=700", "width=640&height=360")
    assert found.shape == pytest.approx(1245 / 700)
    assert ask_for(found.url, 640, 427).url == found.url


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("id=7", "id=7&width=640"),
        ("width=300&id=7&quality=80", "width=640&id=7&quality=80"),
        ("id=7&height=300", "id=7&width=640"),
        ("id=7&width=0&height=0", "id=7&width=640"),
        ("id=7&width=wide&height=300", "id=7&width=640"),
    ],
)
def test_rebelmouse_without_a_shape_is_asked_for_the_width_alone(query: str, wanted: str) -> None:
    """Then nobody knows the height."""
    found = ask_for(f"https://paper.example/media-library/quay.png?{query}", 640, 427)
    assert found == Asked(f"https://paper.example/media-library/quay.png?{wanted}", None)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "?resize=1200%2C675"),
        ("?w=300", "?resize=1200%2C675"),
        ("?ssl=1&fit=300%2C200&quality=80", "?ssl=1&quality=80&resize=1200%2C675"),
        ("?resize=300,200&ssl=1", "?resize=1200%2C675&ssl=1"),
        ("?crop=0,10,100,60&w=300&h=200&zoom=2", "?crop=0,10,100,60&resize=1200%2C675"),
        ("?lb=1,1&resize=2,2&resize=3,3", "?resize=1200%2C675"),
    ],
)
def test_photon_resizes_to_our_shape(query: str, wanted: str) -> None:
    """One ``resize`` instead of every other size, where it stood; a crop of the original stays before it."""
    assert asked(f"https://i2.wp.com/paper.example/a.jpg{query}") == f"https://i2.wp.com/paper.example/a.jpg{wanted}"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "?w=1200&h=675&fit=crop"),
        ("?auto=format&w=300&q=60", "?auto=format&w=1200&q=60&h=675&fit=crop"),
        (
            "?rect=0,10,800,450&crop=focalpoint&fp-x=0.3&fp-y=.2&fit=clip&h=9&w=9&dpr=2&max-w=500",
            "?rect=0,10,800,450&crop=focalpoint&fp-x=0.3&fp-y=.2&fit=crop&h=675&w=1200",
        ),
    ],
)
def test_imgix_keeps_rect_crop_and_focal_point(query: str, wanted: str) -> None:
    """``dpr`` and the limits would change our size again."""
    assert asked(f"https://paper.imgix.net/a%20b.jpg{query}#top") == f"https://paper.imgix.net/a%20b.jpg{wanted}#top"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("v17/quay.jpg", "c_fill,w_1200,h_675/v17/quay.jpg"),
        ("my_pictures/w_1.jpg", "c_fill,w_1200,h_675/my_pictures/w_1.jpg"),
        ("w_300/v17/quay.jpg", "c_fill,w_1200,h_675/v17/quay.jpg"),
        ("q_auto,w_300,c_thumb,g_face,dpr_2/quay.jpg", "q_auto,c_thumb,w_1200,h_675,g_face/quay.jpg"),
        (
            "c_crop,h_450,w_800,x_10,y_20/c_limit,w_300/f_jpg/d/quay.jpg",
            "c_crop,h_450,w_800,x_10,y_20/c_fill,w_1200,h_675/f_jpg/d/quay.jpg",
        ),
        ("f_jpg/quay.jpg", "f_jpg/c_fill,w_1200,h_675/quay.jpg"),
    ],
)
def test_cloudinary_replaces_the_step_that_sizes(path: str, wanted: str) -> None:
    """Cuts out of the original, gravity, quality and the version stay where they are."""
    assert asked(f"{CLOUD}/image/upload/{path}") == f"{CLOUD}/image/upload/{wanted}"


def test_cloudinary_fetches_from_elsewhere() -> None:
    """The address of the source follows the transformation, with its own slashes and query."""
    source = "https://paper.example/a.jpg?x=1"
    assert asked(f"{CLOUD}/image/fetch/w_9/{source}") == f"{CLOUD}/image/fetch/c_fill,w_1200,h_675/{source}"


@pytest.mark.parametrize(
    "url",
    [
        "https://cms.example/a.jpg?width=300&height=200",
        "https://cms.example/media-library/image.jpg?width=300&height=200",
        "https://cms.example/media-library/image.jpg?id=eyJ0&width=300",
        "https://cms.example/x/media-library/image.jpg?id=7&width=300",
        "https://i9.wp.com/paper.example/a.jpg?w=300",
        "https://i0.wp.com.evil.example/a.jpg?w=300",
        "https://i0.wp.com/paper.example/a.jpg?w=300&crop=0,0,50px,50px",
        "https://imgix.net/a.jpg?w=300",
        "https://paper.imgix.net/a.jpg?w=300&s=0123456789abcdef",
        "https://paper.imgix.net/a.jpg?fit=facearea&facepad=2",
        f"{CLOUD}/image/upload/s--AbCd1234--/w_300/quay.jpg",
        f"{CLOUD}/image/upload/w_300/quay.jpg?__cld_token__=1",
        f"{CLOUD}/image/upload/w_300,l_logo/quay.jpg",
        f"{CLOUD}/image/upload/t_square/quay.jpg",
        f"{CLOUD}/image/upload/$w_300/if_w_gt_3,w_2/quay.jpg",
        f"{CLOUD}/image/upload/w_300/c_crop,w_200,h_100/quay.jpg",
        f"{CLOUD}/image/upload/w_300/w_200/quay.jpg",
        f"{CLOUD}/video/upload/w_300/quay.mp4",
        "https://[broken/a.jpg",
    ],
)
def test_what_cannot_be_asked_for_stays_as_it_is(url: str) -> None:
    """Unknown servers, signatures, crops that count the old size, chains that are programs."""
    assert ask_for(url, 1200, 675) == Asked(url, None)


@given(
    st.sampled_from(["https://i0.wp.com/p/a.jpg?", "https://p.imgix.net/a.jpg?", f"{CLOUD}/image/upload/"]),
    st.text("wh0=&,_/c%sfitrezoomv", max_size=40),
)
def test_asking_twice_is_asking_once(start: str, rest: str) -> None:
    """Whatever an address looks like, the second time changes nothing more, and it never fails."""
    once = ask_for(start + rest, 320, 213)
    assert ask_for(once.url, 320, 213) == once


def test_a_story_shows_the_picture_in_our_size_with_its_height(desk, issue, story, with_picture) -> None:
    """And the email knows which story's address it was."""
    url = "https://paper.imgix.net/quay.jpg?crop=faces"
    email = desk.render(issue(Section("lead", (story(image=with_picture(file=None, url=url)),))))
    big = f"{url}&w=1200&h=675&fit=crop"
    assert email.remote_images == (big,) and dict(email.asked_for) == {big: url}
    assert f'src="{big.replace("&", "&amp;")}" width="600" height="338"' in email.html
