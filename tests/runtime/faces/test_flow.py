"""How the picture moves, and how what is measured in it is steadied."""

import cv2
import numpy as np
import pytest
from support.faces.moving_faces import STEP_S, STILL, shift, texture

from edgegan.runtime.faces.flow import Flow, move
from edgegan.runtime.faces.smoothing import OneEuro


def test_a_one_euro_filter_without_speed_is_an_exponential_mean():
    """With beta 0 the filter is a plain low-pass: after one time constant 1/e of a step is left."""
    smooth, cutoff_hz, step_s = OneEuro(0.5), 0.5, 1e-3
    smooth(np.zeros(1), step_s)
    constant_s = 1 / (2 * np.pi * cutoff_hz)
    for _ in range(round(constant_s / step_s)):
        value = smooth(np.ones(1), step_s)
    assert 1 - value[0] == pytest.approx(np.exp(-1), abs=2e-3)


def test_a_one_euro_filter_is_the_same_at_every_resolution_and_prompter_with_speed():
    samples = np.cumsum(np.random.default_rng(1).normal(0, 0.1, (50, 3)), axis=0)
    small, large, slow = OneEuro(1.0, 2.0), OneEuro(1.0, 2.0), OneEuro(1.0, 0.0)
    for sample in samples:
        a, b, c = small(sample, STEP_S), large(sample * 7.0, STEP_S, unit=7.0), slow(sample, STEP_S)
    assert b == pytest.approx(7.0 * a)
    assert (np.abs(a - samples[-1]) < np.abs(c - samples[-1])).all()


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
