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


def test_whatever_bytes_come_are_a_size_or_an_input_error():
    rng = np.random.default_rng(0)
    whole = cv2.imencode(".jpg", rng.integers(0, 256, (40, 60, 3), np.uint8))[1].tobytes()
    sizes = set()
    for cut in range(0, len(whole), 7):
        garbled = bytearray(whole[: max(cut, 1)])
        for at in rng.integers(0, len(garbled), rng.integers(0, 4)):
            garbled[at] = rng.integers(0, 256)
        for data in (whole[:cut], bytes(garbled)):
            try:
                sizes.add(jpeg.size_hw(data))
                jpeg.decode(data, most_pixels=60 * 40)
            except InputError:
                pass
    assert (40, 60) in sizes
