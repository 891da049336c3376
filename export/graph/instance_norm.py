"""InstanceNormalization as reductions: mean and variance as ReduceMean, the rest as arithmetic. Needs no torch.

The same mathematics for runtimes whose own kernel for it is slow: TensorRT 10's is reported to be slower than 8.6's,
and ONNX Runtime's CUDA provider has none for channels last. Which is faster where is for `edgegan bench` to say.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .trace import rebuild_graph

KINDS = ("plain", "reductions")
# The operators that take the place of a norm and square, sum or divide: they stay float32 where it would.
SENSITIVE = ("ReduceMean", "Sqrt", "Div")
_NORM, _EPSILON = "InstanceNormalization", 1e-5  # ONNX's default


def to_reductions(model: Any) -> Any:
    """A copy of a float32 onnx.ModelProto with inferred shapes that has no InstanceNormalization.

    The deviations from the mean are squared, not the values: no difference of large sums is taken.
    """
    import onnx

    model = copy.deepcopy(model)
    held = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    ranks = {v.name: len(v.type.tensor_type.shape.dim) for v in (*model.graph.value_info, *model.graph.input)}
    nodes: list[Any] = []
    constants: dict[str, Any] = {}
    for node in model.graph.node:
        scale_and_bias = [held.get(name) for name in node.input[1:]] if node.op_type == _NORM else []
        if not scale_and_bias or any(array is None for array in scale_and_bias) or node.input[0] not in ranks:
            nodes.append(node)
            continue
        rank = ranks[node.input[0]]
        epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), _EPSILON)
        arrays: dict[str, NDArray[Any]] = {
            "axes": np.arange(2, rank, dtype=np.int64),
            "epsilon": np.array(epsilon, np.float32),
            **{
                what: array.reshape(-1, *[1] * (rank - 2))
                for what, array in zip(("scale", "bias"), scale_and_bias, strict=True)
                if array is not None
            },
        }
        names = {what: f"{node.name}.{what}" for what in arrays}
        constants |= {names[what]: onnx.numpy_helper.from_array(a, names[what]) for what, a in arrays.items()}
        nodes += _reductions(node, names)
    return rebuild_graph(model, nodes, list(constants.values()), model.graph.name)


def _reductions(node: Any, constants: dict[str, str]) -> list[Any]:
    from onnx import helper

    def tensor(what: str) -> str:
        return f"{node.name}.{what}"

    steps = (
        ("ReduceMean", (node.input[0], constants["axes"]), "mean"),
        ("Sub", (node.input[0], tensor("mean")), "deviation"),
        ("Mul", (tensor("deviation"), tensor("deviation")), "square"),
        ("ReduceMean", (tensor("square"), constants["axes"]), "variance"),
        ("Add", (tensor("variance"), constants["epsilon"]), "shifted"),
        ("Sqrt", (tensor("shifted"),), "spread"),
        ("Div", (tensor("deviation"), tensor("spread")), "normal"),
        ("Mul", (tensor("normal"), constants["scale"]), "scaled"),
        ("Add", (tensor("scaled"), constants["bias"]), ""),
    )
    return [
        helper.make_node(
            kind,
            list(inputs),
            [tensor(what) if what else node.output[0]],
            name=tensor(what or "moved"),
        )  # a mean keeps its axes by default
        for kind, inputs, what in steps
    ]
