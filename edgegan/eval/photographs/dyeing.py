"""Hair in another person's colour, for the judge alone: what it learns of a colour must not be who usually wears it.

Of the blond in a set nearly all may be women with long hair; a judge that learns real hair alone then calls no
short-haired man blond. So half of what it learns from has its hair dyed, each colour as often on everybody. This is not
the recolouring that guides a generator (`data/_faces/hair.py`: luminance and chroma moved to the median of a colour's
clearest cases). Here a real person of the colour, drawn anew each time, lends the whole distribution of theirs: each
channel of CIELAB is mapped from quantile to quantile (histogram specification; Reinhard et al. 2001 match the first two
moments there). A generator that pleases this judge has not merely copied what the judge was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from edgegan.data._faces.hair import LEAST
from edgegan.data._faces.masks import HAIR as HAIR_VALUE
from edgegan.data._files.work import in_threads
from edgegan.data.celeba import HAIR

if TYPE_CHECKING:
    from edgegan.data.faces import FacePictures

Floats = NDArray[np.float32]
_LEVELS = np.linspace(0.02, 0.98, 25)


class Dye:
    """Dyes hair in the colour of a person of the set who has it.

    Args:
        pictures: whose hair lends its colour; those with no mask or too little hair lend none.
        share: of faces that are dyed.
    """

    def __init__(self, pictures: FacePictures, share: float = 0.5) -> None:
        self._share, self._names = share, pictures.names

        def measure(index: int) -> tuple[str, Floats] | None:
            mask, label = pictures.mask(index), pictures.label(index)
            own = [n for n, on in zip(pictures.names, label > 0.5, strict=True) if on and n in HAIR]
            if mask is None or len(own) != 1:
                return None
            levels = measure_levels(pictures.whole(index).astype(np.float32) / 255.0, mask == HAIR_VALUE)
            return None if levels is None else (own[0], levels)

        found = [f for f in in_threads(measure, range(len(pictures)), what="Measuring hair") if f]
        self.donors: dict[str, Sequence[Floats]] = {
            name: [levels for n, levels in found if n == name] for name in dict.fromkeys(n for n, _ in found)
        }

    def __call__(
        self, picture: Floats, hair: Floats | None, label: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """The picture (H, W, 3) in [0, 1] and its label (C,), in a share of cases with other hair, and labelled so.

        `hair` (H, W) in [0, 1] says how much of each pixel is hair. Every colour is as likely, also the person's own:
        that hair was dyed must not tell which colour it has.
        """
        if rng.random() >= self._share or hair is None or len(self.donors) < 2:
            return picture, label
        own = measure_levels(picture, hair > 0.5)
        if own is None:
            return picture, label
        name = list(self.donors)[int(rng.integers(len(self.donors)))]
        donors = self.donors[name]
        changed = label.copy()
        changed[[self._names.index(n) for n in self._names if n in HAIR]] = 0.0
        changed[self._names.index(name)] = 1.0
        return dye(picture, hair, own, donors[int(rng.integers(len(donors)))]), changed


def measure_levels(picture: Floats, hair: NDArray[np.bool_]) -> Floats | None:
    """(levels, 3): quantiles of L, a and b over the hair of a picture in [0, 1]; None where there is too little."""
    inside = cv2.erode(hair.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if float(inside.mean()) < LEAST:
        return None
    return np.quantile(_to_lab(picture)[inside], _LEVELS, axis=0).astype(np.float32)


def dye(picture: Floats, hair: Floats, own: Floats, wanted: Floats) -> Floats:
    """`picture` with its hair, whose quantiles are `own`, given the quantiles `wanted`."""
    lab = _to_lab(picture)
    mapped = np.empty_like(lab)
    for channel in range(3):
        value, source, target = lab[:, :, channel], own[:, channel], wanted[:, channel]
        moved = np.interp(value, source, target)
        moved += np.minimum(value - source[0], 0.0) + np.maximum(value - source[-1], 0.0)  # beyond the ends: shifted
        mapped[:, :, channel] = moved
    dyed = cv2.cvtColor(mapped, cv2.COLOR_LAB2RGB).clip(0.0, 1.0)
    return np.asarray(picture + hair[:, :, None] * (dyed - picture), np.float32)


def _to_lab(picture: Floats) -> Floats:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB), np.float32)
