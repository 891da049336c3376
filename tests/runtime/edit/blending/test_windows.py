"""What is passed over when a change comes back into the frame: nothing that could be seen, and most of the rest."""

import cv2
import numpy as np
import pytest
from support import tiny_models
from support.faces.placed_faces import FACES, soft_noise

from edgegan.runtime.edit import align, blending
from edgegan.runtime.edit.align import find_windows
from edgegan.runtime.model.artefact import load

RNG = np.random.default_rng(11)
HW = (64, 64)


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return load(tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=64, classifier=False, pairs=0)).card


def haze(crop):
    """Specks of a level, a slope that fades out, and a hard patch: what can be seen begins between any of them."""
    after = crop.astype(float) + (RNG.random(crop.shape) < 0.05)
    after[30:] += np.linspace(0, 3, crop.shape[1])[None, :, None]
    after[8:14, 40:60] = 255 - after[8:14, 40:60]
    return np.clip(after.round(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("change", [haze, lambda crop: crop, lambda crop: 255 - crop])
@pytest.mark.parametrize("name", FACES)
def test_what_is_passed_over_would_have_stayed_as_it_is(card, monkeypatch, name, change, masked):
    frame = soft_noise()
    crop, matrix = align.crop(frame, FACES[name], card)
    after, mask = change(crop), blending.feather(HW, 0.1) if masked else None
    windows = []
    monkeypatch.setattr(blending, "find_windows", lambda *args: windows.extend(find_windows(*args)) or windows)
    part = frame.copy()
    blending.blend(part, crop, after, matrix, mask)
    monkeypatch.setattr(blending, "find_windows", lambda change, matrix, part, border: [part])
    whole = frame.copy()
    blending.blend(whole, crop, after, matrix, mask)
    passed = np.ones(frame.shape[:2], bool)
    for x0, y0, x1, y1 in windows:
        assert passed[y0:y1, x0:x1].all()  # nothing is added twice
        passed[y0:y1, x0:x1] = False
    assert np.array_equal(whole[passed], frame[passed]) and np.array_equal(part[passed], frame[passed])
    assert np.abs(part.astype(int) - whole).max() <= 1  # OpenCV rounds places in a crop a little by where it begins
    assert (part != whole).mean() < 1e-4


def test_where_little_changes_little_is_blended(card):
    frame = soft_noise()
    crop, matrix = align.crop(frame, FACES["upright"], card)
    after = crop.copy()
    after[8:14, 40:60] = 255 - after[8:14, 40:60]
    part = align.region(matrix, HW, frame.shape[:2])
    change = blending._fit_change(crop, after, blending.feather(HW, 0.1))
    windows = find_windows(change, matrix, part, cv2.BORDER_CONSTANT)
    area = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in windows)
    assert 0 < area < 0.4 * (part[2] - part[0]) * (part[3] - part[1])


def test_a_face_smaller_than_its_crop_is_blended_whole(card):
    """To look for windows first would take many times as long: each pixel of the frame covers many of the crop."""
    crop, matrix = align.crop(soft_noise(), FACES["small"], card)
    part = align.region(matrix, HW, (400, 640))
    assert (part[2] - part[0]) * (part[3] - part[1]) < crop.shape[0] * crop.shape[1]
    windows = find_windows(np.ones((*HW, 4), np.float32), matrix, part, cv2.BORDER_CONSTANT)
    covered = np.zeros((400, 640), int)
    for x0, y0, x1, y1 in windows:
        covered[y0:y1, x0:x1] += 1
    assert (covered[part[1] : part[3], part[0] : part[2]] == 1).all() and covered.sum() == (covered == 1).sum()
