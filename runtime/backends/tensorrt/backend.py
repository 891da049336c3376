"""TensorRT 10.3 to 11, and TensorRT for RTX: prebuilt engines on NVIDIA GPUs.

For each of the few shapes that came last a context, buffers on the GPU and in pinned host memory, and a CUDA graph are
kept; from the second run of a shape on the graph replays copies and network with one launch. One stream takes it all,
or two in turn, so that one picture is copied while the network works on the other.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from numpy.typing import NDArray

from ...errors import BackendError, EdgeganError
from ...model.artefact import Artefact
from ..contract import Arrays, Closing, Port, check_inputs
from ..device import gpu_number
from ..fit import (
    LIBRARIES,
    check_gpu,
    check_library,
    check_version,
    dla_part,
    library,
    library_version,
    missing_library,
    other_gpu,
)
from ..nvidia.at_work import at_work
from ..nvidia.cuda import CaptureError, Cuda
from ..nvidia.given import check_outputs, read_given
from ..processor import system
from ..selection import Selection
from .bound import Bound, Shapes
from .engine import Engine
from .lane import Lane, Way
from .ticket import Ticket

PACKAGES = ("tensorrt", "tensorrt-cu13", "tensorrt-cu12", "tensorrt-rtx")
_LOG = logging.getLogger("edgegan")


class TensorRT(Closing):
    """A TensorRT engine behind the contract of `Backend`.

    An engine fits one version of TensorRT and one kind of GPU; `fit` compares both with the card before loading, and
    a MisfitError names the two sides. Engines are executable content: `artefact.load` has checked the hash.
    """

    name = "tensorrt"
    suffixes = (".engine",)
    devices = ("cuda",)
    selection: Selection
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    notices: tuple[str, ...] = ()

    def __init__(self, artefact: Artefact, *, device: str, threads: int | None = None) -> None:
        del threads  # the network runs on the GPU
        card = artefact.card
        trt = library(card)

        def load(cuda: Cuda) -> Engine:
            check_version(card, trt.__version__)
            check_gpu(card, cuda.compute_capability, cuda.gpu_name, system())
            self.notices = tuple(filter(None, [other_gpu(card, cuda.gpu_name), dla_part(card)]))
            return Engine(trt, artefact, cuda.gpu_name)

        self._start(device, load)

    def _start(self, device: str, load: Callable[[Cuda], Engine]) -> None:
        self._lane: Lane | None = None
        self._next: Way = "first"
        with at_work():
            cuda = Cuda(gpu_number(device))
            try:
                engine = load(cuda)
            except BaseException:
                cuda.close()
                raise
            self._lane = Lane(cuda, engine)
            try:
                self._lane.warm()
            except BaseException:
                self._free()
                raise
        self._engine, self.inputs, self.outputs = engine, engine.inputs, engine.outputs
        self.device = device
        # TensorRT for RTX captures by itself: it alone knows when its kernels are compiled for good. What a DLA does
        # cannot be recorded.
        self._capturable = not engine.rtx and not engine.dla

    def another(self) -> TensorRT:
        """One more backend on the same engine, with contexts and streams of its own: both may run at once.

        The weights are on the GPU once. Each is closed by itself, in any order. Raises NoMemoryError.
        """
        self._open()
        made = TensorRT.__new__(TensorRT)
        made.notices = self.notices
        made._start(self.device, lambda _: self._engine.join())
        made.selection = self.selection
        return made

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        lane = self._open()
        check_inputs(self.inputs, inputs)
        with at_work():
            bound = lane.get("first", self._shapes(inputs))
            found = bound.run(inputs)
            self._capture(bound)
        return found

    def submit(self, inputs: Mapping[str, NDArray[Any]]) -> Ticket:
        """See `contract.Overlapping.submit`; the first run of a shape is waited for."""
        lane = self._open()
        check_inputs(self.inputs, inputs)
        with at_work():
            bound = lane.get(self._next, self._shapes(inputs))
            self._next = "second" if self._next == "first" else "first"
            ticket, first = Ticket(lambda: self._settle(bound)), bound.fresh
            bound.begin(inputs, ticket)
            if first:
                bound.settle()
                self._capture(bound)
        return ticket

    def run_on_device(
        self, inputs: Mapping[str, Any], outputs: Mapping[str, Any], *, stream: int | None = None
    ) -> None:
        """See `contract.OnDevice.run_on_device`."""
        lane = self._open()
        with at_work():
            cuda = lane.stream("device")
            given = read_given(self.inputs, inputs, cuda)
            bound = lane.get("device", self._shapes(given))
            wanted = read_given(self.outputs, outputs, cuda)
            bound.run_on_device(given, check_outputs(self.outputs, wanted, bound.output_shape), stream)
            self._capture(bound)

    def time_layers(self, inputs: Mapping[str, NDArray[Any]], calls: int) -> list[list[tuple[str, float]]]:
        """Name and milliseconds of every layer of each call, by TensorRT's profiler, in a context of its own."""
        lane = self._open()
        check_inputs(self.inputs, inputs)
        with at_work():
            bound = lane.bind("first", self._shapes(inputs))
            try:
                return bound.time_layers(inputs, calls, self._engine.profiler)
            finally:
                bound.free()

    def _open(self) -> Lane:
        if self._lane is None:
            raise BackendError("this backend is closed")
        return self._lane

    def _shapes(self, inputs: Mapping[str, Any]) -> Shapes:
        return tuple(tuple(inputs[port.name].shape) for port in self.inputs)

    def _settle(self, bound: Bound) -> None:
        with at_work():
            self._open().stream("first")
            bound.settle()

    def _capture(self, bound: Bound) -> None:
        """Records a graph of what has run once."""
        if not self._capturable or not bound.uncaptured:
            return
        try:
            bound.capture()
        except CaptureError as error:
            self._capturable = False
            self._notice(
                f"CUDA cannot record this network as a graph ({error.seen}): every run launches its kernels one by one"
            )

    def _notice(self, words: str) -> None:
        """Adds to what the user should know, also where the network was opened long ago, and logs it."""
        self.notices = (*self.notices, words)
        if hasattr(self, "selection"):
            notices = (*self.selection.notices, words)
            self.selection = msgspec.structs.replace(self.selection, notices=notices)
        _LOG.warning("%s", words)

    def close(self) -> None:
        """See `Backend.close`. What was submitted is waited for; its tickets are good afterwards."""
        with at_work():
            self._free()

    def _free(self) -> None:
        lane, self._lane = self._lane, None
        if lane is not None:
            lane.close()


def describe_library() -> str:
    """See `backends.describe_library`."""
    found = {name: library_version(name) for name in LIBRARIES if importlib.util.find_spec(name)}
    if not found:
        raise missing_library("tensorrt")
    for name, number in found.items():
        check_library(name, number)
    words = ", ".join(f"{name} {number}" for name, number in found.items())
    try:
        Cuda(0).close()
    except EdgeganError as error:
        raise BackendError(f"{words} can build engines here, but not run them: {error.seen}") from None
    return words
