"""Walks the messages of an ONNX file, skips its weights, and refuses what does not hold what it promises.

Field numbers are those of onnx.proto.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath, PureWindowsPath

from ...errors import InputError
from .protobuf import METADATA, Value, fields, integer, integers, pair, payload, text
from .structure import Node, OnnxFile, Tensor

MAX_ELEMENTS = 1 << 28  # of an input or output: 1 GiB of float32
IR_VERSION = 1  # the first field of every ModelProto

_GRAPH, _OPSET_IMPORT, _TRAINING, _FUNCTION = 7, 8, 20, 25
_MODEL_FIELDS = 64  # larger numbers are no model's
_DEPTH = 16  # of graphs within graphs
_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16}
_LEAST_BITS = 2  # of an element, in any type and encoding


class Reader:
    """Of the file `path`, whose folder may hold weights."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.external: dict[Path, None] = {}

    def model(self, data: memoryview, seen: set[int]) -> OnnxFile:
        """A ModelProto; the numbers of its fields go into `seen`, also where it turns out to be none.

        Raises ValueError for what is no ONNX model, InputError for one that does not hold what it promises.
        """
        metadata: dict[str, str] = {}
        found: tuple[list[Tensor], list[Node], dict[str, int]] = ([], [], {})
        for number, value in fields(data):
            if not 1 <= number <= _MODEL_FIELDS:
                raise ValueError("not a field of an ONNX model")
            seen.add(number)
            if number == _GRAPH:
                found = self.graph(payload(value), 0)
            elif number == METADATA:
                key, words = pair(value)
                metadata[key] = words
            elif number == _FUNCTION:
                self.each(value, {7: self.node}, 0)
            elif number == _TRAINING:
                self.each(value, {1: self.graph, 2: self.graph}, 0)
        if not {IR_VERSION, _GRAPH, _OPSET_IMPORT} <= seen:
            raise ValueError("no graph, or no versions")
        constants, nodes, kinds = found
        return OnnxFile(metadata, tuple(constants), tuple(nodes), kinds, tuple(self.external))

    def each(self, value: Value, readers: Mapping[int, Callable[[memoryview, int], object]], depth: int) -> None:
        """Walks the fields of a message for which there is a reader."""
        for number, part in fields(payload(value)):
            if number in readers:
                readers[number](payload(part), depth + 1)

    def graph(self, data: memoryview, depth: int) -> tuple[list[Tensor], list[Node], dict[str, int]]:
        """The constants and nodes of a GraphProto, and the element types of what it declares, by name.

        Raises ValueError for graphs nested deeper than any exporter's, InputError for an input or output that is too
        large to be one.
        """
        if depth > _DEPTH:
            raise ValueError("graphs within graphs without end")
        constants, nodes, kinds = [], [], {}
        for number, value in fields(data):
            if number == 1:
                nodes.append(self.node(payload(value), depth))
            elif number == 5:
                constants.append(self.tensor(payload(value), depth))
            elif number in (11, 12, 13):
                name, kind, elements = _parse_declaration(payload(value))
                kinds[name] = kind
                if elements > MAX_ELEMENTS and number != 13:
                    raise InputError(
                        f"{self.path}: '{name}' is to hold {elements:.3g} values",
                        f"at most {MAX_ELEMENTS:.3g} in one input or output",
                        "the file was changed, or is no model for this program",
                    )
            elif number == 15:
                self.each(value, {1: self.tensor, 2: self.tensor}, depth)
        return constants, nodes, kinds

    def node(self, data: memoryview, depth: int) -> Node:
        """A NodeProto; the graphs and tensors in its attributes are walked and checked."""
        names: dict[int, list[str]] = {1: [], 2: [], 3: [""], 4: [""]}
        for number, value in fields(data):
            if number in names:
                names[number].append(text(value))
            elif number == 5:
                sparse = lambda part, deep: self.each(part, {1: self.tensor, 2: self.tensor}, deep)  # noqa: E731
                self.each(
                    value,
                    {5: self.tensor, 10: self.tensor, 6: self.graph, 11: self.graph, 22: sparse, 23: sparse},
                    depth,
                )
        return Node(names[3][-1], names[4][-1], tuple(names[1]), tuple(names[2]))

    def tensor(self, data: memoryview, depth: int = 0) -> Tensor:
        """A TensorProto without its values. Raises InputError where fewer bytes are there than its shape promises."""
        dims: list[int] = []
        kind, name, held, strings, external = 0, "", 0, 0, {}
        raw: int | None = None
        for number, value in fields(data):
            if number == 1:
                dims += integers(value)
            elif number == 2:
                kind = integer(value)
            elif number == 8:
                name = text(value)
            elif number == 9:
                raw = len(payload(value))
            elif number == 6:
                strings += 1
            elif number in (4, 5, 7, 10, 11):
                held += len(value) if isinstance(value, memoryview) else 1
            elif number == 13:
                key, words = pair(value)
                external[key] = words
        elements = math.prod(dims)
        if min(dims, default=0) < 0:
            raise ValueError("a negative dimension")
        if "location" in external:
            self.outside(name, external, -(-elements * _BITS.get(kind, _LEAST_BITS) // 8))
        elif raw is not None and kind in _BITS:
            if raw * 8 != elements * _BITS[kind]:
                raise self.explain_shortage(name, elements, raw)
        elif elements > strings + 8 * (held + (raw or 0)) // _LEAST_BITS:
            raise self.explain_shortage(name, elements, held + (raw or 0))
        return Tensor(name, kind, elements)

    def explain_shortage(self, name: str, elements: int, held: int) -> InputError:
        """The error for a tensor of `elements` values of which only `held` bytes are there."""
        return InputError(
            f"{self.path}: the tensor '{name}' promises {elements} values; {held} bytes of it are there",
            todo="copy or export the model again",
        )

    def outside(self, name: str, external: dict[str, str], needed: int) -> None:
        """Notes a file that holds weights; raises InputError unless it lies in the model's folder and holds them.

        A cache may keep every file elsewhere under its hash (Hugging Face: snapshots/REVISION/model.onnx is a link into
        blobs/). So where the model is a link, files beside it may be links into the very folder that it leads to.
        """
        location = external["location"]
        folder = self.path.parent.resolve()
        parts = (*PurePath(location).parts, *PureWindowsPath(location).parts)
        named = "\0" not in location and ".." not in parts and not PureWindowsPath(location).anchor
        found = folder / location if named else None
        if found is None or not (
            found.resolve().is_relative_to(folder) or found.resolve().parent == self.path.resolve().parent
        ):
            raise InputError(
                f"{self.path}: the weights of '{name}' are said to lie in '{location}'",
                "weights lie in the model's own folder, or in the model itself",
                "do not open this file unless you know who made it; export the model again",
            )
        if not found.is_file():
            raise InputError(f"{self.path}: '{location}', which holds the weights of '{name}', is not beside it")
        there = found.stat().st_size - int(external.get("offset") or 0)
        if int(external.get("length") or needed) < needed or there < needed:
            raise self.explain_shortage(name, needed, max(there, 0))
        self.external[found] = None


def _parse_declaration(data: memoryview) -> tuple[str, int, int]:
    """Name, element type and product of the fixed axes of a ValueInfoProto; 0 where it is no tensor."""
    name, kind, elements = "", 0, 1
    for number, value in fields(data):
        if number == 1:
            name = text(value)
        for what, tensor in fields(payload(value)) if number == 2 else ():
            for part, inner in fields(payload(tensor)) if what == 1 else ():
                if part == 1:
                    kind = integer(inner)
                for _, axis in fields(payload(inner)) if part == 2 else ():
                    elements *= max([1, *(integer(v) for n, v in fields(payload(axis)) if n == 1)])
    return name, kind, elements
