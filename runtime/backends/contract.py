"""The contract between backends and those who use them: ports, and the checks that every backend makes."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError, CardError
from ..model.artefact import Artefact
from ..model.card import ModelCard, TensorSpec
from .selection import Selection

Arrays = dict[str, NDArray[Any]]
_Own = TypeVar("_Own", bound="Closing")


class Port(msgspec.Struct, frozen=True):
    """An input or output as the loaded network itself reports it; None stands for an axis that may vary.

    `bounds` are the fewest and the most of every axis, where the network has such limits.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    bounds: tuple[tuple[int, int], ...] = ()

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of `shape` can go through."""
        if len(shape) != len(self.shape):
            return False
        fixed = all(axis in (None, n) for axis, n in zip(self.shape, shape, strict=True))
        return fixed and all(low <= n <= high for (low, high), n in zip(self.bounds, shape, strict=False))

    def __str__(self) -> str:
        ranges = self.bounds or ((0, 0),) * len(self.shape)
        words = (
            str(axis) if axis is not None else f"{low} to {high}" if high else "any"
            for axis, (low, high) in zip(self.shape, ranges, strict=True)
        )
        return f"{self.dtype} ({', '.join(words)})"


class Backend(Protocol):
    """A loaded network. Use it as a context manager, or call `close`.

    Validation: `run` checks names, dtypes and fixed axes against `inputs` and raises BackendError. What only the
    card knows (value range, colour order, size rule) is the caller's: `edgegan.runtime.model.image` does it.
    Buffers: inputs are read during `run` only and never changed; they need not be contiguous. The arrays returned
    belong to the caller; a later `run` does not change them.
    Threads: one `run` at a time. Different threads may take turns, under the caller's lock.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]  # the files it can load
    devices: ClassVar[tuple[str, ...]]  # the kinds of device it can use, the fastest first

    device: str  # where the network runs, as proven after loading
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    notices: tuple[str, ...]  # what the user should know of how it was loaded
    selection: Selection  # set by `open_backend`

    def __init__(self, artefact: Artefact, *, device: str, threads: int | None = None) -> None:
        """Loads the network. Raises MissingExtraError, BackendError (no such device) or InputError (not a network)."""
        ...

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """The outputs for one set of inputs, by name."""
        ...

    def close(self) -> None:
        """Frees device and memory; a second call does nothing."""
        ...

    def __enter__(self) -> Backend: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Closing:
    """What every backend does as a context manager: it is closed at the end, whatever happened."""

    def close(self) -> None:
        """See `Backend.close`."""
        raise NotImplementedError

    def __enter__(self: _Own) -> _Own:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Pending(Protocol):
    """A run that was begun."""

    def result(self) -> Arrays:
        """Waits for the outputs, which belong to the caller; a second call gives the same. Raises BackendError."""
        ...


@runtime_checkable
class Overlapping(Protocol):
    """A backend that copies the next inputs and the last outputs while the network runs."""

    def submit(self, inputs: Mapping[str, NDArray[Any]]) -> Pending:
        """Begins a run. Inputs may be written to at once. Two may be under way; a third waits for the first."""
        ...


@runtime_checkable
class Shareable(Protocol):
    """A backend whose loaded network can serve further ones."""

    def another(self) -> Backend:
        """One more backend on the same network, to run at the same time; each is closed by itself, in any order."""
        ...


@runtime_checkable
class OnDevice(Protocol):
    """A backend that takes arrays where they lie, on its GPU."""

    def run_on_device(
        self, inputs: Mapping[str, Any], outputs: Mapping[str, Any], *, stream: int | None = None
    ) -> None:
        """Runs the network without a copy to the host.

        Ownership: all arrays stay the caller's. Inputs are read before outputs are written, so that an output may be
        an input's own memory. Both are copied within the GPU from and to the backend's own buffers: they may lie
        elsewhere at each call and need no alignment. They must live, and inputs must not be written to, until the run
        has ended: without a `stream` that is when the call returns; with one, what is queued in it after the call
        begins once the outputs are there, and memory may be given back in its order. What the arrays' owners had
        queued is waited for, on the GPU, as DLPack and `__cuda_array_interface__` say.

        Args:
            inputs: by name; PyTorch, CuPy and Numba arrays and others with `__dlpack__` or
                `__cuda_array_interface__`, in C order but that rows may lie apart, or `cv2.cuda.GpuMat`; the batch
                axis of a single one may be left out. What is small, such as labels, may be a numpy array.
            outputs: by name, as many and of the shapes and dtypes that the network gives; on the GPU all.
            stream: a CUDA stream by its handle, such as `torch.cuda.current_stream().cuda_stream`.

        Raises:
            BackendError: other names, dtypes, shapes or strides than the network takes, or another GPU.
        """
        ...


class _Over:
    """A run that has ended."""

    def __init__(self, found: Arrays) -> None:
        self._found = found

    def result(self) -> Arrays:
        return self._found


def begin(backend: Backend, inputs: Mapping[str, NDArray[Any]]) -> Pending:
    """Begins a run where the backend can do so, and makes it where not."""
    return backend.submit(inputs) if isinstance(backend, Overlapping) else _Over(backend.run(inputs))


def check_inputs(ports: tuple[Port, ...], inputs: Mapping[str, Any]) -> None:
    """Raises BackendError unless `inputs` has exactly the names, dtypes and axes of `ports`."""
    if inputs.keys() != {p.name for p in ports}:
        raise BackendError(f"inputs given: {', '.join(sorted(inputs))}", f"wanted: {', '.join(p.name for p in ports)}")
    for port in ports:
        array = inputs[port.name]
        if array.dtype != np.dtype(port.dtype) or not port.fits(array.shape):
            raise BackendError(
                f"the input '{port.name}' is {array.dtype} {tuple(array.shape)}", f"the network takes {port}"
            )


def check_ports(card: ModelCard, inputs: tuple[Port, ...], outputs: tuple[Port, ...]) -> None:
    """Raises CardError unless the network has the inputs and outputs that the card promises.

    The card may leave out nothing and add nothing. An axis that the network leaves open may be fixed on the card.
    """
    _check_side("input", card.inputs, inputs, card.name)
    _check_side("output", card.outputs, outputs, card.name)


def _check_side(side: str, specs: tuple[TensorSpec, ...], ports: tuple[Port, ...], name: str) -> None:
    by_name = {p.name: p for p in ports}
    todo = "export the model again, so that the card fits"
    if by_name.keys() != {s.name for s in specs}:
        seen = f"{name}: the network's {side}s are {', '.join(by_name)}"
        raise CardError(seen, f"its card says {', '.join(s.name for s in specs)}", todo)
    for spec in specs:
        port = by_name[spec.name]
        promised = tuple(axis if isinstance(axis, int) else None for axis in spec.shape)
        agrees = len(promised) == len(port.shape) and all(
            there is None or there == said for there, said in zip(port.shape, promised, strict=True)
        )
        if port.dtype != spec.dtype or not agrees:
            raise CardError(
                f"{name}: the {side} '{spec.name}' is {Port(port.name, port.dtype, port.shape)}",
                f"its card says {Port(spec.name, spec.dtype, promised)}",
                todo,
            )
