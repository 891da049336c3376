"""NVIDIA's shared libraries on this machine: what a GPU provider links to, what can be loaded, what the driver serves.

Asked before a provider is: ONNX Runtime writes a library that it cannot load to stderr and goes on with the CPU.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DRIVER, CUDNN = ("nvcuda.dll", "cudnn64_9.dll") if sys.platform == "win32" else ("libcuda.so.1", "libcudnn.so.9")

# ELF (64 bits, little-endian): program headers, and entries of the dynamic section.
_LOAD, _DYNAMIC = 1, 2
_END, _NEEDED, _STRING_TABLE = 0, 1, 5


def read_needed(library: Path) -> tuple[str, ...]:
    """The shared libraries that an ELF file is linked to; none for other kinds of file. Raises OSError."""
    with open(library, "rb") as file:

        def read(offset: int, layout: str) -> tuple[Any, ...]:
            file.seek(offset)
            return struct.unpack(layout, file.read(struct.calcsize(layout)))

        if file.read(6) != b"\x7fELF\x02\x01":
            return ()
        (table,), (size, count) = read(32, "<Q"), read(54, "<HH")
        # (type, flags, offset in the file, address in memory, physical address, size in the file)
        headers = [read(table + size * i, "<IIQQQQ") for i in range(count)]
        found: dict[int, list[int]] = {}
        for offset, length in ((h[2], h[5]) for h in headers if h[0] == _DYNAMIC):
            for i in range(length // 16):
                tag, value = read(offset + 16 * i, "<qQ")
                if tag == _END:
                    break
                found.setdefault(tag, []).append(value)
        if _STRING_TABLE not in found:
            return ()
        address = found[_STRING_TABLE][0]
        start = next(h[2] + address - h[3] for h in headers if h[0] == _LOAD and h[3] <= address < h[3] + h[5])

        def text(offset: int) -> str:
            file.seek(start + offset)
            return file.read(256).split(b"\0")[0].decode(errors="replace")

        return tuple(map(text, found.get(_NEEDED, [])))


def missing(names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that cannot be loaded into this process; the others are loaded."""
    return tuple(name for name in names if _load(name) is None)


def driver_cuda() -> tuple[int, int] | None:
    """The newest CUDA that the NVIDIA driver serves, as (major, minor); None without a driver."""
    driver, number = _load(DRIVER), ctypes.c_int()
    if driver is None or driver.cuDriverGetVersion(ctypes.byref(number)) != 0:
        return None
    return number.value // 1000, number.value % 1000 // 10


def gpu_count() -> int:
    """How many GPUs the NVIDIA driver gives to this process."""
    driver, count = _load(DRIVER), ctypes.c_int()
    if driver is None or driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def has_context(number: int) -> bool:
    """Whether this process uses the GPU of that number, as CUDA counts those that it sees."""
    driver, device = _load(DRIVER), ctypes.c_int()
    flags, active = ctypes.c_uint(), ctypes.c_int()
    if driver is None or driver.cuDeviceGet(ctypes.byref(device), number) != 0:
        return False
    known = driver.cuDevicePrimaryCtxGetState(device, ctypes.byref(flags), ctypes.byref(active)) == 0
    return known and active.value == 1


def cudnn_version() -> str:
    """The version of cuDNN that would be loaded, such as "9.13.0"; "" if there is none."""
    cudnn = _load(CUDNN)
    if cudnn is None:
        return ""
    cudnn.cudnnGetVersion.restype = ctypes.c_size_t
    number = int(cudnn.cudnnGetVersion())  # 91300 stands for 9.13.0
    return f"{number // 10000}.{number % 10000 // 100}.{number % 100}"


def _load(name: str) -> Any | None:
    try:
        # Never with RTLD_GLOBAL: libnvinfer and the library of TensorRT for RTX export the same names, and the second
        # to be loaded would bind to those of the first.
        return ctypes.CDLL(name)
    except OSError:
        return None
