"""The pictures of one email: which file each story gets, what the HTML calls it, what travels along."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import ImageError
from newsletter.models import Article, EmailImage, Picture
from newsletter.rendering.cdn import ask_for
from newsletter.rendering.guard import clean
from newsletter.rendering.pictures import Derivative, make_derivative
from newsletter.rendering.recipes import LOGO, Recipe
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import ImageDelivery

CONTENT_ID_DOMAIN = "newsletter"
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"{}]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Media:
    """Where pictures come from and go to.

    ``originals`` is the issue's ``images/`` folder, ``derivatives`` the folder that finished pictures are written to,
    ``root`` the workspace (for the logo). ``site_url`` has no slash at its end; hosted pictures need one.
    """

    originals: Path
    derivatives: Path
    delivery: ImageDelivery
    site_url: str | None
    root: Path


@dataclass(frozen=True, slots=True)
class Shelved:
    """One picture as a template needs it: ``src``, and CSS pixels."""

    src: str
    width: int
    height: int | None


def is_creative(article: Article, root: Path) -> bool:
    """Whether a story is a sponsor's creative of the workspace at ``root``: it serves many issues from its own file."""
    return article.path is not None and article.path.parent == Workspace(root).sponsors


class Shelf:
    """Collects the pictures of one email while its variables are made."""

    def __init__(self, media: Media) -> None:
        self._media = media
        self._images: dict[str, EmailImage] = {}
        self._remote: dict[str, None] = {}
        self.asked_for: dict[str, str] = {}
        """The address that a story names, by the one that its CDN is asked for instead."""

    def article_picture(self, article: Article, picture: Picture, recipe: Recipe) -> Shelved | None:
        """The picture of a story in one layout; None when it names neither file nor address.

        Raises ImageError naming the article and the file.
        """
        if picture.url and (not picture.file or self._media.delivery == "remote"):
            return self._left_there(article, picture.url, recipe)
        if not picture.file:
            return None
        where = f"story {article.slug}, image {picture.file}"
        if Path(picture.file).name != picture.file or picture.file in (".", ".."):
            raise ImageError("the picture is not in the issue's images folder", where=where, fix="name the file only")
        own = article.path.parent / "images" if article.path and is_creative(article, self._media.root) else None
        original = (own or self._media.originals) / picture.file
        made = make_derivative(original, recipe, self._media.derivatives, focal=picture.focal, where=where)
        return Shelved(self._keep(made, article.slug), recipe.shown_width, recipe.shown_height)

    def logo(self, file: str) -> Shelved | None:
        """The masthead's picture, never upscaled beyond half its pixels; None when there is none."""
        if not file:
            return None
        where = f"publication.logo, {file}"
        path = (self._media.root / file).resolve()
        if not path.is_relative_to(self._media.root.resolve()):
            raise ImageError("the logo is outside the workspace", where=where, fix="copy it beside newsletter.toml")
        made = make_derivative(path, LOGO, self._media.derivatives, focal=None, where=where)
        return Shelved(self._keep(made, None), max(1, round(made.width / 2)), max(1, round(made.height / 2)))

    def remote(self, address: str) -> None:
        """Note a picture that stays where it is."""
        self._remote[address] = None

    def used_in(self, html: str) -> tuple[EmailImage, ...]:
        """The pictures that the finished HTML shows, in the order they were made."""
        return tuple(image for image in self._images.values() if image.src in html)

    def remote_in(self, sources: Collection[str]) -> tuple[str, ...]:
        """The noted remote pictures that are among the sources of the finished page."""
        return tuple(address for address in self._remote if address in sources)

    def _left_there(self, article: Article, address: str, recipe: Recipe) -> Shelved:
        address = clean(address).strip()
        if not _WEB_ADDRESS.fullmatch(address):
            where = f"story {article.slug}, image {address}"
            raise ImageError("this is no web address", where=where, fix="start it with https://, or name a file")
        asked = ask_for(address, recipe.width, recipe.height)
        self.remote(asked.url)
        if asked.url != address:
            self.asked_for[asked.url] = address
        height = max(1, round(recipe.shown_width / asked.shape)) if asked.shape else None
        return Shelved(asked.url, recipe.shown_width, height)

    def _keep(self, made: Derivative, article: str | None) -> str:
        if made.name not in self._images:
            self._images[made.name] = EmailImage(
                name=made.name,
                path=made.path,
                content_type=made.content_type,
                src=self._src(made.name),
                size=made.size,
                width=made.width,
                height=made.height,
                article=article,
            )
        return self._images[made.name].src

    def _src(self, name: str) -> str:
        if self._media.delivery != "embedded" and self._media.site_url:
            return f"{self._media.site_url.rstrip('/')}/m/{name}"
        return f"cid:{name}@{CONTENT_ID_DOMAIN}"
