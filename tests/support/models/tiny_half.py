"""The smallest artefact in half precision that TensorRT builds an engine from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgegan.runtime.model.artefact import Artefact, payload_sha256
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec

SHAPE = (1, 3, 8, 8)


def _spec(name: str, shape: tuple[int, ...]) -> TensorSpec:
    layout = "NC" if len(shape) == 2 else "NCHW"
    return TensorSpec(name=name, dtype="float32", shape=shape, layout=layout, value_range=(-1.0, 1.0))


def write_half(folder: Path) -> Artefact:
    """edited = image + label[0], in float16 between float32 ports; the convolution is an identity."""
    eye = numpy_helper.from_array(np.eye(3, dtype=np.float16).reshape(3, 3, 1, 1), "eye")
    constants = [eye, numpy_helper.from_array(np.array([[1], [0]], np.float16), "first")]
    constants.append(numpy_helper.from_array(np.array([1, 1, 1, 1], np.int64), "as_pixel"))
    nodes = [
        helper.make_node("Cast", ["image"], ["half"], name="in", to=TensorProto.FLOAT16),
        helper.make_node("Cast", ["label"], ["labels"], name="steer", to=TensorProto.FLOAT16),
        helper.make_node("Conv", ["half", "eye"], ["same"], name="identity"),
        helper.make_node("MatMul", ["labels", "first"], ["one"], name="pick"),
        helper.make_node("Reshape", ["one", "as_pixel"], ["pixel"], name="shape"),
        helper.make_node("Add", ["same", "pixel"], ["sum"], name="add"),
        helper.make_node("Cast", ["sum"], ["edited"], name="out", to=TensorProto.FLOAT),
    ]
    ports = {name: (1, 2) if name == "label" else SHAPE for name in ("image", "label", "edited")}
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ports.items()]
    graph = helper.make_graph(nodes, "tiny", values[:2], values[2:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path = folder / "model.fp16.onnx"
    onnx.save(model, path)
    card = ModelCard(
        name="tiny",
        family="tiny",
        task="translate",
        inputs=(_spec("image", SHAPE), _spec("label", (1, 2))),
        outputs=(_spec("edited", SHAPE),),
        size=SizeRule(hw=SHAPE[2:]),
        precision="fp16",
        payload_sha256=payload_sha256(path),
    )
    card.write(path)
    return Artefact(path, card)
