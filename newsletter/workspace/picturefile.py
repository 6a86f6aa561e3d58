"""What the bytes of a picture file say: what it is if it is no picture, and whether it is whole.

Names and declared types are not asked. Intake and rendering both come here, because a file may change in between.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from newsletter.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 50_000_000
"""The most pixels of a picture, checked in the header before one is decoded: decoded each takes four bytes."""

AS_JPEG = "save it as JPEG or PNG and use that"
WHOLE = "get the file again, whole"

_SVG = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s{0,200}(?:<\?xml[^>]{0,300}>\s{0,200})?(?:<!--.{0,2000}?-->\s{0,200})?<(?:svg|!DOCTYPE\s+svg)",
    re.DOTALL | re.IGNORECASE,
)
_HTML = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s{0,200}(?:<!--.{0,2000}?-->\s{0,200})?<(?:!DOCTYPE\s+html|html|head|body)\b", re.I | re.S
)
_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis")
_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")

# A marker of a JPEG (ITU T.81, B.1.1.2): FF and a byte that is neither a stuffed zero, a restart mark nor padding.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_END, _SCAN = 0xD9, 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_EVERY_COEFFICIENT = (1 << 64) - 1
_FILLING = bytes(range(1, 200)) * 10
_HOLE = bytes(1024)
_JPEG = ("JPEG",)


def not_a_picture(data: bytes) -> ImageError | None:
    """The error for a file that no decoder takes, if its first bytes tell what it is instead; else None."""
    if not data:
        return ImageError("the file is empty, not a picture", fix=WHOLE)
    head = data[:4096]
    if _SVG.match(head):
        return ImageError(
            "this is an SVG drawing, not a picture that mail can show", fix="export it as PNG and use that"
        )
    if _HTML.match(head):
        return ImageError("this is a web page, not a picture", fix="open its address in a browser and save the picture")
    if head.startswith(b"%PDF-"):
        return ImageError("this is a PDF, not a picture", fix="export the page as JPEG or PNG and use that")
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC:
        return ImageError("this is a HEIC picture, which mail cannot show", fix=AS_JPEG)
    if head.startswith(_STARTS) or head[4:12] == b"ftypavif" or (head[:4], head[8:12]) == (b"RIFF", b"WEBP"):
        return ImageError("the picture is broken or cut off", fix=WHOLE)
    if not re.search(rb"[^\t\n\r -~\x80-\xff]", head) and not head.startswith(b"BM"):
        return ImageError("this is text, not a picture", fix="open it to see what came in place of the picture")
    return None


def is_cut_off(data: bytes, image: Image) -> bool:
    """Whether a file that was decoded without complaint lacks its end.

    ``image`` is ``data`` decoded, at whatever scale. A JPEG whose data stops before its end mark is filled up in grey
    by the decoder, or stays coarse, without a word; a WebP or AVIF that ends in a hole of zeros is shown somehow.
    """
    if image.format in ("JPEG", "MPO"):
        end, whole = _structure(data)
        return not end or ((not whole or _ends_grey(image)) and _takes_more(data[:end]))
    if image.format == "WEBP":
        return data[: 8 + int.from_bytes(data[4:8], "little")].endswith(_HOLE)
    return image.format == "AVIF" and data.endswith(_HOLE)


def _structure(data: bytes) -> tuple[int, bool]:
    """Where the first picture of a JPEG ends (0 if nowhere), and whether its scans hold every coefficient."""
    missing: dict[int, int] = {}
    at = 2
    while found := _MARKER.search(data, at):
        code, at = data[found.start() + 1], found.end()
        if code == _END:
            return found.start(), not any(missing.values())
        length = int.from_bytes(data[at : at + 2], "big")
        segment = data[at + 2 : at + length]
        if code in _FRAMES and len(segment) > 6:
            missing = dict.fromkeys(segment[6::3], _EVERY_COEFFICIENT)
        elif code == _SCAN and segment and len(segment) >= 4 + 2 * segment[0]:
            count = segment[0]
            first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
            done = (1 << last + 1) - (1 << first) if bits & 15 == 0 and first <= last else 0
            for component in segment[1 : 1 + 2 * count : 2]:
                missing[component] = missing.get(component, 0) & ~done
        at += length
    return 0, False


def _ends_grey(image: Image) -> bool:
    """Whether the last pixel has the grey that the decoder fills up with."""
    pixel = image.getpixel((image.width - 1, image.height - 1))
    return all(126 <= value <= 129 for value in (pixel if isinstance(pixel, tuple) else (pixel or 0,)))


def _takes_more(data: bytes) -> bool:
    """Whether more data before the end mark would change the picture: a decoder that has it all ignores the rest."""
    from PIL import Image, ImageChops

    end = b"\xff\xd9"
    with (
        Image.open(io.BytesIO(data + end), formats=_JPEG) as as_it_is,
        Image.open(io.BytesIO(data + _FILLING + end), formats=_JPEG) as longer,
    ):
        return ImageChops.difference(as_it_is, longer).getbbox() is not None
