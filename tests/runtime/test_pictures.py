"""One decoder for training and for live: each kind of file by one rule, and litter in folders by one list."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan.data import open_pictures
from edgegan.runtime import pictures
from edgegan.runtime.errors import SourceError
from edgegan.runtime.live.sources.pictures import Pictures, read_bgr
from edgegan.runtime.pictures import SUFFIXES, UnreadableError, decode

RAMP = np.linspace(0, 255, 64 * 64).reshape(64, 64)
Save = Callable[[Path], np.ndarray]  # writes a file; returns what is to be read from it, (H, W, 3)


def three(grey: np.ndarray) -> np.ndarray:
    return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)


def sixteen_bits(path: Path) -> np.ndarray:
    wide = np.arange(4096, dtype=np.uint16).reshape(64, 64) * 16
    Image.fromarray(wide).save(path)
    return three(wide >> 8)


def floats(path: Path) -> np.ndarray:
    Image.fromarray((RAMP / 255).astype(np.float32)).save(path)
    return three(RAMP)


def one_colour_clear(path: Path) -> np.ndarray:
    rgb = three(RAMP)
    rgb[:, :, 1] = 7
    rgb[:8] = (1, 2, 3)
    Image.fromarray(rgb).save(path, transparency=(1, 2, 3))
    rgb[:8] = 255
    return rgb


def deep_colour_clear(path: Path) -> np.ndarray:
    """Colours of 16 bits, which Pillow cannot write; the clear one's upper bytes are those of one row."""
    rgb = np.full((64, 64, 3), 40_000, np.uint16)
    rgb[:8], rgb[8:16] = (1000, 2000, 3000), (100, 200, 250)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rgb)
    parts = [(b"IHDR", struct.pack(">2I5B", 64, 64, 16, 2, 0, 0, 0)), (b"tRNS", struct.pack(">3H", 1000, 2000, 3000))]
    parts += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    seen = (rgb >> 8).astype(np.uint8)
    seen[:8] = 255
    return seen


def grey_colour_clear(path: Path) -> np.ndarray:
    grey = np.rint(RAMP).astype(np.uint8)
    grey[:8] = 3
    Image.fromarray(grey).save(path, transparency=3)
    seen = three(grey)
    seen[(seen == 3).all(2)] = 255
    return seen


def half_clear(path: Path) -> np.ndarray:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[:32] = (10, 20, 30, 255)
    Image.fromarray(rgba).save(path)
    seen = np.full((64, 64, 3), 255, np.uint8)
    seen[:32] = (10, 20, 30)
    return seen


def palette(path: Path) -> np.ndarray:
    Image.fromarray(three(RAMP)).quantize(16).save(path)
    return np.asarray(Image.open(path).convert("RGB"))


def bits(path: Path) -> np.ndarray:
    Image.fromarray(RAMP > 100).save(path)
    return three((RAMP > 100) * 255.0)


def write_turned(path: Path) -> np.ndarray:
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb = three(RAMP)[:, :32]
    Image.fromarray(rgb).save(path, exif=exif)
    return np.rot90(rgb, -1)


KINDS: dict[str, Save] = {
    "16.png": sixteen_bits,
    "16.tif": sixteen_bits,
    "float.tif": floats,
    "trns.png": one_colour_clear,
    "deep_trns.png": deep_colour_clear,
    "grey_trns.png": grey_colour_clear,
    "alpha.png": half_clear,
    "palette.png": palette,
    "bits.png": bits,
    "exif.png": write_turned,
}


@pytest.mark.parametrize("name", KINDS)
def test_training_and_live_see_the_same_upright_picture(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    expected = KINDS[name](folder / name)
    assert np.array_equal(np.asarray(decode(folder / name)), expected)
    assert np.array_equal(read_bgr(folder / name)[..., ::-1], expected)
    if expected.shape[:2] == (64, 64):
        assert np.array_equal(open_pictures(f"flat:{folder}", size=64).picture(0), expected)


@pytest.mark.parametrize("values", [[0, 0], [-1, 1], [0, 200], [0, np.nan], [0, np.inf]])
def test_floats_of_no_agreed_range_are_refused_in_both(values: list[float], tmp_path: Path) -> None:
    Image.fromarray(np.array([values, values], np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(UnreadableError, match="between 0 and 1"):
        decode(tmp_path / "f.tif")
    with pytest.raises(SourceError, match="between 0 and 1"):
        read_bgr(tmp_path / "f.tif")


def test_of_animations_the_first_frame_is_taken_which_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pictures, "_said", set())
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for name in ("a.gif", "b.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
    with caplog.at_level(logging.WARNING, "edgegan.pictures"):
        for name in ("a.gif", "b.webp", "a.gif"):
            assert decode(tmp_path / name).getpixel((0, 0)) == (255, 0, 0)
    assert [r.getMessage().count("first picture is taken") for r in caplog.records] == [1]


def test_litter_and_postscript_are_no_pictures_in_either(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "__MACOSX", tmp_path / "@eaDir", tmp_path / ".thumbs"):
        folder.mkdir(exist_ok=True)
        for name in ("1.png", "._1.png"):
            Image.new("RGB", (8, 8)).save(folder / name)
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    assert ".eps" not in SUFFIXES
    assert [frame.source for frame in Pictures(tmp_path)] == ["1.png"]
    (tmp_path / "drawing.eps").unlink()
    assert len(open_pictures(f"flat:{tmp_path}", size=8)) == 1


def test_live_names_a_damaged_picture_once_and_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("1.png", "2.png", "3.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "1.png").write_bytes(b"no picture")
    (tmp_path / "2.png").write_bytes((tmp_path / "3.png").read_bytes()[:40])
    with caplog.at_level(logging.WARNING, "edgegan.pictures"):
        source = Pictures(tmp_path)
        assert source.size_hw == (8, 8)
        assert [[frame.source for frame in source] for _ in range(2)] == [["3.png"]] * 2
    assert sum("1.png" in r.getMessage() for r in caplog.records) == 1
    assert sum("2.png" in r.getMessage() for r in caplog.records) == 1
    (tmp_path / "3.png").unlink()
    with pytest.raises(SourceError, match=r"\.png"):
        Pictures(tmp_path)
