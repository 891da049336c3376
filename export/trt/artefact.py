"""A float16 or int8 ONNX artefact -> a TensorRT engine artefact with its card.

Needs no torch, so an engine can be built on the machine that will run it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from edgegan import __version__
from edgegan.runtime.backends.device import gpu_number
from edgegan.runtime.backends.processor import system
from edgegan.runtime.backends.profiles import profile
from edgegan.runtime.errors import CardError
from edgegan.runtime.files import write_atomic
from edgegan.runtime.model.artefact import Artefact, payload_sha256
from edgegan.runtime.model.build_info import BuildInfo, EngineInfo
from edgegan.runtime.model.fidelity import tolerance
from edgegan.runtime.model.verification import Verification

from .build import Built, Job, Progress, library
from .gpu import Gpu, choose_library, find_gpu
from .options import EngineOptions
from .subprocess import build_apart
from .trtexec import trtexec_line

PRECISIONS = ("fp16", "int8")


def check_options(options: EngineOptions) -> None:
    """Raises, before any work, what `engine_from_onnx` would raise for a missing library or an unfit option."""
    options.require(_library())


def pins() -> dict[str, str]:
    """The package that builds engines here, and its version, as pip names it."""
    trt = _library()
    return {trt.__name__.replace("_", "-"): trt.__version__}


def engine_from_onnx(
    parent: Artefact,
    path: Path,
    *,
    options: EngineOptions = EngineOptions(),  # noqa: B008 - frozen
    device: str = "cuda",
    on_progress: Progress | None = None,
) -> tuple[Artefact, Built]:
    """Builds the engine of a float16 or int8 ONNX artefact at `path`, with its card; the engine is not run.

    Open axes are built for the range that the card states, and the engine for the GPU `device` where there is one.
    The card says `not_run` with the reason; `verify_artefact` finds out more where there is a GPU.

    Raises:
        MissingExtraError: no TensorRT is installed.
        CardError: the artefact has a precision that no engine is built from, or open axes without a range.
        InputError, VerifyError, BackendError, KeyboardInterrupt: as `subprocess.build_apart`.
    """
    card = parent.card
    if card.precision not in PRECISIONS:
        raise CardError(
            f"{parent.path.name} is {card.precision}",
            f"an engine is built from {' or '.join(PRECISIONS)}",
            f"give {parent.path.stem}.fp16.onnx",
        )
    gpu = find_gpu(gpu_number(device))
    name = choose_library(gpu)
    trt = library(name)
    options.require(trt)
    job = Job(
        onnx=parent.path,
        precision=card.precision,
        keep_fp32=card.built_with.fp32_nodes,
        profile=profile(card),
        options=options,
        gpu=gpu if isinstance(gpu, Gpu) else None,
    )
    built = build_apart(name, job, on_progress=on_progress)
    if name == "tensorrt":
        built = replace(built, trtexec=trtexec_line(job, trt.__version__, path.name))
    write_atomic(path, built.data)
    reason = "built and not run" + (f": {gpu}" if isinstance(gpu, str) else "")
    made = msgspec.structs.replace(
        card,
        payload_sha256=payload_sha256(path),
        parent_sha256=card.payload_sha256 or payload_sha256(parent.path),
        built_with=_build_info(card.built_with, trt, gpu, job, built),
        verification={
            # Held to at the first load: the golden pairs run there, and a miss refuses the engine.
            "tensorrt": Verification(status="not_run", reason=reason, tolerance=dict(tolerance(card, "tensorrt")))
        },
        int8_arithmetic="",
    )
    made.write(path)
    return Artefact(path, made), built


def _library() -> Any:
    return library(choose_library(find_gpu()))


def _build_info(parent: BuildInfo, trt: Any, gpu: Gpu | str, job: Job, built: Built) -> BuildInfo:
    here = gpu if isinstance(gpu, Gpu) else None
    options = job.options
    engine = EngineInfo(
        library=trt.__name__,
        version=trt.__version__,
        compute_capabilities=options.targets(trt) or ((here.compute_capability,) if here else ()),
        half_layers=built.proof.half_layers,
        int8_layers=built.proof.int8_layers,
        workspace_mib=options.workspace_mib,
        optimization_level=options.optimization_level,
        hardware_compatibility=options.hardware_compatibility,
        version_compatible=options.version_compatible,
        dla_core=options.dla_core,
        dla_layers=built.dla_layers,
        gpu=here.name if here else "",
        driver=here.driver if here else "",
        cuda=here.cuda if here else "",
        profile=job.profile,
    )
    versions = {**parent.versions, "edgegan": __version__}
    return msgspec.structs.replace(parent, versions=versions, system=system(), engine=engine)
