import cv2
import msgspec
import numpy as np
import pytest
from support import tiny_models
from support.faces.placed_faces import FACES, face, soft_noise

from edgegan.runtime.edit import align
from edgegan.runtime.errors import CardError
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.card import SizeRule


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return load(tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=64, classifier=False, pairs=0)).card


@pytest.mark.parametrize("name", FACES)
def test_the_eyes_land_where_the_card_wants_them(card, name):
    found = FACES[name]
    matrix = align.similarity(
        (found.left_eye, found.right_eye), tuple((x * 64, y * 64) for x, y in ((0.39, 0.45), (0.61, 0.45)))
    )
    for eye, wanted in ((found.left_eye, (0.39, 0.45)), (found.right_eye, (0.61, 0.45))):
        index = matrix[:, :2] @ (np.array(eye) - 0.5) + matrix[:, 2]
        assert index + 0.5 == pytest.approx(np.array(wanted) * 64, abs=1e-9)
    assert np.linalg.det(matrix[:, :2]) > 0  # turned and scaled, never mirrored


@pytest.mark.parametrize("name", ["upright", "turned", "small"])
def test_the_crop_shows_what_lies_there(card, name):
    """A frame whose colours are its own coordinates: each crop pixel must name the place it came from."""
    y, x = np.mgrid[0:400, 0:640].astype(np.float32)
    frame = np.stack([x * 255 / 640, y * 255 / 400, np.zeros_like(x)], axis=-1).round().astype(np.uint8)
    crop, matrix = align.crop(frame, FACES[name], card)
    for row, column in ((20, 20), (32, 32), (40, 25)):
        place = np.linalg.solve(matrix[:, :2], (column, row) - matrix[:, 2])
        expected = place * (255 / 640, 255 / 400)
        assert crop[row, column, :2] == pytest.approx(expected, abs=1.1)


def test_a_strong_reduction_averages(card):
    frame = np.zeros((400, 640, 3), np.uint8)
    frame[::2] = 200  # stripes finer than the crop can hold: sampling alone would keep them
    crop, _ = align.crop(frame, face((200.0, 150.0), (400.0, 150.0)), card)
    assert np.abs(crop.astype(int) - 100).max() < 30


@pytest.mark.parametrize("hw", [(64, 64), (48, 128), (128, 48)])
def test_the_whole_frame_is_never_squeezed(hw):
    """Twice the distance between two places is the same number of pixels across and down."""
    frame = np.full((400, 640, 3), 40, np.uint8)
    cv2.circle(frame, (320, 200), 150, (220, 220, 220), -1)
    small, matrix = align.whole(frame, hw)
    assert matrix[0, 0] == matrix[1, 1] > 0 and matrix[0, 1] == matrix[1, 0] == 0
    centre = ((hw[1] - 1) / 2, (hw[0] - 1) / 2)
    assert matrix[:, :2] @ (319.5, 199.5) + matrix[:, 2] == pytest.approx(centre)
    corners = matrix[:, :2] @ np.array([[-0.5, 639.5], [-0.5, 399.5]]) + matrix[:, 2:]
    assert corners.min() >= -0.5 - 1e-9 and (corners.max(axis=1) <= (hw[1] - 0.5 + 1e-9, hw[0] - 0.5 + 1e-9)).all()
    (x0, x1), (y0, y1) = np.round(corners + 0.5).astype(int)
    disc = np.nonzero(small[y0:y1, x0:x1, 0] > 130)
    assert np.ptp(disc[0]) > 8 and abs(np.ptp(disc[0]) - np.ptp(disc[1])) <= 1


def test_what_is_left_beside_a_whole_frame_is_its_mirror_image():
    frame = soft_noise()
    small, _ = align.whole(frame, (64, 64))  # 40 rows of frame, 12 above and below
    for inner, outer in zip(range(13, 20), range(11, 4, -1), strict=True):
        assert np.abs(small[inner].astype(int) - small[outer]).mean() < 6 < np.ptp(small[inner], axis=0).mean()
    assert np.ptp(small[:12], axis=0).max() > 20


RULE = SizeRule(kind="multiple_of", hw=(256, 256), multiple=4)


@pytest.mark.parametrize("frame_hw", [(720, 1280), (1280, 720), (480, 640), (100, 100), (1080, 1920)])
def test_a_work_size_has_the_frames_shape_and_the_trained_area(frame_hw):
    height, width = align.work_size(frame_hw, RULE)
    RULE.check((height, width))
    assert abs(height * width / 256**2 - 1) < 0.02
    assert width / height == pytest.approx(frame_hw[1] / frame_hw[0], rel=0.02)


def test_a_work_size_keeps_the_rule():
    assert align.work_size((720, 1280), SizeRule(hw=(64, 96))) == (64, 96)
    assert align.work_size((10, 5000), RULE) == (12, 5724)  # the nearest multiple, but never nothing
    coarse = SizeRule(kind="multiple_of", hw=(256, 256), multiple=256)
    assert align.work_size((720, 1280), coarse) == (256, 256)
    ranged = SizeRule(kind="range", hw=(256, 256), multiple=8, min_hw=(200, 200), max_hw=(304, 304))
    assert align.work_size((100, 1000), ranged) == (200, 304)


def test_a_card_without_alignment_is_an_error(card):
    with pytest.raises(CardError, match="where the eyes lie"):
        align.crop(soft_noise(), FACES["upright"], msgspec.structs.replace(card, alignment=None))
