"""Weights at half of their bytes: the same graph, computed with in float32."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from edgegan.export.web.weights import halve_weights


def model_of(weights):
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["y"])],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, len(weights)])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, weights.shape[1]])],
        [numpy_helper.from_array(weights, "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def compute(model, x):
    onnx.checker.check_model(model)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]


def test_large_weights_are_rounded_once_and_stored_in_half():
    weights = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    x = np.random.default_rng(1).normal(size=(1, 64)).astype(np.float32)
    model = model_of(weights)
    half = halve_weights(model)
    assert len(half.SerializeToString()) < 0.55 * len(model.SerializeToString())
    assert np.allclose(compute(half, x), x @ weights.astype(np.float16).astype(np.float32), atol=1e-5)
    assert np.array_equal(numpy_helper.to_array(model.graph.initializer[0]), weights), "the model given was changed"


def test_small_weights_and_those_beyond_float16_stay():
    few = model_of(np.full((4, 4), 1 / 3, np.float32))
    beyond = model_of(np.full((64, 64), 1e5, np.float32))
    for model in (few, beyond):
        assert halve_weights(model).SerializeToString() == model.SerializeToString()
