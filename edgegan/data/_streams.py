"""Sets of pictures as training streams: pixels in [-1, 1], cropped and mirrored by the generator of each showing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.errors import InputError

from ._balance import rake_weights, repeat_by_weight
from ._sets import Domains, Labelled, Picture, Pictures

Item = dict[str, NDArray[np.float32]]


class LabelledStream:
    """Items {"image": (3, H, W) float32 in [-1, 1], "label": (C,) float32}; half of them mirrored if `flip`.

    Of the decisions in `balance`, each one attribute or a group, every answer is shown equally often (see
    `rake_weights`, also for `cap`).
    """

    def __init__(
        self, pictures: Labelled, *, flip: bool, balance: Sequence[Sequence[str]] = (), cap: float = 6.0
    ) -> None:
        self._pictures, self._flip = pictures, flip
        self.sets = (pictures,)
        self._order = np.arange(len(pictures))
        if balance:
            labels = np.stack([pictures.label(i) for i in range(len(pictures))])
            columns = [[pictures.names.index(name) for name in decision] for decision in balance]
            self._order = repeat_by_weight(rake_weights(labels, columns, cap=cap), 2 * len(pictures))

    def __len__(self) -> int:
        return len(self._order)

    def item(self, index: int, rng: np.random.Generator) -> Item:
        """Item `index`; whether it is mirrored comes from `rng`."""
        index = int(self._order[index])
        picture = self._pictures.picture(index)
        if self._flip and rng.random() < 0.5:
            picture = picture[:, ::-1]
        return {"image": normalise(picture), "label": self._pictures.label(index)}


class PictureStream:
    """Items {"image": (3, crop, crop) float32 in [-1, 1]}: a random square of each picture, half mirrored if `flip`.

    With `crop` None the whole picture is shown. Raises InputError if there are no pictures, or if they are smaller
    than `crop`.
    """

    def __init__(self, pictures: Pictures, *, crop: int | None, flip: bool) -> None:
        _check(pictures, crop)
        self._pictures, self._crop, self._flip = pictures, crop, flip
        self.sets = (pictures,)

    def __len__(self) -> int:
        return len(self._pictures)

    def item(self, index: int, rng: np.random.Generator) -> Item:
        """Item `index`; place of the crop and mirroring come from `rng`."""
        (image,) = _augment((self._pictures.picture(index),), self._crop, self._flip, rng)
        return {"image": normalise(image)}


class PairStream:
    """Items {"a", "b"}, each as in PictureStream, with one crop and one mirroring for both.

    Raises InputError if the two sides are not of one length and size, or as PictureStream does.
    """

    def __init__(self, domains: Domains, *, crop: int | None, flip: bool) -> None:
        a, b = _check(domains.a, crop), _check(domains.b, crop)
        if len(domains.a) != len(domains.b) or a != b:
            raise InputError(
                f"{domains.name}: {len(domains.a)} pictures of {a[0]}x{a[1]} and {len(domains.b)} of {b[0]}x{b[1]}",
                "pairs: equally many, of one size",
            )
        self._crop, self._flip = crop, flip
        self.sets = (domains.a, domains.b)

    def __len__(self) -> int:
        return len(self.sets[0])

    def item(self, index: int, rng: np.random.Generator) -> Item:
        """Pair `index`; place of the crop and mirroring come from `rng`."""
        pair = [pictures.picture(index) for pictures in self.sets]
        a, b = _augment(tuple(pair), self._crop, self._flip, rng)
        return {"a": normalise(a), "b": normalise(b)}


def normalise(picture: Picture) -> NDArray[np.float32]:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [-1, 1], the range all our networks are trained on."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32) / 127.5 - 1.0


def _augment(
    pictures: tuple[Picture, ...], crop: int | None, flip: bool, rng: np.random.Generator
) -> tuple[Picture, ...]:
    """The same square of each picture, all mirrored or none."""
    height, width = pictures[0].shape[:2]
    if crop is not None and (height, width) != (crop, crop):
        top, left = int(rng.integers(height - crop + 1)), int(rng.integers(width - crop + 1))
        pictures = tuple(p[top : top + crop, left : left + crop] for p in pictures)
    if flip and rng.random() < 0.5:
        pictures = tuple(p[:, ::-1] for p in pictures)
    return pictures


def _check(pictures: Pictures, crop: int | None) -> tuple[int, int]:
    """(height, width) of the pictures."""
    if not len(pictures):
        raise InputError(f"{pictures.name}: there are no pictures")
    height, width = pictures.picture(0).shape[:2]
    if crop is not None and min(height, width) < crop:
        raise InputError(
            f"{pictures.name}: pictures of {height}x{width} pixels, but squares of {crop}x{crop} are to be cropped",
            "a crop no larger than the size the pictures are loaded at",
        )
    return height, width
