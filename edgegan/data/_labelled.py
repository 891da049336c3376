"""Labelled pictures as a training stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import Labelled, Picture


class LabelledStream:
    """Items {"image": (3, H, W) float32 in [-1, 1], "label": (C,) float32}; half of them mirrored if `flip`.

    What `balance` names is shown on half of the items: pictures of the rarer side come more than once.
    """

    def __init__(self, pictures: Labelled, *, flip: bool, balance: Sequence[str] = ()) -> None:
        self.pictures, self._flip = pictures, flip
        self._order = np.arange(len(pictures))
        for name in balance:
            self._order = _balanced(
                self._order, np.array([pictures.label(int(i))[pictures.names.index(name)] for i in self._order])
            )

    def __len__(self) -> int:
        return len(self._order)

    def item(self, index: int, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Item `index`; whether it is mirrored comes from `rng`."""
        index = int(self._order[index])
        picture = self.pictures.picture(index)
        if self._flip and rng.random() < 0.5:
            picture = picture[:, ::-1]
        return {"image": normalised(picture), "label": self.pictures.label(index)}


def normalised(picture: Picture) -> NDArray[np.float32]:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [-1, 1], the range all our networks are trained on."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32) / 127.5 - 1.0


def _balanced(order: NDArray[np.int64], label: NDArray[np.float32]) -> NDArray[np.int64]:
    """`order` with the rarer label's members repeated evenly until both are as many."""
    rare, common = sorted((order[label > 0.5], order[label <= 0.5]), key=len)
    if not len(rare):
        return order
    return np.concatenate([common, np.resize(rare, len(common))])
