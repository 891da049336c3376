"""The bindings of the CUDA runtime, and the errors where there are none or no GPU behind them."""

from __future__ import annotations

import importlib
from typing import Any

from ...errors import BackendError
from . import libraries
from .extras import gpu_extra, missing_package


def import_runtime() -> Any:
    """The bindings of the CUDA runtime, wherever this version of cuda-python has them.

    Raises MissingExtraError without cuda-python, BackendError where its own libraries are missing.
    """
    for name in ("cuda.bindings.runtime", "cuda.cudart"):  # the second before 12.8
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
        except OSError as error:  # so Windows says that a DLL is not there
            raise no_gpu(f"cuda-python cannot be loaded: {error}") from None
    raise missing_package("cuda-python")


def no_gpu(reason: str) -> BackendError:
    """For a machine on which CUDA starts on no GPU."""
    return BackendError(
        f"no NVIDIA GPU can be used here ({reason})",
        todo="install the NVIDIA driver, or run model.onnx on the CPU: --device cpu",
    )


def old_driver() -> BackendError:
    """CUDA gives one error where there is no driver and where it is too old; this is for the latter."""
    major, minor = libraries.driver_cuda() or (0, 0)
    return BackendError(
        f"the NVIDIA driver is too old: it serves CUDA {major}.{minor}, and the CUDA of cuda-python is newer",
        "a driver serves its own CUDA and older ones",
        f"update the driver, or take packages that suit it: pip install 'edgegan[{gpu_extra()}]'",
    )
