"""Memory of a GPU: an editor's own, kept under names, and the frames of its callers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends import Port
from ...backends.nvidia.at_work import at_work
from ...backends.nvidia.cuda import Cuda, Held
from ...backends.nvidia.device_array import DeviceArray, follow_owners, lies_on_a_gpu
from ...backends.nvidia.given import check_outputs, read_given
from ...errors import BackendError, InputError
from .geometry import Window

_PICTURES = tuple(Port(name, "uint8", (None, None, 3)) for name in ("picture", "out"))


class Block:
    """An array on a GPU as `run_on_device` takes it; nothing is queued that it would have to wait for.

    `host` is pinned memory of its size, where it has some.
    """

    def __init__(
        self,
        address: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        strides: tuple[int, ...] | None = None,
        host: NDArray[Any] | None = None,
    ) -> None:
        self.address, self.shape, self.dtype, self.strides, self.host = address, shape, dtype, strides, host

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address, False),
            "strides": self.strides,
            "stream": None,
            "version": 3,
        }

    def part(self, first: int, count: int) -> Block:
        """`count` entries of the first axis, of an array in C order."""
        step = int(np.prod(self.shape[1:])) * self.dtype.itemsize
        return Block(self.address + first * step, (count, *self.shape[1:]), self.dtype)


class Frame:
    """A caller's picture, (H, W, 3) uint8, whose rows may lie apart."""

    def __init__(self, array: DeviceArray) -> None:
        height, width, _ = array.shape
        self.array, self.hw = array, (height, width)
        self._pitch, between, _ = array.strides or (3 * width, 3, 1)
        if between != 3 and width > 1:
            raise BackendError(
                f"the pixels of the picture lie {between} bytes apart",
                "3 bytes, blue, green and red or the other way; rows may lie apart",
                "make it contiguous first: .contiguous() in PyTorch, ascontiguousarray in CuPy",
            )

    def part(self, window: Window) -> Block:
        """The window as an array, (rows * side, columns * side, 3)."""
        shape = (window.rows * window.side, window.columns * window.side, 3)
        return Block(self._at(window), shape, self.array.dtype, (self._pitch, 3, 1))

    def blocks(self, window: Window) -> Block:
        """The same memory as (rows, side, columns, side, 3)."""
        side, pitch = window.side, self._pitch
        shape = (window.rows, side, window.columns, side, 3)
        return Block(self._at(window), shape, self.array.dtype, (side * pitch, pitch, 3 * side, 3, 1))

    def _at(self, window: Window) -> int:
        return self.array.address + window.y * self._pitch + 3 * window.x


class Memory:
    """What one editor has on GPU `number`. Not thread-safe, but any thread may have its turn.

    No method leaves work queued behind. Raises MissingExtraError without cuda-python, BackendError without the GPU.
    """

    def __init__(self, number: int) -> None:
        self._held: dict[str, tuple[Block, Held]] = {}
        self._sources: dict[str, NDArray[Any]] = {}  # of the constants
        self._own = Held()
        with at_work():
            self._cuda = Cuda(number)
            try:
                self._event = self._cuda.event(self._own)
            except BaseException:
                self._cuda.close()
                raise

    def read_frames(self, picture: Any, out: Any) -> tuple[Frame, Frame]:
        """A caller's pictures, once all that their owners had queued is done; in the caller's own thread.

        Raises InputError for pictures in host memory, BackendError for others that are not of uint8, of one size and
        on this GPU, and for an `out` that is read-only.
        """
        for name, array in (("picture", picture), ("out", out)):
            if not lies_on_a_gpu(array):
                kind = type(array).__name__
                raise InputError(f"{name} is a {kind} in host memory", "an array on the GPU", "take Editor for it")
        with at_work():
            self._cuda.use()
            given = read_given(_PICTURES, {"picture": picture, "out": out}, self._cuda)
            frame, to = given["picture"], given["out"]
            assert isinstance(frame, DeviceArray) and isinstance(to, DeviceArray)
            check_outputs(_PICTURES[1:], given, lambda name: frame.shape)
            if 0 in frame.shape:
                raise InputError(f"the picture is {frame.shape[0]}x{frame.shape[1]}", "a picture with pixels")
            frames = Frame(frame), Frame(to)
            follow_owners(self._cuda, (frame, to), self._event)
            self._cuda.wait()
        return frames

    def copy(self, frame: Frame, to: Frame) -> None:
        """Copies one picture over another, unless they are the same memory."""
        if frame.array.address == to.array.address:
            return
        window = Window(0, 0, *frame.hw)
        with at_work():
            self._cuda.use()
            ends = [_rows(each.part(window)) for each in (to, frame)]
            self._cuda.copy(*ends)
            self._cuda.wait()

    def block(self, name: str, shape: tuple[int, ...], dtype: str, *, host: bool = False) -> Block:
        """The array called `name`: the one that it was in the last call if it is to be alike, else another."""
        kept = self._held.get(name)
        if kept is None or kept[0].shape != shape or kept[0].dtype != np.dtype(dtype):
            with at_work():
                self._cuda.use()
                if kept is not None:
                    del self._held[name]
                    kept[1].free()
                self._held[name] = self._allocate(shape, np.dtype(dtype), host)
        return self._held[name][0]

    def constant(self, name: str, values: NDArray[Any]) -> Block:
        """An array with these values, which never change; copied to the GPU where the name stood for others."""
        if self._sources.get(name) is not values:
            made = self.block(name, values.shape, values.dtype.name, host=True)
            assert made.host is not None
            made.host[...] = values
            with at_work():
                self._cuda.use()
                self._cuda.to_device(made.address, made.host)
                self._cuda.wait()
            self._sources[name] = values
        return self._held[name][0]

    def to_host(self, blocks: Sequence[Block]) -> list[NDArray[Any]]:
        """Each array in its own pinned memory, which the next such call fills again."""
        with at_work():
            self._cuda.use()
            for block in blocks:
                assert block.host is not None
                self._cuda.to_host(block.host, block.address)
            self._cuda.wait()
        return [block.host for block in blocks if block.host is not None]

    def close(self) -> None:
        """Frees everything."""
        with at_work():
            self._cuda.finish()
            while self._held:
                self._held.popitem()[1][1].free()
            self._own.free()
            self._cuda.close()

    def _allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any], host: bool) -> tuple[Block, Held]:
        held = Held()
        try:
            if host:
                address, pinned = self._cuda.buffer(shape, dtype, held)
                return Block(address, shape, dtype, host=pinned), held
            return Block(self._cuda.memory(int(np.prod(shape)) * dtype.itemsize, held), shape, dtype), held
        except BaseException:
            held.free()
            raise


def _rows(block: Block) -> Any:
    return DeviceArray(block.address, block.shape, block.dtype, block.strides).rows
