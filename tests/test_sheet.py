"""Contact sheets can be read: pictures large enough, captions apart."""

from __future__ import annotations

import numpy as np
import pytest

from edgegan.sheet import Sheet

NAMES = ["before other backgrounds", "Wearing_a_Hat_and_Eyeglasses", "Blond_Hair"]  # the last has no neighbour


def sheet(size: int, names: list[str] = NAMES, title: str = "") -> Sheet:
    red = np.zeros((size, size, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    return Sheet(names, [[red] * len(names)], ["row"], title)


def reds(image: np.ndarray) -> np.ndarray:
    return (image == (255, 0, 0)).all(-1)


@pytest.mark.parametrize(("size", "seen"), [(8, 96), (32, 96), (64, 128), (100, 100), (256, 256)])
def test_small_pictures_are_enlarged_by_whole_numbers_and_large_ones_are_left(size: int, seen: int) -> None:
    assert reds(np.asarray(sheet(size, ["one"]).image())).sum() == seen**2


def test_a_scale_that_is_asked_for_is_kept() -> None:
    assert reds(np.asarray(sheet(8, ["one"]).image(scale=2))).sum() == 16**2


@pytest.mark.parametrize("size", [64, 96])
def test_captions_do_not_run_into_each_other(size: int) -> None:
    image = np.asarray(sheet(size).image())
    across = reds(image).any(0)
    gaps = ~across[across.argmax() :][: -across[::-1].argmax() or None]
    below = reds(image).any(1).argmax()
    written = (image[:below, across.argmax() :][:, : len(gaps)] < 250).all(-1)
    assert written.any()
    assert not written[:, gaps].any()


def test_a_long_title_is_broken_and_not_cut() -> None:
    title = "infogan-32, eager fp32, after 64,000 images: 256 samples of seed 0"
    wide = np.asarray(sheet(32, NAMES, title).image())
    narrow = np.asarray(sheet(32, NAMES[:1], title).image())
    assert narrow.shape[0] > wide.shape[0]
    assert (narrow[:, -1] == 255).all()
