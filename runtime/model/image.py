"""Pictures: as callers give them, continued, halved, and as tensors, whose every constant comes from the card."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError, CardError, InputError
from .card import ModelCard, TensorSpec

Image = NDArray[np.uint8]  # (H, W, 3), BGR
Array = NDArray[Any]
Order = Literal["bgr", "rgb"]  # of a caller's pictures; those between functions here are always BGR

LUMA_BGR = np.array([0.114, 0.587, 0.299], dtype=np.float32)  # ITU-R BT.601


def as_bgr(picture: Array, colour: Order = "bgr") -> Image:
    """`picture` as (H, W, 3) uint8 BGR; grey (H, W) and BGRA or RGBA (H, W, 4) are converted, alpha is dropped.

    Any strides will do. `colour` says in which order the picture's channels lie. Raises InputError for anything
    else. A picture that is BGR already is returned as it is, not copied.
    """
    if colour not in ("bgr", "rgb"):
        raise InputError(f"the colour order is '{colour}'", "'bgr' as in OpenCV, or 'rgb' as in Pillow")
    if not isinstance(picture, np.ndarray):
        raise InputError(f"the picture is a {type(picture).__name__}", "a numpy array (H, W, 3), uint8, BGR")
    shape = "x".join(map(str, picture.shape)) or "a single number"
    if picture.dtype != np.uint8:
        raise InputError(
            f"the picture is {picture.dtype}, {shape}",
            "uint8 with values 0 to 255, as cv2 reads it",
            "for a float picture in [0, 1]: (picture * 255).round().astype('uint8')",
        )
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[:, :, 0]
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    if picture.ndim != 3 or picture.shape[2] not in (3, 4) or 0 in picture.shape:
        raise InputError(f"the picture has the shape {shape}", "height x width x 3 (BGR), x 4 (BGRA), or grey")
    return picture[:, :, :3] if colour == "bgr" else np.ascontiguousarray(picture[:, :, 2::-1])


def give_back(picture_bgr: Image, colour: Order, out: Image | None) -> Image:
    """A picture that the caller may keep, in the order `colour`, written into `out` if there is one."""
    if colour == "bgr" and (out is None or out is picture_bgr):
        return picture_bgr
    picture = picture_bgr if colour == "bgr" else picture_bgr[:, :, ::-1]
    if out is None:
        return np.ascontiguousarray(picture)
    np.copyto(out, picture)
    return out


def check_out(out: Any, hw: tuple[int, int]) -> None:
    """Raises InputError unless `out` is an array that a picture of `hw` can be written into."""
    if not isinstance(out, np.ndarray) or out.dtype != np.uint8 or out.shape != (*hw, 3) or not out.flags.writeable:
        what = f"{out.dtype} {tuple(out.shape)}" if isinstance(out, np.ndarray) else type(out).__name__
        locked = ", read only" if isinstance(out, np.ndarray) and not out.flags.writeable else ""
        raise InputError(f"out is {what}{locked}", f"a writeable uint8 array of the shape {(*hw, 3)}")


def preprocess(card: ModelCard, picture_bgr: Array) -> Array:
    """A picture as the card's first image input: batch of one, in its layout, colour order, range and dtype.

    The picture must have a size that `card.size` allows; nothing is resized here. Raises InputError otherwise.
    """
    picture = as_bgr(picture_bgr)
    spec = image_spec(card.inputs, f"input of {card.name}")
    card.size.check((picture.shape[0], picture.shape[1]))
    # Laid out first and computed then: sums over channels that lie apart take several times as long.
    planes = [picture @ LUMA_BGR] if spec.colour == "GRAY" else _split(picture, spec.colour)
    values: Array = np.stack(planes, axis=0 if spec.layout == "NCHW" else 2)[None]
    if spec.dtype == "uint8":
        return np.rint(values).astype(np.uint8)
    low, high = range_of(spec)
    scaled = values.astype(np.float32)
    scaled *= np.float32((high - low) / 255.0)
    scaled += np.float32(low)
    return scaled.astype(spec.dtype, copy=False)


def postprocess(card: ModelCard, tensor: Array) -> Image:
    """The card's first image output, batch of one, as (H, W, 3) uint8 BGR: clipped and rounded to nearest.

    Raises BackendError if a value is not finite, or if the shape is not that of one picture.
    """
    spec = image_spec(card.outputs, f"output of {card.name}")
    channels_last = spec.layout == "NHWC"
    channels = 1 if spec.colour == "GRAY" else 3
    if tensor.ndim != 4 or tensor.shape[0] != 1 or tensor.shape[3 if channels_last else 1] != channels:
        raise BackendError(
            f"{card.name} gave a tensor of shape {tuple(tensor.shape)}",
            f"one picture, {spec.layout}, {channels} channels",
        )
    values = tensor[0]
    if spec.dtype != "uint8":
        low, high = range_of(spec)
        scaled = values.astype(np.float32)
        scaled -= np.float32(low)
        scaled *= np.float32(255.0 / (high - low))
        if not np.isfinite(scaled.sum()) and not np.isfinite(scaled).all():
            raise BackendError(
                f"{card.name} gave values that are not numbers (NaN or infinite)",
                todo="try another backend, or the fp32 model",
            )
        values = np.clip(np.rint(scaled, out=scaled), 0, 255, out=scaled).astype(np.uint8)
    planes = list(np.moveaxis(values, 2, 0) if channels_last else values)
    return _merge(planes * 3 if channels == 1 else planes, spec.colour)


def _split(picture_bgr: Image, colour: str | None) -> list[Array]:
    """The channels of a picture, (H, W) each, in the order `colour`."""
    import cv2

    planes: Any = cv2.split(picture_bgr)
    return list(planes if colour == "BGR" else planes[::-1])


def _merge(planes: list[Array], colour: str | None) -> Image:
    """The picture whose channels, (H, W) uint8 each, lie in the order `colour`."""
    import cv2

    merged: Any = cv2.merge(planes if colour == "BGR" else planes[::-1])
    return merged  # type: ignore[no-any-return]


def pad_by_mirror(picture: Image, hw: tuple[int, int]) -> Image:
    """`picture` continued by its mirror image at the right and below, to `hw`; the pixels given keep their places."""
    below, right = hw[0] - picture.shape[0], hw[1] - picture.shape[1]
    return np.pad(picture, ((0, below), (0, right), (0, 0)), mode="reflect") if below or right else picture


def halve(picture: Image, times: int) -> Image:
    """A picture with its sides halved so many times, each pixel the mean of the 2x2 below it; itself for 0 times.

    Args:
        picture: (H, W, 3) or (H, W) uint8. An odd side loses its last row or column.
        times: 0 or more. No side becomes smaller than a pixel.

    Several times faster than one reduction by the same factor, which OpenCV has no vector code for.
    """
    for step in range(times):
        picture = _halve_once(picture, step)
    return picture


def _halve_once(picture: Image, step: int) -> Image:
    """The picture with its sides halved, in the step of that number, from 0; itself where a side is one pixel."""
    import cv2

    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    if not height or not width:
        return picture
    even: Any = picture[: 2 * height, : 2 * width]
    # Halves are rounded up; of the negative, in every other step, that is down.
    smaller: Any = cv2.resize(~even if step % 2 else even, (width, height), interpolation=cv2.INTER_AREA)
    return ~smaller if step % 2 else smaller  # type: ignore[no-any-return]


class Halves:
    """A picture and its halves, each made when it is first asked for: what follows a frame's faces, cuts them out and
    searches for more takes the same ones. For reading alone; one thread uses it.

    Args:
        picture: (H, W, 3) uint8.
    """

    def __init__(self, picture: Image) -> None:
        self._made = [picture]

    @classmethod
    def of(cls, picture: Image | Halves) -> Halves:
        """Those of a picture, and those given as they are."""
        return picture if isinstance(picture, Halves) else cls(picture)

    def __getitem__(self, times: int) -> Image:
        """The picture with its sides halved so many times, as `halve` does."""
        while len(self._made) <= times:
            self._made.append(_halve_once(self._made[-1], len(self._made) - 1))
        return self._made[times]

    def cut(self, times: int, part: tuple[int, int, int, int]) -> Image:
        """What a part of the picture, (x0, y0, x1, y1) with x0 and y0 multiples of 2**times, is in that half; only the
        part is halved where nobody asked for all of it."""
        x0, y0, x1, y1 = part
        step = 1 << times
        if times < len(self._made) and min(x1 - x0, y1 - y0) >= step:
            return self._made[times][y0 // step : -(-y1 // step), x0 // step : -(-x1 // step)]
        there = (slice(start, -(-stop >> times) << times) for start, stop in ((y0, y1), (x0, x1)))
        return halve(self._made[0][tuple(there)], times)


def count_halvings(side: int, least: int) -> int:
    """How often a side can be halved until it would be shorter than `least`."""
    return max(0, (side // max(1, least)).bit_length() - 1)


def image_spec(specs: tuple[TensorSpec, ...], what: str) -> TensorSpec:
    """The first tensor that holds a picture; raises CardError if there is none."""
    for spec in specs:
        if spec.layout != "NC":
            return spec
    raise CardError(f"no {what} is a picture", f"there are: {', '.join(s.name for s in specs)}")


def range_of(spec: TensorSpec) -> tuple[float, float]:
    """The lowest and the highest value of a picture's tensor; raises CardError for what is no range."""
    if spec.value_range is None or spec.value_range[0] >= spec.value_range[1]:
        raise CardError(
            f"the card gives '{spec.name}' the value range {spec.value_range}",
            "two numbers, the lower first, such as [-1, 1]",
        )
    return spec.value_range
