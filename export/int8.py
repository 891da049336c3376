"""float32 ONNX -> INT8 for CPUs: an OpenVINO model, quantised by NNCF; what costs too much stays float32.

Needs no torch. The model is calibrated once; every variant the search tries is that model with some layers put
back to float32, so that trying one costs a compilation and a few pictures.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from edgegan.runtime.artefact import Artefact, payload_sha256
from edgegan.runtime.backends.ov import import_openvino
from edgegan.runtime.card import ModelCard
from edgegan.runtime.errors import InputError, MissingExtraError, VerifyError
from edgegan.runtime.golden import Golden, compare

from .pairs import eager_pairs, spread

if TYPE_CHECKING:
    from edgegan.families import ExportSpec

MARGIN_DB = 0.5  # held-out pictures reach a little lower than those the search looks at
# Everything else stays float: quantised, sums and norms cost 6 dB on a StarGAN and gained no time.
_LAYERS = ("Convolution", "ConvolutionBackpropData", "GroupConvolution", "GroupConvolutionBackpropData", "MatMul")

OnLayer = Callable[[int, int], None]  # (layers measured, of how many)


@dataclass(frozen=True)
class Layer:
    """One layer with weights: what quantising it alone costs, and whether it stayed float32 for that."""

    name: str
    kind: str
    macs: float  # multiply-accumulates of one picture
    psnr_db: float  # of the worst picture, with this layer alone in INT8
    kept_float: bool


@dataclass(frozen=True)
class Quantised:
    """An openvino.Model in INT8. `layers` is empty where the whole model was good enough at once."""

    model: Any
    layers: tuple[Layer, ...]
    psnr_worst_db: float  # over the pairs the search looked at

    @property
    def float_layers(self) -> tuple[str, ...]:
        """The layers that stay float32."""
        return tuple(layer.name for layer in self.layers if layer.kept_float)


def quantise(
    path: Path,
    calibration: Golden,
    value_range: tuple[float, float],
    min_psnr_db: float,
    on_layer: OnLayer | None = None,
) -> Quantised:
    """The model at `path` (float32 ONNX) in INT8, with its worst picture at `min_psnr_db` or better if that can be.

    Layers stay float32 in the order of error saved per multiply-accumulate, as few as needed.

    Args:
        path: an ONNX file in float32.
        calibration: inputs that the model was trained on and fp32 eager's answers to them; 16 to 300.
        value_range: of the first output, for PSNR.
        min_psnr_db: the floor, over the calibration pictures; MARGIN_DB is added.

    Raises:
        MissingExtraError: OpenVINO or NNCF is not installed.
        VerifyError: even with most layers in float32 the floor is out of reach.
    """
    search = _Search(path, calibration, value_range)
    floor = min_psnr_db + MARGIN_DB
    whole = search.worst_db(())
    if whole >= floor:
        return Quantised(search.variant(()), (), whole)
    alone: dict[str, float] = {}
    for done, name in enumerate(search.names, 1):
        alone[name] = search.worst_db(tuple(n for n in search.names if n != name))
        if on_layer is not None:
            on_layer(done, len(search.names))
    noise = {name: 10.0 ** (-db / 10.0) for name, db in alone.items()}
    order = sorted(search.names, key=lambda n: noise[n] / search.macs[n], reverse=True)
    few, enough, kept, worst = 0, len(order), tuple(order), math.inf
    while enough - few > 1:  # bisection: more layers in float32, more fidelity
        count = (few + enough) // 2
        seen = search.worst_db(order[:count])
        if seen >= floor:
            enough, kept, worst = count, tuple(order[:count]), seen
        else:
            few = count
    if enough < len(order):
        layers = [Layer(n, search.kinds[n], search.macs[n], alone[n], n in kept) for n in search.names]
        return Quantised(search.variant(kept), tuple(layers), worst)
    raise VerifyError(
        f"INT8 reaches {whole:.1f} dB on the worst picture, and no mix with float32 layers reaches {min_psnr_db:g} dB",
        todo="ask for less with --min-psnr, or leave int8 out",
    )


def calibration_pairs(spec: ExportSpec, pictures: int, most: int) -> Golden:
    """At most `most` inputs that the model was trained on, with fp32 eager's answers.

    Raises InputError if the spec tells of none.
    """
    if spec.calibration is None:
        raise InputError(f"{spec.name}: no training pictures to calibrate INT8 on", todo="leave int8 out")
    return spread(eager_pairs(dataclasses.replace(spec, golden=spec.calibration), pictures), most)


def read_ir(path: Path) -> Any:
    """An ONNX file as an openvino.Model."""
    return import_openvino().Core().read_model(str(path))


def save_ir(model: Any, card: ModelCard, path: Path) -> Artefact:
    """Writes `path` (.xml), the .bin beside it, and the card with the hash of both."""
    openvino = import_openvino()
    path.parent.mkdir(parents=True, exist_ok=True)
    openvino.save_model(model, str(path), compress_to_fp16=False)
    card = msgspec.structs.replace(card, payload_sha256=payload_sha256(path))
    card.write(path)
    return Artefact(path, card)


def report(found: Quantised) -> str:
    """What each layer costs, as a Markdown table, dearest first."""
    lines = ["| layer | | MMAC | alone in INT8, worst picture (dB) | |", "|---|---|---:|---:|---|"]
    for layer in sorted(found.layers, key=lambda each: each.psnr_db):
        kept = "float32" if layer.kept_float else "int8"
        lines.append(f"| {layer.name} | {layer.kind} | {layer.macs / 1e6:.1f} | {layer.psnr_db:.1f} | {kept} |")
    return "\n".join(lines) + "\n"


class _Search:
    """The calibrated model, its float32 origin, and what any mix of the two gives."""

    def __init__(self, path: Path, calibration: Golden, value_range: tuple[float, float]) -> None:
        openvino = import_openvino()
        self._openvino, self._core = openvino, openvino.Core()
        self._pairs, self._range = calibration, value_range
        self._single = self._core.read_model(str(path))
        self._whole = _calibrated(self._single, [inputs for inputs, _ in calibration.singles()])
        weighted = [op for op in self._single.get_ordered_ops() if op.get_type_name() in _LAYERS]
        quantised = {op.get_friendly_name() for op in self._whole.get_ordered_ops() if _quantiser(op) is not None}
        layers = [op for op in weighted if op.get_friendly_name() in quantised]
        if not layers:
            raise InputError(f"{path}: nothing in this model can be quantised", "convolutions or matrix products")
        self.names = tuple(op.get_friendly_name() for op in layers)
        self.kinds = {op.get_friendly_name(): op.get_type_name() for op in layers}
        self.macs = {op.get_friendly_name(): _macs(op) for op in layers}

    def variant(self, floats: Sequence[str]) -> Any:
        """A copy of the quantised model with the layers `floats` as they were."""
        model = self._whole.clone()
        origin = {op.get_friendly_name(): op for op in self._single.get_ordered_ops()}
        for op in model.get_ordered_ops():
            if op.get_friendly_name() in floats:
                quantiser = _quantiser(op)
                if quantiser is not None:
                    op.input(0).replace_source_output(quantiser.input_value(0))
                weights = origin[op.get_friendly_name()].input_value(1).get_node()
                if weights.get_type_name() == "Constant":
                    plain = self._openvino.op.Constant(np.array(weights.data))
                    op.input(1).replace_source_output(plain.output(0))
        model.validate_nodes_and_infer_types()
        return model

    def worst_db(self, floats: Sequence[str]) -> float:
        """PSNR of the worst calibration picture with the layers `floats` in float32, in dB."""
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        request = self._core.compile_model(self.variant(floats), "CPU", options).create_infer_request()
        (name,) = tuple(self._pairs.outputs)[:1]
        found = [
            compare(expected[name], request.infer(dict(inputs))[0], self._range)["psnr_db"]
            for inputs, expected in self._pairs.singles()
        ]
        return min(found)


def _calibrated(model: Any, inputs: Sequence[Mapping[str, Any]]) -> Any:
    try:
        with _quiet_nncf():
            import nncf
    except ImportError as error:
        raise MissingExtraError(error.name or "nncf", "export") from None

    others = sorted({op.get_type_name() for op in model.get_ordered_ops()} - {*_LAYERS, "Parameter", "Result"})
    with _quiet_nncf():
        return nncf.quantize(
            model,
            nncf.Dataset(inputs),
            subset_size=len(inputs),
            target_device=nncf.TargetDevice.CPU,
            ignored_scope=nncf.IgnoredScope(types=others, validate=False),
        )


@contextmanager
def _quiet_nncf() -> Iterator[None]:
    """NNCF logs to the console and draws bars of its own."""
    import contextlib
    import io

    log = logging.getLogger("nncf")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        log.setLevel(before)


def _quantiser(op: Any) -> Any | None:
    """The FakeQuantize that feeds a layer's pictures, or None if the layer runs in float."""
    if op.get_type_name() not in _LAYERS:
        return None
    source = op.input_value(0).get_node()
    return source if source.get_type_name() == "FakeQuantize" else None


def _macs(op: Any) -> float:
    """Multiply-accumulates of one picture: transposed convolutions are charged for their input pixels."""
    weights = math.prod(op.input_value(1).get_partial_shape().to_shape())
    places = op.input_value(0) if "Backprop" in op.get_type_name() else op.output(0)
    shape = places.get_partial_shape()
    spatial = [axis.get_length() for axis in list(shape)[2:] if axis.is_static]
    return float(weights * math.prod(spatial))
