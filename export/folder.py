"""The artefacts of one export folder: each written, verified on every backend, and given its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from edgegan.runtime.artefact import Artefact
from edgegan.runtime.card import ModelCard, Verification
from edgegan.runtime.errors import VerifyError
from edgegan.runtime.golden import DEFAULT_TOLERANCE, Golden, stem

from . import halves, int8, ir, precision, qdq, to_onnx
from .blocks import in_blocks
from .corners import corner_pairs
from .machine import Gpu, find_gpu
from .matrix import INT8_IN_HALF, Wanted
from .pairs import eager_pairs, golden_bytes, spread
from .request import Progress, Request, Row
from .to_trt import KEPT, engine_from_onnx
from .verify import AT_EXPORT, REFERENCE, require, verify_artefact

if TYPE_CHECKING:
    from edgegan.families import ExportSpec, Tolerance

_RANGE_PAIRS = 8
CALIBRATION_PICTURES = 32  # with every edit; 300 inputs gave no better figures than 32
_CALIBRATION_PAIRS = 64
# Operator types that square or sum, for specs that name none.
_SENSITIVE = ("InstanceNormalization", "LayerNormalization", "GroupNormalization", "MeanVarianceNormalization")


class Folder:
    """The artefacts of one folder, made in `path`."""

    def __init__(
        self,
        path: Path,
        specs: Sequence[ExportSpec],
        training: dict[str, str | int | float],
        request: Request,
        tell: Progress,
    ) -> None:
        self.path, self.specs, self.training, self.request, self.tell = path, specs, training, request, tell
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self._corners: dict[str, dict[str, Golden]] = {}  # by stem
        self._helpers = {name for spec in specs for name in spec.card.companions.values()}

    def export(self) -> None:
        """Everything but reproduce.sh."""
        pairs: dict[str, Golden] = {}
        for spec in self.specs:
            what = f"{spec.name}: fp32 eager"
            pairs[spec.name] = eager_pairs(spec, self.request.pictures, partial(self.tell, what))
            self._corners[spec.name] = corner_pairs(spec, pairs[spec.name])
            if spec.note:
                self.notes.append(spec.note)
            self._spec(spec, pairs[spec.name])
        (self.path / "golden.npz").write_bytes(golden_bytes(pairs))

    def _spec(self, spec: ExportSpec, pairs: Golden) -> None:
        self.tell(f"{spec.name}: tracing", 0, 1)
        model = to_onnx.to_onnx(spec)
        self.tell(f"{spec.name}: tracing", 1, 1)
        card = msgspec.structs.replace(
            spec.card, precision="fp32", opset=to_onnx.OPSET, built_with=to_onnx.built_with(), training=self.training
        )
        single = self._verified(model, card, f"{spec.name}.onnx", pairs, spec.tolerances["fp32"])
        wanted = self.request.wanted
        if single.path.name in self._helpers:
            return  # a helper is small and runs on few frames: another precision would gain nothing
        if Wanted("fp32", "openvino") in wanted:
            self._openvino(ir.to_ir(in_blocks(model)), single, pairs, spec.tolerances["fp32"])
        half = None
        if Wanted("fp16", "onnx") in wanted and "fp16" in spec.tolerances:
            half = self._half(spec, model, pairs, single)
            if Wanted("fp16", "engine") in wanted:
                self._engine(half, Wanted("fp16", "engine"), pairs, spec.tolerances["fp16"])
        if "int8" in spec.tolerances and any(each.precision == "int8" for each in wanted):
            self._int8(spec, model, single, half, pairs)

    def _half(self, spec: ExportSpec, model: Any, pairs: Golden, single: Artefact) -> Artefact:
        """The fp16 artefact: what the values ask for stays fp32; on a miss, all sensitive operators do."""
        sensitive = spec.keep_fp32 or _SENSITIVE
        measured = precision.hurt_by_half(
            model, precision.measure_ranges(model, spread(pairs, _RANGE_PAIRS)), sensitive
        )
        try:
            return self._write_half(spec, model, pairs, single, measured)
        except VerifyError:
            cautious = {**precision.every(model, sensitive), **measured}
            if cautious.keys() == measured.keys():
                raise
        return self._write_half(spec, model, pairs, single, cautious)

    def _write_half(
        self, spec: ExportSpec, model: Any, pairs: Golden, single: Artefact, keep: Mapping[str, str]
    ) -> Artefact:
        half = precision.to_fp16(model, keep, spec.card.name)
        card = msgspec.structs.replace(
            single.card,
            precision="fp16",
            parent_sha256=single.card.payload_sha256,
            built_with={
                **to_onnx.built_with("onnxconverter-common"),
                KEPT: ",".join(half.kept),
                **half.shares.facts,
            },
        )
        name = f"{spec.name}.fp16.onnx"
        artefact = self._verified(half.model, card, name, pairs, spec.tolerances["fp16"])
        self.notes.append(f"{name}: {half.shares}")
        self.notes += [f"{name}: {node} stays fp32: {why}" for node, why in half.kept.items()]
        return artefact

    def _verified(self, model: Any, card: ModelCard, name: str, pairs: Golden, tolerance: Tolerance) -> Artefact:
        """Writes a model, verifies it on every backend, and puts the figures on its card."""
        artefact = to_onnx.save(model, msgspec.structs.replace(card, verification={}), self.path / name)
        figures = self._figures(artefact, pairs, tolerance)
        require(artefact, figures, pairs)
        artefact = to_onnx.save(model, msgspec.structs.replace(card, verification=figures), artefact.path)
        self._add_rows(artefact)
        return artefact

    def _engine(self, parent: Artefact, wanted: Wanted, pairs: Golden, tolerance: Tolerance) -> None:
        path = parent.path.with_name(wanted.file(stem(parent.path)))
        artefact, built = engine_from_onnx(
            parent,
            path,
            options=self.request.engine,
            on_progress=lambda what, done, total: self.tell(f"{path.name}: {what}", done, total),
        )
        gpu, targets = find_gpu(), artefact.card.built_with["compute_capability"]
        why_not = gpu if isinstance(gpu, str) else ""
        if isinstance(gpu, Gpu) and gpu.compute_capability not in targets.split():
            why_not = f"this GPU is {gpu.compute_capability}"
        if not why_not:
            figures = self._figures(artefact, pairs, tolerance)
            require(artefact, figures, pairs, "tensorrt")
            artefact = Artefact(path, msgspec.structs.replace(artefact.card, verification=figures))
            artefact.card.write(path)
        else:
            self.notes.append(
                f"{path.name}: built for compute capability {targets} and not run ({why_not}); "
                "the golden pairs run at its first load on a GPU, and a miss refuses it"
            )
        self.notes.append(f"{path.name}: proven: {built.proof}")
        self._add_rows(artefact)

    def _int8(self, spec: ExportSpec, model: Any, single: Artefact, half: Artefact | None, pairs: Golden) -> None:
        """The INT8 artefacts, calibrated on training pictures; a report of what each layer costs lies beside them."""
        import onnx

        usual = spec.tolerances["int8"].min_psnr_db or DEFAULT_TOLERANCE["min_psnr_db"]
        floor = self.request.min_psnr_db if self.request.min_psnr_db is not None else usual
        tolerance = replace(spec.tolerances["int8"], min_psnr_db=floor)
        trained = int8.calibration_pairs(spec, CALIBRATION_PICTURES, _CALIBRATION_PAIRS)
        goal = int8.Goal(trained, spec.card.outputs[0].value_range or (0.0, 1.0), floor)
        reports = self.path / f"{spec.name}.int8.md"
        if Wanted("int8", "openvino") in self.request.wanted:
            name = Wanted("int8", "openvino").file(spec.name)
            found, card = self._mixed(name, ir.IrForm(in_blocks(model), goal), goal, single, reports)
            self._openvino(found, Artefact(single.path, card), pairs, tolerance)
        if Wanted("int8", "onnx") in self.request.wanted:
            name = Wanted("int8", "onnx").file(spec.name)
            for_cpu = in_blocks(model)
            form = qdq.QdqForm(for_cpu, qdq.calibrate(for_cpu, trained, signed=False), goal)
            self._verified(*self._mixed(name, form, goal, single, reports), name, pairs, tolerance)
        if INT8_IN_HALF in self.request.wanted and half is not None:
            name = INT8_IN_HALF.file(spec.name)
            skip = half.card.built_with[KEPT].split(",")  # float32 on purpose
            form = qdq.QdqForm(onnx.load(str(half.path)), qdq.calibrate(model, trained, signed=True), goal, skip)
            found, card = self._mixed(name, form, goal, half, reports)
            card = msgspec.structs.replace(card, opset=qdq.HALF_OPSET)
            parent = self._verified(found, card, name, pairs, tolerance)
            self._engine(parent, Wanted("int8", "engine"), pairs, tolerance)

    def _mixed(
        self, name: str, form: int8.Form, goal: int8.Goal, parent: Artefact, reports: Path
    ) -> tuple[Any, ModelCard]:
        """The model of a form with as few layers in float as the goal needs, and its card."""
        mix = int8.search(form, goal, partial(self.tell, f"{name}: layers measured"))
        if mix.costs:
            with reports.open("a", encoding="utf-8") as file:
                file.write(int8.report(mix, name))
            kept = f"{len(mix.float_layers)} of {len(mix.costs)} layers stay float"
            self.notes.append(f"{name}: {kept} for {goal.min_psnr_db:g} dB; {reports.name} tells what each costs")
        shares = (halves.WEIGHTS, halves.OPERATORS)  # not those of the parent
        facts = {key: value for key, value in parent.card.built_with.items() if key not in shares}
        return form.variant(mix.float_layers), msgspec.structs.replace(
            parent.card,
            precision="int8",
            parent_sha256=parent.card.payload_sha256,
            built_with={**facts, **to_onnx.built_with(*form.tools), int8.FLOAT_LAYERS: ",".join(mix.float_layers)},
        )

    def _openvino(self, model: Any, parent: Artefact, pairs: Golden, tolerance: Tolerance) -> None:
        """Writes and verifies an OpenVINO model with the card of `parent`."""
        name = Wanted(parent.card.precision, "openvino").file(parent.path.name.partition(".")[0])
        artefact = ir.save_ir(model, msgspec.structs.replace(parent.card, verification={}), self.path / name)
        figures = self._figures(artefact, pairs, tolerance)
        require(artefact, figures, pairs, "openvino")
        artefact = Artefact(artefact.path, msgspec.structs.replace(artefact.card, verification=figures))
        artefact.card.write(artefact.path)
        self._add_rows(artefact)

    def _figures(self, artefact: Artefact, pairs: Golden, tolerance: Tolerance) -> dict[str, Verification]:
        def on(max_abs: float | None, *backends: str) -> dict[str, Verification]:
            wanted = {"max_abs": max_abs, "min_psnr_db": tolerance.min_psnr_db}
            return verify_artefact(
                artefact,
                pairs,
                tolerance={key: value for key, value in wanted.items() if value is not None},
                backends=backends,
                corners=self._corners[stem(artefact.path)],
                on_pair=lambda backend, done, total: self.tell(f"{artefact.path.name} on {backend}", done, total),
            )

        others = tuple(name for name in AT_EXPORT if name != REFERENCE)
        return {**on(tolerance.max_abs, REFERENCE), **on(tolerance.others_max_abs or tolerance.max_abs, *others)}

    def _add_rows(self, artefact: Artefact) -> None:
        weights = artefact.path.with_suffix(".bin")  # of an OpenVINO model
        size = artefact.path.stat().st_size + (weights.stat().st_size if artefact.path.suffix == ".xml" else 0)
        for backend, found in artefact.card.verification.items():
            if found.status == "failed":
                self.notes.append(f"{artefact.path.name} will not run on {backend}: {found.reason}")
            self.rows.append(Row(artefact.path, artefact.card.precision, size, backend, found))
