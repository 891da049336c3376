"""Convolutions to few channels work in blocks: the same values, fewer idle lanes."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgegan.export.graph.depth_to_space import to_blocks
from edgegan.export.graph.trace import check_graph


def convolution(outputs: int, kernel: int, size: int | str, *, bias: bool = True, twice: bool = False, **attributes):
    """A model of one convolution of 5 channels, or of two that share their weights."""
    draw = np.random.default_rng(3)
    arrays = {"w": draw.standard_normal((outputs, 5, kernel, kernel)), "b": draw.standard_normal(outputs)}
    names = ["w", "b"] if bias else ["w"]
    results = ["y", "z"] if twice else ["y"]
    nodes = [helper.make_node("Conv", ["x", *names], [y], name=f"to_{y}", **attributes) for y in results]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 5, size, size])],
        [helper.make_tensor_value_info(y, TensorProto.FLOAT, None) for y in results],
        [numpy_helper.from_array(arrays[n].astype(np.float32), n) for n in names],
    )
    return check_graph(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), "g")


def answers(model, size: int = 12) -> list[np.ndarray]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.random.default_rng(4).standard_normal((1, 5, size, size)).astype(np.float32)})


def kinds(model) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize(
    "given",
    [
        {"outputs": 3, "kernel": 7, "pads": [3, 3, 3, 3]},
        {"outputs": 1, "kernel": 3, "pads": [1, 0, 1, 2], "bias": False},  # 12 x 12 out of uneven padding
        {"outputs": 4, "kernel": 1},
        {"outputs": 2, "kernel": 5, "pads": [2, 2, 2, 2], "twice": True},
    ],
)
def test_blocks_give_the_values_of_the_convolution(given):
    model = convolution(size=12, **given)
    found = to_blocks(model)
    assert kinds(found) == ["Conv", "DepthToSpace"] * len(kinds(model))
    assert [n.name for n in found.graph.node if n.op_type == "Conv"] == [n.name for n in model.graph.node]
    for expected, seen in zip(answers(model), answers(found), strict=True):
        np.testing.assert_allclose(seen, expected, atol=1e-5)
    assert kinds(model)[0] == "Conv" and len(kinds(model)) == len(model.graph.output), "the given model was changed"


@pytest.mark.parametrize(
    "given",
    [
        {"outputs": 8, "kernel": 3, "size": 12, "pads": [1, 1, 1, 1]},  # enough channels
        {"outputs": 3, "kernel": 2, "size": 12},  # 11 pixels: no whole blocks
        {"outputs": 3, "kernel": 3, "size": 12, "pads": [1, 1, 1, 1], "strides": [2, 2]},
        {"outputs": 3, "kernel": 3, "size": 12, "pads": [2, 2, 2, 2], "dilations": [2, 2]},
        {"outputs": 3, "kernel": 3, "size": 12, "auto_pad": "SAME_UPPER"},
        {"outputs": 3, "kernel": 3, "size": "n", "pads": [1, 1, 1, 1]},  # may be odd
    ],
)
def test_what_does_not_fit_stays(given):
    model = convolution(**given)
    assert to_blocks(model).SerializeToString() == model.SerializeToString()
