"""The synthetic camera: by seed and index alone, with true answers."""

from itertools import islice

import cv2
import numpy as np
import pytest

from edgegan.runtime.errors import InputError
from edgegan.runtime.live.sources import open_source
from edgegan.runtime.live.sources.synthetic import Synthetic


@pytest.fixture(scope="module")
def camera():
    with Synthetic((180, 320), fps=30, seed=3) as source:
        yield source


def test_synthetic_frames_depend_on_seed_and_index_alone(camera):
    with Synthetic((180, 320), fps=30, seed=3) as again, Synthetic((180, 320), fps=30, seed=4) as other:
        assert np.array_equal(camera.frame_at(41), again.frame_at(41))
        assert camera.face(41).seed != other.face(41).seed
        assert camera.eyes(41) != other.eyes(41)


def test_synthetic_faces_move_smoothly_and_change_every_few_seconds(camera):
    eyes = np.array([camera.eyes(i) for i in range(240)]).reshape(240, 4)
    steps = np.abs(np.diff(eyes, axis=0)).max(axis=1)
    assert 0 < steps.max() < 2.5  # pixels, at 320 x 180
    roll = np.degrees(np.arctan2(eyes[:, 3] - eyes[:, 1], eyes[:, 2] - eyes[:, 0]))
    distance = np.hypot(eyes[:, 2] - eyes[:, 0], eyes[:, 3] - eyes[:, 1])
    assert np.ptp(roll) > 8
    assert distance.max() / distance.min() > 1.15
    assert len({camera.face(i).seed for i in range(0, 360)}) == 3


def test_synthetic_eyes_lie_where_the_drawing_has_them(camera):
    """Dark pupils: the darkest spot near each stated eye is within a tenth of the eyes' distance."""
    for index in (0, 130, 250):
        grey = cv2.GaussianBlur(cv2.cvtColor(camera.frame_at(index), cv2.COLOR_BGR2GRAY), (5, 5), 0)
        (lx, ly), (rx, ry) = camera.eyes(index)
        reach = (rx - lx) / 4
        for x, y in ((lx, ly), (rx, ry)):
            top, left = round(y - reach / 2), round(x - reach)
            patch = grey[top : round(y + reach / 2), left : round(x + reach)]
            row, column = np.unravel_index(patch.argmin(), patch.shape)
            assert abs(left + column - x) < 0.35 * (rx - lx)
            assert patch.min() < grey[round(y + reach * 1.2), round(x)]


def test_a_synthetic_truth_differs_only_where_the_edit_shows(camera):
    index = next(i for i in range(0, 2000, 130) if not camera.face(i).label["Eyeglasses"])
    before, after = camera.frame_at(index), camera.truth(index, {"Eyeglasses": 1.0})
    rows = np.flatnonzero((before != after).any(axis=(1, 2)))
    (_, left), (_, right) = camera.eyes(index)
    assert rows.min() < min(left, right) < max(left, right) < rows.max()
    assert np.ptp(rows) < 60
    assert np.array_equal(camera.truth(index, {"Eyeglasses": 0.0}), before)
    with pytest.raises(InputError, match="Beard"):
        camera.truth(index, {"Beard": 1.0})


def test_the_synthetic_camera_keeps_its_pace():
    with open_source("synthetic:160x120@60#5") as source:
        assert (source.size_hw, source.fps, source.live) == ((120, 160), 60.0, True)
        frames = list(islice(source, 31))
    assert 0.49 < frames[-1].timestamp - frames[0].timestamp < 3
    assert [f.index for f in frames] == list(range(31))
