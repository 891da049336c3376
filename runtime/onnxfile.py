"""What an ONNX file says about itself, read without any ONNX library and before any runtime opens it.

The whole structure is walked, weights are skipped: that shows whether the file is whole, whether its tensors hold
what they promise, and whether it reads other files. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

import hashlib
import math
import mmap
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath

from .errors import InputError
from .protobuf import Value, entry, fields, integer, integers, payload, text

SEAL_KEY = "edgegan_content_sha256"  # in metadata_props: the hash of every other byte of the file
MAX_ELEMENTS = 1 << 28  # of an input or output: 1 GiB of float32
FLOAT, FLOAT16 = 1, 10

# Fields of ModelProto, and of the messages below it.
_IR_VERSION, _GRAPH, _OPSET_IMPORT, _METADATA, _TRAINING, _FUNCTION = 1, 7, 8, 14, 20, 25
_MODEL_FIELDS = 64  # larger numbers are no model's
_DEPTH = 16  # of graphs within graphs
_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16}
_LEAST_BITS = 2  # of an element, in any type and encoding


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
    external: tuple[Path, ...]  # the files beside it that hold weights


def read(path: Path) -> OnnxFile:
    """Reads an ONNX file's structure.

    Raises InputError if the file is not ONNX or is cut short, if a tensor does not hold what it promises, if an
    input or output has more than MAX_ELEMENTS, or if weights lie in files outside the model's folder.
    """
    return parsed(_mapped(path), path)


def parsed(data: memoryview, path: Path) -> OnnxFile:
    """As `read`, of bytes that are, or will be, the file `path`."""
    seen: set[int] = set()
    try:
        return _Reader(path).model(data, seen)
    except ValueError:
        raise _broken(path, len(data), begun=_IR_VERSION in seen) from None


def read_metadata(path: Path) -> dict[str, str]:
    """The `metadata_props` of an ONNX file; raises InputError as `read` does."""
    return read(path).metadata


def content_sha256(path: Path) -> str:
    """The hash of every byte of an ONNX file but its seal; raises InputError if the file is not ONNX."""
    data = _mapped(path)
    try:
        return _content(data).hexdigest()
    except ValueError:
        raise _broken(path, len(data), begun=False) from None


def sealed(model: bytes) -> bytes:
    """A serialised ModelProto with its own hash in its metadata: alone, without a card beside it, it proves itself.

    Raises ValueError if `model` is no message.
    """
    digest = _content(memoryview(model)).hexdigest()
    return model + entry(_METADATA, entry(1, SEAL_KEY.encode()) + entry(2, digest.encode()))


def _content(data: memoryview) -> hashlib._Hash:
    digest = hashlib.sha256()
    for number, value in fields(data):
        if number == _METADATA and _pair(value)[0] == SEAL_KEY:
            continue
        held = b"%d" % value if isinstance(value, int) else value
        digest.update(b"%d:%d:" % (number, len(held)))
        digest.update(held)
    return digest


def _mapped(path: Path) -> memoryview:
    try:
        with open(path, "rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except ValueError:  # an empty file cannot be mapped
        raise _broken(path, 0, begun=False) from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.external: dict[Path, None] = {}

    def model(self, data: memoryview, seen: set[int]) -> OnnxFile:
        metadata: dict[str, str] = {}
        found: tuple[list[Tensor], list[Node], dict[str, int]] = ([], [], {})
        for number, value in fields(data):
            if not 1 <= number <= _MODEL_FIELDS:
                raise ValueError("not a field of an ONNX model")
            seen.add(number)
            if number == _GRAPH:
                found = self.graph(payload(value), 0)
            elif number == _METADATA:
                key, words = _pair(value)
                metadata[key] = words
            elif number == _FUNCTION:
                self.each(value, {7: self.node}, 0)
            elif number == _TRAINING:
                self.each(value, {1: self.graph, 2: self.graph}, 0)
        if not {_IR_VERSION, _GRAPH, _OPSET_IMPORT} <= seen:
            raise ValueError("no graph, or no versions")
        constants, nodes, kinds = found
        return OnnxFile(metadata, tuple(constants), tuple(nodes), kinds, tuple(self.external))

    def each(self, value: Value, readers: dict[int, object], depth: int) -> None:
        """Walks the fields of a message for which there is a reader."""
        for number, part in fields(payload(value)):
            if number in readers:
                readers[number](payload(part), depth + 1)  # type: ignore[operator]

    def graph(self, data: memoryview, depth: int) -> tuple[list[Tensor], list[Node], dict[str, int]]:
        if depth > _DEPTH:
            raise ValueError("graphs within graphs without end")
        constants, nodes, kinds = [], [], {}
        for number, value in fields(data):
            if number == 1:
                nodes.append(self.node(payload(value), depth))
            elif number == 5:
                constants.append(self.tensor(payload(value), depth))
            elif number in (11, 12, 13):
                name, kind, elements = _declared(payload(value))
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

    def tensor(self, data: memoryview, depth: int) -> Tensor:
        del depth
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
                key, words = _pair(value)
                external[key] = words
        elements = math.prod(dims)
        if min(dims, default=0) < 0:
            raise ValueError("a negative dimension")
        if "location" in external:
            self.outside(name, external, -(-elements * _BITS.get(kind, _LEAST_BITS) // 8))
        elif raw is not None and kind in _BITS:
            if raw * 8 != elements * _BITS[kind]:
                raise self.promised(name, elements, raw)
        elif elements > strings + 8 * (held + (raw or 0)) // _LEAST_BITS:
            raise self.promised(name, elements, held + (raw or 0))
        return Tensor(name, kind, elements)

    def promised(self, name: str, elements: int, held: int) -> InputError:
        return InputError(
            f"{self.path}: the tensor '{name}' promises {elements} values; {held} bytes of it are there",
            todo="copy or export the model again",
        )

    def outside(self, name: str, external: dict[str, str], needed: int) -> None:
        """Notes a file that holds weights; raises InputError unless it lies in the model's folder and holds them."""
        location = external["location"]
        folder = self.path.parent.resolve()
        parts = (*PurePath(location).parts, *PureWindowsPath(location).parts)
        found = None if "\0" in location or ".." in parts else (folder / location).resolve()
        if found is None or PureWindowsPath(location).anchor or not found.is_relative_to(folder):
            raise InputError(
                f"{self.path}: the weights of '{name}' are said to lie in '{location}'",
                "weights lie in the model's own folder, or in the model itself",
                "do not open this file unless you know who made it; export the model again",
            )
        if not found.is_file():
            raise InputError(f"{self.path}: '{location}', which holds the weights of '{name}', is not beside it")
        there = found.stat().st_size - int(external.get("offset") or 0)
        if int(external.get("length") or needed) < needed or there < needed:
            raise self.promised(name, needed, max(there, 0))
        self.external[found] = None


def _pair(value: Value) -> tuple[str, str]:
    """A StringStringEntryProto."""
    parts = {1: "", 2: ""}
    for number, part in fields(payload(value)):
        if number in parts:
            parts[number] = text(part)
    return parts[1], parts[2]


def _declared(data: memoryview) -> tuple[str, int, int]:
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


def _broken(path: Path, size: int, *, begun: bool) -> InputError:
    if begun:  # only what starts like a model is called a damaged one
        return InputError(
            f"{path} is cut short or damaged: its parts do not fit its {size} bytes", todo="copy or export it again"
        )
    return InputError(f"{path} is not an ONNX file", "a model written by `edgegan export`")
