"""Pictures as they came in: checked before they are decoded, kept under the hash of their bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

from newsletter.errors import ImageError, RemoteError
from newsletter.net.addresses import shown
from newsletter.net.fetch import Fetched, Policy, fetch
from newsletter.workspace.files import make_folder, sha256_hex, write_atomic
from newsletter.workspace.paths import Workspace
from newsletter.workspace.picturefile import AS_JPEG, MAX_PIXELS, WHOLE, is_cut_off, not_a_picture
from newsletter.workspace.settings import Config

MAX_PICTURE = 25 * 1024 * 1024
"""The most bytes of a picture file that is fetched or read."""

SUFFIXES = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp", "AVIF": "avif"}
"""The formats that can be made into pictures for mail, with the ending of their files."""

Fetch = Callable[..., Fetched]


def check_picture(data: bytes) -> tuple[str, int, int]:
    """The format (a key of ``SUFFIXES``), width and height of a picture that is whole.

    The name and the declared type of a file are not asked: only its bytes. The size is checked before anything is
    decoded. Raises ImageError, with a fix, for another format, SVG, more than 50 million pixels, a broken file.
    """
    from PIL import Image, UnidentifiedImageError, features

    formats = [name for name in SUFFIXES if name != "AVIF" or features.check("avif")]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of bombs and odd metadata; the size is judged below
            with Image.open(io.BytesIO(data), formats=formats) as image:
                # A phone's JPEG with a second picture behind it calls itself MPO.
                name, (width, height) = str(image.format).replace("MPO", "JPEG"), image.size
                if width * height > MAX_PIXELS:
                    raise _too_large(width, height)
                # A large JPEG is decoded at an eighth: every byte is read, little memory is used.
                image.draft(None, (max(1, width // 8), max(1, height // 8)))
                image.load()
                if is_cut_off(data, image):
                    raise ImageError("the picture is cut off: its lower part is missing", fix=WHOLE)
    except ImageError:
        raise
    except Image.DecompressionBombError as wrong:
        raise _too_large() from wrong
    except UnidentifiedImageError as wrong:
        other = not_a_picture(data) or ImageError("this is not a JPEG, PNG, GIF, WebP or AVIF picture", fix=AS_JPEG)
        raise other from wrong
    except Exception as wrong:  # on broken data Pillow's decoders raise whatever they like
        reason = " ".join(str(wrong).split())[:120] or type(wrong).__name__
        raise ImageError(f"the picture is broken or cut off ({reason})", fix=WHOLE) from wrong
    return name, width, height


def _too_large(width: int = 0, height: int = 0) -> ImageError:
    size = f" ({width} × {height})" if width else ""
    return ImageError(
        f"the picture has more than 50 million pixels{size}", fix="use one that is about 1600 pixels wide"
    )


def keep_original(ws: Workspace, data: bytes) -> str:
    """Keep the bytes of a picture as they are and return their SHA-256, which is the name under ``originals``."""
    digest = sha256_hex(data)
    place = ws.originals / digest
    if not place.is_file() or place.stat().st_size != len(data):
        make_folder(ws.originals)
        write_atomic(place, data)
    return digest


def fetch_picture(ws: Workspace, config: Config, url: str, *, get: Fetch = fetch) -> str:
    """Fetch a picture, check it, keep it, and return its SHA-256. Raises RemoteError or ImageError."""
    return keep_original(ws, get_picture(config, url, get=get))


def get_picture(config: Config, url: str, *, get: Fetch = fetch) -> bytes:
    """The bytes of a picture on the web, checked. Raises RemoteError (with FetchRefused) or ImageError."""
    policy = Policy(allow_hosts=tuple(config.images.allow_hosts), max_bytes=MAX_PICTURE)
    found = get(url, policy, accept="image/avif,image/webp,image/jpeg,image/png,image/gif;q=0.9,*/*;q=0.1")
    if not found.ok:
        raise RemoteError(f"the server answered {found.status}", where=shown(url), fix="open the address in a browser")
    check_picture(found.body)
    return found.body
