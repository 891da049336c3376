"""ONNX weights at half of their bytes: stored as float16, computed with as float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

_FEWEST = 256  # values of a tensor for which the node more is worth it
_MOST = 65504.0  # the largest float16


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy whose large float32 weights are float16, each widened by a Cast when the file is loaded.

    Runtimes fold those nodes while they load, so that the copy takes as long to run, in float32 alone. Tensors of
    fewer than 256 values, and those with values that float16 does not reach, stay as they are.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    half = onnx.ModelProto()
    half.CopyFrom(model)
    widened = []
    for weights in half.graph.initializer:
        values = numpy_helper.to_array(weights)
        if weights.data_type != TensorProto.FLOAT or values.size < _FEWEST or np.abs(values).max() > _MOST:
            continue
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        widened.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*widened, *half.graph.node]
    del half.graph.node[:]
    half.graph.node.extend(nodes)
    return half
