"""Whatever a newsroom's cameras, agencies and phones write goes in; JPEG or PNG comes out."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms, features

from newsletter.rendering.pictures import Derivative, make_derivative
from newsletter.rendering.recipes import LEAD, LIST, LOGO

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
SIZE = (1440, 810)  # the lead's shape: nothing is cropped


def quarters(size: tuple[int, int] = SIZE) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", size, WHITE)
    half = (size[0] // 2, size[1] // 2)
    image.paste(RED, (0, 0, *half))
    image.paste(GREEN, (half[0], 0, size[0], half[1]))
    image.paste(BLUE, (0, half[1], half[0], size[1]))
    return image


def made(path: Path, recipe=LEAD) -> Derivative:
    return make_derivative(path, recipe, path.parent / "cache", focal=None, where="story x, image y")


def corners(path: Path, recipe=LEAD) -> list[str]:
    """The colours of the finished picture near its four corners, by name; the file is a plain JPEG or PNG."""
    one = made(path, recipe)
    with Image.open(one.path) as image:
        assert (image.format, one.content_type) in (("JPEG", "image/jpeg"), ("PNG", "image/png"))
        assert one.path.suffix == {"JPEG": ".jpg", "PNG": ".png"}[image.format] and image.mode in ("RGB", "P")
        assert not image.getexif() and "icc_profile" not in image.info and getattr(image, "n_frames", 1) == 1
        assert image.size == (one.width, one.height)
        rgb = image.convert("RGB")
    wide, high = rgb.size
    places = ((9, 9), (wide - 9, 9), (9, high - 9), (wide - 9, high - 9))
    return [named(rgb.getpixel(place)) for place in places]


def named(pixel: tuple[int, ...]) -> str:
    known = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE, "black": (0, 0, 0), "grey": (128, 128, 128)}
    distance, name = min((max(abs(a - b) for a, b in zip(pixel, c, strict=True)), n) for n, c in known.items())
    return name if distance < 70 else str(pixel)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "webp", "png", "tif"])
def test_every_exif_orientation_stands_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    """The eight ways in which a camera can be held or mirrored, in each format that says so."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = quarters((360, 240))
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / f"a.{suffix}", exif=exif)
    assert corners(tmp_path / f"a.{suffix}", LIST) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 90}])
def test_webp(tmp_path: Path, options: dict[str, object]) -> None:
    """Without loss and with."""
    quarters().save(tmp_path / "a.webp", **options)
    assert corners(tmp_path / "a.webp") == ["red", "green", "blue", "white"]


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF decoder")
def test_avif_and_its_transparency(tmp_path: Path) -> None:
    """Outlook shows no AVIF: it goes in and never out."""
    quarters().save(tmp_path / "a.avif", quality=90)
    assert corners(tmp_path / "a.avif") == ["red", "green", "blue", "white"]
    see_through = quarters().convert("RGBA")
    see_through.paste((0, 0, 0, 0), (0, 0, 720, 405))
    see_through.save(tmp_path / "b.avif", quality=90)
    assert corners(tmp_path / "b.avif") == ["white", "green", "blue", "white"]


def cmyk_profile() -> bytes:
    """A CMYK profile that the test makes itself (ICC.1, lut8): yellow and cyan change places."""
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    table = bytearray()
    for c, m, y, k in ((c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)):
        rgb = tuple(255 * (1 - ink) * (1 - k) for ink in (y, m, c))
        lightness, a, b = ImageCms.applyTransform(Image.new("RGB", (1, 1), rgb), to_lab).getpixel((0, 0))
        table += bytes((lightness, a, b))
    line = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    a2b = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + line * 4 + bytes(table) + line * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"text" + bytes(4) + b"Inks\0\0\0\0"
    entries = [(b"A2B0", a2b), (b"wtpt", white), (b"cprt", text), (b"desc", text)]
    offset, index, body = 128 + 4 + 12 * len(entries), b"", b""
    for name, data in entries:
        padded = data + bytes(-len(data) % 4)
        index += name + struct.pack(">II", offset + len(body), len(data))
        body += padded
    header = struct.pack(
        ">I4sI4s4s4s12s4s4sIIIQI3i48s",
        offset + len(body), b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ", struct.pack(">6H", 2026, 1, 1, 0, 0, 0),
        b"acsp", b"APPL", 0, 0, 0, 0, 0, 63190, 65536, 54061, bytes(48),
    )  # fmt: skip
    return header + struct.pack(">I", len(entries)) + index + body


def test_a_cmyk_jpeg_goes_through_its_profile(tmp_path: Path) -> None:
    """Printers' pictures: the inks mean what their profile says; without it red and blue would change places."""
    inks = Image.new("CMYK", SIZE, (0, 0, 0, 0))
    inks.paste((0, 255, 255, 0), (0, 0, 720, 405))
    inks.paste((255, 255, 0, 0), (0, 405, 720, 810))
    inks.paste((0, 0, 0, 255), (720, 0, 1440, 405))
    inks.save(tmp_path / "a.jpg", icc_profile=cmyk_profile(), quality=95)
    assert corners(tmp_path / "a.jpg") == ["blue", "black", "red", "white"]


def sixteen_bit(pixel: tuple[int, ...], colour_type: int) -> bytes:
    """A PNG of the lead's size with two bytes a sample, which Pillow reads and does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + struct.pack(f">{len(pixel)}H", *pixel) * SIZE[0]
    header = struct.pack(">IIBBBBB", *SIZE, 16, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * SIZE[1])) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("pixel", "colour_type", "wanted"),
    [
        ((32768,), 0, "grey"),
        ((65535,), 0, "white"),
        ((65535, 0, 0), 2, "red"),
        ((32768, 65535), 4, "grey"),
        ((0, 0), 4, "white"),
        ((0, 0, 65535, 65535), 6, "blue"),
        ((0, 0, 65535, 0), 6, "white"),
    ],
)
def test_png_of_sixteen_bits(tmp_path: Path, pixel: tuple[int, ...], colour_type: int, wanted: str) -> None:
    """Grey, colour, each with and without transparency: brightness is kept, not cut off at 255."""
    (tmp_path / "a.png").write_bytes(sixteen_bit(pixel, colour_type))
    assert corners(tmp_path / "a.png") == [wanted] * 4


def test_a_palette_with_transparency(tmp_path: Path) -> None:
    """One transparent colour, and a table with half-transparent ones."""
    image = Image.new("P", SIZE, 0)
    image.putpalette([*RED, *GREEN, *BLUE, *[0] * 759])
    image.paste(1, (720, 0, 1440, 405))
    image.paste(2, (0, 405, 720, 810))
    image.save(tmp_path / "one.png", transparency=0)
    assert corners(tmp_path / "one.png") == ["white", "green", "blue", "white"]
    image.save(tmp_path / "table.png", transparency=bytes((255, 0, 255)))
    assert corners(tmp_path / "table.png") == ["red", "white", "blue", "red"]
    image.save(tmp_path / "a.gif", transparency=2)
    assert corners(tmp_path / "a.gif") == ["red", "green", "white", "red"]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame(tmp_path: Path, suffix: str) -> None:
    """Outlook shows one frame too; mail has no room for the others."""
    frames = [quarters(), Image.new("RGB", SIZE, BLUE), Image.new("RGB", SIZE, GREEN)]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], duration=100)
    with Image.open(tmp_path / f"a.{suffix}") as animation:
        assert animation.n_frames == 3
    assert corners(tmp_path / f"a.{suffix}") == ["red", "green", "blue", "white"]


def test_of_an_mpo_the_first_picture(tmp_path: Path) -> None:
    """Phones put a second picture, for depth, behind the JPEG."""
    quarters().save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[Image.new("RGB", SIZE, BLUE)])
    with Image.open(tmp_path / "a.jpg") as both:
        assert both.format == "MPO"
    assert corners(tmp_path / "a.jpg") == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("suffix", ["png", "gif", "webp", "bmp", "tif"])
def test_a_flat_drawing_is_png_where_that_is_smaller(tmp_path: Path, suffix: str) -> None:
    """Charts and cartoons stay sharp, whatever format they came in."""
    quarters().save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    assert made(tmp_path / f"a.{suffix}").content_type == "image/png"


def test_a_drawing_with_few_colours_and_much_detail_is_jpeg_where_that_is_smaller(tmp_path: Path) -> None:
    """200 colours of noise compress badly as PNG."""
    Image.effect_noise(SIZE, 90).quantize(200).save(tmp_path / "a.png")
    assert made(tmp_path / "a.png", LIST).content_type == "image/jpeg"


def test_a_logo_keeps_its_transparency_from_every_format(tmp_path: Path) -> None:
    """Always PNG: on dark screens the ground is not white."""
    logo = Image.new("RGBA", (800, 200), (0, 0, 0, 0))
    logo.paste((*RED, 255), (200, 50, 600, 150))
    for name in ("a.png", "a.webp", "a.tif", "a.gif"):
        logo.save(tmp_path / name)
        one = made(tmp_path / name, LOGO)
        with Image.open(one.path) as image:
            assert one.content_type == "image/png" and image.convert("RGBA").getpixel((1, 1))[3] == 0, name
