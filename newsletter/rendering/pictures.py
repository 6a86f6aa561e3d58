"""Originals become derivatives: cropped around the focal point, sRGB, small, no metadata, named by their making."""

from __future__ import annotations

import hashlib
import importlib
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.errors import ImageError
from newsletter.rendering.recipes import Recipe
from newsletter.workspace.files import write_atomic

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling

MAX_PIXELS = 50_000_000
"""Checked in the header, before a pixel is decoded."""

MAX_FILE = 64 * 1024 * 1024
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")
"""Nothing else is tried: the fewer decoders, the less there is to attack."""

DEFAULT_FOCAL = (0.5, 0.4)
"""A little above the middle: faces are there more often than below it."""

_QUALITIES = (82, 76, 70, 64, 57, 50)
_FLAT_COLOURS = 256
_SUFFIXES = {".jpg": "image/jpeg", ".png": "image/png"}
_FIX = "open and save it again as JPEG or PNG, or take another picture"

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

    A picture that is smaller than the recipe is cropped to its shape and keeps its own resolution: nothing is blown up.
    Raises ImageError (``where`` names article and file) for what is missing, broken, over 50 megapixels or no picture.
    """
    identity = f"{_digest(original, where)}/{recipe.key}"
    if recipe.fit == "crop":
        identity += f"/{focal or DEFAULT_FOCAL}"
    stem = hashlib.sha256(identity.encode()).hexdigest()[:16]
    for suffix in _SUFFIXES:
        path = folder / f"{stem}{suffix}"
        if path.is_file():
            return _described(path, where)
    with _MAKING:
        data, suffix = _made(original, recipe, focal or DEFAULT_FOCAL, where)
    path = folder / f"{stem}{suffix}"
    write_atomic(path, data)
    return _described(path, where)


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
    return Derivative(path, _SUFFIXES[path.suffix], state.st_size, width, height)


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
    except UnidentifiedImageError as error:
        raise ImageError("this is not a picture that mail can carry", where=where, fix=_FIX) from error
    except Image.DecompressionBombError as error:
        raise ImageError("the picture is larger than 50 megapixels", where=where, fix="make it smaller") from error
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, MemoryError, IndexError, TypeError) as error:
        raise ImageError(f"the picture is broken: {error}", where=where, fix=_FIX) from error


def _made(path: Path, recipe: Recipe, focal: tuple[float, float], where: str) -> tuple[bytes, str]:
    from PIL import ImageOps

    with _opened(path, where) as image:
        flat = _is_flat(image)
        if image.format in ("JPEG", "MPO"):
            # A JPEG decodes at 1/2, 1/4 or 1/8 for a fraction of the time; never below twice the size needed.
            image.draft(None, (recipe.width * 2, recipe.height * 2))
        image.load()
        upright = ImageOps.exif_transpose(image)
        if recipe.fit == "contain":
            return _contained(upright, recipe), ".png"
        colours = _srgb(upright)
        fitted = ImageOps.fit(colours, _size(colours.size, recipe), _lanczos(), centering=focal)
        fitted.info.clear()  # Pillow writes a comment or a profile that it finds here
        jpeg = _jpeg(fitted, recipe.budget)
        png = _png(fitted) if flat else jpeg
        return (png, ".png") if len(png) < len(jpeg) else (jpeg, ".jpg")


def _lanczos() -> Resampling:
    from PIL import Image

    return Image.Resampling.LANCZOS


def _size(original: tuple[int, int], recipe: Recipe) -> tuple[int, int]:
    """The recipe's pixels, or the largest of the same shape that the original fills."""
    scale = min(1.0, original[0] / recipe.width, original[1] / recipe.height)
    return max(1, round(recipe.width * scale)), max(1, round(recipe.height * scale))


def _is_flat(image: Image) -> bool:
    """A drawing with few colours: sharp as PNG, smeared as JPEG. What was a JPEG once is neither sharp nor flat."""
    return (
        image.format not in ("JPEG", "MPO")
        and image.mode in ("1", "P", "L", "LA", "PA", "RGB", "RGBA")
        and (image.mode in ("1", "P") or image.getcolors(_FLAT_COLOURS) is not None)
    )


def _srgb(image: Image) -> Image:
    """RGB in the sRGB space: by the profile that the file brings, transparency on white."""
    from PIL import Image as Images

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Images.new("RGBA", image.size, (255, 255, 255, 255))
        return Images.alpha_composite(ground, image).convert("RGB")
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        converted = _by_profile(image, profile)
        if converted is not None:
            return converted
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = image.point(lambda value: value / 256).convert("L")
    return image.convert("RGB")


def _by_profile(image: Image, profile: bytes) -> Image | None:
    """The picture converted by its colour profile; None when the profile is of no use."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _jpeg(image: Image, budget: int) -> bytes:
    """The best quality that keeps the budget, the lowest otherwise; no metadata."""
    data = b""
    for quality in _QUALITIES:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, progressive=True, optimize=True, subsampling="4:2:0")
        data = out.getvalue()
        if len(data) <= budget:
            break
    return data


def _png(image: Image) -> bytes:
    from PIL import Image as Images

    out = io.BytesIO()
    flat = image.quantize(_FLAT_COLOURS, dither=Images.Dither.NONE)
    flat.save(out, "PNG", optimize=True)
    return out.getvalue()


def _contained(image: Image, recipe: Recipe) -> bytes:
    """A logo within the recipe's box, transparent where it was."""
    rgba = image.convert("RGBA")
    rgba.info.clear()
    rgba.thumbnail((recipe.width, recipe.height), _lanczos())
    out = io.BytesIO()
    rgba.save(out, "PNG", optimize=True)
    if len(out.getvalue()) > recipe.budget:
        out = io.BytesIO()
        rgba.quantize(_FLAT_COLOURS).save(out, "PNG", optimize=True)
    return out.getvalue()
