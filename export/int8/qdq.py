"""The ONNX forms of INT8: QuantizeLinear and DequantizeLinear before the layers with weights. Needs no torch.

Nothing else is quantised, so that every other operator keeps the model's own type:

- for CPUs, unsigned activations with a zero point (signed ones without, before transposed convolutions) in a float32
  model. OpenVINO joins the pairs with the layers into int8 ones, and so does ONNX Runtime only where a layer's output
  is quantised as well: it reads the file rightly, and runs it slower than float32.
- for TensorRT, which knows zero point 0 only, signed activations in a float16 model. OpenVINO moves such a pair to
  before a Concat and then computes wrongly (28 dB where ONNX Runtime has 51): the other form is not for TensorRT, and
  this one not for OpenVINO.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from edgegan.runtime.model.golden import Golden
from numpy.typing import NDArray

from ..graph.intermediate_outputs import Inside
from ..graph.trace import rebuild_graph
from .ranges import Grid, grids
from .search import Goal, Layer, nothing_to_quantise, worst_picture_db
from .sessions import OPENERS

Array = NDArray[Any]

HALF_OPSET = 19  # the first in which scales may be float16
_TINIEST = 1e-6  # scale of a channel of zeros; float16 still tells it from 0
_SCALE, _ZERO, _LEVELS, _PLAIN = ".scale", ".zero", ".int8", ".float"  # suffixes of the new tensors
# The axis of the weights that counts output channels, each with a scale of its own. TensorRT does not have it for
# transposed convolutions (its issue 2380 on GitHub), so that these have one scale: 0.3 dB on models/avatars-128.
_AXES: Mapping[str, Callable[[Any, int], int | None]] = {
    "Conv": lambda node, rank: 0,
    "ConvTranspose": lambda node, rank: None,
    "Gemm": lambda node, rank: 0 if any(a.name == "transB" and a.i for a in node.attribute) else 1,
    "MatMul": lambda node, rank: rank - 1,
}


@dataclass(frozen=True)
class Calibrated:
    """The layers of a model that can be in INT8, with the grid that each one's input has."""

    layers: tuple[Layer, ...]
    grids: Mapping[str, Grid]  # layer name -> of its input


def calibrate(model: Any, calibration: Golden, *, signed: bool) -> Calibrated:
    """What can be in INT8 of a float32 onnx.ModelProto with inferred shapes, from values on `calibration`.

    Args:
        model: as `trace.check_graph` leaves it: nodes have names of their own.
        calibration: inputs that the model was trained on; 16 to 300.
        signed: for TensorRT, else for CPUs.

    Raises InputError if nothing in the model can be.
    """
    nodes = list(_nodes_with_weights(model))
    if not nodes:
        raise nothing_to_quantise()
    sizes = {i.name: math.prod(i.dims) for i in model.graph.initializer}
    first = next(calibration.calls())[0]
    seen = Inside(model, [name for node in nodes for name in (node.input[0], node.output[0])])(first)
    layers = tuple(Layer(n.name, n.op_type, float(sizes[n.input[1]] * _places(n, seen))) for n in nodes)
    # With a zero point before it, OpenVINO leaves a transposed convolution in float32: four times as slow.
    upwards = {node.input[0] for node in nodes if node.op_type == "ConvTranspose"}
    found = grids(model, [node.input[0] for node in nodes], calibration, signed=signed, symmetric=upwards)
    return Calibrated(layers, {node.name: found[node.input[0]] for node in nodes})


def quantise(model: Any, found: Calibrated, floats: Collection[str], name: str) -> Any:
    """A copy of `model`, in float32 or float16, whose layers are in INT8 except those called `floats`; checked."""
    import onnx

    model = copy.deepcopy(model)
    weights = {i.name: i for i in model.graph.initializer}
    chosen = {node.name for node in _nodes_with_weights(model) if node.name in found.grids and node.name not in floats}
    if any(weights[n.input[1]].data_type == onnx.TensorProto.FLOAT16 for n in model.graph.node if n.name in chosen):
        model = onnx.version_converter.convert_version(model, HALF_OPSET)
        weights = {i.name: i for i in model.graph.initializer}
    steps = _Steps({tensor.name for tensor in weights.values()})
    nodes = []
    for node in model.graph.node:
        if node.name in chosen:
            array = onnx.numpy_helper.to_array(weights[node.input[1]])
            axis = _AXES[node.op_type](node, array.ndim)
            node.input[0] = steps.activation(node.input[0], found.grids[node.name], array.dtype)
            node.input[1] = steps.weights(node.input[1], array, axis)
            nodes += steps.take()
        nodes.append(node)
    return rebuild_graph(model, nodes, steps.constants, name)


class QdqForm:
    """A model in float32 or float16 and what any mix of INT8 and it gives, in one runtime on the CPU.

    Args:
        model: the onnx.ModelProto that the file will be made of.
        found: its float32 origin, calibrated.
        goal: for its value range.
        skip: layers that are to stay as they are.
        reader: of OPENERS, the runtime whose answers count.
    """

    def __init__(
        self, model: Any, found: Calibrated, goal: Goal, skip: Collection[str] = (), reader: str = "onnxruntime"
    ) -> None:
        self._model, self._found, self._range, self._skip = model, found, goal.value_range, tuple(skip)
        self._open, self.tools = OPENERS[reader], (reader,)
        self.layers = tuple(layer for layer in found.layers if layer.name not in skip)

    def variant(self, floats: Sequence[str]) -> Any:
        """The onnx.ModelProto with the layers `floats` as they were."""
        return quantise(self._model, self._found, (*floats, *self._skip), self._model.graph.name)

    def worst_db(self, floats: Sequence[str], pairs: Golden) -> float:
        """PSNR of the worst of `pairs` with the layers `floats` as they were, in dB."""
        return worst_picture_db(self._open(self.variant(floats)), pairs, self._range)


class _Steps:
    """Makes the nodes and constants that quantise tensors; a tensor that several layers read is quantised once."""

    def __init__(self, taken: set[str]) -> None:
        self.constants: list[Any] = []
        self._nodes: list[Any] = []
        self._there = set(taken)

    def take(self) -> list[Any]:
        """The nodes made since the last call."""
        nodes, self._nodes = self._nodes, []
        return nodes

    def activation(self, tensor: str, grid: Grid, dtype: Any) -> str:
        """`tensor` rounded to the grid, as float of `dtype`; the name of the result."""
        if self._new(tensor + _PLAIN):
            self._constant(tensor + _SCALE, np.asarray(max(grid.scale, _TINIEST), dtype))
            self._constant(tensor + _ZERO, np.asarray(grid.zero, grid.dtype))
            to_grid = [tensor + _SCALE, tensor + _ZERO]
            self._node("QuantizeLinear", [tensor, *to_grid], tensor + _LEVELS)
            self._node("DequantizeLinear", [tensor + _LEVELS, *to_grid], tensor + _PLAIN)
        return tensor + _PLAIN

    def weights(self, tensor: str, array: Array, axis: int | None) -> str:
        """Weights as int8 levels with one scale, or one for each place along `axis`; the name of the float result."""
        if self._new(tensor + _PLAIN):
            values = array.astype(np.float32)
            others = tuple(i for i in range(array.ndim) if i != axis)
            largest = np.abs(values).max(axis=others, keepdims=True)
            scale = np.maximum(largest / 127.0, _TINIEST).astype(array.dtype)  # levels fit the scale as it is stored
            levels = np.clip(np.rint(values / scale.astype(np.float32)), -127, 127)  # TensorRT's weights: no -128
            self._constant(tensor + _LEVELS, levels.astype(np.int8))
            self._constant(tensor + _SCALE, scale.reshape(-1) if axis is not None else scale.reshape(()))
            along: dict[str, Any] = {} if axis is None else {"axis": axis}
            self._node("DequantizeLinear", [tensor + _LEVELS, tensor + _SCALE], tensor + _PLAIN, **along)
        return tensor + _PLAIN

    def _new(self, name: str) -> bool:
        new = name not in self._there
        self._there.add(name)
        return new

    def _constant(self, name: str, array: Array) -> None:
        import onnx

        self.constants.append(onnx.numpy_helper.from_array(array, name))

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        import onnx

        self._nodes.append(onnx.helper.make_node(kind, inputs, [output], name=f"{output}.{kind}", **attributes))


def _nodes_with_weights(model: Any) -> Iterator[Any]:
    """The nodes with constant weights whose picture is not constant."""
    constants = {i.name for i in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in _AXES and node.input[1] in constants and node.input[0] not in constants:
            yield node


def _places(node: Any, seen: Mapping[str, Array]) -> int:
    """How often the weights are applied to one picture: transposed convolutions once for each pixel that goes in."""
    shape = seen[node.input[0] if node.op_type == "ConvTranspose" else node.output[0]].shape
    return math.prod(shape[2:] if "Conv" in node.op_type else shape[1:-1])
