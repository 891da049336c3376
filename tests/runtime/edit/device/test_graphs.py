"""The small graphs against `align` and `blending`, on the CPU: the same picture, but for a rounded grey level."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
import pytest
from support.faces.graph_road import EDITS, PLACES, RNG, Road, a_face, apart, psnr, run, sharp

from edgegan.runtime.edit import align
from edgegan.runtime.edit.device.filters import filters_for
from edgegan.runtime.edit.device.geometry import window_of_change, window_of_crop
from edgegan.runtime.edit.device.search import window_of_search
from edgegan.runtime.edit.device.steps import Look, tell_paste
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.image import postprocess, preprocess
from edgegan.runtime.shipped import find_model


@pytest.fixture(scope="module")
def card():
    return load(find_model("portraits")).card


def image(card, **spec):
    """The card with another kind of picture in and out."""
    inputs = (msgspec.structs.replace(card.inputs[0], **spec), *card.inputs[1:])
    return msgspec.structs.replace(card, inputs=inputs, outputs=(msgspec.structs.replace(card.outputs[0], **spec),))


@pytest.mark.parametrize("hw", [(321, 481), (320, 480)])
@pytest.mark.parametrize("place", PLACES)
def test_a_face_is_cut_out_and_put_back_as_on_the_host(card, place, hw):
    road, frame = Road(card), sharp(*hw)
    cut, crop, found, tensor = road.cut(frame, PLACES[place])
    assert apart(crop, found) <= 1 and psnr(crop, found) > 50
    assert np.abs(preprocess(card, crop) - tensor).max() <= 2.001 / 255
    host, there = road.paste(frame, cut, crop, EDITS["recoloured"](crop))
    assert apart(host, there) <= 1 and psnr(host, there) > 60
    assert (host != frame).any() or place == "outside"


@pytest.mark.parametrize("order", ["bgr", "rgb"])
@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize(
    "look", [Look(0.06), Look(0.2, guard=True), Look(0.06, colour_match=True), Look(0.1, True, True)]
)
def test_every_way_of_blending_is_the_hosts(card, look, edit, order):
    road, frame = Road(card, order, look), sharp(320, 481)
    cut, crop, _, _ = road.cut(frame, PLACES["in the middle"])
    host, there = road.paste(frame, cut, crop, EDITS[edit](crop))
    # OpenCV reads the curves of Lab from tables; each rounds to grey levels in between.
    most, least = (2, 50.0) if look.colour_match else (1, 60.0)
    assert apart(host, there) <= most and psnr(host, there) > least
    if edit == "kept" and not look.colour_match:
        assert np.array_equal(there, frame)


def test_several_faces_that_overlap_are_put_back_one_after_the_other(card):
    road, frame = Road(card), sharp(333, 507)
    faces = [a_face(150.0, 150.0, 90.0), a_face(210.0, 170.0, 100.0, 0.3), a_face(480.0, 20.0, 80.0)]
    cuts = [road.cut(frame, face) for face in faces]
    host = there = frame
    for cut, crop, _, _ in cuts:
        after = EDITS["recoloured"](crop)
        host, _ = road.paste(host, cut, crop, after)
        _, there = road.paste(there, cut, crop, after)
    assert apart(host, there) <= 1 and psnr(host, there) > 60


@pytest.mark.parametrize("hw", [(480, 640), (333, 1001), (70, 51), (21, 40)])
def test_a_whole_frame_goes_mirrored_into_the_network_and_comes_back_to_its_edges(card, hw):
    road, frame = Road(card, strength=1.0), sharp(*hw)
    cut, crop, found, _ = road.cut(frame, None)
    assert apart(crop, found) <= 1
    host, there = road.paste(frame, cut, crop, 255 - crop)
    assert apart(host, there) <= 1 and psnr(host, there) > 55
    assert (host != frame).mean() > 0.5


@pytest.mark.parametrize("colour", ["RGB", "BGR", "GRAY"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(("dtype", "low"), [("float32", -1.0), ("float16", 0.0), ("uint8", 0.0)])
def test_networks_are_given_pictures_as_their_card_says(card, layout, dtype, low, colour):
    kind = image(card, layout=layout, dtype=dtype, colour=colour, value_range=(low, 1.0))
    for order in ("bgr", "rgb"):
        road, frame = Road(kind, order), sharp(300, 400)
        cut, crop, _, tensor = road.cut(frame, a_face(200.0, 150.0, 40.0))
        expected = preprocess(kind, crop)
        assert tensor.dtype == expected.dtype and tensor.shape == expected.shape
        assert np.abs(tensor.astype(float) - expected).max() <= 1.01 * (1.0 if dtype == "uint8" else (1.0 - low) / 255)
        after = EDITS["recoloured"](crop)
        if colour == "GRAY":
            spec = msgspec.structs.replace(kind, inputs=kind.outputs)
            after = postprocess(kind, preprocess(spec, after))
        host, there = road.paste(frame, cut, crop, after)
        assert apart(host, there) <= 1 and psnr(host, there) > 60


@pytest.mark.parametrize("hw", [(720, 1280), (1081, 1923), (200, 300)])
def test_the_copy_that_is_searched_is_the_frame_averaged(hw):
    frame, window = sharp(*hw), window_of_search(hw)
    rows, columns = window.rows * window.side, window.columns * window.side
    blocks = np.ascontiguousarray(frame[:rows, :columns]).reshape(
        window.rows, window.side, window.columns, window.side, 3
    )
    found = run("reduce", {"part": blocks})["small"]
    expected = cv2.resize(frame[:rows, :columns], (window.columns, window.rows), interpolation=cv2.INTER_AREA)
    assert apart(expected, found) <= 1 and min(found.shape[:2]) >= min(360, *hw)


def test_a_picture_that_is_no_number_shows_in_the_total(card):
    road, frame = Road(card), sharp(200, 300)
    cut, crop, _, tensor = road.cut(frame, a_face(150.0, 100.0, 60.0))
    tensor[0, 1, 5, 7] = np.nan
    window = window_of_change(cut.matrix, cut.hw, frame.shape[:2])
    part = np.ascontiguousarray(frame[window.y : window.y + window.rows, window.x : window.x + window.columns])
    told = tell_paste(cut, window, card.outputs[0], "bgr", road.look, 1.0)
    pixels = {"part": part, "crop": crop, "picture": tensor}
    assert not np.isfinite(run("paste-nchw-float32", {**pixels, **told, **filters_for(cut.hw)})["total"]).all()


def test_windows_keep_their_size_while_a_face_moves(card):
    """Buffers are kept by size: a face that walks through the frame may not want new ones in each."""
    sizes = set()
    for step in range(200):
        face = a_face(150.0 + step, 200.0 + 0.3 * step, 80.0, 0.002 * step)
        matrix = align.crop_matrix(face, card)
        for window in (
            window_of_crop(matrix, card.size.hw, (720, 1280)),
            window_of_change(matrix, card.size.hw, (720, 1280)),
        ):
            sizes.add((window.rows, window.columns, window.side))
    assert len(sizes) <= 6


@pytest.mark.parametrize("hw", [(64, 64), (128, 96), (33, 257)])
def test_filters_are_those_of_opencv(hw):
    picture = RNG.uniform(0, 255, (*hw, 1)).astype(np.float32)
    filters = filters_for(hw)
    reach = 1 + 2 * max(1, round(min(hw) / 32))
    for name, expected in {
        "soft": cv2.GaussianBlur(picture, (3, 3), 0),
        "mean": cv2.blur(picture, (reach, reach)),
        "guard": cv2.GaussianBlur(picture, (reach, reach), 0),
        "fine": cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC),
    }.items():
        found = filters[f"{name}_rows"] @ picture[:, :, 0] @ filters[f"{name}_columns"]
        assert np.abs(found - expected.reshape(found.shape)).max() < 0.01, name
