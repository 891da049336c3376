"""What is told of an ONNX file: its metadata, constants and operators."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FLOAT, FLOAT16 = 1, 10  # ONNX's numbers of element types


@dataclass(frozen=True)
class Tensor:
    """A constant of the graph. `kind` is ONNX's number of the element type."""

    name: str
    kind: int
    elements: int


@dataclass(frozen=True)
class Node:
    """One operator of the graph."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX file's metadata and main graph. `kinds` are the element types of values, as far as the file tells."""

    metadata: dict[str, str]
    constants: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    kinds: dict[str, int]
    external: tuple[Path, ...]  # the files beside it, or links, that hold weights
