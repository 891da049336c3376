"""INT8 with a floor: which layers stay float so that the worst picture has the PSNR asked for, and what each costs.

The search knows no file format. A form is a model whose layers can each be in INT8 or in float: `openvino.py` has the
one for OpenVINO, `qdq.py` those in ONNX.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from edgegan.runtime.errors import InputError, VerifyError
from edgegan.runtime.model.fidelity import compare
from edgegan.runtime.model.golden import Golden

from ..verify.reference import eager_pairs, spread
from .sessions import Run

if TYPE_CHECKING:
    from edgegan.families import ExportSpec

MARGIN_DB = 0.5  # held-out pictures reach a little lower than those the search looks at
_ALONE_PAIRS = 16  # for the cost of one layer, which only orders the layers

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

    layers: int  # in all
    whole_db: float  # of the worst picture with all layers in INT8, over the pairs that the search looked at
    psnr_worst_db: float  # the same with this mix
    costs: tuple[Cost, ...] = ()

    @property
    def float_layers(self) -> tuple[str, ...]:
        """The layers that stay float."""
        return tuple(cost.layer.name for cost in self.costs if cost.kept_float)


class Search:
    """Finds mixes of a form. Layers are measured when a mix first needs it, and once.

    `on_layer` is told of every layer whose cost was measured.
    """

    def __init__(self, form: Form, goal: Goal, on_layer: OnLayer | None = None) -> None:
        self._form, self._goal, self._on_layer = form, goal, on_layer
        self._seen: dict[int, float] = {}  # PSNR of the worst picture by the number of layers in float

    def mix(self, aim_db: float | None = None) -> Mix:
        """The mix that reaches `aim_db` with the fewest layers in float; None is the goal and MARGIN_DB more.

        Layers stay float in the order of error saved per multiply-accumulate. Where the margin is out of reach, the
        goal alone counts; where `aim_db` is, all layers but one stay float.

        Raises VerifyError if the goal itself is out of reach.
        """
        goal_db, total = self._goal.min_psnr_db, len(self._form.layers)
        if aim_db is None:
            count = self._fewest(goal_db + MARGIN_DB)
            count = self._fewest(goal_db) if count is None else count
        else:
            count = self._fewest(aim_db)
            count = total - 1 if count is None and self._worst_db(total - 1) >= goal_db else count
        whole_db = self._worst_db(0)
        if count is None:
            raise VerifyError(
                f"INT8 reaches {whole_db:.1f} dB on the worst picture",
                f"no mix with float layers reaches {goal_db:g} dB",
                "ask for less with --min-psnr, or leave int8 out",
            )
        if not count:
            return Mix(total, whole_db, whole_db)
        kept = set(self._order[:count])
        costs = tuple(Cost(each, self._alone_db[each.name], each.name in kept) for each in self._form.layers)
        return Mix(total, whole_db, self._worst_db(count), costs)

    def _fewest(self, aim_db: float) -> int | None:
        """How many layers have to stay float to reach it; None if even all but one are too few."""
        if self._worst_db(0) >= aim_db:
            return 0
        few, enough = 0, len(self._form.layers)
        while enough - few > 1:  # bisection: more layers in float, more fidelity
            count = (few + enough) // 2
            few, enough = (few, count) if self._worst_db(count) >= aim_db else (count, enough)
        return enough if enough < len(self._form.layers) else None

    def _worst_db(self, count: int) -> float:
        if count not in self._seen:
            floats = self._order[:count] if count else ()
            self._seen[count] = self._form.worst_db(floats, self._goal.calibration)
        return self._seen[count]

    @cached_property
    def _alone_db(self) -> dict[str, float]:
        names, pairs = [layer.name for layer in self._form.layers], spread(self._goal.calibration, _ALONE_PAIRS)
        found = {}
        for done, name in enumerate(names, 1):
            found[name] = self._form.worst_db([n for n in names if n != name], pairs)
            if self._on_layer is not None:
                self._on_layer(done, len(names))
        return found

    @cached_property
    def _order(self) -> list[str]:
        """All layers, the one that saves most error for its arithmetic first."""
        macs = {layer.name: layer.macs for layer in self._form.layers}
        return sorted(macs, key=lambda n: 10.0 ** (-self._alone_db[n] / 10.0) / macs[n], reverse=True)


def nothing_to_quantise() -> InputError:
    """What a form raises for a model without layers that it could put in INT8."""
    return InputError("nothing in this model can be quantised", "convolutions or matrix products", "leave int8 out")


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


def report(mix: Mix, goal: Goal, title: str, held_out_db: Mapping[str, float]) -> str:
    """How it went, as Markdown: what each layer costs, dearest first, where any had to stay float.

    `held_out_db` is the PSNR of the worst held-out picture, by backend.
    """
    kept, looked_at = len(mix.float_layers), f"over {len(goal.calibration)} calibration inputs"
    seen = f"worst picture {mix.psnr_worst_db:.1f} dB {looked_at}, {goal.min_psnr_db:g} dB asked for"
    held_out = ", ".join(f"{psnr_db:.1f} dB on {backend}" for backend, psnr_db in held_out_db.items())
    lines = [f"## {title}", ""]
    if mix.costs:
        lines += [f"{kept} of {mix.layers} layers stay float: {seen}; all in INT8 had {mix.whole_db:.1f} dB."]
    else:
        lines += [f"All {mix.layers} layers are in INT8: {seen}. None had to stay float, so none was measured alone."]
    lines += [f"Held-out inputs, worst picture: {held_out or 'not run'}.", ""]
    if mix.costs:
        lines += ["| layer | | MMAC | alone in INT8, worst picture (dB) | |", "|---|---|---:|---:|---|"]
    for cost in sorted(mix.costs, key=lambda each: each.psnr_db):
        state, layer = "float" if cost.kept_float else "int8", cost.layer
        lines.append(f"| {layer.name} | {layer.kind} | {layer.macs / 1e6:.1f} | {cost.psnr_db:.1f} | {state} |")
    return "\n".join(lines).rstrip() + "\n\n"
