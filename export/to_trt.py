"""A float16 ONNX artefact -> a TensorRT engine artefact: which library, for which GPUs, and the engine's card.

Needs no torch, so an engine can be built on the machine that will run it.
"""

from __future__ import annotations

import importlib.util
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec
from edgegan import __version__
from edgegan.runtime.artefact import Artefact
from edgegan.runtime.backends.cuda import Cuda
from edgegan.runtime.card import Verification
from edgegan.runtime.errors import EdgeganError, MissingExtraError
from edgegan.runtime.files import sha256, write_atomic

from .apart import build_apart
from .engine import Built, Progress, library

# Ahead of time, for GPUs that are not here: RTX 20xx, A100, RTX 30xx, RTX 40xx, RTX 50xx.
TARGETS = ("7.5", "8.0", "8.6", "8.9", "12.0")
KEPT = "fp32_nodes"  # the key in built_with: the ONNX nodes that are float32 on purpose, comma-separated


@dataclass(frozen=True)
class Gpu:
    """The GPU of this machine."""

    name: str
    compute_capability: str
    driver: str


def find_gpu() -> Gpu | str:
    """The first GPU that CUDA can use here, or why there is none."""
    try:
        cuda = Cuda(0)
    except EdgeganError as error:
        return error.seen
    try:
        return Gpu(cuda.gpu_name, cuda.compute_capability, _driver())
    finally:
        cuda.close()


def choose_library(gpu: Gpu | str) -> str:
    """`tensorrt` where there is a GPU and the package; else `tensorrt_rtx`, which builds without one.

    Raises MissingExtraError that names what fits this machine if neither is installed.
    """
    if isinstance(gpu, Gpu) and importlib.util.find_spec("tensorrt"):
        return "tensorrt"
    if importlib.util.find_spec("tensorrt_rtx"):
        return "tensorrt_rtx"
    if isinstance(gpu, Gpu):
        raise MissingExtraError("tensorrt", "gpu")
    raise MissingExtraError("tensorrt_rtx", "rtx")


def engine_from_onnx(parent: Artefact, path: Path, *, on_progress: Progress | None = None) -> tuple[Artefact, Built]:
    """Builds the engine of a float16 ONNX artefact at `path`, with its card; the engine is not run.

    The card says `not_run` with the reason; `verify_artefact` finds out more where there is a GPU.

    Raises:
        MissingExtraError: no TensorRT is installed.
        InputError, VerifyError, BackendError, KeyboardInterrupt: as `apart.build_apart`.
    """
    gpu = find_gpu()
    name = choose_library(gpu)
    trt = library(name)
    ahead = name == "tensorrt_rtx"
    nodes = [n for n in parent.card.built_with.get(KEPT, "").split(",") if n]
    built = build_apart(name, parent.path, keep_fp32=nodes, targets=TARGETS if ahead else (), on_progress=on_progress)
    write_atomic(path, built.data)
    facts = {**parent.card.built_with, "edgegan": __version__, name: trt.__version__}
    facts["os"] = f"{platform.system()} {platform.machine()}"
    facts["compute_capability"] = " ".join(TARGETS) if ahead or isinstance(gpu, str) else gpu.compute_capability
    facts["half_layers"] = str(built.half_layers)
    if isinstance(gpu, Gpu):
        facts.update({"gpu": gpu.name, **({"driver": gpu.driver} if gpu.driver else {})})
    tolerance = next((v.tolerance for v in parent.card.verification.values()), {})
    reason = "built and not run" + (f": {gpu}" if isinstance(gpu, str) else "")
    card = msgspec.structs.replace(
        parent.card,
        precision="fp16",
        payload_sha256=sha256(path),
        parent_sha256=parent.card.payload_sha256 or sha256(parent.path),
        built_with=facts,
        # The tolerance stands for the first load: the golden pairs run there, and a miss refuses the engine.
        verification={"tensorrt": Verification(status="not_run", reason=reason, tolerance=tolerance)},
    )
    card.write(path)
    return Artefact(path, card), built


def _driver() -> str:
    """The driver's version, or "" where nvidia-smi is not there (Jetson)."""
    try:
        found = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip().splitlines()[0] if found.returncode == 0 and found.stdout.strip() else ""
