"""What a person may ask of an engine's build, and which of it each library can do."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from edgegan.runtime.errors import InputError
from edgegan.runtime.files import cache_folder

AUTO = "auto"
LEVELS = ("none", "ampere_plus", "same_compute_capability")
# Ahead of time, for GPUs that are not here: A100, RTX 30xx, RTX 40xx, RTX 50xx, DGX Spark. Turing (RTX 20xx, T4) has
# engines of its own: one that serves it as well gives every GPU the plan that Turing can run.
TARGETS = ("8.0", "8.6", "8.9", "12.0", "12.1")
TURING = "7.5"


@dataclass(frozen=True)
class EngineOptions:
    """How an engine is built. Every default leaves the choice to TensorRT.

    `compute_capabilities` is for TensorRT for RTX, which builds for GPUs that are not here; `timing_cache`,
    `hardware_compatibility`, `version_compatible` and `dla_core` are for TensorRT proper, which builds for the one that
    is.
    """

    workspace_mib: int | None = None  # GPU memory that the layers may use for scratch while they run
    timing_cache: str | None = None  # a file, or AUTO for one in the per-user cache folder
    hardware_compatibility: str = "none"  # of LEVELS
    version_compatible: bool = False  # also newer versions of TensorRT may run it, somewhat slower
    optimization_level: int | None = None  # 0 builds fastest, 5 tries most kernels; TensorRT takes 3
    dla_core: int | None = None  # the Deep Learning Accelerator of a Jetson that runs what it can; the GPU the rest
    compute_capabilities: tuple[str, ...] = ()  # such as ("8.6", "8.9"); empty: TARGETS

    @property
    def arguments(self) -> dict[str, str | None]:
        """The options that differ from the defaults, as on the command line; None stands for a switch."""
        found: dict[str, str | None] = {}
        for option, name in _FLAGS.items():
            value = getattr(self, name)
            if value != _DEFAULTS[name]:
                found[option] = None if value is True else ",".join(value) if isinstance(value, tuple) else str(value)
        return found

    def require(self, trt: Any) -> None:
        """Raises InputError, before any work, for an option that the library `trt` does not have."""
        rtx = trt.__name__ == "tensorrt_rtx"
        for option in self.arguments:
            if option in (_NOT_RTX if rtx else _RTX_ONLY):
                reason = _NOT_RTX[option] if rtx else _RTX_ONLY[option]
                library = "TensorRT for RTX builds the engine here" if rtx else "TensorRT builds the engine here"
                raise InputError(f"{option} has no use: {library}", reason, f"leave {option} out")
        if self.workspace_mib is not None and self.workspace_mib < 1:
            raise InputError(f"--workspace {self.workspace_mib}", "a number of MiB, 1 or more")
        if self.optimization_level is not None and not 0 <= self.optimization_level <= 5:
            raise InputError(f"--builder-optimization-level {self.optimization_level}", "a number from 0 to 5")
        if self.dla_core is not None and self.dla_core < 0:
            raise InputError(f"--dla {self.dla_core}", "the number of a DLA core, 0 or more")
        if self.hardware_compatibility not in LEVELS:
            raise InputError(f"--hardware-compatibility {self.hardware_compatibility}", f"one of: {', '.join(LEVELS)}")
        level = self.hardware_compatibility.upper()
        if level != "NONE" and not hasattr(trt.HardwareCompatibilityLevel, level):
            raise InputError(
                f"--hardware-compatibility {self.hardware_compatibility}: TensorRT {trt.__version__} does not have it",
                "a newer TensorRT does",
                "leave it out, or: pip install -U tensorrt",
            )
        known = capabilities(trt) if self.compute_capabilities else ()
        for target in self.compute_capabilities:
            if target not in known:
                raise InputError(
                    f"--compute-capability {target}: {trt.__name__} {trt.__version__} cannot build for it",
                    f"it can build for: {', '.join(known)}",
                )
        if TURING in self.compute_capabilities and len(set(self.compute_capabilities)) > 1:
            newer = ",".join(target for target in self.compute_capabilities if target != TURING)
            raise InputError(
                f"--compute-capability {','.join(self.compute_capabilities)}: one engine for Turing and newer GPUs",
                "every GPU would run the plan of Turing",
                f"export twice, into two folders: --compute-capability {TURING}, and: --compute-capability {newer}",
            )

    def targets(self, trt: Any) -> tuple[str, ...]:
        """The compute capabilities to build for; empty for TensorRT proper, which takes the GPU that is here.

        By default those of TARGETS that this version of the library can build for.
        """
        if trt.__name__ != "tensorrt_rtx":
            return ()
        return self.compute_capabilities or tuple(target for target in TARGETS if target in capabilities(trt))

    def timing_cache_file(self, trt: Any, gpu: str) -> Path | None:
        """Where measured kernels are kept; in the per-user folder, one file for each version and GPU."""
        if self.timing_cache != AUTO:
            return Path(self.timing_cache) if self.timing_cache is not None else None
        return cache_folder() / f"{trt.__name__}-{trt.__version__}-{gpu.replace(' ', '_') or 'gpu'}.timing"


def capabilities(trt: Any) -> tuple[str, ...]:
    """The compute capabilities that TensorRT for RTX can build for without a GPU, such as "8.6", in order."""
    numbers = sorted(int(name[2:]) for name in trt.ComputeCapability.__members__ if name.startswith("SM"))
    return tuple(f"{n // 10}.{n % 10}" for n in numbers)


_DEFAULTS = {field.name: field.default for field in fields(EngineOptions)}
_FLAGS = {
    "--workspace": "workspace_mib",
    "--timing-cache": "timing_cache",
    "--hardware-compatibility": "hardware_compatibility",
    "--version-compatible": "version_compatible",
    "--builder-optimization-level": "optimization_level",
    "--dla": "dla_core",
    "--compute-capability": "compute_capabilities",
}
_RTX_ONLY = {
    "--compute-capability": "it builds for the GPU that is here; --hardware-compatibility lets others run it too",
}
_NOT_RTX = {
    "--timing-cache": "it times no kernels; what it compiles at the first start is cached by itself",
    "--hardware-compatibility": "one engine runs on several kinds of GPU; --compute-capability names them",
    "--builder-optimization-level": "it times no kernels: the GPU's own are compiled at the first start",
    "--dla": "it knows no Jetson",
    "--version-compatible": "its engines run only on the version that built them",
}
