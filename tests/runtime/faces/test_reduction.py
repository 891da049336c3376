"""Smaller copies are means of what they stand for."""

import numpy as np
import pytest

from edgegan.runtime.faces.reduction import count_halvings, halve

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("shape", [(64, 96, 3), (64, 96), (67, 101, 3)])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_pixel_is_the_mean_of_those_it_covers(shape, times):
    picture, side = RNG.integers(0, 256, shape, dtype=np.uint8), 2**times
    small = halve(picture, times)
    rows, columns = shape[0] // side, shape[1] // side
    blocks = picture[: rows * side, : columns * side].reshape(rows, side, columns, side, *shape[2:])
    error = small - blocks.mean(axis=(1, 3))
    assert small.dtype == np.uint8 and np.abs(error).max() <= 0.5 * times
    assert abs(error.mean()) < (0.2 if times % 2 else 0.08)  # halves are rounded up, then down


def test_nothing_is_done_to_a_picture_that_is_small_already():
    picture = RNG.integers(0, 256, (5, 1, 3), dtype=np.uint8)
    assert halve(picture, 0) is picture and halve(picture, 9) is picture


def test_a_side_is_halved_while_it_stays_long_enough():
    for side in range(1, 500):
        times = count_halvings(side, 90)
        assert side >> times >= min(90, side) and side >> (times + 1) < 90
