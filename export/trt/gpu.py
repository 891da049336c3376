"""A GPU of this machine, and which TensorRT builds for it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

import msgspec
from edgegan.runtime.backends.fit import missing_library
from edgegan.runtime.backends.nvidia import libraries
from edgegan.runtime.backends.nvidia.cuda import Cuda
from edgegan.runtime.backends.nvidia.extras import is_jetson
from edgegan.runtime.errors import EdgeganError

_ANSWER = "the GPU as JSON: "  # libraries may write lines of their own before
_PATIENCE_S = 120  # the first context on a machine of many GPUs takes tens of seconds
_JETSONS = ("7.2", "8.7", "11.0")  # compute capabilities of Xavier, Orin and Thor


@dataclass(frozen=True)
class Gpu:
    """A GPU of this machine."""

    name: str
    compute_capability: str
    driver: str
    cuda: str = ""  # the newest CUDA that the driver can serve, such as "13.0"
    number: int = 0  # as CUDA counts the GPUs that this process sees


def find_gpu(number: int = 0) -> Gpu | str:
    """The GPU of that number, or why CUDA cannot use it here.

    Asked in a process of its own: a context on the GPU, some hundred megabytes, would stay with this one to its end.
    """
    if libraries.driver_cuda() is None:  # then there can be no context either
        return look(number)
    found = _ask(number, os.environ.get("CUDA_VISIBLE_DEVICES"))
    if isinstance(found, str):
        _ask.cache_clear()  # it may be busy now, and free when it is asked for again
    return found


@cache
def _ask(number: int, seen: str | None) -> Gpu | str:
    """`look` in a child process that sees the GPUs `seen`, as this one does."""
    program = f"from {__name__} import answer; answer({number})"
    words = [sys.executable, "-c", program]
    try:
        child = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"the NVIDIA driver did not answer for {_PATIENCE_S} s"
    found = child.stdout.rpartition(_ANSWER)[2]
    if child.returncode != 0 or not found:
        said = child.stderr.strip().splitlines()
        return f"the process that looks for the GPU ended with {child.returncode}" + (f": {said[-1]}" if said else "")
    return msgspec.json.decode(found, type=Gpu | str)


def answer(number: int) -> None:
    """Writes what `look` finds as JSON, for the process that asked."""
    sys.stdout.write(_ANSWER + msgspec.json.encode(look(number)).decode())


def look(number: int) -> Gpu | str:
    """As `find_gpu`, in this process, which has a context on the GPU from then on."""
    try:
        cuda = Cuda(number)
    except EdgeganError as error:
        return error.seen
    try:
        return Gpu(cuda.gpu_name, cuda.compute_capability, _driver(), cuda.version, number)
    finally:
        cuda.close()


def choose_library(gpu: Gpu | str) -> str:
    """`tensorrt` where there is a GPU and the package; else `tensorrt_rtx`, which builds without one.

    TensorRT for RTX does not know a Jetson's GPU and is never given one. Raises MissingExtraError that names what fits
    this machine if that is not installed.
    """
    if isinstance(gpu, Gpu) and importlib.util.find_spec("tensorrt"):
        return "tensorrt"
    jetson = is_jetson() or (isinstance(gpu, Gpu) and gpu.compute_capability in _JETSONS)
    if importlib.util.find_spec("tensorrt_rtx") and not jetson:
        return "tensorrt_rtx"
    raise missing_library("tensorrt" if isinstance(gpu, Gpu) or jetson else "tensorrt_rtx")


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
