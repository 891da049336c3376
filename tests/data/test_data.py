"""Picture files: what is read, what is refused by name, and how a set is split."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.training.pictures import flat, folder_of, picture

from edgegan.data import avatars, open_labelled
from edgegan.data._files import pictures as picture_files
from edgegan.data._files.pictures import PictureFiles
from edgegan.data._files.resize import fit, read
from edgegan.runtime.errors import InputError
from edgegan.runtime.pictures import MAX_PIXELS, UnreadableError, decode

# What is read


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    grey = picture().convert("L")
    grey.save(tmp_path / "g.png")
    got = np.asarray(decode(tmp_path / "g.png"))
    assert all(np.array_equal(got[..., c], np.asarray(grey)) for c in range(3))


def test_sixteen_bit_grey_keeps_its_upper_bits(tmp_path: Path) -> None:
    values = np.arange(0, 65536, 64, dtype=np.uint16).reshape(32, 32)
    Image.fromarray(values).save(tmp_path / "g.png")
    Image.fromarray(values).save(tmp_path / "g.tiff")
    for name in ("g.png", "g.tiff"):
        assert np.array_equal(np.asarray(decode(tmp_path / name))[..., 1], values >> 8)


def test_transparent_pixels_show_white_and_not_what_lies_under_them(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:] = (10, 20, 30, 255)
    pixels[0, 0] = (0, 0, 0, 128)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    got = np.asarray(decode(tmp_path / "a.png"))
    assert (got[1:, :4] == 255).all() and (got[:, 4:] == (10, 20, 30)).all() and abs(int(got[0, 0, 0]) - 127) <= 1


def test_cmyk_palette_and_bilevel_are_converted(tmp_path: Path) -> None:
    for mode, name, close in (("CMYK", "c.jpg", 12), ("P", "p.png", 60), ("1", "b.png", 255)):
        picture().convert(mode).save(tmp_path / name)
        got = decode(tmp_path / name)
        assert got.mode == "RGB"
        assert np.abs(np.asarray(got, int) - np.asarray(picture(), int)).max() <= close


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    picture().save(tmp_path / "o.png", exif=exif)
    got = decode(tmp_path / "o.png")
    assert np.array_equal(np.asarray(got), np.rot90(np.asarray(picture()), -1))


@pytest.mark.parametrize(
    ("width", "height", "crop", "size"), [(178, 218, 178, 64), (181, 140, 101, 101), (50, 61, 90, 45)]
)
def test_crop_and_resize_are_those_of_the_paper_code(width: int, height: int, crop: int, size: int) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    image = picture(3, width, height)
    paper = transforms.Compose([transforms.CenterCrop(crop), transforms.Resize(size)])
    assert np.array_equal(fit(image, size=size, centre_crop=crop), np.asarray(paper(image)))


def test_without_a_crop_the_largest_middle_square_is_taken() -> None:
    image = picture(1, 50, 30)
    assert np.array_equal(fit(image, size=30), np.asarray(image)[:, 10:40])


# What is refused


def bad_files(folder: Path) -> dict[str, str]:
    """Writes one file of each sort that is refused; returns file name -> what its reason has to say."""
    picture().save(folder / "t.jpg", quality=95)
    (folder / "truncated.jpg").write_bytes((folder / "t.jpg").read_bytes()[:-200])
    picture().save(folder / "t.png")
    (folder / "truncated.png").write_bytes((folder / "t.png").read_bytes()[:-300])
    for name in ("t.jpg", "t.png"):
        (folder / name).unlink()
    (folder / "text.jpg").write_text("this is a letter")
    (folder / "empty.png").touch()
    side = int(MAX_PIXELS**0.5) + 10
    Image.new("1", (side, side)).save(folder / "bomb.png")
    Image.new("1", (2 * side, 2 * side)).save(folder / "bigger_bomb.png")
    Image.new("F", (9, 9)).save(folder / "float.tiff")
    Image.fromarray(np.full((9, 9), 1 << 20, np.int32)).save(folder / "wide.tiff")
    (folder / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    return {
        "truncated.jpg": "truncated",
        "truncated.png": "truncated",
        "text.jpg": "not a picture",
        "empty.png": "empty",
        "bomb.png": "pixels, a decompression bomb",
        "bigger_bomb.png": "pixels, a decompression bomb",
        "float.tiff": "no agreed 8-bit form",
        "wide.tiff": "no agreed 8-bit form",
        "drawing.eps": "not a picture",
        "absent.png": "no such file",
    }


@pytest.mark.filterwarnings("default::PIL.Image.DecompressionBombWarning")
def test_every_bad_file_is_refused_with_its_reason(tmp_path: Path) -> None:
    for name, reason in bad_files(tmp_path).items():
        with pytest.raises(UnreadableError, match=reason) as caught:
            decode(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.filterwarnings("default::PIL.Image.DecompressionBombWarning")
def test_bad_files_are_named_and_left_out_and_labels_stay_with_their_pictures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    bad = [folder / name for name in bad_files(folder)]
    good = [folder / f"{i}.png" for i in range(6)]
    for i, path in enumerate(good):
        picture(i).save(path)
    files = [good[0], *bad[:4], good[1], good[2], *bad[4:], *good[3:]]
    labels = np.array([[file in good and good.index(file) % 2] for file in files], np.uint8)
    with caplog.at_level(logging.WARNING, "edgegan.data"):
        pictures = PictureFiles(files, labels, name="p", names=("odd",), groups=(), size=16, max_bad_share=0.9)
    assert [Path(r.path) for r in pictures.refused] == bad
    assert all(str(path) in caplog.text for path in bad)
    assert [int(pictures.label(i)[0]) for i in range(len(pictures))] == [0, 1, 0, 1, 0, 1]
    for i, path in enumerate(good):
        assert np.array_equal(pictures.picture(i), read(path, size=16))


def test_two_in_a_hundred_may_be_bad_and_three_stop_the_loader(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "p", 98)
    labels = np.zeros((100, 0), np.uint8)
    paths = sorted(folder.iterdir())

    def open_with(bad: int) -> PictureFiles:
        files = [*paths[: 100 - bad], *(folder / f"absent{i}.png" for i in range(bad))]
        return PictureFiles(files, labels, name="p", names=(), groups=(), size=8)

    assert len(open_with(2)) == 98
    with pytest.raises(InputError, match="3 of 100 files cannot be read: .*absent0.png: no such file"):
        open_with(3)


def test_the_check_is_remembered_until_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path / "p", 60)
    monkeypatch.setattr("edgegan.data._files.pictures.REMEMBER_FROM", 10)
    first = flat(folder)
    looked: list[Path] = []
    monkeypatch.setattr("edgegan.data._files.pictures._check", lambda path: looked.append(path))
    assert len(flat(folder)) == len(first) and not looked
    picture(9, 44, 44).save(first.files[0])  # type: ignore[attr-defined]
    flat(folder)
    assert len(looked) == len(first)


def test_a_file_damaged_after_opening_is_an_error_that_names_it(tmp_path: Path) -> None:
    pictures = flat(folder_of(tmp_path / "p", 12))
    path = pictures.files[3]  # type: ignore[attr-defined]
    path.write_bytes(b"")
    with pytest.raises(InputError, match=path.name):
        pictures.picture(3)


# Drawn faces


def test_avatars_have_their_labels_and_true_answers(tmp_path: Path) -> None:
    pictures = avatars.open_data("12", size=32, names=("Smiling", "Eyeglasses"), split="heldout")
    again = avatars.open_data("12", size=32, names=("Smiling", "Eyeglasses"), split="heldout")
    train = avatars.open_data("12", size=32, names=(), split="train")
    assert np.array_equal(pictures.picture(3), again.picture(3))
    assert not any(np.array_equal(pictures.picture(i), train.picture(j)) for i in range(12) for j in range(12))
    for i in range(12):
        on = bool(pictures.label(i)[0])
        assert np.array_equal(pictures.truth(i, "Smiling", on), pictures.picture(i))
        changed = (pictures.truth(i, "Smiling", not on) != pictures.picture(i)).any(axis=(1, 2))
        assert changed.any() and not changed[:12].any()  # the mouth, and nothing above it


@pytest.mark.parametrize("remember_from", [1, 1000])
def test_names_that_are_no_utf_8_are_names_like_others(
    remember_from: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Sets of a thousand files and more are remembered in a file: by whatever names they have."""
    monkeypatch.setattr(picture_files, "REMEMBER_FROM", remember_from)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    for i in range(60):
        picture(i).save(folder / os.fsdecode(b"\xe9t\xe9%d.png" % i))
    (folder / os.fsdecode(b"cass\xe9.png")).write_bytes(b"no picture")
    for _ in range(2):  # the second time, from memory
        with caplog.at_level(logging.WARNING, "edgegan.data"):
            opened = open_labelled(f"flat:{folder}", size=16, names=())
        assert isinstance(opened, PictureFiles) and opened.picture(0).shape == (16, 16, 3)
    assert all(record.getMessage().encode() for record in caplog.records)
