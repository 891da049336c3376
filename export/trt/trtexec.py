"""The line of NVIDIA's own builder that makes the same plan, for those who want to hold ours against it."""

from __future__ import annotations

import shlex

from .build import Job

_LEVELS = {"ampere_plus": "ampere+", "same_compute_capability": "sameComputeCapability"}


def trtexec_line(job: Job, version: str, engine: str) -> str:
    """`trtexec` with the options of `job`, for the TensorRT of that version; `engine` is the file it is to write.

    It is not run here: pip's TensorRT brings no trtexec. TensorRT 11 knows strongly typed networks alone.
    """
    options = job.options
    words = ["trtexec", f"--onnx={job.onnx.name}", f"--saveEngine={engine}", "--noTF32"]
    if version.partition(".")[0] == "10":
        words.append("--stronglyTyped")
    for which, name in enumerate(("min", "opt", "max")):
        if job.profile:
            shapes = (f"{tensor}:{'x'.join(map(str, ranges[which]))}" for tensor, ranges in job.profile.items())
            words.append(f"--{name}Shapes={','.join(shapes)}")
    if options.workspace_mib is not None:
        words.append(f"--memPoolSize=workspace:{options.workspace_mib}M")
    if options.optimization_level is not None:
        words.append(f"--builderOptimizationLevel={options.optimization_level}")
    if options.hardware_compatibility in _LEVELS:
        words.append(f"--hardwareCompatibilityLevel={_LEVELS[options.hardware_compatibility]}")
    if options.version_compatible:
        words.append("--versionCompatible")
    if options.dla_core is not None:
        words += [f"--useDLACore={options.dla_core}", "--allowGPUFallback"]
    return shlex.join(words)
