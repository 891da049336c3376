"""The same network at another size or behind other ports: bytes in and out, or axes that may vary."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
from numpy.typing import NDArray

from .resizing import fit_pictures

if TYPE_CHECKING:
    import torch
    from edgegan.families import ExportSpec, Tolerance

Array = NDArray[Any]

MAX_BATCH = 16
# Of the side trained at. Errors grow with the pixels that a norm sums over (fp32 in OpenVINO: 119 dB at the trained
# 128, 86 dB at 512), and every corner of the range is verified: four sides take seconds, more would take minutes.
MAX_SCALE = 4
LEVEL = 1.0  # two right answers may round to neighbouring grey levels
ROUNDED_DB = 48.0  # if every value were off by one grey level


def with_size(spec: ExportSpec, hw: tuple[int, int]) -> ExportSpec:
    """The spec at another height and width; raises InputError if its network cannot have that size."""
    old = spec.card.size.hw
    if hw == old:
        return spec
    multiple = spec.dynamic_multiple
    if multiple is None:
        raise InputError(f"--size {hw[0]}x{hw[1]}: {spec.card.name} has the fixed size {old[0]}x{old[1]}")
    if hw[0] % multiple or hw[1] % multiple:
        near = [max(multiple, round(n / multiple) * multiple) for n in hw]
        raise InputError(
            f"--size {hw[0]}x{hw[1]}: not multiples of {multiple}",
            f"{spec.card.name} takes any height and width that are multiples of {multiple}",
            f"the nearest: --size {near[0]}x{near[1]}",
        )

    def resize_port(tensor: TensorSpec) -> TensorSpec:
        if tensor.layout != "NCHW" or tensor.shape[2:] != old:
            return tensor
        return msgspec.structs.replace(tensor, shape=(*tensor.shape[:2], *hw))

    card = msgspec.structs.replace(
        spec.card,
        name=f"{spec.card.name}-{hw[0]}x{hw[1]}",
        inputs=tuple(map(resize_port, spec.card.inputs)),
        outputs=tuple(map(resize_port, spec.card.outputs)),
        size=SizeRule(hw=hw),
    )
    return dataclasses.replace(spec, card=card)


def with_bytes(spec: ExportSpec) -> ExportSpec:
    """The spec with every picture as (N, H, W, 3) uint8: scaling, layout, rounding and clamping lie in the graph."""
    card = msgspec.structs.replace(
        spec.card, inputs=tuple(map(_as_bytes, spec.card.inputs)), outputs=tuple(map(_as_bytes, spec.card.outputs))
    )

    def in_levels(given: Mapping[str, Array]) -> dict[str, Array]:
        return {s.name: _levels(fit_pictures(given[s.name], s), s) for s in spec.card.inputs}

    calibration = spec.calibration
    tolerances = {p: _in_levels(t) for p, t in spec.tolerances.items()} if card.outputs != spec.card.outputs else None
    return dataclasses.replace(
        spec,
        module=_bytes_module(spec.module, spec.card),
        card=card,
        golden=lambda count: in_levels(spec.golden(count)),
        calibration=(lambda count: in_levels(calibration(count))) if calibration else None,
        tolerances=tolerances or spec.tolerances,
    )


def with_batch(spec: ExportSpec, count: int) -> ExportSpec:
    """The spec with the batch fixed at `count` pictures a call."""

    def many(tensor: TensorSpec) -> TensorSpec:
        return msgspec.structs.replace(tensor, shape=(count, *tensor.shape[1:]))

    card = msgspec.structs.replace(
        spec.card,
        batch=(count, count),
        inputs=tuple(map(many, spec.card.inputs)),
        outputs=tuple(map(many, spec.card.outputs)),
    )
    return dataclasses.replace(spec, card=card)


def with_open_axes(spec: ExportSpec, *, batch: bool, size: bool) -> ExportSpec:
    """The spec with the batch, or height and width, left open; the card states the true range.

    Raises InputError if the network has a size of its own.
    """
    card = spec.card
    if batch:
        card = msgspec.structs.replace(card, batch=(1, MAX_BATCH))
    if size:
        multiple = spec.dynamic_multiple
        if multiple is None:
            raise InputError(f"--size dynamic: {card.name} has the fixed size {card.size.hw[0]}x{card.size.hw[1]}")
        rule = SizeRule(
            kind="multiple_of",
            hw=card.size.hw,
            multiple=multiple,
            # Four steps leave pixels at the deepest layer; a net trained with fewer has shown that fewer do.
            min_hw=tuple(multiple * min(4, n // multiple) for n in card.size.hw),  # type: ignore[arg-type]
            max_hw=(MAX_SCALE * card.size.hw[0], MAX_SCALE * card.size.hw[1]),
        )
        card = msgspec.structs.replace(card, size=rule)

    def open_axes(tensor: TensorSpec) -> TensorSpec:
        first: int | str = "batch" if batch else tensor.shape[0]
        shape = (first, *tensor.shape[1:])
        if size and tensor.layout == "NCHW":
            shape = (first, tensor.shape[1], "height", "width")
        if size and tensor.layout == "NHWC":
            shape = (first, "height", "width", tensor.shape[3])
        return msgspec.structs.replace(tensor, shape=shape)

    card = msgspec.structs.replace(
        card, inputs=tuple(map(open_axes, card.inputs)), outputs=tuple(map(open_axes, card.outputs))
    )
    return dataclasses.replace(spec, card=card)


def example(tensor: TensorSpec, card: ModelCard) -> tuple[int, ...]:
    """A shape the tensor may have; axes that may vary get sizes that tracing does not take for constants."""
    named = {"batch": 2, "height": card.size.hw[0], "width": card.size.hw[1]}
    return tuple(axis if isinstance(axis, int) else named[axis] for axis in tensor.shape)


def dynamic_shapes(card: ModelCard) -> tuple[dict[int, Any], ...] | None:
    """What torch.onnx.export is to leave open for each input; None if nothing."""
    from torch.export import Dim

    if all(isinstance(axis, int) for spec in card.inputs for axis in spec.shape):
        return None
    dims: dict[str, Any] = {}
    if card.batch[1] > 1:
        dims["batch"] = Dim("batch", min=card.batch[0], max=card.batch[1])
    rule = card.size
    if rule.kind == "multiple_of" and rule.min_hw and rule.max_hw:
        step = rule.multiple
        dims["height"] = step * Dim("_h", min=rule.min_hw[0] // step, max=rule.max_hw[0] // step)
        dims["width"] = step * Dim("_w", min=rule.min_hw[1] // step, max=rule.max_hw[1] // step)
    return tuple({i: dims[axis] for i, axis in enumerate(spec.shape) if isinstance(axis, str)} for spec in card.inputs)


def _as_bytes(tensor: TensorSpec) -> TensorSpec:
    if tensor.layout != "NCHW":
        return tensor
    n, c, h, w = tensor.shape
    return msgspec.structs.replace(tensor, dtype="uint8", layout="NHWC", shape=(n, h, w, c), value_range=(0.0, 255.0))


def _levels(pictures: Array, tensor: TensorSpec) -> Array:
    if tensor.layout != "NCHW":
        return pictures
    low, high = tensor.value_range or (0.0, 1.0)
    levels = np.rint((pictures.transpose(0, 2, 3, 1) - low) * (255.0 / (high - low)))
    return np.ascontiguousarray(np.clip(levels, 0, 255).astype(np.uint8))


def _in_levels(tolerance: Tolerance) -> Tolerance:
    floor = tolerance.min_psnr_db
    return dataclasses.replace(
        tolerance,
        max_abs=LEVEL if tolerance.max_abs is not None else None,
        others_max_abs=None,
        min_psnr_db=min(floor, ROUNDED_DB) if floor is not None else None,
    )


def _bytes_module(module: torch.nn.Module, card: ModelCard) -> torch.nn.Module:
    import torch

    class Bytes(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = module

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
            floats = []
            for tensor, spec in zip(inputs, card.inputs, strict=True):
                if spec.layout == "NCHW":
                    low, high = spec.value_range or (0.0, 1.0)
                    tensor = tensor.to(torch.float32).permute(0, 3, 1, 2) * ((high - low) / 255.0) + low
                floats.append(tensor)
            answer = self.network(*floats)
            answers = answer if isinstance(answer, tuple) else (answer,)
            found = []
            for one, spec in zip(answers, card.outputs, strict=True):
                if spec.layout == "NCHW":
                    low, high = spec.value_range or (0.0, 1.0)
                    levels = torch.round((one - low) * (255.0 / (high - low))).clamp(0.0, 255.0)
                    one = levels.permute(0, 2, 3, 1).to(torch.uint8)  # TensorRT moves no bytes, only floats
                found.append(one)
            return tuple(found) if isinstance(answer, tuple) else found[0]

    return Bytes().eval()
