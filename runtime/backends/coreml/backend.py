"""Core ML, on the CPU of a Mac; reads .mlpackage folders. It has not been run on a Mac yet."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError, InputError, MissingExtraError
from ...model.artefact import Artefact
from ..contract import Arrays, Closing, Port, check_inputs
from ..selection import Selection

PACKAGES = ("coremltools",)

_MAC = "Darwin"


class CoreML(Closing):
    """Core ML behind the contract of `Backend`, in float32 throughout.

    The CPU alone is asked for: which part of a network its GPU or neural engine takes, the latter in float16, Core ML
    decides and does not say.

    Args:
        artefact: an .mlpackage folder with its card.
        device: "cpu".
        threads: not Core ML's to take: it chooses, and a notice says so.
    """

    name = "coreml"
    suffixes = (".mlpackage",)
    devices = ("cpu",)
    selection: Selection
    notices: tuple[str, ...] = ()

    def __init__(self, artefact: Artefact, *, device: str, threads: int | None = None) -> None:
        if device != "cpu":
            raise BackendError(f"Core ML is not asked for the device '{device}'", "cpu")
        tools = import_coremltools()
        try:
            self._network = tools.models.MLModel(str(artefact.path), compute_units=tools.ComputeUnit.CPU_ONLY)
            description = self._network.get_spec().description
        except Exception as error:  # it raises Exception itself
            reason = str(error).strip().partition("\n")[0]
            raise InputError(
                f"Core ML cannot load {artefact.path}: {reason}", "macOS 13 or newer", "export the model again"
            ) from error
        self.device = device
        self.inputs = tuple(map(_port, description.input))
        self.outputs = tuple(map(_port, description.output))
        if threads is not None:
            self.notices = ("Core ML chooses its own number of threads",)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        if self._network is None:
            raise BackendError("this backend is closed")
        check_inputs(self.inputs, inputs)
        given = {port.name: np.ascontiguousarray(inputs[port.name]) for port in self.inputs}
        try:
            found = self._network.predict(given)
        except Exception as error:
            raise BackendError(f"Core ML stopped on {self.device}: {error}") from error
        return {port.name: np.array(found[port.name], port.dtype, copy=True) for port in self.outputs}

    def close(self) -> None:
        """See `Backend.close`."""
        self._network = None


def describe_library() -> str:
    """See `backends.describe_library`."""
    import_coremltools()
    return f"{version('coremltools')}, devices: cpu"


def import_coremltools() -> Any:
    """The module. Raises BackendError where there is no Core ML, MissingExtraError."""
    if platform.system() != _MAC:
        raise BackendError(f"Core ML runs on macOS; this is {platform.system()}")
    try:
        import coremltools
    except ImportError:
        raise MissingExtraError("coremltools", "coreml") from None
    return coremltools


_FLOAT32 = 65568  # MLMultiArray's number for it


def _port(feature: Any) -> Port:
    array = feature.type.multiArrayType
    return Port(feature.name, "float32" if array.dataType == _FLOAT32 else "not float32", tuple(array.shape))
