"""The artefacts of one export folder: each written, verified on every backend, and given its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from edgegan.runtime.errors import VerifyError
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.card import ModelCard, Verification
from edgegan.runtime.model.golden import Golden, stem

from .graph import fp16, trace
from .graph.depth_to_space import in_blocks
from .int8 import openvino as ir
from .int8.quantisation import Quantisation
from .matrix import FOR_CPU, INT8_IN_HALF, Wanted, report_name
from .request import Progress, Request, Row
from .trt.artefact import KEPT, engine_from_onnx
from .trt.gpu import Gpu, find_gpu
from .verify.check import require, verify_artefact
from .verify.diagnosis import REFERENCE
from .verify.range_limits import corner_pairs, stored
from .verify.reference import eager_pairs, golden_bytes, spread
from .verify.targets import at_export

if TYPE_CHECKING:
    from edgegan.families import ExportSpec, Tolerance

_RANGE_PAIRS = 8
# Operator types that square or sum, for specs that name none.
_SENSITIVE = ("InstanceNormalization", "LayerNormalization", "GroupNormalization", "MeanVarianceNormalization")


class Artefacts:
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
        self.warnings: list[str] = []
        self._corners: dict[str, dict[str, Golden]] = {}  # by stem

    def export(self) -> None:
        """Everything but reproduce.sh."""
        pairs: dict[str, Golden] = {}
        calls: dict[str, Golden] = {}
        for spec in self.specs:
            what = f"{spec.name}: fp32 eager"
            pairs[spec.name] = eager_pairs(spec, self.request.pictures, partial(self.tell, what))
            self._corners[spec.name] = corner_pairs(spec, pairs[spec.name])
            calls |= stored(self._corners[spec.name], spec.card, spec.name)
            if spec.note:
                self.notes.append(spec.note)
            self._spec(spec, pairs[spec.name])
        (self.path / "golden.npz").write_bytes(golden_bytes(pairs, calls))

    def _spec(self, spec: ExportSpec, pairs: Golden) -> None:
        from edgegan.families import is_helper

        self.tell(f"{spec.name}: tracing", 0, 1)
        model = trace.to_onnx(spec)
        self.tell(f"{spec.name}: tracing", 1, 1)
        card = msgspec.structs.replace(
            spec.card, precision="fp32", opset=trace.OPSET, built_with=trace.built_with(), training=self.training
        )
        single = self._verified(model, card, f"{spec.name}.onnx", pairs, spec.tolerances["fp32"])
        if is_helper(spec, self.specs):
            return  # a helper is small and runs on few frames: another precision would gain nothing
        wanted = self.request.wanted
        for_cpu = in_blocks(model) if FOR_CPU & set(wanted) else model
        if Wanted("fp32", "openvino") in wanted:
            name = Wanted("fp32", "openvino").file(spec.name)
            self._verified(ir.to_ir(for_cpu), single.card, name, pairs, spec.tolerances["fp32"], "openvino")
        half = None
        if Wanted("fp16", "onnx") in wanted and "fp16" in spec.tolerances:
            half = self._half(spec, model, pairs, single)
            if Wanted("fp16", "engine") in wanted:
                self.engine(half, Wanted("fp16", "engine"), pairs, spec.tolerances["fp16"])
        if "int8" in spec.tolerances and any(each.precision == "int8" for each in wanted):
            made = Quantisation(self, spec, single, pairs)
            if Wanted("int8", "openvino") in wanted:
                made.ir(for_cpu)
            if Wanted("int8", "onnx") in wanted:
                made.qdq(for_cpu)
            if INT8_IN_HALF in wanted and half is not None:
                made.in_half(model, half)

    def _half(self, spec: ExportSpec, model: Any, pairs: Golden, single: Artefact) -> Artefact:
        """The fp16 artefact: what the values ask for stays fp32; on a miss, all sensitive operators do."""
        sensitive = spec.keep_fp32 or _SENSITIVE
        ranges = fp16.measure_ranges(model, spread(pairs, _RANGE_PAIRS))
        measured = fp16.hurt_by_half(model, ranges, sensitive)
        try:
            return self._write_half(spec, model, pairs, single, measured, ranges)
        except VerifyError:
            cautious = {**fp16.every(model, sensitive), **measured}
            if cautious.keys() == measured.keys():
                raise
        return self._write_half(spec, model, pairs, single, cautious, ranges)

    def _write_half(
        self,
        spec: ExportSpec,
        model: Any,
        pairs: Golden,
        single: Artefact,
        keep: Mapping[str, str],
        ranges: fp16.Ranges,
    ) -> Artefact:
        half = fp16.to_fp16(model, keep, spec.card.name)
        card = msgspec.structs.replace(
            single.card,
            precision="fp16",
            parent_sha256=single.card.payload_sha256,
            built_with={
                **trace.built_with("onnxconverter-common"),
                KEPT: ",".join(half.kept),
                **half.shares.facts,
            },
        )
        name = Wanted("fp16", "onnx").file(spec.name)
        artefact = self._verified(half.model, card, name, pairs, spec.tolerances["fp16"])
        report = self.path / report_name(spec.name, "fp16")
        report.write_text(fp16.report(half, ranges, name), "utf-8")
        kept = f"{len(half.kept)} operators stay fp32; " if half.kept else ""
        self.notes.append(f"{name}: {half.shares}; {kept}{report.name} tells why")
        return artefact

    def _verified(
        self,
        model: Any,
        card: ModelCard,
        name: str,
        pairs: Golden,
        tolerance: Tolerance,
        reference: str = REFERENCE,
    ) -> Artefact:
        """As `write`, and `reference` has to reproduce the model."""
        artefact = self.write(model, card, name, pairs, tolerance)
        require(artefact, artefact.card.verification, pairs, reference)
        self.add_rows(artefact)
        return artefact

    def write(self, model: Any, card: ModelCard, name: str, pairs: Golden, tolerance: Tolerance) -> Artefact:
        """Writes an ONNX or OpenVINO model, compares it on every backend, and puts the figures on its card."""
        save = ir.save_ir if name.endswith(".xml") else trace.save
        artefact = save(model, msgspec.structs.replace(card, verification={}), self.path / name)
        figures = self._figures(artefact, pairs, tolerance)
        return save(model, msgspec.structs.replace(artefact.card, verification=figures), artefact.path)

    def engine(self, parent: Artefact, wanted: Wanted, pairs: Golden, tolerance: Tolerance) -> None:
        """Builds an engine from `parent`, and verifies it where there is a GPU that it is for."""
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
            artefact = Artefact(path, msgspec.structs.replace(artefact.card, verification=figures))
            artefact.card.write(path)
            if figures["tensorrt"].status == "not_run":  # no memory left now, say: that is no miss
                why_not = figures["tensorrt"].reason
            else:
                require(artefact, figures, pairs, "tensorrt")
        if why_not:
            self.notes.append(
                f"{path.name}: built for compute capability {targets} and not run ({why_not}); "
                "the golden pairs run at its first load on a GPU, and a miss refuses it"
            )
        self.notes.append(f"{path.name}: proven: {built.proof}")
        self.add_rows(artefact)

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

        others = tuple(name for name in at_export() if name != REFERENCE)
        return {**on(tolerance.max_abs, REFERENCE), **on(tolerance.others_max_abs or tolerance.max_abs, *others)}

    def add_rows(self, artefact: Artefact, *, loud: bool = True) -> None:
        """Tells of a finished artefact; a backend that will not run it is a warning, or a note."""
        weights = artefact.path.with_suffix(".bin")  # of an OpenVINO model
        size = artefact.path.stat().st_size + (weights.stat().st_size if artefact.path.suffix == ".xml" else 0)
        for backend, found in artefact.card.verification.items():
            if found.status == "failed":
                (self.warnings if loud else self.notes).append(
                    f"{artefact.path.name} will not run on {backend}: {found.reason}"
                )
            self.rows.append(Row(artefact.path, artefact.card.precision, size, backend, found))
