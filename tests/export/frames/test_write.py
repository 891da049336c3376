"""The graphs that ship are those that the command writes, in operators that ONNX Runtime has on CUDA."""

from __future__ import annotations

import onnx
import pytest

from edgegan.export.frames.write import build, graphs, main
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.onnxfile import SEAL_KEY
from edgegan.runtime.shipped import FRAMES

# Of ai.onnx up to opset 17, in float32 and uint8, by docs/OperatorKernels.md of ONNX Runtime 1.21 and newer.
ON_CUDA = {
    "Abs", "Add", "And", "Cast", "Clip", "Concat", "Constant", "Div", "Greater", "GridSample", "Identity", "Less",
    "MatMul", "Max", "MaxPool", "Mul", "Pow", "ReduceMax", "ReduceMean", "ReduceSum", "Round", "Split", "Sqrt",
    "Squeeze", "Sub", "Transpose", "Unsqueeze", "Where",
}  # fmt: skip
TEXTS = dict(graphs())


def test_each_file_is_there_and_no_other():
    assert {path.stem for path in FRAMES.iterdir()} == set(TEXTS) and len(TEXTS) == 19


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_is_what_its_text_says_and_seals_itself(name):
    path = FRAMES / f"{name}.onnx"
    shipped, fresh = onnx.load(path), onnx.load_from_string(build(name, TEXTS[name]))
    assert shipped.graph == fresh.graph and shipped.opset_import == fresh.opset_import
    assert SEAL_KEY in {entry.key for entry in shipped.metadata_props} and load(path).card.name == name
    assert {node.op_type for node in shipped.graph.node} <= ON_CUDA


def test_the_command_writes_them(tmp_path):
    main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in FRAMES.iterdir()}
