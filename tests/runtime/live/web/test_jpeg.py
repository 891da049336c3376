"""Pictures from outside: their heads are read before anything is decoded."""

import cv2
import numpy as np
import pytest

from edgegan.runtime.errors import InputError
from edgegan.runtime.live.web import jpeg


def test_a_head_tells_the_size_of_a_jpeg():
    for quality, hw in ((5, (1, 1)), (95, (33, 1000)), (50, (720, 1280))):
        image = np.zeros((*hw, 3), np.uint8)
        assert jpeg.size_hw(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()) == hw
        progressive = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
        assert jpeg.size_hw(progressive) == hw
    with pytest.raises(InputError):
        jpeg.size_hw(cv2.imencode(".png", image)[1].tobytes())
