"""INT8 with a floor: which layers stay float so that the worst picture has the PSNR asked for, and what each costs.

The search knows no file format. A form is a model whose layers can each be in INT8 or in float: `ir.py` has the one
for OpenVINO, `qdq.py` those in ONNX.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from edgegan.runtime.errors import InputError, VerifyError
from edgegan.runtime.golden import Golden, compare
from numpy.typing import NDArray

from .pairs import eager_pairs, spread

if TYPE_CHECKING:
    from edgegan.families import ExportSpec

FLOAT_LAYERS = "float_layers"  # the key in built_with: the layers left out of INT8, comma-separated
MARGIN_DB = 0.5  # held-out pictures reach a little lower than those the search looks at
_ALONE_PAIRS = 16  # for the cost of one layer, which only orders the layers

Run = Callable[[dict[str, NDArray[Any]]], NDArray[Any]]
OnLayer = Callable[[int, int], None]  # (layers measured, of how many)


@dataclass(frozen=True)
class Layer:
    """A layer with weights that can be in INT8."""

    name: str
    kind: str
    macs: float  # multiply-accumulates of one picture


@dataclass(frozen=True)
class Goal:
    """What INT8 is calibrated on, and how close to fp32 eager it has to come."""

    calibration: Golden  # inputs that the model was trained on, 16 to 300, and fp32 eager's answers to them
    value_range: tuple[float, float]  # of the first output, for PSNR
    min_psnr_db: float  # of the worst picture


class Form(Protocol):
    """A calibrated model whose every layer can be in INT8 or in float."""

    @property
    def tools(self) -> tuple[str, ...]:
        """The packages that had a hand in it, for the card."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All that can be in INT8, in the order of the graph."""

    def variant(self, floats: Sequence[str]) -> Any:
        """The model, as its library holds it, with the layers called `floats` in float and all others in INT8."""

    def worst_db(self, floats: Sequence[str], pairs: Golden) -> float:
        """PSNR in dB of the worst of `pairs`, with the layers called `floats` in float and all others in INT8."""


@dataclass(frozen=True)
class Cost:
    """What one layer costs, and whether it stayed float for that."""

    layer: Layer
    psnr_db: float  # of the worst picture, with this layer alone in INT8
    kept_float: bool


@dataclass(frozen=True)
class Mix:
    """Which layers are in INT8. `costs` is empty where all of them could be at once."""

    costs: tuple[Cost, ...]
    psnr_worst_db: float  # over the pairs that the search looked at

    @property
    def float_layers(self) -> tuple[str, ...]:
        """The layers that stay float."""
        return tuple(cost.layer.name for cost in self.costs if cost.kept_float)


def search(form: Form, goal: Goal, on_layer: OnLayer | None = None) -> Mix:
    """The mix that reaches the goal, and MARGIN_DB more, with the fewest layers in float.

    Layers stay float in the order of error saved per multiply-accumulate. `on_layer` is told of every layer whose cost
    was measured.

    Raises VerifyError if even with all layers but one in float the goal is out of reach.
    """
    floor, calibration = goal.min_psnr_db + MARGIN_DB, goal.calibration
    whole = form.worst_db((), calibration)
    if whole >= floor:
        return Mix((), whole)
    names, few_pairs = [layer.name for layer in form.layers], spread(calibration, _ALONE_PAIRS)
    alone: dict[str, float] = {}
    for done, name in enumerate(names, 1):
        alone[name] = form.worst_db([n for n in names if n != name], few_pairs)
        if on_layer is not None:
            on_layer(done, len(names))
    macs = {layer.name: layer.macs for layer in form.layers}
    order = sorted(names, key=lambda n: 10.0 ** (-alone[n] / 10.0) / macs[n], reverse=True)
    few, enough, kept, worst = 0, len(order), order, math.inf
    while enough - few > 1:  # bisection: more layers in float, more fidelity
        count = (few + enough) // 2
        seen = form.worst_db(order[:count], calibration)
        if seen >= floor:
            enough, kept, worst = count, order[:count], seen
        else:
            few = count
    if enough == len(order):
        raise VerifyError(
            f"INT8 reaches {whole:.1f} dB on the worst picture",
            f"no mix with float layers reaches {goal.min_psnr_db:g} dB",
            "ask for less with --min-psnr, or leave int8 out",
        )
    return Mix(tuple(Cost(layer, alone[layer.name], layer.name in kept) for layer in form.layers), worst)


def worst_picture_db(run: Run, pairs: Golden, value_range: tuple[float, float]) -> float:
    """PSNR in dB of the worst of `pairs`, where `run` gives the first output of a call."""
    name = next(iter(pairs.outputs))
    return min(
        compare(one, other, value_range)["psnr_db"]
        for inputs, expected in pairs.calls()
        for one, other in zip(expected[name], run(inputs), strict=True)
    )


def calibration_pairs(spec: ExportSpec, pictures: int, most: int) -> Golden:
    """At most `most` inputs that the model was trained on, with fp32 eager's answers.

    Raises InputError if the spec tells of none.
    """
    if spec.calibration is None:
        raise InputError(f"{spec.name}: no training pictures to calibrate INT8 on", todo="leave int8 out")
    return spread(eager_pairs(dataclasses.replace(spec, golden=spec.calibration), pictures), most)


def report(mix: Mix, title: str) -> str:
    """What each layer costs, as a Markdown table, dearest first."""
    lines = [f"## {title}", "", "| layer | | MMAC | alone in INT8, worst picture (dB) | |", "|---|---|---:|---:|---|"]
    for cost in sorted(mix.costs, key=lambda each: each.psnr_db):
        kept, layer = "float" if cost.kept_float else "int8", cost.layer
        lines.append(f"| {layer.name} | {layer.kind} | {layer.macs / 1e6:.1f} | {cost.psnr_db:.1f} | {kept} |")
    return "\n".join(lines) + "\n"
