"""Pictures of an issue's stories in the composer: put in, fetched, taken out; and their cuts, as in the mail."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import gcd
from typing import Any, Final

from newsletter.app.composing import file_of, read_expected
from newsletter.app.desk import Desk
from newsletter.articles.originals import MAX_PICTURE, SUFFIXES, check_picture, get_picture
from newsletter.articles.schema import article_from_document
from newsletter.errors import BadData, IllegalState, NotFound
from newsletter.issues import editing
from newsletter.issues.copying import free_name, naming_picture
from newsletter.issues.folder import IMAGES, name_of, read_issue_file
from newsletter.models import LAYOUTS, Layout, Picture
from newsletter.rendering.pictures import make_proof
from newsletter.rendering.recipes import Recipe, recipe_for
from newsletter.workspace.frontmatter import Document
from newsletter.workspace.themes import Theme, load_theme

MOST_BYTES: Final = MAX_PICTURE
"""The most bytes of a picture that is put in."""

PAD: Final = 640
"""The most pixels of a side of the picture that the focal point is chosen on."""
CUT: Final = 320
"""The most pixels of a side of a cut that is shown."""

_EDITOR: Final = {"from": "editor", "confirmed": True}


def put_picture(desk: Desk, issue: str, article: str, data: bytes, *, expected: str) -> str:
    """Give a story another picture, from the bytes of a file; returns the SHA-256 of the story's file.

    What described the earlier picture (its words, credit, address, focal point) goes with it: a credit under another
    photograph would be wrong. The earlier file stays in ``images/``. Raises ImageError for what is no picture,
    Conflict, IllegalState; then the story is as it was.
    """
    doc = read_expected(desk, issue, article, expected).set(("image",), None)
    return _put(desk, issue, article, doc, data, expected)


def fetch_picture(desk: Desk, issue: str, article: str, url: str | None, *, expected: str) -> str:
    """Give a story the picture at ``url``; without one, that of the address that it names: then its words stay.

    Raises as ``put_picture`` does, and RemoteError, also for addresses that are not to be fetched.
    """
    doc = read_expected(desk, issue, article, expected)
    picture = article_from_document(doc, article).image
    own = picture.url if picture else None
    address = url.strip() if url else own
    if not address:
        raise BadData(
            "the story names no address of a picture", where=doc.file, fix="write one, beginning with https://"
        )
    if not address.startswith(("https://", "http://")):
        raise BadData(f"{address[:80]!r} is no web address", where=doc.file, fix="write it in full, with https://")
    if not desk.config.images.fetch:
        raise IllegalState(
            "this workspace fetches no pictures", where="newsletter.toml: images.fetch", fix="put in a file instead"
        )
    data = get_picture(desk.config, address)
    if address != own:
        doc = doc.set(("image",), None).set(("image", "url"), address)
    return _put(desk, issue, article, doc, data, expected)


def _put(desk: Desk, issue: str, article: str, doc: Document, data: bytes, expected: str) -> str:
    kind = check_picture(data)[0]
    name = free_name(desk.workspace.issue_dir(issue) / IMAGES, f"{article}.{SUFFIXES[kind]}", data)
    doc = naming_picture(doc, name).set(("provenance", "image"), _EDITOR)
    article_from_document(doc, article)
    return editing.save(desk.workspace, issue, doc, expected=expected, article=article, pictures={name: data})


def remove_picture(desk: Desk, issue: str, article: str, *, expected: str) -> str:
    """Take the picture out of a story; its file stays in ``images/``, so that this can be undone."""
    doc = read_expected(desk, issue, article, expected).set(("image",), None).set(("provenance", "image"), None)
    return editing.save(desk.workspace, issue, doc, expected=expected, article=article)


# -- looking ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cut:
    """A shape that pictures have in this theme: ``layout`` is the first of the ``layouts`` that cut so."""

    layout: Layout
    layouts: tuple[Layout, ...]
    words: str

    def as_row(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def cuts_of(desk: Desk, issue: str) -> list[Cut]:
    """The shapes in which the issue's theme shows pictures, each once, with the layouts that have it."""
    theme = _theme(desk, issue)
    found: dict[str, list[Layout]] = {}
    for layout in LAYOUTS:
        if (recipe := _recipe(theme, layout)) is not None:
            found.setdefault(_ratio(recipe), []).append(layout)
    return [Cut(layouts[0], tuple(layouts), words) for words, layouts in found.items()]


def _theme(desk: Desk, issue: str) -> Theme:
    name = read_issue_file(desk.workspace, issue)[0].get("theme")
    return load_theme(desk.workspace, name if isinstance(name, str) and name else desk.config.publication.theme)


def _recipe(theme: Theme, layout: Layout) -> Recipe | None:
    return recipe_for(layout, theme.shapes) if layout in theme.pictures else None


def _ratio(recipe: Recipe) -> str:
    """``16:9``, ``3:2``: the nearest shape of small numbers, for pixels are whole."""
    wide = recipe.width / recipe.height
    across, down = min(
        ((a, b) for b in range(1, 17) for a in range(1, 17)), key=lambda s: (round(abs(s[0] / s[1] - wide), 2), s[0])
    )
    shared = gcd(across, down)
    return f"{across // shared}:{down // shared}"


def show_cut(
    desk: Desk, issue: str, article: str, layout: str | None, focal: tuple[float, float] | None
) -> tuple[bytes, str]:
    """The cut of a story's picture for a layout, around ``focal`` or where the mail looks for it; with its suffix.

    Without a layout it is all of the picture. Raises ImageError, NotFound for a story without a picture here.
    """
    path = file_of(desk, issue, article)
    where = name_of(desk.workspace, path)
    picture = article_from_document(Document.read(path, where), article, path).image or Picture()
    if not picture.file:
        raise NotFound("the story has no picture in the issue's folder", where=where, fix="put one in")
    recipe = None
    if layout is not None:
        known = next((each for each in LAYOUTS if each == layout), None)
        recipe = _recipe(_theme(desk, issue), known) if known else None
        if recipe is None:
            raise NotFound(f"the layout {layout!r} has no pictures", where=where)
    original = desk.workspace.issue_dir(issue) / IMAGES / picture.file
    place = f"story {article}, image {picture.file}"
    return make_proof(original, recipe, focal=focal, most=PAD if recipe is None else CUT, where=place)
