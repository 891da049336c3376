"""Labelled pictures as a training stream."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import Labelled, Picture


class LabelledStream:
    """Items {"image": (3, H, W) float32 in [-1, 1], "label": (C,) float32}; half of them mirrored if `flip`."""

    def __init__(self, pictures: Labelled, *, flip: bool) -> None:
        self.pictures, self._flip = pictures, flip

    def __len__(self) -> int:
        return len(self.pictures)

    def item(self, index: int, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Item `index`; whether it is mirrored comes from `rng`."""
        picture = self.pictures.picture(index)
        if self._flip and rng.random() < 0.5:
            picture = picture[:, ::-1]
        return {"image": normalised(picture), "label": self.pictures.label(index)}


def normalised(picture: Picture) -> NDArray[np.float32]:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [-1, 1], the range all our networks are trained on."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32) / 127.5 - 1.0
