"""float32 ONNX -> float16 ONNX: what stays in float32 is decided by the values that pass through. Needs no torch.

Values decide, and not the figures of a backend, since CPU backends only store weights in half and compute in float32:
an overflow that a GPU would have does not show there.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from edgegan.runtime.errors import MissingExtraError
from edgegan.runtime.model import onnxfile
from edgegan.runtime.model.golden import Golden
from numpy.typing import NDArray

from . import fp16_audit
from .fp16_audit import Halves
from .intermediate_outputs import Inside
from .trace import check_graph

HALF_MAX = 65504.0
# A norm squares its input: half overflows beyond 256. Half of that, since unseen pictures reach further.
NORM_MAX = 128.0
TENSOR_MAX = HALF_MAX / 4
_RESIZE = "Resize"  # the converter keeps it float32; runtimes have half kernels, or cast by themselves

Ranges = Mapping[str, float]  # tensor name -> its largest magnitude


@dataclass(frozen=True)
class Half:
    """A float16 model with float32 inputs and outputs; `kept` tells which nodes stay float32, and why."""

    model: Any
    kept: Mapping[str, str]
    shares: Halves


def measure_ranges(model: Any, pairs: Golden) -> dict[str, float]:
    """The largest magnitude of every input, output and float tensor between the nodes, over all `pairs`, in float32."""
    import onnx

    floats = [v.name for v in model.graph.value_info if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT]
    inside = Inside(model, [*pairs.inputs, *(o.name for o in model.graph.output), *floats])
    found: dict[str, float] = {}
    for inputs, _ in pairs.calls():
        for name, value in inside(inputs).items():
            found[name] = max(found.get(name, 0.0), _largest(value))
    return found


def find_hurt_by_half(model: Any, ranges: Ranges, sensitive: Iterable[str]) -> dict[str, str]:
    """The nodes that must stay float32, each with the reason.

    `sensitive` are operator types that square or sum what they get (norms): they stay where a value exceeds
    NORM_MAX. Any node stays that touches a value which comes near half's largest.
    """
    sensitive, kept = set(sensitive), {}
    for node in model.graph.node:
        largest = max((ranges.get(name, 0.0) for name in (*node.input, *node.output)), default=0.0)
        entering = ranges.get(node.input[0], 0.0) if node.input else 0.0
        if largest > TENSOR_MAX:
            kept[node.name] = f"values up to {largest:.4g} come near the largest half, 65504"
        elif node.op_type in sensitive and entering > NORM_MAX:
            kept[node.name] = f"squares of values up to {entering:.4g} come near the largest half, 65504"
    return kept


def every(model: Any, sensitive: Iterable[str]) -> dict[str, str]:
    """All nodes of the sensitive types: the second try, when the first misses its tolerance."""
    types = set(sensitive)
    return {n.name: "with it in half the model misses its tolerance" for n in model.graph.node if n.op_type in types}


def to_fp16(model: Any, keep: Mapping[str, str], name: str) -> Half:
    """`model` in float16, except the nodes of `keep` and those for which runtimes have no half kernel.

    Raises VerifyError if anything else stayed float32.
    """
    try:
        from onnxconverter_common import float16
    except ImportError:
        raise MissingExtraError("onnxconverter_common", "export") from None

    kept = dict(keep)
    blocked = set(float16.DEFAULT_OP_BLOCK_LIST) - {_RESIZE}
    kept.update({n.name: f"{n.op_type} has no half kernel on CPUs" for n in model.graph.node if n.op_type in blocked})
    kept.update({n.name: "its scales are float32" for n in model.graph.node if _has_scales(n)})
    source = copy.deepcopy(model)
    _give_own_constants(source, set(kept))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one for each constant that half rounds; measuring tells what it does
        half = float16.convert_float_to_float16(
            source,
            keep_io_types=True,
            op_block_list=sorted(blocked),
            node_block_list=list(kept),
            min_positive_val=0.0,  # let half round; its default replaces small numbers by 1e-7
            max_finite_val=HALF_MAX,
        )
    _retarget(half, {n.name for n in model.graph.node if n.op_type == "Cast"} - set(kept))
    model = check_graph(half, name)
    file = onnxfile.parse(memoryview(model.SerializeToString()), Path(name))
    return Half(model, kept, fp16_audit.prove(file, kept, name))


def report(half: Half, ranges: Ranges, title: str) -> str:
    """Which nodes stay float32 and why, as Markdown; `ranges` as `measure_ranges` found them."""
    name, largest = max(ranges.items(), key=lambda each: each[1])
    lines = [
        f"## {title}",
        "",
        f"{half.shares}. The largest value seen in float32 is {largest:.4g}, in {name}; the largest half is 65504.",
        "",
    ]
    if half.kept:
        lines += ["| stays float32 | why |", "|---|---|", *(f"| {node} | {why} |" for node, why in half.kept.items())]
    else:
        lines += ["No operator had to stay float32."]
    return "\n".join(lines) + "\n"


def _has_scales(node: Any) -> bool:
    """Whether a Resize is told its size by scales: the converter makes half of these too, which ONNX forbids."""
    return node.op_type == _RESIZE and len(node.input) > 2 and bool(node.input[2])


def _retarget(half: Any, casts: set[str]) -> None:
    """Casts to float32 that the model itself has now give half, which the converter leaves to us."""
    import onnx

    for node in half.graph.node:
        for attribute in node.attribute if node.name in casts else ():
            if attribute.name == "to" and attribute.i == onnx.TensorProto.FLOAT:
                attribute.i = onnx.TensorProto.FLOAT16


def _give_own_constants(model: Any, nodes: set[str]) -> None:
    """Copies the constants of `nodes`: the converter changes the type of one that is shared for all its users."""
    constants = {c.name: c for c in model.graph.initializer}
    for node in model.graph.node:
        if node.name in nodes:
            for i, name in enumerate(node.input):
                if name in constants:
                    own = copy.deepcopy(constants[name])
                    own.name = f"{node.name}.{name}"
                    model.graph.initializer.append(own)
                    node.input[i] = own.name
    used = {name for node in model.graph.node for name in node.input} | {o.name for o in model.graph.output}
    for constant in [c for c in model.graph.initializer if c.name not in used]:
        model.graph.initializer.remove(constant)


def _largest(value: NDArray[Any]) -> float:
    largest = float(np.abs(value).max(initial=0.0))
    return largest if np.isfinite(largest) else float("inf")
