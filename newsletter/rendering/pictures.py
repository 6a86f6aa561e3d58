"""Originals become derivatives: cropped around the focal point, sRGB, small, no metadata, named by their making."""

from __future__ import annotations

import hashlib
import importlib
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.errors import ImageError
from newsletter.rendering.budgets import is_flat, logo_file, picture_file
from newsletter.rendering.colours import to_srgb, to_srgb_and_alpha
from newsletter.rendering.focal import VERSION as FOUND
from newsletter.rendering.focal import where_to_cut
from newsletter.rendering.recipes import Recipe
from newsletter.workspace.files import write_atomic
from newsletter.workspace.picturefile import MAX_PIXELS, WHOLE, is_cut_off, not_a_picture

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_FILE = 64 * 1024 * 1024
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")
"""Nothing else is tried: the fewer decoders, the less there is to attack."""

CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}
"""What a derivative can be, by the suffix of its file."""

_FIX = "open and save it again as JPEG or PNG, or take another picture"

_ORIENTATION = 0x0112
"""The tag of EXIF that says how the camera was held."""

_MAKING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Derivative:
    """A finished picture file. ``width`` and ``height`` are its pixels, ``size`` its bytes."""

    path: Path
    content_type: str
    size: int
    width: int
    height: int

    @property
    def name(self) -> str:
        """The file's name: 16 hex digits and the suffix."""
        return self.path.name


def make_derivative(
    original: Path, recipe: Recipe, folder: Path, *, focal: tuple[float, float] | None, where: str
) -> Derivative:
    """Return the derivative of a picture file, making it unless ``folder`` has it already.

    Without a ``focal`` point the cut is looked for (``focal.py``), once for each original and recipe.
    A picture that is smaller than the recipe is cropped to its shape and keeps its own resolution: nothing is blown up.
    Raises ImageError (``where`` names article and file) for what is missing, broken, over 50 megapixels or no picture.
    """
    identity = f"{_digest(original, where)}/{recipe.key}"
    if recipe.fit == "crop":
        identity += f"/{focal or f'found {FOUND}'}"
    stem = hashlib.sha256(identity.encode()).hexdigest()[:16]
    for suffix in CONTENT_TYPES:
        path = folder / f"{stem}{suffix}"
        if path.is_file():
            return _described(path, where)
    with _MAKING:
        data, suffix = _made(original, recipe, focal, where)
    path = folder / f"{stem}{suffix}"
    write_atomic(path, data)
    return _described(path, where)


def make_proof(
    original: Path, recipe: Recipe | None, *, focal: tuple[float, float] | None, most: int, where: str
) -> tuple[bytes, str]:
    """The cut that ``make_derivative`` makes, at most ``most`` pixels wide and high, written nowhere; with its suffix.

    For an editor who moves the focal point and wants to see each place of it. Without a ``recipe`` all of the picture,
    upright and in the mail's colours. Raises ImageError as ``make_derivative`` does.
    """
    _digest(original, where)
    with _opened(original, where) as image:
        width, height = image.size
    whole = Recipe("whole", width, height, width, height, 200 * 1024, "whole")
    return _made(original, recipe or whole, focal, where, most=most)


def _digest(path: Path, where: str) -> str:
    try:
        state = path.stat()
    except FileNotFoundError:
        raise ImageError(
            "the picture is not there", where=where, fix=f"put it into {path.parent}, or remove image"
        ) from None
    except OSError as error:
        raise _unreadable(error, where) from error
    if state.st_size > MAX_FILE:
        raise ImageError(f"the picture has {state.st_size:,} bytes", where=where, fix=_FIX)
    try:
        return _digest_of(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise _unreadable(error, where) from error


def _unreadable(error: OSError, where: str) -> ImageError:
    return ImageError(f"the picture cannot be read: {error.strerror}", where=where, fix=_FIX)


@lru_cache(maxsize=1024)
def _digest_of(path: Path, size: int, mtime_ns: int) -> str:  # noqa: ARG001  # they are the cache's key
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _described(path: Path, where: str) -> Derivative:
    state = path.stat()
    width, height = _pixels(path, state.st_size, state.st_mtime_ns, where)
    return Derivative(path, CONTENT_TYPES[path.suffix], state.st_size, width, height)


@lru_cache(maxsize=1024)
def _pixels(path: Path, size: int, mtime_ns: int, where: str) -> tuple[int, int]:  # noqa: ARG001  # the cache's key
    with _opened(path, where) as image:
        return image.size


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """Those of ``FORMATS`` that this Pillow can read, with their plugins loaded (loading all of them takes 60 ms)."""
    from PIL import Image

    Image.preinit()
    for plugin in ("Mpo", "WebP", "Tiff", "Avif"):
        with suppress(ImportError):
            importlib.import_module(f"PIL.{plugin}ImagePlugin")
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextmanager
def _opened(path: Path, where: str) -> Iterator[Image]:
    """The picture with its header read and nothing decoded; every fault of the library as ImageError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow warns between 89 and 179 megapixels; the limit below is stricter and says so itself.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_formats()) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    what = f"the picture has {width * height / 1e6:.0f} megapixels ({width} × {height})"
                    raise ImageError(what, where=where, fix="make it smaller: at most 50 megapixels")
                yield image
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise _no_picture(path, where) from error
    except Image.DecompressionBombError as error:
        raise ImageError("the picture is larger than 50 megapixels", where=where, fix="make it smaller") from error
    except Exception as error:  # on broken data Pillow's decoders raise whatever they like
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ImageError(f"the picture is broken or cut off ({reason})", where=where, fix=WHOLE) from error


def _no_picture(path: Path, where: str) -> ImageError:
    with path.open("rb") as file:
        found = not_a_picture(file.read(4096))
    what = found or ImageError("this is not a picture that mail can carry", fix=_FIX)
    return ImageError(what.what, where=where, fix=what.fix)


def _made(
    path: Path, recipe: Recipe, focal: tuple[float, float] | None, where: str, *, most: int | None = None
) -> tuple[bytes, str]:
    """The file of a derivative; ``most`` limits its sides, which leaves what is cut off as it is."""
    from PIL import Image, ImageOps

    with _opened(path, where) as image:
        flat = is_flat(image)
        if image.format in ("JPEG", "MPO"):
            # A JPEG decodes at 1/2, 1/4 or 1/8 for a fraction of the time; never below twice the size needed.
            # Where the cut is looked for, it is in what the mail's own picture is made of.
            enough = max(recipe.width, recipe.height) if most is None or (not focal and recipe.fit == "crop") else most
            image.draft(None, _within((recipe.width * 2, recipe.height * 2), enough * 2))
        image.load()
        if is_cut_off(path.read_bytes(), image):
            raise ImageError("the picture is cut off: its lower part is missing", where=where, fix=WHOLE)
        upright = _upright(image)
        if recipe.fit == "contain":
            rgba = to_srgb_and_alpha(upright)
            rgba.thumbnail((recipe.width, recipe.height), Image.Resampling.LANCZOS)
            return logo_file(rgba, recipe), ".png"
        colours = to_srgb(upright)
        if recipe.fit == "whole":
            colours.thumbnail(_within(colours.size, most), Image.Resampling.LANCZOS)
            return picture_file(colours, recipe, flat=flat)
        centring = focal or where_to_cut(colours, recipe.width / recipe.height)
        size = _within(_size(colours.size, recipe), most)
        return picture_file(
            ImageOps.fit(colours, size, Image.Resampling.LANCZOS, centering=centring), recipe, flat=flat
        )


def _upright(image: Image) -> Image:
    """As the camera was held. Pillow's ``exif_transpose`` writes all metadata anew and stumbles over broken tags."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    orientation = image.getexif().get(_ORIENTATION)
    turn = turns.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _size(original: tuple[int, int], recipe: Recipe) -> tuple[int, int]:
    """The recipe's pixels, or the largest of the same shape that the original fills."""
    scale = min(1.0, original[0] / recipe.width, original[1] / recipe.height)
    return max(1, round(recipe.width * scale)), max(1, round(recipe.height * scale))


def _within(size: tuple[int, int], most: int | None) -> tuple[int, int]:
    """The largest size of the same shape whose sides have at most ``most`` pixels."""
    scale = 1.0 if most is None else min(1.0, most / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
