"""Pictures that stay on a CDN are asked for in the size that the layout needs; the crop that the editor chose stays.

Only what an address shows to be possible is asked for: an unknown server, a signed address or a chain of
transformations that cannot be read leaves it as it is. Sources: docs.imgix.com/apis/rendering, Cloudinary's
"Transformation URL API reference", WordPress's "Photon API" page, and addresses on pages that RebelMouse serves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote_plus, urlsplit, urlunsplit

_PHOTON = re.compile(r"i[0-3]\.wp\.com")
_PHOTON_SIZES = {"w", "h", "fit", "resize", "lb", "zoom"}
_IMGIX = ".imgix.net"
_CLOUDINARY = re.compile(r"(?:[a-z0-9-]+-)?res(?:-[1-5])?\.cloudinary\.com")
_CLOUDINARY_PATH = re.compile(
    r"(?P<head>/(?:[^/]+/)?image/(?:upload|fetch|private|facebook|twitter)/)(?P<rest>.+)\Z", re.DOTALL
)
_REBELMOUSE_PATH = re.compile(r"/media-library/[^/]+\.(?:jpe?g|png|gif|webp)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,4})?")

# One step of a Cloudinary transformation: w_300, c_fill, g_auto:face, $width_10, if_w_gt_300. The names are its own,
# so that a folder such as my_pictures is none.
_STEP = re.compile(
    r"(?:\$[A-Za-z][A-Za-z0-9]*|ac?|ar|bo?|c[os]?|d|dn|dpr|e|f[ln]?|g|h|if|l|o|pg?|q|r|t|u|w|x|y|z)_[^,/]+"
)
_FILLS = {"c_fill", "c_thumb", "c_auto"}
_OPAQUE = ("l_", "u_", "t_", "if_", "$", "fl_layer_apply", "fl_relative", "a_")


@dataclass(frozen=True, slots=True)
class Asked:
    """An address, and the shape (width / height) of the picture that it gives; None where nobody can know."""

    url: str
    shape: float | None = None


def ask_for(url: str, width: int, height: int) -> Asked:
    """The address of the same picture at ``width`` × ``height`` pixels; an address of an unknown kind as it is.

    A RebelMouse address keeps its own shape, because its ``coordinates`` hold for that shape alone; all others
    take the shape that is asked for. Whatever else the address says stays, in its order.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return Asked(url)
    if _PHOTON.fullmatch(host):
        return _photon(url, parts, width, height)
    if host.endswith(_IMGIX):
        return _imgix(url, parts, width, height)
    if _CLOUDINARY.fullmatch(host):
        return _cloudinary(url, parts, width, height)
    if _REBELMOUSE_PATH.fullmatch(parts.path) and re.fullmatch(r"[0-9]+", _value(parts.query, "id")):
        return _rebelmouse(parts, width)
    return Asked(url)


def _photon(url: str, parts: SplitResult, width: int, height: int) -> Asked:
    """``resize`` cuts to our shape. Photon goes by the order, so a ``crop`` after a size counts that size's pixels."""
    names = _names(parts.query)
    if "crop" in names and not _PHOTON_SIZES.isdisjoint(names[: names.index("crop")]):
        return Asked(url)
    query = _with(parts.query, {"resize": f"{width}%2C{height}"}, drop=_PHOTON_SIZES - {"resize"})
    return Asked(_joined(parts, query=query), width / height)


def _imgix(url: str, parts: SplitResult, width: int, height: int) -> Asked:
    """``fit=crop`` keeps ``rect``, ``crop`` and the focal point; ``dpr`` and the limits would change the size again.

    ``s`` is a signature over the rest; ``fit=facearea`` is a crop of its own, which no other ``fit`` gives.
    """
    names = _names(parts.query)
    if "s" in names or _value(parts.query, "fit") == "facearea":
        return Asked(url)
    wanted = {"w": str(width), "h": str(height), "fit": "crop"}
    query = _with(parts.query, wanted, drop={"dpr", "ar", "max-w", "max-h", "min-w", "min-h"})
    return Asked(_joined(parts, query=query), width / height)


def _rebelmouse(parts: SplitResult, width: int) -> Asked:
    """The same crop at another width. Without both measures of the old one its shape is not known."""
    old = [_value(parts.query, name) for name in ("width", "height")]
    if all(_NUMBER.fullmatch(value) and float(value) > 0 for value in old):
        shape = float(old[0]) / float(old[1])
        wanted = {"width": str(width), "height": str(max(1, round(width / shape)))}
        return Asked(_joined(parts, query=_with(parts.query, wanted)), shape)
    return Asked(_joined(parts, query=_with(parts.query, {"width": str(width)}, drop={"height"})))


def _cloudinary(url: str, parts: SplitResult, width: int, height: int) -> Asked:
    """The step that sizes the picture gets our size; steps that crop before it, and its gravity, stay."""
    found = _CLOUDINARY_PATH.fullmatch(parts.path)
    if found is None or "__cld_token__" in _names(parts.query) or found["rest"].startswith("s--"):
        return Asked(url)
    segments = found["rest"].split("/")
    # The last segment is the picture's name, whatever it looks like.
    count = next((n for n, one in enumerate(segments[:-1]) if not _is_transformation(one)), len(segments) - 1)
    chain = [segment.split(",") for segment in segments[:count]]
    sizing = [place for place, steps in enumerate(chain) if _sizes(steps)]
    cuts_later = any("c_crop" in steps for steps in chain[sizing[0] :]) if sizing else False
    if len(sizing) > 1 or cuts_later or any(step.startswith(_OPAQUE) for steps in chain for step in steps):
        return Asked(url)
    if sizing:
        chain[sizing[0]] = _filling(chain[sizing[0]], width, height)
    else:
        chain.append(_filling([], width, height))
    path = found["head"] + "/".join([*map(",".join, chain), *segments[count:]])
    return Asked(_joined(parts, path=path), width / height)


def _is_transformation(segment: str) -> bool:
    return all(_STEP.fullmatch(step) for step in segment.split(","))


def _sizes(steps: Sequence[str]) -> bool:
    """Whether steps set the picture's size: a cut out of the original (``c_crop``) does not."""
    return "c_crop" not in steps and any(step.startswith(("w_", "h_", "ar_", "c_")) for step in steps)


def _filling(steps: Sequence[str], width: int, height: int) -> list[str]:
    """The steps with our size in the place of theirs, filled around their gravity."""
    crop = next((step for step in steps if step in _FILLS), "c_fill")
    size = [crop, f"w_{width}", f"h_{height}"]
    replaced = ("c_", "w_", "h_", "ar_", "dpr_")
    place = next((n for n, step in enumerate(steps) if step.startswith(replaced)), 0)
    return [*steps[:place], *size, *(step for step in steps[place:] if not step.startswith(replaced))]


def _names(query: str) -> list[str]:
    return [unquote_plus(pair.partition("=")[0]) for pair in query.split("&")]


def _value(query: str, name: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&"))
    return next((unquote_plus(value) for key, _, value in pairs if unquote_plus(key) == name), "")


def _with(query: str, wanted: dict[str, str], *, drop: Collection[str] = ()) -> str:
    """The query with values set where their names stand, appended where they do not; the rest byte for byte."""
    missing = dict(wanted)
    pairs: list[str] = []
    for pair in query.split("&") if query else []:
        name = unquote_plus(pair.partition("=")[0])
        if name in wanted:
            if name in missing:
                pairs.append(f"{name}={missing.pop(name)}")
        elif name not in drop:
            pairs.append(pair)
    return "&".join([*pairs, *(f"{name}={value}" for name, value in missing.items())])


def _joined(parts: SplitResult, *, path: str | None = None, query: str | None = None) -> str:
    return urlunsplit(parts._replace(path=path or parts.path, query=parts.query if query is None else query))
