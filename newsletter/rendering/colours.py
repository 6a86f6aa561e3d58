"""Whatever pixels a file has become RGB in the sRGB space, the only one that mail programs agree on."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageCms import ImageCmsProfile

GROUND = (255, 255, 255)
"""What shows through where a picture is transparent."""


def to_srgb(image: Image) -> Image:
    """RGB pixels: by the profile that the file brings, CMYK without one as printed on coated paper.

    Transparent places become white, sixteen bits eight. Raises ValueError for pixels that cannot be converted.
    """
    from PIL import Image as Images

    rgb, alpha = _converted(image)
    return rgb if alpha is None else Images.composite(rgb, Images.new("RGB", rgb.size, GROUND), alpha)


def to_srgb_and_alpha(image: Image) -> Image:
    """The same as RGBA: transparent places stay so."""
    rgb, alpha = _converted(image)
    rgba = rgb.convert("RGBA")
    if alpha is not None:
        rgba.putalpha(alpha)
    return rgba


def _converted(image: Image) -> tuple[Image, Image | None]:
    """RGB in sRGB, and how opaque each pixel is; None for a picture that is opaque everywhere."""
    profile = image.info.get("icc_profile")
    image, alpha = _without_alpha(_of_eight_bits(image))
    if image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    rgb = _by_profile(image, profile) if profile else None
    if rgb is None:
        rgb = _as_printed(image) if image.mode == "CMYK" else image.convert("RGB")
    return rgb, alpha


def _of_eight_bits(image: Image) -> Image:
    """Grey of sixteen bits (PNG, TIFF) brought down to eight; Pillow reads colours of sixteen bits as eight."""
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    wide = image.convert("I") if image.mode.startswith("I;16") else image
    grey = wide.point(lambda value: value / 256).convert("L")
    grey.info.pop("transparency", None)  # a value of sixteen bits, which means nothing now
    return grey


def _without_alpha(image: Image) -> tuple[Image, Image | None]:
    """The colours and the opacity, apart."""
    if image.mode in ("LA", "La"):
        image = image.convert("LA")
        return image.getchannel("L"), image.getchannel("A")
    if image.mode in ("RGBA", "RGBa", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        return image.convert("RGB"), image.getchannel("A")
    return image, None


def _by_profile(image: Image, profile: bytes) -> Image | None:
    """The picture converted by its colour profile; None when that is of no use, or of another kind of pixels."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if image.mode == "L" and space == "RGB":
            image = image.convert("RGB")  # a grey JPEG often brings the camera's own profile
        return ImageCms.profileToProfile(image, source, _screen(), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _as_printed(image: Image) -> Image:
    from PIL import ImageCms

    from newsletter.rendering.inks import coated_paper

    paper = ImageCms.ImageCmsProfile(io.BytesIO(coated_paper()))
    printed = ImageCms.profileToProfile(image, paper, _screen(), outputMode="RGB")
    assert printed is not None, "profileToProfile returns a new picture unless it is asked to work in place"
    return printed


@lru_cache(maxsize=1)
def _screen() -> ImageCmsProfile:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
