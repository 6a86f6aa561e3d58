"""Colours come out as they were meant: by the file's profile, as printed for inks, on white where transparent."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from newsletter.rendering.colours import to_srgb, to_srgb_and_alpha
from newsletter.rendering.inks import coated_paper
from newsletter.rendering.pictures import make_derivative
from newsletter.rendering.recipes import LIST

Pixel = tuple[int, ...]
Matrix = list[list[float]]

# Red, green and blue of each space in XYZ under D50, as the columns of the matrix.
SRGB: Matrix = [[0.43607, 0.38515, 0.14307], [0.22249, 0.71689, 0.06062], [0.01392, 0.09708, 0.71410]]
P3: Matrix = [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
ADOBE: Matrix = [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]


def linear(value: float) -> float:
    value /= 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def curved(value: float, gamma: float | None) -> int:
    value = min(1.0, max(0.0, value))
    if gamma:
        return round(255 * value ** (1 / gamma))
    return round(255 * (value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055))


def times(matrix: Matrix, vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def inverse(m: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = m
    det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    rows = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
    return [[value / det for value in row] for row in rows]


def written_in(space: Matrix, gamma: float | None, srgb: Pixel) -> Pixel:
    """The numbers that stand for an sRGB colour in another space."""
    light = times(inverse(space), times(SRGB, [linear(value) for value in srgb]))
    return tuple(curved(value, gamma) for value in light)


def profile_of(space: Matrix, gamma: float | None) -> bytes:
    """An ICC.1 profile of a matrix and a curve, made here."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    if gamma:
        curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    else:
        parts = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + b"".join(map(number, parts))
    white = b"XYZ " + bytes(4) + b"".join(map(number, (0.9642, 1.0, 0.8249)))
    entries = [
        (b"wtpt", white),
        (b"cprt", b"text" + bytes(4) + b"free\0\0\0\0"),
        (b"desc", b"text" + bytes(4) + b"x\0\0\0"),
    ]
    for at, name in enumerate((b"r", b"g", b"b")):
        entries.append((name + b"XYZ", b"XYZ " + bytes(4) + b"".join(number(row[at]) for row in space)))
        entries.append((name + b"TRC", curve))
    start, index, body = 128 + 4 + 12 * len(entries), b"", b""
    for tag, data in entries:
        index += tag + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sIIIQI12s48s",
        start + len(body), b"lcms", 0x04200000, b"mntr", b"RGB ", b"XYZ ", 2026, 1, 1, 0, 0, 0, b"acsp", b"APPL",
        0, 0, 0, 0, 0, b"".join(map(number, (0.9642, 1.0, 0.8249))), bytes(48),
    )  # fmt: skip
    return header + struct.pack(">I", len(entries)) + index + body


def near(found: Any, wanted: Pixel, within: int) -> bool:
    return isinstance(found, tuple) and all(abs(a - b) <= within for a, b in zip(found, wanted, strict=True))


def through(image: Image.Image, folder: Path, suffix: str, **options: Any) -> Image.Image:
    """A picture saved, made into a derivative, and opened again as RGB."""
    path = folder / f"a.{suffix}"
    image.save(path, **options)
    one = make_derivative(path, LIST, folder / "cache", focal=None, where="story x, image y")
    with Image.open(one.path) as made:
        assert "icc_profile" not in made.info
        return made.convert("RGB")


SIZE = (480, 320)
COLOURS = [(200, 100, 50), (60, 140, 70), (40, 60, 160), (128, 128, 128), (255, 255, 255)]
SPACES = {"Display P3": (P3, None), "Adobe RGB": (ADOBE, 563 / 256)}


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "avif", "tif"])
def test_a_wide_colour_space_is_brought_to_srgb(tmp_path: Path, kind: str, space: str, colour: Pixel) -> None:
    """Telephones write Display P3, cameras Adobe RGB: without this, skin looks pale in the mail."""
    matrix, gamma = SPACES[space]
    stored = written_in(matrix, gamma, colour)
    assert stored == colour or len(set(colour)) > 1 or near(stored, colour, 2), "greys have the same numbers"
    options: dict[str, Any] = {"icc_profile": profile_of(matrix, gamma)}
    if kind in ("jpg", "webp", "avif"):
        options["quality"] = 95
    made = through(Image.new("RGB", SIZE, stored), tmp_path, kind, **options)
    assert near(made.getpixel((100, 100)), colour, 5)


@pytest.mark.parametrize("space", SPACES)
def test_transparent_and_palette_pictures_have_profiles_too(space: str) -> None:
    """A screenshot of a Mac is RGBA in Display P3; the white ground is put under it after the conversion."""
    matrix, gamma = SPACES[space]
    colour = (200, 100, 50)
    stored, profile = written_in(matrix, gamma, colour), profile_of(matrix, gamma)
    clear = Image.new("RGBA", (8, 8), (*stored, 255))
    clear.putpixel((0, 0), (*stored, 0))
    clear.putpixel((1, 0), (*stored, 128))
    palette = Image.new("RGB", (8, 8), stored).quantize(4)
    for image in (clear, palette):
        image.info["icc_profile"] = profile
        assert near(to_srgb(image).getpixel((5, 5)), colour, 3)
    assert to_srgb(clear).getpixel((0, 0)) == (255, 255, 255)
    half = tuple(round((value + 255) / 2) for value in colour)
    assert near(to_srgb(clear).getpixel((1, 0)), half, 3)
    logo = to_srgb_and_alpha(clear)
    assert logo.getpixel((0, 0))[3] == 0 and near(logo.getpixel((5, 5)), (*colour, 255), 3)


def test_a_grey_picture_with_a_camera_s_profile(tmp_path: Path) -> None:
    """It goes through the profile's curve; one that is of no use changes nothing."""
    made = through(Image.new("L", SIZE, 100), tmp_path, "jpg", icc_profile=profile_of(ADOBE, 1.0), quality=95)
    bright = curved(100 / 255, None)
    assert near(made.getpixel((9, 9)), (bright, bright, bright), 4) and bright > 150
    for profile in (b"nonsense", coated_paper()):
        made = through(Image.new("L", SIZE, 100), tmp_path, "jpg", icc_profile=profile, quality=95)
        assert near(made.getpixel((9, 9)), (100, 100, 100), 3)


# Percent of cyan, magenta, yellow and black, and what coated paper shows of it (within eight of 255).
PRINTED = [
    ((0, 0, 0, 0), (255, 255, 255)),
    ((100, 0, 0, 0), (0, 159, 227)),
    ((0, 100, 0, 0), (230, 0, 126)),
    ((0, 0, 100, 0), (255, 237, 0)),
    ((0, 100, 100, 0), (227, 6, 19)),
    ((100, 0, 100, 0), (0, 152, 64)),
    ((0, 0, 0, 100), (29, 29, 27)),
    ((100, 100, 100, 100), (0, 0, 0)),
]


def inks(percent: Pixel) -> Image.Image:
    return Image.new("CMYK", SIZE, tuple(round(value * 2.55) for value in percent))


@pytest.mark.parametrize(("percent", "wanted"), PRINTED)
@pytest.mark.parametrize("kind", ["jpg", "tif"])
def test_inks_without_a_profile_look_as_on_coated_paper(
    tmp_path: Path, kind: str, percent: Pixel, wanted: Pixel
) -> None:
    """The sRGB values that designers know for the solid inks, from a JPEG (inverted, as by Adobe) and a TIFF (not)."""
    made = through(inks(percent), tmp_path, kind, **({"quality": 95} if kind == "jpg" else {}))
    assert near(made.getpixel((9, 9)), wanted, 8)


def test_a_print_desk_s_grey_is_grey() -> None:
    """Printed grey needs more cyan; taken for light, it would be tinted by 25."""
    for percent in ((50, 40, 40, 0), (30, 22, 22, 0), (70, 60, 60, 20), (0, 0, 0, 50)):
        pixel = to_srgb(inks(percent)).getpixel((0, 0))
        assert isinstance(pixel, tuple) and max(pixel) - min(pixel) <= 12, (percent, pixel)


def test_more_ink_is_darker() -> None:
    """The table has no dents: each ink darkens, in all of its steps, whatever lies under it."""
    image = Image.frombytes("CMYK", (256, 4), b"".join(
        bytes((n if ink == 0 else 40, n if ink == 1 else 40, n if ink == 2 else 40, n if ink == 3 else 0))
        for ink in range(4) for n in range(256)
    ))  # fmt: skip
    light = to_srgb(image).convert("L").tobytes()
    for ink in range(4):
        row = light[ink * 256 : ink * 256 + 256]
        assert all(a >= b - 1 for a, b in itertools.pairwise(row)) and row[0] > row[-1] + 10


def test_a_jpeg_of_inks_is_read_the_same_without_adobe_s_mark(tmp_path: Path) -> None:
    """Tools that strip metadata take the mark away and leave the values inverted."""
    out = io.BytesIO()
    inks((0, 100, 100, 0)).save(out, "JPEG", quality=95)
    data = out.getvalue()
    at = data.find(b"\xff\xee")
    assert data[at + 4 : at + 9] == b"Adobe"
    for name, bytes_ in (("with.jpg", data), ("without.jpg", data[:at] + data[at + 16 :])):
        (tmp_path / name).write_bytes(bytes_)
        one = make_derivative(tmp_path / name, LIST, tmp_path / "cache", focal=None, where="x")
        with Image.open(one.path) as made:
            assert near(made.getpixel((9, 9)), (227, 6, 19), 8), name


def test_a_profile_of_inks_is_preferred_to_ours() -> None:
    """And one of no use is passed over."""
    image = inks((0, 100, 100, 0))
    swapped = bytearray(coated_paper())
    image.info["icc_profile"] = bytes(swapped)
    usual = to_srgb(image).getpixel((0, 0))
    table = swapped.find(b"mft1")
    first_curve = table + 48
    swapped[first_curve + 256 : first_curve + 512] = bytes(256)  # magenta leaves no mark
    image.info["icc_profile"] = bytes(swapped)
    assert near(to_srgb(image).getpixel((0, 0)), (255, 237, 0), 8)
    image.info["icc_profile"] = b"nonsense"
    assert to_srgb(image).getpixel((0, 0)) == usual


def test_the_profile_is_one(tmp_path: Path) -> None:
    """The colour library reads it as a printer's, from CMYK to CIELAB."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(coated_paper())).profile
    assert (profile.xcolor_space, profile.connection_space, profile.device_class) == ("CMYK", "Lab ", "prtr")
    assert coated_paper() == coated_paper()


def sixteen_bit_grey(value: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A grey PNG of 480 × 320 with two bytes a pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + struct.pack(">480H", *[value] * 480)) * 320
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", *SIZE, 16, 0, 0, 0, 0)),
        *chunks,
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_sixteen_bits_of_grey_with_a_transparent_value(tmp_path: Path) -> None:
    """A chunk that names the transparent grey in sixteen bits does no harm."""
    (tmp_path / "a.png").write_bytes(sixteen_bit_grey(40_000, (b"tRNS", struct.pack(">H", 7))))
    one = make_derivative(tmp_path / "a.png", LIST, tmp_path / "cache", focal=None, where="x")
    with Image.open(one.path) as made:
        assert near(made.convert("RGB").getpixel((9, 9)), (156, 156, 156), 3)


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_a_tiff_of_sixteen_bits_in_either_order(tmp_path: Path, mode: str) -> None:
    """Scanners write the one, old Macs the other."""
    made = through(Image.new(mode, SIZE, 40_000), tmp_path, "tif")
    assert near(made.getpixel((9, 9)), (156, 156, 156), 3)


@pytest.mark.parametrize("mode", ["LA", "PA"])
def test_half_transparent_grey_and_palette_stand_on_white(mode: str) -> None:
    """Black at half its strength is the grey between."""
    black = Image.new("RGB", (4, 4), (0, 0, 0))
    image = (black.quantize(2) if mode == "PA" else black).convert(mode)
    image.putalpha(128)
    assert image.mode == mode
    assert near(to_srgb(image).getpixel((1, 1)), (127, 127, 127), 2)
    image.putalpha(0)
    assert to_srgb(image).getpixel((1, 1)) == (255, 255, 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_every_orientation_gives_the_bytes_of_the_upright_picture(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    """Pixel for pixel, where the format loses none."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    upright = Image.radial_gradient("L").resize(SIZE).convert("RGB")
    upright.paste((200, 30, 30), (20, 30, 120, 90))
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain = through(upright, tmp_path, suffix)
    turned = through(stored, tmp_path, suffix, exif=exif)
    assert plain.tobytes() == turned.tobytes()


@pytest.mark.parametrize(
    "entry",
    [
        struct.pack("<HHI4s", 0x011A, 7, 4, b"abcd"),  # a resolution that is no number
        struct.pack("<HHI4s", 0x0100, 2, 4, b"ab\xff\0"),  # a width in letters
        struct.pack("<HHII", 0x8769, 4, 1, 0x7FFFFFFF),  # a table far behind the file's end
        struct.pack("<HHII", 0x9999, 12, 70_000_000, 4),  # more values than there are bytes
    ],
)
def test_a_picture_stands_upright_whatever_else_its_exif_data_says(tmp_path: Path, entry: bytes) -> None:
    """One broken tag is no reason to refuse a picture, nor to lay it on its side."""
    turned = Image.new("RGB", (320, 480), (200, 30, 30))
    turned.paste((30, 30, 200), (0, 240, 320, 480))
    tags = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + tags + entry + bytes(4)
    made = through(turned, tmp_path, "jpg", exif=exif, quality=95)
    assert near(made.getpixel((20, 100)), (30, 30, 200), 8) and near(made.getpixel((300, 100)), (200, 30, 30), 8)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage!", b"Exif\0\0II", b"Exif\0\0II*\0\xff\xff\xff\x7f"])
def test_exif_data_that_cannot_be_read_turns_nothing(tmp_path: Path, exif: bytes) -> None:
    """The picture itself is whole."""
    made = through(Image.new("RGB", SIZE, (200, 30, 30)), tmp_path, "jpg", exif=exif, quality=95)
    assert near(made.getpixel((9, 9)), (200, 30, 30), 5)
