"""What cannot be is refused before the work starts, with what can."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from edgegan.runtime.errors import EdgeganError, InputError, MissingExtraError

from .matrix import MOBILE, Wanted
from .request import Request
from .trt.artefact import check_options

if TYPE_CHECKING:
    from edgegan.families import ExportSpec

# The packages that making an artefact takes, beyond those that every export takes; (package, extra).
_ALWAYS = (("onnx", "export"), ("onnxscript", "export"), ("onnxslim", "export"), ("onnxruntime", "cpu"))
_NEEDS = {
    Wanted("fp16", "onnx"): (("onnxconverter_common", "export"),),
    Wanted("fp32", "openvino"): (("openvino", "cpu"),),
    Wanted("int8", "openvino"): (("openvino", "cpu"), ("nncf", "export")),
    Wanted("fp32", "mnn"): (("MNN", "mnn"),),
    Wanted("fp32", "ncnn"): (("ncnn", "ncnn"), ("pnnx", "ncnn-export")),
    Wanted("fp32", "litert"): (("ai_edge_litert", "litert"), ("litert_torch", "litert-export")),
}


def check_request(request: Request) -> None:
    """Raises InputError for an option without use, MissingExtraError for a package that is not installed."""
    wanted = request.wanted
    for module, extra in (*_ALWAYS, *(need for each in wanted for need in _NEEDS.get(each, ()))):
        if find_spec(module) is None:
            raise MissingExtraError(module, extra)
    if any(each.format == "engine" for each in wanted):
        check_options(request.engine)
    elif request.engine.arguments:
        option = next(iter(request.engine.arguments))
        raise InputError(f"{option} is for TensorRT engines", todo=f"add --trt, or leave {option} out")
    for form in (each.format for each in wanted if each.format in MOBILE):
        for option, given in (("--size dynamic", request.open_size), ("--batch dynamic", request.open_batch)):
            if given:
                raise InputError(f"{option}: a model for {form} has one size and batch", todo=f"leave out {option}")
        if request.as_bytes:
            raise InputError(f"--io uint8: a model for {form} takes float32", todo="leave out --io uint8")
        if form == "ncnn" and request.batch > 1:
            raise InputError(f"--batch {request.batch}: ncnn takes one picture a call", todo="leave out --batch")
    if not any(each.precision == "int8" for each in wanted):
        for option, value in (("--min-psnr", request.min_psnr_db), ("--calib", request.calibration)):
            if value is not None:
                raise InputError(
                    f"{option} is for INT8, and no INT8 file is asked for",
                    todo=f"add --precision int8, or leave {option} out",
                )


def check_specs(specs: Sequence[ExportSpec], request: Request) -> list[str]:
    """Raises InputError if a spec cannot have what was asked for by name; notes on what else it does not get."""
    from edgegan.families import is_helper

    notes: dict[str, None] = {}
    for spec in (s for s in specs if not is_helper(s, specs)):
        for wanted in request.wanted:
            lacks = [each for each in _precisions(wanted) if each not in spec.tolerances]
            if not lacks:
                continue
            what = f"{spec.card.name} cannot be had as {wanted.file(spec.name)}: it has no tolerance for {lacks[0]}"
            if wanted.precision in request.precisions or wanted.format == "engine":
                raise InputError(what, f"it has: {', '.join(spec.tolerances)}", "ask for one of these with --precision")
            notes[what] = None
        if any(wanted.precision == "int8" for wanted in request.wanted):
            _check_calibration(spec, request.calibration)
    return list(notes)


def _precisions(wanted: Wanted) -> tuple[str, ...]:
    """The precisions whose tolerances an artefact is held to, or those of what it is made from."""
    found = tuple(wanted.precision.split("."))
    return ("fp16", *found) if wanted.format == "engine" and "fp16" not in found else found


def _check_calibration(spec: ExportSpec, asked: str | None) -> None:
    if asked is not None and spec.card.task == "generate":
        raise InputError("--calib: a generator of pictures is calibrated on drawn latents", todo="leave --calib out")
    if spec.calibration is None:
        raise InputError(f"{spec.name}: no training pictures to calibrate INT8 on", todo="leave int8 out")
    try:
        spec.calibration(1)
    except EdgeganError as error:
        named = f"--calib {asked}: " if asked is not None else "INT8 is calibrated on training pictures: "
        raise InputError(named + error.seen, error.expected, error.todo or "name others with --calib") from None
