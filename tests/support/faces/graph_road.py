"""A crop's way out of a frame and back, by `align` and `blending`, and by the graphs for GPUs on the CPU."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import msgspec
import numpy as np

from edgegan.runtime.backends.onnxruntime.backend import OnnxRuntime
from edgegan.runtime.edit import align, blending
from edgegan.runtime.edit.device.filters import filters_for
from edgegan.runtime.edit.device.geometry import window_of_change, window_of_crop
from edgegan.runtime.edit.device.steps import Cut, Look, tell_cut, tell_paste
from edgegan.runtime.faces import Face
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.card import ModelCard
from edgegan.runtime.model.image import preprocess
from edgegan.runtime.shipped import FRAMES
from support.faces.placed_faces import soft_noise

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
        part = self.in_order(frame)[window.y : window.y + rows, window.x : window.x + columns]
        blocks = part.reshape(window.rows, window.side, window.columns, window.side, 3)
        spec = self.card.inputs[0]
        found = run(
            f"cut-{spec.layout.lower()}-{spec.dtype}",
            {"part": np.ascontiguousarray(blocks), **tell_cut(cut, window, spec, self.order)},
        )
        return cut, crop, self.in_order(found["crop"]), found["picture"]

    def paste(self, frame, cut, before, after):
        """The frame with the change, on the host and by the graph."""
        host, there = frame.copy(), self.in_order(frame).copy()
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
                    "crop": self.in_order(before),
                    "picture": preprocess(as_input, after),
                    **told,
                    **filters_for(cut.hw),
                },
            )
            assert np.isfinite(found["total"]).all()
            part[...] = found["blended"]
        return host, self.in_order(there)

    @property
    def free(self):
        return msgspec.structs.replace(self.card.size, kind="multiple_of", multiple=1)

    def in_order(self, picture):
        return picture if self.order == "bgr" else np.ascontiguousarray(picture[:, :, ::-1])
