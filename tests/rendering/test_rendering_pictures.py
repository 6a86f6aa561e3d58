"""Derivatives: the right part of the picture, the right size, and nothing that a bad file can do."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from newsletter.errors import CannotWrite, ImageError
from newsletter.rendering import focal as finding
from newsletter.rendering import pictures, recipes
from newsletter.rendering.focal import DEFAULT
from newsletter.rendering.pictures import make_derivative
from newsletter.rendering.recipes import GRID, LEAD, LIST, LOGO, SPONSOR, TEXT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def made(path: Path, folder: Path, recipe=LEAD, focal=None) -> pictures.Derivative:
    return make_derivative(path, recipe, folder, focal=focal, where="story x, image y")


def quarters(size=(1600, 1600)) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", size, "white")
    half = (size[0] // 2, size[1] // 2)
    image.paste((255, 0, 0), (0, 0, *half))
    image.paste((0, 255, 0), (half[0], 0, size[0], half[1]))
    image.paste((0, 0, 255), (0, half[1], half[0], size[1]))
    return image


def near(pixel, wanted) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize(("recipe", "ratio"), [(LEAD, 16 / 9), (LIST, 1.5), (GRID, 1.5), (SPONSOR, 2), (TEXT, 16 / 9)])
def test_each_recipe_gives_its_pixels_at_twice_the_page(tmp_path, folder, recipe, ratio):
    Image.linear_gradient("L").resize((3000, 2400)).convert("RGB").save(tmp_path / "a.jpg")
    one = made(tmp_path / "a.jpg", folder, recipe)
    assert (one.width, one.height) == (recipe.width, recipe.height)
    assert one.width / one.height == pytest.approx(ratio, abs=0.01)
    assert one.size == one.path.stat().st_size <= recipe.budget and one.content_type == "image/jpeg"
    assert recipe.width >= 2 * recipe.shown_width


def test_a_small_picture_keeps_its_resolution_and_takes_the_shape(tmp_path, folder):
    Image.new("RGB", (400, 400)).save(tmp_path / "a.jpg")
    one = made(tmp_path / "a.jpg", folder)
    assert (one.width, one.height) == (400, 225)


def test_the_crop_goes_around_the_focal_point(tmp_path, folder):
    quarters((1000, 4000)).save(tmp_path / "a.jpg", quality=95)
    top = Image.open(made(tmp_path / "a.jpg", folder, focal=(0.5, 0.0)).path)
    bottom = Image.open(made(tmp_path / "a.jpg", folder, focal=(0.5, 1.0)).path)
    assert near(top.getpixel((10, 10)), (255, 0, 0))
    assert near(bottom.getpixel((10, 10)), (0, 0, 255))


def test_the_focal_point_and_the_recipe_are_in_the_name_and_the_name_is_stable(tmp_path, folder):
    quarters().save(tmp_path / "a.png")
    quarters().save(tmp_path / "copy.png")
    names = {
        made(tmp_path / "a.png", folder).name,
        made(tmp_path / "a.png", folder, focal=(0.1, 0.1)).name,
        made(tmp_path / "a.png", folder, LIST).name,
    }
    assert len(names) == 3 and all(len(Path(name).stem) == 16 for name in names)
    assert made(tmp_path / "copy.png", folder).name in names
    assert made(tmp_path / "a.png", folder, focal=DEFAULT).name not in names, "a point that was given is not one found"


def test_what_was_made_in_another_way_is_not_reused(tmp_path, folder, monkeypatch):
    """A new version of the measure or of the making gives new names; a focal point depends on the second alone."""
    quarters().save(tmp_path / "a.png")
    point = (0.5, 0.4)
    before = made(tmp_path / "a.png", folder).name, made(tmp_path / "a.png", folder, focal=point).name
    monkeypatch.setattr(pictures, "FOUND", finding.VERSION + 1)
    assert made(tmp_path / "a.png", folder).name != before[0]
    assert made(tmp_path / "a.png", folder, focal=point).name == before[1]
    monkeypatch.setattr(recipes, "MAKING", recipes.MAKING + 1)
    assert made(tmp_path / "a.png", folder, focal=point).name != before[1]


def test_what_is_there_is_not_made_again(tmp_path, folder, monkeypatch):
    quarters().save(tmp_path / "a.jpg")
    first = made(tmp_path / "a.jpg", folder)
    monkeypatch.setattr(pictures, "_made", None)
    assert made(tmp_path / "a.jpg", folder) == first


def test_a_changed_original_is_noticed(tmp_path, folder):
    quarters().save(tmp_path / "a.jpg")
    first = made(tmp_path / "a.jpg", folder)
    quarters((1500, 1500)).save(tmp_path / "a.jpg")
    assert made(tmp_path / "a.jpg", folder).name != first.name


def test_exif_orientation_is_applied_and_metadata_is_gone(tmp_path, folder):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    exif[0x010F] = "Maker of cameras"
    quarters((2400, 1350)).save(tmp_path / "a.jpg", exif=exif, quality=95, comment=b"secret")
    one = made(tmp_path / "a.jpg", folder, focal=(0, 0))
    image = Image.open(one.path)
    assert near(image.getpixel((5, 5)), (0, 0, 255))
    assert not image.getexif() and "icc_profile" not in image.info and "comment" not in image.info
    assert image.info.get("progressive") and b"Maker" not in one.path.read_bytes()


def test_cmyk_with_and_without_a_profile(tmp_path, folder):
    Image.new("CMYK", (1300, 800), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    assert near(Image.open(made(tmp_path / "a.jpg", folder).path).getpixel((9, 9)), (255, 0, 0))
    # A profile that is none of CMYK, and one that is no profile: both fall back.
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in (("b.jpg", srgb), ("c.jpg", b"nonsense")):
        Image.new("CMYK", (1300, 800), (0, 255, 255, 0)).save(tmp_path / name, icc_profile=profile)
        assert near(Image.open(made(tmp_path / name, folder).path).getpixel((9, 9)), (255, 0, 0))


def test_a_colour_profile_is_converted_to_srgb(tmp_path, folder):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (1300, 800), (10, 200, 30)).save(tmp_path / "a.jpg", icc_profile=profile)
    image = Image.open(made(tmp_path / "a.jpg", folder).path)
    assert image.mode == "RGB" and near(image.getpixel((9, 9)), (10, 200, 30)) and "icc_profile" not in image.info


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_becomes_white(tmp_path, folder, mode):
    image = Image.new("RGBA", (1300, 800), (0, 0, 0, 0))
    if mode == "P":
        image = Image.new("P", (1300, 800), 0)
        image.putpalette([0, 0, 0] * 256)
        image.save(tmp_path / "a.png", transparency=0)
    else:
        image.convert(mode).save(tmp_path / "a.png")
    one = Image.open(made(tmp_path / "a.png", folder).path).convert("RGB")
    assert near(one.getpixel((9, 9)), (255, 255, 255))


def test_a_flat_drawing_stays_png_and_a_photo_in_png_becomes_jpeg(tmp_path, folder):
    quarters().save(tmp_path / "flat.png")
    flat = made(tmp_path / "flat.png", folder)
    assert flat.name.endswith(".png") and flat.content_type == "image/png"
    Image.effect_noise((1300, 800), 90).convert("RGB").save(tmp_path / "photo.png")
    assert made(tmp_path / "photo.png", folder).name.endswith(".jpg")
    noisy = Image.effect_noise((1300, 800), 90).quantize(200)
    noisy.save(tmp_path / "noisy.png")
    assert made(tmp_path / "noisy.png", folder, LIST).name.endswith(".jpg")


def test_the_first_frame_of_a_gif(tmp_path, folder):
    frames = [Image.new("RGB", (1300, 800), colour) for colour in ("red", "blue", "green")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert near(Image.open(made(tmp_path / "a.gif", folder).path).convert("RGB").getpixel((5, 5)), (255, 0, 0))


@pytest.mark.parametrize("kind", ["I;16", "L", "1", "webp", "tiff", "bmp"])
def test_other_kinds_of_pixels_and_files(tmp_path, folder, kind):
    if kind == "I;16":
        Image.new("I;16", (1300, 800), 65535 // 2).save(tmp_path / "a.png")
        path = tmp_path / "a.png"
    elif kind in ("L", "1"):
        Image.new(kind, (1300, 800), 1 if kind == "1" else 128).save(tmp_path / "a.png")
        path = tmp_path / "a.png"
    else:
        path = tmp_path / f"a.{kind}"
        quarters().save(path)
    image = Image.open(made(path, folder).path).convert("RGB")
    pixel = image.getpixel((9, 9))
    wanted = {"I;16": (128, 128, 128), "L": (128, 128, 128), "1": (255, 255, 255)}.get(kind, (255, 0, 0))
    assert near(pixel, wanted)


def test_quality_steps_down_to_keep_the_budget(tmp_path, folder):
    Image.effect_noise((1400, 900), 30).convert("RGB").save(tmp_path / "a.jpg", quality=95)
    hard = made(tmp_path / "a.jpg", folder, LIST)
    assert hard.size <= LIST.budget


def test_a_big_jpeg_is_decoded_at_a_fraction(tmp_path, folder, monkeypatch):
    from PIL.JpegImagePlugin import JpegImageFile

    drafted = []
    original = JpegImageFile.draft
    monkeypatch.setattr(
        JpegImageFile, "draft", lambda self, mode, size: drafted.append(size) or original(self, mode, size)
    )
    Image.new("RGB", (6000, 4000)).save(tmp_path / "a.jpg")
    made(tmp_path / "a.jpg", folder, LIST)
    assert drafted == [(640, 426)]


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises more pixels than it has."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(10_000, 6_000), (60_000, 60_000)])
def test_a_picture_over_50_megapixels_is_refused_before_it_is_decoded(tmp_path, folder, width, height):
    (tmp_path / "a.png").write_bytes(bomb(width, height))
    with pytest.raises(ImageError, match="megapixels") as caught:
        made(tmp_path / "a.png", folder)
    assert caught.value.where == "story x, image y" and not folder.exists()


def test_truncated_mislabelled_and_other_files(tmp_path, folder):
    out = io.BytesIO()
    quarters().save(out, "JPEG")
    (tmp_path / "half.jpg").write_bytes(out.getvalue()[: len(out.getvalue()) // 2])
    with pytest.raises(ImageError, match="broken"):
        made(tmp_path / "half.jpg", folder)
    (tmp_path / "short.png").write_bytes(bomb(1300, 800))
    with pytest.raises(ImageError, match="broken"):
        made(tmp_path / "short.png", folder)
    (tmp_path / "really.png").write_bytes(out.getvalue())
    assert made(tmp_path / "really.png", folder).width == 1200
    for name, data in (("a.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), ("b.jpg", b""), ("c.jpg", b"%PDF-1.4")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ImageError, match="not a picture"):
            made(tmp_path / name, folder)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=60), st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"]), st.integers(0, 500)
)
def test_damaged_bytes_are_a_picture_or_an_image_error(tmp_path_factory, noise, kind, place):
    """Whatever a decoder raises, the story and the file are named."""
    if kind == "AVIF" and not features.check("avif"):
        return
    out = io.BytesIO()
    quarters((24, 16)).save(out, kind)
    path = tmp_path_factory.mktemp("damaged") / "a.jpg"
    path.write_bytes(out.getvalue()[:place] + noise + out.getvalue()[place + len(noise) :])
    try:
        one = made(path, path.parent / "cache", LIST)
    except ImageError as refused:
        assert refused.where == "story x, image y" and refused.fix
    else:
        assert one.width > 0


def test_missing_unreadable_and_huge_files(tmp_path, folder, monkeypatch):
    with pytest.raises(ImageError, match="not there") as caught:
        made(tmp_path / "none.jpg", folder)
    assert str(tmp_path) in caught.value.fix
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        made(tmp_path / "loop.jpg", folder)
    with pytest.raises(ImageError):
        made(tmp_path, folder)
    monkeypatch.setattr(pictures, "MAX_FILE", 10)
    quarters().save(tmp_path / "a.jpg")
    with pytest.raises(ImageError, match="bytes"):
        made(tmp_path / "a.jpg", folder)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    quarters().save(tmp_path / "a.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite):
        made(tmp_path / "a.jpg", tmp_path / "file")


def test_a_logo_is_contained_and_keeps_its_transparency(tmp_path, folder):
    logo = Image.new("RGBA", (2000, 400), (0, 0, 0, 0))
    logo.paste((155, 28, 28, 255), (100, 100, 1900, 300))
    logo.save(tmp_path / "logo.png")
    one = made(tmp_path / "logo.png", folder, LOGO)
    image = Image.open(one.path).convert("RGBA")
    assert image.size == (480, 96) and image.getpixel((1, 1))[3] == 0
    noise = Image.effect_noise((560, 96), 200).convert("RGB")
    noise.save(tmp_path / "noise.png")
    assert made(tmp_path / "noise.png", folder, LOGO).size < 60 * 1024
