"""What an ONNX file from elsewhere tells of itself: picture, label, sizes, precision. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from edgegan.runtime.backends.contract import Port
from edgegan.runtime.backends.onnxruntime.backend import OnnxRuntime
from edgegan.runtime.commands import command
from edgegan.runtime.errors import EdgeganError, InputError, VerifyError
from edgegan.runtime.model.artefact import Artefact, suffix
from edgegan.runtime.model.build_info import BuildInfo
from edgegan.runtime.model.card import METADATA_KEY, ModelCard, SizeRule
from edgegan.runtime.model.onnxfile import FLOAT, FLOAT16, OnnxFile
from edgegan.runtime.model.onnxfile import read as read_onnx
from numpy.typing import NDArray

from ..graph import fp16_audit

if TYPE_CHECKING:
    from typing import Self

Array = NDArray[Any]
Layout = Literal["NCHW", "NHWC"]
Precision = Literal["fp32", "fp16", "int8"]

_CHANNELS = (1, 3)
_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
_KNOWN = ("float32", "float16", "uint8")


class Probe:
    """An ONNX image-to-image model, opened in ONNX Runtime on the CPU: the reference for every other backend.

    Raises InputError, in words, for what the live editor cannot use: no file, no ONNX, no picture in or out, two
    pictures in, inputs that are neither picture nor label, or pictures that come out in another size.
    """

    def __init__(self, path: Path, layout: Layout | None = None) -> None:
        if suffix(path) != ".onnx" or not path.is_file():
            raise InputError(f"{path} is not an ONNX file" if path.exists() else f"there is no file {path}")
        self.path = path
        self.file = read_onnx(path)
        if METADATA_KEY in self.file.metadata:
            raise InputError(f"{path} has a card already", todo=f"use it as it is: {command('info', path)}")
        blank = ModelCard(
            name=path.stem, family="adopted", task="translate", inputs=(), outputs=(), size=SizeRule(hw=(1, 1))
        )
        self._backend = OnnxRuntime(Artefact(path, blank), device="cpu")
        try:
            self.image, self.label = _inputs(path, self._backend.inputs)
            self.layout = _layout(self.image, layout)
            self.outputs = _outputs(path, self._backend.outputs, self.image, self.layout)
        except BaseException:
            self._backend.close()
            raise

    @property
    def channels(self) -> int | None:
        """Of the picture; None if the layout is not known."""
        if self.layout is None:
            return None
        channels = self.image.shape[1 if self.layout == "NCHW" else 3]
        return channels or 3

    @property
    def hw(self) -> tuple[int | None, int | None]:
        """Height and width that the file fixes; None for an open axis."""
        axes = slice(2, 4) if self.layout == "NCHW" else slice(1, 3)
        height, width = self.image.shape[axes]
        return height, width

    def shape(self, hw: tuple[int, int], count: int = 1) -> tuple[int, ...]:
        """Of the picture tensor."""
        channels = self.channels or 3
        return (count, channels, *hw) if self.layout == "NCHW" else (count, *hw, channels)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The model's answer; raises BackendError."""
        return self._backend.run(inputs)

    def takes(self, hw: tuple[int, int], label_width: int = 0, count: int = 1) -> str:
        """Why pictures of `hw` cannot go through and come out in their size; empty if they can."""
        rng = np.random.default_rng(0)
        inputs = {self.image.name: rng.integers(0, 2, self.shape(hw, count)).astype(self.image.dtype)}
        if self.label is not None:
            inputs[self.label.name] = np.zeros((count, label_width), self.label.dtype)
        try:
            found = self.run(inputs)[self.outputs[0].name]
        except EdgeganError as error:
            return error.seen
        came, gone = found.shape, self.shape(hw, count)
        return "" if came == gone else f"a picture of {_axes(gone)} comes out as {_axes(came)}"

    def multiple(self, hw: tuple[int, int], label_width: int = 0) -> int | None:
        """The smallest number of which the sides have to be multiples; None if only `hw` goes through."""
        for n in _MULTIPLES:
            sizes = ((hw[0] + n, hw[1]), (hw[0], hw[1] + 3 * n), (hw[0] + 2 * n, hw[1] + n))
            if not hw[0] % n and not hw[1] % n and not any(self.takes(size, label_width) for size in sizes):
                return n
        return None

    def precision(self) -> tuple[Precision, BuildInfo]:
        """What the file computes in, and the facts that prove it."""
        return _precision(self.file, str(self.path))

    def close(self) -> None:
        """Frees the model."""
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class _Picture:
    port: Port
    layouts: tuple[Layout, ...]


def _picture(port: Port) -> _Picture | None:
    """The port as a picture, with the layouts that fit it; None if it cannot be one."""
    if len(port.shape) != 4:
        return None
    places: tuple[tuple[Layout, int], ...] = (("NCHW", 1), ("NHWC", 3))
    told = tuple(name for name, axis in places if port.shape[axis] in _CHANNELS)
    return _Picture(port, told or tuple(name for name, axis in places if port.shape[axis] is None))


def _inputs(path: Path, ports: tuple[Port, ...]) -> tuple[Port, Port | None]:
    told = f"{path} takes {', '.join(f'{p.name}: {p}' for p in ports) or 'nothing'}"
    wanted = "one picture of 1 or 3 channels, and at most one label vector (1, K) of floats"
    pictures = [p for p in map(_picture, ports) if p is not None]
    if len(pictures) > 1:
        raise InputError(
            told, f"an editor has {wanted}", "two pictures (style and content) need a program of their own"
        )
    others = [p for p in ports if len(p.shape) != 4]
    odd = [p for p in others if len(p.shape) != 2 or not p.dtype.startswith("float")]
    if not pictures or not pictures[0].layouts or len(others) > 1 or odd:
        raise InputError(told, wanted, "fold further inputs into the graph as constants")
    image = pictures[0].port
    if image.dtype not in _KNOWN:
        raise InputError(told, f"a picture of {', '.join(_KNOWN)}")
    if any(port.shape[0] not in (None, 1) for port in (image, *others)):
        raise InputError(told, "one picture a call", "export the model with a batch of one, or with an open batch")
    return image, others[0] if others else None


def _layout(image: Port, asked: Layout | None) -> Layout | None:
    found = _picture(image)
    fitting = found.layouts if found else ()
    if asked is not None and asked not in fitting:
        raise InputError(
            f"--layout {asked}: the picture '{image.name}' is {image}", f"it can be {' or '.join(fitting)}"
        )
    return asked or (fitting[0] if len(fitting) == 1 else None)


def _outputs(path: Path, ports: tuple[Port, ...], image: Port, layout: Layout | None) -> tuple[Port, ...]:
    """All outputs, the edited picture first."""
    told = f"{path} gives {', '.join(f'{p.name}: {p}' for p in ports) or 'nothing'}"
    if not any(len(p.shape) == 4 for p in ports):
        raise InputError(told, "a picture: an editor is an image-to-image model, not a classifier")
    channel = 3 if layout == "NHWC" else 1
    pictures = [p for p in ports if len(p.shape) == 4 and p.shape[channel] in (None, image.shape[channel])]
    if not pictures:
        raise InputError(told, f"a picture like the one that goes in: {image}")
    sizes = zip(pictures[0].shape, image.shape, strict=True)
    if any(a is not None and b is not None and a != b for a, b in list(sizes)[1:]):
        raise InputError(
            f"{told} for a picture {image}",
            "pictures that come out in the size in which they went in: edits are put back where they were",
            "a super-resolution model is no editor; end it with a Resize to the size of its input to use it as one",
        )
    rest = [p for p in ports if p is not pictures[0]]
    if any(len(p.shape) not in (2, 4) or p.dtype not in _KNOWN for p in rest):
        raise InputError(told, "no outputs but pictures and vectors", "remove the others from the graph")
    return (pictures[0], *rest)


def _precision(file: OnnxFile, name: str) -> tuple[Precision, BuildInfo]:
    if any(node.kind in ("QuantizeLinear", "QLinearConv", "ConvInteger") for node in file.nodes):
        return "int8", BuildInfo()
    weights = dict.fromkeys((FLOAT, FLOAT16), 0)
    for each in file.constants:
        if each.kind in weights:
            weights[each.kind] += each.elements
    if weights[FLOAT16] <= weights[FLOAT]:
        return "fp32", BuildInfo()
    kept = sorted(n.name for n in file.nodes if n.kind != "Cast" and any(file.kinds.get(o) == FLOAT for o in n.outputs))
    try:
        proven = fp16_audit.prove(file, kept, name)
    except VerifyError:
        return "fp32", BuildInfo()  # its values' types are not told, or are mixed without a pattern
    return "fp16", BuildInfo(half_weights=proven.weights, half_operators=proven.operators, fp32_nodes=tuple(kept))


def _axes(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
