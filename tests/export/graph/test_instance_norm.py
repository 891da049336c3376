"""Instance norms as reductions give what the operator gives."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgegan.export.graph.instance_norm import to_reductions
from edgegan.export.graph.trace import check_graph

SHAPES = {3: (2, 4, 30), 4: (2, 4, 6, 5)}


def norm(rank: int, *, epsilon: float | None = None, computed: bool = False):
    """A model of two norms that share scale and bias; `computed`: the scale is an input, not a constant."""
    draw = np.random.default_rng(1)
    shape = SHAPES[rank]
    attributes = {} if epsilon is None else {"epsilon": epsilon}
    nodes = [
        helper.make_node("InstanceNormalization", ["x", "s", "b"], ["m"], name="first", **attributes),
        helper.make_node("InstanceNormalization", ["m", "s", "b"], ["y"], name="second"),
    ]
    constants = [numpy_helper.from_array(draw.standard_normal(4).astype(np.float32), n) for n in ("s", "b")]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    if computed:
        constants = constants[1:]
        inputs.append(helper.make_tensor_value_info("s", TensorProto.FLOAT, [4]))
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    return check_graph(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), "g")


def answer(model, x: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x.astype(np.float32)})[0]


@pytest.mark.parametrize("rank", [3, 4])
@pytest.mark.parametrize("epsilon", [None, 0.5])
@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (1000.0, 1.0), (0.0, 1e-3)])
def test_the_values_are_those_of_the_operator(rank: int, epsilon: float | None, mean: float, spread: float) -> None:
    """Also far from zero, where a difference of squares would lose everything, and where epsilon decides."""
    plain = norm(rank, epsilon=epsilon)
    lowered = to_reductions(plain)
    assert "InstanceNormalization" not in {node.op_type for node in lowered.graph.node}
    assert len({node.name for node in lowered.graph.node}) == 18
    x = np.random.default_rng(2).normal(mean, spread, SHAPES[rank])
    scale, bias = (numpy_helper.to_array(i).astype(np.float64) for i in plain.graph.initializer)
    expected = x.astype(np.float32).astype(np.float64)
    axes = tuple(range(2, rank))
    for each in (1e-5 if epsilon is None else epsilon, 1e-5):
        normal = (expected - expected.mean(axes, keepdims=True)) / np.sqrt(expected.var(axes, keepdims=True) + each)
        expected = normal * scale.reshape(-1, *[1] * len(axes)) + bias.reshape(-1, *[1] * len(axes))
    found = answer(lowered, x)
    assert np.abs(found - expected).max() < 2e-3 if mean else np.abs(found - expected).max() < 1e-4
    assert np.abs(answer(plain, x) - expected).max() < 2e-3  # the operator's own error is of the same size
    assert "InstanceNormalization" in {node.op_type for node in plain.graph.node}  # the given model stays


def test_a_norm_whose_scale_is_computed_stays() -> None:
    kinds = [node.op_type for node in to_reductions(norm(4, computed=True)).graph.node]
    assert kinds == ["InstanceNormalization", "InstanceNormalization"]
