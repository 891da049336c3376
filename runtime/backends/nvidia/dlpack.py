"""What a DLPack capsule holds (https://dmlc.github.io/dlpack), read without any library behind it."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np

from ...errors import BackendError

CPU, CUDA, CUDA_MANAGED = 1, 2, 13  # DLDeviceType
_KINDS = {0: "int", 1: "uint", 2: "float"}  # DLDataTypeCode
_NAME = b"dltensor"


class _Device(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int32), ("number", ctypes.c_int32))


class _DataType(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("axes", ctypes.c_int32),
        ("dtype", _DataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),  # in elements; null for C order
        ("byte_offset", ctypes.c_uint64),
    )


class Content(NamedTuple):
    """A tensor: its address, shape, strides in bytes (None for C order), type, and kind and number of its device."""

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None
    dtype: np.dtype[Any]
    device: tuple[int, int]


def read_capsule(capsule: Any) -> Content:
    """What a capsule of `__dlpack__()` holds, which it goes on owning: the content is good while the capsule lives.

    Raises BackendError for a type that numpy has not.
    """
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    tensor = _Tensor.from_address(pointer(capsule, _NAME))
    kind, bits, lanes = _KINDS.get(tensor.dtype.code), tensor.dtype.bits, tensor.dtype.lanes
    if kind is None or lanes != 1:
        raise BackendError(
            f"the DLPack tensor has type code {tensor.dtype.code}, {bits} bits, {lanes} lanes",
            "whole or floating-point numbers of 8 to 64 bits",
        )
    dtype = np.dtype(f"{kind}{bits}")
    shape = tuple(tensor.shape[i] for i in range(tensor.axes))
    strides = tuple(tensor.strides[i] * dtype.itemsize for i in range(tensor.axes)) if tensor.strides else None
    address = (tensor.data or 0) + tensor.byte_offset
    return Content(address, shape, strides, dtype, (tensor.device.type, tensor.device.number))
