"""Run as `to_coreml.py GIVEN MADE OUTPUT...`: a torch.export program -> .mlpackage in float32, by coremltools.

The program's keywords become the names of the inputs; those of the outputs are given, in its order.
"""

from __future__ import annotations

import sys
from typing import Any

import coremltools
import torch

_ATEN = torch.ops.aten


def simplify(program: Any) -> Any:
    """A torch.export program without what coremltools does not know and can do without."""
    program = program.run_decompositions({})
    graph = program.graph
    for node in list(graph.nodes):
        other = node
        with graph.inserting_before(node):
            if node.target == _ATEN.alias.default:
                other = node.args[0]
            elif node.target == _ATEN.lerp.Scalar:
                first, second, share = node.args
                between = graph.call_function(_ATEN.sub.Tensor, (second, first))
                part = graph.call_function(_ATEN.mul.Tensor, (between, share))
                other = graph.call_function(_ATEN.add.Tensor, (first, part))
        if other is not node:
            node.replace_all_uses_with(other)
            graph.erase_node(node)
    return program


def main(given: str, made: str, *outputs: str) -> None:
    """Reads the file `given` (.pt2), whose inputs are keywords, and writes the folder `made`."""
    network = coremltools.convert(
        simplify(torch.export.load(given)),
        outputs=[coremltools.TensorType(name=name) for name in outputs],
        minimum_deployment_target=coremltools.target.iOS16,
        compute_precision=coremltools.precision.FLOAT32,
        skip_model_load=True,
    )
    network.save(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
