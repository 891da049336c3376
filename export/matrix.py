"""Which artefacts an export makes: precisions, formats, and the combinations that can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgegan.runtime.errors import InputError

MOBILE = ("mnn", "ncnn", "litert")  # each runs in a library of its own alone, in float32
FROM_TORCH = ("litert",)  # whose converters read PyTorch and no ONNX
# The first format of a precision is made where none is named. For int8, OpenVINO runs the ONNX file as fast as its own
# model, or up to 1.7 times faster where that needed more layers in float (benchmarks/results/precisions.md).
POSSIBLE = {"fp32": ("onnx", "openvino", *MOBILE), "fp16": ("onnx", "engine"), "int8": ("onnx", "openvino", "engine")}
FORMATS = ("onnx", "openvino", "engine", *MOBILE)
USUAL = ("fp32", "fp16")
_SUFFIXES = {
    "onnx": ".onnx",
    "openvino": ".xml",
    "engine": ".engine",
    "mnn": ".mnn",
    "ncnn": ".ncnn.param",
    "litert": ".tflite",
}


@dataclass(frozen=True)
class Wanted:
    """One artefact to make."""

    precision: str
    format: str

    def file(self, stem: str) -> str:
        """Its file name: `model.onnx`, `model.fp16.onnx`, `model.int8.xml`, `model.int8.fp16.onnx`."""
        middle = "" if self.precision == "fp32" else f".{self.precision}"
        return stem + middle + _SUFFIXES[self.format]


REPORTED = ("fp16", "int8")  # the precisions that leave some of a model in a larger one


def report_name(stem: str, precision: str) -> str:
    """The file beside artefacts of a precision of REPORTED that tells what stayed in a larger one, and why."""
    return f"{stem}.{precision}.md"


INT8_IN_HALF = Wanted("int8.fp16", "onnx")  # float16 around int8, for TensorRT: only an engine asks for it
FOR_CPU = {Wanted("fp32", "openvino"), Wanted("int8", "openvino"), Wanted("int8", "onnx")}  # see `depth_to_space`
# Engines are built from files that are made, verified and kept like all others, the nearest one last.
BUILT_FROM = {
    Wanted("fp16", "engine"): (Wanted("fp16", "onnx"),),
    Wanted("int8", "engine"): (Wanted("fp16", "onnx"), INT8_IN_HALF),
}


def plan(precisions: Sequence[str], formats: Sequence[str], *, trt: bool) -> tuple[Wanted, ...]:
    """What to make. The fp32 ONNX file is always among it: all others are made from it and compared with it.

    Args:
        precisions: of POSSIBLE; empty means USUAL.
        formats: of FORMATS; empty means the usual one of each precision.
        trt: a float16 TensorRT engine as well.

    Raises:
        InputError: an unknown word, or one that fits none of the others.
    """
    for given, known, option in ((precisions, tuple(POSSIBLE), "--precision"), (formats, FORMATS, "--format")):
        for word in given:
            if word not in known:
                raise InputError(f"{option} {word}: not known", f"there are: {', '.join(known)}")
    chosen = tuple(precisions) or tuple(p for p in USUAL if not formats or set(formats) & set(POSSIBLE[p]))
    made = [Wanted(p, f) for p in chosen for f in POSSIBLE[p] if (f in formats if formats else f == POSSIBLE[p][0])]
    useless = [p for p in precisions if p not in {w.precision for w in made}]
    useless += [f for f in formats if f not in {w.format for w in made}]
    if useless:
        able = "; ".join(f"{p} as {' or '.join(forms)}" for p, forms in POSSIBLE.items())
        raise InputError(
            f"--precision {','.join(chosen)} --format {','.join(formats)}: nothing can be {useless[0]}",
            f"what can be made: {able}",
        )
    always = [Wanted("fp32", "onnx"), *([Wanted("fp16", "onnx"), Wanted("fp16", "engine")] if trt else [])]
    always += [parent for wanted in made for parent in BUILT_FROM.get(wanted, ())]
    return tuple(dict.fromkeys([*always, *made]))
