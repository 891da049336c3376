"""MNN, on CPUs; reads .mnn files."""

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

PACKAGES = ("MNN",)
# The hint WINOGRAD_MEMORY_LEVEL, and its value 1: small tiles. The larger ones of its default cost digits: in them the
# model of drawn faces that ships came to 105 dB instead of 147.
WINOGRAD, SMALL_TILES = 3, 1


class Mnn(Closing):
    """MNN behind the contract of `Backend`, in float32 throughout.

    Args:
        artefact: an .mnn file with its card.
        device: "cpu".
        threads: CPU threads; None takes all.
    """

    name = "mnn"
    suffixes = (".mnn",)
    devices = ("cpu",)
    selection: Selection
    notices: tuple[str, ...] = ()

    def __init__(self, artefact: Artefact, *, device: str, threads: int | None = None) -> None:
        if device != "cpu":
            raise BackendError(f"MNN does not run on the device '{device}' here", "cpu")
        self._mnn = mnn = import_mnn()
        # "high" is float32; what it takes by itself is half precision where the processor has that.
        config = {"backend": "CPU", "precision": "high", "numThread": threads or count_cores()}
        try:
            with no_printing():
                self._network = mnn.Interpreter(str(artefact.path))
                self._network.setSessionHint(WINOGRAD, SMALL_TILES)
                self._session = self._network.createSession(config)
            given = self._network.getSessionInputAll(self._session)
            found = self._network.getSessionOutputAll(self._session)
        except Exception as error:  # it raises Exception itself
            todo = "export the model again, or update MNN: pip install -U MNN"
            raise InputError(f"MNN cannot load {artefact.path}: {error}", todo=todo) from error
        self.device = device
        self.inputs = tuple(_port(mnn, name, tensor) for name, tensor in given.items())
        self.outputs = tuple(_port(mnn, name, tensor) for name, tensor in found.items())

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        if self._session is None:
            raise BackendError("this backend is closed")
        check_inputs(self.inputs, inputs)
        network, session = self._network, self._session
        for port in self.inputs:
            given = self._host(np.ascontiguousarray(inputs[port.name]))
            network.getSessionInput(session, port.name).copyFrom(given)
        code = network.runSession(session)
        if code != 0:
            raise BackendError(f"MNN stopped on {self.device}: its error {code}")
        outputs = {}
        for port in self.outputs:
            tensor = network.getSessionOutput(session, port.name)
            host = self._host(np.empty(tensor.getShape(), port.dtype))
            tensor.copyToHostTensor(host)
            outputs[port.name] = host.getNumpyData().reshape(tensor.getShape()).copy()  # it is a view of `host`
        return outputs

    def _host(self, array: NDArray[Any]) -> Any:
        """A tensor of MNN's with a copy of the array, in the order of axes that ONNX has."""
        mnn = self._mnn
        return mnn.Tensor(array.shape, mnn.Halide_Type_Float, array, mnn.Tensor_DimensionType_Caffe)

    def close(self) -> None:
        """See `Backend.close`."""
        self._session = self._network = None


def describe_library() -> str:
    """See `backends.describe_library`."""
    import_mnn()
    return f"{version('MNN')}, devices: cpu"


def import_mnn() -> Any:
    """The module, which would print what the processor can do. Raises MissingExtraError."""
    try:
        with no_printing():
            import MNN
    except ImportError:
        raise MissingExtraError("MNN", "mnn") from None
    return MNN


def _port(mnn: Any, name: str, tensor: Any) -> Port:
    dtype = "float32" if tensor.getDataType() is mnn.Halide_Type_Float else "not float32"
    return Port(name, dtype, tuple(tensor.getShape()))
