"""What types a parsed TensorRT network computes in: the proof that an engine is as precise, and as fast, as it says.

TensorRT takes the types from the ONNX file alone, so that a float32 file gives a float32 engine without a word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from edgegan.runtime.errors import VerifyError

# Where the arithmetic is. What only moves values (slices, concatenations, casts) has the type of what it moves.
COMPUTE = (
    "ACTIVATION",
    "CONVOLUTION",
    "DECONVOLUTION",
    "EINSUM",
    "ELEMENTWISE",
    "MATRIX_MULTIPLY",
    "NORMALIZATION",
    "PARAMETRIC_RELU",
    "POOLING",
    "REDUCE",
    "SCALE",
    "SOFTMAX",
    "UNARY",
)
CONVOLUTIONS = ("CONVOLUTION", "DECONVOLUTION", "MATRIX_MULTIPLY")  # what TensorRT can run in int8
_WHOLE = ("BOOL", "INT32", "INT64", "INT4", "INT8", "UINT8")


@dataclass(frozen=True)
class Proof:
    """What was counted in a network."""

    half_layers: int
    float_layers: tuple[str, ...]  # those deliberately kept in float32
    int8_layers: int = 0  # convolutions whose input and weights both come out of int8

    def __str__(self) -> str:
        int8 = f", {self.int8_layers} convolutions in int8" if self.int8_layers else ""
        kept = f", kept fp32: {', '.join(self.float_layers)}" if self.float_layers else ""
        return f"{self.half_layers} computing layers in half{int8}{kept}"


def prove(trt: Any, network: Any, precision: str, keep_fp32: Collection[str], name: str) -> Proof:
    """The proof that a parsed network is of `precision`, "fp16" or "int8" (which is int8 with float16 around it).

    Every layer that computes gives float16, but for the ONNX nodes in `keep_fp32`. An int8 network quantises to INT8,
    dequantises to HALF, and feeds at least one convolution with both; an fp16 network does none of it.

    Raises VerifyError, with names of layers that are otherwise.
    """
    found = _Layers(trt, network, frozenset(keep_fp32))
    half, kept, wrong = found.computing()
    if wrong or not half:
        raise VerifyError(
            f"{name} is not a float16 network: {len(wrong)} of its {half + len(kept) + len(wrong)} "
            "computing layers are not half",
            f"such as {_few(wrong)}" if wrong else "it has no layer in half at all",
            f"give the float16 ONNX file (model.{precision}.onnx)",
        )
    strange = found.strange_steps()
    if strange:
        raise VerifyError(
            f"{name} is not an int8 network that TensorRT runs in half: {_few(strange)}",
            "QuantizeLinear gives int8, DequantizeLinear gives float16",
            "export the int8 file again",
        )
    fast = found.count_fed_by_int8()
    if precision == "int8" and not fast:
        raise VerifyError(
            f"{name} has no convolution that is fed by int8",
            "input and weights of a convolution each come out of a DequantizeLinear",
            "export the int8 file again, or lower --min-psnr so that fewer layers stay float",
        )
    if precision != "int8" and fast:
        raise VerifyError(f"{name}: {fast} of its convolutions are int8", f"its card says {precision}")
    return Proof(half, tuple(kept), fast)


class _Layers:
    """The layers of a network, and which layer makes each tensor."""

    def __init__(self, trt: Any, network: Any, keep: frozenset[str]) -> None:
        self.trt, self.keep = trt, keep
        self.layers = [network.get_layer(i) for i in range(network.num_layers)]
        self.maker = {layer.get_output(j).name: layer for layer in self.layers for j in range(layer.num_outputs)}
        self.compute, self.convolutions = self._kinds(COMPUTE), self._kinds(CONVOLUTIONS)
        self.moves = set(trt.LayerType.__members__.values()) - self.compute - self._kinds(("QUANTIZE", "CONSTANT"))

    def computing(self) -> tuple[int, list[str], list[str]]:
        """How many compute in half, and the names of those kept in float32, and of those that should not be."""
        whole = {getattr(self.trt.DataType, name) for name in _WHOLE if hasattr(self.trt.DataType, name)}
        half, kept, wrong = 0, [], []
        for layer in self.layers:
            types = self._types(layer) - whole  # shapes are computed in integers
            if layer.type not in self.compute or not types:
                continue
            if types == {self.trt.DataType.HALF}:
                half += 1
            elif onnx_nodes(layer) & self.keep:
                kept.append(layer.name)
            else:
                wrong.append(self._words(layer))
        return half, kept, wrong

    def strange_steps(self) -> list[str]:
        """Quantisers to something else than int8, and dequantisers to something else than half."""
        right = {"QUANTIZE": self.trt.DataType.INT8, "DEQUANTIZE": self.trt.DataType.HALF}
        return [
            self._words(layer)
            for layer in self.layers
            if layer.type.name in right and self._types(layer) != {right[layer.type.name]}
        ]

    def count_fed_by_int8(self) -> int:
        """The number of convolutions whose every input of many values is dequantised from int8."""
        return sum(
            layer.type in self.convolutions and all(self._is_dequantised(t) for t in self._operands(layer))
            for layer in self.layers
        )

    def _operands(self, layer: Any) -> Iterator[Any]:
        """Input and weights; None for weights that the layer holds as numbers. A bias stays float in TensorRT too."""
        for i in range(2):
            yield layer.get_input(i) if i < layer.num_inputs else None

    def _is_dequantised(self, tensor: Any) -> bool:
        """Whether a tensor comes out of a DEQUANTIZE, perhaps through layers that only move values."""
        while tensor is not None and (layer := self.maker.get(tensor.name)) is not None:
            if layer.type == self.trt.LayerType.DEQUANTIZE:
                return True
            if layer.type not in self.moves:
                return False
            tensor = layer.get_input(0) if layer.num_inputs else None
        return False

    def _kinds(self, names: Collection[str]) -> set[Any]:
        return {getattr(self.trt.LayerType, name) for name in names if hasattr(self.trt.LayerType, name)}

    def _types(self, layer: Any) -> set[Any]:
        return {layer.get_output_type(j) for j in range(layer.num_outputs)}

    def _words(self, layer: Any) -> str:
        return f"{layer.name} ({layer.type.name.lower()}, {'/'.join(t.name for t in self._types(layer))})"


def onnx_nodes(layer: Any) -> set[str]:
    """The names of the ONNX nodes that a layer came from; the first is its own."""
    return {layer.name, *re.findall(r"\[ONNX Layer: ([^\]]+)\]", layer.metadata or "")}


def _few(words: list[str]) -> str:
    more = f" and {len(words) - 3} more" if len(words) > 3 else ""
    return ", ".join(words[:3]) + more
