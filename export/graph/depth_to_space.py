"""Convolutions to few channels, for CPUs: blocks of 2x2 pixels at once. Needs no torch.

A CPU computes 16 output channels side by side; a generator's last convolution has the three of a picture, and leaves
13 lanes idle. With stride 2, a kernel one larger and the kernel's four shifts as output channels it gives the four
pixels of a block, which DepthToSpace puts in their places: the same sums with zeros added, on 12 lanes of 16. Not
measured on GPUs, whose files keep the convolution as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .trace import rebuild_graph

SIDE = 2  # of a block, in pixels
_FEW = 4  # channels; SIDE * SIDE times as many still fit the lanes
_SUFFIX = ".blocks"


def to_blocks(model: Any) -> Any:
    """A copy of a float32 onnx.ModelProto with inferred shapes, whose convolutions to few channels work in blocks.

    Only those of stride 1 whose output has a known, even height and width.
    """
    import onnx

    model = copy.deepcopy(model)
    graph = model.graph
    held = {i.name: i for i in graph.initializer}
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in (*graph.value_info, *graph.output)}
    nodes, constants = [], []
    for node in graph.node:
        if not _fits(node, held, shapes):
            nodes.append(node)
            continue
        weights, *bias = (onnx.numpy_helper.to_array(held[name]) for name in node.input[1:])
        arrays = [shift(weights), *(np.repeat(b, SIDE * SIDE) for b in bias)]
        names = [f"{node.name}{_SUFFIX}.{what}" for what in ("weight", "bias")[: len(arrays)]]
        constants += list(map(onnx.numpy_helper.from_array, arrays, names))
        attributes = _attributes(node) | {"strides": [SIDE, SIDE], "kernel_shape": arrays[0].shape[2:]}
        blocks = node.output[0] + _SUFFIX
        nodes += [
            onnx.helper.make_node("Conv", [node.input[0], *names], [blocks], name=node.name, **attributes),
            onnx.helper.make_node(
                "DepthToSpace", [blocks], node.output, name=node.name + _SUFFIX, blocksize=SIDE, mode="CRD"
            ),
        ]
    return rebuild_graph(model, nodes, constants, graph.name)


def shift(weights: NDArray[Any]) -> NDArray[Any]:
    """The kernel (O, I, H, W) at every place of a block: (O * SIDE * SIDE, I, H + SIDE - 1, W + SIDE - 1)."""
    outputs, inputs, height, width = weights.shape
    found = np.zeros((outputs, SIDE, SIDE, inputs, height + SIDE - 1, width + SIDE - 1), weights.dtype)
    for y in range(SIDE):
        for x in range(SIDE):
            found[:, y, x, :, y : y + height, x : x + width] = weights
    return found.reshape(outputs * SIDE * SIDE, *found.shape[3:])


def _fits(node: Any, constants: Mapping[str, Any], shapes: Mapping[str, list[int]]) -> bool:
    if node.op_type != "Conv" or any(name not in constants for name in node.input[1:]):
        return False
    kernel, size = constants[node.input[1]].dims, shapes.get(node.output[0], [])[2:]
    given = {"strides": [1, 1], "dilations": [1, 1], "group": 1, "auto_pad": b"NOTSET"} | _attributes(node)
    plain = (given["strides"], given["dilations"], given["group"]) == ([1, 1], [1, 1], 1)
    even = len(size) == 2 and all(n and n % SIDE == 0 for n in size)
    return plain and even and given["auto_pad"] == b"NOTSET" and kernel[0] <= _FEW


def _attributes(node: Any) -> dict[str, Any]:
    import onnx

    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
