"""What a judge of hair colours can be asked for: how it reads hair that was recoloured exactly, without a network.

Hair colours come with other things: of the blond in a set nearly all may be women. A judge learns that too, and does
not call a short-haired man blond whatever the colour of his hair. Where it reads few exact recolourings, few edits can
land, however good they are.
"""

from __future__ import annotations

import cv2
import numpy as np

from edgegan.data import normalise
from edgegan.data._faces.hair import HairColour, measure_hair, recolour
from edgegan.data._faces.masks import HAIR
from edgegan.data._faces.stream import measure_colours
from edgegan.data.faces import FacePictures
from edgegan.eval.subject import Arrays
from edgegan.sheet import Picture


class Recolourer:
    """Recolours the hair of a set's faces to what its training faces call each colour."""

    def __init__(self, train: FacePictures) -> None:
        self._colours: dict[str, HairColour] = measure_colours(train)

    def recolour(self, pictures: FacePictures, index: int, picture: Picture, name: str) -> Arrays | None:
        """(3, S, S) in [-1, 1]: `picture`, which is face `index` of a set, with its hair in the colour `name`.

        None where that is no hair colour, or the picture's hair is not known.
        """
        colour, mask = self._colours.get(name), pictures.crop_mask(index)
        if colour is None or mask is None:
            return None
        hair = mask == HAIR
        shown = picture.astype(np.float32) / 255.0
        own = measure_hair(shown, hair)
        if own is None:
            return None
        cover = np.asarray(cv2.GaussianBlur(hair.astype(np.float32), (0, 0), 0.8), np.float32)
        changed = recolour(shown, cover, own, colour)
        return normalise(np.asarray(np.rint(changed * 255.0), np.uint8))
