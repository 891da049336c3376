"""Run as `to_litert.py GIVEN MADE`: a torch.export program -> .tflite, by litert-torch.

The program's keywords and the keys of its answer become the names of the file's signature.
"""

from __future__ import annotations

import sys
from typing import Any

import litert_torch
import torch
from torch.fx import Graph, Node

_ATEN = torch.ops.aten
_TRANSPOSED = (None, None, None, (1, 1), (0, 0), (0, 0), 1, (1, 1))  # the defaults of conv_transpose2d's arguments


def rewrite(graph: Graph) -> None:
    """Says in other words, with the same values, what litert-torch cannot carry or gets wrong.

    A transposed convolution of another padding than none or half (3x3, stride 2, as CycleGAN has it) is made without
    any and cut. Of a label that is spread over a picture only the target shape would be turned to channels-last.
    """
    for node in list(graph.nodes):
        with graph.inserting_before(node):
            if node.target == _ATEN.conv_transpose2d.input:
                _replace(graph, node, _cut(graph, node))
            elif node.target == _ATEN.expand.default:
                _replace(graph, node, _multiply(graph, node))


def _cut(graph: Graph, node: Node) -> Node:
    given: tuple[Any, ...] = (*node.args, *_TRANSPOSED[len(node.args) :])
    picture, weight, bias, stride, padding, more, groups, dilation = given
    wanted = node.meta["val"].shape[2:]
    enlarged = [side * step for side, step in zip(picture.meta["val"].shape[2:], stride, strict=True)]
    beyond = any(extra > cut for extra, cut in zip(more, padding, strict=True))
    if beyond or (not any(more) and (not any(padding) or list(wanted) == enlarged)):
        return node
    plain = (picture, weight, bias, stride, [0, 0], [0, 0], groups, dilation)
    found = graph.call_function(_ATEN.conv_transpose2d.input, plain)
    for axis, (first, count) in enumerate(zip(padding, wanted, strict=True), 2):
        found = graph.call_function(_ATEN.slice.Tensor, (found, axis, first, first + count))
    return found


def _multiply(graph: Graph, node: Node) -> Node:
    given: Any = node.args[0]
    before, after = given.meta["val"].shape, node.meta["val"].shape
    if len(before) != 4 or before[2:] == after[2:]:
        return node
    ones = graph.call_function(
        _ATEN.ones.default, ([new if old == 1 else 1 for old, new in zip(before, after, strict=True)],)
    )
    return graph.call_function(_ATEN.mul.Tensor, (given, ones))


def _replace(graph: Graph, node: Node, other: Node) -> None:
    if other is not node:
        node.replace_all_uses_with(other)
        graph.erase_node(node)


def main(given: str, made: str) -> None:
    """Reads the file `given` (.pt2), whose inputs are keywords, and writes the file `made`."""
    program = torch.export.load(given)
    _, examples = program.example_inputs
    network = program.module()
    rewrite(network.graph)
    network.recompile()
    litert_torch.convert(network, sample_kwargs=examples).export(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
