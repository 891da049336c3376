"""The small graphs against `align` and `blending`, on the CPU: the same picture, but for a rounded grey level."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import msgspec
import numpy as np
import pytest
from support.faces.placed_faces import soft_noise

from edgegan.runtime.backends.onnxruntime.backend import OnnxRuntime
from edgegan.runtime.edit import align, blending
from edgegan.runtime.edit.device.filters import filters_for
from edgegan.runtime.edit.device.geometry import window_of_change, window_of_crop
from edgegan.runtime.edit.device.search import window_of_search
from edgegan.runtime.edit.device.steps import Cut, Look, tell_cut, tell_paste
from edgegan.runtime.faces import Face
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.card import ModelCard
from edgegan.runtime.model.image import postprocess, preprocess
from edgegan.runtime.shipped import FRAMES, find_model

RNG = np.random.default_rng(7)


def run(name, inputs):
    with OnnxRuntime(load(FRAMES / f"{name}.onnx"), device="cpu", threads=1) as graph:
        return graph.run(inputs)


def psnr(a, b):
    error = ((a.astype(float) - b) ** 2).mean()
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def apart(a, b):
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def a_face(x, y, size, angle=0.0):
    """A face about (x, y), turned by an angle in radians."""
    cos, sin = math.cos(angle), math.sin(angle)

    def at(u, v):
        return x + size * (cos * u - sin * v), y + size * (sin * u + cos * v)

    points = (at(0.0, 0.05), at(0.0, 0.25), at(-0.45, 0.0), at(0.45, 0.0))
    box = (x - size / 2, y - size / 2, size, size)
    return Face(box=box, score=1.0, left_eye=at(-0.2, -0.1), right_eye=at(0.2, -0.1), points=points)


PLACES = {
    "in the middle": a_face(240.0, 160.0, 100.0, 0.1),
    "small": a_face(250.0, 150.0, 30.0),
    "large, on its side": a_face(240.0, 160.0, 300.0, 1.3),
    "upside down": a_face(200.0, 170.0, 90.0, math.pi),
    "at the corner": a_face(10.0, 15.0, 75.0),
    "half outside, at the far edges": a_face(475.0, 315.0, 90.0, 0.5),
    "mostly outside": a_face(-25.0, 150.0, 60.0, -0.3),
    "larger than the frame": a_face(240.0, 160.0, 1300.0),
    "outside": a_face(-900.0, -900.0, 100.0),
}


def sharp(height, width):
    """A frame with edges and fine detail, as photographs have them."""
    frame = soft_noise(height, width) // 2 + RNG.integers(0, 40, (height, width, 3), dtype=np.uint8)
    cv2.circle(frame, (width // 2, height // 2), min(height, width) // 3, (40, 90, 200), -1)
    cv2.putText(frame, "edge", (width // 4, height // 2), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (250, 240, 235), 3)
    return np.ascontiguousarray(frame)


EDITS = {
    "recoloured": lambda crop: np.clip(crop * 0.5 + (70, 50, 20), 0, 255).astype(np.uint8),
    "a hand's breadth replaced": lambda crop: cv2.rectangle(crop.copy(), (20, 40), (90, 70), (20, 30, 220), -1),
    "as good as kept": lambda crop: np.clip(crop + RNG.integers(-3, 4, crop.shape), 0, 255).astype(np.uint8),
    "kept": lambda crop: crop.copy(),
}


@dataclass
class Road:
    """A crop's way out of a frame and back, by `align` and `blending`, and by the graphs."""

    card: ModelCard
    order: str = "bgr"
    look: Look = field(default_factory=lambda: Look(margin=0.06))
    strength: float = 0.8

    def cut(self, frame, face):
        """The crop on the host; then crop and tensor of the graph, in the frame's order."""
        frame_hw = frame.shape[:2]
        hw = self.card.size.hw if face is not None else (72, 104)
        crop, matrix = align.crop(frame, face, self.card) if face is not None else align.whole(frame, hw)
        cut = Cut(matrix, hw, face)
        window = window_of_crop(matrix, hw, frame_hw)
        assert window.x >= 0 <= window.y
        rows, columns = window.rows * window.side, window.columns * window.side
        assert window.y + rows <= frame_hw[0] and window.x + columns <= frame_hw[1]
        part = self.ordered(frame)[window.y : window.y + rows, window.x : window.x + columns]
        blocks = part.reshape(window.rows, window.side, window.columns, window.side, 3)
        spec = self.card.inputs[0]
        found = run(
            f"cut-{spec.layout.lower()}-{spec.dtype}",
            {"part": np.ascontiguousarray(blocks), **tell_cut(cut, window, spec, self.order)},
        )
        return cut, crop, self.ordered(found["crop"]), found["picture"]

    def paste(self, frame, cut, before, after):
        """The frame with the change, on the host and by the graph."""
        host, there = frame.copy(), self.ordered(frame).copy()
        mask = None
        edited = after
        if cut.face is not None:
            mask = blending.face_feather(cut.hw, self.look.margin, cut.face, cut.matrix)
            if self.look.colour_match:
                edited = blending.match_colours(before, after, mask)
            if self.look.guard:
                mask = mask * blending.guard_mask(before, edited)
            mask = mask * np.float32(self.strength)
        blending.blend(host, before, edited, cut.matrix, mask)
        window = window_of_change(cut.matrix, cut.hw, frame.shape[:2])
        if window is not None:
            spec = self.card.outputs[0]
            told = tell_paste(cut, window, spec, self.order, self.look, self.strength if mask is not None else 1.0)
            part = there[window.y : window.y + window.rows, window.x : window.x + window.columns]
            as_input = msgspec.structs.replace(self.card, inputs=(spec,), size=self.free)
            found = run(
                f"paste-{'matched-' if self.look.colour_match else ''}{spec.layout.lower()}-{spec.dtype}",
                {
                    "part": np.ascontiguousarray(part),
                    "crop": self.ordered(before),
                    "picture": preprocess(as_input, after),
                    **told,
                    **filters_for(cut.hw),
                },
            )
            assert np.isfinite(found["total"]).all()
            part[...] = found["blended"]
        return host, self.ordered(there)

    @property
    def free(self):
        return msgspec.structs.replace(self.card.size, kind="multiple_of", multiple=1)

    def ordered(self, picture):
        return picture if self.order == "bgr" else np.ascontiguousarray(picture[:, :, ::-1])


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
