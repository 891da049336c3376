"""The ranges that settings may have, as types; and any setting's range in words.

A number in a configuration is annotated with one of these (or with a `msgspec.Meta` of its own), so that a value
beyond is refused before anything runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, inspect

Seed = Annotated[int, Meta(ge=0, le=2**62)]
Images = Annotated[int, Meta(ge=0, le=10**12)]  # so many pictures, or one action every so many; 0: none, or never
Batch = Annotated[int, Meta(ge=1, le=65_536)]
Every = Annotated[int, Meta(ge=1, le=10_000)]  # rounds
Pixels = Annotated[int, Meta(ge=8, le=4096)]  # the edge of a square picture
Width = Annotated[int, Meta(ge=1, le=1024)]  # channels of a network's first layer
Depth = Annotated[int, Meta(ge=1, le=64)]  # layers or blocks
Layers = Annotated[int, Meta(ge=1, le=10)]  # each of which halves the picture
Levels = Annotated[int, Meta(ge=2, le=12)]  # of a U-Net
Weight = Annotated[float, Meta(ge=0, le=1e6)]  # of a loss
LearningRate = Annotated[float, Meta(ge=0, le=1)]
Momentum = Annotated[float, Meta(ge=0, lt=1)]  # Adam's betas
Share = Annotated[float, Meta(ge=0, le=1)]  # a probability, or a part of a whole


def range_words(kind: inspect.Type) -> str:
    """What a setting of this type may be: "a whole number from 1 to 1024"; empty where nothing is to be said."""
    if isinstance(kind, inspect.UnionType):
        parts = [range_words(part) for part in kind.types if not isinstance(part, inspect.NoneType)]
        return " or ".join(part for part in parts if part)
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        what = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
        low = f"from {kind.ge:,g}" if kind.ge is not None else f"above {kind.gt:,g}" if kind.gt is not None else ""
        if isinstance(kind, inspect.IntType) and kind.ge is not None:
            low = f"from {kind.ge:,}"
        most = f"{kind.le:,}" if isinstance(kind, inspect.IntType) else f"{kind.le or 0:,g}"
        high = f"to {most}" if kind.le is not None else f"to below {kind.lt:,g}" if kind.lt is not None else ""
        return " ".join(part for part in (what, low, high) if part)
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, inspect.LiteralType):
        return "one of: " + ", ".join(map(str, kind.values))
    return ""


def type_at(kind: type[msgspec.Struct], path: str) -> inspect.Type | None:
    """The type of the setting at a path as msgspec's errors give it: `$.train.batch`, `$.sets[0].centre_crop`."""
    found: inspect.Type | None = inspect.type_info(kind)
    for part in path.replace("[...]", "[0]").replace("[", ".[").split(".")[1:]:
        found = _inside(found, part)
    return found


def value_at(values: Any, path: str) -> Any:
    """The value at such a path; None where there is none."""
    for part in path.replace("[", ".[").split(".")[1:]:
        if part.startswith("["):
            number = part[1:-1]
            fits = isinstance(values, list | tuple) and number.isdecimal() and int(number) < len(values)
            values = values[int(number)] if fits else None
        else:
            values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _inside(kind: inspect.Type | None, part: str) -> inspect.Type | None:
    if isinstance(kind, inspect.UnionType):
        return next(filter(None, (_inside(one, part) for one in kind.types)), None)
    if part.startswith("["):
        if isinstance(kind, inspect.VarTupleType | inspect.ListType):
            return kind.item_type
        if isinstance(kind, inspect.TupleType) and part[1:-1].isdecimal():
            return kind.item_types[int(part[1:-1])]
        return kind.value_type if isinstance(kind, inspect.DictType) else None
    if isinstance(kind, inspect.StructType):
        return next((field.type for field in kind.fields if field.name == part), None)
    return None
