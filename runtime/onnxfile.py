"""What an ONNX file says about itself, read without any ONNX library.

An ONNX file is one protobuf message; walking its top-level fields needs a few reads, whatever the size of the
weights, and shows at once whether the file is whole.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from .errors import InputError

# Field numbers of ModelProto and StringStringEntryProto in onnx.proto.
_IR_VERSION, _GRAPH, _OPSET_IMPORT, _METADATA = 1, 7, 8, 14
_KEY, _VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_metadata(path: Path) -> dict[str, str]:
    """The `metadata_props` of an ONNX file. Raises InputError if the file is not ONNX, or is cut short."""
    seen: set[int] = set()
    metadata: dict[str, str] = {}
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            while file.tell() < size:
                field, length = _next_field(file)
                if file.tell() + length > size:
                    # Only a file that starts like a model is called a cut one.
                    raise _broken(path, size, cut=_IR_VERSION in seen)
                seen.add(field)
                if field == _METADATA:
                    key, value = _entry(file, length)
                    metadata[key] = value
                else:
                    file.seek(length, os.SEEK_CUR)
    except (ValueError, EOFError):
        raise _broken(path, size, cut=_IR_VERSION in seen) from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if not {_IR_VERSION, _GRAPH, _OPSET_IMPORT} <= seen:
        raise _broken(path, size, cut=_IR_VERSION in seen)
    return metadata


def _next_field(file: BinaryIO) -> tuple[int, int]:
    """The number of the next field and how many payload bytes follow; a varint's payload is consumed."""
    tag = _varint(file)
    field, wire = tag >> 3, tag & 7
    if not 1 <= field <= 64:
        raise ValueError("not a field of an ONNX model")
    if wire == _VARINT:
        _varint(file)
        return field, 0
    if wire == _BYTES:
        return field, _varint(file)
    if wire in (_FIXED64, _FIXED32):
        return field, 8 if wire == _FIXED64 else 4
    raise ValueError("not a protobuf wire type in use")


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise EOFError
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("a varint of more than ten bytes")


def _entry(file: BinaryIO, length: int) -> tuple[str, str]:
    parts = {_KEY: "", _VALUE: ""}
    end = file.tell() + length
    while file.tell() < end:
        field, size = _next_field(file)
        parts[field] = file.read(size).decode()
    return parts[_KEY], parts[_VALUE]


def _broken(path: Path, size: int, *, cut: bool) -> InputError:
    if cut:
        return InputError(
            f"{path} is cut short: {size} bytes are there, more are announced", todo="copy or export it again"
        )
    return InputError(f"{path} is not an ONNX file", "a model written by `edgegan export`")
