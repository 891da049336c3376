"""ONNX -> TensorRT engine bytes, strongly typed and proven. For TensorRT 10.3 to 11 and TensorRT for RTX.

All of them take the precision from the ONNX file alone: `precision_check.py` reads the types of the parsed network
before anything is built. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgegan.runtime.backends.fit import check_library, import_library, missing_library
from edgegan.runtime.backends.tensorrt.log import logger, start
from edgegan.runtime.errors import BackendError, EdgeganError, InputError
from edgegan.runtime.files import write_atomic
from edgegan.runtime.model.build_info import Profile

from .dla import use_dla
from .gpu import Gpu
from .options import EngineOptions
from .precision_check import Proof, prove

Progress = Callable[[str, int, int], None]  # (what, steps done, steps in all)


@dataclass(frozen=True)
class Job:
    """One engine to build."""

    onnx: Path
    precision: str = "fp16"  # or "int8": int8 with float16 around it
    keep_fp32: tuple[str, ...] = ()  # ONNX nodes that are deliberately float32
    profile: Profile = field(default_factory=dict)  # for open axes
    options: EngineOptions = EngineOptions()
    gpu: Gpu | None = None  # the one that it is built on, where there is one


@dataclass(frozen=True)
class Built:
    """A serialised engine, as pure bytes, and what the proof counted in its network."""

    data: bytes
    proof: Proof
    dla_layers: int = 0  # that the builder found fit for the DLA, where one was asked for
    trtexec: str = ""  # the line of NVIDIA's builder for the same plan; for TensorRT proper alone


def library(name: str) -> Any:
    """The module `tensorrt` or `tensorrt_rtx`; raises MissingExtraError, or BackendError for an unfit version."""
    try:
        module = import_library(name)
    except ImportError:
        raise missing_library(name) from None
    check_library(name, module.__version__)
    return module


def build_engine(trt: Any, job: Job, *, on_progress: Progress | None = None) -> Built:
    """Builds a strongly typed engine of an ONNX file, once its types are proven.

    Args:
        trt: the library, from `library`.
        job: what to build, and how.
        on_progress: told of every step, perhaps from a thread of TensorRT's; must not raise.

    Raises:
        InputError: TensorRT cannot read the file (the message names the node), or an option is not for `trt`.
        VerifyError: the network is not of the job's precision.
        BackendError: the build failed.
    """
    job.options.require(trt)
    log = logger(trt)
    builder = start(trt.Builder, log)
    # Version 11 knows no other kind of network; where the flag is still there, 10 needs it.
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    network = builder.create_network(1 << int(flag) if flag is not None else 0)
    parser = trt.OnnxParser(network, log)
    if not parser.parse(job.onnx.read_bytes(), str(job.onnx)):
        raise _unreadable(job.onnx, parser, log)
    found = prove(trt, network, job.precision, job.keep_fp32, job.onnx.name)
    config = builder.create_builder_config()
    if job.profile:
        _add_profile(builder, config, job.profile)
    cache = _configure(trt, config, job)
    dla_layers = use_dla(trt, builder, network, config, job) if job.options.dla_core is not None else 0
    monitor = _monitor(trt, on_progress) if on_progress is not None else None
    if monitor is not None:
        config.progress_monitor = monitor
    data = builder.build_serialized_network(network, config)
    if data is None:
        raise BackendError(
            f"TensorRT built no engine of {job.onnx.name}: {log.last or 'no reason given'}", todo=_remedy(job)
        )
    if cache is not None:
        with suppress(EdgeganError):  # a cache that cannot be written only costs the next build its time
            write_atomic(cache, bytes(config.get_timing_cache().serialize()))
    return Built(bytes(data), found, dla_layers)


def _remedy(job: Job) -> str:
    """What most often helps where a build fails for want of memory."""
    if job.options.workspace_mib is not None:
        return f"give it more than {job.options.workspace_mib} MiB with --workspace, or leave --workspace out"
    largest = ", ".join("x".join(map(str, high)) for _, _, high in job.profile.values())
    return f"leave fewer axes open: the largest shapes are {largest}" if largest else ""


def _configure(trt: Any, config: Any, job: Job) -> Path | None:
    """Puts the job's options into `config`; returns where its timing cache is to be written."""
    options = job.options
    if hasattr(trt.BuilderFlag, "TF32"):
        config.clear_flag(trt.BuilderFlag.TF32)  # what is kept in float32 shall be float32
    if options.workspace_mib is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib << 20)
    if options.optimization_level is not None:
        config.builder_optimization_level = options.optimization_level
    if options.version_compatible:
        config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)
    if options.hardware_compatibility != "none":
        level = getattr(trt.HardwareCompatibilityLevel, options.hardware_compatibility.upper())
        config.hardware_compatibility_level = level
    targets = options.targets(trt)
    if targets:
        config.num_compute_capabilities = len(targets)
        for i, target in enumerate(targets):
            kind = getattr(trt.ComputeCapability, "SM" + target.replace(".", ""))
            if not config.set_compute_capability(kind, i):
                raise BackendError(
                    f"{trt.__name__} {trt.__version__} refuses to build for compute capability {target}",
                    todo=f"leave {target} out of --compute-capability",
                )
    path = options.timing_cache_file(trt, job.gpu.name if job.gpu is not None else "")
    if path is not None:
        known = b""
        with suppress(OSError):
            known = path.read_bytes()
        # TensorRT itself refuses what is no cache, or one of another version or GPU; a new one then takes its place.
        cache = config.create_timing_cache(known)
        if cache is None or not config.set_timing_cache(cache, False):
            config.set_timing_cache(config.create_timing_cache(b""), False)
    return path


def _add_profile(builder: Any, config: Any, shapes: Profile) -> None:
    made = builder.create_optimization_profile()
    try:
        for name, (low, usual, high) in shapes.items():
            made.set_shape(name, low, usual, high)
        taken = config.add_optimization_profile(made) >= 0
    except ValueError:
        taken = False
    if not taken:
        raise InputError(f"TensorRT does not take these sizes for the open axes: {shapes}", todo="export again")


def _unreadable(path: Path, parser: Any, log: Any) -> InputError:
    errors = [parser.get_error(i) for i in range(parser.num_errors)]
    words = [(f"node '{e.node_name()}' ({e.node_operator()}): " if e.node_name() else "") + e.desc() for e in errors]
    return InputError(f"TensorRT cannot read {path.name}: {'; '.join(words[:2]) or log.last or 'no reason given'}")


def _monitor(trt: Any, on_progress: Progress) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self.steps[phase_name] = num_steps

        def step_complete(self, phase_name: str, step: int) -> bool:
            on_progress(phase_name, step + 1, self.steps.get(phase_name, step + 1))
            return True

        def phase_finish(self, phase_name: str) -> None:
            self.steps.pop(phase_name, None)

    return Monitor()
