"""Arrays of another library on a GPU made of host memory."""

import ctypes
import threading

import numpy as np


class OnGpu:
    """An array of another library, with its own stream, in memory of the fake."""

    def __init__(self, fake, array, *, pitch=0, stream=5, read_only=False, late=None):
        self.fake, self.shape, self.dtype = fake, array.shape, array.dtype
        fake.current[threading.get_ident()] = fake.current.get(threading.get_ident(), 0)
        row = array.shape[-1] * array.itemsize
        self.pitch, self.height = pitch or row, array.size // array.shape[-1]
        _, self.address = fake._allocate(self.pitch * self.height)
        steps = [array.itemsize, self.pitch]
        for axis in array.shape[-2:0:-1]:
            steps.append(steps[-1] * axis)
        self.__cuda_array_interface__ = {
            "shape": array.shape,
            "typestr": array.dtype.str,
            "data": (self.address, read_only),
            "strides": tuple(steps[::-1][-array.ndim :]),
            "stream": stream,
            "version": 3,
        }
        # Its owner's work on it is queued, and not done before somebody waits for it.
        fake.streams.setdefault(stream, []).append(lambda: self.write(array))

    def write(self, array):
        rows = np.ascontiguousarray(array).reshape(self.height, -1).view(np.uint8)
        for i, row in enumerate(rows):
            ctypes.memmove(self.address + i * self.pitch, row.tobytes(), row.nbytes)

    def read(self):
        width = self.shape[-1] * self.dtype.itemsize
        rows = [ctypes.string_at(self.address + i * self.pitch, width) for i in range(self.height)]
        return np.frombuffer(b"".join(rows), self.dtype).reshape(self.shape)

    def free(self):
        del self.fake.memory[self.address]
