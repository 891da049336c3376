"""Protocol-buffer messages read field by field, without their library and without copying what is skipped.

https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST = 10  # bytes of a varint
METADATA = 14  # ModelProto's metadata_props

Value = int | memoryview


def fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """The fields of one message in their order, as (number, value): an unsigned integer, or the field's bytes.

    Raises ValueError for bytes that are no message, or that end before a field does.
    """
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        wire = tag & 7
        if wire == _VARINT:
            value, place = _varint(data, place)
            yield tag >> 3, value
            continue
        if wire == _BYTES:
            length, place = _varint(data, place)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError("not a protobuf wire type in use")
        if place + length > len(data):
            raise ValueError("a message that ends within a field")
        yield tag >> 3, data[place : place + length]
        place += length


def integers(value: Value) -> Iterator[int]:
    """The numbers of a repeated integer field, packed or one at a time, as int64."""
    if isinstance(value, int):
        yield _to_signed(value)
        return
    place = 0
    while place < len(value):
        number, place = _varint(value, place)
        yield _to_signed(number)


def integer(value: Value) -> int:
    """The number of an integer field, as int64; raises ValueError for bytes."""
    if not isinstance(value, int):
        raise ValueError("bytes where a number belongs")
    return _to_signed(value)


def payload(value: Value) -> memoryview:
    """The bytes of a string, bytes or message field; raises ValueError for a number."""
    if isinstance(value, int):
        raise ValueError("a number where bytes belong")
    return value


def text(value: Value) -> str:
    """The words of a string field; raises ValueError for anything else."""
    return bytes(payload(value)).decode()


def entry(number: int, data: bytes) -> bytes:
    """A field that holds `data`, as the bytes of a message."""
    return _encode(number << 3 | _BYTES) + _encode(len(data)) + data


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for i in range(_LONGEST):
        if place + i >= len(data):
            raise ValueError("a message that ends within a field")
        byte = data[place + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place + i + 1
    raise ValueError("a varint of more than ten bytes")


def _to_signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _encode(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def pair(value: Value) -> tuple[str, str]:
    """Key and value of a StringStringEntryProto."""
    parts = {1: "", 2: ""}
    for number, part in fields(payload(value)):
        if number in parts:
            parts[number] = text(part)
    return parts[1], parts[2]
