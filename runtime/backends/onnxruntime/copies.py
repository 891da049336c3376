"""What ONNX Runtime's CUDA provider needs of CUDA itself where arrays lie on the GPU: a stream for copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ..contract import Port
from ..nvidia.cuda import Cuda, Held
from ..nvidia.device_array import DeviceArray, follow_owners
from ..nvidia.given import read_given

Given = dict[str, NDArray[Any] | DeviceArray]


class Copies:
    """A stream on one GPU. Raises MissingExtraError without cuda-python, BackendError without the GPU."""

    def __init__(self, number: int) -> None:
        self.cuda = Cuda(number)
        self._held = Held()
        try:
            self._event = self.cuda.event(self._held)
        except BaseException:
            self.close()
            raise

    def read(
        self,
        inputs: tuple[tuple[Port, ...], Mapping[str, Any]],
        outputs: tuple[tuple[Port, ...], Mapping[str, Any]],
    ) -> tuple[Given, Given]:
        """What ports are given, as `read_given` does; the stream waits for the owners. In the caller's own thread."""
        self.cuda.use()
        given, wanted = read_given(*inputs, self.cuda), read_given(*outputs, self.cuda)
        arrays = [array for array in (*given.values(), *wanted.values()) if isinstance(array, DeviceArray)]
        follow_owners(self.cuda, arrays, self._event)
        return given, wanted

    def close(self) -> None:
        """Frees the stream."""
        self.cuda.finish()
        self._held.free()
        self.cuda.close()
