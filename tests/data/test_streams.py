"""Training streams: range, crop and mirroring, and that pairs stay pairs."""

from __future__ import annotations

import numpy as np
import pytest

from edgegan.data import PairStream, Picture, PictureStream, normalise
from edgegan.data._files.domains import TwoDomains
from edgegan.runtime.errors import InputError

SIZE, CROP = 12, 8


class Coordinates:
    """Pictures whose pixels say where they are: red the row, green the column, blue the picture's number."""

    def __init__(self, count: int = 3, size: int = SIZE, shift: int = 0) -> None:
        self.name, self._count, self._size, self._shift = "coordinates", count, size, shift

    def __len__(self) -> int:
        return self._count

    def picture(self, index: int) -> Picture:
        rows, columns = np.mgrid[: self._size, : self._size]
        return np.stack([rows, columns, np.full_like(rows, index)], -1).astype(np.uint8) + np.uint8(self._shift)


def rng(number: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(number))


def pixels(image: np.ndarray) -> np.ndarray:
    return np.rint((image + 1) * 127.5).astype(int)


def test_black_is_minus_one_and_white_is_one() -> None:
    both = np.stack([np.zeros((2, 3)), np.full((2, 3), 255)], 0).astype(np.uint8).reshape(2, 6, 1).repeat(3, 2)
    image = normalise(both)
    assert image.shape == (3, 2, 6) and image.dtype == np.float32 and set(np.unique(image)) == {-1.0, 1.0}


def test_every_crop_is_a_square_of_the_picture_and_every_place_and_mirroring_occurs() -> None:
    stream = PictureStream(Coordinates(), crop=CROP, flip=True)
    seen = set()
    for showing in range(400):
        item = stream.item(2, rng(showing))
        assert set(item) == {"image"} and item["image"].shape == (3, CROP, CROP) and item["image"].dtype == np.float32
        rows, columns, number = pixels(item["image"])
        assert (number == 2).all() and (np.diff(rows, axis=0) == 1).all() and (np.diff(rows, axis=1) == 0).all()
        step = columns[0, 1] - columns[0, 0]
        assert (np.diff(columns, axis=1) == step).all()
        seen.add((rows.min(), columns.min(), step))
    assert seen == {(r, c, s) for r in range(SIZE - CROP + 1) for c in range(SIZE - CROP + 1) for s in (-1, 1)}


def test_a_showing_depends_on_its_generator_alone() -> None:
    stream = PictureStream(Coordinates(), crop=CROP, flip=True)
    first = [stream.item(1, rng(i))["image"] for i in range(20)]
    again = [stream.item(1, rng(i))["image"] for i in reversed(range(20))][::-1]
    assert all(map(np.array_equal, first, again))


def test_without_crop_and_mirroring_the_picture_is_shown_as_it_is() -> None:
    for crop in (None, SIZE):
        stream = PictureStream(Coordinates(), crop=crop, flip=False)
        assert all(np.array_equal(stream.item(1, rng(i))["image"], normalise(Coordinates().picture(1))) for i in (1, 2))


def test_pairs_are_cropped_and_mirrored_alike() -> None:
    stream = PairStream(TwoDomains("pairs", Coordinates(), Coordinates(shift=100)), crop=CROP, flip=True)
    assert len(stream) == 3
    for showing in range(50):
        item = stream.item(showing % 3, rng(showing))
        assert set(item) == {"a", "b"} and (pixels(item["b"]) - pixels(item["a"]) == 100).all()


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (Coordinates(3), Coordinates(4), "equally many"),
        (Coordinates(3), Coordinates(3, size=16), "equally many, of one size"),
        (Coordinates(0), Coordinates(0), "no pictures"),
        (Coordinates(3, size=6), Coordinates(3, size=6), "6x6 pixels, but squares of 8x8"),
    ],
)
def test_what_cannot_be_paired_or_cropped_is_refused(a: Coordinates, b: Coordinates, says: str) -> None:
    with pytest.raises(InputError, match=says):
        PairStream(TwoDomains("pairs", a, b), crop=CROP, flip=False)
