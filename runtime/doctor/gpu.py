"""GPUs, and whether ONNX Runtime's providers for them find the driver and the libraries that they want."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..backends.nvidia import libraries
from ..backends.nvidia.cuda import Cuda
from ..backends.nvidia.extras import gpu_extra
from ..backends.onnxruntime.backend import import_onnxruntime
from ..backends.onnxruntime.gpu import CUDA, TENSORRT, WORDS, check_provider, libraries_of, releases
from ..errors import EdgeganError
from .finding import Finding
from .nvidia import without_driver
from .packages import is_installed

RENDERERS = Path("/dev/dri")


def examine() -> Iterator[Finding]:
    """The NVIDIA GPU, what ONNX Runtime wants of its libraries, and an Intel GPU that OpenVINO does not see."""
    yield _nvidia()
    if all(map(is_installed, ("onnxruntime", "onnxruntime-gpu"))):
        extra = gpu_extra() if is_here() else "cpu"
        yield Finding(
            topic="gpu",
            name="onnxruntime",
            status="missing",
            text="onnxruntime and onnxruntime-gpu are both installed, and overwrite each other's files",
            todo=f"pip uninstall onnxruntime onnxruntime-gpu; pip install 'edgegan[{extra}]'",
        )
    try:
        ort = import_onnxruntime()
    except EdgeganError:
        ort = None
    for provider in (CUDA, TENSORRT):
        if ort is not None and (is_here() or provider in ort.get_available_providers()):
            yield _provider(ort, provider)
    yield from _intel()


def is_here() -> bool:
    """Whether the NVIDIA driver shows a GPU."""
    return libraries.gpu_count() > 0


def _nvidia() -> Finding:
    driver = libraries.driver_cuda()
    if driver is None:
        return without_driver()
    serves = f"the driver serves CUDA {driver[0]}.{driver[1]}"
    if not is_here():
        text = f"{serves}, but shows no GPU to this process"
        return Finding(topic="gpu", name="NVIDIA", status="missing", text=text, todo="nvidia-smi says why")
    try:
        cuda = Cuda(0)
    except EdgeganError as error:
        return Finding(topic="gpu", name="NVIDIA", status="missing", text=f"{serves}; {error.seen}", todo=error.todo)
    text = f"{cuda.gpu_name}, compute capability {cuda.compute_capability}, {serves}"
    cuda.close()
    count = libraries.gpu_count()
    return Finding(topic="gpu", name="NVIDIA", status="ok", text=text + (f", {count} GPUs" if count > 1 else ""))


def _provider(ort: Any, provider: str) -> Finding:
    name = f"onnxruntime {WORDS[provider]}"
    try:
        check_provider(ort, provider)
    except EdgeganError as error:
        text = "; ".join(part for part in (error.seen, error.expected) if part)
        return Finding(topic="gpu", name=name, status="missing", text=text, todo=error.todo)
    found, cudnn = libraries_of(ort, provider), libraries.cudnn_version()
    if not found:
        text = "what it is linked to can be read on Linux alone, so that nothing was looked at"
        return Finding(topic="gpu", name=name, status="note", text=text, todo="edgegan verify MODEL --device cuda")
    wants = releases(found)
    text = f"wants {wants or 'what the system has'}" + (f"; cuDNN {cudnn} is here" if cudnn else "")
    return Finding(topic="gpu", name=name, status="ok", text=text)


def _intel() -> Iterator[Finding]:
    nodes = sorted(RENDERERS.glob("renderD*"))
    if not nodes or is_here():  # then the node may well be NVIDIA's
        return
    if not any(os.access(node, os.R_OK | os.W_OK) for node in nodes):
        text, todo = f"{nodes[0]} is not open to this user", "sudo usermod -aG render $USER, then log in again"
        yield Finding(topic="gpu", name="render node", status="missing", text=text, todo=todo)
        return
    try:
        from ..backends.openvino.library import process_core

        seen = [device for device in process_core().available_devices if device.startswith("GPU")]
    except EdgeganError:
        return
    if not seen:
        text = f"OpenVINO cannot use {nodes[0]}: for a GPU of Intel it wants the OpenCL driver"
        todo = "sudo apt install intel-opencl-icd"
        yield Finding(topic="gpu", name="render node", status="note", text=text, todo=todo)
