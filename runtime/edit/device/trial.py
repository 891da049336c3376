"""A small drawn frame, by which a graph on a GPU is held against the same on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends import Arrays
from ...faces import Face
from ...model.card import TensorSpec
from ...model.image import range_of
from ..align import similarity
from .filters import filters_for
from .geometry import window_of_change, window_of_crop
from .steps import Cut, Look, tell_cut, tell_paste

_HW, _FRAME_HW = (32, 40), (135, 166)
_EYES = ((70.0, 62.0), (101.0, 71.0))  # of a face that is turned, and large enough to be averaged first
_CROP_EYES = ((14.0, 14.0), (26.0, 14.0))


class Trial:
    """The inputs of each graph in turn, for a network that takes `image` and gives `edited`."""

    def __init__(self, image: TensorSpec, edited: TensorSpec, look: Look) -> None:
        self.image = image
        self._edited, self._look = edited, look
        self._frame = _draw(_FRAME_HW)
        face = Face(box=(50.0, 30.0, 70.0, 80.0), score=1.0, left_eye=_EYES[0], right_eye=_EYES[1])
        self._cut = Cut(similarity(_EYES, _CROP_EYES), _HW, face)
        self._crop: NDArray[Any] | None = None

    def inputs(self, step: str) -> Arrays:
        """Those of "reduce", "cut" or "paste"; the last needs what `note` was told of the cut."""
        if step == "reduce":
            return {"part": self._frame[:132, :165].reshape(44, 3, 55, 3, 3)}
        if step == "cut":
            window = window_of_crop(self._cut.matrix, _HW, _FRAME_HW)
            rows, columns = window.rows * window.side, window.columns * window.side
            part = self._frame[window.y : window.y + rows, window.x : window.x + columns]
            blocks = part.reshape(window.rows, window.side, window.columns, window.side, 3)
            return {"part": np.ascontiguousarray(blocks), **tell_cut(self._cut, window, self.image, "bgr")}
        change = window_of_change(self._cut.matrix, _HW, _FRAME_HW)
        assert change is not None and self._crop is not None
        part = self._frame[change.y : change.y + change.rows, change.x : change.x + change.columns]
        told = tell_paste(self._cut, change, self._edited, "bgr", self._look, 0.75)
        pixels = {"part": np.ascontiguousarray(part), "crop": self._crop, "picture": self._answer()}
        return {**pixels, **told, **filters_for(_HW)}

    def note(self, outputs: Arrays) -> None:
        """Remembers the crop, where it is among the outputs."""
        self._crop = outputs.get("crop", self._crop)

    def _answer(self) -> NDArray[Any]:
        """Such as a network may give: the left half of the crop's place recoloured, the right half as good as kept."""
        spec, width = self._edited, _HW[1]
        levels = _draw(_HW).astype(np.float32)
        levels[:, : width // 2] = levels[:, : width // 2] * 0.5 + 90.0
        if spec.colour == "GRAY":
            levels = levels[:, :, :1]
        if spec.dtype != "uint8":
            low, high = range_of(spec)
            levels = levels * np.float32((high - low) / 255.0) + np.float32(low)
        picture = levels[None] if spec.layout == "NHWC" else levels.transpose(2, 0, 1)[None]
        return np.ascontiguousarray(picture.astype(spec.dtype))


def levels_apart(a: NDArray[Any], b: NDArray[Any], spec: TensorSpec) -> float:
    """By how many grey levels two answers differ at most; `spec` is of those that are not in grey levels themselves."""
    scale = 1.0
    if a.dtype != np.uint8:
        low, high = range_of(spec)
        scale = 255.0 / (high - low)
    return scale * float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())


def _draw(hw: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3): waves of three lengths, one for each colour, and a bright square."""
    y, x = np.mgrid[: hw[0], : hw[1]]
    waves = [127.0 + 90.0 * np.sin(x / across + y / down) for across, down in ((3.1, 9.0), (7.3, 4.1), (11.0, 17.0))]
    picture = np.stack(waves, axis=-1)
    picture[hw[0] // 3 : hw[0] // 2, hw[1] // 4 : hw[1] // 2] = 230.0
    return picture.astype(np.uint8)
