"""LiteRT, on CPUs; reads .tflite files."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError, InputError, MissingExtraError
from ...model.artefact import Artefact
from ..contract import Arrays, Closing, Port, check_inputs
from ..processor import count_cores
from ..quiet import no_printing
from ..selection import Selection

PACKAGES = ("ai-edge-litert",)


class LiteRT(Closing):
    """LiteRT behind the contract of `Backend`, through XNNPACK, in the dtypes of the file.

    A file has one signature, whose inputs and outputs are called as on its card.

    Args:
        artefact: a .tflite file with its card.
        device: "cpu".
        threads: CPU threads; None takes all.
    """

    name = "litert"
    suffixes = (".tflite",)
    devices = ("cpu",)
    selection: Selection
    notices: tuple[str, ...] = ()

    def __init__(self, artefact: Artefact, *, device: str, threads: int | None = None) -> None:
        if device != "cpu":
            raise BackendError(f"LiteRT does not run on the device '{device}' here", "cpu")
        litert = import_litert()
        try:
            with no_printing():
                self._network = litert.Interpreter(str(artefact.path), num_threads=threads or count_cores())
                self._network.allocate_tensors()
                signature = self._network.get_signature_runner()  # raises where there is not exactly one
                given, found = signature.get_input_details(), signature.get_output_details()
        except (ValueError, RuntimeError) as error:
            todo = "export the model again, or update LiteRT: pip install -U ai-edge-litert"
            reason = str(error).strip().partition("\n")[0]
            raise InputError(f"LiteRT cannot load {artefact.path}: {reason}", todo=todo) from error
        self.device = device
        self.inputs = tuple(_port(name, tensor) for name, tensor in given.items())
        self.outputs = tuple(_port(name, tensor) for name, tensor in found.items())
        self._places = {name: tensor["index"] for name, tensor in (*given.items(), *found.items())}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        if self._network is None:
            raise BackendError("this backend is closed")
        check_inputs(self.inputs, inputs)
        try:
            for port in self.inputs:
                self._network.set_tensor(self._places[port.name], np.ascontiguousarray(inputs[port.name]))
            self._network.invoke()
        except (ValueError, RuntimeError) as error:
            raise BackendError(f"LiteRT stopped on {self.device}: {error}") from error
        return {port.name: self._network.get_tensor(self._places[port.name]) for port in self.outputs}  # copies

    def close(self) -> None:
        """See `Backend.close`."""
        self._network = None


def describe_library() -> str:
    """See `backends.describe_library`."""
    import_litert()
    return f"{version('ai-edge-litert')}, devices: cpu"


def import_litert() -> Any:
    """The module with its interpreter. Raises MissingExtraError."""
    try:
        with no_printing():
            from ai_edge_litert import interpreter
    except ImportError:
        raise MissingExtraError("ai_edge_litert", "litert") from None
    return interpreter


def _port(name: str, tensor: Mapping[str, Any]) -> Port:
    shape = tuple(None if axis < 0 else int(axis) for axis in tensor["shape_signature"])
    return Port(name, np.dtype(tensor["dtype"]).name, shape)
