"""What a judge can be asked for: how it reads edits that are made exactly, without a network.

Hair colours come with other things: of the blond in a set nearly all may be women. A judge learns that too, and does
not call a short-haired man blond whatever the colour of his hair. Where it reads few exact recolourings, few edits can
land, however good they are; and where it reads other hair once glasses are drawn on a face, no edit can do better.
"""

from __future__ import annotations

import cv2
import numpy as np

from edgegan.data import normalise
from edgegan.data._faces.eyewear import USUAL, draw_eyewear, overlay
from edgegan.data._faces.hair import HairColour, measure_hair, recolour
from edgegan.data._faces.masks import HAIR
from edgegan.data._faces.stream import GLASSES, measure_colours
from edgegan.data.faces import FacePictures
from edgegan.eval.subject import Arrays
from edgegan.sheet import Picture


class ExactEdits:
    """Hair recoloured to what a set's training faces call each colour, and glasses drawn over the eyes."""

    def __init__(self, train: FacePictures) -> None:
        self._colours: dict[str, HairColour] = measure_colours(train)

    def edit(self, pictures: FacePictures, index: int, picture: Picture, name: str) -> Arrays | None:
        """(3, S, S) in [-1, 1]: `picture`, which is face `index` of a set, with the attribute `name` put on.

        None where that is neither a colour of hair nor glasses, or the picture's hair is not known.
        """
        shown = picture.astype(np.float32) / 255.0
        if name == GLASSES:
            changed = _put_on_glasses(pictures, shown)
        else:
            colour, mask = self._colours.get(name), pictures.crop_mask(index)
            if colour is None or mask is None:
                return None
            hair = mask == HAIR
            own = measure_hair(shown, hair)
            if own is None:
                return None
            cover = np.asarray(cv2.GaussianBlur(hair.astype(np.float32), (0, 0), 0.8), np.float32)
            changed = recolour(shown, cover, own, colour)
        return normalise(np.asarray(np.rint(changed * 255.0), np.uint8))


def _put_on_glasses(pictures: FacePictures, shown: Arrays) -> Arrays:
    geometry, size = pictures.geometry, len(shown)
    border, scale = (geometry.edge - geometry.size) / 2, size / geometry.size
    left, right = (((x - border) * scale, (y - border) * scale) for x, y in pictures.eyes)
    return overlay(shown, draw_eyewear(USUAL, left, right, size))
