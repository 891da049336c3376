"""The Deep Learning Accelerator of a Jetson: an engine in which it runs what it can, and the GPU the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgegan.runtime.errors import BackendError, InputError

if TYPE_CHECKING:
    from .build import Job


def use_dla(trt: Any, builder: Any, network: Any, config: Any, job: Job) -> int:
    """Gives the job's DLA core every layer that it can run; returns how many of the network's these are.

    The GPU runs the others, and TensorRT moves data between the two. Networks stay strongly typed, which TensorRT
    takes for a DLA since 11.4 (JetPack 7.2); where an older builder refuses it, its own reason is the build's error.

    Raises:
        InputError: this machine has no such core, or axes are open, of which a DLA takes none.
        BackendError: it can run no layer of the network.
    """
    core, cores = job.options.dla_core, int(builder.num_DLA_cores)
    if core is None or core >= cores:
        raise InputError(
            f"--dla {core}: TensorRT {trt.__version__} finds {cores or 'no'} DLA cores here",
            f"a number below {cores}" if cores else "a Jetson with a DLA, and a TensorRT that serves it",
            "leave --dla out",
        )
    if job.profile:
        raise InputError(
            f"--dla {core}, and the sizes of {job.onnx.name} are open",
            "a DLA runs fixed shapes",
            "export with a fixed size and batch, or leave --dla out",
        )
    config.default_device_type = trt.DeviceType.DLA
    config.DLA_core = core
    config.set_flag(trt.BuilderFlag.GPU_FALLBACK)
    able = sum(bool(config.can_run_on_DLA(network.get_layer(i))) for i in range(network.num_layers))
    if not able:
        raise BackendError(
            f"the DLA can run none of the {network.num_layers} layers of {job.onnx.name}", todo="leave --dla out"
        )
    return able
