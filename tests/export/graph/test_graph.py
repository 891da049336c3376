"""What an exported graph does not carry: whatever could be computed once, or cancels out."""

from __future__ import annotations

import onnx
from support.models.exports import onnx_files


def test_nothing_is_left_that_could_be_computed_once(tiny_export):
    for path in onnx_files(tiny_export):
        graph = onnx.load(path).graph
        constants = {i.name for i in graph.initializer}
        kinds = {node.op_type for node in graph.node}
        assert not kinds & {"Constant", "Identity", "Dropout"}, path
        # A batch norm goes into the layer before it; after a sum of two branches there is none.
        made = {node.output[0]: node.op_type for node in graph.node}
        norms = [made.get(node.input[0]) for node in graph.node if node.op_type == "BatchNormalization"]
        assert not set(norms) & {"Conv", "ConvTranspose", "Gemm"}, path
        assert not [n.name for n in graph.node if constants.issuperset(filter(None, n.input))], "constants are folded"
        assert constants == {name for node in graph.node for name in node.input} & constants, "each one is used"
        # Spectral norm divides by u' W v: a net that still does would hold u, v and the division.
        assert not [name for name in constants if name.rpartition(".")[2].rpartition("_")[2] in ("u", "v")], path


def test_biases_that_a_norm_cancels_are_gone(tiny_export):
    for path in onnx_files(tiny_export):
        graph = onnx.load(path).graph
        made = {node.output[0]: node for node in graph.node}
        before = [made[n.input[0]] for n in graph.node if n.op_type == "InstanceNormalization"]
        assert all(len(node.input) == 2 for node in before if "Conv" in node.op_type), path
