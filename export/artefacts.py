"""The artefacts of one export folder, made from a family's specs: ONNX, OpenVINO, INT8, engines, golden pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from edgegan.runtime.errors import VerifyError
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.golden import Golden, stem

from .folder import ExportFolder, limits
from .graph import fp16, instance_norm, trace
from .graph.depth_to_space import to_blocks
from .int8 import openvino
from .matrix import FOR_CPU, FROM_TORCH, INT8_IN_HALF, MOBILE, Wanted, report_name
from .mobile.program import trace_program
from .quantisation import Quantisation
from .request import Request
from .trt.artefact import engine_from_onnx
from .trt.gpu import Gpu, find_gpu
from .trt.options import EngineOptions
from .verify.check import require
from .verify.range_limits import corner_pairs, pairs_to_store
from .verify.reference import eager_pairs, golden_bytes, spread

if TYPE_CHECKING:
    from edgegan.families import ExportSpec

Training = Mapping[str, str | int | float]  # where the weights come from, for the cards

_RANGE_PAIRS = 8
# Operator types that square or sum, for specs that name none.
_SENSITIVE = ("InstanceNormalization", "LayerNormalization", "GroupNormalization", "MeanVarianceNormalization")


def make_artefacts(folder: ExportFolder, specs: Sequence[ExportSpec], request: Request, training: Training) -> None:
    """Everything in the folder but reproduce.sh.

    Raises VerifyError where a file does not reproduce its model, BackendError where an engine cannot be built.
    """
    from edgegan.families import is_helper

    pairs: dict[str, Golden] = {}
    calls: dict[str, Golden] = {}
    for spec in specs:
        what = f"{spec.name}: fp32 eager"
        pairs[spec.name] = eager_pairs(spec, request.pictures, partial(folder.tell, what))
        folder.corners[spec.name] = corner_pairs(spec, pairs[spec.name])
        calls |= pairs_to_store(folder.corners[spec.name], spec.card, spec.name)
        if spec.note:
            folder.notes.append(spec.note)
        model, single = _make_single(folder, spec, pairs[spec.name], request, training)
        _make_mobile(folder, spec, model, single, pairs[spec.name], request)
        if not is_helper(spec, specs):  # small, and run on few frames: another precision would gain nothing
            _make_others(folder, spec, model, single, pairs[spec.name], request)
    (folder.path / "golden.npz").write_bytes(golden_bytes(pairs, calls))


def make_engine(
    folder: ExportFolder, parent: Artefact, wanted: Wanted, pairs: Golden, options: EngineOptions
) -> Artefact:
    """Builds an engine from `parent`, and verifies it where there is a GPU that it is for."""
    path = parent.path.with_name(wanted.file(stem(parent.path)))
    artefact, built = engine_from_onnx(
        parent,
        path,
        options=options,
        on_progress=lambda what, done, total: folder.tell(f"{path.name}: {what}", done, total),
    )
    gpu, info = find_gpu(), artefact.card.built_with.engine
    targets = info.compute_capabilities if info is not None else ()
    why_not = gpu if isinstance(gpu, str) else ""
    if isinstance(gpu, Gpu) and gpu.compute_capability not in targets:
        why_not = f"this GPU is {gpu.compute_capability}"
    if not why_not:
        artefact = folder.measure(artefact, pairs)
        found = artefact.card.verification["tensorrt"]
        if found.status == "not_run":  # no memory left now, say: that is no miss
            why_not = found.reason
        else:
            require(artefact, artefact.card.verification, pairs, "tensorrt")
    if why_not:
        folder.notes.append(
            f"{path.name}: built for compute capability {' '.join(targets)} and not run ({why_not}); "
            "the golden pairs run at its first load on a GPU, and a miss refuses it"
        )
    folder.notes.append(f"{path.name}: proven: {built.proof}")
    if built.trtexec:
        folder.notes.append(f"{path.name}: the same plan by NVIDIA's builder: {built.trtexec}")
    folder.add_rows(artefact)
    return artefact


def _make_single(
    folder: ExportFolder, spec: ExportSpec, pairs: Golden, request: Request, training: Training
) -> tuple[Any, Artefact]:
    """The float32 onnx.ModelProto that all others are made from, and its file."""
    folder.tell(f"{spec.name}: tracing", 0, 1)
    model = trace.to_onnx(spec)
    if request.instance_norm == "reductions":
        model = instance_norm.to_reductions(model)
    folder.tell(f"{spec.name}: tracing", 1, 1)
    card = msgspec.structs.replace(
        spec.card,
        precision="fp32",
        opset=trace.OPSET,
        built_with=trace.build_info(),
        tolerances=limits(spec.tolerances["fp32"]),
        training=dict(training),
    )
    return model, folder.write_verified(model, card, f"{spec.name}.onnx", pairs)


def _make_others(
    folder: ExportFolder, spec: ExportSpec, model: Any, single: Artefact, pairs: Golden, request: Request
) -> None:
    wanted = request.wanted
    for_cpu = to_blocks(model) if FOR_CPU & set(wanted) else model
    if Wanted("fp32", "openvino") in wanted:
        name = Wanted("fp32", "openvino").file(spec.name)
        folder.write_verified(openvino.to_ir(for_cpu), single.card, name, pairs, "openvino")
    half = None
    if Wanted("fp16", "onnx") in wanted and "fp16" in spec.tolerances:
        lowered = instance_norm.SENSITIVE if request.instance_norm == "reductions" else ()
        half = _make_half(folder, spec, model, pairs, single, (*(spec.keep_fp32 or _SENSITIVE), *lowered))
        if Wanted("fp16", "engine") in wanted:
            make_engine(folder, half, Wanted("fp16", "engine"), pairs, request.engine)
    if "int8" in spec.tolerances and any(each.precision == "int8" for each in wanted):
        quantisation = Quantisation(folder, spec, single, pairs, request.min_psnr_db)
        if Wanted("int8", "openvino") in wanted:
            quantisation.make_ir(for_cpu)
        if Wanted("int8", "onnx") in wanted:
            quantisation.make_qdq(for_cpu)
        if INT8_IN_HALF in wanted and half is not None:
            parent = quantisation.make_in_half(model, half)
            make_engine(folder, parent, Wanted("int8", "engine"), pairs, request.engine)


def _make_mobile(
    folder: ExportFolder, spec: ExportSpec, model: Any, single: Artefact, pairs: Golden, request: Request
) -> None:
    """The forms of small runtimes, of helpers as well: such a machine may have nothing else to run them."""
    for wanted in request.wanted:
        if wanted.format in MOBILE:
            card = msgspec.structs.replace(single.card, parent_sha256=single.card.payload_sha256)
            given = trace_program(spec.module, spec.card) if wanted.format in FROM_TORCH else model
            folder.write_verified(given, card, wanted.file(spec.name), pairs, wanted.format)


def _make_half(
    folder: ExportFolder, spec: ExportSpec, model: Any, pairs: Golden, single: Artefact, sensitive: Sequence[str]
) -> Artefact:
    """The fp16 artefact: what the values ask for stays fp32; on a miss, all sensitive operators do."""
    ranges = fp16.measure_ranges(model, spread(pairs, _RANGE_PAIRS))
    measured = fp16.find_hurt_by_half(model, ranges, sensitive)
    try:
        return _write_half(folder, spec, model, pairs, single, measured, ranges)
    except VerifyError:
        cautious = {**fp16.every(model, sensitive), **measured}
        if cautious.keys() == measured.keys():
            raise
    return _write_half(folder, spec, model, pairs, single, cautious, ranges)


def _write_half(
    folder: ExportFolder,
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
        tolerances=limits(spec.tolerances["fp16"]),
        built_with=msgspec.structs.replace(
            trace.build_info("onnxconverter-common"),
            fp32_nodes=tuple(half.kept),
            half_weights=half.shares.weights,
            half_operators=half.shares.operators,
        ),
    )
    name = Wanted("fp16", "onnx").file(spec.name)
    artefact = folder.write_verified(half.model, card, name, pairs)
    report = folder.path / report_name(spec.name, "fp16")
    report.write_text(fp16.report(half, ranges, name), "utf-8")
    kept = f"{len(half.kept)} operators stay fp32; " if half.kept else ""
    folder.notes.append(f"{name}: {half.shares}; {kept}{report.name} says why")
    return artefact
