"""What the graphs are told of a frame beside its pixels: small arrays, by the names of their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...faces import Face
from ...model.card import TensorSpec
from ...model.image import Order
from ...types import Float32Array
from .. import blending
from ..align import Matrix
from .colours import brightness, from_network, linear_light, to_network
from .geometry import Window, places_of_change, places_of_crop

Given = dict[str, Float32Array]


class Cut(NamedTuple):
    """How a crop of `hw` lies in a frame; `face` is the one in it, None where the crop is the whole frame."""

    matrix: Matrix
    hw: tuple[int, int]
    face: Face | None


class Look(NamedTuple):
    """How a change is put back: see `FaceOptions`, and `Alignment.margin`."""

    margin: float = 0.0
    guard: bool = False
    colour_match: bool = False


def tell_cut(cut: Cut, window: Window, spec: TensorSpec, order: Order) -> Given:
    """The inputs of `cut-*.onnx`, but for `part`: the `window` as its blocks.

    spec: the network's input, a picture. order: of the frame's colours.
    """
    places = places_of_crop(cut.matrix, cut.hw, window, mirror=cut.face is None)
    return {"across": places.across, "down": places.down, **to_network(spec, order)}


def tell_paste(cut: Cut, window: Window, spec: TensorSpec, order: Order, look: Look, strength: float) -> Given:
    """The inputs of `paste-*.onnx`, but for the pixels and the `filters_for` the crop's size.

    spec: the network's output, a picture. strength: the share of the edit that shows, in [0, 1].
    """
    places, (height, width) = places_of_change(cut.matrix, cut.hw, window), cut.hw
    edges = [np.ones(blending.FINER * count, np.float32) for count in (width, height)]
    across, down, softness = np.zeros(width), np.zeros(height), 1.0  # all of a whole frame comes back
    if cut.face is not None:
        across, down = blending.face_reach(cut.hw, cut.face, cut.matrix)
        softness = blending.feather_width(look.margin)
        for edge in edges:  # nothing may leak out between the last pixels
            edge[0] = edge[-1] = 0.0
    told: Mapping[str, object] = {
        "across": places.across,
        "down": places.down,
        **from_network(spec, order),
        "out_across": across,
        "out_down": down,
        "softness": [softness],
        "strength": [strength],
        "guard": [float(look.guard)],
        "edge_across": edges[0],
        "edge_down": edges[1],
        "luma": brightness(order),
        **(linear_light(order) if look.colour_match else {}),
    }
    return {name: np.ascontiguousarray(values, np.float32) for name, values in told.items()}
