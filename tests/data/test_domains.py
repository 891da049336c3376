"""Two domains and pairs, from files and drawn: what belongs together, what is refused and in which words."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.training.folders import BLUE, RED, SIZE, fill, layout, number, save, side_by_side

from edgegan.data import open_domains, open_labelled, open_pairs, open_pictures
from edgegan.runtime.errors import InputError


def is_red(picture: np.ndarray) -> bool:
    return bool(picture[..., 0].mean() > picture[..., 2].mean())


# Unpaired files


def test_domains_of_unequal_length_each_show_their_own_side(tmp_path: Path) -> None:
    layout(tmp_path, a=12, b=5)
    (tmp_path / "trainA" / "more").mkdir()
    save(tmp_path / "trainA" / "more" / "x.png", RED)  # searched with what is below
    for spec in (f"unaligned:{tmp_path}", str(tmp_path)):
        domains = open_domains(spec, size=SIZE)
        assert (len(domains.a), len(domains.b)) == (13, 5) and domains.name.startswith("unaligned:")
        assert all(is_red(domains.a.picture(i)) for i in range(13))
        assert not any(is_red(domains.b.picture(i)) for i in range(5))
    heldout = open_domains(str(tmp_path), size=SIZE, split="heldout")
    assert (len(heldout.a), len(heldout.b)) == (3, 3)
    with pytest.raises(InputError, match="no third split"):
        open_domains(str(tmp_path), size=SIZE, split="judge")
    fill(tmp_path / "valA", 2, RED)
    fill(tmp_path / "valB", 1, BLUE)
    assert len(open_domains(str(tmp_path), size=SIZE, split="judge").a) == 2


@pytest.mark.parametrize("names", [("trainA", "trainB"), ("A", "B")])
def test_without_test_folders_one_in_ten_is_held_out(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, colour in zip(names, (RED, BLUE), strict=True):
        for i in range(60):
            save(tmp_path / name / f"{i:03d}.png", colour, (2, 2))
    of = {s: open_domains(str(tmp_path), size=4, split=s) for s in ("train", "heldout")}
    for side in ("a", "b"):
        train, heldout = (set(getattr(of[s], side).files) for s in ("train", "heldout"))
        assert not train & heldout and len(train | heldout) == 60 and 1 <= len(heldout) <= 14


def test_pictures_are_shown_whole_and_labelled_ones_cropped(tmp_path: Path) -> None:
    """A red left edge of a wide picture survives only if the picture is squeezed."""
    pixels = np.zeros((10, 40, 3), np.uint8)
    pixels[:, :8] = RED
    for folder in ("trainA", "trainB", "flat"):
        (tmp_path / folder).mkdir()
        Image.fromarray(pixels).save(tmp_path / folder / "x.png")
    domains = open_domains(str(tmp_path), size=10)
    expected = np.asarray(Image.fromarray(pixels).resize((10, 10), Image.Resampling.BICUBIC))
    assert np.array_equal(domains.a.picture(0), expected) and expected[:, 0, 0].min() > 150
    assert np.array_equal(open_pictures(f"flat:{tmp_path / 'flat'}", size=10).picture(0), expected)
    labelled = open_labelled(f"flat:{tmp_path / 'flat'}", size=10, names=())
    assert not labelled.picture(0).any()


def test_one_picture_in_a_domain_trains_and_is_held_out_too(tmp_path: Path) -> None:
    layout(tmp_path, a=1, b=1, test=False)
    for split in ("train", "heldout"):
        domains = open_domains(str(tmp_path), size=SIZE, split=split)
        assert (len(domains.a), len(domains.b)) == (1, 1)
    for kind in ("flat", "folders"):
        top = tmp_path / "trainA" if kind == "flat" else tmp_path
        assert len(open_labelled(f"{kind}:{top}", size=SIZE, names=())) == (1 if kind == "flat" else 2)


# Pairs


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
@pytest.mark.parametrize("test", [True, False])
def test_equal_names_are_pairs(tmp_path: Path, suffix: str, test: bool) -> None:
    layout(tmp_path, a=30, b=30, test=test, suffix=suffix)
    total = 0
    for split in ("train", "heldout"):
        pairs = open_pairs(str(tmp_path), size=SIZE, split=split)
        assert len(pairs.a) == len(pairs.b) > 0
        total += len(pairs.a)
        for i in range(len(pairs.a)):
            a, b = pairs.a.picture(i), pairs.b.picture(i)
            assert is_red(a) and not is_red(b) and number(a) == number(b)
    assert total == (33 if test else 30)


def test_left_and_right_halves_are_pairs(tmp_path: Path) -> None:
    side_by_side(tmp_path / "top" / "train", 6)
    side_by_side(tmp_path / "top" / "val", 3)
    for split, count in (("train", 6), ("heldout", 3)):
        for opened in (open_pairs, open_domains):
            pairs = opened(str(tmp_path / "top"), size=SIZE, split=split)
            assert pairs.name.startswith("paired:") and len(pairs.a) == len(pairs.b) == count
            for i in range(count):
                a, b = pairs.a.picture(i), pairs.b.picture(i)
                assert a.shape == (SIZE, SIZE, 3) and is_red(a) and not is_red(b) and number(a) == number(b) == i
                assert not (a[..., 0] < 150).any() and not (b[..., 0] > 60).any()  # nothing of the other half
    side_by_side(tmp_path / "top" / "test", 2)
    assert len(open_pairs(str(tmp_path / "top"), size=SIZE, split="heldout").a) == 2
    assert len(open_pairs(str(tmp_path / "top"), size=SIZE, split="judge").a) == 3


def test_a_picture_without_a_partner_is_named(tmp_path: Path) -> None:
    layout(tmp_path)
    (tmp_path / "trainB" / "004.png").unlink()
    save(tmp_path / "trainB" / "extra.png", BLUE)
    with pytest.raises(InputError, match=r"no partner for \S*trainA/004.png, \S*trainB/extra.png\n"):
        open_pairs(str(tmp_path), size=SIZE)
    save(tmp_path / "trainA" / "extra.png", RED)
    save(tmp_path / "trainA" / "extra.bmp", RED)
    with pytest.raises(InputError, match="have one name"):
        open_pairs(str(tmp_path), size=SIZE)


def test_a_damaged_file_takes_its_partner_with_it(tmp_path: Path) -> None:
    layout(tmp_path)
    (tmp_path / "trainA" / "004.png").write_bytes(b"")
    (tmp_path / "trainB" / "007.png").write_bytes(b"")
    pairs = open_pairs(str(tmp_path), size=SIZE)
    numbers = [(number(pairs.a.picture(i)), number(pairs.b.picture(i))) for i in range(len(pairs.a))]
    assert numbers == [(i, i) for i in range(12) if i not in (4, 7)] and len(pairs.b) == 10


def test_sets_without_pairs_or_domains_say_so(tmp_path: Path) -> None:
    layout(tmp_path)
    with pytest.raises(InputError, match=r"unaligned has no pairs\nkinds with pairs: avatars-seasons, paired$"):
        open_pairs(f"unaligned:{tmp_path}", size=SIZE)
    with pytest.raises(InputError, match=r"avatars has no two domains\nkinds with two domains: avatars-seasons, pai"):
        open_domains("avatars", size=SIZE)
    with pytest.raises(InputError, match=r"unaligned has no labels\nkinds with labels: avatars, celeba"):
        open_labelled(str(tmp_path), size=SIZE, names=())
    with pytest.raises(InputError, match="no split is called 'dev'"):
        open_pairs(str(tmp_path), size=SIZE, split="dev")
    with pytest.raises(InputError, match="neither a folder nor a kind"):
        open_pictures("nothing-like-it", size=SIZE)


def test_an_empty_domain_and_portraits_instead_of_pairs_are_named(tmp_path: Path) -> None:
    fill(tmp_path / "trainA", 2, RED)
    (tmp_path / "trainB").mkdir()
    for opened in (open_domains, open_pairs):
        with pytest.raises(InputError, match=r"trainB holds no pictures"):
            opened(str(tmp_path), size=SIZE)
    save(tmp_path / "faces" / "x.png", RED, (17, 21))
    with pytest.raises(InputError, match=r"x.png: 17x21 pixels, too narrow\ntwo pictures side by side"):
        open_pairs(str(tmp_path / "faces"), size=SIZE)


def test_all_pairs_are_looked_at_and_doubtful_shapes_are_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    top = tmp_path / "photos"
    top.mkdir()
    for i in range(20):
        Image.new("RGB", (160, 120) if i == 7 else (160, 80), (i, i, i)).save(top / f"{i:02d}.png")
    with caplog.at_level(logging.WARNING, "edgegan.data"):
        for split in ("train", "heldout", "train"):
            open_pairs(f"paired:{top}", size=16, split=split)
    (said,) = (record.getMessage() for record in caplog.records)
    assert "07.png: 160x120" in said and "read as pairs: left 80x120, right 80x120" in said and "1 of " in said
    save(tmp_path / "dots" / "x.png", RED, (1, 1))
    with pytest.raises(InputError, match=r"x.png: 1x1 pixels, too narrow"):
        open_pairs(str(tmp_path / "dots"), size=SIZE)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.new("RGB", (160, 80)).save(top / "99.jpg", exif=exif)
    with pytest.raises(InputError, match=r"99.jpg: 80x160 pixels, too narrow"):
        for split in ("train", "heldout"):
            open_pairs(f"paired:{top}", size=16, split=split)
