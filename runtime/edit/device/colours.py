"""Orders of colours and ranges of values, as the small matrices and numbers that the graphs take."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...model.card import TensorSpec
from ...model.image import LUMA_BGR, Order, range_of
from ...types import Float32Array

# What cv2 makes grey levels with, in 15 bits behind the point; and CIE XYZ by linear sRGB, white at D65 being 1.
_GREY_BGR = np.array([3735, 19235, 9798], np.float32) / np.float32(1 << 15)
_XYZ_BY_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
) / np.array([[0.950456], [1.0], [1.088754]])


def to_network(spec: TensorSpec, order: Order) -> Mapping[str, Float32Array]:
    """`mix`, (3, channels), `gain` and `low`, (1,): from a frame's colours and grey levels to a network's input."""
    mix = _in_order(LUMA_BGR, order)[:, None] if spec.colour == "GRAY" else _swap(spec, order)
    if spec.dtype == "uint8":
        return {"mix": _array(mix), "gain": _array([1.0]), "low": _array([0.0])}
    low, high = range_of(spec)
    return {"mix": _array(mix), "gain": _array([(high - low) / 255.0]), "low": _array([low])}


def from_network(spec: TensorSpec, order: Order) -> Mapping[str, Float32Array]:
    """`mix`, (channels, 3), `gain` and `low`, (1,): from a network's output to a frame's colours and grey levels."""
    mix = np.ones((1, 3)) if spec.colour == "GRAY" else _swap(spec, order)
    if spec.dtype == "uint8":
        return {"mix": _array(mix), "gain": _array([1.0]), "low": _array([0.0])}
    low, high = range_of(spec)
    return {"mix": _array(mix), "gain": _array([255.0 / (high - low)]), "low": _array([low])}


def brightness(order: Order) -> Float32Array:
    """(3, 1): a frame's colours to its grey levels, as cv2 weighs them."""
    return _array(_in_order(_GREY_BGR, order)[:, None])


def linear_light(order: Order) -> Mapping[str, Float32Array]:
    """`to_xyz` and `from_xyz`, (3, 3): a frame's colours, without their gamma, to CIE XYZ and back."""
    to_xyz = _XYZ_BY_RGB.T if order == "rgb" else _XYZ_BY_RGB.T[::-1]
    return {"to_xyz": _array(to_xyz), "from_xyz": _array(np.linalg.inv(to_xyz))}


def _swap(spec: TensorSpec, order: Order) -> Float32Array:
    same = (spec.colour or "RGB").lower() == order
    return _array(np.eye(3) if same else np.eye(3)[::-1])


def _in_order(weights_bgr: Float32Array, order: Order) -> Float32Array:
    return weights_bgr if order == "bgr" else weights_bgr[::-1]


def _array(values: object) -> Float32Array:
    return np.ascontiguousarray(values, np.float32)
