"""The OpenVINO form: float32 ONNX -> an OpenVINO model, in float32 or, quantised by NNCF, in INT8. Needs no torch.

The model is calibrated once; every variant is that model with some layers put back to float32, so that trying one
costs a compilation and a few pictures.
"""

from __future__ import annotations

import itertools
import logging
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from edgegan.runtime.backends.openvino.library import import_openvino, process_core
from edgegan.runtime.errors import InputError, MissingExtraError
from edgegan.runtime.model.artefact import Artefact, payload_sha256
from edgegan.runtime.model.card import ModelCard
from edgegan.runtime.model.golden import Golden

from .search import Goal, Layer, nothing_to_quantise, worst_picture_db
from .sessions import in_openvino

# Everything else stays float: quantised, sums and norms cost 6 dB on a StarGAN and gained no time.
_LAYERS = ("Convolution", "ConvolutionBackpropData", "GroupConvolution", "GroupConvolutionBackpropData", "MatMul")


def to_ir(model: Any) -> Any:
    """A float32 onnx.ModelProto as an openvino.Model."""
    found = process_core().read_model(model.SerializeToString())
    _number_names(found)
    return found


def save_ir(model: Any, card: ModelCard, path: Path) -> Artefact:
    """Writes `path` (.xml), the .bin beside it, and the card with the hash of both; InputError on a full disk."""
    openvino = import_openvino()
    _number_names(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        openvino.save_model(model, str(path), compress_to_fp16=False)
    except RuntimeError as error:  # it says no more than "iostream error"
        raise InputError(f"cannot write {path}: {error}", todo="free some disk space") from error
    card = msgspec.structs.replace(card, payload_sha256=payload_sha256(path))
    card.write(path)
    return Artefact(path, card)


def _number_names(model: Any) -> None:
    """Renames what OpenVINO named by the number of things the process had made: the same model has the same names."""
    ops = model.get_ordered_ops()
    taken, numbers = {op.get_friendly_name() for op in ops}, defaultdict[str, Iterator[int]](itertools.count)
    for op in ops:
        kind = op.get_type_name()
        if re.fullmatch(rf"{kind}_\d+", op.get_friendly_name()):
            name = next(name for n in numbers[kind] if (name := f"{kind}.{n}") not in taken)
            op.set_friendly_name(name)
            taken.add(name)


class IrForm:
    """The calibrated OpenVINO model, its float32 origin, and what any mix of the two gives on this CPU.

    `model` is an onnx.ModelProto in float32.

    Raises:
        MissingExtraError: OpenVINO or NNCF is not installed.
        InputError: the model has no layer that can be quantised.
    """

    tools = ("openvino", "nncf")

    def __init__(self, model: Any, goal: Goal) -> None:
        openvino = import_openvino()
        self._openvino, self._range = openvino, goal.value_range
        self._single = to_ir(model)
        self._whole = _calibrate(self._single, [inputs for inputs, _ in goal.calibration.calls()])
        quantised = {op.get_friendly_name() for op in self._whole.get_ordered_ops() if _quantiser(op) is not None}
        self.layers = tuple(
            Layer(op.get_friendly_name(), op.get_type_name(), _macs(op))
            for op in self._single.get_ordered_ops()
            if op.get_type_name() in _LAYERS and op.get_friendly_name() in quantised
        )
        if not self.layers:
            raise nothing_to_quantise()

    def variant(self, floats: Sequence[str]) -> Any:
        """A copy of the quantised openvino.Model with the layers `floats` as they were."""
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

    def worst_db(self, floats: Sequence[str], pairs: Golden) -> float:
        """PSNR of the worst of `pairs` with the layers `floats` in float32, in dB."""
        return worst_picture_db(in_openvino(self.variant(floats)), pairs, self._range)


def _calibrate(model: Any, inputs: Sequence[Mapping[str, Any]]) -> Any:
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
