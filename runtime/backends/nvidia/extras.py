"""Which extra of edgegan brings what runs on the NVIDIA GPU of this machine."""

from __future__ import annotations

import sys
from pathlib import Path

from ...errors import MissingExtraError
from . import libraries

JETSON = Path("/etc/nv_tegra_release")

_FROM_JETPACK = (
    "TensorRT comes with JetPack: sudo apt install nvidia-jetpack; then, for pip to see it, "
    "python3 -m venv --system-site-packages"
)
_CUDA = 13  # that the packages of the extra `gpu` are built for
_OLDEST_PYTHON = (3, 11)  # of their wheels


def is_jetson() -> bool:
    """Whether this is a Jetson: its TensorRT comes with its system, not from pip."""
    return JETSON.is_file()


def gpu_extra() -> str:
    """`gpu` (CUDA 13), `gpu12` where the driver or Python is too old for it, or `jetson`."""
    if is_jetson():
        return "jetson"
    serves = libraries.driver_cuda()
    too_old = serves is not None and serves[0] < _CUDA
    return "gpu12" if too_old or sys.version_info < _OLDEST_PYTHON else "gpu"


def missing_package(module: str) -> MissingExtraError:
    """The error for a package that is not here and that this machine's GPU wants."""
    extra = gpu_extra()
    if extra == "jetson" and module == "tensorrt":
        return MissingExtraError(module, extra, _FROM_JETPACK)
    return MissingExtraError(module, extra)
