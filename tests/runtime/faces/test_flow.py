"""How the picture moves, and where that cannot be told."""

import cv2
import numpy as np
import pytest
from support.faces.moving_faces import STILL, shift, texture

from edgegan.runtime.faces.flow import Flow, move


@pytest.mark.parametrize(("degrees", "zoom", "shift"), [(0, 1.0, (5.0, -3.0)), (3, 1.03, (2.0, 1.0))])
def test_flow_tells_a_motion(degrees, zoom, shift):
    true = cv2.getRotationMatrix2D((160, 120), degrees, zoom)
    true[:, 2] += shift
    flow = Flow()
    flow.see(STILL)
    assert flow.see(cv2.warpAffine(STILL, true, (320, 240), borderMode=cv2.BORDER_REFLECT))
    box = np.array([(120.0, 80.0), (200.0, 160.0)])
    # `true` takes pixel indices, and places lie half a pixel further.
    assert move(box, flow.motion(box)) == pytest.approx(move(box - 0.5, true) + 0.5, abs=0.3)


def test_flow_says_where_it_cannot_tell_and_sees_a_cut():
    flow = Flow()
    box = np.array([(120.0, 80.0), (200.0, 160.0)])
    assert not flow.see(STILL) and flow.motion(box) is None  # the first frame
    assert flow.see(shift(STILL, 2, 0)) and not flow.see(texture(seed=5))
    assert flow.motion(box) is None  # no agreement between two scenes
    assert flow.motion(box + 1000) is None  # outside
    assert not flow.see(np.zeros((100, 100, 3), np.uint8))  # another size
