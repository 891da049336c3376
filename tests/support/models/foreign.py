"""ONNX models as other people make them."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF, BYTE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8


def write(path, nodes, inputs, outputs, constants=None, **saving):
    """An ONNX file; inputs and outputs are (name, type, shape)."""
    graph = helper.make_graph(
        nodes,
        "elsewhere",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path, **saving)
    return path


def node(kind, inputs, output, **more):
    return helper.make_node(kind, inputs.split(), [output], **more)


def negative_bytes(path):
    """(1, 24, 32, 3) uint8, NHWC: 255 - x."""
    shape = (1, 24, 32, 3)
    return write(
        path,
        [node("Sub", "white photo", "out")],
        [("photo", BYTE, shape)],
        [("out", BYTE, shape)],
        {"white": np.array(255, np.uint8)},
    )


def only_blue(path, kind=FLOAT, shape=(1, 3, 24, 32), **saving):
    """NCHW BGR, 0 to 255: keeps the first channel, blue."""
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    mask = np.array([1, 0, 0], dtype).reshape(1, 3, 1, 1)
    nodes = [node("Mul", "x mask", "y")]
    return write(path, nodes, [("x", kind, shape)], [("y", kind, shape)], {"mask": mask}, **saving)


def any_size(path):
    """Open batch and size; the sides must be multiples of 8, which only a run tells."""
    shape = ("n", 3, "h", "w")
    nodes = [
        node("SpaceToDepth", "x", "blocks", blocksize=8),
        node("DepthToSpace", "blocks", "same", blocksize=8),
        node("Neg", "same", "y"),
    ]
    return write(path, nodes, [("x", FLOAT, shape)], [("y", FLOAT, shape)])


def write_tint(path, names=3):
    """A picture in [0, 1], RGB, plus a tenth of a colour for each of the label's values."""
    colours = np.eye(names, 3, dtype=np.float32) * 0.3
    nodes = [
        node("MatMul", "target colours", "flat"),
        node("Reshape", "flat pixel", "tint"),
        node("Add", "x tint", "sum"),
        node("Clip", "sum low high", "y"),
    ]
    shape = ("n", 3, 32, 32)
    constants = {
        "colours": colours,
        "pixel": np.array([-1, 3, 1, 1]),
        "low": np.array(0, np.float32),
        "high": np.array(1, np.float32),
    }
    inputs = [("x", FLOAT, shape), ("target", FLOAT, ("n", names))]
    return write(path, nodes, inputs, [("y", FLOAT, shape)], constants)


def grey(path):
    shape = (1, 1, 24, 32)
    return write(path, [node("Neg", "x", "y")], [("x", FLOAT, shape)], [("y", FLOAT, shape)])
