"""What comes back into the frame: the change alone, without a seam, and nothing where nothing changed."""

import cv2
import numpy as np
import pytest
from support import tiny_models
from support.faces.placed_faces import FACES, face, soft_noise

from edgegan.runtime.edit import align, blending
from edgegan.runtime.faces import Face
from edgegan.runtime.model.artefact import load

RNG = np.random.default_rng(11)
HW = (64, 64)
MATRIX = align.similarity(((300.0, 200.0), (360.0, 200.0)), ((25.0, 28.0), (39.0, 28.0)))


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return load(tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=64, classifier=False, pairs=0)).card


@pytest.mark.parametrize("name", FACES)
def test_an_unchanged_crop_gives_the_frame_back_exactly(card, name):
    frame = soft_noise()
    crop, matrix = align.crop(frame, FACES[name], card)
    out = frame.copy()
    blending.blend(out, crop, crop.copy(), matrix, blending.feather(HW, 0.1))
    assert np.array_equal(out, frame)


@pytest.mark.parametrize("margin", [0.1, 0.001])
@pytest.mark.parametrize("name", FACES)
def test_a_change_stays_inside_the_crop_and_is_whole_in_its_middle(card, name, margin):
    frame = np.full((400, 640, 3), 100, np.uint8)
    crop, matrix = align.crop(frame, FACES[name], card)
    out = frame.copy()
    blending.blend(out, crop, crop + 90, matrix, blending.feather(HW, margin))
    index = np.moveaxis(np.mgrid[0:400, 0:640][::-1], 0, -1) @ matrix[:, :2].T + matrix[:, 2]
    place = (index + 0.5) / 64
    outside = ((place < 0) | (place > 1)).any(axis=-1)
    assert (out[outside] == 100).all() and outside.any()
    inside = ((place > 0.15) & (place < 0.85)).all(axis=-1)
    assert inside.any() and (np.abs(out[inside].astype(int) - 190) <= 1).all()


def test_a_change_fades_out_over_the_margin(card):
    frame = np.full((400, 640, 3), 100, np.uint8)
    crop, matrix = align.crop(frame, FACES["upright"], card)
    out = frame.copy()
    blending.blend(out, crop, crop + 90, matrix, blending.feather(HW, 0.25))
    left, edge = np.linalg.inv(matrix[:, :2]) @ (np.array([[-0.5, 15.5], [32.0, 32.0]]) - matrix[:, 2:])[0:2]
    x0, x1, y = round(left[0]), round(left[1]), round(edge[0])
    rise = out[y, x0 - 2 : x1 + 3, 0].astype(int) - 100
    assert rise[0] == 0 and rise[-1] >= 88 and (np.diff(rise) >= -1).all() and np.diff(rise).max() < 12
    assert rise[len(rise) // 2] == pytest.approx(45, abs=8)


def test_a_part_that_did_not_change_keeps_its_own_sharp_pixels(card):
    frame = RNG.integers(0, 256, (400, 640, 3), dtype=np.uint8)
    crop, matrix = align.crop(frame, FACES["upright"], card)
    after = crop.copy()
    after[:20] = 255 - after[:20]
    out = frame.copy()
    blending.blend(out, crop, after, matrix, blending.feather(HW, 0.1))
    below = int(np.linalg.solve(matrix[:, :2], np.array([0, 24.0]) - matrix[:, 2])[1])
    assert np.array_equal(out[below:], frame[below:]) and not np.array_equal(out, frame)


def strands(contrast: float = 1.0) -> np.ndarray:
    """A frame of fine strands in locks: detail that a crop of 64 pixels holds in part."""
    rng = np.random.default_rng(5)
    fine = rng.standard_normal((1, 640, 1)) + cv2.GaussianBlur(rng.standard_normal((1, 640)), (0, 0), 6)[:, :, None] * 4
    return np.broadcast_to(np.clip(90 + contrast * 16 * fine, 0, 255), (400, 640, 3)).astype(np.uint8)


@pytest.mark.parametrize(("gain", "offset"), [(0.4, 0), (0.5, 120), (1.2, 40)])
def test_detail_follows_a_new_colour(card, gain, offset):
    """Hair made black, white and of more contrast: the frame is what the same map makes of it at full size."""
    frame = strands()
    crop, matrix = align.crop(frame, FACES["upright"], card)
    out = frame.copy()
    after = np.clip(gain * crop + offset, 0, 255).round().astype(np.uint8)
    blending.blend(out, crop, after, matrix, blending.feather(HW, 0.1))
    middle = np.s_[180:260, 300:360]
    wanted, got = np.clip(gain * frame[middle].astype(float) + offset, 0, 255), out[middle].astype(float)
    assert np.corrcoef(got.ravel(), wanted.ravel())[0, 1] > 0.97
    assert 0.85 < got.std() / wanted.std() < 1.15


def test_detail_goes_with_what_is_taken_away(card):
    """Strands that the edit replaces by an even surface leave nothing behind."""
    frame = strands()
    crop, matrix = align.crop(frame, FACES["upright"], card)
    out = frame.copy()
    blending.blend(out, crop, np.full_like(crop, 200), matrix, blending.feather(HW, 0.1))
    middle = np.s_[180:260, 300:360]
    assert out[middle].std() < 0.1 * frame[middle].std()


def test_a_small_change_keeps_detail_and_a_large_one_replaces_it(card):
    """Fine stripes, which no crop of 64 pixels can hold, under a slight and under a strong edit."""
    frame = np.full((400, 640, 3), 100, np.uint8)
    frame[:, ::2] = 120
    crop, matrix = align.crop(frame, FACES["upright"], card)
    middle = np.s_[180:260, 300:360]
    slight, strong = frame.copy(), frame.copy()
    blending.blend(slight, crop, crop + 8, matrix, blending.feather(HW, 0.1))
    blending.blend(strong, crop, crop + 100, matrix, blending.feather(HW, 0.1))
    assert np.abs(slight[middle].astype(int) - frame[middle].astype(int) - 8).max() <= 1
    assert strong[middle].std() < 0.2 * frame[middle].std()


def test_a_slight_change_stops_at_black_and_at_white(card):
    """Fine grain under an edit that is the same everywhere."""
    grain = RNG.integers(0, 30, (400, 640, 3), dtype=np.uint8)
    for frame, change in ((grain, -5), (255 - grain, 5)):
        crop, matrix = align.crop(frame, FACES["upright"], card)
        out = frame.copy()
        blending.blend(out, crop, crop + np.int16(change).astype(np.uint8), matrix, blending.feather(HW, 0.1))
        middle = np.s_[180:260, 300:360]
        assert np.array_equal(out[middle], np.clip(frame[middle].astype(int) + change, 0, 255))


def test_a_face_outside_the_frame_changes_nothing(card):
    frame = soft_noise()
    crop, matrix = align.crop(frame, face((2000.0, 2000.0), (2030.0, 2000.0)), card)
    out = frame.copy()
    blending.blend(out, crop, 255 - crop, matrix, blending.feather(HW, 0.1))
    assert crop.shape == (64, 64, 3) and np.array_equal(out, frame)


@pytest.mark.parametrize("hw", [(64, 64), (80, 128), (96, 64)])
def test_the_whole_frame_goes_there_and_back(hw):
    frame = cv2.resize(soft_noise(100, 160), (640, 400), interpolation=cv2.INTER_CUBIC)
    small, matrix = align.whole(frame, hw)
    assert small.shape == (*hw, 3)
    out = frame.copy()
    blending.blend(out, small, 255 - small, matrix, None)
    error = np.abs(out.astype(int) - (255 - frame.astype(int)))
    assert error.mean() < 4 and error.max() < 60 and error[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 30


def portrait(left=(300.0, 200.0), right=(360.0, 200.0), mouth=(330.0, 251.4)):
    return Face(box=(0, 0, 1, 1), score=1.0, left_eye=left, right_eye=right, points=(mouth,))


def test_a_mask_of_a_face_is_whole_at_its_middle_zero_at_the_edge_and_round():
    mask = blending.face_feather(HW, 0.1, portrait(), MATRIX)
    assert mask.shape == HW and mask.dtype == np.float32 and mask.max() == 1.0
    assert mask[20:50, 16:48].min() == 1.0
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert edge.max() < 0.02 and mask.min() >= 0.0
    square = blending.feather(HW, 0.1)
    assert np.abs(mask[31] - square[31]).max() < 0.02 and mask[6, 6] < 0.5 * square[6, 6]  # the corners alone are round


def test_a_mask_fades_over_more_where_there_is_more_room_beside_the_face():
    low = blending.face_feather(HW, 0.2, portrait(mouth=(330.0, 330.0)), MATRIX)
    high = blending.face_feather(HW, 0.2, portrait(mouth=(330.0, 200.0)), MATRIX)
    assert low[:12].sum() < 0.9 * high[:12].sum() and high[-12:].sum() < 0.9 * low[-12:].sum()


def test_a_half_strong_mask_brings_half_the_change(card):
    frame = np.full((400, 640, 3), 100, np.uint8)
    crop, matrix = align.crop(frame, FACES["upright"], card)
    outs = []
    for strength in (0.5, 1.0):
        out = frame.copy()
        blending.blend(out, crop, crop + 80, matrix, blending.feather(HW, 0.1) * np.float32(strength))
        outs.append(out.astype(int) - 100)
    assert 80 <= outs[1].max() <= 81 and np.abs(2 * outs[0] - outs[1]).max() <= 3


def test_a_tint_is_taken_back_and_what_was_meant_stays():
    """The network's whole output is a little darker and bluer; in its middle it painted a red patch."""
    before = cv2.resize(soft_noise(200, 200), HW[::-1], interpolation=cv2.INTER_AREA) // 2 + 60
    painted = before.copy()
    painted[24:40, 24:40] = (40, 40, 220)
    lab = cv2.cvtColor(painted.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
    tinted = lab * np.float32([0.95, 1.0, 1.0]) + np.float32([2.0, 1.0, -4.0])
    after = np.clip(cv2.cvtColor(tinted, cv2.COLOR_Lab2BGR) * 255, 0, 255).astype(np.uint8)
    matched = blending.match_colours(before, after, blending.feather(HW, 0.1))
    off, left = (np.abs(each.astype(int) - painted).mean() for each in (after, matched))
    assert off > 3 and left < 0.25 * off
    assert np.abs(matched[30:34, 30:34].astype(int) - (40, 40, 220)).max() < 14


def test_colours_that_match_already_stay_and_a_changed_rim_is_left_alone():
    crop = cv2.resize(soft_noise(200, 200), HW[::-1], interpolation=cv2.INTER_AREA)
    mask = blending.feather(HW, 0.1)
    assert np.abs(blending.match_colours(crop, crop, mask).astype(int) - crop).max() <= 1
    other = 255 - crop // 4
    dark = crop // 4
    assert blending.match_colours(dark, other, mask) is other  # every pixel was meant to change


def test_the_guard_drops_a_haze_and_keeps_an_edit():
    before = soft_noise(200, 200)[:64, :64] // 2 + 60
    haze = RNG.integers(-3, 4, before.shape)
    after = (before + haze).astype(np.uint8)
    after[5::20, 55] += 10  # single pixels
    after[20:36, 20:44] = before[20:36, 20:44] // 3
    kept = blending.guard_mask(before, after)
    assert kept.shape == HW and kept[24:32, 24:40].min() == 1.0
    far = np.ones(HW, bool)
    far[14:42, 14:50] = False
    assert kept[far].max() < 0.01
    assert (blending.guard_mask(before, before) == 0).all()
